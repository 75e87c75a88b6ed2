//! Who may do what: pages of other sites nothing, callers what their secret or token says.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::errors::Refusal;
use super::route::{Request, Route, form};
use super::serving::{Event, Next, Stage, broken};
use super::state::State;
use super::{Access, Claim, Config, Response, Users};
use crate::error::{Code, Error};
use crate::http::host::is_loopback;
use crate::http::url::Url;
use crate::http::{Headers, Method, Receiver};
use crate::time::{Duration, Instant};

/// How long a token is good for, if nothing else is said.
const LIFETIME: Duration = Duration::from_secs(300);
/// Of a form that asks for a token, in bytes.
const MOST_FORM: u64 = 16 << 10;

const EXPOSED: &str = "Location, WWW-Authenticate, Docker-Content-Digest, Docker-Upload-UUID, Link, Range, Content-Range, \
                       Accept-Ranges, ETag, Retry-After, OCI-Subject, OCI-Filters-Applied, OCI-Tag, \
                       OCI-Chunk-Min-Length";

/// An origin as browsers write it (RFC 6454, section 6.2): in lower case, without the scheme's own port.
pub(super) fn origin(text: &str) -> Result<String, Error> {
    let wrong = |message: String| {
        Err(Error::new(Code::ARGUMENT, message).with("origin", text).with_hint(
            "Name each page by scheme and host, and the port unless it is the scheme's own: https://charts.example:8443.",
        ))
    };
    match text {
        "*" => return wrong("the origin `*` would let every page of the web read and write here".to_owned()),
        // Browsers say so of every sandboxed frame, of files, and of whatever was redirected.
        _ if text.eq_ignore_ascii_case("null") => {
            return wrong("the origin `null` is any page's that wants to have none".to_owned());
        }
        _ => {}
    }
    let Some(url) = Url::parse(text).filter(|url| url.path() == "/" && url.query().is_none() && !text.contains('#'))
    else {
        return wrong(format!("`{text}` is no origin"));
    };
    let scheme = url.scheme();
    let port = Some(url.port()).filter(|port| *port != scheme.default_port());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    Ok(format!("{}://{}{port}", scheme.as_str(), url.host().to_ascii_lowercase()))
}

/// A name ends at the first colon where it is shown. What stands behind may be a password, and is not repeated.
pub(super) fn users(access: &Access) -> Result<(), Error> {
    match access {
        Access::Basic(Users::One { username, .. }) | Access::Bearer(Users::One { username, .. })
            if username.contains(':') =>
        {
            Err(Error::new(Code::ARGUMENT, "the user's name has a colon: nobody could log in with it")
                .with_hint("Give the name alone, and the password by itself."))
        }
        _ => Ok(()),
    }
}

/// A host that `Host` may name, with a port or without.
pub(super) fn host(text: &str) -> Result<String, Error> {
    let is_host = !text.contains(['/', '?', '#', '@', '*']) && Url::parse(&format!("http://{text}/")).is_some();
    match is_host {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Error::new(Code::ARGUMENT, format!("`{text}` is no host")).with("host", text).with_hint(
            "Name each host as clients write it, with a port or for every port: registry.example, [2001:db8::1]:5000.",
        )),
    }
}

/// A `Host` that is loopback or was named. Any other is a page that had its own name point here.
pub(super) fn is_own_host(config: &Config, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !bare.ends_with(':') => bare,
        _ => &host,
    };
    is_loopback(bare)
        || config.hosts.iter().any(|known| known.eq_ignore_ascii_case(&host) || known.eq_ignore_ascii_case(bare))
}

/// How a request stands to the page that made it, if one did.
pub(super) enum Caller {
    /// No page of another site.
    Own,
    /// A page of an origin that was named.
    Named(String),
    /// A page that is nobody's business.
    Foreign,
}

pub(super) fn caller(config: &Config, headers: &Headers, host: &str) -> Caller {
    let own = if config.https { "https://" } else { "http://" };
    match headers.get("origin") {
        None => Caller::Own,
        Some(origin) if config.cors_origins.iter().any(|named| named == origin) => Caller::Named(origin.to_owned()),
        Some(origin) => match origin.strip_prefix(own) {
            Some(authority) if authority.eq_ignore_ascii_case(host) => Caller::Own,
            _ => Caller::Foreign,
        },
    }
}

