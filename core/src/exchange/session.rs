//! What outlives an exchange: policy, tokens, what was learned about each host.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::RetryPolicy;
use super::retry::Random;
use crate::auth::scope::Scopes;
use crate::auth::token::TokenServer;
use crate::auth::{Origin, Scope};
use crate::error::{Code, Error};
use crate::http::host::is_loopback;
use crate::http::url::Url;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::time::{Duration, Instant};

/// How exchanges behave.
///
/// ```
/// use chartoci::{Reference, exchange::{Config, Exchange, HostSet, Output, Session}, time::Instant};
/// let these = HostSet::These(["reg.example:5000".to_owned()].into());
/// let config = Config { user_agent: "mine/1.0".to_owned(), plain_http: these, ..Config::default() };
/// config.check()?;
/// let reference = Reference::parse("reg.example:5000/web:1.0.0")?;
/// let mut exchange = Exchange::delete(&Session::new(config), reference);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// assert!(request.url.starts_with("http://reg.example:5000/"));
/// assert_eq!(request.headers.get("user-agent"), Some("mine/1.0"));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Sent with every request. `chartoci/VERSION`.
    pub user_agent: String,
    /// Seed of the jitter.
    pub seed: u64,
    /// Bounds.
    pub limits: Limits,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Requests of one exchange that may be out at once. 3.
    pub concurrency: NonZeroU8,
    /// Which hosts are spoken to by plain http.
    pub plain_http: HostSet,
    /// The transport was given something about TLS: an authority, a certificate, not to verify. Then it is meant to be
    /// spoken, and [`HostSet::Loopback`] stands for no host.
    pub tls_options: bool,
    /// Silence allowed to one attempt. 30 s.
    pub idle_timeout: Option<Duration>,
    /// Time allowed to a whole exchange. None.
    pub timeout: Option<Duration>,
    /// What the host's transport can do.
    pub transport: Traits,
    /// Credentials are held for hosts that will challenge: one probe goes before the rest.
    pub has_credentials: bool,
}

impl Config {
    /// Something can come of an exchange by this policy.
    ///
    /// ```
    /// use chartoci::{exchange::Config, time::Duration};
    /// let hasty = Config { idle_timeout: Some(Duration::ZERO), ..Config::default() };
    /// assert_eq!(hasty.check().unwrap_err().code().name(), "misuse.argument");
    /// ```
    ///
    /// # Errors
    /// [`Code::ARGUMENT`]: with no try at all, no time for one, or a header that cannot be sent, nothing could ever come of an
    /// exchange.
    pub fn check(&self) -> Result<(), Error> {
        if self.retry.attempts == 0 {
            return Err(not_a_count("attempts", "0", u32::MAX));
        }
        if self.idle_timeout.is_some_and(|silence| silence.is_zero()) {
            let hint = "Allow more than 0 seconds, or leave it out for 30; none at all sets no bound.";
            return Err(Error::new(Code::ARGUMENT, "`idle_timeout` is zero").with_hint(hint));
        }
        // RFC 9110, 5.5; of what is no ASCII, hosts make different bytes.
        if !self.user_agent.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let hint = "Use printable ASCII: no line breaks, no other letters.";
            return Err(Error::new(Code::ARGUMENT, "`user_agent` cannot stand in a header").with_hint(hint));
        }
        Ok(())
    }
}

/// The refusal of an option that is to be a whole number from 1 to `most`, and is `value`.
///
/// ```
/// let error = chartoci::exchange::not_a_count("concurrency", "0", 255);
/// assert_eq!((error.message(), error.hint()), ("`concurrency` is 0", "Pass a whole number from 1 to 255."));
/// ```
pub fn not_a_count(name: &str, value: &str, most: u32) -> Error {
    let hint = format!("Pass a whole number from 1 to {most}.");
    Error::new(Code::ARGUMENT, format!("`{name}` is {value}")).with_hint(hint)
}

/// A set of hosts, with or without a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostSet {
    /// None.
    #[default]
    None,
    /// `localhost`, 127/8 and `::1`, exactly.
    Loopback,
    /// Every host.
    All,
    /// These: `registry.example` (any port) or `registry.example:5000`.
    These(BTreeSet<String>),
}

impl HostSet {
    /// The registry (host, and port if one was given) is in the set.
    ///
    /// ```
    /// use chartoci::exchange::HostSet;
    /// assert!(HostSet::Loopback.contains("127.0.0.1:5000") && !HostSet::Loopback.contains("a.localhost"));
    /// let these = HostSet::These(["reg.example".to_owned(), "[::1]:5000".to_owned()].into());
    /// assert!(these.contains("Reg.Example:5000") && these.contains("[::1]:5000") && !these.contains("[::1]"));
    /// ```
    pub fn contains(&self, registry: &str) -> bool {
        match self {
            HostSet::None => false,
            HostSet::All => true,
            HostSet::Loopback => Url::parse(&format!("http://{registry}/")).is_some_and(|url| is_loopback(url.host())),
            HostSet::These(these) => {
                let registry = registry.to_ascii_lowercase();
                let host = Url::parse(&format!("http://{registry}/")).map(|url| url.host().to_owned());
                these.iter().map(|this| this.to_ascii_lowercase()).any(|this| this == registry || Some(this) == host)
            }
        }
    }
}

