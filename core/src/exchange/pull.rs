//! Pull: the manifest, then the layers that are wanted, in parallel.

use super::calls::{Draft, Failed, Reply, Wanted};
use super::errcode::{About, refusal};
use super::manifests::{self, Served};
use super::resolve::{Selection, choose};
use super::tags::{Search, Searched};
use super::{Event, Operation, Outcome, Requests, Target, fetch};
use crate::artifact::{Artifact, CONFIG, What};
use crate::error::{Code, Error};
use crate::http::{BlobId, Method};
use crate::limits::Limits;
use crate::oci::media_type::{DOCKER_MANIFEST, MANIFEST};
use crate::oci::{Descriptor, Digest, Reference};
use crate::version::tag;

/// Which parts of a chart are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The chart layer, into `BlobId` 0.
    pub chart: bool,
    /// The provenance layer, into `BlobId` 1, where there is one.
    pub provenance: bool,
    /// The config blob, into [`Pulled::config`].
    pub config: bool,
    /// Whatever lies there is welcome: of what is no chart comes the manifest, and nothing else.
    pub anything: bool,
}

/// What to pull.
///
/// ```
/// use chartoci::{Reference, exchange::{Pull, Want}};
/// let pull = Pull {
///     reference: Reference::parse("oci://reg.example/charts/web")?,
///     version: Some("^1.2".to_owned()),
///     devel: false,
///     want: Want { chart: true, provenance: false, config: false, anything: false },
///     check_tag: false,
///     verify: false,
/// };
/// assert_eq!(pull.reference.tag(), None);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pull {
    /// From where; its tag may be a version or a range in `version` instead.
    pub reference: Reference,
    /// A version or a range, as Helm's `--version`.
    pub version: Option<String>,
    /// Pre-releases too, as Helm's `--devel`; nothing where a version is given.
    pub devel: bool,
    /// Which parts.
    pub want: Want,
    /// With tag and digest given: ask that the tag has this digest, as Helm does. Costs one request.
    pub check_tag: bool,
    /// Verify the chart's signature, as Helm's `--verify`: refused before anything is asked for, since nobody here can yet.
    pub verify: bool,
}

/// What was pulled. Blobs are in the host's sinks, verified.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Outcome, Output, Pull, Pulled, Session, Want};
/// use chartoci::{Digest, Reference, http::ResponseHead, time::Instant};
/// let reference = Reference::parse("reg.example/charts/web:1.0.0_b1")?;
/// let want = Want { chart: false, provenance: false, config: false, anything: true };
/// let pull = Pull { reference, version: None, devel: false, want, check_tag: false, verify: false };
/// let mut exchange = Exchange::pull(&Session::new(Config::default()), pull);
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
///
/// let index = br#"{"schemaVersion":2,"manifests":[]}"#;
/// let headers = [("content-type", "application/vnd.oci.image.index.v1+json")].into_iter().collect();
/// let mut receiver = exchange.handle_response(request.id, ResponseHead { status: 200, headers, url: None });
/// receiver.write(index);
/// exchange.handle_end(request.id, receiver);
///
/// let Output::Done(Ok(Outcome::Pulled(pulled))) = exchange.poll(Instant::default()) else { panic!() };
/// let Pulled { digest, media_type, chart, .. } = &pulled;
/// assert_eq!((digest, media_type.as_str()), (&Digest::of(index), "application/vnd.oci.image.index.v1+json"));
/// assert_eq!((chart, pulled.filename().as_deref()), (&None, Some("web-1.0.0+b1.tgz")));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pulled {
    /// Repository, and the tag or digest that was pulled.
    pub reference: Reference,
    /// The version that the tag stands for, if there is a tag.
    pub version: Option<String>,
    /// Of the manifest.
    pub digest: Digest,
    /// Its bytes.
    pub manifest: Vec<u8>,
    /// Its media type, as served.
    pub media_type: String,
    /// The config's bytes, if they were wanted.
    pub config: Option<Vec<u8>>,
    /// The chart layer, if it is in `BlobId` 0.
    pub chart: Option<Descriptor>,
    /// The provenance layer, if it is in `BlobId` 1.
    pub provenance: Option<Descriptor>,
}

