//! Work that no request asked for.

use super::{Output, Serving};
use crate::files::{Answer, Step};

/// Brings `index.json` up to date. Each verb is done, and its answer handed back, before the next poll; requests may be served
/// meanwhile. What fails is done another time.
///
/// ```
/// use chartoci::files::{Memory, Step};
/// use chartoci::server::{Config, Registry, RequestHead, Tidy, open_in_memory, serve_in_memory};
/// use chartoci::{http::Method, time::Instant};
/// let (registry, mut files) = (Registry::new(Config::default()), Memory::new());
/// open_in_memory(&registry, &mut files)?;
/// let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
/// let headers = [("host", "localhost"), ("content-type", "application/vnd.oci.image.index.v1+json")];
/// let (method, target) = (Method::Put, "/v2/web/manifests/1.0.0".to_owned());
/// let head = RequestHead { method, target, headers: headers.into_iter().collect() };
/// assert_eq!(serve_in_memory(&registry, &mut files, head, index, Instant::default()).0.status, 201);
///
/// let mut tidy: Tidy = registry.tidy().expect("index.json does not have the tag yet");
/// while let Step::Do(verb) = tidy.poll() {
///     tidy.handle(files.execute(verb));
/// }
/// let written = String::from_utf8_lossy(files.get("index.json").unwrap_or_default()).into_owned();
/// assert!(written.contains(chartoci::Digest::of(index).as_str()));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct Tidy(Serving);

impl Tidy {
    pub(super) fn new(serving: Serving) -> Tidy {
        Tidy(serving)
    }

    /// What to do next.
    pub fn poll(&mut self) -> Step<()> {
        match self.0.poll() {
            Output::Do(verb) => Step::Do(verb),
            _ => Step::Done(Ok(())),
        }
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        self.0.handle_file(answer);
    }
}
