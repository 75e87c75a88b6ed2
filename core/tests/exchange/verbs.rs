//! Copy, delete and referrers, between registries of our own on several hosts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chartoci::exchange::{
    Config, Copied, Copy, Deleted, Event, Exchange, Outcome, Output, Pull, Referrers, Session, Uploaded, Want,
};
use chartoci::files::Memory;
use chartoci::http::{BlobId, Failure, Headers, Method, Payload, Request, ResponseHead};
use chartoci::oci::{Digest, Reference, Repository};
use chartoci::server::{self, Access, Registry, RequestHead, Users, open_in_memory, serve_in_memory};
use chartoci::time::Instant;
use chartoci::{Descriptor, Error};
use serde_json::{Value, json};

use crate::peer::{CHART_TYPE, CONFIG_TYPE, MANIFEST, basic};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SIGNATURE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

type Answer = (u16, Headers, Vec<u8>);
type Hook = Box<dyn Fn(&Request) -> Option<Answer>>;

struct Node {
    registry: Registry,
    files: Memory,
}

/// Registries by their hosts, and what was asked of them.
struct Net {
    nodes: BTreeMap<String, RefCell<Node>>,
    hook: Hook,
    log: RefCell<Vec<String>>,
    asked: RefCell<Vec<(String, String, bool)>>,
    notices: RefCell<Vec<&'static str>>,
    now: RefCell<u64>,
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    Some((status, headers.iter().copied().collect(), body.to_vec()))
}

impl Net {
    fn new(access: &Access) -> Net {
        Net::hooked(access, Box::new(|_| None))
    }

    fn hooked(access: &Access, hook: Hook) -> Net {
        let nodes = ["one.example", "two.example"].map(|host| {
            let config = server::Config {
                https: true,
                hosts: vec![host.to_owned()],
                access: access.clone(),
                ..server::Config::default()
            };
            let (registry, mut files) = (Registry::new(config), Memory::new());
            open_in_memory(&registry, &mut files).unwrap();
            (host.to_owned(), RefCell::new(Node { registry, files }))
        });
        let (log, asked, notices) = Default::default();
        Net { nodes: nodes.into(), hook, log, asked, notices, now: RefCell::new(0) }
    }

    fn serve(&self, method: Method, url: &str, headers: &Headers, body: &[u8]) -> Answer {
        let (host, _) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let target = &url["https://".len() + host.len()..];
        let node = &mut *self.nodes[host].borrow_mut();
        let mut headers = headers.clone();
        headers.add("host", host);
        headers.add("content-length", body.len().to_string());
        let head = RequestHead { method, target: target.to_owned(), headers };
        let now = Instant::from_millis(*self.now.borrow());
        let (response, body) = serve_in_memory(&node.registry, &mut node.files, head, body, now);
        (response.status, response.headers, body)
    }

    /// Puts something there without an exchange.
    fn put(&self, path: &str, media_type: &str, body: &[u8]) {
        let headers = [("content-type", media_type)].into_iter().collect();
        let (method, url) = match path.contains("/blobs/") {
            true => (Method::Post, format!("https://{path}?digest={}", Digest::of(body))),
            false => (Method::Put, format!("https://{path}")),
        };
        let (status, _, said) = self.serve(method, &url, &headers, body);
        assert_eq!(status, 201, "{path} {}", String::from_utf8_lossy(&said));
    }

    fn get(&self, path: &str) -> Option<Vec<u8>> {
        let (status, _, body) = self.serve(Method::Get, &format!("https://{path}"), &Headers::new(), b"");
        (status == 200).then_some(body)
    }

    fn run(&self, session: &Session, mut exchange: Exchange) -> (Result<Outcome, Error>, BTreeMap<BlobId, Vec<u8>>) {
        let mut sinks: BTreeMap<BlobId, Vec<u8>> = BTreeMap::new();
        loop {
            let now = *self.now.borrow();
            match exchange.poll(Instant::from_millis(now)) {
                Output::Send(request) => self.deliver(session, &mut exchange, request, &mut sinks),
                Output::Wait(wake) => *self.now.borrow_mut() = wake.until.expect("a time").as_millis(),
                Output::Done(result) => return (result, sinks),
                other => self.hear(&mut exchange, other),
            }
        }
    }

    fn hear(&self, exchange: &mut Exchange, output: Output) {
        match output {
            Output::Ask(query) => {
                self.asked.borrow_mut().push((query.registry, query.repository, query.own));
                exchange.handle_credential(query.id, Some(basic()));
            }
            Output::Notify(Event::Notice { code, .. }) => self.notices.borrow_mut().push(code),
            _ => {}
        }
    }

