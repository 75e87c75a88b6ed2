//! Tags and manifests on disk: every change is a file of its own, and `index.json` follows.
//!
//! A change is written beside under its generation and synced; from then on it is safe, since a start makes the changes that
//! the index does not have, in their order. What a commit costs does so not depend on how much the registry holds, and no
//! request waits for another. Folding all changes into `index.json` is a second step: the host does it when it has time, and
//! a request when there are too many. The index never names what is not on disk yet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::errors;
use super::layout;
use super::serving::{Event, Next, Stage, broken};
use super::state::{Record, State};
use crate::files::{Answer, Verb};
use crate::oci::Digest;

/// So many changes may lie beside, and one more for four lines of the index, before a request folds them.
const MOST_CHANGES: usize = 256;

#[derive(Default)]
pub(super) struct Commits {
    /// Of the newest change in memory.
    pub(super) generation: u64,
    /// Changes that are on their way to the disk, by their generations.
    under_way: BTreeMap<u64, Change>,
    /// Changes that lie beside on disk.
    beside: BTreeSet<u64>,
    /// Somebody is writing the index.
    folding: bool,
    /// Of the index that was written last.
    pub(super) lines: usize,
    /// Entries of the index that name no repository.
    pub(super) foreign: Vec<Value>,
}

/// What a request changes at once.
struct Change {
    repository: String,
    /// All that is to be so.
    edits: Vec<Edit>,
    /// Those of them that were not so before, and what takes each back.
    made: Vec<(Edit, Edit)>,
}

/// One thing that is so in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Tag { tag: String, to: Option<Digest> },
    Manifest { digest: Digest, to: Option<Record> },
}

impl Edit {
    /// Makes it so, and returns what takes it back.
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

    /// It is so.
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
    let mut made = Vec::new();
    for edit in &edits {
        if !edit.stands(state, repository) {
            made.push((edit.clone(), edit.apply(state, repository)));
        }
    }
    if made.is_empty() && state.commits.under_way.is_empty() {
        return match verbs.is_empty() {
            true => then.resume(state, Event::Files(Answer::Done)),
            false => Next::Files { verbs, stage: then },
        };
    }
    state.commits.generation += 1;
    let generation = state.commits.generation;
    let path = layout::change(generation);
    let known = verbs.len();
    state.need_directory(layout::CHANGES, &mut verbs);
    match verbs.len() > known {
        true => verbs.push_back(Verb::Sync { path: String::new() }),
        false => state.need_names("", &mut verbs),
    }
    verbs.push_back(Verb::Write { path: path.clone(), offset: 0, data: layout::write_change(repository, &edits) });
    verbs.push_back(Verb::Sync { path });
    verbs.push_back(Verb::Sync { path: layout::CHANGES.to_owned() });
    state.commits.under_way.insert(generation, Change { repository: repository.to_owned(), edits, made });
    Next::Files { verbs, stage: Box::new(Write { generation, then }) }
}

/// A change is being written.
struct Write {
    generation: u64,
    then: Box<dyn Stage>,
}

impl Stage for Write {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let Some(change) = state.commits.under_way.remove(&self.generation) else { return broken() };
        let answer = match event {
            Event::Files(_) => {
                settle(state, &change);
                state.commits.beside.insert(self.generation);
                let is_due = state.commits.beside.len() > MOST_CHANGES + state.commits.lines / 4;
                return match is_due && !state.commits.folding {
                    true => fold(state, self.then),
                    false => self.then.resume(state, Event::Files(Answer::Done)),
                };
            }
            Event::Failed(failure) => errors::storage(&failure),
            Event::Body(_) | Event::Broken => {
                take_back(state, self.generation, change);
                return broken();
            }
        };
        take_back(state, self.generation, change);
        Next::after(VecDeque::from([Verb::Remove { path: layout::change(self.generation) }]), answer)
    }
}

