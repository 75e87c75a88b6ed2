//! Where Helm meets OCI: a chart as a manifest (Helm 4.3, `pkg/registry/client.go`, `chart.go`).

mod doubt;

pub use doubt::Doubt;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::chart::{Metadata, Scan};
use crate::diagnostic::{Diagnostic, Report};
use crate::error::{Code, Error};
use crate::json;
use crate::limits::Limits;
use crate::oci::{Descriptor, Digest, Index, Manifest, annotations, media_type};
use crate::order;
use crate::time::Timestamp;

/// The config blob: Chart.yaml as JSON.
pub const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The chart layer: the `.tgz`, byte for byte.
pub const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The provenance layer: the `.prov` file.
pub const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// The chart layer of Helm 3.0 to 3.6; read, never written.
pub const LEGACY_CHART: &str = "application/tar+gzip";

/// The chart layer of Helm 3.0 beta 1 to 5: the `.tgz` as well, which Helm refuses by now.
pub const BETA_CHART: &str = "application/vnd.cncf.helm.chart.content.layer.v1+tar";
/// Layers of Helm 3.0 alpha 1 and 2: Chart.yaml was kept apart from the chart.
const ALPHA_METADATA: [&str; 2] =
    ["application/vnd.cncf.helm.chart.meta.v1+json", "application/vnd.cncf.helm.chart.meta.layer.v1+json"];

/// What lies at a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A Helm chart.
    Chart,
    /// A chart of Helm 3.0 alpha 1 or 2, whose Chart.yaml lies apart from it; nobody reads it any more.
    AlphaChart,
    /// A container image.
    Image,
    /// A list of manifests.
    Index,
    /// A signature, or a signed statement, about something else (cosign, sigstore, Notary, in-toto).
    Signature,
    /// None of these.
    Other,
}

impl What {
    /// Its name: `chart`, `alpha-chart`, `image`, `index`, `signature`, `other`.
    ///
    /// ```
    /// assert_eq!(chartoci::artifact::What::AlphaChart.as_str(), "alpha-chart");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            What::Chart => "chart",
            What::AlphaChart => "alpha-chart",
            What::Image => "image",
            What::Index => "index",
            What::Signature => "signature",
            What::Other => "other",
        }
    }
}

/// Types of configs, of artifacts and of layers that say that something vouches for something else.
const SIGNATURES: [&str; 5] = [
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.in-toto+json",
];

/// A manifest and what it means.
///
/// ```
/// use chartoci::{Artifact, Limits, artifact::What};
/// let manifest = br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json",
///     "digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580","size":99},"layers":[]}"#;
/// let artifact = Artifact::parse(manifest, &Limits::default())?;
/// assert_eq!(artifact.what(), What::Chart);
/// assert!(!artifact.report().is_ok(), "the chart itself is missing");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Artifact {
    manifest: Vec<u8>,
    digest: Digest,
    content: Content,
    config: Option<Vec<u8>>,
    report: Report,
}

#[derive(Clone, Debug)]
enum Content {
    Manifest(Box<Manifest>),
    Index(Index),
}

/// A manifest as Helm writes it: these members, in this order, and no `mediaType`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u8,
    config: WrittenDescriptor<'a>,
    layers: Vec<WrittenDescriptor<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDescriptor<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: u64,
}

impl<'a> From<&'a Descriptor> for WrittenDescriptor<'a> {
    fn from(descriptor: &'a Descriptor) -> WrittenDescriptor<'a> {
        WrittenDescriptor {
            media_type: &descriptor.media_type,
            digest: descriptor.digest.as_str(),
            size: descriptor.size,
        }
    }
}

