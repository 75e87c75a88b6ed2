//! A registry as a machine: requests in, responses out, files as verbs. Knows no Helm.
//!
//! ```text
//! accept(head, now) → Serving;  poll:  Receive { receiver, sink } → host reads the body, handle_body
//!                                      Do(verb)                   → host touches its files, handle_file
//!                                      Respond(response)          → the end
//! ```
//! With [`Memory`](crate::files::Memory) as the files, all of it happens in memory.

use std::sync::Arc;

use crate::files::{Answer, Memory, Verb};
use crate::http::{Failure, Headers, Method, Receiver};
use crate::limits::Limits;
use crate::time::Instant;

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
    /// Origins that may read and write from a page. Never `*`.
    pub cors_origins: Vec<String>,
    /// Who may do anything, if not everybody.
    pub access: Access,
}

/// Who may use the registry.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// By user and password.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
    /// By a token, which `/token` of this registry gives for user and password.
    Bearer {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
}

impl std::fmt::Debug for Access {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Access::Open => "Open",
            Access::Basic { .. } => "Basic(…)",
            Access::Bearer { .. } => "Bearer(…)",
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

/// A registry. Clone freely: clones share.
#[derive(Clone)]
pub struct Registry {
    /* owner: server */
    _private: Arc<()>,
}

impl Registry {
    /// A registry over files; what they hold is read by [`Registry::open`] first, unless they are empty.
    pub fn new(config: Config) -> Registry {
        let _ = config;
        todo!()
    }
    /// Reads what the directory holds, and sweeps what a crash left behind. A file machine's first part.
    pub fn open(&self) -> Open {
        todo!()
    }
    /// Begins to serve a request.
    pub fn accept(&self, head: RequestHead, now: Instant) -> Serving {
        let _ = (head, now);
        todo!()
    }
}

/// Reads a registry's directory.
pub struct Open {}

impl Open {
    /// What to do next.
    pub fn poll(&mut self) -> crate::files::Step<()> {
        todo!()
    }
    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let _ = answer;
        todo!()
    }
}

/// Serves one request.
pub struct Serving {}

impl Serving {
    /// What to do next.
    pub fn poll(&mut self) -> Output {
        todo!()
    }
    /// The body is complete, or broke off.
    pub fn handle_body(&mut self, receiver: Receiver, result: Result<(), Failure>) {
        let _ = (receiver, result);
        todo!()
    }
    /// What came of a verb.
    pub fn handle_file(&mut self, answer: Answer) {
        let _ = answer;
        todo!()
    }
}

/// Serves one request with files in memory: the answer, and its body. For tests and browsers.
pub fn serve_in_memory(
    registry: &Registry,
    files: &mut Memory,
    head: RequestHead,
    body: &[u8],
    now: Instant,
) -> (Response, Vec<u8>) {
    let _ = (registry, files, head, body, now);
    todo!()
}
