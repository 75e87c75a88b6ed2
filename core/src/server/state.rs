//! What a registry knows. What is in memory is the truth; files follow it, and an answer waits for them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::commit::Commits;
use super::{Config, layout};
use crate::files::Verb;
use crate::oci::{Digest, Digester};
use crate::time::{Duration, Instant};

/// Uploads that may be open at once; the one that was idle longest makes room for the next.
const MOST_UPLOADS: usize = 1024;
/// An upload that nobody went on with for so long is given up when the next one opens.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(super) struct State {
    pub(super) config: Config,
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Every finished file below `blobs/`, with its size.
    pub(super) blobs: BTreeMap<Digest, u64>,
    /// Files on their way to `blobs/`: they must not be removed.
    pub(super) arriving: BTreeMap<Digest, u32>,
    /// Files on their way out of `blobs/`: nothing may rely on them.
    pub(super) leaving: BTreeSet<Digest>,
    pub(super) uploads: BTreeMap<String, Upload>,
    pub(super) commits: Commits,
    /// Directories that this registry has seen or made.
    directories: BTreeMap<String, Directory>,
    counter: u64,
}

/// A repository: what may be pulled from it by its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Repository {
    pub(super) tags: BTreeMap<String, Digest>,
    pub(super) manifests: BTreeMap<Digest, Record>,
    pub(super) blobs: BTreeSet<Digest>,
}

/// What is known of a manifest without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) media_type: String,
    pub(super) size: u64,
    /// What a list of referrers says of it; nothing if it refers to nothing.
    pub(super) referrer: Option<Referrer>,
}

/// A manifest with a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Referrer {
    pub(super) subject: Digest,
    pub(super) artifact_type: Option<String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// A blob that is being uploaded: its bytes so far are in `uploads/ID`.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) repository: String,
    pub(super) digester: Digester,
    pub(super) size: u64,
    /// A request is at work on it.
    pub(super) busy: bool,
    pub(super) touched: Instant,
}

/// How much of a directory is on disk. What was never changed by this registry need not be looked after.
#[derive(Debug)]
struct Directory {
    /// It need not be made.
    is_there: bool,
    /// How often its names changed.
    changes: u64,
    /// How many of these changes are on disk.
    synced: u64,
}

impl State {
    pub(super) fn new(config: Config) -> State {
        State { config, ..State::default() }
    }

    /// A number that this registry never gave before, under its seed.
    pub(super) fn next_id(&mut self, purpose: &str) -> String {
        self.counter = self.counter.saturating_add(1);
        let text = format!("{purpose} {} {}", self.config.seed, self.counter);
        Digest::of(text.as_bytes()).hex()[..32].to_owned()
    }

    /// Adds what it takes for a directory to be there.
    pub(super) fn need_directory(&self, path: &str, verbs: &mut VecDeque<Verb>) {
        if !self.directories.get(path).is_some_and(|directory| directory.is_there) {
            verbs.push_back(Verb::MakeDirectory { path: path.to_owned() });
        }
    }

    /// Adds what it takes for the names in a directory, and its own name, to be on disk.
    pub(super) fn need_names(&self, path: &str, verbs: &mut VecDeque<Verb>) {
        for level in levels(path) {
            let changed = self.directories.get(level).is_some_and(|directory| directory.synced < directory.changes);
            let sync = Verb::Sync { path: level.to_owned() };
            if changed && !verbs.contains(&sync) {
                verbs.push_back(sync);
            }
        }
    }

    /// A directory is there, and nobody knows how much of it is on disk.
    pub(super) fn found_directory(&mut self, path: &str) {
        levels(path).for_each(|level| self.changed(level));
    }

    fn changed(&mut self, path: &str) {
        let fresh = Directory { is_there: true, changes: 0, synced: 0 };
        let directory = self.directories.entry(path.to_owned()).or_insert(fresh);
        (directory.is_there, directory.changes) = (true, directory.changes.saturating_add(1));
    }

    /// What a verb, if it is done, will have made of a directory.
    pub(super) fn effect(&self, verb: &Verb) -> Effect {
        let parent = |path: &str| path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        match verb {
            Verb::MakeDirectory { path } => Effect::Made(path.clone()),
            // Who writes the index syncs its name.
            Verb::Rename { to, .. } if to == layout::INDEX => Effect::None,
            Verb::Rename { to: path, .. } | Verb::Write { path, .. } => Effect::Named(parent(path)),
            Verb::Sync { path } => match self.directories.get(path) {
                Some(directory) => Effect::Synced(path.clone(), directory.changes),
                None => Effect::None,
            },
            _ => Effect::None,
        }
    }

    /// The verb was done.
    pub(super) fn done(&mut self, effect: Effect) {
        match effect {
            Effect::Made(path) => self.found_directory(&path),
            Effect::Named(path) => self.changed(&path),
            Effect::Synced(path, changes) => {
                if let Some(directory) = self.directories.get_mut(&path) {
                    directory.synced = directory.synced.max(changes);
                }
            }
            Effect::None => {}
        }
    }

    /// A verb failed: nothing is taken for granted any more.
    pub(super) fn distrust_directories(&mut self) {
        for directory in self.directories.values_mut() {
            (directory.is_there, directory.synced) = (false, 0);
        }
    }

    /// The repository, if anything is in it.
    pub(super) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// Some repository has these bytes, as a blob or a manifest.
    pub(super) fn is_held(&self, digest: &Digest) -> bool {
        self.repositories
            .values()
            .any(|repository| repository.blobs.contains(digest) || repository.manifests.contains_key(digest))
    }

    /// The repository has the blob, with this size.
    pub(super) fn blob(&self, repository: &str, digest: &Digest) -> Option<u64> {
        self.repository(repository).filter(|repository| repository.blobs.contains(digest))?;
        self.blobs.get(digest).copied()
    }

    /// Opens an upload; where there are too many, or nobody went on with one, the one that was idle longest is dropped.
    pub(super) fn open_upload(
        &mut self,
        repository: &str,
        digester: Digester,
        now: Instant,
        verbs: &mut VecDeque<Verb>,
    ) -> String {
        let idle = self.uploads.iter().filter(|(_, upload)| !upload.busy);
        let idlest = idle.min_by_key(|(_, upload)| upload.touched).map(|(id, upload)| (id.clone(), upload.touched));
        if let Some((id, touched)) = idlest
            && (self.uploads.len() >= MOST_UPLOADS || touched + PATIENCE <= now)
        {
            self.uploads.remove(&id);
            verbs.push_back(Verb::Remove { path: layout::upload(&id) });
        }
        self.need_directory(layout::UPLOADS, verbs);
        let id = self.next_id("upload");
        let upload = Upload { repository: repository.to_owned(), digester, size: 0, busy: false, touched: now };
        self.uploads.insert(id.clone(), upload);
        id
    }
}

/// What a verb makes of a directory.
#[derive(Debug)]
pub(super) enum Effect {
    /// It, and what stands above it, is there.
    Made(String),
    /// A name in it changed.
    Named(String),
    /// So many changes of it, counted when the verb began, are on disk.
    Synced(String, u64),
    None,
}

/// A directory and those above it, from the root on.
pub(super) fn levels(path: &str) -> impl Iterator<Item = &str> {
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    [""].into_iter().chain(above).chain(Some(path).filter(|path| !path.is_empty()))
}
