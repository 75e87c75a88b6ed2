//! What a registry's refusal means: its error body (distribution-spec, "Error Codes"), its status, what was asked.

use super::calls::Reply;
use crate::error::{Code, Error, RegistryError, clip};
use crate::http::Failure;
use crate::http::host::is_loopback;
use crate::http::url::{Scheme, Url};
use crate::http::{Headers, Method};
use crate::json;
use crate::oci::media_type::essence;

/// What the request was about: the same 404 means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Manifest,
    Blob,
    Upload,
    Tags,
    Token,
}

/// Entries of an error body that are kept.
const MOST_ERRORS: usize = 16;

/// The `errors` of a body; none if it has none. Whatever follows the document is ignored (Harbor 2.9 sends `]}` twice).
pub(super) fn errors(body: &[u8]) -> Vec<RegistryError> {
    let Some(document) = json::parse_first(body) else { return Vec::new() };
    let Some(entries) = document.get("errors").and_then(|errors| errors.as_array()) else { return Vec::new() };
    let text = |entry: &serde_json::Value, name| entry.get(name).and_then(|text| text.as_str()).map(clip);
    let errors = entries.iter().filter(|entry| entry.is_object()).take(MOST_ERRORS).map(|entry| RegistryError {
        code: text(entry, "code").unwrap_or_default(),
        message: text(entry, "message").unwrap_or_default(),
        detail: match entry.get("detail") {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(detail)) => clip(detail),
            Some(detail) => clip(&String::from_utf8_lossy(&json::write(detail))),
        },
    });
    errors.collect()
}

/// The error of an answer that the operation has no use for.
pub(super) fn refusal(reply: &Reply, about: About) -> Error {
    let errors = errors(&reply.body);
    let says = |code: &str| errors.iter().any(|error| error.code == code);
    let page = is_page(&reply.headers, &reply.body);
    let code = match reply.status {
        400 | 401 | 403 if about == About::Token && reply.presented => Code::AUTH_REFUSED,
        401 | 403 if about == About::Token => Code::AUTH_REQUIRED,
        401 if reply.presented => Code::AUTH_REFUSED,
        401 => Code::AUTH_REQUIRED,
        403 => Code::AUTH_FORBIDDEN,
        404 if says("BLOB_UPLOAD_UNKNOWN") || reply.away && reply.method == Method::Put => Code::REGISTRY_REFUSED,
        404 if wants_accept(reply) => Code::REGISTRY_UNSUPPORTED,
        404 if about == About::Blob => Code::BLOB_UNKNOWN,
        // zot says so of what it has in no repository.
        400 if about == About::Blob && says("BLOB_UNKNOWN") => Code::BLOB_UNKNOWN,
        404 if about == About::Manifest && reply.method != Method::Put && !says("NAME_UNKNOWN") => {
            Code::MANIFEST_UNKNOWN
        }
        404 => Code::REPOSITORY_UNKNOWN,
        407 => Code::TRANSPORT_CONNECT,
        409 | 412 => Code::REGISTRY_CONFLICT,
        413 => Code::REGISTRY_TOO_LARGE,
        429 => Code::REGISTRY_BUSY,
        405 | 406 | 415 | 501 | 505 => Code::REGISTRY_UNSUPPORTED,
        408 | 425 | 499 | 500..=599 => Code::REGISTRY_FAILED,
        400..=499 if says("UNSUPPORTED") => Code::REGISTRY_UNSUPPORTED,
        400..=499 => Code::REGISTRY_REFUSED,
        _ => Code::UNEXPECTED_STATUS,
    };
    let led = format!("{}, where the registry leads to,", reply.url.host());
    let who = match about {
        _ if reply.status == 407 => "the proxy",
        About::Token => "the token server",
        _ if reply.away => &led,
        _ => "the registry",
    };
    let mut message =
        format!("{who} answered {} to {} {}", reply.status, reply.method.as_str(), reply.url.without_query());
    if let Some(first) = errors.first() {
        let text = if first.message.is_empty() { &first.detail } else { &first.message };
        message = format!("{message}: {} {text}", first.code).trim_end().to_owned();
    }
    let mut error =
        Error::new(code, message).with("method", reply.method.as_str()).with("url", reply.url.without_query());
    for name in ["x-request-id", "x-github-request-id", "cf-ray"] {
        if let Some(value) = reply.headers.get(name) {
            error = error.with("request_id", clip(value));
        }
    }
    if let Some(value) = reply.headers.get("retry-after") {
        error = error.with("retry_after", clip(value));
    }
    if errors.is_empty() && !page && !reply.body.is_empty() && reply.status >= 400 {
        error = error.with("body", excerpt(&reply.body));
    }
    if let Some(hint) = hint(reply, about, page, &says) {
        error = error.with_hint(hint);
    }
    error.with_answer(reply.status, errors)
}

