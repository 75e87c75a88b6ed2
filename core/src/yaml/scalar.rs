//! Scalars: the words of a YAML text, with their folds and escapes.

use std::borrow::Cow;

use super::token::{Lexeme, Lexer, Mark, Token};
use crate::error::Error;
use crate::json::hexadecimal;

impl<'a> Lexer<'a> {
    pub(super) fn block_scalar(&mut self) -> Result<(), Error> {
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
            return Err(self.error("nothing but a comment may stand behind | and >, +, - and a digit", self.mark));
        }
        if self.is_break() {
            self.skip_break();
        }
        let mut end = self.mark;
        let mut indent = if increment > 0 { self.indent.max(0) + increment } else { 0 };
        let mut text = String::new();
        let mut line_break = "";
        let mut empty_lines = String::new();
        self.empty_lines(&mut indent, &mut empty_lines, &mut end)?;
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
            self.empty_lines(&mut indent, &mut empty_lines, &mut end)?;
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
    fn empty_lines(&mut self, indent: &mut isize, breaks: &mut String, end: &mut Mark) -> Result<(), Error> {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.byte(0) == b'\t' {
                return Err(self.error("a tab stands where the block's indentation should be", self.mark));
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

    pub(super) fn quoted_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let quote = self.byte(0);
        self.skip();
        let mut content = Content::new(self.text, self.mark.byte);
        loop {
            if self.is_document_mark() {
                return Err(self.explained("a document ends within quotes", "", Some(("the text", start)), self.mark));
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
                        content.push(self.escape()?);
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
                return Err(self.explained(
                    "a quote is not closed",
                    "Close the quotes where the text ends.",
                    None,
                    start,
                ));
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
        self.push_scalar(text, false, start, self.mark);
        Ok(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, Error> {
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
                let code = self.rest().as_bytes().get(1..=digits).and_then(hexadecimal);
                let character = code.and_then(char::from_u32);
                character.ok_or_else(|| self.error("an escape does not name a character", self.mark))?
            }
            _ => {
                return Err(self.error("no such escape; a backslash within double quotes is written twice", self.mark));
            }
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

    pub(super) fn plain_scalar(&mut self) -> Result<(), Error> {
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
        self.push_scalar(content.finish(end.byte), true, start, end);
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
