//! Origins, and which token server a registry may name.
//!
//! A credential is bound to the origin of the registry that it was given for; it goes to that origin, or to the realm of
//! a challenge that came from it, and nowhere else.

use std::fmt;

use crate::error::{Code, Error, clip};
use crate::http::host::{Network, network};
use crate::http::url::{Scheme, Url};

/// Scheme, host in lower case, effective port.
///
/// ```
/// use chartoci::auth::Origin;
/// use chartoci::http::url::Url;
/// let origin = |text: &str| Origin::of(&Url::parse(text).unwrap());
/// assert_eq!(origin("https://Reg.Example/v2/"), origin("https://reg.example:443/x"));
/// assert_ne!(origin("http://reg.example/"), origin("https://reg.example/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL.
    pub fn of(url: &Url) -> Origin {
        Origin { scheme: url.scheme(), host: url.host().to_owned(), port: url.port() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }
}

/// The token server that a registry's challenge names, if credentials may go there: https unless the registry is plain
/// http, no userinfo, and no address of a loopback, link-local or private network unless the registry is of that network
/// too.
///
/// ```
/// use chartoci::auth::origin::realm;
/// use chartoci::http::url::Url;
/// let registry = Url::parse("https://registry-1.docker.io/v2/").unwrap();
/// assert!(realm("https://auth.docker.io/token", &registry).is_ok());
/// assert!(realm("http://auth.docker.io/token", &registry).is_err());
/// assert!(realm("https://169.254.169.254/token", &registry).is_err());
/// ```
///
/// # Errors
/// [`Code::AUTH_REALM`], with the reason.
pub fn realm(text: &str, registry: &Url) -> Result<Url, Error> {
    let refused = |why: &str| {
        let shown = Url::parse(text).map_or_else(|| clip(without_secrets(text)), |url| url.without_query());
        Error::new(Code::AUTH_REALM, format!("no credential goes to the token server {shown:?}: {why}"))
            .with("realm", shown)
    };
    let Some(url) = Url::parse(text) else { return Err(refused("it is no absolute http or https URL")) };
    if url.scheme() == Scheme::Http && registry.scheme() == Scheme::Https {
        return Err(refused("it is not https, and the registry is"));
    }
    if url.host() == registry.host() && url.port() == registry.port() {
        return Ok(url);
    }
    match network(url.host()) {
        Network::Public => Ok(url),
        Network::Unusable => Err(refused("its host is an address in disguise or of no use")),
        near if near == network(registry.host()) => Ok(url),
        _ => Err(refused("it is in a network that the registry is not in")),
    }
}

/// What is no URL that can be used, without its query and what stands before an `@`.
pub(crate) fn without_secrets(text: &str) -> &str {
    let bare = text.split('?').next().unwrap_or_default();
    bare.rsplit_once('@').map_or(bare, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registry: &str, text: &str, allowed: bool) {
        let registry = Url::parse(registry).unwrap();
        assert_eq!(realm(text, &registry).is_ok(), allowed, "{text} for {registry}");
    }

    #[test]
    fn a_public_token_server_of_another_host_is_legitimate() {
        check("https://reg.example/", "https://auth.example/token?x=1", true);
        check("http://reg.example/", "http://auth.example/token", true);
        check("http://reg.example/", "https://auth.example/token", true);
        check("https://reg.example:5000/", "https://8.8.8.8/token", true);
    }

    #[test]
    fn an_https_registry_names_no_token_server_in_the_clear() {
        check("https://reg.example/", "http://reg.example/token", false);
        check("https://127.0.0.1:5000/", "http://127.0.0.1:5000/token", false);
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for text in
            ["", "/token", "ftp://auth.example/", "https://user@auth.example/", "https://a b/", "//auth.example/"]
        {
            check("https://reg.example/", text, false);
        }
    }

    #[test]
    fn a_public_registry_names_no_near_token_server_however_it_is_spelled() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "127.0.0.1",
            "127.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.0x1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
        ] {
            check("https://reg.example/", &format!("https://{host}/token"), false);
        }
        check("https://reg.example/", "https://172.32.0.1/token", true);
        check("https://reg.example/", "https://[2001:db8::1]/token", true);
    }

    #[test]
    fn a_registry_may_name_its_own_network_and_always_itself() {
        check("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token", true);
        check("http://localhost:5000/", "http://127.0.0.1:5001/token", true);
        check("http://[::1]:5000/", "http://localhost/token", true);
        check("https://10.1.2.3/", "https://192.168.0.1/token", true);
        check("https://10.1.2.3/", "https://127.0.0.1/token", false);
        check("https://localhost.:5000/", "https://localhost.:5000/token", true);
        check("https://localhost.:5000/", "https://localhost.:5001/token", false);
    }

    #[test]
    fn an_error_shows_no_query_and_no_password() {
        for text in ["http://auth.example/token?secret=1", "https://user:secret@auth.example/token"] {
            let error = realm(text, &Url::parse("https://reg.example/").unwrap()).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
}