    fn deliver(
        &self,
        session: &Session,
        exchange: &mut Exchange,
        request: Request,
        sinks: &mut BTreeMap<BlobId, Vec<u8>>,
    ) {
        *self.now.borrow_mut() += 1;
        self.log.borrow_mut().push(format!("{} {}", request.method.as_str(), request.url));
        let body = match &request.payload {
            Payload::Empty => Vec::new(),
            Payload::Bytes(bytes) => bytes.to_vec(),
            Payload::Blob { blob, range } => {
                let (from, descriptor) = exchange.source(*blob).unwrap();
                let fetch = Exchange::fetch_part(session, from, descriptor, range.clone());
                let (result, mut sinks) = self.run(session, fetch);
                if let Err(error) = result {
                    return exchange.handle_failure(request.id, Failure::Other(error.message().to_owned()), None);
                }
                let whole = sinks.remove(&BlobId(0)).unwrap_or_default();
                whole[range.start as usize..range.end as usize].to_vec()
            }
        };
        let (status, headers, body) =
            (self.hook)(&request).unwrap_or_else(|| self.serve(request.method, &request.url, &request.headers, &body));
        let mut receiver = exchange.handle_response(request.id, ResponseHead { status, headers, url: None });
        let offset = receiver.offset() as usize;
        let taken = request.method != Method::Head && receiver.write(&body);
        if let Some(sink) = request.sink.filter(|_| receiver.stores() && taken) {
            let sink = sinks.entry(sink).or_default();
            sink.resize(offset, 0);
            sink.extend_from_slice(&body);
        }
        exchange.handle_end(request.id, receiver);
    }

    /// All at once: what any of them sends is answered when every one of them waits.
    fn run_together(&self, session: &Session, mut exchanges: Vec<Exchange>) {
        while !exchanges.is_empty() {
            let (mut out, mut until) = (Vec::new(), None);
            let now = Instant::from_millis(*self.now.borrow());
            let mut index = 0;
            while let Some(exchange) = exchanges.get_mut(index) {
                match exchange.poll(now) {
                    Output::Send(request) => out.push((index, request)),
                    Output::Wait(wake) => {
                        until = until.into_iter().chain(wake.until).min();
                        index += 1;
                    }
                    Output::Done(result) => {
                        assert!(out.iter().all(|(at, _)| *at != index) && result.is_ok(), "{result:?}");
                        drop(exchanges.remove(index));
                        out.iter_mut().filter(|(at, _)| *at > index).for_each(|(at, _)| *at -= 1);
                    }
                    other => self.hear(exchange, other),
                }
            }
            match out.is_empty() {
                true => *self.now.borrow_mut() = until.map_or(now, |until| until.max(now)).as_millis(),
                false => out.into_iter().for_each(|(index, request)| {
                    self.deliver(session, &mut exchanges[index], request, &mut BTreeMap::new());
                }),
            }
        }
    }

    fn copy(&self, session: &Session, source: &str, target: &str, referrers: bool) -> Result<Copied, Error> {
        let copy = Copy {
            source: Reference::parse(source).unwrap(),
            target: Reference::parse(target).unwrap(),
            referrers,
            upgrade: false,
        };
        match self.run(session, Exchange::copy(session, copy)).0? {
            Outcome::Copied(copied) => Ok(copied),
            other => panic!("{other:?}"),
        }
    }

    fn referrers(&self, reference: &str, kind: Option<&str>) -> Result<Referrers, Error> {
        let session = session();
        let reference = Reference::parse(reference).unwrap();
        match self.run(&session, Exchange::referrers(&session, reference, kind.map(str::to_owned))).0? {
            Outcome::Referrers(referrers) => Ok(referrers),
            other => panic!("{other:?}"),
        }
    }

    fn delete(&self, reference: &str) -> Result<Deleted, Error> {
        let session = session();
        match self.run(&session, Exchange::delete(&session, Reference::parse(reference).unwrap())).0? {
            Outcome::Deleted(deleted) => Ok(deleted),
            other => panic!("{other:?}"),
        }
    }

    fn lines(&self) -> Vec<String> {
        self.log.borrow_mut().drain(..).map(|line| line.split('?').next().unwrap().to_owned()).collect()
    }

    fn count(&self, part: &str) -> usize {
        self.log.borrow().iter().filter(|line| line.contains(part)).count()
    }
}

fn session() -> Session {
    Session::new(Config::default())
}

fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    let Descriptor { media_type, digest, size } = Descriptor::of(kind, bytes);
    json!({"mediaType": media_type, "digest": digest.as_str(), "size": size})
}

const LAYER: &[u8] = b"this is the chart, and it is long enough to be broken off in the middle";

