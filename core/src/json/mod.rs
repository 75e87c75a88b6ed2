//! JSON as Go's `encoding/json` writes it, and read with limits.
//!
//! A digest names bytes: a config blob has Helm's digest only if every escape and every number is spelled as Go spells it.

mod read;

use std::io;
use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

use crate::decimal::{plain, shortest};
use crate::diagnostic::{Diagnostic, Report, Span};
use crate::error::{Code, clip};

pub use read::{Parsed, parse};
pub(crate) use read::{parse_first, parse_lenient, tree};

/// Writes a value as Go 1.22 and later does (`json.Marshal`): compact, no line break at the end; `<`, `>`, `&`, U+2028 and
/// U+2029 escaped; numbers of floating point without needless `.0`, with an exponent from 1e21 on and below 1e-6.
///
/// ```
/// assert_eq!(chartoci::json::write(&("<a>", "\u{8}", 2.0)), br#"["\u003ca\u003e","\b",2]"#);
/// ```
///
/// # Panics
/// Where the type cannot be written at all (a map whose keys are no strings): a fault of the type, never of its content.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Go { escapes: true }));
    // Memory takes all that is written. Not `expect`: that prints the error, and all that there may ever be is linked.
    assert!(written.is_ok(), "the keys are no strings");
    out
}

/// A value for people to read: no character is escaped that need not be.
pub(crate) fn shown(value: &Value) -> String {
    let mut out = Vec::new();
    // Memory takes all that is written. Not the standard way, which writes floating point by large tables.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Go { escapes: false }));
    String::from_utf8(out).unwrap_or_default()
}

struct Go {
    /// What means something to HTML is escaped.
    escapes: bool,
}

impl Formatter for Go {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while self.escapes
            && let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}'])
        {
            let (plain, tail) = rest.split_at(at);
            let mut characters = tail.chars();
            let special = characters.next().unwrap_or_default();
            write!(out, "{plain}\\u{:04x}", u32::from(special))?;
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        let scientific = shortest(value);
        if size != 0.0 && size < 1e-6 {
            out.write_all(scientific.as_bytes())
        } else if size >= 1e21 {
            out.write_all(scientific.replace('e', "e+").as_bytes())
        } else {
            out.write_all(plain(&scientific).as_bytes())
        }
    }
}

/// The number that hexadecimal digits stand for; nothing where one is no digit, or there is none.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let zero = (!digits.is_empty()).then_some(0_u32)?;
    let one_more = |number: u32, digit: &u8| number.checked_mul(16)?.checked_add(char::from(*digit).to_digit(16)?);
    digits.iter().try_fold(zero, one_more)
}

/// One step of an RFC 6901 pointer: `~` and `/` are escaped.
pub(crate) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Where the value stands that an RFC 6901 pointer names: in bytes that [`parse`] has read. Of names that stand twice the
/// last counts.
///
/// ```
/// let span = chartoci::json::span(b"{\n \"a\": [1, 22]}", "/a/1").unwrap();
/// assert_eq!((span.line, span.column, span.end_column), (2, 11, 13));
/// ```
pub fn span(data: &[u8], pointer: &str) -> Option<Span> {
    Some(Span::of(data, range(data, pointer)?))
}

fn range(data: &[u8], pointer: &str) -> Option<Range<usize>> {
    let mut range = whole(data);
    for token in pointer.split('/').skip(1) {
        range = child(data, range, &unescaped(token))?;
    }
    Some(range)
}

/// Warns of names that stand twice in their object, at the first of them and at the one that counts.
pub(crate) fn duplicates(data: &[u8], pointers: &[String], document: &str, report: &mut Report) {
    // Each place is looked for from the document's start.
    let most = if data.len() > 1 << 20 { 20 } else { pointers.len() };
    for (at, pointer) in pointers.iter().enumerate() {
        let places = if at < most { names(data, pointer) } else { None };
        let message = match places {
            Some((_, last)) => format!("{} is written again in line {}, which counts", clip(pointer), last.line),
            None => format!("{} stands twice in its object", clip(pointer)),
        };
        let first = places.map(|(first, _)| first);
        let mut finding = Diagnostic::new(Code::JSON_DUPLICATE, document, message).at(pointer, first);
        finding.related.extend(places.map(|(_, last)| (last, "this one counts".to_owned())));
        report.push(finding);
    }
}

