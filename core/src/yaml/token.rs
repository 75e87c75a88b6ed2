//! Tokens of a YAML text, by the grammar that libyaml and go-yaml v2 share: YAML 1.1, with their liberties.
//!
//! What makes this grammar special is the simple key: whether a scalar is one is known only when a `:` follows on the same
//! line, within 1024 characters. Tokens therefore wait in a queue while their first may still turn out to begin a mapping.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use super::scan::{Text, depth, error_at};
use crate::diagnostic::Span;
use crate::error::{Code, Error};
use crate::limits::Limits;

/// A place in the text. All count from zero; `index` and `column` count characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) byte: usize,
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
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

/// Gives the tokens of a text one by one.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// The text goes on, but with a character that YAML forbids.
    forbidden: bool,
    bytes_before: usize,
    lines_before: usize,
    mark: Mark,
    queue: VecDeque<Lexeme<'a>>,
    /// How many tokens have left the queue: the number of its first.
    taken: usize,
    /// The number of the token that may be a key, for each level of flow collections and for the block around them.
    key_at: Vec<Option<usize>>,
    keys: BTreeMap<usize, SimpleKey>,
    key_allowed: bool,
    /// The column of the innermost block collection, -1 outside of any; and those around it.
    indent: isize,
    indents: Vec<isize>,
    deepest: usize,
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
            keys: BTreeMap::new(),
            key_allowed: true,
            indent: -1,
            indents: Vec::new(),
            deepest: depth(limits) as usize,
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
            line: number(start.line + self.lines_before + 1),
            column: number(start.column + 1),
            end_line: number(end.line + self.lines_before + 1),
            end_column: number(end.column + 1),
        }
    }

    pub(super) fn error(&self, message: &str, at: Mark) -> Error {
        error_at(Code::YAML_SYNTAX, message, self.span(at, at))
    }

    // Characters.

    /// The byte so many bytes ahead; zero behind the end, and only there.
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.mark.byte + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.mark.byte..]
    }

    fn at_end(&self) -> bool {
        self.mark.byte >= self.text.len()
    }

    fn blank(&self, ahead: usize) -> bool {
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

    fn is_break(&self) -> bool {
        self.break_length(0) > 0
    }

    /// A blank, a line break or the end stands so many bytes ahead.
    fn space(&self, ahead: usize) -> bool {
        self.blank(ahead) || self.break_length(ahead) > 0 || self.mark.byte + ahead >= self.text.len()
    }

    fn column(&self) -> isize {
        isize::try_from(self.mark.column).unwrap_or(isize::MAX)
    }

    fn flow(&self) -> bool {
        self.key_at.len() > 1
    }

    fn skip(&mut self) {
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

    fn skip_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let start = self.mark.byte;
        while !self.at_end() && wanted(self.byte(0)) {
            self.skip();
        }
        &self.text[start..self.mark.byte]
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| byte == b' ' || byte == b'\t');
    }

    fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !self.at_end() && !self.is_break() {
                self.skip();
            }
        }
    }

    /// Goes to the next line and gives what stands for the break: a line feed, or U+2028 and U+2029 as they are.
    fn skip_break(&mut self) -> &'a str {
        let length = self.break_length(0);
        let start = self.mark.byte;
        self.mark.byte += length;
        self.mark.index += if self.text[start..].starts_with("\r\n") { 2 } else { usize::from(length > 0) };
        self.mark.line += usize::from(length > 0);
        self.mark.column = 0;
        if length == 3 { &self.text[start..self.mark.byte] } else { "\n" }
    }

    /// `---` or `...` at the start of a line.
    fn is_document_mark(&self) -> bool {
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
            Some(key) if key.required => Err(self.error("a key has no ':' behind it in its line", key.start)),
            _ => Ok(()),
        }
    }

    /// What comes next may be a key.
    fn save_key(&mut self) -> Result<(), Error> {
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
    fn drop_key(&mut self) -> Result<(), Error> {
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

    fn unroll_indent(&mut self, column: isize) {
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

    fn push(&mut self, token: Token<'a>, start: Mark) {
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
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.error("no value can begin with this character", self.mark))
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
        self.key_allowed = true;
        self.push_mark(token, 1);
        Ok(())
    }

    fn flow_end(&mut self, token: Token<'a>) -> Result<(), Error> {
        self.drop_key()?;
        if self.flow() {
            self.key_at.pop();
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
                    return Err(self
                        .error("a ':' cannot stand here: the line already has one, or its key is no key", self.mark));
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

    fn directive(&mut self) -> Result<(), Error> {
        self.unroll_indent(-1);
        self.drop_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let wrong = |lexer: &Self| lexer.error("neither a %YAML nor a %TAG directive", start);
        self.skip();
        let name = self.skip_while(is_word);
        if !self.space(0) {
            return Err(wrong(self));
        }
        self.skip_blanks();
        let token = match name {
            "YAML" => {
                let version = self.skip_while(|byte| byte.is_ascii_digit() || byte == b'.');
                Token::Version(version)
            }
            "TAG" => {
                let handle = self.tag_handle();
                if handle != "!" && !(handle.len() > 1 && handle.ends_with('!')) || !self.blank(0) {
                    return Err(wrong(self));
                }
                self.skip_blanks();
                let prefix = self.tag_uri()?;
                if prefix.is_empty() || !self.space(0) {
                    return Err(wrong(self));
                }
                Token::TagPrefix { handle, prefix }
            }
            _ => return Err(wrong(self)),
        };
        let end = self.mark;
        self.skip_blanks();
        self.skip_comment();
        if !self.at_end() && !self.is_break() {
            return Err(wrong(self));
        }
        if self.is_break() {
            self.skip_break();
        }
        self.queue.push_back(Lexeme { token, start, end });
        Ok(())
    }

    fn anchor(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let is_alias = self.byte(0) == b'*';
        self.skip();
        let name = self.skip_while(is_word);
        if name.is_empty() || !self.space(0) && !b"?:,]}%@`".contains(&self.byte(0)) {
            return Err(self.error("the name of an anchor has only letters, digits, - and _", start));
        }
        self.push(if is_alias { Token::Alias(name) } else { Token::Anchor(name) }, start);
        Ok(())
    }

    fn tag(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let wrong = |lexer: &Self| lexer.error("the tag is not well formed", start);
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip_many(2);
            let uri = self.tag_uri()?;
            if uri.is_empty() || self.byte(0) != b'>' {
                return Err(wrong(self));
            }
            self.skip();
            ("", uri)
        } else {
            let handle = self.tag_handle();
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.tag_uri()?;
                if suffix.is_empty() {
                    return Err(wrong(self));
                }
                (handle, suffix)
            } else {
                let suffix = handle[1..].to_owned() + &self.tag_uri()?;
                if suffix.is_empty() { ("", "!".to_owned()) } else { ("!", suffix) }
            }
        };
        if !self.space(0) {
            return Err(wrong(self));
        }
        self.push(Token::Tag { handle, suffix }, start);
        Ok(())
    }

    /// `!`, `!!` or `!name!`; `!name` if it is none of these. Empty where no `!` stands.
    fn tag_handle(&mut self) -> &'a str {
        let start = self.mark.byte;
        if self.byte(0) == b'!' {
            self.skip();
            self.skip_while(is_word);
            if self.byte(0) == b'!' {
                self.skip();
            }
        }
        &self.text[start..self.mark.byte]
    }

    fn tag_uri(&mut self) -> Result<String, Error> {
        let mut bytes = Vec::new();
        loop {
            let byte = self.byte(0);
            if byte == b'%' {
                let digits =
                    self.rest().get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(escaped.ok_or_else(|| self.error("a % in a tag must have two digits", self.mark))?);
                self.skip_many(3);
            } else if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                bytes.push(byte);
                self.skip();
            } else {
                return String::from_utf8(bytes).map_err(|_| self.error("a tag must be UTF-8", self.mark));
            }
        }
    }

    fn block_scalar(&mut self) -> Result<(), Error> {
        self.drop_key()?;
        self.key_allowed = true;
        let start = self.mark;
        let folds = self.byte(0) == b'>';
        self.skip();
        let (mut keeps, mut strips, mut increment) = (false, false, 0);
        let mut seen_digit = false;
        let mut seen_chomping = false;
        loop {
            match self.byte(0) {
                chomping @ (b'+' | b'-') if !seen_chomping => {
                    (keeps, strips, seen_chomping) = (chomping == b'+', chomping == b'-', true);
                }
                digit @ b'1'..=b'9' if !seen_digit => (increment, seen_digit) = (isize::from(digit - b'0'), true),
                _ => break,
            }
            self.skip();
        }
        self.skip_blanks();
        self.skip_comment();
        if !self.at_end() && !self.is_break() {
            return Err(self.error("nothing but a comment may stand behind | and >, +, - and a digit", start));
        }
        if self.is_break() {
            self.skip_break();
        }
        let mut end = self.mark;
        let mut indent = if increment > 0 { self.indent.max(0) + increment } else { 0 };
        let mut text = String::new();
        let mut line_break = "";
        let mut empty_lines = String::new();
        self.empty_lines(&mut indent, &mut empty_lines, &mut end, start)?;
        let mut after_blank = false;
        while self.column() == indent && !self.at_end() {
            let blank = self.blank(0);
            if folds && line_break == "\n" && !after_blank && !blank {
                if empty_lines.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(line_break);
            }
            text.push_str(&empty_lines);
            empty_lines.clear();
            after_blank = blank;
            let line = self.mark.byte;
            while !self.at_end() && !self.is_break() {
                self.skip();
            }
            text.push_str(&self.text[line..self.mark.byte]);
            end = self.mark;
            line_break = if self.is_break() { self.skip_break() } else { "" };
            self.empty_lines(&mut indent, &mut empty_lines, &mut end, start)?;
        }
        if !strips {
            text.push_str(line_break);
        }
        if keeps {
            text.push_str(&empty_lines);
        }
        self.queue.push_back(Lexeme { token: Token::Scalar { text: text.into(), plain: false }, start, end });
        Ok(())
    }

    /// Indentation and empty lines of a block scalar; its first line that is not empty decides the indentation.
    fn empty_lines(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        end: &mut Mark,
        start: Mark,
    ) -> Result<(), Error> {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.byte(0) == b'\t' {
                return Err(self.error("a tab stands where the block's indentation should be", start));
            }
            if !self.is_break() {
                break;
            }
            breaks.push_str(self.skip_break());
            *end = self.mark;
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    fn quoted_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let quote = self.byte(0);
        self.skip();
        let mut content = Content::new(self.text, self.mark.byte);
        loop {
            if self.is_document_mark() {
                return Err(self.error("a document ends within quotes", start));
            }
            let mut fold = Fold::default();
            while !self.space(0) && self.byte(0) != quote || quote == b'\'' && self.rest().starts_with("''") {
                if quote == b'\'' && self.byte(0) == b'\'' {
                    self.skip();
                    content.end_run(self.mark.byte);
                    self.skip();
                    content.begin_run(self.mark.byte);
                } else if quote == b'"' && self.byte(0) == b'\\' {
                    content.end_run(self.mark.byte);
                    self.skip();
                    if self.is_break() {
                        self.skip_break();
                        fold.begun = true;
                    } else {
                        content.push(self.escape(start)?);
                    }
                    content.begin_run(self.mark.byte);
                    if fold.begun {
                        break;
                    }
                } else {
                    self.skip();
                }
            }
            if self.byte(0) == quote {
                break;
            }
            if self.at_end() {
                return Err(self.error("a quote is not closed", start));
            }
            let blanks = self.mark.byte;
            self.fold(&mut fold, None)?;
            if fold.begun {
                content.end_run(blanks);
                content.fold(&fold);
                content.begin_run(self.mark.byte);
            }
        }
        let text = content.finish(self.mark.byte);
        self.skip();
        self.push(Token::Scalar { text, plain: false }, start);
        Ok(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self, start: Mark) -> Result<char, Error> {
        let byte = self.byte(0);
        let digits = match byte {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let escaped = match byte {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0b',
            b'f' => '\x0c',
            b'r' => '\r',
            b'e' => '\x1b',
            b' ' | b'"' | b'\'' | b'\\' => char::from(byte),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' | b'u' | b'U' => {
                let code =
                    self.rest().get(1..=digits).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let number = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                let character = number.and_then(char::from_u32);
                character.ok_or_else(|| self.error("an escape does not name a character", self.mark))?
            }
            _ => return Err(self.error("no such escape; backslashes within double quotes are doubled", start)),
        };
        self.skip_many(1 + digits);
        Ok(escaped)
    }

    /// Blanks and line breaks between the words of a scalar. Tabs are no indentation for a plain one, which has a column
    /// to keep to.
    fn fold(&mut self, fold: &mut Fold<'a>, indent: Option<isize>) -> Result<(), Error> {
        loop {
            if self.blank(0) {
                if fold.begun && self.byte(0) == b'\t' && indent.is_some_and(|indent| self.column() < indent) {
                    return Err(self.error("a tab stands where indentation should be", self.mark));
                }
                self.skip();
            } else if self.is_break() {
                let line_break = self.skip_break();
                if fold.begun {
                    fold.more.push_str(line_break);
                } else {
                    (fold.first, fold.begun) = (line_break, true);
                }
            } else {
                return Ok(());
            }
        }
    }

    fn plain_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let mut end = start;
        let flow = self.flow();
        let indent = self.indent + 1;
        let mut content = Content::new(self.text, start.byte);
        let mut fold = Fold::default();
        loop {
            if self.is_document_mark() || self.byte(0) == b'#' {
                break;
            }
            let word = self.mark.byte;
            while !self.space(0) {
                let byte = self.byte(0);
                if byte == b':' && self.space(1) || flow && b",?[]{}".contains(&byte) {
                    break;
                }
                self.skip();
            }
            if self.mark.byte > word {
                if fold.begun {
                    content.end_run(end.byte);
                    content.fold(&fold);
                    content.begin_run(word);
                    fold = Fold::default();
                }
                end = self.mark;
            }
            if !self.blank(0) && !self.is_break() {
                break;
            }
            self.fold(&mut fold, Some(indent))?;
            if !flow && self.column() < indent {
                break;
            }
        }
        if fold.begun {
            self.key_allowed = true;
        }
        let token = Token::Scalar { text: content.finish(end.byte), plain: true };
        self.queue.push_back(Lexeme { token, start, end });
        Ok(())
    }
}

