//! The vocabulary of HTTP, and nothing that does it.

pub mod headers;
pub mod host;
pub mod link;
pub(crate) mod net_url;
pub mod proxy;
mod receiver;
pub mod url;
pub mod warning;

pub use headers::Headers;
pub use receiver::Receiver;

use std::ops::Range;
use std::sync::Arc;

use crate::time::Duration;

/// Number of a request, unique within its exchange, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// Which of the blobs that an exchange names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u32);

/// The methods that registries know.
///
/// ```
/// use chartoci::http::Method;
/// assert_eq!(Method::parse("PATCH"), Some(Method::Patch));
/// assert_eq!((Method::parse("patch"), Method::Patch.as_str()), (None, "PATCH"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }

    /// The method of that name, upper case.
    pub fn parse(text: &str) -> Option<Method> {
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Options]
            .into_iter()
            .find(|method| method.as_str() == text)
    }
}

/// A request that the host is to send.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Output, Session};
/// use chartoci::http::{BlobId, Payload, Redirect, Request, RequestId};
/// use chartoci::{Descriptor, oci::Repository, time::Instant};
/// let blob = Descriptor::of("text/plain", b"hello");
/// let mut exchange = Exchange::fetch(&Session::new(Config::default()), Repository::parse("reg.example/web")?, blob);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// let Request { id, payload, sink, redirect, .. } = request;
/// assert_eq!((id, payload, sink), (RequestId(1), Payload::Empty, Some(BlobId(0))));
/// assert_eq!(redirect, Redirect::Manual, "whoever follows decides what goes along");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// Hand it back with the answer.
    pub id: RequestId,
    /// Its method.
    pub method: Method,
    /// Absolute, `http` or `https`.
    pub url: String,
    /// Never Host, Content-Length, Connection. The host adds Content-Length from the payload, 0 included, to POST, PUT
    /// and PATCH, and never uses chunked transfer.
    pub headers: Headers,
    /// The body.
    pub payload: Payload,
    /// Where the host stores the body of a 200 or 206 while the receiver verifies it.
    pub sink: Option<BlobId>,
    /// Whether the host follows redirects itself.
    pub redirect: Redirect,
    /// Silence allowed before the host gives up, while anything is sent and while the answer's body arrives. What drips is
    /// never silent: [`Receiver::patience`] bounds it.
    pub timeout: Option<Duration>,
    /// Silence allowed between the last byte that is sent and the answer's head: registries think long about a blob.
    pub thinking: Option<Duration>,
}

/// A request's body. A blob is a description: for a retry the host opens the range again.
///
/// ```
/// use chartoci::http::{BlobId, Payload};
/// let part = Payload::Blob { blob: BlobId(1), range: 1_000..1_500 };
/// assert_eq!((part.len(), part.is_empty()), (500, false));
/// assert!(Payload::Empty.is_empty());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// No body; Content-Length is 0 where the method allows a body.
    Empty,
    /// Small, held by the core: a manifest, a config, a form.
    Bytes(Arc<[u8]>),
    /// Part of a blob that the host has.
    Blob {
        /// Which.
        blob: BlobId,
        /// Its bytes.
        range: Range<u64>,
    },
}

impl std::fmt::Debug for Payload {
    /// Without the bytes: a form may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Payload::Empty => f.write_str("Empty"),
            Payload::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Payload::Blob { blob, range } => write!(f, "Blob({}, {range:?})", blob.0),
        }
    }
}

impl Payload {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Blob { range, .. } => range.end - range.start,
        }
    }

    /// It has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Who follows redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// The core: the host hands back the 3xx.
    Manual,
    /// The host, because it cannot do otherwise (browsers).
    Follow,
}

/// The head of a response.
///
/// ```
/// use chartoci::http::ResponseHead;
/// let headers = [("Content-Type", "application/json")].into_iter().collect();
/// let head = ResponseHead { status: 200, headers, url: None };
/// assert_eq!(head.headers.get("content-type"), Some("application/json"));
/// ```
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Where the answer came from, if the host followed redirects.
    pub url: Option<String>,
}

/// Why a request could not be completed.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Output, Session};
/// use chartoci::{Code, Reference, http::Failure, time::Instant};
/// let reference = Reference::parse("reg.example/web:1.0.0")?;
/// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// exchange.handle_failure(request.id, Failure::Forbidden("10.0.0.7 is not allowed".to_owned()), None);
/// let Output::Done(Err(error)) = exchange.poll(Instant::default()) else { panic!() };
/// assert_eq!(error.kind().as_str(), "denied", "not retried");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection: unknown host, refused, unreachable.
    Connect(String),
    /// The proxy of that host and port answered so when it was asked for a tunnel (CONNECT, RFC 9110 section 9.3.6). A status
    /// 4xx is not tried again, save 408 and 429.
    Proxy(u16, String),
    /// TLS failed: certificate, protocol.
    Tls(String),
    /// Silence for longer than the request's timeout.
    Timeout,
    /// The connection broke.
    Reset,
    /// The host's own storage failed: no room, no permission. Not retried.
    Storage(String),
    /// The host was told not to connect there (`allow`). Not retried.
    Forbidden(String),
    /// Anything else, in the host's words.
    Other(String),
}

impl Failure {
    /// The failure that drivers call so, with what they say of it; of `proxy` that is the status, a blank, and the proxy's
    /// host and port. `None`: there is none of that name.
    ///
    /// ```
    /// use chartoci::http::Failure;
    /// assert_eq!(Failure::named("proxy", "407 proxy.example:3128"), Some(Failure::Proxy(407, "proxy.example:3128".to_owned())));
    /// assert_eq!(Failure::named("timeout", ""), Some(Failure::Timeout));
    /// assert_eq!(Failure::named("moon", ""), None);
    /// ```
    pub fn named(name: &str, text: &str) -> Option<Failure> {
        let text = text.to_owned();
        Some(match name {
            "connect" => Failure::Connect(text),
            "proxy" => {
                let (status, place) = text.split_once(' ').unwrap_or((&text, ""));
                let proxy = status.parse().ok().map(|status| Failure::Proxy(status, place.to_owned()));
                proxy.unwrap_or(Failure::Connect(text))
            }
            "tls" => Failure::Tls(text),
            "timeout" => Failure::Timeout,
            "reset" => Failure::Reset,
            "storage" => Failure::Storage(text),
            "forbidden" => Failure::Forbidden(text),
            "other" => Failure::Other(text),
            _ => return None,
        })
    }
}