/// What the host's transport can do.
///
/// ```
/// use chartoci::exchange::{Config, Traits};
/// let of_a_browser = Traits { manual_redirects: false, all_headers: false };
/// assert_ne!(Config::default().transport, of_a_browser);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// It hands back redirects instead of following them. Browsers cannot.
    pub manual_redirects: bool,
    /// It shows all response headers. Browsers show what CORS exposes.
    pub all_headers: bool,
}

impl Config {
    /// The registry (host, and port if one was given) is spoken to by plain http.
    pub(super) fn is_plain(&self, registry: &str) -> bool {
        !(self.tls_options && self.plain_http == HostSet::Loopback) && self.plain_http.contains(registry)
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            user_agent: concat!("chartoci/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: 0,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            concurrency: NonZeroU8::MIN.saturating_add(2),
            plain_http: HostSet::Loopback,
            tls_options: false,
            idle_timeout: Some(Duration::from_secs(30)),
            timeout: None,
            transport: Traits { manual_redirects: true, all_headers: true },
            has_credentials: false,
        }
    }
}

/// Policy, token cache, what was learned. Clone freely: clones share. All its exchanges are polled by one clock.
///
/// ```
/// use chartoci::{exchange::{Config, Session}, time::Duration};
/// let session = Session::new(Config { timeout: Some(Duration::from_secs(300)), ..Config::default() });
/// assert_eq!(session.clone().config().timeout, Some(Duration::from_secs(300)));
/// ```
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    config: Config,
    /// Exchanges that were begun: each has pauses of its own.
    exchanges: AtomicU64,
    hosts: Mutex<BTreeMap<Origin, Host>>,
}

/// What is known of one origin.
#[derive(Default)]
pub(super) struct Host {
    /// It has asked for a login before.
    pub(super) challenges: bool,
    /// What it lets anybody do.
    pub(super) open: BTreeSet<Scope>,
    /// Who is who: an `Authorization` that needs no token (Basic, or a token that was given ready-made), and the repository
    /// that it was given for. Another repository may be another's.
    standing: Vec<(String, String)>,
    /// It asked to be left alone until then.
    quiet: Option<Instant>,
    /// Tokens that were fetched.
    pub(super) grants: Vec<Grant>,
    /// What exchanges do alone now, and until when the others wait for them.
    claims: Vec<(String, Instant)>,
    /// It answers a mount with an error instead of a session.
    pub(super) refuses_mounts: bool,
    /// It takes a blob with the POST that would open a session.
    pub(super) takes_blobs: Option<bool>,
    /// The biggest piece of a blob that it takes in one request, in bytes, if there is such a bound.
    pub(super) piece: Option<u64>,
    /// It has an API for referrers; without one a tag lists them.
    pub(super) has_referrers: Option<bool>,
    /// The last blobs that it took or said to have.
    taken: VecDeque<Digest>,
}

/// A token that was fetched, and how to get the next.
#[derive(Clone)]
pub(super) struct Grant {
    /// For which a credential was asked: another repository may be another's.
    pub(super) repository: String,
    pub(super) authorization: String,
    pub(super) expires: Instant,
    pub(super) server: TokenServer,
}

/// What one exchange of a session does while the others wait: it fetches a token, it changes a list of referrers. Dropped, it
/// is let go of.
pub(super) struct Claim {
    session: Session,
    origin: Origin,
    name: String,
    until: Instant,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let is_other = |(name, until): &(String, Instant)| *name != self.name || *until != self.until;
        self.session.host(&self.origin, |host| host.claims.retain(is_other));
    }
}

/// How often an exchange looks whether another has done by now, and for how long.
pub(super) const MOMENT: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

/// Tokens that are remembered for one host; the oldest is forgotten.
const MOST_GRANTS: usize = 64;
/// Blobs that are remembered for one host; the oldest is forgotten.
const MOST_TAKEN: usize = 256;

impl Host {
    /// What was given for that repository.
    pub(super) fn standing(&self, repository: &str) -> Option<&str> {
        self.standing.iter().find(|(of, _)| of == repository).map(|(_, authorization)| authorization.as_str())
    }

    /// Something was given for some repository: whoever asks for another is likely to be asked for the like.
    pub(super) fn has_standing(&self) -> bool {
        !self.standing.is_empty()
    }

