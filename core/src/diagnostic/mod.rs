//! Findings about a document: many per run, each with a place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::error::{Code, Error};
use crate::order;

mod sarif;
mod text;

pub use sarif::sarif;

/// How much a finding matters.
///
/// ```
/// use chartoci::diagnostic::Severity;
/// assert!(Severity::Error < Severity::Warning && Severity::Warning < Severity::Info);
/// assert_eq!(Severity::Warning.as_str(), "warning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can be used, and somebody will regret it.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// `error`, `warning` or `info`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// A place in a document's bytes. Lines and columns count from 1; columns count Unicode characters.
///
/// ```
/// use chartoci::diagnostic::Span;
/// let span = chartoci::json::span("{\"é\": 10}".as_bytes(), "/é").unwrap();
/// assert_eq!(span, Span { start: 7, end: 9, line: 1, column: 7, end_line: 1, end_column: 9 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

impl Span {
    /// The place of these bytes in a text, as far as it has them.
    pub(crate) fn of(text: &[u8], range: Range<usize>) -> Span {
        let end = range.end.min(text.len());
        let start = range.start.min(end);
        let ((line, column), (end_line, end_column)) = (position(text, start), position(text, end));
        Span { start, end, line, column, end_line, end_column }
    }

    /// As much of it as the text has.
    pub(crate) fn within(self, text: &[u8]) -> Span {
        if self.end <= text.len() { self } else { Span::of(text, self.start..self.end) }
    }

    /// The last character of a text that is no blank: where to look for what is missing at the end.
    pub(crate) fn last(text: &[u8]) -> Span {
        let end = text.trim_ascii_end().len();
        let is_first = |byte: &u8| byte & 0xc0 != 0x80;
        let start = text.get(..end).and_then(|text| text.iter().rposition(is_first)).unwrap_or(0);
        Span::of(text, start..end)
    }
}

/// Line and column of a byte, from 1. A byte order mark takes no column.
fn position(text: &[u8], at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.get(start..).unwrap_or_default();
    let line = if start == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    let column = String::from_utf8_lossy(line).chars().count();
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (number(lines), number(column))
}

/// A replacement for a span that mends the finding and changes nothing else.
///
/// ```
/// use chartoci::diagnostic::Fix;
/// let chart_yaml = b"apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10\n";
/// let report = chartoci::check(chart_yaml, None, None, &chartoci::Limits::default())?;
/// let Fix { span, replacement } = report.iter().find_map(|finding| finding.fix.clone()).unwrap();
/// assert_eq!((&chart_yaml[span.start..span.end], replacement.as_str()), (&b"1.10"[..], "\"1.10\""));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// One finding.
///
/// ```
/// let report = chartoci::check(b"name: web\nversion: x\n", None, None, &chartoci::Limits::default())?;
/// let finding: &chartoci::Diagnostic = report.errors().find(|finding| finding.pointer == "/version").unwrap();
/// assert_eq!((finding.code.name(), finding.document.as_str()), ("chart.version", "Chart.yaml"));
/// assert!(finding.to_string().starts_with("Chart.yaml:2:10: error[chart.version]: "));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Its stable name.
    #[serde(serialize_with = "code_name")]
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The file it is about, as a path below the chart's root, or a document's kind.
    pub document: String,
    /// Where in the document, as RFC 6901 has it; empty for the whole.
    pub pointer: String,
    /// Where in the bytes, if the document has lines.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// How to mend it without harm.
    pub fix: Option<Fix>,
    /// Other places in the same document that have to do with it, and what stands there.
    #[serde(serialize_with = "places")]
    pub related: Vec<(Span, String)>,
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

fn places<S: Serializer>(related: &[(Span, String)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Place<'a> {
        span: Span,
        message: &'a str,
    }
    serializer.collect_seq(related.iter().map(|(span, message)| Place { span: *span, message }))
}

