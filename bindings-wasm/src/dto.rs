//! The one place where names become camelCase: what crosses as plain objects.
//!
//! Documents (values, annotations, an error's context) are objects without a prototype, so that no key of theirs means
//! anything. Numbers are `number`; only inside values, beyond ±(2^53-1), they are `BigInt`.

use std::collections::BTreeMap;

use chartoci::auth::Credential;
use chartoci::chart::{Dependency, Lock, Maintainer, Metadata};
use chartoci::check::Question;
use chartoci::diagnostic::{Fix, Span};
use chartoci::exchange::{
    Copied, CredentialQuery, Deleted, Event, IfExists, Pulled, Push, Pushed, Referrer, Resolved, Source, Upload,
    Uploaded, not_a_count,
};
use chartoci::files::{Answer, Entry, EntryKind, FileFailure, Verb};
use chartoci::http::{Failure, Headers, Payload, Redirect, Request};
use chartoci::schema::Violation;
use chartoci::yaml::{Data, Node};
use chartoci::{Artifact, Code, Descriptor, Diagnostic, Digest, Error, Limits, Reference, Report};
use js_sys::{Array, BigInt, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::errors::{Result, argument, throw};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = create)]
    fn create(prototype: &JsValue) -> Object;
}

/// The largest whole number that a `number` holds exactly.
const EXACT: u64 = (1 << 53) - 1;

/// An object in the making.
pub(crate) struct Fields(Object);

pub(crate) fn object() -> Fields {
    Fields(Object::new())
}

impl Fields {
    pub(crate) fn with(self, name: &str, value: impl Into<JsValue>) -> Fields {
        set(&self.0, name, &value.into());
        self
    }

