//! Push: blobs first, in parallel, then the manifest under its tag.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::calls::{Draft, Failed, Reply};
use super::errcode::{About, receipt, refusal};
use super::manifests::{self, misses_blobs, selected};
use super::upload::{self, Uploads, check_same};
use super::{Event, Operation, Outcome, Requests, Target};
use crate::artifact::Artifact;
use crate::error::{Code, Error};
use crate::http::{BlobId, Method, Payload};
use crate::oci::media_type::MANIFEST;
use crate::oci::{Descriptor, Digest, Reference, Repository, annotations};

/// What to do when the tag is there already.
///
/// ```
/// use chartoci::exchange::IfExists;
/// assert_eq!(IfExists::default(), IfExists::Overwrite, "as Helm");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// Overwrite it, as Helm does, without asking.
    #[default]
    Overwrite,
    /// Do nothing if it has the very chart, with whatever provenance; overwrite nothing else: [`Code::TAG_EXISTS`].
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
    /// It lies in another registry: see [`Exchange::source`](super::Exchange::source).
    Registry(Repository),
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
///
/// ```
/// use chartoci::exchange::{IfExists, Push, Source, Upload};
/// use chartoci::{Descriptor, Reference};
/// let config = b"{}";
/// let descriptor = Descriptor::of("application/vnd.oci.empty.v1+json", config);
/// let manifest = format!(
///     r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],
///         "config":{{"mediaType":"{}","digest":"{}","size":2}}}}"#,
///     descriptor.media_type, descriptor.digest
/// );
/// let push = Push {
///     target: Reference::parse("reg.example/empty:1.0.0")?,
///     uploads: vec![Upload { descriptor, source: Source::Bytes(config.as_slice().into()) }],
///     manifest: manifest.into_bytes().into(),
///     media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
///     if_exists: IfExists::Refuse,
/// };
/// assert_eq!(push.uploads[0].descriptor.size, 2);
/// # Ok::<(), chartoci::Error>(())
/// ```
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
    /// ```
    /// use chartoci::chart::{Scan, package::Options, package_in_memory};
    /// use chartoci::{Artifact, Limits, Reference, exchange::Push, files::Memory};
    /// let limits = Limits::default();
    /// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0+b1")]);
    /// let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let artifact = Artifact::build(&Scan::read(&data, &limits)?, None, None, &limits)?;
    /// let push = Push::chart(&artifact, "oci://reg.example/charts")?;
    /// assert_eq!(push.target.to_string(), "oci://reg.example/charts/web:1.0.0_b1");
    /// assert_eq!(push.uploads.len(), 2, "the config, and the chart");
    ///
    /// let mirrored = Push::to(&artifact, Reference::parse("reg.example/mirror:latest")?)?;
    /// assert_eq!(mirrored.manifest, push.manifest);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// The target has another scheme, a tag or a digest; the chart's name or version cannot stand in a reference.
    pub fn chart(artifact: &Artifact, target: &str) -> Result<Push, Error> {
        let annotation = |name: &str| artifact.annotations().get(name).map_or("", String::as_str);
        let target = Reference::for_push(target, annotation(annotations::TITLE), annotation(annotations::VERSION))?;
        Push::to(artifact, target)
    }

    /// A chart to that very reference, whatever it is called. Uploads as [`Push::chart`].
    ///
    /// # Errors
    /// [`Code::ARGUMENT`]: the artifact was not built here.
    pub fn to(artifact: &Artifact, target: Reference) -> Result<Push, Error> {
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

    /// The uploads that the core holds and the host does not: they come first.
    fn held(&self) -> usize {
        self.uploads.iter().take_while(|upload| matches!(upload.source, Source::Bytes(_))).count()
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
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Outcome, Output, Session};
/// use chartoci::exchange::{IfExists, Push, Pushed, Source, Upload, Uploaded};
/// use chartoci::{Descriptor, Digest, Reference, http::{Headers, ResponseHead}, time::Instant};
/// # let descriptor = Descriptor::of("application/vnd.oci.empty.v1+json", b"{}");
/// # let manifest = b"{}";
/// let push = Push {
///     target: Reference::parse("reg.example/empty:1.0.0")?,
///     uploads: vec![Upload { descriptor, source: Source::Host }],
///     manifest: manifest.as_slice().into(),
///     media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
///     if_exists: IfExists::Overwrite,
/// };
/// let mut exchange = Exchange::push(&Session::new(Config::default()), push);
/// let pushed = loop {
///     match exchange.poll(Instant::default()) {
///         // The registry has the blob and mounts it, then it takes the manifest.
///         Output::Send(request) => {
///             let created = ResponseHead { status: 201, headers: Headers::new(), url: None };
///             let receiver = exchange.handle_response(request.id, created);
///             exchange.handle_end(request.id, receiver);
///         }
///         Output::Done(result) => break result?,
///         _ => {}
///     }
/// };
/// let Outcome::Pushed(Pushed { digest, size, blobs, .. }) = pushed else { panic!() };
/// assert_eq!((digest, size, blobs[0].1), (Digest::of(manifest), 4, Uploaded::Mounted));
/// # Ok::<(), chartoci::Error>(())
/// ```
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
    /// Nothing was written: the tag had this very chart. Digest, size and blobs are of what is there, whose provenance may be
    /// another, or none.
    pub skipped: bool,
}