impl Diagnostic {
    /// A finding with the severity and the remedy of its code.
    ///
    /// ```
    /// use chartoci::{Code, Diagnostic, diagnostic::Severity};
    /// let finding = Diagnostic::new(Code::JSON_DUPLICATE, "manifest", "\"config\" stands twice");
    /// assert_eq!((finding.severity, finding.help.as_str()), (Severity::Warning, Code::JSON_DUPLICATE.remedy()));
    /// ```
    pub fn new(code: Code, document: impl Into<String>, message: impl Into<String>) -> Diagnostic {
        let severity = match code.class() {
            crate::error::Class::Finding(severity) => severity,
            crate::error::Class::Error(_) => Severity::Error,
        };
        Diagnostic {
            code,
            severity,
            document: document.into(),
            pointer: String::new(),
            span: None,
            message: message.into(),
            help: code.remedy().to_owned(),
            fix: None,
            related: Vec::new(),
        }
    }

    /// Says where: an RFC 6901 pointer, and the bytes if known.
    ///
    /// ```
    /// use chartoci::{Code, Diagnostic};
    /// let span = chartoci::json::span(br#"{"config": {}}"#, "/config");
    /// let finding = Diagnostic::new(Code::MANIFEST_DESCRIPTOR, "manifest", "there is no digest").at("/config", span);
    /// assert_eq!(finding.to_string(), "manifest:1:12: error[manifest.descriptor]: there is no digest");
    /// ```
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, span: Option<Span>) -> Diagnostic {
        self.pointer = pointer.into();
        self.span = span;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.document)?;
        if let Some(span) = self.span {
            write!(f, ":{}:{}", span.line, span.column)?;
        }
        write!(f, ": {}[{}]: {}", self.severity.as_str(), self.code, self.message)
    }
}

/// Findings, ordered by document, then by place; and the text of the documents that they are about, for those who show
/// or mend them.
///
/// ```
/// use chartoci::{Code, Diagnostic, Report};
/// let mut report = Report::new();
/// assert!(report.is_empty() && report.is_ok());
/// report.push(Diagnostic::new(Code::JSON_DUPLICATE, "manifest", "\"config\" stands twice"));
/// report.push(Diagnostic::new(Code::CHART_NAME, "Chart.yaml", "the chart has no name"));
/// assert!(!report.is_ok());
/// assert_eq!((report.errors().count(), report.warnings().count()), (1, 1));
/// let documents: Vec<_> = report.sorted().iter().map(|finding| finding.document.clone()).collect();
/// assert_eq!(documents, ["Chart.yaml", "manifest"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Diagnostic>,
    sources: BTreeMap<String, Vec<u8>>,
    /// Where what was looked at comes from; empty if nobody said.
    path: String,
    /// The documents are files below `path`, not `path` itself.
    is_chart: bool,
    kind: &'static str,
}

