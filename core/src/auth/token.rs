//! Token servers (distribution, "Token Authentication Specification", "Oauth2 Token Authentication").

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Credential;
use super::challenge::Challenge;
use super::scope::{Scope, Scopes};
use crate::error::{Code, Error};
use crate::http::url::{Url, encode};
use crate::http::{Headers, Method, Payload};
use crate::json;
use crate::time::{Duration, Timestamp};

/// Where and for what a token is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenServer {
    /// Validated by [`realm`](super::origin::realm).
    pub(crate) realm: Url,
    /// The registry's name for itself.
    pub(crate) service: Option<String>,
    /// What the registry asks for, and what the caller is about to do.
    pub(crate) scopes: Scopes,
}

/// A token that grants what its scopes say. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// As it stands after `Bearer `.
    text: String,
    /// How long it is good for, from the answer on.
    pub(crate) lifetime: Duration,
}

/// The lifetime of a token that tells none; clients must accept tokens that live this long.
const SHORTEST: u64 = 60;
/// No token is kept for longer, whatever it says: a day.
const LONGEST: u64 = 86_400;
/// What GitHub's registry names for `/v2/`, a stand-in for a repository: asking for it is refused.
const PLACEHOLDER: &str = "repository:user/image:pull";

impl TokenServer {
    /// The token server of a challenge, for what is about to be done.
    ///
    /// # Errors
    /// [`Code::AUTH_REALM`].
    pub(crate) fn of(challenge: &Challenge, registry: &Url, wanted: &Scope) -> Result<TokenServer, Error> {
        let realm = super::origin::realm(challenge.parameter("realm").unwrap_or_default(), registry)?;
        let asked = challenge.parameter("scope").unwrap_or_default();
        let mut scopes = Scopes::default();
        for scope in asked.split_ascii_whitespace().filter(|scope| *scope != PLACEHOLDER) {
            scopes.add(Scope::parse(scope));
        }
        scopes.add(wanted.clone());
        let service = challenge.parameter("service").filter(|service| !service.is_empty()).map(str::to_owned);
        Ok(TokenServer { realm, service, scopes })
    }

    /// The request for a token: GET, by Basic or anonymous. An identity token goes by POST, in a form; user and password do
    /// so where `form` says that GET was of no use.
    pub(crate) fn request(&self, credential: Option<&Credential>, form: bool) -> (Method, Url, Headers, Payload) {
        let mut headers = Headers::new();
        headers.add("accept", "application/json");
        let grant = match credential {
            Some(Credential::Identity(token)) => Some(format!("refresh_token&refresh_token={}", encode(token))),
            Some(Credential::Basic { username, password }) if form => {
                Some(format!("password&username={}&password={}", encode(username), encode(password)))
            }
            _ => None,
        };
        if let Some(grant) = grant {
            let mut form = format!("client_id={CLIENT}&grant_type={grant}");
            if let Some(service) = &self.service {
                form.push_str(&format!("&service={}", encode(service)));
            }
            let scopes: Vec<String> = self.scopes.iter().collect();
            form.push_str(&format!("&scope={}", encode(&scopes.join(" "))));
            headers.add("content-type", "application/x-www-form-urlencoded");
            return (Method::Post, self.realm.clone(), headers, Payload::Bytes(Arc::from(form.into_bytes())));
        }
        let mut url = self.realm.clone();
        if let Some(service) = &self.service {
            url = url.with_query("service", service);
        }
        for scope in self.scopes.iter() {
            url = url.with_query("scope", &scope);
        }
        if let Some(Credential::Basic { username, password }) = credential {
            url = url.with_query("client_id", CLIENT).with_query("account", username);
            headers.add("authorization", basic(username, password));
        }
        (Method::Get, url, headers, Payload::Empty)
    }
}

/// How we call ourselves at a token server.
const CLIENT: &str = "chartoci";

