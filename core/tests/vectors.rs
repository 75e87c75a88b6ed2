//! The vectors that every language runs: `tests/vectors/*.json`, explained in the README beside them.

#![allow(clippy::unwrap_used)]

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartoci::chart::package::Options;
use chartoci::chart::show::Section;
use chartoci::chart::{Ignore, Lock, Scan, package_in_memory};
use chartoci::check::{CheckDirectory, Document, Parts, check_parts};
use chartoci::exchange::{Config, Exchange, Output, Session};
use chartoci::files::{Memory, Step};
use chartoci::oci::Algorithm;
use chartoci::time::{Instant, Timestamp};
use chartoci::version::tag::{self, Selector};
use chartoci::yaml;
use chartoci::{Archive, Artifact, Constraint, Descriptor, Digest, Error, Limits, Metadata, Reference, Version, json};
use serde_json::{Value, json};

mod common;
use common::plain;

/// Runs every vector of a file; what fails is listed by name.
fn run(file: &str, text: &str, actual: impl Fn(&Value) -> Result<Value, Error>) {
    let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(!vectors.is_empty(), "{file} is empty");
    let mut failures = Vec::new();
    for vector in &vectors {
        let got = actual(&vector["input"]).unwrap_or_else(|error| json!({ "error": error.code().name() }));
        if got != vector["expect"] {
            failures.push(format!(
                "{}: {}\n  expected {}\n  got      {got}",
                vector["name"], vector["why"], vector["expect"]
            ));
        }
    }
    assert!(failures.is_empty(), "{file}: {} of {} fail\n{}", failures.len(), vectors.len(), failures.join("\n"));
}

macro_rules! vectors {
    ($($name:ident: $actual:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let file = concat!(stringify!($name), ".json");
                run(file, include_str!(concat!("../../tests/vectors/", stringify!($name), ".json")), $actual);
            }
        )*
    };
}

/// As Python and JavaScript reach it: a value within Chart.yaml, in the text of Chart.yaml.
#[test]
fn yaml_emit_within_metadata() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../tests/vectors/yaml_emit.json")).unwrap();
    for vector in &vectors {
        let dependency = json!({ "name": "x", "version": "1.0.0", "import-values": [vector["input"]] });
        let chart = json!({ "apiVersion": "v2", "name": "x", "version": "1.0.0", "dependencies": [dependency] });
        let chart: String = chart.to_string().chars().map(escaped).collect();
        let written = Metadata::parse(chart.as_bytes(), &Limits::default()).unwrap().to_yaml();
        let (_, item) = written.split_once("import-values:\n  - ").unwrap();
        let (item, _) = item.rsplit_once("\n  name: x\n").unwrap();
        let whole = || {
            let (text, mut indented) = (text(&vector["expect"]), String::new());
            for (at, c) in text.char_indices() {
                indented.push(c);
                let next = text[at + c.len_utf8()..].chars().next();
                if "\n\u{2028}".contains(c) && next.is_some_and(|next| next != '\n') {
                    indented += "    ";
                }
            }
            indented
        };
        let expected = vector["item"].as_str().map_or_else(whole, str::to_owned);
        assert_eq!(format!("{item}\n"), expected, "{}: {}", vector["name"], vector["why"]);
    }
}

/// What stands in no YAML as it is.
fn escaped(c: char) -> String {
    if c.is_ascii() { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) }
}

