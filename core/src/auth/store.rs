//! Credentials that Helm, Docker and Podman keep in files and behind helpers (Helm 4.3: `pkg/registry/client.go`; oras-go
//! 2.6: `registry/remote/credentials`; Docker: `cli/config/configfile`; Podman: containers-auth.json(5)).
//!
//! The host says what its environment is; [`Lookup`] names the files to read and the helpers to run, and finds the entry.
//! Helm's file comes first, then Docker's, then Podman's, then `~/.dockercfg`. Within a file the helper of `credHelpers` comes before that of
//! `credsStore`, and where either is named nothing in the file itself counts. A file that cannot be understood and a helper
//! that fails end the search: another secret is never used in its place.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::Credential;
use super::helper::Helper;
use crate::error::{Code, Error};
use crate::files::{Answer, FileFailure, Step, Verb};
use crate::json;
use crate::oci::reference::{DOCKER_HUB, canonical_registry};

/// Where the host's users keep their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// `~/.config/helm`
    Linux,
    /// `~/Library/Preferences/helm`
    MacOs,
    /// `%APPDATA%\helm`
    Windows,
}

/// What the host knows about its user.
///
/// ```
/// use chartoci::auth::store::{Environment, Platform};
/// assert!(Environment::reads("DOCKER_CONFIG") && !Environment::reads("PATH"));
/// let variables = [("DOCKER_CONFIG".to_owned(), "/etc/docker".to_owned())].into();
/// let ada = Environment { variables, home: "/Users/ada".to_owned(), platform: Platform::MacOs };
/// assert_eq!(ada.helm_file(None).as_deref(), Some("/Users/ada/Library/Preferences/helm/registry/config.json"));
/// assert_eq!(ada.files(Some("mine.json"))[..2], ["mine.json", "/etc/docker/config.json"]);
/// ```
#[derive(Clone)]
pub struct Environment {
    /// Of all variables those that [`Environment::reads`] names.
    pub variables: BTreeMap<String, String>,
    /// The user's directory; empty where nobody knows it, and then there is no file below it.
    pub home: String,
    /// Which rules apply.
    pub platform: Platform,
}

impl std::fmt::Debug for Environment {
    /// Without the variables: one of them may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("home", &self.home)
            .field("platform", &self.platform)
            .finish_non_exhaustive()
    }
}

/// Docker's file of before 1.7: its whole is what `auths` is to those after it.
const OLD: &str = ".dockercfg";
/// Docker's variable that holds what would otherwise stand in its file.
const DOCKER_AUTH_CONFIG: &str = "DOCKER_AUTH_CONFIG";

impl Environment {
    /// The variable has something to do with credentials.
    pub fn reads(variable: &str) -> bool {
        const NAMES: [&str; 8] = [
            "HELM_REGISTRY_CONFIG",
            "HELM_CONFIG_HOME",
            "XDG_CONFIG_HOME",
            "XDG_RUNTIME_DIR",
            "DOCKER_CONFIG",
            DOCKER_AUTH_CONFIG,
            "REGISTRY_AUTH_FILE",
            "APPDATA",
        ];
        NAMES.contains(&variable)
    }

    fn set(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn at_home(&self, path: &str) -> Option<String> {
        (!self.home.is_empty()).then(|| format!("{}/{path}", self.home.trim_end_matches('/')))
    }

    /// Helm's file, or the one that was named in its place (`--registry-config`): the one that a login is written to. None
    /// where `HELM_REGISTRY_CONFIG` is set and empty, or where nothing says where Helm's directory is.
    pub fn helm_file(&self, registry_config: Option<&str>) -> Option<String> {
        let path = match (registry_config, self.variables.get("HELM_REGISTRY_CONFIG")) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => path.clone(),
            (None, None) => {
                let home = match (self.set("HELM_CONFIG_HOME"), self.set("XDG_CONFIG_HOME"), self.platform) {
                    (Some(directory), _, _) => directory.to_owned(),
                    (None, Some(directory), _) => format!("{directory}/helm"),
                    (None, None, Platform::Linux) => self.at_home(".config/helm")?,
                    (None, None, Platform::MacOs) => self.at_home("Library/Preferences/helm")?,
                    (None, None, Platform::Windows) => match self.set("APPDATA") {
                        Some(directory) => format!("{directory}/helm"),
                        None => self.at_home("helm")?,
                    },
                };
                format!("{home}/registry/config.json")
            }
        };
        Some(path).filter(|path| !path.is_empty())
    }

