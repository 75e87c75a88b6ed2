//! YAML and JSON into structures, as Go's `encoding/json` does behind sigs.k8s.io/yaml: names of fields in any case, null
//! leaves what is there, unknown fields are dropped; every value that does not fit is reported.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::fields::{Field, Shape};
use crate::diagnostic::{Diagnostic, Report, Span};
use crate::error::{Code, Error, clip};
use crate::json::pointer_token;
use crate::order;
use crate::yaml::{Data, Node, Precision, float_text};

/// A document: its name for people, its content.
pub(crate) struct Document {
    pub(crate) name: &'static str,
    pub(crate) node: Node,
}

impl Document {
    /// The pointer to a field and its place. A field is named in lower case, whatever the document's spelling.
    pub(crate) fn locate(&self, path: &[&str]) -> Option<(String, Span)> {
        let mut pointer = String::new();
        let mut node = &self.node;
        for step in path {
            node = match &node.data {
                Data::Mapping(mapping) => {
                    let spelled = mapping.pairs.iter().filter(|(key, _, _)| is_spelling(key, step));
                    let (key, _, value) = spelled.max_by_key(|(key, _, _)| key)?;
                    pointer.push('/');
                    pointer.push_str(&pointer_token(key));
                    value
                }
                Data::Sequence(items) => {
                    pointer.push('/');
                    pointer.push_str(step);
                    items.get(step.parse::<usize>().ok()?)?
                }
                _ => return None,
            };
        }
        Some((pointer, node.span))
    }

    /// An error about a place in this document, with a report of it.
    pub(super) fn error(&self, code: Code, message: String, pointer: &str, span: Option<Span>) -> Error {
        error(Diagnostic::new(code, self.name, message).at(pointer, span), None)
    }
}

/// The error of a finding; the report is that finding alone if no other is given.
fn error(first: Diagnostic, report: Option<Report>) -> Error {
    let mut error = Error::new(first.code, first.message.clone()).with("document", &first.document);
    if let Some(span) = first.span {
        error = error.with("line", span.line).with("column", span.column);
    }
    if !first.pointer.is_empty() {
        error = error.with("pointer", clip(&first.pointer));
    }
    error.with_report(report.unwrap_or_else(|| Report::from_iter([first])))
}

/// Decodes one document and keeps what did not fit.
pub(crate) struct Decoder {
    document: &'static str,
    /// Where a text is wanted, numbers and booleans become one: so in YAML, not in JSON.
    coerces: bool,
    path: Vec<String>,
    report: Report,
}

impl Decoder {
    pub(crate) fn new(document: &'static str, coerces: bool) -> Decoder {
        Decoder { document, coerces, path: Vec::new(), report: Report::new() }
    }

    /// All values that did not fit.
    pub(crate) fn report(self) -> Report {
        self.report
    }

    /// The first of the values that did not fit, with all of them as report.
    pub(super) fn finish(self) -> Result<(), Error> {
        let report = self.report.sorted();
        match report.iter().next().cloned() {
            Some(first) => Err(error(first, Some(report))),
            None => Ok(()),
        }
    }

    pub(super) fn refuse(&mut self, code: Code, node: &Node, message: String) {
        let pointer: String = self.path.iter().flat_map(|step| ["/", step]).collect();
        let span = (node.span != Span::default()).then_some(node.span);
        self.report.push(Diagnostic::new(code, self.document, message).at(pointer, span));
    }

    fn misfit(&mut self, node: &Node, wanted: &str) {
        let is_index = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
        let message = match self.path.as_slice() {
            [.., list, at] if is_index(at) => format!("{}[{at}]", clip(list)),
            path => clip(path.last().map_or(self.document, |name| name)),
        };
        let message = format!("{message} must be {wanted}, not {}", node.describe());
        self.refuse(Code::CHART_FIELD_TYPE, node, message);
        let help = match wanted {
            "a list" => "Write a list: each item on a line of its own, with `- ` before it.",
            "a mapping" => "Write `key: value` pairs, each on a line of its own.",
            _ => return,
        };
        if self.coerces {
            self.report.last_help(help);
        }
    }

    fn within(&mut self, step: String, decode: impl FnOnce(&mut Self)) {
        self.path.push(step);
        decode(self);
        self.path.pop();
    }

    /// Hands each of the `known` fields to `field`, by its name as the table spells it.
    pub(super) fn fields(&mut self, node: &Node, known: &[Field], mut field: impl FnMut(&mut Self, &str, &Node)) {
        self.each_field(node, known, &mut field);
    }

    /// One copy in the program, whatever the fields are of.
    fn each_field(&mut self, node: &Node, known: &[Field], field: &mut dyn FnMut(&mut Self, &str, &Node)) {
        let mapping = match &node.data {
            Data::Null => return,
            Data::Mapping(mapping) => mapping,
            _ => return self.misfit(node, "a mapping"),
        };
        // Of several spellings of one name the last in byte order counts.
        let mut pairs: Vec<_> = mapping.pairs.iter().collect();
        order::sort(&mut pairs, |a, b| a.0 < b.0);
        for (key, _, value) in pairs {
            let name = folded(key);
            self.within(pointer_token(key), |decoder| {
                match known.iter().find(|known| known.name.eq_ignore_ascii_case(&name)) {
                    Some(known) => field(decoder, known.name, value),
                    None => decoder.ignored(value),
                }
            });
        }
    }

