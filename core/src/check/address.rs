//! What `helm lint` takes for a URL, a web address and an email address: the rules of govalidator (2023-03-01).

use std::net::Ipv6Addr;

use crate::http::net_url::{has_scheme, parse, parse_request};

/// `http://…`, `data:…`: what Go parses as a request's URI, with a scheme (`IsRequestURL`).
pub(super) fn no_url(text: &str) -> Option<String> {
    (!has_scheme(text) || parse_request(text).is_err()).then(|| "is no URL".to_owned())
}

/// A host will do, and so will nothing (`IsURL`).
pub(super) fn no_web_address(text: &str) -> Option<String> {
    (!text.is_empty() && !is_web_address(text)).then(|| "is no URL".to_owned())
}

/// A bare address whose host has a dot (`IsEmail`).
pub(super) fn no_email(text: &str) -> Option<String> {
    (!text.is_empty() && !is_email(text)).then(|| "is no email address".to_owned())
}

fn is_web_address(text: &str) -> bool {
    if text.chars().count() >= 2083 || text.len() <= 3 || text.starts_with('.') || text.contains(char::is_whitespace) {
        return false;
    }
    let with_scheme = match text.contains(':') && !text.contains("://") {
        true => format!("http://{text}"),
        false => text.to_owned(),
    };
    let Ok(parsed) = parse(&with_scheme) else { return false };
    if parsed.host.starts_with('.') || parsed.host.is_empty() && !parsed.path.is_empty() && !parsed.path.contains('.') {
        return false;
    }
    let schemes = ["ftp://", "tcp://", "udp://", "ws://", "wss://", "http://", "https://"];
    let behind_scheme = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    // Whatever stands before any `@` may be the user.
    let behind_users = text.match_indices('@').filter(|(at, _)| *at > 0).map(|(at, _)| &text[at + 1..]);
    behind_scheme.into_iter().chain([text]).chain(behind_users).any(is_site)
}

/// `host[:port][/path]`, where the host is a name or an address.
fn is_site(text: &str) -> bool {
    let end = match text.strip_prefix('[') {
        Some(rest) => match rest.find(']') {
            Some(end) if rest[..end].parse::<Ipv6Addr>().is_ok() => end + 2,
            _ => return false,
        },
        None => text.find(|c| !is_letter(c) && !c.is_ascii_digit() && !"-_.".contains(c)).unwrap_or(text.len()),
    };
    let (host, mut rest) = text.split_at(end);
    let is_host = |host: &str| is_name(host) || is_address(host);
    let is_named = host.starts_with('[') || is_host(host) || host.strip_suffix('.').is_some_and(is_host);
    if let Some(port) = rest.strip_prefix(':') {
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=5).contains(&digits) {
            return false;
        }
        rest = &port[digits..];
    }
    is_named && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Four numbers up to 255; the first is not 0, and of 230 to 239 none.
fn is_address(host: &str) -> bool {
    let number = |(at, part): (usize, &str)| {
        let is_short = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().is_ok_and(|number: u8| {
            is_short
                && (at > 0 || !part.starts_with('0') && !(230..=239).contains(&number))
                && (part.len() < 3 || number >= 100)
        })
    };
    host.split('.').count() == 4 && host.split('.').enumerate().all(number)
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('\u{a1}'..='\u{ffff}').contains(&c)
}

/// A label, perhaps with a prefix before it and a last label of letters behind it. Prefixes end anywhere.
fn is_name(host: &str) -> bool {
    let is_end = |text: &str| {
        let is_top = |top: &str| !top.is_empty() && top.chars().all(is_letter);
        is_label(text) || text.rsplit_once('.').is_some_and(|(label, top)| is_label(label) && is_top(top))
    };
    // Longer ones are no hosts, and not worth the time.
    host.len() > 253
        || (0..host.len()).any(|at| host.is_char_boundary(at) && is_prefix(&host[..at]) && is_end(&host[at..]))
}

