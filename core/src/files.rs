//! Files are a second transport: machines name what is to be done, the host does it and decides nothing.
//!
//! A path is relative to a root that the host was given, its parts divided by `/`; the root itself is the empty path.
//! No path that a machine hands out is absolute, holds `..`, or leads through a link.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::{Code, Error, clip};
use crate::time::Duration;

/// What the host is asked to do, one at a time. Links are never followed. `Debug` shows no contents.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// Names, kinds and sizes of a directory's entries, in any order: [`Answer::Entries`].
    List {
        /// The directory.
        path: String,
    },
    /// Bytes of a file: [`Answer::Data`], `limit` of them from `offset` on, or fewer if the file ends before.
    Read {
        /// The file.
        path: String,
        /// Bytes before the first that is wanted.
        offset: u64,
        /// Most bytes that are wanted.
        limit: u64,
    },
    /// Makes a directory and those above it; one that is there already is fine.
    MakeDirectory {
        /// The directory.
        path: String,
    },
    /// Cuts the file to `offset` (making it if need be) and writes `data` there.
    Write {
        /// The file; its directory is there.
        path: String,
        /// Bytes that stay.
        offset: u64,
        /// Bytes that follow them.
        data: Vec<u8>,
    },
    /// The bytes of the file, or the names in the directory, are on disk when this is answered.
    Sync {
        /// The file or directory.
        path: String,
    },
    /// Moves a file or a directory; a file at the target is replaced, a directory there is [`FileFailure::Exists`].
    Rename {
        /// What is moved.
        from: String,
        /// Where it is afterwards.
        to: String,
    },
    /// Removes a file, or a directory with all that is in it; what is not there is fine.
    Remove {
        /// The file or directory.
        path: String,
    },
    /// Where a path leads when all links are followed: [`Answer::Data`], the path in UTF-8.
    Resolve {
        /// The path.
        path: String,
    },
    /// Makes an empty file that nobody but its owner may read, as a lock on what is then written into it and renamed to its
    /// place. Where it is there already, the host waits until it is gone; one that is older than `patience` was left
    /// behind and is removed. Directories that are missing are made for their owner alone.
    Lock {
        /// The file.
        path: String,
        /// How long the work of whoever has the lock may take.
        patience: Duration,
    },
    /// A program of that name can be run: [`Answer::Done`] or [`FileFailure::NotFound`].
    Find {
        /// As in [`Verb::Run`].
        program: String,
    },
    /// Runs a program, without a shell, with the host's environment: [`Answer::Ran`]. When the time is over it is killed
    /// with all that it has started.
    Run {
        /// A bare name, looked for in the absolute directories of the search path and nowhere else.
        program: String,
        /// What follows its name.
        arguments: Vec<String>,
        /// What it reads.
        input: Vec<u8>,
        /// How long it may take.
        timeout: Duration,
        /// Most bytes of its output that are wanted; after one more it is killed.
        limit: u64,
    },
}

impl fmt::Debug for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verb::List { path } => write!(f, "List({path:?})"),
            Verb::Read { path, offset, limit } => write!(f, "Read({path:?}, {offset}, {limit})"),
            Verb::MakeDirectory { path } => write!(f, "MakeDirectory({path:?})"),
            Verb::Write { path, offset, data } => write!(f, "Write({path:?}, {offset}, {} bytes)", data.len()),
            Verb::Sync { path } => write!(f, "Sync({path:?})"),
            Verb::Rename { from, to } => write!(f, "Rename({from:?}, {to:?})"),
            Verb::Remove { path } => write!(f, "Remove({path:?})"),
            Verb::Resolve { path } => write!(f, "Resolve({path:?})"),
            Verb::Lock { path, .. } => write!(f, "Lock({path:?})"),
            Verb::Find { program } => write!(f, "Find({program:?})"),
            Verb::Run { program, arguments, .. } => write!(f, "Run({program:?}, {arguments:?})"),
        }
    }
}

