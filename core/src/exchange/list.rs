//! The list of a manifest's referrers under a tag, where a registry has no API for them (distribution-spec, "Pushing
//! Manifests with Subject", "Deleting Manifests").
//!
//! Of a session's exchanges one at a time changes a list, whether the registry heeds the conditions of a PUT or not: what
//! another had put on it in between would be lost.

use serde_json::{Map, Value};

use super::calls::{Draft, Reply};
use super::errcode::{About, receipt, refusal};
use super::manifests::{self, Served};
use super::referrers::{self, fallback_tag, has_api};
use super::{Session, Target};
use crate::auth::Origin;
use crate::error::{Code, Error};
use crate::http::{Method, Payload};
use crate::json;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::oci::media_type::INDEX;

/// Times that a list is written, where others write it as well.
const MOST_WRITES: u32 = 3;

/// A list that is to be changed.
pub(super) struct List {
    subject: Digest,
    added: Vec<Value>,
    removed: Option<Digest>,
    /// The registry may have an API that does it, and nobody has asked that API yet.
    is_promised: bool,
    writes: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// GET of the referrers: is there an API?
    Probe,
    /// GET of the list.
    Read,
    /// PUT of the list.
    Write,
}

impl List {
    /// Puts that entry on the list.
    pub(super) fn with(subject: Digest, entry: Value, is_promised: bool) -> List {
        List { subject, added: vec![entry], removed: None, is_promised, writes: 0 }
    }

    /// Takes a referrer that was deleted from the list.
    pub(super) fn without(subject: Digest, removed: Digest) -> List {
        List { subject, added: Vec::new(), removed: Some(removed), is_promised: true, writes: 0 }
    }

    pub(super) fn subject(&self) -> &Digest {
        &self.subject
    }

    /// Puts another entry on it.
    pub(super) fn add(&mut self, entry: Value, is_promised: bool) {
        self.added.push(entry);
        self.is_promised &= is_promised;
    }

    /// The first request; none where the API has them.
    pub(super) fn begin(&self, target: &Target, session: &Session) -> Option<(Step, Draft)> {
        match session.host(&Origin::of(target.place.base()), |host| host.has_referrers) {
            Some(true) if self.is_promised => None,
            None if self.is_promised => {
                let url = target.place.referrers(&self.subject);
                Some((Step::Probe, referrers::page(target, url, session.config())))
            }
            _ => Some(self.read(target, session)),
        }
    }

    fn read(&self, target: &Target, session: &Session) -> (Step, Draft) {
        let tag = fallback_tag(&self.subject);
        let draft = manifests::draft(Method::Get, &target.place, &tag, &session.config().limits).by(target.authority);
        (Step::Read, draft.alone(format!("{} {tag}", target.place.repository().name())))
    }

    /// Takes an answer; the next request, if there is to be one.
    pub(super) fn reply(
        &mut self,
        step: Step,
        reply: Reply,
        target: &Target,
        session: &Session,
    ) -> Result<Option<(Step, Draft)>, Error> {
        match (step, reply.status) {
            (Step::Probe, _) => {
                let has = has_api(&reply);
                if has.is_some() {
                    session.host(&Origin::of(target.place.base()), |host| host.has_referrers = has);
                }
                // Where the answer does not tell, the registry's word is good.
                Ok((has == Some(false)).then(|| self.read(target, session)))
            }
            (Step::Read, 200 | 404) => self.write(reply, target, &session.config().limits),
            (Step::Write, 200 | 201 | 202 | 204) => receipt(&reply).map(|()| None),
            // Somebody else has written it in between.
            (Step::Write, 409 | 412) if self.writes < MOST_WRITES => Ok(Some(self.read(target, session))),
            _ => Err(refusal(&reply, About::Manifest)),
        }
    }

    fn write(&mut self, reply: Reply, target: &Target, limits: &Limits) -> Result<Option<(Step, Draft)>, Error> {
        // A weak tag matches nothing (RFC 9110, 13.1.1): some proxy has packed the answer.
        let etag = reply.headers.get("etag").filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
        let is_new = reply.status == 404;
        let url = reply.url.without_query();
        let mut index = Map::new();
        index.insert("schemaVersion".to_owned(), Value::from(2));
        index.insert("mediaType".to_owned(), Value::from(INDEX));
        index.insert("manifests".to_owned(), Value::Array(Vec::new()));
        if !is_new {
            let served = manifests::read(reply, None, limits)?;
            match json::parse(&served.bytes, limits.manifest)?.value {
                // Whatever else the index says stays in it.
                Value::Object(there) => index = there,
                _ => index.clear(),
            }
        }
        let is_index = index.get("mediaType").is_none_or(|kind| kind.as_str() == Some(INDEX));
        let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut).filter(|_| is_index) else {
            // distribution-spec, "Pushing Manifests with Subject": that is reported, and nothing is written over it.
            let message = "what stands under the tag for a list of referrers is no index";
            return Err(Error::new(Code::UNEXPECTED_ANSWER, message).with("method", "GET").with("url", url));
        };
        let mut changed = false;
        if let Some(removed) = &self.removed {
            let before = entries.len();
            entries.retain(|there| there.get("digest").and_then(Value::as_str) != Some(removed.as_str()));
            changed = entries.len() < before;
        }
        for entry in &self.added {
            if entries.iter().all(|there| there.get("digest") != entry.get("digest")) {
                entries.push(entry.clone());
                changed = true;
            }
        }
        if !changed {
            return Ok(None);
        }
        self.writes += 1;
        let bytes = json::write(&Value::Object(index));
        let draft = Draft::new(Method::Put, target.place.manifest(&fallback_tag(&self.subject)))
            .payload(INDEX, Payload::Bytes(bytes.into()))
            .by(target.authority);
        let draft = match etag {
            _ if is_new => draft.header("if-none-match", "*"),
            Some(etag) => draft.header("if-match", &etag),
            None => draft,
        };
        Ok(Some((Step::Write, draft)))
    }
}

/// The subject of a manifest, and how the manifest stands on the list of that one's referrers.
pub(super) fn listed(served: &Served) -> Option<(Digest, Value)> {
    let manifest = json::parse(&served.bytes, Limits::default().manifest).ok()?.value;
    let subject = Digest::parse(manifest.get("subject")?.get("digest")?.as_str()?).ok()?;
    let mut entry = Map::new();
    entry.insert("mediaType".to_owned(), Value::from(served.media_type.as_str()));
    entry.insert("digest".to_owned(), Value::from(served.digest.as_str()));
    entry.insert("size".to_owned(), Value::from(served.bytes.len()));
    let config = manifest.get("config").and_then(|config| config.get("mediaType"));
    if let Some(kind) = manifest.get("artifactType").or(config) {
        entry.insert("artifactType".to_owned(), kind.clone());
    }
    if let Some(annotations) = manifest.get("annotations").filter(|annotations| annotations.is_object()) {
        entry.insert("annotations".to_owned(), annotations.clone());
    }
    Some((subject, Value::Object(entry)))
}
