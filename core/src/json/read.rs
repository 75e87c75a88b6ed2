//! Reading, with limits. One reader for all that is JSON: serde's is made anew for each type that is read.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{hexadecimal, pointer_token, write};
use crate::decimal;
use crate::diagnostic::Span;
use crate::error::{Code, Error, clip};

/// A document that was read.
///
/// ```
/// use chartoci::json::{Parsed, parse};
/// let Parsed { value, duplicates } = parse(br#"{"config": {"size": 1, "size": 2}}"#, 1_000)?;
/// assert_eq!((value["config"]["size"].as_u64(), duplicates), (Some(2), vec!["/config/size".to_owned()]));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What it says. Where a name stands twice in an object, the last one counts, as in Go.
    pub value: Value,
    /// RFC 6901 pointers to the names that stand more than once in their object; the first 100, long ones clipped.
    pub duplicates: Vec<String>,
}

/// Reads one JSON document of at most `limit` bytes and 127 levels.
///
/// ```
/// let parsed = chartoci::json::parse(br#"{"a":1,"a":2}"#, 100)?;
/// assert_eq!((parsed.value["a"].as_u64(), parsed.duplicates), (Some(2), vec!["/a".to_owned()]));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::JSON_SYNTAX`] with `line` and `column` (and `begins`, `begins_line`, `begins_column`: which string, array or
/// object has no end), [`Code::LIMIT_DOCUMENT`], [`Code::LIMIT_DEPTH`].
pub fn parse(data: &[u8], limit: u64) -> Result<Parsed, Error> {
    read(data, limit, false)
}

/// As [`parse`], but what Go's decoder takes is taken: U+FFFD stands for what is no character, the greatest number for
/// those beyond it.
///
/// # Errors
/// As those of [`parse`].
pub(crate) fn parse_lenient(data: &[u8], limit: u64) -> Result<Parsed, Error> {
    read(data, limit, true)
}

fn read(data: &[u8], limit: u64, is_lenient: bool) -> Result<Parsed, Error> {
    if data.len() as u64 > limit {
        return Err(Error::new(Code::LIMIT_DOCUMENT, format!("the document has {} bytes", data.len()))
            .with("limit", limit)
            .with("size", data.len()));
    }
    let mut reader = Reader { is_lenient, ..Reader::new(data) };
    match reader.document() {
        Ok(value) => Ok(Parsed { value, duplicates: reader.duplicates }),
        Err(what) => {
            let at = Span::of(data, reader.at..reader.at);
            let Span { line, column, .. } = if at.end < data.trim_ascii_end().len() { at } else { Span::last(data) };
            let code = if what == TOO_DEEP { Code::LIMIT_DEPTH } else { Code::JSON_SYNTAX };
            let error = Error::new(code, format!("no valid JSON: {what} at line {line} column {column}"))
                .with("line", line)
                .with("column", column);
            let error =
                if what == TOO_DEEP { error.with_hint("Nest it less deeply: no limit can be raised.") } else { error };
            let Some((what, start)) = reader.begins else { return Err(error) };
            let Span { line, column, .. } = Span::of(data, start..start);
            Err(error.with("begins", what).with("begins_line", line).with("begins_column", column))
        }
    }
}

/// The document that bytes begin with, whatever follows it.
pub(crate) fn parse_first(data: &[u8]) -> Option<Value> {
    Reader::new(data).value(DEEPEST).ok()
}

/// A value as a tree: what is written of it, read again. (Helm makes YAML of JSON, too.)
pub(crate) fn tree<T: Serialize + ?Sized>(value: &T) -> Value {
    Reader::new(&write(value)).value(usize::MAX).unwrap_or_default()
}

/// Levels that are followed.
const DEEPEST: usize = 127;
const TOO_DEEP: &str = "more than 127 levels";
const MOST_DUPLICATES: usize = 100;

/// What was expected.
type Read<T> = Result<T, &'static str>;

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    /// Where that begins which has no end.
    begins: Option<(&'static str, usize)>,
    /// The pointer to what is being read.
    path: String,
    duplicates: Vec<String>,
    is_lenient: bool,
}

