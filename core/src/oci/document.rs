//! What manifest and index have in common: a JSON object, descriptors in it, and findings with their place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Descriptor, Digest};
use crate::diagnostic::{Diagnostic, Report};
use crate::error::{Code, Error, clip};
use crate::json;

/// More findings than these help nobody.
const FINDINGS: usize = 100;

/// A document that is being read.
pub(super) struct Document<'a> {
    name: &'static str,
    data: &'a [u8],
    value: Value,
    report: Report,
    /// What makes it none at all.
    refused: Vec<Error>,
}

impl<'a> Document<'a> {
    pub(super) fn read(name: &'static str, data: &'a [u8], limit: u64) -> Result<Document<'a>, Error> {
        let json::Parsed { value, duplicates } = json::parse(data, limit)?;
        let mut document = Document { name, data, value, report: Report::new(), refused: Vec::new() };
        json::duplicates(data, &duplicates, name, &mut document.report);
        Ok(document)
    }

    /// The object that the document is; `shape` is the code of one that is none.
    pub(super) fn object(&mut self, shape: Code) -> Result<Map<String, Value>, Error> {
        match self.value.take() {
            Value::Object(object) => Ok(object),
            _ => Err(Error::new(shape, format!("this is no {}: it is no JSON object", self.name))),
        }
    }

    /// Adds a finding, unless there are too many.
    pub(super) fn find(&mut self, code: Code, message: impl Into<String>, pointer: &str) {
        if self.report.iter().count() < FINDINGS {
            let span = json::span(self.data, pointer);
            self.report.push(Diagnostic::new(code, self.name, message).at(pointer, span));
        }
    }

    /// Goes on, to find what else is wrong; [`Document::finish`] gives the first of these errors.
    pub(super) fn refuse(&mut self, error: Error) {
        if self.refused.len() < FINDINGS {
            self.refused.push(error);
        }
    }

    /// What is odd and yet legible; or the first error, with all that is wrong in its report.
    pub(super) fn finish(mut self) -> Result<Report, Error> {
        for error in &self.refused {
            let pointer = error.context().iter().find(|(name, _)| *name == "pointer").map_or("", |(_, value)| value);
            let finding = Diagnostic::new(error.code(), self.name, error.to_string());
            self.report.push(finding.at(pointer, json::span(self.data, pointer)));
        }
        match self.refused.into_iter().next() {
            Some(first) => Err(first.with_report(self.report.sorted())),
            None => Ok(self.report),
        }
    }

    /// `schemaVersion` and `mediaType`.
    pub(super) fn check_head(&mut self, object: &Map<String, Value>, media_types: [&str; 2]) {
        match object.get("schemaVersion") {
            Some(version) if version.as_u64() == Some(2) => {}
            Some(_) => self.find(Code::MANIFEST_SCHEMA_VERSION, "schemaVersion is not 2", "/schemaVersion"),
            None => self.find(Code::MANIFEST_SCHEMA_VERSION, "schemaVersion is missing", ""),
        }
        match object.get("mediaType") {
            None => {}
            Some(Value::String(text)) if media_types.contains(&text.as_str()) => {}
            Some(other) => {
                let message = format!("mediaType is {}", clip(&json::shown(other)));
                self.find(Code::MANIFEST_MEDIA_TYPE, message, "/mediaType");
            }
        }
    }

    /// The annotations that are texts; the others are reported.
    pub(super) fn annotations(&mut self, object: &Map<String, Value>) -> BTreeMap<String, String> {
        let mut annotations = BTreeMap::new();
        match object.get("annotations") {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    match value {
                        Value::String(text) => {
                            annotations.insert(name.clone(), text.clone());
                        }
                        _ => {
                            let pointer = format!("/annotations/{}", json::pointer_token(name));
                            self.find(Code::MANIFEST_ANNOTATION, format!("{:?} is no text", clip(name)), &pointer);
                        }
                    }
                }
            }
            Some(_) => self.find(Code::MANIFEST_ANNOTATION, "annotations is no JSON object", "/annotations"),
        }
        annotations
    }

    /// The descriptors of a list, save those that are none or of unregistered algorithms.
    pub(super) fn descriptors(&mut self, list: &[Value], pointer: &str) -> Vec<Descriptor> {
        let read = |(index, value)| self.descriptor(value, &format!("{pointer}/{index}"));
        list.iter().enumerate().filter_map(read).collect()
    }

    /// A descriptor (image-spec, descriptor.md). All that keeps it from being one is refused; nothing, and a finding, if its
    /// digest is of an unregistered algorithm.
    pub(super) fn descriptor(&mut self, value: &Value, pointer: &str) -> Option<Descriptor> {
        if !value.is_object() {
            self.misfit(Code::MANIFEST_DESCRIPTOR, pointer, &format!("is {}, not a descriptor", describe(value)));
            return None;
        }
        let missing: Vec<&str> =
            ["mediaType", "digest", "size"].into_iter().filter(|n| value.get(n).is_none()).collect();
        if !missing.is_empty() {
            self.misfit(Code::MANIFEST_DESCRIPTOR, pointer, &format!("has no {}", missing.join(", no ")));
        }
        let mut member = |name: &str, wanted: &str, is_good: &dyn Fn(&Value) -> bool| {
            let found = value.get(name)?;
            if is_good(found) {
                return Some(found);
            }
            let what = match found {
                Value::String(text) => format!("{:?}", clip(text)),
                Value::Number(_) => json::shown(found),
                other => describe(other).to_owned(),
            };
            let place = format!("{pointer}/{name}");
            self.misfit(Code::MANIFEST_DESCRIPTOR, &place, &format!("is {what}, which is no {wanted}"));
            None
        };
        let media_type = member("mediaType", "media type", &|found| found.as_str().is_some_and(is_media_type));
        let size =
            member("size", "number of bytes", &|found| found.as_u64().is_some_and(|size| i64::try_from(size).is_ok()));
        let text = member("digest", "digest", &Value::is_string).and_then(Value::as_str)?;
        let place = format!("{pointer}/digest");
        let digest = match Digest::parse(text) {
            Ok(digest) => digest,
            Err(_) if is_unregistered(text) => {
                let message = format!("the digest {:?} cannot be verified", clip(text));
                self.find(Code::MANIFEST_DIGEST_ALGORITHM, message, &place);
                return None;
            }
            Err(error) => {
                let refused = Error::new(Code::MANIFEST_DESCRIPTOR, format!("{place} is no digest"));
                self.refuse(refused.with("pointer", place).because(error));
                return None;
            }
        };
        Some(Descriptor { media_type: media_type?.as_str()?.to_owned(), digest, size: size?.as_u64()? })
    }

    /// The member of that name, if it is there and of the right type; otherwise `code` is refused.
    pub(super) fn member<'v>(
        &mut self,
        code: Code,
        object: &'v Map<String, Value>,
        name: &str,
        wanted: &str,
    ) -> Option<&'v Value> {
        let found = object.get(name);
        match found {
            Some(found) if describe(found) == wanted => return Some(found),
            None | Some(Value::Null) => self.misfit(code, "", &format!("is no image {}: {name} is missing", self.name)),
            Some(other) => self.misfit(code, &format!("/{name}"), &format!("is {}, not {wanted}", describe(other))),
        }
        None
    }

    /// Refuses the members of another kind of document.
    pub(super) fn refuse_members(&mut self, code: Code, object: &Map<String, Value>, names: &[&str]) {
        for name in names.iter().filter(|name| object.contains_key(**name)) {
            self.misfit(code, &format!("/{name}"), &format!("makes this no image {}", self.name));
        }
    }

    /// Refuses what stands at that place.
    pub(super) fn misfit(&mut self, code: Code, pointer: &str, why: &str) {
        let what = if pointer.is_empty() { "this" } else { pointer };
        let error = Error::new(code, format!("{what} {why}"));
        self.refuse(if pointer.is_empty() { error } else { error.with("pointer", pointer) });
    }
}

/// What a value is, with an article.
fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// RFC 6838, 4.2: two names of at most 127 characters.
fn is_media_type(text: &str) -> bool {
    let name = |text: &str| {
        (1..=127).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

/// A digest by the grammar of descriptor.md, of an algorithm that it does not register.
fn is_unregistered(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    let component = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    !matches!(algorithm, "sha256" | "sha512")
        && algorithm.split(['+', '.', '_', '-']).all(component)
        && !encoded.is_empty()
        && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"=_-".contains(&b))
}
