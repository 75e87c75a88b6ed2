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
    let index: Value = serde_json::from_slice(files.get("index.json").expect("an index")).expect("an index of JSON");
    for line in index["manifests"].as_array().expect("manifests") {
        let name = line["annotations"]["org.opencontainers.image.ref.name"].as_str().expect("a name");
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
