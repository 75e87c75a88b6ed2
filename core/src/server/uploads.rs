//! Uploads: sessions that collect a blob in one piece or in many, mounts, single requests.
//!
//! A request's bytes count when all of them arrived: what broke off is cut away, so that the same request may come again.

use std::collections::VecDeque;

use super::errors::{self, Refusal};
use super::route::Request;
use super::serving::{Event, Next, Stage, broken};
use super::state::{State, Upload};
use super::{Response, Sink, access, blobs, layout};
use crate::files::{Answer, Verb};
use crate::http::{Method, Receiver};
use crate::oci::{Algorithm, Digest, Digester};

/// Bytes that are hashed again at a time, where a blob is closed by another algorithm than it was opened with.
const PIECE: u64 = 1 << 20;

/// `/v2/NAME/blobs/uploads/`
pub(super) fn open(state: &mut State, request: &Request, repository: &str) -> Next {
    if request.method != Method::Post {
        return Next::Answer(super::not_allowed("POST"));
    }
    if let Some(digest) = request.query("mount").and_then(|text| Digest::parse(text).ok())
        && is_mountable(state, request, &digest)
    {
        return blobs::mount(state, repository, digest);
    }
    let digest = match request.query("digest").map(Digest::parse).transpose() {
        Ok(digest) => digest,
        Err(_) => return Next::Answer(Refusal::DigestInvalid.because("the digest is not valid")),
    };
    let algorithm = match (&digest, request.query("digest-algorithm")) {
        (Some(digest), _) => digest.algorithm(),
        (None, None) => Algorithm::Sha256,
        (None, Some(name)) => match Algorithm::parse(name) {
            Some(algorithm) => algorithm,
            None => return Next::Answer(Refusal::DigestInvalid.because("the algorithm is neither sha256 nor sha512")),
        },
    };
    let mut verbs = VecDeque::new();
    let id = state.open_upload(repository, Digester::new(algorithm), request.now, &mut verbs);
    match digest {
        None => Next::after(verbs, progress(202, repository, &id, 0).with("content-length", "0")),
        Some(digest) if verbs.is_empty() => receive(state, request, &id, Some(digest)),
        Some(digest) => {
            let length = request.content_length();
            set_busy(state, &id, true);
            Next::Files { verbs, stage: Box::new(Opened { id, digest, length }) }
        }
    }
}

/// The blob is in the repository it is to come from, or, if none is named, in any; and the caller may read it there.
fn is_mountable(state: &State, request: &Request, digest: &Digest) -> bool {
    if state.leaving.contains(digest) {
        return false;
    }
    let readable =
        |repository: &str| state.blob(repository, digest).is_some() && access::may_pull(state, request, repository);
    match request.query("from") {
        Some(from) => readable(from),
        None => state.repositories.keys().any(|repository| readable(repository)),
    }
}

/// The directory of uploads is being made for a single request.
struct Opened {
    id: String,
    digest: Digest,
    length: Option<u64>,
}

impl Stage for Opened {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        match event {
            Event::Files(_) => receive_body(state, self.id, self.length, Some(self.digest)),
            Event::Failed(failure) => {
                state.uploads.remove(&self.id);
                Next::Answer(errors::storage(&failure))
            }
            Event::Body(_) | Event::Broken => {
                state.uploads.remove(&self.id);
                broken()
            }
        }
    }
}

/// `/v2/NAME/blobs/uploads/ID`
pub(super) fn serve(state: &mut State, request: &Request, repository: &str, id: &str) -> Next {
    let Some(upload) = state.uploads.get_mut(id).filter(|upload| upload.repository == repository) else {
        return Next::Answer(Refusal::BlobUploadUnknown.because("there is no such upload"));
    };
    upload.touched = request.now;
    let size = upload.size;
    if request.method == Method::Get {
        return Next::Answer(progress(204, repository, id, size));
    }
    if upload.busy {
        let response = Refusal::BlobUploadInvalid.because("another request is at work on this upload").status(409);
        return Next::Answer(response);
    }
    match request.method {
        Method::Patch => receive(state, request, id, None),
        Method::Put => match request.query("digest").map(Digest::parse) {
            Some(Ok(digest)) => receive(state, request, id, Some(digest)),
            _ => Next::Answer(Refusal::DigestInvalid.because("the upload is closed without a valid digest")),
        },
        Method::Delete => {
            state.uploads.remove(id);
            Next::after(VecDeque::from([Verb::Remove { path: layout::upload(id) }]), Response::new(204))
        }
        _ => Next::Answer(super::not_allowed("GET, PATCH, PUT, DELETE")),
    }
}

/// Where an upload stands. Nothing at all is `0-0`, as it is everywhere.
fn progress(status: u16, repository: &str, id: &str, size: u64) -> Response {
    Response::new(status)
        .with("location", format!("/v2/{repository}/blobs/uploads/{id}"))
        .with("range", format!("0-{}", size.saturating_sub(1)))
        .with("docker-upload-uuid", id)
}

fn set_busy(state: &mut State, id: &str, busy: bool) {
    if let Some(upload) = state.uploads.get_mut(id) {
        upload.busy = busy;
    }
}