/// Letters and digits, between them one or two hyphens.
fn is_label(text: &str) -> bool {
    !text.starts_with('-')
        && !text.ends_with('-')
        && !text.is_empty()
        && !text.contains("---")
        && text.chars().all(|c| is_letter(c) || c.is_ascii_digit() || c == '-')
}

/// Labels of ASCII as they may stand before the last one.
fn is_prefix(text: &str) -> bool {
    if text.is_empty() || text == "www." {
        return true;
    }
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // The first word has two bytes at least, and any hyphens and underscores inside.
    let first = text.find('.').unwrap_or(text.len());
    let first = text[..first].trim_end_matches('-');
    let is_first = |first: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        first.len() >= 2
            && first.bytes().all(inner)
            && first.starts_with(|c: char| c.is_ascii_alphanumeric())
            && first.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let labelled = is_first(first)
        && text[first.len()..].is_empty() | text[first.len()..].starts_with('.')
        && text[first.len()..].split('.').skip(1).all(|label| label.split('-').all(word));
    let below = text.rsplit_once('.').is_some_and(|(before, last)| {
        let mut words = before.rsplit(['-', '_', '.']);
        word(last) && words.next().is_some_and(|near| near.len() >= 2 && word(near)) && words.all(word)
    });
    labelled || below
}

fn is_email(text: &str) -> bool {
    let wide = |c: char| matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}');
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || wide(c);
    if !name.split('.').all(|word| !word.is_empty() && word.chars().all(is_of_name)) {
        return false;
    }
    let outer = |c: char| c.is_ascii_alphanumeric() || wide(c);
    let (letter, inner) = (|c: char| c.is_ascii_alphabetic() || wide(c), |c: char| outer(c) || "-_~".contains(c));
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit_once('.').is_some_and(|(below, top)| {
        below.starts_with(outer)
            && below.ends_with(outer)
            && below.chars().all(|c| inner(c) || c == '.')
            && top.starts_with(letter)
            && top.ends_with(letter)
            && top.chars().all(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // What `helm lint` (4.3.1) said to each.
    #[test]
    fn urls_and_addresses_are_judged_as_helm_lint_does() {
        for (text, good) in [
            ("https://x.example/i.png", true),
            ("ftp://x/y", true),
            ("data:image/png;base64,AA", true),
            ("file:///x", true),
            ("git+https://x.y/z", true),
            ("foo", false),
            ("", false),
            ("https://a b", false),
            ("/x", false),
            ("github.com/x", false),
            ("git@github.com:a/b.git", false),
            ("https://x/a b", true),
            ("https://h:port", false),
            ("https://h:80", true),
            ("https://[::1", false),
            ("https://[::1]:80/", true),
            ("https://x/%zz", false),
            ("https://x%20y", false),
            ("https://x\\y", false),
            ("https://a|b@c", false),
            ("1x:y", false),
        ] {
            assert_eq!(no_url(text).is_none(), good, "{text}");
        }
        for (text, good) in [
            ("", true),
            ("github.com/x", true),
            ("mailto:x@y.z", true),
            ("foo", false),
            ("https://foo", true),
            ("https://medium.com/@x", true),
            ("1.2.3.4", true),
            ("1.2.3.4a", false),
            ("239.2.3.4", false),
            ("https://[::1]:80?q", true),
            ("a_b.example", true),
            ("a-.example", false),
            ("x.example:port", false),
            ("https://x.example/#%zz", false),
        ] {
            assert_eq!(no_web_address(text).is_none(), good, "{text}");
        }
        for (text, good) in [
            ("", true),
            ("a@b.example", true),
            ("a@b", false),
            ("b", false),
            ("F <a@b.c>", false),
            ("a..b@x.org", false),
            ("a@-x.org", false),
            ("a@b.123", false),
            ("a@x_y.org", true),
            ("\"a b\"@x.org", false),
            ("a+b@x.org.", true),
            ("é@é.é", true),
        ] {
            assert_eq!(no_email(text).is_none(), good, "{text}");
        }
    }
}
