//! What must hold for any bytes: one function for each fuzz target, which panics where it does not. `cargo test` replays
//! the corpora through the same functions (`core/tests/corpora.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use chartoci::artifact::What;
use chartoci::chart::{
    Dependency, Ignore, Lock, Scan, ScanFile, Scanning, extract::Extract, package::Options, package_in_memory, show,
};
use chartoci::diagnostic::Span;
use chartoci::exchange::{Config, Exchange, Output, Pull, Session, Want};
use chartoci::files::{Answer, Memory, Step, Verb};
use chartoci::http::{Failure, Headers, Request, ResponseHead};
use chartoci::time::{Instant, Timestamp};
use chartoci::version::tag;
use chartoci::yaml::{self, Data, Node};
use chartoci::{Archive, Artifact, Constraint, Digest, Error, Limits, Metadata, Reference, Version};
use serde_json::Value;

/// Small enough that an input cannot be slow, large enough that nothing else changes.
fn limits() -> Limits {
    Limits { unpacked: 4 << 20, file: 2 << 20, files: 2_000, nodes: 50_000, nesting: 4, ..Limits::default() }
}

/// A span lies in the text, does not end before it begins, and cuts no character.
fn assert_inside(span: Span, text: &[u8]) {
    assert!(span.start <= span.end && span.end <= text.len(), "{span:?} in {} bytes", text.len());
    assert!((span.line, span.column) <= (span.end_line, span.end_column), "{span:?}");
    if let Ok(text) = std::str::from_utf8(text) {
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end), "{span:?}");
    }
}

fn assert_spans(node: &Node, text: &[u8]) {
    assert_inside(node.span, text);
    match &node.data {
        Data::Sequence(items) => items.iter().for_each(|item| assert_spans(item, text)),
        Data::Mapping(mapping) => {
            let keys: BTreeSet<&str> = mapping.pairs.iter().map(|(key, _, _)| key.as_str()).collect();
            assert_eq!(keys.len(), mapping.pairs.len(), "a key stands twice");
            mapping.duplicates.iter().for_each(|one| assert_inside(one.place, text));
            for (_, place, value) in &mapping.pairs {
                assert_inside(*place, text);
                assert_spans(value, text);
            }
        }
        _ => {}
    }
}

/// An error names a line that the text has.
fn assert_placed(error: &Error, text: &[u8]) {
    let lines = String::from_utf8_lossy(text).split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    if let Some((_, line)) = error.context().iter().find(|(name, _)| *name == "line") {
        let line: usize = line.parse().expect("a number");
        assert!((1..=lines + 1).contains(&line), "line {line} of {lines}: {error}");
    }
    for finding in error.report().into_iter().flatten() {
        if let Some(span) = finding.span {
            assert_inside(span, text);
        }
    }
    assert!(error.message().len() < 4_000 && !error.message().contains('\0'), "{error:?}");
}

/// The value without its places. As in JSON, 1 and 1.0 are one number.
fn plain(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(flag) => (*flag).into(),
        Data::Int(number) => (*number as f64).into(),
        Data::Uint(number) => (*number as f64).into(),
        Data::Float(number) => (number + 0.0).into(),
        Data::String(text) => text.as_str().into(),
        Data::Sequence(items) => items.iter().map(plain).collect(),
        Data::Mapping(mapping) => mapping.pairs.iter().map(|(key, _, value)| (key.clone(), plain(value))).collect(),
    }
}

