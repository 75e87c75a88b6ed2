//! The peers: a registry, its token server, and the storage and upload hosts that it sends its clients to.

use std::sync::Arc;

use chartoci::files::{Memory, Verb};
use chartoci::http::{Failure, Headers, Method};
use chartoci::oci::Digest;
use chartoci::server::{self, Access, Output, Registry, RequestHead, open_in_memory, serve_in_memory};
use chartoci::time::Instant;

use crate::fate::{Fate, Pause};
use crate::habits::Habits;
use crate::random::Random;

pub(crate) const USERNAME: &str = "somebody";
pub(crate) const PASSWORD: &str = "marker-of-a-password";
/// Of the user and the password, as Basic writes them.
pub(crate) const BASIC: &str = "c29tZWJvZHk6bWFya2VyLW9mLWEtcGFzc3dvcmQ=";

/// An answer on its way.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) url: Option<String>,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().copied().collect();
        Answer { status, headers, body: body.to_vec(), url: None }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.remove(name);
        self.headers.add(name, value);
    }
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Arc<[u8]>,
}

pub(crate) struct Network {
    pub(crate) files: Memory,
    /// `scheme://host[:port]` of the registry.
    pub(crate) origin: String,
    /// The token server has a host of its own.
    pub(crate) has_token_host: bool,
    /// Tokens that were given.
    pub(crate) tokens: Vec<String>,
    pub(crate) habits: Habits,
    /// Bodies that were refused for their size.
    pub(crate) refusals: u64,
    registry: Registry,
    access: Access,
    restarts: u64,
    pub(crate) now: Instant,
}

impl Network {
    pub(crate) fn new(origin: &str, access: Access, has_token_host: bool, habits: Habits) -> Network {
        let mut network = Network {
            files: Memory::new(),
            origin: origin.to_owned(),
            has_token_host,
            tokens: Vec::new(),
            habits,
            refusals: 0,
            registry: Registry::new(server::Config::default()),
            access,
            restarts: 0,
            now: Instant::default(),
        };
        network.restart();
        network
    }

    /// Another process over the same files: no session and no token is known any more.
    fn restart(&mut self) {
        self.restarts += 1;
        self.registry = Registry::new(server::Config {
            seed: self.restarts,
            https: self.origin.starts_with("https:"),
            hosts: vec![self.host().to_owned()],
            access: self.access.clone(),
            ..server::Config::default()
        });
        open_in_memory(&self.registry, &mut self.files).expect("the files of a registry");
    }

    pub(crate) fn gives_tokens(&self) -> bool {
        matches!(self.access, Access::Bearer(_))
    }

    fn host(&self) -> &str {
        self.origin.split_once("://").expect("a scheme").1
    }

    /// Whether a secret may go to the host of that URL. Tokens are for the registry alone.
    pub(crate) fn may_hear(&self, url: &str, is_token: bool) -> bool {
        let url = without_port(url);
        let is_at = |origin: &str| url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'));
        is_at(&self.origin) || (!is_token && self.has_token_host && is_at("https://auth.test"))
    }