/// Line breaks within a scalar: the first becomes a blank unless others follow.
#[derive(Default)]
struct Fold<'a> {
    begun: bool,
    first: &'a str,
    more: String,
}

/// What a scalar says: a part of the text as long as nothing has to be changed in it.
struct Content<'a> {
    text: &'a str,
    run: usize,
    changed: Option<String>,
}

impl<'a> Content<'a> {
    fn new(text: &'a str, start: usize) -> Content<'a> {
        Content { text, run: start, changed: None }
    }

    fn begin_run(&mut self, at: usize) {
        self.run = at;
    }

    /// Takes over what stands between the start of the run and here.
    fn end_run(&mut self, at: usize) {
        let run = self.text.get(self.run..at).unwrap_or_default();
        self.changed.get_or_insert_default().push_str(run);
        self.run = at;
    }

    fn push(&mut self, c: char) {
        self.changed.get_or_insert_default().push(c);
    }

    fn fold(&mut self, fold: &Fold<'_>) {
        let folded = match fold.first {
            "\n" if fold.more.is_empty() => " ",
            "\n" => "",
            first => first,
        };
        let changed = self.changed.get_or_insert_default();
        changed.push_str(folded);
        changed.push_str(&fold.more);
    }

    fn finish(mut self, at: usize) -> Cow<'a, str> {
        match self.changed {
            None => Cow::Borrowed(self.text.get(self.run..at).unwrap_or_default()),
            Some(_) => {
                self.end_run(at);
                Cow::Owned(self.changed.unwrap_or_default())
            }
        }
    }
}

/// Letters, digits, `_` and `-`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// YAML 1.1, `c-printable`, and the byte order mark anywhere.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}