/// A chart with a signature, and a signature of that; gives the manifest, and those of the signatures.
fn publish(net: &Net, base: &str, tag: &str) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let config = b"{\"name\":\"web\",\"version\":\"1.2.3\",\"apiVersion\":\"v2\"}";
    for blob in [config.as_slice(), LAYER, b"{}", b"first", b"second"] {
        net.put(&format!("{base}/blobs/uploads/"), "application/octet-stream", blob);
    }
    let manifest = json!({"schemaVersion": 2, "config": descriptor(CONFIG_TYPE, config),
        "layers": [descriptor(CHART_TYPE, LAYER)]});
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let signature = |subject: &[u8], layer: &[u8]| {
        serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": SIGNATURE,
            "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [descriptor(SIGNATURE, layer)], "subject": descriptor(MANIFEST, subject),
            "annotations": {"who": "us"}}))
        .unwrap()
    };
    let first = signature(&manifest, b"first");
    let second = signature(&first, b"second");
    net.put(&format!("{base}/manifests/{tag}"), MANIFEST, &manifest);
    for attached in [&first, &second] {
        net.put(&format!("{base}/manifests/{}", Digest::of(attached)), MANIFEST, attached);
    }
    (manifest, first, second)
}

fn bearer() -> Access {
    Access::Bearer(Users::One { username: "u".into(), password: "p".into() })
}

#[test]
fn a_chart_is_copied_to_another_registry_byte_for_byte_and_a_second_time_for_nothing() {
    let net = Net::new(&Access::Open);
    let session = session();
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let copied = net.copy(&session, "one.example/team/web:1.2.3", "two.example/mirror/web:1.2.3", false).unwrap();
    assert_eq!(copied.digest, Digest::of(&manifest));
    assert_eq!(copied.blobs.iter().filter(|(_, how)| *how == Uploaded::Sent).count(), 2);
    assert_eq!(net.get("two.example/v2/mirror/web/manifests/1.2.3"), Some(manifest.clone()));
    assert_eq!(net.get(&format!("two.example/v2/mirror/web/blobs/{}", Digest::of(LAYER))).unwrap(), LAYER);
    assert_eq!(net.lines().last().unwrap(), "PUT https://two.example/v2/mirror/web/manifests/1.2.3");
    let copied = net.copy(&session, "one.example/team/web:1.2.3", "two.example/mirror/web:1.2.3", false).unwrap();
    assert!(copied.blobs.iter().all(|(_, how)| *how == Uploaded::Mounted));
    assert_eq!(net.lines().len(), 4, "a manifest, two mounts, the manifest");
    let missing = net.copy(&session, "one.example/team/none:1.2.3", "two.example/mirror/web:1.2.3", false);
    assert_eq!(missing.unwrap_err().code().name(), "registry.repository_unknown");
}

#[test]
fn within_a_registry_blobs_are_mounted_and_within_a_repository_nothing_but_the_manifest_moves() {
    let net = Net::new(&Access::Open);
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let copied = net.copy(&session(), "one.example/team/web:1.2.3", "one.example/other/web:2", false).unwrap();
    assert!(copied.blobs.iter().all(|(_, how)| *how == Uploaded::Mounted));
    assert_eq!(net.count("from=team%2Fweb"), 2);
    assert_eq!(net.get("one.example/v2/other/web/manifests/2"), Some(manifest));
    net.lines();
    net.copy(&session(), "one.example/team/web:1.2.3", "one.example/team/web:stable", false).unwrap();
    assert_eq!(
        net.lines(),
        ["GET https://one.example/v2/team/web/manifests/1.2.3", "PUT https://one.example/v2/team/web/manifests/stable"]
    );
}

#[test]
fn a_copy_within_a_registry_reads_its_source_as_who_may_read_it() {
    let net = Net::new(&bearer());
    let error = net.copy(&session(), "one.example/team/web:1.2.3", "one.example/other/web:2", false).unwrap_err();
    assert_eq!(error.code().name(), "registry.repository_unknown");
    let asked: Vec<String> = net.log.borrow().iter().filter(|line| line.contains("/token")).cloned().collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("scope=repository%3Ateam%2Fweb%3Apull&"), "{asked:?}");
    assert!(!asked[0].contains("other"), "{asked:?}");
    assert_eq!(*net.asked.borrow(), [("one.example".to_owned(), "team/web".to_owned(), true)]);
}

