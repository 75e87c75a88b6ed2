//! Work that no request asked for.

use super::{Output, Serving};
use crate::files::{Answer, Step};

/// Brings `index.json` up to date. Each verb is done, and its answer handed back, before the next poll; requests may be served
/// meanwhile. What fails is done another time.
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
