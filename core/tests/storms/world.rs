//! One world: a session, its exchanges one after another, and a host that keeps the contract and checks that the other
//! side keeps it too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::num::NonZeroU8;
use std::sync::Arc;

use chartoci::auth::Credential;
use chartoci::exchange::{
    Config, Copy, Event, Exchange, HostSet, IfExists, Outcome, Output, Pull, Push, QueryId, Resolve, Session, Source,
    Traits, Upload, Want,
};
use chartoci::http::{BlobId, Failure, Method, Payload, Receiver, Redirect, Request, RequestId, ResponseHead};
use chartoci::oci::{Digest, Reference, Repository};
use chartoci::server::{Access, Users};
use chartoci::time::{Duration, Instant};
use chartoci::{Code, Descriptor, Error, Limits};

use crate::fate::{Fate, Loss, Weather};
use crate::habits::Habits;
use crate::model;
use crate::network::{Answer, Asked, BASIC, Network, PASSWORD, USERNAME};
use crate::random::Random;

/// What is held of a body at most, in bytes: the limits of these worlds, and one chunk.
const MOST_HELD: u64 = (16 << 10) + CHUNK;
const CHUNK: u64 = 3_000;
/// Virtual milliseconds that one operation may take: every try of every request at its slowest.
const MOST_TIME: u64 = 12 * 3_600 * 1_000;
const MOST_REQUESTS: usize = 150;
const MOST_STEPS: usize = 50_000;

/// What a failed exchange may take beyond its time, to drop its upload sessions.
const LEAVING: u64 = 2_000;

pub(crate) struct Report {
    pub(crate) results: Vec<(&'static str, String)>,
    pub(crate) transcript: String,
    /// What was met, and how the client took it.
    pub(crate) tally: BTreeSet<String>,
}

pub(crate) struct World {
    random: Random,
    weather: Weather,
    /// Of all requests, in percent, how many are met by a fault.
    severity: u64,
    network: Network,
    session: Session,
    concurrency: usize,
    transcript: String,
    time: u64,
    charts: Vec<Chart>,
    /// Tokens have expired: a call renews its token once.
    expired: bool,
    tally: BTreeSet<String>,
}

/// What is pushed: config, layers, and the manifest that names them.
#[derive(Clone)]
struct Chart {
    reference: Reference,
    blobs: Vec<(Descriptor, Vec<u8>)>,
    manifest: Vec<u8>,
}

impl Chart {
    fn push(&self) -> Push {
        let uploads = self.blobs.iter().enumerate().map(|(index, (descriptor, data))| Upload {
            descriptor: descriptor.clone(),
            source: if index == 0 { Source::Bytes(data.clone().into()) } else { Source::Host },
        });
        Push {
            target: self.reference.clone(),
            uploads: uploads.collect(),
            manifest: Arc::from(self.manifest.as_slice()),
            media_type: chartoci::oci::media_type::MANIFEST.to_owned(),
            if_exists: IfExists::Overwrite,
        }
    }
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather) -> World {
        let mut random = Random::new(seed);
        let (username, password) = (USERNAME.to_owned(), PASSWORD.to_owned());
        let access = match random.below(3) {
            0 => Access::Open,
            1 => Access::Basic(Users::One { username, password }),
            _ => Access::Bearer(Users::One { username, password }),
        };
        let origin = *random.pick(&["https://registry.test", "https://registry.test:8443", "http://localhost:5000"]);
        let has_token_host = origin.starts_with("https:") && matches!(access, Access::Bearer(_)) && random.chance(50);
        let concurrency = 1 + random.below(4) as u8;
        let config = Config {
            seed,
            limits: Limits {
                manifest: 16 << 10,
                config: 16 << 10,
                token: 8 << 10,
                error_body: 2 << 10,
                page: 8 << 10,
                ..Limits::default()
            },
            concurrency: NonZeroU8::new(concurrency).expect("not zero"),
            plain_http: HostSet::Loopback,
            has_credentials: !matches!(access, Access::Open) && random.chance(50),
            transport: Traits { manual_redirects: random.chance(85), all_headers: true },
            ..Config::default()
        };
        let severity = match weather {
            Weather::Clear => 0,
            Weather::Showers => *random.pick(&[10, 30, 60]),
            Weather::Storm => *random.pick(&[3, 10, 25, 60]),
        };
        let host = origin.split_once("://").expect("a scheme").1;
        let habits = Habits::of(&mut random);
        let tally = habits.names().into_iter().collect();
        let big = habits.pieces.is_some_and(|pieces| !pieces.told);
        let network = Network::new(origin, access, has_token_host, habits);
        let charts = (0..1 + random.below(3)).map(|number| chart(&mut random, host, number, big)).collect();
        World {
            weather,
            severity,
            network,
            session: Session::new(config),
            concurrency: usize::from(concurrency),
            transcript: format!("seed {seed}, {weather:?}, {severity} percent, {origin}\n"),
            time: random.below(1_000_000),
            charts,
            expired: false,
            tally,
            random,
        }
    }

