//! YAML as go-yaml v2 writes what sigs.k8s.io/yaml hands it: natural order of keys, block style, lists not indented.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::resolve::{Precision, float_text, is_timestamp, plain_value};
use crate::decimal::{plain, shortest};
use crate::order;

/// Columns after which a line is broken at the next blank.
const WIDTH: usize = 80;

/// Writes a value, and one line break at the end. (Helm 4.3: sigs.k8s.io/yaml 1.6, `Marshal`.)
///
/// ```
/// let value = serde_json::json!({"version": "1.10", "sources": ["a", "on"], "description": "two\nlines"});
/// let text = chartoci::yaml::to_string(&value);
/// assert_eq!(text, "description: |-\n  two\n  lines\nsources:\n- a\n- \"on\"\nversion: \"1.10\"\n");
/// ```
pub fn to_string(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, indent: None, whitespace: true, indention: true };
    emitter.node(value, Place::Root);
    emitter.indent();
    emitter.out
}

/// What a node is to its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Emitter {
    out: String,
    column: usize,
    /// Of the innermost collection.
    indent: Option<usize>,
    /// The last character was white space, or nothing was written.
    whitespace: bool,
    /// The line holds nothing but indentation and the marks `-`, `?`, `:` that count as such.
    indention: bool,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) {
        match value {
            Value::Null => self.scalar("null", Style::Plain, place),
            Value::Bool(flag) => self.scalar(if *flag { "true" } else { "false" }, Style::Plain, place),
            Value::Number(number) => self.scalar(&number_text(number), Style::Plain, place),
            Value::String(text) => self.scalar(text, wanted_style(text), place),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(fields) if fields.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) => {
                let outer = self.indent;
                let hanging = matches!(place, Place::Key | Place::Value) && !self.indention;
                if !hanging {
                    self.deeper(0);
                }
                for item in items {
                    self.indent();
                    self.indicator("-", true, true);
                    self.node(item, Place::Item);
                }
                self.indent = outer;
            }
            Value::Object(fields) => {
                let outer = self.indent;
                self.deeper(0);
                let mut fields: Vec<_> = fields.iter().collect();
                // No total order (`a10` < `a1b` < `a2` < `a10`): where go-yaml's own result is left to chance, this one
                // depends on nothing but the keys.
                order::sort(&mut fields, |a, b| natural_order(a.0, b.0) == Ordering::Less);
                for (key, value) in fields {
                    self.pair(key, value);
                }
                self.indent = outer;
            }
        }
    }

    fn pair(&mut self, key: &str, value: &Value) {
        self.indent();
        // Go writes it bare, and then cannot read it.
        let style = if key == "<<" { Style::Double } else { wanted_style(key) };
        if key.len() <= 128 && !key.contains(is_break) {
            self.scalar(key, style, Place::Key);
            self.indicator(":", false, false);
        } else {
            self.indicator("?", true, true);
            self.scalar(key, style, Place::Value);
            self.indent();
            self.indicator(":", true, true);
        }
        self.node(value, Place::Value);
    }

    fn deeper(&mut self, first: usize) {
        self.indent = Some(self.indent.map_or(first, |indent| indent + 2));
    }

    fn scalar(&mut self, text: &str, wanted: Style, place: Place) {
        let outer = self.indent;
        self.deeper(2);
        let may_break = place != Place::Key;
        match permitted_style(text, wanted, place) {
            Style::Plain => self.plain(text, may_break),
            Style::Single => self.single_quoted(text, may_break),
            Style::Double => self.double_quoted(text, may_break),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, may_break: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.folded(text, may_break, |_| false);
        (self.whitespace, self.indention) = (false, false);
    }

    fn single_quoted(&mut self, text: &str, may_break: bool) {
        self.indicator("'", true, false);
        self.folded(text, may_break, |c| c == '\'');
        self.indicator("'", false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    /// Text without escapes; lines that are too long are broken at single blanks inside of it.
    fn folded(&mut self, text: &str, may_break: bool, doubled: impl Fn(char) -> bool) {
        let (mut after_space, mut after_break) = (false, false);
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            if c == ' ' {
                let inside = !first && rest.as_str().chars().next().is_some_and(|next| next != ' ');
                if may_break && !after_space && self.column > WIDTH && inside {
                    self.indent();
                } else {
                    self.put(c);
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.put_break(c);
                }
                self.put_break(c);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent();
                }
                if doubled(c) {
                    self.put(c);
                }
                self.put(c);
                self.indention = false;
                (after_space, after_break) = (false, false);
            }
            first = false;
        }
    }

    fn double_quoted(&mut self, text: &str, may_break: bool) {
        self.indicator("\"", true, false);
        // go-yaml looks for a byte order mark at the start of the text when it looks at any character of it.
        let escape_all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            if escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escaped(c);
                after_space = false;
            } else if c == ' ' {
                if may_break && !after_space && self.column > WIDTH && !first && !rest.as_str().is_empty() {
                    self.indent();
                    if rest.as_str().starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
            first = false;
        }
        self.indicator("\"", false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    fn escaped(&mut self, c: char) {
        let letter = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let number = u32::from(c);
                let escape = match number {
                    0..=0xff => format!("\\x{number:02X}"),
                    0x100..=0xffff => format!("\\u{number:04X}"),
                    _ => format!("\\U{number:08X}"),
                };
                return escape.chars().for_each(|c| self.put(c));
            }
        };
        self.put('\\');
        self.put(letter);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false);
        }
        let mut ends = text.chars().rev();
        match (ends.next().is_some_and(is_break), ends.next().is_none_or(is_break)) {
            (false, _) => self.indicator("-", false, false),
            (true, true) => self.indicator("+", false, false),
            (true, false) => {}
        }
        self.put_break('\n');
        (self.indention, self.whitespace) = (true, true);
        let mut after_break = true;
        for c in text.chars() {
            if is_break(c) {
                self.put_break(c);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent();
                }
                self.put(c);
                self.indention = false;
                after_break = false;
            }
        }
    }

    /// Goes to the indentation of the current collection, on a new line unless this one is still empty.
    fn indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }

    fn indicator(&mut self, mark: &str, blank_before: bool, counts_as_indention: bool) {
        if blank_before && !self.whitespace {
            self.put(' ');
        }
        mark.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention = self.indention && counts_as_indention;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }
}

