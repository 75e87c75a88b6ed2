//! YAML as Helm reads and writes it: go-yaml v2 through sigs.k8s.io/yaml 1.6.
//!
//! `scan` (events) → `node` (a tree with spans) → `resolve` (Helm's scalar rules); `emit` writes.

mod emit;
mod node;
mod resolve;
mod scan;

pub use emit::to_string;
pub use node::{Data, Mapping, Node, merge};
pub(crate) use resolve::{Precision, float_text};

use crate::error::Error;
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
    Ok(node::Builder::new(text, limits)?.document()?.unwrap_or_default())
}

/// Reads all documents.
///
/// # Errors
/// As [`parse`].
pub fn parse_all(text: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    let mut builder = node::Builder::new(text, limits)?;
    std::iter::from_fn(|| builder.document().transpose()).collect()
}