/// Spans lie in the text; the first document is the first of all; what is written is read back as the same value.
pub fn yaml(data: &[u8]) {
    let limits = limits();
    let first = yaml::parse(data, &limits);
    match (yaml::parse_all(data, &limits), &first) {
        (Ok(all), first) => {
            all.iter().for_each(|node| assert_spans(node, data));
            assert_eq!(first.as_ref().ok(), Some(&all.into_iter().next().unwrap_or_default()));
        }
        (Err(error), _) => assert_placed(&error, data),
    }
    if let Some(node) = first.ok().filter(|node| node.check_json().is_ok()) {
        let value = plain(&node);
        let text = yaml::to_string(&value);
        let again = yaml::parse(text.as_bytes(), &Limits::default()).expect(&text);
        assert_eq!(plain(&again), value, "{text}");
    }
    match yaml::parse_values(data, &limits) {
        // The last line break may be ours.
        Ok(documents) => documents.iter().for_each(|node| assert_spans(node, &[data, b"\n"].concat())),
        Err(error) => assert_placed(&error, &[data, b"\n"].concat()),
    }
}

/// Bytes that are no gzip stream are taken for the tar file in one: compressed bytes are hard to change into others.
fn wrapped(data: &[u8]) -> Vec<u8> {
    if data.starts_with(&[0x1f, 0x8b]) {
        return data.to_vec();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(data).expect("memory");
    gzip.finish().expect("memory")
}

fn assert_below(path: &str) {
    let steps = || path.split('/');
    assert!(!path.is_empty() && steps().all(|step| !matches!(step, "" | "." | "..")), "{path:?}");
    assert!(!path.contains(['\\', '\0']), "{path:?}");
}

/// What comes of a file that is brought in pieces of so many bytes at most.
fn scan_file(data: &[u8], most: usize, limits: &Limits) -> Result<Scan, Error> {
    let mut scan = ScanFile::new(data.len() as u64, limits);
    loop {
        match scan.poll() {
            Step::Done(result) => return result,
            Step::Do(Verb::Read { offset, limit, .. }) => {
                let piece = &data[offset as usize..];
                scan.handle(Answer::Data(piece[..piece.len().min(limit as usize).min(most)].to_vec()));
            }
            Step::Do(verb) => panic!("{verb:?}"),
        }
    }
}

/// All readers judge alike; paths lead nowhere else; limits hold; a peek is no other chart than the whole; unpacking
/// writes below the chart's name alone.
pub fn archive(data: &[u8]) {
    let (data, limits) = (wrapped(data), limits());
    let (archive, scan) = (Archive::read(&data, &limits), Scan::read(&data, &limits));
    for most in [333, usize::MAX] {
        match (&scan, scan_file(&data, most, &limits)) {
            (Ok(scan), Ok(found)) => assert_eq!((&scan.digest, scan.unpacked), (&found.digest, found.unpacked)),
            (Err(one), Err(other)) => assert_eq!(*one, other),
            (one, other) => panic!("{one:?} and {other:?}"),
        }
    }
    let archive = match (archive, scan) {
        (Ok(archive), Ok(scan)) => {
            assert_eq!(archive.scan().metadata, scan.metadata);
            assert_eq!((archive.scan().unpacked, &archive.scan().digest), (scan.unpacked, &scan.digest));
            archive
        }
        (Err(one), Err(other)) => return assert_eq!(one.code(), other.code()),
        (one, other) => panic!("{:?} and {:?}", one.map(|_| ()), other.map(|_| ())),
    };
    assert_eq!(archive.scan().digest, Digest::of(&data));
    assert!(archive.scan().unpacked < limits.unpacked);
    archive.paths().for_each(assert_below);
    let total: usize = archive.paths().filter_map(|path| archive.file(path)).map(<[u8]>::len).sum();
    assert!(total as u64 <= archive.scan().unpacked);
    if archive.file("requirements.yaml").is_none() {
        assert_eq!(Metadata::peek(&data, &limits).as_ref(), Ok(archive.metadata()));
        if let Some(promised) =
            Scanning::new(&data, &limits).and_then(|mut scanning| scanning.promised()).expect("an archive")
        {
            assert_eq!((&promised.metadata, &promised.digest), (archive.metadata(), &archive.scan().digest));
        }
    }
    show::show(&archive, show::Section::All);
    archive.values().check_json().expect("values are JSON");
    Artifact::build(archive.scan(), None, Some(Timestamp::from_unix(0)), &limits).map(|built| built.explain()).ok();
    let name = archive.metadata().name.clone();
    let files = archive.paths().count();
    let mut disk = Memory::new();
    let mut extract = Extract::new(archive, 7);
    loop {
        match extract.poll() {
            Step::Do(verb) => extract.handle(disk.execute(verb)),
            Step::Done(Ok(written)) => {
                assert_eq!(written, name);
                assert_eq!(disk.iter().filter(|(path, _)| path.starts_with(&format!("{name}/"))).count(), files);
                assert_eq!(disk.iter().count(), files);
                break;
            }
            Step::Done(Err(error)) => {
                assert_eq!(disk.iter().count(), 0, "{error}");
                break;
            }
        }
    }
}

/// A directory out of lines: `=path`, then its content. What is packed is read back, twice the same, and packs no more.
pub fn package(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parts = text.split("\n=").filter_map(|file| file.trim_start_matches('=').split_once('\n'));
    let files: BTreeMap<&str, &str> = parts.take(40).collect();
    let pack = |files: &BTreeMap<&str, &str>| {
        let mut memory = Memory::from_iter(files.iter().map(|(path, content)| (path.to_string(), content.to_string())));
        package_in_memory(&mut memory, Options::default(), &limits())
    };
    let Ok(packed) = pack(&files) else { return };
    assert_eq!(pack(&files).expect("once more").data, packed.data);
    let archive = Archive::read(&packed.data, &limits()).expect("what is packed is read");
    assert_eq!(archive.metadata().config(), packed.metadata.config().as_slice(), "{text}");
    assert_eq!(packed.filename, packed.metadata.filename().unwrap());
    for (path, content) in files {
        let kept = archive.file(path).map(String::from_utf8_lossy);
        let rewritten = ["Chart.yaml", "Chart.lock"].contains(&path) || path.starts_with("charts/");
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        assert!(rewritten || kept.is_none_or(|kept| kept == content), "{path}");
    }
}

/// What Helm prints of Chart.yaml says the same again; the config blob is JSON that says the same.
pub fn chart_yaml(data: &[u8]) {
    let limits = limits();
    let (chart_yaml, requirements) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], Some(&data[at + 1..])),
        None => (data, None),
    };
    let (metadata, report) = match Metadata::load(chart_yaml, requirements, &limits) {
        Ok(loaded) => loaded,
        Err(error) if requirements.is_none() => return assert_placed(&error, chart_yaml),
        Err(_) => return,
    };
    if requirements.is_none() {
        report.iter().filter_map(|finding| finding.span).for_each(|span| assert_inside(span, chart_yaml));
    }
    assert!(!metadata.name.is_empty() && Version::parse(&metadata.version).is_ok());
    assert!(!metadata.name.contains('/') && metadata.name != "..");
    let again = Metadata::parse(metadata.to_yaml().as_bytes(), &Limits::default()).expect("what is printed is read");
    assert!(again == metadata || has_negative_zero(&metadata.dependencies), "{again:?} {metadata:?}");
    assert_eq!(
        Metadata::from_config(&metadata.config(), &Limits::default()).expect("JSON").config(),
        metadata.config()
    );
}