#[test]
fn referrers_follow_where_that_is_asked_for_and_the_tag_comes_last() {
    let net = Net::new(&Access::Open);
    let (manifest, first, second) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let copied = net.copy(&session(), "one.example/team/web:1.2.3", "two.example/web:1.2.3", true).unwrap();
    assert_eq!(copied.referrers, [Digest::of(&first), Digest::of(&second)]);
    let puts: Vec<String> =
        net.lines().into_iter().filter(|line| line.contains("PUT") && line.contains("/manifests/")).collect();
    let at = |reference: &str| format!("PUT https://two.example/v2/web/manifests/{reference}");
    let expected = [&manifest, &first, &second].map(|bytes| at(Digest::of(bytes).as_str()));
    assert_eq!(puts[..3], expected);
    assert_eq!(puts[3], at("1.2.3"));
    let found = net.referrers("two.example/web:1.2.3", None).unwrap();
    assert_eq!(found.reference.digest(), Some(&Digest::of(&manifest)));
    assert_eq!(found.referrers.len(), 1);
    assert_eq!(found.referrers[0].descriptor.digest, Digest::of(&first));
    assert_eq!(found.referrers[0].artifact_type.as_deref(), Some(SIGNATURE));
    assert_eq!(found.referrers[0].annotations["who"], "us");
    let without = net.copy(&session(), "one.example/team/web:1.2.3", "two.example/bare:1.2.3", false).unwrap();
    assert!(
        without.referrers.is_empty() && net.referrers("two.example/bare:1.2.3", None).unwrap().referrers.is_empty()
    );
}

/// Without the API, as distribution 2.8: what refers to a manifest stands on a list under a tag.
fn without_api() -> Net {
    let hook = |request: &Request| {
        if request.url.contains("/referrers/") {
            return answer(404, &[("content-type", "text/plain")], b"404 page not found\n");
        }
        None
    };
    Net::hooked(&Access::Open, Box::new(hook))
}

#[test]
fn where_there_is_no_api_a_tag_lists_the_referrers_and_the_host_is_remembered() {
    let net = without_api();
    let (manifest, first, _) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let entry = {
        let mut entry = descriptor(MANIFEST, &first);
        entry["artifactType"] = SIGNATURE.into();
        entry
    };
    let other = {
        let mut entry = descriptor(MANIFEST, b"another");
        entry["artifactType"] = "text/other".into();
        entry
    };
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other, entry, {"digest": "md5:abc"}]});
    let tag = format!("sha256-{}", Digest::of(&manifest).hex());
    let session = session();
    let list_all = |kind: Option<&str>| {
        let reference = Reference::parse("one.example/team/web:1.2.3").unwrap();
        let exchange = Exchange::referrers(&session, reference, kind.map(str::to_owned));
        let Outcome::Referrers(found) = net.run(&session, exchange).0.unwrap() else { panic!() };
        found.referrers.len()
    };
    assert_eq!(list_all(None), 0, "no tag, no referrers");
    // The registry itself would not take a list of what it does not have.
    let mut net = net;
    let path = format!("/v2/team/web/manifests/{tag}");
    let bytes = serde_json::to_vec(&list).unwrap();
    net.hook = Box::new(move |request| {
        assert!(!request.url.contains("/referrers/"), "it was asked for once, and remembered");
        if request.url.ends_with(&path) { answer(200, &[("content-type", INDEX)], &bytes) } else { None }
    });
    let list_all = |kind: Option<&str>| {
        let reference = Reference::parse("one.example/team/web:1.2.3").unwrap();
        let exchange = Exchange::referrers(&session, reference, kind.map(str::to_owned));
        let Outcome::Referrers(found) = net.run(&session, exchange).0.unwrap() else { panic!() };
        found.referrers.len()
    };
    assert_eq!((list_all(None), list_all(Some(SIGNATURE)), list_all(Some("text/none"))), (2, 1, 0));
}

#[test]
fn a_copy_to_a_registry_without_the_api_puts_the_referrers_on_the_list_itself() {
    let mut net = Net::new(&Access::Open);
    let (manifest, first, _) = publish(&net, "one.example/v2/team/web", "1.2.3");
    // Its answers do not say that it knows what a subject is.
    let silent = |request: &Request| {
        let is_put = request.method == Method::Put
            && request.url.contains("two.example")
            && request.url.contains("/manifests/sha256:");
        if is_put {
            return answer(201, &[], b"");
        }
        if request.url.contains("two.example") && request.url.contains("/referrers/") {
            return answer(404, &[], b"");
        }
        if request.url.contains("two.example") && request.url.contains("/manifests/sha256-") {
            return if request.method == Method::Put { answer(201, &[], b"") } else { answer(404, &[], b"") };
        }
        None
    };
    net.hook = Box::new(silent);
    let copied = net.copy(&session(), "one.example/team/web:1.2.3", "two.example/web:1.2.3", true).unwrap();
    assert_eq!(copied.referrers.len(), 2);
    let lines = net.lines();
    let list = |bytes: &[u8]| format!("PUT https://two.example/v2/web/manifests/sha256-{}", Digest::of(bytes).hex());
    assert!(lines.contains(&list(&manifest)) && lines.contains(&list(&first)), "{lines:#?}");
    assert!(lines.last().unwrap().ends_with("manifests/1.2.3"));
}