/// What came of a [`Verb`]. `Debug` shows no contents.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It is done.
    Done,
    /// The entries of a directory.
    Entries(Vec<Entry>),
    /// The bytes of a file.
    Data(Vec<u8>),
    /// What a program said.
    Ran {
        /// Its exit code; none if it was killed, by the host or by anybody else.
        status: Option<i32>,
        /// What it wrote to its standard output.
        output: Vec<u8>,
    },
    /// It could not be done.
    Failed(FileFailure),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done => f.write_str("Done"),
            Answer::Entries(entries) => write!(f, "Entries({entries:?})"),
            Answer::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Answer::Ran { status, output } => write!(f, "Ran({status:?}, {} bytes)", output.len()),
            Answer::Failed(failure) => write!(f, "Failed({failure:?})"),
        }
    }
}

/// One entry of a directory.
///
/// ```
/// use chartoci::files::{Answer, Entry, EntryKind, Memory, Verb};
/// let mut memory = Memory::from_iter([("web/values.yaml", "a: 1")]);
/// let Answer::Entries(entries) = memory.execute(Verb::List { path: "web".to_owned() }) else { panic!() };
/// let [Entry { name, kind, size, .. }] = &entries[..] else { panic!() };
/// assert_eq!((name.as_str(), *kind, *size), ("values.yaml", EntryKind::File, 4));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a path.
    pub name: String,
    /// What it is; links are not followed.
    pub kind: EntryKind,
    /// Bytes, for a file.
    pub size: u64,
    /// Last change, in seconds since 1970-01-01T00:00:00Z: the nearest one, which is how Go rounds in a tar header.
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
    /// A file stands where a directory is expected, or on the way there.
    NotDirectory,
    /// A directory stands where a file is expected.
    IsDirectory,
    /// Anything else, in the host's words.
    Other(String),
}

impl FileFailure {
    /// By the name that POSIX has for the system's error; `why`: the system's own words, for what has no meaning of its own.
    ///
    /// ```
    /// use chartoci::files::FileFailure;
    /// assert_eq!(FileFailure::named("ENOTEMPTY", "Directory not empty"), FileFailure::Exists);
    /// assert_eq!(FileFailure::named("EIO", "Input/output error"), FileFailure::Other("Input/output error".to_owned()));
    /// assert_eq!(FileFailure::named("EPERM", "Operation not permitted").code().name(), "files.denied");
    /// ```
    pub fn named(name: &str, why: &str) -> FileFailure {
        match name {
            "ENOENT" => FileFailure::NotFound,
            "EEXIST" | "ENOTEMPTY" => FileFailure::Exists,
            "EACCES" | "EPERM" => FileFailure::Denied,
            "ENOSPC" | "EDQUOT" | "EFBIG" => FileFailure::Full,
            "ENOTDIR" => FileFailure::NotDirectory,
            "EISDIR" => FileFailure::IsDirectory,
            _ => FileFailure::Other(why.to_owned()),
        }
    }

    /// The code that stands for it.
    pub fn code(&self) -> Code {
        match self {
            FileFailure::NotFound => Code::FILES_NOT_FOUND,
            FileFailure::Exists => Code::FILES_EXISTS,
            FileFailure::Denied => Code::FILES_DENIED,
            FileFailure::NotDirectory => Code::FILES_NOT_DIRECTORY,
            FileFailure::IsDirectory => Code::FILES_IS_DIRECTORY,
            FileFailure::Full | FileFailure::Other(_) => Code::FILES_STORAGE,
        }
    }
}

