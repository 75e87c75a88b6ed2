//! Delete: a tag, or a manifest with all its tags (distribution-spec, "Deleting tags", "Deleting Manifests").
//!
//! Some registries (distribution 2.8) cannot delete a tag. Where no other tag has its manifest, deleting the manifest is the
//! same; where another has, nothing is deleted. What refers to another manifest is taken off the list of that one's referrers,
//! where a tag holds it.

use serde_json::Value;

use super::calls::{Draft, Failed, Reply};
use super::errcode::{About, refusal};
use super::manifests::{self, Served, named_digest};
use super::referrers::{self, MOST_WRITES, fallback_tag, rewritten, subject};
use super::tags::Pages;
use super::{Operation, Outcome, Requests, Target};
use crate::auth::Origin;
use crate::error::{Code, Error};
use crate::http::Method;
use crate::json;
use crate::limits::Limits;
use crate::oci::{Digest, Reference};

/// Tags that are looked at to find those of the same manifest.
const MOST_TAGS: usize = 1_000;

/// What was deleted.
///
/// ```
/// use chartoci::exchange::{Config, Deleted, Exchange, Outcome, Output, Session};
/// use chartoci::{Reference, http::{Headers, ResponseHead}, time::Instant};
/// let reference = Reference::parse("reg.example/web:1.0.0")?;
/// let mut exchange = Exchange::delete(&Session::new(Config::default()), reference.clone());
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// let accepted = ResponseHead { status: 202, headers: Headers::new(), url: None };
/// let receiver = exchange.handle_response(request.id, accepted);
/// exchange.handle_end(request.id, receiver);
/// let Output::Done(Ok(Outcome::Deleted(deleted))) = exchange.poll(Instant::default()) else { panic!() };
/// let Deleted { reference: tag, digest } = deleted;
/// assert_eq!((tag, digest), (reference, None), "its manifest is still there");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Deleted {
    /// The tag, or the digest.
    pub reference: Reference,
    /// Of the manifest, if it was deleted and not its tag alone.
    pub digest: Option<Digest>,
}

/// Deletes a tag or a manifest.
pub(super) struct Deleting {
    target: Target,
    reference: Reference,
    digest: Option<Digest>,
    pages: Pages,
    /// Other tags that were not looked at yet, those that have the same manifest, and what the registry said first.
    others: Vec<String>,
    waiting: usize,
    shared: Vec<String>,
    refusal: Option<Error>,
    /// What the manifest refers to, and how often the list of that one's referrers was written.
    subject: Option<Digest>,
    writes: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// DELETE of the tag.
    Tag,
    /// GET: which manifest has the tag?
    Manifest,
    /// A page of the list of tags.
    Tags,
    /// HEAD: which manifest has this other tag?
    Other(usize),
    /// GET: what does the manifest refer to?
    Look,
    /// DELETE of the manifest.
    Digest,
    /// GET of its subject's referrers: is there an API for them?
    Probe,
    /// GET and PUT of the list that stands in for one.
    ReadList,
    WriteList,
}

impl Deleting {
    pub(super) fn new(target: Target, reference: Reference) -> Deleting {
        let digest = reference.digest().cloned();
        let (pages, others, shared) = (Pages::default(), Vec::new(), Vec::new());
        let (refusal, subject) = (None, None);
        Deleting { target, reference, digest, pages, others, waiting: 0, shared, refusal, subject, writes: 0 }
    }

    fn delete(&self, step: Step, reference: &str, requests: &mut Requests<Step>) {
        let draft = Draft::new(Method::Delete, self.target.place.manifest(reference)).by(self.target.authority);
        requests.start(step, draft);
    }

    fn deleted(&self) -> Outcome {
        Outcome::Deleted(Deleted { reference: self.reference.clone(), digest: self.digest.clone() })
    }

