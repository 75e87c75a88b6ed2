//! The start: what a directory holds becomes what the registry knows, and what a crash left behind is swept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use super::layout::{self, Entry, Index};
use super::manifests::Document;
use super::serving::lock;
use super::state::{Repository, State, levels};
use crate::error::{Code, Error};
use crate::files::{Answer, EntryKind, FileFailure, Step, Verb};
use crate::oci::{Algorithm, Digest};

/// The largest `index.json` that is read, in bytes: some 400,000 tags.
const MOST_INDEX: u64 = 128 << 20;

/// Reads a registry's directory. Each verb is done, and its answer handed back, before the next poll.
///
/// ```
/// use chartoci::files::{Memory, Step};
/// use chartoci::server::{Config, Open, Registry};
/// let registry = Registry::new(Config::default());
/// let mut files = Memory::new();
/// let mut open: Open = registry.open();
/// let opened = loop {
///     match open.poll() {
///         Step::Do(verb) => open.handle(files.execute(verb)),
///         Step::Done(result) => break result,
///     }
/// };
/// assert!(opened.is_ok() && files.get("index.json").is_some());
/// ```
pub struct Open {
    state: Arc<Mutex<State>>,
    tasks: VecDeque<(Task, Verb)>,
    current: Option<Task>,
    phase: Phase,
    error: Option<Error>,
    found: Found,
}

/// What a verb was for.
#[derive(Debug)]
enum Task {
    Root,
    Mark,
    Index,
    Uploads,
    Changes,
    Change(u64),
    Blobs(Algorithm),
    Repositories(String),
    Manifest(Entry),
    /// Its answer matters only if it failed.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Listing,
    Manifests,
    Sweeping,
    Done,
}

#[derive(Default)]
struct Found {
    index: Option<Index>,
    /// By their generations.
    changes: BTreeMap<u64, Vec<u8>>,
    /// The index has changes that are not in its file.
    is_changed: bool,
    sweep: Vec<String>,
    blobs: BTreeMap<Digest, u64>,
    /// A crash may have come before the names in them were on disk.
    directories: Vec<String>,
    members: BTreeSet<(String, Digest)>,
    /// Members that have no mark yet.
    adopted: BTreeSet<(String, Digest)>,
    /// Repositories that have marks of their own.
    marked: BTreeSet<String>,
    repositories: BTreeMap<String, Repository>,
    foreign: Vec<serde_json::Value>,
}

impl Open {
    pub(super) fn new(state: Arc<Mutex<State>>) -> Open {
        let tasks = VecDeque::from([(Task::Root, Verb::List { path: String::new() })]);
        Open { state, tasks, current: None, phase: Phase::Listing, error: None, found: Found::default() }
    }

    /// What to do next.
    ///
    /// # Errors
    /// [`Code::SERVER_NOT_A_LAYOUT`]: the directory holds something else; [`Code::SERVER_STORAGE`]: it cannot be read or
    /// written.
    pub fn poll(&mut self) -> Step<()> {
        if let Some(error) = self.error.take() {
            self.phase = Phase::Done;
            return Step::Done(Err(error));
        }
        loop {
            if let Some((task, verb)) = self.tasks.pop_front() {
                self.current = Some(task);
                return Step::Do(verb);
            }
            match self.phase {
                Phase::Listing => self.read_manifests(),
                Phase::Manifests => self.sweep(),
                Phase::Sweeping => self.install(),
                Phase::Done => return Step::Done(Ok(())),
            }
        }
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let Some(task) = self.current.take() else { return };
        if let Err(error) = self.take(task, answer) {
            self.tasks.clear();
            self.error = Some(error);
        }
    }

    fn take(&mut self, task: Task, answer: Answer) -> Result<(), Error> {
        match (task, answer) {
            (Task::Root, Answer::Entries(entries)) if entries.is_empty() => self.found_new(),
            (Task::Root, Answer::Failed(FileFailure::NotFound)) => self.found_new(),
            (Task::Root, Answer::Entries(entries)) => return self.root(&entries),
            (Task::Mark, Answer::Data(data)) => return mark(&data),
            (Task::Index, Answer::Data(data)) => match layout::read_index(&data) {
                Some(index) => self.found.index = Some(index),
                None => return Err(not_a_layout("index.json is no image index")),
            },
            (Task::Changes, Answer::Entries(entries)) => {
                self.found.directories.push(layout::CHANGES.to_owned());
                for generation in entries.iter().filter_map(|entry| layout::change_generation(&entry.name)) {
                    let verb = Verb::Read { path: layout::change(generation), offset: 0, limit: MOST_INDEX };
                    self.plan(Task::Change(generation), verb);
                }
            }
            (Task::Change(generation), Answer::Data(data)) => drop(self.found.changes.insert(generation, data)),
            (Task::Uploads, Answer::Entries(entries)) => {
                self.found.directories.push(layout::UPLOADS.to_owned());
                self.uploads(&entries);
            }
            (Task::Blobs(algorithm), Answer::Entries(entries)) => {
                self.found.directories.push(layout::blobs(algorithm));
                let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
                self.found.blobs.extend(files.filter_map(|entry| {
                    let digest = Digest::parse(&format!("{}:{}", algorithm.as_str(), entry.name)).ok()?;
                    Some((digest, entry.size))
                }));
            }
            (Task::Repositories(path), Answer::Entries(entries)) => self.repositories(&path, &entries),
            (Task::Manifest(entry), Answer::Data(data)) => self.manifest(entry, &data),
            (Task::Manifest(entry), Answer::Failed(FileFailure::NotFound)) => self.found.foreign.push(entry.line),
            (Task::Index | Task::Blobs(_) | Task::Repositories(_), Answer::Failed(FileFailure::NotFound)) => {}
            (_, Answer::Failed(failure)) => return Err(storage(&failure)),
            _ => {}
        }
        Ok(())
    }

