//! Credentials that Helm and Docker keep in files (Helm 4.3: `pkg/registry/client.go`; oras-go 2.6:
//! `registry/remote/credentials`; Docker: `cli/config/configfile`).
//!
//! The host says what its environment is; [`Lookup`] names the files to read and finds the entry. Helm's file comes
//! first, then Docker's. A file that cannot be understood ends the search: another file's secret is never used in its
//! place.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::Credential;
use crate::error::{Code, Error};
use crate::files::{Answer, FileFailure, Step, Verb};
use crate::json;

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
#[derive(Clone, Debug)]
pub struct Environment {
    /// Of all variables those that begin with `HELM_`, `XDG_` or `DOCKER_`, and `APPDATA`.
    pub variables: BTreeMap<String, String>,
    /// The user's directory.
    pub home: String,
    /// Which rules apply.
    pub platform: Platform,
}

impl Environment {
    /// Helm's file, or the one that was named in its place (`--registry-config`), then Docker's.
    pub fn files(&self, registry_config: Option<&str>) -> Vec<String> {
        let set = |name: &str| self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let helm = match (registry_config, self.variables.get("HELM_REGISTRY_CONFIG")) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => path.clone(),
            (None, None) => {
                let home = match (set("HELM_CONFIG_HOME"), set("XDG_CONFIG_HOME"), self.platform) {
                    (Some(directory), _, _) => directory.to_owned(),
                    (None, Some(directory), _) => format!("{directory}/helm"),
                    (None, None, Platform::Linux) => format!("{}/.config/helm", self.home),
                    (None, None, Platform::MacOs) => format!("{}/Library/Preferences/helm", self.home),
                    (None, None, Platform::Windows) => format!("{}/helm", set("APPDATA").unwrap_or(&self.home)),
                };
                format!("{home}/registry/config.json")
            }
        };
        let docker = match set("DOCKER_CONFIG") {
            Some(directory) => format!("{directory}/config.json"),
            None => format!("{}/.docker/config.json", self.home),
        };
        [helm, docker].into_iter().filter(|path| !path.is_empty()).collect()
    }
}

/// A credential, and the file that it was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What to prove.
    pub credential: Credential,
    /// Which file said so.
    pub path: String,
}

/// Looks for a registry's credential, file by file.
///
/// Unlike in other file machines the paths of its verbs are the host's own, absolute ones.
///
/// ```
/// use chartoci::auth::store::{Lookup, Environment, Platform};
/// use chartoci::files::{Answer, Step, Verb};
///
/// let environment = Environment { variables: [].into(), home: "/home/ada".into(), platform: Platform::Linux };
/// let mut lookup = Lookup::new(environment.files(None), "registry.example", "team/web");
/// let Step::Do(Verb::Read { path, .. }) = lookup.poll() else { panic!() };
/// assert_eq!(path, "/home/ada/.config/helm/registry/config.json");
/// lookup.handle(Answer::Data(br#"{"auths": {"registry.example": {"auth": "YWRhOnNlY3JldA=="}}}"#.to_vec()));
/// let Step::Done(Ok(Some(found))) = lookup.poll() else { panic!() };
/// assert_eq!(found.path, path);
/// ```
#[derive(Debug)]
pub struct Lookup {
    files: VecDeque<String>,
    registry: String,
    repository: String,
    result: Option<Result<Found, Error>>,
}

/// Larger than any such file that a person wrote.
const LARGEST: u64 = 1 << 20;

impl Lookup {
    /// For a repository of a registry; the host's port belongs to the registry's name.
    pub fn new(files: impl IntoIterator<Item = String>, registry: &str, repository: &str) -> Lookup {
        Lookup {
            files: files.into_iter().collect(),
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            result: None,
        }
    }

    /// What to do next; at the end what was found, if anything.
    pub fn poll(&mut self) -> Step<Option<Found>> {
        match (self.result.clone(), self.files.front()) {
            (Some(result), _) => Step::Done(result.map(Some)),
            (None, Some(path)) => Step::Do(Verb::Read { path: path.clone(), offset: 0, limit: LARGEST }),
            (None, None) => Step::Done(Ok(None)),
        }
    }