vectors! {
    yaml_scalar: |input| {
        let node = yaml::parse(text(input).as_bytes(), &Limits::default())?;
        node.check_json()?;
        Ok(json!(String::from_utf8(json::write(&plain(&node))).unwrap()))
    };
    yaml_emit: |input| Ok(json!(yaml::to_string(input)));
    metadata: |input| {
        let requirements = input["requirements_yaml"].as_str().map(str::as_bytes);
        let (metadata, _) = Metadata::load(text(&input["chart_yaml"]).as_bytes(), requirements, &Limits::default())?;
        Ok(json!({ "config": String::from_utf8(metadata.config()).unwrap(), "yaml": metadata.to_yaml() }))
    };
    reference: |input| {
        let reference = Reference::parse(text(input))?;
        Ok(json!({
            "registry": reference.registry(), "repository": reference.repository(), "tag": reference.tag(),
            "digest": reference.digest().map(Digest::as_str), "version": reference.version(),
            "text": reference.to_string(),
        }))
    };
    push_target: |input| {
        let reference = Reference::for_push(text(&input["target"]), text(&input["name"]), text(&input["version"]))?;
        Ok(json!({ "reference": reference.to_string() }))
    };
    digest: |input| {
        let digest = Digest::parse(text(input))?;
        Ok(json!({ "algorithm": digest.algorithm().as_str(), "hex": digest.hex() }))
    };
    digest_of: |input| {
        let algorithm = Algorithm::parse(text(&input["algorithm"])).unwrap();
        Ok(json!({ "digest": Digest::with(algorithm, text(&input["data"]).as_bytes()).as_str() }))
    };
    version: |input| {
        let version = Version::parse(text(input))?;
        Ok(json!({
            "major": version.major().to_string(), "minor": version.minor().to_string(),
            "patch": version.patch().to_string(), "prerelease": version.prerelease(), "build": version.build(),
            "strict": Version::parse_strict(text(input)).is_ok(), "tag": version.tag(),
        }))
    };
    version_order: |input| {
        let mut versions = versions(input)?;
        versions.sort();
        Ok(versions.iter().map(Version::as_str).collect())
    };
    tag: |input| {
        let made = tag::from_version(text(input));
        assert_eq!(tag::to_version(&made), text(input));
        Ok(made.into())
    };
    constraint: |input| {
        let constraint = Constraint::parse(text(&input["constraint"]))?;
        let versions = versions(&input["versions"])?;
        let matches: Vec<&str> = versions.iter().filter(|it| constraint.matches(it)).map(Version::as_str).collect();
        Ok(json!({ "matches": matches }))
    };
    selector: |input| {
        let tags: Vec<&str> = input["tags"].as_array().unwrap().iter().map(text).collect();
        match tag::selector(input["version"].as_str(), input["devel"].as_bool().unwrap())? {
            Selector::Tag(tag) => Ok(json!({ "tag": tag, "listed": false })),
            Selector::Range(wanted) => Ok(json!({ "tag": tag::pick(&tags, &wanted), "listed": true })),
        }
    };
    json: |input| Ok(String::from_utf8(json::write(input)).unwrap().into());
    manifest: |input| {
        let artifact = Artifact::parse(text(input).as_bytes(), &Limits::default())?;
        let digest = |layer: &Descriptor| layer.digest.to_string();
        let what = artifact.what().as_str();
        Ok(json!({
            "what": what, "chart": artifact.chart_layer().map(digest),
            "provenance": artifact.provenance_layer().map(digest),
            "findings": artifact.report().iter().map(|it| [it.code.name(), &it.pointer]).collect::<Vec<_>>(),
        }))
    };
    artifact: |input| {
        let archive = STANDARD.decode(text(&input["archive"])).unwrap();
        let scan = Scan::read(&archive, &Limits::default())?;
        let created = Timestamp::from_unix(input["created"].as_i64().unwrap());
        let artifact = Artifact::build(&scan, input["provenance"].as_str().map(str::as_bytes), Some(created), &Limits::default())?;
        let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(json!({
            "config": utf8(artifact.config().unwrap()), "manifest": utf8(artifact.manifest()),
            "digest": artifact.digest().as_str(),
        }))
    };
    check: |input| {
        let limits = Limits::default();
        let bytes = |name: &str| input[name].as_str().map(str::as_bytes);
        let report = if let Some(files) = input["files"].as_object() {
            let mut memory = Memory::from_iter(files.iter().map(|(path, content)| (path, text(content))));
            let mut check = CheckDirectory::new("", &limits);
            loop {
                match check.poll() {
                    Step::Do(verb) => check.handle(memory.execute(verb)),
                    Step::Done(report) => break report?,
                }
            }
        } else if let Some(kind) = input["kind"].as_str() {
            chartoci::check(text(&input["text"]).as_bytes(), Some(Document::parse(kind)?), None, &limits)?
        } else {
            let reference = input["reference"].as_str().map(Reference::parse).transpose()?;
            let chart = input["chart"].as_str().map(|chart| STANDARD.decode(chart).unwrap());
            check_parts(&Parts {
                reference: reference.as_ref(),
                manifest: bytes("manifest"),
                config: bytes("config"),
                chart: chart.as_deref(),
                filename: input["filename"].as_str(),
                provenance: bytes("provenance"),
            }, &limits)
        };
        Ok(report.iter().map(|finding| {
            let place = finding.span.map(|span| [span.line, span.column]);
            let fix = finding.fix.as_ref().map(|fix| &fix.replacement);
            json!([finding.code.name(), finding.document, finding.pointer, place, fix])
        }).collect())
    };
    ignore: |input| {
        let (ignore, path) = (Ignore::parse(text(&input["patterns"]))?, text(&input["path"]));
        let above = path.match_indices('/').any(|(end, _)| ignore.matches(&path[..end], true));
        Ok(json!({ "ignored": above || ignore.matches(path, false) }))
    };
    lock: |input| Ok(json!({ "yaml": Lock::parse(text(input).as_bytes(), &Limits::default())?.to_yaml() }));
    lock_digest: |input| {
        let metadata = Metadata::parse(text(&input["chart_yaml"]).as_bytes(), &Limits::default())?;
        let lock = Lock::parse(text(&input["chart_lock"]).as_bytes(), &Limits::default())?;
        Ok(json!({ "digest": Lock::digest_for(&metadata.dependencies, &lock.dependencies) }))
    };
    show: |input| {
        let archive = Archive::read(&STANDARD.decode(text(&input["archive"])).unwrap(), &Limits::default())?;
        let mut shown = serde_json::Map::new();
        for name in ["all", "chart", "values", "readme", "crds"] {
            let bytes = chartoci::chart::show::show(&archive, Section::parse(name)?);
            shown.insert(name.to_owned(), String::from_utf8(bytes).unwrap().into());
        }
        Ok(shown.into())
    };
    values: |input| {
        let archive = Archive::read(&STANDARD.decode(text(&input["archive"])).unwrap(), &Limits::default())?;
        Ok(json!({ "json": String::from_utf8(json::write(&plain(archive.values()))).unwrap() }))
    };
    limits: |input| {
        let limits = bounds(input["limits"].as_object().unwrap());
        if let Some(archive) = input["archive"].as_str() {
            let archive = STANDARD.decode(archive).unwrap();
            let scanned = Scan::read(&archive, &limits).map(|_| ()).map_err(|error| error.code());
            let read = Archive::read(&archive, &limits).map(|_| ());
            assert_eq!(read.clone().map_err(|error| error.code()), scanned);
            return read.map(|()| json!({ "error": null }));
        }
        let kind = Document::parse(text(&input["kind"]))?;
        let report = chartoci::check(text(&input["document"]).as_bytes(), Some(kind), None, &limits)?;
        Ok(json!({ "error": report.errors().next().map(|finding| finding.code.name()) }))
    };
    package: |input| {
        let contents = |content: &Value| match content.as_str() {
            Some(text) => text.to_owned(),
            None => text(&content["text"]).repeat(usize::try_from(content["times"].as_u64().unwrap()).unwrap()),
        };
        let files = input["files"].as_object().unwrap();
        let mut memory = Memory::from_iter(files.iter().map(|(path, content)| (path, contents(content))));
        let given = |name: &str| input[name].as_str().map(str::to_owned);
        let created = input["created"].as_i64().map(Timestamp::from_unix);
        let options = Options { version: given("version"), app_version: given("app_version"), created };
        let packed = package_in_memory(&mut memory, options, &Limits::default())?;
        let mut tar = Vec::new();
        flate2::read::MultiGzDecoder::new(&packed.data[..]).read_to_end(&mut tar).unwrap();
        let tar = Digest::of(&tar);
        Ok(json!({ "filename": packed.filename, "tar": tar.as_str(), "digest": packed.digest.as_str() }))
    };
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bounds(given: &serde_json::Map<String, Value>) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in given {
        let value = value.as_u64().unwrap();
        let small = u32::try_from(value).unwrap();
        match name.as_str() {
            "archive" => limits.archive = value,
            "unpacked" => limits.unpacked = value,
            "file" => limits.file = value,
            "ratio" => limits.ratio = small,
            "files" => limits.files = small,
            "nesting" => limits.nesting = small,
            "document" => limits.document = value,
            "depth" => limits.depth = small,
            "nodes" => limits.nodes = small,
            "manifest" => limits.manifest = value,
            "config" => limits.config = value,
            other => panic!("no limit {other}"),
        }
    }
    limits
}

