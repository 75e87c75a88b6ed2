//! Anchors, tags and directives of a YAML text.

use super::token::{Lexeme, Lexer, Token};
use crate::error::Error;
use crate::json::hexadecimal;

impl<'a> Lexer<'a> {
    pub(super) fn directive(&mut self) -> Result<(), Error> {
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
                let is_number = |part: &str| (1..=2).contains(&part.len()) && !part.contains('.');
                if !version.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
                    return Err(self.error("the version of %YAML is none: 1.1 is", start));
                }
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

    pub(super) fn anchor(&mut self) -> Result<(), Error> {
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

    pub(super) fn tag(&mut self) -> Result<(), Error> {
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
                let escaped = self.rest().as_bytes().get(1..3).and_then(hexadecimal);
                bytes.push(escaped.ok_or_else(|| self.error("a % in a tag must have two digits", self.mark))? as u8);
                self.skip_many(3);
            } else if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                bytes.push(byte);
                self.skip();
            } else {
                return String::from_utf8(bytes).map_err(|_| self.error("a tag must be UTF-8", self.mark));
            }
        }
    }
}

/// Letters, digits, `_` and `-`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
