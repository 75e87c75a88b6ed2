//! What Go's `net/url` (1.26) takes for a URL: more than RFC 3986 does, and so does Helm.

use std::net::Ipv6Addr;

/// The scheme, which may be missing, and the rest; none where nothing stands before a colon.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let is_of_scheme = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphabetic() || at > 0 && (byte.is_ascii_digit() || b"+-.".contains(&byte))
    };
    let end = text.bytes().enumerate().position(|one| !is_of_scheme(one)).unwrap_or(text.len());
    match text.as_bytes().get(end) {
        Some(b':') if end == 0 => None,
        Some(b':') => Some((&text[..end], &text[end + 1..])),
        _ => Some(("", text)),
    }
}

/// It begins with a scheme and a colon.
pub(crate) fn has_scheme(url: &str) -> bool {
    scheme(url).is_some_and(|(scheme, _)| !scheme.is_empty())
}

/// What Go takes for a URL, absolute or relative (`url.Parse`); or why it does not.
pub(crate) fn parse(url: &str) -> Result<Parsed<'_>, &'static str> {
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let parsed = parse_request(url)?;
    is_escaped(fragment, |_| true).then_some(parsed).ok_or(ESCAPE)
}

const ESCAPE: &str = "has a % without two hexadecimal digits behind it";

/// What Go's parser finds.
pub(crate) struct Parsed<'a> {
    /// With a port, and with brackets.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
}

/// As [`parse`], of what has no fragment (`url.ParseRequestURI`).
pub(crate) fn parse_request(text: &str) -> Result<Parsed<'_>, &'static str> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("has a control character");
    }
    let (scheme, rest) = scheme(text).ok_or("has a colon before its first slash, and no scheme")?;
    let rest = rest.split('?').next().unwrap_or(rest);
    if !rest.starts_with('/') && !scheme.is_empty() {
        return Ok(Parsed { host: "", path: "" });
    }
    if !rest.starts_with('/') && rest.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err("has a colon before its first slash, and no scheme");
    }
    let (mut host, mut path) = ("", rest);
    if let Some(authority) = rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///")) {
        let end = authority.find('/').unwrap_or(authority.len());
        (host, path) = authority.split_at(end);
        if let Some((user, rest)) = host.rsplit_once('@') {
            let is_of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:!$&'()*+,;=@".contains(&byte);
            is_escaped(user, is_of_user).then_some(()).ok_or("has a user with odd characters")?;
            host = rest;
        }
        check_host(scheme, host)?;
    }
    is_escaped(path, |_| true).then_some(Parsed { host, path }).ok_or(ESCAPE)
}

/// Each `%` has two hexadecimal digits behind it, and the other bytes are allowed.
fn is_escaped(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        byte => allowed(*byte),
    })
}

fn check_host(scheme: &str, host: &str) -> Result<(), &'static str> {
    let check_port = |text: &str| match text.strip_prefix(':').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit())
    {
        true if text.is_empty() || text.starts_with(':') => Ok(()),
        _ => Err("has a port that is no number"),
    };
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.rsplit_once(']').ok_or("has no ] behind the host's [")?;
        let address = address.split("%25").next().unwrap_or(address);
        let is_address = !rest.contains('[') && address.parse::<Ipv6Addr>().is_ok();
        return is_address.then_some(()).ok_or("has no IPv6 address between [ and ]").and_then(|()| check_port(port));
    }
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let colon = if is_web { host.find(':') } else { host.rfind(':') };
    check_port(&host[colon.unwrap_or(host.len())..])?;
    // Of ASCII, escapes are for nothing else than the percent sign.
    let escapes_bytes = host.match_indices('%').all(|(at, _)| {
        host.get(at..at + 3) == Some("%25") || host.as_bytes().get(at + 1).is_some_and(|digit| *digit >= b'8')
    });
    let is_of_host =
        |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:]<>\"".contains(&byte);
    (escapes_bytes && is_escaped(host, is_of_host)).then_some(()).ok_or("has a host with odd characters")
}
