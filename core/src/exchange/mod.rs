//! Talking to a registry: machines that do no IO.
//!
//! A [`Session`] outlives its [`Exchange`]s: it holds the policy, the tokens, and what was learned about each host. An
//! exchange is one operation. The host drives it:
//!
//! 1. [`Exchange::poll`] until [`Output::Wait`] or [`Output::Done`], after every `handle_…` and when the wait is over;
//! 2. start each [`Output::Send`] now or queue it, its order is yours, several may be out at once;
//! 3. when the head of an answer is there, [`Exchange::handle_response`] gives a [`Receiver`] for the body. Each chunk goes
//!    through [`Receiver::write`], on whatever thread; where [`Receiver::stores`] says so, the chunks for which it answered
//!    true are stored in the request's sink as well, which was cut to [`Receiver::offset`] before. A body is given up after
//!    [`Receiver::patience`]. Then [`Exchange::handle_end`], or [`Exchange::handle_failure`] with the receiver: a download goes on where it broke off;
//! 4. answer [`Output::Ask`] with [`Exchange::handle_credential`];
//! 5. after `Done(Ok(…))` what is in the sinks is verified, and only then it gets its name.
//!
//! Answers may come in any order and from any thread, one at a time. An answer to a cancelled, finished or unknown id is
//! ignored; polling early is harmless; after `Done` nothing follows. The same inputs and the same seed give the same
//! outputs.
//!
//! | rule | |
//! | --- | --- |
//! | credentials | go to the registry's origin, and to the realm of a challenge that came from it ([`realm`]) |
//! | other origins | redirects and upload locations are followed without `Authorization`; https never becomes http |
//! | bodies | no blob is sent before it is settled who asks; each answer has a limit before its first byte is read |
//! | uploads | in one PUT; in pieces where the host refuses that; with the POST where it takes that; what fails is dropped |
//! | tokens | one for all exchanges of a session that need it at the same time, renewed once |
//! | lists | of referrers, where they are kept under a tag: changed by one exchange of a session at a time |
//! | retries | 408, 425, 429, 5xx and broken connections, with full jitter; `Retry-After` holds back every call to the host |
//! | digests | of the reference, of the answer's head, of the bytes: each by its own algorithm; the bytes win |
//!
//! [`realm`]: crate::auth::origin::realm

mod authority;
mod call;
mod calls;
mod copy;
mod delete;
mod errcode;
mod fetch;
mod list;
mod login;
mod manifests;
mod place;
mod pull;
mod push;
mod referrers;
mod resolve;
mod retry;
mod session;
mod tags;
mod upload;

pub use crate::http::Receiver;
pub use copy::{Copied, Copy};
pub use delete::Deleted;
pub use pull::{Pull, Pulled, Want};
pub use push::{IfExists, Push, Pushed, Source, Upload, Uploaded};
pub use referrers::{Referrer, Referrers};
pub use resolve::{Resolve, Resolved};
pub use retry::RetryPolicy;
pub use session::{Config, HostSet, Session, Traits, not_a_count};

use std::ops::Range;

use crate::slots::Slots;
use calls::{AuthorityId, CallId, Calls, Draft, Failed, Reply};
use place::Place;

use crate::auth::{Credential, Scope};
use crate::error::{Code, Error, Kind};
use crate::http::{BlobId, Failure, Request, RequestId, ResponseHead};
use crate::limits::Limits;
use crate::oci::{Descriptor, Reference, Repository};
use crate::time::{Duration, Instant};
use crate::version::{Constraint, Version};

/// Number of a question about credentials, unique within its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u32);

/// Which credentials are wanted.
///
/// ```
/// use chartoci::auth::Credential;
/// use chartoci::exchange::{Config, CredentialQuery, Exchange, Output, QueryId, Session};
/// use chartoci::{Reference, http::ResponseHead, time::Instant};
/// let reference = Reference::parse("reg.example/web:1.0.0")?;
/// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// let headers = [("www-authenticate", "Basic realm=\"reg\"")].into_iter().collect();
/// let receiver = exchange.handle_response(request.id, ResponseHead { status: 401, headers, url: None });
/// exchange.handle_end(request.id, receiver);
///
/// let Output::Ask(query) = exchange.poll(Instant::default()) else { panic!() };
/// let CredentialQuery { id, registry, refused, .. } = query;
/// assert_eq!((id, registry.as_str(), refused), (QueryId(1), "reg.example", false));
/// let credential = Credential::Basic { username: "Aladdin".to_owned(), password: "open sesame".to_owned() };
/// exchange.handle_credential(id, Some(credential));
/// let Output::Send(again) = exchange.poll(Instant::default()) else { panic!() };
/// assert_eq!(again.headers.get("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialQuery {
    /// Hand it back with the answer.
    pub id: QueryId,
    /// Host, and port if one was given, as in the reference.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The token server, if there is one.
    pub realm: Option<String>,
    /// The service's name for itself.
    pub service: Option<String>,
    /// `repository:team/web:pull,push`.
    pub scope: Option<String>,
    /// The last answer was refused: the same secret is not asked for twice.
    pub refused: bool,
    /// A secret that was given without a word of whom it is for may answer: this is the registry that the exchange is for. A
    /// copy is for its target, and asks for its source as well; see [`Exchange::on_behalf_of`].
    pub own: bool,
}

