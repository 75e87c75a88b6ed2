//! Uploads: blobs into one repository, side by side (distribution-spec, "Pushing Blobs").
//!
//! ```text
//!   POST ?mount= ── 201 ───────────────────────────────────────────────▶ there
//!      └── 202 ▶ session ── PUT of the whole ── 201 ────────────────────▶ there
//!                   │            └── 413 ▶ a new session, in pieces
//!                   └── PATCH ▶ PATCH ▶ … ▶ PUT of nothing ── 201 ──────▶ there
//!                         └── broken, 416 ▶ GET: how far? ▶ PATCH from there
//!   POST ?digest=, with the blob ── 201 ────────────────────────────────▶ there
//!      └── 202 ▶ session
//! ```

use std::collections::BTreeSet;

use super::calls::{AuthorityId, Calls, Draft, Failed, Reply};
use super::errcode::{About, errors, receipt, refusal};
use super::manifests::named_digest;
use super::place::Place;
use super::push::{Source, Upload, Uploaded};
use super::{Event, Target};
use crate::auth::Origin;
use crate::auth::origin::without_secrets;
use crate::error::{Code, Error, clip};
use crate::http::url::{Scheme, Url};
use crate::http::{BlobId, Method, Payload};
use crate::oci::media_type::OCTET_STREAM;
use crate::oci::{Descriptor, Digest, Repository};
use crate::time::Duration;

/// Blobs up to this size may go with the POST that opens a session: what a registry throws away of them is little.
const SMALL: u64 = 64 << 10;
/// Pieces that are tried, the biggest first: GitHub's registry takes 4 MiB, nginx 1 MiB unless told otherwise.
const PIECES: [u64; 4] = [4 << 20, 1 << 20, 256 << 10, 64 << 10];
/// Requests that one blob makes at most of pieces smaller than those: a word too many of a registry's is no reason for more.
const MOST_PIECES: u64 = 256;
/// Amazon's registry takes no smaller piece, save the last.
const LEAST_OF_ECR: u64 = 5 << 20;

/// What a call of an upload is for; the number is the blob's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// POST: a session, or the blob out of a repository of the registry.
    Open { index: usize, mount: bool },
    /// POST with the whole blob.
    Single(usize),
    /// PUT of the whole blob.
    Send(usize),
    /// PATCH of a piece.
    Piece(usize),
    /// GET: how much has arrived?
    Status(usize),
    /// PUT of nothing, after the last piece.
    Close(usize),
    /// DELETE of a session that was given up.
    Drop,
}

struct Blob {
    descriptor: Descriptor,
    source: Source,
    /// The repository that it can be mounted from.
    from: String,
    uploaded: Option<Uploaded>,
    /// Upload sessions that were begun.
    sessions: u32,
    /// The registry said that it has it, and then that it has not: no more mounts.
    insisted: bool,
    /// Its mount was refused.
    refused: bool,
    /// The session that is open.
    location: Option<Url>,
    /// What the session has of it, and what is under way.
    sent: u64,
    under_way: u64,
    /// The furthest that the session has got: what it takes again is no progress.
    furthest: u64,
    /// The smallest piece that the session takes, save the last.
    least: u64,
    /// Times that the session was asked how far it is, since it last got further.
    stalls: u32,
}

/// The blobs of one repository on their way.
pub(super) struct Uploads {
    place: Place,
    authority: AuthorityId,
    blobs: Vec<Blob>,
    digests: BTreeSet<String>,
    /// The number by which the host knows the first of them.
    first: usize,
    /// So many of the blobs were begun with.
    begun: usize,
    ready: Vec<(Step, Draft)>,
}

impl Uploads {
    /// The host knows the first of them by that number; those that have a smaller one are added last.
    pub(super) fn from(target: &Target, first: usize) -> Uploads {
        let (place, authority) = (target.place.clone(), target.authority);
        Uploads { place, authority, blobs: Vec::new(), digests: BTreeSet::new(), first, begun: 0, ready: Vec::new() }
    }

    /// Adds a blob; what is named twice is sent once. `from` is the repository of the same registry where it may be already.
    pub(super) fn add(&mut self, upload: &Upload, from: &str) {
        let new = self.digests.insert(upload.descriptor.digest.to_string());
        self.blobs.push(Blob {
            descriptor: upload.descriptor.clone(),
            source: upload.source.clone(),
            from: from.to_owned(),
            uploaded: (!new).then_some(Uploaded::Existed),
            sessions: 0,
            insisted: false,
            refused: false,
            location: None,
            sent: 0,
            under_way: 0,
            furthest: 0,
            least: 0,
            stalls: 0,
        });
    }