impl Reader<'_> {
    fn new(data: &[u8]) -> Reader<'_> {
        Reader { data, at: 0, begins: None, path: String::new(), duplicates: Vec::new(), is_lenient: false }
    }

    fn document(&mut self) -> Read<Value> {
        let value = self.value(DEEPEST)?;
        match self.next_token() {
            None => Ok(value),
            Some(_) => Err("more than one value"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    /// The byte after white space.
    fn next_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        let is_there = self.data.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        self.at += if is_there { text.len() } else { 0 };
        is_there
    }

    fn value(&mut self, levels: usize) -> Read<Value> {
        match self.next_token() {
            Some(b'{' | b'[') if levels == 0 => Err(TOO_DEEP),
            Some(b'{') => self.object(levels - 1),
            Some(b'[') => self.array(levels - 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.skip(b"null") => Ok(Value::Null),
            _ if self.skip(b"true") => Ok(Value::Bool(true)),
            _ if self.skip(b"false") => Ok(Value::Bool(false)),
            _ => Err("a value is expected"),
        }
    }

    /// After an opening bracket or an item: another item follows.
    fn follows(&mut self, close: u8, is_first: bool, start: usize) -> Read<bool> {
        match self.next_token() {
            None => {
                self.begins = Some((if close == b']' { "the array" } else { "the object" }, start));
                Err("a closing bracket is expected")
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ if is_first => Ok(true),
            Some(b',') => {
                self.at += 1;
                if self.next_token() == Some(close) { Err("nothing follows the comma") } else { Ok(true) }
            }
            _ => {
                self.begins = Some((if close == b']' { "the array" } else { "the object" }, start));
                Err("a comma or a closing bracket is expected")
            }
        }
    }

    fn array(&mut self, levels: usize) -> Read<Value> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        let length = self.path.len();
        while self.follows(b']', items.is_empty(), start)? {
            // Nothing stands twice in what has no names.
            if let Some(b'{' | b'[') = self.next_token() {
                self.path.push('/');
                self.path.push_str(&items.len().to_string());
            }
            items.push(self.value(levels)?);
            self.path.truncate(length);
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self, levels: usize) -> Read<Value> {
        let start = self.at;
        self.at += 1;
        let mut map = Map::new();
        let mut is_first = true;
        let length = self.path.len();
        while self.follows(b'}', is_first, start)? {
            is_first = false;
            if self.next_token() != Some(b'"') {
                return Err("a name in double quotes is expected");
            }
            let name = self.string()?;
            if self.next_token() != Some(b':') {
                return Err("a colon is expected");
            }
            self.at += 1;
            self.path.push('/');
            self.path.push_str(&pointer_token(&name));
            let value = self.value(levels)?;
            if map.insert(name, value).is_some() && self.duplicates.len() < MOST_DUPLICATES {
                let pointer = clip(&self.path);
                if !self.duplicates.contains(&pointer) {
                    self.duplicates.push(pointer);
                }
            }
            self.path.truncate(length);
        }
        Ok(Value::Object(map))
    }

    fn string(&mut self) -> Read<String> {
        let start = self.at;
        self.at += 1;
        // Most are plain from end to end, and need no more room than that.
        let mut text = self.plain().to_vec();
        loop {
            let Some(byte) = self.peek().filter(|byte| !b"\r\n".contains(byte)) else {
                self.begins = Some(("the string", start));
                return Err("the string has no end in its line");
            };
            match byte {
                b'"' => break,
                b'\\' => {
                    let character = self.escape()?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..0x20 => return Err("a string has a control character"),
                _ => text.extend_from_slice(self.plain()),
            }
        }
        let text = match String::from_utf8(text) {
            Err(error) if self.is_lenient => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            text => text.map_err(|_| "a string is not UTF-8")?,
        };
        self.at += 1;
        Ok(text)
    }

    /// What stands for itself, from here on.
    fn plain(&mut self) -> &[u8] {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        self.at += plain;
        &rest[..plain]
    }

    fn escape(&mut self) -> Read<char> {
        const NONE: &str = "there is no such escape";
        self.at += 1;
        let character = match self.peek().ok_or(NONE)? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let first = self.unit()?;
                // Beyond 16 bits, a character is a pair of halves.
                let behind = self.at;
                let pair = (0xd800..0xdc00).contains(&first) && self.skip(b"\\");
                let second = if pair && self.peek() == Some(b'u') { self.unit()? } else { 0 };
                let code = match second {
                    0xdc00..0xe000 => 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00)),
                    _ => first,
                };
                let character = char::from_u32(code);
                if character.is_none() && self.is_lenient {
                    self.at = behind;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                return character.ok_or("half of a character stands alone");
            }
            _ => return Err(NONE),
        };
        self.at += 1;
        Ok(character)
    }

    /// `uXXXX`
    fn unit(&mut self) -> Read<u32> {
        let digits = self.data.get(self.at + 1..self.at + 5).unwrap_or_default();
        match hexadecimal(digits) {
            Some(value) if digits.len() == 4 => {
                self.at += 5;
                Ok(value)
            }
            _ => Err("four hexadecimal digits are expected"),
        }
    }

    /// Digits, at least one.
    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err("a digit is expected") } else { Ok(()) }
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        let mut is_whole = true;
        if self.skip(b".") {
            is_whole = false;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.data.get(start..self.at).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        if is_whole && text != "-0" {
            if let Ok(value) = text.parse::<u64>() {
                return Ok(value.into());
            }
            if let Ok(value) = text.parse::<i64>() {
                return Ok(value.into());
            }
        }
        let mut number = decimal::parse(text);
        if self.is_lenient {
            number = number.clamp(f64::MIN, f64::MAX);
        }
        Number::from_f64(number).map(Value::Number).ok_or("the number is too large")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(text: &[u8]) {
        let (ours, theirs) = (parse(text, 1 << 20), serde_json::from_slice::<Value>(text));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours.value, theirs),
            (ours, theirs) => {
                assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {theirs:?}", String::from_utf8_lossy(text));
            }
        }
    }

    #[test]
    fn it_reads_what_serde_json_reads_and_nothing_else() {
        for text in [
            "1",
            "-0",
            "0",
            "00",
            "-",
            "1.",
            ".5",
            "1e",
            "1e5",
            "1E+5",
            "-1.5e-3",
            "1e999",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "[]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":}",
            "[",
            "{",
            "{\"a\":1",
            "\"",
            "\"\\",
            "\"\\u12",
            "\"\\x\"",
            r#""\ud83d\ude00""#,
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\n""#,
            r#""\ud83d\u0041""#,
            r#""\u0000""#,
            "\"a\nb\"",
            "nul",
            "nullx",
            "true false",
            " \t\r\n1 ",
            "\u{feff}1",
            "\u{a0}1",
            "",
            r#""\/\b\f\u00e9é""#,
        ] {
            agrees(text.as_bytes());
        }
        for levels in [127, 128] {
            agrees(format!("{}{}", "[".repeat(levels), "]".repeat(levels)).as_bytes());
        }
        agrees(b"\"\xff\"");
        assert_eq!(parse_first(b"{\"a\":1}]}"), Some(serde_json::json!({"a": 1})));
    }

    #[test]
    fn where_it_is_lenient_it_takes_what_go_takes() {
        let value = |text: &[u8]| parse_lenient(text, 1 << 20).map(|parsed| parsed.value);
        assert_eq!(value(b"[1e400, -1e400]").unwrap(), serde_json::json!([f64::MAX, f64::MIN]));
        for text in [&br#""\ud800""#[..], br#""\udc00""#, b"\"\xff\""] {
            assert_eq!(value(text).unwrap(), "\u{fffd}");
        }
        assert_eq!(value(br#""\ud800\n\ud800\ud83d\ude00""#).unwrap(), "\u{fffd}\n\u{fffd}😀");
        for text in ["", "{", "[1,]", "01", r#""\ud800\x""#, "\u{feff}1"] {
            assert!(value(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_it_agrees_with_serde_json(text in "[\\[\\]{}:,\"a0-9eE.+\\\\unltrfs \n-]{0,16}") {
            agrees(text.as_bytes());
        }
    }
}
