//! Rules for values.schema.json. Whether it is a JSON Schema, and whether the defaults fit, is another module's: its
//! findings join these.

use serde_json::Value;

use super::page::{Page, quoted};
use crate::error::Code;
use crate::json::{self, pointer_token};
use crate::limits::Limits;

pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> Page<'a> {
    let parsed = match json::parse(page.text, limits.document) {
        Ok(parsed) => parsed,
        Err(error) => {
            page.fail(&error);
            return page;
        }
    };
    page.repeated(&parsed.duplicates);
    remote(&mut page, &parsed.value, &mut String::new());
    let is_closed = parsed.value.get("additionalProperties") == Some(&Value::Bool(false));
    let has = |name: &str, key: &str| parsed.value.get(name).is_some_and(|found| found.get(key).is_some());
    if is_closed && !has("properties", "global") && !has("patternProperties", "global") {
        let message = "additionalProperties is false, and properties has no global";
        page.find(Code::SCHEMA_GLOBAL, "/additionalProperties", None, message);
    }
    page
}

/// `$ref` to another document.
fn remote(page: &mut Page, value: &Value, path: &mut String) {
    let length = path.len();
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                remote(page, item, path);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push('/');
                path.push_str(&pointer_token(name));
                match value {
                    Value::String(target) if name == "$ref" && !target.starts_with('#') => {
                        let message = format!("$ref {} leads out of the document", quoted(target));
                        page.find(Code::SCHEMA_REMOTE, &**path, None, message);
                    }
                    _ => remote(page, value, path),
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
}
