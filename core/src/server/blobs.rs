//! Blobs: read, whole or in part; placed where their digest says; removed.

use std::collections::VecDeque;

use super::errors::{self, Refusal};
use super::layout;
use super::route::Request;
use super::serving::{Event, Next, Stage, broken};
use super::state::State;
use super::{Body, Response};
use crate::files::Verb;
use crate::http::Method;
use crate::oci::{Digest, media_type};

/// `/v2/NAME/blobs/DIGEST`
pub(super) fn serve(state: &mut State, request: &Request, repository: &str, digest: &str) -> Next {
    let Ok(digest) = Digest::parse(digest) else {
        return Next::Answer(Refusal::DigestInvalid.about("the digest is not valid", digest.into()));
    };
    let Some(size) = state.blob(repository, &digest) else {
        return Next::Answer(Refusal::BlobUnknown.about("the repository has no such blob", digest.as_str().into()));
    };
    match request.method {
        Method::Get | Method::Head => Next::Answer(read(request, &digest, size, media_type::OCTET_STREAM)),
        Method::Delete => delete(state, repository, digest),
        _ => Next::Answer(super::not_allowed("GET, HEAD, DELETE")),
    }
}

fn entity_tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// A list of entity tags, or `*`, names what has that digest.
pub(super) fn names(list: &str, digest: &Digest) -> bool {
    list.trim() == "*" || list.split(',').any(|tag| tag.trim() == entity_tag(digest))
}

/// The bytes of a blob or manifest, or what part of them is wanted.
pub(super) fn read(request: &Request, digest: &Digest, size: u64, content_type: &str) -> Response {
    let described = |status: u16| {
        Response::new(status)
            .with("docker-content-digest", digest.as_str())
            .with("etag", entity_tag(digest))
            .with("accept-ranges", "bytes")
    };
    let matches = |header: &str| names(header, digest);
    if request.headers.get("if-none-match").is_some_and(matches) {
        return described(304);
    }
    let wanted = request.headers.get("range").filter(|_| request.headers.get("if-range").is_none_or(matches));
    let (status, start, end) = match wanted.map_or(Wanted::Whole, |range| parse_range(range, size)) {
        Wanted::Whole => (200, 0, size),
        Wanted::Part { start, end } => (206, start, end),
        Wanted::Nothing => {
            return Refusal::RangeInvalid
                .because("the range lies outside of the blob")
                .with("content-range", format!("bytes */{size}"));
        }
    };
    let mut response =
        described(status).with("content-type", content_type).with("content-length", (end - start).to_string());
    if status == 206 {
        response = response.with("content-range", format!("bytes {start}-{}/{size}", end - 1));
    }
    response.body = Body::File { path: layout::blob(digest), offset: start, length: end - start };
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part { start: u64, end: u64 },
    Nothing,
}

/// Reads a `Range` header (RFC 9110, 14.2). Several ranges, other units and nonsense mean the whole.
fn parse_range(header: &str, size: u64) -> Wanted {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (start, end) = match (number(first), number(last)) {
        (Some(start), Some(last)) => (start, last.saturating_add(1).min(size)),
        (Some(start), None) if last.is_empty() => (start, size),
        (None, Some(length)) if first.is_empty() => (size.saturating_sub(length), size),
        _ => return Wanted::Whole,
    };
    match start < end {
        true => Wanted::Part { start, end },
        false => Wanted::Nothing,
    }
}

/// What brings a file from beside to its place in `blobs/`; its name there is on disk when a manifest is committed. A file
/// that is there already stays. `None`: a file of that name is just being removed.
pub(super) fn place(state: &mut State, digest: &Digest, size: u64, from: String) -> Option<VecDeque<Verb>> {
    if state.leaving.contains(digest) {
        return None;
    }
    hold(state, digest);
    if state.blobs.get(digest) == Some(&size) {
        return Some(VecDeque::from([Verb::Remove { path: from }]));
    }
    let mut verbs = VecDeque::new();
    state.need_directory(&layout::blobs(digest.algorithm()), &mut verbs);
    verbs.push_back(Verb::Sync { path: from.clone() });
    verbs.push_back(Verb::Rename { from, to: layout::blob(digest) });
    Some(verbs)
}

/// Nobody removes the file until it is released.
fn hold(state: &mut State, digest: &Digest) {
    *state.arriving.entry(digest.clone()).or_default() += 1;
}

/// What was begun with [`place`] or [`hold`] has ended; with a size, a file of that size is in its place now.
pub(super) fn release(state: &mut State, digest: &Digest, size: Option<u64>) {
    if let Some(count) = state.arriving.get_mut(digest) {
        *count -= 1;
        if *count == 0 {
            state.arriving.remove(digest);
        }
    }
    if let Some(size) = size {
        state.blobs.insert(digest.clone(), size);
    }
}

/// The answer where the same content is on its way in and out at once.
pub(super) fn busy() -> Response {
    Refusal::Unknown.because("another request is at work on the same content").status(503).with("retry-after", "1")
}