/// The value of `Authorization` for a user and a password (RFC 7617).
pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// A token that can stand in `Authorization`: printable ASCII without blanks.
pub(crate) fn may_stand(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

impl Token {
    /// A token that was given ready-made.
    pub(crate) fn given(text: &str) -> Token {
        Token { text: text.to_owned(), lifetime: Duration::from_secs(LONGEST) }
    }

    /// Reads a token server's answer. `date` is the answer's own `Date`: a token issued before it has aged already.
    ///
    /// # Errors
    /// [`Code::AUTH_TOKEN`]: no JSON, no token, or one that cannot stand in a header. The body is never shown.
    pub(crate) fn parse(body: &[u8], date: Option<Timestamp>, limit: u64) -> Result<Token, Error> {
        let refused = |why: &str| Error::new(Code::AUTH_TOKEN, format!("the token server's answer {why}"));
        let answer = json::parse(body, limit).map_err(|_| refused("is no JSON"))?.value;
        let text = ["access_token", "token"]
            .into_iter()
            .filter_map(|name| answer.get(name)?.as_str())
            .find(|text| !text.is_empty())
            .ok_or_else(|| refused("holds no token"))?;
        if !may_stand(text) {
            return Err(refused("holds a token that cannot stand in a header"));
        }
        let lifetime = answer.get("expires_in").and_then(serde_json::Value::as_u64).unwrap_or(SHORTEST);
        let lifetime = lifetime.clamp(SHORTEST, LONGEST);
        let issued = answer.get("issued_at").and_then(|issued| Timestamp::parse_rfc3339(issued.as_str()?));
        // Clocks differ: an age that makes no sense is none.
        let age = match (date, issued) {
            (Some(date), Some(issued)) => u64::try_from(date.as_unix().saturating_sub(issued.as_unix())).unwrap_or(0),
            _ => 0,
        };
        let age = if age < lifetime { age } else { 0 };
        Ok(Token { text: text.to_owned(), lifetime: Duration::from_secs(lifetime - age) })
    }

    /// The value of `Authorization`.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(…, {:?})", self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::challenge;

    fn server(challenge: &str) -> TokenServer {
        let registry = Url::parse("https://reg.example/v2/").unwrap();
        TokenServer::of(&challenge::parse([challenge])[0], &registry, &Scope::push("web")).unwrap()
    }

    fn seconds(body: &str, date: Option<i64>) -> u64 {
        Token::parse(body.as_bytes(), date.map(Timestamp::from_unix), 1 << 17).unwrap().lifetime.as_secs()
    }

    #[test]
    fn a_token_is_asked_for_what_the_registry_names_and_what_is_about_to_be_done() {
        let server =
            server("Bearer realm=\"https://a.example/t?x=1\",service=\"reg\",scope=\"repository:web:pull aws\"");
        let (method, url, headers, payload) = server.request(None, false);
        assert_eq!((method, payload), (Method::Get, Payload::Empty));
        assert_eq!(
            url.to_string(),
            "https://a.example/t?x=1&service=reg&scope=aws&scope=repository%3Aweb%3Apull%2Cpush"
        );
        assert_eq!(headers.get("authorization"), None);
    }

    #[test]
    fn a_stand_in_for_a_repository_is_not_asked_for() {
        let server = server("Bearer realm=\"https://a.example/t\",scope=\"repository:user/image:pull\"");
        let (_, url, ..) = server.request(None, false);
        assert_eq!(url.to_string(), "https://a.example/t?scope=repository%3Aweb%3Apull%2Cpush");
    }

    #[test]
    fn user_and_password_go_by_basic_and_an_identity_token_in_a_form() {
        let server = server("Bearer realm=\"https://a.example/t\",service=\"a b\"");
        let credential = Credential::Basic { username: "u".into(), password: "p".into() };
        let (_, url, headers, _) = server.request(Some(&credential), false);
        assert_eq!(headers.get("authorization"), Some("Basic dTpw"));
        assert!(url.to_string().ends_with("&client_id=chartoci&account=u"));
        let (method, url, headers, payload) = server.request(Some(&Credential::Identity("i&d".into())), false);
        assert_eq!((method, url.query(), headers.get("authorization")), (Method::Post, None, None));
        let Payload::Bytes(form) = payload else { panic!("a form") };
        assert_eq!(
            &*form,
            b"client_id=chartoci&grant_type=refresh_token&refresh_token=i%26d&service=a%20b\
              &scope=repository%3Aweb%3Apull%2Cpush"
                .as_slice()
        );
        let (method, _, headers, payload) = server.request(Some(&credential), true);
        assert_eq!((method, headers.get("authorization")), (Method::Post, None));
        let Payload::Bytes(form) = payload else { panic!("a form") };
        assert!(form.starts_with(b"client_id=chartoci&grant_type=password&username=u&password=p&service="));
    }

    #[test]
    fn a_token_lives_as_long_as_it_says_but_a_minute_at_least() {
        assert_eq!(seconds(r#"{"token":"t"}"#, None), 60);
        assert_eq!(seconds(r#"{"token":"t","expires_in":5}"#, None), 60);
        assert_eq!(seconds(r#"{"access_token":"a","token":"","expires_in":300}"#, None), 300);
        let issued = r#"{"token":"t","expires_in":300,"issued_at":"2025-06-15T15:06:40Z"}"#;
        assert_eq!(seconds(issued, Some(1_750_000_100)), 200);
        assert_eq!(seconds(issued, Some(1_750_000_400)), 300, "the server's clock is wrong");
        assert_eq!(seconds(issued, Some(1_749_000_000)), 300, "issued in the future");
    }

    #[test]
    fn an_answer_without_a_usable_token_is_an_error_that_does_not_show_it() {
        for body in ["", "<html>", "[]", "{}", r#"{"token":""}"#, r#"{"token":5}"#, r#"{"token":"secret\r\nX: y"}"#] {
            let error = Token::parse(body.as_bytes(), None, 1 << 17).unwrap_err();
            assert_eq!(error.code(), Code::AUTH_TOKEN, "{body}");
            assert!(!format!("{error:?}").contains("secret"));
        }
        assert_eq!(format!("{:?}", Token::given("secret")), "Token(…, 86400s)");
    }
}