/// What the machine wants next.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // `Done` comes once
pub enum Output {
    /// Start it; several may be out at once.
    Send(Request),
    /// Its answer no longer matters.
    Cancel(RequestId),
    /// Answer with [`Exchange::handle_credential`].
    Ask(CredentialQuery),
    /// Something worth telling.
    Notify(Event),
    /// Nothing to do until an answer comes, or until this time.
    Wait(Wake),
    /// The last word; nothing follows it.
    Done(Result<Outcome, Error>),
}

/// When and why to poll again.
///
/// ```
/// use chartoci::exchange::{Config, Event, Exchange, Output, Session, Wake};
/// use chartoci::{Reference, http::Failure, time::{Duration, Instant}};
/// let reference = Reference::parse("reg.example/web:1.0.0")?;
/// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// exchange.handle_failure(request.id, Failure::Reset, None);
/// let Output::Notify(Event::Retrying { after, .. }) = exchange.poll(Instant::default()) else { panic!() };
/// assert!(after <= Duration::from_millis(200), "the first pause of the policy is the longest that it may be");
/// let Output::Wait(Wake { until, .. }) = exchange.poll(Instant::default()) else { panic!() };
/// assert_eq!(until, Some(Instant::default() + after));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Not before an answer comes, if none.
    pub until: Option<Instant>,
    /// For logs.
    pub why: &'static str,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A blob was already there.
    Exists(Descriptor),
    /// A blob is there now.
    Uploaded(Descriptor),
    /// A blob has arrived and is what its digest says.
    Downloaded(BlobId, Descriptor),
    /// A request is tried again.
    Retrying {
        /// After this pause.
        after: Duration,
        /// Because of this.
        why: String,
    },
    /// The registry or the library has something to say.
    Notice {
        /// Stable name.
        code: &'static str,
        /// For people.
        text: String,
    },
}

/// What an exchange achieved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// [`Exchange::push`].
    Pushed(Pushed),
    /// [`Exchange::pull`].
    Pulled(Pulled),
    /// [`Exchange::resolve`].
    Resolved(Resolved),
    /// [`Exchange::tags`]: each once, in the registry's order, all pages.
    Tags(Vec<String>),
    /// [`Exchange::versions`]: newest first.
    Versions(Vec<Version>),
    /// [`Exchange::fetch`], [`Exchange::fetch_part`]; [`Exchange::copy`], where it is to be upgraded: push it.
    Fetched(Descriptor),
    /// [`Exchange::copy`].
    Copied(Copied),
    /// [`Exchange::delete`].
    Deleted(Deleted),
    /// [`Exchange::referrers`].
    Referrers(Referrers),
    /// [`Exchange::login`].
    LoggedIn {
        /// The registry, or its token server, took the credential; false where nobody asked for one.
        checked: bool,
    },
}

