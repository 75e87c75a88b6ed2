//! Credential helpers: programs `docker-credential-NAME` that keep secrets elsewhere than in a file (Docker:
//! `docker-credential-helpers`, `client` and `credentials`).
//!
//! The action is the argument, the registry or the credential comes in on the standard input, the answer goes out on the
//! standard output, and so does the reason where a helper fails.

use serde_json::Value;

use super::Credential;
use crate::error::{Code, Error, clip};
use crate::files::{Answer, FileFailure, Verb};
use crate::json;
use crate::time::Duration;

/// People may be asked for a passphrase meanwhile, but not for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// Larger than any token.
const LARGEST: u64 = 1 << 18;
/// Stands for the user's name where the secret is an identity token.
const TOKEN: &str = "<token>";

/// One helper, and the file that names it.
#[derive(Clone, Debug)]
pub(super) struct Helper {
    pub(super) program: String,
    path: String,
}

impl Helper {
    /// The helper of that name; its name becomes part of a program's, so that it must be no path.
    pub(super) fn new(name: &str, path: &str) -> Result<Helper, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(plain) {
            let message = format!("{path}: {:?} can be no credential helper's name", clip(name));
            return Err(Error::new(Code::CREDENTIALS_FILE, message).with("path", path));
        }
        Ok(Helper { program: format!("docker-credential-{name}"), path: path.to_owned() })
    }

    pub(super) fn get(&self, server: &str) -> Verb {
        self.run("get", server.into())
    }

    pub(super) fn erase(&self, server: &str) -> Verb {
        self.run("erase", server.into())
    }

    pub(super) fn store(&self, server: &str, credential: &Credential) -> Verb {
        let (username, secret) = match credential {
            Credential::Basic { username, password } => (username.as_str(), password),
            Credential::Identity(token) | Credential::Bearer(token) => (TOKEN, token),
        };
        let text = |text: &str| String::from_utf8(json::write(text)).unwrap_or_default();
        let (server, username, secret) = (text(server), text(username), text(secret));
        self.run(
            "store",
            format!("{{\"ServerURL\":{server},\"Username\":{username},\"Secret\":{secret}}}").into_bytes(),
        )
    }

    fn run(&self, action: &str, input: Vec<u8>) -> Verb {
        Verb::Run {
            program: self.program.clone(),
            arguments: vec![action.to_owned()],
            input,
            timeout: PATIENCE,
            limit: LARGEST,
        }
    }

    /// What `get` said: a credential, or that there is none.
    pub(super) fn credential(&self, answer: Answer) -> Result<Option<Credential>, Error> {
        let Some(output) = self.said(answer, true)? else { return Ok(None) };
        // The answer holds a secret: no parser's message about it is shown.
        let document = json::parse(&output, LARGEST).map_err(|_| self.failed("answered with no JSON"))?.value;
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(match (text("Username"), text("Secret")) {
            (_, secret) if secret.is_empty() => None,
            (username, token) if username == TOKEN => Some(Credential::Identity(token)),
            (username, password) => Some(Credential::Basic { username, password }),
        })
    }

    /// What a helper wrote when all went well; none where it knows nothing of the registry. One that was told a secret is not
    /// `quotable`: it may repeat it, in whatever disguise.
    pub(super) fn said(&self, answer: Answer, quotable: bool) -> Result<Option<Vec<u8>>, Error> {
        let (status, output) = match answer {
            Answer::Ran { status, output } => (status, output),
            Answer::Failed(FileFailure::NotFound) => {
                let message = format!("{}: the credential helper {} is not there", self.path, self.program);
                return Err(self.about(Error::new(Code::AUTH_HELPER_MISSING, message)));
            }
            Answer::Failed(failure) => return Err(self.failed(&format!("cannot be run: {failure}"))),
            _ => return Err(self.failed("cannot be run")),
        };
        if output.len() as u64 > LARGEST {
            return Err(self.failed(&format!("answered with more than {LARGEST} bytes")));
        }
        let said = String::from_utf8_lossy(&output);
        let said = said.trim();
        match status {
            Some(0) => Ok(Some(output)),
            Some(_) if said.contains("credentials not found") => Ok(None),
            Some(status) => {
                let quotable = quotable && !said.starts_with('{');
                let why = said
                    .lines()
                    .next()
                    .filter(|_| quotable)
                    .map_or_else(String::new, |line| format!(": {}", clip(line)));
                Err(self.failed(&format!("failed with status {status}{why}")))
            }
            None => Err(self.failed(&format!("was killed, or gave no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    fn failed(&self, why: &str) -> Error {
        self.about(Error::new(Code::AUTH_HELPER, format!("the credential helper {} {why}", self.program)))
    }

    fn about(&self, error: Error) -> Error {
        error.with("helper", &self.program).with("path", &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> Helper {
        Helper::new("pass", "/d/config.json").unwrap()
    }

    fn ran(status: i32, output: &str) -> Answer {
        Answer::Ran { status: Some(status), output: output.into() }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_helpers() {
        for name in ["", "../evil", "a/b", "a\\b", "a b", "a;b", "ä", "a\0"] {
            assert_eq!(Helper::new(name, "/f").unwrap_err().code(), Code::CREDENTIALS_FILE, "{name:?}");
        }
        assert_eq!(Helper::new("ecr-login", "/f").unwrap().program, "docker-credential-ecr-login");
    }

    #[test]
    fn what_is_stored_comes_in_as_docker_writes_it() {
        let credential = Credential::Basic { username: "a<b".into(), password: "p\"w".into() };
        let Verb::Run { program, arguments, input, .. } = helper().store("reg:5000", &credential) else { panic!() };
        assert_eq!((program.as_str(), arguments.as_slice()), ("docker-credential-pass", &["store".to_owned()][..]));
        assert_eq!(input, br#"{"ServerURL":"reg:5000","Username":"a\u003cb","Secret":"p\"w"}"#);
        let Verb::Run { input, .. } = helper().store("reg", &Credential::Identity("t".into())) else { panic!() };
        assert_eq!(input, br#"{"ServerURL":"reg","Username":"\u003ctoken\u003e","Secret":"t"}"#);
    }

    #[test]
    fn a_password_an_identity_token_or_nothing_is_answered() {
        let get = |answer| helper().credential(answer).unwrap();
        let basic = Credential::Basic { username: "u".into(), password: "p".into() };
        assert_eq!(get(ran(0, r#"{"ServerURL":"r","Username":"u","Secret":"p"}"#)), Some(basic));
        assert_eq!(get(ran(0, r#"{"Username":"<token>","Secret":"t"}"#)), Some(Credential::Identity("t".into())));
        assert_eq!(get(ran(0, r#"{"Username":"","Secret":""}"#)), None);
        assert_eq!(get(ran(1, "credentials not found in native keychain\n")), None);
    }

    #[test]
    fn a_helper_that_fails_is_named_with_its_reason_and_without_a_secret() {
        let refused = |answer| helper().credential(answer).unwrap_err();
        let locked = refused(ran(2, "the keychain is locked\nand more"));
        assert!(locked.message().ends_with("docker-credential-pass failed with status 2: the keychain is locked"));
        assert_eq!((locked.code(), locked.context().len()), (Code::AUTH_HELPER, 2));
        for answer in [ran(0, "hunter2"), ran(1, "{\"Secret\":\"hunter2\""), ran(0, "{\"Secret\":\"hunter2\"")] {
            assert!(!format!("{:?}", refused(answer)).contains("hunter2"));
        }
        assert!(refused(Answer::Ran { status: None, output: Vec::new() }).message().contains("within 30 s"));
        let huge = Answer::Ran { status: None, output: vec![b' '; LARGEST as usize + 1] };
        assert!(refused(huge).message().contains("more than"));
        let missing = refused(Answer::Failed(FileFailure::NotFound));
        assert_eq!(missing.code(), Code::AUTH_HELPER_MISSING);
        assert!(missing.message().starts_with("/d/config.json: ") && missing.hint().contains("PATH"));
        let told = helper().said(ran(1, r#"no: {"Secret":"hun\u003cter2"}"#), false).unwrap_err();
        assert!(told.message().ends_with("failed with status 1"), "{told:?}");
    }

    #[test]
    fn a_verb_shows_no_input() {
        let credential = Credential::Basic { username: "u".into(), password: "hunter2".into() };
        assert_eq!(format!("{:?}", helper().store("r", &credential)), r#"Run("docker-credential-pass", ["store"])"#);
    }
}
