//! Events of a YAML text: tokens put in order by the grammar of documents, collections and nodes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::resolve::Tag;
use super::token::{Lexer, Mark, Token};
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

/// A step through the text. In each document anchors have the numbers 1, 2, 3 …; 0 is no anchor.
#[derive(Clone, Debug)]
pub(super) enum Event<'a> {
    DocumentStart,
    DocumentEnd,
    Scalar {
        text: Cow<'a, str>,
        plain: bool,
        tag: Tag,
        anchor: usize,
    },
    SequenceStart {
        anchor: usize,
    },
    SequenceEnd,
    MappingStart {
        anchor: usize,
    },
    MappingEnd,
    Alias(usize),
    /// A mistake has ended the reading: nothing follows, and whatever is open ends here.
    Cut,
}

/// What is read, and how much of the whole stands before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) bytes_before: usize,
    pub(super) lines_before: usize,
}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Of the first document, which needs no `---`.
    FirstDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    Node,
    BlockEntry,
    /// In a list that stands no deeper than the key of its mapping.
    HangingEntry,
    BlockKey,
    BlockValue,
    FlowEntry {
        first: bool,
    },
    /// `[a: b]`: a mapping of one pair.
    PairKey,
    PairValue,
    PairEnd,
    FlowKey {
        first: bool,
    },
    FlowValue,
    /// `{a}`: a key alone.
    FlowNoValue,
    End,
}

/// Gives the events of a text one by one.
pub(super) struct Scanner<'a> {
    lexer: Lexer<'a>,
    state: State,
    /// What goes on when the current node is done, the innermost last.
    outer: Vec<State>,
    /// Handles of tags and what they stand for, in this document.
    prefixes: BTreeMap<String, String>,
    /// The latest anchor of each name in this document.
    anchors: BTreeMap<String, usize>,
    last_anchor: usize,
    /// Where the collections begin that have not ended, the innermost last.
    opened: Vec<Mark>,
    /// Where the last collection begins that has ended, and where that was.
    closed: Option<(Mark, Mark)>,
    /// Mistakes that the rest can be read without, and how many of them are gone over before one ends the reading.
    refused: Vec<Error>,
    patience: usize,
}

type Placed<'a> = (Event<'a>, Span);