/// To who asked without TLS.
const SPEAKS_TLS: &str =
    "The registry speaks TLS: leave `plain_http` out; on a loopback address, where http is tried, give `ca_file`.";

/// To who showed no certificate, or one that is not believed.
const CLIENT_CERTIFICATE: &str =
    "The registry wants to see a certificate of the client, of an authority that it believes: give one, and its key.";

const PROXY_LOGIN: &str = "The proxy asks for a login: give its user and password in the proxy's URL.";

/// A hint that knows the case better than the code's remedy does.
fn hint(reply: &Reply, about: About, page: bool, says: &dyn Fn(&str) -> bool) -> Option<String> {
    let body = String::from_utf8_lossy(&reply.body);
    let host = reply.url.host();
    if reply.url.scheme() == Scheme::Http
        && (body.contains("HTTP request to an HTTPS server") || body.contains("plain HTTP request was sent to HTTPS"))
    {
        return Some(SPEAKS_TLS.to_owned());
    }
    // nginx's words.
    if reply.status == 400 && (body.contains("No required SSL certificate") || body.contains("SSL certificate error")) {
        return Some(CLIENT_CERTIFICATE.to_owned());
    }
    let hint = match reply.status {
        407 => PROXY_LOGIN.to_owned(),
        403 if reply.away => {
            "The registry leads to this address, which is good for a short time: check the clocks of the registry and its \
             storage, and that no proxy changes the request."
                .to_owned()
        }
        401 | 403 if host.ends_with(".dkr.ecr.amazonaws.com") || body.contains("authorization token has expired") => {
            "A login to Amazon ECR lives for 12 hours: log in again, and check that the repository exists.".to_owned()
        }
        401 | 403 if host == "ghcr.io" => {
            "Packages of GitHub's registry are private at first: log in with a classic token that has read:packages (to \
             push: write:packages), or make the package public."
                .to_owned()
        }
        401 if host == "registry-1.docker.io" && reply.presented => {
            "Docker Hub answers this for repositories that are not there as well; its names have exactly two levels: \
             oci://docker.io/USER."
                .to_owned()
        }
        403 if !reply.presented => {
            "No credential was shown, as none was asked for: log in to the registry first. Where that was done, ask who runs \
             it why it refuses."
                .to_owned()
        }
        404 if says("BLOB_UPLOAD_UNKNOWN") => {
            "The registry has lost the upload: try again. Where several serve one address, all of an upload must reach the \
             same, or they must share their storage."
                .to_owned()
        }
        404 if reply.away && reply.method == Method::Put => {
            "The registry leads to this address, and it takes nothing: check the registry, and the proxy before it.".to_owned()
        }
        404 if wants_accept(reply) => {
            "The manifest is there, and the Accept header that it needs did not arrive: check the proxy before the registry."
                .to_owned()
        }
        404 if about == About::Upload => format!(
            "Create the repository before the first push: some registries (such as Amazon ECR) do not create it by \
             themselves{}",
            if page { "; or the host is no registry at all: it answered with a web page." } else { "." }
        ),
        404 if about == About::Manifest && !says("NAME_UNKNOWN") && reply.method != Method::Put && !page => {
            return None;
        }
        404 if page => "The host answered with a web page: check that it is a registry, and its path.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// distribution has the manifest, and has not seen that its type is accepted.
fn wants_accept(reply: &Reply) -> bool {
    reply.status == 404 && String::from_utf8_lossy(&reply.body).contains("accept header does not support")
}

/// It is a web page, and so not a registry's answer.
pub(super) fn is_page(headers: &Headers, body: &[u8]) -> bool {
    let start = body.trim_ascii_start().get(..5).unwrap_or_default().to_ascii_lowercase();
    headers.get("content-type").is_some_and(|value| essence(value) == "text/html")
        || matches!(start.as_slice(), b"<html" | b"<!doc" | b"<?xml")
}

/// A success of an upload, which is judged by its head: a web page has nothing of what a receipt names. Receipts of Quay have
/// the type of a page, though they are none.
pub(super) fn receipt(reply: &Reply) -> Result<(), Error> {
    let names = |name| reply.headers.get(name).is_some();
    if !is_page(&reply.headers, &[]) || ["docker-content-digest", "location", "range"].into_iter().any(names) {
        return Ok(());
    }
    Err(Error::new(Code::NOT_A_REGISTRY, "a web page came in place of a receipt")
        .with("method", reply.method.as_str())
        .with("url", reply.url.without_query()))
}

/// The beginning of a body, in one line of printable text.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..400).unwrap_or(body));
    clip(
        &text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// The error of a request that got no answer.
pub(super) fn failure(failure: &Failure, method: Method, url: &Url, follows: bool) -> Error {
    let host = format!("{}:{}", url.host(), url.port());
    let (code, text) = match failure {
        Failure::Connect(text) => (Code::TRANSPORT_CONNECT, format!("no connection to {host}: {}", redacted(text))),
        Failure::Proxy(status, place) => {
            (Code::TRANSPORT_CONNECT, format!("the proxy {} answered {status} to CONNECT {host}", redacted(place)))
        }
        Failure::Tls(text) => (Code::TRANSPORT_TLS, format!("no TLS with {host}: {}", redacted(text))),
        Failure::Timeout => (Code::TRANSPORT_TIMEOUT, format!("{host} was silent for too long")),
        Failure::Reset => (Code::TRANSPORT_RESET, format!("{host} broke the connection")),
        Failure::Storage(text) => (Code::TRANSPORT_STORAGE, redacted(text)),
        Failure::Forbidden(text) => {
            (Code::TRANSPORT_FORBIDDEN, format!("connections to {host} are not allowed: {}", redacted(text)))
        }
        Failure::Other(text) => (Code::TRANSPORT_OTHER, format!("the request to {host} failed: {}", redacted(text))),
    };
    let error = Error::new(code, text).with("method", method.as_str()).with("url", url.without_query());
    match failure {
        Failure::Tls(text) | Failure::Connect(text) | Failure::Other(text)
            if url.scheme() == Scheme::Https && speaks_plainly(text) =>
        {
            error.with_hint("The registry seems to speak plain http: name it in `plain_http`.")
        }
        Failure::Tls(text) if wants_certificate(text) => error.with_hint(CLIENT_CERTIFICATE),
        Failure::Proxy(407, _) => error.with_hint(PROXY_LOGIN),
        Failure::Proxy(400..=499, _) => error.with_hint(
            "The proxy lets nobody through to this host and port: ask those who keep it, or exempt the host by NO_PROXY.",
        ),
        Failure::Other(text) if url.scheme() == Scheme::Http && text.contains("answered in TLS") => {
            error.with_hint(SPEAKS_TLS)
        }
        Failure::Reset if url.scheme() == Scheme::Http && is_loopback(url.host()) => error
            .with_hint("Try again; if the registry speaks TLS, give `ca_file`: on a loopback address http is tried."),
        Failure::Other(_) | Failure::Connect(_) if follows => error.with_hint(
            "A browser does not tell more. If the host is up, it most likely does not allow this page's origin (CORS).",
        ),
        _ => error,
    }
}

/// TLS libraries' words (OpenSSL, Go, rustls, NSS) for an answer that is no TLS.
fn speaks_plainly(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace('_', " ");
    let signs =
        ["wrong version number", "look like a tls", "packet length too long", "invalidcontenttype", "http request"];
    signs.iter().any(|sign| text.contains(sign))
}

/// OpenSSL's words for the alerts of a server that asks who calls (RFC 8446, section 6.2).
fn wants_certificate(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace('_', " ");
    text.contains("alert certificate required") || text.contains("alert bad certificate")
}

/// The host's words without the queries of the URLs in them, which may be signed, and without user and password before their
/// hosts, such as a proxy's.
fn redacted(text: &str) -> String {
    let mut shown = String::new();
    let mut in_query = false;
    for character in text.chars() {
        let ends = |c: char| c.is_whitespace() || "\"'<>)".contains(c);
        if in_query {
            in_query = !ends(character);
        }
        let host = shown.rfind("://").map(|at| at + 3).filter(|_| character == '@');
        if let Some(host) = host.filter(|host| !shown.get(*host..).unwrap_or_default().contains(ends)) {
            shown.truncate(host);
            in_query = false;
            continue;
        }
        if !in_query {
            shown.push(if character.is_control() { ' ' } else { character });
            if character == '?' {
                in_query = true;
                shown.push('…');
            }
        }
    }
    clip(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: Headers::new(),
            body: body.as_bytes().to_vec(),
            is_cut: false,
            url: Url::parse("https://reg.example/v2/web/manifests/1?token=secret").unwrap(),
            method: Method::Get,
            presented: false,
            away: false,
            repeated: false,
        }
    }

    #[test]
    fn the_registrys_own_words_are_kept() {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag","detail":{"Tag":"1"}}]}"#;
        let error = refusal(&reply(404, body), About::Manifest);
        assert_eq!((error.code(), error.kind(), error.status()), (Code::MANIFEST_UNKNOWN, Kind::NotFound, Some(404)));
        assert_eq!(error.registry_errors()[0].detail, r#"{"Tag":"1"}"#);
        assert!(error.message().ends_with("manifests/1: MANIFEST_UNKNOWN no such tag"));
        assert!(!format!("{error:?}{error}").contains("secret"));
    }

    #[test]
    fn any_body_is_borne() {
        for body in ["", "null", "[]", "{", "<html>", "{\"errors\":5}", "{\"errors\":[5,null]}", "\u{0}\u{ff}"] {
            assert_eq!(errors(body.as_bytes()), [], "{body}");
            assert_eq!(refusal(&reply(400, body), About::Manifest).code(), Code::REGISTRY_REFUSED);
        }
        let doubled = r#"{"errors":[{"code":"NOT_FOUND"}]}]}"#;
        assert_eq!(errors(doubled.as_bytes())[0].code, "NOT_FOUND");
        let many = format!("{{\"errors\":[{}{{}}]}}", "{},".repeat(1000));
        assert_eq!(errors(many.as_bytes()).len(), MOST_ERRORS);
    }

    #[test]
    fn a_status_has_a_code_whatever_the_body_says() {
        for (status, about, code) in [
            (401, About::Manifest, Code::AUTH_REQUIRED),
            (403, About::Upload, Code::AUTH_FORBIDDEN),
            (404, About::Upload, Code::REPOSITORY_UNKNOWN),
            (404, About::Blob, Code::BLOB_UNKNOWN),
            (404, About::Tags, Code::REPOSITORY_UNKNOWN),
            (405, About::Manifest, Code::REGISTRY_UNSUPPORTED),
            (409, About::Manifest, Code::REGISTRY_CONFLICT),
            (413, About::Upload, Code::REGISTRY_TOO_LARGE),
            (429, About::Manifest, Code::REGISTRY_BUSY),
            (500, About::Manifest, Code::REGISTRY_FAILED),
            (204, About::Manifest, Code::UNEXPECTED_STATUS),
        ] {
            assert_eq!(refusal(&reply(status, ""), about).code(), code, "{status} {about:?}");
        }
    }

    #[test]
    fn hints_fit_the_case() {
        let hint = |status, about, body: &str| refusal(&reply(status, body), about).hint().to_owned();
        assert!(hint(404, About::Upload, "").contains("Create the repository"));
        assert!(hint(403, About::Manifest, "").contains("log in"));
        assert!(hint(404, About::Manifest, "").contains("List the versions"));
        assert!(hint(404, About::Manifest, "<!DOCTYPE html>").contains("web page"));
        let untyped = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI manifest found, but accept header does not support OCI manifests"}]}"#;
        assert!(hint(404, About::Manifest, untyped).contains("Accept"));
        assert!(!hint(403, About::Manifest, "").contains("was given"), "nobody knows whether one was");
        let mut plain = reply(400, "Client sent an HTTP request to an HTTPS server.\n");
        plain.url = Url::parse("http://reg.example/").unwrap();
        assert!(refusal(&plain, About::Upload).hint().contains("speaks TLS"));
        let url = Url::parse("https://reg.example/v2/").unwrap();
        let tls = failure(&Failure::Tls("[SSL: WRONG_VERSION_NUMBER] wrong version".into()), Method::Get, &url, false);
        assert!(tls.hint().contains("plain http"));
        let hint =
            |kind: &Failure, url: &str| failure(kind, Method::Get, &Url::parse(url).unwrap(), false).hint().to_owned();
        assert!(hint(&Failure::Other("the peer answered in TLS".into()), "http://reg.example/").contains("speaks TLS"));
        assert!(hint(&Failure::Reset, "http://127.0.0.1:5000/").contains("`ca_file`"));
        assert!(!hint(&Failure::Reset, "https://127.0.0.1:5000/").contains("`ca_file`"));
        // What OpenSSL says of a server of Go's that was shown no certificate, and the page that nginx sends then.
        for alert in [
            "sslv3 alert bad certificate",
            "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required",
        ] {
            let kind = Failure::Tls(alert.into());
            assert!(hint(&kind, "https://reg.example/").contains("certificate of the client"), "{alert}");
        }
        assert!(
            !hint(&Failure::Tls("certificate verify failed".into()), "https://reg.example/").contains("of the client")
        );
        let page = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>";
        assert!(refusal(&reply(400, page), About::Tags).hint().contains("certificate of the client"));
    }

    #[test]
    fn who_answered_is_named() {
        let error = refusal(&reply(407, ""), About::Manifest);
        assert_eq!((error.code(), error.kind()), (Code::TRANSPORT_CONNECT, Kind::Transport));
        assert!(error.message().starts_with("the proxy answered 407") && error.hint().contains("proxy's URL"));
        let mut store = reply(403, "");
        store.away = true;
        let error = refusal(&store, About::Blob);
        assert!(error.message().starts_with("reg.example, where the registry leads to, answered 403"));
        assert!(error.hint().contains("clocks"));
    }

    #[test]
    fn a_lost_upload_is_no_missing_repository() {
        let error = refusal(&reply(404, r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#), About::Upload);
        assert_eq!(error.code(), Code::REGISTRY_REFUSED);
        assert!(error.hint().contains("lost the upload"));
        let mut put = reply(404, "");
        (put.method, put.away) = (Method::Put, true);
        assert_eq!(refusal(&put, About::Manifest).code(), Code::REGISTRY_REFUSED);
    }

    #[test]
    fn the_hosts_words_lose_their_queries() {
        let url = Url::parse("https://cdn.example/b?sig=secret").unwrap();
        let text = "GET https://cdn.example/b?sig=secret failed (\"/b?sig=secret\"): refused";
        let error = failure(&Failure::Connect(text.into()), Method::Get, &url, false);
        assert!(!format!("{error:?}").contains("secret"));
        assert!(error.message().contains("refused"));
        for (said, shown) in [
            ("proxy http://ada:hunter2@proxy:3128 said no to a@b", "proxy http://proxy:3128 said no to a@b"),
            ("'http://hunter2@[::1]:1/x' a@b", "'http://[::1]:1/x' a@b"),
            ("http://a:hun/hunter2@b@proxy/, http://c:hunter2?hunter2@d", "http://proxy/, http://d"),
            ("http://proxy:3128 and a@b, http://c/?hunter2 x", "http://proxy:3128 and a@b, http://c/?… x"),
        ] {
            assert_eq!(redacted(said), shown);
        }
    }
}