    pub(crate) fn done(self) -> Object {
        self.0
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Objects made here are never frozen, so this cannot fail.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

pub(crate) fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

fn texts<S: AsRef<str>>(list: impl IntoIterator<Item = S>) -> Array {
    list.into_iter().map(|text| JsValue::from_str(text.as_ref())).collect()
}

fn dictionary(map: &BTreeMap<String, String>) -> Object {
    let object = create(&JsValue::NULL);
    for (name, value) in map {
        set(&object, name, &JsValue::from_str(value));
    }
    object
}

// ── Out: errors and findings ──

pub(crate) fn error(error: &Error) -> Object {
    let context = create(&JsValue::NULL);
    for (name, value) in error.context() {
        set(&context, name, &JsValue::from_str(value));
    }
    let registry_errors: Array = error
        .registry_errors()
        .iter()
        .map(|entry| {
            object().with("code", &*entry.code).with("message", &*entry.message).with("detail", &*entry.detail).done()
        })
        .collect();
    object()
        .with("kind", error.kind().as_str())
        .with("code", error.code().name())
        .with("message", error.to_string())
        .with("hint", error.hint())
        .with("context", context)
        .with("status", error.status().map(u32::from))
        .with("registryErrors", registry_errors)
        .with("report", error.report().map(report))
        .done()
}

/// The findings as every language's JSON has them; js/report.js gives them this language's names.
pub(crate) fn report(report: &Report) -> Array {
    report.iter().map(diagnostic).collect()
}

/// In the order of [`Report::to_json`], which would bring a writer of JSON of its own into the module.
fn diagnostic(diagnostic: &Diagnostic) -> Object {
    let fix = |fix: &Fix| object().with("span", span(&fix.span)).with("replacement", &*fix.replacement).done();
    let place = |(at, message): &(Span, String)| object().with("span", span(at)).with("message", &**message).done();
    object()
        .with("code", diagnostic.code.name())
        .with("severity", diagnostic.severity.as_str())
        .with("document", &*diagnostic.document)
        .with("pointer", &*diagnostic.pointer)
        .with("span", diagnostic.span.as_ref().map_or(JsValue::NULL, |at| span(at).into()))
        .with("message", &*diagnostic.message)
        .with("help", &*diagnostic.help)
        .with("fix", diagnostic.fix.as_ref().map_or(JsValue::NULL, |one| fix(one).into()))
        .with("related", diagnostic.related.iter().map(place).collect::<Array>())
        .done()
}

fn span(span: &Span) -> Object {
    object()
        .with("start", span.start as f64)
        .with("end", span.end as f64)
        .with("line", span.line)
        .with("column", span.column)
        .with("end_line", span.end_line)
        .with("end_column", span.end_column)
        .done()
}

pub(crate) fn question(question: &Question) -> Object {
    let bytes = |data: &[u8]| Uint8Array::from(data);
    object().with("schema", bytes(&question.schema())).with("values", bytes(&question.values())).done()
}

#[cfg(feature = "schema")]
pub(crate) fn violation(violation: &Violation) -> Object {
    object()
        .with("pointer", &*violation.pointer)
        .with("rule", &*violation.rule)
        .with("message", &*violation.message)
        .done()
}

/// A list of violations, or the fields of the error that kept them from being found.
pub(crate) fn violations(answer: &JsValue) -> Result<std::result::Result<Vec<Violation>, Error>> {
    let text = |object: &JsValue, name: &str| {
        Reflect::get(object, &JsValue::from_str(name)).ok().and_then(|value| value.as_string()).unwrap_or_default()
    };
    if Array::is_array(answer) {
        let violation = |one: JsValue| Violation {
            pointer: text(&one, "pointer"),
            rule: text(&one, "rule"),
            message: text(&one, "message"),
        };
        return Ok(Ok(Array::from(answer).iter().map(violation).collect()));
    }
    let code =
        chartoci::Code::find(&text(answer, "code")).ok_or_else(|| argument("the answer is no list of violations"))?;
    let context = Reflect::get(answer, &JsValue::from_str("context")).unwrap_or_default();
    let mut error = Error::new(code, text(answer, "message")).with_hint(text(answer, "hint"));
    let report = Reflect::get(answer, &JsValue::from_str("report")).unwrap_or_default();
    if Array::is_array(&report) {
        let finding = |one: JsValue| {
            Diagnostic::new(code, text(&one, "document"), text(&one, "message")).at(text(&one, "pointer"), None)
        };
        error = error.with_report(Array::from(&report).iter().map(finding).collect());
    }
    Ok(Err(match text(&context, "pointer") {
        pointer if pointer.is_empty() => error,
        pointer => error.with("pointer", pointer),
    }))
}

// ── Out: names, charts, manifests ──

pub(crate) fn reference(reference: &Reference) -> Object {
    object()
        .with("registry", reference.registry())
        .with("repository", reference.repository())
        .with("tag", reference.tag())
        .with("digest", reference.digest().map(|digest| digest.as_str()))
        .with("version", reference.version())
        .with("text", reference.to_string())
        .done()
}

pub(crate) fn descriptor(descriptor: &Descriptor) -> Object {
    object()
        .with("mediaType", &*descriptor.media_type)
        .with("digest", descriptor.digest.as_str())
        .with("size", number(descriptor.size))
        .done()
}

pub(crate) fn metadata(metadata: &Metadata) -> Object {
    object()
        .with("name", &*metadata.name)
        .with("version", &*metadata.version)
        .with("apiVersion", &*metadata.api_version)
        .with("appVersion", &*metadata.app_version)
        .with("description", &*metadata.description)
        .with("type", &*metadata.kind)
        .with("kubeVersion", &*metadata.kube_version)
        .with("home", &*metadata.home)
        .with("icon", &*metadata.icon)
        .with("keywords", texts(&metadata.keywords))
        .with("sources", texts(&metadata.sources))
        .with("maintainers", metadata.maintainers.iter().map(maintainer).collect::<Array>())
        .with("dependencies", metadata.dependencies.iter().map(dependency).collect::<Array>())
        .with("annotations", dictionary(&metadata.annotations))
        .with("deprecated", metadata.deprecated)
        .with("condition", &*metadata.condition)
        .with("tags", &*metadata.tags)
        .done()
}

fn maintainer(maintainer: &Maintainer) -> Object {
    object().with("name", &*maintainer.name).with("email", &*maintainer.email).with("url", &*maintainer.url).done()
}

fn dependency(dependency: &Dependency) -> Object {
    object()
        .with("name", &*dependency.name)
        .with("version", &*dependency.version)
        .with("repository", &*dependency.repository)
        .with("condition", &*dependency.condition)
        .with("tags", texts(&dependency.tags))
        .with("enabled", dependency.enabled)
        .with("importValues", dependency.import_values.iter().map(json).collect::<Array>())
        .with("alias", &*dependency.alias)
        .done()
}

pub(crate) fn lock(lock: &Lock) -> Object {
    object()
        .with("dependencies", lock.dependencies.iter().map(dependency).collect::<Array>())
        .with("digest", &*lock.digest)
        .with("generated", &*lock.generated)
        .done()
}

pub(crate) fn artifact(artifact: &Artifact) -> Object {
    object()
        .with("manifest", Uint8Array::from(artifact.manifest()))
        .with("digest", artifact.digest().as_str())
        .with("config", artifact.config().map(Uint8Array::from))
        .with("configDescriptor", artifact.config_descriptor().map(descriptor))
        .with("layers", artifact.layers().iter().map(descriptor).collect::<Array>())
        .with("chartLayer", artifact.chart_layer().map(descriptor))
        .with("provenanceLayer", artifact.provenance_layer().map(descriptor))
        .with("annotations", dictionary(artifact.annotations()))
        .with("what", artifact.what().as_str())
        .with("isLegacy", artifact.is_legacy())
        .with("report", report(artifact.report()))
        .done()
}

/// A document's value. The core has bounded its depth.
pub(crate) fn node(node: &Node) -> JsValue {
    match &node.data {
        Data::Null => JsValue::NULL,
        Data::Bool(value) => JsValue::from_bool(*value),
        Data::Int(value) if value.unsigned_abs() <= EXACT => JsValue::from_f64(*value as f64),
        Data::Int(value) => BigInt::from(*value).into(),
        Data::Uint(value) if *value <= EXACT => JsValue::from_f64(*value as f64),
        Data::Uint(value) => BigInt::from(*value).into(),
        Data::Float(value) => JsValue::from_f64(*value),
        Data::String(value) => JsValue::from_str(value),
        Data::Sequence(items) => items.iter().map(self::node).collect::<Array>().into(),
        Data::Mapping(mapping) => {
            let object = create(&JsValue::NULL);
            for (name, _, value) in &mapping.pairs {
                set(&object, name, &self::node(value));
            }
            object.into()
        }
    }
}

fn json(value: &serde_json::Value) -> JsValue {
    use serde_json::Value;
    match value {
        Value::Null => JsValue::NULL,
        Value::Bool(value) => JsValue::from_bool(*value),
        Value::Number(value) => JsValue::from_f64(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(value) => JsValue::from_str(value),
        Value::Array(items) => items.iter().map(json).collect::<Array>().into(),
        Value::Object(map) => {
            let object = create(&JsValue::NULL);
            for (name, value) in map {
                set(&object, name, &json(value));
            }
            object.into()
        }
    }
}

// ── From one module to another ──

pub(crate) fn push(push: &Push) -> Object {
    let upload = |upload: &Upload| {
        let bytes = match &upload.source {
            Source::Bytes(bytes) => Some(Uint8Array::from(&**bytes)),
            _ => None,
        };
        object().with("descriptor", descriptor(&upload.descriptor)).with("bytes", bytes).done()
    };
    object()
        .with("target", push.target.to_string())
        .with("uploads", push.uploads.iter().map(upload).collect::<Array>())
        .with("manifest", Uint8Array::from(&*push.manifest))
        .with("mediaType", &*push.media_type)
        .done()
}

/// As [`push`] writes it.
pub(crate) fn read_push(push: &JsValue) -> Result<Push> {
    let upload = |upload: &JsValue| {
        let source = bytes(upload, "bytes")?.map_or(Source::Host, |bytes| Source::Bytes(bytes.into()));
        Ok(Upload { descriptor: read_descriptor(&get(upload, "descriptor"))?, source })
    };
    Ok(Push {
        target: Reference::parse(&required(push, "target")?).map_err(throw)?,
        uploads: list(push, "uploads")?.iter().map(upload).collect::<Result<_>>()?,
        manifest: bytes(push, "manifest")?.unwrap_or_default().into(),
        media_type: required(push, "mediaType")?,
        if_exists: IfExists::default(),
    })
}

/// As [`descriptor`] writes it.
pub(crate) fn read_descriptor(descriptor: &JsValue) -> Result<Descriptor> {
    Ok(Descriptor {
        media_type: required(descriptor, "mediaType")?,
        digest: Digest::parse(&required(descriptor, "digest")?).map_err(throw)?,
        size: whole(descriptor, "size")?.ok_or_else(|| argument("size is missing"))?,
    })
}

// ── Out: what exchanges say ──

pub(crate) fn credential(credential: &Credential) -> Object {
    match credential {
        Credential::Basic { username, password } => {
            object().with("username", &**username).with("password", &**password)
        }
        Credential::Identity(token) => object().with("identityToken", &**token),
        Credential::Bearer(token) => object().with("token", &**token),
        _ => object(),
    }
    .done()
}

pub(crate) fn query(query: &CredentialQuery) -> Object {
    object()
        .with("id", query.id.0)
        .with("registry", &*query.registry)
        .with("repository", &*query.repository)
        .with("realm", query.realm.as_deref())
        .with("service", query.service.as_deref())
        .with("scope", query.scope.as_deref())
        .with("refused", query.refused)
        .with("own", query.own)
        .done()
}

pub(crate) fn headers(headers: &Headers) -> Array {
    headers.iter().map(|(name, value)| Array::of2(&name.into(), &value.into())).collect()
}

pub(crate) fn request(request: &Request) -> Object {
    let payload = match &request.payload {
        Payload::Empty => object().with("kind", "empty"),
        Payload::Bytes(bytes) => object().with("kind", "bytes").with("bytes", Uint8Array::from(&**bytes)),
        Payload::Blob { blob, range } => object()
            .with("kind", "blob")
            .with("blob", blob.0)
            .with("start", number(range.start))
            .with("end", number(range.end)),
    };
    object()
        .with("id", request.id.0)
        .with("method", request.method.as_str())
        .with("url", &*request.url)
        .with("headers", headers(&request.headers))
        .with("payload", payload.done())
        .with("sink", request.sink.map(|blob| blob.0))
        .with(
            "redirect",
            match request.redirect {
                Redirect::Manual => "manual",
                Redirect::Follow => "follow",
            },
        )
        .with("timeout", request.timeout.map(|timeout| timeout.as_millis() as f64))
        .with("thinking", request.thinking.map(|thinking| thinking.as_millis() as f64))
        .done()
}

pub(crate) fn event(event: &Event) -> Object {
    match event {
        Event::Exists(blob) => object().with("kind", "exists").with("descriptor", descriptor(blob)),
        Event::Uploaded(blob) => object().with("kind", "uploaded").with("descriptor", descriptor(blob)),
        Event::Downloaded(id, blob) => {
            object().with("kind", "downloaded").with("blob", id.0).with("descriptor", descriptor(blob))
        }
        Event::Retrying { after, why } => {
            object().with("kind", "retrying").with("after", after.as_secs_f64()).with("why", &**why)
        }
        Event::Notice { code, text } => object().with("kind", "notice").with("code", *code).with("text", &**text),
        _ => object().with("kind", "unknown"),
    }
    .done()
}

/// What became of each blob.
fn blobs(blobs: &[(Descriptor, Uploaded)]) -> Array {
    blobs
        .iter()
        .map(|(blob, uploaded)| {
            let state = match uploaded {
                Uploaded::Sent => "uploaded",
                Uploaded::Mounted => "mounted",
                Uploaded::Existed => "existed",
                _ => "unknown",
            };
            object().with("descriptor", descriptor(blob)).with("state", state).done()
        })
        .collect()
}

pub(crate) fn copied(copied: &Copied) -> Object {
    object()
        .with("reference", copied.reference.to_string())
        .with("digest", copied.digest.as_str())
        .with("size", number(copied.size))
        .with("blobs", blobs(&copied.blobs))
        .with("referrers", texts(copied.referrers.iter().map(Digest::as_str)))
        .done()
}

pub(crate) fn deleted(deleted: &Deleted) -> Object {
    object()
        .with("reference", deleted.reference.to_string())
        .with("digest", deleted.digest.as_ref().map(Digest::as_str))
        .done()
}

pub(crate) fn referrer(referrer: &Referrer) -> Object {
    object()
        .with("digest", referrer.descriptor.digest.as_str())
        .with("mediaType", &*referrer.descriptor.media_type)
        .with("size", number(referrer.descriptor.size))
        .with("artifactType", referrer.artifact_type.as_deref())
        .with("annotations", dictionary(&referrer.annotations))
        .done()
}

pub(crate) fn pushed(pushed: &Pushed) -> Object {
    object()
        .with("reference", pushed.reference.to_string())
        .with("tag", pushed.reference.tag())
        .with("digest", pushed.digest.as_str())
        .with("size", number(pushed.size))
        .with("blobs", blobs(&pushed.blobs))
        .with("skipped", pushed.skipped)
        .done()
}

pub(crate) fn pulled(pulled: &Pulled) -> Object {
    object()
        .with("reference", pulled.reference.to_string())
        .with("version", pulled.version.as_deref())
        .with("digest", pulled.digest.as_str())
        .with("manifest", Uint8Array::from(&*pulled.manifest))
        .with("mediaType", &*pulled.media_type)
        .with("config", pulled.config.as_deref().map(Uint8Array::from))
        .with("chart", pulled.chart.as_ref().map(descriptor))
        .with("provenance", pulled.provenance.as_ref().map(descriptor))
        .with("filename", pulled.filename())
        .done()
}

pub(crate) fn resolved(resolved: &Resolved) -> Object {
    object()
        .with("reference", resolved.reference.to_string())
        .with("version", resolved.version.as_deref())
        .with("tag", resolved.tag.as_deref())
        .with("digest", resolved.digest.as_str())
        .done()
}

// ── Out and in: files ──

pub(crate) fn verb(verb: &Verb) -> Object {
    match verb {
        Verb::List { path } => object().with("kind", "list").with("path", &**path),
        Verb::Read { path, offset, limit } => object()
            .with("kind", "read")
            .with("path", &**path)
            .with("offset", number(*offset))
            .with("limit", number(*limit)),
        Verb::MakeDirectory { path } => object().with("kind", "makeDirectory").with("path", &**path),
        Verb::Write { path, offset, data } => object()
            .with("kind", "write")
            .with("path", &**path)
            .with("offset", number(*offset))
            .with("data", Uint8Array::from(&**data)),
        Verb::Sync { path } => object().with("kind", "sync").with("path", &**path),
        Verb::Rename { from, to } => object().with("kind", "rename").with("from", &**from).with("to", &**to),
        Verb::Remove { path } => object().with("kind", "remove").with("path", &**path),
        Verb::Resolve { path } => object().with("kind", "resolve").with("path", &**path),
        Verb::Lock { path, patience } => {
            object().with("kind", "lock").with("path", &**path).with("patience", patience.as_secs_f64())
        }
        Verb::Find { program } => object().with("kind", "find").with("program", &**program),
        Verb::Run { program, arguments, input, timeout, limit } => object()
            .with("kind", "run")
            .with("program", &**program)
            .with("arguments", texts(arguments))
            .with("input", Uint8Array::from(&**input))
            .with("timeout", timeout.as_secs_f64())
            .with("limit", number(*limit)),
        _ => object().with("kind", "unknown"),
    }
    .done()
}

/// `{ kind: "done" | "entries" | "data" | "failed", … }`.
pub(crate) fn answer(answer: &JsValue) -> Result<Answer> {
    Ok(match required(answer, "kind")?.as_str() {
        "done" => Answer::Done,
        "data" => Answer::Data(bytes(answer, "data")?.unwrap_or_default()),
        "ran" => Answer::Ran {
            status: get(answer, "status").as_f64().map(|status| status as i32),
            output: bytes(answer, "output")?.unwrap_or_default(),
        },
        "entries" => Answer::Entries(
            list(answer, "entries")?
                .iter()
                .map(|entry| {
                    Ok(Entry {
                        name: required(entry, "name")?,
                        kind: match required(entry, "kind")?.as_str() {
                            "file" => EntryKind::File,
                            "directory" => EntryKind::Directory,
                            "link" => EntryKind::Link,
                            _ => EntryKind::Other,
                        },
                        size: whole(entry, "size")?.unwrap_or_default(),
                        modified: get(entry, "modified").as_f64().unwrap_or_default() as i64,
                    })
                })
                .collect::<Result<_>>()?,
        ),
        _ => Answer::Failed(FileFailure::named(&required(answer, "reason")?, &required(answer, "message")?)),
    })
}

// ── In ──

pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    match object.is_object() {
        true => Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED),
        false => JsValue::UNDEFINED,
    }
}

/// The value of an option, if it was given.
fn given(object: &JsValue, name: &str) -> Option<JsValue> {
    Some(get(object, name)).filter(|value| !value.is_undefined() && !value.is_null())
}

pub(crate) fn text(object: &JsValue, name: &str) -> Result<Option<String>> {
    given(object, name)
        .map(|value| value.as_string().ok_or_else(|| argument(format!("{name} is not a string"))))
        .transpose()
}

pub(crate) fn required(object: &JsValue, name: &str) -> Result<String> {
    text(object, name)?.ok_or_else(|| argument(format!("{name} is missing")))
}

pub(crate) fn flag(object: &JsValue, name: &str) -> Result<Option<bool>> {
    given(object, name)
        .map(|value| value.as_bool().ok_or_else(|| argument(format!("{name} is neither true nor false"))))
        .transpose()
}

/// A whole number from 0 to 2^53-1.
pub(crate) fn whole(object: &JsValue, name: &str) -> Result<Option<u64>> {
    given(object, name)
        .map(|value| match value.as_f64() {
            Some(value) if value >= 0.0 && value <= EXACT as f64 && value.fract() == 0.0 => Ok(value as u64),
            _ => Err(argument(format!("{name} is not a whole number from 0 to 2^53-1"))),
        })
        .transpose()
}

/// A whole number from 1 to `most`.
pub(crate) fn count(object: &JsValue, name: &str, most: u32) -> Result<Option<u32>> {
    given(object, name)
        .map(|value| match value.as_f64() {
            Some(number) if number >= 1.0 && number <= f64::from(most) && number.fract() == 0.0 => Ok(number as u32),
            _ => {
                let shown = js_sys::JSON::stringify(&value).ok().and_then(|text| text.as_string());
                Err(throw(not_a_count(name, shown.as_deref().unwrap_or("no number"), most)))
            }
        })
        .transpose()
}

pub(crate) fn small(object: &JsValue, name: &str) -> Result<Option<u32>> {
    whole(object, name)?
        .map(|value| u32::try_from(value).map_err(|_| argument(format!("{name} is larger than 2^32-1"))))
        .transpose()
}

/// Seconds, as JavaScript's callers write them, in milliseconds.
pub(crate) fn milliseconds(object: &JsValue, name: &str) -> Result<Option<u64>> {
    given(object, name)
        .map(|value| match value.as_f64() {
            Some(seconds) if seconds >= 0.0 && seconds * 1000.0 <= EXACT as f64 => Ok((seconds * 1000.0) as u64),
            _ => Err(argument(format!("{name} is not a number of seconds"))),
        })
        .transpose()
}

pub(crate) fn bytes(object: &JsValue, name: &str) -> Result<Option<Vec<u8>>> {
    given(object, name)
        .map(|value| match value.dyn_ref::<Uint8Array>() {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(argument(format!("{name} is not a Uint8Array"))),
        })
        .transpose()
}

/// A list; empty if it was not given.
pub(crate) fn list(object: &JsValue, name: &str) -> Result<Vec<JsValue>> {
    match given(object, name) {
        None => Ok(Vec::new()),
        Some(value) => js_sys::try_iter(&value)
            .ok()
            .flatten()
            .filter(|_| !value.is_string())
            .ok_or_else(|| argument(format!("{name} is not a list")))?
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| argument(format!("{name} is not a list"))),
    }
}

