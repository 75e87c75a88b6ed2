//! Copy: what lies at a reference, to another, with its bytes unchanged. Within a registry blobs are mounted; across
//! registries the host streams each from a [`fetch`](super::Exchange::fetch_part) into the upload. Manifests follow the
//! blobs, those that an index lists before the index, and the one that gets the tag comes last.

use super::calls::{Calls, Draft, Failed, Reply};
use super::errcode::{About, receipt, refusal};
use super::fetch;
use super::list::{self, List, listed};
use super::manifests::{self, Served, misses_blobs, named_digest, selected};
use super::place::Place;
use super::pull::within;
use super::push::{Source, Upload, Uploaded};
use super::referrers::Search;
use super::upload::{self, Uploads, check_same};
use super::{Event, Operation, Outcome, Requests, Session, Target};
use crate::artifact::Artifact;
use crate::auth::{Origin, Scope};
use crate::error::{Code, Error};
use crate::http::{BlobId, Method, Payload};
use crate::oci::{Descriptor, Digest, Reference, Repository};

/// Manifests that are copied at once.
const MOST_MANIFESTS: usize = 1_024;
/// Bytes of manifests that are held until they are written.
const MOST_BYTES: usize = 32 << 20;
/// Blobs that are copied at once: for each the target is asked to open an upload.
const MOST_BLOBS: usize = 10_000;
/// Referrers of referrers of …
const MOST_GENERATIONS: u32 = 4;

/// What to copy. Plain data.
#[derive(Clone, Debug)]
pub struct Copy {
    /// From where: a tag or a digest.
    pub source: Reference,
    /// Where to: a tag, or the source's digest.
    pub target: Reference,
    /// What refers to it as well: signatures, attestations.
    pub referrers: bool,
    /// A chart of Helm 3.0 to 3.6 is not copied but fetched ([`Outcome::Fetched`]), to be pushed as today's Helm would.
    pub upgrade: bool,
}

/// What was copied.
///
/// ```
/// use chartoci::exchange::{Config, Copied, Copy, Exchange, Outcome, Output, Session};
/// use chartoci::{Digest, Reference, http::ResponseHead, time::Instant};
/// let (source, target) = (Reference::parse("a.example/web:1.0.0")?, Reference::parse("b.example/web:1.0.0")?);
/// let copy = Copy { source, target, referrers: false, upgrade: false };
/// let mut exchange = Exchange::copy(&Session::new(Config::default()), copy);
///
/// let index = br#"{"schemaVersion":2,"manifests":[]}"#;
/// for expected in ["GET https://a.example/v2/web/manifests/1.0.0", "PUT https://b.example/v2/web/manifests/1.0.0"] {
///     let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
///     assert_eq!(format!("{} {}", request.method.as_str(), request.url), expected);
///     let headers = [("content-type", "application/vnd.oci.image.index.v1+json")].into_iter().collect();
///     let status = if expected.starts_with("GET") { 200 } else { 201 };
///     let mut receiver = exchange.handle_response(request.id, ResponseHead { status, headers, url: None });
///     receiver.write(if status == 200 { index } else { b"" });
///     exchange.handle_end(request.id, receiver);
/// }
/// let Output::Done(Ok(Outcome::Copied(copied))) = exchange.poll(Instant::default()) else { panic!() };
/// let Copied { reference, digest, .. } = copied;
/// assert_eq!((reference.registry(), digest), ("b.example", Digest::of(index)));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Copied {
    /// Where it is now.
    pub reference: Reference,
    /// Of the manifest: the source's.
    pub digest: Digest,
    /// Of manifests and blobs, in bytes.
    pub size: u64,
    /// What became of each blob; none within one repository.
    pub blobs: Vec<(Descriptor, Uploaded)>,
    /// The manifests that refer to it and were copied, too.
    pub referrers: Vec<Digest>,
}

/// A manifest on its way.
struct Node {
    digest: Option<Digest>,
    served: Option<Served>,
    /// Manifests that it lists.
    children: Vec<usize>,
    /// How deep it lies in indexes, and in referrers of referrers.
    level: u32,
    generation: u32,
    placed: bool,
}

/// Copies manifests and blobs.
pub(super) struct Copying {
    copy: Copy,
    source: Target,
    target: Target,
    /// Source and target are one repository: all blobs are there.
    at_home: bool,
    nodes: Vec<Node>,
    searches: Vec<Option<Search>>,
    referrers: Vec<usize>,
    uploads: Uploads,
    reading: usize,
    /// Bytes of the manifests that were read.
    bytes: usize,
    /// The manifests to be written, in order; how many were; one is under way.
    order: Vec<usize>,
    written: usize,
    writing: bool,
    /// Lists of referrers, where the target has no API for them.
    lists: Vec<List>,
    /// The chart, where it is to be pushed anew.
    outdated: Option<Descriptor>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// GET of a manifest at the source.
    Manifest(usize),
    /// GET of the chart, which is to be pushed anew.
    Chart,
    /// A page of a manifest's referrers at the source.
    Page(usize),
    /// A blob on its way.
    Blob(upload::Step),
    /// PUT of a manifest under its digest.
    Put(usize),
    /// Where the target has no API for referrers, a list of them.
    List(usize, list::Step),
    /// PUT of the first manifest to where it is to be.
    Tag,
}