impl Pulled {
    /// `NAME-VERSION.tgz`, as Helm names the file; `None` if it was pulled by digest alone (then Chart.yaml says).
    pub fn filename(&self) -> Option<String> {
        let name = self.reference.repository().rsplit('/').next()?;
        self.version.as_ref().map(|version| format!("{name}-{version}.tgz"))
    }
}

/// Fetches manifest and layers.
pub(super) struct Pulling {
    target: Target,
    pull: Pull,
    search: Search,
    tag: Option<String>,
    /// What lies under the reference: a manifest, or an index.
    served: Option<Served>,
    /// Manifests that an index lists, and those of them that were read.
    listed: Vec<Descriptor>,
    children: Vec<Artifact>,
    config: Option<(Descriptor, Vec<u8>)>,
    chart: Option<Descriptor>,
    provenance: Option<Descriptor>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A page of the list of tags.
    Tags,
    /// HEAD or GET of the tag: does it have the digest that was given?
    Check(Method),
    /// What lies under the reference.
    Manifest,
    /// A manifest that an index lists.
    Child(usize),
    /// A layer, into the host's hands.
    Layer,
    /// The config.
    Config,
}

/// Entries of an index that are looked at to find the one that is a chart.
const MOST_CHILDREN: usize = 32;

impl Pulling {
    pub(super) fn new(target: Target, pull: Pull) -> Pulling {
        Pulling {
            target,
            pull,
            search: Search::default(),
            tag: None,
            served: None,
            listed: Vec::new(),
            children: Vec::new(),
            config: None,
            chart: None,
            provenance: None,
        }
    }

    fn manifest(&self, method: Method, reference: &str, limits: &Limits) -> Draft {
        manifests::draft(method, &self.target.place, reference, limits).by(self.target.authority)
    }

    /// Something of the chart is wanted, and not the manifest alone.
    fn wants_parts(&self) -> bool {
        let Want { chart, provenance, config, .. } = self.pull.want;
        chart || provenance || config
    }

    /// The manifest is here: on to the layers, or to the manifests that an index lists.
    fn go_on(&mut self, artifact: &Artifact, requests: &mut Requests<Step>) -> Result<(), Error> {
        if !self.wants_parts() {
            return Ok(());
        }
        if self.pull.want.anything && artifact.what() != What::Chart {
            return Ok(());
        }
        if artifact.what() != What::Index {
            return self.fetch_parts(artifact, requests);
        }
        let limits = &requests.limits();
        let manifests = || {
            let entries = artifact.manifests().iter().map(|entry| (entry, artifact.artifact_type_of(&entry.digest)));
            entries.filter(|(entry, _)| matches!(entry.media_type.as_str(), MANIFEST | DOCKER_MANIFEST))
        };
        // Helm reads them all. What an index says of its entries spares that: a chart's has the type of its config.
        let (any, may) = (manifests().count(), |kind: Option<&str>| kind.is_none_or(|kind| kind == CONFIG));
        let open = manifests().filter(|(_, kind)| may(*kind)).count();
        let fits = |kind: Option<&str>| match open {
            0 => true,
            _ if open <= MOST_CHILDREN => may(kind),
            _ => kind == Some(CONFIG),
        };
        let fitting: Vec<&Descriptor> = manifests().filter(|(_, kind)| fits(*kind)).map(|(entry, _)| entry).collect();
        if fitting.is_empty() || fitting.len() > MOST_CHILDREN {
            let message = format!("the index lists {any} manifests, one of which should be a chart");
            return Err(
                Error::new(Code::ARTIFACT_NOT_A_CHART, message).with_hint("Name the chart's manifest by its digest.")
            );
        }
        self.listed = fitting.into_iter().cloned().collect();
        for index in 0..self.listed.len() {
            let reference = self.listed[index].digest.to_string();
            requests.start(Step::Child(index), self.manifest(Method::Get, &reference, limits));
        }
        Ok(())
    }

    /// All manifests of the index are here: one of them is the chart.
    fn pick_child(&mut self, requests: &mut Requests<Step>) -> Result<(), Error> {
        let mut charts = std::mem::take(&mut self.children);
        charts.retain(|child| child.what() == What::Chart);
        match charts.as_slice() {
            [chart] => self.fetch_parts(chart, requests),
            charts => {
                let message = format!("the index lists {} charts; one is expected", charts.len());
                Err(Error::new(Code::ARTIFACT_NOT_A_CHART, message)
                    .with_hint("Name the chart's manifest by its digest."))
            }
        }
    }

