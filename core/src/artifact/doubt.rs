//! Whether the config of a chart that was pulled says what its Chart.yaml says. Helm asks for it and does not compare.

use super::Artifact;
use crate::chart::Metadata;
use crate::error::{Code, Error, Kind};
use crate::limits::Limits;
use crate::oci::Descriptor;

/// A config that is not the one that Helm makes of the chart's Chart.yaml, byte for byte: what it says is to be asked for
/// ([`Exchange::config`](crate::exchange::Exchange::config)), and is worth a notice where it is something else.
///
/// ```
/// use chartoci::artifact::{Artifact, Doubt};
/// use chartoci::chart::{Package, Scan, package::Options};
/// use chartoci::files::{Memory, Step};
/// use chartoci::oci::Digest;
///
/// let limits = chartoci::Limits::default();
/// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// # let mut package = Package::new(Options::default(), &limits);
/// # let chart = loop {
/// #     match package.poll() {
/// #         Step::Do(verb) => package.handle(files.execute(verb)),
/// #         Step::Done(result) => break result?,
/// #     }
/// # };
/// let artifact = Artifact::build(&Scan::read(&chart.data, &limits)?, None, None, &limits)?;
/// assert!(Doubt::of(artifact.manifest(), &chart.data, &limits).is_none());
///
/// // Somebody has pushed the chart with another config.
/// let config = br#"{"name": "web", "version": "2.0.0", "apiVersion": "v2"}"#;
/// let honest = artifact.config_descriptor().unwrap().digest.to_string();
/// let manifest = String::from_utf8_lossy(artifact.manifest()).replace(&honest, Digest::of(config).as_str());
/// let doubt = Doubt::of(manifest.as_bytes(), &chart.data, &limits).unwrap();
/// assert_eq!(doubt.config().digest, Digest::of(config));
/// let (code, text) = doubt.settle(Ok(config)).unwrap();
/// assert_eq!(code.name(), "artifact.config");
/// assert!(text.contains(r#"version is "2.0.0", and "1.0.0" in Chart.yaml"#));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Doubt {
    metadata: Metadata,
    config: Descriptor,
    limits: Limits,
}

impl Doubt {
    /// Of a manifest and of the archive, whose first [`Metadata::FRONT`] bytes are enough. None where there is nothing to ask;
    /// nor is there about what cannot be read: Helm pulls what is no chart as well.
    pub fn of(manifest: &[u8], archive: &[u8], limits: &Limits) -> Option<Doubt> {
        let artifact = Artifact::parse(manifest, limits).ok()?;
        let metadata = Metadata::peek(archive, limits).ok()?;
        let config = artifact.config_descriptor().filter(|_| artifact.may_contradict(&metadata))?.clone();
        Some(Doubt { metadata, config, limits: limits.clone() })
    }

    /// What is to be asked for.
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The notice that comes of the config, or of what it could not be had for: code and words. None where it says the same, or
    /// where nobody said anything.
    pub fn settle(&self, config: Result<&[u8], &Error>) -> Option<(Code, String)> {
        let found = config.map(|config| self.metadata.contradiction(config, &self.limits));
        let told = |error: &Error| Some((error.code(), error.to_string()));
        match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => told(&error),
            Err(error) => match error.kind() {
                Kind::Integrity | Kind::Invalid | Kind::Limit => told(error),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Package, Scan, package::Options};
    use crate::files::{Memory, Step};
    use crate::oci::Digest;

    const CHART_YAML: &str = "apiVersion: v2\nname: web\nversion: 1.0.0";

    /// An archive and its manifest, whose config is of that digest.
    fn pulled(config: &[u8]) -> (Vec<u8>, String) {
        let limits = Limits::default();
        let mut files = Memory::from_iter([("Chart.yaml", CHART_YAML)]);
        let mut package = Package::new(Options::default(), &limits);
        let archive = loop {
            match package.poll() {
                Step::Do(verb) => package.handle(files.execute(verb)),
                Step::Done(result) => break result.unwrap().data,
            }
        };
        let artifact = Artifact::build(&Scan::read(&archive, &limits).unwrap(), None, None, &limits).unwrap();
        let manifest = String::from_utf8(artifact.manifest().to_vec()).unwrap();
        let real = artifact.config_descriptor().unwrap().digest.to_string();
        (archive, manifest.replace(&real, Digest::of(config).as_str()))
    }

    #[test]
    fn what_the_config_says_otherwise_is_a_notice_and_what_nobody_said_is_none() {
        let other = br#"{"name":"web","version":"2.0.0","apiVersion":"v2"}"#;
        let (archive, manifest) = pulled(other);
        let doubt = Doubt::of(manifest.as_bytes(), &archive, &Limits::default()).unwrap();
        assert_eq!(doubt.config().digest, Digest::of(other));
        let (code, text) = doubt.settle(Ok(other)).unwrap();
        assert_eq!(code.name(), "artifact.config");
        assert!(text.contains(r#"version is "2.0.0", and "1.0.0" in Chart.yaml"#));
        assert_eq!(doubt.settle(Ok(br#"{"apiVersion": "v2", "version": "1.0.0", "name": "web"}"#)), None);
        assert!(doubt.settle(Ok(b"{")).is_some());
        for (code, is_told) in [
            (Code::DIGEST_MISMATCH, true),
            (Code::LIMIT_BLOB, true),
            (Code::BLOB_UNKNOWN, false),
            (Code::AUTH_REFUSED, false),
            (Code::TRANSPORT_TIMEOUT, false),
        ] {
            assert_eq!(doubt.settle(Err(&Error::new(code, "why"))).is_some(), is_told, "{code}");
        }
    }

    #[test]
    fn nothing_is_asked_about_what_is_no_chart() {
        let (archive, manifest) = pulled(b"{}");
        let doubts = |manifest: &[u8], archive: &[u8]| Doubt::of(manifest, archive, &Limits::default()).is_some();
        assert!(doubts(manifest.as_bytes(), &archive));
        assert!(!doubts(manifest.as_bytes(), b"no archive"));
        assert!(!doubts(b"{}", &archive));
        let image = manifest.replace(super::super::CONFIG, "application/vnd.oci.image.config.v1+json");
        assert!(!doubts(image.as_bytes(), &archive));
    }
}
