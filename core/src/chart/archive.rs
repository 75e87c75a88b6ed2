//! Chart archives (Helm 4.3, `pkg/chart/loader/archive`): every entry is looked at before anything is believed.

use super::{Lock, Metadata};
use crate::diagnostic::Report;
use crate::error::Error;
use crate::limits::Limits;
use crate::oci::Digest;

/// What a full pass over an archive found: the same verdict as [`Archive::read`], without keeping the files.
#[derive(Clone, Debug)]
pub struct Scan {
    /// From Chart.yaml, validated.
    pub metadata: Metadata,
    /// Of the packed bytes.
    pub digest: Digest,
    /// Packed bytes.
    pub size: u64,
    /// Unpacked bytes of all files.
    pub unpacked: u64,
    /// Warnings that did not stop it.
    pub report: Report,
}

impl Scan {
    /// Looks at every entry of a packed archive.
    ///
    /// # Errors
    /// `archive.*`, `chart.*`, `yaml.*`, limits; always with the entry's name.
    pub fn read(data: &[u8], limits: &Limits) -> Result<Scan, Error> {
        let _ = (data, limits);
        todo!()
    }
}

/// A chart archive, unpacked in memory.
#[derive(Clone, Debug)]
pub struct Archive {
    scan: Scan,
}

impl Archive {
    /// Reads a packed archive whole.
    ///
    /// # Errors
    /// As [`Scan::read`].
    pub fn read(data: &[u8], limits: &Limits) -> Result<Archive, Error> {
        let _ = (data, limits);
        todo!()
    }
    /// The verdict on the whole.
    pub fn scan(&self) -> &Scan {
        &self.scan
    }
    /// From Chart.yaml.
    pub fn metadata(&self) -> &Metadata {
        &self.scan.metadata
    }
    /// Paths below the chart's root, in the archive's order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [].into_iter()
    }
    /// The bytes of a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let _ = path;
        todo!()
    }
    /// values.yaml, as it is.
    pub fn values_yaml(&self) -> Option<&[u8]> {
        todo!()
    }
    /// values.yaml, as Helm reads it (documents merged; an empty mapping if absent).
    pub fn values(&self) -> &crate::yaml::Node {
        todo!()
    }
    /// values.schema.json, as it is.
    pub fn schema(&self) -> Option<&[u8]> {
        todo!()
    }
    /// Path and bytes of the README, as Helm finds it.
    pub fn readme(&self) -> Option<(&str, &[u8])> {
        todo!()
    }
    /// Paths of CRDs, as Helm finds them, the chart's own.
    pub fn crds(&self) -> Vec<&str> {
        todo!()
    }
    /// Paths of templates.
    pub fn templates(&self) -> Vec<&str> {
        todo!()
    }
    /// Chart.lock or requirements.lock.
    pub fn lock(&self) -> Option<&Lock> {
        todo!()
    }
    /// Charts vendored in `charts/`, by name.
    pub fn dependencies(&self) -> &[Archive] {
        todo!()
    }
}