/// Checks where the bytes want to go, then takes them. With a digest they are the last.
fn receive(state: &mut State, request: &Request, id: &str, close: Option<Digest>) -> Next {
    let Some(upload) = state.uploads.get_mut(id) else { return broken() };
    if let Some(range) = request.headers.get("content-range") {
        let out_of_order = |message: &str| {
            let response = Refusal::RangeInvalid.because(message);
            let Response { headers, .. } = progress(416, &upload.repository, id, upload.size);
            Next::Answer(headers.iter().fold(response, |response, (name, value)| response.with(name, value)))
        };
        let Some((first, last)) = parse_content_range(range) else {
            return out_of_order("the content range is not of the form FIRST-LAST");
        };
        if first != upload.size {
            return out_of_order("the content range does not follow what is here already");
        }
        if request.content_length().is_some_and(|length| Some(length) != (last - first).checked_add(1)) {
            return Next::Answer(Refusal::SizeInvalid.because("content range and content length disagree"));
        }
    }
    if let Some(digest) = &close
        && upload.size == 0
        && digest.algorithm() != upload.digester.algorithm()
    {
        upload.digester = Digester::new(digest.algorithm());
    }
    let length = request.content_length();
    receive_body(state, id.to_owned(), length, close)
}

fn parse_content_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

fn receive_body(state: &mut State, id: String, length: Option<u64>, close: Option<Digest>) -> Next {
    let Some(upload) = state.uploads.get_mut(&id) else { return broken() };
    if length == Some(0) {
        upload.busy = false;
        let (digester, size) = (upload.digester.clone(), upload.size);
        return received(state, id, close, digester, size);
    }
    upload.busy = true;
    let receiver = Receiver::store(upload.digester.clone(), upload.size, u64::MAX);
    let sink = Some(Sink { path: layout::upload(&id), offset: upload.size });
    Next::Receive { receiver, sink, stage: Box::new(Chunk { id, length, close }) }
}

/// Bytes are on their way.
struct Chunk {
    id: String,
    length: Option<u64>,
    close: Option<Digest>,
}

impl Stage for Chunk {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        set_busy(state, &self.id, false);
        let before = state.uploads.get(&self.id).map_or(0, |upload| upload.size);
        match event {
            Event::Body(receiver) => {
                let size = receiver.seen();
                let whole = self.length.is_none_or(|length| before.checked_add(length) == Some(size));
                match receiver.into_digester().filter(|_| whole) {
                    Some(digester) => received(state, self.id, self.close, digester, size),
                    None => Next::Answer(Refusal::SizeInvalid.because("the body is not as long as it claimed to be")),
                }
            }
            Event::Failed(failure) => {
                // What is here already takes room that is missing: the client begins anew.
                state.uploads.remove(&self.id);
                Next::after(
                    VecDeque::from([Verb::Remove { path: layout::upload(&self.id) }]),
                    errors::storage(&failure),
                )
            }
            Event::Files(_) | Event::Broken => broken(),
        }
    }
}

/// All bytes of a request are here.
fn received(state: &mut State, id: String, close: Option<Digest>, digester: Digester, size: u64) -> Next {
    let Some(digest) = close else {
        let Some(upload) = state.uploads.get_mut(&id) else { return broken() };
        (upload.digester, upload.size) = (digester, size);
        return Next::Answer(progress(202, &upload.repository, &id, size).with("content-length", "0"));
    };
    let Some(upload) = state.uploads.remove(&id) else { return broken() };
    let path = layout::upload(&id);
    let closing = Box::new(Closing { upload, path, digest, size });
    if size == 0 {
        let write = Verb::Write { path: closing.path.clone(), offset: 0, data: Vec::new() };
        let digester = Digester::new(closing.digest.algorithm());
        return Next::Files { verbs: VecDeque::from([write]), stage: Box::new(Rehash { closing, digester, done: 0 }) };
    }
    match digester.algorithm() == closing.digest.algorithm() {
        true => closing.judge(state, digester),
        false => Rehash { digester: Digester::new(closing.digest.algorithm()), closing, done: 0 }.read(),
    }
}

/// An upload that is being closed; it is no longer in the list.
struct Closing {
    upload: Upload,
    path: String,
    digest: Digest,
    size: u64,
}

impl Closing {
    fn judge(self: Box<Self>, state: &mut State, digester: Digester) -> Next {
        let actual = digester.finish();
        if actual == self.digest {
            return blobs::store(state, &self.upload.repository, self.digest, self.size, self.path);
        }
        let detail = serde_json::json!({ "digest": self.digest.as_str(), "actual": actual.as_str() });
        let response = Refusal::DigestInvalid.about("the blob's bytes have another digest", detail);
        Next::after(VecDeque::from([Verb::Remove { path: self.path }]), response)
    }
}

/// The file is read again, to be hashed by the algorithm that the closing request named.
struct Rehash {
    closing: Box<Closing>,
    digester: Digester,
    done: u64,
}

impl Rehash {
    fn read(self) -> Next {
        let verb = Verb::Read { path: self.closing.path.clone(), offset: self.done, limit: PIECE };
        Next::Files { verbs: VecDeque::from([verb]), stage: Box::new(self) }
    }
}

impl Stage for Rehash {
    fn resume(mut self: Box<Self>, state: &mut State, event: Event) -> Next {
        match event {
            Event::Files(Answer::Data(data)) if !data.is_empty() => {
                self.digester.update(&data);
                self.done += data.len() as u64;
                match self.done < self.closing.size {
                    true => self.read(),
                    false => self.closing.judge(state, self.digester),
                }
            }
            Event::Files(_) => self.closing.judge(state, self.digester),
            Event::Failed(failure) => {
                Next::after(VecDeque::from([Verb::Remove { path: self.closing.path }]), errors::storage(&failure))
            }
            Event::Body(_) | Event::Broken => broken(),
        }
    }
}