fn versions(list: &Value) -> Result<Vec<Version>, Error> {
    list.as_array().unwrap().iter().map(|version| Version::parse(text(version))).collect()
}

#[test]
fn every_code_of_versions_and_manifests_is_produced_by_a_vector() {
    let all = concat!(
        include_str!("../../tests/vectors/version.json"),
        include_str!("../../tests/vectors/constraint.json"),
        include_str!("../../tests/vectors/manifest.json"),
        include_str!("../../tests/vectors/check.json"),
    );
    for code in chartoci::codes().filter(|code| {
        let area = code.name().split('.').next().unwrap();
        ["version", "json", "manifest", "artifact"].contains(&area)
    }) {
        assert!(all.contains(&format!("\"{code}\"")), "no vector produces {code}");
    }
}

/// `tests/errors/situations.json`: what no document makes that other languages could give us.
#[test]
fn every_situation_of_rust_has_its_code() {
    let situations: Vec<Value> = serde_json::from_str(include_str!("../../tests/errors/situations.json")).unwrap();
    let ours = situations.iter().filter(|it| it["languages"].as_array().unwrap().contains(&json!("rust")));
    for situation in ours {
        let error = match text(&situation["name"]) {
            "a list that is no image index" => chartoci::oci::Index::parse(b"[]", &Limits::default()).unwrap_err(),
            "an exchange that is given up" => given_up(),
            other => panic!("{other}"),
        };
        assert_eq!(error.code().name(), text(&situation["expect"]["code"]), "{situation}");
    }
}

fn given_up() -> Error {
    let repository = Reference::parse("localhost:1/web").unwrap().base().clone();
    let mut tags = Exchange::tags(&Session::new(Config::default()), repository);
    tags.abort();
    match tags.poll(Instant::from_millis(0)) {
        Output::Done(outcome) => outcome.unwrap_err(),
        _ => panic!("it goes on"),
    }
}
