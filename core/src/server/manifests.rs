//! Manifests and indexes: their bytes are kept as they came; what they refer to must be there.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::Value;

use super::blobs::{self, Forget};
use super::commit::{Edit, commit};
use super::errors::{self, Refusal};
use super::route::Request;
use super::serving::{Event, Next, Stage, broken};
use super::state::{Record, Referrer, State};
use super::{Response, layout};
use crate::files::{Answer, Verb};
use crate::http::{Method, Receiver};
use crate::oci::reference::is_tag;
use crate::oci::{Algorithm, Digest, media_type};

/// `/v2/NAME/manifests/REFERENCE`
pub(super) fn serve(state: &mut State, request: &Request, repository: &str, reference: &str) -> Next {
    let name = match Name::parse(reference) {
        Ok(name) => name,
        Err(response) => return Next::Answer(response),
    };
    match request.method {
        Method::Get | Method::Head => Next::Answer(get(state, request, repository, &name)),
        Method::Put => put(state, request, repository, name),
        Method::Delete => delete(state, repository, name),
        _ => Next::Answer(super::not_allowed("GET, HEAD, PUT, DELETE")),
    }
}

/// What stands for a manifest in a path.
#[derive(Clone, Debug)]
enum Name {
    Tag(String),
    Digest(Digest),
}

impl Name {
    fn parse(text: &str) -> Result<Name, Response> {
        if text.contains(':') {
            let invalid = |_| Refusal::DigestInvalid.about("the digest is not valid", text.into());
            return Digest::parse(text).map(Name::Digest).map_err(invalid);
        }
        match is_tag(text) {
            true => Ok(Name::Tag(text.to_owned())),
            false => Err(Refusal::ManifestInvalid.about("the tag is not valid", text.into())),
        }
    }
}

fn unknown() -> Response {
    Refusal::ManifestUnknown.because("the repository has no such manifest")
}

fn get(state: &State, request: &Request, repository: &str, name: &Name) -> Response {
    let Some(repository) = state.repository(repository) else {
        return Refusal::NameUnknown.because("there is no such repository");
    };
    let digest = match name {
        Name::Tag(tag) => repository.tags.get(tag),
        Name::Digest(digest) => Some(digest),
    };
    match digest.and_then(|digest| Some((digest, repository.manifests.get(digest)?))) {
        Some((digest, record)) => blobs::read(request, digest, record.size, &record.media_type),
        None => unknown(),
    }
}

fn delete(state: &mut State, repository: &str, name: Name) -> Next {
    let Some(known) = state.repository(repository) else { return Next::Answer(unknown()) };
    let response = Response::empty(202);
    match name {
        Name::Tag(tag) if known.tags.contains_key(&tag) => {
            commit(state, repository, vec![Edit::Tag { tag, to: None }], &[], Box::new(Answered(response)))
        }
        Name::Digest(digest) if known.manifests.contains_key(&digest) => {
            let tags = known.tags.iter().filter(|(_, tagged)| **tagged == digest);
            let mut edits: Vec<Edit> = tags.map(|(tag, _)| Edit::Tag { tag: tag.clone(), to: None }).collect();
            edits.push(Edit::Manifest { digest: digest.clone(), to: None });
            commit(state, repository, edits, &[], Box::new(Forget { digest, response }))
        }
        _ => Next::Answer(unknown()),
    }
}

/// The index is on disk.
struct Answered(Response);

impl Stage for Answered {
    fn resume(self: Box<Self>, _: &mut State, event: Event) -> Next {
        Next::Answer(match event {
            Event::Failed(failure) => errors::storage(&failure),
            _ => self.0,
        })
    }
}

fn put(state: &mut State, request: &Request, repository: &str, name: Name) -> Next {
    let limit = state.config.limits.manifest;
    if request.content_length().is_some_and(|length| length > limit) {
        return Next::Answer(too_large(limit));
    }
    let more = request.query.iter().filter(|(name, tag)| name == "tag" && is_tag(tag)).map(|(_, tag)| tag.clone());
    let tags = match &name {
        Name::Tag(tag) => vec![tag.clone()],
        Name::Digest(_) => more.collect(),
    };
    let content_type = request.headers.get("content-type").map(media_type::essence);
    let condition = Condition {
        matches: request.headers.get("if-match").map(str::to_owned),
        matches_none: request.headers.get("if-none-match").map(str::to_owned),
    };
    let stage = Put { repository: repository.to_owned(), name, tags, content_type, limit, condition };
    Next::Receive { receiver: Receiver::collect(limit), sink: None, stage: Box::new(stage) }
}

fn too_large(limit: u64) -> Response {
    Refusal::SizeInvalid.about("the manifest is too large", serde_json::json!({ "limit": limit })).status(413)
}

/// What is to lie there before a manifest does (RFC 9110, section 13.1): `If-None-Match: *` makes a tag and moves none.
#[derive(Clone)]
struct Condition {
    matches: Option<String>,
    matches_none: Option<String>,
}

