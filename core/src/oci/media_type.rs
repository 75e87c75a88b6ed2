//! Media types of the OCI image specification, and of Docker where registries still answer with them.

/// An image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A Docker manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The config of a container image.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The config of a container image, as Docker names it.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// The empty descriptor's content, `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Bytes of no declared kind.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// The type without parameters, lower case: what `Content-Type: …; charset=utf-8` means.
///
/// ```
/// assert_eq!(chartoci::oci::media_type::essence("Text/HTML; charset=utf-8"), "text/html");
/// ```
pub fn essence(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `TYPE/SUBTYPE` as names are registered (RFC 6838, section 4.2), parameters aside.
///
/// ```
/// use chartoci::oci::media_type::is_media_type;
/// assert!(is_media_type("application/vnd.oci.image.manifest.v1+json") && is_media_type("text/html; charset=utf-8"));
/// assert!(!is_media_type("") && !is_media_type("sbom") && !is_media_type("a/b/c") && !is_media_type("a b/c"));
/// ```
pub fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.len() <= 127
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    essence(text).split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}
