//! YAML as Helm reads and writes it: go-yaml v2 through sigs.k8s.io/yaml 1.6.
//!
//! `token` → `scan` (events) → `node` (a tree with spans) → `resolve` (Helm's scalar rules); `emit` writes.

mod emit;
mod node;
mod property;
mod resolve;
mod scalar;
mod scan;
mod token;

pub use emit::to_string;
pub use node::{Data, Mapping, Node, merge};
pub(crate) use resolve::{Precision, float_text};

use scan::Text;

use crate::error::{Code, Error};
use crate::limits::Limits;

/// Reads the first document, as Helm does; an empty text is null. Aliases and merges are expanded, scalars resolved.
///
/// ```
/// use chartoci::yaml::{Data, parse};
/// let node = parse(b"on: 0777", &chartoci::Limits::default())?;
/// assert_eq!(node.get("true").map(|value| &value.data), Some(&Data::Int(511)));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// `yaml.*` with line and column, and [`Kind::Limit`](crate::Kind::Limit) where a bound is reached.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Node, Error> {
    let mut builder = node::Builder::new(Text { bytes: text, ..Text::default() }, limits)?;
    Ok(builder.document()?.unwrap_or_default())
}

/// Reads all documents.
///
/// # Errors
/// As [`parse`].
pub fn parse_all(text: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    let mut builder = node::Builder::new(Text { bytes: text, ..Text::default() }, limits)?;
    std::iter::from_fn(|| builder.document().transpose()).collect()
}

/// Reads the documents of values.yaml, as Helm 4 cuts it up before it reads YAML: every line that begins with `---`
/// separates, wherever it stands, and whatever follows `...` is ignored; where the last line break is missing, Helm adds it.
///
/// ```
/// use chartoci::yaml::parse_values;
/// let documents = parse_values(b"a: 1\n---\na: 2\n...\na: 3\n", &chartoci::Limits::default())?;
/// assert_eq!((documents.len(), documents[1].span.line), (2, 3));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// As [`parse`]; and something other than a comment stands behind a separator.
pub fn parse_values(text: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    scan::check_size(text, limits)?;
    if !text.is_empty() && !text.ends_with(b"\n") {
        return parse_values(&[text, b"\n"].concat(), limits);
    }
    let mut limits = limits.clone();
    let mut documents = Vec::new();
    let mut piece = Text::default();
    let (mut bytes, mut lines) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let separator = line.strip_prefix(b"---").map(<[u8]>::trim_ascii);
        if separator.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(b"#")) {
            let message = "nothing but a comment may stand behind --- in values.yaml";
            return Err(Error::new(Code::YAML_SYNTAX, message).with("line", lines + 1).with("column", 1));
        }
        if separator.is_some() && bytes > piece.bytes_before {
            piece.bytes = &text[piece.bytes_before..bytes];
            documents.push(piece_of_values(piece, &mut limits)?);
            piece = Text { bytes: &[], bytes_before: bytes + line.len(), lines_before: lines + 1 };
        }
        bytes += line.len();
        lines += 1;
    }
    if bytes > piece.bytes_before {
        piece.bytes = &text[piece.bytes_before..];
        documents.push(piece_of_values(piece, &mut limits)?);
    }
    Ok(documents)
}

fn piece_of_values(piece: Text<'_>, limits: &mut Limits) -> Result<Node, Error> {
    let mut builder = node::Builder::new(piece, limits)?;
    let document = builder.document()?.unwrap_or_default();
    limits.nodes = builder.nodes_left();
    Ok(document)
}