impl Condition {
    fn check(&self, state: &State, repository: &str, name: &Name) -> Result<(), Response> {
        let known = state.repository(repository);
        let there = known.and_then(|known| match name {
            Name::Tag(tag) => known.tags.get(tag),
            Name::Digest(digest) => Some(digest).filter(|digest| known.manifests.contains_key(digest)),
        });
        let is_it = |list: &String| there.is_some_and(|digest| blobs::names(list, digest));
        match self.matches.as_ref().is_none_or(is_it) && !self.matches_none.as_ref().is_some_and(is_it) {
            true => Ok(()),
            false => {
                Err(Refusal::Unknown.because("what lies there is not what the request wants it to be").status(412))
            }
        }
    }
}

/// A manifest is on its way.
struct Put {
    repository: String,
    name: Name,
    /// What it is to be called.
    tags: Vec<String>,
    content_type: Option<String>,
    limit: u64,
    condition: Condition,
}

impl Stage for Put {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        match event {
            Event::Body(receiver) if receiver.overflowed() => Next::Answer(too_large(self.limit)),
            Event::Body(receiver) => self.store(state, receiver.into_data()),
            Event::Failed(failure) => Next::Answer(errors::storage(&failure)),
            Event::Files(_) | Event::Broken => broken(),
        }
    }
}

impl Put {
    fn store(self, state: &mut State, data: Vec<u8>) -> Next {
        if let Err(response) = self.condition.check(state, &self.repository, &self.name) {
            return Next::Answer(response);
        }
        let digest = match &self.name {
            Name::Tag(_) => Digest::of(&data),
            Name::Digest(digest) => Digest::with(digest.algorithm(), &data),
        };
        if let Name::Digest(named) = &self.name
            && *named != digest
        {
            let detail = serde_json::json!({ "digest": named.as_str(), "actual": digest.as_str() });
            return Next::Answer(Refusal::DigestInvalid.about("the manifest's bytes have another digest", detail));
        }
        let (record, mut blobs) = match check(state, &self.repository, self.content_type.as_deref(), &data) {
            Ok(checked) => checked,
            Err(response) => return Next::Answer(response),
        };
        let beside = layout::upload(&state.next_id("manifest"));
        let Some(place) = blobs::place(state, &digest, record.size, beside.clone()) else {
            return Next::Answer(blobs::busy());
        };
        let mut verbs = VecDeque::new();
        if place.len() > 1 {
            state.need_directory(layout::UPLOADS, &mut verbs);
            verbs.push_back(Verb::Write { path: beside.clone(), offset: 0, data });
            verbs.extend(place);
        }
        blobs.push(digest.clone());
        let Put { repository, name, tags, condition, .. } = self;
        let placing = Placing { repository, name, tags, condition, digest, record, blobs, beside };
        Next::Files { verbs, stage: Box::new(placing) }
    }
}

/// A manifest's bytes are being placed.
struct Placing {
    repository: String,
    name: Name,
    tags: Vec<String>,
    condition: Condition,
    digest: Digest,
    record: Record,
    /// What is to be on disk before the tags are: itself, and the blobs that it names.
    blobs: Vec<Digest>,
    beside: String,
}

impl Stage for Placing {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let done = matches!(event, Event::Files(_));
        blobs::release(state, &self.digest, Some(self.record.size).filter(|_| done));
        match event {
            Event::Files(Answer::Done | _) => {
                let Placing { repository, name, tags, condition, digest, record, blobs, .. } = *self;
                // Somebody else may have been first.
                if let Err(response) = condition.check(state, &repository, &name) {
                    return Box::new(Forget { digest, response }).resume(state, Event::Files(Answer::Done));
                }
                let mut response = Response::empty(201)
                    .with("location", format!("/v2/{repository}/manifests/{digest}"))
                    .with("docker-content-digest", digest.as_str());
                if let Some(referrer) = &record.referrer {
                    response = response.with("oci-subject", referrer.subject.as_str());
                }
                let mut edits = vec![Edit::Manifest { digest: digest.clone(), to: Some(record) }];
                for tag in tags {
                    response = response.with("oci-tag", tag.as_str());
                    edits.push(Edit::Tag { tag, to: Some(digest.clone()) });
                }
                commit(state, &repository, edits, &blobs, Box::new(Answered(response)))
            }
            Event::Failed(failure) => {
                Next::after(VecDeque::from([Verb::Remove { path: self.beside }]), errors::storage(&failure))
            }
            Event::Body(_) | Event::Broken => broken(),
        }
    }
}

/// What the registry reads of a manifest or index. All else is kept and not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: Option<Value>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Link>,
    layers: Option<Vec<Link>>,
    manifests: Option<Vec<Link>>,
    subject: Option<Link>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    urls: Vec<String>,
}

impl Document {
    pub(super) fn parse(data: &[u8]) -> Result<Document, serde_json::Error> {
        serde_json::from_slice(data)
    }

