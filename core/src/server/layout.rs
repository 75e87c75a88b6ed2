//! A registry's directory: an OCI image layout (image-spec, image-layout.md), and beside it what a layout has no word for.
//!
//! ```text
//! oci-layout  index.json  blobs/ALGORITHM/HEX      the layout; index.json names REPOSITORY:TAG or REPOSITORY@DIGEST
//! repositories/NAME/_blobs/ALGORITHM/HEX           empty: the repository has that blob
//! uploads/ID  uploads/index-GENERATION.json        on their way; swept at the next start
//! ```
//! No part of a repository's name starts with `_`, so that no repository's files meet another's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::state::{Record, Repository};
use crate::oci::annotations::REF_NAME;
use crate::oci::reference::{is_repository_name, is_tag};
use crate::oci::{Algorithm, Digest, media_type};

pub(super) const MARK: &str = "oci-layout";
pub(super) const MARK_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
pub(super) const INDEX: &str = "index.json";
pub(super) const BLOBS: &str = "blobs";
pub(super) const UPLOADS: &str = "uploads";
pub(super) const REPOSITORIES: &str = "repositories";
/// Which of two indexes is newer.
const GENERATION: &str = "io.github.chartoci.generation";

/// The directory of all blobs of an algorithm.
pub(super) fn blobs(algorithm: Algorithm) -> String {
    format!("{BLOBS}/{}", algorithm.as_str())
}

pub(super) fn blob(digest: &Digest) -> String {
    format!("{}/{}", blobs(digest.algorithm()), digest.hex())
}

pub(super) fn upload(id: &str) -> String {
    format!("{UPLOADS}/{id}")
}

pub(super) fn snapshot(generation: u64) -> String {
    format!("{UPLOADS}/index-{generation}.json")
}

/// The generation of the snapshot of that name.
pub(super) fn snapshot_generation(name: &str) -> Option<u64> {
    name.strip_prefix("index-")?.strip_suffix(".json")?.parse().ok()
}

/// The directory of a repository's blobs of one algorithm, and the mark of one in it.
pub(super) fn membership(repository: &str, digest: &Digest) -> (String, String) {
    let directory = format!("{REPOSITORIES}/{repository}/_blobs/{}", digest.algorithm().as_str());
    let mark = format!("{directory}/{}", digest.hex());
    (directory, mark)
}

/// Repository and digest that a mark stands for, from its path below `repositories/`.
pub(super) fn member(path: &str) -> Option<(&str, Digest)> {
    let (repository, blob) = path.split_once("/_blobs/")?;
    let digest = Digest::parse(&blob.replacen('/', ":", 1)).ok()?;
    is_repository_name(repository).then_some((repository, digest))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<Line<'a>>,
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Foreign(&'a Value),
    Own {
        #[serde(rename = "mediaType")]
        media_type: &'a str,
        digest: &'a str,
        size: u64,
        annotations: BTreeMap<&'static str, String>,
    },
}

/// The bytes of `index.json`.
pub(super) fn write_index(repositories: &BTreeMap<String, Repository>, foreign: &[Value], generation: u64) -> Vec<u8> {
    let mut manifests: Vec<Line<'_>> = foreign.iter().map(Line::Foreign).collect();
    let line = |name: String, digest: &'_ Digest, record: &'_ Record| (name, digest.clone(), record.clone());
    let mut own = Vec::new();
    for (name, repository) in repositories {
        for (tag, digest) in &repository.tags {
            own.extend(repository.manifests.get(digest).map(|record| line(format!("{name}:{tag}"), digest, record)));
        }
        let tagged: BTreeSet<&Digest> = repository.tags.values().collect();
        let untagged = repository.manifests.iter().filter(|(digest, _)| !tagged.contains(digest));
        own.extend(untagged.map(|(digest, record)| line(format!("{name}@{digest}"), digest, record)));
    }
    manifests.extend(own.iter().map(|(name, digest, record)| Line::Own {
        media_type: &record.media_type,
        digest: digest.as_str(),
        size: record.size,
        annotations: BTreeMap::from([(REF_NAME, name.clone())]),
    }));
    let annotations = BTreeMap::from([(GENERATION, generation.to_string())]);
    let document = Document { schema_version: 2, media_type: media_type::INDEX, manifests, annotations };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// An `index.json` that was read.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) generation: u64,
    pub(super) entries: Vec<Entry>,
    /// Entries that name no repository: kept as they are, and not served.
    pub(super) foreign: Vec<Value>,
}

/// A manifest of a repository, with a tag or without.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Digest,
    pub(super) media_type: String,
    /// The entry itself, should its manifest turn out not to be there.
    pub(super) line: Value,
}

pub(super) fn read_index(data: &[u8]) -> Option<Index> {
    let Value::Object(mut document) = serde_json::from_slice(data).ok()? else { return None };
    let generation = document.get("annotations").and_then(|annotations| annotations.get(GENERATION)?.as_str());
    let mut index =
        Index { generation: generation.and_then(|text| text.parse().ok()).unwrap_or(0), ..Index::default() };
    let Some(Value::Array(lines)) = document.remove("manifests") else { return None };
    for line in lines {
        match entry(&line) {
            Some((repository, tag, digest, media_type)) => {
                index.entries.push(Entry { repository, tag, digest, media_type, line });
            }
            None => index.foreign.push(line),
        }
    }
    Some(index)
}

fn entry(line: &Value) -> Option<(String, Option<String>, Digest, String)> {
    let name = line.get("annotations")?.get(REF_NAME)?.as_str()?;
    let digest = Digest::parse(line.get("digest")?.as_str()?).ok()?;
    let media_type = line.get("mediaType")?.as_str()?.to_owned();
    let (repository, tag) = match name.split_once('@') {
        Some((repository, named)) if named == digest.as_str() => (repository, None),
        Some(_) => return None,
        None => name.split_once(':').map(|(repository, tag)| (repository, Some(tag.to_owned())))?,
    };
    (is_repository_name(repository) && tag.as_deref().is_none_or(is_tag))
        .then(|| (repository.to_owned(), tag, digest, media_type))
}