/// What is on disk by this change stays, should another fail that made it so first.
fn settle(state: &mut State, change: &Change) {
    for other in state.commits.under_way.values_mut().filter(|other| other.repository == change.repository) {
        other.made.retain(|(edit, _)| !change.edits.contains(edit));
    }
}

/// What was not written is not so in memory either, unless somebody changed it again, or somebody else wants it as well.
fn take_back(state: &mut State, generation: u64, change: Change) {
    for (edit, before) in change.made.into_iter().rev() {
        let stands = edit.stands(state, &change.repository);
        let mut later = state.commits.under_way.range_mut(generation..).map(|(_, later)| later);
        let mut later = later.by_ref().filter(|later| later.repository == change.repository);
        match stands {
            true => match later.find(|later| later.edits.contains(&edit)) {
                Some(heir) => heir.made.push((edit, before)),
                None => drop(before.apply(state, &change.repository)),
            },
            false => {
                if let Some((_, undo)) = later.flat_map(|later| &mut later.made).find(|(_, undo)| *undo == edit) {
                    *undo = before;
                }
            }
        }
    }
}

/// Writes all changes that are on disk to `index.json`, if there are any and nobody is at it.
pub(super) fn tidy(state: &mut State) -> Option<Next> {
    struct Nothing;
    impl Stage for Nothing {
        fn resume(self: Box<Self>, _: &mut State, _: Event) -> Next {
            broken()
        }
    }
    let is_due = !state.commits.beside.is_empty() && !state.commits.folding;
    is_due.then(|| fold(state, Box::new(Nothing)))
}

/// Writes the index without what is under way, then removes the changes that it has.
fn fold(state: &mut State, then: Box<dyn Stage>) -> Next {
    state.commits.folding = true;
    let under_way = std::mem::take(&mut state.commits.under_way);
    let mut undone = Vec::new();
    for change in under_way.values().rev() {
        for (edit, before) in change.made.iter().rev() {
            if edit.stands(state, &change.repository) {
                before.apply(state, &change.repository);
                undone.push((edit, &change.repository));
            }
        }
    }
    let oldest = under_way.keys().next();
    let generation = oldest.map_or(state.commits.generation, |oldest| oldest.saturating_sub(1));
    let (data, lines) = layout::write_index(&state.repositories, &state.commits.foreign, generation);
    for (edit, repository) in undone.into_iter().rev() {
        edit.apply(state, repository);
    }
    (state.commits.under_way, state.commits.lines) = (under_way, lines);
    let mut verbs = VecDeque::new();
    state.need_directory(layout::UPLOADS, &mut verbs);
    layout::replace_index(data).into_iter().for_each(|verb| verbs.push_back(verb));
    Next::Files { verbs, stage: Box::new(Fold { generation, then }) }
}

/// The index is being written.
struct Fold {
    generation: u64,
    then: Box<dyn Stage>,
}

impl Stage for Fold {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        state.commits.folding = false;
        let verbs: VecDeque<Verb> = match event {
            Event::Files(_) => {
                let newer = state.commits.beside.split_off(&self.generation.saturating_add(1));
                let folded = std::mem::replace(&mut state.commits.beside, newer);
                folded.into_iter().map(|generation| Verb::Remove { path: layout::change(generation) }).collect()
            }
            // The changes are safe where they lie.
            Event::Failed(_) => VecDeque::from([Verb::Remove { path: layout::NEXT_INDEX.to_owned() }]),
            Event::Body(_) | Event::Broken => return self.then.resume(state, Event::Broken),
        };
        Next::Files { verbs, stage: Box::new(Swept(self.then)) }
    }
}

/// Changes that the index has are being removed; the next start would do it as well.
struct Swept(Box<dyn Stage>);

impl Stage for Swept {
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next {
        let event = if matches!(event, Event::Failed(_)) { Event::Files(Answer::Done) } else { event };
        self.0.resume(state, event)
    }
}