/// Helm writes -0.0, which `import-values` may hold, as 0.
fn has_negative_zero(dependencies: &[Dependency]) -> bool {
    format!("{dependencies:?}").contains("Number(-0.0)")
}

/// A lock is written as it was read.
pub fn lock(data: &[u8]) {
    match Lock::parse(data, &limits()) {
        Ok(lock) if has_negative_zero(&lock.dependencies) => drop(lock.to_yaml()),
        Ok(lock) => {
            let text = lock.to_yaml();
            let again = Lock::parse(text.as_bytes(), &Limits::default()).expect(&text);
            assert_eq!((&again.dependencies, &again.digest), (&lock.dependencies, &lock.digest));
            assert_eq!(again.to_yaml(), text);
            assert_eq!(Lock::digest_for(&again.dependencies, &[]), Lock::digest_for(&lock.dependencies, &[]));
        }
        Err(error) => assert_placed(&error, data),
    }
}

/// Patterns, and behind a NUL a path: a rule more can ignore more only.
pub fn ignore(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (patterns, path) = text.split_once('\0').unwrap_or((&text, "templates/a.yaml"));
    match Ignore::parse(patterns) {
        Ok(ignore) => {
            for is_dir in [false, true] {
                let more = Ignore::parse(&format!("{patterns}\n*.none"));
                if ignore.matches(path, is_dir) {
                    assert!(more.is_ok_and(|more| more.matches(path, is_dir)));
                }
            }
            assert!(!ignore.matches("", true));
        }
        Err(error) => assert_placed(&error, patterns.as_bytes()),
    }
}

