//! Referrers: what was attached to a manifest, from the API or, where a registry has none, from the tag that stands in for
//! it (distribution-spec, "Listing Referrers", "Referrers Tag Schema").

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calls::{Draft, Reply, Wanted};
use super::errcode::{About, errors, is_page, refusal};
use super::manifests::{self, selected};
use super::tags::next_page;
use super::{Config, Operation, Outcome, Requests, Session, Target};
use crate::auth::Origin;
use crate::error::{Code, Error};
use crate::http::Method;
use crate::http::url::Url;
use crate::json;
use crate::oci::media_type::INDEX;
use crate::oci::{Descriptor, Digest, Reference};

/// Referrers of one manifest that are read at most.
const MOST: usize = 4_096;
/// Pages of them.
const MOST_PAGES: u32 = 64;

/// What refers to a manifest: a signature, an attestation, a bill of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its own manifest.
    pub descriptor: Descriptor,
    /// What kind of thing it is, as the list says.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What refers to a manifest, all of it.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Outcome, Output, Referrer, Referrers, Session};
/// use chartoci::{Digest, Reference, http::{Headers, ResponseHead}, time::Instant};
/// let reference = Reference::parse(&format!("reg.example/web@{}", Digest::of(b"a manifest")))?;
/// let mut exchange = Exchange::referrers(&Session::new(Config::default()), reference, None);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// let index = format!(
///     r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":99,
///         "digest":"{}","artifactType":"application/spdx+json"}}]}}"#,
///     Digest::of(b"a bill of materials")
/// );
/// let head = ResponseHead { status: 200, headers: Headers::new(), url: None };
/// let mut receiver = exchange.handle_response(request.id, head);
/// receiver.write(index.as_bytes());
/// exchange.handle_end(request.id, receiver);
/// let Output::Done(Ok(Outcome::Referrers(found))) = exchange.poll(Instant::default()) else { panic!() };
/// let Referrers { referrers, .. } = found;
/// let [Referrer { descriptor, artifact_type, .. }] = &referrers[..] else { panic!() };
/// assert_eq!((descriptor.size, artifact_type.as_deref()), (99, Some("application/spdx+json")));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Referrers {
    /// The repository and the manifest's digest.
    pub reference: Reference,
    /// In the registry's order; each digest once.
    pub referrers: Vec<Referrer>,
}

/// The tag that lists a manifest's referrers where there is no API: `sha256-…`.
pub(super) fn fallback_tag(digest: &Digest) -> String {
    let (algorithm, encoded) = digest.as_str().split_once(':').unwrap_or_default();
    let clean = |text: &str, most: usize| {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        text.chars().take(most).map(allowed).collect::<String>()
    };
    format!("{}-{}", clean(algorithm, 32), clean(encoded, 64))
}

/// The request for a page of the API.
pub(super) fn page(target: &Target, url: Url, config: &Config) -> Draft {
    Draft::new(Method::Get, url)
        .header("accept", INDEX)
        .wants(Wanted::Body { limit: config.limits.page, name: "page" })
        .by(target.authority)
        .final_away()
}

/// Whether the answer to it shows that there is such an API.
pub(super) fn has_api(reply: &Reply) -> Option<bool> {
    match reply.status {
        200 => Some(!is_page(&reply.headers, &reply.body)),
        // GitHub's registry leads away, to a page that is not there, or to one that is too busy.
        _ if reply.away => Some(false),
        // The repository may be missing, and not the API.
        404 => (!errors(&reply.body).iter().any(|error| error.code == "NAME_UNKNOWN")).then_some(false),
        400 | 405 | 406 | 410 | 501 => Some(false),
        _ => None,
    }
}

/// The search for the referrers of one manifest.
pub(super) struct Search {
    subject: Digest,
    artifact_type: Option<String>,
    by_tag: bool,
    pages: u32,
    found: Vec<Referrer>,
    digests: BTreeSet<String>,
}

impl Search {
    pub(super) fn new(subject: Digest, artifact_type: Option<String>) -> Search {
        Search { subject, artifact_type, by_tag: false, pages: 0, found: Vec::new(), digests: BTreeSet::new() }
    }

    pub(super) fn subject(&self) -> &Digest {
        &self.subject
    }

    pub(super) fn into_found(self) -> Vec<Referrer> {
        self.found
    }

    /// The first request.
    pub(super) fn first(&mut self, target: &Target, session: &Session) -> Draft {
        if session.host(&Origin::of(target.place.base()), |host| host.has_referrers) == Some(false) {
            return self.tag(target, session.config());
        }
        let url = target.place.referrers(&self.subject);
        let url = match &self.artifact_type {
            Some(kind) => url.with_query("artifactType", kind),
            None => url,
        };
        self.page(target, url, session.config())
    }

    fn page(&mut self, target: &Target, url: Url, config: &Config) -> Draft {
        self.pages += 1;
        page(target, url, config)
    }

    fn tag(&mut self, target: &Target, config: &Config) -> Draft {
        self.by_tag = true;
        manifests::draft(Method::Get, &target.place, &fallback_tag(&self.subject), &config.limits).by(target.authority)
    }

