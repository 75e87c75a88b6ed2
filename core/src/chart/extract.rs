//! Unpacking an archive into a directory (`helm pull --untar`), beside and then renamed. A file machine.

use super::Archive;
use crate::files::{Answer, Step};

/// Writes `<chart name>/…` below the root of its verbs.
#[derive(Debug)]
pub struct Extract {}

impl Extract {
    /// Starts. `nonce` makes the temporary name unique.
    pub fn new(archive: Archive, nonce: u64) -> Extract {
        let _ = (archive, nonce);
        todo!()
    }
    /// What to do next; at the end the directory's name.
    pub fn poll(&mut self) -> Step<String> {
        todo!()
    }
    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let _ = answer;
        todo!()
    }
}