impl Artifact {
    /// The manifest and config that `helm push` makes of a chart, its provenance, and the time of the archive's file: the
    /// very bytes of Helm 3.15 and later where it runs in UTC. Without `created` there is no such annotation (unless
    /// Chart.yaml brings one), and the same chart always has the same digest.
    ///
    /// ```
    /// use chartoci::chart::{Scan, package::Options, package_in_memory};
    /// use chartoci::{Artifact, Limits, artifact, files::Memory};
    /// let (limits, chart_yaml) = (Limits::default(), "apiVersion: v2\nname: web\nversion: 1.0.0");
    /// let mut files = Memory::from_iter([("Chart.yaml", chart_yaml)]);
    /// let chart = package_in_memory(&mut files, Options::default(), &limits)?;
    /// let artifact = Artifact::build(&Scan::read(&chart.data, &limits)?, None, None, &limits)?;
    /// assert_eq!(artifact.config(), Some(&br#"{"name":"web","version":"1.0.0","apiVersion":"v2"}"#[..]));
    /// assert_eq!(artifact.chart_layer().map(|layer| &layer.digest), Some(&chart.digest));
    /// assert_eq!((artifact.layers().len(), artifact.provenance_layer()), (1, None));
    /// assert_eq!(artifact.config_descriptor().map(|config| config.media_type.as_str()), Some(artifact::CONFIG));
    /// assert_eq!(artifact.annotations()["org.opencontainers.image.title"], "web");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::ARGUMENT`]: the chart is not [packed](Scan::is_packed). [`Code::LIMIT_DOCUMENT`]: the provenance is larger than [`Limits::provenance`], or the manifest than
    /// [`Limits::manifest`].
    pub fn build(
        scan: &Scan,
        provenance: Option<&[u8]>,
        created: Option<Timestamp>,
        limits: &Limits,
    ) -> Result<Artifact, Error> {
        let bounded = |what: &'static str, size: usize, limit: u64| match size as u64 > limit {
            true => Err(Error::new(Code::LIMIT_DOCUMENT, format!("the {what} has {size} bytes"))
                .with("limit", limit)
                .with("size", size)),
            false => Ok(()),
        };
        if !scan.is_packed {
            return Err(Error::new(Code::ARGUMENT, "the chart has no archive of its own")
                .with_hint("Package its directory, or take the archive that it lies in."));
        }
        let config = scan.metadata.config();
        let chart = Descriptor { media_type: CHART.to_owned(), digest: scan.digest.clone(), size: scan.size };
        let mut layers = vec![chart];
        if let Some(provenance) = provenance {
            bounded("provenance", provenance.len(), limits.provenance)?;
            layers.push(Descriptor::of(PROVENANCE, provenance));
        }
        // Helm orders layers by digest, so the provenance may come first.
        order::sort(&mut layers, |a, b| a.digest.as_str() < b.digest.as_str());
        let parsed = Manifest {
            media_type: None,
            artifact_type: None,
            config: Descriptor::of(CONFIG, &config),
            layers,
            subject: None,
            annotations: annotations(&scan.metadata, created),
        };
        let manifest = json::write(&Written {
            schema_version: 2,
            config: (&parsed.config).into(),
            layers: parsed.layers.iter().map(Into::into).collect(),
            annotations: &parsed.annotations,
        });
        bounded("manifest", manifest.len(), limits.manifest)?;
        Ok(Artifact {
            digest: Digest::of(&manifest),
            manifest,
            content: Content::Manifest(Box::new(parsed)),
            config: Some(config),
            report: Report::new(),
        })
    }

    /// Reads a manifest or an index and says what it is; what is wrong with it stands in [`Artifact::report`].
    ///
    /// # Errors
    /// Only what is no manifest at all: as [`Manifest::parse`] and [`Index::parse`].
    pub fn parse(manifest: &[u8], limits: &Limits) -> Result<Artifact, Error> {
        let (content, mut report) = match Manifest::parse(manifest, limits) {
            Ok((parsed, report)) => (Content::Manifest(Box::new(parsed)), report),
            Err(error) if error.code() == Code::MANIFEST_SHAPE => match Index::check(manifest, limits) {
                Ok((index, report)) => (Content::Index(index), report),
                Err(other) if other.code() == Code::INDEX_SHAPE => return Err(error),
                Err(other) => return Err(other),
            },
            Err(error) => return Err(error),
        };
        let mut artifact = Artifact {
            manifest: manifest.to_vec(),
            digest: Digest::of(manifest),
            content,
            config: None,
            report: Report::new(),
        };
        if artifact.parsed().is_some() {
            artifact.check(&mut report);
        }
        artifact.report = report.sorted();
        Ok(artifact)
    }

    /// What keeps a manifest that is meant to be a chart from being one, or makes clients disagree about which chart it is.
    /// (An index may list a chart; that is for those to find out who have the manifests.)
    fn check(&self, report: &mut Report) {
        if self.what() != What::Chart {
            if self.is_meant_as_chart() {
                report.push(self.not_a_chart());
            }
            return;
        }
        let mut find = |code, message: String, pointer: &str| report.push(self.finding(code, message, pointer));
        let count = |kinds: &[&str]| {
            let layers = self.layers().iter().filter(|layer| kinds.contains(&layer.media_type.as_str()));
            let mut digests: Vec<&str> = layers.map(|layer| layer.digest.as_str()).collect();
            order::sort(&mut digests, |a, b| a < b);
            digests.dedup();
            digests.len()
        };
        match count(&[CHART, LEGACY_CHART, BETA_CHART]) {
            0 => find(Code::ARTIFACT_NO_CHART, format!("no layer is of the type {CHART}"), "/layers"),
            1 => {}
            several => find(Code::ARTIFACT_SEVERAL_CHARTS, format!("{several} layers hold a chart"), "/layers"),
        }
        if let Some(layer) = self.chart_layer().filter(|layer| layer.media_type != CHART) {
            find(
                Code::ARTIFACT_LEGACY_CHART,
                format!("the chart's layer is of the type {}", layer.media_type),
                "/layers",
            );
        }
        if count(&[PROVENANCE]) > 1 {
            find(Code::ARTIFACT_SEVERAL_PROVENANCES, "several layers hold a provenance".to_owned(), "/layers");
        }
    }

    fn finding(&self, code: Code, message: String, pointer: &str) -> Diagnostic {
        Diagnostic::new(code, "manifest", message).at(pointer, json::span(&self.manifest, pointer))
    }

    fn not_a_chart(&self) -> Diagnostic {
        let kind = self.config_descriptor().map_or("", |config| &config.media_type);
        let message = match self.what() {
            What::AlphaChart => "Chart.yaml lies apart from the chart, as in Helm 3.0 alpha".to_owned(),
            _ => format!("the config is of the type {kind}, a chart's is {CONFIG}"),
        };
        self.finding(Code::ARTIFACT_NOT_A_CHART, message, "/config/mediaType")
    }

    /// It is a chart, or holds one.
    fn is_meant_as_chart(&self) -> bool {
        matches!(self.what(), What::Chart | What::AlphaChart) || self.chart_layer().is_some()
    }

    /// What is wrong with it where a chart is wanted: its report, and of what is something else by right, such as a
    /// signature, that it is no chart. An index may list one.
    ///
    /// ```
    /// use chartoci::{Artifact, Limits, artifact::What};
    /// let image = br#"{"schemaVersion":2,"layers":[],"config":{"mediaType":"application/vnd.oci.image.config.v1+json",
    ///     "digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580","size":99}}"#;
    /// let artifact = Artifact::parse(image, &Limits::default())?;
    /// assert!(artifact.what() == What::Image && artifact.report().is_ok());
    /// let report = artifact.as_chart();
    /// assert!(report.iter().any(|finding| finding.code.name() == "artifact.not_a_chart"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn as_chart(&self) -> Report {
        let mut report = self.report.clone();
        if self.what() != What::Index && !self.is_meant_as_chart() {
            report.push(self.not_a_chart());
        }
        report.sorted()
    }

    /// The manifest's bytes.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The manifest's digest.
    ///
    /// ```
    /// use chartoci::{Artifact, Digest, Limits};
    /// let index = br#"{"schemaVersion":2,"manifests":[]}"#;
    /// let artifact = Artifact::parse(index, &Limits::default())?;
    /// assert_eq!((artifact.digest(), artifact.manifest()), (&Digest::of(index), &index[..]));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The config's bytes, if it was built here.
    pub fn config(&self) -> Option<&[u8]> {
        self.config.as_deref()
    }

    /// The config's descriptor; an index has none.
    ///
    /// ```
    /// use chartoci::{Artifact, Descriptor, Limits, artifact::CONFIG};
    /// let Descriptor { digest, size, .. } = Descriptor::of(CONFIG, b"{}");
    /// let manifest = format!(
    ///     r#"{{"schemaVersion":2,"config":{{"mediaType":"{CONFIG}","digest":"{digest}","size":{size}}},"layers":[]}}"#
    /// );
    /// let artifact = Artifact::parse(manifest.as_bytes(), &Limits::default())?;
    /// assert_eq!(artifact.config_descriptor().map(|config| config.size), Some(2));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn config_descriptor(&self) -> Option<&Descriptor> {
        self.parsed().map(|manifest| &manifest.config)
    }

    /// The config is not the one that Helm makes of this Chart.yaml, byte for byte: it may say something else.
    fn may_contradict(&self, metadata: &Metadata) -> bool {
        let config = self.config_descriptor().filter(|_| self.what() == What::Chart);
        config.is_some_and(|config| Digest::with(config.digest.algorithm(), &metadata.config()) != config.digest)
    }

    /// All layers, in the manifest's order; an index has none.
    pub fn layers(&self) -> &[Descriptor] {
        self.parsed().map_or(&[], |manifest| &manifest.layers)
    }

    /// The manifests that an index lists, in its order.
    ///
    /// ```
    /// use chartoci::{Artifact, Limits};
    /// let index = br#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
    ///     "digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580","size":99}]}"#;
    /// let artifact = Artifact::parse(index, &Limits::default())?;
    /// assert_eq!((artifact.manifests()[0].size, artifact.layers().len()), (99, 0));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn manifests(&self) -> &[Descriptor] {
        match &self.content {
            Content::Manifest(_) => &[],
            Content::Index(index) => &index.manifests,
        }
    }

    /// What kind of thing an index says that an entry is (`artifactType`), if it says so.
    ///
    /// ```
    /// use chartoci::{Artifact, Limits};
    /// let index = br#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
    ///     "artifactType":"application/vnd.cncf.helm.config.v1+json","size":99,
    ///     "digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580"}]}"#;
    /// let index = Artifact::parse(index, &Limits::default())?;
    /// let kind = index.artifact_type_of(&index.manifests()[0].digest);
    /// assert_eq!(kind, Some("application/vnd.cncf.helm.config.v1+json"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn artifact_type_of(&self, entry: &Digest) -> Option<&str> {
        match &self.content {
            Content::Manifest(_) => None,
            Content::Index(index) => index.artifact_types.get(entry.as_str()).map(String::as_str),
        }
    }

    /// The media type of the document itself: its own word, where that is Docker's; else OCI's.
    fn own_media_type(&self) -> &'static str {
        match &self.content {
            Content::Index(index) if index.media_type.as_deref() == Some(media_type::DOCKER_INDEX) => {
                media_type::DOCKER_INDEX
            }
            Content::Index(_) => media_type::INDEX,
            Content::Manifest(manifest) if manifest.media_type.as_deref() == Some(media_type::DOCKER_MANIFEST) => {
                media_type::DOCKER_MANIFEST
            }
            Content::Manifest(_) => media_type::MANIFEST,
        }
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.parsed().map_or(&NONE, |manifest| &manifest.annotations)
    }

    /// The layer that holds the chart: the first of today's type, else the first of Helm 3.0 to 3.6. (Where there are
    /// several, Helm takes any; HIP-6 wants the first.)
    pub fn chart_layer(&self) -> Option<&Descriptor> {
        self.layer(CHART).or_else(|| self.layer(LEGACY_CHART)).or_else(|| self.layer(BETA_CHART))
    }

    /// It is a chart as Helm before 3.7 pushed it: its layer is of a type that has been given up.
    ///
    /// ```
    /// use chartoci::{Artifact, Limits};
    /// let of_helm_3_6 = br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json",
    ///     "digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580","size":99},
    ///     "layers":[{"mediaType":"application/tar+gzip",
    ///     "digest":"sha256:1b251d38cfe948dfc0a5745b7af5ca574ecb61e52aed10b19039db39af6e1617","size":2487}]}"#;
    /// assert!(Artifact::parse(of_helm_3_6, &Limits::default())?.is_legacy());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn is_legacy(&self) -> bool {
        self.what() == What::Chart && self.chart_layer().is_some_and(|layer| layer.media_type != CHART)
    }

    /// The layer that holds the provenance, the first if there are several.
    pub fn provenance_layer(&self) -> Option<&Descriptor> {
        self.layer(PROVENANCE)
    }

    /// What it is: a chart has Helm's config, whatever its layers are.
    pub fn what(&self) -> What {
        let Some(manifest) = self.parsed() else { return What::Index };
        let vouches = |kind: &str| SIGNATURES.iter().any(|known| kind.starts_with(known));
        let mut kinds = manifest.layers.iter().map(|layer| layer.media_type.as_str());
        match manifest.config.media_type.as_str() {
            _ if kinds.clone().any(|kind| ALPHA_METADATA.contains(&kind)) => What::AlphaChart,
            CONFIG => What::Chart,
            config
                if manifest.artifact_type.as_deref().is_some_and(vouches) || vouches(config) || kinds.any(vouches) =>
            {
                What::Signature
            }
            media_type::IMAGE_CONFIG | media_type::DOCKER_CONFIG => What::Image,
            _ => What::Other,
        }
    }

    /// What is wrong with it as what it is: a signature is not at fault for being no chart. [`Artifact::as_chart`] is for
    /// those who want a chart.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// A few lines for people: what this is, what each part is for, what is wrong.
    ///
    /// ```
    /// use chartoci::{Artifact, Limits};
    /// let artifact = Artifact::parse(br#"{"schemaVersion":2,"manifests":[]}"#, &Limits::default())?;
    /// let text = artifact.explain();
    /// assert!(text.starts_with("index of 0 manifests\n  manifest    sha256:"));
    /// assert!(text.contains(", 34 bytes\n"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn explain(&self) -> String {
        let annotation = |name| self.annotations().get(name).map(|text| line(text)).unwrap_or_default();
        let title = match self.what() {
            What::Chart => {
                format!("Helm chart {} {}", annotation(annotations::TITLE), annotation(annotations::VERSION))
            }
            What::AlphaChart => "Helm chart of Helm 3.0 alpha, which nobody reads any more".to_owned(),
            What::Image => "container image".to_owned(),
            What::Signature => match self.parsed().and_then(|manifest| manifest.subject.as_ref()) {
                Some(subject) => format!("signature of {}", subject.digest),
                None => "signature".to_owned(),
            },
            What::Index if self.manifests().len() == 1 => "index of one manifest".to_owned(),
            What::Index => format!("index of {} manifests", self.manifests().len()),
            What::Other => "artifact of another kind".to_owned(),
        };
        let mut out = format!("{}\n", title.trim_end());
        let mut part = |name: &str, media_type: &str, digest: &Digest, size: u64, purpose: &str| {
            let bytes = if size == 1 { "byte" } else { "bytes" };
            out.push_str(&format!("  {name:<11} {digest}, {size} {bytes}\n"));
            out.push_str(&format!("  {:<11} {media_type}: {purpose}\n", ""));
        };
        let purpose = match self.what() {
            What::Index => "lists manifests",
            _ => "lists the parts; its digest is what a reference stands for",
        };
        part("manifest", self.own_media_type(), &self.digest, self.manifest.len() as u64, purpose);
        for (descriptor, name) in self
            .config_descriptor()
            .map(|config| (config, "config"))
            .into_iter()
            .chain(self.layers().iter().map(|layer| (layer, "layer")))
            .chain(self.manifests().iter().map(|entry| (entry, "entry")))
        {
            let (name, purpose) = match descriptor.media_type.as_str() {
                CONFIG => ("config", "Chart.yaml as JSON, to be read without the chart"),
                CHART => ("chart", "the packed chart, the .tgz byte for byte"),
                LEGACY_CHART | BETA_CHART => ("chart", "the packed chart, as Helm 3.0 to 3.6 marked it"),
                PROVENANCE => ("provenance", "who vouches for the chart, the .prov file"),
                media_type::MANIFEST | media_type::DOCKER_MANIFEST => (name, "a manifest"),
                media_type::INDEX | media_type::DOCKER_INDEX => (name, "a list of manifests"),
                media_type::EMPTY => (name, "nothing, the text {}"),
                _ => (name, "unknown to Helm, which leaves it alone"),
            };
            part(name, &descriptor.media_type, &descriptor.digest, descriptor.size, purpose);
        }
        for (index, (name, value)) in self.annotations().iter().enumerate() {
            let head = if index == 0 { "annotations" } else { "" };
            out.push_str(&format!("  {head:<11} {}: {}\n", line(name), line(value)));
        }
        for finding in &self.report {
            out.push_str(&format!(
                "  {:<11} {}: {}\n",
                finding.severity.as_str(),
                finding.code,
                line(&finding.message)
            ));
        }
        out
    }

    fn parsed(&self) -> Option<&Manifest> {
        match &self.content {
            Content::Manifest(manifest) => Some(manifest),
            Content::Index(_) => None,
        }
    }

    fn layer(&self, media_type: &str) -> Option<&Descriptor> {
        self.layers().iter().find(|layer| layer.media_type == media_type)
    }
}

