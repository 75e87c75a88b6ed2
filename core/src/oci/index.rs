//! Image indexes (image-spec, image-index.md).

use super::Descriptor;
use crate::error::Error;
use crate::limits::Limits;

/// An index that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its entries.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// What is no index at all.
    pub fn parse(data: &[u8], limits: &Limits) -> Result<Index, Error> {
        let _ = (data, limits);
        todo!()
    }
}
