//! A registry without a directory: the smallest host there is.

use super::{Body, Output, Registry, RequestHead, Response};
use crate::files::{Memory, Step, Verb};
use crate::time::Instant;

/// Opens a registry over files in memory, new or filled before.
///
/// ```
/// use chartoci::files::Memory;
/// use chartoci::server::{Config, Registry, open_in_memory};
/// let mut files = Memory::new();
/// open_in_memory(&Registry::new(Config::default()), &mut files)?;
/// assert_eq!(files.get("oci-layout"), Some(&br#"{"imageLayoutVersion":"1.0.0"}"#[..]));
/// let mut foreign = Memory::from_iter([("holiday.jpg", "")]);
/// let refused = open_in_memory(&Registry::new(Config::default()), &mut foreign).unwrap_err();
/// assert_eq!(refused.code().name(), "server.not_a_layout");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// As [`Open::poll`](super::Open::poll).
pub fn open_in_memory(registry: &Registry, files: &mut Memory) -> Result<(), crate::Error> {
    let mut open = registry.open();
    loop {
        match open.poll() {
            Step::Do(verb) => {
                let answer = files.execute(verb);
                open.handle(answer);
            }
            Step::Done(result) => return result,
        }
    }
}

/// Serves one request with files in memory: the answer, and its body. For tests and browsers.
///
/// ```
/// use chartoci::server::{Config, Registry, RequestHead, serve_in_memory};
/// use chartoci::{files::Memory, http::Method, time::Instant};
/// let headers = [("host", "localhost")].into_iter().collect();
/// let head = RequestHead { method: Method::Get, target: "/v2/".to_owned(), headers };
/// let registry = Registry::new(Config::default());
/// let (response, _) = serve_in_memory(&registry, &mut Memory::new(), head, b"", Instant::default());
/// assert_eq!(response.status, 200);
/// ```
pub fn serve_in_memory(
    registry: &Registry,
    files: &mut Memory,
    head: RequestHead,
    body: &[u8],
    now: Instant,
) -> (Response, Vec<u8>) {
    let mut serving = registry.accept(head, now);
    loop {
        match serving.poll() {
            // There is nobody to ask: nobody is known.
            Output::Check(_) => serving.handle_check(false),
            Output::Receive { mut receiver, sink } => {
                receiver.write(body);
                if let Some(sink) = sink {
                    files.execute(Verb::Write { path: sink.path, offset: sink.offset, data: body.to_vec() });
                }
                serving.handle_body(receiver, Ok(()));
            }
            Output::Do(verb) => {
                let answer = files.execute(verb);
                serving.handle_file(answer);
            }
            Output::Respond(response) => {
                let body = match &response.body {
                    Body::Empty => Vec::new(),
                    Body::Bytes(bytes) => bytes.to_vec(),
                    Body::File { path, offset, length } => part(files, path, *offset, *length),
                };
                return (response, body);
            }
        }
    }
}

fn part(files: &Memory, path: &str, offset: u64, length: u64) -> Vec<u8> {
    let data = files.get(path).unwrap_or_default();
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
    let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(data.len());
    data[start..end].to_vec()
}
