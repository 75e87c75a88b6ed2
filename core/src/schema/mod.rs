//! JSON Schema: values against values.schema.json, by `boon`, whose author also wrote what Helm uses (drafts 4, 6, 7,
//! 2019-09 and 2020-12, the last where `$schema` says nothing). `validate` comes with the feature `schema`; who has another
//! validator answers the questions of [`check`](mod@crate::check) with its own [`Violation`]s.
//!
//! A schema is hostile, too: no document is ever fetched, a schema that leads deep down or into endless work is refused
//! before anything is judged by it, and patterns are matched in linear time.

#[cfg(feature = "schema")]
mod judge;
#[cfg(feature = "schema")]
mod pattern;
#[cfg(feature = "schema")]
mod work;

#[cfg(feature = "schema")]
pub use judge::validate;
#[cfg(feature = "schema")]
pub(crate) use judge::validate_within;

/// Steps that all the questions of a report may take together; [`validate`] has half as many for its own.
pub(crate) const MOST_OF_REPORT: f64 = 2_000_000.0;

/// Something that does not fit.
///
/// ```
/// use chartoci::schema::Violation;
/// let violation = Violation {
///     pointer: "/replicas".to_owned(),
///     rule: "/properties/replicas/type".to_owned(),
///     message: "want integer, but got string".to_owned(),
/// };
/// assert!(violation.rule.ends_with("/type"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where in the values, as RFC 6901 has it.
    pub pointer: String,
    /// Which part of the schema says so, as RFC 6901 has it.
    pub rule: String,
    /// What is wrong.
    pub message: String,
}
