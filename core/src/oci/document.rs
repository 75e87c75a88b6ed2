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
                let message = format!("mediaType is {}", clip(&other.to_string()));
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

    /// A descriptor (image-spec, descriptor.md). What is none is refused; nothing, and a finding, if its digest is of an
    /// unregistered algorithm.
    pub(super) fn descriptor(&mut self, value: &Value, pointer: &str) -> Option<Descriptor> {
        self.try_descriptor(value, pointer).unwrap_or_else(|error| {
            self.refuse(error);
            None
        })
    }

    fn try_descriptor(&mut self, value: &Value, pointer: &str) -> Result<Option<Descriptor>, Error> {
        let refused = |why: &str| {
            Error::new(Code::MANIFEST_DESCRIPTOR, format!("the descriptor at {pointer} is not valid: {why}"))
                .with("pointer", pointer)
        };
        let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        if !is_media_type(media_type) {
            return Err(refused("mediaType is missing or no media type"));
        }
        let size = value.get("size").and_then(Value::as_u64).filter(|size| i64::try_from(*size).is_ok());
        let size = size.ok_or_else(|| refused("size is missing or no number of bytes"))?;
        let text = value.get("digest").and_then(Value::as_str).ok_or_else(|| refused("digest is missing"))?;
        match Digest::parse(text) {
            Ok(digest) => Ok(Some(Descriptor { media_type: media_type.to_owned(), digest, size })),
            Err(_) if is_unregistered(text) => {
                let message = format!("the digest {:?} cannot be verified", clip(text));
                self.find(Code::MANIFEST_DIGEST_ALGORITHM, message, &format!("{pointer}/digest"));
                Ok(None)
            }
            Err(error) => Err(refused("digest is no digest").because(error)),
        }
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
