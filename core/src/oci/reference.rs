//! References: `[oci://]REGISTRY/REPOSITORY[:TAG][@DIGEST]` (distribution-spec, "Pulling manifests"; Helm 4.3,
//! `pkg/registry/reference.go`).

use std::fmt;

use super::Digest;
use crate::error::Error;

/// A registry and a repository in it.
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
        let _ = text;
        todo!()
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
    /// Reads a reference, with or without `oci://`. `+` in a tag becomes `_`.
    ///
    /// # Errors
    /// The `reference.*` codes: another scheme, userinfo, an invalid registry, repository, tag or digest.
    pub fn parse(text: &str) -> Result<Reference, Error> {
        let _ = text;
        todo!()
    }

    /// A reference of these parts.
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

    /// The version that the tag stands for: `_` turned into `+`.
    pub fn version(&self) -> Option<String> {
        todo!()
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
