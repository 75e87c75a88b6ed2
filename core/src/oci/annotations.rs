//! Annotation keys that the image specification defines (annotations.md).

/// When the artifact was made, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";
/// Who is responsible.
pub const AUTHORS: &str = "org.opencontainers.image.authors";
/// Where to read more.
pub const URL: &str = "org.opencontainers.image.url";
/// Where the source is.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// Which version.
pub const VERSION: &str = "org.opencontainers.image.version";
/// What it is called.
pub const TITLE: &str = "org.opencontainers.image.title";
/// What it is.
pub const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The name of a manifest in a layout's index.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
