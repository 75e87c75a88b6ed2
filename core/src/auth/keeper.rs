//! Login and logout: what they write (Helm 4.3: `pkg/registry/client.go`; oras-go 2.6: `registry/remote/credentials`).
//!
//! Helm's file is the one that is written, whatever others are read. A helper that it names for the registry takes the
//! credential in its stead; where the file says nothing about credentials at all, the platform's own helper does so if it is
//! installed, and the file remembers it. What the file holds besides stays as it is, byte for byte.
//!
//! A file is written beside, under a name that serves as a lock, brought to the disk, and renamed to its place. Where its name
//! is a link, the file that it leads to is replaced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Credential;
use super::helper::Helper;
use super::store::{Config, Environment, Platform, canonical_host, coverage, read, refused, server, text_of};
use crate::error::{Code, Error};
use crate::files::{Answer, FileFailure, Step, Verb};
use crate::json::{self, Member};
use crate::time::Duration;

/// Whoever holds the lock has a file of some kilobytes to write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a credential was stored or removed.
///
/// ```
/// use chartoci::auth::{keeper::{Keeper, Kept}, store::{Environment, Platform}};
/// use chartoci::files::{Memory, Step};
/// let environment = Environment { variables: [].into(), home: "/home/ada".into(), platform: Platform::Linux };
/// let mut keeper = Keeper::erase(&environment, None, "registry.example")?;
/// let mut files = Memory::new();
/// let kept = loop {
///     match keeper.poll() {
///         Step::Do(verb) => keeper.handle(files.execute(verb)),
///         Step::Done(kept) => break kept?,
///     }
/// };
/// let Kept { path, changed, .. } = kept;
/// assert_eq!((path.as_str(), changed), ("/home/ada/.config/helm/registry/config.json", false), "nothing was there");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The registry, as it stands in the store.
    pub entry: String,
    /// The file that holds it, or names the helper.
    pub path: String,
    /// The helper that has it, as a program.
    pub helper: Option<String>,
    /// Something was changed: false where there was nothing to remove.
    pub changed: bool,
}

/// Stores or removes the credential of a registry.
///
/// As in [`Lookup`](super::store::Lookup), the paths of its verbs are the host's own.
///
/// ```
/// use chartoci::auth::{Credential, keeper::Keeper, store::{Environment, Platform}};
/// use chartoci::files::{Memory, Step};
///
/// let environment = Environment { variables: [].into(), home: "/home/ada".into(), platform: Platform::Linux };
/// let credential = Credential::Basic { username: "ada".into(), password: "secret".into() };
/// let mut keeper = Keeper::store(&environment, None, "registry.example", credential)?;
/// let mut files = Memory::new();
/// let kept = loop {
///     match keeper.poll() {
///         Step::Do(verb) => keeper.handle(files.execute(verb)),
///         Step::Done(kept) => break kept?,
///     }
/// };
/// let written = files.get(&kept.path).unwrap();
/// assert!(written.starts_with(b"{\n\t\"auths\": {\n\t\t\"registry.example\": {\n\t\t\t\"auth\": "));
/// # Ok::<(), chartoci::Error>(())
/// ```
pub struct Keeper {
    registry: String,
    /// To be stored; none: to be removed.
    credential: Option<Credential>,
    platform: Platform,
    /// The file, as it was named, then where that leads to.
    path: String,
    /// The helper that the file names, or that was found.
    helper: Option<Helper>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Resolve,
    /// Which store the file wants.
    Look,
    /// Is the program `pass` there, so that its helper is of use?
    FindPass,
    FindHelper(Helper),
    /// The helper is at work; the file is to remember its name.
    Run(Option<String>),
    Lock,
    /// Again, now that nobody else changes it.
    Read,
    Write(Text),
    Sync,
    Rename,
    Unlock(Result<Kept, Error>),
    Over(Result<Kept, Error>),
}

