//! A document under examination, and what was found in it.

use crate::diagnostic::{Diagnostic, Fix, Report, Span};
use crate::error::{Class, Code, Error, clip};
use crate::json;
use crate::yaml::{Data, Node};

/// More findings of one code than these help nobody.
pub(super) const MOST: usize = 100;
/// Longer lists are not compared with each other.
pub(super) const MOST_DEPENDENCIES: usize = 1000;

/// Bytes that are looked at again to see which fixes are safe.
const MOST_TRIED: usize = 4 << 20;

/// A document's name and text, with findings.
pub(super) struct Page<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a [u8],
    found: Vec<Diagnostic>,
    counts: Vec<(Code, usize)>,
    /// One more finding of a code that has too many.
    spare: Option<Diagnostic>,
}

impl<'a> Page<'a> {
    pub(super) fn new(name: &'a str, text: &'a [u8]) -> Page<'a> {
        Page { name, text, found: Vec::new(), counts: Vec::new(), spare: None }
    }

    /// Adds a finding; what is returned may be changed before the next one.
    pub(super) fn find(
        &mut self,
        code: Code,
        pointer: impl Into<String>,
        span: Option<Span>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let finding = Diagnostic::new(code, self.name, message).at(pointer, span);
        self.push(finding)
    }

    fn push(&mut self, finding: Diagnostic) -> &mut Diagnostic {
        let known = self.counts.iter().position(|(code, _)| *code == finding.code);
        let known = known.unwrap_or_else(|| {
            self.counts.push((finding.code, 0));
            self.counts.len() - 1
        });
        self.counts[known].1 += 1;
        if self.counts[known].1 > MOST {
            return self.spare.insert(finding);
        }
        let at = self.found.len();
        self.found.push(finding);
        &mut self.found[at]
    }

    /// A finding whose remedy is to write something else in its place.
    pub(super) fn mend(
        &mut self,
        code: Code,
        pointer: impl Into<String>,
        span: Span,
        message: impl Into<String>,
        replacement: String,
    ) {
        self.find(code, pointer, Some(span), message).fix = Some(Fix { span, replacement });
    }

    /// Keeps the fixes that are safe: those after which `look` finds no more that Helm refuses, and no more keys that stand
    /// twice, than before. From the last to the first: so the places of those before it stay right.
    pub(super) fn keep_safe_fixes(&mut self, look: &dyn Fn(&mut Page)) {
        let place = |finding: &Diagnostic| finding.fix.as_ref().map(|fix| (fix.span.start, fix.span.end));
        let (mut text, mut mistakes, mut left) = (self.text.to_vec(), self.mistakes(), MOST_TRIED);
        let mut fixes: Vec<(usize, Fix)> = Vec::new();
        // There are few: nothing has to be sorted.
        while let Some(at) = (0..self.found.len()).max_by_key(|at| place(&self.found[*at])) {
            let Some(fix) = self.found[at].fix.take() else { break };
            let (Some(before), Some(after)) = (text.get(..fix.span.start), text.get(fix.span.end..)) else { continue };
            let Some(rest) = left.checked_sub(text.len()) else { continue };
            left = rest;
            let mended = [before, fix.replacement.as_bytes(), after].concat();
            let mut page = Page::new(self.name, &mended);
            look(&mut page);
            let after = page.mistakes();
            if after <= mistakes {
                (text, mistakes) = (mended, after);
                fixes.push((at, fix));
            }
        }
        for (at, fix) in fixes {
            self.found[at].fix = Some(fix);
        }
    }

    fn mistakes(&self) -> usize {
        let counts = |finding: &&Diagnostic| {
            matches!(finding.code.class(), Class::Error(_)) || finding.code == Code::YAML_DUPLICATE_KEY
        };
        self.found.iter().filter(counts).count()
    }

    pub(super) fn extend(&mut self, report: Report) {
        for finding in &report {
            self.push(finding.clone());
        }
    }

    /// Adds the names of a JSON document that stand more than once in their object.
    pub(super) fn repeated(&mut self, pointers: &[String]) {
        let mut report = Report::new();
        json::duplicates(self.text, pointers, self.name, &mut report);
        self.extend(report);
    }

    /// Adds what an error says about this document, at the place that it names.
    pub(super) fn fail(&mut self, error: &Error) {
        let fact = |name: &str| {
            error.context().iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        let number = |name: &str| fact(name).and_then(|value| value.parse().ok());
        let span = number("line").map(|line| self.place(line, number("column").unwrap_or(1)));
        let mut help = error.hint().to_owned();
        if error.code() == Code::YAML_SYNTAX && span.is_some_and(|span| self.has_tab(span.line)) {
            help = "YAML takes no tabs before a line's text: indent with blanks.".to_owned();
        }
        let document = fact("entry").or(fact("path")).unwrap_or(self.name).to_owned();
        let finding = Diagnostic::new(error.code(), document, error.to_string());
        self.push(finding.at(fact("pointer").unwrap_or_default(), span)).help = help;
    }

    fn has_tab(&self, line: u32) -> bool {
        let line = self.text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1) as usize).unwrap_or_default();
        line.iter().take_while(|byte| byte.is_ascii_whitespace()).any(|byte| *byte == b'\t')
    }

    /// The source text of a span.
    pub(super) fn source(&self, span: Span) -> Option<&'a str> {
        std::str::from_utf8(self.text.get(span.start..span.end)?).ok()
    }

    /// The character at a line and a column.
    pub(super) fn place(&self, line: u32, column: u32) -> Span {
        let lines = self.text.split_inclusive(|byte| *byte == b'\n');
        let before: usize = lines.clone().take(line.saturating_sub(1) as usize).map(<[u8]>::len).sum();
        let rest = String::from_utf8_lossy(lines.clone().nth(line.saturating_sub(1) as usize).unwrap_or_default());
        let start = before + rest.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>();
        let length = rest.chars().nth(column.saturating_sub(1) as usize).map_or(0, char::len_utf8);
        Span { start, end: start + length, line, column, end_line: line, end_column: column + u32::from(length > 0) }
    }

    /// Everything that was found. Findings of JSON get their places here.
    pub(super) fn report(self) -> Report {
        let is_json = self.text.trim_ascii_start().starts_with(b"{");
        // Each place is looked for from the document's start.
        let mut lookups = if self.text.len() > 1 << 20 { 20 } else { 2 * MOST };
        let mut found = self.found;
        for finding in &mut found {
            // A place of no bytes is no place.
            finding.span = finding.span.filter(|span| *span != Span::default());
            if is_json && lookups > 0 && finding.span.is_none() && !finding.pointer.is_empty() {
                lookups -= 1;
                finding.span = json::span(self.text, &finding.pointer);
            }
        }
        let report: Report = found.into_iter().collect();
        report.with_sources(|document| (document == self.name).then_some(self.text))
    }
}

