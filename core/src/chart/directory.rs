//! Loading a chart's directory (Helm 4.3, `pkg/chart/v2/loader/directory.go`). A file machine.

use super::archive::{File, Loader};
use super::walk::{Budget, Keep, below, byte_order_mark};
use super::{Archive, Ignore};
use crate::error::{Code, Error, clip};
use crate::files::{Answer, Entry, EntryKind, Step, Verb};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::order;

/// Reads a chart's directory (the root of its verbs), without what its .helmignore names, into memory.
///
/// The entries of a directory are taken in the order of their names. Helm follows links; here a link that is not ignored
/// is refused, since it may lead anywhere. Size and digest of the result are those of all files' bytes, one after the
/// other.
///
/// ```
/// use chartoci::chart::Directory;
/// use chartoci::files::{Memory, Step};
/// let mut files = Memory::from_iter([("Chart.yaml", "name: web\nversion: 1.0.0"), ("templates/a.yaml", "a: 1")]);
/// let mut directory = Directory::new(&chartoci::Limits::default());
/// let archive = loop {
///     match directory.poll() {
///         Step::Do(verb) => directory.handle(files.execute(verb)),
///         Step::Done(result) => break result?,
///     }
/// };
/// assert_eq!(archive.paths().collect::<Vec<_>>(), ["Chart.yaml", "templates/a.yaml"]);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct Directory {
    limits: Limits,
    ignore: Ignore,
    /// What is still to do, the next thing last.
    tasks: Vec<Task>,
    /// Bytes of the file that is being read, and those of all files before it.
    bytes: Vec<u8>,
    /// Where in `bytes` the file begins that is being read.
    start: usize,
    files: Vec<File>,
    entries: u32,
    /// Bytes of patterns that were held against paths.
    compared: u64,
    failed: Option<Error>,
    /// What was refused and passed over, if that is what is wanted.
    refused: Option<Vec<Error>>,
    /// The files that are ignored, if what is refused is passed over.
    ignored: Vec<String>,
    /// The result's digest is wanted.
    digests: bool,
    /// What errors call it.
    path: Option<String>,
}

#[derive(Debug)]
enum Task {
    List {
        path: String,
    },
    /// The root's entries are known, and its .helmignore is to be read before they are looked at.
    ReadIgnore {
        entries: Vec<Entry>,
    },
    Read {
        path: String,
        size: u64,
        modified: i64,
    },
}

const IGNORE_FILE: &str = ".helmignore";
/// More bytes of patterns are not held against paths: nobody has so many of both.
const MOST_COMPARED: u64 = 1 << 29;
/// Most bytes that are asked for at once.
const PIECE: u64 = 8 << 20;

impl Directory {
    /// Starts.
    pub fn new(limits: &Limits) -> Directory {
        Directory {
            limits: limits.clone(),
            ignore: Ignore::default(),
            tasks: vec![Task::List { path: String::new() }],
            bytes: Vec::new(),
            start: 0,
            files: Vec::new(),
            entries: 0,
            compared: 0,
            failed: None,
            refused: None,
            ignored: Vec::new(),
            digests: true,
            path: None,
        }
    }

    /// Lets errors call the directory by that path.
    ///
    /// ```
    /// use chartoci::chart::Directory;
    /// use chartoci::files::{Memory, Step};
    /// let mut directory = Directory::new(&chartoci::Limits::default()).called("charts/web");
    /// let error = loop {
    ///     match directory.poll() {
    ///         Step::Do(verb) => directory.handle(Memory::new().execute(verb)),
    ///         Step::Done(result) => break result.unwrap_err(),
    ///     }
    /// };
    /// assert!(error.message().contains("charts/web"), "{error}");
    /// ```
    #[must_use]
    pub fn called(mut self, path: &str) -> Directory {
        self.path = Some(path.to_owned());
        self
    }

    /// Leaves out the digest, for those that do not look at it.
    pub(super) fn undigested(limits: &Limits) -> Directory {
        Directory { digests: false, ..Directory::new(limits) }
    }