/// A file's text; `Debug` does not show it.
struct Text(Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("registry", &self.registry).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Keeper {
    /// For a login. `registry_config` is the file to write in place of Helm's own.
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] where there is no file to write, or a user name holds a colon.
    pub fn store(
        environment: &Environment,
        registry_config: Option<&str>,
        registry: &str,
        credential: Credential,
    ) -> Result<Keeper, Error> {
        if credential.username().is_some_and(|username| username.contains(':')) {
            return Err(Error::new(Code::ARGUMENT, "a user name holds no colon").with_hint("Check the user name."));
        }
        Keeper::new(environment, registry_config, registry, Some(credential))
    }

    /// For a logout: the entry for the registry itself; those for paths in it stay.
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] where there is no file to write.
    pub fn erase(environment: &Environment, registry_config: Option<&str>, registry: &str) -> Result<Keeper, Error> {
        Keeper::new(environment, registry_config, registry, None)
    }

    fn new(
        environment: &Environment,
        registry_config: Option<&str>,
        registry: &str,
        credential: Option<Credential>,
    ) -> Result<Keeper, Error> {
        let path = environment.helm_file(registry_config).ok_or_else(|| {
            Error::new(Code::ARGUMENT, "there is no file to keep credentials in").with_hint(
                "Name one in HELM_REGISTRY_CONFIG; it is empty, or unset and there is no home directory either.",
            )
        })?;
        let (registry, platform) = (registry.to_owned(), environment.platform);
        Ok(Keeper { registry, credential, platform, path, helper: None, stage: Stage::Resolve })
    }

    /// What to do next; at the end where it is kept.
    ///
    /// # Errors
    /// [`Code::CREDENTIALS_FILE`], [`Code::AUTH_HELPER`] and [`Code::AUTH_HELPER_MISSING`].
    pub fn poll(&mut self) -> Step<Kept> {
        let (path, lock) = (self.path.clone(), format!("{}.lock", self.path));
        Step::Do(match &self.stage {
            Stage::Resolve => Verb::Resolve { path },
            Stage::Look | Stage::Read => read(&path),
            Stage::FindPass => Verb::Find { program: "pass".to_owned() },
            Stage::FindHelper(helper) => Verb::Find { program: helper.program.clone() },
            Stage::Run(_) => match (&self.helper, &self.credential) {
                (Some(helper), Some(credential)) => helper.store(&server(&self.registry), credential),
                (Some(helper), None) => helper.erase(&server(&self.registry)),
                (None, _) => return Step::Done(Ok(self.kept(false))),
            },
            Stage::Lock => Verb::Lock { path: lock, patience: PATIENCE },
            Stage::Write(Text(text)) => Verb::Write { path: lock, offset: 0, data: text.clone() },
            Stage::Sync => Verb::Sync { path: lock },
            Stage::Rename => Verb::Rename { from: lock, to: path },
            Stage::Unlock(_) => Verb::Remove { path: lock },
            Stage::Over(result) => return Step::Done(result.clone()),
        })
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let stage = std::mem::replace(&mut self.stage, Stage::Resolve);
        self.stage = self.next(stage, answer);
    }

    fn next(&mut self, stage: Stage, answer: Answer) -> Stage {
        match (stage, answer) {
            (Stage::Over(result) | Stage::Unlock(result), _) => Stage::Over(result),
            (Stage::Resolve, Answer::Data(path)) => match String::from_utf8(path) {
                Ok(path) => {
                    self.path = path;
                    Stage::Look
                }
                Err(_) => Stage::Over(Err(refused(&self.path, "it leads to a name that is no text"))),
            },
            (Stage::Resolve, Answer::Failed(FileFailure::NotFound)) => Stage::Look,
            (Stage::Look, answer) => self.look(answer).unwrap_or_else(|error| Stage::Over(Err(error))),
            (Stage::FindPass, Answer::Done) => self.try_helper("pass"),
            (Stage::FindPass, _) => self.try_helper("secretservice"),
            (Stage::FindHelper(helper), Answer::Done) => {
                let name = helper.program.trim_start_matches("docker-credential-").to_owned();
                self.helper = Some(helper);
                Stage::Run(Some(name))
            }
            (Stage::FindHelper(_), _) => Stage::Lock,
            (Stage::Run(remember), answer) => self.ran(remember, answer),
            (Stage::Lock, Answer::Done) => Stage::Read,
            (Stage::Lock, Answer::Failed(FileFailure::Exists)) => {
                let lock = format!("{}.lock", self.path);
                let hint = format!("Try again; if nobody else is logging in, remove {lock}.");
                Stage::Over(Err(refused(&self.path, "another program is writing it").with_hint(hint)))
            }
            (Stage::Read, answer) => match self.edit(answer) {
                Ok(Some(text)) => Stage::Write(Text(text)),
                Ok(None) => Stage::Unlock(Ok(self.kept(false))),
                Err(error) => Stage::Unlock(Err(error)),
            },
            (Stage::Write(_), Answer::Done) => Stage::Sync,
            (Stage::Sync, Answer::Done) => Stage::Rename,
            (Stage::Rename, Answer::Done) => Stage::Over(Ok(self.kept(true))),
            (stage, answer) => {
                let why = if let Answer::Failed(failure) = answer { format!(": {failure}") } else { String::new() };
                let error = Err(refused(&self.path, &format!("the file cannot be written{why}")));
                match stage {
                    Stage::Write(_) | Stage::Sync | Stage::Rename => Stage::Unlock(error),
                    _ => Stage::Over(error),
                }
            }
        }
    }

    /// Chooses the store.
    fn look(&mut self, answer: Answer) -> Result<Stage, Error> {
        let text = text_of(answer, &self.path)?.unwrap_or_default();
        let config = Config::parse(&self.path, &text)?;
        self.helper = config.helper(&self.registry)?;
        Ok(match (&self.helper, &self.credential) {
            (Some(_), _) => Stage::Run(None),
            (None, Some(_)) if config.is_silent()? => match self.platform {
                Platform::Linux => Stage::FindPass,
                Platform::MacOs => self.try_helper("osxkeychain"),
                Platform::Windows => self.try_helper("wincred"),
            },
            (None, _) => Stage::Lock,
        })
    }

    fn try_helper(&self, name: &str) -> Stage {
        Helper::new(name, &self.path).map_or_else(|error| Stage::Over(Err(error)), Stage::FindHelper)
    }

    fn ran(&mut self, remember: Option<String>, answer: Answer) -> Stage {
        let Some(helper) = &self.helper else { return Stage::Over(Ok(self.kept(false))) };
        match (helper.said(answer, self.credential.is_none()), remember) {
            (Err(error), _) => Stage::Over(Err(error)),
            (Ok(Some(_)), Some(_)) => Stage::Lock,
            (Ok(said), _) => Stage::Over(Ok(self.kept(said.is_some()))),
        }
    }

    /// The file's new text; none where nothing changes.
    fn edit(&self, answer: Answer) -> Result<Option<Vec<u8>>, Error> {
        let text = text_of(answer, &self.path)?.unwrap_or_default();
        Config::parse(&self.path, &text)?.is_silent()?;
        let text = if json::whole(&text).is_empty() { b"{}".to_vec() } else { text };
        Ok(match (&self.helper, &self.credential) {
            (Some(helper), _) => {
                let name = helper.program.trim_start_matches("docker-credential-");
                let text = with_member(&text, &[], "credsStore", &format!("\"{name}\""));
                Some(if member(&text, "auths").is_some() { text } else { with_member(&text, &[], "auths", "{}") })
            }
            (None, Some(credential)) => Some(with_entry(&text, &server(&self.registry), credential)),
            (None, None) => without_entry(&text, &self.registry),
        })
    }

    fn kept(&self, changed: bool) -> Kept {
        let helper = self.helper.as_ref().map(|helper| helper.program.clone());
        Kept { entry: server(&self.registry), path: self.path.clone(), helper, changed }
    }
}