/// The answer to a browser that asks before it asks.
pub(super) fn preflight(headers: &Headers) -> Response {
    let response = Response::new(204)
        .with("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
        .with(
            "access-control-allow-headers",
            "Authorization, Accept, Content-Type, Content-Range, Range, If-Match, If-None-Match, If-Range, User-Agent",
        )
        .with("access-control-max-age", "7200");
    match headers.get("access-control-request-private-network") {
        Some("true") => response.with("access-control-allow-private-network", "true"),
        _ => response,
    }
}

/// Lets a page of a named origin read the answer.
pub(super) fn share(response: Response, origin: &str) -> Response {
    response
        .with("access-control-allow-origin", origin)
        .with("access-control-expose-headers", EXPOSED)
        .with("vary", "origin")
}

/// What a request needs: `(type, name, action)`, as in a scope.
fn needed(request: &Request) -> Option<(&'static str, &str, &'static str)> {
    let name = match &request.route {
        Route::Catalog => return Some(("registry", "catalog", "*")),
        route => route.repository()?,
    };
    let uploads = matches!(request.route, Route::Uploads { .. } | Route::Upload { .. });
    let action = match request.method {
        Method::Get | Method::Head if !uploads => "pull",
        Method::Delete if !uploads => "delete",
        _ => "push",
    };
    Some(("repository", name, action))
}

/// Whether a request may be served.
pub(super) enum Permit {
    Granted,
    Refused(Response),
    /// If the claim is true; the answer if not.
    Ask(Claim, Response),
}

/// Checks that the caller may do it.
pub(super) fn authorize(state: &State, request: &Request, host: &str) -> Permit {
    let refused = |challenge: String| {
        Refusal::Unauthorized.because("authentication is required").with("www-authenticate", challenge)
    };
    let authorization = request.headers.get("authorization");
    match &state.config.access {
        _ if request.route == Route::Token => Permit::Granted,
        Access::Open => Permit::Granted,
        Access::Basic(users) => judge(users, basic(authorization), refused("Basic realm=\"chartoci\"".to_owned())),
        Access::Bearer(_) => {
            let token = bearer(authorization).map(|token| read_token(&state.config, token, request.now));
            let needed = needed(request);
            let error = match (token, needed) {
                (Some(Some(scopes)), Some(need)) if grants(&scopes, need) => return Permit::Granted,
                (Some(Some(_)), None) => return Permit::Granted,
                (Some(Some(_)), Some(_)) => ",error=\"insufficient_scope\"",
                (Some(None), _) => ",error=\"invalid_token\"",
                (None, _) => "",
            };
            let scope = match needed {
                Some((kind, name, "push")) => format!(",scope=\"{kind}:{name}:pull,push\""),
                Some((kind, name, action)) => format!(",scope=\"{kind}:{name}:{action}\""),
                None => String::new(),
            };
            let scheme = if state.config.https { "https" } else { "http" };
            Permit::Refused(refused(format!(
                "Bearer realm=\"{scheme}://{host}/token\",service=\"{host}\"{scope}{error}"
            )))
        }
    }
}

/// Whether somebody is who they say, as far as that is known here.
fn judge(users: &Users, claim: Option<Claim>, refusal: Response) -> Permit {
    match (users, claim) {
        (Users::One { username, password }, Some(claim))
            if same(&claim.username, username) & same(&claim.password, password) =>
        {
            Permit::Granted
        }
        (Users::Asked, Some(claim)) => Permit::Ask(claim, refusal),
        _ => Permit::Refused(refusal),
    }
}

/// The caller may pull from that repository as well.
pub(super) fn may_pull(state: &State, request: &Request, repository: &str) -> bool {
    match &state.config.access {
        Access::Open | Access::Basic(_) => true,
        Access::Bearer(_) => bearer(request.headers.get("authorization"))
            .and_then(|token| read_token(&state.config, token, request.now))
            .is_some_and(|scopes| grants(&scopes, ("repository", repository, "pull"))),
    }
}

/// `/token`: by GET with Basic, or by POST with a form, as OAuth 2 has it.
pub(super) fn token(state: &mut State, request: &Request) -> Next {
    if !matches!(&state.config.access, Access::Bearer(_)) {
        return Next::Answer(Response::json(404, &serde_json::json!({ "errors": [] })));
    }
    match request.method {
        Method::Get => {
            let claim = basic(request.headers.get("authorization"));
            grant_to(state, claim, request.query.clone(), request.now)
        }
        Method::Post => {
            let stage = Box::new(Form { now: request.now });
            Next::Receive { receiver: Receiver::collect(MOST_FORM), sink: None, stage }
        }
        _ => Next::Answer(super::not_allowed("GET, POST")),
    }
}

fn unknown_caller() -> Response {
    Refusal::Unauthorized.because("user name or password is wrong").with("www-authenticate", "Basic realm=\"chartoci\"")
}

/// A form that asks for a token is on its way.
struct Form {
    now: Instant,
}

impl Stage for Form {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let Event::Body(receiver) = event else { return broken() };
        let data = String::from_utf8(receiver.into_data()).unwrap_or_default();
        let fields = form(&data);
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or_else(String::new, |(_, value)| value.clone())
        };
        let claim = Claim { username: field("username"), password: field("password") };
        let claim = Some(claim).filter(|_| field("grant_type") == "password");
        grant_to(state, claim, fields, self.now)
    }
}