    /// Helm's file ([`Environment::helm_file`]), then Docker's, then Podman's, then Docker's of before 1.7, which Podman reads as
    /// well.
    pub fn files(&self, registry_config: Option<&str>) -> Vec<String> {
        let docker = match self.set("DOCKER_CONFIG") {
            Some(directory) => Some(format!("{directory}/config.json")),
            None => self.at_home(".docker/config.json"),
        };
        let mut files: Vec<String> = self.helm_file(registry_config).into_iter().chain(docker).collect();
        if let Some(path) = self.set("REGISTRY_AUTH_FILE") {
            files.push(path.to_owned());
            return files;
        }
        if let (Some(directory), Platform::Linux) = (self.set("XDG_RUNTIME_DIR"), self.platform) {
            files.push(format!("{directory}/containers/auth.json"));
        }
        files.extend(match self.set("XDG_CONFIG_HOME") {
            Some(directory) => Some(format!("{directory}/containers/auth.json")),
            None => self.at_home(".config/containers/auth.json"),
        });
        files.extend(self.at_home(OLD));
        files
    }
}

/// What came of a search. `Debug` shows no secret.
///
/// ```
/// use chartoci::auth::store::{Asked, Environment, Found, Lookup, Platform};
/// use chartoci::files::{Memory, Step};
/// let environment = Environment { variables: [].into(), home: "/home/ada".into(), platform: Platform::Linux };
/// let mut lookup = Lookup::new(&environment, None, "registry.example", "team/web");
/// let mut files = Memory::new();
/// let found = loop {
///     match lookup.poll() {
///         Step::Do(verb) => lookup.handle(files.execute(verb)),
///         Step::Done(found) => break found?,
///     }
/// };
/// let Found { credential, asked } = found;
/// assert!(credential.is_none() && asked.iter().all(|Asked { exists, .. }| !exists));
/// let stores: Vec<&str> = asked.iter().map(|asked| asked.store.as_str()).collect();
/// assert_eq!(stores[..2], ["/home/ada/.config/helm/registry/config.json", "/home/ada/.docker/config.json"]);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What to prove; none if nobody knew.
    pub credential: Option<Credential>,
    /// Who was asked, in order; where there is a credential, the last one answered.
    pub asked: Vec<Asked>,
}

/// A file or a helper that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path of a file, or the name of a variable.
    pub store: String,
    /// The helper that the file names, as a program.
    pub helper: Option<String>,
    /// The key under which the file has its answer.
    pub entry: Option<String>,
    /// The file is there.
    pub exists: bool,
}

/// Looks for a registry's credential, store by store.
///
/// Unlike in other file machines the paths of its verbs are the host's own, absolute ones, and links are followed.
///
/// ```
/// use chartoci::auth::store::{Lookup, Environment, Platform};
/// use chartoci::files::{Answer, Step, Verb};
///
/// let environment = Environment { variables: [].into(), home: "/home/ada".into(), platform: Platform::Linux };
/// let mut lookup = Lookup::new(&environment, None, "registry.example", "team/web");
/// let Step::Do(Verb::Read { path, .. }) = lookup.poll() else { panic!() };
/// assert_eq!(path, "/home/ada/.config/helm/registry/config.json");
/// lookup.handle(Answer::Data(br#"{"auths": {"registry.example": {"auth": "YWRhOnNlY3JldA=="}}}"#.to_vec()));
/// let Step::Done(Ok(found)) = lookup.poll() else { panic!() };
/// assert!(found.credential.is_some() && found.asked[0].store == path);
/// ```
#[derive(Debug)]
pub struct Lookup {
    stores: VecDeque<Store>,
    registry: String,
    repository: String,
    helper: Option<Helper>,
    asked: Vec<Asked>,
    result: Option<Result<Option<Credential>, Error>>,
}

