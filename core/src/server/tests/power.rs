//! Loss of power: of what was written, only what was synced is certain.

use std::collections::{BTreeMap, BTreeSet};

use super::at_once::random;
use super::*;

/// Files, and how much of them is on disk: bytes once their file is synced, names once their directory is. What was done to
/// names since may be there too, in the order in which it was done, as journals have it.
#[derive(Default)]
struct Disk {
    live: Memory,
    /// The files by their names, and what was written to each, with what of it is certain.
    names: BTreeMap<String, usize>,
    files: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// What was done to names, and whether it is certain.
    journal: Vec<(Change, bool)>,
}

#[derive(Debug)]
enum Change {
    File(String, usize),
    Directory(String),
    Renamed(String, String),
    Removed(String),
}

impl Change {
    fn names(&self) -> Vec<&String> {
        match self {
            Change::File(path, _) | Change::Directory(path) | Change::Removed(path) => vec![path],
            Change::Renamed(from, to) => vec![from, to],
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path and all above it but the root.
fn levels(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).chain([path])
}

impl Disk {
    fn execute(&mut self, verb: Verb) -> Answer {
        let before = self.live.clone();
        let answer = self.live.execute(verb.clone());
        if matches!(answer, Answer::Failed(_)) {
            return answer;
        }
        match verb {
            Verb::Write { path, .. } => {
                let data = self.live.get(&path).unwrap().to_vec();
                let Disk { names, files, journal, .. } = self;
                let file = *names.entry(path.clone()).or_insert_with(|| {
                    files.push(Default::default());
                    journal.push((Change::File(path.clone(), files.len() - 1), false));
                    files.len() - 1
                });
                files[file] = (data, None);
            }
            Verb::Sync { path } => match self.names.get(&path) {
                Some(file) => self.files[*file].1 = Some(self.files[*file].0.clone()),
                None => self.sync_names(&path),
            },
            Verb::MakeDirectory { path } => {
                let known = |level: &str| before.clone().execute(Verb::List { path: level.to_owned() });
                let missing = levels(&path).filter(|level| matches!(known(level), Answer::Failed(_)));
                self.journal.extend(missing.map(|level| (Change::Directory(level.to_owned()), false)));
            }
            Verb::Rename { from, to } => {
                let file = self.names.remove(&from).unwrap();
                self.names.insert(to.clone(), file);
                self.journal.push((Change::Renamed(from, to), false));
            }
            Verb::Remove { path } if self.names.remove(&path).is_some() => {
                self.journal.push((Change::Removed(path), false));
            }
            _ => {}
        }
        answer
    }

    /// What was done to names in this directory is certain, and what was done to the same names before.
    fn sync_names(&mut self, directory: &str) {
        let mut names = BTreeSet::new();
        for (change, certain) in self.journal.iter_mut().rev() {
            let touched = change.names();
            if touched.iter().any(|name| parent(name) == directory || names.contains(*name)) {
                *certain = true;
                names.extend(touched.into_iter().cloned());
            }
        }
    }

    /// What is there when the power is back.
    fn lose_power(&self, below: &mut impl FnMut(u64) -> u64) -> Memory {
        let lucky = below(self.journal.len() as u64 + 1) as usize;
        let (mut names, mut directories) = (BTreeMap::new(), BTreeSet::from([""]));
        let kept = self.journal.iter().enumerate().filter(|(number, (_, certain))| *certain || *number < lucky);
        for (_, (change, _)) in kept {
            match change {
                Change::File(path, file) => drop(names.insert(path.as_str(), *file)),
                Change::Directory(path) => drop(directories.insert(path)),
                Change::Removed(path) => drop(names.remove(path.as_str())),
                Change::Renamed(from, to) => {
                    let file = names.remove(from.as_str()).expect("a file");
                    names.insert(to, file);
                }
            }
        }
        names.retain(|path, _| levels(parent(path)).all(|level| directories.contains(level)));
        let mut bytes = |file: usize| match &self.files[file] {
            (_, Some(certain)) => certain.clone(),
            (written, None) => written[..below(written.len() as u64 + 1) as usize].to_vec(),
        };
        names.into_iter().map(|(path, file)| (path, bytes(file))).collect()
    }
}

/// Lets a request take its next step; what was answered with 201 is told.
fn step(disk: &mut Disk, turns: &mut Vec<Turn>, which: usize) -> Option<String> {
    let response = turns[which].step(|verb| disk.execute(verb))?;
    let turn = turns.remove(which);
    (response.status == 201).then_some(turn.line)
}

/// Brings the index up to date, or begins to.
fn tidy(registry: &Registry, disk: &mut Disk, mut steps: u64) {
    let Some(mut tidy) = registry.tidy() else { return };
    while let Step::Do(verb) = tidy.poll()
        && steps > 0
    {
        tidy.handle(disk.execute(verb));
        steps -= 1;
    }
}

fn restart(disk: &mut Disk) -> Registry {
    let registry = Registry::new(Config::default());
    let mut open = registry.open();
    loop {
        match open.poll() {
            Step::Do(verb) => {
                let answer = disk.execute(verb);
                open.handle(answer);
            }
            Step::Done(result) => {
                result.unwrap();
                return registry;
            }
        }
    }
}

#[test]
fn a_manifest_that_was_acknowledged_survives_a_loss_of_power_with_its_blobs() {
    let mut below = random();
    let (mut survived, mut lost) = (0, 0);
    for round in 0..300 {
        let mut disk = Disk::default();
        let mut registry = restart(&mut disk);
        let (mut turns, mut acknowledged): (Vec<Turn>, Vec<String>) = (Vec::new(), Vec::new());
        for _ in 0..below(250) {
            if turns.len() < 3 {
                let (repository, number) = (["a", "b/c"][below(2) as usize], below(4));
                let config = format!("{{\"{number}\":0}}").into_bytes();
                let (line, body) = match below(2) {
                    0 => (format!("POST /v2/{repository}/blobs/uploads/?digest={}", Digest::of(&config)), config),
                    _ => (format!("PUT /v2/{repository}/manifests/{number}"), manifest(&config)),
                };
                turns.push(Turn::new(&registry, &line, &body));
            }
            let which = below(turns.len() as u64) as usize;
            acknowledged.extend(step(&mut disk, &mut turns, which));
            if below(40) == 0 {
                tidy(&registry, &mut disk, below(20));
            }
            // A process that dies loses nothing of what was written, and knows nothing of what was synced.
            if below(100) == 0 {
                turns.clear();
                registry = restart(&mut disk);
            }
        }
        drop(turns);
        let mut files = disk.lose_power(&mut below);
        let registry = Registry::new(Config::default());
        open_in_memory(&registry, &mut files).unwrap();
        let mut peer = Peer { registry, files, now: Instant::default() };
        for repository in ["a", "b/c"] {
            for number in 0..4 {
                let config = format!("{{\"{number}\":0}}").into_bytes();
                let target = format!("/v2/{repository}/manifests/{number}");
                let (response, body) = peer.ask(&format!("GET {target}"), &[], b"");
                let is_acknowledged = acknowledged.contains(&format!("PUT {target}"));
                assert!(response.status == 200 || !is_acknowledged, "round {round}: {target} is lost");
                assert!(response.status != 200 || body == manifest(&config), "round {round}: {target}");
                let (blob, data) = peer.ask(&format!("GET /v2/{repository}/blobs/{}", Digest::of(&config)), &[], b"");
                assert!(blob.status == 200 || !is_acknowledged, "round {round}: the config of {target} is lost");
                assert!(blob.status != 200 || data == config, "round {round}: the config of {target} is torn");
                survived += usize::from(is_acknowledged);
                lost += usize::from(response.status != 200);
            }
        }
        let left: Vec<_> = peer
            .files
            .iter()
            .filter(|(path, _)| path.starts_with("uploads/") || path.starts_with("changes/"))
            .collect();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
    assert!(survived > 100 && lost > 100, "{survived} {lost}");
}
