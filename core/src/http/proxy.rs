//! Which proxy leads to a host: as programs in Go read the environment, Helm among them (`golang.org/x/net/http/httpproxy`).

use core::net::IpAddr;

use super::host::is_loopback;
use super::url::{Scheme, Url, authority};
use crate::error::{Code, Error};

/// The URL of the proxy that the environment names for a URL, if any; `variable` gives the environment's variables.
///
/// `HTTPS_PROXY`, `HTTP_PROXY` and, for want of these, `ALL_PROXY` say which; in lower case, too. `NO_PROXY` lists for whom
/// not: hosts with all below them, `.domains`, addresses, each with or without a port, networks as `10.0.0.0/8`, and `*`.
/// Loopback is never asked of a proxy.
///
/// ```
/// use chartoci::http::{proxy::proxy, url::Url};
/// let environment = |name: &str| match name {
///     "HTTPS_PROXY" => Some("proxy.example:3128".to_owned()),
///     "NO_PROXY" => Some("corp.example,10.0.0.0/8".to_owned()),
///     _ => None,
/// };
/// let through = |url: &str| proxy(&Url::parse(url).unwrap(), &environment);
/// assert_eq!(through("https://ghcr.io/v2/")?.as_deref(), Some("http://proxy.example:3128"));
/// assert_eq!(through("https://registry.corp.example/")?, None);
/// assert_eq!(through("https://10.1.2.3:5000/")?, None);
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::ARGUMENT`] where it is no proxy of HTTP, since whoever spoke that to a SOCKS proxy would be understood by nobody, and
/// where it is no URL. What was given is not shown: it may hold a password.
pub fn proxy(url: &Url, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, Error> {
    let Some(proxy) = named(url, variable) else { return Ok(None) };
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("http", &proxy));
    let place = rest.find(['/', '?', '#']).map_or((rest, ""), |end| rest.split_at(end));
    // Not shown, either way: it may hold a password.
    let refused = |why: &str, hint: &str| {
        Err(Error::new(Code::ARGUMENT, format!("the proxy for {} {why}", url.host())).with_hint(hint))
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return refused(
            "is neither of http nor of https",
            "Name a proxy that speaks HTTP, as http://proxy.example:3128; a SOCKS proxy is not spoken to. Or exempt the \
             host by NO_PROXY.",
        );
    }
    if !is_place(place.0) || place.1.contains('@') {
        return refused(
            "is named by what is no URL",
            "Write http://user:password@proxy.example:3128; in the password %23 stands for #, %2F for /, %25 for %.",
        );
    }
    Ok(Some(format!("{scheme}://{}", place.0)))
}

/// `host`, `host:port` or one of these behind `user:password@`, as Go's `net/url` takes them.
fn is_place(text: &str) -> bool {
    let (user, place) = text.rsplit_once('@').unwrap_or(("", text));
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%@".contains(&byte);
    let mut escapes = user.split('%').skip(1).map(|rest| rest.as_bytes().get(..2));
    user.bytes().all(may_stand)
        && escapes.all(|digits| digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
        && authority(place).is_some_and(|(_, port)| port != Some(0))
}

fn named(url: &Url, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = |name: &str| said(name).or_else(|| said(&name.to_ascii_lowercase()));
    let own = match url.scheme() {
        Scheme::Https => named("HTTPS_PROXY"),
        // Of a CGI program this variable is a header that the caller chose.
        Scheme::Http if said("REQUEST_METHOD").is_some() => said("http_proxy"),
        Scheme::Http => named("HTTP_PROXY"),
    };
    let proxy = own.or_else(|| named("ALL_PROXY"))?;
    let rules = named("NO_PROXY").unwrap_or_default().to_ascii_lowercase();
    let (host, port) = (url.host().trim_matches(['[', ']']), url.port().to_string());
    let mut rules = rules.split(|c: char| c == ',' || c.is_whitespace()).filter(|rule| !rule.is_empty());
    if is_loopback(host) || rules.any(|rule| covers(rule, host, &port)) {
        return None;
    }
    Some(proxy)
}

fn covers(rule: &str, host: &str, port: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    if let (Some((network, bits)), Some(address)) = (rule.split_once('/'), address) {
        return in_network(address, network, bits).unwrap_or(false);
    }
    // The colons of an address without brackets are its own.
    let (name, only) = match rule.rsplit_once(':') {
        Some((name, only)) if !name.contains(':') || name.ends_with(']') => (name, Some(only)),
        _ => (rule, None),
    };
    if only.is_some_and(|only| only != port) {
        return false;
    }
    if let Ok(named) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address == Some(named);
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match host.strip_suffix(name) {
        _ if name.is_empty() => false,
        Some(before) => name.starts_with('.') || before.is_empty() || before.ends_with('.'),
        None => name == "*",
    }
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> Option<bool> {
    // Left-aligned, so that the first bits are the first of either family.
    let aligned = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((address, width), (network, other)) = (aligned(address), aligned(network.parse().ok()?));
    let bits = bits.parse::<u32>().ok().filter(|bits| width == other && *bits <= width)?;
    Some((address ^ network).checked_shr(128 - bits).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        proxy(&Url::parse(url).unwrap(), &variable).unwrap()
    }

    #[test]
    fn a_proxy_of_another_kind_is_an_error_without_its_secret() {
        let through = |url: &str, given: &str| {
            proxy(&Url::parse(url).unwrap(), &|name| (name == "ALL_PROXY").then(|| given.to_owned()))
        };
        for given in ["socks5://ada:secret@p.test:1080", "SOCKS5H://p.test", "ftp://p.test"] {
            let error = through("https://r.test/", given).unwrap_err();
            assert_eq!(error.code(), Code::ARGUMENT);
            assert!(!format!("{error} {error:?}").contains("secret"));
            assert_eq!(through("http://localhost/", given).unwrap(), None);
        }
        assert_eq!(through("https://r.test/", "HTTPS://p.test").unwrap().as_deref(), Some("HTTPS://p.test"));
    }

    #[test]
    fn what_is_no_url_is_an_error_without_its_secret() {
        let through = |given: &str| {
            proxy(&Url::parse("https://r.test/").unwrap(), &|name| (name == "ALL_PROXY").then(|| given.to_owned()))
        };
        for given in [
            "http://ada:SE#CRET@p.test:1",
            "http://ada:80/CRET@p.test:1",
            "http://ada:99999?CRET@p.test:1",
            "http://ada:[CRET@p.test:1",
            "http://ada:%zCRET@p.test",
            "http://ada:CRET%4@p.test",
            "http://ada:CRET\t@p.test",
            "http://ada:CRET@p.test:99999",
            "http://ada:CRET@p.test:0",
            "http://ada:CRET@p.test:port",
            "http://ada:CRET@p te.st",
            "http://ada:CRET@[::1",
            "http://ada:CRET@",
            "http://",
        ] {
            let error = through(given).unwrap_err();
            assert_eq!(error.code(), Code::ARGUMENT);
            assert!(!format!("{error} {error:?}").contains("CRE"), "{error:?}");
        }
        for given in ["http://ada:S@CRET%23@p.test:1", "http://[::1]:3128", "https://ada:@p.test"] {
            assert_eq!(through(given).unwrap().as_deref(), Some(given));
        }
    }

    #[test]
    fn no_proxy_names_hosts_domains_addresses_and_networks() {
        let rules = "example.org, .internal:8443,10.0.0.0/8 *.corp.test,fd00::/8,192.0.2.7,[2001:db8::1]:5000,not/a/network,bad/99";
        let is_exempt = |host: &str| {
            through(&format!("https://{host}/"), &[("HTTPS_PROXY", "p.test"), ("no_proxy", rules)]).is_none()
        };
        for host in [
            "localhost",
            "127.0.0.1:5000",
            "[::1]",
            "example.org",
            "EXAMPLE.org:444",
            "a.example.org",
            "a.internal:8443",
            "x.corp.test",
            "10.1.2.3",
            "[fd12::1]",
            "192.0.2.7",
            "[2001:db8::1]:5000",
        ] {
            assert!(is_exempt(host), "{host}");
        }
        for host in [
            "registry.test",
            "127.evil.example",
            "notexample.org",
            "example.organic",
            "a.internal",
            "internal:8443",
            "corp.test",
            "11.0.0.1",
            "[fe00::1]",
            "192.0.2.77",
            "[2001:db8::1]",
        ] {
            assert!(!is_exempt(host), "{host}");
        }
        assert_eq!(through("https://registry.test/", &[("HTTPS_PROXY", "p.test"), ("NO_PROXY", "*")]), None);
        assert!(through("https://registry.test/", &[("HTTPS_PROXY", "p.test"), ("NO_PROXY", ":443, ,")]).is_some());
        assert_eq!(through("https://10.1.2.3/", &[("HTTPS_PROXY", "p.test"), ("NO_PROXY", "0.0.0.0/0")]), None);
        assert!(through("https://10.1.2.3/", &[("HTTPS_PROXY", "p.test"), ("NO_PROXY", "::/0")]).is_some());
    }

    #[test]
    fn each_scheme_has_its_own_variable_and_a_callers_header_is_none_of_them() {
        let proxy = |url: &str, name: &str| through(url, &[(name, "https://ada:pass@p.test:1/")]);
        let both =
            [("https://r.test/", "HTTPS_PROXY"), ("http://r.test/", "http_proxy"), ("http://r.test/", "ALL_PROXY")];
        for (url, name) in both {
            assert_eq!(proxy(url, name).as_deref(), Some("https://ada:pass@p.test:1"), "{name}");
        }
        assert_eq!(proxy("http://r.test/", "HTTPS_PROXY"), None);
        assert_eq!(proxy("https://r.test/", "HTTP_PROXY"), None);
        let both = [("HTTPS_PROXY", "upper.test"), ("https_proxy", "lower.test")];
        assert_eq!(through("https://r.test/", &both).as_deref(), Some("http://upper.test"));
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil.test")];
        assert_eq!(through("http://r.test/", &cgi), None);
        assert_eq!(
            through("http://r.test/", &[("HTTP_PROXY", ""), ("http_proxy", "p.test")]).as_deref(),
            Some("http://p.test")
        );
    }
}