    fn fetch_parts(&mut self, artifact: &Artifact, requests: &mut Requests<Step>) -> Result<(), Error> {
        let report = artifact.as_chart();
        let first = report.errors().next().map(|first| Error::new(first.code, first.message.clone()));
        if let Some(error) = first.filter(|_| !self.pull.want.anything) {
            return Err(error.with_report(report));
        }
        let limits = requests.limits();
        if self.pull.want.chart
            && let Some(layer) = artifact.chart_layer()
        {
            within(layer, limits.archive, "archive")?;
            if artifact.is_legacy() {
                let text =
                    format!("the chart's layer has the type {}, which is deprecated: push it again", layer.media_type);
                requests.notify(Event::Notice { code: Code::ARTIFACT_LEGACY_CHART.name(), text });
            }
            self.chart = Some(layer.clone());
            requests.start(Step::Layer, fetch::draft(&self.target, BlobId(0), layer.clone()));
        }
        if self.pull.want.provenance {
            match artifact.provenance_layer() {
                Some(layer) => {
                    within(layer, limits.provenance, "provenance")?;
                    self.provenance = Some(layer.clone());
                    requests.start(Step::Layer, fetch::draft(&self.target, BlobId(1), layer.clone()));
                }
                None => {
                    let text = format!("{} has no provenance", self.pull.reference);
                    requests.notify(Event::Notice { code: "artifact.no_provenance", text });
                }
            }
        }
        if self.pull.want.config
            && let Some(config) = artifact.config_descriptor()
        {
            within(config, limits.config, "config")?;
            let draft = Draft::new(Method::Get, self.target.place.blob(&config.digest))
                .header("accept-encoding", "identity")
                .wants(Wanted::Body { limit: config.size, name: "config" })
                .by(self.target.authority);
            self.config = Some((config.clone(), Vec::new()));
            requests.start(Step::Config, draft);
        }
        Ok(())
    }

    /// The tag must have the digest that was given with it.
    fn check_tag(&self, actual: &Digest) -> Result<(), Error> {
        match self.pull.reference.digest() {
            Some(expected) if expected.algorithm() == actual.algorithm() && expected != actual => {
                let tag = self.tag.as_deref().unwrap_or_default();
                Err(Error::new(
                    Code::TAG_MISMATCH,
                    format!("the tag {tag} has the digest {actual}, and not {expected}"),
                )
                .with("expected", expected)
                .with("actual", actual))
            }
            _ => Ok(()),
        }
    }

    fn unchecked(&self, why: &Error, requests: &mut Requests<Step>) {
        let text = format!("whether the tag has the given digest could not be found out: {}", why.message());
        requests.notify(Event::Notice { code: "registry.tag_unchecked", text });
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let served = self.served.take()?;
        Some(Outcome::Pulled(Pulled {
            reference: Reference::new(
                self.pull.reference.base().clone(),
                self.tag.clone(),
                self.pull.reference.digest().cloned(),
            ),
            version: self.tag.as_deref().map(tag::to_version),
            digest: served.digest,
            manifest: served.bytes,
            media_type: served.media_type,
            config: self.config.take().map(|(_, bytes)| bytes),
            chart: self.chart.take(),
            provenance: self.provenance.take(),
        }))
    }
}

