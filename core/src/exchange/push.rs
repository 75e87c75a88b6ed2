//! Push: blobs first, in parallel, then the manifest under its tag.

use std::sync::Arc;

use crate::artifact::Artifact;
use crate::error::Error;
use crate::oci::{Descriptor, Digest, Reference};

/// What to do when the tag is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// Overwrite it, as Helm does, without asking.
    #[default]
    Overwrite,
    /// Do nothing if it has the very chart; overwrite nothing else: [`Code::`]`registry.exists`.
    SkipSame,
    /// Refuse.
    Refuse,
}

/// Where a blob's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Held by the core.
    Bytes(Arc<[u8]>),
    /// The host opens it: `BlobId` is its place in [`Push::uploads`].
    Host,
}

/// A blob to upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its digest and size.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub source: Source,
}

/// What to push. Plain data.
#[derive(Clone, Debug)]
pub struct Push {
    /// Repository and tag.
    pub target: Reference,
    /// Blobs; a `BlobId` is an index into them.
    pub uploads: Vec<Upload>,
    /// The manifest's bytes.
    pub manifest: Arc<[u8]>,
    /// The manifest's media type.
    pub media_type: String,
    /// What to do when the tag is there already.
    pub if_exists: IfExists,
}

impl Push {
    /// A chart to `TARGET/NAME:VERSION`, as `helm push` names it. Uploads: the config (held by the core), then the layers
    /// in the order chart, provenance (opened by the host: `BlobId` 1 is the chart, 2 the provenance).
    ///
    /// # Errors
    /// The target has another scheme, a tag or a digest; the chart's name or version cannot stand in a reference.
    pub fn chart(artifact: &Artifact, target: &str) -> Result<Push, Error> {
        let _ = (artifact, target);
        todo!()
    }
}

/// What became of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uploaded {
    /// Its bytes were sent.
    Sent,
    /// It was there already (mounted from the same or another repository).
    Mounted,
    /// It was there already, and nothing was asked.
    Existed,
}

/// What was pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Where: repository and tag.
    pub reference: Reference,
    /// Of the manifest.
    pub digest: Digest,
    /// Of manifest and blobs, in bytes.
    pub size: u64,
    /// What became of each blob.
    pub blobs: Vec<(Descriptor, Uploaded)>,
    /// Nothing was written: the tag had this very chart.
    pub skipped: bool,
}
