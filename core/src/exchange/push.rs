//! Push: blobs first, in parallel, then the manifest under its tag.

use std::fmt;
use std::sync::Arc;

use super::calls::{Draft, Failed, Reply};
use super::errcode::{About, errors, is_page, refusal};
use super::manifests::{self, selected};
use super::{Event, Operation, Outcome, Requests, Target};
use crate::artifact::Artifact;
use crate::auth::Origin;
use crate::error::{Code, Error};
use crate::http::url::{Scheme, Url};
use crate::http::{BlobId, Method, Payload};
use crate::limits::Limits;
use crate::oci::media_type::{MANIFEST, OCTET_STREAM};
use crate::oci::{Descriptor, Digest, Reference, annotations};
use crate::time::Duration;

/// What to do when the tag is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// Overwrite it, as Helm does, without asking.
    #[default]
    Overwrite,
    /// Do nothing if it has the very chart; overwrite nothing else: [`Code::TAG_EXISTS`].
    SkipSame,
    /// Refuse: [`Code::TAG_EXISTS`].
    Refuse,
}

/// Where a blob's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Held by the core.
    Bytes(Arc<[u8]>),
    /// The host opens it: `BlobId` is its place in [`Push::uploads`].
    Host,
}

/// A blob to upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its digest and size.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub source: Source,
}

/// What to push. Plain data.
#[derive(Clone, Debug)]
pub struct Push {
    /// Repository and tag.
    pub target: Reference,
    /// Blobs; a `BlobId` is an index into them.
    pub uploads: Vec<Upload>,
    /// The manifest's bytes.
    pub manifest: Arc<[u8]>,
    /// The manifest's media type.
    pub media_type: String,
    /// What to do when the tag is there already.
    pub if_exists: IfExists,
}

impl Push {
    /// A chart to `TARGET/NAME:VERSION`, as `helm push` names it. Uploads: the config (held by the core), then the layers
    /// in the order chart, provenance (opened by the host: `BlobId` 1 is the chart, 2 the provenance).
    ///
    /// # Errors
    /// The target has another scheme, a tag or a digest; the chart's name or version cannot stand in a reference.
    pub fn chart(artifact: &Artifact, target: &str) -> Result<Push, Error> {
        let annotation = |name: &str| artifact.annotations().get(name).map_or("", String::as_str);
        let target = Reference::for_push(target, annotation(annotations::TITLE), annotation(annotations::VERSION))?;
        let unfit = || Error::new(Code::ARGUMENT, "the artifact is no chart that was built here");
        let config = artifact.config().ok_or_else(unfit)?;
        let descriptor = artifact.config_descriptor().ok_or_else(unfit)?.clone();
        let mut uploads = vec![Upload { descriptor, source: Source::Bytes(Arc::from(config)) }];
        let layers = artifact.chart_layer().into_iter().chain(artifact.provenance_layer());
        uploads.extend(layers.map(|layer| Upload { descriptor: layer.clone(), source: Source::Host }));
        Ok(Push {
            target,
            uploads,
            manifest: Arc::from(artifact.manifest()),
            media_type: MANIFEST.to_owned(),
            if_exists: IfExists::default(),
        })
    }
}

/// What became of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uploaded {
    /// Its bytes were sent.
    Sent,
    /// It was there already (mounted from the same or another repository).
    Mounted,
    /// It was there already, and nothing was asked.
    Existed,
}

/// What was pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Where: repository and tag.
    pub reference: Reference,
    /// Of the manifest.
    pub digest: Digest,
    /// Of manifest and blobs, in bytes.
    pub size: u64,
    /// What became of each blob.
    pub blobs: Vec<(Descriptor, Uploaded)>,
    /// Nothing was written: the tag had this very chart.
    pub skipped: bool,
}

/// Puts blobs and manifest in their places.
pub(super) struct Pushing {
    target: Target,
    push: Push,
    digest: Digest,
    /// One for each upload.
    blobs: Vec<Blob>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Blob {
    uploaded: Option<Uploaded>,
    /// Upload sessions that were begun.
    sessions: u32,
    /// The registry said that it has it, and then that it has not: no more mounts.
    insisted: bool,
    /// Its mount was refused.
    refused: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// HEAD or GET: what has the tag now?
    Look(Method),
    /// POST: a session for that blob, or the blob itself out of this very repository.
    Open { index: usize, mount: bool },
    /// PUT of the whole blob.
    Send(usize),
    /// PUT of the manifest.
    Tag,
}

impl Pushing {
    pub(super) fn new(target: Target, push: Push) -> Pushing {
        let digest = Digest::of(&push.manifest);
        let blobs = vec![Blob::default(); push.uploads.len()];
        Pushing { target, push, digest, blobs }
    }

