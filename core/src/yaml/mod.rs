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
pub use node::{Data, Duplicate, Mapping, Node, merge};
pub(crate) use resolve::{Precision, float_text};

use node::Allowance;
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
    let mut builder = node::Builder::new(whole(text), limits, Allowance::of(limits), 0)?;
    Ok(builder.document()?.unwrap_or_default())
}

/// Reads all documents.
///
/// ```
/// let documents = chartoci::yaml::parse_all(b"a: 1\n---\na: 2\n", &chartoci::Limits::default())?;
/// assert_eq!((documents.len(), documents[1].span.line), (2, 3));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// As [`parse`].
pub fn parse_all(text: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    let mut builder = node::Builder::new(whole(text), limits, Allowance::of(limits), 0)?;
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
    let mut left = Allowance::of(limits);
    let mut documents = Vec::new();
    each_of_values(text, limits, &mut |piece| {
        let mut builder = node::Builder::new(piece, limits, left, 0)?;
        documents.push(builder.document()?.unwrap_or_default());
        left = builder.left();
        Ok(())
    })?;
    Ok(documents)
}

fn whole(text: &[u8]) -> Text<'_> {
    Text { bytes: text, ..Text::default() }
}

/// Hands out the documents of values.yaml.
fn each_of_values(
    text: &[u8],
    limits: &Limits,
    take: &mut dyn FnMut(Text<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    scan::check_size(text, limits)?;
    if !text.is_empty() && !text.ends_with(b"\n") {
        return each_of_values(&[text, b"\n"].concat(), limits, take);
    }
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
            take(piece)?;
            piece = Text { bytes: &[], bytes_before: bytes + line.len(), lines_before: lines + 1 };
        }
        bytes += line.len();
        lines += 1;
    }
    if bytes > piece.bytes_before {
        piece.bytes = &text[piece.bytes_before..];
        take(piece)?;
    }
    Ok(())
}

/// Which documents of a text are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Documents {
    /// The first, as [`parse`] does.
    First,
    /// All, as [`parse_all`] does.
    All,
    /// Those of values.yaml, as [`parse_values`] does.
    Values,
}

/// A text of which all mistakes were looked for.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The documents. What is no value has its text in its place, and a key or merge that is none is left out. After a
    /// mistake of syntax, what stands before it.
    pub(crate) documents: Vec<Node>,
    /// What is wrong; empty where Helm reads the text.
    pub(crate) errors: Vec<Error>,
    /// The documents are there to their ends.
    pub(crate) is_whole: bool,
    /// Where one document is read: what stands behind it and begins no other.
    pub(crate) leftover: Option<Error>,
}

/// More mistakes help nobody.
const MOST: usize = 100;

/// Reads as [`parse`] and its like do, and goes on where they end: only syntax and limits end a document.
pub(crate) fn look(text: &[u8], limits: &Limits, which: Documents) -> Looked {
    let mut looked = Looked { is_whole: true, ..Looked::default() };
    let mut left = Allowance::of(limits);
    let read = match which {
        Documents::Values => each_of_values(text, limits, &mut |piece| looked.add(piece, limits, &mut left, false)),
        _ => looked.add(whole(text), limits, &mut left, which == Documents::All),
    };
    if let Err(error) = read {
        looked.errors.push(error);
        looked.is_whole = false;
    }
    looked
}

impl Looked {
    /// Reads one document, or all; none, once there are mistakes enough.
    fn add(&mut self, text: Text<'_>, limits: &Limits, left: &mut Allowance, all: bool) -> Result<(), Error> {
        let patience = MOST.saturating_sub(self.errors.len());
        if patience == 0 {
            self.is_whole = false;
            return Ok(());
        }
        let mut builder = node::Builder::new(text, limits, *left, patience)?;
        let before = self.documents.len();
        let end = loop {
            match builder.document() {
                Ok(Some(node)) => self.documents.push(node),
                end => break end,
            }
            if !all || builder.is_cut() {
                break Ok(None);
            }
        };
        if !all && before == self.documents.len() {
            self.documents.push(Node::default());
        }
        *left = builder.left();
        if !all && end.is_ok() {
            self.leftover = self.leftover.take().or_else(|| builder.leftover());
        }
        let (refused, is_cut) = builder.into_refused();
        self.errors.extend(refused);
        self.errors.extend(end.err());
        self.is_whole &= !is_cut;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each asked of Helm 4.3.1.
    #[test]
    fn behind_the_document_malformed_directives_and_decoded_control_characters_are_refused() {
        let is_read = |text: &str| parse(text.as_bytes(), &Limits::default()).is_ok();
        for text in
            ["%YAML\n", "%YAML 1\n", "%YAML 1.\n", "%YAML .1\n", "%YAML 1234567890.1\n", "%YAML 1.1 x\n", "%FOO\n"]
        {
            assert!(!is_read(&format!("a: 1\n{text}")), "{text}");
        }
        for text in ["%YAML 1.1\n", "%YAML 1.2\n", "%YAML 1.1\nb: 1\n", "...\n%YAML\n", "---\n%YAML\n", "---\nb: [\n"] {
            assert!(is_read(&format!("a: 1\n{text}")), "{text}");
        }
        for text in ["---\n\u{7}", "...\n# \u{80}\n"] {
            assert!(!is_read(&format!("a: 1\n{text}")), "{text}");
        }
        assert!(is_read(&format!("a: 1\n---\n{}\u{7}", "#\n".repeat(300))));
    }

    #[test]
    fn mistakes_are_looked_for_until_there_are_enough_of_them_in_all_documents_together() {
        let looked = look("---\na: *b\n".repeat(10_000).as_bytes(), &Limits::default(), Documents::Values);
        assert!((MOST..=MOST + 1).contains(&looked.errors.len()) && !looked.is_whole);
        let looked = look(b"a: *b\n---\nc: *d\n", &Limits::default(), Documents::Values);
        assert!(looked.errors.len() == 2 && looked.is_whole && looked.documents.len() == 2);
    }
}