/// Copies a chart and its signature to a registry without the API, where `there` is the list of referrers; gives what became
/// of it, and the lists that were written.
fn copied_onto_list(media_type: &'static str, there: &Value) -> (Result<Copied, Error>, Vec<Value>) {
    let mut net = Net::new(&Access::Open);
    publish(&net, "one.example/v2/team/web", "1.2.3");
    let lists = Rc::new(RefCell::new(Vec::new()));
    let (written, there) = (lists.clone(), there.to_string());
    net.hook = Box::new(move |request: &Request| {
        let is_list = request.url.contains("two.example") && request.url.contains("/manifests/sha256-");
        match (&request.payload, request.method) {
            (Payload::Bytes(bytes), Method::Put) if is_list => {
                written.borrow_mut().push(serde_json::from_slice(bytes).unwrap());
                answer(201, &[], b"")
            }
            (_, Method::Get) if is_list => answer(200, &[("content-type", media_type)], there.as_bytes()),
            (_, Method::Put) if request.url.contains("two.example") && request.url.contains("/manifests/sha256:") => {
                answer(201, &[], b"")
            }
            _ => None,
        }
    });
    let result = net.copy(&session(), "one.example/team/web:1.2.3", "two.example/web:1.2.3", true);
    let lists = lists.borrow().clone();
    (result, lists)
}

/// What takes any manifest and has no API for referrers: the lists that were written, by their tags.
type Lists = Rc<RefCell<BTreeMap<String, Value>>>;

/// A host without the API, which heeds no conditions, and where every manifest is welcome.
fn lists_at(host: &'static str) -> (Lists, Hook) {
    let lists = Lists::default();
    let held = lists.clone();
    let hook = move |request: &Request| {
        let (_, name) = request.url.split_once(host)?;
        let tag = name.rsplit('/').next().filter(|tag| tag.starts_with("sha256-"));
        match (&request.payload, request.method, tag) {
            _ if name.contains("/referrers/") => answer(404, &[], b""),
            (Payload::Bytes(bytes), Method::Put, Some(tag)) => {
                held.borrow_mut().insert(tag.to_owned(), serde_json::from_slice(bytes).unwrap());
                answer(201, &[], b"")
            }
            (_, Method::Get, Some(tag)) => match held.borrow().get(tag) {
                Some(list) => answer(200, &[("content-type", INDEX)], list.to_string().as_bytes()),
                None => answer(404, &[], b""),
            },
            (_, Method::Put, _) if name.contains("/manifests/") => answer(201, &[], b""),
            _ => None,
        }
    };
    (lists, Box::new(hook))
}

#[test]
fn of_referrers_that_are_copied_at_once_none_is_lost_from_the_list() {
    let (lists, hook) = lists_at("two.example");
    let net = Net::hooked(&Access::Open, hook);
    let base = "one.example/v2/team/web";
    let (manifest, ..) = publish(&net, base, "1.2.3");
    let signatures: Vec<String> = (0..6)
        .map(|number| {
            let signature = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": SIGNATURE,
                "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"), "layers": [],
                "subject": descriptor(MANIFEST, &manifest), "annotations": {"number": number.to_string()}});
            let bytes = signature.to_string().into_bytes();
            net.put(&format!("{base}/manifests/{}", Digest::of(&bytes)), MANIFEST, &bytes);
            Digest::of(&bytes).to_string()
        })
        .collect();
    let session = session();
    let copies = signatures.iter().map(|digest| {
        let at = |base: &str| Reference::parse(&format!("{base}@{digest}")).unwrap();
        let (source, target) = (at("one.example/team/web"), at("two.example/web"));
        Exchange::copy(&session, Copy { source, target, referrers: false, upgrade: false })
    });
    net.run_together(&session, copies.collect());
    let lists = lists.borrow();
    let list = &lists[&format!("sha256-{}", Digest::of(&manifest).hex())];
    let entries = list["manifests"].as_array().unwrap().iter();
    let listed: std::collections::BTreeSet<&str> = entries.map(|entry| entry["digest"].as_str().unwrap()).collect();
    assert_eq!(listed, signatures.iter().map(String::as_str).collect());
    assert_eq!(session.claims(), 0);
}