#[derive(Debug)]
enum Store {
    File(String),
    /// A variable that holds the text of such a file.
    Variable(Secret),
}

/// A text that `Debug` does not show.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Larger than any such file that a person wrote.
pub(super) const LARGEST: u64 = 1 << 20;

impl Lookup {
    /// For a repository of a registry; the host's port belongs to the registry's name.
    pub fn new(environment: &Environment, registry_config: Option<&str>, registry: &str, repository: &str) -> Lookup {
        let mut stores: VecDeque<Store> = environment.files(registry_config).into_iter().map(Store::File).collect();
        if let Some(text) = environment.set(DOCKER_AUTH_CONFIG) {
            let docker = usize::from(environment.helm_file(registry_config).is_some());
            stores.insert(docker, Store::Variable(Secret(text.to_owned())));
        }
        let mut lookup = Lookup {
            stores,
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            helper: None,
            asked: Vec::new(),
            result: None,
        };
        lookup.advance();
        lookup
    }

    /// What to do next; at the end what was found.
    ///
    /// # Errors
    /// [`Code::CREDENTIALS_FILE`], [`Code::AUTH_HELPER`] and [`Code::AUTH_HELPER_MISSING`].
    pub fn poll(&mut self) -> Step<Found> {
        match (&self.result, &self.helper, self.stores.front()) {
            (Some(result), ..) => Step::Done(
                result.clone().map(|credential| Found { credential, asked: std::mem::take(&mut self.asked) }),
            ),
            (None, Some(helper), _) => Step::Do(helper.get(&server(&self.registry))),
            (None, None, Some(Store::File(path))) => Step::Do(read(path)),
            (None, None, _) => Step::Done(Ok(Found { credential: None, asked: std::mem::take(&mut self.asked) })),
        }
    }

    /// What came of it. A file that is not there holds nothing.
    pub fn handle(&mut self, answer: Answer) {
        if self.result.is_some() {
            return;
        }
        if let Some(helper) = self.helper.take() {
            self.result = helper.credential(answer).transpose().map(|found| found.map(Some));
        } else if let Some(Store::File(path)) = self.stores.pop_front() {
            match text_of(answer, &path) {
                Ok(text) => self.ask(path, text.as_deref()),
                Err(error) => self.result = Some(Err(error)),
            }
        }
        self.advance();
    }

    /// Asks the variables that stand before the next file.
    fn advance(&mut self) {
        while let (None, None, Some(Store::Variable(_))) = (&self.result, &self.helper, self.stores.front()) {
            if let Some(Store::Variable(Secret(text))) = self.stores.pop_front() {
                self.ask(DOCKER_AUTH_CONFIG.to_owned(), Some(text.as_bytes()));
            }
        }
    }

    fn ask(&mut self, store: String, text: Option<&[u8]>) {
        let answer = find(&store, text.unwrap_or_default(), &self.registry, &self.repository);
        let mut asked = Asked { store, helper: None, entry: None, exists: text.is_some() };
        match answer {
            Ok(Answered::Nothing) => {}
            Ok(Answered::Entry(key, credential)) => {
                asked.entry = Some(key);
                self.result = Some(Ok(Some(credential)));
            }
            Ok(Answered::Helper(helper)) => {
                asked.helper = Some(helper.program.clone());
                self.helper = Some(helper);
            }
            Err(error) => self.result = Some(Err(error)),
        }
        self.asked.push(asked);
    }
}

/// Reads a whole file; one byte too many tells that it is too large.
pub(super) fn read(path: &str) -> Verb {
    Verb::Read { path: path.to_owned(), offset: 0, limit: LARGEST + 1 }
}

/// The text of a file; none if there is no such file.
pub(super) fn text_of(answer: Answer, path: &str) -> Result<Option<Vec<u8>>, Error> {
    match answer {
        Answer::Data(data) if data.len() as u64 > LARGEST => {
            Err(refused(path, &format!("the file has more than {LARGEST} bytes")))
        }
        Answer::Data(data) => Ok(Some(data)),
        Answer::Failed(FileFailure::NotFound) => Ok(None),
        Answer::Failed(failure) => Err(refused(path, &format!("the file cannot be read: {failure}"))),
        _ => Err(refused(path, "the file cannot be read")),
    }
}

