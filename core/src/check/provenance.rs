//! Rules for provenance files, but for their signatures.

use super::chart_yaml::{self, Setting};
use super::page::{MOST, Page, quoted};
use crate::chart::{Metadata, Provenance};
use crate::diagnostic::Span;
use crate::error::Code;
use crate::limits::Limits;
use crate::oci::Digest;

/// All that is wrong with a provenance by itself; and what it says.
pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> (Page<'a>, Option<(Provenance, Option<Metadata>)>) {
    let (provenance, errors) = Provenance::look(page.text, limits);
    for error in &errors {
        page.fail(error);
    }
    for (at, (name, digest)) in provenance.files.iter().enumerate().take(MOST) {
        if digest.strip_prefix("sha256:").is_none_or(|_| Digest::parse(digest).is_err()) {
            let span = page.place(provenance.lines[at], 3);
            let message = format!("{} has the digest {}, no sha256", quoted(name), quoted(digest));
            page.find(Code::PROVENANCE_SYNTAX, "/files", Some(span), message);
        }
    }
    let is_there = !provenance.metadata.is_empty();
    let metadata = if is_there { signed(&mut page, &provenance, limits) } else { None };
    let whole = errors.is_empty().then_some((provenance, metadata));
    (page, whole)
}

/// The Chart.yaml that was signed; what keeps Helm from reading it stands at its place in the provenance.
fn signed(page: &mut Page, provenance: &Provenance, limits: &Limits) -> Option<Metadata> {
    let setting = Setting { is_vendored: true, ..Setting::default() };
    let mut pages = [Page::new("Chart.yaml", provenance.metadata.as_bytes())];
    let said = chart_yaml::check(&mut pages, &setting, limits);
    let [chart_yaml] = pages;
    for finding in &chart_yaml.report() {
        let span = finding.span.map(|span| {
            let place = |line: u32, column: u32| {
                let line = provenance.lines_before.saturating_add(line);
                let dash = page.place(line, 1).start;
                let is_escaped = page.text.get(dash..).is_some_and(|line| line.starts_with(b"- "));
                page.place(line, if is_escaped { column + 2 } else { column })
            };
            let (start, end) = (place(span.line, span.column), place(span.end_line, span.end_column));
            Span::of(page.text, start.start..end.start.max(start.start))
        });
        let message = format!("in the signed Chart.yaml: {}", finding.message);
        page.find(finding.code, &*finding.pointer, span, message).help.clone_from(&finding.help);
    }
    said.metadata
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

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: a/b\n- -x: 1\nversion: [1]\n...\n\
        files:\n  a.tgz: 1\n  b.tgz: sha256:0\n-----BEGIN PGP SIGNATURE-----\n\nwsBz\n";

    #[test]
    fn all_that_is_wrong_is_said_at_its_line_and_column() {
        let (page, said) = check(Page::new("provenance", WHOLE.as_bytes()), &Limits::default());
        let report = page.report().sorted();
        let found = report.iter().map(|finding| {
            let span = finding.span.unwrap_or_default();
            (finding.code.name(), &*finding.pointer, span.line, span.column, &WHOLE[span.start..span.end])
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("chart.name", "/name", 4, 7, "a/b"),
                ("chart.field_type", "/version", 6, 10, "[1]"),
                ("provenance.syntax", "", 9, 3, "a"),
                ("provenance.syntax", "/files", 10, 3, "b"),
                ("provenance.syntax", "", 11, 1, "-"),
            ]
        );
        assert!(said.is_none());
    }

    #[test]
    fn a_line_that_is_escaped_with_a_dash_keeps_its_columns() {
        let text = WHOLE.replace("- -x: 1", "- -x: *y");
        let (page, _) = check(Page::new("provenance", text.as_bytes()), &Limits::default());
        let report = page.report();
        let alias = report.iter().find(|finding| finding.code == Code::YAML_ALIAS).unwrap();
        assert_eq!(alias.span.map(|span| (span.line, span.column)), Some((5, 7)));
    }
}
