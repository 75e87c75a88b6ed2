//! Tags and versions: `+` cannot stand in a tag, so Helm writes `_`.

use super::{Constraint, Version};
use crate::error::Error;
use crate::oci::reference::{is_tag, version_of_tag};
use crate::order;

/// The tag of a version: every `+` becomes `_`.
///
/// ```
/// assert_eq!(chartoci::version::tag::from_version("1.2.3+b1"), "1.2.3_b1");
/// ```
pub fn from_version(version: &str) -> String {
    version.replace('+', "_")
}

/// The version of a tag: `_` becomes `+`, if the tag can stand for a version at all ([`version_of_tag`]).
///
/// ```
/// assert_eq!(chartoci::version::tag::to_version("1.2.3_b1"), "1.2.3+b1");
/// ```
pub fn to_version(tag: &str) -> String {
    version_of_tag(tag)
}

/// The versions among a repository's tags, newest first: tags that are no strict versions are set aside, pre-releases
/// too unless `prerelease` or the constraint asks for them. (Helm 4.3, `pkg/registry/client.go`, Tags.)
///
/// Helm leaves the order of versions of one precedence open; here their build metadata decides.
///
/// ```
/// use chartoci::version::tag::versions;
/// let tags = ["1.0.0", "latest", "1.10.0", "2.0.0-rc.1", "1.9.0_b1"];
/// let newest_first: Vec<String> = versions(&tags, None, false).iter().map(ToString::to_string).collect();
/// assert_eq!(newest_first, ["1.10.0", "1.9.0+b1", "1.0.0"]);
/// ```
pub fn versions<S: AsRef<str>>(tags: &[S], constraint: Option<&Constraint>, prerelease: bool) -> Vec<Version> {
    newest_first(&mut tags.iter().map(|tag| to_version(tag.as_ref())), constraint, prerelease)
}

/// As [`versions`], of tags that nobody needs any more.
pub(crate) fn into_versions(tags: Vec<String>, constraint: Option<&Constraint>, prerelease: bool) -> Vec<Version> {
    // What stands for itself is not written anew.
    let texts = tags.into_iter().map(|tag| if tag.contains('_') { to_version(&tag) } else { tag });
    newest_first(&mut { texts }, constraint, prerelease)
}

fn newest_first(
    texts: &mut dyn Iterator<Item = String>,
    constraint: Option<&Constraint>,
    prerelease: bool,
) -> Vec<Version> {
    let mut versions = Vec::with_capacity(texts.size_hint().0);
    versions.extend(texts.filter_map(Version::strict).filter(|version| match constraint {
        Some(constraint) => constraint.admits(version, prerelease),
        None => prerelease || version.prerelease().is_empty(),
    }));
    order::sort(&mut versions, |a: &Version, b| b < a);
    versions.dedup();
    versions
}

/// How a wanted version is to be found (Helm 4.3, `ValidateReference`; spec: literal tags are not listed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This very tag, without asking for the list.
    Tag(String),
    /// The best of the list.
    Range(Constraint),
}

/// What `--version` means, or the tag of a reference where there is no `--version`; nothing, or an empty text, is `*` (with
/// `devel`: `>0.0.0-0`, which every version satisfies but 0.0.0-0 itself).
///
/// | text | is | Helm 4.3 |
/// | --- | --- | --- |
/// | `1.2.3`, `v1.2`, `1` | that very tag, not a range | the same |
/// | `1.2.3+b1`, `1.2.3_b1` | the tag `1.2.3_b1` | refuses the second, and either in a reference |
/// | `^1.2`, `1.x`, `*` | the newest version that satisfies it | the same |
/// | `latest`, `stable-2` | that very tag | `improper constraint` |
///
/// ```
/// use chartoci::version::tag::{Selector, selector};
/// assert_eq!(selector(Some("1.2.3+b1"), false)?, Selector::Tag("1.2.3_b1".to_owned()));
/// assert_eq!(selector(Some("latest"), false)?, Selector::Tag("latest".to_owned()));
/// assert!(matches!(selector(Some("^1.2"), false)?, Selector::Range(_)));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::VERSION_CONSTRAINT`](crate::Code::VERSION_CONSTRAINT): neither a version nor a constraint nor a valid tag.
pub fn selector(version: Option<&str>, devel: bool) -> Result<Selector, Error> {
    let text = match version {
        Some(text) if !text.is_empty() => text,
        _ if devel => ">0.0.0-0",
        _ => "*",
    };
    let tag = from_version(text);
    if Version::parse(&to_version(text)).is_ok() && is_tag(&tag) {
        return Ok(Selector::Tag(tag));
    }
    match Constraint::parse(text) {
        Ok(constraint) => Ok(Selector::Range(constraint)),
        Err(_) if is_tag(text) => Ok(Selector::Tag(text.to_owned())),
        Err(error) => Err(error),
    }
}

/// The tag that `wanted` selects: an exact text first, then the newest that satisfies it.
///
/// ```
/// use chartoci::{Constraint, version::tag::pick};
/// let tags = ["1.0.0", "1.2.0_b1", "1.2.0_b2", "2.0.0-rc.1", "latest"];
/// assert_eq!(pick(&tags, &Constraint::parse("^1")?).as_deref(), Some("1.2.0_b2"));
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn pick<S: AsRef<str>>(tags: &[S], wanted: &Constraint) -> Option<String> {
    let versions = versions(tags, None, true);
    let exact = versions.iter().find(|version| version.as_str() == wanted.as_str());
    exact.or_else(|| versions.iter().find(|version| wanted.matches(version))).map(Version::tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Option<String> {
        match selector(Some(text), false).unwrap() {
            Selector::Tag(tag) => Some(tag),
            Selector::Range(_) => None,
        }
    }

    #[test]
    fn a_loose_version_is_a_literal_tag_with_plus_or_underscore() {
        for text in ["1", "1.2", "v1.2.3", "1.2.3_b.1", "06.0.0"] {
            assert_eq!(tag(text).as_deref(), Some(text));
        }
        assert_eq!(tag("1.2.3+b.1").as_deref(), Some("1.2.3_b.1"));
    }

    #[test]
    fn a_range_is_a_range_and_a_word_is_a_tag() {
        for text in ["*", "x", "1.x", ">0", "^1 || ~2", "1 - 2", "=1.2.3"] {
            assert_eq!(tag(text), None, "{text}");
        }
        for text in ["latest", "stable-2", "abc", "1.2.3-01"] {
            assert_eq!(tag(text).as_deref(), Some(text));
        }
        for text in [" ", "||", "==1.2.3", ">=abc", "a b"] {
            assert_eq!(selector(Some(text), false).unwrap_err().code().name(), "version.constraint", "{text}");
        }
    }

    #[test]
    fn nothing_means_any_release_and_devel_any_version() {
        let range = |text: &str| Selector::Range(Constraint::parse(text).unwrap());
        for nothing in [None, Some("")] {
            assert_eq!(selector(nothing, false).unwrap(), range("*"));
            assert_eq!(selector(nothing, true).unwrap(), range(">0.0.0-0"));
        }
        assert_eq!(selector(Some("^1"), true).unwrap(), range("^1"));
    }

    #[test]
    fn tags_that_are_no_strict_versions_are_set_aside() {
        let tags = ["latest", "v1.2.3", "4.0", "06.0.0", "sha256-abc.sig", "1.0.0_a_b", "1.0.0", "1.0.0", ""];
        assert_eq!(versions(&tags, None, true).iter().map(Version::as_str).collect::<Vec<_>>(), ["1.0.0"]);
    }
}