impl<'a> Scanner<'a> {
    pub(super) fn new(text: Text<'a>, limits: &Limits, patience: usize) -> Result<Scanner<'a>, Error> {
        check_size(text.bytes, limits)?;
        let mark = if text.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let content = decode(&text.bytes[mark..], text.lines_before)?;
        let whole = Text { bytes_before: text.bytes_before + mark, ..text };
        Ok(Scanner {
            lexer: Lexer::new(content, whole, limits),
            state: State::FirstDocument,
            outer: Vec::new(),
            prefixes: BTreeMap::new(),
            anchors: BTreeMap::new(),
            last_anchor: 0,
            opened: Vec::new(),
            closed: None,
            refused: Vec::new(),
            patience,
        })
    }

    /// Goes over a mistake that the rest can be read without, if there is patience left.
    pub(super) fn refuse(&mut self, error: Error) -> Result<(), Error> {
        if self.refused.len() >= self.patience {
            return Err(error);
        }
        // An alias shows the mistakes of its anchor again.
        if !self.refused.iter().any(|known| known.code() == error.code() && known.context() == error.context()) {
            self.refused.push(error);
        }
        Ok(())
    }

    /// The mistake that ends the reading comes last.
    pub(super) fn end_with(&mut self, error: Error) {
        self.refused.push(error);
    }

    /// What was gone over, in the order of the text.
    pub(super) fn into_refused(self) -> Vec<Error> {
        self.refused
    }

    /// No patience was asked for: any mistake ends the reading.
    pub(super) fn is_strict(&self) -> bool {
        self.patience == 0
    }

    /// Something that the innermost collection cannot go on with.
    fn misplaced(&self, message: &str, at: Mark) -> Error {
        let Some(opened) = self.opened.last().copied() else { return self.lexer.error(message, at) };
        let (lexer, what) = (&self.lexer, self.lexer.kind_of(opened));
        if matches!(lexer.byte_of(opened), b'[' | b'{') {
            let hint = "Close the bracket; put a text that begins with one in quotes.";
            let message = if at.byte >= lexer.text.trim_end().len() { "a bracket is not closed" } else { message };
            return lexer.explained(message, hint, Some((what, opened)), at);
        }
        const ALIKE: &str = "Indent what belongs together alike, with blanks.";
        // Neither as deep as what has just ended, nor as what goes on: the nearer of them is meant.
        let closed = self.closed.filter(|(_, end)| end.byte == at.byte).map(|(start, _)| start);
        let is_meant = |start: &Mark| {
            let deeper = start.column.saturating_sub(at.column);
            deeper > 0 && deeper <= at.column.saturating_sub(opened.column)
        };
        if let Some(start) = closed.filter(is_meant) {
            return lexer.explained(message, ALIKE, Some((lexer.kind_of(start), start)), at);
        }
        // Below a value that has nothing below it.
        match lexer.scalar_before(at) {
            Some((start, end)) if closed.is_none() && at.column > opened.column && start.byte > opened.byte => {
                lexer.explained(message, lexer.hint_below(start, end), Some(("the value above it", start)), at)
            }
            _ => lexer.explained(message, ALIKE, Some((what, opened)), at),
        }
    }

    /// The next event; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Placed<'a>>, Error> {
        match self.state {
            State::FirstDocument => self.document_start(true),
            State::Document => self.document_start(false),
            State::DocumentContent => self.document_content().map(Some),
            State::DocumentEnd => self.document_end().map(Some),
            State::Node => self.node(true, false).map(Some),
            State::BlockEntry => self.block_entry().map(Some),
            State::HangingEntry => self.hanging_entry().map(Some),
            State::BlockKey => self.block_key().map(Some),
            State::BlockValue => self.block_value().map(Some),
            State::FlowEntry { first } => self.flow_entry(first).map(Some),
            State::PairKey => self.pair_key().map(Some),
            State::PairValue => self.pair_value().map(Some),
            State::PairEnd => {
                self.state = State::FlowEntry { first: false };
                self.event_before_next(Event::MappingEnd).map(Some)
            }
            State::FlowKey { first } => self.flow_key(first).map(Some),
            State::FlowValue => self.flow_value().map(Some),
            State::FlowNoValue => {
                let at = self.lexer.peek()?.start;
                Ok(Some(self.empty(at, State::FlowKey { first: false })))
            }
            State::End => Ok(None),
        }
    }

    // Documents.

