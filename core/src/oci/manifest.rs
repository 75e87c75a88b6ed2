//! Image manifests (image-spec, manifest.md): read leniently, kept as bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Descriptor, media_type};
use crate::diagnostic::Report;
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::oci::document::Document;

/// A manifest that was read. Its bytes are the truth; this is a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `mediaType`, if the document has one.
    pub media_type: Option<String>,
    /// `artifactType`, if the document has one.
    pub artifact_type: Option<String>,
    /// The config's descriptor.
    pub config: Descriptor,
    /// The layers' descriptors, in order; those whose digest is of an unregistered algorithm are left out, and reported.
    pub layers: Vec<Descriptor>,
    /// What this manifest is about, if anything.
    pub subject: Option<Descriptor>,
    /// Annotations of the manifest itself.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest. The report holds what is odd and yet legible.
    ///
    /// ```
    /// use chartoci::{Limits, oci::Manifest};
    /// let empty = r#"{"mediaType":"application/vnd.oci.empty.v1+json","size":2,
    ///     "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;
    /// let text = format!(r#"{{"schemaVersion":2,"config":{empty},"layers":[{empty}]}}"#);
    /// let (manifest, report) = Manifest::parse(text.as_bytes(), &Limits::default())?;
    /// assert_eq!(manifest.layers[0].size, 2);
    /// assert_eq!(report.iter().next().unwrap().code.name(), "manifest.artifact_type");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// What is no manifest at all: [`Code::JSON_SYNTAX`], [`Code::LIMIT_DOCUMENT`] (more than [`Limits::manifest`] bytes),
    /// [`Code::MANIFEST_SHAPE`] (no object, no config, no layers, or `manifests` beside them), [`Code::MANIFEST_DESCRIPTOR`].
    pub fn parse(data: &[u8], limits: &Limits) -> Result<(Manifest, Report), Error> {
        let mut document = Document::read("manifest", data, limits.manifest)?;
        let object = document.object(Code::MANIFEST_SHAPE)?;
        // One document must not be a manifest to one reader and an index to the next (CVE-2021-41190).
        document.refuse_members(Code::MANIFEST_SHAPE, &object, &["manifests", "fsLayers"]);
        let config = document.member(Code::MANIFEST_SHAPE, &object, "config", "an object");
        let layers = document.member(Code::MANIFEST_SHAPE, &object, "layers", "a list").and_then(Value::as_array);
        let described = config.and_then(|config| document.descriptor(config, "/config"));
        let layers = document.descriptors(layers.map_or(&[], Vec::as_slice), "/layers");
        let subject = object.get("subject").filter(|subject| !subject.is_null());
        let subject = subject.and_then(|subject| document.descriptor(subject, "/subject"));
        document.check_head(&object, [media_type::MANIFEST, media_type::DOCKER_MANIFEST]);
        let artifact_type = text(&object, "artifactType");
        let is_empty = described.as_ref().is_some_and(|config| config.media_type == media_type::EMPTY);
        if is_empty && artifact_type.as_deref().unwrap_or_default().is_empty() {
            document.find(Code::MANIFEST_ARTIFACT_TYPE, "the config is empty, and artifactType is missing", "");
        }
        if object.get("layers").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            document.find(Code::MANIFEST_NO_LAYERS, "layers is empty", "/layers");
        }
        let annotations = document.annotations(&object);
        let media_type = text(&object, "mediaType");
        let report = document.finish()?;
        let message = "the config's digest is of an unregistered algorithm";
        let config = described.ok_or_else(|| Error::new(Code::MANIFEST_DESCRIPTOR, message))?;
        Ok((Manifest { media_type, artifact_type, config, layers, subject, annotations }, report))
    }
}

