//! Resolve: which tag and digest a reference or a range means.

use super::calls::{Draft, Reply};
use super::errcode::{About, refusal};
use super::manifests;
use super::tags::{Search, Searched};
use super::{Operation, Outcome, Requests, Target};
use crate::error::{Code, Error, clip};
use crate::http::Method;
use crate::limits::Limits;
use crate::oci::{Digest, Reference};
use crate::version::Constraint;
use crate::version::tag::{self, Selector};

/// What to resolve.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Where.
    pub reference: Reference,
    /// A version or a range.
    pub version: Option<String>,
    /// Pre-releases too.
    pub devel: bool,
}

/// What it means.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Outcome, Output, Resolve, Resolved, Session};
/// use chartoci::{Digest, Reference, http::ResponseHead, time::Instant};
/// let reference = Reference::parse("reg.example/web")?;
/// let resolve = Resolve { reference, version: Some("1.0.0+b1".to_owned()), devel: false };
/// let mut exchange = Exchange::resolve(&Session::new(Config::default()), resolve);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// assert_eq!(request.method.as_str(), "HEAD");
/// assert_eq!(request.url, "https://reg.example/v2/web/manifests/1.0.0_b1");
/// let headers = [("docker-content-digest", Digest::of(b"{}").as_str())].into_iter().collect();
/// let receiver = exchange.handle_response(request.id, ResponseHead { status: 200, headers, url: None });
/// exchange.handle_end(request.id, receiver);
/// let Output::Done(Ok(Outcome::Resolved(resolved))) = exchange.poll(Instant::default()) else { panic!() };
/// let Resolved { tag, version, digest, .. } = resolved;
/// assert_eq!((tag.as_deref(), version.as_deref()), (Some("1.0.0_b1"), Some("1.0.0+b1")));
/// assert_eq!(digest, Digest::of(b"{}"));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Repository, tag and digest.
    pub reference: Reference,
    /// The version that the tag stands for.
    pub version: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// Of the manifest: the registry's word from the head of its answer, as Helm takes it. Where the head names none, the
    /// manifest was fetched and hashed.
    pub digest: Digest,
}

/// How a reference, and the version beside it, lead to a manifest (Helm 4.3, `pkg/registry/client.go`, ValidateReference).
/// A tag in the reference is that very tag, whether it looks like a version or not.
pub(super) enum Selection {
    /// The digest governs; the tag is a name for it.
    Digest {
        digest: Digest,
        tag: Option<String>,
    },
    Tag(String),
    /// The best of the list.
    Range(Constraint),
}

/// Which manifest is meant.
///
/// # Errors
/// [`Code::REFERENCE_VERSION`]: tag and version differ. [`Code::VERSION_CONSTRAINT`].
pub(super) fn choose(reference: &Reference, version: Option<&str>, devel: bool) -> Result<Selection, Error> {
    let version = version.filter(|version| !version.is_empty());
    if let (Some(tag), Some(version)) = (reference.tag(), version)
        && tag::from_version(version) != tag
    {
        let message = format!("the reference has the tag {tag:?}, and the version is {:?}", clip(version));
        return Err(Error::new(Code::REFERENCE_VERSION, message).with("version", clip(version)));
    }
    if let Some(tag) = reference.tag() {
        let tag = tag.to_owned();
        return Ok(match reference.digest() {
            Some(digest) => Selection::Digest { digest: digest.clone(), tag: Some(tag) },
            None => Selection::Tag(tag),
        });
    }
    if let Some(digest) = reference.digest() {
        let tag = match version.map(|version| tag::selector(Some(version), devel)).transpose()? {
            Some(Selector::Tag(tag)) => Some(tag),
            _ => None,
        };
        return Ok(Selection::Digest { digest: digest.clone(), tag });
    }
    Ok(match tag::selector(version, devel)? {
        Selector::Tag(tag) => Selection::Tag(tag),
        Selector::Range(range) => Selection::Range(range),
    })
}

/// Finds tag and digest.
pub(super) struct Resolving {
    target: Target,
    resolve: Resolve,
    search: Search,
    tag: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A page of the list of tags.
    Tags,
    /// HEAD, or GET where HEAD does not tell.
    Manifest(Method),
}

impl Resolving {
    pub(super) fn new(target: Target, resolve: Resolve) -> Resolving {
        Resolving { target, resolve, search: Search::default(), tag: None }
    }

    fn manifest(&self, method: Method, limits: &Limits) -> Draft {
        let digest = self.resolve.reference.digest().map(Digest::as_str);
        let reference = digest.or(self.tag.as_deref()).unwrap_or_default();
        manifests::draft(method, &self.target.place, reference, limits).by(self.target.authority)
    }

    fn resolved(&self, digest: Digest) -> Outcome {
        let tag = self.tag.clone();
        Outcome::Resolved(Resolved {
            reference: Reference::new(self.resolve.reference.base().clone(), tag.clone(), Some(digest.clone())),
            version: tag.as_deref().map(tag::to_version),
            tag,
            digest,
        })
    }
}

impl Operation for Resolving {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let limits = requests.limits();
        match choose(&self.resolve.reference, self.resolve.version.as_deref(), self.resolve.devel)? {
            Selection::Digest { tag, .. } => self.tag = tag,
            Selection::Tag(tag) => self.tag = Some(tag),
            Selection::Range(range) => {
                requests.start(Step::Tags, self.search.begin(range, &self.target, &limits));
                return Ok(None);
            }
        }
        requests.start(Step::Manifest(Method::Head), self.manifest(Method::Head, &limits));
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let limits = requests.limits();
        match (step, reply.status) {
            (Step::Tags, _) => match self.search.take(&self.target, &reply, requests.session().config())? {
                Searched::Page(next) => requests.start(Step::Tags, *next),
                Searched::Tag(tag) => {
                    self.tag = Some(tag);
                    requests.start(Step::Manifest(Method::Head), self.manifest(Method::Head, &limits));
                }
            },
            (Step::Manifest(Method::Head), 200) => {
                let named = manifests::named_digest(&reply.headers);
                let asked = self.resolve.reference.digest();
                match (named, asked) {
                    (Some(named), None) => return Ok(Some(self.resolved(named))),
                    (Some(named), Some(asked)) if named == *asked => return Ok(Some(self.resolved(named))),
                    // The head does not tell, or tells something else: the bytes do.
                    _ => requests.start(Step::Manifest(Method::Get), self.manifest(Method::Get, &limits)),
                }
            }
            (Step::Manifest(_), 401 | 404) => return Err(refusal(&reply, About::Manifest)),
            // Some registries do not answer HEAD as they answer GET.
            (Step::Manifest(Method::Head), 400..=499) => {
                requests.start(Step::Manifest(Method::Get), self.manifest(Method::Get, &limits));
            }
            (Step::Manifest(_), 200) => {
                let served = manifests::read(reply, self.resolve.reference.digest(), &limits)?;
                return Ok(Some(self.resolved(served.digest)));
            }
            (Step::Manifest(_), _) => return Err(refusal(&reply, About::Manifest)),
        }
        Ok(None)
    }
}
