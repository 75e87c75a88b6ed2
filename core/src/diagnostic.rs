//! Findings about a document: many per run, each with a place.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Code;

/// How much a finding matters.
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

/// A replacement for a span that mends the finding and changes nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// One finding.
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
    pub related: Vec<(Span, String)>,
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

impl Diagnostic {
    /// A finding with the severity and the remedy of its code.
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

/// Findings, ordered by document, then by place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report(Vec<Diagnostic>);

impl Report {
    /// Nothing found yet.
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a finding; [`Report::sorted`] puts it in its place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another report.
    pub fn extend(&mut self, other: Report) {
        self.0.extend(other.0);
    }

    /// In the order in which people read: by document, then by place.
    #[must_use]
    pub fn sorted(mut self) -> Report {
        self.0.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.span.map_or(0, |span| span.start);
            (&a.document, place(a), &a.pointer, a.code.name()).cmp(&(&b.document, place(b), &b.pointer, b.code.name()))
        });
        self
    }

    /// No finding is an error.
    pub fn is_ok(&self) -> bool {
        self.errors().next().is_none()
    }

    /// All findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Findings that forbid the use of the document.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Findings that somebody will regret.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        Report(findings.into_iter().collect())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.0 {
            writeln!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}