pub(crate) fn strings(object: &JsValue, name: &str) -> Result<Vec<String>> {
    list(object, name)?
        .into_iter()
        .map(|item| item.as_string().ok_or_else(|| argument(format!("{name} holds what is no string"))))
        .collect()
}

/// Pairs of name and value: headers, variables.
pub(crate) fn pairs<C: FromIterator<(String, String)>>(object: &JsValue, name: &str) -> Result<C> {
    list(object, name)?
        .into_iter()
        .map(|pair| {
            let pair = pair.dyn_into::<Array>().unwrap_or_default();
            match (pair.get(0).as_string(), pair.get(1).as_string()) {
                (Some(name), Some(value)) => Ok((name, value)),
                _ => Err(argument("what should be a pair of strings is none")),
            }
        })
        .collect()
}

/// `{ username, password }`, `{ identityToken }`, `{ token }` or nothing.
pub(crate) fn read_credential(value: &JsValue) -> Result<Option<Credential>> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    Ok(Some(match (text(value, "username")?, text(value, "identityToken")?, text(value, "token")?) {
        (Some(username), None, None) => Credential::Basic { username, password: required(value, "password")? },
        (None, Some(token), None) => Credential::Identity(token),
        (None, None, Some(token)) => Credential::Bearer(token),
        _ => return Err(argument("a credential is { username, password }, { identityToken } or { token }")),
    }))
}

