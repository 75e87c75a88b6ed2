//! Events of a YAML text, each with its place.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Parser, ScalarStyle, StrInput};

use super::resolve::Tag;
use crate::diagnostic::Span;
use crate::error::{Code, Error};
use crate::limits::Limits;

/// The deepest nesting that any [`Limits`] can ask for: what is deeper would not fit the stack.
const DEEPEST: u32 = 512;

/// How deep a document may nest.
pub(super) fn depth(limits: &Limits) -> u32 {
    limits.depth.min(DEEPEST)
}

/// An error of that code, at that place.
pub(super) fn error_at(code: Code, message: impl Into<String>, span: Span) -> Error {
    Error::new(code, message).with("line", span.line).with("column", span.column)
}

/// A step through the text. Anchors have numbers from 1 on; 0 is no anchor.
#[derive(Clone, Debug)]
pub(super) enum Event<'a> {
    DocumentStart,
    DocumentEnd,
    Scalar { text: Cow<'a, str>, plain: bool, tag: Tag, anchor: usize },
    SequenceStart { anchor: usize },
    SequenceEnd,
    MappingStart { anchor: usize },
    MappingEnd,
    Alias(usize),
}

/// What is read, and how much of the whole stands before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) bytes_before: usize,
    pub(super) lines_before: usize,
}

/// Gives the events of a text one by one.
pub(super) struct Scanner<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    bytes_before: usize,
    lines_before: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: Text<'a>, limits: &Limits) -> Result<Scanner<'a>, Error> {
        let Text { bytes, bytes_before, lines_before } = text;
        check_size(bytes, limits)?;
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let text = decode(&bytes[mark..], lines_before)?;
        let nesting = depth(limits) as usize + 1;
        let options = granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: nesting,
            block_nesting_limit: nesting,
        };
        let parser = Parser::new_from_str_with_options(text, options);
        Ok(Scanner { parser, text, bytes_before: bytes_before + mark, lines_before })
    }

    /// The next event; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Error> {
        use granit_parser::Event as Raw;
        loop {
            let (raw, place) = match self.parser.next_event() {
                Some(Ok(pair)) => pair,
                Some(Err(error)) => return Err(self.syntax(&error)),
                None => return Ok(None),
            };
            let event = match raw {
                Raw::DocumentStart(..) => Event::DocumentStart,
                Raw::DocumentEnd => Event::DocumentEnd,
                Raw::Scalar(text, style, anchor, tag) => Event::Scalar {
                    text: if self.is_cut_off(style, place) { without_break(text) } else { text },
                    plain: style == ScalarStyle::Plain,
                    tag: tag.map_or(Tag::None, |tag| Tag::of(tag.handle(), tag.suffix())),
                    anchor,
                },
                Raw::SequenceStart(_, anchor, _) => Event::SequenceStart { anchor },
                Raw::SequenceEnd => Event::SequenceEnd,
                Raw::MappingStart(_, anchor, _) => Event::MappingStart { anchor },
                Raw::MappingEnd => Event::MappingEnd,
                Raw::Alias(anchor) => Event::Alias(anchor),
                _ => continue,
            };
            return Ok(Some((event, self.span(place))));
        }
    }

    /// A block scalar whose last line ends with the text and not with a line break: go-yaml adds none.
    fn is_cut_off(&self, style: ScalarStyle, place: granit_parser::Span) -> bool {
        let last_line = self.text.rsplit(['\n', '\r']).next().unwrap_or_default();
        matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && place.end.byte_offset() == Some(self.text.len())
            && last_line.contains(|c| c != ' ')
    }

    fn span(&self, place: granit_parser::Span) -> Span {
        let (start, end) = (place.start, place.end);
        Span {
            start: start.byte_offset().unwrap_or(0) + self.bytes_before,
            end: end.byte_offset().unwrap_or(0) + self.bytes_before,
            line: number(start.line() + self.lines_before),
            column: number(start.col() + 1),
            end_line: number(end.line() + self.lines_before),
            end_column: number(end.col() + 1),
        }
    }

    fn syntax(&self, error: &granit_parser::ScanError) -> Error {
        let place = self.span(granit_parser::Span::empty(*error.marker()));
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => error_at(Code::LIMIT_DEPTH, "the document nests too deeply", place),
            ErrorKind::UnknownAnchor => error_at(Code::YAML_ALIAS, "the alias has no anchor before it", place),
            kind => error_at(Code::YAML_SYNTAX, kind.to_string(), place),
        }
    }
}

/// The text is within the limit of its size.
pub(super) fn check_size(text: &[u8], limits: &Limits) -> Result<(), Error> {
    if text.len() as u64 > limits.document {
        return Err(Error::new(Code::LIMIT_DOCUMENT, format!("the document has {} bytes", text.len()))
            .with("limit", limits.document)
            .with("size", text.len()));
    }
    Ok(())
}

fn without_break(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_suffix('\n') {
        Some(shorter) => Cow::Owned(shorter.to_owned()),
        None => text,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn decode(text: &[u8], lines_before: usize) -> Result<&str, Error> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err(Error::new(Code::YAML_ENCODING, "the document is UTF-16"));
    }
    std::str::from_utf8(text).map_err(|error| {
        let before = &text[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + lines_before + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        Error::new(Code::YAML_ENCODING, "the document is not UTF-8").with("line", line).with("column", column)
    })
}
