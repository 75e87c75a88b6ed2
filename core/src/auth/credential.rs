//! Credentials: never shown.

use std::fmt;

/// What proves who the caller is.
///
/// ```
/// use chartoci::auth::Credential;
/// let credential = Credential::Basic { username: "ada".to_owned(), password: "secret".to_owned() };
/// assert_eq!((credential.kind(), credential.username()), ("basic", Some("ada")));
/// assert!(!format!("{credential:?}").contains("secret"));
/// assert_eq!(Credential::Identity("token".to_owned()).username(), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// User and password, for Basic or for a token server.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
    /// An identity (refresh) token, which a token server exchanges.
    Identity(String),
    /// A registry token, sent as Bearer as it is.
    Bearer(String),
}

impl Credential {
    /// What it is: `basic`, `identity` or `bearer`.
    pub fn kind(&self) -> &'static str {
        match self {
            Credential::Basic { .. } => "basic",
            Credential::Identity(_) => "identity",
            Credential::Bearer(_) => "bearer",
        }
    }

    /// The user's name, where there is one. It is no secret.
    pub fn username(&self) -> Option<&str> {
        match self {
            Credential::Basic { username, .. } => Some(username),
            Credential::Identity(_) | Credential::Bearer(_) => None,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Basic { .. } => "Basic(…)",
            Credential::Identity(_) => "Identity(…)",
            Credential::Bearer(_) => "Bearer(…)",
        })
    }
}