    fn document_start(&mut self, first: bool) -> Result<Option<Placed<'a>>, Error> {
        if !first {
            while matches!(self.lexer.peek()?.token, Token::DocumentEnd) {
                self.lexer.next()?;
            }
        }
        self.prefixes.clear();
        self.anchors.clear();
        self.last_anchor = 0;
        let bare = match self.lexer.peek()?.token {
            Token::End => {
                self.state = State::End;
                return Ok(None);
            }
            Token::Version(_) | Token::TagPrefix { .. } | Token::DocumentStart => false,
            _ => first,
        };
        self.directives()?;
        let event = self.event_before_next(Event::DocumentStart)?;
        if bare {
            self.state = State::Node;
        } else {
            let lexeme = self.lexer.next()?;
            if !matches!(lexeme.token, Token::DocumentStart) {
                return Err(self.lexer.error("a further document must begin with ---", lexeme.start));
            }
            self.state = State::DocumentContent;
        }
        self.outer.push(State::DocumentEnd);
        Ok(Some(event))
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut has_version = false;
        while matches!(self.lexer.peek()?.token, Token::Version(_) | Token::TagPrefix { .. }) {
            let lexeme = self.lexer.next()?;
            match lexeme.token {
                Token::Version("1.1") if !has_version => has_version = true,
                Token::Version(_) => {
                    return Err(self.lexer.error("only %YAML 1.1 is understood, and only once", lexeme.start));
                }
                Token::TagPrefix { handle, prefix } if !self.prefixes.contains_key(handle) => {
                    self.prefixes.insert(handle.to_owned(), prefix);
                }
                _ => {
                    return Err(self.lexer.error("the directive %TAG stands twice for one handle", lexeme.start));
                }
            }
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.prefixes.contains_key(handle) {
                self.prefixes.insert(handle.to_owned(), prefix.to_owned());
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Result<Placed<'a>, Error> {
        let next = self.lexer.peek()?;
        let at = next.start;
        match next.token {
            Token::Version(_) | Token::TagPrefix { .. } | Token::DocumentStart | Token::DocumentEnd | Token::End => {
                let outer = self.pop();
                Ok(self.empty(at, outer))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Result<Placed<'a>, Error> {
        let event = self.event_before_next(Event::DocumentEnd)?;
        if matches!(self.lexer.peek()?.token, Token::DocumentEnd) {
            self.lexer.next()?;
        }
        self.lexer.refuse_what_is_decoded()?;
        self.state = State::Document;
        Ok(event)
    }

    // Nodes.

    /// A node begins; `hanging` says that a list may stand no deeper than its key.
    fn node(&mut self, block: bool, hanging: bool) -> Result<Placed<'a>, Error> {
        let start = self.lexer.peek()?.start;
        if let Token::Alias(name) = self.lexer.peek()?.token {
            let lexeme = self.lexer.next()?;
            let span = self.lexer.span(lexeme.start, lexeme.end);
            let anchor = self.anchors.get(name).copied();
            self.state = self.pop();
            let Some(anchor) = anchor else {
                self.refuse(error_at(Code::YAML_ALIAS, format!("the alias *{name} has no anchor before it"), span))?;
                let text = Cow::Borrowed(self.lexer.text.get(lexeme.start.byte..lexeme.end.byte).unwrap_or_default());
                return Ok((Event::Scalar { text, plain: false, tag: Tag::None, anchor: 0 }, span));
            };
            return Ok((Event::Alias(anchor), span));
        }
        let (anchor, tag) = self.properties()?;
        let next = self.lexer.peek()?;
        let (at, end) = (next.start, next.end);
        let (event, state) = match &next.token {
            Token::Entry if hanging => (Event::SequenceStart { anchor }, State::HangingEntry),
            Token::FlowSequence => (Event::SequenceStart { anchor }, State::FlowEntry { first: true }),
            Token::FlowMapping => (Event::MappingStart { anchor }, State::FlowKey { first: true }),
            Token::BlockSequence if block => (Event::SequenceStart { anchor }, State::BlockEntry),
            Token::BlockMapping if block => (Event::MappingStart { anchor }, State::BlockKey),
            Token::Scalar { .. } => {
                let lexeme = self.lexer.next()?;
                let Token::Scalar { text, plain } = lexeme.token else { return Err(self.lexer.error("no scalar", at)) };
                let tag = tag.unwrap_or(Tag::None);
                (Event::Scalar { text, plain, tag, anchor }, self.pop())
            }
            _ if anchor != 0 || tag.is_some() => {
                let tag = tag.unwrap_or(Tag::None);
                let event = Event::Scalar { text: Cow::Borrowed(""), plain: true, tag, anchor };
                self.state = self.pop();
                return Ok((event, self.lexer.span(start, start)));
            }
            _ => return Err(self.misplaced("a value is missing here", at)),
        };
        if !matches!(event, Event::Scalar { .. }) {
            self.opened.push(at);
            if !matches!(state, State::HangingEntry) {
                self.lexer.next()?;
            }
        }
        self.state = state;
        Ok((event, self.lexer.span(at, end)))
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self) -> Result<(usize, Option<Tag>), Error> {
        let (mut anchor, mut tag) = (0, None);
        loop {
            match self.lexer.peek()?.token {
                Token::Anchor(name) if anchor == 0 => {
                    self.lexer.next()?;
                    self.last_anchor += 1;
                    anchor = self.last_anchor;
                    self.anchors.insert(name.to_owned(), anchor);
                }
                Token::Tag { .. } if tag.is_none() => {
                    let lexeme = self.lexer.next()?;
                    let Token::Tag { handle, suffix } = lexeme.token else { continue };
                    tag = Some(match self.prefixes.get(handle) {
                        _ if handle.is_empty() => Tag::of("", &suffix),
                        Some(prefix) => Tag::of(prefix, &suffix),
                        None => {
                            self.refuse(self.lexer.error("no %TAG directive explains the tag", lexeme.start))?;
                            Tag::Other
                        }
                    });
                }
                _ => return Ok((anchor, tag)),
            }
        }
    }

    /// Nothing where a value could stand: null.
    fn empty(&mut self, at: Mark, state: State) -> Placed<'a> {
        self.state = state;
        let event = Event::Scalar { text: Cow::Borrowed(""), plain: true, tag: Tag::None, anchor: 0 };
        (event, self.lexer.span(at, at))
    }

    fn event_before_next(&mut self, event: Event<'a>) -> Result<Placed<'a>, Error> {
        let at = self.lexer.peek()?.start;
        Ok((event, self.lexer.span(at, at)))
    }

    /// Takes the token that ends a collection.
    fn close(&mut self, event: Event<'a>) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.next()?;
        self.state = self.pop();
        self.closed = self.opened.pop().map(|start| (start, lexeme.start));
        Ok((event, self.lexer.span(lexeme.start, lexeme.end)))
    }

    fn pop(&mut self) -> State {
        self.outer.pop().unwrap_or(State::End)
    }

    // Block collections.

    fn block_entry(&mut self) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.peek()?;
        let (start, end) = (lexeme.start, lexeme.end);
        match lexeme.token {
            Token::Entry => {
                self.lexer.next()?;
                match self.lexer.peek()?.token {
                    Token::Entry | Token::BlockEnd => Ok(self.empty(end, State::BlockEntry)),
                    _ => {
                        self.outer.push(State::BlockEntry);
                        self.node(true, false)
                    }
                }
            }
            Token::BlockEnd => self.close(Event::SequenceEnd),
            _ => Err(self.misplaced("a list goes on with something that is no entry: indentation?", start)),
        }
    }

    fn hanging_entry(&mut self) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.peek()?;
        let end = lexeme.end;
        if !matches!(lexeme.token, Token::Entry) {
            self.state = self.pop();
            self.opened.pop();
            return self.event_before_next(Event::SequenceEnd);
        }
        self.lexer.next()?;
        match self.lexer.peek()?.token {
            Token::Entry | Token::Key | Token::Value | Token::BlockEnd => Ok(self.empty(end, State::HangingEntry)),
            _ => {
                self.outer.push(State::HangingEntry);
                self.node(true, false)
            }
        }
    }