    fn descriptor(&self, index: usize) -> &Descriptor {
        &self.push.uploads[index].descriptor
    }

    fn reference(&self) -> Result<String, Error> {
        selected(&self.push.target)
            .ok_or_else(|| Error::new(Code::ARGUMENT, "the target of a push has neither a tag nor a digest"))
    }

    fn look(&self, method: Method, requests: &mut Requests<Step>) -> Result<(), Error> {
        let limits = &requests.limits();
        let draft = manifests::draft(method, &self.target.place, &self.reference()?, limits);
        requests.start(Step::Look(method), draft.by(self.target.authority));
        Ok(())
    }

    /// The blobs in parallel; the manifest at once if there are none.
    fn write(&mut self, requests: &mut Requests<Step>) -> Result<(), Error> {
        for index in 0..self.blobs.len() {
            // What is named twice is sent once.
            if (0..index).any(|other| self.descriptor(other).digest == self.descriptor(index).digest) {
                self.blobs[index].uploaded = Some(Uploaded::Existed);
            } else {
                self.open(index, None, requests);
            }
        }
        self.tag_if_complete(requests)
    }

    /// Begins an upload session, after a pause if the last one came to nothing.
    fn open(&mut self, index: usize, pause: Option<(Duration, &str)>, requests: &mut Requests<Step>) {
        let origin = Origin::of(self.target.place.base());
        let refuses = requests.session().host(&origin, |host| host.refuses_mounts);
        self.blobs[index].sessions += 1;
        self.post(index, !refuses && !self.blobs[index].insisted, pause, requests);
    }

    fn post(&self, index: usize, mount: bool, pause: Option<(Duration, &str)>, requests: &mut Requests<Step>) {
        let place = &self.target.place;
        let url = if mount { place.mount(&self.descriptor(index).digest) } else { place.uploads() };
        let draft = Draft::new(Method::Post, url).by(self.target.authority);
        let draft = match pause {
            Some((pause, why)) => draft.after(pause, why),
            None => draft,
        };
        requests.start(Step::Open { index, mount }, draft);
    }

    /// Sends the whole blob into the session that was opened. What fails begins with a new session.
    fn send(&self, index: usize, opened: &Reply, requests: &mut Requests<Step>) -> Result<(), Error> {
        let Upload { descriptor, source } = &self.push.uploads[index];
        let url = upload_url(opened, requests.session().config().transport.all_headers)?;
        let payload = match source {
            Source::Bytes(bytes) => Payload::Bytes(bytes.clone()),
            Source::Host => {
                let blob = BlobId(u32::try_from(index).unwrap_or(u32::MAX));
                Payload::Blob { blob, range: 0..descriptor.size }
            }
        };
        let draft = Draft::new(Method::Put, url.with_query("digest", descriptor.digest.as_str()))
            .payload(OCTET_STREAM, payload)
            .by(self.target.authority)
            .once(self.blobs[index].sessions.saturating_sub(1));
        requests.start(Step::Send(index), draft);
        Ok(())
    }

    fn settled(&mut self, index: usize, uploaded: Uploaded, requests: &mut Requests<Step>) -> Result<(), Error> {
        let descriptor = self.descriptor(index).clone();
        requests.notify(match uploaded {
            Uploaded::Sent => Event::Uploaded(descriptor),
            _ => Event::Exists(descriptor),
        });
        self.blobs[index].uploaded = Some(uploaded);
        self.tag_if_complete(requests)
    }

    fn tag_if_complete(&self, requests: &mut Requests<Step>) -> Result<(), Error> {
        if self.blobs.iter().any(|blob| blob.uploaded.is_none()) {
            return Ok(());
        }
        let draft = Draft::new(Method::Put, self.target.place.manifest(&self.reference()?))
            .payload(&self.push.media_type, Payload::Bytes(self.push.manifest.clone()))
            .by(self.target.authority);
        requests.start(Step::Tag, draft);
        Ok(())
    }