    /// Carries a request to where it goes, and follows redirects if the host does.
    pub(crate) fn answer(&mut self, asked: &Asked, fate: &Fate, follows: bool, random: &mut Random) -> Answer {
        let mut answer = match fate {
            Fate::Status(status, pause) => status_answer(*status, *pause),
            Fate::Page => {
                // A receipt is known by its type and what its head names, and this names nothing.
                let kinds = ["text/html", "text/html; charset=utf-8", "application/json", "text/plain"];
                let kind = *random.pick(&kinds[..if asked.method == Method::Get { 4 } else { 2 }]);
                Answer::new(200, &[("content-type", kind)], b"<html>please log in</html>")
            }
            Fate::HostileRealm => self.hostile_realm(asked, random),
            Fate::Redirected { hops, foreign } => self.redirect(asked, *hops, *foreign, random),
            Fate::Cut { redirected: true, .. } => {
                let foreign = random.chance(50);
                self.redirect(asked, random.below(3), foreign, random)
            }
            Fate::Downgraded => {
                let location = asked.url.replacen("https:", "http:", 1);
                Answer::new(307, &[("location", &location), ("content-length", "0")], b"")
            }
            Fate::Expired => {
                let mut bare = asked.clone();
                bare.headers.remove("authorization");
                self.carry(&bare)
            }
            // A manifest that is another on its way to a tag is another manifest, and as good: the client alone can tell.
            Fate::Flipped if !asked.body.is_empty() && asked.url.contains("/blobs/") && random.chance(50) => {
                let mut body = asked.body.to_vec();
                flip(&mut body, random);
                self.carry(&Asked { body: body.into(), ..asked.clone() })
            }
            Fate::IgnoredRange => {
                let mut whole = asked.clone();
                whole.headers.remove("range");
                self.carry(&whole)
            }
            Fate::Restart => {
                self.restart();
                self.carry(asked)
            }
            _ => self.carry(asked),
        };
        if follows {
            answer = self.follow(asked, answer);
        }
        self.distort(asked, &mut answer, fate, random);
        answer
    }

    fn distort(&mut self, asked: &Asked, answer: &mut Answer, fate: &Fate, random: &mut Random) {
        match fate {
            // What a tag means nobody can tell who is not told its digest.
            Fate::Flipped if self.habits.names_digests || !asked.url.contains("/manifests/") => {
                flip(&mut answer.body, random);
            }
            Fate::Short => {
                let length = answer.body.len() as u64;
                answer.body.truncate(random.below(length.max(1)) as usize);
            }
            Fate::Long => answer.body.extend_from_slice(b"and more"),
            Fate::WrongDigestHeader => answer.set("docker-content-digest", Digest::of(b"another").as_str()),
            Fate::ForeignDigestHeader => answer.set("docker-content-digest", &format!("sha512:{}", "a".repeat(128))),
            Fate::NoDigestHeader => answer.headers.remove("docker-content-digest"),
            Fate::NoLocation => answer.headers.remove("location"),
            Fate::OddLocation if answer.headers.get("location").is_some() => {
                let odd: [&str; 5] = [
                    "http://",
                    "https://[::1",
                    "ftp://registry.test/a",
                    "https://a:b@evil.test/",
                    "https://evil test/",
                ];
                answer.set("location", random.pick::<&str>(&odd));
            }
            // What the head says is all there is to know, whatever stands below.
            Fate::ShortRange if answer.status == 206 => {
                let bounds = answer.headers.get("content-range").and_then(|range| {
                    let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
                    Some((range.split_once('-')?.0.parse::<usize>().ok()?, total.to_owned()))
                });
                if let Some((start, total)) = bounds.filter(|_| answer.body.len() > 1) {
                    answer.body.truncate(1 + random.below(answer.body.len() as u64 - 1) as usize);
                    let last = start + answer.body.len() - 1;
                    answer.set("content-range", &format!("bytes {start}-{last}/{total}"));
                    answer.set("content-length", &answer.body.len().to_string());
                }
            }
            Fate::WrongContentRange => {
                if let Some(range) = answer.headers.get("content-range").map(str::to_owned) {
                    answer.set("content-range", &range.replacen("bytes ", "bytes 1", 1));
                }
            }
            Fate::ForeignLocation if answer.status == 202 => {
                if let Some(location) = answer.headers.get("location").map(str::to_owned) {
                    answer.set("location", &format!("https://upload.test{location}?state=a%2Fb"));
                }
            }
            _ if answer.status == 202 => {
                if let Some(location) = answer.headers.get("location").map(str::to_owned) {
                    answer.set("location", &self.habits.place(&asked.url, &location));
                }
            }
            _ => {}
        }
        // What the head says is all there is to know, whatever stands below.
        let told = answer.body.is_empty() && asked.method != Method::Head && !matches!(answer.status, 200 | 206);
        if told && matches!(fate, Fate::Cut { .. }) {
            answer.body = b"<html>and so on".repeat(4);
            answer.set("content-length", "1000");
        }
        self.habits.dress(asked, answer);
        // What is given for a token is a secret from now on.
        if asked.url.contains("/token")
            && let Ok(value) = serde_json::from_slice::<serde_json::Value>(&answer.body)
            && let Some(token) = value["token"].as_str()
        {
            self.tokens.push(token.to_owned());
        }
    }