    pub(super) fn stand(&mut self, repository: &str, authorization: &str) {
        self.standing.retain(|(of, _)| of != repository);
        self.standing.truncate(MOST_GRANTS - 1);
        self.standing.insert(0, (repository.to_owned(), authorization.to_owned()));
    }

    /// The newest token that was given for this repository and is good for this.
    pub(super) fn grant(&self, repository: &str, scope: &Scope, also: Option<&Scope>) -> Option<&Grant> {
        let covers = |grant: &&Grant| grant.scopes().cover(scope) && also.is_none_or(|also| grant.scopes().cover(also));
        self.grants.iter().rev().filter(|grant| grant.repository == repository).find(covers)
    }

    pub(super) fn remember(&mut self, grant: Grant) {
        self.grants.retain(|known| known.repository != grant.repository || known.scopes() != grant.scopes());
        if self.grants.len() >= MOST_GRANTS {
            self.grants.remove(0);
        }
        self.grants.push(grant);
    }

    /// The host has this blob, in some repository.
    pub(super) fn take(&mut self, digest: &Digest) {
        if !self.has_taken(digest) {
            self.taken.truncate(MOST_TAKEN - 1);
            self.taken.push_front(digest.clone());
        }
    }

    pub(super) fn has_taken(&self, digest: &Digest) -> bool {
        self.taken.contains(digest)
    }

    /// Drops what was refused.
    pub(super) fn forget(&mut self, authorization: &str) {
        self.standing.retain(|(_, standing)| standing != authorization);
        self.grants.retain(|grant| grant.authorization != authorization);
    }
}

impl Grant {
    fn scopes(&self) -> &Scopes {
        &self.server.scopes
    }
}

impl Session {
    /// A session of its own.
    pub fn new(config: Config) -> Session {
        Session(Arc::new(Shared { config, exchanges: AtomicU64::new(0), hosts: Mutex::default() }))
    }

    /// Its policy.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The chance of one exchange.
    pub(super) fn random(&self) -> Random {
        let number = self.0.exchanges.fetch_add(1, Ordering::Relaxed);
        Random::new(self.0.config.seed.wrapping_add(number.wrapping_mul(0xd134_2543_de82_ef95)))
    }

    /// Until when an origin asked to be left alone.
    pub(super) fn quiet(&self, origin: &Origin) -> Option<Instant> {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner).get(origin)?.quiet
    }

    /// Leaves an origin alone until then, if not for longer.
    pub(super) fn leave_alone(&self, origin: &Origin, until: Instant) {
        self.host(origin, |host| host.quiet = host.quiet.max(Some(until)));
    }

    /// What others may be doing at that origin and this exchange is to do alone; none while another does it.
    pub(super) fn claim(&self, origin: &Origin, name: &str, now: Instant) -> Option<Claim> {
        let until = now + PATIENCE;
        let is_free = self.host(origin, |host| {
            host.claims.retain(|(_, until)| *until > now);
            let is_free = host.claims.iter().all(|(known, _)| known != name);
            if is_free {
                host.claims.push((name.to_owned(), until));
            }
            is_free
        });
        is_free.then(|| Claim { session: self.clone(), origin: origin.clone(), name: name.to_owned(), until })
    }

    /// How many things its exchanges do one at a time just now, so that others wait for them: tokens that are fetched, lists
    /// of referrers that are changed. Where no exchange is under way there are none.
    ///
    /// ```
    /// use chartoci::exchange::{Config, Session};
    /// assert_eq!(Session::new(Config::default()).claims(), 0);
    /// ```
    pub fn claims(&self) -> usize {
        let hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.values().map(|host| host.claims.len()).sum()
    }

    /// Reads or changes what is known of an origin.
    pub(super) fn host<T>(&self, origin: &Origin, use_it: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(hosts.entry(origin.clone()).or_default())
    }
}

impl fmt::Debug for Session {
    /// Without what it remembers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.0.config).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_come_to_anything_is_refused_by_its_name() {
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(Config { idle_timeout: None, ..Config::default() }.check(), Ok(()));
        let silent = Config { idle_timeout: Some(Duration::ZERO), ..Config::default() };
        assert_eq!(silent.check().unwrap_err().message(), "`idle_timeout` is zero");
        let idle = Config { retry: RetryPolicy { attempts: 0, ..RetryPolicy::default() }, ..Config::default() };
        let refused = idle.check().unwrap_err();
        assert_eq!(refused.message(), "`attempts` is 0");
        assert_eq!(refused.hint(), "Pass a whole number from 1 to 4294967295.");
        for broken in ["a\r\nAuthorization: Basic eDp5", "a\n", "a\0", "a\u{e4}", "\u{7f}"] {
            let error = Config { user_agent: broken.to_owned(), ..Config::default() }.check().unwrap_err();
            assert_eq!(error.message(), "`user_agent` cannot stand in a header");
        }
    }
}