    /// The manifest is gone. Where there is no API for referrers, it is taken off the list of what it refers to.
    fn unlist(&mut self, requests: &mut Requests<Step>) -> Option<Outcome> {
        let session = requests.session();
        let has_api = session.host(&Origin::of(self.target.place.base()), |host| host.has_referrers);
        let Some(subject) = self.subject.as_ref().filter(|_| has_api != Some(true)) else {
            return Some(self.deleted());
        };
        if has_api.is_none() {
            let url = self.target.place.referrers(subject);
            requests.start(Step::Probe, referrers::page(&self.target, url, session.config()));
        } else {
            let tag = fallback_tag(subject);
            let draft = manifests::draft(Method::Get, &self.target.place, &tag, &requests.limits());
            requests.start(Step::ReadList, draft.by(self.target.authority));
        }
        None
    }

    /// All other tags were looked at.
    fn decide(&mut self, requests: &mut Requests<Step>) -> Result<(), Error> {
        let Some(digest) = self.digest.clone() else { return Ok(()) };
        if self.shared.is_empty() {
            self.delete(Step::Digest, digest.as_str(), requests);
            return Ok(());
        }
        self.shared.sort();
        self.shared.truncate(5);
        let message = format!("other tags have the same manifest: {}", self.shared.join(", "));
        Err(Error::new(Code::REGISTRY_CONFLICT, message)
            .with("digest", &digest)
            .with_hint("The registry cannot delete a single tag: delete the digest, and all of its tags go with it."))
    }
}