/// A token for who is known.
fn grant_to(state: &mut State, claim: Option<Claim>, fields: Vec<(String, String)>, now: Instant) -> Next {
    let Access::Bearer(users) = &state.config.access else { return broken() };
    match judge(users, claim, unknown_caller()) {
        Permit::Granted => Next::Answer(grant(state, &fields, now)),
        Permit::Refused(response) => Next::Answer(response),
        Permit::Ask(claim, refusal) => {
            let then = move |state: &mut State, known| match known {
                true => Next::Answer(grant(state, &fields, now)),
                false => Next::Answer(refusal),
            };
            Next::Check { claim, then: Box::new(then) }
        }
    }
}

/// A token for all the scopes that were asked for.
fn grant(state: &mut State, fields: &[(String, String)], now: Instant) -> Response {
    let scopes = fields.iter().filter(|(name, _)| name == "scope").flat_map(|(_, value)| value.split_whitespace());
    let scopes = scopes.collect::<Vec<_>>().join(" ");
    let lifetime = state.config.token_lifetime.unwrap_or(LIFETIME);
    let expires = (now + lifetime).as_millis();
    let content = format!("{}.{expires}.{}", state.next_id("token"), URL_SAFE_NO_PAD.encode(scopes));
    let token = format!("{content}.{}", sign(&state.config, &content));
    let answer = serde_json::json!({ "token": token, "access_token": token, "expires_in": lifetime.as_secs() });
    Response::json(200, &answer).with("cache-control", "no-store")
}

/// The scopes of a token that is genuine and not expired.
fn read_token(config: &Config, token: &str, now: Instant) -> Option<String> {
    let (content, signature) = token.rsplit_once('.')?;
    let mut parts = content.split('.');
    let (_, expires, scopes) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    if !same(signature, sign(config, content)) || now >= Instant::from_millis(expires) {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(scopes).ok()?).ok()
}

fn grants(scopes: &str, (kind, name, action): (&str, &str, &str)) -> bool {
    scopes.split(' ').any(|scope| {
        let Some(((known_kind, known_name), actions)) =
            scope.rsplit_once(':').and_then(|(rest, actions)| Some((rest.split_once(':')?, actions)))
        else {
            return false;
        };
        known_kind == kind && known_name == name && actions.split(',').any(|known| known == action || known == "*")
    })
}

/// HMAC-SHA-256 (RFC 2104) under a key made from the seed.
fn sign(config: &Config, content: &str) -> String {
    let key: [u8; 32] = Sha256::digest(format!("token {}", config.seed)).into();
    let pad = |mask: u8| {
        let mut block = [mask; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(content).finalize();
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}

fn bearer(authorization: Option<&str>) -> Option<&str> {
    credentials(authorization, "bearer")
}

fn credentials<'a>(authorization: Option<&'a str>, scheme: &str) -> Option<&'a str> {
    let (known, rest) = authorization?.split_once(' ')?;
    known.eq_ignore_ascii_case(scheme).then_some(rest.trim())
}

