//! A document under examination, and what was found in it.

use std::cell::{Cell, OnceCell};

use crate::chart::metadata::duplicates;
use crate::diagnostic::{Diagnostic, Fix, Report, Span};
use crate::error::{Class, Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::yaml::{self, Data, Node};

/// More findings of one code than these help nobody.
pub(super) const MOST: usize = 100;
/// Longer lists are not compared with each other.
pub(super) const MOST_DEPENDENCIES: usize = 1000;

/// Longer pointers are left out: nobody reads them.
const LONGEST: usize = 4096;
/// Bytes that are looked at again to see which fixes are safe.
const MOST_TRIED: usize = 4 << 20;

/// A document's name and text, with findings.
pub(super) struct Page<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a [u8],
    found: Vec<Diagnostic>,
    counts: Vec<(Code, usize)>,
    /// Where values begin that are none: nothing else is said of them.
    refused: Vec<usize>,
    /// One more finding of a code that has too many.
    spare: Option<Diagnostic>,
    /// A line whose start was looked for, and that start: mistakes come in the order of the text.
    line: Cell<(u32, usize)>,
    /// Where a conflict of a version control system begins, once that was asked.
    conflict: OnceCell<Option<Span>>,
}

impl<'a> Page<'a> {
    pub(super) fn new(name: &'a str, text: &'a [u8]) -> Page<'a> {
        let (found, counts, refused) = (Vec::new(), Vec::new(), Vec::new());
        let (line, conflict) = (Cell::new((1, 0)), OnceCell::new());
        Page { name, text, found, counts, refused, spare: None, line, conflict }
    }

    /// Adds a finding; what is returned may be changed before the next one.
    pub(super) fn find(
        &mut self,
        code: Code,
        pointer: impl AsRef<str>,
        span: Option<Span>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        // Of too many nothing is copied: a path may be as long as the document.
        let pointer = Some(pointer.as_ref()).filter(|pointer| !self.has_enough(code) && pointer.len() <= LONGEST);
        let finding = Diagnostic::new(code, self.name, message).at(pointer.unwrap_or_default(), span);
        self.push(finding)
    }

    /// Further findings of this code are dropped.
    pub(super) fn has_enough(&self, code: Code) -> bool {
        self.counts.iter().any(|(known, count)| *known == code && *count >= MOST)
    }

    fn push(&mut self, finding: Diagnostic) -> &mut Diagnostic {
        if finding.span.is_some_and(|span| self.refused.contains(&span.start)) && finding.document == self.name {
            return self.spare.insert(finding);
        }
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
        pointer: impl AsRef<str>,
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
        if self.found.iter().all(|finding| finding.fix.is_none()) {
            return;
        }
        let mut page = Page::new(self.name, self.text);
        look(&mut page);
        let (mut text, mut mistakes, mut left) = (self.text.to_vec(), page.mistakes(), MOST_TRIED);
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

    /// Reads YAML. All that Helm refuses is found; where a mistake ends a document there is nothing to look at further, but
    /// for the keys that stand twice before it.
    pub(super) fn yaml(&mut self, which: yaml::Documents, limits: &Limits) -> Option<Vec<Node>> {
        let looked = yaml::look(self.text, limits, which);
        let mut refused = Vec::new();
        for error in &looked.errors {
            self.fail(error);
            refused.extend(self.found.last().and_then(|finding| finding.span).map(|span| span.start));
        }
        self.refused = refused;
        if let Some(span) = looked.leftover.as_ref().and_then(|error| self.place_of(error)) {
            let begins = looked.documents.last().map(|node| Span::of(self.text, node.span.start..node.span.start));
            let message = "the document ends before this: Helm reads neither this line nor what follows";
            let finding = self.find(Code::YAML_DOCUMENTS, "", Some(span), message);
            "Indent what belongs together alike, with blanks.".clone_into(&mut finding.help);
            finding.related.extend(begins.map(|span| (span, "the document begins here".to_owned())));
        }
        if looked.is_whole {
            return Some(looked.documents);
        }
        let mut report = Report::new();
        for node in &looked.documents {
            duplicates(node, self.name, &mut report);
        }
        self.extend(report);
        None
    }

    /// Some of what [`Page::yaml`] read is no value.
    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Adds what an error says about this document, at the place that it names.
    pub(super) fn fail(&mut self, error: &Error) {
        let fact = |name: &str| {
            error.context().iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        let number = |name: &str| fact(name).and_then(|value| value.parse().ok());
        let is_syntax = [Code::YAML_SYNTAX, Code::JSON_SYNTAX].contains(&error.code());
        if let Some(span) = Some(()).filter(|()| is_syntax).and_then(|()| self.conflict()) {
            let message = "the text has the marks of a merge that nobody finished";
            let finding = Diagnostic::new(error.code(), self.name, message).at("", Some(span));
            if !self.found.iter().any(|known| known.span == finding.span && known.code == finding.code) {
                let help = "Take one side of each conflict, and remove the lines <<<<<<<, ======= and >>>>>>>.";
                help.clone_into(&mut self.push(finding).help);
            }
            return;
        }
        let mut span = self.place_of(error);
        if let Some(span) = &mut span
            && [Code::YAML_ALIAS, Code::YAML_TAG, Code::YAML_NUMBER].contains(&error.code())
        {
            *span = self.word(*span);
        }
        let mut help = error.hint();
        if [Code::YAML_SYNTAX, Code::YAML_KEY].contains(&error.code()) {
            help = span.and_then(|span| self.remedy(span)).unwrap_or(help);
        }
        if error.message().starts_with("',' or") {
            help = "Close the list or the mapping with a bracket where it ends; quote a text that holds a colon.";
        }
        let help = help.to_owned();
        let document = fact("entry").or(fact("path")).unwrap_or(self.name).to_owned();
        let mut finding = Diagnostic::new(error.code(), document, error.to_string());
        if let (Some(what), Some(line), Some(column)) = (fact("begins"), number("begins_line"), number("begins_column"))
        {
            finding.related.push((self.place(line, column), format!("{what} begins here")));
        }
        finding.help = help;
        self.push(finding.at(fact("pointer").unwrap_or_default(), span));
    }

    /// The place that an error names.
    fn place_of(&self, error: &Error) -> Option<Span> {
        let number = |name: &str| {
            let fact = error.context().iter().rev().find(|(known, _)| *known == name);
            fact.and_then(|(_, value)| value.parse().ok())
        };
        number("line").map(|line| self.place(line, number("column").unwrap_or(1)))
    }

    /// As far as no blank, comma or closing bracket stands in it.
    fn word(&self, span: Span) -> Span {
        let rest = self.text.get(span.start..).unwrap_or_default();
        let length = rest.iter().position(|byte| b" \t\r\n,]}".contains(byte)).unwrap_or(rest.len());
        let end = span.end.max(span.start + length);
        let word = String::from_utf8_lossy(self.text.get(span.start..end).unwrap_or_default());
        let end_column = span.column.saturating_add(u32::try_from(word.chars().count()).unwrap_or(u32::MAX));
        Span { end, end_column, ..span }
    }

    /// Where a conflict of a version control system begins.
    fn conflict(&self) -> Option<Span> {
        let look = || {
            let at = self.text.split(|byte| *byte == b'\n').position(|line| line.starts_with(b"<<<<<<< "))?;
            let span = self.place(u32::try_from(at + 1).ok()?, 1);
            Some(Span { end: span.start + 7, end_column: 8, ..span })
        };
        *self.conflict.get_or_init(look)
    }

    /// What to do about a place where a text stops being YAML, if the place tells.
    fn remedy(&self, span: Span) -> Option<&'static str> {
        let (before, rest) = self.text.split_at_checked(span.start)?;
        let start = before.rsplit(|byte| *byte == b'\n').next()?;
        let line = [start, rest.split(|byte| *byte == b'\n').next()?].concat();
        match (start.last(), rest.first()) {
            _ if line.iter().take_while(|byte| byte.is_ascii_whitespace()).any(|byte| *byte == b'\t') => {
                Some("YAML takes no tabs before a line's text: indent with blanks.")
            }
            _ if line.windows(2).any(|two| two == b"{{") => {
                Some("Helm runs no templates in this file: put a text with {{ in quotes, or move it to templates/.")
            }
            (_, Some(b'%' | b'@' | b'`')) => Some("Put the text in quotes: none begins with this character."),
            (_, Some(b'*' | b'&')) => Some("Put the text in quotes: * begins an alias of a value, & its anchor."),
            (_, Some(b'-')) if rest.get(1).is_some_and(|next| !b"- \t\r\n".contains(next)) => {
                Some("If this is an item of a list, a blank is missing behind the dash.")
            }
            (_, Some(b':')) if self.lacks_blank(span.start - start.len()) => Some(
                "In the line before, a blank is missing behind the colon: without it that is one text, and no key with a \
                 value.",
            ),
            (_, Some(b':')) => Some(
                "Put the text in quotes if the colon belongs to it; a key stands on a line of its own, as far in as its \
                 neighbours.",
            ),
            (Some(b'\''), Some(_)) => Some("Write a quote twice within single quotes: 'it''s'."),
            (Some(b'"'), Some(_)) => Some("Write \\\" for a quote within double quotes."),
            _ => None,
        }
    }

    /// In the line that ends there, a key and its value stand without a blank between them: `tag:latest`.
    fn lacks_blank(&self, end: usize) -> bool {
        let before = self.text.get(..end).unwrap_or_default().trim_ascii_end();
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
        let (key, value) = line.split_at(colon);
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        key.iter().all(is_word) && value.get(1).is_some_and(|next| is_word(next) || b"\"'".contains(next))
    }

    /// As its first line ends.
    pub(super) fn line_end(&self) -> &'static str {
        let first = self.text.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        if first.ends_with(b"\r\n") { "\r\n" } else { "\n" }
    }

    /// The source text of a span.
    pub(super) fn source(&self, span: Span) -> Option<&'a str> {
        std::str::from_utf8(self.text.get(span.start..span.end)?).ok()
    }

    /// The character at a line and a column; the last of the text, where that one stands behind its end.
    pub(super) fn place(&self, line: u32, column: u32) -> Span {
        let text = self.text;
        let known = Some(self.line.get()).filter(|(known, _)| *known <= line);
        let (first, mut start) = known.unwrap_or((1, 0));
        for _ in first..line {
            let rest = text.get(start..).unwrap_or_default();
            start += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |length| length + 1);
        }
        self.line.set((line.max(1), start));
        if start == 0 && text.starts_with(b"\xef\xbb\xbf") {
            start = 3;
        }
        let row = text.get(start..).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
        let (before, mut length) = (column.saturating_sub(1), 0);
        let mut left = before;
        for chunk in row.utf8_chunks() {
            let invalid = Some(chunk.invalid().len()).filter(|length| *length > 0);
            for width in chunk.valid().chars().map(char::len_utf8).chain(invalid) {
                if left == 0 {
                    length = width;
                    break;
                }
                left -= 1;
                start += width;
            }
            if length > 0 {
                break;
            }
        }
        if start >= text.trim_ascii_end().len() {
            return Span::last(text);
        }
        let (line, column) = (line.max(1), 1 + before - left);
        let end_column = column + u32::from(length > 0);
        Span { start, end: start + length, line, column, end_line: line, end_column }
    }

    /// Everything that was found. Findings of JSON get their places here.
    pub(super) fn report(self) -> Report {
        let is_json = self.text.trim_ascii_start().starts_with(b"{");
        // Each place is looked for from the document's start.
        let mut lookups = if self.text.len() > 1 << 20 { 20 } else { 2 * MOST };
        let mut found = self.found;
        for finding in &mut found {
            // A place of no bytes is no place.
            finding.span = finding.span.filter(|span| *span != Span::default()).map(|span| span.within(self.text));
            finding.fix = finding.fix.take().filter(|fix| fix.span != Span::default());
            if finding.related.iter().any(|(span, _)| *span == Span::default()) {
                finding.related.clear();
            }
            finding.related.iter_mut().for_each(|(span, _)| *span = span.within(self.text));
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
