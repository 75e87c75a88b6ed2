//! What outlives an exchange: policy, tokens, what was learned about each host.

use std::collections::BTreeSet;
use std::num::NonZeroU8;

use super::RetryPolicy;
use crate::limits::Limits;
use crate::time::Duration;

/// How exchanges behave.
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
    /// Silence allowed to one attempt. 30 s.
    pub idle_timeout: Option<Duration>,
    /// Time allowed to a whole exchange. None.
    pub timeout: Option<Duration>,
    /// What the host's transport can do.
    pub transport: Traits,
    /// Credentials are held for hosts that will challenge: one probe goes before the rest.
    pub has_credentials: bool,
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
    pub fn contains(&self, registry: &str) -> bool {
        let _ = registry;
        todo!()
    }
}

/// What the host's transport can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// It hands back redirects instead of following them. Browsers cannot.
    pub manual_redirects: bool,
    /// It shows all response headers. Browsers show what CORS exposes.
    pub all_headers: bool,
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
            idle_timeout: Some(Duration::from_secs(30)),
            timeout: None,
            transport: Traits { manual_redirects: true, all_headers: true },
            has_credentials: false,
        }
    }
}

/// Policy, token cache, what was learned. Clone freely: clones share.
#[derive(Clone)]
pub struct Session {}

impl Session {
    /// A session of its own.
    pub fn new(config: Config) -> Session {
        let _ = config;
        todo!()
    }
    /// Its policy.
    pub fn config(&self) -> &Config {
        todo!()
    }
}