pub(super) fn refused(path: &str, message: &str) -> Error {
    Error::new(Code::CREDENTIALS_FILE, format!("{path}: {message}")).with("path", path)
}

/// The name by which helpers and Helm's file know a registry.
pub(super) fn server(registry: &str) -> String {
    match canonical_host(registry) {
        host if host == DOCKER_HUB => "https://index.docker.io/v1/".to_owned(),
        host => host,
    }
}

/// A file with credentials: what it says, not what its bytes are.
pub(super) struct Config<'a> {
    path: &'a str,
    text: &'a [u8],
    document: Map<String, Value>,
    /// It stands for what is in `auths`.
    is_old: bool,
}

impl<'a> Config<'a> {
    /// Messages never quote the text.
    pub(super) fn parse(path: &'a str, text: &'a [u8]) -> Result<Config<'a>, Error> {
        let is_old = path.rsplit(['/', '\\']).next() == Some(OLD);
        if text.trim_ascii().is_empty() {
            return Ok(Config { path, text, document: Map::new(), is_old });
        }
        let document = json::parse(text, LARGEST).map_err(|error| {
            let place: Vec<String> = error.context().iter().map(|(name, value)| format!("{name} {value}")).collect();
            let broken = refused(path, &format!("the file is not JSON ({})", place.join(", ")));
            error.context().iter().fold(broken, |broken, (name, value)| broken.with(name, value))
        })?;
        match document.value {
            Value::Object(document) if is_old => {
                let document = [("auths".to_owned(), Value::Object(document))].into_iter().collect();
                Ok(Config { path, text, document, is_old })
            }
            Value::Object(document) => Ok(Config { path, text, document, is_old }),
            _ => Err(refused(path, "the file is no JSON object")),
        }
    }

    fn object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Error> {
        match self.document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.wrong(&format!("/{name}"), name, "it is no object")),
        }
    }

    /// The helper that is responsible for the registry.
    pub(super) fn helper(&self, registry: &str) -> Result<Option<Helper>, Error> {
        let host = canonical_host(registry);
        let helpers = self.object("credHelpers")?;
        let named = helpers.and_then(|helpers| helpers.iter().find(|(key, _)| canonical_host(key) == host));
        let name = match (named, self.document.get("credsStore")) {
            (Some((_, Value::String(name))), _) if !name.is_empty() => name,
            (_, Some(Value::String(name))) if !name.is_empty() => name,
            (Some((key, value)), _) if !value.is_string() && !value.is_null() => {
                let pointer = format!("/credHelpers/{}", json::pointer_token(key));
                return Err(self.wrong(&pointer, key, "a helper's name is no text"));
            }
            (_, Some(value)) if !value.is_string() && !value.is_null() => {
                return Err(self.wrong("/credsStore", "credsStore", "it is no text"));
            }
            _ => return Ok(None),
        };
        Helper::new(name, self.path).map(Some)
    }

    /// The file says nothing about credentials at all, so that a login may choose where to keep them.
    pub(super) fn is_silent(&self) -> Result<bool, Error> {
        let empty = |name| self.object(name).map(|object| object.is_none_or(Map::is_empty));
        Ok(empty("auths")? && empty("credHelpers")? && self.helper("")?.is_none())
    }

    /// The entry with the longest key that covers the repository: a path narrows an entry down, so it must not be dropped. Of
    /// several for the host alone the one with its very name comes first.
    fn entry(&self, registry: &str, repository: &str) -> Result<Option<(&str, Credential)>, Error> {
        let (host, server) = (canonical_host(registry), server(registry));
        let covering = self.object("auths")?.into_iter().flatten().filter_map(|(key, entry)| {
            let length = coverage(key, &host, repository)?;
            Some(((length, key.eq_ignore_ascii_case(&server), key.as_str()), entry))
        });
        let Some(((_, _, key), entry)) = covering.max_by_key(|(rank, _)| *rank) else { return Ok(None) };
        let found = credential(entry).map_err(|why| {
            let auths = if self.is_old { "" } else { "/auths" };
            let pointer = format!("{auths}/{}", json::pointer_token(key));
            self.wrong(&pointer, &format!("auths, entry {key:?}"), why)
        })?;
        Ok(found.map(|credential| (key, credential)))
    }

    fn wrong(&self, pointer: &str, name: &str, why: &str) -> Error {
        match json::span(self.text, pointer) {
            Some(span) => refused(self.path, &format!("{name} (line {}): {why}", span.line)).with("line", span.line),
            None => refused(self.path, &format!("{name}: {why}")),
        }
    }
}

