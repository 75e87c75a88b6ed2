//! `helm show`, to the byte.

use super::Archive;
use crate::error::Error;

/// Which part is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Section {
    All,
    Chart,
    Values,
    Readme,
    Crds,
}

impl Section {
    /// The section of that name: all, chart, values, readme, crds.
    ///
    /// # Errors
    /// Any other name.
    pub fn parse(text: &str) -> Result<Section, Error> {
        let _ = text;
        todo!()
    }
}

/// The bytes that `helm show` (4.3) prints.
pub fn show(archive: &Archive, section: Section) -> Vec<u8> {
    let _ = (archive, section);
    todo!()
}
