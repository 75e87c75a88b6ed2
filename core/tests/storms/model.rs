//! What a registry's files say, read without the registry: the judge of every storm.

use std::collections::BTreeMap;

use chartoci::files::Memory;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

/// Checks everything that must hold whatever happened: finished blobs alone under their own digests, every manifest that
/// the index names there and whole, with all that it refers to, in its repository. Gives tag → manifest bytes.
pub(crate) fn judge(files: &Memory) -> BTreeMap<String, Vec<u8>> {
    for (path, data) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
        let (algorithm, hex) = path.trim_start_matches("blobs/").split_once('/').expect("an algorithm's directory");
        assert_eq!(hash(algorithm, data), hex, "{path} has other bytes");
    }
    let mut tags = BTreeMap::new();
    for (name, line) in lines(files) {
        let bytes = blob(files, &line["digest"]).unwrap_or_else(|| panic!("{name} has no manifest"));
        assert_eq!(Value::from(bytes.len()), line["size"], "{name} has another size");
        let manifest: Value = serde_json::from_slice(bytes).expect("a manifest of JSON");
        let repository = name.split(['@', ':']).next().expect("a repository");
        let layers = manifest["layers"].as_array().expect("layers");
        for descriptor in [&manifest["config"]].into_iter().chain(layers) {
            let bytes = blob(files, &descriptor["digest"]).unwrap_or_else(|| panic!("{name} misses {descriptor}"));
            assert_eq!(Value::from(bytes.len()), descriptor["size"], "{name} has another size for {descriptor}");
            let digest = descriptor["digest"].as_str().expect("a digest").replace(':', "/");
            let mark = format!("repositories/{repository}/_blobs/{digest}");
            assert!(files.get(&mark).is_some(), "{name} names a blob that its repository does not have");
        }
        if let Some((repository, tag)) = name.split_once(':').filter(|_| !name.contains('@')) {
            tags.insert(format!("{repository}:{tag}"), bytes.to_vec());
        }
    }
    tags
}

/// What the index names, and the changes that it does not have yet: media type, digest and size by REPOSITORY:TAG or
/// REPOSITORY@DIGEST.
fn lines(files: &Memory) -> BTreeMap<String, Value> {
    let index: Value = serde_json::from_slice(files.get("index.json").expect("an index")).expect("an index of JSON");
    let name =
        |line: &Value| line["annotations"]["org.opencontainers.image.ref.name"].as_str().expect("a name").to_owned();
    let listed = index["manifests"].as_array().expect("manifests").iter();
    let mut lines: BTreeMap<String, Value> = listed.map(|line| (name(line), line.clone())).collect();
    let number = |text: &str| text.parse::<u64>().expect("a generation");
    let generation = index["annotations"]["io.github.chartoci.generation"].as_str().map_or(0, number);
    let changes = files.iter().filter_map(|(path, data)| {
        let path = path.strip_prefix("changes/")?.strip_suffix(".json")?;
        Some((number(path), serde_json::from_slice::<Value>(data).ok()?))
    });
    let changes: BTreeMap<u64, Value> = changes.filter(|(number, _)| *number > generation).collect();
    for change in changes.values() {
        let repository = change["repository"].as_str().expect("a repository");
        for edit in change["edits"].as_array().expect("edits") {
            let by_digest = |digest: &Value| format!("{repository}@{}", digest.as_str().expect("a digest"));
            match (edit["tag"].as_str(), &edit["digest"]) {
                (Some(tag), Value::Null) => {
                    if let Some(line) = lines.remove(&format!("{repository}:{tag}")) {
                        lines.insert(by_digest(&line["digest"]), line);
                    }
                }
                (Some(tag), digest) => {
                    let of = |(name, line): &(&String, &Value)| {
                        name.split([':', '@']).next() == Some(repository) && line["digest"] == *digest
                    };
                    let line = lines.iter().find(of).expect("a tag's manifest").1.clone();
                    lines.insert(format!("{repository}:{tag}"), line);
                }
                (None, digest) if edit["mediaType"].is_string() => drop(lines.insert(by_digest(digest), edit.clone())),
                (None, digest) => drop(lines.remove(&by_digest(digest))),
            }
        }
    }
    lines
}

fn blob<'a>(files: &'a Memory, digest: &Value) -> Option<&'a [u8]> {
    files.get(&format!("blobs/{}", digest.as_str()?.replace(':', "/")))
}

fn hash(algorithm: &str, data: &[u8]) -> String {
    let bytes = match algorithm {
        "sha256" => Sha256::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        other => panic!("an algorithm of the name {other}"),
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
