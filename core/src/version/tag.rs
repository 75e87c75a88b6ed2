//! Tags and versions: `+` cannot stand in a tag, so Helm writes `_`.

use super::{Constraint, Version};
use crate::error::Error;

/// The tag of a version: every `+` becomes `_`.
pub fn from_version(version: &str) -> String {
    version.replace('+', "_")
}

/// The version of a tag: every `_` becomes `+`.
pub fn to_version(tag: &str) -> String {
    tag.replace('_', "+")
}

/// The versions among a repository's tags, newest first: tags that are no strict versions are set aside, pre-releases
/// too unless `prerelease` or the constraint asks for them. (Helm 4.3, `pkg/registry/client.go`, Tags.)
pub fn versions<S: AsRef<str>>(tags: &[S], constraint: Option<&Constraint>, prerelease: bool) -> Vec<Version> {
    let _ = (tags, constraint, prerelease);
    todo!()
}

/// How a wanted version is to be found (Helm 4.3, `ValidateReference`; spec: literal tags are not listed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This very tag, without asking for the list.
    Tag(String),
    /// The best of the list.
    Range(Constraint),
}

/// What `--version` means: a loose version is a literal tag, anything else a range; nothing is `*` (with `devel`:
/// `>0.0.0-0`).
///
/// # Errors
/// Neither a version nor a constraint nor a valid tag.
pub fn selector(version: Option<&str>, devel: bool) -> Result<Selector, Error> {
    let _ = (version, devel);
    todo!()
}

/// The tag that `wanted` selects: an exact text first, then the newest that satisfies it.
pub fn pick<S: AsRef<str>>(tags: &[S], wanted: &Constraint) -> Option<String> {
    let _ = (tags, wanted);
    todo!()
}