/// The member of the document that counts: of several of a name the last.
fn member(text: &[u8], name: &str) -> Option<Member> {
    json::members(text, json::whole(text)).into_iter().rev().find(|member| member.name == name)
}

fn with_entry(text: &[u8], key: &str, credential: &Credential) -> Vec<u8> {
    let (name, secret) = match credential {
        Credential::Basic { username, password } => ("auth", STANDARD.encode(format!("{username}:{password}"))),
        Credential::Identity(token) => ("identitytoken", token.clone()),
        Credential::Bearer(token) => ("registrytoken", token.clone()),
    };
    let entry = format!("{{\n\t\t\t\"{name}\": {}\n\t\t}}", quoted(&secret));
    match member(text, "auths") {
        Some(auths) if text.get(auths.value.start) == Some(&b'{') => with_member(text, &["auths"], key, &entry),
        _ => {
            let text = with_member(text, &[], "auths", "{}");
            with_member(&text, &["auths"], key, &entry)
        }
    }
}

/// The text without the entries for a registry; none if there are none.
fn without_entry(text: &[u8], registry: &str) -> Option<Vec<u8>> {
    let host = canonical_host(registry);
    let mut text = text.to_vec();
    let mut changed = false;
    while let Some(auths) = member(&text, "auths") {
        let members = json::members(&text, auths.value.clone());
        // No path but that of an API version: what is for a repository alone stays.
        let Some(at) = members.iter().position(|member| coverage(&member.name, &host, "") == Some(0)) else { break };
        let (before, this, after) =
            (at.checked_sub(1).and_then(|at| members.get(at)), members.get(at)?, members.get(at + 1));
        match (before, after) {
            (Some(before), _) => drop(text.drain(before.value.end..this.value.end)),
            (None, Some(after)) => drop(text.drain(this.start..after.start)),
            (None, None) => drop(text.splice(auths.value, *b"{}")),
        }
        changed = true;
    }
    changed.then_some(text)
}