impl Report {
    /// Nothing found yet.
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a finding; [`Report::sorted`] puts it in its place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.findings.push(diagnostic);
    }

    /// Adds all of another report.
    ///
    /// ```
    /// use chartoci::{Code, Diagnostic, Report};
    /// let one = || Report::from_iter([Diagnostic::new(Code::CHART_NAME, "Chart.yaml", "the chart has no name")]);
    /// let mut report = one();
    /// report.extend(one());
    /// assert_eq!(report.iter().count(), 2);
    /// assert_eq!(report.sorted().iter().count(), 1, "what was found twice counts once");
    /// ```
    pub fn extend(&mut self, other: Report) {
        self.findings.extend(other.findings);
        for (document, text) in other.sources {
            self.sources.entry(document).or_insert(text);
        }
    }

    /// Says better than its code what to do about the last finding.
    pub(crate) fn last_help(&mut self, help: &str) {
        if let Some(last) = self.findings.last_mut() {
            help.clone_into(&mut last.help);
        }
    }

    /// One copy in the program, whatever is kept.
    pub(crate) fn retain(&mut self, keep: &mut dyn FnMut(&Diagnostic) -> bool) {
        self.findings.retain(keep);
    }

    /// In the order in which people read: by document, then by place.
    #[must_use]
    pub fn sorted(mut self) -> Report {
        order::sort(&mut self.findings, |a, b| {
            let place = |d: &Diagnostic| d.span.map_or(0, |span| span.start);
            (&a.document, place(a), &a.pointer, a.code.name()) < (&b.document, place(b), &b.pointer, b.code.name())
        });
        self.findings.dedup();
        self
    }

    /// Says where the findings come from: of a chart, whose documents are files below that path, or of one document.
    ///
    /// ```
    /// let report = chartoci::check(b"name: web\nversion: x\n", None, None, &chartoci::Limits::default())?;
    /// let report = report.found_in("web/Chart.yaml", false);
    /// assert!(report.to_string().contains("web/Chart.yaml:2:10") && !report.is_chart());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    #[must_use]
    pub fn found_in(mut self, path: &str, is_chart: bool) -> Report {
        path.clone_into(&mut self.path);
        self.is_chart = is_chart;
        self
    }

    /// Says as what it was judged.
    #[must_use]
    pub(crate) fn judged_as(mut self, kind: &'static str) -> Report {
        self.kind = kind;
        self
    }

    /// The kind of document as which `check` judged it, given or guessed, by its name in the API; empty where nobody said.
    ///
    /// ```
    /// let report = chartoci::check(b"name: web\nversion: 1.0.0\n", None, None, &chartoci::Limits::default())?;
    /// assert_eq!(report.kind(), "chart.yaml");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Keeps the text of each document that has findings with a place or a fix, as `text` gives it.
    #[must_use]
    pub(crate) fn with_sources<'a>(mut self, text: impl Fn(&str) -> Option<&'a [u8]>) -> Report {
        for finding in self.findings.iter().filter(|finding| finding.span.is_some() || finding.fix.is_some()) {
            if self.source(&finding.document).is_none()
                && let Some(text) = text(&finding.document)
            {
                self.sources.insert(finding.document.clone(), text.to_vec());
            }
        }
        self
    }

    /// Keeps the text of this document, whether anything was found in it or not.
    #[must_use]
    pub(crate) fn with_source(mut self, document: &str, text: &[u8]) -> Report {
        if self.source(document).is_none() {
            self.sources.insert(document.to_owned(), text.to_vec());
        }
        self
    }

    /// Puts a path, with a slash at its end if there is one, before the names of all documents.
    #[must_use]
    pub(crate) fn below(mut self, above: &str) -> Report {
        self.findings.iter_mut().for_each(|finding| finding.document = document_below(above, &finding.document));
        // One by one: `collect` sorts by code of its own.
        for (document, text) in std::mem::take(&mut self.sources) {
            self.sources.insert(format!("{above}{document}"), text);
        }
        self
    }

    /// What was looked at is a chart: the documents are its files.
    pub fn is_chart(&self) -> bool {
        self.is_chart
    }

    /// The documents whose text is at hand, and which [`Report::fixed`] can give.
    ///
    /// ```
    /// let report = chartoci::check(b"name: web\nversion: x\n", None, None, &chartoci::Limits::default())?;
    /// assert_eq!(report.documents().collect::<Vec<_>>(), ["Chart.yaml"]);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// A document with all fixes: every other byte stays, comments included. Of fixes that overlap the first is made. The
    /// document need not be named where there is only one.
    ///
    /// ```
    /// let chart_yaml = b"apiVersion: v2 # ours\nname: web\nversion: 1.0.0\nappVersion: 1.10 # soon 2\n";
    /// let report = chartoci::check(chart_yaml, None, None, &chartoci::Limits::default())?;
    /// let mended = String::from_utf8_lossy(chart_yaml).replace("1.10", "\"1.10\"");
    /// assert_eq!(String::from_utf8_lossy(&report.fixed(None)?), mended);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::ARGUMENT`]: there is no text of that document, or there are several documents.
    pub fn fixed(&self, document: Option<&str>) -> Result<Vec<u8>, Error> {
        let source = match document {
            Some(name) => self.sources.get_key_value(name),
            None => self.sources.first_key_value().filter(|_| self.sources.len() == 1),
        };
        let Some((document, text)) = source else {
            let known: Vec<&str> = self.documents().collect();
            let (message, hint) = match known.is_empty() {
                true => (
                    "the report has no findings with a place or a fix in a text",
                    "There is nothing to mend.".to_owned(),
                ),
                false => ("which document is to be mended?", format!("Name one of {}.", known.join(", "))),
            };
            return Err(Error::new(Code::ARGUMENT, message).with_hint(hint));
        };
        let findings = self.findings.iter().filter(|finding| finding.document == *document);
        let mut fixes: Vec<&Fix> = findings.filter_map(|finding| finding.fix.as_ref()).collect();
        order::sort(&mut fixes, |a, b| a.span.start < b.span.start);
        let (mut out, mut done) = (Vec::with_capacity(text.len()), 0);
        for Fix { span, replacement } in fixes {
            if let Some(kept) = text.get(done..span.start)
                && (span.start..=text.len()).contains(&span.end)
            {
                out.extend_from_slice(kept);
                out.extend_from_slice(replacement.as_bytes());
                done = span.end;
            }
        }
        out.extend_from_slice(text.get(done..).unwrap_or_default());
        Ok(out)
    }

    /// No finding is an error.
    pub fn is_ok(&self) -> bool {
        self.errors().next().is_none()
    }

    /// All findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.findings.iter()
    }

    /// Findings that forbid the use of the document.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    /// Findings that somebody will regret.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.findings.iter().filter(move |diagnostic| diagnostic.severity == severity)
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// As a compiler prints it: each finding with the line that it is about, a summary at the end. What steers a terminal
    /// is made harmless; `color` is for terminals.
    ///
    /// ```
    /// let report = chartoci::check(b"name: web\nversion: x\n", None, None, &chartoci::Limits::default())?;
    /// assert!(report.to_text(false).contains("error[chart.version]") && !report.to_text(false).contains('\u{1b}'));
    /// assert!(report.to_text(true).contains("\u{1b}["));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn to_text(&self, color: bool) -> String {
        text::write(self, color)
    }

    /// The findings as JSON, the same text in every language: a list of `code`, `severity`, `document`, `pointer`, `span`,
    /// `message`, `help`, `fix` and `related`, as docs/cli.schema.json has it.
    ///
    /// ```
    /// use chartoci::{Code, Diagnostic, Report};
    /// let report = Report::from_iter([Diagnostic::new(Code::CHART_NAME, "Chart.yaml", "the chart has no name")]);
    /// let json = report.to_json();
    /// assert!(json.starts_with(r#"[{"code":"chart.name","severity":"error","document":"Chart.yaml","pointer":"","span":null,"#));
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn source(&self, document: &str) -> Option<&[u8]> {
        self.sources.get(document).map(Vec::as_slice)
    }

    /// The file that a document is, as far as it is known.
    fn path_of(&self, document: &str) -> String {
        match (self.path.as_str(), self.is_chart) {
            ("", _) => document.to_owned(),
            (path, true) if document == "provenance" && path.ends_with(".tgz") => format!("{path}.prov"),
            (path, true) if document != "chart" => format!("{}/{document}", path.trim_end_matches('/')),
            (path, _) => path.to_owned(),
        }
    }
}

/// The findings alone.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.findings.serialize(serializer)
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(findings: I) -> Report {
        Report { findings: findings.into_iter().collect(), ..Report::default() }
    }
}

/// [`Report::to_text`] without colours.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(false))
    }
}

/// What a document is called in the chart around its own: a chart as a whole by its path.
pub(crate) fn document_below(above: &str, document: &str) -> String {
    match document {
        "chart" if !above.is_empty() => above.trim_end_matches('/').to_owned(),
        _ => format!("{above}{document}"),
    }
}
