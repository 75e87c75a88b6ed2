//! A version, read as loosely as Helm does.

use std::fmt;

use crate::error::Error;

/// A semantic version: `v1.2` is read as 1.2.0, its text is kept. Ordered by precedence, then build metadata.
#[derive(Clone, Debug)]
pub struct Version {
    /* owner: documents */
    text: String,
}

impl Version {
    /// Reads as Helm reads Chart.yaml's version: optional `v`, one to three numbers, leading zeros.
    ///
    /// # Errors
    /// [`Code::VERSION_SYNTAX`](crate::Code::VERSION_SYNTAX).
    pub fn parse(text: &str) -> Result<Version, Error> {
        let _ = text;
        todo!()
    }

    /// Reads as Helm reads tags: exactly three numbers, no `v`, no leading zeros.
    ///
    /// # Errors
    /// [`Code::VERSION_SYNTAX`](crate::Code::VERSION_SYNTAX).
    pub fn parse_strict(text: &str) -> Result<Version, Error> {
        let _ = text;
        todo!()
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        todo!()
    }
    /// The second number, 0 if absent.
    pub fn minor(&self) -> u64 {
        todo!()
    }
    /// The third number, 0 if absent.
    pub fn patch(&self) -> u64 {
        todo!()
    }
    /// What follows `-`; empty if nothing does.
    pub fn prerelease(&self) -> &str {
        todo!()
    }
    /// What follows `+`; empty if nothing does.
    pub fn build(&self) -> &str {
        todo!()
    }
    /// The text that was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The tag: `+` turned into `_`.
    pub fn tag(&self) -> String {
        todo!()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl PartialEq for Version {
    fn eq(&self, _: &Version) -> bool {
        todo!()
    }
}
impl Eq for Version {}
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Version {
    fn cmp(&self, _: &Version) -> std::cmp::Ordering {
        todo!()
    }
}
impl std::hash::Hash for Version {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {
        todo!()
    }
}