/// What is printed is read back.
pub fn reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(reference) = Reference::parse(text) {
        let printed = reference.to_string();
        let again = Reference::parse(&printed).expect(&printed);
        assert_eq!(again.to_string(), printed);
        assert_eq!((again.registry(), again.repository()), (reference.registry(), reference.repository()));
        assert!(!printed.contains(char::is_whitespace), "{printed}");
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
    }
    let (target, rest) = text.split_once('\n').unwrap_or((text, "web"));
    let (name, version) = rest.split_once('\n').unwrap_or((rest, "1.0.0"));
    if let Ok(reference) = Reference::for_push(target, name, version) {
        assert!(reference.repository().ends_with(name) && reference.tag() == Some(&tag::from_version(version)));
        Reference::parse(&reference.to_string()).expect("a target is a reference");
    }
}

/// The bytes are the artifact; findings stand in the text; a chart has a chart's layer.
pub fn manifest(data: &[u8]) {
    match Artifact::parse(data, &limits()) {
        Ok(artifact) => {
            assert_eq!((artifact.manifest(), artifact.digest()), (data, &Digest::of(data)));
            artifact.report().iter().filter_map(|finding| finding.span).for_each(|span| assert_inside(span, data));
            assert!(artifact.layers().iter().chain(artifact.manifests()).all(|layer| layer.digest.hex().len() >= 64));
            if artifact.what() == What::Chart && artifact.report().is_ok() {
                assert!(artifact.chart_layer().is_some() || artifact.provenance_layer().is_some());
            }
            artifact.explain();
        }
        Err(error) => assert_placed(&error, data),
    }
    if let Ok(metadata) = Metadata::from_config(data, &limits()) {
        let again = Metadata::from_config(&metadata.config(), &Limits::default()).expect("a config");
        assert_eq!(again.config(), metadata.config());
    }
}

/// A constraint, and on the lines below it versions: the one picked matches and is the greatest; what admits
/// pre-releases admits no fewer; order is total.
pub fn constraint(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let constraint = Constraint::parse(lines.next().unwrap_or_default());
    let mut versions: Vec<Version> = lines.take(30).filter_map(|line| Version::parse(line).ok()).collect();
    versions.sort();
    for version in &versions {
        assert_eq!(Version::parse(version.as_str()).as_ref(), Ok(version));
        assert_eq!(tag::to_version(&version.tag()), version.as_str());
        if version.is_strict() {
            assert!(Version::parse_strict(version.as_str()).is_ok());
        }
    }
    let Ok(constraint) = constraint else { return };
    assert_eq!(Constraint::parse(constraint.as_str()).as_ref(), Ok(&constraint));
    let matching: Vec<&Version> = versions.iter().filter(|version| constraint.matches(version)).collect();
    assert_eq!(constraint.pick(&versions), matching.last().copied());
    assert!(matching.iter().all(|version| constraint.admits(version, true)));
}

