//! Tokens of a YAML text, by the grammar that libyaml and go-yaml v2 share: YAML 1.1, with their liberties.
//!
//! What makes this grammar special is the simple key: whether a scalar is one is known only when a `:` follows on the same
//! line, within 1024 characters. Tokens therefore wait in a queue while their first may still turn out to begin a mapping.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::scan::{Text, depth, error_at};
use crate::diagnostic::Span;
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::slots::Slots;

/// A place in the text. All count from zero; `index` and `column` count characters. YAML has more line breaks than people
/// and editors: they count `rows`, which end with a line feed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) byte: usize,
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
    row: usize,
    /// The index of the row's first character.
    row_index: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Token<'a> {
    Version(&'a str),
    TagPrefix { handle: &'a str, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequence,
    BlockMapping,
    BlockEnd,
    FlowSequence,
    FlowSequenceEnd,
    FlowMapping,
    FlowMappingEnd,
    Entry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag { handle: &'a str, suffix: String },
    Scalar { text: Cow<'a, str>, plain: bool },
    End,
}

/// A token and its place.
#[derive(Clone, Debug)]
pub(super) struct Lexeme<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

/// A token that is a key if a `:` follows in time.
struct SimpleKey {
    /// It begins in the column of the current mapping: it can be nothing but a key.
    required: bool,
    start: Mark,
}

/// What go-yaml decodes at once.
const CHUNK: usize = 512;

/// Gives the tokens of a text one by one.
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    /// The text goes on, but with a character that YAML forbids.
    forbidden: bool,
    bytes_before: usize,
    lines_before: usize,
    pub(super) mark: Mark,
    pub(super) queue: VecDeque<Lexeme<'a>>,
    /// How many tokens have left the queue: the number of its first.
    taken: usize,
    /// The number of the token that may be a key, for each level of flow collections and for the block around them.
    key_at: Vec<Option<usize>>,
    keys: Slots<usize, SimpleKey>,
    pub(super) key_allowed: bool,
    /// The column of the innermost block collection, -1 outside of any; and those around it.
    pub(super) indent: isize,
    indents: Vec<isize>,
    deepest: usize,
    /// Where the last scalars begin and end that are no blocks, the latest first: some are read ahead.
    scalars: [Option<(Mark, Mark)>; 4],
    /// Where the brackets open that are not closed.
    brackets: Vec<Mark>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, whole: Text<'_>, limits: &Limits) -> Lexer<'a> {
        let allowed = text.char_indices().find(|(_, c)| !is_allowed(*c)).map_or(text.len(), |(at, _)| at);
        Lexer {
            text: &text[..allowed],
            forbidden: allowed < text.len(),
            bytes_before: whole.bytes_before,
            lines_before: whole.lines_before,
            mark: Mark::default(),
            queue: VecDeque::new(),
            taken: 0,
            key_at: vec![None],
            keys: Slots::new(),
            key_allowed: true,
            indent: -1,
            indents: Vec::new(),
            deepest: depth(limits) as usize,
            scalars: [None; 4],
            brackets: Vec::new(),
        }
    }

    /// The next token, which stays where it is. After the last it is `End`, again and again.
    pub(super) fn peek(&mut self) -> Result<&Lexeme<'a>, Error> {
        while self.queue.is_empty() || self.first_may_be_key()? {
            self.fetch()?;
        }
        self.queue.front().ok_or_else(|| self.error("the text ends too early", self.mark))
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Lexeme<'a>, Error> {
        self.peek()?;
        let lexeme = self.queue.pop_front();
        self.taken += 1;
        lexeme.ok_or_else(|| self.error("the text ends too early", self.mark))
    }

    pub(super) fn span(&self, start: Mark, end: Mark) -> Span {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Span {
            start: start.byte + self.bytes_before,
            end: end.byte + self.bytes_before,
            line: number(start.row + self.lines_before + 1),
            column: number((start.index + 1).saturating_sub(start.row_index)),
            end_line: number(end.row + self.lines_before + 1),
            end_column: number((end.index + 1).saturating_sub(end.row_index)),
        }
    }

    pub(super) fn error(&self, message: &str, at: Mark) -> Error {
        self.explained(message, "", None, at)
    }

    /// A mistake, with what to do about it, and with what it is that begins elsewhere and has to do with it. Behind quotes
    /// that end in its line and open in another, the mistake is another: the quotes that were to end there.
    pub(super) fn explained(&self, message: &str, hint: &str, begins: Option<(&str, Mark)>, at: Mark) -> Error {
        let quotes = self.long_scalar_before(at).filter(|start| matches!(self.byte_of(*start), b'"' | b'\''));
        let (message, hint, begins) = match quotes {
            Some(start) => (
                "text stands behind quotes that end in this line and open in another",
                "Close the quotes in the line where they open.",
                Some(("the text in quotes", start)),
            ),
            None => {
                // Within brackets much is wrong that is right outside of them.
                let bracket = self.brackets.last().filter(|start| start.line < at.line);
                (message, hint, begins.or(bracket.map(|start| (self.kind_of(*start), *start))))
            }
        };
        let mut span = self.span(at, at);
        // What is missing at the end is missed at the last character that is no blank.
        if !self.forbidden && at.byte >= self.text.trim_ascii_end().len() {
            let last = Span::last(self.text.as_bytes());
            let lines_before = u32::try_from(self.lines_before).unwrap_or(u32::MAX);
            span = Span { line: last.line.saturating_add(lines_before), ..last };
        }
        let mut error = error_at(Code::YAML_SYNTAX, message, span);
        if !hint.is_empty() {
            error = error.with_hint(hint);
        }
        let Some((what, start)) = begins else { return error };
        let Span { line, column, .. } = self.span(start, start);
        error.with("begins", what).with("begins_line", line).with("begins_column", column)
    }

    pub(super) fn byte_of(&self, mark: Mark) -> u8 {
        self.text.as_bytes().get(mark.byte).copied().unwrap_or_default()
    }

    /// What kind of collection begins there.
    pub(super) fn kind_of(&self, start: Mark) -> &'static str {
        if matches!(self.byte_of(start), b'[' | b'-') { "the list" } else { "the mapping" }
    }

    /// The last scalar before this place: where it begins and ends.
    pub(super) fn scalar_before(&self, at: Mark) -> Option<(Mark, Mark)> {
        self.scalars.iter().flatten().find(|(_, end)| end.byte <= at.byte).copied()
    }

    /// A scalar that began in an earlier line and ended in this one, before this place.
    fn long_scalar_before(&self, at: Mark) -> Option<Mark> {
        let ends_here =
            |(start, end): &&(Mark, Mark)| end.byte <= at.byte && end.line == at.line && start.line < at.line;
        self.scalars.iter().flatten().find(ends_here).map(|(start, _)| *start)
    }

    /// What to do about a line that takes this scalar for its own, or that cannot stand below it.
    pub(super) fn hint_below(&self, start: Mark, end: Mark) -> &'static str {
        let text = self.text.get(start.byte..end.byte).unwrap_or_default();
        match text.lines().next().is_some_and(|line| line.contains(':')) {
            true => "Write a blank behind the colon of a key.",
            false => "Indent what belongs together alike, with blanks; put a text of several lines in quotes.",
        }
    }

    pub(super) fn push_scalar(&mut self, text: Cow<'a, str>, plain: bool, start: Mark, end: Mark) {
        self.scalars.rotate_right(1);
        self.scalars[0] = Some((start, end));
        self.queue.push_back(Lexeme { token: Token::Scalar { text, plain }, start, end });
    }

    // Characters.

    /// The byte so many bytes ahead; zero behind the end, and only there.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.mark.byte + ahead).copied().unwrap_or(0)
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.mark.byte..]
    }

    pub(super) fn at_end(&self) -> bool {
        self.mark.byte >= self.text.len()
    }

    pub(super) fn blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Bytes of the line break so many bytes ahead, zero if there is none.
    fn break_length(&self, ahead: usize) -> usize {
        match (self.byte(ahead), self.byte(ahead + 1), self.byte(ahead + 2)) {
            (b'\r', b'\n', _) => 2,
            (b'\r' | b'\n', _, _) => 1,
            (0xc2, 0x85, _) => 2,
            (0xe2, 0x80, 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    pub(super) fn is_break(&self) -> bool {
        self.break_length(0) > 0
    }

    /// A blank, a line break or the end stands so many bytes ahead.
    pub(super) fn space(&self, ahead: usize) -> bool {
        self.blank(ahead) || self.break_length(ahead) > 0 || self.mark.byte + ahead >= self.text.len()
    }

    pub(super) fn column(&self) -> isize {
        isize::try_from(self.mark.column).unwrap_or(isize::MAX)
    }

    pub(super) fn flow(&self) -> bool {
        self.key_at.len() > 1
    }

    pub(super) fn skip(&mut self) {
        let width = match self.byte(0) {
            0..=0xbf => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
        };
        self.mark.byte = self.text.len().min(self.mark.byte + width);
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(super) fn skip_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    pub(super) fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let start = self.mark.byte;
        while !self.at_end() && wanted(self.byte(0)) {
            self.skip();
        }
        &self.text[start..self.mark.byte]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.skip_while(|byte| byte == b' ' || byte == b'\t');
    }

    pub(super) fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !self.at_end() && !self.is_break() {
                self.skip();
            }
        }
    }

    /// Goes to the next line and gives what stands for the break: a line feed, or U+2028 and U+2029 as they are.
    pub(super) fn skip_break(&mut self) -> &'a str {
        let length = self.break_length(0);
        let start = self.mark.byte;
        self.mark.byte += length;
        self.mark.index += if self.text[start..].starts_with("\r\n") { 2 } else { usize::from(length > 0) };
        self.mark.line += usize::from(length > 0);
        self.mark.column = 0;
        if self.text[..self.mark.byte].ends_with('\n') {
            (self.mark.row, self.mark.row_index) = (self.mark.row + usize::from(length > 0), self.mark.index);
        }
        if length == 3 { &self.text[start..self.mark.byte] } else { "\n" }
    }

    /// `---` or `...` at the start of a line.
    pub(super) fn is_document_mark(&self) -> bool {
        self.mark.column == 0 && (self.rest().starts_with("---") || self.rest().starts_with("...")) && self.space(3)
    }

    // Keys and indentation.

    /// The first token in the queue may still become a key.
    fn first_may_be_key(&mut self) -> Result<bool, Error> {
        if self.keys.is_empty() { Ok(false) } else { self.is_valid(self.taken) }
    }

    /// The key is still possible; if it no longer is, it is forgotten.
    fn is_valid(&mut self, number: usize) -> Result<bool, Error> {
        let Some(key) = self.keys.get(&number) else { return Ok(false) };
        if key.start.line == self.mark.line && self.mark.index <= key.start.index + 1024 {
            return Ok(true);
        }
        self.forget(number)?;
        Ok(false)
    }

    fn forget(&mut self, number: usize) -> Result<(), Error> {
        match self.keys.remove(&number) {
            Some(key) if key.required => {
                let hint = "Write a colon and a blank behind the key; indent what goes on with the text above.";
                Err(self.explained("a key has no ':' behind it in its line", hint, None, key.start))
            }
            _ => Ok(()),
        }
    }

    /// What comes next may be a key.
    pub(super) fn save_key(&mut self) -> Result<(), Error> {
        if self.key_allowed {
            self.drop_key()?;
            let required = !self.flow() && self.indent == self.column();
            let number = self.taken + self.queue.len();
            self.keys.insert(number, SimpleKey { required, start: self.mark });
            if let Some(level) = self.key_at.last_mut() {
                *level = Some(number);
            }
        }
        Ok(())
    }

    /// What might have been a key on this level is none.
    pub(super) fn drop_key(&mut self) -> Result<(), Error> {
        match self.key_at.last_mut().and_then(Option::take) {
            Some(number) => self.forget(number),
            None => Ok(()),
        }
    }

    /// Opens a block collection if the column asks for one; its token goes before the one with that number.
    fn roll_indent(&mut self, column: isize, before: Option<usize>, token: Token<'a>, at: Mark) -> Result<(), Error> {
        if self.flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.check_depth(self.indents.len())?;
        self.insert(before, Lexeme { token, start: at, end: at });
        Ok(())
    }

    pub(super) fn unroll_indent(&mut self, column: isize) {
        while !self.flow() && self.indent > column {
            self.push(Token::BlockEnd, self.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        if depth > self.deepest {
            let message = format!("the document nests deeper than {} levels", self.deepest);
            return Err(error_at(Code::LIMIT_DEPTH, message, self.span(self.mark, self.mark)));
        }
        Ok(())
    }

    fn insert(&mut self, before: Option<usize>, lexeme: Lexeme<'a>) {
        let at = before.map_or(self.queue.len(), |number| number.saturating_sub(self.taken).min(self.queue.len()));
        self.queue.insert(at, lexeme);
    }

    pub(super) fn push(&mut self, token: Token<'a>, start: Mark) {
        self.queue.push_back(Lexeme { token, start, end: self.mark });
    }

    fn push_mark(&mut self, token: Token<'a>, length: usize) {
        let start = self.mark;
        self.skip_many(length);
        self.push(token, start);
    }

    // Tokens.

    fn fetch(&mut self) -> Result<(), Error> {
        self.skip_to_token();
        self.unroll_indent(self.column());
        if self.at_end() {
            return self.end();
        }
        let (byte, flow) = (self.byte(0), self.flow());
        match byte {
            b'%' if self.mark.column == 0 => self.directive(),
            b'-' | b'.' if self.is_document_mark() => {
                self.unroll_indent(-1);
                self.drop_key()?;
                self.key_allowed = false;
                self.push_mark(if byte == b'-' { Token::DocumentStart } else { Token::DocumentEnd }, 3);
                Ok(())
            }
            b'[' => self.flow_start(Token::FlowSequence),
            b'{' => self.flow_start(Token::FlowMapping),
            b']' => self.flow_end(Token::FlowSequenceEnd),
            b'}' => self.flow_end(Token::FlowMappingEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.push_mark(Token::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.space(1) => self.entry(),
            b'?' if flow || self.space(1) => self.key(),
            b':' if flow || self.space(1) => self.value(),
            b'*' | b'&' => self.anchor(),
            b'!' => self.tag(),
            b'|' | b'>' if !flow => self.block_scalar(),
            b'\'' | b'"' => self.quoted_scalar(),
            b'\t' => Err(self.error("a tab stands where indentation should be", self.mark)),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                let message = format!("no value can begin with {:?}", char::from(byte));
                Err(self.explained(&message, "Put the text in quotes.", None, self.mark))
            }
            _ => self.plain_scalar(),
        }
    }

    /// Blanks and comments. Tabs are no indentation.
    fn skip_to_token(&mut self) {
        loop {
            while self.byte(0) == b' ' || self.byte(0) == b'\t' && (self.flow() || !self.key_allowed) {
                self.skip();
            }
            self.skip_comment();
            if !self.is_break() {
                return;
            }
            self.skip_break();
            if !self.flow() {
                self.key_allowed = true;
            }
        }
    }

    /// go-yaml decodes 512 bytes at a time, and refuses a character that YAML forbids in what it never comes to read.
    pub(super) fn refuse_what_is_decoded(&mut self) -> Result<(), Error> {
        if !self.forbidden || self.text.len() / CHUNK > (self.mark.byte + 1) / CHUNK {
            return Ok(());
        }
        while !self.at_end() {
            if self.is_break() {
                self.skip_break();
            } else {
                self.skip();
            }
        }
        Err(self.error("the text has a control character", self.mark))
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.forbidden {
            return Err(self.error("the text has a control character", self.mark));
        }
        // Nothing in the last line can become a key any more.
        self.mark.line += usize::from(self.mark.column != 0);
        self.mark.column = 0;
        self.unroll_indent(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.push(Token::End, self.mark);
        Ok(())
    }

    fn flow_start(&mut self, token: Token<'a>) -> Result<(), Error> {
        self.save_key()?;
        self.check_depth(self.key_at.len())?;
        self.key_at.push(None);
        self.brackets.push(self.mark);
        self.key_allowed = true;
        self.push_mark(token, 1);
        Ok(())
    }

    fn flow_end(&mut self, token: Token<'a>) -> Result<(), Error> {
        self.drop_key()?;
        if self.flow() {
            self.key_at.pop();
            self.brackets.pop();
        }
        self.key_allowed = false;
        self.push_mark(token, 1);
        Ok(())
    }

    fn entry(&mut self) -> Result<(), Error> {
        // Within a flow collection this is a mistake too; the events know which one.
        if !self.flow() {
            if !self.key_allowed {
                return Err(self.error("a list cannot begin here", self.mark));
            }
            self.roll_indent(self.column(), None, Token::BlockSequence, self.mark)?;
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.push_mark(Token::Entry, 1);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Error> {
        if !self.flow() {
            if !self.key_allowed {
                return Err(self.error("a key cannot stand here", self.mark));
            }
            self.roll_indent(self.column(), None, Token::BlockMapping, self.mark)?;
        }
        self.drop_key()?;
        self.key_allowed = !self.flow();
        self.push_mark(Token::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Error> {
        let number = self.key_at.last().copied().flatten();
        let key = match number {
            Some(number) if self.is_valid(number)? => self.keys.remove(&number),
            _ => None,
        };
        if let (Some(key), Some(number)) = (key, number) {
            self.insert(Some(number), Lexeme { token: Token::Key, start: key.start, end: key.start });
            let column = isize::try_from(key.start.column).unwrap_or(isize::MAX);
            self.roll_indent(column, Some(number), Token::BlockMapping, key.start)?;
            self.key_allowed = false;
        } else {
            if !self.flow() {
                if !self.key_allowed {
                    let (message, hint, begins) = match self.long_scalar_before(self.mark) {
                        None => (
                            "a ':' cannot stand here: the line already has one, or its key is no key",
                            "Put a text that has ': ' in it in quotes.",
                            None,
                        ),
                        Some(start) => (
                            "a ':' cannot stand here: the line goes on with a text of the line before it",
                            self.hint_below(start, self.mark),
                            Some(("the text", start)),
                        ),
                    };
                    return Err(self.explained(message, hint, begins, self.mark));
                }
                self.roll_indent(self.column(), None, Token::BlockMapping, self.mark)?;
            }
            self.key_allowed = !self.flow();
        }
        if let Some(level) = self.key_at.last_mut() {
            *level = None;
        }
        self.push_mark(Token::Value, 1);
        Ok(())
    }
}

/// YAML 1.1, `c-printable`, and the byte order mark anywhere.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}
