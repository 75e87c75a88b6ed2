//! Where Helm meets OCI: a chart as a manifest (Helm 4.3, `pkg/registry/client.go`, `chart.go`).

use std::collections::BTreeMap;

use crate::chart::{Metadata, Scan};
use crate::diagnostic::Report;
use crate::error::Error;
use crate::limits::Limits;
use crate::oci::{Descriptor, Digest, Manifest};
use crate::time::Timestamp;

/// The config blob: Chart.yaml as JSON.
pub const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The chart layer: the `.tgz`, byte for byte.
pub const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The provenance layer: the `.prov` file.
pub const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// The chart layer of Helm 3.0 to 3.6; read, never written.
pub const LEGACY_CHART: &str = "application/tar+gzip";

/// What lies at a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum What {
    Chart,
    Image,
    Index,
    Other,
}

/// A manifest and what it means.
#[derive(Clone, Debug)]
pub struct Artifact {
    manifest: Vec<u8>,
    digest: Digest,
    parsed: Manifest,
    config: Option<Vec<u8>>,
    report: Report,
}

impl Artifact {
    /// The manifest and config that `helm push` makes of a chart, its provenance, and the time of the archive's file.
    ///
    /// # Errors
    /// The provenance is larger than [`Limits::provenance`].
    pub fn build(scan: &Scan, provenance: Option<&[u8]>, created: Option<Timestamp>) -> Result<Artifact, Error> {
        let _ = (scan, provenance, created);
        todo!()
    }

    /// Reads a manifest and says what it is; what is wrong with it stands in [`Artifact::report`].
    ///
    /// # Errors
    /// Only what is no manifest at all.
    pub fn parse(manifest: &[u8], limits: &Limits) -> Result<Artifact, Error> {
        let _ = (manifest, limits);
        todo!()
    }

    /// The manifest's bytes.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }
    /// The manifest's digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
    /// The config's bytes, if it was built here.
    pub fn config(&self) -> Option<&[u8]> {
        self.config.as_deref()
    }
    /// The config's descriptor.
    pub fn config_descriptor(&self) -> &Descriptor {
        &self.parsed.config
    }
    /// All layers, in the manifest's order.
    pub fn layers(&self) -> &[Descriptor] {
        &self.parsed.layers
    }
    /// The manifest's annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.parsed.annotations
    }
    /// The layer that holds the chart.
    pub fn chart_layer(&self) -> Option<&Descriptor> {
        todo!()
    }
    /// The layer that holds the provenance.
    pub fn provenance_layer(&self) -> Option<&Descriptor> {
        todo!()
    }
    /// What it is.
    pub fn what(&self) -> What {
        todo!()
    }
    /// What is wrong with it.
    pub fn report(&self) -> &Report {
        &self.report
    }
    /// A few lines for people: what this is, what each part is for.
    pub fn explain(&self) -> String {
        todo!()
    }
}

/// The annotations of the manifest of a chart.
pub fn annotations(metadata: &Metadata, created: Option<Timestamp>) -> BTreeMap<String, String> {
    let _ = (metadata, created);
    todo!()
}
