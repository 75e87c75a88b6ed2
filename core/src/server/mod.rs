//! A registry as a machine: requests in, responses out, files as verbs. Knows no Helm.
//!
//! ```text
//! accept(head, now) → Serving;  poll:  Receive { receiver, sink } → host reads the body, handle_body
//!                                      Do(verb)                   → host touches its files, handle_file
//!                                      Respond(response)          → the end
//! ```
//! With [`Memory`](crate::files::Memory) as the files, all of it happens in memory: [`serve_in_memory`].
//!
//! Requests may be served at the same time, each by its own [`Serving`]. What was answered with 201 or 202 to a PUT or
//! DELETE is in the files, wherever the host dies; what was not is swept at the next start. A loss of power spares manifests,
//! tags, and the blobs that manifests name.

mod access;
mod blobs;
mod commit;
mod errors;
mod layout;
mod manifests;
mod memory;
mod open;
mod route;
mod serving;
mod state;
mod tags;
mod tidy;
mod uploads;

#[cfg(test)]
mod tests;

pub use memory::{open_in_memory, serve_in_memory};
pub use open::Open;
pub use serving::Serving;
pub use tidy::Tidy;

use std::sync::{Arc, Mutex};

use access::{Caller, Permit};
use errors::Refusal;
use route::{Request, Route, Unrouted};
use serving::Next;
use state::State;

use crate::error::Error;
use crate::files::Verb;
use crate::http::{Headers, Method, Receiver};
use crate::limits::Limits;
use crate::time::{Duration, Instant};

/// How a registry behaves.
///
/// ```
/// use chartoci::server::Config;
/// let config = Config { hosts: vec!["registry.test".to_owned()], ..Config::default() };
/// assert!(!config.https);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Bounds; a blob may be of any size.
    pub limits: Limits,
    /// Seed of upload ids and tokens: take it from a good source of randomness, save in tests.
    pub seed: u64,
    /// The host speaks TLS: the token server's address says `https`.
    pub https: bool,
    /// `Host` values that are served besides loopback names, with a port or for every port; anything else gets 421.
    pub hosts: Vec<String>,
    /// Origins that may read and write from a page, as browsers write them: see [`Config::checked`].
    pub cors_origins: Vec<String>,
    /// Who may do anything, if not everybody.
    pub access: Access,
    /// How long a token is good for; 300 seconds if nothing is said.
    pub token_lifetime: Option<Duration>,
}

impl Config {
    /// Origins and hosts as browsers write them: in lower case, an origin without its scheme's own port or a slash.
    ///
    /// # Errors
    /// [`Code::ARGUMENT`](crate::Code::ARGUMENT) for what is no origin or no host (`*` and `null` are none), and for a user's
    /// name with a colon, which nobody could show (RFC 7617, section 2).
    ///
    /// ```
    /// use chartoci::server::Config;
    /// let named = |origin: &str| Config { cors_origins: vec![origin.to_owned()], ..Config::default() }.checked();
    /// assert_eq!(named("https://App.Example:443/")?.cors_origins, ["https://app.example"]);
    /// assert!(named("*").is_err() && named("null").is_err());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn checked(mut self) -> Result<Config, Error> {
        self.cors_origins = self.cors_origins.iter().map(|text| access::origin(text)).collect::<Result<_, _>>()?;
        self.hosts = self.hosts.iter().map(|text| access::host(text)).collect::<Result<_, _>>()?;
        access::users(&self.access)?;
        Ok(self)
    }
}

/// Who may use the registry.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// By user and password.
    Basic(Users),
    /// By a token, which `/token` of this registry gives for user and password.
    Bearer(Users),
}

/// Who is known by which password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Users {
    /// One user.
    One {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
    /// The host knows: each time somebody gives a name and a password it is asked, by [`Output::Check`].
    Asked,
}

impl std::fmt::Debug for Access {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Access::Open => "Open",
            Access::Basic(_) => "Basic(…)",
            Access::Bearer(_) => "Bearer(…)",
        })
    }
}

impl std::fmt::Debug for Users {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Users::One { .. } => "One(…)",
            Users::Asked => "Asked",
        })
    }
}

/// The head of a request to the registry.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// Its method.
    pub method: Method,
    /// Path and query, as on the wire: `/v2/web/tags/list?n=10`.
    pub target: String,
    /// Its headers, `host` included.
    pub headers: Headers,
}

