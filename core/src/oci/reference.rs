//! References: `[oci://]REGISTRY/REPOSITORY[:TAG][@DIGEST]` (distribution-spec, "Pulling manifests"; Helm 4.3,
//! `pkg/registry/reference.go`).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::Digest;
use crate::error::{Code, Error, clip};

/// The longest repository, in bytes (distribution/reference, `RepositoryNameTotalLengthMax`).
pub const REPOSITORY_LENGTH: usize = 255;
/// The longest tag, in bytes (distribution-spec, "Pulling manifests").
pub const TAG_LENGTH: usize = 128;
/// The longest host name, in bytes (RFC 1035, 2.3.4).
const HOST_LENGTH: usize = 253;
const SCHEME: &str = "oci://";

/// A registry and a repository in it.
///
/// ```
/// use chartoci::oci::Repository;
/// let repository = Repository::parse("oci://reg.example:5000/team/web")?;
/// assert_eq!((repository.registry(), repository.name()), ("reg.example:5000", "team/web"));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    name: String,
}

impl Repository {
    /// Reads `[oci://]REGISTRY/REPOSITORY`.
    ///
    /// # Errors
    /// As [`Reference::parse`]; a tag or digest is refused.
    pub fn parse(text: &str) -> Result<Repository, Error> {
        let reference = Reference::parse(text)?;
        let refused = |code, what: &str| {
            Err(Error::new(code, format!("a repository is wanted here, and {what} stands behind it"))
                .with("reference", &reference)
                .with_hint(format!("Write {} alone.", reference.repository)))
        };
        match (&reference.tag, &reference.digest) {
            (Some(_), _) => refused(Code::REFERENCE_TAG, "a tag"),
            (_, Some(_)) => refused(Code::REFERENCE_DIGEST, "a digest"),
            (None, None) => Ok(reference.repository),
        }
    }

    /// A repository of these parts.
    ///
    /// ```
    /// use chartoci::oci::Repository;
    /// let repository = Repository::new("reg.example:5000", "team/web")?;
    /// assert_eq!(repository.to_string(), "reg.example:5000/team/web");
    /// assert_eq!(Repository::new("reg.example", "Team").unwrap_err().code().name(), "reference.repository");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::REFERENCE_REGISTRY`], [`Code::REFERENCE_REPOSITORY`].
    pub fn new(registry: &str, name: &str) -> Result<Repository, Error> {
        check_registry(registry)?;
        check_repository(name)?;
        Ok(Repository { registry: registry.to_owned(), name: name.to_owned() })
    }

    /// Stands for a whole registry, where no repository is meant.
    pub(crate) fn whole(registry: &str) -> Result<Repository, Error> {
        Ok(Repository { registry: login_registry(registry)?, name: String::new() })
    }

    /// Host, and port if one was given: `registry.example:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry: `team/web`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Repository, Error> {
        Repository::parse(text)
    }
}