/// Quotes keep a text from being read as something else; a text of several lines is a block.
fn wanted_style(text: &str) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if plain_value(text).is_some() || is_timestamp(text) || is_sexagesimal(text) {
        Style::Double
    } else {
        Style::Plain
    }
}

/// The nearest style in which the text can be written.
fn permitted_style(text: &str, wanted: Style, place: Place) -> Style {
    let shape = Shape::of(text);
    let mut style = wanted;
    if style == Style::Plain && !shape.plain {
        style = Style::Single;
    }
    if style == Style::Single && !shape.single {
        style = Style::Double;
    }
    if style == Style::Literal && (!shape.literal || place == Place::Key) {
        style = Style::Double;
    }
    style
}

/// In which styles a text can be written.
struct Shape {
    plain: bool,
    single: bool,
    literal: bool,
}

impl Shape {
    fn of(text: &str) -> Shape {
        if text.is_empty() {
            return Shape { plain: true, single: true, literal: false };
        }
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut breaks, mut space_break, mut break_space) = (false, false, false, false);
        let mut before = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let blank_follows = rest.as_str().chars().next().is_none_or(|next| next == ' ' || next == '\t');
            let blank_precedes = before.is_none_or(|c| c == ' ' || c == '\t' || c == '\0' || is_break(c));
            indicators |= match c {
                ':' => blank_follows,
                '#' => blank_precedes,
                '?' | '-' => before.is_none() && blank_follows,
                _ => before.is_none() && ",[]{}&*!|>'\"%@`".contains(c),
            };
            special |= !is_printable(c);
            breaks |= is_break(c);
            break_space |= c == ' ' && before.is_some_and(is_break);
            space_break |= is_break(c) && before == Some(' ');
            before = Some(c);
        }
        let at_edge = |c| c == ' ' || is_break(c);
        let unsafe_edges = text.starts_with(at_edge) || text.ends_with(at_edge);
        let single = !break_space && !space_break && !special;
        Shape {
            plain: single && !indicators && !breaks && !unsafe_edges,
            single,
            literal: !space_break && !special && !text.ends_with(' '),
        }
    }
}

/// What go-yaml writes without an escape: nothing beyond the basic plane, no control character, no tab.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A number to the base of 60 (`1:30`), which other parsers would read as one.
fn is_sexagesimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let digit = |byte: u8| byte.is_ascii_digit();
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !first.bytes().all(|byte| digit(byte) || byte == b'_') {
        return false;
    }
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    rest.push(last);
    let below_sixty = |part: &&str| match part.as_bytes() {
        [one] => digit(*one),
        [ten @ b'0'..=b'5', one] => digit(*ten) && digit(*one),
        _ => false,
    };
    rest.iter().all(below_sixty) && fraction.bytes().all(|byte| digit(byte) || byte == b'_')
}

/// A number as it comes out of JSON and of go-yaml's reader: whole numbers of 64 bits in full, others with `g`.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            if float.fract() == 0.0 && float.abs() < 1e21 {
                let digits = plain(&shortest(float));
                if digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok() {
                    return if digits == "-0" { "0".to_owned() } else { digits };
                }
            }
            float_text(float, Precision::Double)
        }
        // By its parts: as a whole it would bring along how floating point is written.
        _ => number.as_u64().map_or_else(|| number.as_i64().unwrap_or_default().to_string(), |whole| whole.to_string()),
    }
}

/// Letters after anything else, runs of digits by their value.
fn natural_order(a: &str, b: &str) -> Ordering {
    let differing = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    let Some(((at, first), second)) = differing else { return a.len().cmp(&b.len()) };
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (common, a, b) = (&a[..at], &a[at..], &b[at..]);
    // A zero counts as a digit of a larger number only behind another digit than zero.
    let mut digits_before = common.bytes().rev().take_while(u8::is_ascii_digit);
    let inside = (first == '0' || second == '0') && digits_before.any(|digit| digit != b'0');
    let run = |text: &str| {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let digits = text.bytes().take(length).map(|digit| u128::from(digit - b'0'));
        (digits.fold(u128::from(inside), |value, digit| value.saturating_mul(10).saturating_add(digit)), length)
    };
    run(a).cmp(&run(b)).then(first.cmp(&second))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn emit(value: Value) -> String {
        to_string(&value)
    }

    #[test]
    fn lists_are_not_indented_under_their_key_but_in_lists_they_are() {
        assert_eq!(emit(json!({"a": [[1, 2], {"b": [3]}]})), "a:\n- - 1\n  - 2\n- b:\n  - 3\n");
    }

    #[test]
    fn keys_stand_in_natural_order() {
        let value = json!({"a10": 1, "a2": 1, "B": 1, "a": 1, "a-b": 1, "1": 1});
        assert_eq!(emit(value), "\"1\": 1\nB: 1\na: 1\na-b: 1\na2: 1\na10: 1\n");
    }

    #[test]
    fn nothing_is_indented_where_nothing_is() {
        assert_eq!(emit(json!({})), "{}\n");
        assert_eq!(emit(json!([])), "[]\n");
        assert_eq!(emit(json!({"a": {}, "b": []})), "a: {}\nb: []\n");
    }
}