/// Puts blobs and manifest in their places.
pub(super) struct Pushing {
    target: Target,
    /// While the chart is being scanned, what its Chart.yaml promises.
    push: Push,
    is_scanned: bool,
    uploads: Uploads,
    /// The blobs are on their way.
    writing: bool,
    /// What has the tag already, and cannot be compared yet.
    looked: Option<Reply>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// HEAD or GET: what has the tag now?
    Look(Method),
    /// A blob on its way.
    Blob(upload::Step),
    /// PUT of the manifest.
    Tag,
}

impl Pushing {
    pub(super) fn new(target: Target, push: Push) -> Pushing {
        let mut pushing = Pushing::ahead(target, push, 0);
        pushing.is_scanned = true;
        pushing
    }

    /// Begins with what the host holds; the rest and the manifest follow the scan.
    pub(super) fn promised(target: Target, push: Push) -> Pushing {
        let held = push.held();
        Pushing::ahead(target, push, held)
    }

    fn ahead(target: Target, push: Push, held: usize) -> Pushing {
        let uploads = Uploads::from(&target, held);
        let mut pushing = Pushing { target, push, is_scanned: false, uploads, writing: false, looked: None };
        pushing.add(held..pushing.push.uploads.len());
        pushing
    }

    fn add(&mut self, uploads: Range<usize>) {
        for upload in self.push.uploads.get(uploads).unwrap_or_default() {
            self.uploads.add(upload, self.target.place.repository().name());
        }
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
        self.writing = true;
        let complete = self.uploads.begin(requests.calls);
        self.go_on(complete, requests)
    }

    /// Starts what the uploads ask for; the manifest follows the last of them.
    fn go_on(&mut self, complete: bool, requests: &mut Requests<Step>) -> Result<(), Error> {
        for (step, draft) in self.uploads.take_ready() {
            requests.start(Step::Blob(step), draft);
        }
        if complete && self.is_scanned {
            let draft = Draft::new(Method::Put, self.target.place.manifest(&self.reference()?))
                .payload(&self.push.media_type, Payload::Bytes(self.push.manifest.clone()))
                .by(self.target.authority);
            requests.start(Step::Tag, draft);
        }
        Ok(())
    }