/// The error that stands for what the system said about a path of the host's own; `name` and `why` as in [`FileFailure::named`].
/// `making`: a directory was to be made there, and what is in its way is a file.
///
/// ```
/// let error = chartoci::files::error("EEXIST", "File exists", "charts", true);
/// assert_eq!((error.code().name(), error.message()), ("files.not_directory", "charts: no directory is there"));
/// ```
pub fn error(name: &str, why: &str, path: &str, making: bool) -> Error {
    let failure = match FileFailure::named(name, why) {
        FileFailure::Exists if making => FileFailure::NotDirectory,
        // The system knows better what is full: the disk, or what the user may have of it.
        FileFailure::Full => FileFailure::Other(why.to_owned()),
        failure => failure,
    };
    let error = Error::new(failure.code(), format!("{path}: {failure}")).with("path", path);
    match failure {
        FileFailure::NotDirectory if making => {
            error.with_hint("Choose another directory: a file stands there, or on the way to it.")
        }
        _ => error,
    }
}

impl fmt::Display for FileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileFailure::NotFound => "nothing is there",
            FileFailure::Exists => "something is there already",
            FileFailure::Denied => "no permission",
            FileFailure::Full => "no room is left",
            FileFailure::NotDirectory => "no directory is there",
            FileFailure::IsDirectory => "a directory is there",
            FileFailure::Other(why) => why,
        })
    }
}

/// What a file machine says when it is polled.
///
/// ```
/// use chartoci::chart::Directory;
/// use chartoci::files::{Step, Verb};
/// let mut directory = Directory::new(&chartoci::Limits::default());
/// let Step::Do(verb) = directory.poll() else { panic!() };
/// assert!(matches!(verb, Verb::List { path } | Verb::Read { path, .. } if path.is_empty() || path == ".helmignore"));
/// ```
#[derive(Clone, Debug)]
pub enum Step<T> {
    /// Do this and hand back the answer.
    Do(Verb),
    /// The last word.
    Done(Result<T, Error>),
}

/// Files in memory, for tests, browsers and the registry without a directory. Times are zero.
///
/// ```
/// use chartoci::files::{Answer, FileFailure, Memory, Verb};
/// let mut memory = Memory::from_iter([("web/Chart.yaml", "name: web".as_bytes())]);
/// memory.execute(Verb::Rename { from: "web".into(), to: "site".into() });
/// assert_eq!(memory.get("site/Chart.yaml"), Some("name: web".as_bytes()));
/// assert_eq!(memory.execute(Verb::List { path: "web".into() }), Answer::Failed(FileFailure::NotFound));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