/// Where the name that a pointer ends with stands first in its object, and where last.
fn names(data: &[u8], pointer: &str) -> Option<(Span, Span)> {
    let (object, name) = pointer.rsplit_once('/')?;
    let (name, members) = (unescaped(name), members(data, range(data, object)?));
    let mut same = members.iter().filter(|member| member.name == name);
    let (first, last) = (same.next()?, same.next_back()?);
    let span = |member: &Member| Span::of(data, trim(data, member.start..item_end(data, member.start)));
    Some((span(first), span(last)))
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The value of that name or index in the object or array that stands there.
fn child(data: &[u8], parent: Range<usize>, wanted: &str) -> Option<Range<usize>> {
    let is_object = match data.get(parent.start)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let (mut at, mut index, mut found) = (parent.start + 1, 0_usize, None);
    while at < parent.end {
        let mut end = item_end(data, at);
        let is_wanted = if is_object {
            let name = parse_first(data.get(at..end)?)?;
            at = end + 1;
            end = item_end(data, at);
            name.as_str() == Some(wanted)
        } else {
            index.to_string() == wanted
        };
        let item = trim(data, at..end);
        if is_wanted && !item.is_empty() {
            found = Some(item);
        }
        at = end + 1;
        index += 1;
    }
    found
}

/// A member of an object, and where it stands: from the first byte of its name to the last of its value.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) value: Range<usize>,
}

/// The members of the object that stands there, in their order, each as often as it is written. Of bytes that [`parse`]
/// would read.
pub(crate) fn members(data: &[u8], object: Range<usize>) -> Vec<Member> {
    let (mut at, mut members) = (object.start + 1, Vec::new());
    while at < object.end {
        let end = item_end(data, at);
        let name = trim(data, at..end);
        let Some(Value::String(text)) = data.get(name.clone()).and_then(parse_first) else { break };
        at = item_end(data, end + 1);
        members.push(Member { name: text, start: name.start, value: trim(data, end + 1..at) });
        at += 1;
    }
    members
}

/// Where the document stands, without the blanks around it.
pub(crate) fn whole(data: &[u8]) -> Range<usize> {
    trim(data, 0..data.len())
}

/// Where the name or value ends that begins at or after this place: at `:`, `,` or a closing bracket of its own level.
fn item_end(data: &[u8], start: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in data.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b':' | b',' | b'}' | b']' if depth == 0 => return at,
            _ => {}
        }
    }
    data.len()
}