impl Copying {
    pub(super) fn new(session: &Session, copy: Copy, calls: &mut Calls) -> Result<Copying, Error> {
        for (reference, what) in [(&copy.source, "source"), (&copy.target, "target")] {
            if selected(reference).is_none() {
                let message = format!("the {what} of a copy, {reference}, has neither a tag nor a digest");
                return Err(Error::new(Code::ARGUMENT, message).with_hint("Write REGISTRY/REPOSITORY:TAG."));
            }
        }
        let from = Place::new(session, copy.source.base())?;
        let to = Place::new(session, copy.target.base())?;
        let (pull, push) = (Scope::pull(copy.source.repository()), Scope::push(copy.target.repository()));
        let same_origin = Origin::of(from.base()) == Origin::of(to.base());
        let at_home = same_origin && copy.source.repository() == copy.target.repository();
        let target = calls.authority(&to, push, Some(pull.clone()).filter(|_| same_origin && !at_home));
        // Each side is asked by its own credential. The mounts are the target's, who wants to read the source as well.
        let source = if at_home { target } else { calls.authority(&from, pull, None) };
        let source = Target { place: from, authority: source };
        let target = Target { place: to, authority: target };
        Ok(Copying {
            uploads: Uploads::from(&target, 0),
            copy,
            source,
            target,
            at_home,
            nodes: Vec::new(),
            searches: Vec::new(),
            referrers: Vec::new(),
            reading: 0,
            bytes: 0,
            order: Vec::new(),
            written: 0,
            writing: false,
            lists: Vec::new(),
            outdated: None,
        })
    }

    /// A manifest that is to be copied; the number of the one that is known already.
    fn add(
        &mut self,
        digest: Option<Digest>,
        (level, generation): (u32, u32),
        requests: &mut Requests<Step>,
    ) -> Result<usize, Error> {
        if let Some(known) = self.nodes.iter().position(|node| digest.is_some() && node.digest == digest) {
            return Ok(known);
        }
        let limits = requests.limits();
        if level > limits.nesting {
            return Err(Error::new(Code::LIMIT_NESTING, "indexes list indexes too deep").with("limit", "nesting"));
        }
        if self.nodes.len() >= MOST_MANIFESTS {
            return Err(too_many(MOST_MANIFESTS, "manifests"));
        }
        let reference = match &digest {
            Some(digest) => digest.to_string(),
            None => selected(&self.copy.source).unwrap_or_default(),
        };
        let number = self.nodes.len();
        let draft = manifests::draft(Method::Get, &self.source.place, &reference, &limits);
        requests.start(Step::Manifest(number), draft.by(self.source.authority));
        self.reading += 1;
        self.nodes.push(Node { digest, served: None, children: Vec::new(), level, generation, placed: false });
        Ok(number)
    }

    /// A manifest is here: what it names follows.
    fn read(&mut self, number: usize, reply: Reply, requests: &mut Requests<Step>) -> Result<(), Error> {
        let limits = requests.limits();
        let Some(node) = self.nodes.get_mut(number) else { return Ok(()) };
        let served = manifests::read(reply, node.digest.as_ref(), &limits)?;
        self.bytes = self.bytes.saturating_add(served.bytes.len());
        if self.bytes > MOST_BYTES {
            return Err(too_many(MOST_BYTES, "bytes of manifests"));
        }
        let artifact = served.artifact(&limits)?;
        node.digest = Some(served.digest.clone());
        let (level, generation, digest) = (node.level, node.generation, served.digest.clone());
        node.served = Some(served);
        if let Some(chart) = artifact.chart_layer().filter(|_| self.copy.upgrade && number == 0 && artifact.is_legacy())
        {
            within(chart, limits.archive, "archive")?;
            requests.start(Step::Chart, fetch::draft(&self.source, BlobId(0), chart.clone()));
            self.outdated = Some(chart.clone());
            self.reading += 1;
            return Ok(());
        }
        for entry in artifact.manifests() {
            let child = self.add(Some(entry.digest.clone()), (level + 1, generation), requests)?;
            if let Some(node) = self.nodes.get_mut(number) {
                node.children.push(child);
            }
        }
        if !self.at_home {
            self.upload(&artifact)?;
            self.uploads.begin(requests.calls);
        }
        if self.copy.referrers && level == 0 && generation < MOST_GENERATIONS {
            let mut search = Search::new(digest, None);
            requests.start(Step::Page(self.searches.len()), search.first(&self.source, &requests.session()));
            self.searches.push(Some(search));
            self.reading += 1;
        }
        Ok(())
    }