/// The registry's answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers; `content-length` is among them wherever the status allows it, for HEAD with the length that GET would
    /// have.
    pub headers: Headers,
    /// Its body; a HEAD's answer has none.
    pub body: Body,
}

/// Where an answer's body comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// Held by the core.
    Bytes(Arc<[u8]>),
    /// Part of a file, which the host streams.
    File {
        /// Below the registry's directory.
        path: String,
        /// First byte.
        offset: u64,
        /// Bytes.
        length: u64,
    },
}

/// Where the body of a request is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Below the registry's directory.
    pub path: String,
    /// The file is cut to this before the first byte is stored.
    pub offset: u64,
}

/// What serving one request takes next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Find out whether this is the user's password, then `handle_check`. Only where the users are [`Users::Asked`].
    Check(Claim),
    /// Read the request's body into the receiver (and the sink, if there is one), then `handle_body`.
    Receive {
        /// Takes the bytes.
        receiver: Receiver,
        /// Where they are stored as well.
        sink: Option<Sink>,
    },
    /// Do this, then `handle_file`.
    Do(Verb),
    /// Send this. The last word. Where the request has a body that was not asked for, the host reads it away or closes
    /// the connection.
    Respond(Response),
}

/// Somebody's word for who they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Claim {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A registry. Clone freely: clones share.
///
/// ```
/// use chartoci::files::Memory;
/// use chartoci::http::Method;
/// use chartoci::server::{Config, Registry, RequestHead, serve_in_memory};
/// use chartoci::time::Instant;
///
/// let registry = Registry::new(Config::default());
/// let mut files = Memory::new();
/// let mut ask = |method: Method, target: &str, body: &[u8]| {
///     let headers = [("host", "localhost")].into_iter().collect();
///     let head = RequestHead { method, target: target.to_owned(), headers };
///     serve_in_memory(&registry, &mut files, head, body, Instant::default())
/// };
/// let digest = chartoci::Digest::of(b"hello");
/// let (response, _) = ask(Method::Post, &format!("/v2/greetings/blobs/uploads/?digest={digest}"), b"hello");
/// assert_eq!(response.status, 201);
/// let manifest = format!(
///     r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
///         "config":{{"mediaType":"text/plain","digest":"{digest}","size":5}},"layers":[]}}"#
/// );
/// assert_eq!(ask(Method::Put, "/v2/greetings/manifests/1.0.0", manifest.as_bytes()).0.status, 201);
/// assert_eq!(ask(Method::Get, "/v2/greetings/manifests/1.0.0", b"").1, manifest.as_bytes());
/// assert_eq!(ask(Method::Get, &format!("/v2/greetings/blobs/{digest}"), b"").1, b"hello");
/// ```
#[derive(Clone)]
pub struct Registry {
    state: Arc<Mutex<State>>,
}

impl Registry {
    /// A registry over files; what they hold is read by [`Registry::open`] first.
    pub fn new(config: Config) -> Registry {
        Registry { state: Arc::new(Mutex::new(State::new(config))) }
    }

    /// Reads what the directory holds, and sweeps what a crash left behind. Done once, before the first request; an empty
    /// directory becomes an OCI image layout.
    pub fn open(&self) -> Open {
        Open::new(Arc::clone(&self.state))
    }

    /// Brings `index.json` up to date, where it is not: for hosts that have time, and when they end. What was acknowledged is
    /// in the files before that, and read by [`Registry::open`].
    ///
    /// ```
    /// use chartoci::server::{Config, Registry};
    /// assert!(Registry::new(Config::default()).tidy().is_none());
    /// ```
    pub fn tidy(&self) -> Option<Tidy> {
        let next = commit::tidy(&mut serving::lock(&self.state))?;
        Some(Tidy::new(Serving::new(Arc::clone(&self.state), next, Box::new(|response| response))))
    }