    /// Passes over what [`Directory::new`] would end at.
    pub(crate) fn lenient(limits: &Limits) -> Directory {
        Directory { refused: Some(Vec::new()), ..Directory::new(limits) }
    }

    /// The paths of the files that .helmignore left out, as far as it left their directories in.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The bytes of all files, the files, and what was passed over.
    pub(crate) fn take(&mut self) -> (Vec<u8>, Vec<File>, Vec<Error>) {
        let mut refused = self.refused.take().unwrap_or_default();
        refused.extend(self.failed.take());
        (std::mem::take(&mut self.bytes), std::mem::take(&mut self.files), refused)
    }

    /// The next verb, until everything was read.
    pub(crate) fn verb(&self) -> Option<Verb> {
        let read = self.bytes.len().saturating_sub(self.start) as u64;
        Some(match self.tasks.last().filter(|_| self.failed.is_none())? {
            Task::List { path } => Verb::List { path: path.clone() },
            Task::ReadIgnore { .. } => Verb::Read { path: IGNORE_FILE.to_owned(), offset: read, limit: PIECE },
            Task::Read { path, size, .. } => {
                // One byte more than the file had: a short answer is its end.
                let limit = size.saturating_sub(read).saturating_add(1).min(PIECE);
                Verb::Read { path: path.clone(), offset: read, limit }
            }
        })
    }

