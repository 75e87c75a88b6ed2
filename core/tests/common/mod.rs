//! What tests share.
#![allow(dead_code, unreachable_pub, clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};

use chartoci::yaml::{Data, Node};
use serde_json::{Value, json};

/// The folder of real charts, and what Helm said about each (`oracle.jsonl`). They are no part of the repository: they lie
/// in `../shared/charts` beside it, or where `CHARTOCI_CHARTS` says. Without them a test has nothing to compare, and the
/// summary of the tests says so.
pub fn real_charts() -> Option<(PathBuf, Vec<Value>)> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/charts");
    let folder = std::env::var_os("CHARTOCI_CHARTS").map_or(default, PathBuf::from);
    let Ok(oracle) = std::fs::read_to_string(folder.join("oracle.jsonl")) else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Not by a macro: what those print is shown of tests that fail only.
        let _ = writeln!(std::io::stderr(), "\nSKIP {test}: there are no real charts in {}", folder.display());
        return None;
    };
    let answers: Vec<Value> = oracle.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!answers.is_empty(), "the oracle is empty");
    Some((folder, answers))
}

/// The value without its places.
pub fn plain(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(flag) => json!(flag),
        Data::Int(number) => json!(number),
        Data::Uint(number) => json!(number),
        Data::Float(number) => json!(number),
        Data::String(text) => json!(text),
        Data::Sequence(items) => items.iter().map(plain).collect(),
        Data::Mapping(mapping) => mapping.pairs.iter().map(|(key, _, value)| (key.clone(), plain(value))).collect(),
    }
}