/// What a file has to say about a repository.
#[derive(Debug)]
enum Answered {
    Nothing,
    Entry(String, Credential),
    Helper(Helper),
}

fn find(path: &str, text: &[u8], registry: &str, repository: &str) -> Result<Answered, Error> {
    let config = Config::parse(path, text)?;
    if let Some(helper) = config.helper(registry)? {
        return Ok(Answered::Helper(helper));
    }
    Ok(match config.entry(registry, repository)? {
        Some((key, credential)) => Answered::Entry(key.to_owned(), credential),
        None => Answered::Nothing,
    })
}

/// How much of the reference a key names: nothing (`None`), the host (0), or that many bytes of the repository.
pub(super) fn coverage(key: &str, host: &str, repository: &str) -> Option<usize> {
    if canonical_host(key) != host {
        return None;
    }
    let path = without_scheme(key).split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    match path {
        "" | "v1" | "v2" => Some(0),
        _ => {
            let rest = repository.strip_prefix(path)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
        }
    }
}

fn without_scheme(key: &str) -> &str {
    key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key)
}

/// The host that a key names.
pub(super) fn canonical_host(key: &str) -> String {
    canonical_registry(without_scheme(key).split('/').next().unwrap_or_default())
}

/// What an entry holds. `registrytoken` is ready to use, `identitytoken` is exchanged, `auth` wins over `username`.
fn credential(entry: &Value) -> Result<Option<Credential>, &'static str> {
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let Value::Object(entry) = entry else { return Err("it is no object") };
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err("a field is no text"),
    };
    if let Some(token) = text("registrytoken")? {
        return Ok(Some(Credential::Bearer(token.to_owned())));
    }
    if let Some(token) = text("identitytoken")? {
        return Ok(Some(Credential::Identity(token.to_owned())));
    }
    if let Some(encoded) = text("auth")? {
        let decoded = TOLERANT.decode(encoded).map_err(|_| "auth is not base64")?;
        let decoded = String::from_utf8(decoded).map_err(|_| "auth does not hold a text")?;
        let (username, password) =
            decoded.trim_end_matches('\0').split_once(':').ok_or("auth does not hold user:password")?;
        return Ok(Some(Credential::Basic { username: username.to_owned(), password: password.to_owned() }));
    }
    Ok(match (text("username")?, text("password")?) {
        (Some(username), Some(password)) => {
            Some(Credential::Basic { username: username.to_owned(), password: password.to_owned() })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(username: &str, password: &str) -> Option<Credential> {
        Some(Credential::Basic { username: username.to_owned(), password: password.to_owned() })
    }

    fn environment(variables: &[(&str, &str)], platform: Platform) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment { variables, home: "/home/ada".to_owned(), platform }
    }

    fn files(variables: &[(&str, &str)], platform: Platform) -> Vec<String> {
        environment(variables, platform).files(None)
    }

    fn lookup(variables: &[(&str, &str)]) -> Lookup {
        Lookup::new(&environment(variables, Platform::Linux), Some("/helm"), "reg", "x")
    }

    fn find(text: &[u8], registry: &str, repository: &str) -> Result<Option<Credential>, String> {
        match super::find("/f", text, registry, repository) {
            Ok(Answered::Nothing) => Ok(None),
            Ok(Answered::Entry(_, credential)) => Ok(Some(credential)),
            Ok(Answered::Helper(helper)) => panic!("{helper:?}"),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    fn helper(text: &str, registry: &str) -> Option<String> {
        match super::find("/f", text.as_bytes(), registry, "x").unwrap() {
            Answered::Helper(helper) => Some(helper.program),
            _ => None,
        }
    }

    #[test]
    fn files_are_where_helm_and_docker_look() {
        assert_eq!(
            files(&[("HELM_CONFIG_HOME", "/h"), ("DOCKER_CONFIG", "/d")], Platform::Linux),
            [
                "/h/registry/config.json",
                "/d/config.json",
                "/home/ada/.config/containers/auth.json",
                "/home/ada/.dockercfg"
            ]
        );
        assert_eq!(files(&[("XDG_CONFIG_HOME", "/x")], Platform::MacOs)[0], "/x/helm/registry/config.json");
        assert_eq!(files(&[], Platform::MacOs)[0], "/home/ada/Library/Preferences/helm/registry/config.json");
    }

    #[test]
    fn a_helm_variable_that_is_set_and_empty_names_no_file() {
        let files = files(&[("HELM_REGISTRY_CONFIG", "")], Platform::Linux);
        let expected =
            ["/home/ada/.docker/config.json", "/home/ada/.config/containers/auth.json", "/home/ada/.dockercfg"];
        assert_eq!(files, expected);
    }

    #[test]
    fn without_a_home_there_is_no_file_below_it() {
        let mut nobody = environment(&[("XDG_RUNTIME_DIR", "/run"), ("XDG_CONFIG_HOME", "")], Platform::Linux);
        nobody.home = String::new();
        assert_eq!(nobody.files(None), ["/run/containers/auth.json"]);
        assert_eq!(nobody.helm_file(None), None);
        nobody.home = "/".to_owned();
        assert_eq!(nobody.helm_file(None).as_deref(), Some("/.config/helm/registry/config.json"));
    }

    #[test]
    fn podmans_file_comes_last_and_may_be_named() {
        let named = files(&[("REGISTRY_AUTH_FILE", "/p"), ("XDG_RUNTIME_DIR", "/run")], Platform::Linux);
        assert_eq!(named[2..], ["/p"]);
        let usual = files(&[("XDG_CONFIG_HOME", "/x"), ("XDG_RUNTIME_DIR", "/run")], Platform::Linux);
        assert_eq!(usual[2..], ["/run/containers/auth.json", "/x/containers/auth.json", "/home/ada/.dockercfg"]);
        assert_eq!(files(&[("XDG_RUNTIME_DIR", "/run")], Platform::MacOs).len(), 4);
    }

    #[test]
    fn hosts_are_compared_whole_and_without_regard_to_case() {
        let file = br#"{"auths": {"Reg.Example": {"auth": "YTpi"}}}"#;
        assert_eq!(find(file, "rEG.example", "x"), Ok(basic("a", "b")));
        for other in ["reg.example.", "reg.example:443", "reg.example.evil.test", "evil-reg.example", "eg.example"] {
            assert_eq!(find(file, other, "x"), Ok(None), "{other}");
        }
    }

    #[test]
    fn of_several_keys_for_a_host_its_very_name_comes_first() {
        let file = br#"{"auths": {"https://reg/v2/": {"auth": "YTpi"}, "reg": {"auth": "Yzpk"}, "http://reg": {"auth": "ZTpm"}}}"#;
        assert_eq!(find(file, "reg", "x"), Ok(basic("c", "d")));
    }

    #[test]
    fn the_helper_of_a_host_comes_before_the_one_for_all_and_both_before_what_the_file_holds() {
        let file = r#"{"credsStore": "all", "credHelpers": {"reg": "one", "https://index.docker.io/v1/": "hub", "none": ""},
            "auths": {"reg": {"auth": "YTpi"}}}"#;
        assert_eq!(helper(file, "reg").as_deref(), Some("docker-credential-one"));
        assert_eq!(helper(file, "docker.io").as_deref(), Some("docker-credential-hub"));
        assert_eq!(helper(file, "none").as_deref(), Some("docker-credential-all"));
        assert_eq!(helper(r#"{"credsStore": "", "auths": {"reg": {"auth": "YTpi"}}}"#, "reg"), None);
        assert!(find(br#"{"credsStore": "../evil"}"#, "reg", "x").unwrap_err().contains("helper's name"));
        assert!(find(b"{\n\"credHelpers\": {\"reg\": 1}}", "reg", "x").unwrap_err().contains("line 2"));
    }

    #[test]
    fn a_helper_is_asked_by_the_registrys_name_and_then_the_next_file() {
        let mut lookup = lookup(&[]);
        lookup.handle(Answer::Data(br#"{"credsStore": "pass"}"#.to_vec()));
        let Step::Do(Verb::Run { program, arguments, input, .. }) = lookup.poll() else { panic!() };
        assert_eq!((program.as_str(), arguments[0].as_str(), &*input), ("docker-credential-pass", "get", &b"reg"[..]));
        lookup.handle(Answer::Ran { status: Some(1), output: b"credentials not found in native keychain".to_vec() });
        let Step::Do(Verb::Read { path, .. }) = lookup.poll() else { panic!() };
        assert_eq!(path, "/home/ada/.docker/config.json");
        lookup.handle(Answer::Data(br#"{"auths": {"reg": {"auth": "YTpi"}}}"#.to_vec()));
        let Step::Done(Ok(found)) = lookup.poll() else { panic!() };
        assert_eq!(found.credential, basic("a", "b"));
        let asked: Vec<_> = found.asked.iter().map(|asked| (asked.helper.as_deref(), asked.entry.as_deref())).collect();
        assert_eq!(asked, [(Some("docker-credential-pass"), None), (None, Some("reg"))]);
    }

    #[test]
    fn docker_hub_is_asked_for_by_its_old_name() {
        assert_eq!(server("registry-1.docker.io"), "https://index.docker.io/v1/");
        assert_eq!(server("Reg:5000"), "reg:5000");
    }

    #[test]
    fn a_helper_that_fails_ends_the_search() {
        let mut lookup = lookup(&[]);
        lookup.handle(Answer::Data(br#"{"credHelpers": {"reg": "pass"}}"#.to_vec()));
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        let Step::Done(Err(error)) = lookup.poll() else { panic!() };
        assert_eq!(error.code(), Code::AUTH_HELPER_MISSING);
    }

    #[test]
    fn dockers_variable_comes_before_its_file_and_is_never_shown() {
        let mut lookup = lookup(&[("DOCKER_AUTH_CONFIG", r#"{"auths": {"reg": {"auth": "aHVudGVyMjpodW50ZXIy"}}}"#)]);
        assert!(!format!("{lookup:?}").contains("aHVudGVyMjpodW50ZXIy"));
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        let Step::Done(Ok(found)) = lookup.poll() else { panic!() };
        assert_eq!(found.credential, basic("hunter2", "hunter2"));
        assert_eq!(found.asked[1].store, "DOCKER_AUTH_CONFIG");
        assert!(!found.asked[0].exists);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let mut lookup = lookup(&[]);
        lookup.handle(Answer::Data(vec![b' '; LARGEST as usize + 1]));
        assert!(matches!(lookup.poll(), Step::Done(Err(_))));
    }

    #[test]
    fn the_exact_host_and_port_are_matched() {
        let file = br#"{"auths": {"reg:5000": {"auth": "YTpi"}, "reg": {"auth": "YzpkOmU"}}}"#;
        assert_eq!(find(file, "reg:5000", "x"), Ok(basic("a", "b")));
        assert_eq!(find(file, "reg", "x"), Ok(basic("c", "d:e")));
        assert_eq!(find(file, "evil.reg", "x"), Ok(None));
        assert_eq!(find(file, "reg:5001", "x"), Ok(None));
    }

    #[test]
    fn a_scheme_and_the_path_of_an_api_version_do_not_matter() {
        let file = br#"{"auths": {"https://index.docker.io/v1/": {"username": "u", "password": "p"}}}"#;
        for host in ["docker.io", "registry-1.docker.io", "index.docker.io"] {
            assert_eq!(find(file, host, "library/web"), Ok(basic("u", "p")), "{host}");
        }
    }

    #[test]
    fn a_path_covers_only_what_lies_below_it_and_the_longest_wins() {
        let file =
            br#"{"auths": {"reg/team": {"auth": "YTpi"}, "reg": {"auth": "Yzpk"}, "reg/team/x": {"auth": "ZTpm"}}}"#;
        assert_eq!(find(file, "reg", "team/web"), Ok(basic("a", "b")));
        assert_eq!(find(file, "reg", "team/x/web"), Ok(basic("e", "f")));
        assert_eq!(find(file, "reg", "teams/web"), Ok(basic("c", "d")));
    }

    #[test]
    fn tokens_come_before_passwords() {
        let file = br#"{"auths": {"a": {"identitytoken": "t", "auth": "YTpi"}, "b": {"registrytoken": "r"}, "c": {}}}"#;
        assert_eq!(find(file, "a", ""), Ok(Some(Credential::Identity("t".to_owned()))));
        assert_eq!(find(file, "b", ""), Ok(Some(Credential::Bearer("r".to_owned()))));
        assert_eq!(find(file, "c", ""), Ok(None));
    }

    #[test]
    fn a_broken_file_is_an_error_with_its_place_and_without_its_secrets() {
        for (file, place) in [
            (&b"{\"auths\": {\n\"reg\": {\"auth\": \"hunter2\"}"[..], "line 2"),
            (b"[1]", "no JSON object"),
            (br#"{"auths": {"reg": {"auth": "hunter2!"}}}"#, "entry"),
            (br#"{"auths": {"reg": {"auth": "aHVudGVyMg=="}}}"#, "user:password"),
            (br#"{"auths": {"reg": "hunter2"}}"#, "no object"),
        ] {
            let error = find(file, "reg", "x").unwrap_err();
            assert!(error.contains(place), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_broken_first_file_ends_the_search() {
        let mut lookup = lookup(&[]);
        lookup.handle(Answer::Data(b"{".to_vec()));
        let Step::Done(Err(error)) = lookup.poll() else { panic!() };
        assert_eq!(error.code(), Code::CREDENTIALS_FILE);
        assert!(error.to_string().starts_with("/helm: "), "{error}");
    }

    // containers-auth.json(5): of ~/.dockercfg the whole is a map of entries. There were no helpers yet.
    #[test]
    fn the_old_file_of_docker_is_nothing_but_entries_and_comes_last() {
        let mut lookup = lookup(&[]);
        for _ in 0..3 {
            lookup.handle(Answer::Failed(FileFailure::NotFound));
        }
        let Step::Do(Verb::Read { path, .. }) = lookup.poll() else { panic!() };
        assert_eq!(path, "/home/ada/.dockercfg");
        let text = br#"{"https://reg/v1/": {"auth": "YTpi", "email": "a@b"}, "credsStore": {"auth": "Yzpk"}}"#;
        lookup.handle(Answer::Data(text.to_vec()));
        let Step::Done(Ok(found)) = lookup.poll() else { panic!() };
        assert_eq!(found.credential, basic("a", "b"));
        let broken =
            super::find("/home/ada/.dockercfg", b"{\n\"reg\": {\"auth\": \"hunter2!\"}}", "reg", "x").unwrap_err();
        assert_eq!(broken.context()[1], ("line", "2".to_owned()), "{broken:?}");
        let newer =
            super::find("/home/ada/.dockercfg", br#"{"auths": {"reg": {"auth": "YTpi"}}}"#, "reg", "x").unwrap();
        assert!(matches!(newer, Answered::Nothing));
    }

    #[test]
    fn a_missing_or_empty_file_holds_nothing() {
        let mut lookup = lookup(&[]);
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        lookup.handle(Answer::Data(b"\n".to_vec()));
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        let Step::Done(Ok(found)) = lookup.poll() else { panic!() };
        let exists: Vec<bool> = found.asked.iter().map(|asked| asked.exists).collect();
        assert_eq!((found.credential, exists), (None, vec![false, true, false, false]));
    }
}
