//! URLs: absolute `http` and `https` ones, joined and compared by the few rules that a registry's client needs
//! (RFC 3986, sections 3 and 5; userinfo and fragments have no place here).

use std::fmt;

/// `http` or `https`.
///
/// ```
/// use chartoci::http::url::{Scheme, Url};
/// let url = Url::parse("HTTPS://Reg.Example/v2/?n=10").unwrap();
/// assert_eq!((url.scheme(), url.scheme().as_str()), (Scheme::Https, "https"));
/// assert_eq!((url.host(), url.port(), url.path(), url.query()), ("reg.example", 443, "/v2/", Some("n=10")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it stands before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port that stands for itself: 80 or 443.
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// An absolute URL. The host is lower case; path and query are kept byte for byte.
///
/// ```
/// use chartoci::http::url::Url;
/// let url = Url::parse("https://Reg.Example:443/v2/web/blobs/uploads/1?state=a%2Fb").unwrap();
/// assert_eq!(url.to_string(), "https://reg.example:443/v2/web/blobs/uploads/1?state=a%2Fb");
/// assert_eq!(url.without_query(), "https://reg.example:443/v2/web/blobs/uploads/1");
/// assert_eq!(url.join("/v2/next").unwrap().to_string(), "https://reg.example:443/v2/next");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    /// Starts with `/`.
    path: String,
    /// What follows `?`.
    query: Option<String>,
}

