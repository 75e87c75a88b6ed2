//! Conversations with registries, replayed: `tests/transcripts/*.jsonl`, explained in the README beside them. Python and
//! JavaScript replay the same files.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartoci::auth::Credential;
use chartoci::chart::Scan;
use chartoci::exchange::{
    Config, Copy, Exchange, Outcome, Output, Pull, Push, QueryId, Resolve, RetryPolicy, Session, Want,
};
use chartoci::http::{Failure, Payload, RequestId, ResponseHead};
use chartoci::oci::Reference;
use chartoci::time::Instant;
use chartoci::{Artifact, Limits};
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn session(options: &Value) -> Session {
    let default = Config::default();
    let attempts = options["retry"]["attempts"].as_u64().map_or(default.retry.attempts, |attempts| attempts as u32);
    let concurrency = options["concurrency"].as_u64().and_then(|number| NonZeroU8::new(number as u8));
    Session::new(Config {
        concurrency: concurrency.unwrap_or(default.concurrency),
        retry: RetryPolicy { attempts, ..default.retry },
        has_credentials: options["has_credentials"].as_bool().unwrap_or(false),
        ..default
    })
}

fn exchange(session: &Session, asked: &Value) -> Exchange {
    let reference = |name: &str| Reference::parse(text(asked, name)).unwrap();
    let version = asked["version"].as_str().map(str::to_owned);
    match text(asked, "verb") {
        "push" => {
            let mut archive = STANDARD.decode(text(asked, "chart")).unwrap();
            archive.resize(archive.len() + asked["padding"].as_u64().unwrap_or(0) as usize, 0);
            let limits = Limits::default();
            let artifact = Artifact::build(&Scan::read(&archive, &limits).unwrap(), None, None, &limits).unwrap();
            Exchange::push(session, Push::chart(&artifact, text(asked, "target")).unwrap())
        }
        "pull" => {
            let want = Want { chart: true, provenance: false, config: false, anything: false };
            let reference = reference("reference");
            Exchange::pull(session, Pull { reference, version, devel: false, want, check_tag: false, verify: false })
        }
        "resolve" => Exchange::resolve(session, Resolve { reference: reference("reference"), version, devel: false }),
        "tags" => Exchange::tags(session, reference("reference").base().clone()),
        "delete" => Exchange::delete(session, reference("reference")),
        "referrers" => {
            let artifact_type = asked["artifact_type"].as_str().map(str::to_owned);
            Exchange::referrers(session, reference("reference"), artifact_type)
        }
        "copy" => {
            let referrers = asked["referrers"].as_bool().unwrap_or(false);
            let upgrade = asked["upgrade"].as_bool().unwrap_or(false);
            Exchange::copy(
                session,
                Copy { source: reference("source"), target: reference("target"), referrers, upgrade },
            )
        }
        other => panic!("no verb is called {other}"),
    }
}

/// What the machine says, as a transcript writes it; `None` of what transcripts leave out.
fn shown(output: Output) -> Option<Value> {
    Some(match output {
        Output::Send(request) => {
            let mut sent = json!({"id": request.id.0, "method": request.method.as_str(), "url": request.url});
            let headers: BTreeMap<&str, &str> = request.headers.iter().collect();
            sent["headers"] = json!(headers);
            match &request.payload {
                Payload::Empty => sent["body"] = "".into(),
                Payload::Bytes(bytes) => sent["body"] = String::from_utf8_lossy(bytes).into(),
                Payload::Blob { blob, range } => sent["blob"] = json!([blob.0, range.start, range.end]),
            }
            json!({"send": sent})
        }
        Output::Cancel(id) => json!({"cancel": id.0}),
        Output::Ask(query) => {
            json!({"ask": {"id": query.id.0, "registry": query.registry, "realm": query.realm, "service": query.service,
                "scope": query.scope, "refused": query.refused}})
        }
        Output::Wait(wake) => json!({"wait": {"until": wake.until.map(Instant::as_millis)}}),
        Output::Done(Err(error)) => json!({"done": {"error": error.code().name()}}),
        Output::Done(Ok(outcome)) => json!({"done": {"outcome": match outcome {
            Outcome::Pushed(pushed) => json!({"digest": pushed.digest.as_str()}),
            Outcome::Pulled(pulled) => json!({"digest": pulled.digest.as_str()}),
            Outcome::Resolved(resolved) => json!({"digest": resolved.digest.as_str()}),
            Outcome::Tags(tags) => json!({"tags": tags}),
            Outcome::Fetched(blob) => json!({"digest": blob.digest.as_str()}),
            Outcome::Copied(copied) => json!({"digest": copied.digest.as_str()}),
            Outcome::Deleted(deleted) => json!({"digest": deleted.digest.map(|digest| digest.to_string())}),
            Outcome::Referrers(found) => {
                let digests = found.referrers.iter().map(|it| it.descriptor.digest.to_string());
                json!({"referrers": digests.collect::<Vec<_>>()})
            }
            other => panic!("{other:?}"),
        }}}),
        _ => return None,
    })
}

