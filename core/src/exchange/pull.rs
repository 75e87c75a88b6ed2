//! Pull: the manifest, then the layers that are wanted, in parallel.

use crate::oci::{Descriptor, Digest, Reference};

/// Which parts of a chart are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The chart layer, into `BlobId` 0.
    pub chart: bool,
    /// The provenance layer, into `BlobId` 1, where there is one.
    pub provenance: bool,
    /// The config blob, into [`Pulled::config`].
    pub config: bool,
}

/// What to pull.
#[derive(Clone, Debug)]
pub struct Pull {
    /// From where; its tag may be a version or a range in `version` instead.
    pub reference: Reference,
    /// A version or a range, as Helm's `--version`.
    pub version: Option<String>,
    /// Pre-releases too, as Helm's `--devel`; nothing where a version is given.
    pub devel: bool,
    /// Which parts.
    pub want: Want,
    /// With tag and digest given: ask that the tag has this digest, as Helm does. Costs one request.
    pub check_tag: bool,
}

/// What was pulled. Blobs are in the host's sinks, verified.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// Repository, and the tag or digest that was pulled.
    pub reference: Reference,
    /// The version that the tag stands for, if there is a tag.
    pub version: Option<String>,
    /// Of the manifest.
    pub digest: Digest,
    /// Its bytes.
    pub manifest: Vec<u8>,
    /// Its media type, as served.
    pub media_type: String,
    /// The config's bytes, if they were wanted.
    pub config: Option<Vec<u8>>,
    /// The chart layer, if it is in `BlobId` 0.
    pub chart: Option<Descriptor>,
    /// The provenance layer, if it is in `BlobId` 1.
    pub provenance: Option<Descriptor>,
}

impl Pulled {
    /// `NAME-VERSION.tgz`, as Helm names the file; `None` if it was pulled by digest alone (then Chart.yaml says).
    pub fn filename(&self) -> Option<String> {
        todo!()
    }
}
