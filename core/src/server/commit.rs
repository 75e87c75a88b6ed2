//! Tags and manifests on disk: every change writes a snapshot of the index.
//!
//! A snapshot is written beside under its generation and synced; from then on the change is safe, since a start takes the
//! newest snapshot there is. Moving it to `index.json` is a second step that one request at a time takes, for itself and
//! for those that came meanwhile; so no request waits for another, and no older index replaces a newer one.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::errors;
use super::layout;
use super::serving::{Event, Next, Stage, broken};
use super::state::{Record, State};
use crate::files::{Answer, Verb};
use crate::oci::Digest;

#[derive(Default)]
pub(super) struct Commits {
    /// Of what is in memory.
    pub(super) generation: u64,
    /// Of the newest snapshot that is on disk.
    pub(super) settled: u64,
    /// Of the snapshot that `index.json` is.
    pub(super) moved: u64,
    /// Snapshots on disk that lie beside.
    beside: BTreeSet<u64>,
    /// Somebody is moving a snapshot to `index.json`.
    moving: bool,
    /// Entries of the index that name no repository.
    pub(super) foreign: Vec<Value>,
}

/// A change to a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Tag { tag: String, to: Option<Digest> },
    Manifest { digest: Digest, to: Option<Record> },
}

impl Edit {
    /// Makes the change, and returns the one that takes it back.
    fn apply(&self, state: &mut State, repository: &str) -> Edit {
        let repository = state.repositories.entry(repository.to_owned()).or_default();
        match self {
            Edit::Tag { tag, to } => {
                let before = match to {
                    Some(digest) => repository.tags.insert(tag.clone(), digest.clone()),
                    None => repository.tags.remove(tag),
                };
                Edit::Tag { tag: tag.clone(), to: before }
            }
            Edit::Manifest { digest, to } => {
                let before = match to {
                    Some(record) => repository.manifests.insert(digest.clone(), record.clone()),
                    None => repository.manifests.remove(digest),
                };
                Edit::Manifest { digest: digest.clone(), to: before }
            }
        }
    }

    /// The change still stands.
    fn stands(&self, state: &State, repository: &str) -> bool {
        let repository = state.repository(repository);
        match self {
            Edit::Tag { tag, to } => repository.and_then(|repository| repository.tags.get(tag)) == to.as_ref(),
            Edit::Manifest { digest, to } => {
                repository.and_then(|repository| repository.manifests.get(digest)) == to.as_ref()
            }
        }
    }
}

/// Makes the changes; the stage goes on when they are on disk, with the blobs that they rely on.
pub(super) fn commit(
    state: &mut State,
    repository: &str,
    edits: Vec<Edit>,
    blobs: &[Digest],
    then: Box<dyn Stage>,
) -> Next {
    let mut verbs = VecDeque::new();
    for digest in blobs {
        state.need_names(&layout::blobs(digest.algorithm()), &mut verbs);
        state.need_names(&layout::membership(repository, digest).0, &mut verbs);
    }
    let mut changes = Vec::new();
    for edit in edits {
        if !edit.stands(state, repository) {
            let inverse = edit.apply(state, repository);
            changes.push((edit, inverse));
        }
    }
    if changes.is_empty() && state.commits.settled == state.commits.generation {
        return match verbs.is_empty() {
            true => then.resume(state, Event::Files(Answer::Done)),
            false => Next::Files { verbs, stage: then },
        };
    }
    state.commits.generation += 1;
    let generation = state.commits.generation;
    let data = layout::write_index(&state.repositories, &state.commits.foreign, generation);
    let path = layout::snapshot(generation);
    let known = verbs.len();
    state.need_directory(layout::UPLOADS, &mut verbs);
    match verbs.len() > known {
        true => verbs.push_back(Verb::Sync { path: String::new() }),
        false => state.need_names("", &mut verbs),
    }
    verbs.push_back(Verb::Write { path: path.clone(), offset: 0, data });
    verbs.push_back(Verb::Sync { path });
    verbs.push_back(Verb::Sync { path: layout::UPLOADS.to_owned() });
    Next::Files { verbs, stage: Box::new(Write { repository: repository.to_owned(), changes, generation, then }) }
}

/// The snapshot is being written.
struct Write {
    repository: String,
    changes: Vec<(Edit, Edit)>,
    generation: u64,
    then: Box<dyn Stage>,
}

impl Stage for Write {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let answer = match event {
            Event::Files(_) => {
                state.commits.settled = state.commits.settled.max(self.generation);
                state.commits.beside.insert(self.generation);
                return sweep(state, self.then);
            }
            Event::Failed(failure) => errors::storage(&failure),
            Event::Body(_) | Event::Broken => return self.take_back(state, broken()),
        };
        let remove = Verb::Remove { path: layout::snapshot(self.generation) };
        self.take_back(state, Next::after(VecDeque::from([remove]), answer))
    }
}

impl Write {
    /// What was not written is not so in memory either, unless somebody changed it again.
    fn take_back(self, state: &mut State, next: Next) -> Next {
        for (edit, inverse) in self.changes.iter().rev() {
            if edit.stands(state, &self.repository) {
                inverse.apply(state, &self.repository);
            }
        }
        state.commits.generation += 1;
        next
    }
}

/// Removes the snapshots beside that `index.json` has overtaken, for it has their changes too; then moves the newest.
fn sweep(state: &mut State, then: Box<dyn Stage>) -> Next {
    let newer = state.commits.beside.split_off(&(state.commits.moved + 1));
    let older = std::mem::replace(&mut state.commits.beside, newer);
    let verbs: VecDeque<Verb> =
        older.into_iter().map(|generation| Verb::Remove { path: layout::snapshot(generation) }).collect();
    match verbs.is_empty() {
        true => next_move(state, then),
        false => Next::Files { verbs, stage: Box::new(Swept(then)) },
    }
}

/// Moves the newest snapshot that lies beside to `index.json`, unless somebody is at it.
fn next_move(state: &mut State, then: Box<dyn Stage>) -> Next {
    let commits = &mut state.commits;
    let newest = commits.beside.last().copied().filter(|newest| *newest > commits.moved && !commits.moving);
    let Some(newest) = newest else { return then.resume(state, Event::Files(Answer::Done)) };
    commits.moving = true;
    let rename = Verb::Rename { from: layout::snapshot(newest), to: layout::INDEX.to_owned() };
    Next::Files { verbs: VecDeque::from([rename]), stage: Box::new(Move { generation: newest, then }) }
}

/// A snapshot is being moved to `index.json`.
struct Move {
    generation: u64,
    then: Box<dyn Stage>,
}

impl Stage for Move {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        state.commits.moving = false;
        // If it went wrong the snapshot is safe where it lies, and the next one replaces both.
        state.commits.beside.remove(&self.generation);
        match event {
            Event::Files(_) => {
                state.commits.moved = self.generation;
                sweep(state, self.then)
            }
            Event::Failed(failure) => Next::Answer(errors::storage(&failure)),
            Event::Body(_) | Event::Broken => broken(),
        }
    }
}

/// Snapshots that were overtaken are being removed; the next start would do it as well.
struct Swept(Box<dyn Stage>);

impl Stage for Swept {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        match event {
            Event::Body(_) | Event::Broken => broken(),
            Event::Files(_) | Event::Failed(_) => next_move(state, self.0),
        }
    }
}
