//! The tree: values as Helm sees them, each with its place.

use crate::diagnostic::Span;

/// A value and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub data: Data,
    /// Where it stands.
    pub span: Span,
    /// The source text of a scalar, if it is not what `data` shows (`0777`, `yes`, `1.10`).
    pub source: Option<Box<str>>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits 64 bits with a sign.
    Int(i64),
    /// A whole number that needs the 64th bit.
    Uint(u64),
    /// Any other number, infinities and NaN included.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Pairs in the order of the text. Of equal keys the last stands; all are listed in `duplicates`.
    Mapping(Mapping),
}

/// The pairs of a mapping. Keys are texts, as JSON needs them (`true:` is `"true"`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// Key, place of the key, value.
    pub pairs: Vec<(String, Span, Node)>,
    /// Places of keys that were written again later.
    pub duplicates: Vec<(String, Span)>,
}

impl Mapping {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs.iter().find(|(known, _, _)| known == key).map(|(_, _, node)| node)
    }
}

impl Node {
    /// The mapping, if it is one.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.data {
            Data::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }
}
