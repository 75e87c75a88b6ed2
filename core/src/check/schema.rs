//! Rules for values.schema.json. Whether it is a JSON Schema, and whether the defaults fit, is another module's: its
//! findings join these.

use serde_json::Value;

use super::page::{Page, quoted};
use crate::error::Code;
use crate::json::{self, Parsed, pointer_token};
use crate::limits::Limits;

pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> Page<'a> {
    let Some(parsed) = load(&mut page, limits) else { return page };
    page.repeated(&parsed.duplicates);
    for (pointer, target) in remote_references(&parsed.value) {
        let message = format!("$ref {} leads out of the document", quoted(&target));
        page.find(Code::SCHEMA_REMOTE, pointer, None, message);
    }
    let is_closed = parsed.value.get("additionalProperties") == Some(&Value::Bool(false));
    let has = |name: &str, key: &str| parsed.value.get(name).is_some_and(|found| found.get(key).is_some());
    if is_closed && !has("properties", "global") && !has("patternProperties", "global") {
        let message = "additionalProperties is false, and properties has no global";
        page.find(Code::SCHEMA_GLOBAL, "/additionalProperties", None, message);
    }
    page
}

/// What keeps Helm from reading a schema, be it a vendored chart's.
pub(super) fn load(page: &mut Page, limits: &Limits) -> Option<Parsed> {
    let parsed = json::parse_lenient(page.text, limits.document).map_err(|error| page.fail(&error)).ok()?;
    if let Some(Value::String(draft)) = parsed.value.get("$schema")
        && !is_draft(draft)
    {
        let is_theirs = host(draft).is_none_or(|rest| rest.starts_with("json-schema.org/"));
        let (code, what) = match is_theirs {
            true => (Code::SCHEMA_INVALID, "is no draft that Helm knows"),
            false => (Code::SCHEMA_REMOTE, "leads out of the document"),
        };
        page.find(code, "/$schema", None, format!("$schema {} {what}", quoted(draft)));
    }
    Some(parsed)
}

/// What stands behind `https://`, with or without the s.
fn host(url: &str) -> Option<&str> {
    url.strip_prefix("http").and_then(|rest| rest.strip_prefix('s').unwrap_or(rest).strip_prefix("://"))
}

/// Of what `$schema` may say what Helm knows, and URNs, behind which it takes anything.
fn is_draft(url: &str) -> bool {
    const DRAFTS: [&str; 6] = ["", "/draft-04", "/draft-06", "/draft-07", "/draft/2019-09", "/draft/2020-12"];
    let rest = host(url).and_then(|rest| rest.strip_suffix('#').unwrap_or(rest).strip_prefix("json-schema.org"));
    let draft = rest.and_then(|rest| rest.strip_suffix("/schema"));
    url.starts_with("urn:") || draft.is_some_and(|draft| DRAFTS.contains(&draft))
}

/// The names of documents that are embedded in this one.
fn embedded<'v>(value: &'v Value, names: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| embedded(item, names)),
        Value::Object(fields) => {
            let name = ["$id", "id"].into_iter().find_map(|name| fields.get(name)?.as_str());
            names.extend(name.map(bare).filter(|name| !name.is_empty()));
            fields.values().for_each(|value| embedded(value, names));
        }
        _ => {}
    }
}

/// A URL without its fragment.
fn bare(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

/// The names of embedded documents, and how many more may be compared with references.
struct Names<'v> {
    names: Vec<&'v str>,
    left: usize,
}

impl Names<'_> {
    /// Whether a reference names one of these: as it is written, or relative to where it stands. Of too many references and
    /// names nothing is said here: the judge of the schema looks for itself.
    fn have(&mut self, target: &str) -> bool {
        let Some(left) = self.left.checked_sub(self.names.len()) else { return true };
        self.left = left;
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
        let target = bare(target).trim_start_matches("./").trim_start_matches('/');
        self.names.iter().any(|name| *name == target || ends(name, target) || ends(target, name))
    }
}

/// Each reference is compared with each name.
const MOST_COMPARED: usize = 10_000_000;

/// Whether anything in it leads out of the document.
pub(super) fn leads_out(schema: &[u8]) -> bool {
    let page = check(Page::new("values.schema.json", schema), &Limits::default());
    page.report().iter().any(|finding| finding.code == Code::SCHEMA_REMOTE || finding.pointer == "/$schema")
}

/// A place of the schema itself by the name that Helm gives it, or of a draft's own schema, which every validator has.
fn is_at_hand(target: &str) -> bool {
    let document = bare(target);
    let path = document.strip_prefix("file:///").or(document.strip_prefix("./")).or(document.strip_prefix('/'));
    document.is_empty()
        || path.unwrap_or(document) == "values.schema.json"
        || host(document).is_some() && is_draft(document)
}

/// Each `$ref` to another document: where, and to which; the first of them, but for those in places of endless names.
pub(super) fn remote_references(schema: &Value) -> Vec<(String, String)> {
    let mut names = Vec::new();
    embedded(schema, &mut names);
    let mut found = Vec::new();
    collect(schema, false, &mut Names { names, left: MOST_COMPARED }, &mut String::new(), &mut found);
    found
}

/// References to other documents that are told.
pub(super) const MOST_REMOTE: usize = 100;
/// Bytes of the pointer to one of them.
const LONGEST: usize = 10_000;
/// Keywords whose members have names of the author's own.
const NAMING: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
/// Keywords below which nothing is a schema.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

fn collect(value: &Value, is_naming: bool, names: &mut Names, path: &mut String, found: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                collect(item, false, names, path, found);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| is_naming || !DATA.contains(&name.as_str())) {
                path.push('/');
                path.push_str(&pointer_token(name));
                match value {
                    Value::String(target)
                        if name == "$ref"
                            && !target.starts_with('#')
                            && !is_at_hand(target)
                            && !names.have(target)
                            && found.len() < MOST_REMOTE
                            && path.len() < LONGEST =>
                    {
                        found.push((path.clone(), target.clone()));
                    }
                    _ => collect(value, !is_naming && NAMING.contains(&name.as_str()), names, path, found),
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Each asked of Helm 4.3.1.
    #[test]
    fn what_is_at_hand_is_no_other_document() {
        for target in [
            "",
            "values.schema.json",
            "./values.schema.json#/definitions/s",
            "/values.schema.json#/definitions/s",
            "file:///values.schema.json",
            "http://json-schema.org/draft-07/schema#",
            "https://json-schema.org/draft/2020-12/schema#/$defs/x",
            "t.json",
            "/d/t.json",
        ] {
            let schema = json!({ "properties": { "a": { "$ref": target } }, "$defs": { "t": { "$id": "https://x.example/d/t.json" } } });
            assert_eq!(remote_references(&schema), [], "{target}");
        }
        for target in ["?#/definitions/s", "x", "other/values.schema.json", "https://x.example/a", "urn:foo"] {
            let schema = json!({ "properties": { "const": { "$ref": target } } });
            assert_eq!(remote_references(&schema), [("/properties/const/$ref".to_owned(), target.to_owned())]);
        }
    }

    #[test]
    fn what_stands_in_data_is_no_reference() {
        let data = json!({ "$ref": "https://x.example/a" });
        let schema = json!({ "const": data, "enum": [data], "default": data, "examples": [data] });
        assert_eq!(remote_references(&schema), []);
    }
}