/// A repository, and a tag or digest in it.
///
/// ```
/// use chartoci::Reference;
/// let reference = Reference::parse("oci://reg.example:5000/team/web:1.2.3+b1")?;
/// assert_eq!(reference.registry(), "reg.example:5000");
/// assert_eq!(reference.repository(), "team/web");
/// assert_eq!(reference.tag(), Some("1.2.3_b1"));
/// assert_eq!(reference.version().as_deref(), Some("1.2.3+b1"));
/// assert_eq!(reference.to_string(), "oci://reg.example:5000/team/web:1.2.3_b1");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads a reference, with or without `oci://`. `+` in a tag becomes `_`, and nowhere else. The part before the first
    /// `/` is the registry, always: there is no default registry.
    ///
    /// Helm 4.3 takes an empty tag or digest (`web:`, `web@`) for none; here it is an error.
    ///
    /// # Errors
    /// The `reference.*` codes: another scheme, userinfo, an invalid registry, repository, tag or digest.
    pub fn parse(text: &str) -> Result<Reference, Error> {
        let (registry, rest) = split(text)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        Ok(Reference {
            repository: Repository::new(registry, name)?,
            tag: tag.map(parse_tag).transpose()?,
            digest: digest.map(Digest::parse).transpose()?,
        })
    }

    /// Where `helm push` puts a chart: `TARGET/NAME:VERSION` (Helm 4.3, `pkg/pusher/ocipusher.go`). The target is a
    /// registry, or a registry and a path, with or without `oci://`; slashes at its end or in a row count as one. Helm
    /// resolves `..` in it; here it is refused.
    ///
    /// ```
    /// use chartoci::Reference;
    /// let reference = Reference::for_push("oci://reg.example/charts/", "web", "1.2.3+b1")?;
    /// assert_eq!(reference.to_string(), "oci://reg.example/charts/web:1.2.3_b1");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::REFERENCE_PUSH_TARGET`] where the target carries a tag or a digest, the other `reference.*` codes as
    /// [`Reference::parse`]; a name or version of a chart that cannot stand in a reference.
    pub fn for_push(target: &str, name: &str, version: &str) -> Result<Reference, Error> {
        let (registry, path) = match after_scheme(target)? {
            bare if !bare.is_empty() && !bare.contains(['/', '@']) => (bare, ""),
            _ => split(target)?,
        };
        for (mark, what) in [('@', "digest"), (':', "tag")] {
            if path.contains(mark) {
                return Err(Error::new(Code::REFERENCE_PUSH_TARGET, format!("the push target carries a {what}"))
                    .with("target", clip(target)));
            }
        }
        check_registry(registry)?;
        if !is_repository_name(name) || name.contains('/') {
            return Err(Error::new(
                Code::REFERENCE_REPOSITORY,
                format!("a chart of the name {:?} cannot be pushed", clip(name)),
            )
            .with("name", clip(name))
            .with_hint(
                "Rename the chart in Chart.yaml: in a registry, a name has lower-case letters and digits, and single \
                 separators . _ - between them.",
            ));
        }
        let tag = version.replace('+', "_");
        if !is_tag(&tag) {
            return Err(Error::new(
                Code::REFERENCE_TAG,
                format!("a chart of the version {:?} cannot be pushed", clip(version)),
            )
            .with("version", clip(version))
            .with_hint(format!(
                "A version becomes a tag: at most {TAG_LENGTH} letters, digits and _ . - (+ becomes _)."
            )));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).chain([name]).collect();
        Ok(Reference { repository: Repository::new(registry, &parts.join("/"))?, tag: Some(tag), digest: None })
    }

    /// A reference of these parts; the tag is taken as it is ([`is_tag`]).
    ///
    /// ```
    /// use chartoci::{Digest, Reference, oci::Repository};
    /// let digest = Digest::of(b"{}");
    /// let reference = Reference::new(Repository::parse("reg.example/web")?, None, Some(digest.clone()));
    /// assert_eq!(reference.to_string(), format!("oci://reg.example/web@{digest}"));
    /// assert_eq!((reference.base().name(), reference.digest()), ("web", Some(&digest)));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn new(repository: Repository, tag: Option<String>, digest: Option<Digest>) -> Reference {
        Reference { repository, tag, digest }
    }

    /// Host, and port if one was given.
    pub fn registry(&self) -> &str {
        self.repository.registry()
    }

    /// The name within the registry.
    pub fn repository(&self) -> &str {
        self.repository.name()
    }

    /// Registry and repository.
    pub fn base(&self) -> &Repository {
        &self.repository
    }

    /// The tag, `_` where the version has `+`.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The version that the tag stands for: `_` turned into `+` ([`version_of_tag`]).
    pub fn version(&self) -> Option<String> {
        self.tag.as_deref().map(version_of_tag)
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl fmt::Display for Reference {
    /// `oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Reference, Error> {
        Reference::parse(text)
    }
}

/// The text is a host, and a port if it has one: a name or an IPv4 address of letters, digits, `-`, `_` and single dots, or
/// an IPv6 address in brackets, without a zone.
///
/// ```
/// use chartoci::oci::reference::is_registry;
/// assert!(is_registry("registry.example:5000") && is_registry("[2001:db8::1]"));
/// assert!(!is_registry("registry.example:0") && !is_registry("user@registry.example"));
/// ```
pub fn is_registry(text: &str) -> bool {
    check_registry(text).is_ok()
}