    /// Calls to be started.
    pub(super) fn take_ready(&mut self) -> Vec<(Step, Draft)> {
        std::mem::take(&mut self.ready)
    }

    /// What has become of each blob.
    pub(super) fn uploaded(&self) -> impl Iterator<Item = (Descriptor, Uploaded)> {
        let (first, last) = self.blobs.split_at(self.blobs.len().saturating_sub(self.first));
        let blobs = last.iter().chain(first);
        blobs.map(|blob| (blob.descriptor.clone(), blob.uploaded.unwrap_or(Uploaded::Existed)))
    }

    /// A blob of that digest is among them.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        self.digests.contains(digest.as_str())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.blobs.len()
    }

    /// The repository and the descriptor of a blob that is not at the host's but in a registry.
    pub(super) fn source(&self, blob: BlobId) -> Option<(Repository, Descriptor)> {
        let blob = self.blobs.get((blob.0 as usize).checked_sub(self.first)?)?;
        match &blob.source {
            Source::Registry(repository) => Some((repository.clone(), blob.descriptor.clone())),
            Source::Bytes(_) | Source::Host => None,
        }
    }

    /// Begins with the blobs that were added. True: they are there already, all of them.
    pub(super) fn begin(&mut self, calls: &mut Calls) -> bool {
        for index in std::mem::replace(&mut self.begun, self.blobs.len())..self.blobs.len() {
            if self.blobs[index].uploaded.is_none() {
                self.open(index, None, calls);
            }
        }
        self.is_complete()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.blobs.iter().all(|blob| blob.uploaded.is_some())
    }

    /// The registry misses blobs that it said to have: they are sent for real, once.
    pub(super) fn insist(&mut self, calls: &mut Calls) -> bool {
        let mut any = false;
        for index in 0..self.blobs.len() {
            let blob = &mut self.blobs[index];
            if blob.uploaded == Some(Uploaded::Mounted) && !blob.insisted {
                (blob.uploaded, blob.insisted, any) = (None, true, true);
                self.open(index, None, calls);
            }
        }
        any
    }

    /// Gives up: sessions that are open are to be dropped, for politeness.
    pub(super) fn give_up(&mut self) {
        self.ready.clear();
        for index in 0..self.blobs.len() {
            self.drop_session(index);
        }
    }

    fn origin(&self) -> Origin {
        Origin::of(self.place.base())
    }

    /// Begins an upload session, after a pause if the last one came to nothing.
    fn open(&mut self, index: usize, pause: Option<(Duration, &str)>, calls: &mut Calls) {
        let settled = calls.is_settled(self.authority);
        let blob = &mut self.blobs[index];
        let digest = &blob.descriptor.digest;
        let (refuses, single, known, most) = calls.session().host(&Origin::of(self.place.base()), |host| {
            (host.refuses_mounts, host.takes_blobs, host.has_taken(digest), host.piece.unwrap_or(SMALL).min(SMALL))
        });
        blob.sessions += 1;
        let fits = blob.descriptor.size <= most && matches!(blob.source, Source::Bytes(_) | Source::Host);
        // A blob that the registry is likely to have is not sent just to find out.
        if fits && settled && !known && blob.sessions == 1 && !blob.insisted && single != Some(false) {
            let url = self.place.uploads().with_query("digest", digest.as_str());
            let payload = self.payload(index, 0, self.blobs[index].descriptor.size);
            let draft =
                Draft::new(Method::Post, url).payload(OCTET_STREAM, payload).by(self.authority).thinking().once(0);
            self.ready.push((Step::Single(index), draft));
            return;
        }
        let mount = !refuses && !blob.insisted;
        self.post(index, mount, pause);
    }

    fn post(&mut self, index: usize, mount: bool, pause: Option<(Duration, &str)>) {
        let blob = &self.blobs[index];
        let place = &self.place;
        let url = if mount { place.mount(&blob.descriptor.digest, &blob.from) } else { place.uploads() };
        let draft = Draft::new(Method::Post, url).by(self.authority);
        let draft = if mount { draft.dispensable() } else { draft };
        let draft = match pause {
            Some((pause, why)) => draft.after(pause, why),
            None => draft,
        };
        self.ready.push((Step::Open { index, mount }, draft));
    }

    fn payload(&self, index: usize, start: u64, end: u64) -> Payload {
        let slice = |bytes: &[u8]| bytes.get(start as usize..end as usize).map(std::sync::Arc::from);
        match &self.blobs[index].source {
            Source::Bytes(bytes) if start == 0 && end == bytes.len() as u64 => Payload::Bytes(bytes.clone()),
            Source::Bytes(bytes) => slice(bytes).map_or(Payload::Empty, Payload::Bytes),
            Source::Host | Source::Registry(_) => {
                Payload::Blob { blob: BlobId(u32::try_from(self.first + index).unwrap_or(u32::MAX)), range: start..end }
            }
        }
    }

    /// A session is open: the whole goes into it, or pieces where the host is known to refuse so much at once.
    fn send(&mut self, index: usize, opened: &Reply, calls: &mut Calls) -> Result<(), Error> {
        let url = upload_url(opened, calls.session().config().transport.all_headers)?;
        let number = |name| opened.headers.get(name).and_then(|text| text.trim().parse::<u64>().ok());
        let most = number("oci-chunk-max-length").filter(|most| *most > 0);
        let limit = calls.session().host(&self.origin(), |host| {
            host.piece = host.piece.into_iter().chain(most).min();
            host.piece
        });
        let ecr = url.host().ends_with(".amazonaws.com") && url.host().contains(".dkr.ecr.");
        let blob = &mut self.blobs[index];
        blob.least = number("oci-chunk-min-length").unwrap_or(0).max(if ecr { LEAST_OF_ECR } else { 0 });
        (blob.sent, blob.furthest, blob.stalls) = (0, 0, 0);
        blob.location = Some(url.clone());
        let size = blob.descriptor.size;
        if let Some(limit) = limit.filter(|limit| size > *limit) {
            let piece = limit.max(blob.least).max(1);
            if PIECES.iter().all(|usual| piece < *usual) && size.div_ceil(piece) > MOST_PIECES {
                let pieces = size.div_ceil(piece);
                let message = format!("the registry wants a blob of {size} bytes in {pieces} pieces");
                return Err(Error::new(Code::REGISTRY_TOO_LARGE, message)
                    .with("method", "POST")
                    .with("url", opened.url.without_query())
                    .with("digest", &blob.descriptor.digest)
                    .with("size", size)
                    .with_hint("Check the registry: it says so with OCI-Chunk-Max-Length."));
            }
            self.piece(index, calls);
            return Ok(());
        }
        let draft = Draft::new(Method::Put, url.with_query("digest", blob.descriptor.digest.as_str()))
            .payload(OCTET_STREAM, self.payload(index, 0, size))
            .by(self.authority)
            .thinking()
            .once(self.blobs[index].sessions.saturating_sub(1));
        self.ready.push((Step::Send(index), draft));
        Ok(())
    }

    /// The next piece, or the end.
    fn piece(&mut self, index: usize, calls: &mut Calls) {
        let most = calls.session().host(&self.origin(), |host| host.piece);
        let blob = &mut self.blobs[index];
        let Some(location) = blob.location.clone() else { return };
        let (start, size) = (blob.sent, blob.descriptor.size);
        if start >= size {
            let draft = Draft::new(Method::Put, location.with_query("digest", blob.descriptor.digest.as_str()))
                .payload(OCTET_STREAM, Payload::Empty)
                .by(self.authority)
                .thinking()
                .once(blob.sessions.saturating_sub(1));
            self.ready.push((Step::Close(index), draft));
            return;
        }
        let length = most.unwrap_or(PIECES[0]).max(blob.least).max(1);
        let end = start.saturating_add(length).min(size);
        blob.under_way = end - start;
        let draft = Draft::new(Method::Patch, location)
            .header("content-range", &format!("{start}-{}", end - 1))
            .payload(OCTET_STREAM, self.payload(index, start, end))
            .by(self.authority)
            .thinking()
            .once(self.blobs[index].stalls);
        self.ready.push((Step::Piece(index), draft));
    }

    /// Asks the session how much it has, unless it was asked often enough: then another begins.
    fn ask(&mut self, index: usize, pause: Option<Duration>, why: &Error, calls: &mut Calls) -> Result<(), Error> {
        let blob = &mut self.blobs[index];
        blob.stalls += 1;
        let Some(location) = blob.location.clone() else { return Err(why.clone()) };
        let Some(pause) = pause.or_else(|| calls.pause(blob.stalls)) else {
            return self.restart(index, why, calls);
        };
        let draft = Draft::new(Method::Get, location).by(self.authority).after(pause, why.message()).once(blob.stalls);
        self.ready.push((Step::Status(index), draft));
        Ok(())
    }

    /// Begins with a new session, if there were not too many.
    fn restart(&mut self, index: usize, why: &Error, calls: &mut Calls) -> Result<(), Error> {
        let Some(pause) = calls.pause(self.blobs[index].sessions) else { return Err(why.clone()) };
        self.begin_anew(index, pause, why.message(), calls);
        Ok(())
    }

    fn begin_anew(&mut self, index: usize, pause: Duration, why: &str, calls: &mut Calls) {
        self.drop_session(index);
        self.open(index, Some((pause, why)), calls);
    }

    /// A session that is of no more use is dropped. Its answer does not matter, and credentials stay at home.
    fn drop_session(&mut self, index: usize) {
        let Some(location) = self.blobs[index].location.take() else { return };
        if Origin::of(&location) == self.origin() {
            let draft = Draft::new(Method::Delete, location).by(self.authority).regardless();
            self.ready.push((Step::Drop, draft));
        }
    }

    /// So much at once is refused: smaller pieces, as long as there are any. False: there are none.
    fn shrink(&mut self, index: usize, calls: &mut Calls) -> bool {
        let blob = &self.blobs[index];
        let refused = if blob.under_way > 0 { blob.under_way } else { blob.descriptor.size };
        // Every step is smaller than what was refused, or else the same would be sent again and again.
        let least = blob.least;
        let Some(piece) = PIECES.into_iter().map(|piece| piece.max(least)).find(|piece| *piece < refused) else {
            return false;
        };
        calls.session().host(&self.origin(), |host| host.piece = Some(host.piece.unwrap_or(piece).min(piece)));
        true
    }

    fn settled(&mut self, index: usize, uploaded: Uploaded, calls: &mut Calls) -> bool {
        let blob = &mut self.blobs[index];
        (blob.uploaded, blob.location) = (Some(uploaded), None);
        let descriptor = blob.descriptor.clone();
        calls.session().host(&Origin::of(self.place.base()), |host| host.take(&descriptor.digest));
        calls.notify(match uploaded {
            Uploaded::Sent => Event::Uploaded(descriptor),
            _ => Event::Exists(descriptor),
        });
        self.is_complete()
    }

    /// A call was answered. True: with that, all blobs are there.
    pub(super) fn reply(&mut self, step: Step, reply: &Reply, calls: &mut Calls) -> Result<bool, Error> {
        match step {
            Step::Drop => Ok(false),
            Step::Open { index, mount } => self.opened(index, mount, reply, calls),
            Step::Single(index) => self.posted(index, reply, calls),
            Step::Send(index) | Step::Close(index) => self.sent(index, matches!(step, Step::Send(_)), reply, calls),
            Step::Piece(index) => self.patched(index, reply, calls).map(|()| false),
            Step::Status(index) => self.told(index, reply, calls).map(|()| false),
        }
    }

    /// The answer to a POST: the blob is there, or a session is open.
    fn opened(&mut self, index: usize, mount: bool, reply: &Reply, calls: &mut Calls) -> Result<bool, Error> {
        match reply.status {
            201 if mount => {
                check_named(reply, &self.blobs[index].descriptor.digest)?;
                return Ok(self.settled(index, Uploaded::Mounted, calls));
            }
            202 => {
                // The plain POST shows that it was the mount that was refused.
                if !mount && self.blobs[index].refused {
                    calls.session().host(&self.origin(), |host| host.refuses_mounts = true);
                }
                self.send(index, reply, calls)?;
            }
            // Whatever a mount is refused with, a plain session tells whether it was the mount. Of who may not read the other
            // repository nothing is learned.
            status if mount => {
                self.blobs[index].refused = matches!(status, 400 | 404..=499 | 501);
                self.post(index, false, None);
            }
            _ => return Err(refusal(reply, About::Upload)),
        }
        Ok(false)
    }

    /// The answer to a POST with the whole.
    fn posted(&mut self, index: usize, reply: &Reply, calls: &mut Calls) -> Result<bool, Error> {
        match reply.status {
            201 => {
                receipt(reply)?;
                check_named(reply, &self.blobs[index].descriptor.digest)?;
                calls.session().host(&self.origin(), |host| host.takes_blobs = Some(true));
                return Ok(self.settled(index, Uploaded::Sent, calls));
            }
            202 => {
                receipt(reply)?;
                calls.session().host(&self.origin(), |host| host.takes_blobs = Some(false));
                self.send(index, reply, calls)?;
            }
            // It may be this way of uploading that is refused; a plain session tells.
            400 | 402 | 404..=499 | 501 => {
                let refuses = calls.session().host(&self.origin(), |host| {
                    host.takes_blobs = Some(false);
                    host.refuses_mounts
                });
                self.post(index, !refuses, None);
            }
            _ => return Err(unfit(reply)),
        }
        Ok(false)
    }

    /// The answer to the last PUT: of the whole, or of nothing after the pieces.
    fn sent(&mut self, index: usize, whole: bool, reply: &Reply, calls: &mut Calls) -> Result<bool, Error> {
        match reply.status {
            200 | 201 | 204 => {
                receipt(reply)?;
                check_named(reply, &self.blobs[index].descriptor.digest)?;
                return Ok(self.settled(index, Uploaded::Sent, calls));
            }
            400 | 413 | 416 if whole && is_too_much(reply) => {
                self.blobs[index].under_way = 0;
                if !self.shrink(index, calls) {
                    return Err(refusal(reply, About::Upload));
                }
                self.begin_anew(index, Duration::ZERO, "the registry takes it in pieces only", calls);
            }
            400 | 404 | 416 if lost_session(reply) => {
                self.blobs[index].location = None;
                self.restart(index, &refusal(reply, About::Upload), calls)?;
            }
            _ => return Err(unfit(reply)),
        }
        Ok(false)
    }

    /// The answer to a piece.
    fn patched(&mut self, index: usize, reply: &Reply, calls: &mut Calls) -> Result<(), Error> {
        match reply.status {
            200..=299 => {
                receipt(reply)?;
                self.advance(index, reply, calls)
            }
            400 | 413 | 416 if is_too_much(reply) => {
                let error = refusal(reply, About::Upload);
                if !self.shrink(index, calls) {
                    return Err(error);
                }
                self.ask(index, Some(Duration::ZERO), &error, calls)
            }
            416 => self.ask(index, None, &refusal(reply, About::Upload), calls),
            400 | 404 if lost_session(reply) => {
                self.blobs[index].location = None;
                self.restart(index, &refusal(reply, About::Upload), calls)
            }
            _ => Err(refusal(reply, About::Upload)),
        }
    }

    /// The answer to the question how much has arrived.
    fn told(&mut self, index: usize, reply: &Reply, calls: &mut Calls) -> Result<(), Error> {
        if !(200..=299).contains(&reply.status) {
            return self.restart(index, &refusal(reply, About::Upload), calls);
        }
        let size = self.blobs[index].descriptor.size;
        self.relocate(index, reply, calls);
        match arrived(reply).unwrap_or(0) {
            // One byte is how nothing is written as well.
            1 if size > 1 => self.blobs[index].sent = 0,
            arrived if arrived <= size => self.reach(index, arrived),
            _ => return self.restart(index, &disagreement(reply), calls),
        }
        self.piece(index, calls);
        Ok(())
    }

    /// No answer could be had: what may pass is tried again, in pieces from where it was, else from the start.
    pub(super) fn failed(&mut self, step: Step, failed: Failed, calls: &mut Calls) -> Result<(), Error> {
        match (step, failed.again) {
            (Step::Drop, _) => Ok(()),
            (Step::Open { index, mount: true }, _) if failed.error.status().is_some_and(|status| status >= 500) => {
                self.post(index, false, None);
                Ok(())
            }
            (Step::Piece(index), Some(pause)) => self.ask(index, Some(pause), &failed.error, calls),
            (Step::Status(index), Some(_)) => self.restart(index, &failed.error, calls),
            // Of a whole that broke off there is nothing to go on from: asked how far it is, distribution 2.8 has given the
            // session up (404), and what broke off does not count for `server`.
            (Step::Single(index) | Step::Send(index) | Step::Close(index), Some(pause)) => {
                self.begin_anew(index, pause, failed.error.message(), calls);
                Ok(())
            }
            _ => Err(failed.error),
        }
    }

    /// A piece was taken. What the registry says to have must be what it was sent.
    fn advance(&mut self, index: usize, reply: &Reply, calls: &mut Calls) -> Result<(), Error> {
        self.relocate(index, reply, calls);
        let blob = &mut self.blobs[index];
        let expected = blob.sent.saturating_add(blob.under_way);
        match arrived(reply) {
            // Some registries count one too many, the digest judges in the end.
            Some(arrived) if arrived != expected && arrived != expected.saturating_add(1) => {
                if arrived > expected {
                    return self.restart(index, &disagreement(reply), calls);
                }
                // Amazon's registry tells of the piece before; asked at once, a session knows better.
                let pause = (blob.stalls == 0).then_some(Duration::ZERO);
                self.ask(index, pause, &disagreement(reply), calls)
            }
            _ => {
                self.reach(index, expected);
                self.piece(index, calls);
                Ok(())
            }
        }
    }

    /// The session has so much. Only what it never had before is progress.
    fn reach(&mut self, index: usize, arrived: u64) {
        let blob = &mut self.blobs[index];
        blob.sent = arrived;
        if arrived > blob.furthest {
            (blob.furthest, blob.stalls) = (arrived, 0);
        }
    }

    /// The newest place of a session is the one that counts; one that is of no use is none.
    fn relocate(&mut self, index: usize, reply: &Reply, calls: &Calls) {
        if let Ok(url) = upload_url(reply, calls.session().config().transport.all_headers) {
            self.blobs[index].location = Some(url);
        }
    }
}

