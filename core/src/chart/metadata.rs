//! Chart.yaml (Helm 4.3, `pkg/chart/v2/metadata.go`).

use std::collections::BTreeMap;

use super::Dependency;
use crate::diagnostic::Report;
use crate::error::Error;
use crate::limits::Limits;

/// What Chart.yaml says, validated and sanitised as Helm does when it loads a chart.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Metadata {
    pub name: String,
    pub home: String,
    pub sources: Vec<String>,
    pub version: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub maintainers: Vec<Maintainer>,
    pub icon: String,
    pub api_version: String,
    pub condition: String,
    pub tags: String,
    pub app_version: String,
    pub deprecated: bool,
    pub annotations: BTreeMap<String, String>,
    pub kube_version: String,
    pub dependencies: Vec<Dependency>,
    pub kind: String, // `type`: "", "application" or "library"
}

/// Who looks after a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Maintainer {
    pub name: String,
    pub email: String,
    pub url: String,
}

impl Metadata {
    /// Reads and validates Chart.yaml.
    ///
    /// # Errors
    /// `yaml.*` and `chart.*`, with the place.
    pub fn parse(chart_yaml: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        let _ = (chart_yaml, limits);
        todo!()
    }

    /// As [`Metadata::parse`], with `requirements.yaml` of an apiVersion v1 chart merged in, and with findings.
    ///
    /// # Errors
    /// As [`Metadata::parse`].
    pub fn load(chart_yaml: &[u8], requirements: Option<&[u8]>, limits: &Limits) -> Result<(Metadata, Report), Error> {
        let _ = (chart_yaml, requirements, limits);
        todo!()
    }

    /// Reads the metadata of an archive and stops at Chart.yaml: fast, unverified.
    ///
    /// # Errors
    /// As [`Metadata::parse`], and what keeps Chart.yaml from being found.
    pub fn peek(archive: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        let _ = (archive, limits);
        todo!()
    }

    /// Reads a config blob (JSON). What it says is a claim, not the chart's own word.
    ///
    /// # Errors
    /// No JSON object of that shape.
    pub fn from_config(config: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        let _ = (config, limits);
        todo!()
    }

    /// The bytes of the OCI config blob, as Helm writes it.
    pub fn config(&self) -> Vec<u8> {
        todo!()
    }

    /// As `helm show chart` prints it, without the blank line at the end; and as `helm package` writes it.
    pub fn to_yaml(&self) -> String {
        todo!()
    }
}
