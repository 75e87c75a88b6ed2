//! Delete: a tag, or a manifest with all its tags (distribution-spec, "Deleting tags", "Deleting Manifests").
//!
//! What refers to another manifest and is deleted goes from the list of that one's referrers as well, where the registry has
//! no API for them: for that it is read before.
//!
//! Some registries (distribution 2.8) cannot delete a tag. Where no other tag has its manifest, deleting the manifest is the
//! same; where another has, nothing is deleted.

use super::calls::{Draft, Failed, Reply};
use super::errcode::{About, refusal};
use super::list::{self, List, listed};
use super::manifests::{self, Served, named_digest};
use super::tags::Pages;
use super::{Operation, Outcome, Requests, Target};
use crate::auth::Origin;
use crate::error::{Code, Error};
use crate::http::Method;
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
    /// What the manifest refers to, and the list that it stands on.
    subject: Option<Digest>,
    list: Option<List>,
    pages: Pages,
    /// Other tags that were not looked at yet, those that have the same manifest, and what the registry said first.
    others: Vec<String>,
    waiting: usize,
    shared: Vec<String>,
    refusal: Option<Error>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// GET of the manifest that is to be deleted: does it refer to another?
    Look,
    /// DELETE of the tag.
    Tag,
    /// GET: which manifest has the tag?
    Manifest,
    /// A page of the list of tags.
    Tags,
    /// HEAD: which manifest has this other tag?
    Other(usize),
    /// DELETE of the manifest.
    Digest,
    /// The list of referrers on which it stands.
    List(list::Step),
}

impl Deleting {
    pub(super) fn new(target: Target, reference: Reference) -> Deleting {
        let digest = reference.digest().cloned();
        let (pages, others, shared) = (Pages::default(), Vec::new(), Vec::new());
        let (subject, list, refusal) = (None, None, None);
        Deleting { target, reference, digest, subject, list, pages, others, waiting: 0, shared, refusal }
    }

    fn delete(&self, step: Step, reference: &str, requests: &mut Requests<Step>) {
        let draft = Draft::new(Method::Delete, self.target.place.manifest(reference)).by(self.target.authority);
        requests.start(step, draft);
    }

    fn deleted(&self) -> Outcome {
        Outcome::Deleted(Deleted { reference: self.reference.clone(), digest: self.digest.clone() })
    }

    /// The manifest that is to be deleted.
    fn read(&mut self, served: &Served) {
        self.subject = listed(served).map(|(subject, _)| subject);
    }

    /// The manifest is gone: so is it from the list, if it stands on one.
    fn unlist(&mut self, requests: &mut Requests<Step>) -> Option<Outcome> {
        if let Some((subject, digest)) = self.subject.take().zip(self.digest.clone()) {
            let list = List::without(subject, digest);
            if let Some((step, draft)) = list.begin(&self.target, &requests.session()) {
                requests.start(Step::List(step), draft);
                self.list = Some(list);
                return None;
            }
        }
        Some(self.deleted())
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
                let origin = Origin::of(self.target.place.base());
                match requests.session().host(&origin, |host| host.has_referrers) {
                    Some(true) => self.delete(Step::Digest, digest.as_str(), requests),
                    _ => {
                        let limits = &requests.limits();
                        let draft = manifests::draft(Method::Get, &self.target.place, digest.as_str(), limits);
                        requests.start(Step::Look, draft.by(self.target.authority));
                    }
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
            (Step::Look, status) => {
                let served = manifests::read(reply, self.digest.as_ref(), limits).ok().filter(|_| status == 200);
                if let Some(served) = served {
                    self.read(&served);
                }
                // Whatever came, the answer to the deletion counts.
                self.decide(requests)?;
            }
            (Step::Tag, 200 | 202 | 204) => return Ok(Some(self.deleted())),
            (Step::Digest, 200 | 202 | 204) => return Ok(self.unlist(requests)),
            // An earlier try was carried out, and its answer lost.
            (Step::Tag, 404 | 410) if reply.repeated => return Ok(Some(self.deleted())),
            (Step::Digest, 404 | 410) if reply.repeated => return Ok(self.unlist(requests)),
            (Step::List(step), _) => {
                let Some(list) = &mut self.list else { return Ok(None) };
                match list.reply(step, reply, &self.target, &session).map_err(still_listed)? {
                    Some((step, draft)) => requests.start(Step::List(step), draft),
                    None => return Ok(Some(self.deleted())),
                }
            }
            (Step::Tag, 400 | 405 | 501) => {
                self.refusal = Some(refusal(&reply, About::Manifest));
                let tag = self.reference.tag().unwrap_or_default();
                let draft = manifests::draft(Method::Get, &self.target.place, tag, limits);
                requests.start(Step::Manifest, draft.by(self.target.authority));
            }
            (Step::Manifest, 200) => {
                let served = manifests::read(reply, None, limits)?;
                self.read(&served);
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
        match step {
            Step::Look => self.decide(requests),
            Step::List(_) => Err(still_listed(failed.error)),
            _ => Err(failed.error),
        }
    }
}

fn still_listed(error: Error) -> Error {
    error.with_hint("The manifest is deleted; the list of referrers that it stood on could not be changed.")
}