impl Memory {
    /// Nothing in it.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Puts a file there, and makes the directories above it.
    ///
    /// ```
    /// use chartoci::files::Memory;
    /// let mut memory = Memory::new();
    /// memory.insert("web/Chart.yaml".to_owned(), b"name: web".to_vec())?;
    /// assert_eq!(memory.iter().collect::<Vec<_>>(), [("web/Chart.yaml", &b"name: web"[..])]);
    /// assert!(memory.insert("../evil".to_owned(), Vec::new()).is_err());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] where the path is none below a root (`/a`, `a//b`, `../a`), or a file stands where it needs a
    /// directory, or a directory where it puts the file.
    pub fn insert(&mut self, path: String, data: Vec<u8>) -> Result<(), Error> {
        let refused = |path: &str, why: &str| {
            Error::new(Code::ARGUMENT, format!("{:?} {why}", clip(path)))
                .with_hint("Name files by their path below the root.")
        };
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(refused(&path, "is no path below a root"));
        }
        if self.make_directory(parent(&path)).is_err() || self.is_directory(&path) {
            return Err(refused(&path, "is a file and a directory"));
        }
        self.files.insert(path, data);
        Ok(())
    }

    /// Does what a verb says.
    pub fn execute(&mut self, verb: Verb) -> Answer {
        let done = match verb {
            Verb::List { path } => return self.list(&path),
            Verb::Read { path, offset, limit } => match self.files.get(&path) {
                Some(data) => return Answer::Data(slice(data, offset, limit).to_vec()),
                None => Err(FileFailure::NotFound),
            },
            Verb::MakeDirectory { path } => self.make_directory(&path),
            Verb::Write { path, offset, data } => self.write(path, offset, data),
            Verb::Sync { path } => {
                if self.is_there(&path) {
                    Ok(())
                } else {
                    Err(FileFailure::NotFound)
                }
            }
            Verb::Rename { from, to } => self.rename(&from, to),
            Verb::Remove { path } => {
                self.remove(&path);
                Ok(())
            }
            Verb::Resolve { path } if self.is_there(&path) => return Answer::Data(path.into_bytes()),
            Verb::Lock { path, .. } if self.is_there(&path) => Err(FileFailure::Exists),
            Verb::Lock { path, .. } => {
                self.make_directory(parent(&path)).and_then(|()| self.write(path, 0, Vec::new()))
            }
            // There are no programs in memory.
            Verb::Resolve { .. } | Verb::Find { .. } | Verb::Run { .. } => Err(FileFailure::NotFound),
        };
        done.map_or_else(Answer::Failed, |()| Answer::Done)
    }

    /// The bytes of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Every file: path and bytes, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, data)| (path.as_str(), data.as_slice()))
    }

    fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || self.directories.contains(path)
    }

    fn is_there(&self, path: &str) -> bool {
        self.is_directory(path) || self.files.contains_key(path)
    }

    fn list(&self, path: &str) -> Answer {
        if !self.is_directory(path) {
            return Answer::Failed(FileFailure::NotFound);
        }
        let name = |known: &String| {
            let rest = if path.is_empty() { known } else { known.strip_prefix(path)?.strip_prefix('/')? };
            (!rest.is_empty() && !rest.contains('/')).then(|| rest.to_owned())
        };
        let entry = |name, kind, size| Entry { name, kind, size, modified: 0 };
        let directories = self.directories.range(path.to_owned()..).take_while(|known| known.starts_with(path));
        let files = self.files.range(path.to_owned()..).take_while(|(known, _)| known.starts_with(path));
        Answer::Entries(
            directories
                .filter_map(|known| Some(entry(name(known)?, EntryKind::Directory, 0)))
                .chain(files.filter_map(|(known, data)| Some(entry(name(known)?, EntryKind::File, data.len() as u64))))
                .collect(),
        )
    }

    fn make_directory(&mut self, path: &str) -> Result<(), FileFailure> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for directory in ends.map(|end| &path[..end]).filter(|directory| !directory.is_empty()) {
            if self.files.contains_key(directory) {
                return Err(FileFailure::Exists);
            }
            self.directories.insert(directory.to_owned());
        }
        Ok(())
    }

    fn write(&mut self, path: String, offset: u64, data: Vec<u8>) -> Result<(), FileFailure> {
        if self.is_directory(&path) {
            return Err(FileFailure::Exists);
        }
        if !self.is_directory(parent(&path)) {
            return Err(FileFailure::NotFound);
        }
        let offset = usize::try_from(offset).map_err(|_| FileFailure::Full)?;
        let file = self.files.entry(path).or_default();
        if offset == 0 {
            *file = data;
        } else {
            file.resize(offset, 0);
            file.extend_from_slice(&data);
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: String) -> Result<(), FileFailure> {
        if !self.is_there(from) || !self.is_directory(parent(&to)) {
            return Err(FileFailure::NotFound);
        }
        if self.is_directory(&to) || (self.is_directory(from) && self.is_there(&to)) {
            return Err(FileFailure::Exists);
        }
        if let Some(data) = self.files.remove(from) {
            self.files.insert(to, data);
            return Ok(());
        }
        let target = |path: &String| match path.strip_prefix(from) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{to}{rest}"),
            _ => path.clone(),
        };
        self.files = std::mem::take(&mut self.files).into_iter().map(|(path, data)| (target(&path), data)).collect();
        self.directories = self.directories.iter().map(target).collect();
        Ok(())
    }

    fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        let stays = |known: &String| known != path && !known.starts_with(&below);
        self.files.retain(|known, _| stays(known));
        self.directories.retain(stays);
    }
}