    /// Config and layers, as far as they are to be here: a layer with URLs may be elsewhere.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> {
        self.links().filter(|link| link.urls.is_empty()).filter_map(|link| Digest::parse(&link.digest).ok())
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        self.config.iter().chain(self.layers.iter().flatten())
    }

    /// What is to be remembered of it.
    pub(super) fn record(self, media_type: String, size: u64) -> Record {
        let config_type = self.config.map(|config| config.media_type);
        let subject = self.subject.and_then(|subject| Digest::parse(&subject.digest).ok());
        let referrer = subject.map(|subject| Referrer {
            subject,
            artifact_type: self.artifact_type.filter(|text| !text.is_empty()).or(config_type),
            annotations: self.annotations.unwrap_or_default(),
        });
        Record { media_type, size, referrer }
    }
}

/// A manifest's form and references (image-spec, manifest.md and image-index.md): what is to be remembered of it, and the
/// blobs that it names.
fn check(
    state: &State,
    repository: &str,
    content_type: Option<&str>,
    data: &[u8],
) -> Result<(Record, Vec<Digest>), Response> {
    let invalid = |message: &str| Refusal::ManifestInvalid.because(message);
    let document = Document::parse(data).map_err(|error| invalid(&format!("the manifest cannot be read: {error}")))?;
    let media_type = match (content_type, document.media_type.as_deref()) {
        (Some(header), Some(body)) if header != body => {
            return Err(invalid(&format!("content-type is {header}, but mediaType is {body}")));
        }
        (Some(known), _) | (None, Some(known)) => known.to_owned(),
        (None, None) => return Err(invalid("neither content-type nor mediaType says what this is")),
    };
    let is_index = match media_type.as_str() {
        media_type::MANIFEST | media_type::DOCKER_MANIFEST => false,
        media_type::INDEX | media_type::DOCKER_INDEX => true,
        _ => return Err(invalid(&format!("{media_type} is no media type of a manifest"))),
    };
    if document.schema_version.as_ref().is_some_and(|version| *version != 2) {
        return Err(invalid("schemaVersion is 2 in manifests and indexes"));
    }
    // One document must not be a manifest to one reader and an index to the next (CVE-2021-41190).
    let is_both = match is_index {
        true => document.config.is_some() || document.layers.is_some(),
        false => document.manifests.is_some(),
    };
    if is_both {
        return Err(invalid("it has the members of a manifest and of an index"));
    }
    let artifact_type = document.artifact_type.as_deref().filter(|text| !text.is_empty());
    if let Some(text) = artifact_type.filter(|text| !media_type::is_media_type(text)) {
        return Err(invalid(&format!("artifactType is no media type: {text}")));
    }
    let complete = match is_index {
        true => document.manifests.is_some(),
        false => document.config.is_some() && document.layers.is_some(),
    };
    if !complete {
        return Err(invalid(if is_index { "an index has manifests" } else { "a manifest has a config and layers" }));
    }
    let links = document.links().chain(document.manifests.iter().flatten()).chain(&document.subject);
    for link in links {
        let algorithm = link.digest.split_once(':').map(|(algorithm, _)| algorithm);
        // Of an algorithm that is unknown here it may be a digest all the same.
        let is_known = algorithm.and_then(Algorithm::parse).is_some();
        if Digest::parse(&link.digest).is_err() && (is_known || !is_digest(&link.digest)) {
            return Err(invalid(&format!("{} is no digest", link.digest)));
        }
        if !media_type::is_media_type(&link.media_type) {
            return Err(invalid(&format!("the mediaType of {} is none: {}", link.digest, link.media_type)));
        }
    }
    match is_index {
        true => check_manifests(state, repository, &document)?,
        false => check_blobs(state, repository, &document)?,
    }
    let blobs = document.blobs().collect();
    Ok((document.record(media_type, data.len() as u64), blobs))
}

/// `ALGORITHM:ENCODED` by the grammar of image-spec, descriptor.md.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    algorithm.split(['+', '.', '_', '-']).all(is_part)
        && !encoded.is_empty()
        && encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte))
}

fn check_blobs(state: &State, repository: &str, document: &Document) -> Result<(), Response> {
    let mut missing = Vec::new();
    for link in document.links().filter(|link| link.urls.is_empty()) {
        match Digest::parse(&link.digest).ok().and_then(|digest| state.blob(repository, &digest)) {
            Some(size) if size == link.size => {}
            Some(size) => {
                let message = format!("{} has {size} bytes, not {}", link.digest, link.size);
                return Err(Refusal::ManifestInvalid.because(&message));
            }
            None => missing.push(("the repository has no such blob", Value::from(link.digest.as_str()))),
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Refusal::ManifestBlobUnknown.each(&missing)),
    }
}

/// An index may be sparse (image-spec, image-index.md), but what it names by another size than it has is wrong.
fn check_manifests(state: &State, repository: &str, document: &Document) -> Result<(), Response> {
    for link in document.manifests.iter().flatten() {
        let known = Digest::parse(&link.digest)
            .ok()
            .and_then(|digest| state.repository(repository)?.manifests.get(&digest))
            .map(|record| record.size);
        if known.is_some_and(|size| size != link.size) {
            let message = format!("{} does not have {} bytes", link.digest, link.size);
            return Err(Refusal::ManifestInvalid.because(&message));
        }
    }
    Ok(())
}