    fn block_key(&mut self) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.peek()?;
        let (start, end) = (lexeme.start, lexeme.end);
        match lexeme.token {
            Token::Key => {
                self.lexer.next()?;
                match self.lexer.peek()?.token {
                    Token::Key | Token::Value | Token::BlockEnd => Ok(self.empty(end, State::BlockValue)),
                    _ => {
                        self.outer.push(State::BlockValue);
                        self.node(true, true)
                    }
                }
            }
            Token::BlockEnd => self.close(Event::MappingEnd),
            Token::Entry | Token::BlockSequence => {
                Err(self.misplaced("an entry of a list stands where a mapping goes on: indentation?", start))
            }
            _ => Err(self.misplaced("a mapping goes on with something that is no key: indentation?", start)),
        }
    }

    fn block_value(&mut self) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.peek()?;
        let (start, end) = (lexeme.start, lexeme.end);
        if !matches!(lexeme.token, Token::Value) {
            return Ok(self.empty(start, State::BlockKey));
        }
        self.lexer.next()?;
        match self.lexer.peek()?.token {
            Token::Key | Token::Value | Token::BlockEnd => Ok(self.empty(end, State::BlockKey)),
            _ => {
                self.outer.push(State::BlockKey);
                self.node(true, true)
            }
        }
    }

    // Flow collections.

    fn comma(&mut self, first: bool, message: &str) -> Result<(), Error> {
        if first {
            return Ok(());
        }
        let lexeme = self.lexer.next()?;
        if matches!(lexeme.token, Token::FlowEntry) { Ok(()) } else { Err(self.misplaced(message, lexeme.start)) }
    }

    fn flow_entry(&mut self, first: bool) -> Result<Placed<'a>, Error> {
        if !matches!(self.lexer.peek()?.token, Token::FlowSequenceEnd) {
            self.comma(first, "',' or ']' is missing")?;
            match self.lexer.peek()?.token {
                Token::Key => {
                    let lexeme = self.lexer.next()?;
                    self.state = State::PairKey;
                    return Ok((Event::MappingStart { anchor: 0 }, self.lexer.span(lexeme.start, lexeme.end)));
                }
                Token::FlowSequenceEnd => {}
                _ => {
                    self.outer.push(State::FlowEntry { first: false });
                    return self.node(false, false);
                }
            }
        }
        self.close(Event::SequenceEnd)
    }

    fn pair_key(&mut self) -> Result<Placed<'a>, Error> {
        match self.lexer.peek()?.token {
            Token::Value | Token::FlowEntry | Token::FlowSequenceEnd => {
                // Taken, as libyaml does; what stands behind decides whether there is a value.
                let lexeme = self.lexer.next()?;
                Ok(self.empty(lexeme.end, State::PairValue))
            }
            _ => {
                self.outer.push(State::PairValue);
                self.node(false, false)
            }
        }
    }

    fn pair_value(&mut self) -> Result<Placed<'a>, Error> {
        let lexeme = self.lexer.peek()?;
        let mut at = lexeme.start;
        if matches!(lexeme.token, Token::Value) {
            self.lexer.next()?;
            let lexeme = self.lexer.peek()?;
            at = lexeme.start;
            if !matches!(lexeme.token, Token::FlowEntry | Token::FlowSequenceEnd) {
                self.outer.push(State::PairEnd);
                return self.node(false, false);
            }
        }
        Ok(self.empty(at, State::PairEnd))
    }

    fn flow_key(&mut self, first: bool) -> Result<Placed<'a>, Error> {
        if !matches!(self.lexer.peek()?.token, Token::FlowMappingEnd) {
            self.comma(first, "',' or '}' is missing")?;
            match self.lexer.peek()?.token {
                Token::Key => {
                    self.lexer.next()?;
                    let lexeme = self.lexer.peek()?;
                    if matches!(lexeme.token, Token::Value | Token::FlowEntry | Token::FlowMappingEnd) {
                        let at = lexeme.start;
                        return Ok(self.empty(at, State::FlowValue));
                    }
                    self.outer.push(State::FlowValue);
                    return self.node(false, false);
                }
                Token::FlowMappingEnd => {}
                _ => {
                    self.outer.push(State::FlowNoValue);
                    return self.node(false, false);
                }
            }
        }
        self.close(Event::MappingEnd)
    }

    fn flow_value(&mut self) -> Result<Placed<'a>, Error> {
        let next = State::FlowKey { first: false };
        let lexeme = self.lexer.peek()?;
        let mut at = lexeme.start;
        if matches!(lexeme.token, Token::Value) {
            self.lexer.next()?;
            let lexeme = self.lexer.peek()?;
            at = lexeme.start;
            if !matches!(lexeme.token, Token::FlowEntry | Token::FlowMappingEnd) {
                self.outer.push(next);
                return self.node(false, false);
            }
        }
        Ok(self.empty(at, next))
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
