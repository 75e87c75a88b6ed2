//! A registry in a hundred lines, by the letter of the distribution specification and of nobody's code, and a host that
//! drives an exchange against it in virtual time: all requests that are out are answered in one tick, which is a round.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chartoci::Error;
use chartoci::auth::Credential;
use chartoci::exchange::{CredentialQuery, Event, Exchange, Outcome, Output, Push, Source, Upload};
use chartoci::http::{BlobId, Failure, Headers, Method, Payload, Request, RequestId, ResponseHead};
use chartoci::oci::{Descriptor, Digest, Reference};
use chartoci::time::{Duration, Instant};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
pub const CHART_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
pub const PROVENANCE_TYPE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// What comes of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    Reply {
        status: u16,
        headers: Headers,
        body: Vec<u8>,
    },
    /// The connection breaks after that many bytes of the body.
    Broken {
        status: u16,
        headers: Headers,
        body: Vec<u8>,
        after: usize,
    },
    Failed(Failure),
}

pub fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
    Answer::Reply { status, headers: headers.iter().copied().collect(), body: body.as_ref().to_vec() }
}

pub fn errors(status: u16, code: &str) -> Answer {
    reply(status, &[], format!(r#"{{"errors":[{{"code":"{code}","message":"so it is"}}]}}"#))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    #[default]
    Open,
    Basic,
    Bearer,
}

/// What a fault is for, and what it answers.
type Fault = (Box<dyn Fn(&Request) -> bool>, Answer);

/// The registry.
#[derive(Default)]
pub struct Peer {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub manifests: BTreeMap<String, Vec<u8>>,
    pub login: Login,
    pub tokens: u32,
    pub faults: VecDeque<Fault>,
    /// Bytes of an upload's body that it takes at most.
    pub limit: Option<usize>,
    /// It takes a blob with the POST.
    pub single: bool,
    /// What upload sessions have, by their numbers.
    pub sessions: BTreeMap<u32, Vec<u8>>,
    pub opened: u32,
    /// `Range` in the answer to a PATCH tells of the piece before, as Amazon's does.
    pub stale: bool,
}

impl Peer {
    pub fn new(login: Login) -> Peer {
        Peer { login, ..Peer::default() }
    }

    /// The next request that fits gets this answer; each fault is used once.
    pub fn fault(&mut self, method: Method, part: &'static str, answer: Answer) {
        self.faults.push_back((Box::new(move |r| r.method == method && r.url.contains(part)), answer));
    }

    /// Puts a chart there, as if it had been pushed.
    pub fn hold(&mut self, push: &Push, blobs: &[Vec<u8>]) {
        for (upload, bytes) in push.uploads.iter().zip(blobs) {
            self.blobs.insert(upload.descriptor.digest.to_string(), bytes.clone());
        }
        self.manifests.insert(Digest::of(&push.manifest).to_string(), push.manifest.to_vec());
        self.manifests.insert(push.target.tag().unwrap().to_owned(), push.manifest.to_vec());
    }

    pub fn answer(&mut self, request: &Request, body: &[u8]) -> Answer {
        if let Some(index) = self.faults.iter().position(|(fits, _)| fits(request)) {
            return self.faults.remove(index).unwrap().1;
        }
        let url = request.url.split_once("://").unwrap().1;
        let (host, path) = url.split_once('/').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if path == "token" {
            self.tokens += 1;
            let token = format!(r#"{{"token":"t{}","expires_in":300}}"#, self.tokens);
            return reply(200, &[], token);
        }
        let authorization = request.headers.get("authorization").unwrap_or_default();
        let (granted, challenge) = match self.login {
            Login::Open => (true, String::new()),
            Login::Basic => (authorization == "Basic dTpw", "Basic realm=\"reg\"".to_owned()),
            Login::Bearer => {
                let held = self.tokens > 0 && authorization == format!("Bearer t{}", self.tokens);
                let realm = format!("https://{host}/token");
                (held, format!("Bearer realm=\"{realm}\",service=\"reg\",scope=\"repository:team/web:pull\""))
            }
        };
        if !granted {
            return reply(401, &[("www-authenticate", &challenge)], r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#);
        }
        let rest = path.strip_prefix("v2/team/web/").unwrap();
        let parameter = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.map(|value| value.replace("%3A", ":").replace("%2F", "/"))
        };
        if self.limit.is_some_and(|limit| body.len() > limit) {
            return reply(413, &[("content-type", "text/html")], "<html>413 Request Entity Too Large</html>");
        }
        let session = rest.strip_prefix("blobs/uploads/").and_then(|number| number.parse::<u32>().ok());
        let place = |number: u32| format!("/v2/team/web/blobs/uploads/{number}?_state=a%3D");
        let range = |held: &[u8]| format!("0-{}", held.len().saturating_sub(1));
        match (request.method, rest.split_once('/').unwrap()) {
            (Method::Post, ("blobs", "uploads/")) if self.single && parameter("digest").is_some() => {
                let digest = parameter("digest").unwrap();
                assert_eq!(Digest::of(body).as_str(), digest);
                self.blobs.insert(digest.clone(), body.to_vec());
                reply(201, &[("docker-content-digest", &digest)], "")
            }
            (Method::Delete, ("blobs", _)) => match self.sessions.remove(&session.unwrap()) {
                Some(_) => reply(204, &[], ""),
                None => errors(404, "BLOB_UPLOAD_UNKNOWN"),
            },
            (Method::Patch, ("blobs", _)) => {
                let Some(held) = self.sessions.get_mut(&session.unwrap()) else {
                    return errors(404, "BLOB_UPLOAD_UNKNOWN");
                };
                let (start, end) = request.headers.get("content-range").unwrap().split_once('-').unwrap();
                assert_eq!(end.parse::<usize>().unwrap() + 1 - start.parse::<usize>().unwrap(), body.len());
                if start.parse::<usize>().unwrap() != held.len() {
                    return errors(416, "BLOB_UPLOAD_INVALID");
                }
                let before = range(held);
                held.extend_from_slice(body);
                if self.stale {
                    return reply(202, &[("location", &place(session.unwrap())), ("range", &before)], "");
                }
                reply(202, &[("location", &place(session.unwrap())), ("range", &range(held))], "")
            }
            (Method::Get, ("blobs", path)) if path.starts_with("uploads/") => {
                match self.sessions.get(&session.unwrap()) {
                    Some(held) => reply(204, &[("location", &place(session.unwrap())), ("range", &range(held))], ""),
                    None => errors(404, "BLOB_UPLOAD_UNKNOWN"),
                }
            }
            (Method::Post, ("blobs", "uploads/")) => match parameter("mount").filter(|d| self.blobs.contains_key(d)) {
                Some(_) => reply(201, &[("location", "/v2/team/web/blobs/x")], ""),
                None => {
                    self.opened += 1;
                    self.sessions.insert(self.opened, Vec::new());
                    let location = place(self.opened);
                    reply(202, &[("location", &location)], "")
                }
            },
            (Method::Put, ("blobs", _)) => {
                assert!(query.starts_with("_state=a%3D&digest=sha256%3A"), "{query}");
                let digest = parameter("digest").unwrap();
                // The tests of odd locations make up sessions of their own.
                let mut whole = session.and_then(|number| self.sessions.remove(&number)).unwrap_or_default();
                whole.extend_from_slice(body);
                assert_eq!(Digest::of(&whole).as_str(), digest);
                self.blobs.insert(digest.clone(), whole);
                reply(201, &[("docker-content-digest", &digest)], "")
            }
            (Method::Get, ("blobs", digest)) => match self.blobs.get(digest) {
                None => errors(404, "BLOB_UNKNOWN"),
                Some(bytes) => {
                    match request.headers.get("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')) {
                        Some(from) => {
                            let from: usize = from.parse().unwrap();
                            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                            reply(206, &[("content-range", &range)], &bytes[from..])
                        }
                        None => reply(200, &[("content-length", &bytes.len().to_string())], bytes),
                    }
                }
            },
            (Method::Put, ("manifests", reference)) => {
                let digest = Digest::of(body).to_string();
                let named = String::from_utf8(body.to_vec()).unwrap();
                let missing =
                    named.split('"').filter(|text| text.starts_with("sha256:")).any(|d| !self.blobs.contains_key(d));
                if missing {
                    return errors(400, "MANIFEST_BLOB_UNKNOWN");
                }
                self.manifests.insert(digest.clone(), body.to_vec());
                self.manifests.insert(reference.to_owned(), body.to_vec());
                reply(201, &[("docker-content-digest", &digest)], "")
            }
            (Method::Get | Method::Head, ("manifests", reference)) => match self.manifests.get(reference) {
                None => errors(404, "MANIFEST_UNKNOWN"),
                Some(bytes) => {
                    let digest = Digest::of(bytes).to_string();
                    let body = if request.method == Method::Head { &[] } else { bytes.as_slice() };
                    reply(200, &[("content-type", MANIFEST), ("docker-content-digest", &digest)], body)
                }
            },
            (Method::Get, ("tags", "list")) => {
                let tags: Vec<_> = self.manifests.keys().filter(|name| !name.contains(':')).collect();
                reply(200, &[], format!(r#"{{"name":"team/web","tags":{tags:?}}}"#))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// How it went.
pub struct Run {
    pub result: Result<Outcome, Error>,
    /// `METHOD URL`, in the order of sending.
    pub log: Vec<String>,
    pub requests: Vec<Request>,
    pub rounds: u32,
    pub events: Vec<Event>,
    pub asked: Vec<CredentialQuery>,
    pub cancelled: Vec<RequestId>,
    /// What is stored in the host's sinks.
    pub sinks: BTreeMap<u32, Vec<u8>>,
    pub took: Duration,
}

impl Run {
    pub fn counts(&self) -> (usize, u32) {
        assert!(self.result.is_ok(), "{:?}", self.result);
        (self.requests.len(), self.rounds)
    }

    #[track_caller]
    pub fn error(&self) -> &Error {
        self.result.as_ref().expect_err("an error")
    }

    pub fn code(&self) -> &'static str {
        self.error().code().name()
    }

    pub fn notices(&self) -> Vec<&'static str> {
        let notices = self.events.iter().filter_map(|event| match event {
            Event::Notice { code, .. } => Some(*code),
            _ => None,
        });
        notices.collect()
    }
}

/// The host: its blobs, its credentials in the order in which it gives them.
#[derive(Default)]
pub struct Host {
    pub blobs: Vec<Vec<u8>>,
    pub credentials: VecDeque<Credential>,
    pub now: u64,
}

pub fn basic() -> Credential {
    Credential::Basic { username: "u".into(), password: "p".into() }
}

impl Host {
    pub fn with(blobs: &[Vec<u8>]) -> Host {
        Host { blobs: blobs.to_vec(), ..Host::default() }
    }

    pub fn logged_in(blobs: &[Vec<u8>]) -> Host {
        Host { credentials: [basic()].into(), ..Host::with(blobs) }
    }

    pub fn run(&mut self, mut exchange: Exchange, peer: &mut Peer) -> Run {
        let (mut log, mut sent, mut events, mut asked, mut cancelled) = (vec![], vec![], vec![], vec![], vec![]);
        let mut sinks: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let (start, mut rounds) = (self.now, 0);
        loop {
            let mut out = Vec::new();
            let until = loop {
                match exchange.poll(Instant::from_millis(self.now)) {
                    Output::Send(request) => out.push(request),
                    Output::Notify(event) => events.push(event),
                    Output::Cancel(id) => cancelled.push(id),
                    Output::Ask(query) => {
                        asked.push(query.clone());
                        let credential = self.credentials.front().cloned();
                        if query.refused {
                            self.credentials.pop_front();
                        }
                        exchange.handle_credential(
                            query.id,
                            if query.refused { self.credentials.front().cloned() } else { credential },
                        );
                    }
                    Output::Wait(wake) => break wake.until,
                    Output::Done(result) => {
                        let again = exchange.poll(Instant::from_millis(self.now));
                        assert!(matches!(again, Output::Wait(_)), "nothing follows the end: {again:?}");
                        let took = Duration::from_millis(self.now - start);
                        return Run { result, log, requests: sent, rounds, events, asked, cancelled, sinks, took };
                    }
                    other => panic!("{other:?}"),
                }
            };
            if out.is_empty() {
                self.now = until.expect("something to wait for").as_millis().max(self.now);
                continue;
            }
            rounds += 1;
            self.now += 1;
            for request in out {
                log.push(format!("{} {}", request.method.as_str(), request.url));
                let body = match &request.payload {
                    Payload::Empty => Vec::new(),
                    Payload::Bytes(bytes) => bytes.to_vec(),
                    Payload::Blob { blob: BlobId(index), range } => {
                        self.blobs[*index as usize][range.start as usize..range.end as usize].to_vec()
                    }
                };
                let answer = peer.answer(&request, &body);
                deliver(&mut exchange, &request, answer, &mut sinks);
                sent.push(request);
            }
        }
    }
}

/// Answers one request that has no blob of the host's.
pub fn answered(exchange: &mut Exchange, request: &Request, peer: &mut Peer) {
    let body = match &request.payload {
        Payload::Bytes(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    let answer = peer.answer(request, &body);
    deliver(exchange, request, answer, &mut BTreeMap::new());
}

fn deliver(exchange: &mut Exchange, request: &Request, answer: Answer, sinks: &mut BTreeMap<u32, Vec<u8>>) {
    let (status, headers, body, failure) = match answer {
        Answer::Reply { status, headers, body } => (status, headers, body, None),
        Answer::Broken { status, headers, body, after } => {
            (status, headers, body[..after].to_vec(), Some(Failure::Reset))
        }
        Answer::Failed(failure) => return exchange.handle_failure(request.id, failure, None),
    };
    let mut receiver = exchange.handle_response(request.id, ResponseHead { status, headers, url: None });
    let mut sink = request.sink.filter(|_| receiver.stores()).map(|BlobId(blob)| sinks.entry(blob).or_default());
    if let Some(sink) = &mut sink {
        sink.truncate(receiver.offset() as usize);
    }
    for chunk in body.chunks(7) {
        if !receiver.write(chunk) {
            break;
        }
        if let Some(sink) = &mut sink {
            sink.extend_from_slice(chunk);
        }
    }
    match failure {
        Some(failure) => exchange.handle_failure(request.id, failure, Some(receiver)),
        None => exchange.handle_end(request.id, receiver),
    }
}

/// A chart of config and content, and what of it the host holds.
pub fn chart() -> (Push, Vec<Vec<u8>>) {
    chart_with(&[(CHART_TYPE, b"this is the chart")])
}

pub fn chart_with(layers: &[(&str, &[u8])]) -> (Push, Vec<Vec<u8>>) {
    let config = br#"{"name":"web","version":"1.2.3","apiVersion":"v2"}"#.to_vec();
    let mut blobs = vec![config.clone()];
    let descriptor = Descriptor::of(CONFIG_TYPE, &config);
    let mut uploads = vec![Upload { descriptor, source: Source::Bytes(Arc::from(config)) }];
    for (kind, bytes) in layers {
        uploads.push(Upload { descriptor: Descriptor::of(*kind, bytes), source: Source::Host });
        blobs.push(bytes.to_vec());
    }
    let json = |upload: &Upload| {
        let Descriptor { media_type, digest, size } = &upload.descriptor;
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<String> = uploads[1..].iter().map(json).collect();
    let manifest = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, json(&uploads[0]), layers.join(","));
    let push = Push {
        target: Reference::parse("reg.example/team/web:1.2.3").unwrap(),
        uploads,
        manifest: Arc::from(manifest.into_bytes()),
        media_type: MANIFEST.to_owned(),
        if_exists: Default::default(),
    };
    (push, blobs)
}