fn trim(data: &[u8], range: Range<usize>) -> Range<usize> {
    let text = data.get(range.clone()).unwrap_or_default();
    let end = range.start + text.trim_ascii_end().len();
    end - text.trim_ascii().len()..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written<T: Serialize>(value: T) -> String {
        String::from_utf8(write(&value)).unwrap()
    }

    // Expected texts: what Go 1.26's json.Marshal prints.
    #[test]
    fn strings_are_escaped_as_go_escapes_them() {
        assert_eq!(written("<&>\u{2028}\u{2029}"), r#""\u003c\u0026\u003e\u2028\u2029""#);
        assert_eq!(written("\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}"), "\"\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\"");
        assert_eq!(written("a\"b\\c/é😀"), r#""a\"b\\c/é😀""#);
        assert_eq!(written(serde_json::json!({"<": "&"})), r#"{"\u003c":"\u0026"}"#);
    }

    #[test]
    fn people_read_a_value_without_needless_escapes() {
        let value = serde_json::json!({"a": ["<b> & \"c\"", 1.5, -7, null]});
        assert_eq!(shown(&value), r#"{"a":["<b> & \"c\"",1.5,-7,null]}"#);
    }

    #[test]
    #[allow(clippy::excessive_precision, reason = "the digit that decides the rounding")]
    fn numbers_are_spelled_as_go_spells_them() {
        for (number, expected) in [
            (1.0, "1"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (1e20, "100000000000000000000"),
            (-123.456, "-123.456"),
            (0.05, "0.05"),
            (-0.0, "-0"),
            (862_833_728_999_156.25, "862833728999156.2"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.25e-9, "1.25e-9"),
        ] {
            assert_eq!(written(number), expected);
        }
    }

    #[test]
    fn names_that_stand_twice_are_reported_and_the_last_counts() {
        let parsed = parse(br#"{"a":[{"b/c":1,"b/c":2,"b/c":3}],"a":4}"#, 100).unwrap();
        assert_eq!(parsed.duplicates, ["/a/0/b~1c", "/a"]);
        assert_eq!(parsed.value["a"], 4);
    }

    #[test]
    fn a_name_that_stands_twice_is_shown_at_its_first_place_and_at_the_one_that_counts() {
        let data = b"{\"x\": [{\"b/c\": 1,\n \"b\\u002fc\" : 2,\n  \"b/c\": 3}], \"d\": 1,\n \"d\":{}}";
        let (parsed, mut report) = (parse(data, 100).unwrap(), Report::new());
        duplicates(data, &parsed.duplicates, "config", &mut report);
        let places = report.iter().map(|finding| {
            let (first, last) = (finding.span.unwrap(), finding.related[0].0);
            ((first.line, first.column, first.end_column), (last.line, last.column, last.end_column))
        });
        assert_eq!(places.collect::<Vec<_>>(), [((1, 9, 14), (3, 3, 8)), ((3, 15, 18), (4, 2, 5))]);
        assert_eq!(report.iter().next().unwrap().message, "/x/0/b~1c is written again in line 3, which counts");
    }

    #[test]
    fn a_name_below_one_that_does_not_count_has_no_place() {
        let data = br#"{"a":{"b":1,"b":2},"a":3}"#;
        let (parsed, mut report) = (parse(data, 100).unwrap(), Report::new());
        duplicates(data, &parsed.duplicates, "config", &mut report);
        assert_eq!(report.iter().map(|finding| finding.span.is_some()).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        let error = parse(b"{\n  \"a\": }", 100).unwrap_err();
        assert_eq!(
            (error.code(), error.context()),
            (Code::JSON_SYNTAX, &[("line", "2".to_owned()), ("column", "8".to_owned())][..],)
        );
        let place = |text: &str| {
            let error = parse(text.as_bytes(), 100).unwrap_err();
            let facts: Vec<String> = error.context().iter().map(|(_, value)| value.clone()).collect();
            facts.join(" ")
        };
        for (text, expected) in [
            // What is missing at the end is missed at the last character.
            ("{\"a\": [1,\n 2\n\n", "2 2 the array 1 7"),
            ("{\"a\": \"é\n}", "1 9 the string 1 7"),
            ("{\"a\": 1 \"b\": 2}", "1 9 the object 1 1"),
            ("[1,]", "1 4"),
            ("", "1 1"),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
        for text in ["", "{} {}", "{\"a\":1e999}", "\"\\ud800\"", "nul"] {
            assert_eq!(parse(text.as_bytes(), 100).unwrap_err().code(), Code::JSON_SYNTAX, "{text}");
        }
        assert_eq!(parse(b"\"\xff\"", 100).unwrap_err().code(), Code::JSON_SYNTAX);
    }

    #[test]
    fn a_pointer_leads_to_a_place_in_the_bytes() {
        let data = r#"{ "a\u0062/": [ {}, [ "x,]" ,7 ] ], "c":{"d" : null}, "c": "é", "e":1 }"#.as_bytes();
        for (pointer, expected) in
            [("/ab~1/1/0", r#""x,]""#), ("/ab~1/1/1", "7"), ("/ab~1/0", "{}"), ("/c", r#""é""#), ("/e", "1")]
        {
            let span = span(data, pointer).unwrap();
            assert_eq!(&data[span.start..span.end], expected.as_bytes(), "{pointer}");
        }
        assert_eq!(span(data, "").unwrap().end, data.len());
        assert_eq!(span(data, "/e").unwrap().column, 69);
        for nowhere in ["/x", "/c/0", "/ab~1/2", "/e/0", "/ab~1/01"] {
            assert_eq!(span(data, nowhere), None, "{nowhere}");
        }
        assert_eq!(span(b"{}", "/a"), None);
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(parse(nested(100_000).as_bytes(), 1 << 20).unwrap_err().code(), Code::LIMIT_DEPTH);
        assert_eq!(parse(nested(128).as_bytes(), 1 << 20).unwrap_err().code(), Code::LIMIT_DEPTH);
        assert!(parse(nested(127).as_bytes(), 1 << 20).is_ok());
        assert_eq!(parse(b"{\"a\":1}", 6).unwrap_err().code(), Code::LIMIT_DOCUMENT);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}|[\u{0}-\u{1f}<&\u{2028}]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,3}|[a~/]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Every value in the tree, with its pointer.
    fn places<'a>(value: &'a Value, pointer: String, all: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    places(value, format!("{pointer}/{}", pointer_token(name)), all);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    places(value, format!("{pointer}/{index}"), all);
                }
            }
            _ => {}
        }
        all.push((pointer, value));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_every_pointer_leads_to_its_value(value in any_value()) {
            for data in [write(&value), serde_json::to_vec_pretty(&value).unwrap()] {
                prop_assert_eq!(&parse(&data, 1 << 20).unwrap().value, &value);
                let mut all = Vec::new();
                places(&value, String::new(), &mut all);
                for (pointer, value) in all {
                    let span = span(&data, &pointer).unwrap();
                    prop_assert_eq!(&serde_json::from_slice::<Value>(&data[span.start..span.end]).unwrap(), value);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(data in "[\\[\\]{}:,\"a0 \\\\]{0,24}", pointer in "[/a0~]{0,6}") {
            let _ = (parse(data.as_bytes(), 1 << 20), span(data.as_bytes(), &pointer));
        }
    }
}