    pub(crate) fn run(mut self) -> Report {
        let mut results = Vec::new();
        let charts = self.charts.clone();
        for (number, chart) in charts.iter().enumerate() {
            let refusals = self.network.refusals;
            let result = self.push(chart);
            results.push(("push", result));
            let knew = number > 0 || self.network.habits.pieces.is_some_and(|pieces| pieces.told);
            if knew && self.weather == Weather::Clear {
                assert_eq!(refusals, self.network.refusals, "the size is forgotten\n{}", self.transcript);
            }
            if self.random.chance(30) {
                results.push(("push", self.push(chart)));
            }
        }
        for chart in &charts {
            if self.random.chance(60) {
                results.push(("pull", self.pull(chart)));
            }
            match self.random.below(8) {
                0 => results.push(("tags", self.tags(chart))),
                1 => results.push(("resolve", self.resolve(chart))),
                2 => results.push(("fetch", self.fetch(chart))),
                3 => results.push(("referrers", self.referrers(chart))),
                4 => results.push(("copy", self.copy(chart))),
                _ => {}
            }
        }
        for chart in &charts {
            match self.random.below(6) {
                0 => results.push(("again", self.push_if(chart, IfExists::SkipSame))),
                1 => results.push(("refuse", self.push_if(chart, IfExists::Refuse))),
                2 => results.push(("delete", self.delete(chart))),
                _ => {}
            }
        }
        Report { results, transcript: self.transcript, tally: self.tally }
    }