impl Url {
    /// Reads an absolute URL; a fragment is dropped. `None`: another scheme, userinfo, no host, or characters that no
    /// URL may hold.
    pub fn parse(text: &str) -> Option<Url> {
        if !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !b"\"<>\\^`{|}".contains(&byte)) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|s| scheme.eq_ignore_ascii_case(s.as_str()))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, port) = authority(rest.get(..end)?)?;
        let rest = rest.get(end..)?;
        let rest = rest.split_once('#').map_or(rest, |(kept, _)| kept);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        Some(Url { scheme, host, port, path, query })
    }

    /// What a reference in a header means on this page: absolute, `//host/path`, `/path`, `?query` or relative to the last
    /// `/`. What no URL may hold is percent-encoded, as Go's `net/url` and browsers do; a control character makes it none.
    /// A character up to U+00FF stands for one byte, as headers are read.
    ///
    /// ```
    /// use chartoci::http::url::Url;
    /// let page = Url::parse("https://reg.example/v2/").unwrap();
    /// let next = page.join("/z/../a b?filename=\"é.tgz\"").unwrap();
    /// assert_eq!(next.to_string(), "https://reg.example/a%20b?filename=%22%E9.tgz%22");
    /// ```
    pub fn join(&self, reference: &str) -> Option<Url> {
        let reference = reference.split_once('#').map_or(reference, |(kept, _)| kept);
        let reference = &encoded(reference)?;
        let base = self.base();
        let text = if has_scheme(reference) {
            reference.clone()
        } else if reference.starts_with("//") {
            format!("{}:{reference}", self.scheme.as_str())
        } else if reference.starts_with('/') {
            format!("{base}{reference}")
        } else if reference.is_empty() {
            return Some(self.clone());
        } else if reference.starts_with('?') {
            format!("{base}{}{reference}", self.path)
        } else {
            let directory = self.path.rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{base}{directory}/{reference}")
        };
        let mut url = Url::parse(&text)?;
        url.path = without_dots(&url.path);
        Some(url)
    }

    /// The same, of a place that is for this very client. A link from https to http on the same host is taken for the mistake
    /// of a proxy that speaks TLS for the registry, and mended.
    pub(crate) fn join_mended(&self, reference: &str) -> Option<Url> {
        let url = self.join(reference)?;
        Some(if self.scheme == Scheme::Https && url.host == self.host { url.upgraded() } else { url })
    }

    /// That path on the same host, without a query. Characters that no path may hold are percent-encoded.
    #[must_use]
    pub(crate) fn at(&self, path: &str) -> Url {
        let path = path.split('/').skip(1).fold(String::new(), |kept, part| {
            let part: Vec<String> = part.split(':').map(encode).collect();
            format!("{kept}/{}", part.join(":"))
        });
        Url { path: if path.is_empty() { "/".to_owned() } else { path }, query: None, ..self.clone() }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if none was given.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// Starts with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What follows `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The same by TLS: the scheme's own port becomes 443.
    #[must_use]
    pub(crate) fn upgraded(mut self) -> Url {
        if self.scheme == Scheme::Http {
            self.port = self.port.filter(|port| *port != Scheme::Http.default_port());
            self.scheme = Scheme::Https;
        }
        self
    }

    /// Appends a pair to the query and leaves every other byte as it is; the value is percent-encoded.
    #[must_use]
    pub(crate) fn with_query(mut self, name: &str, value: &str) -> Url {
        let mut query = self.query.take().unwrap_or_default();
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encode(value));
        self.query = Some(query);
        self
    }

    /// For people and errors: queries may hold secrets.
    pub fn without_query(&self) -> String {
        format!("{}{}", self.base(), self.path)
    }

    fn base(&self) -> String {
        match self.port {
            Some(port) => format!("{}://{}:{port}", self.scheme.as_str(), self.host),
            None => format!("{}://{}", self.scheme.as_str(), self.host),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_query())?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Url {
    /// Without the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_query())
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters: right for a query's value and for a form's.
///
/// ```
/// assert_eq!(chartoci::http::url::encode("sha256:a/b c"), "sha256%3Aa%2Fb%20c");
/// ```
pub fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The reference with what no URL may hold percent-encoded; `None` where there is a control character.
fn encoded(reference: &str) -> Option<String> {
    let mut text = String::with_capacity(reference.len());
    for character in reference.chars() {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii_control() => return None,
            Ok(byte) if byte.is_ascii() && !b" \"<>\\^`{|}".contains(&byte) => text.push(character),
            Ok(byte) => text.push_str(&format!("%{byte:02X}")),
            Err(_) => text.push_str(&encode(character.encode_utf8(&mut [0; 4]))),
        }
    }
    Some(text)
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; an empty port is no port.
pub(super) fn authority(text: &str) -> Option<(String, Option<u16>)> {
    let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
    let (host, port) = (text.get(..end)?, text.get(end..)?);
    let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    let port = match port.strip_prefix(':') {
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    valid.then(|| (host.to_ascii_lowercase(), port))
}

/// The reference starts with a scheme (RFC 3986, 3.1), and so is none relative to the page.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Removes `.` and `..` (RFC 3986, 5.2.4) from a path that starts with `/`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut directory = false;
    for part in path.split('/').skip(1) {
        directory = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    format!("/{}{}", kept.join("/"), if directory && !kept.is_empty() { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_http_url_is_refused() {
        for text in [
            "",
            "reg.example/v2/",
            "ftp://reg.example/",
            "https://",
            "https:///v2/",
            "https://user@reg.example/",
            "https://user:secret@reg.example/",
            "https://reg.example:x/",
            "https://reg.example:65536/",
            "https://reg example/",
            "https://reg.example/a b",
            "https://reg.example/\r\nX: y",
            "https://re%67.example/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://reg\u{3002}example/",
            "https://reg.example\\@evil.example/",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn references_are_joined_as_rfc_3986_says() {
        let page = Url::parse("http://reg.example:5000/v2/a/b?x=1").unwrap();
        for (reference, expected) in [
            ("https://other/x", "https://other/x"),
            ("//other:81/x", "http://other:81/x"),
            ("/v2/c?_state=%2F", "http://reg.example:5000/v2/c?_state=%2F"),
            ("c", "http://reg.example:5000/v2/a/c"),
            ("../c?y", "http://reg.example:5000/v2/c?y"),
            ("./", "http://reg.example:5000/v2/a/"),
            ("?n=2", "http://reg.example:5000/v2/a/b?n=2"),
            ("", "http://reg.example:5000/v2/a/b?x=1"),
            ("/c#part", "http://reg.example:5000/c"),
            ("/a/./b/../c", "http://reg.example:5000/a/c"),
            ("https://other/../x/..", "https://other/"),
        ] {
            assert_eq!(page.join(reference).map(|url| url.to_string()).as_deref(), Some(expected), "{reference}");
        }
        assert_eq!(page.join("javascript:alert(1)"), None);
    }

    // The paths as Go 1.26 has them (`url.Parse`, `String`); browsers encode queries as well.
    #[test]
    fn what_no_url_may_hold_is_encoded_where_a_server_sends_it() {
        let page = Url::parse("https://reg.example/v2/").unwrap();
        for (reference, expected) in [
            ("/z a", "/z%20a"),
            ("/z/\u{e9}", "/z/%E9"),
            ("/z/\u{c3}\u{a9}", "/z/%C3%A9"),
            ("/z/\u{20ac}", "/z/%E2%82%AC"),
            ("/z\\x", "/z%5Cx"),
            ("/z%20a%2Fb", "/z%20a%2Fb"),
            ("/z?a=b|c\"d", "/z?a=b%7Cc%22d"),
            ("/z?d=attachment; filename=\"a b.tgz\"", "/z?d=attachment;%20filename=%22a%20b.tgz%22"),
            ("up load?x", "/v2/up%20load?x"),
        ] {
            let expected = format!("https://reg.example{expected}");
            assert_eq!(page.join(reference).map(|url| url.to_string()), Some(expected), "{reference}");
        }
        for reference in
            ["/a\r\nX: y", "/\u{0}", "https://reg example/", "https://reg.example\\@evil.example/", "//a b/"]
        {
            assert_eq!(page.join(reference), None, "{reference}");
        }
    }

    #[test]
    fn a_link_in_the_clear_to_the_same_host_is_mended() {
        let mended = |page: &str, link: &str| Url::parse(page).unwrap().join_mended(link).unwrap().to_string();
        assert_eq!(mended("https://reg.example/v2/", "http://reg.example/x"), "https://reg.example/x");
        assert_eq!(mended("https://reg.example:5000/", "http://reg.example:5000/x"), "https://reg.example:5000/x");
        assert_eq!(mended("https://reg.example/v2/", "http://other.example/x"), "http://other.example/x");
        assert_eq!(mended("http://reg.example/v2/", "http://reg.example/x"), "http://reg.example/x");
    }

    #[test]
    fn a_query_is_appended_to_and_otherwise_left_alone() {
        let append = |text: &str| Url::parse(text).unwrap().with_query("digest", "sha256:0").to_string();
        assert_eq!(append("http://r/u"), "http://r/u?digest=sha256%3A0");
        assert_eq!(append("http://r/u?"), "http://r/u?digest=sha256%3A0");
        assert_eq!(append("http://r/u?_state=b%3D=&"), "http://r/u?_state=b%3D=&digest=sha256%3A0");
        assert_eq!(append("http://r/u?z=1&a=%20"), "http://r/u?z=1&a=%20&digest=sha256%3A0");
    }

    #[test]
    fn a_path_holds_no_more_than_a_path_may() {
        let at = |path: &str| Url::parse("https://r:5000/x?y").unwrap().at(path).to_string();
        assert_eq!(at("/v2/a/b/manifests/sha256:0f"), "https://r:5000/v2/a/b/manifests/sha256:0f");
        assert_eq!(at("/v2/a?b#c d"), "https://r:5000/v2/a%3Fb%23c%20d");
    }

    #[test]
    fn debug_shows_no_query() {
        assert_eq!(format!("{:?}", Url::parse("https://r/u?signature=secret").unwrap()), "https://r/u");
    }
}