    /// The registry misses blobs that it said to have: they are sent for real, once.
    fn insist(&mut self, requests: &mut Requests<Step>) -> bool {
        let mounted: Vec<usize> =
            (0..self.blobs.len()).filter(|index| self.blobs[*index].uploaded == Some(Uploaded::Mounted)).collect();
        for index in &mounted {
            self.blobs[*index] = Blob { uploaded: None, insisted: true, ..self.blobs[*index] };
            self.open(*index, None, requests);
        }
        !mounted.is_empty()
    }

    /// Something has the tag. Is it the chart that is to be pushed?
    fn compare(&self, reply: Reply, limits: &Limits) -> Result<Outcome, Error> {
        let exists = |digest: &dyn fmt::Display| {
            Error::new(Code::TAG_EXISTS, format!("{} is there already", self.push.target)).with("digest", digest)
        };
        let served = manifests::read(reply, self.push.target.digest(), limits)?;
        let same = match (served.artifact(limits), Artifact::parse(&self.push.manifest, limits)) {
            (Ok(there), Ok(here)) => identity(&there) == identity(&here),
            _ => false,
        };
        if !same {
            return Err(exists(&served.digest));
        }
        let size = served.bytes.len() as u64;
        Ok(self.pushed(served.digest, size, true))
    }

    fn pushed(&self, digest: Digest, manifest_size: u64, skipped: bool) -> Outcome {
        let descriptors = self.push.uploads.iter().map(|upload| upload.descriptor.clone());
        let uploaded = self.blobs.iter().map(|blob| blob.uploaded.unwrap_or(Uploaded::Existed));
        let blobs: Vec<_> = descriptors.zip(uploaded).collect();
        let size = blobs.iter().fold(manifest_size, |size, (descriptor, _)| size.saturating_add(descriptor.size));
        Outcome::Pushed(Pushed { reference: self.push.target.clone(), digest, size, blobs, skipped })
    }
}

impl Operation for Pushing {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        self.reference()?;
        match self.push.if_exists {
            IfExists::Overwrite => self.write(requests)?,
            IfExists::SkipSame => self.look(Method::Get, requests)?,
            IfExists::Refuse => self.look(Method::Head, requests)?,
        }
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let session = requests.session();
        match (step, reply.status) {
            (Step::Look(_), 404) => self.write(requests)?,
            (Step::Look(Method::Get), 200) if self.push.if_exists == IfExists::SkipSame => {
                return self.compare(reply, &session.config().limits).map(Some);
            }
            (Step::Look(_), 200) => {
                let error = Error::new(Code::TAG_EXISTS, format!("{} is there already", self.push.target));
                return Err(match manifests::named_digest(&reply.headers) {
                    Some(digest) => error.with("digest", digest),
                    None => error,
                });
            }
            // Some registries do not answer HEAD as they answer GET.
            (Step::Look(Method::Head), 400..=499) => self.look(Method::Get, requests)?,
            (Step::Look(_), _) => return Err(refusal(&reply, About::Manifest)),

            (Step::Open { index, mount: true }, 201) => {
                check_named(&reply, &self.descriptor(index).digest)?;
                self.settled(index, Uploaded::Mounted, requests)?;
            }
            (Step::Open { index, mount }, 202) => {
                // The plain POST shows that it was the mount that was refused.
                if !mount && self.blobs[index].refused {
                    session.host(&Origin::of(self.target.place.base()), |host| host.refuses_mounts = true);
                }
                self.send(index, &reply, requests)?;
            }
            (Step::Open { index, mount: true }, 400..=499) if !matches!(reply.status, 401 | 403 | 413) => {
                self.blobs[index].refused = true;
                self.post(index, false, None, requests);
            }
            (Step::Open { .. }, _) => return Err(refusal(&reply, About::Upload)),

            (Step::Send(_) | Step::Tag, 200..=299) if is_page(&reply.headers, &[]) => {
                let error = Error::new(Code::NOT_A_REGISTRY, "a web page came in place of a receipt");
                return Err(error.with("method", "PUT").with("url", reply.url.without_query()));
            }
            (Step::Send(index), 200 | 201 | 204) => {
                check_named(&reply, &self.descriptor(index).digest)?;
                self.settled(index, Uploaded::Sent, requests)?;
            }
            (Step::Send(index), 400 | 404 | 416) if lost_session(&reply) => {
                let error = refusal(&reply, About::Upload);
                let Some(pause) = requests.calls.pause(self.blobs[index].sessions) else { return Err(error) };
                self.open(index, Some((pause, error.message())), requests);
            }
            (Step::Send(_), _) => return Err(refusal(&reply, About::Upload)),

            (Step::Tag, 200 | 201 | 202 | 204) => {
                if let Some(named) = manifests::named_digest(&reply.headers) {
                    let actual = Digest::with(named.algorithm(), &self.push.manifest);
                    check_same(&reply, &actual, &named)?;
                }
                return Ok(Some(self.pushed(self.digest.clone(), self.push.manifest.len() as u64, false)));
            }
            (Step::Tag, 400..=499) if misses_blobs(&reply) && self.insist(requests) => {}
            (Step::Tag, _) => return Err(refusal(&reply, About::Manifest)),
        }
        Ok(None)
    }