/// Makes a blob of another repository a member of this one, then answers 201.
pub(super) fn mount(state: &mut State, repository: &str, digest: Digest) -> Next {
    hold(state, &digest);
    join(state, VecDeque::new(), Join { repository: repository.to_owned(), digest, size: None, beside: None })
}

/// Places an upload and makes it a member of the repository, then answers 201.
pub(super) fn store(state: &mut State, repository: &str, digest: Digest, size: u64, from: String) -> Next {
    match place(state, &digest, size, from.clone()) {
        Some(verbs) => {
            let repository = repository.to_owned();
            join(state, verbs, Join { repository, digest, size: Some(size), beside: Some(from) })
        }
        None => Next::after(VecDeque::from([Verb::Remove { path: from }]), busy()),
    }
}

fn join(state: &mut State, mut verbs: VecDeque<Verb>, join: Join) -> Next {
    if state.blob(&join.repository, &join.digest).is_none() {
        let (directory, mark) = layout::membership(&join.repository, &join.digest);
        state.need_directory(&directory, &mut verbs);
        verbs.push_back(Verb::Write { path: mark, offset: 0, data: Vec::new() });
    }
    Next::Files { verbs, stage: Box::new(join) }
}

/// A blob becomes a member of a repository.
struct Join {
    repository: String,
    digest: Digest,
    /// Of the file that is being placed, if one is.
    size: Option<u64>,
    /// What still lies beside if it goes wrong.
    beside: Option<String>,
}

impl Stage for Join {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let done = matches!(event, Event::Files(_));
        release(state, &self.digest, self.size.filter(|_| done));
        match event {
            Event::Files(_) => {
                state.repositories.entry(self.repository.clone()).or_default().blobs.insert(self.digest.clone());
                Next::Answer(created(&self.repository, &self.digest))
            }
            Event::Failed(failure) => {
                let verbs = self.beside.map(|path| Verb::Remove { path }).into_iter().collect();
                Next::after(verbs, errors::storage(&failure))
            }
            Event::Body(_) | Event::Broken => broken(),
        }
    }
}

fn created(repository: &str, digest: &Digest) -> Response {
    Response::empty(201)
        .with("location", format!("/v2/{repository}/blobs/{digest}"))
        .with("docker-content-digest", digest.as_str())
}

fn delete(state: &mut State, repository: &str, digest: Digest) -> Next {
    if state.arriving.contains_key(&digest) || !state.leaving.insert(digest.clone()) {
        return Next::Answer(busy());
    }
    let (directory, mark) = layout::membership(repository, &digest);
    let verbs = VecDeque::from([Verb::Remove { path: mark }, Verb::Sync { path: directory }]);
    let forget = Forget { digest, response: Response::empty(202) };
    Next::Files { verbs, stage: Box::new(Leave { repository: repository.to_owned(), forget }) }
}

/// A blob ceases to be a member of a repository.
struct Leave {
    repository: String,
    forget: Forget,
}

impl Stage for Leave {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        state.leaving.remove(&self.forget.digest);
        if let (Event::Files(_), Some(repository)) = (&event, state.repositories.get_mut(&self.repository)) {
            repository.blobs.remove(&self.forget.digest);
        }
        Box::new(self.forget).resume(state, event)
    }
}

/// Removes a file that no repository has any more, then answers.
pub(super) struct Forget {
    pub(super) digest: Digest,
    pub(super) response: Response,
}

impl Stage for Forget {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        match event {
            Event::Files(_) if state.is_held(&self.digest) || state.arriving.contains_key(&self.digest) => {
                Next::Answer(self.response)
            }
            Event::Files(_) => {
                state.blobs.remove(&self.digest);
                state.leaving.insert(self.digest.clone());
                let verbs = VecDeque::from([Verb::Remove { path: layout::blob(&self.digest) }]);
                Next::Files { verbs, stage: Box::new(Left(*self)) }
            }
            Event::Failed(failure) => Next::Answer(errors::storage(&failure)),
            Event::Body(_) | Event::Broken => broken(),
        }
    }
}

/// A file is being removed.
struct Left(Forget);

impl Stage for Left {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        state.leaving.remove(&self.0.digest);
        Next::Answer(match event {
            Event::Failed(failure) => errors::storage(&failure),
            _ => self.0.response,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let part = |start, end| Wanted::Part { start, end };
        for (header, wanted) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=500-1499", part(500, 1500)),
            ("bytes=500-", part(500, 2000)),
            ("bytes=-500", part(1500, 2000)),
            ("bytes=-5000", part(0, 2000)),
            ("bytes=1000-9000", part(1000, 2000)),
            ("bytes=500-0", Wanted::Nothing),
            ("bytes=2000-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-18446744073709551615", part(0, 2000)),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ] {
            assert_eq!(parse_range(header, 2000), wanted, "{header}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Wanted::Nothing);
    }
}