    /// Begins to serve a request.
    pub fn accept(&self, head: RequestHead, now: Instant) -> Serving {
        let is_head = head.method == Method::Head;
        let (next, origin) = begin(&mut serving::lock(&self.state), head, now);
        let finish = Box::new(move |response: Response| finish(response, is_head, origin.as_deref()));
        Serving::new(Arc::clone(&self.state), next, finish)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

/// Host, origin, route, permission, endpoint. With the named origin that may read the answer.
fn begin(state: &mut State, head: RequestHead, now: Instant) -> (Next, Option<String>) {
    // A target may name the host itself, and then that is the one (RFC 9112, section 3.2.2).
    let (named, target) = route::absolute(&head.target);
    if head.headers.get_all("host").count() > 1 {
        return (Next::Answer(Refusal::Unsupported.because("there is more than one host").status(400)), None);
    }
    let host = named.or(head.headers.get("host")).unwrap_or_default().to_owned();
    if !access::is_own_host(&state.config, &host) {
        let response = Refusal::Denied.about("this registry does not serve that host", host.into()).status(421);
        return (Next::Answer(response), None);
    }
    let is_safe = matches!(head.method, Method::Get | Method::Head);
    let origin = match access::caller(&state.config, &head.headers, &host) {
        Caller::Foreign if !is_safe => {
            return (Next::Answer(Refusal::Denied.because("pages of this origin may not write")), None);
        }
        Caller::Own | Caller::Foreign => None,
        Caller::Named(origin) => Some(origin),
    };
    if head.method == Method::Options {
        return (Next::Answer(access::preflight(&head.headers)), origin);
    }
    let (path, query) = route::split(target);
    let route = match Route::parse(path) {
        Ok(route) => route,
        Err(Unrouted::Name) => {
            return (Next::Answer(Refusal::NameInvalid.because("the repository's name is not valid")), origin);
        }
        Err(Unrouted::Nowhere) => {
            return (Next::Answer(Refusal::Unsupported.because("there is nothing here").status(404)), origin);
        }
    };
    let request = Request { method: head.method, route, query, headers: head.headers, now };
    let next = match access::authorize(state, &request, &host) {
        Permit::Granted => endpoint(state, &request),
        Permit::Refused(response) => Next::Answer(response),
        Permit::Ask(claim, refusal) => {
            let then =
                move |state: &mut State, known| if known { endpoint(state, &request) } else { Next::Answer(refusal) };
            Next::Check { claim, then: Box::new(then) }
        }
    };
    (next, origin)
}

fn endpoint(state: &mut State, request: &Request) -> Next {
    match &request.route {
        Route::Base if !matches!(request.method, Method::Get | Method::Head) => Next::Answer(not_allowed("GET, HEAD")),
        Route::Base => Next::Answer(Response::json(200, &serde_json::json!({}))),
        Route::Token => access::token(state, request),
        Route::Catalog => tags::catalog(state, request),
        Route::Blob { repository, digest } => blobs::serve(state, request, repository, digest),
        Route::Uploads { repository } => uploads::open(state, request, repository),
        Route::Upload { repository, id } => uploads::serve(state, request, repository, id),
        Route::Manifest { repository, reference } => manifests::serve(state, request, repository, reference),
        Route::Tags { repository } => tags::serve(state, request, repository),
        Route::Referrers { repository, digest } => tags::referrers(state, request, repository, digest),
    }
}

/// What every answer has: nothing that a browser would take for a page, and no body where HEAD asked.
fn finish(response: Response, is_head: bool, origin: Option<&str>) -> Response {
    let mut response =
        response.with("docker-distribution-api-version", "registry/2.0").with("x-content-type-options", "nosniff");
    if let Some(origin) = origin {
        response = access::share(response, origin);
    }
    if is_head {
        response.body = Body::Empty;
    }
    response
}

fn not_allowed(methods: &str) -> Response {
    Refusal::Unsupported.because("the method is not allowed here").with("allow", methods)
}

impl Response {
    /// A status, nothing else.
    fn new(status: u16) -> Response {
        Response { status, headers: Headers::new(), body: Body::Empty }
    }

    /// A status that comes with a body, which is empty.
    fn empty(status: u16) -> Response {
        Response::new(status).with("content-length", "0")
    }

    fn json(status: u16, value: &serde_json::Value) -> Response {
        let bytes: Arc<[u8]> = value.to_string().into_bytes().into();
        let mut response = Response::new(status)
            .with("content-type", "application/json")
            .with("content-length", bytes.len().to_string());
        response.body = Body::Bytes(bytes);
        response
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.add(name, value);
        self
    }

    fn status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }

    fn typed(mut self, media_type: &str) -> Response {
        self.headers.remove("content-type");
        self.with("content-type", media_type)
    }
}