    fn failed(&mut self, step: Step, failed: Failed, requests: &mut Requests<Step>) -> Result<(), Error> {
        match (step, failed.again) {
            (Step::Send(index), Some(pause)) => {
                self.open(index, Some((pause, failed.error.message())), requests);
                Ok(())
            }
            _ => Err(failed.error),
        }
    }
}

/// Where the blob goes: relative, without scheme or absolute. https never becomes http: of the same host it is taken for a
/// proxy's mistake and mended.
fn upload_url(reply: &Reply, all_headers: bool) -> Result<Url, Error> {
    let refused = |why: &str| {
        let error = Error::new(Code::BAD_LOCATION, format!("no blob can be uploaded: the answer's Location {why}"));
        error.with("method", "POST").with("url", reply.url.without_query()).with_answer(reply.status, Vec::new())
    };
    let Some(location) = reply.headers.get("location") else {
        let error = refused("is missing");
        return Err(if all_headers {
            error
        } else {
            error.with_hint(
                "The registry must expose Location to this page's origin (CORS, Access-Control-Expose-Headers).",
            )
        });
    };
    let url = reply.url.join(location.trim()).ok_or_else(|| refused("is no URL"))?;
    match (reply.url.scheme(), url.scheme()) {
        (Scheme::Https, Scheme::Http) if url.host() == reply.url.host() => Ok(url.upgraded()),
        (Scheme::Https, Scheme::Http) => Err(refused("leads from https to http")),
        _ => Ok(url),
    }
}

/// The digest that the answer names must be the blob's, where it is of the same algorithm.
fn check_named(reply: &Reply, expected: &Digest) -> Result<(), Error> {
    match manifests::named_digest(&reply.headers) {
        Some(named) if named.algorithm() == expected.algorithm() => check_same(reply, expected, &named),
        _ => Ok(()),
    }
}

fn check_same(reply: &Reply, expected: &Digest, named: &Digest) -> Result<(), Error> {
    if expected == named {
        return Ok(());
    }
    Err(Error::new(Code::DIGEST_MISMATCH, format!("the registry stored {named} where {expected} was sent"))
        .with("method", reply.method.as_str())
        .with("url", reply.url.without_query())
        .with("expected", expected)
        .with("actual", named))
}

/// The session is gone or confused, which a new one mends; a digest that is refused is not of that kind.
fn lost_session(reply: &Reply) -> bool {
    let errors = errors(&reply.body);
    match reply.status {
        400 => errors.iter().any(|error| matches!(error.code.as_str(), "BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID")),
        404 => !errors.iter().any(|error| error.code == "NAME_UNKNOWN"),
        _ => true,
    }
}

fn misses_blobs(reply: &Reply) -> bool {
    errors(&reply.body).iter().any(|error| matches!(error.code.as_str(), "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
}

/// What makes two artifacts the same chart: config and chart, whenever they were put together.
fn identity(artifact: &Artifact) -> (Option<&Digest>, Vec<&Digest>) {
    let content = match artifact.chart_layer() {
        Some(chart) => vec![&chart.digest],
        None => artifact.layers().iter().map(|layer| &layer.digest).collect(),
    };
    (artifact.config_descriptor().map(|config| &config.digest), content)
}