    fn upload(&mut self, artifact: &Artifact) -> Result<(), Error> {
        let same_origin = Origin::of(self.source.place.base()) == Origin::of(self.target.place.base());
        let from = if same_origin { self.copy.source.repository() } else { self.copy.target.repository() };
        for descriptor in artifact.config_descriptor().into_iter().chain(artifact.layers()) {
            // Registries do not hold what may not be distributed.
            let elsewhere =
                descriptor.media_type.contains(".nondistributable.") || descriptor.media_type.contains(".foreign.");
            if !elsewhere && !self.uploads.holds(&descriptor.digest) {
                if self.uploads.count() >= MOST_BLOBS {
                    return Err(too_many(MOST_BLOBS, "blobs"));
                }
                let source = Source::Registry(self.copy.source.base().clone());
                self.uploads.add(&Upload { descriptor: descriptor.clone(), source }, from);
            }
        }
        Ok(())
    }

    /// A page of referrers is here.
    fn search(&mut self, number: usize, reply: Reply, requests: &mut Requests<Step>) -> Result<(), Error> {
        let Some(search) = self.searches.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
        if let Some(next) = search.take(&self.source, reply, &requests.session())? {
            requests.start(Step::Page(number), next);
            return Ok(());
        }
        self.reading -= 1;
        let Some(search) = self.searches.get_mut(number).and_then(Option::take) else { return Ok(()) };
        let subject = self.nodes.iter().find(|node| node.digest.as_ref() == Some(search.subject()));
        let generation = subject.map_or(0, |node| node.generation) + 1;
        for referrer in search.into_found() {
            let known = self.nodes.len();
            let node = self.add(Some(referrer.descriptor.digest), (0, generation), requests)?;
            if node == known {
                self.referrers.push(node);
            }
        }
        Ok(())
    }

    /// What a manifest lists stands before it.
    fn place(&mut self, number: usize) {
        let Some(node) = self.nodes.get_mut(number).filter(|node| !node.placed) else { return };
        node.placed = true;
        for child in node.children.clone() {
            self.place(child);
        }
        self.order.push(number);
    }

    fn put(&self, step: Step, reference: &str, served: &Served, requests: &mut Requests<Step>) {
        let draft = Draft::new(Method::Put, self.target.place.manifest(reference))
            .payload(&served.media_type, Payload::Bytes(served.bytes.as_slice().into()))
            .by(self.target.authority);
        requests.start(step, draft);
    }

    /// The next step, when everything before it is done.
    fn go_on(&mut self, requests: &mut Requests<Step>) {
        for (step, draft) in self.uploads.take_ready() {
            requests.start(Step::Blob(step), draft);
        }
        if self.reading > 0 || self.writing || !self.uploads.is_complete() {
            return;
        }
        if self.order.is_empty() {
            self.place(0);
            for number in self.referrers.clone() {
                self.place(number);
            }
            // The tag comes last. Without referrers there is no need for the manifest before that.
            if self.referrers.is_empty() {
                self.order.retain(|number| *number != 0);
            }
        }
        self.writing = true;
        if let Some(number) = self.order.get(self.written).copied() {
            if let Some((digest, served)) =
                self.nodes.get(number).and_then(|node| node.digest.as_ref().zip(node.served.as_ref()))
            {
                self.put(Step::Put(number), digest.as_str(), served, requests);
            }
        } else if let Some(list) = self.written.checked_sub(self.order.len()).and_then(|number| self.lists.get(number))
        {
            let number = self.written - self.order.len();
            // The claim on the last of them stays until the tag is written: while distribution writes a manifest once more, it
            // finds it in no list (400 DIGEST_INVALID).
            requests.calls.release();
            let Some((step, draft)) = list.begin(&self.target, &requests.session()) else {
                self.written += 1;
                self.writing = false;
                return self.go_on(requests);
            };
            requests.start(Step::List(number, step), draft);
        } else if let Some(served) = self.nodes.first().and_then(|node| node.served.as_ref()) {
            self.put(Step::Tag, &selected(&self.copy.target).unwrap_or_default(), served, requests);
        }
    }

