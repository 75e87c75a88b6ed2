//! Image manifests (image-spec, manifest.md): read leniently, kept as bytes.

use std::collections::BTreeMap;

use super::Descriptor;
use crate::diagnostic::Report;
use crate::error::Error;
use crate::limits::Limits;

/// A manifest that was read. Its bytes are the truth; this is a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `mediaType`, if the document has one.
    pub media_type: Option<String>,
    /// `artifactType`, if the document has one.
    pub artifact_type: Option<String>,
    /// The config's descriptor.
    pub config: Descriptor,
    /// The layers' descriptors, in order.
    pub layers: Vec<Descriptor>,
    /// What this manifest is about, if anything.
    pub subject: Option<Descriptor>,
    /// Annotations of the manifest itself.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest. The report holds what is odd and yet legible.
    ///
    /// # Errors
    /// What is no manifest at all: no JSON object, no config, no layers, a descriptor without digest or size.
    pub fn parse(data: &[u8], limits: &Limits) -> Result<(Manifest, Report), Error> {
        let _ = (data, limits);
        todo!()
    }
}
