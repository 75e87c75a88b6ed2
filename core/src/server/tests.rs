//! The endpoints' behaviour, asked as a client would ask.

mod at_once;
mod power;

use super::*;
use crate::error::Code;
use crate::files::{Answer, FileFailure, Memory, Step};
use crate::http::Failure;
use crate::oci::{Algorithm, Digest, media_type};

struct Peer {
    registry: Registry,
    files: Memory,
    now: Instant,
}

impl Peer {
    fn new(config: Config) -> Peer {
        let (registry, mut files) = (Registry::new(config), Memory::new());
        open_in_memory(&registry, &mut files).unwrap();
        Peer { registry, files, now: Instant::default() }
    }

    fn open() -> Peer {
        Peer::new(Config::default())
    }

    fn ask(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> (Response, Vec<u8>) {
        serve_in_memory(&self.registry, &mut self.files, head(line, headers, body), body, self.now)
    }

    fn status(&mut self, line: &str, body: &[u8]) -> u16 {
        self.ask(line, &[], body).0.status
    }

    fn push(&mut self, repository: &str, data: &[u8]) -> Digest {
        let digest = Digest::of(data);
        assert_eq!(self.status(&format!("POST /v2/{repository}/blobs/uploads/?digest={digest}"), data), 201);
        digest
    }

    fn location(&mut self, line: &str) -> String {
        let (response, _) = self.ask(line, &[], b"");
        assert_eq!(response.status, 202);
        response.headers.get("location").unwrap().to_owned()
    }
}

/// A request that is being served, a step at a time.
struct Turn {
    serving: Serving,
    line: String,
    body: Vec<u8>,
    verb: Option<Verb>,
}

impl Turn {
    fn new(registry: &Registry, line: &str, body: &[u8]) -> Turn {
        let serving = registry.accept(head(line, &[], body), Instant::default());
        Turn { serving, line: line.to_owned(), body: body.to_vec(), verb: None }
    }

    /// Lets it ask, or hear; its answer, if that is what comes. Everybody is who they say.
    fn step(&mut self, mut execute: impl FnMut(Verb) -> Answer) -> Option<Response> {
        if let Some(verb) = self.verb.take() {
            self.serving.handle_file(execute(verb));
            return None;
        }
        match self.serving.poll() {
            Output::Check(_) => self.serving.handle_check(true),
            Output::Receive { mut receiver, sink } => {
                receiver.write(&self.body);
                if let Some(sink) = sink {
                    execute(Verb::Write { path: sink.path, offset: sink.offset, data: self.body.clone() });
                }
                self.serving.handle_body(receiver, Ok(()));
            }
            Output::Do(verb) => self.verb = Some(verb),
            Output::Respond(response) => return Some(response),
        }
        None
    }
}

/// Brings the index up to date.
fn tidy(registry: &Registry, mut execute: impl FnMut(Verb) -> Answer) {
    let Some(mut tidy) = registry.tidy() else { return };
    while let Step::Do(verb) = tidy.poll() {
        tidy.handle(execute(verb));
    }
}

fn head(line: &str, headers: &[(&str, &str)], body: &[u8]) -> RequestHead {
    let (method, target) = line.split_once(' ').unwrap();
    let mut all: Headers = headers.iter().copied().collect();
    if all.get("host").is_none() {
        all.add("host", "localhost:5000");
    }
    all.add("content-length", body.len().to_string());
    RequestHead { method: Method::parse(method).unwrap(), target: target.to_owned(), headers: all }
}

fn manifest(config: &[u8]) -> Vec<u8> {
    let (digest, size) = (Digest::of(config), config.len());
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"a/b","digest":"{digest}","size":{size}}},"layers":[]}}"#,
        crate::oci::media_type::MANIFEST
    )
    .into_bytes()
}

fn one(username: &str, password: &str) -> Users {
    Users::One { username: username.to_owned(), password: password.to_owned() }
}

