//! Chart.lock (Helm 4.3, `internal/resolver`).

use super::Dependency;
use crate::error::Error;
use crate::limits::Limits;

/// Which versions were chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// Name, version and repository of each.
    pub dependencies: Vec<Dependency>,
    /// Of the requirements and the choice: [`Lock::digest_for`].
    pub digest: String,
    /// When, as the file has it.
    pub generated: String,
}

impl Lock {
    /// Reads Chart.lock or requirements.lock.
    ///
    /// # Errors
    /// `yaml.*`, `chart.*`.
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Lock, Error> {
        let _ = (text, limits);
        todo!()
    }
    /// The digest that Helm writes for these requirements and that choice.
    pub fn digest_for(dependencies: &[Dependency], locked: &[Dependency]) -> String {
        let _ = (dependencies, locked);
        todo!()
    }
    /// As Helm writes the file.
    pub fn to_yaml(&self) -> String {
        todo!()
    }
}