/// A text from elsewhere on one line of a terminal: blanks for control characters, and not too long.
fn line(text: &str) -> String {
    const MOST: usize = 80;
    let mut out: String = text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out.trim_end().to_owned()
}

/// The annotations of the manifest of a chart (Helm 4.3, `pkg/registry/chart.go`): those of the image specification, each
/// where Chart.yaml has more than blanks for it, then Chart.yaml's own, which may replace all but title and version.
///
/// ```
/// use chartoci::{Limits, Metadata, artifact::annotations, time::Timestamp};
/// let replaced = "annotations: {org.opencontainers.image.version: x, team: a}";
/// let chart_yaml = format!("name: web\nversion: 1.0.0+b1\nhome: ' '\n{replaced}");
/// let metadata = Metadata::parse(chart_yaml.as_bytes(), &Limits::default())?;
/// let annotations: Vec<_> = annotations(&metadata, Some(Timestamp::from_unix(0))).into_iter().collect();
/// let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
/// assert_eq!(annotations, [
///     pair("org.opencontainers.image.created", "1970-01-01T00:00:00Z"),
///     pair("org.opencontainers.image.title", "web"),
///     pair("org.opencontainers.image.version", "1.0.0+b1"),
///     pair("team", "a"),
/// ]);
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn annotations(metadata: &Metadata, created: Option<Timestamp>) -> BTreeMap<String, String> {
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    let made = [
        (annotations::DESCRIPTION, metadata.description.clone()),
        (annotations::TITLE, metadata.name.clone()),
        (annotations::VERSION, metadata.version.clone()),
        (annotations::URL, metadata.home.clone()),
        (annotations::CREATED, created.map(Timestamp::to_rfc3339).unwrap_or_default()),
        (annotations::SOURCE, metadata.sources.first().cloned().unwrap_or_default()),
        (annotations::AUTHORS, authors.join(", ")),
    ];
    let mut all = BTreeMap::new();
    for (name, value) in made.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
        all.insert(name.to_owned(), value);
    }
    for (name, value) in &metadata.annotations {
        if !matches!(name.as_str(), annotations::TITLE | annotations::VERSION) {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Maintainer;

    const LIMITS: fn() -> Limits = Limits::default;
    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    const OTHER: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn scan(metadata: Metadata) -> Scan {
        Scan {
            metadata,
            digest: Digest::parse(DIGEST).unwrap(),
            size: 2,
            is_packed: true,
            unpacked: 0,
            report: Report::new(),
        }
    }

    fn manifest(config: &str, layers: &[(&str, &str)]) -> Artifact {
        let descriptor =
            |(kind, digest): &(&str, &str)| format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":2}}"#);
        let layers: Vec<String> = layers.iter().map(descriptor).collect();
        let text = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
            descriptor(&(config, DIGEST)),
            layers.join(",")
        );
        Artifact::parse(text.as_bytes(), &LIMITS()).unwrap()
    }

    fn findings(artifact: &Artifact) -> Vec<&'static str> {
        artifact.report().iter().map(|finding| finding.code.name()).collect()
    }

    // spec: Helm's golden digests for its own `signtest` chart (3.18, 3.19, 4.1).
    #[test]
    fn a_signed_chart_has_the_digest_that_helm_push_gives_it() {
        let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:8d17cb6bf6ccd8c29aace9a658495cbd5e2e87fc267876e86117c7db681c9580","size":99}"#;
        let metadata = Metadata {
            name: "signtest".to_owned(),
            version: "0.1.0".to_owned(),
            description: "A Helm chart for Kubernetes".to_owned(),
            api_version: "v1".to_owned(),
            ..Metadata::default()
        };
        let created = Timestamp::parse_rfc3339("1977-09-02T22:04:05Z");
        let artifact = Artifact::build(&scan(metadata), Some(b"prov"), created, &LIMITS()).unwrap();
        assert!(artifact.manifest().starts_with(manifest.as_bytes()));
        assert_eq!(artifact.config().map(<[u8]>::len), Some(99));
        assert_eq!(artifact.what(), What::Chart);
        let read = Artifact::parse(artifact.manifest(), &LIMITS()).unwrap();
        assert_eq!((read.digest(), read.annotations()), (artifact.digest(), artifact.annotations()));
        assert_eq!((read.layers(), findings(&read)), (artifact.layers(), vec![]));
    }

    #[test]
    fn layers_stand_in_the_order_of_their_digests() {
        let metadata = Metadata { name: "web".to_owned(), ..Metadata::default() };
        // The chart's digest begins with 44, those of these texts with 6b and 19.
        for (provenance, expected) in [(b"1", [CHART, PROVENANCE]), (b"9", [PROVENANCE, CHART])] {
            let artifact = Artifact::build(&scan(metadata.clone()), Some(provenance), None, &LIMITS()).unwrap();
            let kinds: Vec<&str> = artifact.layers().iter().map(|layer| layer.media_type.as_str()).collect();
            assert_eq!(kinds, expected);
        }
    }

    #[test]
    fn annotations_are_made_of_what_is_not_blank_and_charts_may_replace_most() {
        let maintainer =
            |name: &str, email: &str| Maintainer { name: name.into(), email: email.into(), url: String::new() };
        let metadata = Metadata {
            name: "web".to_owned(),
            version: "1.0.0+b".to_owned(),
            home: " ".to_owned(),
            description: " x ".to_owned(),
            sources: vec!["a".to_owned(), "b".to_owned()],
            maintainers: vec![maintainer("Jane", "jane@x"), maintainer("Bob", ""), maintainer("", "only@mail")],
            annotations: [
                ("z", ""),
                (annotations::TITLE, "t"),
                (annotations::SOURCE, "s"),
                (annotations::CREATED, "c"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            ..Metadata::default()
        };
        let all = annotations(&metadata, Some(Timestamp::from_unix(0)));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            all,
            [
                (annotations::AUTHORS, "Jane (jane@x), Bob,  (only@mail)"),
                (annotations::CREATED, "c"),
                (annotations::DESCRIPTION, " x "),
                (annotations::SOURCE, "s"),
                (annotations::TITLE, "web"),
                (annotations::VERSION, "1.0.0+b"),
                ("z", ""),
            ]
        );
    }

    #[test]
    fn findings_say_what_is_missing_or_ambiguous() {
        for (layers, expected) in [
            (&[(CHART, DIGEST)][..], &[][..]),
            (&[(CHART, DIGEST), (CHART, DIGEST), ("x/y", OTHER)], &[]),
            (&[(PROVENANCE, DIGEST)], &["artifact.no_chart"]),
            (&[(CHART, DIGEST), (CHART, OTHER)], &["artifact.several_charts"]),
            (&[(LEGACY_CHART, DIGEST)], &["artifact.legacy_chart"]),
            (&[(CHART, DIGEST), (PROVENANCE, DIGEST), (PROVENANCE, OTHER)], &["artifact.several_provenances"]),
        ] {
            assert_eq!(findings(&manifest(CONFIG, layers)), expected, "{layers:?}");
        }
        assert_eq!(findings(&manifest("a/b", &[(CHART, DIGEST)])), ["artifact.not_a_chart"]);
    }

    #[test]
    fn what_is_no_chart_by_right_is_at_fault_only_where_a_chart_is_wanted() {
        let wanted = |artifact: &Artifact| artifact.as_chart().iter().map(|it| it.code).collect::<Vec<_>>();
        let signature = manifest(media_type::IMAGE_CONFIG, &[(SIGNATURES[0], DIGEST)]);
        for artifact in [signature, manifest(media_type::IMAGE_CONFIG, &[("x/y", DIGEST)]), manifest("a/b", &[])] {
            assert!(!findings(&artifact).contains(&"artifact.not_a_chart"), "{:?}", artifact.what());
            assert!(wanted(&artifact).contains(&Code::ARTIFACT_NOT_A_CHART), "{:?}", artifact.what());
        }
        assert_eq!(wanted(&manifest("a/b", &[(CHART, DIGEST)])), [Code::ARTIFACT_NOT_A_CHART]);
        assert_eq!(wanted(&manifest(CONFIG, &[(CHART, DIGEST)])), []);
    }

    #[test]
    fn the_first_layer_of_todays_type_is_the_chart() {
        let artifact = manifest(CONFIG, &[(LEGACY_CHART, OTHER), (CHART, DIGEST), (CHART, OTHER)]);
        assert_eq!(artifact.chart_layer().unwrap().digest.as_str(), DIGEST);
        assert_eq!(artifact.provenance_layer(), None);
    }

    #[test]
    fn images_and_indexes_are_told_apart() {
        assert_eq!(manifest(media_type::IMAGE_CONFIG, &[("x/y", DIGEST)]).what(), What::Image);
        let index = Artifact::parse(br#"{"schemaVersion":2,"manifests":[]}"#, &LIMITS()).unwrap();
        assert_eq!((index.what(), index.config_descriptor()), (What::Index, None));
        assert!(index.explain().starts_with("index of 0 manifests\n"));
        let neither = Artifact::parse(b"{}", &LIMITS()).unwrap_err();
        assert_eq!(neither.code(), Code::MANIFEST_SHAPE);
    }

    #[test]
    fn the_explanation_names_dockers_documents_by_dockers_types() {
        let types = |text: String| {
            let artifact = Artifact::parse(text.as_bytes(), &LIMITS()).unwrap().explain();
            artifact.lines().nth(2).unwrap().trim().split(':').next().unwrap().to_owned()
        };
        let parts = format!(r#"{{"mediaType":"a/b","digest":"{DIGEST}","size":2}}"#);
        for kind in [media_type::MANIFEST, media_type::DOCKER_MANIFEST] {
            let text = format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{parts},"layers":[]}}"#);
            assert_eq!(types(text), kind);
        }
        for kind in [media_type::INDEX, media_type::DOCKER_INDEX] {
            assert_eq!(types(format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{parts}]}}"#)), kind);
        }
        assert_eq!(
            types(format!(r#"{{"schemaVersion":2,"mediaType":"x/y","manifests":[{parts}]}}"#)),
            media_type::INDEX
        );
    }

    #[test]
    fn the_explanation_names_each_part_and_lets_no_control_character_through() {
        let metadata = Metadata {
            name: "web".to_owned(),
            version: "1.0.0".to_owned(),
            annotations: [("x".to_owned(), "a\u{1b}[31m\nb".to_owned())].into(),
            ..Metadata::default()
        };
        let text = Artifact::build(&scan(metadata), Some(b"p"), None, &LIMITS()).unwrap().explain();
        assert!(text.starts_with("Helm chart web 1.0.0\n"));
        for name in ["manifest", "config", "chart", "provenance", "annotations"] {
            assert!(text.lines().any(|line| line.trim_start().starts_with(name)), "{name}\n{text}");
        }
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}