fn code(body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
    value["errors"][0]["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_blob_may_come_in_one_request_in_two_or_in_pieces() {
    let mut peer = Peer::open();
    let digest = Digest::of(b"0123456789");
    for repository in ["one", "two", "many"] {
        assert_eq!(peer.status(&format!("HEAD /v2/{repository}/blobs/{digest}"), b""), 404);
    }
    peer.push("one", b"0123456789");
    let location = peer.location("POST /v2/two/blobs/uploads/");
    assert_eq!(peer.status(&format!("PUT {location}?digest={digest}"), b"0123456789"), 201);
    let location = peer.location("POST /v2/many/blobs/uploads/");
    let (response, _) = peer.ask(&format!("PATCH {location}"), &[("content-range", "0-3")], b"0123");
    assert_eq!((response.status, response.headers.get("range")), (202, Some("0-3")));
    let (response, body) = peer.ask(&format!("PATCH {location}"), &[("content-range", "6-7")], b"67");
    assert_eq!((response.status, response.headers.get("range")), (416, Some("0-3")));
    assert_eq!(code(&body), "RANGE_INVALID");
    let (response, _) = peer.ask(&format!("GET {location}"), &[], b"");
    assert_eq!((response.status, response.headers.get("range")), (204, Some("0-3")));
    assert_eq!(peer.status(&format!("PATCH {location}"), b"4567"), 202);
    assert_eq!(peer.status(&format!("PUT {location}?digest={digest}"), b"89"), 201);
    for repository in ["one", "two", "many"] {
        assert_eq!(peer.ask(&format!("GET /v2/{repository}/blobs/{digest}"), &[], b"").1, b"0123456789");
    }
    assert_eq!(peer.files.iter().filter(|(path, _)| path.starts_with("uploads/")).count(), 0);
}

#[test]
fn a_blob_may_be_closed_by_either_algorithm() {
    let mut peer = Peer::open();
    let digest = Digest::with(Algorithm::Sha512, b"0123456789");
    let location = peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!(peer.status(&format!("PATCH {location}"), b"01234"), 202);
    assert_eq!(peer.status(&format!("PUT {location}?digest={digest}"), b"56789"), 201);
    let empty = Digest::with(Algorithm::Sha512, b"");
    let location = peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!(peer.status(&format!("PUT {location}?digest={empty}"), b""), 201);
    assert_eq!(peer.ask(&format!("GET /v2/a/blobs/{digest}"), &[], b"").1, b"0123456789");
    assert_eq!(peer.status(&format!("HEAD /v2/a/blobs/{empty}"), b""), 200);
}

#[test]
fn a_wrong_digest_ends_the_upload_and_leaves_nothing() {
    let mut peer = Peer::open();
    let location = peer.location("POST /v2/a/blobs/uploads/");
    let (response, body) = peer.ask(&format!("PUT {location}?digest={}", Digest::of(b"x")), &[], b"y");
    assert_eq!((response.status, code(&body)), (400, "DIGEST_INVALID".to_owned()));
    assert_eq!(peer.status(&format!("GET {location}"), b""), 404);
    assert!(peer.files.iter().all(|(path, _)| !path.starts_with("uploads/") && !path.starts_with("blobs/")));
}

#[test]
fn a_body_that_broke_off_may_come_again() {
    let mut peer = Peer::open();
    let location = peer.location("POST /v2/a/blobs/uploads/");
    let line = format!("PUT {location}?digest={}", Digest::of(b"0123456789"));
    let mut serving = peer.registry.accept(head(&line, &[], b"0123456789"), peer.now);
    let Output::Receive { mut receiver, .. } = serving.poll() else { panic!() };
    assert_eq!(peer.status(&line, b"0123456789"), 409);
    receiver.write(b"0123");
    serving.handle_body(receiver, Err(Failure::Reset));
    drop(serving);
    let abandoned = peer.registry.accept(head(&line, &[], b"0123456789"), peer.now);
    drop(abandoned);
    assert_eq!(peer.status(&line, b"0123456789"), 201);
}

#[test]
fn a_blob_is_mounted_only_where_it_is() {
    let mut peer = Peer::open();
    let digest = peer.push("here", b"x");
    let missing = Digest::of(b"y");
    for (query, status) in [
        (format!("mount={digest}&from=here"), 201),
        (format!("mount={digest}"), 201),
        (format!("mount={digest}&from=elsewhere"), 202),
        (format!("mount={missing}&from=here"), 202),
        ("mount=nonsense".to_owned(), 202),
    ] {
        assert_eq!(peer.status(&format!("POST /v2/there/blobs/uploads/?{query}"), b""), status, "{query}");
    }
    assert_eq!(peer.status(&format!("HEAD /v2/there/blobs/{digest}"), b""), 200);
}

#[test]
fn a_manifest_is_taken_only_when_what_it_names_is_there() {
    let mut peer = Peer::open();
    let data = manifest(b"{}");
    let (response, body) = peer.ask("PUT /v2/a/manifests/1.0.0", &[], &data);
    assert_eq!((response.status, code(&body)), (400, "MANIFEST_BLOB_UNKNOWN".to_owned()));
    peer.push("other", b"{}");
    assert_eq!(peer.status("PUT /v2/a/manifests/1.0.0", &data), 400);
    peer.push("a", b"{}");
    let digest = Digest::of(&data);
    let (response, _) = peer.ask("PUT /v2/a/manifests/1.0.0", &[], &data);
    assert_eq!(response.status, 201);
    assert_eq!(response.headers.get("docker-content-digest"), Some(digest.as_str()));
    for reference in ["1.0.0", digest.as_str()] {
        let (response, body) = peer.ask(&format!("GET /v2/a/manifests/{reference}"), &[], b"");
        assert_eq!((response.status, body), (200, data.clone()));
        let (response, body) = peer.ask(&format!("HEAD /v2/a/manifests/{reference}"), &[], b"");
        let length = data.len().to_string();
        assert_eq!((response.status, response.headers.get("content-length")), (200, Some(length.as_str())));
        assert!(body.is_empty());
    }
}

#[test]
fn a_manifest_that_is_none_is_refused_with_its_reason() {
    let mut peer = Peer::new(Config { limits: Limits { manifest: 1000, ..Limits::default() }, ..Config::default() });
    peer.push("a", b"{}");
    let good = manifest(b"{}");
    let other = Digest::of(b"other");
    for (line, content_type, data, status, expected) in [
        ("PUT /v2/a/manifests/1", "text/plain", good.as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/1", "", b"{}".as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/1", crate::oci::media_type::INDEX, b"{}".as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/1", crate::oci::media_type::MANIFEST, b"{}".as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/1", "", b"no json".as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/.1", "", good.as_slice(), 400, "MANIFEST_INVALID"),
        ("PUT /v2/a/manifests/1", "", &[b' '; 1001], 413, "SIZE_INVALID"),
        ("PUT /v2/a/manifests/sha256:bad", "", good.as_slice(), 400, "DIGEST_INVALID"),
        (&format!("PUT /v2/a/manifests/{other}"), "", good.as_slice(), 400, "DIGEST_INVALID"),
        ("PUT /v2/A/manifests/1", "", good.as_slice(), 400, "NAME_INVALID"),
    ] {
        let headers = [("content-type", content_type)];
        let (response, body) = peer.ask(line, if content_type.is_empty() { &[] } else { &headers }, data);
        assert_eq!((response.status, code(&body).as_str()), (status, expected), "{line} {content_type}");
    }
    assert_eq!(peer.status("GET /v2/a/tags/list", b""), 200);
    assert_eq!(peer.ask("GET /v2/a/tags/list", &[], b"").1, br#"{"name":"a","tags":[]}"#);
}

#[test]
fn tags_come_in_pages_in_order() {
    let mut peer = Peer::open();
    peer.push("a", b"{}");
    for tag in ["2.0.0", "1.0.0", "v1", "10.0.0"] {
        assert_eq!(peer.status(&format!("PUT /v2/a/manifests/{tag}"), &manifest(b"{}")), 201);
    }
    let mut target = "/v2/a/tags/list?n=3".to_owned();
    let mut pages = Vec::new();
    loop {
        let (response, body) = peer.ask(&format!("GET {target}"), &[], b"");
        pages.push(String::from_utf8(body).unwrap());
        let Some(link) = response.headers.get("link") else { break };
        target = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(pages, [r#"{"name":"a","tags":["1.0.0","10.0.0","2.0.0"]}"#, r#"{"name":"a","tags":["v1"]}"#]);
    let (response, body) = peer.ask("GET /v2/a/tags/list?n=0", &[], b"");
    assert_eq!(body, br#"{"name":"a","tags":[]}"#);
    assert_eq!(response.headers.get("link"), None);
    assert_eq!(peer.status("GET /v2/b/tags/list", b""), 404);
    assert_eq!(peer.status("GET /v2/a/tags/list?n=x", b""), 400);
}

#[test]
fn what_one_repository_deletes_another_keeps() {
    let mut peer = Peer::open();
    for repository in ["a", "b"] {
        peer.push(repository, b"{}");
        assert_eq!(peer.status(&format!("PUT /v2/{repository}/manifests/1"), &manifest(b"{}")), 201);
        assert_eq!(peer.status(&format!("PUT /v2/{repository}/manifests/2"), &manifest(b"{}")), 201);
    }
    let (blob, digest) = (Digest::of(b"{}"), Digest::of(&manifest(b"{}")));
    assert_eq!(peer.status("DELETE /v2/a/manifests/1", b""), 202);
    assert_eq!(peer.status("GET /v2/a/manifests/1", b""), 404);
    assert_eq!(peer.status("GET /v2/a/manifests/2", b""), 200);
    assert_eq!(peer.status(&format!("DELETE /v2/a/manifests/{digest}"), b""), 202);
    assert_eq!(peer.status(&format!("DELETE /v2/a/blobs/{blob}"), b""), 202);
    assert_eq!(peer.status("GET /v2/a/manifests/2", b""), 404);
    assert_eq!(peer.status(&format!("GET /v2/a/blobs/{blob}"), b""), 404);
    assert_eq!(peer.ask("GET /v2/b/manifests/2", &[], b"").1, manifest(b"{}"));
    assert_eq!(peer.ask(&format!("GET /v2/b/blobs/{blob}"), &[], b"").1, b"{}");
    assert_eq!(peer.status(&format!("DELETE /v2/b/manifests/{digest}"), b""), 202);
    assert_eq!(peer.status(&format!("DELETE /v2/b/blobs/{blob}"), b""), 202);
    assert_eq!(peer.files.iter().filter(|(path, _)| path.starts_with("blobs/")).count(), 0);
}

#[test]
fn a_restart_knows_what_was_acknowledged_and_sweeps_the_rest() {
    let mut peer = Peer::open();
    let blob = peer.push("team/a", b"{}");
    assert_eq!(peer.status("PUT /v2/team/a/manifests/1", &manifest(b"{}")), 201);
    let digest = Digest::of(&manifest(b"{}"));
    assert_eq!(peer.status(&format!("PUT /v2/b/manifests/{digest}"), b""), 400);
    let loose = peer.push("b", b"loose");
    let location = peer.location("POST /v2/b/blobs/uploads/");
    assert_eq!(peer.status(&format!("PATCH {location}"), b"part"), 202);
    peer.files.execute(Verb::Write { path: "uploads/index.json".into(), offset: 0, data: b"{\"manif".to_vec() });
    peer.files.execute(Verb::Write { path: "changes/9.json".into(), offset: 0, data: b"{\"repos".to_vec() });
    peer.registry = Registry::new(Config::default());
    open_in_memory(&peer.registry, &mut peer.files).unwrap();
    assert_eq!(peer.ask("GET /v2/team/a/manifests/1", &[], b"").1, manifest(b"{}"));
    assert_eq!(peer.status(&format!("HEAD /v2/team/a/blobs/{blob}"), b""), 200);
    assert_eq!(peer.status(&format!("HEAD /v2/b/blobs/{loose}"), b""), 200);
    assert_eq!(peer.status(&format!("HEAD /v2/b/blobs/{blob}"), b""), 404);
    assert_eq!(peer.status(&format!("GET {location}"), b""), 404);
    let left = peer.files.iter().filter(|(path, _)| path.starts_with("uploads/") || path.starts_with("changes/"));
    assert_eq!(left.count(), 0);
}

#[test]
fn the_index_follows_when_there_is_time_and_after_many_changes() {
    let mut peer = Peer::open();
    peer.push("a", b"{}");
    let tags_in_index =
        |peer: &Peer| peer.files.get("index.json").unwrap().windows(4).filter(|at| at == b"\"a:t").count();
    assert_eq!(peer.status("PUT /v2/a/manifests/t0", &manifest(b"{}")), 201);
    assert_eq!(tags_in_index(&peer), 0);
    tidy(&peer.registry, |verb| peer.files.execute(verb));
    assert_eq!(tags_in_index(&peer), 1);
    assert!(peer.registry.tidy().is_none());
    assert_eq!(peer.files.iter().filter(|(path, _)| path.starts_with("changes/")).count(), 0);
    for number in 1..600 {
        assert_eq!(peer.status(&format!("PUT /v2/a/manifests/t{number}"), &manifest(b"{}")), 201);
    }
    assert!(tags_in_index(&peer) > 400);
    // Nor does the index name what is not acknowledged.
    let mut turn = Turn::new(&peer.registry, "PUT /v2/a/manifests/t600", &manifest(b"{}"));
    while turn
        .verb
        .as_ref()
        .is_none_or(|verb| !matches!(verb, Verb::Write { path, .. } if path.starts_with("changes/")))
    {
        assert!(turn.step(|verb| peer.files.execute(verb)).is_none());
    }
    tidy(&peer.registry, |verb| peer.files.execute(verb));
    assert_eq!(tags_in_index(&peer), 600);
    while turn.step(|verb| peer.files.execute(verb)).is_none() {}
    tidy(&peer.registry, |verb| peer.files.execute(verb));
    assert_eq!(tags_in_index(&peer), 601);
}

#[test]
fn a_change_that_fails_takes_nothing_with_it_that_another_made_or_wanted() {
    let (one, two) = (manifest(b"{}"), manifest(b"[]"));
    // Both write the same, and the first fails; the second overwrites the first, and both fail, in either order.
    for (second, failing) in [(&one, vec![0]), (&two, vec![0, 1]), (&two, vec![1, 0]), (&two, vec![0])] {
        let mut peer = Peer::open();
        peer.push("a", b"{}");
        peer.push("a", b"[]");
        let mut turns = [&one, second].map(|data| {
            let mut turn = Turn::new(&peer.registry, "PUT /v2/a/manifests/1", data);
            let is_change = |verb: &Verb| matches!(verb, Verb::Write { path, .. } if path.starts_with("changes/"));
            while !turn.verb.as_ref().is_some_and(is_change) {
                assert!(turn.step(|verb| peer.files.execute(verb)).is_none());
            }
            turn
        });
        for number in &failing {
            turns[*number].step(|_| Answer::Failed(FileFailure::Full));
        }
        let mut acknowledged = None;
        for mut turn in turns {
            let response = loop {
                if let Some(response) = turn.step(|verb| peer.files.execute(verb)) {
                    break response;
                }
            };
            acknowledged = (response.status == 201).then_some(turn.body).or(acknowledged);
        }
        for _ in 0..2 {
            let (response, body) = peer.ask("GET /v2/a/manifests/1", &[], b"");
            assert_eq!((response.status == 200).then_some(body), acknowledged, "{failing:?}");
            peer.registry = Registry::new(Config::default());
            open_in_memory(&peer.registry, &mut peer.files).unwrap();
        }
    }
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let mut files = Memory::from_iter([("uploads/photo", b"x")]);
    let before: Vec<_> = files.iter().map(|(path, _)| path.to_owned()).collect();
    let error = open_in_memory(&Registry::new(Config::default()), &mut files).unwrap_err();
    assert_eq!(error.code(), crate::Code::SERVER_NOT_A_LAYOUT);
    assert_eq!(files.iter().map(|(path, _)| path.to_owned()).collect::<Vec<_>>(), before);
}

#[test]
fn a_layout_of_another_program_is_served_by_its_names_and_keeps_its_blobs() {
    let mut peer = Peer::open();
    let blob = peer.push("a", b"{}");
    assert_eq!(peer.status("PUT /v2/a/manifests/1", &manifest(b"{}")), 201);
    tidy(&peer.registry, |verb| peer.files.execute(verb));
    peer.files.execute(Verb::Remove { path: "repositories".into() });
    let index = String::from_utf8(peer.files.get("index.json").unwrap().to_vec()).unwrap();
    let data = index.split(",\"annotations\":{\"io.").next().unwrap().to_owned() + "}";
    peer.files.execute(Verb::Write { path: "index.json".into(), offset: 0, data: data.into_bytes() });
    // From the first push on the index is ours.
    for tag in ["2", "3"] {
        peer.registry = Registry::new(Config::default());
        open_in_memory(&peer.registry, &mut peer.files).unwrap();
        assert_eq!(peer.status("HEAD /v2/a/manifests/1", b""), 200);
        assert_eq!(peer.status(&format!("HEAD /v2/a/blobs/{blob}"), b""), 200);
        peer.push("b", b"[]");
        assert_eq!(peer.status(&format!("PUT /v2/b/manifests/{tag}"), &manifest(b"[]")), 201);
    }
}

#[test]
fn pages_of_other_sites_may_not_write_nor_read() {
    let mut peer = Peer::new(Config { cors_origins: vec!["https://ui.test".to_owned()], ..Config::default() });
    let mut ask = |line: &str, origin: &str| peer.ask(line, &[("origin", origin)], b"").0;
    assert_eq!(ask("POST /v2/a/blobs/uploads/", "https://evil.test").status, 403);
    assert_eq!(ask("OPTIONS /v2/a/blobs/uploads/", "https://evil.test").status, 403);
    assert_eq!(ask("POST /v2/a/blobs/uploads/", "null").status, 403);
    let read = ask("GET /v2/", "https://evil.test");
    assert_eq!((read.status, read.headers.get("access-control-allow-origin")), (200, None));
    assert_eq!(ask("POST /v2/a/blobs/uploads/", "http://localhost:5000").status, 202);
    let preflight = ask("OPTIONS /v2/a/blobs/uploads/", "https://ui.test");
    assert_eq!(preflight.status, 204);
    assert!(preflight.headers.get("access-control-allow-methods").unwrap().contains("PATCH"));
    let answer = ask("POST /v2/a/blobs/uploads/", "https://ui.test");
    assert_eq!(answer.headers.get("access-control-allow-origin"), Some("https://ui.test"));
    assert!(answer.headers.get("access-control-expose-headers").unwrap().contains("Location"));
    assert_eq!(peer.ask("GET /v2/", &[("host", "evil.test")], b"").0.status, 421);
}

#[test]
fn basic_asks_for_the_password_and_tells_nothing() {
    let access = Access::Basic(one("me", "marker"));
    let mut peer = Peer::new(Config { access, ..Config::default() });
    let (response, body) = peer.ask("GET /v2/", &[], b"");
    assert_eq!((response.status, code(&body)), (401, "UNAUTHORIZED".to_owned()));
    assert_eq!(response.headers.get("www-authenticate"), Some("Basic realm=\"chartoci\""));
    assert_eq!(peer.ask("GET /v2/", &[("authorization", "Basic bWU6d3Jvbmc=")], b"").0.status, 401);
    assert_eq!(peer.ask("GET /v2/", &[("authorization", "Basic bWU6bWFya2Vy")], b"").0.status, 200);
    assert!(
        !format!("{:?}", Config { access: Access::Basic(one("me", "marker")), ..Config::default() }).contains("marker")
    );
}

#[test]
fn bearer_gives_tokens_for_what_was_asked_and_takes_them_for_nothing_else() {
    let access = Access::Bearer(one("me", "marker"));
    let mut peer = Peer::new(Config { access, ..Config::default() });
    let (response, _) = peer.ask("POST /v2/a/blobs/uploads/", &[], b"");
    let expected =
        "Bearer realm=\"http://localhost:5000/token\",service=\"localhost:5000\",scope=\"repository:a:pull,push\"";
    assert_eq!((response.status, response.headers.get("www-authenticate")), (401, Some(expected)));
    let target = "GET /token?service=localhost:5000&scope=repository%3Aa%3Apull%2Cpush";
    assert_eq!(peer.status(target, b""), 401);
    let basic = [("authorization", "Basic bWU6bWFya2Vy")];
    let token = |body: &[u8]| {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap();
        format!("Bearer {}", value["token"].as_str().unwrap())
    };
    let by_get = token(&peer.ask(target, &basic, b"").1);
    let form = b"grant_type=password&username=me&password=marker&scope=repository:a:pull,push";
    let by_post = token(&peer.ask("POST /token", &[], form).1);
    for token in [by_get, by_post] {
        let headers = [("authorization", token.as_str())];
        assert_eq!(peer.ask("POST /v2/a/blobs/uploads/", &headers, b"").0.status, 202);
        assert_eq!(peer.ask("GET /v2/", &headers, b"").0.status, 200);
        let (response, _) = peer.ask("GET /v2/b/tags/list", &headers, b"");
        assert_eq!(response.status, 401);
        assert!(response.headers.get("www-authenticate").unwrap().ends_with("error=\"insufficient_scope\""));
    }
    assert_eq!(peer.status("POST /token", b"grant_type=password&username=me&password=wrong"), 401);
}

#[test]
fn a_blob_is_served_in_parts_and_not_again_to_who_has_it() {
    let mut peer = Peer::open();
    let line = format!("GET /v2/a/blobs/{}", peer.push("a", b"0123456789"));
    let (response, body) = peer.ask(&line, &[("range", "bytes=2-4")], b"");
    assert_eq!((response.status, body.as_slice()), (206, b"234".as_slice()));
    assert_eq!(response.headers.get("content-range"), Some("bytes 2-4/10"));
    let (response, _) = peer.ask(&line, &[("range", "bytes=10-")], b"");
    assert_eq!((response.status, response.headers.get("content-range")), (416, Some("bytes */10")));
    let etag = format!("\"{}\"", Digest::of(b"0123456789"));
    assert_eq!(peer.ask(&line, &[("if-none-match", &etag)], b"").0.status, 304);
}

#[test]
fn referrers_are_listed_by_subject_and_type() {
    let mut peer = Peer::open();
    peer.push("a", b"{}");
    let subject = manifest(b"{}");
    assert_eq!(peer.status("PUT /v2/a/manifests/1", &subject), 201);
    let (digest, size) = (Digest::of(&subject), subject.len());
    let mut value: serde_json::Value = serde_json::from_slice(&subject).unwrap();
    value["artifactType"] = "application/x.signature".into();
    value["subject"] = serde_json::json!({ "mediaType": "a/b", "digest": digest.as_str(), "size": size });
    let (response, _) = peer.ask("PUT /v2/a/manifests/sig", &[], value.to_string().as_bytes());
    assert_eq!((response.status, response.headers.get("oci-subject")), (201, Some(digest.as_str())));
    for (query, count) in [("", 1), ("?artifactType=application/x.signature", 1), ("?artifactType=a/b", 0)] {
        let (response, body) = peer.ask(&format!("GET /v2/a/referrers/{digest}{query}"), &[], b"");
        let index: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(index["manifests"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(response.headers.get("content-type"), Some(crate::oci::media_type::INDEX));
    }
    assert_eq!(peer.status("GET /v2/none/referrers/sha256:bad", b""), 400);
}

#[test]
fn a_directory_that_cannot_be_read_is_no_registry() {
    let mut open = Registry::new(Config::default()).open();
    let Step::Do(_) = open.poll() else { panic!() };
    open.handle(Answer::Failed(FileFailure::Denied));
    let Step::Done(Err(error)) = open.poll() else { panic!() };
    assert_eq!(error.code(), Code::SERVER_STORAGE);
}

#[test]
fn referrers_come_in_pages() {
    let mut peer = Peer::open();
    peer.push("a", b"{}");
    let subject = Digest::of(b"the subject");
    for number in 0..5 {
        let mut value: serde_json::Value = serde_json::from_slice(&manifest(b"{}")).unwrap();
        value["artifactType"] = if number < 4 { "a/b+c".into() } else { "x/y".into() };
        value["annotations"] = serde_json::json!({ "number": number.to_string() });
        value["subject"] = serde_json::json!({ "mediaType": "a/b", "digest": subject.as_str(), "size": 11 });
        assert_eq!(peer.status(&format!("PUT /v2/a/manifests/{number}"), value.to_string().as_bytes()), 201);
    }
    for (query, pages) in [("?n=2", vec![2, 2, 1]), ("?n=3&artifactType=a%2Fb%2Bc", vec![3, 1]), ("", vec![5])] {
        let (mut next, mut sizes, mut seen) = (format!("/v2/a/referrers/{subject}{query}"), Vec::new(), Vec::new());
        loop {
            let (response, body) = peer.ask(&format!("GET {next}"), &[], b"");
            assert_eq!(response.headers.get("oci-filters-applied").is_some(), query.contains("artifactType"));
            let index: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let digests = index["manifests"].as_array().unwrap().iter().map(|entry| entry["digest"].to_string());
            let before = seen.len();
            seen.extend(digests);
            sizes.push(seen.len() - before);
            let Some(link) = response.headers.get("link") else { break };
            next = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
        }
        assert_eq!(sizes, pages, "{query}");
        seen.dedup();
        assert_eq!(seen.len(), pages.iter().sum::<usize>());
    }
    assert_eq!(peer.status(&format!("GET /v2/a/referrers/{subject}?n=x"), b""), 400);
}

#[test]
fn a_name_that_ends_where_it_is_shown_is_refused_and_not_repeated() {
    for access in [Access::Basic, Access::Bearer] {
        let config = |name: &str| Config { access: access(one(name, "marker")), ..Config::default() }.checked();
        assert!(config("ada").is_ok());
        let error = config("ada:hunter2").map(|_| ()).unwrap_err();
        assert!(error.code() == Code::ARGUMENT && !format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn the_host_is_asked_where_it_knows_the_users() {
    let claim = |output| match output {
        Output::Check(claim) => claim,
        other => panic!("{other:?}"),
    };
    let status = |output| match output {
        Output::Respond(response) => response.status,
        other => panic!("{other:?}"),
    };
    let basic = [("authorization", "Basic bWU6bWFyazplcg==")];
    for (access, line) in [(Access::Basic(Users::Asked), "GET /v2/"), (Access::Bearer(Users::Asked), "GET /token")] {
        let peer = Peer::new(Config { access, ..Config::default() });
        let mut serving = peer.registry.accept(head(line, &[], b""), peer.now);
        assert_eq!(status(serving.poll()), 401, "{line}");
        for (known, answer) in [(true, 200), (false, 401)] {
            let mut serving = peer.registry.accept(head(line, &basic, b""), peer.now);
            let claim = claim(serving.poll());
            assert_eq!((claim.username.as_str(), claim.password.as_str()), ("me", "mark:er"));
            assert!(!format!("{claim:?} {serving:?}").contains("mark:er"));
            serving.handle_check(known);
            assert_eq!(status(serving.poll()), answer, "{line}");
        }
    }
}

#[test]
fn a_token_lives_as_long_as_the_registry_says() {
    let lifetime = Some(crate::time::Duration::from_secs(2));
    let mut peer = Peer::new(Config {
        access: Access::Bearer(one("me", "marker")),
        token_lifetime: lifetime,
        ..Config::default()
    });
    let (_, body) = peer.ask("GET /token", &[("authorization", "Basic bWU6bWFya2Vy")], b"");
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["expires_in"], 2);
    let bearer = format!("Bearer {}", value["token"].as_str().unwrap());
    for (now, status) in [(0, 200), (1999, 200), (2000, 401)] {
        peer.now = Instant::from_millis(now);
        assert_eq!(peer.ask("GET /v2/", &[("authorization", &bearer)], b"").0.status, status);
    }
}

#[test]
fn an_upload_that_nobody_goes_on_with_is_given_up() {
    const HOUR: u64 = 60 * 60 * 1000;
    let count = |peer: &Peer| peer.files.iter().filter(|(path, _)| path.starts_with("uploads/")).count();
    let mut peer = Peer::open();
    let location = peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!(peer.status(&format!("PATCH {location}"), b"0123"), 202);
    peer.now = Instant::from_millis(22 * HOUR);
    peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!((peer.status(&format!("GET {location}"), b""), count(&peer)), (204, 1));
    peer.now = Instant::from_millis(45 * HOUR);
    peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!((peer.status(&format!("GET {location}"), b""), count(&peer)), (204, 1));
    for _ in 0..2 {
        peer.now = peer.now + crate::time::Duration::from_secs(25 * 60 * 60);
        peer.location("POST /v2/a/blobs/uploads/");
        peer.location("POST /v2/a/blobs/uploads/");
    }
    assert_eq!((peer.status(&format!("GET {location}"), b""), count(&peer)), (404, 0));
}

#[test]
fn what_the_client_would_refuse_is_no_manifest() {
    let mut peer = Peer::open();
    let blob = peer.push("web", b"x");
    let link = format!(r#"{{"mediaType":"text/plain","digest":"{blob}","size":1}}"#);
    let put = |peer: &mut Peer, kind: &str, members: &str| {
        let (response, body) =
            peer.ask("PUT /v2/web/manifests/1", &[("content-type", kind)], format!("{{{members}}}").as_bytes());
        assert!(response.status == 201 || String::from_utf8_lossy(&body).contains("MANIFEST_INVALID"), "{members}");
        response.status
    };
    let manifest = format!(r#""schemaVersion":2,"config":{link},"layers":[{link}]"#);
    let index = format!(r#""schemaVersion":2,"manifests":[{link}]"#);
    assert_eq!(put(&mut peer, media_type::MANIFEST, &manifest), 201);
    assert_eq!(put(&mut peer, media_type::INDEX, &index), 201);
    for more in [
        format!(r#""manifests":[{link}]"#),
        r#""artifactType":"junk""#.to_owned(),
        r#""artifactType":"a b/c""#.to_owned(),
        r#""subject":{"mediaType":"a/b","digest":"junk","size":1}"#.to_owned(),
        r#""subject":{"mediaType":"a/b","digest":"sha256:","size":1}"#.to_owned(),
        format!(r#""subject":{{"mediaType":"","digest":"{blob}","size":1}}"#),
        r#""mediaType":"""#.to_owned(),
    ] {
        assert_eq!(put(&mut peer, media_type::MANIFEST, &format!("{manifest},{more}")), 400, "{more}");
    }
    for version in ["1", "3", "2.5", r#""2""#] {
        let old = manifest.replace(":2,", &format!(":{version},"));
        assert_eq!(put(&mut peer, media_type::MANIFEST, &old), 400, "{version}");
    }
    let nameless = manifest.replace("text/plain", "");
    assert_eq!(put(&mut peer, media_type::MANIFEST, &nameless), 400);
    assert_eq!(put(&mut peer, media_type::INDEX, &format!(r#"{index},"layers":[{link}]"#)), 400);
    for more in [
        r#""artifactType":"""#.to_owned(),
        r#""artifactType":"application/vnd.example+json""#.to_owned(),
        r#""subject":{"mediaType":"a/b","digest":"blake3:abc","size":1}"#.to_owned(),
    ] {
        assert_eq!(put(&mut peer, media_type::MANIFEST, &format!("{manifest},{more}")), 201, "{more}");
    }
}

#[test]
fn a_manifest_may_be_put_on_condition_of_what_lies_there() {
    let mut peer = Peer::open();
    let blob = peer.push("web", b"x");
    let link = format!(r#"{{"mediaType":"text/plain","digest":"{blob}","size":1}}"#);
    let manifest = |number: u32| {
        format!(r#"{{"schemaVersion":2,"config":{link},"layers":[{link}],"annotations":{{"n":"{number}"}}}}"#)
            .into_bytes()
    };
    let mut put = |name: &str, (field, value): (&str, &str), body: &[u8]| {
        let headers = [("content-type", media_type::MANIFEST), (field, value)];
        peer.ask(&format!("PUT /v2/web/manifests/{name}"), &headers, body).0.status
    };
    let (one, two) = (manifest(1), manifest(2));
    let (first, second) = (format!("\"{}\"", Digest::of(&one)), format!("\"{}\"", Digest::of(&two)));
    assert_eq!(put("1", ("if-match", "*"), &one), 412);
    assert_eq!(put("1", ("if-none-match", "*"), &one), 201);
    assert_eq!(put("1", ("if-none-match", "*"), &two), 412);
    assert_eq!(put("1", ("if-match", &second), &two), 412);
    assert_eq!(put("1", ("if-match", &format!("{second}, {first}")), &two), 201);
    assert_eq!(put("1", ("if-none-match", &second), &one), 412);
    assert_eq!(put("1", ("if-none-match", &first), &one), 201);
    assert_eq!(put(&Digest::of(&manifest(3)).to_string(), ("if-none-match", "*"), &manifest(3)), 201);
    assert_eq!(put(&Digest::of(&manifest(3)).to_string(), ("if-none-match", "*"), &manifest(3)), 412);
}

#[test]
fn of_two_that_would_make_a_tag_one_does() {
    let mut peer = Peer::open();
    let blob = peer.push("web", b"x");
    let link = format!(r#"{{"mediaType":"text/plain","digest":"{blob}","size":1}}"#);
    let put = |registry: &Registry, number: u32| {
        let headers = [("content-type", media_type::MANIFEST), ("if-none-match", "*")];
        let manifest = format!(r#"{{"schemaVersion":2,"config":{link},"layers":[],"annotations":{{"n":"{number}"}}}}"#)
            .into_bytes();
        let serving = registry.accept(head("PUT /v2/web/manifests/1", &headers, &manifest), Instant::default());
        Turn { serving, line: String::new(), body: manifest, verb: None }
    };
    let mut turns = vec![put(&peer.registry, 1), put(&peer.registry, 2)];
    let mut statuses = Vec::new();
    // A step each, so that both have sent all before either is through.
    while !turns.is_empty() {
        turns.retain_mut(|turn| match turn.step(|verb| peer.files.execute(verb)) {
            Some(response) => {
                statuses.push(response.status);
                false
            }
            None => true,
        });
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
}

#[test]
fn a_request_has_one_host_which_its_target_may_name() {
    let mut peer = Peer::new(Config { cors_origins: vec!["https://app.test".to_owned()], ..Config::default() });
    let mut ask = |method: Method, target: &str, hosts: &[&str], origin: Option<&str>| {
        let mut headers: Headers = hosts.iter().map(|host| ("host", *host)).collect();
        if let Some(origin) = origin {
            headers.add("origin", origin);
        }
        let head = RequestHead { method, target: target.to_owned(), headers };
        serve_in_memory(&peer.registry, &mut peer.files, head, b"", peer.now).0
    };
    assert_eq!(ask(Method::Get, "/v2/", &["localhost", "evil.test"], None).status, 400);
    assert_eq!(ask(Method::Get, "http://localhost/v2/", &["localhost"], None).status, 200);
    assert_eq!(ask(Method::Get, "http://evil.test/v2/", &["localhost"], None).status, 421);
    assert_eq!(ask(Method::Get, "http://localhost/v2/", &["evil.test"], None).status, 200);
    for method in [Method::Put, Method::Delete, Method::Patch, Method::Post] {
        let response = ask(method, "/v2/", &["localhost"], None);
        assert_eq!((response.status, response.headers.get("allow")), (405, Some("GET, HEAD")));
    }
    let upload = "/v2/web/blobs/uploads/";
    for (origin, status) in
        [("http://localhost:5000", 202), ("https://localhost:5000", 403), ("https://app.test", 202), ("null", 403)]
    {
        assert_eq!(ask(Method::Post, upload, &["localhost:5000"], Some(origin)).status, status, "{origin}");
    }
}
