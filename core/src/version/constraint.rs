//! Constraints: `^1.2 || ~3`, with Masterminds' meaning.

use super::Version;
use crate::error::Error;

/// Which versions are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    text: String,
}

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// [`Code::VERSION_CONSTRAINT`](crate::Code::VERSION_CONSTRAINT).
    pub fn parse(text: &str) -> Result<Constraint, Error> {
        let _ = text;
        todo!()
    }

    /// The version satisfies it. A pre-release does only where the constraint names one (or none is excluded).
    pub fn matches(&self, version: &Version) -> bool {
        let _ = version;
        todo!()
    }

    /// The highest of those that satisfy it.
    pub fn pick<'a>(&self, versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
        let _ = versions.into_iter();
        todo!()
    }

    /// The text that was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
