//! Packing a directory (Helm 4.3, `helm package`), deterministically. A file machine.

use super::Metadata;
use crate::files::{Answer, Step};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::time::Timestamp;

/// What may be set while packing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Replaces Chart.yaml's version.
    pub version: Option<String>,
    /// Replaces Chart.yaml's appVersion.
    pub app_version: Option<String>,
    /// Time of every entry; without it each file's own time is used, as Helm 4 does.
    pub created: Option<Timestamp>,
}

/// A packed chart.
#[derive(Clone, Debug)]
pub struct Packaged {
    /// `NAME-VERSION.tgz`.
    pub filename: String,
    /// The archive.
    pub data: Vec<u8>,
    /// Of the archive.
    pub digest: Digest,
    /// From its Chart.yaml.
    pub metadata: Metadata,
}

/// Reads a chart's directory (the root of its verbs) and packs it.
#[derive(Debug)]
pub struct Package {}

impl Package {
    /// Starts.
    pub fn new(options: Options, limits: &Limits) -> Package {
        let _ = (options, limits);
        todo!()
    }
    /// What to do next.
    pub fn poll(&mut self) -> Step<Packaged> {
        todo!()
    }
    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let _ = answer;
        todo!()
    }
}