/// A registry that answers with these bytes: the exchange ends, sends nothing but http and https, and what it calls
/// verified is what the digest says.
pub fn exchange(data: &[u8]) {
    let mut bytes = data.iter().copied();
    let mut take = |count: usize| -> Vec<u8> { bytes.by_ref().take(count).collect() };
    let session = Session::new(Config::default());
    let kind = take(1).first().copied().unwrap_or_default();
    let reference = Reference::parse("reg.example/charts/web:1.0.0").expect("a reference");
    let mut exchange = match kind % 2 {
        0 => Exchange::tags(&session, reference.base().clone()),
        _ => {
            let want = Want { chart: true, provenance: kind & 2 != 0, config: kind & 4 != 0, anything: kind & 8 != 0 };
            let version = (kind & 8 != 0).then(|| "^1".to_owned());
            let check_tag = kind & 16 != 0;
            Exchange::pull(&session, Pull { reference, version, devel: kind & 32 != 0, want, check_tag, verify: false })
        }
    };
    let mut now = 0;
    let mut open: Vec<Request> = Vec::new();
    for _ in 0..2_000 {
        match exchange.poll(Instant::from_millis(now)) {
            Output::Send(request) => {
                assert!(request.url.starts_with("https://") || request.url.starts_with("http://"), "{}", request.url);
                open.push(request);
            }
            Output::Cancel(id) => open.retain(|request| request.id != id),
            Output::Ask(query) => exchange.handle_credential(query.id, None),
            Output::Notify(_) => {}
            Output::Done(_) => {
                assert!(matches!(exchange.poll(Instant::from_millis(now)), Output::Wait(_) | Output::Done(_)));
                return;
            }
            Output::Wait(wake) => match open.pop() {
                None => now = wake.until.map_or(now + 1, |until| until.as_millis().max(now + 1)),
                Some(request) => answer(&mut exchange, &request, &mut take),
            },
            _ => panic!("an output that this host does not know"),
        }
    }
    exchange.abort();
    assert!((0..100).any(|_| matches!(exchange.poll(Instant::from_millis(now)), Output::Done(Err(_)))), "no end");
}

fn answer(exchange: &mut Exchange, request: &Request, take: &mut dyn FnMut(usize) -> Vec<u8>) {
    const STATUS: [u16; 16] = [200, 200, 200, 206, 301, 307, 400, 401, 403, 404, 416, 429, 500, 503, 204, 999];
    const HEADERS: [&str; 8] = [
        "content-type",
        "docker-content-digest",
        "link",
        "location",
        "www-authenticate",
        "content-range",
        "retry-after",
        "content-length",
    ];
    let first = take(3);
    let [status, fields, length] = first[..] else {
        return exchange.handle_failure(request.id, Failure::Reset, None);
    };
    let mut headers = Headers::new();
    for (at, name) in HEADERS.iter().enumerate().filter(|(at, _)| fields & (1 << at) != 0) {
        let size = usize::from(take(1).first().copied().unwrap_or_default()) % 64;
        let value = String::from_utf8_lossy(&take(size)).into_owned();
        headers.add(
            name,
            if value.is_empty() && at == 0 { "application/vnd.oci.image.manifest.v1+json".into() } else { value },
        );
    }
    let head = ResponseHead { status: STATUS[usize::from(status) % STATUS.len()], headers, url: None };
    let mut receiver = exchange.handle_response(request.id, head);
    let goes_on = receiver.write(&take(usize::from(length)));
    if goes_on && status & 0x80 != 0 {
        return exchange.handle_failure(request.id, Failure::Timeout, Some(receiver));
    }
    exchange.handle_end(request.id, receiver);
}

/// What is done with an input.
pub type Target = fn(&[u8]);

/// Every target by its name, for who replays the corpora.
pub const TARGETS: [(&str, Target); 10] = [
    ("yaml", yaml),
    ("archive", archive),
    ("package", package),
    ("chart_yaml", chart_yaml),
    ("lock", lock),
    ("ignore", ignore),
    ("reference", reference),
    ("manifest", manifest),
    ("constraint", constraint),
    ("exchange", exchange),
];