    fn plan(&mut self, task: Task, verb: Verb) {
        self.tasks.push_back((task, verb));
    }

    /// An empty directory becomes a layout; its mark comes first, so that a crash leaves nothing that is not ours.
    fn found_new(&mut self) {
        let write = |path: &str, data: &[u8]| Verb::Write { path: path.to_owned(), offset: 0, data: data.to_vec() };
        self.plan(Task::Plain, write(layout::MARK, layout::MARK_CONTENT));
        self.plan(Task::Plain, Verb::Sync { path: layout::MARK.to_owned() });
        self.plan(Task::Plain, Verb::MakeDirectory { path: layout::BLOBS.to_owned() });
        self.plan(Task::Plain, write(layout::INDEX, &layout::write_index(&BTreeMap::new(), &[], 0).0));
        self.plan(Task::Plain, Verb::Sync { path: layout::INDEX.to_owned() });
        self.plan(Task::Plain, Verb::Sync { path: String::new() });
    }

    fn root(&mut self, entries: &[crate::files::Entry]) -> Result<(), Error> {
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        if !has(layout::MARK) {
            return Err(not_a_layout("the directory is neither empty nor an OCI image layout"));
        }
        let list = |path: &str| Verb::List { path: path.to_owned() };
        let read = |path: &str, limit| Verb::Read { path: path.to_owned(), offset: 0, limit };
        self.plan(Task::Mark, read(layout::MARK, 4096));
        self.plan(Task::Index, read(layout::INDEX, MOST_INDEX));
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            self.plan(Task::Blobs(algorithm), list(&layout::blobs(algorithm)));
        }
        if has(layout::UPLOADS) {
            self.plan(Task::Uploads, list(layout::UPLOADS));
        }
        if has(layout::CHANGES) {
            self.plan(Task::Changes, list(layout::CHANGES));
        }
        if has(layout::REPOSITORIES) {
            self.plan(Task::Repositories(String::new()), list(layout::REPOSITORIES));
        }
        Ok(())
    }

    fn uploads(&mut self, entries: &[crate::files::Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::File) {
            let path = layout::upload(&entry.name);
            if path == layout::NEXT_INDEX || entry.name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.found.sweep.push(path);
            }
        }
    }

    fn repositories(&mut self, path: &str, entries: &[crate::files::Entry]) {
        let directory = if path.is_empty() { String::new() } else { format!("/{path}") };
        self.found.directories.push(format!("{}{directory}", layout::REPOSITORIES));
        for entry in entries {
            let below = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
            match entry.kind {
                EntryKind::Directory => {
                    let verb = Verb::List { path: format!("{}/{below}", layout::REPOSITORIES) };
                    self.plan(Task::Repositories(below), verb);
                }
                EntryKind::File => {
                    if let Some((repository, digest)) = layout::member(&below) {
                        self.found.marked.insert(repository.to_owned());
                        self.found.members.insert((repository.to_owned(), digest));
                    }
                }
                EntryKind::Link | EntryKind::Other => {}
            }
        }
    }

    /// Of the index that was chosen; 0 if another program wrote it.
    fn generation(&self) -> u64 {
        self.found.index.as_ref().map_or(0, |index| index.generation)
    }

    fn read_manifests(&mut self) {
        self.phase = Phase::Manifests;
        let changes = std::mem::take(&mut self.found.changes);
        self.found.sweep.extend(changes.keys().map(|generation| layout::change(*generation)));
        if self.found.index.is_none() && changes.is_empty() {
            return;
        }
        let index = self.found.index.get_or_insert_default();
        for (generation, data) in changes.range(index.generation.saturating_add(1)..) {
            if index.change(data).is_some() {
                (index.generation, self.found.is_changed) = (*generation, true);
            }
        }
        self.found.foreign = std::mem::take(&mut index.foreign);
        let limit = lock(&self.state).config.limits.manifest;
        for entry in std::mem::take(&mut index.entries).into_values() {
            let verb = Verb::Read { path: layout::blob(&entry.digest), offset: 0, limit };
            self.tasks.push_back((Task::Manifest(entry), verb));
        }
    }

    /// A manifest that is not what the index says stays in the index, and is not served.
    fn manifest(&mut self, entry: Entry, data: &[u8]) {
        let whole = Digest::with(entry.digest.algorithm(), data) == entry.digest;
        let Some(document) = Document::parse(data).ok().filter(|_| whole) else {
            self.found.foreign.push(entry.line);
            return;
        };
        // An index that another program wrote knows no marks: what its manifests name is in their repository.
        if self.generation() == 0 && !self.found.marked.contains(&entry.repository) {
            self.found.adopted.extend(document.blobs().map(|digest| (entry.repository.clone(), digest)));
        }
        let repository = self.found.repositories.entry(entry.repository).or_default();
        repository.tags.extend(entry.tag.map(|tag| (tag, entry.digest.clone())));
        repository.manifests.insert(entry.digest, document.record(entry.media_type, data.len() as u64));
    }

    /// Marks what another program's manifests name: the next index is ours, and knows nothing without marks.
    fn adopt(&mut self) {
        let mut directories = BTreeSet::new();
        for (repository, digest) in std::mem::take(&mut self.found.adopted) {
            if self.found.blobs.contains_key(&digest) {
                let (directory, mark) = layout::membership(&repository, &digest);
                self.plan(Task::Plain, Verb::MakeDirectory { path: directory.clone() });
                self.plan(Task::Plain, Verb::Write { path: mark, offset: 0, data: Vec::new() });
                directories.insert(directory);
                self.found.members.insert((repository, digest));
            }
        }
        let names: BTreeSet<&str> = directories.iter().flat_map(|directory| levels(directory)).collect();
        for path in names {
            self.tasks.push_back((Task::Plain, Verb::Sync { path: path.to_owned() }));
        }
    }

    fn sweep(&mut self) {
        self.phase = Phase::Sweeping;
        let generation = self.generation();
        self.adopt();
        // What a crash kept from being a member, or from being removed. Where others write too, nothing is certain.
        if generation > 0 && self.found.foreign.is_empty() {
            let members: BTreeSet<&Digest> = self.found.members.iter().map(|(_, digest)| digest).collect();
            let manifests = self.found.repositories.values().flat_map(|repository| repository.manifests.keys());
            let known: BTreeSet<&Digest> = manifests.chain(members).collect();
            let loose: Vec<Digest> =
                self.found.blobs.keys().filter(|digest| !known.contains(digest)).cloned().collect();
            for digest in loose {
                self.found.blobs.remove(&digest);
                self.found.sweep.push(layout::blob(&digest));
            }
        }
        if self.found.is_changed {
            let Found { repositories, foreign, .. } = &self.found;
            let (data, _) = layout::write_index(repositories, foreign, generation);
            self.plan(Task::Plain, Verb::MakeDirectory { path: layout::UPLOADS.to_owned() });
            layout::replace_index(data).into_iter().for_each(|verb| self.plan(Task::Plain, verb));
        }
        for path in std::mem::take(&mut self.found.sweep) {
            self.plan(Task::Plain, Verb::Remove { path });
        }
    }

    fn install(&mut self) {
        self.phase = Phase::Done;
        let generation = self.generation();
        let Found { blobs, directories, members, mut repositories, foreign, .. } = std::mem::take(&mut self.found);
        for (name, digest) in members {
            if blobs.contains_key(&digest) {
                repositories.entry(name).or_default().blobs.insert(digest);
            }
        }
        let state = &mut *lock(&self.state);
        state.commits.generation = generation;
        state.commits.lines = foreign.len()
            + repositories.values().map(|known| known.tags.len().max(known.manifests.len())).sum::<usize>();
        state.commits.foreign = foreign;
        directories.iter().for_each(|path| state.found_directory(path));
        state.repositories = repositories;
        state.blobs = blobs;
    }
}

fn mark(data: &[u8]) -> Result<(), Error> {
    let version = serde_json::from_slice::<serde_json::Value>(data).ok();
    match version.as_ref().and_then(|mark| mark.get("imageLayoutVersion")?.as_str()) {
        Some("1.0.0") => Ok(()),
        _ => Err(not_a_layout("oci-layout does not say imageLayoutVersion 1.0.0")),
    }
}

fn not_a_layout(why: &str) -> Error {
    Error::new(Code::SERVER_NOT_A_LAYOUT, why)
}

fn storage(failure: &FileFailure) -> Error {
    let why = match failure {
        FileFailure::Other(why) => why.clone(),
        known => format!("{known:?}"),
    };
    Error::new(Code::SERVER_STORAGE, format!("the registry's directory cannot be used: {why}")).with("failure", why)
}