    /// Takes an answer; the next request, if there is to be one.
    pub(super) fn take(&mut self, target: &Target, reply: Reply, session: &Session) -> Result<Option<Draft>, Error> {
        let config = session.config();
        if self.by_tag {
            return match reply.status {
                200 => {
                    let served = manifests::read(reply, None, &config.limits)?;
                    self.read(&served.bytes, config)?;
                    Ok(None)
                }
                404 => Ok(None),
                _ => Err(refusal(&reply, About::Manifest)),
            };
        }
        let origin = Origin::of(target.place.base());
        match has_api(&reply) {
            Some(true) => session.host(&origin, |host| host.has_referrers = Some(true)),
            Some(false) => {
                session.host(&origin, |host| host.has_referrers = Some(false));
                return Ok(Some(self.tag(target, config)));
            }
            None => return Err(refusal(&reply, About::Manifest)),
        }
        self.read(&reply.body, config).map_err(|error| error.with("url", reply.url.without_query()))?;
        match next_page(&reply)? {
            None => Ok(None),
            Some(_) if self.pages >= MOST_PAGES => {
                Err(Error::new(Code::LIMIT_PAGES, "the list of referrers has too many pages")
                    .with("url", reply.url.without_query())
                    .with("limit", "pages"))
            }
            Some(next) => Ok(Some(self.page(target, next, config))),
        }
    }

    fn read(&mut self, data: &[u8], config: &Config) -> Result<(), Error> {
        let unclear = |why: &str| Error::new(Code::UNEXPECTED_ANSWER, format!("the list of referrers {why}"));
        let index = json::parse(data, config.limits.page).map_err(|error| unclear("is no JSON").because(error))?.value;
        let entries = match index.get("manifests") {
            Some(Value::Array(entries)) => entries.as_slice(),
            None | Some(Value::Null) if index.is_object() => &[],
            _ => return Err(unclear("is no index")),
        };
        let text = |entry: &Value, name| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        for entry in entries {
            // Digests of unregistered algorithms cannot be verified, and so are of no use.
            let Some(Ok(digest)) = text(entry, "digest").map(|digest| Digest::parse(&digest)) else { continue };
            let (Some(media_type), Some(size)) = (text(entry, "mediaType"), entry.get("size").and_then(Value::as_u64))
            else {
                return Err(unclear("has an entry without media type or size"));
            };
            let artifact_type = text(entry, "artifactType");
            // A registry may leave the choice to its client.
            let wanted = self.artifact_type.is_none() || self.artifact_type == artifact_type;
            if !wanted || self.digests.contains(digest.as_str()) {
                continue;
            }
            if self.found.len() >= MOST {
                return Err(Error::new(Code::LIMIT_PAGES, format!("a manifest has more than {MOST} referrers"))
                    .with("limit", "referrers"));
            }
            let mut annotations = BTreeMap::new();
            for (name, value) in entry.get("annotations").and_then(Value::as_object).into_iter().flatten() {
                if let Some(text) = value.as_str() {
                    annotations.insert(name.clone(), text.to_owned());
                }
            }
            self.digests.insert(digest.to_string());
            let descriptor = Descriptor { media_type, digest, size };
            self.found.push(Referrer { descriptor, artifact_type, annotations });
        }
        Ok(())
    }
}

/// Lists what refers to a manifest.
pub(super) struct Referring {
    target: Target,
    reference: Reference,
    artifact_type: Option<String>,
    search: Option<Search>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// GET of the manifest: which digest has the tag?
    Manifest,
    /// A page, or the tag that stands in for the API.
    Page,
}

impl Referring {
    pub(super) fn new(target: Target, reference: Reference, artifact_type: Option<String>) -> Referring {
        Referring { target, reference, artifact_type, search: None }
    }

    fn search(&mut self, subject: Digest, requests: &mut Requests<Step>) {
        let mut search = Search::new(subject, self.artifact_type.clone());
        requests.start(Step::Page, search.first(&self.target, &requests.session()));
        self.search = Some(search);
    }
}

impl Operation for Referring {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        if let Some(digest) = self.reference.digest() {
            let digest = digest.clone();
            self.search(digest, requests);
            return Ok(None);
        }
        let tag = selected(&self.reference).ok_or_else(|| {
            Error::new(Code::ARGUMENT, "a reference needs a tag or a digest to have referrers")
                .with_hint("Write REGISTRY/REPOSITORY:TAG, or REGISTRY/REPOSITORY@DIGEST.")
        })?;
        let draft = manifests::draft(Method::Get, &self.target.place, &tag, &requests.limits());
        requests.start(Step::Manifest, draft.by(self.target.authority));
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let session = requests.session();
        match step {
            Step::Manifest if reply.status == 200 => {
                let served = manifests::read(reply, None, &session.config().limits)?;
                self.search(served.digest, requests);
            }
            Step::Manifest => return Err(refusal(&reply, About::Manifest)),
            Step::Page => {
                let Some(search) = &mut self.search else { return Ok(None) };
                if let Some(next) = search.take(&self.target, reply, &session)? {
                    requests.start(Step::Page, next);
                } else if let Some(search) = self.search.take() {
                    let (base, tag) = (self.reference.base().clone(), self.reference.tag().map(str::to_owned));
                    let reference = Reference::new(base, tag, Some(search.subject().clone()));
                    return Ok(Some(Outcome::Referrers(Referrers { reference, referrers: search.into_found() })));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Algorithm;

    #[test]
    fn the_tag_that_stands_in_is_cut_and_cleaned() {
        let digest = Digest::of(b"{}");
        assert_eq!(fallback_tag(&digest), format!("sha256-{}", digest.hex()));
        let long = Digest::with(Algorithm::Sha512, b"{}");
        assert_eq!(fallback_tag(&long), format!("sha512-{}", &long.hex()[..64]));
    }
}