    /// Something has the tag. Is it the chart that is to be pushed? Of what is there then nothing changes, and that is what is
    /// told.
    fn compare(&self, reply: Reply, requests: &mut Requests<Step>) -> Result<Outcome, Error> {
        let limits = &requests.limits();
        let exists = |digest: &dyn fmt::Display| {
            Error::new(Code::TAG_EXISTS, format!("{} is there already", self.push.target)).with("digest", digest)
        };
        let served = manifests::read(reply, self.push.target.digest(), limits)?;
        let (there, here) = match (served.artifact(limits), Artifact::parse(&self.push.manifest, limits)) {
            (Ok(there), Ok(here)) if identity(&there) == identity(&here) => (there, here),
            _ => return Err(exists(&served.digest)),
        };
        let provenance = |artifact: &Artifact| artifact.provenance_layer().map(|layer| layer.digest.clone());
        let kept = provenance(&there);
        if provenance(&here).is_some_and(|given| Some(&given) != kept.as_ref()) {
            let which = if kept.is_some() { "another provenance" } else { "no provenance" };
            let text = format!("{} has this very chart with {which}, and keeps it so", self.push.target);
            requests.notify(Event::Notice { code: "registry.provenance_kept", text });
        }
        let blobs = there.config_descriptor().into_iter().chain(there.layers());
        let blobs = blobs.map(|blob| (blob.clone(), Uploaded::Existed)).collect();
        Ok(self.pushed(served.digest, served.bytes.len() as u64, blobs, true))
    }

    fn pushed(&self, digest: Digest, manifest_size: u64, blobs: Vec<(Descriptor, Uploaded)>, skipped: bool) -> Outcome {
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
        match (step, reply.status) {
            (Step::Look(_), 404) => self.write(requests)?,
            (Step::Look(Method::Get), 200) if self.push.if_exists == IfExists::SkipSame => {
                if self.is_scanned {
                    return self.compare(reply, requests).map(Some);
                }
                self.looked = Some(reply);
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

            (Step::Blob(step), _) => {
                let complete = self.uploads.reply(step, &reply, requests.calls)?;
                self.go_on(complete, requests)?;
            }

            (Step::Tag, 200 | 201 | 202 | 204) => {
                receipt(&reply)?;
                if let Some(named) = manifests::named_digest(&reply.headers) {
                    let actual = Digest::with(named.algorithm(), &self.push.manifest);
                    check_same(&reply, &actual, &named)?;
                }
                let manifest = &self.push.manifest;
                let blobs = self.uploads.uploaded().collect();
                return Ok(Some(self.pushed(Digest::of(manifest), manifest.len() as u64, blobs, false)));
            }
            (Step::Tag, 400..=499) if misses_blobs(&reply) && self.uploads.insist(requests.calls) => {
                self.go_on(false, requests)?;
            }
            (Step::Tag, _) => return Err(refusal(&reply, About::Manifest)),
        }
        Ok(None)
    }

    fn failed(&mut self, step: Step, failed: Failed, requests: &mut Requests<Step>) -> Result<(), Error> {
        match step {
            Step::Blob(step) => {
                self.uploads.failed(step, failed, requests.calls)?;
                self.go_on(false, requests)
            }
            _ => Err(failed.error),
        }
    }

    fn scanned(&mut self, push: Push, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        if self.is_scanned {
            return Ok(None);
        }
        let held = self.push.held();
        let promised = std::mem::replace(&mut self.push, push);
        fn given(push: &Push, held: usize) -> impl Iterator<Item = &Descriptor> {
            push.uploads.iter().skip(held).map(|upload| &upload.descriptor)
        }
        if self.push.target != promised.target || !given(&self.push, held).eq(given(&promised, held)) {
            let message =
                format!("Chart.yaml promised {}, and the whole chart is {}", promised.target, self.push.target);
            return Err(Error::new(Code::ARGUMENT, message).with_hint("Nothing has a tag. Push what was scanned."));
        }
        self.is_scanned = true;
        if let Some(reply) = self.looked.take() {
            return self.compare(reply, requests).map(Some);
        }
        self.add(0..held);
        if self.writing {
            self.write(requests)?;
        }
        Ok(None)
    }

    fn give_up(&mut self, requests: &mut Requests<Step>) {
        self.uploads.give_up();
        for (step, draft) in self.uploads.take_ready() {
            requests.start(Step::Blob(step), draft);
        }
    }

    fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)> {
        self.uploads.source(blob)
    }
}

/// What makes two artifacts the same chart: config and chart, whenever they were put together.
fn identity(artifact: &Artifact) -> (Option<&Digest>, Vec<&Digest>) {
    let content = match artifact.chart_layer() {
        Some(chart) => vec![&chart.digest],
        None => artifact.layers().iter().map(|layer| &layer.digest).collect(),
    };
    (artifact.config_descriptor().map(|config| &config.digest), content)
}