    /// What came of reading a file. One that is not there holds nothing.
    pub fn handle(&mut self, answer: Answer) {
        let Some(path) = self.files.pop_front() else { return };
        let refused =
            |message: String| Error::new(Code::CREDENTIALS_FILE, format!("{path}: {message}")).with("path", &path);
        let result = match answer {
            Answer::Data(data) => find(&data, &self.registry, &self.repository).map_err(refused),
            Answer::Failed(FileFailure::NotFound) => Ok(None),
            Answer::Failed(failure) => Err(refused(format!("the file cannot be read: {failure:?}"))),
            _ => Ok(None),
        };
        self.result = result.map(|found| found.map(|credential| Found { credential, path })).transpose();
    }
}

/// The credential of a file's text. Messages never quote it.
fn find(text: &[u8], registry: &str, repository: &str) -> Result<Option<Credential>, String> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let document = json::parse(text, u64::MAX).map_err(|error| {
        let place: Vec<String> = error.context().iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("the file is not JSON ({})", place.join(", "))
    })?;
    let Value::Object(document) = document.value else { return Err("the file is no JSON object".to_owned()) };
    let registry = canonical_host(registry);
    let helper = match document.get("credHelpers") {
        None | Some(Value::Null) => None,
        Some(Value::Object(helpers)) => {
            helpers.iter().find(|(key, _)| canonical_host(key) == registry).map(|(_, helper)| helper)
        }
        Some(_) => return Err("credHelpers is no object".to_owned()),
    };
    if let Some(Value::String(helper)) = helper {
        return Err(format!(
            "the credential helper docker-credential-{helper} is named for {registry}, and helpers are not run"
        ));
    }
    let entries = match document.get("auths") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err("auths is no object".to_owned()),
    };
    // The longest key that covers the repository: a path narrows an entry down, so it must not be dropped.
    let mut best: Option<(usize, &str, &Value)> = None;
    for (key, entry) in entries {
        let covered = coverage(key, registry, repository);
        if covered.is_some_and(|length| best.is_none_or(|(known, name, _)| (length, name) > (known, key.as_str()))) {
            best = covered.map(|length| (length, key.as_str(), entry));
        }
    }
    match best {
        Some((_, key, entry)) => credential(entry).map_err(|why| format!("auths, entry {key:?}: {why}")),
        None => Ok(None),
    }
}

/// How much of the reference a key names: nothing (`None`), the host (0), or that many bytes of the repository.
fn coverage(key: &str, registry: &str, repository: &str) -> Option<usize> {
    if canonical_host(key) != registry {
        return None;
    }
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let path = bare.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    match path {
        "" | "v1" | "v2" => Some(0),
        _ => {
            let rest = repository.strip_prefix(path)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
        }
    }
}

/// The host that a key names; Docker Hub has one name for all of its own.
fn canonical_host(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    match bare.split('/').next().unwrap_or_default() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
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

    fn environment(variables: &[(&str, &str)], platform: Platform) -> Vec<String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment { variables, home: "/home/ada".to_owned(), platform }.files(None)
    }

    #[test]
    fn files_are_where_helm_and_docker_look() {
        assert_eq!(
            environment(&[("HELM_CONFIG_HOME", "/h"), ("DOCKER_CONFIG", "/d")], Platform::Linux),
            ["/h/registry/config.json", "/d/config.json"]
        );
        assert_eq!(environment(&[("XDG_CONFIG_HOME", "/x")], Platform::MacOs)[0], "/x/helm/registry/config.json");
        assert_eq!(environment(&[], Platform::MacOs)[0], "/home/ada/Library/Preferences/helm/registry/config.json");
    }

    #[test]
    fn a_helm_variable_that_is_set_and_empty_names_no_file() {
        assert_eq!(environment(&[("HELM_REGISTRY_CONFIG", "")], Platform::Linux), ["/home/ada/.docker/config.json"]);
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
            (br#"{"auths": {"reg": {"auth": "hunter2!"}}}"#, "entry \"reg\""),
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
        let mut lookup = Lookup::new(["/helm".to_owned(), "/docker".to_owned()], "reg", "x");
        lookup.handle(Answer::Data(b"{".to_vec()));
        let Step::Done(Err(error)) = lookup.poll() else { panic!() };
        assert_eq!(error.code(), Code::CREDENTIALS_FILE);
        assert!(error.to_string().starts_with("/helm: "), "{error}");
    }

    #[test]
    fn a_missing_or_empty_file_holds_nothing() {
        let mut lookup = Lookup::new(["/helm".to_owned(), "/docker".to_owned()], "reg", "x");
        lookup.handle(Answer::Failed(FileFailure::NotFound));
        lookup.handle(Answer::Data(b"\n".to_vec()));
        assert!(matches!(lookup.poll(), Step::Done(Ok(None))));
    }
}
