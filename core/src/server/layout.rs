//! A registry's directory: an OCI image layout (image-spec, image-layout.md), and beside it what a layout has no word for.
//!
//! ```text
//! oci-layout  index.json  blobs/ALGORITHM/HEX      the layout; index.json names REPOSITORY:TAG or REPOSITORY@DIGEST
//! repositories/NAME/_blobs/ALGORITHM/HEX           empty: the repository has that blob
//! changes/GENERATION.json                          changes that index.json does not have yet, each by a request
//! uploads/ID  uploads/index.json                   on their way; swept at the next start
//! ```
//! No part of a repository's name starts with `_`, so that no repository's files meet another's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::commit::Edit;
use super::state::{Record, Repository};
use crate::files::Verb;
use crate::oci::annotations::REF_NAME;
use crate::oci::reference::{is_repository_name, is_tag};
use crate::oci::{Algorithm, Digest, media_type};

pub(super) const MARK: &str = "oci-layout";
pub(super) const MARK_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
pub(super) const INDEX: &str = "index.json";
pub(super) const BLOBS: &str = "blobs";
pub(super) const UPLOADS: &str = "uploads";
pub(super) const CHANGES: &str = "changes";
/// The index that takes the place of the one there is.
pub(super) const NEXT_INDEX: &str = "uploads/index.json";
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

pub(super) fn change(generation: u64) -> String {
    format!("{CHANGES}/{generation}.json")
}

/// The generation of the change of that name.
pub(super) fn change_generation(name: &str) -> Option<u64> {
    name.strip_suffix(".json")?.parse().ok()
}

/// Brings a new index to its place; its directory is there.
pub(super) fn replace_index(data: Vec<u8>) -> [Verb; 4] {
    let path = || NEXT_INDEX.to_owned();
    [
        Verb::Write { path: path(), offset: 0, data },
        Verb::Sync { path: path() },
        Verb::Rename { from: path(), to: INDEX.to_owned() },
        Verb::Sync { path: String::new() },
    ]
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

/// The bytes of `index.json`, and how many lines it has.
pub(super) fn write_index(
    repositories: &BTreeMap<String, Repository>,
    foreign: &[Value],
    generation: u64,
) -> (Vec<u8>, usize) {
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
    let lines = manifests.len();
    let document = Document { schema_version: 2, media_type: media_type::INDEX, manifests, annotations };
    (serde_json::to_vec(&document).unwrap_or_default(), lines)
}

/// The bytes of a change. A part of them is no JSON.
pub(super) fn write_change(repository: &str, edits: &[Edit]) -> Vec<u8> {
    let edit = |edit: &Edit| match edit {
        Edit::Tag { tag, to } => json!({ "tag": tag, "digest": to.as_ref().map(Digest::as_str) }),
        Edit::Manifest { digest, to: None } => json!({ "digest": digest.as_str() }),
        Edit::Manifest { digest, to: Some(record) } => {
            json!({ "digest": digest.as_str(), "mediaType": record.media_type, "size": record.size })
        }
    };
    let edits: Vec<Value> = edits.iter().map(edit).collect();
    json!({ "repository": repository, "edits": edits }).to_string().into_bytes()
}

/// An `index.json` that was read.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) generation: u64,
    /// By repository, and by tag or, where a manifest has none, digest.
    pub(super) entries: BTreeMap<(String, String), Entry>,
    /// Entries that name no repository: kept as they are, and not served.
    pub(super) foreign: Vec<Value>,
}

impl Index {
    fn insert(&mut self, entry: Entry) {
        let name = entry.tag.clone().unwrap_or_else(|| entry.digest.to_string());
        if let Some(before) = self.entries.insert((entry.repository.clone(), name), entry) {
            self.keep(before);
        }
    }

    /// A manifest whose tag goes stays without one.
    fn keep(&mut self, entry: Entry) {
        let key = (entry.repository.clone(), entry.digest.to_string());
        if entry.tag.is_some() && !self.entries.contains_key(&key) {
            let line = line(&format!("{}@{}", entry.repository, entry.digest), &entry.line);
            self.entries.insert(key, Entry { tag: None, line, ..entry });
        }
    }

    /// Makes a change that came after the index. Nothing of one that cannot be read; it was not written to its end.
    pub(super) fn change(&mut self, data: &[u8]) -> Option<()> {
        let change: Value = serde_json::from_slice(data).ok()?;
        let repository = change.get("repository")?.as_str().filter(|name| is_repository_name(name))?;
        for edit in change.get("edits")?.as_array()? {
            let text = |name: &str| edit.get(name).and_then(Value::as_str);
            let digest = text("digest").and_then(|digest| Digest::parse(digest).ok());
            match (text("tag"), digest) {
                (Some(tag), Some(digest)) => {
                    let known = self.entries.get(&(repository.to_owned(), digest.to_string()))?.clone();
                    let line = line(&format!("{repository}:{tag}"), &known.line);
                    self.insert(Entry { tag: Some(tag.to_owned()), line, ..known });
                }
                (Some(tag), None) => {
                    if let Some(before) = self.entries.remove(&(repository.to_owned(), tag.to_owned())) {
                        self.keep(before);
                    }
                }
                (None, digest) => {
                    let (repository, digest) = (repository.to_owned(), digest?);
                    match text("mediaType") {
                        Some(media_type) => {
                            let line = line(&format!("{repository}@{digest}"), edit);
                            let media_type = media_type.to_owned();
                            self.insert(Entry { repository, tag: None, digest, media_type, line });
                        }
                        None => drop(self.entries.remove(&(repository, digest.to_string()))),
                    }
                }
            }
        }
        Some(())
    }
}

/// A line of the index by another name.
fn line(name: &str, like: &Value) -> Value {
    let field = |name: &str| like.get(name).unwrap_or(&Value::Null);
    json!({ "mediaType": field("mediaType"), "digest": field("digest"), "size": field("size"), "annotations": { REF_NAME: name } })
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
                index.insert(Entry { repository, tag, digest, media_type, line });
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