impl Operation for Deleting {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        match (&self.digest, self.reference.tag()) {
            (Some(digest), _) => {
                let session = requests.session();
                if session.host(&Origin::of(self.target.place.base()), |host| host.has_referrers) == Some(true) {
                    self.delete(Step::Digest, digest.as_str(), requests);
                } else {
                    let draft = manifests::draft(Method::Get, &self.target.place, digest.as_str(), &requests.limits());
                    requests.start(Step::Look, draft.by(self.target.authority));
                }
            }
            (None, Some(tag)) => self.delete(Step::Tag, tag, requests),
            (None, None) => {
                return Err(Error::new(Code::ARGUMENT, "what is to be deleted has neither a tag nor a digest")
                    .with_hint("Write REGISTRY/REPOSITORY:TAG; a digest takes all of its tags along."));
            }
        }
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let session = requests.session();
        let limits = &session.config().limits;
        match (step, reply.status) {
            (Step::Tag, 200 | 202 | 204) => return Ok(Some(self.deleted())),
            (Step::Digest, 200 | 202 | 204) => return Ok(self.unlist(requests)),
            // An earlier try was carried out, and its answer lost.
            (Step::Tag, 404 | 410) if reply.repeated => return Ok(Some(self.deleted())),
            (Step::Digest, 404 | 410) if reply.repeated => return Ok(self.unlist(requests)),
            (Step::Look, status) => {
                if status == 200 {
                    let manifest = manifests::read(reply, self.digest.as_ref(), limits).ok();
                    self.subject = manifest.and_then(|served| subject_of(&served, limits));
                }
                // Whatever is wrong with it, it can be deleted.
                let digest = self.digest.as_ref().map_or("", Digest::as_str);
                self.delete(Step::Digest, digest, requests);
            }
            (Step::Probe, _) => match referrers::has_api(&reply) {
                Some(false) => {
                    session.host(&Origin::of(self.target.place.base()), |host| host.has_referrers = Some(false));
                    return Ok(self.unlist(requests));
                }
                _ => return Ok(Some(self.deleted())),
            },
            (Step::ReadList, 404) | (Step::WriteList, 200 | 201 | 202 | 204) => return Ok(Some(self.deleted())),
            (Step::ReadList, 200) => {
                let (Some(digest), Some(subject)) = (&self.digest, &self.subject) else { return Ok(None) };
                let is_gone = |entry: &Value| entry.get("digest").and_then(Value::as_str) == Some(digest.as_str());
                let mut remove = |entries: &mut Vec<Value>| entries.retain(|entry| !is_gone(entry));
                match rewritten(&self.target, subject, reply, limits, &mut remove).map_err(stale)? {
                    Some(draft) => requests.start(Step::WriteList, draft),
                    None => return Ok(Some(self.deleted())),
                }
                self.writes += 1;
            }
            // Somebody else has written it in between.
            (Step::WriteList, 409 | 412) if self.writes < MOST_WRITES => return Ok(self.unlist(requests)),
            (Step::ReadList | Step::WriteList, _) => return Err(stale(refusal(&reply, About::Manifest))),
            (Step::Tag, 400 | 405 | 501) => {
                self.refusal = Some(refusal(&reply, About::Manifest));
                let tag = self.reference.tag().unwrap_or_default();
                let draft = manifests::draft(Method::Get, &self.target.place, tag, limits);
                requests.start(Step::Manifest, draft.by(self.target.authority));
            }
            (Step::Manifest, 200) => {
                let served = manifests::read(reply, None, limits)?;
                self.subject = subject_of(&served, limits);
                self.digest = Some(served.digest);
                requests.start(Step::Tags, self.pages.first(&self.target, limits));
            }
            (Step::Tags, _) => match self.pages.take(&self.target, &reply, session.config())? {
                Some(next) => requests.start(Step::Tags, next),
                None => {
                    self.others = std::mem::take(&mut self.pages).into_tags();
                    self.others.retain(|tag| Some(tag.as_str()) != self.reference.tag());
                    self.waiting = self.others.len();
                    if self.waiting > MOST_TAGS {
                        let error = Error::new(Code::REGISTRY_UNSUPPORTED, "the registry cannot delete a single tag");
                        return Err(self.refusal.take().unwrap_or(error).with_hint(
                            "Resolve the tag and delete the digest: all tags of that manifest go with it.",
                        ));
                    }
                    for (index, tag) in self.others.iter().enumerate() {
                        let draft = manifests::draft(Method::Head, &self.target.place, tag, limits);
                        requests.start(Step::Other(index), draft.by(self.target.authority));
                    }
                    if self.waiting == 0 {
                        self.decide(requests)?;
                    }
                }
            },
            (Step::Other(index), 200 | 404) => {
                // One that does not tell may well be the same.
                let same = reply.status == 200
                    && named_digest(&reply.headers).is_none_or(|digest| {
                        self.digest.as_ref().is_none_or(|own| own.algorithm() != digest.algorithm() || *own == digest)
                    });
                if same && let Some(tag) = self.others.get(index) {
                    self.shared.push(tag.clone());
                }
                self.waiting = self.waiting.saturating_sub(1);
                if self.waiting == 0 {
                    self.decide(requests)?;
                }
            }
            (Step::Digest, 405) => {
                return Err(refusal(&reply, About::Manifest).with_hint(
                    "The registry does not delete at all: that must be switched on there \
                     (distribution: REGISTRY_STORAGE_DELETE_ENABLED=true).",
                ));
            }
            _ => return Err(refusal(&reply, About::Manifest)),
        }
        Ok(None)
    }

    fn failed(&mut self, step: Step, failed: Failed, requests: &mut Requests<Step>) -> Result<(), Error> {
        match (step, &self.digest) {
            // One that is too large to be read can be deleted all the same.
            (Step::Look, Some(digest)) if failed.again.is_none() => {
                self.delete(Step::Digest, digest.as_str(), requests);
                Ok(())
            }
            (Step::Probe | Step::ReadList | Step::WriteList, _) => Err(stale(failed.error)),
            _ => Err(failed.error),
        }
    }
}

fn subject_of(served: &Served, limits: &Limits) -> Option<Digest> {
    subject(&json::parse(&served.bytes, limits.manifest).ok()?.value)
}

/// The error of a list that names what is gone.
fn stale(error: Error) -> Error {
    error.with_hint("The manifest is deleted; the list of what refers to its subject still names it.")
}