/// One operation: a machine that the host drives.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Outcome, Output, Session};
/// use chartoci::http::{Headers, ResponseHead};
/// use chartoci::oci::Repository;
/// use chartoci::time::Instant;
///
/// let session = Session::new(Config::default());
/// let mut exchange = Exchange::tags(&session, Repository::parse("reg.example/web")?);
/// let Output::Send(request) = exchange.poll(Instant::from_millis(0)) else { panic!() };
/// assert_eq!(request.url, "https://reg.example/v2/web/tags/list");
///
/// // The host sends it, and tells what came of it.
/// let head = ResponseHead { status: 200, headers: Headers::new(), url: None };
/// let mut receiver = exchange.handle_response(request.id, head);
/// receiver.write(br#"{"name":"web","tags":["1.0.0"]}"#);
/// exchange.handle_end(request.id, receiver);
///
/// let Output::Done(Ok(Outcome::Tags(tags))) = exchange.poll(Instant::from_millis(20)) else { panic!() };
/// assert_eq!(tags, ["1.0.0"]);
/// # Ok::<(), chartoci::Error>(())
/// ```
pub struct Exchange {
    calls: Calls,
    drive: Box<dyn Drive>,
    /// What its errors are about.
    subject: Vec<(&'static str, String)>,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// What the scan has found, until the operation has heard of it.
    scanned: Option<Push>,
    phase: Phase,
}

/// How long a failed exchange may take to drop its upload sessions.
const LEAVING: Duration = Duration::from_secs(2);

enum Phase {
    Fresh,
    Running,
    Aborted,
    /// It has failed, and tidies up behind itself until then at most.
    Leaving(Box<Error>, Instant),
    /// The result, until it is handed out.
    Over(Option<Box<Result<Outcome, Error>>>),
}

impl Exchange {
    /// Uploads blobs and then a manifest under a tag.
    ///
    /// ```
    /// # use chartoci::chart::{Scan, package::Options, package_in_memory};
    /// # use chartoci::exchange::{Config, Exchange, Output, Push, Session};
    /// # use chartoci::{Artifact, Limits, files::Memory, time::Instant};
    /// # let limits = Limits::default();
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let artifact = Artifact::build(&Scan::read(&data, &limits)?, None, None, &limits)?;
    /// let push = Push::chart(&artifact, "oci://reg.example/charts")?;
    /// let mut exchange = Exchange::push(&Session::new(Config::default()), push);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.method.as_str(), "POST");
    /// assert!(request.url.starts_with("https://reg.example/v2/charts/web/blobs/uploads/?mount=sha256%3A"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn push(session: &Session, push: Push) -> Exchange {
        let reference = push.target.clone();
        Exchange::new(session, &reference, Scope::push, |target| push::Pushing::new(target, push))
    }