/// An answer that is of no use where a blob went: a success, too, may be a web page.
fn unfit(reply: &Reply) -> Error {
    let page = if reply.status < 300 { receipt(reply).err() } else { None };
    page.unwrap_or_else(|| refusal(reply, About::Upload))
}

/// How many bytes a session says to have: `0-9`, `bytes=0-9` (Quay), `bytes=0--1` for none.
fn arrived(reply: &Reply) -> Option<u64> {
    let range = reply.headers.get("range")?.trim();
    let (start, end) = range.trim_start_matches("bytes=").trim_start_matches("bytes ").split_once('-')?;
    match (start.trim(), end.trim()) {
        ("0", "-1") => Some(0),
        ("0", end) => end.parse::<u64>().ok()?.checked_add(1),
        _ => None,
    }
}

fn disagreement(reply: &Reply) -> Error {
    let message = format!("the registry says to have {}", reply.headers.get("range").unwrap_or("another part"));
    Error::new(Code::UNEXPECTED_ANSWER, clip(&message))
        .with("method", reply.method.as_str())
        .with("url", reply.url.without_query())
}

/// A body of that size is refused, whatever it is: by status, or by the words of GitHub's and Azure's registries. So is what
/// is refused with words that were lost: who does not read all that is sent often closes the connection too early.
fn is_too_much(reply: &Reply) -> bool {
    if reply.status == 400 && reply.is_cut {
        return true;
    }
    let says = |code: &str| errors(&reply.body).iter().any(|error| error.code == code);
    let text = String::from_utf8_lossy(&reply.body).to_ascii_lowercase();
    reply.status == 413 || says("CONTENT_LENGTH_INVALID") || text.contains("too large") || text.contains("exceeds")
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
    let shown = clip(without_secrets(location));
    let url = reply.url.join_mended(location.trim()).ok_or_else(|| refused("is no URL").with("location", shown))?;
    match (reply.url.scheme(), url.scheme()) {
        (Scheme::Https, Scheme::Http) => Err(refused("leads from https to http")),
        _ => Ok(url),
    }
}

/// The digest that the answer names must be the blob's, where it is of the same algorithm.
fn check_named(reply: &Reply, expected: &Digest) -> Result<(), Error> {
    match named_digest(&reply.headers) {
        Some(named) if named.algorithm() == expected.algorithm() => check_same(reply, expected, &named),
        _ => Ok(()),
    }
}

pub(super) fn check_same(reply: &Reply, expected: &Digest, named: &Digest) -> Result<(), Error> {
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
