//! Resolve: which tag and digest a reference or a range means.

use crate::oci::{Digest, Reference};

/// What to resolve.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Where.
    pub reference: Reference,
    /// A version or a range.
    pub version: Option<String>,
    /// Pre-releases too.
    pub devel: bool,
}

/// What it means.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Repository, tag and digest.
    pub reference: Reference,
    /// The version that the tag stands for.
    pub version: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// Of the manifest.
    pub digest: Digest,
}