/// The registry that a person names to log in to: `registry.example:5000`, in lower case. A scheme (`oci`, `https`, `http`)
/// and a path are taken off, where Helm 4 refuses them and Helm 3.17 kept them.
///
/// ```
/// use chartoci::oci::reference::login_registry;
/// assert_eq!(login_registry("oci://Reg.Example:5000/team/web")?, "reg.example:5000");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::REFERENCE_USERINFO`], [`Code::REFERENCE_REGISTRY`].
pub fn login_registry(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let bare = ["https://", "http://", SCHEME].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let registry = bare.split('/').next().unwrap_or_default();
    // Userinfo is found before any part is repeated in a message.
    if registry.contains('@') {
        return Err(Error::new(Code::REFERENCE_USERINFO, "a user name or password stands before the registry")
            .with_hint("Write the host alone, and pass user name and password by their own options."));
    }
    check_registry(registry)?;
    Ok(canonical_registry(registry))
}

/// A registry's host in lower case; Docker Hub has one name for all of its own.
pub(crate) fn canonical_registry(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        _ => host,
    }
}

pub(crate) const DOCKER_HUB: &str = "docker.io";

/// The text is a repository: parts divided by `/`, each of lower-case letters and digits with `.`, `_`, `__` or any number
/// of `-` between them; at most [`REPOSITORY_LENGTH`] bytes.
///
/// ```
/// use chartoci::oci::reference::is_repository_name;
/// assert!(is_repository_name("team/web__2--x"));
/// assert!(!is_repository_name("Team/web") && !is_repository_name("a//b") && !is_repository_name("a-/b"));
/// ```
pub fn is_repository_name(text: &str) -> bool {
    text.len() <= REPOSITORY_LENGTH && text.split('/').all(is_component)
}