pub(super) fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn descriptor() -> String {
        format!(r#"{{"mediaType":"a/b","digest":"{DIGEST}","size":2}}"#)
    }

    fn with(members: &str) -> Result<(Manifest, Report), Error> {
        Manifest::parse(format!("{{\"schemaVersion\":2,{members}}}").as_bytes(), &Limits::default())
    }

    fn codes(report: &Report) -> Vec<(&'static str, &str)> {
        report.iter().map(|finding| (finding.code.name(), finding.pointer.as_str())).collect()
    }

    #[test]
    fn a_plain_manifest_is_read_without_findings() {
        let d = descriptor();
        let (manifest, report) =
            with(&format!(r#""config":{d},"layers":[{d},{d}],"subject":{d},"annotations":{{"b":"2","a":"1"}},"x":1"#))
                .unwrap();
        assert_eq!((manifest.layers.len(), manifest.subject.is_some(), manifest.media_type), (2, true, None));
        assert_eq!(manifest.annotations.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(report.is_empty(), "{report}");
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_all_that_is_wrong() {
        let layers = r#"{"mediaType":7,"digest":"sha256:0","size":-1},7"#;
        let error =
            with(&format!("\"schemaVersion\":1,\"config\":{{}},\n\"layers\":[{layers}],\"subject\":[]")).unwrap_err();
        assert_eq!(
            (error.code(), error.context()),
            (Code::MANIFEST_DESCRIPTOR, &[("pointer", "/config".to_owned())][..])
        );
        let expected = [
            ("json.duplicate", "/schemaVersion"),
            ("manifest.schema_version", "/schemaVersion"),
            ("manifest.descriptor", "/config"),
            ("manifest.descriptor", "/layers/0/mediaType"),
            ("manifest.descriptor", "/layers/0/digest"),
            ("manifest.descriptor", "/layers/0/size"),
            ("manifest.descriptor", "/layers/1"),
            ("manifest.descriptor", "/subject"),
        ];
        assert_eq!(codes(error.report().unwrap()), expected);
        let columns = error.report().unwrap().iter().map(|finding| finding.span.unwrap().column);
        assert_eq!(columns.collect::<Vec<_>>()[3..], [24, 35, 53, 57, 70]);
        let messages: Vec<_> = error.report().unwrap().iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages[2], "/config has no mediaType, no digest, no size");
        assert_eq!(messages[3], "/layers/0/mediaType is 7, which is no media type");
    }

    #[test]
    fn a_member_of_the_wrong_type_is_not_called_missing() {
        let error = with(r#""config":[],"layers":{},"manifests":[]"#).unwrap_err();
        let found: Vec<_> = error.report().unwrap().iter().map(|one| (&*one.pointer, &*one.message)).collect();
        assert_eq!(
            found,
            [
                ("/config", "/config is a list, not an object"),
                ("/layers", "/layers is an object, not a list"),
                ("/manifests", "/manifests makes this no image manifest"),
            ]
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let d = descriptor();
        for (members, expected) in [
            (r#""config":{}"#.to_owned(), "manifest.shape"),
            (format!(r#""layers":[{d}]"#), "manifest.shape"),
            (format!(r#""config":{d},"layers":null"#), "manifest.shape"),
            (format!(r#""config":{d},"layers":[],"manifests":[]"#), "manifest.shape"),
            (r#""config":{},"layers":[]"#.to_owned(), "manifest.descriptor"),
            (format!(r#""config":{d},"layers":[1]"#), "manifest.descriptor"),
        ] {
            assert_eq!(with(&members).unwrap_err().code().name(), expected, "{members}");
        }
        for text in ["[]", "null", "\"x\"", "7"] {
            let error = Manifest::parse(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!(error.code().name(), "manifest.shape");
        }
        let limits = Limits { manifest: 10, ..Limits::default() };
        assert_eq!(Manifest::parse(&[b' '; 11], &limits).unwrap_err().code(), Code::LIMIT_DOCUMENT);
    }

    #[test]
    fn a_descriptor_with_a_false_member_is_refused_with_its_place() {
        let d = descriptor();
        for (from, to, member) in [
            ("2}", "-1}", "size"),
            ("2}", "\"2\"}", "size"),
            ("2}", "2.5}", "size"),
            ("2}", "9223372036854775808}", "size"),
            ("sha256:4", "sha256:", "digest"),
            ("sha256:", "SHA256:", "digest"),
            ("sha256:", "", "digest"),
            ("a/b", "", "mediaType"),
            ("a/b", "a b", "mediaType"),
            ("a/b", "a/b\\u001b[31m", "mediaType"),
        ] {
            let error = with(&format!(r#""config":{d},"layers":[{d},{}]"#, d.replace(from, to))).unwrap_err();
            assert_eq!(error.code(), Code::MANIFEST_DESCRIPTOR, "{to}");
            assert_eq!(error.context()[0], ("pointer", format!("/layers/1/{member}")), "{to}");
        }
    }

    #[test]
    fn a_layer_of_an_unregistered_algorithm_is_left_aside_and_reported() {
        let d = descriptor();
        let other = d.replace(DIGEST, "sha256+b64:LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
        let (manifest, report) = with(&format!(r#""config":{d},"layers":[{other},{d}]"#)).unwrap();
        assert_eq!(manifest.layers.len(), 1);
        assert_eq!(codes(&report), [("manifest.digest_algorithm", "/layers/0/digest")]);
        assert!(report.iter().next().unwrap().span.is_some());
    }

    #[test]
    fn what_is_odd_is_reported_and_read_all_the_same() {
        let d = descriptor();
        let text = format!(
            r#"{{"schemaVersion":1,"mediaType":"x/y","config":{d},"layers":[],"annotations":{{"a":1,"a":1}}}}"#
        );
        let (manifest, report) = Manifest::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert!(manifest.annotations.is_empty());
        assert_eq!(
            codes(&report.sorted()),
            [
                ("manifest.schema_version", "/schemaVersion"),
                ("manifest.media_type", "/mediaType"),
                ("manifest.no_layers", "/layers"),
                ("json.duplicate", "/annotations/a"),
                ("manifest.annotation", "/annotations/a"),
            ]
        );
    }

    #[test]
    fn the_number_of_findings_is_bounded() {
        let d = descriptor();
        let other = d.replace(DIGEST, "x:y");
        let (_, report) = with(&format!(r#""config":{d},"layers":[{}]"#, vec![other; 5000].join(","))).unwrap();
        assert_eq!(report.iter().count(), 100);
    }
}
