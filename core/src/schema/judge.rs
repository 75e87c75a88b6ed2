//! Judging by `boon`.

use boon::{CompileError, Compiler, Draft, ErrorKind, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

use super::{Violation, work};
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;

/// Judges JSON values by a JSON Schema. The violations are in the order of the values; those behind the first hundred
/// are dropped.
///
/// ```
/// let schema = br#"{"properties": {"replicas": {"type": "integer"}}}"#;
/// let violations = chartoci::schema::validate(schema, br#"{"replicas": "two"}"#, &chartoci::Limits::default())?;
/// assert_eq!(violations[0].pointer, "/replicas");
/// assert_eq!(violations[0].message, "want integer, but got string");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::JSON_SYNTAX`] and [`Code::LIMIT_DOCUMENT`]; [`Code::SCHEMA_INVALID`], with a `pointer` into the schema where
/// one is known; [`Code::SCHEMA_REMOTE`]; [`Code::LIMIT_SCHEMA`].
pub fn validate(schema: &[u8], values: &[u8], limits: &Limits) -> Result<Vec<Violation>, Error> {
    let schema = json::parse(schema, limits.document)?.value;
    let values = json::parse(values, u64::MAX)?.value;
    work::check(&schema, &values)?;
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nothing));
    let mut schemas = Schemas::new();
    compiler.add_resource(PLACE, schema).map_err(|error| refused(&error))?;
    let index = compiler.compile(PLACE, &mut schemas).map_err(|error| refused(&error))?;
    let mut violations = Vec::new();
    if let Err(error) = schemas.validate(&values, index) {
        leaves(&error, &mut |violation| violations.push(violation));
    }
    violations.dedup();
    Ok(violations)
}

/// As Helm calls the schema; relative references are relative to this.
const PLACE: &str = "file:///values.schema.json";
/// More violations help nobody.
const MOST: usize = 100;

/// What is not in the schema itself is not there.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        // Helm takes anything where a URN stands.
        if url.starts_with("urn:") { Ok(Value::Bool(true)) } else { Err(format!("{url} is not fetched").into()) }
    }
}

fn refused(error: &CompileError) -> Error {
    let fragment = |url: &str| url.split_once('#').map(|(_, pointer)| pointer.to_owned()).unwrap_or_default();
    match error {
        CompileError::LoadUrlError { url, .. } | CompileError::UnsupportedUrlScheme { url } => {
            let message = format!("the schema refers to {}, which is never fetched", clip(url));
            Error::new(Code::SCHEMA_REMOTE, message).with("url", clip(url))
        }
        CompileError::ValidationError { src, .. } => {
            let mut first = None;
            leaves(src, &mut |violation| {
                first.get_or_insert(violation);
            });
            let Violation { pointer, message, .. } = first.unwrap_or_else(|| violation_of(src));
            let place = if pointer.is_empty() { "the schema" } else { &pointer };
            Error::new(Code::SCHEMA_INVALID, format!("{}: {}", clip(place), clip(&message))).with("pointer", pointer)
        }
        CompileError::InvalidRegex { url, regex, src } => {
            let message = format!("the pattern {:?} cannot be used: {}", clip(regex), clip(&src.to_string()));
            Error::new(Code::SCHEMA_INVALID, message).with("pointer", fragment(url))
        }
        CompileError::Bug(why) => Error::new(Code::SCHEMA_INVALID, format!("a pattern cannot be used: {why}")),
        other => Error::new(Code::SCHEMA_INVALID, clip(&other.to_string().replace(PLACE, ""))),
    }
}

/// The violations at the ends of the tree: what stands above them says no more than that something below is wrong. Of
/// alternatives none of which fits the choice itself is said, unless it is between one.
fn leaves(error: &ValidationError, say: &mut dyn FnMut(Violation)) {
    let mut count = 0;
    walk(error, &mut |violation| {
        count += 1;
        if count <= MOST {
            say(violation);
        }
    });
}