    /// The same of a chart that is still being scanned ([`Scanning`](crate::chart::Scanning)): what its Chart.yaml promises.
    /// The chart and its provenance go up; what is made of Chart.yaml, the config and the manifest with its tag, waits for
    /// [`Exchange::handle_scanned`].
    ///
    /// ```
    /// # use chartoci::chart::{Scan, Scanning, package::Options, package_in_memory};
    /// # use chartoci::exchange::{Config, Exchange, Output, Push, Session};
    /// # use chartoci::{Artifact, Digest, Limits, files::Memory, time::Instant};
    /// # let limits = Limits::default();
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let push = |scan: &Scan| Push::chart(&Artifact::build(scan, None, None, &limits)?, "oci://reg.example/charts");
    /// let mut scanning = Scanning::new(&data, &limits)?;
    /// let promised = push(&scanning.promised()?.unwrap())?;
    /// let mut exchange = Exchange::push_ahead(&Session::new(Config::default()), promised);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert!(request.url.contains(Digest::of(&data).hex()), "the chart goes up");
    /// exchange.handle_scanned(push(&scanning.finish()?)?);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn push_ahead(session: &Session, promised: Push) -> Exchange {
        let reference = promised.target.clone();
        Exchange::new(session, &reference, Scope::push, |target| push::Pushing::promised(target, promised))
    }

    /// Fetches a manifest and the layers that are wanted. Whether the config says what Chart.yaml says, which Helm does not ask,
    /// [`Doubt`](crate::artifact::Doubt) tells of what was pulled.
    ///
    /// ```
    /// # use chartoci::{Reference, exchange::{Config, Exchange, Output, Pull, Session, Want}, time::Instant};
    /// let reference = Reference::parse("oci://reg.example/charts/web:1.0.0")?;
    /// let want = Want { chart: true, provenance: true, config: false, anything: false };
    /// let pull = Pull { reference, version: None, devel: false, want, check_tag: false, verify: false };
    /// let mut exchange = Exchange::pull(&Session::new(Config::default()), pull);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.method.as_str(), "GET");
    /// assert_eq!(request.url, "https://reg.example/v2/charts/web/manifests/1.0.0");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn pull(session: &Session, pull: Pull) -> Exchange {
        let reference = pull.reference.clone();
        Exchange::new(session, &reference, Scope::pull, |target| pull::Pulling::new(target, pull))
    }

    /// Finds out which tag and digest a reference or a range of versions means.
    ///
    /// ```
    /// # use chartoci::{Reference, exchange::{Config, Exchange, Output, Resolve, Session}, time::Instant};
    /// let reference = Reference::parse("oci://reg.example/charts/web")?;
    /// let resolve = Resolve { reference, version: Some("^1.2".to_owned()), devel: false };
    /// let mut exchange = Exchange::resolve(&Session::new(Config::default()), resolve);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.url, "https://reg.example/v2/charts/web/tags/list");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn resolve(session: &Session, resolve: Resolve) -> Exchange {
        let reference = resolve.reference.clone();
        Exchange::new(session, &reference, Scope::pull, |target| resolve::Resolving::new(target, resolve))
    }

    /// Lists all tags.
    pub fn tags(session: &Session, repository: Repository) -> Exchange {
        let reference = Reference::new(repository, None, None);
        Exchange::new(session, &reference, Scope::pull, |target| tags::Listing::new(target, None))
    }

    /// Lists the versions among all tags, newest first: what [`versions`](crate::version::tag::versions) makes of them.
    ///
    /// ```
    /// use chartoci::exchange::{Config, Exchange, Outcome, Output, Session};
    /// use chartoci::{Constraint, http::{Headers, ResponseHead}, oci::Repository, time::Instant};
    /// let (repository, constraint) = (Repository::parse("reg.example/web")?, Constraint::parse("^1")?);
    /// let mut exchange = Exchange::versions(&Session::new(Config::default()), repository, Some(constraint), false);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// let head = ResponseHead { status: 200, headers: Headers::new(), url: None };
    /// let mut receiver = exchange.handle_response(request.id, head);
    /// receiver.write(br#"{"name":"web","tags":["1.0.0","1.10.0_b1","1.9.0","2.0.0","latest"]}"#);
    /// exchange.handle_end(request.id, receiver);
    /// let Output::Done(Ok(Outcome::Versions(versions))) = exchange.poll(Instant::default()) else { panic!() };
    /// let newest_first: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
    /// assert_eq!(newest_first, ["1.10.0+b1", "1.9.0", "1.0.0"]);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn versions(
        session: &Session,
        repository: Repository,
        constraint: Option<Constraint>,
        prerelease: bool,
    ) -> Exchange {
        let reference = Reference::new(repository, None, None);
        let wanted = Some((constraint, prerelease));
        Exchange::new(session, &reference, Scope::pull, |target| tags::Listing::new(target, wanted))
    }

    /// Copies what lies at a reference to another, in the same or another registry; see [`struct@Copy`].
    ///
    /// ```
    /// # use chartoci::{Reference, exchange::{Config, Copy, Exchange, Output, Session}, time::Instant};
    /// let (source, target) = (Reference::parse("a.example/web:1.0.0")?, Reference::parse("b.example/web:1.0.0")?);
    /// let copy = Copy { source, target, referrers: true, upgrade: false };
    /// let mut exchange = Exchange::copy(&Session::new(Config::default()), copy);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.url, "https://a.example/v2/web/manifests/1.0.0");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn copy(session: &Session, copy: Copy) -> Exchange {
        let reference = copy.target.clone();
        Exchange::build(session, &reference, |calls| Ok(Driver::boxed(copy::Copying::new(session, copy, calls)?)))
    }

    /// Deletes a tag; or, where the reference has a digest, a manifest and with it all of its tags.
    ///
    /// ```
    /// # use chartoci::{Reference, exchange::{Config, Exchange, Output, Session}, time::Instant};
    /// let reference = Reference::parse("oci://reg.example/web:1.0.0")?;
    /// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.method.as_str(), "DELETE");
    /// assert_eq!(request.url, "https://reg.example/v2/web/manifests/1.0.0");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn delete(session: &Session, reference: Reference) -> Exchange {
        let named = reference.clone();
        Exchange::new(session, &named, Scope::delete, |target| delete::Deleting::new(target, reference))
    }

    /// Lists what refers to a manifest: all of it, or what is of one type.
    ///
    /// ```
    /// # use chartoci::{Digest, Reference, exchange::{Config, Exchange, Output, Session}, time::Instant};
    /// let digest = Digest::of(b"a manifest");
    /// let reference = Reference::parse(&format!("oci://reg.example/web@{digest}"))?;
    /// let mut exchange = Exchange::referrers(&Session::new(Config::default()), reference, None);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.url, format!("https://reg.example/v2/web/referrers/{digest}"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn referrers(session: &Session, reference: Reference, artifact_type: Option<String>) -> Exchange {
        let named = reference.clone();
        Exchange::new(session, &named, Scope::pull, |target| {
            referrers::Referring::new(target, reference, artifact_type)
        })
    }

    /// Fetches one blob into [`BlobId`] 0.
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Outcome, Output, Session};
    /// # use chartoci::http::{BlobId, Headers, ResponseHead};
    /// # use chartoci::{Descriptor, oci::Repository, time::Instant};
    /// let blob = Descriptor::of("text/plain", b"hello");
    /// let repository = Repository::parse("reg.example/web")?;
    /// let mut exchange = Exchange::fetch(&Session::new(Config::default()), repository, blob.clone());
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.sink, Some(BlobId(0)));
    /// let head = ResponseHead { status: 200, headers: Headers::new(), url: None };
    /// let mut receiver = exchange.handle_response(request.id, head);
    /// let mut sink = Vec::new();
    /// for chunk in [&b"hel"[..], b"lo"] {
    ///     if receiver.write(chunk) && receiver.stores() {
    ///         sink.extend_from_slice(chunk);
    ///     }
    /// }
    /// exchange.handle_end(request.id, receiver);
    /// let fetched = loop {
    ///     if let Output::Done(result) = exchange.poll(Instant::default()) {
    ///         break result?;
    ///     }
    /// };
    /// assert!(matches!(fetched, Outcome::Fetched(verified) if verified == blob));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn fetch(session: &Session, repository: Repository, blob: Descriptor) -> Exchange {
        let reference = Reference::new(repository, None, None);
        let part = 0..blob.size;
        Exchange::new(session, &reference, Scope::pull, |target| fetch::Fetching::new(target, blob, part))
    }

    /// Fetches a part of a blob into [`BlobId`] 0, from which byte to which: the sink's offsets are the blob's, and so is
    /// [`Receiver::offset`]. Where the registry sends the whole nevertheless, the sink is cut to 0. A part is not verified
    /// against the digest: it is for those who verify the whole.
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Output, Session};
    /// # use chartoci::{Descriptor, oci::Repository, time::Instant};
    /// let blob = Descriptor::of("text/plain", b"0123456789");
    /// let repository = Repository::parse("reg.example/web")?;
    /// let mut exchange = Exchange::fetch_part(&Session::new(Config::default()), repository, blob, 2..5);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.headers.get("range"), Some("bytes=2-4"), "the last byte counts (RFC 9110, 14.1.2)");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn fetch_part(session: &Session, repository: Repository, blob: Descriptor, part: Range<u64>) -> Exchange {
        let reference = Reference::new(repository, None, None);
        Exchange::new(session, &reference, Scope::pull, |target| fetch::Fetching::new(target, blob, part))
    }

    /// Fetches the config of a chart that is here already into [`BlobId`] 0, by one try: what it says otherwise than the chart
    /// is worth a notice, and no wait. See [`Doubt`](crate::artifact::Doubt).
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Output, Session};
    /// # use chartoci::{Descriptor, artifact::CONFIG, oci::Repository, time::Instant};
    /// let config = Descriptor::of(CONFIG, br#"{"name":"web","version":"1.0.0","apiVersion":"v2"}"#);
    /// let repository = Repository::parse("reg.example/web")?;
    /// let mut exchange = Exchange::config(&Session::new(Config::default()), repository, config.clone());
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(request.url, format!("https://reg.example/v2/web/blobs/{}", config.digest));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn config(session: &Session, repository: Repository, config: Descriptor) -> Exchange {
        let reference = Reference::new(repository, None, None);
        Exchange::new(session, &reference, Scope::pull, |target| fetch::Fetching::config(target, config))
    }

    /// Finds out whether the registry takes the credential that [`Output::Ask`] is answered with. The session should be one of
    /// its own: a token that is held already would prove nothing.
    ///
    /// ```
    /// # use chartoci::{exchange::{Config, Exchange, Output, Session}, time::Instant};
    /// let mut exchange = Exchange::login(&Session::new(Config::default()), "Reg.Example:5000")?;
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "https://reg.example:5000/v2/"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`login_registry`](crate::oci::reference::login_registry), which reads the registry's name.
    pub fn login(session: &Session, registry: &str) -> Result<Exchange, Error> {
        let reference = Reference::new(Repository::whole(registry)?, None, None);
        let mut exchange = Exchange::new(session, &reference, |_| Scope::default(), login::LoggingIn::new);
        exchange.subject.truncate(1);
        Ok(exchange)
    }

    fn new<O: Operation + 'static>(
        session: &Session,
        reference: &Reference,
        scope: fn(&str) -> Scope,
        operation: impl FnOnce(Target) -> O,
    ) -> Exchange {
        Exchange::build(session, reference, |calls| {
            let place = Place::new(session, reference.base())?;
            let authority = calls.authority(&place, scope(reference.repository()), None);
            Ok(Driver::boxed(operation(Target { place, authority })))
        })
    }

    fn build(
        session: &Session,
        reference: &Reference,
        drive: impl FnOnce(&mut Calls) -> Result<Box<dyn Drive>, Error>,
    ) -> Exchange {
        let mut calls = Calls::new(session, reference.registry());
        let (drive, phase) = match drive(&mut calls) {
            Ok(drive) => (drive, Phase::Fresh),
            Err(error) => (Box::new(Nothing) as Box<dyn Drive>, Phase::Over(Some(Box::new(Err(error))))),
        };
        let subject = vec![
            ("registry", reference.registry().to_owned()),
            ("repository", reference.repository().to_owned()),
            ("reference", reference.to_string()),
        ];
        Exchange { calls, drive, subject, timeout: session.config().timeout, deadline: None, scanned: None, phase }
    }

    /// Allows the whole exchange this much time, in place of [`Config::timeout`]. Counts from the first poll; later it
    /// changes nothing.
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Output, Session};
    /// # use chartoci::{Code, Reference, time::{Duration, Instant}};
    /// let reference = Reference::parse("reg.example/web:1.0.0")?;
    /// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
    /// exchange.set_timeout(Some(Duration::from_secs(5)));
    /// let mut until = |millis| loop {
    ///     match exchange.poll(Instant::from_millis(millis)) {
    ///         Output::Done(result) => break Some(result.unwrap_err().code()),
    ///         Output::Wait(_) => break None,
    ///         _ => {}
    ///     }
    /// };
    /// assert_eq!((until(0), until(4_999), until(5_000)), (None, None, Some(Code::TRANSPORT_TIMEOUT)));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// It is part of something that is for another registry, as the fetch of a blob is that a copy sends on: see
    /// [`CredentialQuery::own`].
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Output, Session};
    /// # use chartoci::{Descriptor, http::ResponseHead, oci::Repository, time::Instant};
    /// let blob = Descriptor::of("text/plain", b"0123456789");
    /// let repository = Repository::parse("source.example/web")?;
    /// let mut exchange = Exchange::fetch(&Session::new(Config::default()), repository, blob);
    /// exchange.on_behalf_of("target.example");
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// let headers = [("www-authenticate", "Basic realm=\"reg\"")].into_iter().collect();
    /// let receiver = exchange.handle_response(request.id, ResponseHead { status: 401, headers, url: None });
    /// exchange.handle_end(request.id, receiver);
    /// let Output::Ask(query) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!((query.registry.as_str(), query.own), ("source.example", false));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn on_behalf_of(&mut self, registry: &str) {
        self.calls.home = registry.to_owned();
    }

    /// Moves time forward and says what to do next. Call until it answers `Wait` or `Done`. After `Done` it only waits.
    pub fn poll(&mut self, now: Instant) -> Output {
        loop {
            if let Some(output) = self.calls.output() {
                return output;
            }
            if let Phase::Over(result) = &mut self.phase {
                return match result.take() {
                    Some(result) => Output::Done(*result),
                    None => Output::Wait(Wake { until: None, why: "nothing: it is over" }),
                };
            }
            match self.advance(now) {
                Ok(None) if self.calls.is_idle() => {
                    let end = match self.phase {
                        Phase::Leaving(_, until) => Some(until),
                        _ => self.deadline,
                    };
                    let until = self.calls.wake(now).into_iter().chain(end).min();
                    return Output::Wait(Wake { until, why: self.calls.waits_for() });
                }
                Ok(None) => {}
                Ok(Some(outcome)) => self.finish(Ok(outcome)),
                Err(error) => self.fail(error, now),
            }
        }
    }

    /// The head of a response is here. Feed its body to the receiver.
    pub fn handle_response(&mut self, id: RequestId, head: ResponseHead) -> Receiver {
        self.calls.response(id, head)
    }

    /// The body is complete, or [`Receiver::write`] said to stop.
    pub fn handle_end(&mut self, id: RequestId, receiver: Receiver) {
        self.calls.end(id, receiver);
    }

    /// The request could not be completed. Give the receiver back if there was one: a pull resumes.
    pub fn handle_failure(&mut self, id: RequestId, failure: Failure, receiver: Option<Receiver>) {
        self.calls.failure(id, failure, receiver);
    }

    /// The answer to [`Output::Ask`]; `None` means anonymous.
    pub fn handle_credential(&mut self, id: QueryId, credential: Option<Credential>) {
        self.calls.credential(id, Ok(credential));
    }

    /// The answer to [`Output::Ask`] where the credential could not be had. It ends the exchange; where only the helper that
    /// would know is missing ([`Code::AUTH_HELPER_MISSING`]) and something is but to be read, that is tried without one.
    ///
    /// ```
    /// # use chartoci::exchange::{Config, Exchange, Output, Session};
    /// # use chartoci::{Code, Error, Reference, http::ResponseHead, time::Instant};
    /// # let reference = Reference::parse("reg.example/web:1.0.0")?;
    /// # let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
    /// # let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// # let headers = [("www-authenticate", "Basic realm=\"reg\"")].into_iter().collect();
    /// # let receiver = exchange.handle_response(request.id, ResponseHead { status: 401, headers, url: None });
    /// # exchange.handle_end(request.id, receiver);
    /// let Output::Ask(query) = exchange.poll(Instant::default()) else { panic!() };
    /// exchange.handle_credential_failure(query.id, Error::new(Code::AUTH_HELPER, "the helper was killed"));
    /// let Output::Done(Err(error)) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(error.code(), Code::AUTH_HELPER);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn handle_credential_failure(&mut self, id: QueryId, error: Error) {
        self.calls.credential(id, Err(error));
    }

    /// The chart of an [`Exchange::push_ahead`] has been scanned, and this is what to push: to the same reference, or else
    /// that is an error and nothing gets a tag. Where the scan refused the chart, [`Exchange::abort`].
    pub fn handle_scanned(&mut self, push: Push) {
        self.scanned = Some(push);
    }

    /// Where the payload of a blob is to be fetched: the host streams it by [`Exchange::fetch_part`] from there. `None`: it
    /// has the blob itself.
    ///
    /// ```
    /// use chartoci::exchange::{Config, Exchange, IfExists, Push, Session, Source, Upload};
    /// use chartoci::{Descriptor, Reference, http::BlobId, oci::Repository};
    /// let blob = Descriptor::of("application/vnd.oci.empty.v1+json", b"{}");
    /// let elsewhere = Repository::parse("a.example/web")?;
    /// let push = Push {
    ///     target: Reference::parse("b.example/web:1.0.0")?,
    ///     uploads: vec![Upload { descriptor: blob.clone(), source: Source::Registry(elsewhere.clone()) }],
    ///     manifest: b"{}".as_slice().into(),
    ///     media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
    ///     if_exists: IfExists::Overwrite,
    /// };
    /// let exchange = Exchange::push(&Session::new(Config::default()), push);
    /// assert_eq!(exchange.source(BlobId(0)), Some((elsewhere, blob)));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)> {
        self.drive.source(blob)
    }

    /// Gives up: cancels what is out, then `Done(Err(Aborted))`. Other exchanges of the session wait for it no longer, whether
    /// it is polled again or not.
    ///
    /// ```
    /// # use chartoci::{Code, Reference, exchange::{Config, Exchange, Output, Session}, time::Instant};
    /// # let reference = Reference::parse("reg.example/web:1.0.0")?;
    /// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference);
    /// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    /// exchange.abort();
    /// let Output::Cancel(id) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(id, request.id);
    /// let Output::Done(Err(error)) = exchange.poll(Instant::default()) else { panic!() };
    /// assert_eq!(error.code(), Code::ABORTED);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn abort(&mut self) {
        if !matches!(self.phase, Phase::Over(_)) {
            self.phase = Phase::Aborted;
            self.calls.cancel();
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Option<Outcome>, Error> {
        match self.phase {
            Phase::Leaving(ref error, until) => {
                let error = error.clone();
                self.calls.take_in(now);
                while self.calls.settled().is_some() {}
                if self.calls.is_empty() || until <= now {
                    return Err(*error);
                }
                self.calls.send_out(now);
                return Ok(None);
            }
            Phase::Aborted => return Err(Error::new(Code::ABORTED, "the exchange was aborted")),
            Phase::Fresh => {
                self.phase = Phase::Running;
                self.deadline = self.timeout.map(|timeout| now + timeout);
                if let Some(outcome) = self.drive.begin(&mut self.calls)? {
                    return Ok(Some(outcome));
                }
            }
            _ => {}
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Error::new(Code::TRANSPORT_TIMEOUT, "the time for the whole exchange is over"));
        }
        if let Some(push) = self.scanned.take()
            && let Some(outcome) = self.drive.scanned(push, &mut self.calls)?
        {
            return Ok(Some(outcome));
        }
        self.calls.take_in(now);
        while let Some((id, result)) = self.calls.settled() {
            if let Some(outcome) = self.drive.settled(id, result, &mut self.calls)? {
                return Ok(Some(outcome));
            }
        }
        self.calls.send_out(now);
        Ok(None)
    }

    /// What was begun and is of no more use is taken back, where that takes no time to speak of.
    fn fail(&mut self, error: Error, now: Instant) {
        if matches!(self.phase, Phase::Running) && !matches!(error.kind(), Kind::Transport | Kind::Aborted) {
            self.calls.cancel();
            self.drive.give_up(&mut self.calls);
            if !self.calls.is_empty() {
                self.phase = Phase::Leaving(Box::new(error), now + LEAVING);
                return;
            }
        }
        self.finish(Err(error));
    }

    fn finish(&mut self, result: Result<Outcome, Error>) {
        self.calls.cancel();
        let result = result.map_err(|error| {
            self.subject.drain(..).fold(error, |error, (name, value)| {
                if error.context().iter().any(|(known, _)| *known == name) { error } else { error.with(name, value) }
            })
        });
        self.phase = Phase::Over(Some(Box::new(result)));
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// What an operation works on.
struct Target {
    place: Place,
    authority: AuthorityId,
}

/// The order of an operation's steps, and nothing else: calls know the rest.
trait Operation: Send {
    /// What a call was made for.
    type Step: std::marker::Copy + Send;

    /// Starts the first calls. An outcome, if there is nothing to do.
    fn begin(&mut self, requests: &mut Requests<Self::Step>) -> Result<Option<Outcome>, Error>;

    /// A call was answered, finally.
    fn reply(
        &mut self,
        step: Self::Step,
        reply: Reply,
        requests: &mut Requests<Self::Step>,
    ) -> Result<Option<Outcome>, Error>;

    /// No answer could be had.
    fn failed(&mut self, step: Self::Step, failed: Failed, requests: &mut Requests<Self::Step>) -> Result<(), Error> {
        let _ = (step, requests);
        Err(failed.error)
    }

    /// The chart has been scanned, and this is to be pushed.
    fn scanned(&mut self, push: Push, requests: &mut Requests<Self::Step>) -> Result<Option<Outcome>, Error> {
        let _ = (push, requests);
        Ok(None)
    }

    /// The exchange has failed: starts what takes back what was begun.
    fn give_up(&mut self, requests: &mut Requests<Self::Step>) {
        let _ = requests;
    }

    /// Where the payload of that blob is to be fetched; none: the host has it.
    fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)> {
        let _ = blob;
        None
    }
}