/// The text is a tag: 1 to [`TAG_LENGTH`] letters, digits, `_`, `.` and `-`, the first none of `.` and `-`.
///
/// ```
/// use chartoci::oci::reference::is_tag;
/// assert!(is_tag("1.2.3_b1") && is_tag("latest"));
/// assert!(!is_tag("1.2.3+b1") && !is_tag("-x") && !is_tag(""));
/// ```
pub fn is_tag(text: &str) -> bool {
    text.len() <= TAG_LENGTH
        && !text.starts_with(['.', '-'])
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// The version that a tag stands for: `_` becomes `+`, as Helm has it. A tag that can stand for no version stays as it is: one
/// that does not begin with a digit (after a `v`), or with several `_` (a version has one `+` at most).
///
/// ```
/// use chartoci::oci::reference::version_of_tag;
/// assert_eq!(version_of_tag("1.2.3_b1"), "1.2.3+b1");
/// assert_eq!(version_of_tag("latest_stable"), "latest_stable");
/// ```
pub fn version_of_tag(tag: &str) -> String {
    let numbered = tag.strip_prefix('v').unwrap_or(tag).starts_with(|c: char| c.is_ascii_digit());
    match tag.split_once('_') {
        Some((version, build)) if numbered && !build.contains('_') => format!("{version}+{build}"),
        _ => tag.to_owned(),
    }
}

/// The text as errors may show it: of a path or an address that may hold a user name and a password before an `@`, only what
/// follows. What begins as a path does (`/`, `.`, `C:\\`) holds none.
///
/// ```
/// use chartoci::oci::reference::without_userinfo;
/// assert_eq!(without_userinfo("https://ada:secret@reg.example/web"), "…@reg.example/web");
/// assert_eq!(without_userinfo("./10:30/web@home.tgz"), "./10:30/web@home.tgz");
/// ```
pub fn without_userinfo(text: &str) -> String {
    let is_drive = matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
    match text.rsplit_once('@') {
        Some((before, after))
            if before.contains(':') && carries_userinfo(bare) && !is_drive && !text.starts_with(['/', '\\', '.']) =>
        {
            format!("…@{after}")
        }
        _ => text.to_owned(),
    }
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    alphanumeric(*first)
        && alphanumeric(*last)
        && text
            .split(|c: char| c.is_ascii() && alphanumeric(c as u8))
            .all(|separator| matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-'))
}

/// What follows `oci://`, if that is there.
fn after_scheme(text: &str) -> Result<&str, Error> {
    if let Some(rest) = text.strip_prefix(SCHEME) {
        return Ok(rest);
    }
    let Some((scheme, _)) = text.split_once("://") else { return Ok(text) };
    // What does not look like a scheme is not repeated: it may hold a password.
    let plain = scheme.len() <= 16 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    let error = match plain {
        true => Error::new(Code::REFERENCE_SCHEME, format!("the scheme is {scheme}://, and oci:// is wanted"))
            .with("scheme", scheme),
        false => Error::new(Code::REFERENCE_SCHEME, "what stands before :// is no scheme"),
    };
    Err(match scheme.to_ascii_lowercase().as_str() {
        "oci" => error.with_hint("Write oci:// in lower case."),
        "http" => error.with_hint("Write oci://HOST/PATH, and ask for plain http by its option (`plain_http`)."),
        "https" => error.with_hint("Write oci://HOST/PATH: https is what is spoken unless plain http is asked for."),
        _ => error,
    })
}

/// Something other than a registry and a repository stands before an `@`, or something other than a digest behind it.
fn carries_userinfo(bare: &str) -> bool {
    let Some((before, after)) = bare.rsplit_once('@') else { return false };
    let is_digest = ["sha256:", "sha512:"].iter().any(|name| after.starts_with(name));
    // Without a digest behind it, `user:pass/word@host` looks like a registry of an odd port.
    let is_registry = before.split_once('/').is_some_and(|(registry, _)| is_registry(registry));
    before.contains('@') || after.contains('/') || !(is_digest || is_registry)
}

/// Registry, and all that follows the first `/`. Userinfo is found here, before any part is repeated in a message.
fn split(text: &str) -> Result<(&str, &str), Error> {
    let bare = after_scheme(text)?;
    let slash = bare.find('/');
    if carries_userinfo(bare) {
        return Err(Error::new(Code::REFERENCE_USERINFO, "the reference carries a user name or a password"));
    }
    match slash.map(|slash| bare.split_at(slash)) {
        _ if bare.is_empty() => Err(Error::new(Code::REFERENCE_REGISTRY, "the reference names no registry")),
        Some(("", _)) => {
            Err(Error::new(Code::REFERENCE_REGISTRY, "no registry stands before the first /")
                .with("reference", clip(text)))
        }
        Some((registry, rest)) => Ok((registry, &rest[1..])),
        None => Err(missing_repository(bare)),
    }
}

fn missing_repository(text: &str) -> Error {
    Error::new(Code::REFERENCE_REPOSITORY, format!("{:?} names no repository", clip(text)))
        .with("reference", clip(text))
        .with_hint("Write REGISTRY/REPOSITORY, such as registry.example/charts/web: there is no default registry.")
}

fn parse_tag(text: &str) -> Result<String, Error> {
    let tag = text.replace('+', "_");
    if is_tag(&tag) {
        return Ok(tag);
    }
    let error = match text {
        "" => Error::new(Code::REFERENCE_TAG, "a colon stands at the end, and no tag after it")
            .with_hint("Name a tag after the colon, or leave the colon out."),
        _ => Error::new(Code::REFERENCE_TAG, format!("invalid tag {:?}", clip(text))),
    };
    Err(error.with("tag", clip(text)))
}

fn check_repository(name: &str) -> Result<(), Error> {
    if is_repository_name(name) {
        return Ok(());
    }
    let error = Error::new(Code::REFERENCE_REPOSITORY, format!("invalid repository {:?}", clip(name)))
        .with("repository", clip(name));
    let lower = name.to_ascii_lowercase();
    let collapsed = name.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    Err(if name.is_empty() {
        error.with_hint("Name a repository after the registry, such as registry.example/charts/web.")
    } else if name.len() > REPOSITORY_LENGTH {
        error
            .with_hint(format!("A repository has at most {REPOSITORY_LENGTH} characters; this one has {}.", name.len()))
    } else if is_repository_name(&lower) {
        error.with_hint(format!("Write it in lower case: {lower}."))
    } else if name.split('/').any(|part| matches!(part, "." | "..")) {
        error.with_hint("A repository is a name, not a path: . and .. mean nothing in it. Write it out.")
    } else if is_repository_name(&collapsed) {
        error.with_hint(format!("Write one / between the parts and none at the end: {collapsed}."))
    } else {
        error
    })
}

fn check_registry(text: &str) -> Result<(), Error> {
    let refused = |why: &str| {
        Err(Error::new(Code::REFERENCE_REGISTRY, format!("invalid registry {:?}: {why}", clip(text)))
            .with("registry", clip(text)))
    };
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.contains('%') {
                return refused("an address with a zone means something on one machine only");
            }
            let plain = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            if !plain || address.parse::<Ipv6Addr>().is_err() {
                return refused("no IPv6 address stands in the brackets");
            }
            ("", port)
        }
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => {}
        None => return refused("only :PORT may follow the brackets"),
        Some(digits) => {
            let numeric = digits.bytes().all(|b| b.is_ascii_digit());
            if !numeric || !digits.parse::<u16>().is_ok_and(|port| port > 0) {
                return refused(match text.matches(':').count() {
                    1 => "a port is a number from 1 to 65535",
                    _ => "a port is a number from 1 to 65535, and an IPv6 address stands in brackets",
                });
            }
        }
    }
    if text.starts_with('[') && host.is_empty() {
        return Ok(());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            // RFC 1123 knows no underscore in a host's name; networks of containers do, and Helm takes it.
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if host.len() > HOST_LENGTH || !host.split('.').all(label) {
        return refused("a host has letters, digits and - in parts that are divided by single dots");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA256: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn code(text: &str) -> &'static str {
        Reference::parse(text).map_or_else(|error| error.code().name(), |reference| panic!("{text} is {reference}"))
    }

    #[test]
    fn a_reference_is_read_with_and_without_its_scheme() {
        for text in ["oci://test:5000/repo", "test:5000/repo"] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.registry(), reference.repository()), ("test:5000", "repo"));
            assert_eq!((reference.tag(), reference.digest()), (None, None));
        }
    }

    #[test]
    fn a_plus_in_the_tag_becomes_an_underscore_and_nothing_else_does() {
        let reference = Reference::parse("h/1.0/web:1.0+001").unwrap();
        assert_eq!((reference.repository(), reference.tag()), ("1.0/web", Some("1.0_001")));
        assert_eq!(code("h/a+b:1"), "reference.repository");
    }

    #[test]
    fn tag_and_digest_are_both_kept() {
        let text = format!("oci://[2001:db8::1]:5000/repo:tag@{SHA256}");
        let reference = Reference::parse(&text).unwrap();
        assert_eq!((reference.registry(), reference.tag()), ("[2001:db8::1]:5000", Some("tag")));
        assert_eq!(reference.to_string(), text);
    }

    #[test]
    fn each_mistake_has_its_code() {
        for (text, expected) in [
            ("", "reference.registry"),
            ("oci://", "reference.registry"),
            ("oci:///x", "reference.registry"),
            ("-test.com/x", "reference.registry"),
            ("test..com/x", "reference.registry"),
            ("[fe80::1%eth0]:5000/repo", "reference.registry"),
            ("[2001:db8:3:4::192.0.2.33]:5000/repo", "reference.registry"),
            ("2001:db8::1/repo", "reference.registry"),
            ("[2001:db8::1]x/repo", "reference.registry"),
            ("h:0/r", "reference.registry"),
            ("h:65536/r", "reference.registry"),
            ("h:/r", "reference.registry"),
            ("h:+1/r", "reference.registry"),
            ("[2001:db8::1]", "reference.repository"),
            ("oci://h", "reference.repository"),
            ("oci://h/", "reference.repository"),
            ("test.com:5000", "reference.repository"),
            ("h/R", "reference.repository"),
            ("h/a//b", "reference.repository"),
            ("h/a/../b", "reference.repository"),
            ("h/a:b/c", "reference.repository"),
            ("h/aa/asdf$$^/aa", "reference.repository"),
            ("h/r:", "reference.tag"),
            ("h/r:a b", "reference.tag"),
            ("h/r@", "reference.digest"),
            ("h/r@sha256:aaaa", "reference.digest"),
            ("h/r:1@c", "reference.digest"),
            ("http://h/r", "reference.scheme"),
            ("OCI://h/r", "reference.scheme"),
            ("user:secret@h/r", "reference.userinfo"),
            ("user:sec/ret@h/r", "reference.userinfo"),
            ("user:sec/ret@h", "reference.userinfo"),
            ("user:sec@ret@h", "reference.userinfo"),
            ("oci://user@h", "reference.userinfo"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(code(&format!("h/{}", "a".repeat(256))), "reference.repository");
        assert_eq!(code(&format!("web@{SHA256}")), "reference.repository");
    }

    #[test]
    fn no_error_repeats_a_password() {
        for text in [
            "user:secret@h/r",
            "oci://u:secret@h",
            "https://u:secret@h/r",
            "u:secret@h://x",
            "u:a/secret@h/r",
            "u:a/secret@h",
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert!(!format!("{error:?} {}", error.hint()).contains("secret"), "{error:?}");
            let error = Reference::for_push(text, "web", "1.0.0").unwrap_err();
            assert!(!format!("{error:?} {}", error.hint()).contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn an_upper_case_repository_is_offered_in_lower_case() {
        assert!(Reference::parse("h/Team/Web").unwrap_err().hint().contains("team/web"));
    }

    #[test]
    fn a_push_goes_below_its_target() {
        for (target, expected) in [
            ("oci://localhost:5000", "oci://localhost:5000/web:1.0.0_b"),
            ("oci://localhost:5000/", "oci://localhost:5000/web:1.0.0_b"),
            ("h//a///b//", "oci://h/a/b/web:1.0.0_b"),
            ("[::1]:5000/a", "oci://[::1]:5000/a/web:1.0.0_b"),
        ] {
            assert_eq!(Reference::for_push(target, "web", "1.0.0+b").unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_push_target_is_refused_with_its_reason() {
        for (target, name, version, expected) in [
            ("oci://h/x:1", "web", "1.0.0", "reference.push_target"),
            ("oci://h/x@sha256:aa", "web", "1.0.0", "reference.push_target"),
            ("oci://h/x/../y", "web", "1.0.0", "reference.repository"),
            ("oci://", "web", "1.0.0", "reference.registry"),
            ("https://h/x", "web", "1.0.0", "reference.scheme"),
            ("u@h/x", "web", "1.0.0", "reference.userinfo"),
            ("u@h", "web", "1.0.0", "reference.userinfo"),
            ("h/x", "Web", "1.0.0", "reference.repository"),
            ("h/x", "a/b", "1.0.0", "reference.repository"),
            ("h/x", "web", "", "reference.tag"),
        ] {
            assert_eq!(Reference::for_push(target, name, version).unwrap_err().code().name(), expected, "{target}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            registry in "([a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\\.[A-Z0-9]{1,4}){0,2}|\\[::[0-9a-f]{1,4}\\])(:[1-9][0-9]{0,3})?",
            name in "[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}(/[a-z0-9]{1,4}){0,3}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9._-]{0,12}"),
            digest in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..8)),
        ) {
            let repository = Repository::new(&registry, &name).unwrap();
            let reference = Reference::new(repository, tag, digest.map(|data| Digest::of(&data)));
            prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", name in "\\PC{0,10}") {
            let _ = (Reference::parse(&text), Reference::for_push(&text, &name, &text));
        }

        #[test]
        fn whatever_is_read_is_printed_and_read_again(text in "[a-b.:/@_+\\[\\]-]{0,16}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
            }
        }
    }

    #[test]
    fn repositories_and_tags_follow_the_specification() {
        for name in ["a", "a/b", "a.b", "a_b", "a__b", "a---b", "0/9"] {
            assert!(is_repository_name(name), "{name}");
        }
        for name in ["", "/", "a/", "a___b", "a..b", "a._b", "-a", "a-", "a b", "ä", &"a".repeat(256)] {
            assert!(!is_repository_name(name), "{name}");
        }
        assert!(is_tag("_1.2.3-rc.1") && is_tag(&"a".repeat(128)));
        assert!(!is_tag("") && !is_tag(".a") && !is_tag("-a") && !is_tag("a+b") && !is_tag(&"a".repeat(129)));
    }
}
