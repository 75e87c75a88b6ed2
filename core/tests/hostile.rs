//! Archives and documents that attack their reader: `tests/hostile/cases.json`, explained in generate.py beside it.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartoci::chart::extract::Extract;
use chartoci::chart::{Archive, Scan};
use chartoci::check::{Document, check};
use chartoci::files::{Memory, Step};
use chartoci::server::{Config, Registry};
use chartoci::yaml::{Data, Node};
use chartoci::{Error, Limits, Report};
use serde_json::{Value, json};

fn limits(given: &Value) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        let value = value.as_u64().unwrap();
        match name.as_str() {
            "archive" => limits.archive = value,
            "unpacked" => limits.unpacked = value,
            "file" => limits.file = value,
            "ratio" => limits.ratio = u32::try_from(value).unwrap(),
            "files" => limits.files = u32::try_from(value).unwrap(),
            "document" => limits.document = value,
            "nodes" => limits.nodes = u32::try_from(value).unwrap(),
            "manifest" => limits.manifest = value,
            other => panic!("no limit {other}"),
        }
    }
    limits
}

/// What comes of unpacking; nothing may be left where it fails.
fn extract(archive: Archive) -> Result<String, Error> {
    let mut memory = Memory::new();
    let mut extract = Extract::new(archive, 1);
    loop {
        match extract.poll() {
            Step::Do(verb) => extract.handle(memory.execute(verb)),
            Step::Done(result) => {
                assert!(result.is_ok() || memory == Memory::new());
                return result;
            }
        }
    }
}

fn outcome(case: &Value, data: &[u8], limits: &Limits) -> Value {
    let archive = match Archive::read(data, limits) {
        Ok(archive) => archive,
        Err(error) => return json!({ "error": error.code().name() }),
    };
    let mut outcome = json!({ "paths": archive.paths().collect::<Vec<_>>() });
    if case["expect"]["values"].is_string() {
        outcome["values"] = String::from_utf8(chartoci::json::write(&plain(archive.values()))).unwrap().into();
    }
    if let Err(error) = extract(archive) {
        outcome["extract"] = error.code().name().into();
    }
    outcome
}

#[test]
fn every_case_comes_out_as_it_must() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/hostile/cases.json")).unwrap();
    let mut failures = Vec::new();
    // What a schema costs is weighed where it is judged.
    let is_judged = |case: &&Value| cfg!(feature = "schema") || !case["name"].as_str().unwrap().starts_with("SCHEMA-3");
    for case in cases.iter().filter(is_judged) {
        let (input, expect) = (&case["input"], &case["expect"]);
        let limits = limits(&input["limits"]);
        let (got, report) = if let Some(archive) = input["archive"].as_str() {
            let data = STANDARD.decode(archive).unwrap();
            let scan = Scan::read(&data, &limits).map_err(|error| error.code().name());
            let mut got = outcome(case, &data, &limits);
            assert_eq!(scan.err(), got["error"].as_str(), "{}: scan and archive differ", case["name"]);
            let report = check(&data, Some(Document::Chart), None, &limits).unwrap();
            let found = report.errors().find(|finding| expect["check"] == finding.code.name());
            found.into_iter().for_each(|finding| got["check"] = finding.code.name().into());
            (got, report)
        } else if let Some(layout) = input["layout"].as_object() {
            (json!({ "error": open(layout).err().map(|error| error.code().name()) }), Report::new())
        } else {
            let text = document(&input["document"]);
            let kind = Document::parse(input["kind"].as_str().unwrap()).unwrap();
            let report = check(text.as_bytes(), Some(kind), None, &limits).unwrap();
            let mut got = json!({ "error": report.errors().next().map(|finding| finding.code.name()) });
            if expect["warnings"].is_array() {
                got["warnings"] = report.warnings().map(|finding| finding.code.name()).collect();
            }
            (got, report)
        };
        let is_reported = expect["error"].as_str().is_none_or(|code| {
            input["layout"].is_object() || report.errors().any(|finding| finding.code.name() == code)
        });
        let printed = report.to_string();
        let steers =
            |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        if values_as_json(&got) != values_as_json(expect) || !is_reported || printed.contains(steers) {
            failures.push(format!("{}: expected {expect}, got {got}; report:\n{printed:?}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{} of {} fail\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Texts, each so often.
fn document(parts: &Value) -> String {
    let part = |part: &Value| part[0].as_str().unwrap().repeat(usize::try_from(part[1].as_u64().unwrap()).unwrap());
    parts.as_array().unwrap().iter().map(part).collect()
}

/// The order of keys is a language's own.
fn values_as_json(outcome: &Value) -> Value {
    let mut outcome = outcome.clone();
    if let Some(text) = outcome["values"].as_str() {
        outcome["values"] = serde_json::from_str(text).unwrap();
    }
    outcome
}

/// A registry over these files.
fn open(files: &serde_json::Map<String, Value>) -> Result<(), Error> {
    let mut memory = Memory::from_iter(files.iter().map(|(path, text)| (path.as_str(), text.as_str().unwrap())));
    let mut open = Registry::new(Config::default()).open();
    loop {
        match open.poll() {
            Step::Do(verb) => open.handle(memory.execute(verb)),
            Step::Done(result) => return result,
        }
    }
}

/// The value without its places.
fn plain(node: &Node) -> Value {
    match &node.data {
        Data::String(text) => json!(text),
        Data::Mapping(mapping) => mapping.pairs.iter().map(|(key, _, value)| (key.clone(), plain(value))).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_family_is_missing() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/hostile/cases.json")).unwrap();
    for family in [
        "T-PATH", "T-LINK", "T-NAME", "T-BOMB", "T-DIFF", "T-TYPE", "T-SIZE", "T-YAML", "T-NULL", "T-SEMVER",
        "T-SCHEMA", "T-TERM", "T-PROTO", "T-LAYOUT", "T-EXIT",
    ] {
        assert!(cases.iter().any(|case| case["family"] == family), "{family}");
    }
}
