//! Image indexes (image-spec, image-index.md).

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifest::text;
use super::{Descriptor, media_type};
use crate::diagnostic::Report;
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::oci::document::Document;

/// An index that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// `mediaType`, if the document has one.
    pub media_type: Option<String>,
    /// Its entries; those whose digest is of an unregistered algorithm are left out.
    pub manifests: Vec<Descriptor>,
    /// What kind of thing an entry is (`artifactType`), by its digest, where the index says so.
    pub artifact_types: BTreeMap<String, String>,
}

impl Index {
    /// Reads an index.
    ///
    /// ```
    /// use chartoci::{Limits, oci::Index};
    /// let index = Index::parse(br#"{"schemaVersion":2,"manifests":[]}"#, &Limits::default())?;
    /// assert!(index.manifests.is_empty());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// What is no index at all: [`Code::JSON_SYNTAX`], [`Code::LIMIT_DOCUMENT`] (more than [`Limits::manifest`] bytes),
    /// [`Code::INDEX_SHAPE`] (no object, no manifests, or members of a manifest), [`Code::MANIFEST_DESCRIPTOR`].
    pub fn parse(data: &[u8], limits: &Limits) -> Result<Index, Error> {
        Index::check(data, limits).map(|(index, _)| index)
    }

    /// As [`Index::parse`], with what is odd and yet legible.
    ///
    /// # Errors
    /// As [`Index::parse`].
    pub(crate) fn check(data: &[u8], limits: &Limits) -> Result<(Index, Report), Error> {
        let mut document = Document::read("index", data, limits.manifest)?;
        let object = document.object(Code::INDEX_SHAPE)?;
        // One document must not be a manifest to one reader and an index to the next (CVE-2021-41190).
        document.refuse_members(Code::INDEX_SHAPE, &object, &["config", "layers", "fsLayers"]);
        let entries = document.member(Code::INDEX_SHAPE, &object, "manifests", "a list").and_then(Value::as_array);
        let manifests = document.descriptors(entries.map_or(&[], Vec::as_slice), "/manifests");
        document.check_head(&object, [media_type::INDEX, media_type::DOCKER_INDEX]);
        document.annotations(&object);
        let mut artifact_types = BTreeMap::new();
        for entry in entries.into_iter().flatten().filter_map(Value::as_object) {
            if let (Some(digest), Some(kind)) = (text(entry, "digest"), text(entry, "artifactType")) {
                artifact_types.insert(digest, kind);
            }
        }
        let media_type = text(&object, "mediaType");
        document.finish().map(|report| (Index { media_type, manifests, artifact_types }, report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Index::parse(text.as_bytes(), &Limits::default()).unwrap_err().code().name()
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for text in
            ["[]", "{}", r#"{"manifests":{}}"#, r#"{"manifests":[],"layers":[]}"#, r#"{"manifests":[],"config":1}"#]
        {
            assert_eq!(code(text), "index.shape", "{text}");
        }
        assert_eq!(code(r#"{"manifests":[{}]}"#), "manifest.descriptor");
    }

    #[test]
    fn entries_keep_their_order_and_odd_heads_are_reported() {
        let entry = |kind: &str| {
            let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
            format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":2,"platform":{{"os":"linux"}}}}"#)
        };
        let typed = entry("a/a").replace("platform\":{\"os\":\"linux\"}", "artifactType\":\"c/c\"");
        let text = format!(r#"{{"manifests":[{},{typed}]}}"#, entry("b/b"));
        let (index, report) = Index::check(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(index.manifests.iter().map(|entry| entry.media_type.as_str()).collect::<Vec<_>>(), ["b/b", "a/a"]);
        assert_eq!(index.artifact_types.values().collect::<Vec<_>>(), ["c/c"]);
        assert_eq!(report.iter().map(|finding| finding.code.name()).collect::<Vec<_>>(), ["manifest.schema_version"]);
    }
}
