//! Files are a second transport: machines name what is to be done, the host does it and decides nothing.
//!
//! A path is relative to a root that the host was given, its parts divided by `/`; the root itself is the empty path.
//! No path that a machine hands out is absolute, holds `..`, or leads through a link.

use std::collections::BTreeMap;

/// What the host is asked to do, one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// Names, kinds and sizes of a directory's entries, in any order: [`Answer::Entries`].
    List { path: String },
    /// A whole file, or fewer bytes: at most `limit`, from `offset` on: [`Answer::Data`].
    Read { path: String, offset: u64, limit: u64 },
    /// Makes a directory and those above it; one that is there already is fine.
    MakeDirectory { path: String },
    /// Cuts the file to `offset` (making it if need be) and writes `data` there.
    Write { path: String, offset: u64, data: Vec<u8> },
    /// Data and name of the file are on disk when this is answered.
    Sync { path: String },
    /// Moves a file or a directory; a file at the target is replaced, a directory there is [`FileFailure::Exists`].
    Rename { from: String, to: String },
    /// Removes a file, or a directory with all that is in it; what is not there is fine.
    Remove { path: String },
}

/// What came of a [`Verb`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It is done.
    Done,
    /// The entries of a directory.
    Entries(Vec<Entry>),
    /// The bytes of a file.
    Data(Vec<u8>),
    /// It could not be done.
    Failed(FileFailure),
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a path.
    pub name: String,
    /// What it is; links are not followed.
    pub kind: EntryKind,
    /// Bytes, for a file.
    pub size: u64,
    /// Last change, in seconds since 1970-01-01T00:00:00Z.
    pub modified: i64,
}

/// What a directory's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// Why a [`Verb`] could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFailure {
    /// Nothing is there.
    NotFound,
    /// Something is there already.
    Exists,
    /// No permission.
    Denied,
    /// No room is left.
    Full,
    /// Anything else, in the host's words.
    Other(String),
}

/// What a file machine says when it is polled.
#[derive(Clone, Debug)]
pub enum Step<T> {
    /// Do this and hand back the answer.
    Do(Verb),
    /// The last word.
    Done(Result<T, crate::Error>),
}

/// Files in memory, for tests, browsers and the registry without a directory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    /// Nothing in it.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Does what a verb says.
    pub fn execute(&mut self, verb: Verb) -> Answer {
        match verb {
            Verb::List { path } => self.list(&path),
            Verb::Read { path, offset, limit } => match self.files.get(&path) {
                Some(data) => Answer::Data(slice(data, offset, limit).to_vec()),
                None => Answer::Failed(FileFailure::NotFound),
            },
            Verb::MakeDirectory { .. } | Verb::Sync { .. } => Answer::Done,
            Verb::Write { path, offset, data } => {
                let file = self.files.entry(path).or_default();
                let Ok(offset) = usize::try_from(offset) else { return Answer::Failed(FileFailure::Full) };
                file.resize(offset, 0);
                file.extend_from_slice(&data);
                Answer::Done
            }
            Verb::Rename { from, to } => match self.files.remove(&from) {
                Some(data) => {
                    self.files.insert(to, data);
                    Answer::Done
                }
                None => Answer::Failed(FileFailure::NotFound),
            },
            Verb::Remove { path } => {
                let below = format!("{path}/");
                self.files.retain(|name, _| *name != path && !name.starts_with(&below));
                Answer::Done
            }
        }
    }

    /// The bytes of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Every file: path and bytes, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, data)| (path.as_str(), data.as_slice()))
    }

    fn list(&self, path: &str) -> Answer {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut entries: Vec<Entry> = Vec::new();
        for (name, data) in self.files.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below)) {
            let rest = &name[below.len()..];
            let (name, kind, size) = match rest.split_once('/') {
                Some((directory, _)) => (directory, EntryKind::Directory, 0),
                None => (rest, EntryKind::File, data.len() as u64),
            };
            if entries.last().is_none_or(|last| last.name != name) {
                entries.push(Entry { name: name.to_owned(), kind, size, modified: 0 });
            }
        }
        match entries.is_empty() && !path.is_empty() {
            true => Answer::Failed(FileFailure::NotFound),
            false => Answer::Entries(entries),
        }
    }
}

fn slice(data: &[u8], offset: u64, limit: u64) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
    let end = start.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)).min(data.len());
    &data[start..end]
}