/// Paths and bytes; the directories that the paths name are there, too.
impl<P: Into<String>, D: Into<Vec<u8>>> FromIterator<(P, D)> for Memory {
    fn from_iter<I: IntoIterator<Item = (P, D)>>(files: I) -> Memory {
        let mut memory = Memory::new();
        for (path, data) in files {
            let path = path.into();
            // Nothing but a file where a directory is named could go wrong; then the file stays a file.
            if memory.make_directory(parent(&path)).is_ok() {
                memory.files.insert(path, data.into());
            }
        }
        memory
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn slice(data: &[u8], offset: u64, limit: u64) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
    let end = start.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)).min(data.len());
    &data[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory::from_iter([("a/b/c", "c"), ("a/b-d", "d"), ("e", "e")])
    }

    fn names(memory: &mut Memory, path: &str) -> Vec<String> {
        match memory.execute(Verb::List { path: path.to_owned() }) {
            Answer::Entries(entries) => entries.into_iter().map(|entry| entry.name).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_directory_lists_what_stands_directly_in_it() {
        let mut memory = memory();
        assert_eq!(names(&mut memory, ""), ["a", "e"]);
        assert_eq!(names(&mut memory, "a"), ["b", "b-d"]);
        memory.execute(Verb::MakeDirectory { path: "f/g".to_owned() });
        assert_eq!(names(&mut memory, "f"), ["g"]);
        assert_eq!(memory.execute(Verb::List { path: "e".to_owned() }), Answer::Failed(FileFailure::NotFound));
    }

    #[test]
    fn a_directory_moves_with_all_that_is_in_it_and_never_onto_another() {
        let mut memory = memory();
        let rename = |from: &str, to: &str| Verb::Rename { from: from.to_owned(), to: to.to_owned() };
        assert_eq!(memory.execute(rename("a/b", "x")), Answer::Done);
        assert_eq!(
            (memory.get("x/c"), memory.get("a/b/c"), memory.get("a/b-d")),
            (Some(&b"c"[..]), None, Some(&b"d"[..]))
        );
        assert_eq!(memory.execute(rename("x", "a")), Answer::Failed(FileFailure::Exists));
        assert_eq!(memory.execute(rename("e", "a/b-d")), Answer::Done);
        assert_eq!(memory.get("a/b-d"), Some(&b"e"[..]));
        memory.execute(Verb::Remove { path: "a".to_owned() });
        assert_eq!(names(&mut memory, ""), ["x"]);
    }

    #[test]
    fn a_file_has_one_place_below_the_root_and_no_file_above_it() {
        let mut memory = memory();
        for path in ["", "/x", "x/", "x//y", "./x", "../x", "x/..", "e/x", "a/b"] {
            let error = memory.insert(path.to_owned(), Vec::new()).expect_err(path);
            assert_eq!(error.code(), Code::ARGUMENT, "{path}");
        }
        memory.insert("f/g/h".to_owned(), b"h".to_vec()).unwrap();
        assert_eq!(names(&mut memory, "f"), ["g"]);
        assert_eq!(memory.get("f/g/h"), Some(&b"h"[..]));
    }

    #[test]
    fn a_write_cuts_and_appends_and_needs_its_directory() {
        let mut memory = memory();
        let write = |path: &str, offset| Verb::Write { path: path.to_owned(), offset, data: b"xyz".to_vec() };
        memory.execute(write("e", 1));
        assert_eq!(memory.get("e"), Some(&b"exyz"[..]));
        memory.execute(write("e", 0));
        assert_eq!(memory.get("e"), Some(&b"xyz"[..]));
        assert_eq!(memory.execute(write("nowhere/e", 0)), Answer::Failed(FileFailure::NotFound));
    }
}
