//! Descriptors (image-spec, descriptor.md): what a blob is, its digest, its size.

use super::Digest;

/// Names a blob: media type, digest, size in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// Such as `application/vnd.cncf.helm.config.v1+json`.
    pub media_type: String,
    /// Of the blob's bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}

impl Descriptor {
    /// Describes these bytes.
    ///
    /// ```
    /// use chartoci::Descriptor;
    /// let empty = Descriptor::of("application/vnd.oci.empty.v1+json", b"{}");
    /// assert_eq!(empty.size, 2);
    /// ```
    pub fn of(media_type: impl Into<String>, data: &[u8]) -> Descriptor {
        Descriptor { media_type: media_type.into(), digest: Digest::of(data), size: data.len() as u64 }
    }
}