    /// A value that nobody wants must still have a place in JSON.
    fn ignored(&mut self, node: &Node) {
        if let Err(error) = node.check_json() {
            self.refuse(error.code(), node, error.message().to_owned());
        }
    }

    /// What its fields of plain types hold fits them; the others are left to the caller.
    pub(crate) fn misfits(mut self, node: &Node, known: &[Field]) -> Report {
        self.fields(node, known, |decoder, name, value| match known.iter().find(|field| field.name == name) {
            Some(Field { shape: Shape::Text, .. }) => decoder.text(value, &mut String::new()),
            Some(Field { shape: Shape::Flag, .. }) => decoder.flag(value, &mut false),
            Some(Field { shape: Shape::Texts, .. }) => decoder.texts(value, &mut Vec::new()),
            Some(Field { shape: Shape::TextMap, .. }) => decoder.text_map(value, &mut BTreeMap::new()),
            _ => {}
        });
        self.report()
    }

    pub(super) fn text(&mut self, node: &Node, target: &mut String) {
        *target = match &node.data {
            Data::Null => return,
            Data::String(text) => text.clone(),
            other => match coerced(other).filter(|_| self.coerces) {
                Some(text) => text,
                None => return self.misfit(node, "a text"),
            },
        };
    }

    pub(super) fn flag(&mut self, node: &Node, target: &mut bool) {
        match &node.data {
            Data::Null => {}
            Data::Bool(flag) => *target = *flag,
            _ => self.misfit(node, "true or false"),
        }
    }

    /// Items are decoded onto those that are there already, as Go does where a list is given twice.
    pub(super) fn list<T: Default>(
        &mut self,
        node: &Node,
        target: &mut Vec<T>,
        mut item: impl FnMut(&mut Self, &Node, &mut T),
    ) {
        match &node.data {
            Data::Null => target.clear(),
            Data::Sequence(items) => {
                target.resize_with(items.len(), T::default);
                for (at, (node, target)) in items.iter().zip(target).enumerate() {
                    self.within(at.to_string(), |decoder| item(decoder, node, target));
                }
            }
            _ => self.misfit(node, "a list"),
        }
    }

    pub(super) fn texts(&mut self, node: &Node, target: &mut Vec<String>) {
        self.list(node, target, Self::text);
    }

    pub(super) fn text_map(&mut self, node: &Node, target: &mut BTreeMap<String, String>) {
        match &node.data {
            Data::Null => target.clear(),
            Data::Mapping(mapping) => {
                for (key, _, value) in &mapping.pairs {
                    self.within(pointer_token(key), |decoder| {
                        let mut text = String::new();
                        decoder.text(value, &mut text);
                        target.insert(key.clone(), text);
                    });
                }
            }
            _ => self.misfit(node, "a mapping"),
        }
    }

    /// A value of any type.
    pub(super) fn any(&mut self, node: &Node, target: &mut Value) {
        self.ignored(node);
        *target = json(node);
    }
}

/// Whether a key is that field.
pub(crate) fn is_spelling(key: &str, field: &str) -> bool {
    if key.is_ascii() { key.eq_ignore_ascii_case(field) } else { folded(key).eq_ignore_ascii_case(field) }
}

/// Go compares names without case, and takes two characters beyond ASCII for the letters that they look like.
fn folded(name: &str) -> String {
    let fold = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => char::to_ascii_lowercase(&c),
    };
    name.chars().map(fold).collect()
}

/// The value as Go holds it where no type is asked for: all numbers are floating point of 64 bits.
pub(crate) fn json(node: &Node) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = |value: f64| {
        if value.fract() == 0.0 && value.abs() <= EXACT && !(value == 0.0 && value.is_sign_negative()) {
            return Value::from(value as i64);
        }
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    };
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(flag) => (*flag).into(),
        Data::Int(value) => number(*value as f64),
        Data::Uint(value) => number(*value as f64),
        Data::Float(value) => number(*value),
        Data::String(text) => text.as_str().into(),
        Data::Sequence(items) => items.iter().map(json).collect(),
        Data::Mapping(mapping) => {
            let mut map = Map::new();
            for (key, _, value) in &mapping.pairs {
                map.insert(key.clone(), json(value));
            }
            Value::Object(map)
        }
    }
}

/// The tree of a JSON value, without places.
pub(crate) fn node(value: Value) -> Node {
    let data = match value {
        Value::Null => Data::Null,
        Value::Bool(flag) => Data::Bool(flag),
        Value::Number(number) => Data::Float(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Data::String(text),
        Value::Array(items) => Data::Sequence(items.into_iter().map(node).collect()),
        Value::Object(fields) => {
            let pairs = fields.into_iter().map(|(key, value)| (key, Span::default(), node(value))).collect();
            Data::Mapping(crate::yaml::Mapping { pairs, duplicates: Vec::new() })
        }
    };
    Node { data, ..Node::default() }
}

/// The text that Helm makes of a number or a boolean where it wants a text.
pub(crate) fn coerced(data: &Data) -> Option<String> {
    match data {
        Data::Bool(flag) => Some(flag.to_string()),
        Data::Int(number) => Some(number.to_string()),
        Data::Uint(number) => Some(number.to_string()),
        Data::Float(number) => Some(float_text(*number, Precision::Single)),
        _ => None,
    }
}
