//! Which endpoint a request means (distribution-spec, "Endpoints").

use crate::http::{Headers, Method};
use crate::json::hexadecimal;
use crate::oci::reference::is_repository_name;
use crate::time::Instant;

/// A request, taken apart. Repository names are valid; digests and references are checked by their endpoints.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) route: Route,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Headers,
    pub(super) now: Instant,
}

impl Request {
    /// The first value of that name in the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The length that the body claims to have.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.headers.get("content-length")?.trim().parse().ok()
    }
}

/// The endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Base,
    Token,
    Catalog,
    Blob { repository: String, digest: String },
    Uploads { repository: String },
    Upload { repository: String, id: String },
    Manifest { repository: String, reference: String },
    Tags { repository: String },
    Referrers { repository: String, digest: String },
}

/// Why a path means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unrouted {
    /// No endpoint has this form.
    Nowhere,
    /// The repository's name breaks the grammar.
    Name,
}

impl Route {
    /// Reads a path (percent-encoded, without its query). It is read from its end, since a repository may itself be
    /// called `blobs` or `manifests`.
    pub(super) fn parse(path: &str) -> Result<Route, Unrouted> {
        let path = decode(path, false).ok_or(Unrouted::Nowhere)?;
        match path.as_str() {
            "/v2/" | "/v2" => return Ok(Route::Base),
            "/v2/_catalog" => return Ok(Route::Catalog),
            "/token" => return Ok(Route::Token),
            _ => {}
        }
        let parts: Vec<&str> = path.strip_prefix("/v2/").ok_or(Unrouted::Nowhere)?.split('/').collect();
        let named = |parts: &[&str]| {
            let name = parts.join("/");
            if is_repository_name(&name) { Ok(name) } else { Err(Unrouted::Name) }
        };
        match parts.as_slice() {
            [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Route::Uploads { repository: named(name)? })
            }
            [name @ .., "blobs", "uploads", id] => Ok(Route::Upload { repository: named(name)?, id: (*id).to_owned() }),
            [name @ .., "tags", "list"] => Ok(Route::Tags { repository: named(name)? }),
            [name @ .., "blobs", digest] => Ok(Route::Blob { repository: named(name)?, digest: (*digest).to_owned() }),
            [name @ .., "manifests", reference] => {
                Ok(Route::Manifest { repository: named(name)?, reference: (*reference).to_owned() })
            }
            [name @ .., "referrers", digest] => {
                Ok(Route::Referrers { repository: named(name)?, digest: (*digest).to_owned() })
            }
            _ => Err(Unrouted::Nowhere),
        }
    }

    /// The repository that the path names.
    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Route::Base | Route::Token | Route::Catalog => None,
            Route::Blob { repository, .. }
            | Route::Uploads { repository }
            | Route::Upload { repository, .. }
            | Route::Manifest { repository, .. }
            | Route::Tags { repository }
            | Route::Referrers { repository, .. } => Some(repository),
        }
    }
}

/// The host that a request's target names, if it does, and the rest, which is a path.
pub(super) fn absolute(target: &str) -> (Option<&str>, &str) {
    let rest = target
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    match rest {
        None => (None, target),
        Some((_, rest)) => {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(host), if path.is_empty() { "/" } else { path })
        }
    }
}

/// Path and query of a request's target; a query is read as a form.
pub(super) fn split(target: &str) -> (&str, Vec<(String, String)>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path, form(query))
}

/// Reads `a=1&b=2`; what cannot be decoded is left out.
pub(super) fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|field| !field.is_empty())
        .filter_map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

fn decode(text: &str, plus_is_blank: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hexadecimal(&[rest.next()?, rest.next()?])? as u8,
            b'+' if plus_is_blank => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_from_its_end() {
        let name = |route: Route| route.repository().map(str::to_owned);
        assert_eq!(name(Route::parse("/v2/a/manifests/blobs/uploads/").unwrap()).as_deref(), Some("a/manifests"));
        assert_eq!(name(Route::parse("/v2/blobs/uploads/manifests/x").unwrap()).as_deref(), Some("blobs/uploads"));
        assert_eq!(
            Route::parse("/v2/a/b/blobs/sha256%3Aab").unwrap(),
            Route::Blob { repository: "a/b".to_owned(), digest: "sha256:ab".to_owned() }
        );
        assert_eq!(Route::parse("/v2/a/tags/list").unwrap(), Route::Tags { repository: "a".to_owned() });
    }

    #[test]
    fn a_target_may_name_the_host() {
        assert_eq!(absolute("http://localhost:5000/v2/?a=b"), (Some("localhost:5000"), "/v2/?a=b"));
        assert_eq!(absolute("HTTPS://localhost"), (Some("localhost"), "/"));
        assert_eq!(absolute("/v2/?from=http://a/b"), (None, "/v2/?from=http://a/b"));
    }

    #[test]
    fn names_that_break_the_grammar_never_reach_a_path() {
        for path in
            ["/v2/../tags/list", "/v2/a/%2e%2e/tags/list", "/v2/A/tags/list", "/v2//tags/list", "/v2/a/.b/tags/list"]
        {
            assert_eq!(Route::parse(path), Err(Unrouted::Name), "{path}");
        }
        for path in ["/", "/v2/a", "/v1/", "/v2/a/%zz/tags/list", "/v2/%ff/tags/list"] {
            assert_eq!(Route::parse(path), Err(Unrouted::Nowhere), "{path}");
        }
    }
}