    /// As a browser does it: without what belongs to the first origin.
    fn follow(&mut self, asked: &Asked, mut answer: Answer) -> Answer {
        let mut asked = asked.clone();
        for _ in 0..20 {
            let location = answer.headers.get("location").map(str::to_owned);
            let Some(location) = location.filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308)) else {
                break;
            };
            if asked.url.starts_with("https:") && location.starts_with("http:") {
                asked.url = location;
                break;
            }
            if !location.starts_with(&self.origin) {
                asked.headers.remove("authorization");
            }
            asked.url = location;
            answer = self.carry(&asked);
        }
        answer.url = Some(asked.url);
        answer
    }

    fn carry(&mut self, asked: &Asked) -> Answer {
        let url = without_port(&asked.url);
        let (scheme, rest) = url.split_once("://").expect("an absolute URL");
        let (host, target) = rest.split_at(rest.find('/').expect("a path"));
        let origin = format!("{scheme}://{host}");
        if let Some(rest) = target.strip_prefix("/hop/") {
            return self.hop(asked, &origin, rest);
        }
        match origin.as_str() {
            origin if origin == self.origin => self.serve(asked, target),
            "https://auth.test" if self.has_token_host && target.starts_with("/token") => self.serve(asked, target),
            "https://cdn.test" | "https://upload.test" => {
                let authorization = self.privilege(target);
                let mut asked = asked.clone();
                asked.headers.remove("authorization");
                asked.headers.add("authorization", authorization);
                self.serve(&asked, target)
            }
            _ => panic!("a request that nobody asked for: {} {}", asked.method.as_str(), asked.url),
        }
    }

    fn serve(&mut self, asked: &Asked, target: &str) -> Answer {
        if let Some(refusal) = self.habits.refusal(asked, target) {
            self.refusals += u64::from(!asked.body.is_empty());
            return refusal;
        }
        if let Some((most, _)) = self.habits.pages.filter(|_| target.ends_with("/tags/list")) {
            return self.serve_plainly(asked, &format!("{target}?n={most}"));
        }
        self.serve_plainly(asked, target)
    }

    fn serve_plainly(&mut self, asked: &Asked, target: &str) -> Answer {
        let head = self.head(asked, target);
        let (response, body) = serve_in_memory(&self.registry, &mut self.files, head, &asked.body, self.now);
        let mut answer = Answer { status: response.status, headers: response.headers, body, url: None };
        if self.has_token_host
            && let Some(challenge) = answer.headers.get("www-authenticate").map(str::to_owned)
        {
            answer.set(
                "www-authenticate",
                &challenge.replace(&format!("{}/token", self.origin), "https://auth.test/token"),
            );
        }
        answer
    }

    fn head(&self, asked: &Asked, target: &str) -> RequestHead {
        let mut headers = asked.headers.clone();
        headers.add("host", self.host());
        headers.add("content-length", asked.body.len().to_string());
        RequestHead { method: asked.method, target: target.to_owned(), headers }
    }

    /// Half of the request arrives.
    pub(crate) fn break_off(&mut self, asked: &Asked) {
        let url = without_port(&asked.url);
        let Some(target) = url.strip_prefix(&self.origin) else { return };
        let mut serving = self.registry.accept(self.head(asked, target), self.now);
        loop {
            match serving.poll() {
                Output::Receive { mut receiver, sink } => {
                    let half = &asked.body[..asked.body.len() / 2];
                    receiver.write(half);
                    if let Some(sink) = sink {
                        self.files.execute(Verb::Write { path: sink.path, offset: sink.offset, data: half.to_vec() });
                    }
                    serving.handle_body(receiver, Err(Failure::Reset));
                }
                Output::Do(verb) => {
                    let answer = self.files.execute(verb);
                    serving.handle_file(answer);
                }
                Output::Respond(_) => return,
                other => panic!("{other:?}"),
            }
        }
    }

    /// What a signed URL is good for.
    fn privilege(&mut self, target: &str) -> String {
        if let Access::Bearer(_) = self.access {
            let name = target.strip_prefix("/v2/").unwrap_or_default();
            let ends =
                ["/blobs/", "/manifests/", "/tags/", "/referrers/"].map(|end| name.find(end).unwrap_or(name.len()));
            let name = &name[..ends.into_iter().min().unwrap_or_default()];
            let scoped = format!("/token?scope=repository:{name}:pull,push");
            let headers = [("authorization", format!("Basic {BASIC}"))].into_iter().collect();
            let asked = Asked { method: Method::Get, url: String::new(), headers, body: Arc::default() };
            let answer = self.serve_plainly(&asked, &scoped);
            let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("a token");
            return format!("Bearer {}", value["token"].as_str().expect("a token"));
        }
        format!("Basic {BASIC}")
    }

    fn redirect(&mut self, asked: &Asked, hops: u64, foreign: bool, random: &mut Random) -> Answer {
        let url = without_port(&asked.url);
        let Some(target) = url.strip_prefix(&self.origin) else { return self.carry(asked) };
        let origin = if foreign { "https://cdn.test" } else { &self.origin };
        let location = format!("{origin}/hop/{hops}{target}");
        Answer::new(*random.pick(&[301, 302, 303, 307, 308]), &[("location", &location), ("content-length", "0")], b"")
    }

    fn hop(&mut self, asked: &Asked, origin: &str, rest: &str) -> Answer {
        let (hops, target) = rest.split_at(rest.find('/').expect("a path"));
        match hops.parse::<u64>().expect("a number of hops") {
            0 => self.carry(&Asked { url: format!("{origin}{target}"), ..asked.clone() }),
            hops => {
                let location = format!("{origin}/hop/{}{target}", hops - 1);
                Answer::new(307, &[("location", &location), ("content-length", "0")], b"")
            }
        }
    }

    fn hostile_realm(&mut self, asked: &Asked, random: &mut Random) -> Answer {
        let https = [
            "http://evil.test/token",
            "https://127.0.0.1/token",
            "https://[::1]/token",
            "https://169.254.169.254/token",
            "https://localhost/token",
            "https://user:word@evil.test/token",
            "https://2130706433/token",
            "ftp://evil.test/token",
            "//evil.test/token",
        ];
        let http = ["http://169.254.169.254/token", "http://10.0.0.1/token", "http://user@evil.test/token"];
        let realm = match asked.url.starts_with("https:") {
            true => random.pick(&https),
            false => random.pick(&http),
        };
        let challenge = format!("Bearer realm=\"{realm}\",service=\"evil\"");
        Answer::new(401, &[("www-authenticate", &challenge), ("content-length", "0")], b"")
    }
}

/// The port that goes without saying is not said.
fn without_port(url: &str) -> String {
    let port = if url.starts_with("https:") { ":443/" } else { ":80/" };
    url.replacen(port, "/", 1)
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    if !bytes.is_empty() {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
}

fn status_answer(status: u16, pause: Option<Pause>) -> Answer {
    let body = match status % 3 {
        0 => "",
        1 => "<html>no</html>",
        _ => r#"{"errors":[{"code":"UNKNOWN","message":"no"}]}"#,
    };
    let mut answer = Answer::new(status, &[("content-length", &body.len().to_string())], body.as_bytes());
    match pause {
        Some(Pause::Seconds(seconds)) => answer.set("retry-after", &seconds.to_string()),
        Some(Pause::Decimal(seconds, hundredths)) => answer.set("retry-after", &format!("{seconds}.{hundredths:02}")),
        Some(Pause::Date(seconds)) => {
            answer.set("date", "Sun, 06 Nov 1994 08:49:37 GMT");
            answer.set("retry-after", &format!("Sun, 06 Nov 1994 08:49:{:02} GMT", 37 + seconds));
        }
        Some(Pause::Nonsense) => answer.set("retry-after", "soon"),
        None => {}
    }
    answer
}
