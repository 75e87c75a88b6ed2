//! `check`: everything that is wrong with a document, at once.

use crate::diagnostic::Report;
use crate::error::Error;
use crate::limits::Limits;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Document {
    Chart,
    ChartYaml,
    ChartLock,
    Values,
    Schema,
    Index,
    Manifest,
    Config,
    Provenance,
}

impl Document {
    /// By its name in the API: chart, chart.yaml, chart.lock, values, schema, index, manifest, config, provenance.
    ///
    /// # Errors
    /// Any other name.
    pub fn parse(text: &str) -> Result<Document, Error> {
        let _ = text;
        todo!()
    }
    /// What the bytes look like, with the file's name as a clue.
    pub fn guess(data: &[u8], filename: Option<&str>) -> Option<Document> {
        let _ = (data, filename);
        todo!()
    }
}

/// Looks at a document and lists all that is wrong with it.
///
/// # Errors
/// The kind was not given and cannot be guessed.
pub fn check(data: &[u8], kind: Option<Document>, filename: Option<&str>, limits: &Limits) -> Result<Report, Error> {
    let _ = (data, kind, filename, limits);
    todo!()
}