/// The calls, with a step for each.
struct Requests<'a, S> {
    calls: &'a mut Calls,
    steps: &'a mut Slots<CallId, S>,
}

impl<S> Requests<'_, S> {
    fn start(&mut self, step: S, draft: Draft) {
        self.steps.insert(self.calls.start(draft), step);
    }

    fn notify(&mut self, event: Event) {
        self.calls.notify(event);
    }

    fn session(&self) -> Session {
        self.calls.session().clone()
    }

    fn limits(&self) -> Limits {
        self.calls.session().config().limits.clone()
    }

    /// Nothing is under way.
    fn is_done(&self) -> bool {
        self.steps.is_empty()
    }
}

/// An operation without its types.
trait Drive: Send {
    fn begin(&mut self, calls: &mut Calls) -> Result<Option<Outcome>, Error>;
    fn settled(
        &mut self,
        id: CallId,
        result: Result<Reply, Failed>,
        calls: &mut Calls,
    ) -> Result<Option<Outcome>, Error>;
    fn scanned(&mut self, push: Push, calls: &mut Calls) -> Result<Option<Outcome>, Error>;
    fn give_up(&mut self, calls: &mut Calls);
    fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)>;
}

struct Driver<O: Operation> {
    operation: O,
    steps: Slots<CallId, O::Step>,
}