#[test]
fn a_referrer_that_is_deleted_goes_from_the_list_where_there_is_no_api() {
    let (lists, hook) = lists_at("two.example");
    let net = Net::hooked(&Access::Open, hook);
    let (_, first, _) = publish(&net, "one.example/v2/team/web", "1.2.3");
    net.copy(&session(), "one.example/team/web:1.2.3", "two.example/web:1.2.3", true).unwrap();
    for list in lists.borrow_mut().values_mut() {
        list["manifests"].as_array_mut().unwrap().push(descriptor(MANIFEST, b"of somebody else"));
        list["x"] = 1.into();
    }
    let subject = serde_json::from_slice::<Value>(&first).unwrap()["subject"]["digest"].as_str().unwrap().to_owned();
    let (mut net, digest, path) = (net, Digest::of(&first), format!("web/manifests/{}", Digest::of(&first)));
    let rest = std::mem::replace(&mut net.hook, Box::new(|_| None));
    net.hook = Box::new(move |request| match request.method {
        Method::Delete => answer(202, &[], b""),
        Method::Get if request.url.ends_with(&path) => answer(200, &[("content-type", MANIFEST)], &first),
        _ => rest(request),
    });
    let deleted = net.delete(&format!("two.example/web@{digest}")).unwrap();
    assert_eq!(deleted.digest.as_ref(), Some(&digest));
    let lists = lists.borrow();
    let list = &lists[&subject.replace(':', "-")];
    assert_eq!((&list["manifests"], &list["x"]), (&json!([descriptor(MANIFEST, b"of somebody else")]), &json!(1)));
}

#[test]
fn a_deletion_looks_for_no_list_where_the_api_keeps_it_or_nothing_is_referred_to() {
    let net = Net::new(&Access::Open);
    let (manifest, first, _) = publish(&net, "one.example/v2/team/web", "1.2.3");
    net.delete(&format!("one.example/team/web@{}", Digest::of(&first))).unwrap();
    let at = |place: &str, bytes: &[u8]| format!("https://one.example/v2/team/web/{place}/{}", Digest::of(bytes));
    let (own, api) = (at("manifests", &first), at("referrers", &manifest));
    assert_eq!(net.lines(), [format!("GET {own}"), format!("DELETE {own}"), format!("GET {api}")]);
    net.delete(&format!("one.example/team/web@{}", Digest::of(&manifest))).unwrap();
    let own = at("manifests", &manifest);
    assert_eq!(net.lines(), [format!("GET {own}"), format!("DELETE {own}")]);
}

#[test]
fn what_is_listed_as_a_referrer_and_is_not_there_is_told_and_passed_over() {
    let net = Net::new(&Access::Open);
    let (manifest, first, _) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let mut net = net;
    let gone = Digest::of(&first).to_string();
    net.hook = Box::new(move |request| {
        if request.url.ends_with(&gone) && request.url.contains("one.example/v2/team/web/manifests/") {
            return answer(404, &[], b"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
        }
        None
    });
    let copied = net.copy(&session(), "one.example/team/web:1.2.3", "two.example/web:1.2.3", true).unwrap();
    assert_eq!((copied.digest, copied.referrers), (Digest::of(&manifest), vec![]));
    assert_eq!(*net.notices.borrow(), ["registry.referrer_gone"]);
    assert_eq!(net.get("two.example/v2/web/manifests/1.2.3"), Some(manifest));
}

#[test]
fn a_list_of_referrers_keeps_what_else_it_says() {
    let other = descriptor(MANIFEST, b"of somebody else");
    let there =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other], "annotations": {"a": "b"}, "x": 1});
    let (result, lists) = copied_onto_list(INDEX, &there);
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(lists.len(), 2);
    for list in &lists {
        assert_eq!((&list["annotations"], &list["x"], &list["manifests"][0]), (&json!({"a": "b"}), &json!(1), &other));
        assert_eq!(list["manifests"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn what_is_no_list_of_referrers_is_never_written_over() {
    let config = descriptor(CONFIG_TYPE, b"{}");
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
    let (result, lists) = copied_onto_list(MANIFEST, &manifest);
    assert_eq!((result.unwrap_err().code().name(), lists.len()), ("protocol.answer", 0));
}

#[test]
fn a_source_does_not_decide_how_much_the_target_is_asked() {
    let layer = |number: usize| descriptor(CHART_TYPE, number.to_string().as_bytes());
    let layers: Vec<Value> = (0..10_001).map(layer).collect();
    let config = descriptor(CONFIG_TYPE, b"{}");
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).to_string();
    let padding = "x".repeat(4_000_000);
    let big: Vec<String> = (0..9)
        .map(|number| {
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [],
            "annotations": {"number": number.to_string(), "padding": padding}})
            .to_string()
        })
        .collect();
    let entries: Vec<Value> = big.iter().map(|manifest| descriptor(MANIFEST, manifest.as_bytes())).collect();
    let big: BTreeMap<String, String> = big
        .into_iter()
        .zip(&entries)
        .map(|(manifest, entry)| (entry["digest"].as_str().unwrap().to_owned(), manifest))
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    let hook = move |request: &Request| {
        let name = request.url.rsplit('/').next()?;
        match (request.url.contains("one.example/v2/web/manifests"), name) {
            (false, _) => None,
            (_, "many") => answer(200, &[("content-type", MANIFEST)], manifest.as_bytes()),
            (_, "big") => answer(200, &[("content-type", INDEX)], index.as_bytes()),
            _ => answer(200, &[("content-type", MANIFEST)], big.get(name)?.as_bytes()),
        }
    };
    let net = Net::hooked(&Access::Open, Box::new(hook));
    for (tag, limit) in [("many", "blobs"), ("big", "bytes of manifests")] {
        let error = net.copy(&session(), &format!("one.example/web:{tag}"), "two.example/web:1", false).unwrap_err();
        assert_eq!(error.code().name(), "limit.copy", "{error:?}");
        assert!(error.context().iter().any(|(name, value)| *name == "limit" && value == limit), "{error:?}");
    }
    assert_eq!(net.count("PUT "), 0);
}