/// All that is expected is there; null means that nothing is. Of more a transcript does not speak.
fn fits(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().all(|(name, value)| fits(value, actual.get(name).unwrap_or(&Value::Null)))
        }
        (expected, actual) => expected == actual,
    }
}

fn give(exchange: &mut Exchange, given: &Value) {
    let id = |name: &str| given[name].as_u64().map(|id| id as u32);
    let failure = |kind: &str| match kind {
        "connect" => Failure::Connect(String::new()),
        "tls" => Failure::Tls(String::new()),
        "timeout" => Failure::Timeout,
        "reset" => Failure::Reset,
        other => panic!("no failure is called {other}"),
    };
    if let Some(id) = id("response") {
        let pairs = given["headers"].as_array().unwrap().iter();
        let headers = pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
        let head = ResponseHead { status: given["status"].as_u64().unwrap() as u16, headers, url: None };
        let body = match given["base64"].as_str() {
            Some(body) => STANDARD.decode(body).unwrap(),
            None => given["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
        };
        let mut receiver = exchange.handle_response(RequestId(id), head);
        receiver.write(&body);
        match given["broken"].as_str() {
            Some(kind) => exchange.handle_failure(RequestId(id), failure(kind), Some(receiver)),
            None => exchange.handle_end(RequestId(id), receiver),
        }
    } else if let Some(id) = id("failure") {
        exchange.handle_failure(RequestId(id), failure(text(given, "kind")), None);
    } else if let Some(id) = id("credential") {
        let ready_made = given["token"].as_str().map(|token| Credential::Bearer(token.to_owned()));
        let credential = match (given["username"].as_str(), given["identity"].as_str()) {
            (Some(username), _) => {
                let password = text(given, "password").to_owned();
                Some(Credential::Basic { username: username.to_owned(), password })
            }
            (None, Some(token)) => Some(Credential::Identity(token.to_owned())),
            (None, None) => ready_made,
        };
        exchange.handle_credential(QueryId(id), credential);
    } else {
        panic!("nothing is given: {given}");
    }
}

#[test]
fn every_transcript_is_replayed_to_the_letter() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for path in &files {
        let mut kept = Arc::new(session(&Value::Null));
        let (mut under_way, mut name, mut failed): (Option<Exchange>, String, bool) = (None, String::new(), false);
        for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(begin) = line["begin"].as_str() {
                if line["session"] != "same" {
                    kept = Arc::new(session(&line["session"]));
                }
                (under_way, name, failed) = (Some(exchange(&kept, &line["exchange"])), begin.to_owned(), false);
                continue;
            }
            let exchange = under_way.as_mut().expect("a beginning");
            if failed {
                continue;
            }
            if line.get("give").is_some() {
                give(exchange, &line["give"]);
                continue;
            }
            let now = Instant::from_millis(line["now"].as_u64().unwrap());
            let actual = std::iter::repeat_with(|| shown(exchange.poll(now))).flatten().next().unwrap();
            if !fits(&line["expect"], &actual) {
                failed = true;
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                failures.push(format!(
                    "{file}:{}: {name}\n  expected {}\n  got      {actual}",
                    number + 1,
                    line["expect"]
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{} conversations went otherwise\n{}", failures.len(), failures.join("\n"));
}

/// A cell names files and, in quotes, what is in each: `tags "pages follow", "a Link"; core/tests/storms.rs "a_test"`. A
/// name without a slash is a transcript, in which a conversation begins so.
#[test]
fn the_table_names_conversations_that_there_are_and_leaves_no_file_out() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = root.join("tests/transcripts");
    let mut begun: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.to_string_lossy().strip_suffix(".jsonl").map(|name| name.replace('\\', "/")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ended = lines.iter().filter(|line| line["expect"].get("done").is_some()).count();
        let begins: Vec<String> = lines.iter().filter_map(|line| Some(line["begin"].as_str()?.to_owned())).collect();
        assert_eq!(ended, begins.len(), "{name}: every conversation ends");
        begun.insert(name.rsplit('/').next().unwrap().to_owned(), begins);
    }
    let table = std::fs::read_to_string(directory.join("README.md")).unwrap();
    let mut named = BTreeMap::new();
    for cell in table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | ")) {
        let mut file = "";
        for (number, part) in cell.1.split('"').enumerate() {
            if number % 2 == 0 {
                file = part.split([' ', ',', ';']).rfind(|word| !word.is_empty()).unwrap_or(file);
            } else if file.contains('/') {
                let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
                assert!(text.contains(part), "{file} holds no {part:?}");
            } else {
                let begins = begun.get(file).unwrap_or_else(|| panic!("no file is called {file}: {cell:?}"));
                assert!(begins.iter().any(|begin| begin.starts_with(part)), "{file} holds no {part:?}");
                named.insert(file.to_owned(), ());
            }
        }
    }
    assert_eq!(begun.keys().collect::<Vec<_>>(), named.keys().collect::<Vec<_>>(), "every file is named");
}