    /// What to do next.
    ///
    /// # Errors
    /// Those of [`Archive::read`], `files.*`, [`Code::IGNORE_PATTERN`].
    pub fn poll(&mut self) -> Step<Archive> {
        let ended = match (&self.failed, self.verb()) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(verb)) => return Step::Do(verb),
            (None, None) => self.load(),
        };
        Step::Done(ended.map_err(|error| self.named(error)))
    }

    /// An error that names the directory, if it has a name.
    pub(super) fn named(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.below(path),
            None => error,
        }
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let Some(task) = self.tasks.pop() else { return };
        if let Err(error) = self.advance(task, answer) {
            self.failed = Some(error);
        }
    }

    fn advance(&mut self, task: Task, answer: Answer) -> Result<(), Error> {
        match (task, answer) {
            (Task::List { path }, Answer::Entries(entries)) => {
                let root = path.is_empty();
                let ignore = entries.iter().find(|entry| root && entry.name == IGNORE_FILE).map(|entry| entry.kind);
                // Helm reads it before all else, and fails.
                if ignore == Some(EntryKind::Directory) && self.refused.is_none() {
                    return Err(
                        Error::new(Code::FILES_IS_DIRECTORY, "a directory stands there").within("path", IGNORE_FILE)
                    );
                }
                if ignore == Some(EntryKind::File) {
                    self.tasks.push(Task::ReadIgnore { entries });
                    return Ok(());
                }
                if root {
                    self.ignore = Ignore::parse("")?;
                }
                self.enter(&path, entries)
            }
            (Task::ReadIgnore { entries }, Answer::Data(data)) => {
                let ended = (data.len() as u64) < PIECE;
                self.keep(&data, IGNORE_FILE)?;
                if !ended {
                    self.tasks.push(Task::ReadIgnore { entries });
                    return Ok(());
                }
                self.ignore = match Ignore::parse(&String::from_utf8_lossy(&self.bytes)) {
                    // Those who pass over it judge the file by themselves.
                    Err(_) if self.refused.is_some() => Ignore::parse("")?,
                    parsed => parsed?,
                };
                self.bytes.clear();
                self.enter("", entries)
            }
            (Task::Read { path, size, modified }, Answer::Data(data)) => {
                let read = (self.bytes.len() - self.start) as u64;
                let ended = (data.len() as u64) < size.saturating_sub(read).saturating_add(1).min(PIECE);
                self.keep(&data, &path)?;
                if !ended {
                    self.tasks.push(Task::Read { path, size, modified });
                    return Ok(());
                }
                let mark = byte_order_mark(&self.bytes[self.start..]);
                self.files.push(File::new(&path, self.start + mark..self.bytes.len(), modified));
                self.start = self.bytes.len();
                Ok(())
            }
            (Task::List { path } | Task::Read { path, .. }, answer) => Err(unreadable(&path, &answer)),
            (Task::ReadIgnore { .. }, answer) => Err(unreadable(IGNORE_FILE, &answer)),
        }
    }

    /// Keeps bytes of a file, if the limits allow it.
    fn keep(&mut self, data: &[u8], path: &str) -> Result<(), Error> {
        let (file, all) = (self.bytes.len() - self.start + data.len(), self.bytes.len() + data.len());
        for (count, limit, code) in [
            (file, self.limits.file.saturating_add(1), Code::LIMIT_FILE),
            (all, self.limits.unpacked, Code::LIMIT_UNPACKED),
        ] {
            if count as u64 >= limit {
                return Err(Error::new(code, "the chart is too large").with("limit", limit).within("path", clip(path)));
            }
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Plans what is to be done about the entries of a directory.
    fn enter(&mut self, directory: &str, mut entries: Vec<Entry>) -> Result<(), Error> {
        order::sort(&mut entries, |a, b| b.name < a.name);
        let weight = self.ignore.weight();
        for entry in entries {
            self.compared = self.compared.saturating_add(weight);
            if self.compared > MOST_COMPARED {
                let message = "there are too many patterns for so many files";
                return Err(Error::new(Code::LIMIT_FILES, message)
                    .with_hint("Write fewer or shorter patterns; one for a directory leaves out all that is in it.")
                    .within("path", IGNORE_FILE));
            }
            let path = if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
            let is_link = entry.kind == EntryKind::Link;
            if self.ignore.matches(&path, entry.kind == EntryKind::Directory)
                || (is_link && self.ignore.matches(&path, true))
            {
                if self.refused.is_some() && entry.kind == EntryKind::File {
                    self.ignored.push(path);
                }
                continue;
            }
            let error = |code: Code| Error::new(code, code.meaning().trim_end_matches('.')).within("path", clip(&path));
            self.entries += 1;
            if self.entries > self.limits.files {
                return Err(error(Code::LIMIT_FILES));
            }
            let refusal = match below(&path) {
                Err(code) => Some(code),
                Ok(cleaned) if entry.name.contains(['/', '\\', '\0']) || cleaned != path => Some(Code::ARCHIVE_NAME),
                Ok(_) if is_link => Some(Code::FILES_LINK),
                Ok(_) if entry.kind == EntryKind::Other => Some(Code::FILES_IRREGULAR),
                Ok(_) => None,
            };
            match (refusal.map(error), &mut self.refused) {
                (Some(error), None) => return Err(error),
                (Some(error), Some(refused)) => refused.push(error),
                (None, _) if entry.kind == EntryKind::Directory => self.tasks.push(Task::List { path }),
                (None, _) => self.tasks.push(Task::Read { path, size: entry.size, modified: entry.modified }),
            }
        }
        Ok(())
    }

    fn load(&mut self) -> Result<Archive, Error> {
        let (bytes, files) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.files));
        if files.is_empty() {
            return Err(Error::new(
                Code::CHART_MISSING,
                "there is no file in the directory, so there is no Chart.yaml",
            ));
        }
        let mut budget = Budget::unpacked(&self.limits);
        let mut loader = Loader::new(&self.limits, Keep::Files);
        for file in files {
            let path = clip(file.path());
            budget.spend_bytes(file.range().len() as u64)?;
            let content = &bytes[file.range()];
            loader.add(file, content, &mut budget).map_err(|error| error.within("path", path))?;
        }
        let (digest, size) = (Digest::of(if self.digests { &bytes } else { &[] }), bytes.len() as u64);
        Ok(loader.finish(bytes, &mut || digest.clone(), size, budget.used)?.of_directory())
    }
}

/// What a host's failure means.
pub(super) fn unreadable(path: &str, answer: &Answer) -> Error {
    let path = if path.is_empty() { "." } else { path };
    let Answer::Failed(failure) = answer else {
        return Error::new(Code::FILES_STORAGE, "the host's answer is of another kind").within("path", clip(path));
    };
    Error::new(failure.code(), failure.to_string()).within("path", clip(path))
}