/// The `ChartOciError` that a search for credentials ended in; none if it is something else.
pub(crate) fn read_error(value: &JsValue) -> Result<Option<Error>> {
    // Not the whole table of codes: it has no place in the module that talks to registries.
    let codes = [Code::CREDENTIALS_FILE, Code::AUTH_HELPER, Code::AUTH_HELPER_MISSING];
    let code = get(value, "code").as_string();
    let Some(code) = codes.into_iter().find(|known| Some(known.name()) == code.as_deref()) else { return Ok(None) };
    let error = Error::new(code, required(value, "message")?).with_hint(required(value, "hint")?);
    // The names of facts are few: those of the errors that a lookup ends in.
    let context = get(value, "context");
    let facts = ["path", "helper", "line", "column"]
        .into_iter()
        .filter_map(|name| Some((name, get(&context, name).as_string()?)));
    Ok(Some(facts.fold(error, |error, (name, value)| error.with(name, value))))
}

/// `{ kind, message }`.
pub(crate) fn failure(failure: &JsValue) -> Result<Failure> {
    let message = text(failure, "message")?.unwrap_or_default();
    Ok(Failure::named(&required(failure, "kind")?, &message).unwrap_or(Failure::Other(message)))
}

macro_rules! bounds {
    ($($name:literal $field:ident $read:ident;)*) => {
        /// Bounds; what is not named keeps its default, a name that is none is refused.
        pub(crate) fn limits(options: &JsValue) -> Result<Limits> {
            let mut limits = Limits::default();
            let Some(options) = options.dyn_ref::<Object>() else { return Ok(limits) };
            for name in Object::keys(options) {
                match name.as_string().unwrap_or_default().as_str() {
                    $($name => if let Some(value) = $read(options, $name)? { limits.$field = value },)*
                    other => return Err(argument(format!("there is no limit {other:?}"))),
                }
            }
            Ok(limits)
        }
    };
}

