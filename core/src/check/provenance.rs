//! Rules for provenance files, but for their signatures.

use super::page::{MOST, Page, quoted};
use crate::chart::{Metadata, Provenance};
use crate::error::Code;
use crate::limits::Limits;
use crate::oci::Digest;

/// All that is wrong with a provenance by itself; and what it says.
pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> (Page<'a>, Option<(Provenance, Option<Metadata>)>) {
    let provenance = match Provenance::parse(page.text, limits) {
        Ok(provenance) => provenance,
        Err(error) => {
            page.fail(&error);
            return (page, None);
        }
    };
    for (at, (name, digest)) in provenance.files.iter().enumerate().take(MOST) {
        if digest.strip_prefix("sha256:").is_none_or(|_| Digest::parse(digest).is_err()) {
            let span = page.place(provenance.lines[at], 3);
            let message = format!("{} has the digest {}, no sha256", quoted(name), quoted(digest));
            page.find(Code::PROVENANCE_SYNTAX, "/files", Some(span), message);
        }
    }
    let metadata = match Metadata::parse(provenance.metadata.as_bytes(), limits) {
        Ok(metadata) => Some(metadata),
        Err(error) => {
            let span = page.place(provenance.lines_before + 1, 1);
            let message = format!("what is signed is no Chart.yaml: {error}");
            page.find(error.code(), "", Some(span), message);
            None
        }
    };
    (page, Some((provenance, metadata)))
}

/// The provenance against the archive: its name, if it has one, its digest, and its Chart.yaml.
pub(super) fn compare(
    page: &mut Page,
    signed: &(Provenance, Option<Metadata>),
    filename: Option<&str>,
    digest: &Digest,
    metadata: Option<&Metadata>,
) {
    let (provenance, signed) = signed;
    let filename = filename.map(str::to_owned).or(metadata.and_then(|metadata| metadata.filename().ok()));
    let listed = provenance.files.iter().position(|(name, _)| Some(name) == filename.as_ref());
    match (listed, filename, &provenance.files[..]) {
        (Some(at), ..) if provenance.files[at].1 != digest.as_str() => {
            let message =
                format!("{} was signed as {}, and is {digest}", provenance.files[at].0, provenance.files[at].1);
            let span = page.place(provenance.lines[at], 3);
            page.find(Code::PROVENANCE_DIGEST, "/files", Some(span), message);
        }
        (None, Some(filename), [(name, signed), ..]) => {
            let span = page.place(provenance.lines[0], 3);
            let message = format!("the archive is called {}, and {} was signed", quoted(&filename), quoted(name));
            page.find(Code::PROVENANCE_FILENAME, "/files", Some(span), message);
            if signed != digest.as_str() {
                let message = format!("{} was signed as {signed}, and the archive is {digest}", quoted(name));
                page.find(Code::PROVENANCE_DIGEST, "/files", Some(span), message);
            }
        }
        _ => {}
    }
    if let (Some(signed), Some(metadata)) = (signed, metadata) {
        for (name, signed, real) in signed.differing(metadata) {
            let begins = |line: &str| line.strip_prefix(&*name).is_some_and(|rest| rest.starts_with(':'));
            let line = (1..).zip(provenance.metadata.lines()).find(|(_, line)| begins(line)).map_or(1, |(at, _)| at);
            let span = page.place(provenance.lines_before + line, 1);
            let message = format!("{name} is {signed}, and {real} in the archive");
            page.find(Code::PROVENANCE_METADATA, format!("/{name}"), Some(span), message);
        }
    }
}