    fn push(&mut self, chart: &Chart) -> String {
        let ahead = self.random.chance(30);
        let begin = if ahead { Exchange::push_ahead } else { Exchange::push };
        let exchange = begin(&self.session.clone(), chart.push());
        let blobs = chart.blobs.iter().map(|(_, data)| data.clone()).collect();
        let mut run = Run::new(self, exchange, blobs);
        if ahead {
            let after = run.latency();
            run.scanned = Some(false);
            run.plan(after, Happening::Scanned(chart.push()));
        }
        let (result, _) = run.finish();
        let tags = model::judge(&self.network.files);
        match result {
            Ok(Outcome::Pushed(pushed)) => {
                assert_eq!(tags.get(&tag_of(chart)), Some(&chart.manifest), "pushed\n{}", self.transcript);
                assert_eq!(pushed.digest, Digest::of(&chart.manifest));
                assert_eq!(pushed.blobs.len(), chart.blobs.len());
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    fn pull(&mut self, chart: &Chart) -> String {
        let want =
            Want { chart: true, provenance: self.random.chance(70), config: self.random.chance(50), anything: false };
        let mut reference = chart.reference.clone();
        let (by_digest, check_tag) = (self.random.chance(25), self.random.chance(30));
        if by_digest {
            let digest = Some(Digest::of(&chart.manifest));
            reference = Reference::new(reference.base().clone(), reference.tag().map(str::to_owned), digest);
        }
        let pull = Pull { reference, version: None, devel: false, want, check_tag, verify: false };
        let exchange = Exchange::pull(&self.session.clone(), pull);
        let (result, sinks) = Run::new(self, exchange, Vec::new()).finish();
        match result {
            Ok(Outcome::Pulled(pulled)) => {
                assert_eq!(pulled.manifest, chart.manifest, "pulled\n{}", self.transcript);
                assert_eq!(pulled.digest, Digest::of(&chart.manifest));
                assert_eq!(pulled.config.as_deref(), want.config.then_some(chart.blobs[0].1.as_slice()));
                assert_eq!(sinks.get(&BlobId(0)), Some(&chart.blobs[1].1), "pulled\n{}", self.transcript);
                let provenance = chart.blobs.get(2).filter(|_| want.provenance);
                assert_eq!(pulled.provenance.as_ref(), provenance.map(|(descriptor, _)| descriptor));
                assert_eq!(sinks.get(&BlobId(1)), provenance.map(|(_, data)| data), "pulled\n{}", self.transcript);
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    /// A push that looks first whether something is there.
    fn push_if(&mut self, chart: &Chart, if_exists: IfExists) -> String {
        let before = model::judge(&self.network.files).get(&tag_of(chart)).cloned();
        let exchange = Exchange::push(&self.session.clone(), Push { if_exists, ..chart.push() });
        let blobs = chart.blobs.iter().map(|(_, data)| data.clone()).collect();
        let (result, _) = Run::new(self, exchange, blobs).finish();
        let after = model::judge(&self.network.files).get(&tag_of(chart)).cloned();
        if before.is_some() {
            assert_eq!(before, after, "overwritten\n{}", self.transcript);
        }
        match result {
            Ok(Outcome::Pushed(pushed)) => {
                assert_eq!(after.as_ref(), Some(&chart.manifest), "pushed\n{}", self.transcript);
                assert!(!pushed.skipped || before.is_some(), "nothing was there\n{}", self.transcript);
                // An answer that only looks like one may say that nothing is there.
                let may_write = before.is_none() || if_exists == IfExists::SkipSame;
                assert!(may_write || self.weather == Weather::Storm, "refused\n{}", self.transcript);
                "ok".to_owned()
            }
            Err(error) if error.code().name() == "registry.exists" && before.is_some() => "ok".to_owned(),
            other => ending(other),
        }
    }

    fn referrers(&mut self, chart: &Chart) -> String {
        let exchange = Exchange::referrers(&self.session.clone(), chart.reference.clone(), None);
        let (result, _) = Run::new(self, exchange, Vec::new()).finish();
        match result {
            Ok(Outcome::Referrers(found)) => {
                assert_eq!(found.reference.digest(), Some(&Digest::of(&chart.manifest)));
                assert!(found.referrers.is_empty(), "nobody refers to it\n{}", self.transcript);
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    /// Within the registry: mounted, or else streamed, for which the host opens the blobs by magic.
    fn copy(&mut self, chart: &Chart) -> String {
        let repository =
            Repository::parse(&format!("{}/copies/web", chart.reference.registry())).expect("a repository");
        let target = Reference::new(repository, Some("copied".to_owned()), None);
        let copy = Copy { source: chart.reference.clone(), target, referrers: self.random.chance(30), upgrade: false };
        let blobs = chart.blobs.iter().map(|(_, data)| data.clone()).collect();
        let (result, _) = Run::new(self, Exchange::copy(&self.session.clone(), copy), blobs).finish();
        let tags = model::judge(&self.network.files);
        match result {
            Ok(Outcome::Copied(copied)) => {
                assert_eq!(tags.get("copies/web:copied"), Some(&chart.manifest), "copied\n{}", self.transcript);
                assert_eq!(copied.digest, Digest::of(&chart.manifest));
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    fn delete(&mut self, chart: &Chart) -> String {
        let mut before = model::judge(&self.network.files);
        let exchange = Exchange::delete(&self.session.clone(), chart.reference.clone());
        let (result, _) = Run::new(self, exchange, Vec::new()).finish();
        let after = model::judge(&self.network.files);
        match result {
            Ok(Outcome::Deleted(_)) => {
                let gone = before.remove(&tag_of(chart));
                assert!(gone.is_some() || self.weather == Weather::Storm, "nothing was there\n{}", self.transcript);
                // An answer that only looks like one may lie: then nothing was deleted.
                assert!(before == after || self.weather == Weather::Storm, "deleted\n{}", self.transcript);
                "ok".to_owned()
            }
            Err(error)
                if error.code().name() == "registry.manifest_unknown" && !before.contains_key(&tag_of(chart)) =>
            {
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    fn tags(&mut self, chart: &Chart) -> String {
        let exchange = Exchange::tags(&self.session.clone(), chart.reference.base().clone());
        let (result, _) = Run::new(self, exchange, Vec::new()).finish();
        match result {
            Ok(Outcome::Tags(tags)) => {
                let prefix = format!("{}:", chart.reference.repository());
                let known = model::judge(&self.network.files);
                let known: Vec<&str> = known.keys().filter_map(|name| name.strip_prefix(&prefix)).collect();
                assert_eq!(tags, known, "listed\n{}", self.transcript);
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    fn resolve(&mut self, chart: &Chart) -> String {
        let resolve = Resolve { reference: chart.reference.clone(), version: None, devel: false };
        let (result, _) = Run::new(self, Exchange::resolve(&self.session.clone(), resolve), Vec::new()).finish();
        match result {
            Ok(Outcome::Resolved(resolved)) => {
                assert_eq!(resolved.digest, Digest::of(&chart.manifest), "resolved\n{}", self.transcript);
                "ok".to_owned()
            }
            other => ending(other),
        }
    }

    fn fetch(&mut self, chart: &Chart) -> String {
        let (descriptor, data) = self.random.pick(&chart.blobs).clone();
        let exchange = Exchange::fetch(&self.session.clone(), chart.reference.base().clone(), descriptor);
        let (result, sinks) = Run::new(self, exchange, Vec::new()).finish();
        match result {
            Ok(Outcome::Fetched(_)) => {
                assert_eq!(sinks.get(&BlobId(0)), Some(&data), "fetched\n{}", self.transcript);
                "ok".to_owned()
            }
            other => ending(other),
        }
    }
}

fn tag_of(chart: &Chart) -> String {
    format!("{}:{}", chart.reference.repository(), chart.reference.tag().expect("a tag"))
}

fn origin_of(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

fn ending(result: Result<Outcome, Error>) -> String {
    match result {
        Ok(outcome) => panic!("another outcome: {outcome:?}"),
        Err(error) => error.code().name().to_owned(),
    }
}

fn chart(random: &mut Random, host: &str, number: u64, big: bool) -> Chart {
    let name = *random.pick(&["web", "team/web", "team/sub/api"]);
    let config = format!(r#"{{"name":"web","version":"1.{number}.0","apiVersion":"v2"}}"#).into_bytes();
    let length = if big { 150_000 } else { *random.pick(&[0, 1, 100, 3_000, 9_000, 20_000]) };
    let layer = random.bytes(length);
    let mut blobs = vec![
        (Descriptor::of("application/vnd.cncf.helm.config.v1+json", &config), config),
        (Descriptor::of("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &layer), layer),
    ];
    if random.chance(40) {
        let provenance = random.bytes(700);
        blobs.push((Descriptor::of("application/vnd.cncf.helm.chart.provenance.v1.prov", &provenance), provenance));
    }
    let line = |(descriptor, _): &(Descriptor, Vec<u8>)| {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<String> = blobs[1..].iter().map(line).collect();
    let manifest = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, line(&blobs[0]), layers.join(","));
    let repository = Repository::parse(&format!("{host}/{name}")).expect("a repository");
    let reference = Reference::new(repository, Some(format!("1.{number}.0")), None);
    Chart { reference, blobs, manifest: manifest.into_bytes() }
}

/// What happens at a time.
enum Happening {
    Arrive(RequestId),
    Head(RequestId),
    Body(RequestId),
    Fail(RequestId, Failure),
    /// An answer to what was answered or cancelled already.
    Again(RequestId),
    Credential(QueryId, Option<Credential>),
    /// Who would know one cannot be asked.
    NoCredential(QueryId, Error),
    /// The chart has been looked at.
    Scanned(Push),
    Abort,
}

struct Call {
    asked: Asked,
    sink: Option<BlobId>,
    follows: bool,
    timeout: Option<Duration>,
    fate: Fate,
    answer: Option<Answer>,
    receiver: Option<Receiver>,
    /// When its body is given up.
    until: Option<u64>,
    sent: usize,
    held: u64,
}

/// One exchange under way.
struct Run<'a> {
    world: &'a mut World,
    exchange: Exchange,
    sources: Vec<Vec<u8>>,
    sinks: BTreeMap<BlobId, Vec<u8>>,
    happenings: BTreeMap<(u64, u64, u64), Happening>,
    calls: BTreeMap<RequestId, Call>,
    in_flight: BTreeSet<RequestId>,
    requests: usize,
    faults_left: u64,
    /// What stood in `Authorization` of requests that were answered well.
    proven: BTreeSet<String>,
    /// Of a push that began before its chart was looked at: that is done now.
    scanned: Option<bool>,
    /// When it is to be over at the latest, and when it was given up.
    deadline: Option<u64>,
    aborted: Option<u64>,
    /// Origins that asked to be left alone, and until when.
    quiet: BTreeMap<String, u64>,
}

impl<'a> Run<'a> {
    fn new(world: &'a mut World, exchange: Exchange, sources: Vec<Vec<u8>>) -> Run<'a> {
        let faults_left = match world.weather {
            Weather::Clear => 0,
            // One less than the tries of a request.
            Weather::Showers => 4,
            Weather::Storm => u64::MAX,
        };
        Run {
            world,
            exchange,
            sources,
            sinks: BTreeMap::new(),
            happenings: BTreeMap::new(),
            calls: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            requests: 0,
            faults_left,
            proven: BTreeSet::new(),
            scanned: None,
            deadline: None,
            aborted: None,
            quiet: BTreeMap::new(),
        }
    }

    fn finish(mut self) -> (Result<Outcome, Error>, BTreeMap<BlobId, Vec<u8>>) {
        let began = self.world.time;
        if self.world.weather == Weather::Storm && self.world.random.chance(5) {
            let after = self.world.random.below(2_000);
            self.plan(after, Happening::Abort);
        }
        if self.world.weather == Weather::Storm && self.world.random.chance(10) {
            let timeout = self.world.random.below(30_000);
            self.exchange.set_timeout(Some(Duration::from_millis(timeout)));
            self.deadline = Some(began + timeout);
        }
        for _ in 0..MOST_STEPS {
            match self.drain() {
                Poll::Done(result) => {
                    self.part(&result);
                    self.world.time += 1;
                    return (*result, self.sinks);
                }
                Poll::Wait(until) => {
                    assert!(
                        until.is_none_or(|until| until > self.now()),
                        "it waits for the past\n{}",
                        self.world.transcript
                    );
                    let next = self.happenings.first_key_value().map(|((time, _, _), _)| *time);
                    let until = until.map(Instant::as_millis);
                    let time = next.into_iter().chain(until).min();
                    let time = time.unwrap_or_else(|| panic!("it waits for nothing\n{}", self.world.transcript));
                    self.world.time = self.world.time.max(time);
                    assert!(self.world.time - began < MOST_TIME, "it takes too long\n{}", self.world.transcript);
                    if next.is_some_and(|next| next <= self.world.time)
                        && let Some((_, happening)) = self.happenings.pop_first()
                    {
                        self.happen(happening);
                    }
                }
            }
        }
        panic!("it does not end\n{}", self.world.transcript);
    }

    /// It is over: nothing is under way any more, and it was not late.
    fn part(&mut self, result: &Result<Outcome, Error>) {
        let time = self.world.time;
        assert!(self.in_flight.is_empty(), "requests are left behind\n{}", self.world.transcript);
        assert_eq!(self.world.session.claims(), 0, "others wait for it\n{}", self.world.transcript);
        assert!(
            self.deadline.is_none_or(|deadline| time <= deadline + LEAVING),
            "it is late\n{}",
            self.world.transcript
        );
        if let Some(aborted) = self.aborted {
            assert_eq!(aborted, time, "giving up takes time\n{}", self.world.transcript);
            assert!(result.as_ref().is_err_and(|error| error.code().name() == "exchange.aborted"), "it was given up");
            self.world.tally.insert("given up".to_owned());
        }
        if self.deadline == Some(time) && result.is_err() {
            self.world.tally.insert("out of time".to_owned());
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.world.time)
    }

    fn plan(&mut self, after: u64, happening: Happening) {
        let key = (self.world.time + after, self.world.random.next(), self.happenings.len() as u64);
        self.happenings.insert(key, happening);
    }

    fn latency(&mut self) -> u64 {
        let most = *self.world.random.pick(&[1, 20, 20, 400]);
        1 + self.world.random.below(most)
    }

    fn drain(&mut self) -> Poll {
        for _ in 0..1_000 {
            let output = self.exchange.poll(self.now());
            let shown = format!("{output:?}");
            self.log(&shown);
            match output {
                Output::Send(request) => self.send(request),
                Output::Cancel(id) => self.cancel(id),
                Output::Ask(query) => {
                    assert!(self.world.network.origin.ends_with(&query.registry), "{query:?}");
                    let storm = self.world.weather == Weather::Storm;
                    let unknown = query.refused || (storm && self.world.random.chance(3));
                    let wrong = storm && self.world.random.chance(3);
                    let password = if wrong { "wrong-".to_owned() + PASSWORD } else { PASSWORD.to_owned() };
                    let credential = (!unknown).then(|| Credential::Basic { username: USERNAME.to_owned(), password });
                    let after = self.world.random.below(50);
                    let happening = match storm && self.world.random.chance(2) {
                        true => {
                            let code = *self.world.random.pick(&[Code::AUTH_HELPER, Code::AUTH_HELPER_MISSING]);
                            Happening::NoCredential(query.id, Error::new(code, "nobody can be asked"))
                        }
                        false => Happening::Credential(query.id, credential),
                    };
                    self.plan(after, happening);
                }
                Output::Notify(event) => self.hear(&event),
                Output::Wait(wake) => return Poll::Wait(wake.until),
                Output::Done(result) => {
                    if let Err(error) = &result {
                        let json = serde_json::to_string(error).expect("an error as JSON");
                        self.log(&format!("{error} {error:?} {json}"));
                    }
                    return Poll::Done(Box::new(result));
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("it never waits\n{}", self.world.transcript);
    }

    fn hear(&mut self, event: &Event) {
        if let Event::Retrying { why, .. } = event {
            self.no_secret(why);
        }
    }

    /// Nothing that is shown holds a secret.
    fn no_secret(&self, shown: &str) {
        let tokens = self.world.network.tokens.iter().map(String::as_str);
        for secret in tokens.chain([PASSWORD, BASIC]) {
            assert!(!shown.contains(secret), "a secret is shown: {shown}\n{}", self.world.transcript);
        }
    }

    fn log(&mut self, shown: &str) {
        self.no_secret(shown);
        let _ = writeln!(self.world.transcript, "{:>8} {shown}", self.world.time);
    }

    fn send(&mut self, request: Request) {
        self.requests += 1;
        assert!(self.requests <= MOST_REQUESTS, "too many requests\n{}", self.world.transcript);
        assert!(!self.calls.contains_key(&request.id), "an id is used again");
        assert!(self.in_flight.insert(request.id));
        let tags = request.method == Method::Put && request.url.contains("/manifests/");
        assert!(!tags || self.scanned != Some(false), "a tag before the scan\n{}", self.world.transcript);
        assert!(self.in_flight.len() <= self.world.concurrency, "too many at once\n{}", self.world.transcript);
        for forbidden in ["host", "content-length", "connection", "transfer-encoding"] {
            assert_eq!(request.headers.get(forbidden), None, "the host's header");
        }
        self.mind(&request);
        let body: Arc<[u8]> = match &request.payload {
            Payload::Empty => Arc::default(),
            Payload::Bytes(bytes) => bytes.clone(),
            Payload::Blob { blob, range } => {
                self.sources[blob.0 as usize][range.start as usize..range.end as usize].into()
            }
        };
        // What the host reads itself holds what it put there.
        self.guard(&request, if matches!(request.payload, Payload::Bytes(_)) { &body } else { &[] });
        let is_token = request.url.contains("/token");
        let world = &mut *self.world;
        let showers = world.weather == Weather::Showers;
        let gives_tokens = world.network.gives_tokens();
        let is_proven = request.headers.get("authorization").is_some_and(|value| self.proven.contains(value));
        let fate = match self.faults_left > 0 && world.random.chance(world.severity) {
            true => Fate::of(&mut world.random, world.weather, request.method, &request.url),
            false => Fate::Fair,
        };
        let fate = match fate {
            // A token that has served may expire once; a password does not, and other bodies are not resumed.
            Fate::Expired if showers && (world.expired || !is_proven || !gives_tokens) => Fate::Fair,
            Fate::Restart if showers && gives_tokens && (world.expired || !is_proven) => Fate::Fair,
            Fate::Short if showers && request.sink.is_none() => Fate::Fair,
            fate => fate,
        };
        world.expired |= matches!(fate, Fate::Expired | Fate::Restart);
        if fate != Fate::Fair {
            self.faults_left -= 1;
            world.tally.insert(fate.name());
            let _ = writeln!(world.transcript, "{:>8} {:?} meets {fate:?}", world.time, request.id);
        }
        let asked = Asked { method: request.method, url: request.url, headers: request.headers, body };
        let call = Call {
            asked,
            sink: request.sink,
            follows: request.redirect == Redirect::Follow,
            timeout: request.thinking,
            fate,
            answer: None,
            receiver: None,
            until: None,
            sent: 0,
            held: 0,
        };
        self.calls.insert(request.id, call);
        let mut after = self.latency();
        if is_token && self.world.random.chance(5) {
            after += 20_000;
        }
        self.plan(after, Happening::Arrive(request.id));
    }

    /// Pieces are as large as the registry wants them, and nobody is disturbed who asked for quiet.
    fn mind(&mut self, request: &Request) {
        let world = &mut *self.world;
        let least = world.network.habits.pieces.map_or(0, |pieces| pieces.least as u64);
        let mut tell = |what: &str| world.tally.insert(what.to_owned());
        match (&request.method, &request.payload) {
            (Method::Patch, Payload::Blob { blob, range }) => {
                let is_last = range.end == self.sources[blob.0 as usize].len() as u64;
                assert!(is_last || range.end - range.start >= least, "a piece is too small\n{}", world.transcript);
                tell("sent in pieces");
            }
            (Method::Get, _) if request.url.contains("/blobs/uploads/") => drop(tell("asked how far it is")),
            (Method::Get, _) if request.headers.get("range").is_some() => drop(tell("resumed by Range")),
            _ => {}
        }
        let until = self.quiet.get(&origin_of(&request.url)).copied().unwrap_or(0);
        // A session of no more use is dropped for politeness, when the exchange is over.
        if request.method != Method::Delete {
            assert!(world.time >= until, "{} is not left alone\n{}", request.url, world.transcript);
        }
    }

    /// Secrets go where they may go.
    fn guard(&self, request: &Request, body: &[u8]) {
        let body = String::from_utf8_lossy(body);
        let headers = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
        let holds = |secret: &str| request.url.contains(secret) || headers.contains(secret) || body.contains(secret);
        if holds(PASSWORD) || holds(BASIC) {
            assert!(self.world.network.may_hear(&request.url, false), "a password goes to {}", request.url);
            assert!(!request.url.contains(PASSWORD), "a password stands in a URL");
        }
        if self.world.network.tokens.iter().any(|token| holds(token)) {
            assert!(self.world.network.may_hear(&request.url, true), "a token goes to {}", request.url);
        }
        if !self.world.network.may_hear(&request.url, false) {
            assert_eq!(request.headers.get("authorization"), None, "credentials go to {}", request.url);
        }
    }

    fn cancel(&mut self, id: RequestId) {
        self.in_flight.remove(&id);
        if self.world.random.chance(40) {
            let after = self.latency();
            self.plan(after, Happening::Again(id));
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(id) => self.arrive(id),
            Happening::Head(id) => self.head(id),
            Happening::Body(id) => self.body(id),
            Happening::Fail(id, failure) => {
                if self.in_flight.remove(&id) {
                    let receiver = self.calls.get_mut(&id).and_then(|call| call.receiver.take());
                    self.log(&format!("{id:?} fails: {failure:?}"));
                    self.exchange.handle_failure(id, failure, receiver);
                }
            }
            Happening::Again(id) => self.again(id),
            Happening::Credential(id, credential) => self.exchange.handle_credential(id, credential),
            Happening::NoCredential(id, error) => {
                self.world.tally.insert("no credential".to_owned());
                self.exchange.handle_credential_failure(id, error);
            }
            Happening::Scanned(push) => {
                self.log("scanned");
                self.scanned = Some(true);
                self.exchange.handle_scanned(push);
            }
            Happening::Abort => {
                self.log("abort");
                self.aborted = Some(self.world.time);
                self.exchange.abort();
                assert_eq!(self.world.session.claims(), 0, "others wait for it\n{}", self.world.transcript);
            }
        }
    }

    /// The request reaches its peer, or what becomes of it.
    fn arrive(&mut self, id: RequestId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (asked, fate, follows, timeout) = (call.asked.clone(), call.fate.clone(), call.follows, call.timeout);
        let world = &mut *self.world;
        world.network.now = Instant::from_millis(world.time);
        let failure = match &fate {
            Fate::NoConnection => Some((Failure::Connect("refused".to_owned()), 0)),
            Fate::Lost(Loss::Before) => Some((Failure::Reset, 0)),
            Fate::Lost(Loss::Midway) => {
                world.network.break_off(&asked);
                Some((Failure::Reset, 0))
            }
            Fate::Lost(Loss::After) => {
                world.network.answer(&asked, &Fate::Fair, follows, &mut world.random);
                Some((Failure::Reset, 0))
            }
            Fate::Silence => {
                if world.random.chance(50) {
                    world.network.answer(&asked, &Fate::Fair, follows, &mut world.random);
                }
                // A host without a time limit hears from its system in the end.
                Some(match timeout {
                    Some(timeout) => (Failure::Timeout, timeout.as_millis() as u64),
                    None => (Failure::Reset, 600_000),
                })
            }
            _ => None,
        };
        if let Some((failure, after)) = failure {
            return self.plan(after, Happening::Fail(id, failure));
        }
        let mut answer = world.network.answer(&asked, &fate, follows, &mut world.random);
        if asked.method == Method::Head {
            answer.body.clear();
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.answer = Some(answer);
        }
        let after = self.latency();
        self.plan(after, Happening::Head(id));
    }

    fn head(&mut self, id: RequestId) {
        if !self.in_flight.contains(&id) {
            return;
        }
        let Some((call, answer)) = self.calls.get(&id).and_then(|call| Some((call, call.answer.clone()?))) else {
            return;
        };
        let sink = call.sink;
        let Answer { status, headers, url, .. } = answer;
        let shown = format!("{id:?} is answered {status}");
        let receiver = self.exchange.handle_response(id, ResponseHead { status, headers, url });
        self.log(&shown);
        if receiver.stores() {
            let sink = self.sinks.entry(sink.expect("a sink for what is stored")).or_default();
            assert!(receiver.offset() <= sink.len() as u64, "bytes are missing before the offset");
            sink.truncate(receiver.offset() as usize);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.until = receiver.patience().map(|patience| self.world.time + patience.as_millis() as u64);
            call.receiver = Some(receiver);
        }
        self.body(id);
    }

    /// The next piece of a body, or its end.
    fn body(&mut self, id: RequestId) {
        if !self.in_flight.contains(&id) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let drips = matches!(call.fate, Fate::Drip | Fate::Cut { drips: true, .. });
        let length = 1 + self.world.random.below(if drips { 100 } else { CHUNK });
        let (Some(receiver), Some(answer)) = (&mut call.receiver, &call.answer) else { return };
        let rest = answer.body.get(call.sent..).unwrap_or_default();
        let endless = call.fate == Fate::Endless && call.asked.method != Method::Head;
        let breaks = match call.fate {
            Fate::Broken => call.sent >= answer.body.len() / 2,
            // Not what is wanted, but what is beside it.
            Fate::Cut { .. } => rest.is_empty() && answer.headers.get("content-length") == Some("1000"),
            _ => false,
        };
        let late = call.until.is_some_and(|until| self.world.time > until);
        let ended = (rest.is_empty() && !endless) || breaks || late;
        if !ended {
            let chunk = match rest {
                [] => vec![b'x'; length as usize],
                rest => rest[..(length as usize).min(rest.len())].to_vec(),
            };
            call.sent += chunk.len();
            let taken = receiver.write(&chunk);
            if taken && receiver.stores() {
                let sink = call.sink.expect("a sink for what is stored");
                self.sinks.entry(sink).or_default().extend_from_slice(&chunk);
            } else if taken {
                call.held += chunk.len() as u64;
                assert!(call.held <= MOST_HELD, "{} bytes are held\n{}", call.held, self.world.transcript);
            }
            if taken {
                let after = self.world.random.below(if drips { 5_000 } else { 3 });
                return self.plan(after, Happening::Body(id));
            }
        }
        let Some(receiver) = self.calls.get_mut(&id).and_then(|call| call.receiver.take()) else { return };
        self.in_flight.remove(&id);
        match breaks || late {
            true => {
                self.log(&format!("{id:?} {}", if late { "is given up" } else { "breaks off" }));
                if late {
                    self.world.tally.insert("a body is given up".to_owned());
                }
                let decided = self.calls.get(&id).filter(|call| matches!(call.fate, Fate::Cut { .. }));
                self.proven.extend(decided.and_then(|call| call.asked.headers.get("authorization").map(str::to_owned)));
                self.exchange.handle_failure(id, if late { Failure::Timeout } else { Failure::Reset }, Some(receiver));
            }
            false => {
                let served = self.calls.get(&id).filter(|call| call.answer.as_ref().is_some_and(|it| it.status < 400));
                self.proven.extend(served.and_then(|call| call.asked.headers.get("authorization").map(str::to_owned)));
                self.exchange.handle_end(id, receiver);
                self.hush(id);
            }
        }
        if self.calls.get(&id).is_some_and(|call| call.fate == Fate::Twice) {
            let after = self.latency();
            self.plan(after, Happening::Again(id));
        }
    }

    /// The answer asks for quiet, for as long as anybody waits.
    fn hush(&mut self, id: RequestId) {
        // Where nothing hangs on an answer, it is not read.
        let is_heard = |call: &&Call| !call.follows && call.asked.method != Method::Delete;
        let Some(call) = self.calls.get(&id).filter(is_heard) else { return };
        let Fate::Status(_, Some(pause)) = call.fate else { return };
        if pause.millis() <= 60_000 {
            let until = self.quiet.entry(origin_of(&call.asked.url)).or_default();
            *until = (*until).max(self.world.time + pause.millis());
        }
    }

    /// Answers once more what needs no answer: it must do no harm.
    fn again(&mut self, id: RequestId) {
        self.log(&format!("{id:?} is answered again"));
        let answer = self.calls.get(&id).and_then(|call| call.answer.clone());
        match answer.filter(|_| self.world.random.chance(70)) {
            Some(Answer { status, headers, body, url }) => {
                let mut receiver = self.exchange.handle_response(id, ResponseHead { status, headers, url });
                receiver.write(&body);
                match self.world.random.chance(50) {
                    true => self.exchange.handle_end(id, receiver),
                    false => self.exchange.handle_failure(id, Failure::Timeout, Some(receiver)),
                }
            }
            None => self.exchange.handle_failure(id, Failure::Reset, None),
        }
    }
}

enum Poll {
    Wait(Option<Instant>),
    Done(Box<Result<Outcome, Error>>),
}
