//! Archives and documents that attack their reader: `tests/hostile/cases.json`, explained in generate.py beside it.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartoci::chart::extract::Extract;
use chartoci::chart::{Archive, Scan};
use chartoci::check::{Document, check};
use chartoci::files::{Memory, Step};
use chartoci::{Error, Limits};
use serde_json::{Value, json};

fn limits(given: &Value) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in given.as_object().unwrap() {
        let value = value.as_u64().unwrap();
        match name.as_str() {
            "archive" => limits.archive = value,
            "unpacked" => limits.unpacked = value,
            "file" => limits.file = value,
            "files" => limits.files = u32::try_from(value).unwrap(),
            "document" => limits.document = value,
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

fn outcome(data: &[u8], limits: &Limits) -> Value {
    let archive = match Archive::read(data, limits) {
        Ok(archive) => archive,
        Err(error) => return json!({ "error": error.code().name() }),
    };
    let mut outcome = json!({ "paths": archive.paths().collect::<Vec<_>>() });
    if let Err(error) = extract(archive) {
        outcome["extract"] = error.code().name().into();
    }
    outcome
}

#[test]
fn every_case_comes_out_as_it_must() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/hostile/cases.json")).unwrap();
    assert!(cases.len() > 100);
    let mut failures = Vec::new();
    for case in &cases {
        let (input, expect) = (&case["input"], &case["expect"]);
        let (got, report) = match input["archive"].as_str() {
            Some(archive) => {
                let (data, limits) = (STANDARD.decode(archive).unwrap(), limits(&input["limits"]));
                let scan = Scan::read(&data, &limits).map_err(|error| error.code().name());
                let got = outcome(&data, &limits);
                assert_eq!(scan.err(), got["error"].as_str(), "{}: scan and archive differ", case["name"]);
                (got, check(&data, Some(Document::Chart), None, &limits).unwrap())
            }
            None => {
                let text = input["document"].as_str().unwrap();
                let kind = Document::parse(input["kind"].as_str().unwrap()).unwrap();
                let report = check(text.as_bytes(), Some(kind), None, &Limits::default()).unwrap();
                let first = report.errors().next().map(|finding| finding.code.name());
                (json!({ "error": first }), report)
            }
        };
        let is_reported = expect["error"].as_str().is_none_or(|code| report.errors().any(|f| f.code.name() == code));
        if got != *expect || !is_reported {
            failures.push(format!("{}: expected {expect}, got {got}; report:\n{report}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{} of {} fail\n{}", failures.len(), cases.len(), failures.join("\n"));
}