impl Operation for Pulling {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let limits = requests.limits();
        if self.pull.verify {
            let message = format!("{}: signatures cannot be verified yet", self.pull.reference);
            return Err(Error::new(Code::PROVENANCE_UNVERIFIED, message));
        }
        match choose(&self.pull.reference, self.pull.version.as_deref(), self.pull.devel)? {
            Selection::Digest { digest, tag } => {
                if self.pull.check_tag
                    && let Some(tag) = &tag
                {
                    requests.start(Step::Check(Method::Head), self.manifest(Method::Head, tag, &limits));
                }
                requests.start(Step::Manifest, self.manifest(Method::Get, digest.as_str(), &limits));
                self.tag = tag;
            }
            Selection::Tag(tag) => {
                requests.start(Step::Manifest, self.manifest(Method::Get, &tag, &limits));
                self.tag = Some(tag);
            }
            Selection::Range(range) => {
                requests.start(Step::Tags, self.search.begin(range, &self.target, &limits));
            }
        }
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let limits = requests.limits();
        match (step, reply.status) {
            (Step::Tags, _) => match self.search.take(&self.target, &reply, requests.session().config())? {
                Searched::Page(next) => requests.start(Step::Tags, *next),
                Searched::Tag(tag) => {
                    requests.start(Step::Manifest, self.manifest(Method::Get, &tag, &limits));
                    self.tag = Some(tag);
                }
            },
            (Step::Check(method), 200) => {
                let given = self.pull.reference.digest().map(Digest::algorithm);
                let named = manifests::named_digest(&reply.headers).filter(|named| Some(named.algorithm()) == given);
                match (method, named, given) {
                    (_, Some(named), _) => self.check_tag(&named)?,
                    (Method::Get, None, Some(algorithm)) => self.check_tag(&Digest::with(algorithm, &reply.body))?,
                    _ => {
                        let tag = self.tag.clone().unwrap_or_default();
                        requests.start(Step::Check(Method::Get), self.manifest(Method::Get, &tag, &limits));
                    }
                }
            }
            (Step::Check(_), 404) => {
                let tag = self.tag.as_deref().unwrap_or_default();
                let text = format!("there is no tag {tag}: what is pulled is what has the given digest");
                requests.notify(Event::Notice { code: "registry.tag_unchecked", text });
            }
            (Step::Check(_), _) => self.unchecked(&refusal(&reply, About::Manifest), requests),
            (Step::Manifest, 200) => {
                let served = manifests::read(reply, self.pull.reference.digest(), &limits)?;
                if self.wants_parts() {
                    self.go_on(&served.artifact(&limits)?, requests)?;
                }
                self.served = Some(served);
            }
            (Step::Child(index), 200) => {
                let digest = self.listed.get(index).map(|child| &child.digest);
                // What cannot be read is no chart.
                self.children.extend(manifests::read(reply, digest, &limits)?.artifact(&limits).ok());
                if requests.steps.values().all(|step| !matches!(step, Step::Child(_))) {
                    self.pick_child(requests)?;
                }
            }
            (Step::Manifest | Step::Child(_), _) => return Err(refusal(&reply, About::Manifest)),
            (Step::Layer, 200 | 206) => {}
            (Step::Config, 200) => {
                if let Some((descriptor, bytes)) = &mut self.config {
                    verify(descriptor, &reply)?;
                    *bytes = reply.body;
                }
            }
            (Step::Layer | Step::Config, _) => return Err(refusal(&reply, About::Blob)),
        }
        Ok(if requests.is_done() { self.outcome() } else { None })
    }

    fn failed(&mut self, step: Step, failed: Failed, requests: &mut Requests<Step>) -> Result<(), Error> {
        match step {
            Step::Check(_) if !requests.is_done() => {
                self.unchecked(&failed.error, requests);
                Ok(())
            }
            _ => Err(failed.error),
        }
    }
}

pub(super) fn within(descriptor: &Descriptor, limit: u64, name: &'static str) -> Result<(), Error> {
    if descriptor.size <= limit {
        return Ok(());
    }
    Err(Error::new(Code::LIMIT_BLOB, format!("{} has {} bytes", descriptor.digest, descriptor.size))
        .with("limit", name)
        .with("size", descriptor.size))
}

/// The config is small and held by the core: it is checked here.
fn verify(descriptor: &Descriptor, reply: &Reply) -> Result<(), Error> {
    let actual = Digest::with(descriptor.digest.algorithm(), &reply.body);
    let error = if reply.body.len() as u64 != descriptor.size {
        let message =
            format!("{} of the {} bytes of {} were sent", reply.body.len(), descriptor.size, descriptor.digest);
        Error::new(Code::SIZE_MISMATCH, message).with("expected", descriptor.size).with("actual", reply.body.len())
    } else if actual != descriptor.digest {
        let message = format!("{actual} was sent in place of {}", descriptor.digest);
        Error::new(Code::DIGEST_MISMATCH, message).with("expected", &descriptor.digest).with("actual", actual)
    } else {
        return Ok(());
    };
    Err(error.with("url", reply.url.without_query()))
}