impl<O: Operation + 'static> Driver<O> {
    fn boxed(operation: O) -> Box<dyn Drive> {
        Box::new(Driver { operation, steps: Slots::new() })
    }
}

impl<O: Operation> Drive for Driver<O> {
    fn begin(&mut self, calls: &mut Calls) -> Result<Option<Outcome>, Error> {
        self.operation.begin(&mut Requests { calls, steps: &mut self.steps })
    }

    fn settled(
        &mut self,
        id: CallId,
        result: Result<Reply, Failed>,
        calls: &mut Calls,
    ) -> Result<Option<Outcome>, Error> {
        let Some(step) = self.steps.remove(&id) else { return Ok(None) };
        let mut requests = Requests { calls, steps: &mut self.steps };
        match result {
            Ok(reply) => self.operation.reply(step, reply, &mut requests),
            Err(failed) => self.operation.failed(step, failed, &mut requests).map(|()| None),
        }
    }

    fn scanned(&mut self, push: Push, calls: &mut Calls) -> Result<Option<Outcome>, Error> {
        self.operation.scanned(push, &mut Requests { calls, steps: &mut self.steps })
    }

    fn give_up(&mut self, calls: &mut Calls) {
        self.operation.give_up(&mut Requests { calls, steps: &mut self.steps });
    }

    fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)> {
        self.operation.source(blob)
    }
}

/// Stands where no operation could begin.
struct Nothing;

impl Drive for Nothing {
    fn begin(&mut self, _: &mut Calls) -> Result<Option<Outcome>, Error> {
        Ok(None)
    }

    fn settled(&mut self, _: CallId, _: Result<Reply, Failed>, _: &mut Calls) -> Result<Option<Outcome>, Error> {
        Ok(None)
    }

    fn scanned(&mut self, _: Push, _: &mut Calls) -> Result<Option<Outcome>, Error> {
        Ok(None)
    }

    fn give_up(&mut self, _: &mut Calls) {}

    fn source(&self, _: BlobId) -> Option<(Repository, Descriptor)> {
        None
    }
}
