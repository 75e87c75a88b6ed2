//! Versions and constraints as Masterminds/semver 3.5 reads them, and their tags.

pub mod constraint;
pub mod tag;
#[allow(clippy::module_inception)]
pub mod version;

pub use constraint::Constraint;
pub use version::Version;