    /// A manifest was taken. Where the registry does not say that it has put it on the list of its subject, or says so and
    /// has no API (Amazon's), we do.
    fn taken(&mut self, number: usize, reply: &Reply, session: &Session) -> Result<(), Error> {
        let Some(served) = self.nodes.get(number).and_then(|node| node.served.as_ref()) else { return Ok(()) };
        receipt(reply)?;
        if let Some(named) = named_digest(&reply.headers) {
            check_same(reply, &Digest::with(named.algorithm(), &served.bytes), &named)?;
        }
        let is_promised = reply.headers.get("oci-subject").is_some();
        let has_api = session.host(&Origin::of(self.target.place.base()), |host| host.has_referrers);
        if is_promised && has_api == Some(true) {
            return Ok(());
        }
        let Some((subject, entry)) = listed(served) else { return Ok(()) };
        match self.lists.iter_mut().find(|list| *list.subject() == subject) {
            Some(list) => list.add(entry, is_promised),
            None => self.lists.push(List::with(subject, entry, is_promised)),
        }
        Ok(())
    }

    fn copied(&mut self) -> Option<Outcome> {
        let served = self.nodes.first()?.served.clone()?;
        let blobs: Vec<_> = self.uploads.uploaded().collect();
        let manifests =
            self.nodes.iter().filter_map(|node| node.served.as_ref()).map(|served| served.bytes.len() as u64);
        let size = manifests.chain(blobs.iter().map(|(descriptor, _)| descriptor.size)).fold(0, u64::saturating_add);
        let referrers = self.referrers.iter().filter_map(|number| self.nodes.get(*number)?.digest.clone()).collect();
        let (reference, digest) = (self.copy.target.clone(), served.digest);
        Some(Outcome::Copied(Copied { reference, digest, size, blobs, referrers }))
    }
}

fn too_many(most: usize, what: &'static str) -> Error {
    Error::new(Code::LIMIT_COPY, format!("there are more than {most} {what} to be copied")).with("limit", what)
}

impl Operation for Copying {
    type Step = Step;

    fn begin(&mut self, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        let digest = self.copy.source.digest().cloned();
        self.add(digest, (0, 0), requests)?;
        Ok(None)
    }

    fn reply(&mut self, step: Step, reply: Reply, requests: &mut Requests<Step>) -> Result<Option<Outcome>, Error> {
        match (step, reply.status) {
            (Step::Manifest(number), 200) => {
                self.reading -= 1;
                self.read(number, reply, requests)?;
            }
            // Deleted, and still on a list. Nothing else that is copied has it.
            (Step::Manifest(number), 404)
                if self.referrers.contains(&number) && !self.nodes.iter().any(|it| it.children.contains(&number)) =>
            {
                self.reading -= 1;
                self.referrers.retain(|known| *known != number);
                if let Some(digest) = self.nodes.get_mut(number).and_then(|node| node.digest.take()) {
                    let text = format!("{digest} is listed as a referrer, and is not there");
                    requests.notify(Event::Notice { code: "registry.referrer_gone", text });
                }
            }
            (Step::Chart, 200 | 206) => return Ok(self.outdated.take().map(Outcome::Fetched)),
            (Step::Chart, _) => return Err(refusal(&reply, About::Blob)),
            (Step::Page(number), _) => self.search(number, reply, requests)?,
            (Step::Blob(step), _) => {
                self.uploads.reply(step, &reply, requests.calls)?;
            }
            (Step::Put(number), 200 | 201 | 202 | 204) => {
                self.taken(number, &reply, &requests.session())?;
                self.written += 1;
                self.writing = false;
            }
            (Step::Tag, 200 | 201 | 202 | 204) => {
                let lists = self.lists.len();
                self.taken(0, &reply, &requests.session())?;
                if self.lists.len() == lists {
                    return Ok(self.copied());
                }
                // The manifest is itself a referrer, and was not on a list before. The tag is written once more after it.
                self.writing = false;
            }
            (Step::Put(_) | Step::Tag, 400..=499) if misses_blobs(&reply) && self.uploads.insist(requests.calls) => {
                self.writing = false;
            }
            (Step::List(number, step), _) => {
                let Some(list) = self.lists.get_mut(number) else { return Ok(None) };
                match list.reply(step, reply, &self.target, &requests.session())? {
                    Some((step, draft)) => {
                        requests.start(Step::List(number, step), draft);
                        return Ok(None);
                    }
                    None => {
                        self.written += 1;
                        self.writing = false;
                    }
                }
            }
            _ => return Err(refusal(&reply, About::Manifest)),
        }
        self.go_on(requests);
        Ok(None)
    }

    fn failed(&mut self, step: Step, failed: Failed, requests: &mut Requests<Step>) -> Result<(), Error> {
        match step {
            Step::Blob(step) => {
                self.uploads.failed(step, failed, requests.calls)?;
                self.go_on(requests);
                Ok(())
            }
            _ => Err(failed.error),
        }
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