/// The text with a member in the object that stands at a path of names: in the place of the last one of that name, else before
/// the first that follows it in the order of names, as Helm writes them.
fn with_member(text: &[u8], path: &[&str], name: &str, value: &str) -> Vec<u8> {
    let object = path.iter().fold(json::whole(text), |object, name| {
        let found = json::members(text, object.clone()).into_iter().rev().find(|member| member.name == **name);
        found.map_or(object, |member| member.value)
    });
    let members = json::members(text, object.clone());
    let indent = "\t".repeat(path.len() + 1);
    let written = format!("{}: {value}", quoted(name));
    let (range, new) = if let Some(known) = members.iter().rev().find(|member| member.name == name) {
        (known.value.clone(), value.to_owned())
    } else if let Some(next) = members.iter().find(|member| member.name.as_str() > name) {
        (next.start..next.start, format!("{written},\n{indent}"))
    } else if let Some(last) = members.last() {
        (last.value.end..last.value.end, format!(",\n{indent}{written}"))
    } else {
        (object, format!("{{\n{indent}{written}\n{}}}", "\t".repeat(path.len())))
    };
    let mut text = text.to_vec();
    text.splice(range, new.into_bytes());
    text
}

fn quoted(text: &str) -> String {
    String::from_utf8(json::write(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    const FILE: &str = "/h/registry/config.json";

    fn ada() -> Credential {
        Credential::Basic { username: "ada".to_owned(), password: "correct horse".to_owned() }
    }

    fn environment() -> Environment {
        let variables = [("HELM_CONFIG_HOME".to_owned(), "/h".to_owned())].into();
        Environment { variables, home: "/home/ada".to_owned(), platform: Platform::Linux }
    }

    fn drive(
        keeper: Result<Keeper, Error>,
        files: &mut Memory,
        mut run: impl FnMut(Verb) -> Option<Answer>,
    ) -> Result<Kept, Error> {
        let mut keeper = keeper?;
        loop {
            match keeper.poll() {
                Step::Do(verb) => {
                    assert!(!format!("{verb:?} {keeper:?}").contains("correct horse"));
                    let answer = run(verb.clone()).unwrap_or_else(|| files.execute(verb));
                    keeper.handle(answer);
                }
                Step::Done(result) => return result,
            }
        }
    }

    fn login(files: &mut Memory, registry: &str) -> Result<Kept, Error> {
        drive(Keeper::store(&environment(), None, registry, ada()), files, |_| None)
    }

    fn logout(files: &mut Memory, registry: &str) -> Result<Kept, Error> {
        drive(Keeper::erase(&environment(), None, registry), files, |_| None)
    }

    fn text(files: &Memory) -> &str {
        std::str::from_utf8(files.get(FILE).unwrap()).unwrap()
    }

    // What Helm 4.3.1 writes in the same case.
    #[test]
    fn the_first_login_and_the_last_logout_write_what_helm_writes() {
        let mut files = Memory::new();
        let kept = login(&mut files, "localhost:5000").unwrap();
        assert_eq!(
            text(&files),
            "{\n\t\"auths\": {\n\t\t\"localhost:5000\": {\n\t\t\t\"auth\": \"YWRhOmNvcnJlY3QgaG9yc2U=\"\n\t\t}\n\t}\n}"
        );
        let expected = Kept { entry: "localhost:5000".into(), path: FILE.into(), helper: None, changed: true };
        assert_eq!(kept, expected);
        assert_eq!(files.iter().count(), 1, "no lock is left");
        logout(&mut files, "localhost:5000").unwrap();
        assert_eq!(text(&files), "{\n\t\"auths\": {}\n}");
        assert!(!logout(&mut files, "localhost:5000").unwrap().changed);
        assert_eq!(files.iter().count(), 1, "no lock is left");
    }

    #[test]
    fn logins_stand_in_the_order_of_their_names() {
        let mut files = Memory::new();
        for registry in ["b.example", "c.example", "a.example", "docker.io"] {
            login(&mut files, registry).unwrap();
        }
        let config: serde_json::Value = serde_json::from_str(text(&files)).unwrap();
        let sorted: Vec<_> = config["auths"].as_object().unwrap().keys().cloned().collect();
        let places: Vec<_> = sorted.iter().map(|key| text(&files).find(key.as_str()).unwrap()).collect();
        assert!(places.is_sorted(), "{}", text(&files));
        assert!(sorted.contains(&"https://index.docker.io/v1/".to_owned()));
        logout(&mut files, "registry-1.docker.io").unwrap();
        assert!(!text(&files).contains("docker.io"));
    }

    #[test]
    fn what_is_not_understood_stays_byte_for_byte() {
        let before = "{ \"zeta\": 1.50,\"auths\" : {\"z\":{\"auth\":\"YTpi\",\"x\":1e3},\"a\":{}},\n \"b\": [\"<x>\", 12345678901234567890123] }\n";
        let mut files = Memory::from_iter([(FILE, before)]);
        login(&mut files, "m").unwrap();
        let entry = "\"m\": {\n\t\t\t\"auth\": \"YWRhOmNvcnJlY3QgaG9yc2U=\"\n\t\t},\n\t\t";
        assert_eq!(text(&files), before.replace("{\"z\"", &format!("{{{entry}\"z\"")));
        logout(&mut files, "m").unwrap();
        assert_eq!(text(&files), before);
        logout(&mut files, "a").unwrap();
        assert_eq!(text(&files), before.replace(",\"a\":{}", ""));
        login(&mut files, "z").unwrap();
        assert!(text(&files).contains("YWRhOmNvcnJlY3QgaG9yc2U=") && !text(&files).contains("1e3"));
    }

    #[test]
    fn an_empty_file_and_one_without_auths_take_an_entry() {
        for (before, after) in [
            ("", "{\n\t\"auths\": {\n\t\t\"r\": "),
            ("\n", "{\n\t\"auths\": {\n\t\t\"r\": "),
            ("{}", "{\n\t\"auths\": {\n\t\t\"r\": "),
            ("{\"x\":1}", "{\"auths\": {\n\t\t\"r\": "),
            ("{\"auths\":null}", "{\"auths\":{\n\t\t\"r\": "),
        ] {
            let mut files = Memory::from_iter([(FILE, before)]);
            login(&mut files, "r").unwrap();
            assert!(text(&files).starts_with(after), "{before:?} {}", text(&files));
            serde_json::from_str::<serde_json::Value>(text(&files)).unwrap();
        }
    }

    #[test]
    fn a_logout_takes_every_key_of_the_host_and_none_of_a_path_in_it() {
        let before =
            r#"{"auths":{"https://reg/v2/":{},"reg":{},"Reg":{},"reg/team":{},"reg:5000":{},"http://reg":{}}}"#;
        let mut files = Memory::from_iter([(FILE, before)]);
        assert!(logout(&mut files, "reg").unwrap().changed);
        assert_eq!(text(&files), r#"{"auths":{"reg/team":{},"reg:5000":{}}}"#);
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        for before in ["{", "[]", "{\"auths\": 1}"] {
            let mut files = Memory::from_iter([(FILE, before)]);
            assert_eq!(login(&mut files, "r").unwrap_err().code(), Code::CREDENTIALS_FILE);
            assert_eq!((text(&files), files.iter().count()), (before, 1));
        }
    }

    #[test]
    fn a_helper_takes_the_credential_and_the_file_stays() {
        for (before, changed) in [(r#"{"credsStore":"pass"}"#, true), (r#"{"credHelpers":{"reg":"pass"}}"#, false)] {
            let mut files = Memory::from_iter([(FILE, before)]);
            let mut inputs = Vec::new();
            let mut run = |verb| match verb {
                Verb::Run { arguments, input, .. } => {
                    inputs.push((arguments.concat(), String::from_utf8(input).unwrap()));
                    let (status, output) =
                        if changed { (0, "") } else { (1, "credentials not found in native keychain") };
                    Some(Answer::Ran { status: Some(status), output: output.into() })
                }
                _ => None,
            };
            let kept = drive(Keeper::erase(&environment(), None, "reg"), &mut files, &mut run).unwrap();
            assert_eq!((kept.helper.as_deref(), kept.changed), (Some("docker-credential-pass"), changed));
            assert_eq!(inputs, [("erase".to_owned(), "reg".to_owned())]);
            assert_eq!(text(&files), before);
        }
    }

    #[test]
    fn a_file_that_says_nothing_leaves_the_choice_to_the_platform() {
        let ran = |verb: Verb| match verb {
            Verb::Find { program } if program == "pass" => Some(Answer::Failed(FileFailure::NotFound)),
            Verb::Find { program } => {
                assert_eq!(program, "docker-credential-secretservice");
                Some(Answer::Done)
            }
            Verb::Run { .. } => Some(Answer::Ran { status: Some(0), output: Vec::new() }),
            _ => None,
        };
        let mut files = Memory::new();
        let kept = drive(Keeper::store(&environment(), None, "reg", ada()), &mut files, ran).unwrap();
        assert_eq!(kept.helper.as_deref(), Some("docker-credential-secretservice"));
        assert_eq!(text(&files), "{\n\t\"auths\": {},\n\t\"credsStore\": \"secretservice\"\n}");
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_leaves_no_lock() {
        for failing in 0..3 {
            let mut files = Memory::from_iter([(FILE, "{}")]);
            let fail = |verb: Verb| {
                let at = match verb {
                    Verb::Write { .. } => 0,
                    Verb::Sync { .. } => 1,
                    Verb::Rename { .. } => 2,
                    _ => return None,
                };
                (at == failing).then_some(Answer::Failed(FileFailure::Full))
            };
            let error = drive(Keeper::store(&environment(), None, "r", ada()), &mut files, fail).unwrap_err();
            assert_eq!((error.code(), text(&files), files.iter().count()), (Code::CREDENTIALS_FILE, "{}", 1));
        }
        let mut files = Memory::from_iter([("/h/registry/config.json.lock", "")]);
        assert!(login(&mut files, "r").unwrap_err().hint().contains("config.json.lock"));
    }

    #[test]
    fn a_token_is_kept_as_one_and_a_colon_in_a_name_is_refused() {
        let mut files = Memory::new();
        let keeper = Keeper::store(&environment(), None, "r", Credential::Identity("t<".to_owned()));
        drive(keeper, &mut files, |_| None).unwrap();
        assert!(text(&files).contains(r#""identitytoken": "t\u003c""#));
        let odd = Credential::Basic { username: "a:b".to_owned(), password: "c".to_owned() };
        let error = drive(Keeper::store(&environment(), None, "r", odd), &mut files, |_| None).unwrap_err();
        assert_eq!(error.code(), Code::ARGUMENT);
    }
}