#[test]
fn a_copy_says_for_which_registry_and_repository_it_asks_for_a_secret() {
    let net = Net::new(&bearer());
    net.copy(&session(), "one.example/team/web:1.2.3", "two.example/mirror/web:1.2.3", false).unwrap_err();
    let asked = |net: &Net| net.asked.borrow().last().map(|(registry, _, own)| (registry.clone(), *own)).unwrap();
    assert_eq!(*net.asked.borrow(), [("one.example".to_owned(), "team/web".to_owned(), false)], "it is for its target");
    net.copy(&session(), "two.example/team/web:1.2.3", "two.example/mirror/web:1.2.3", false).unwrap_err();
    assert_eq!(asked(&net), ("two.example".to_owned(), true));
    let repository = Repository::parse("one.example/team/web").unwrap();
    for (home, own) in [("one.example", true), ("two.example", false)] {
        let mut tags = Exchange::tags(&session(), repository.clone());
        tags.on_behalf_of(home);
        net.run(&session(), tags).0.unwrap_err();
        assert_eq!(asked(&net), ("one.example".to_owned(), own), "{home}");
    }
}

#[test]
fn an_index_is_copied_with_all_that_it_lists_before_it() {
    let net = Net::new(&Access::Open);
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(MANIFEST, &manifest)]});
    let index = serde_json::to_vec(&index).unwrap();
    net.put("one.example/v2/team/web/manifests/all", INDEX, &index);
    let copied = net.copy(&session(), "one.example/team/web:all", "two.example/web:all", false).unwrap();
    assert_eq!((copied.digest, copied.blobs.len()), (Digest::of(&index), 2));
    assert_eq!(net.get("two.example/v2/web/manifests/all"), Some(index));
    assert_eq!(net.get(&format!("two.example/v2/web/manifests/{}", Digest::of(&manifest))), Some(manifest));
}

/// Pulls from an index of many manifests that are no charts, and one that is; what they say of themselves stands with each.
fn pulled_from_index(count: usize, others: Option<&str>, own: Option<&str>) -> (Result<(), &'static str>, usize) {
    let net = Net::new(&Access::Open);
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "chart");
    let typed = |mut entry: Value, kind: Option<&str>| {
        if let Some(kind) = kind {
            entry["artifactType"] = kind.into();
        }
        entry
    };
    let mut entries: Vec<Value> = (0..count)
        .map(|number| {
            let other = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "a/b", "layers": [],
                "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
                "annotations": {"number": number.to_string()}});
            let other = other.to_string().into_bytes();
            net.put(&format!("one.example/v2/team/web/manifests/{}", Digest::of(&other)), MANIFEST, &other);
            typed(descriptor(MANIFEST, &other), others)
        })
        .collect();
    entries.push(typed(descriptor(MANIFEST, &manifest), own));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    net.put("one.example/v2/team/web/manifests/1.2.3", INDEX, index.as_bytes());
    let want = Want { chart: true, provenance: false, config: false, anything: false };
    let reference = Reference::parse("one.example/team/web:1.2.3").unwrap();
    let pull = Pull { reference, version: None, devel: false, want, check_tag: false, verify: false };
    let session = session();
    let (result, sinks) = net.run(&session, Exchange::pull(&session, pull));
    let result = result.map(|_| assert_eq!(sinks[&BlobId(0)], LAYER)).map_err(|error| error.code().name());
    (result, net.count("/manifests/sha256:"))
}

