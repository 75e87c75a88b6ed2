//! Documents that belong together, each checked by itself and against the others.

use super::page::{Page, quoted};
use super::{Document, Question, chart, config, manifest, provenance};
use crate::artifact::{Artifact, annotations};
use crate::chart::Metadata;
use crate::diagnostic::Report;
use crate::error::{Code, clip};
use crate::json::pointer_token;
use crate::limits::Limits;
use crate::oci::{Descriptor, Digest, Reference};
use crate::version::tag;

/// What is at hand of one chart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// Where it came from, or is to go.
    pub reference: Option<&'a Reference>,
    /// Its manifest.
    pub manifest: Option<&'a [u8]>,
    /// Its config blob.
    pub config: Option<&'a [u8]>,
    /// The packed chart.
    pub chart: Option<&'a [u8]>,
    /// The path of the packed chart's file.
    pub filename: Option<&'a str>,
    /// The text of its `.prov` file.
    pub provenance: Option<&'a [u8]>,
}

/// Looks at all parts of a chart that are at hand, and lists what is wrong with each, and what does not fit together.
///
/// ```
/// use chartoci::{check::{Parts, check_parts}, Limits, Reference};
/// let reference = Reference::parse("registry.example/charts/web:1.0.1")?;
/// let config = br#"{"name": "web", "version": "1.0.0", "apiVersion": "v2"}"#;
/// let parts = Parts { reference: Some(&reference), config: Some(config), ..Parts::default() };
/// let report = check_parts(&parts, &Limits::default());
/// assert_eq!(report.iter().next().unwrap().code.name(), "artifact.tag");
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn check_parts(parts: &Parts, limits: &Limits) -> Report {
    check_parts_asking(parts, limits).0
}

/// As [`check_parts`]; and what a validator of JSON Schema has to be asked about the packed chart.
///
/// ```
/// use chartoci::chart::{package::Options, package_in_memory};
/// use chartoci::{Limits, check::{Parts, check_parts_asking}, files::Memory};
/// let mut files = Memory::from_iter([
///     ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0"),
///     ("values.schema.json", r#"{"required": ["replicas"]}"#),
/// ]);
/// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
/// let parts = Parts { chart: Some(&data), filename: Some("web-1.0.0.tgz"), ..Parts::default() };
/// let (_, questions) = check_parts_asking(&parts, &Limits::default());
/// assert_eq!(questions[0].values(), b"{}");
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn check_parts_asking(parts: &Parts, limits: &Limits) -> (Report, Vec<Question>) {
    let (mut report, mut questions) = (Report::new(), Vec::new());
    let (mut real, mut claimed, mut artifact) = (None, None, None);
    if let Some(data) = parts.chart {
        let (found, metadata, asked) = chart::packed(data, parts.filename, limits);
        report.extend(found);
        (real, questions) = (metadata, asked);
    }
    if let Some(data) = parts.manifest {
        let (page, parsed) = manifest::check(Page::new("manifest", data), limits);
        report.extend(page.report());
        artifact = parsed;
    }
    if let Some(data) = parts.config {
        let (mut page, metadata) = config::check(Page::new("config", data), limits);
        if let (Some(real), Some(claimed)) = (&real, &metadata) {
            for (name, claimed, real) in claimed.differing(real) {
                let message = format!("{name} is {claimed}, and {real} in Chart.yaml");
                page.find(Code::ARTIFACT_CONFIG, format!("/{name}"), None, message);
            }
        }
        let mut found = page.report();
        // What the config has from Chart.yaml has been said there.
        found.retain(&mut |one| !report.iter().any(|known| (known.code, &known.pointer) == (one.code, &one.pointer)));
        report.extend(found);
        claimed = metadata;
    }
    let digest = parts.chart.map(Digest::of);
    if let Some(data) = parts.provenance {
        let (mut page, signed) = provenance::check(Page::new("provenance", data), limits);
        if let (Some(signed), Some(digest)) = (&signed, &digest) {
            let filename = parts.filename.and_then(|path| path.rsplit(['/', '\\']).next());
            provenance::compare(&mut page, signed, filename, digest, real.as_ref());
        }
        report.extend(page.report());
    }
    let metadata = real.or(claimed);
    if let (Some(data), Some(artifact)) = (parts.manifest, &artifact) {
        let mut page = Page::new("manifest", data);
        layers(&mut page, artifact, parts);
        if let Some(metadata) = &metadata {
            annotated(&mut page, artifact, metadata);
        }
        report.extend(page.report());
    }
    if let (Some(tag), Some(metadata)) = (parts.reference.and_then(Reference::tag), &metadata) {
        let expected = tag::from_version(&metadata.version);
        if tag != expected {
            let mut page = Page::new("reference", b"");
            let message =
                format!("the tag is {tag}, and the version {} has the tag {}", metadata.version, clip(&expected));
            page.find(Code::ARTIFACT_TAG, "", None, message);
            report.extend(page.report());
        }
    }
    let place = match (parts.filename, parts.reference) {
        (Some(filename), _) => filename.to_owned(),
        (None, Some(reference)) => reference.to_string(),
        (None, None) => String::new(),
    };
    (report.sorted().found_in(&place, parts.chart.is_some()).judged_as(Document::Chart.name()), questions)
}

/// The blobs that are at hand against their descriptors.
fn layers(page: &mut Page, artifact: &Artifact, parts: &Parts) {
    let pointer_of = |wanted: &Descriptor| match artifact.layers().iter().position(|layer| layer == wanted) {
        Some(at) => format!("/layers/{at}"),
        None => "/config".to_owned(),
    };
    for (name, descriptor, data) in [
        ("config", artifact.config_descriptor(), parts.config),
        ("chart", artifact.chart_layer(), parts.chart),
        ("provenance", artifact.provenance_layer(), parts.provenance),
    ] {
        let (Some(descriptor), Some(data)) = (descriptor, data) else { continue };
        let digest = Digest::with(descriptor.digest.algorithm(), data);
        if digest != descriptor.digest {
            let message = format!("the {name} has the digest {digest}, not {}", descriptor.digest);
            page.find(Code::ARTIFACT_LAYER, pointer_of(descriptor) + "/digest", None, message);
        }
        if data.len() as u64 != descriptor.size {
            let message = format!("the {name} has {} bytes, not {}", data.len(), descriptor.size);
            page.find(Code::ARTIFACT_LAYER, pointer_of(descriptor) + "/size", None, message);
        }
    }
}

/// The annotations that `helm push` makes of Chart.yaml, as far as the manifest has them.
fn annotated(page: &mut Page, artifact: &Artifact, metadata: &Metadata) {
    for (name, expected) in annotations(metadata, None) {
        let Some(found) = artifact.annotations().get(&name).filter(|found| **found != expected) else { continue };
        let pointer = format!("/annotations/{}", pointer_token(&name));
        let message = format!("{} is {}, and {} by Chart.yaml", clip(&name), quoted(found), quoted(&expected));
        page.find(Code::ARTIFACT_ANNOTATION, pointer, None, message);
    }
}