/// The value of a field, whatever the letters' case, as Helm finds it; null is none.
pub(super) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let pairs = &node.as_mapping()?.pairs;
    let found = pairs.iter().find(|(key, _, _)| key == name);
    let found = found.or_else(|| pairs.iter().find(|(key, _, _)| key.eq_ignore_ascii_case(name)));
    found.map(|(_, _, value)| value).filter(|value| value.data != Data::Null)
}

/// The text that a field holds, if it holds one.
pub(super) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    match &field(node, name)?.data {
        Data::String(text) => Some(text),
        _ => None,
    }
}

/// The items of a list.
pub(super) fn items<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    match field(node, name).map(|list| &list.data) {
        Some(Data::Sequence(items)) => items,
        _ => &[],
    }
}

/// The values at a path such as `maintainers/*/email`, each with its pointer.
pub(super) fn each<'n>(node: &'n Node, path: &str) -> Vec<(String, &'n Node)> {
    let mut found = vec![(String::new(), node)];
    for step in path.split('/') {
        let mut next = Vec::new();
        for (pointer, node) in found {
            let mut add = |name: &str, node: &'n Node| next.push((format!("{pointer}/{name}"), node));
            match &node.data {
                Data::Sequence(items) if step == "*" => {
                    items.iter().enumerate().for_each(|(at, item)| add(&at.to_string(), item));
                }
                Data::Mapping(mapping) => {
                    let wanted = |key: &&(String, Span, Node)| step == "*" || key.0.eq_ignore_ascii_case(step);
                    let pairs = mapping.pairs.iter().filter(wanted);
                    pairs.for_each(|(key, _, value)| add(&json::pointer_token(key), value));
                }
                _ => {}
            }
        }
        found = next;
    }
    found
}

/// A text for a message: quoted, and not too long.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", clip(text))
}