// Helm 4.3.1 pulls each of these: it reads whatever an index lists, and takes what is a chart.
#[test]
fn the_chart_of_an_index_is_found_among_many_by_what_the_index_says_of_them() {
    let many = 200;
    for (count, others, own, read) in [
        (12, None, None, 13),
        (12, Some("a/b"), None, 1),
        (many, Some("a/b"), None, 1),
        (many, Some("a/b"), Some(CONFIG_TYPE), 1),
        (many, None, Some(CONFIG_TYPE), 1),
        // Where all are said to be something else, that is not believed.
        (12, Some("a/b"), Some("c/d"), 13),
    ] {
        assert_eq!(pulled_from_index(count, others, own), (Ok(()), read), "{count} {others:?} {own:?}");
    }
    assert_eq!(pulled_from_index(many, None, None), (Err("artifact.not_a_chart"), 0));
}

#[test]
fn a_copy_needs_full_references() {
    let net = Net::new(&Access::Open);
    for (source, target) in [("one.example/web", "two.example/web:1"), ("one.example/web:1", "two.example/web")] {
        assert_eq!(net.copy(&session(), source, target, false).unwrap_err().code().name(), "misuse.argument");
    }
}

#[test]
fn referrers_stay_on_their_host_and_end() {
    for (link, code) in
        [("<https://evil.example/next>; rel=next", "protocol.link"), ("</v2/web/referrers/x>; rel=next", "limit.pages")]
    {
        let hook = move |request: &Request| {
            request.url.contains("/referrers/").then(|| answer(200, &[("link", link)], b"{\"manifests\":[]}")).flatten()
        };
        let net = Net::hooked(&Access::Open, Box::new(hook));
        let reference = format!("one.example/web@{}", Digest::of(b"x"));
        assert_eq!(net.referrers(&reference, None).unwrap_err().code().name(), code);
    }
}

#[test]
fn a_tag_is_deleted_alone_and_a_digest_with_all_its_tags() {
    let net = Net::new(&Access::Open);
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    net.put("one.example/v2/team/web/manifests/stable", MANIFEST, &manifest);
    net.delete("one.example/team/web:stable").unwrap();
    assert!(net.get("one.example/v2/team/web/manifests/stable").is_none());
    assert!(net.get("one.example/v2/team/web/manifests/1.2.3").is_some());
    let deleted = net.delete(&format!("one.example/team/web@{}", Digest::of(&manifest))).unwrap();
    assert_eq!(deleted.digest, Some(Digest::of(&manifest)));
    assert!(net.get("one.example/v2/team/web/manifests/1.2.3").is_none());
    let gone = net.delete("one.example/team/web:1.2.3").unwrap_err();
    assert_eq!(gone.code().name(), "registry.manifest_unknown");
    assert_eq!(net.delete("one.example/team/web").unwrap_err().code().name(), "misuse.argument");
}

#[test]
fn where_a_tag_cannot_be_deleted_its_manifest_is_unless_another_tag_has_it() {
    let refuses = || -> Hook {
        Box::new(|request: &Request| {
            let by_tag = request.method == Method::Delete && !request.url.contains("/manifests/sha256:");
            by_tag.then(|| answer(400, &[], b"{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}")).flatten()
        })
    };
    let net = Net::hooked(&Access::Open, refuses());
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    net.put("one.example/v2/team/web/manifests/stable", MANIFEST, &manifest);
    let shared = net.delete("one.example/team/web:1.2.3").unwrap_err();
    assert_eq!(shared.code().name(), "registry.conflict");
    assert!(shared.message().contains("stable"));
    assert!(net.get("one.example/v2/team/web/manifests/1.2.3").is_some(), "nothing was deleted");

    let net = Net::hooked(&Access::Open, refuses());
    let (manifest, ..) = publish(&net, "one.example/v2/team/web", "1.2.3");
    let deleted = net.delete("one.example/team/web:1.2.3").unwrap();
    assert_eq!(deleted.digest, Some(Digest::of(&manifest)));
    assert!(net.get("one.example/v2/team/web/manifests/1.2.3").is_none());
}

#[test]
fn a_registry_that_does_not_delete_says_how_that_is_switched_on() {
    let hook = |request: &Request| {
        (request.method == Method::Delete)
            .then(|| answer(405, &[], b"{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}"))
            .flatten()
    };
    let net = Net::hooked(&Access::Open, Box::new(hook));
    publish(&net, "one.example/v2/team/web", "1.2.3");
    let error = net.delete("one.example/team/web:1.2.3").unwrap_err();
    assert_eq!(error.code().name(), "registry.unsupported");
    assert!(error.hint().contains("switched on"));
}

#[test]
fn a_deletion_whose_answer_was_lost_is_not_an_error() {
    let lost = RefCell::new(true);
    let hook = move |request: &Request| {
        let first = request.method == Method::Delete && lost.replace(false);
        if first { answer(503, &[], b"") } else { None }
    };
    let net = Net::hooked(&Access::Open, Box::new(hook));
    assert!(net.delete("one.example/team/web:1.2.3").is_ok(), "gone after a try whose fate is unknown");
}