fn basic(authorization: Option<&str>) -> Option<Claim> {
    let text = String::from_utf8(STANDARD.decode(credentials(authorization, "basic")?).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Claim { username: username.to_owned(), password: password.to_owned() })
}

/// Compares in a time that tells nothing about where two secrets differ.
fn same(left: impl AsRef<[u8]>, right: impl AsRef<[u8]>) -> bool {
    let (left, right) = (Sha256::digest(left), Sha256::digest(right));
    left.iter().zip(right.iter()).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_named_hosts_are_its_own() {
        let config = Config { hosts: vec!["reg.test".to_owned(), "two.test:5000".to_owned()], ..Config::default() };
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5000",
            "reg.test",
            "reg.test:80",
            "two.test:5000",
        ] {
            assert!(is_own_host(&config, host), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "two.test",
            "two.test:5001",
            "0.0.0.0",
            "[::2]",
            "10.0.0.1",
            "localhost:x",
        ] {
            assert!(!is_own_host(&config, host), "{host}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (given, browsers) in [
            ("https://app.example", "https://app.example"),
            ("https://App.Example:443", "https://app.example"),
            ("http://a.com/", "http://a.com"),
            ("HTTP://a.com:80/", "http://a.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://a.com:80", "https://a.com:80"),
        ] {
            assert_eq!(origin(given).unwrap(), browsers, "{given}");
        }
        for given in [
            "*",
            "null",
            "NULL",
            "",
            "a.com",
            "a.com:443",
            "https://",
            "https://a.com/page",
            "https://a.com/?",
            "ftp://a.com",
        ] {
            assert_eq!(origin(given).unwrap_err().code(), Code::ARGUMENT, "{given}");
        }
        for given in
            ["https://ada@a.com", "https://a.com/#", "https://*.a.com", "https://a .com", "https://a.com,https://b.com"]
        {
            assert!(origin(given).is_err(), "{given}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_or_without() {
        for given in ["reg.test", "Reg.test:5000", "192.0.2.7", "[2001:db8::1]:5000"] {
            assert_eq!(host(given).unwrap(), given.to_ascii_lowercase());
        }
        for given in
            ["", "*", "*.reg.test", "http://reg.test", "reg.test/", "ada@reg.test", "reg.test:x", "reg test", "::1"]
        {
            assert_eq!(host(given).unwrap_err().code(), Code::ARGUMENT, "{given}");
        }
    }

    #[test]
    fn a_page_is_the_registrys_own_only_by_its_scheme_too() {
        let page = |origin: &str| [("origin", origin)].into_iter().collect::<Headers>();
        let is_own = |https, origin: &str| {
            let config = Config { https, ..Config::default() };
            matches!(caller(&config, &page(origin), "localhost:5000"), Caller::Own)
        };
        assert!(is_own(false, "http://localhost:5000") && is_own(true, "https://localhost:5000"));
        assert!(!is_own(false, "https://localhost:5000") && !is_own(true, "http://localhost:5000"));
        assert!(!is_own(false, "null") && !is_own(false, "http://localhost:5001"));
    }

    #[test]
    fn a_token_is_good_for_its_scopes_until_it_expires() {
        let config = Config { seed: 1, ..Config::default() };
        let mut state = State::new(config.clone());
        let fields = [("scope".to_owned(), "repository:a:pull,push repository:b:pull".to_owned())];
        let super::super::Body::Bytes(body) = grant(&mut state, &fields, Instant::from_millis(0)).body else {
            panic!()
        };
        let token = serde_json::from_slice::<serde_json::Value>(&body).unwrap()["token"].as_str().unwrap().to_owned();
        let scopes = read_token(&config, &token, Instant::from_millis(299_999)).unwrap();
        assert!(grants(&scopes, ("repository", "a", "push")) && grants(&scopes, ("repository", "b", "pull")));
        assert!(!grants(&scopes, ("repository", "b", "push")) && !grants(&scopes, ("repository", "c", "pull")));
        assert_eq!(read_token(&config, &token, Instant::from_millis(300_000)), None);
        assert_eq!(read_token(&Config { seed: 2, ..config.clone() }, &token, Instant::from_millis(0)), None);
        assert_eq!(read_token(&config, &token.replacen('a', "b", 1), Instant::from_millis(0)), None);
    }
}