bounds! {
    "archive" archive whole;
    "unpacked" unpacked whole;
    "ratio" ratio small;
    "file" file whole;
    "files" files small;
    "nesting" nesting small;
    "document" document whole;
    "depth" depth small;
    "nodes" nodes small;
    "manifest" manifest whole;
    "config" config whole;
    "provenance" provenance whole;
    "token" token whole;
    "errorBody" error_body whole;
    "page" page whole;
    "pages" pages small;
    "tags" tags whole;
    "redirects" redirects small;
}

/// Dependencies as [`dependency`] writes them; what is not named is empty.
pub(crate) fn read_dependencies(items: Vec<JsValue>) -> Result<Vec<Dependency>> {
    items
        .iter()
        .map(|item| {
            Ok(Dependency {
                name: text(item, "name")?.unwrap_or_default(),
                version: text(item, "version")?.unwrap_or_default(),
                repository: text(item, "repository")?.unwrap_or_default(),
                condition: text(item, "condition")?.unwrap_or_default(),
                tags: strings(item, "tags")?,
                enabled: flag(item, "enabled")?.unwrap_or_default(),
                import_values: list(item, "importValues")?.iter().map(read_json).collect::<Result<_>>()?,
                alias: text(item, "alias")?.unwrap_or_default(),
            })
        })
        .collect()
}

fn read_json(value: &JsValue) -> Result<serde_json::Value> {
    js_sys::JSON::stringify(value)
        .ok()
        .and_then(|text| text.as_string())
        .and_then(|text| chartoci::json::parse(text.as_bytes(), u64::MAX).ok())
        .map(|parsed| parsed.value)
        .ok_or_else(|| argument("importValues holds what is no JSON"))
}