fn walk(error: &ValidationError, say: &mut dyn FnMut(Violation)) {
    let is_choice = matches!(error.kind, ErrorKind::AnyOf | ErrorKind::OneOf(_)) && error.causes.len() != 1;
    if error.causes.is_empty() || is_choice {
        say(violation_of(error));
        return;
    }
    for cause in &error.causes {
        walk(cause, say);
    }
}

fn violation_of(error: &ValidationError) -> Violation {
    let rule = error.schema_url.split_once('#').map_or("", |(_, pointer)| pointer);
    let mut message = error.kind.to_string();
    if let ErrorKind::AnyOf | ErrorKind::OneOf(None) = error.kind {
        let mut tries = Vec::new();
        for cause in error.causes.iter().take(4) {
            let mut first = None;
            walk(cause, &mut |violation| {
                first.get_or_insert(violation.message);
            });
            tries.extend(first);
        }
        message = format!("fits none of the alternatives: {}", tries.join("; "));
    }
    Violation { pointer: error.instance_location.to_string(), rule: rule.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(schema: &str, values: &str) -> Result<Vec<(String, String)>, Code> {
        let judged = validate(schema.as_bytes(), values.as_bytes(), &Limits::default());
        let plain = |violation: Violation| (violation.pointer, violation.message);
        judged.map(|all| all.into_iter().map(plain).collect()).map_err(|error| error.code())
    }

    fn violated(schema: &str, values: &str) -> Vec<(String, String)> {
        judged(schema, values).unwrap()
    }

    #[test]
    fn every_violation_is_said_with_its_place() {
        let schema = r#"{"$schema": "http://json-schema.org/draft-07/schema#", "required": ["image"],
            "properties": {"replicas": {"type": "integer", "minimum": 1}, "a/b": {"items": {"type": "string"}}}}"#;
        let found = violated(schema, r#"{"replicas": 0, "a/b": ["x", 1]}"#);
        let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(found.len(), 3);
        assert!(
            pointers.contains(&"") && pointers.contains(&"/replicas") && pointers.contains(&"/a~1b/1"),
            "{found:?}"
        );
    }

    #[test]
    fn of_alternatives_the_choice_is_said() {
        let found = violated(r#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, "[]");
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("want string") && found[0].1.contains("want integer"), "{found:?}");
    }

    #[test]
    fn a_schema_is_judged_by_its_own_draft() {
        assert_eq!(judged(r#"{"type": "strin"}"#, "{}"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged(r#"{"type": ["string", 3]}"#, "{}"), Err(Code::SCHEMA_INVALID));
        // exclusiveMinimum is a boolean in draft 4 alone.
        let draft4 =
            r#"{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}"#;
        assert_eq!(violated(draft4, "1").len(), 1);
        assert_eq!(judged(&draft4.replace("draft-04", "draft-07"), "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged(r#"{"pattern": "("}"#, "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged("[]", "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged("true", "1"), Ok(Vec::new()));
    }

    #[test]
    fn nothing_is_fetched() {
        for url in [
            "http://127.0.0.1:1/x.json",
            "https://registry.example/x.json",
            "file:///dev/zero",
            "file:///etc/passwd",
            "other.json",
            "ftp://x/y",
        ] {
            let schema = format!(r#"{{"$ref": "{url}"}}"#);
            assert_eq!(judged(&schema, "{}"), Err(Code::SCHEMA_REMOTE), "{url}");
            let schema = format!(r#"{{"$schema": "{url}"}}"#);
            assert!(judged(&schema, "{}").is_err(), "{url}");
        }
        assert_eq!(judged(r#"{"$ref": "urn:example:x"}"#, "{}"), Ok(Vec::new()));
    }

    #[test]
    fn a_pattern_that_is_meant_to_take_for_ever_does_not() {
        let values = format!("\"{}!\"", "a".repeat(50_000));
        assert_eq!(violated(r#"{"pattern": "^(a+)+$"}"#, &values).len(), 1);
        let huge = r#"{"pattern": "((a{1,1000}){1,1000}){1,1000}"}"#;
        assert_eq!(judged(huge, "\"a\""), Err(Code::SCHEMA_INVALID));
    }
}
