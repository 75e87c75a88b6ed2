//! Unpacking an archive into a directory (`helm pull --untar`), beside and then renamed. A file machine.

use std::collections::{BTreeMap, VecDeque};

use super::Archive;
use super::directory::unreadable;
use crate::error::{Code, Error, clip};
use crate::files::{Answer, FileFailure, Step, Verb};
use crate::order;

/// Writes `<chart name>/…` below the root of its verbs.
///
/// All is written below a temporary name first, then renamed: under its final name the chart is whole, or not there. A
/// chart that is there already is left alone. Where anything fails, the temporary name is removed.
///
/// Names that some system cannot hold are refused before anything is written: those that Windows reserves, control
/// characters, two that differ in case or in the form of their accents alone.
///
/// ```
/// use chartoci::chart::{Archive, extract::Extract, package::Options, package_in_memory};
/// use chartoci::files::{Memory, Step};
/// use chartoci::Limits;
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
///
/// let mut extract = Extract::new(Archive::read(&data, &Limits::default())?, 1);
/// let mut disk = Memory::new();
/// let directory = loop {
///     match extract.poll() {
///         Step::Do(verb) => extract.handle(disk.execute(verb)),
///         Step::Done(result) => break result?,
///     }
/// };
/// assert_eq!(directory, "web");
/// assert_eq!(disk.iter().map(|(path, _)| path).collect::<Vec<_>>(), ["web/Chart.yaml"]);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct Extract {
    archive: Archive,
    /// Of the chart, and of the directory that it becomes.
    name: String,
    temporary: String,
    /// Indices of the files that are still to be written, the next one first.
    files: VecDeque<usize>,
    directories: VecDeque<String>,
    /// What errors call the root.
    path: Option<String>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Looks whether the chart is there already.
    Look,
    MakeDirectories,
    WriteFiles,
    Rename,
    /// Cleans up after a failure.
    Remove(Error),
    Over(Result<String, Error>),
}

impl Extract {
    /// Starts. `nonce` makes the temporary name unique.
    pub fn new(archive: Archive, nonce: u64) -> Extract {
        let name = archive.metadata().name.clone();
        let temporary = format!(".{nonce:016x}.untar");
        let mut directories = VecDeque::from([temporary.clone()]);
        directories.extend(folders(&archive).iter().map(|folder| format!("{temporary}/{folder}")));
        let stage = match check_names(&archive) {
            Ok(()) => Stage::Look,
            Err(error) => Stage::Over(Err(error)),
        };
        Extract {
            files: (0..archive.paths().count()).collect(),
            archive,
            name,
            temporary,
            directories,
            path: None,
            stage,
        }
    }

    /// Errors about files call the root by that path, and what lies in it by paths below it.
    ///
    /// ```
    /// use chartoci::chart::{Archive, extract::Extract, package::Options, package_in_memory};
    /// use chartoci::files::{Answer, FileFailure, Memory, Step};
    /// # let limits = chartoci::Limits::default();
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let mut extract = Extract::new(Archive::read(&data, &limits)?, 1).called("charts");
    /// extract.handle(Answer::Failed(FileFailure::Denied));
    /// let Step::Done(Err(error)) = extract.poll() else { panic!() };
    /// assert_eq!(error.context(), [("path", "charts".to_owned())]);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    #[must_use]
    pub fn called(self, path: &str) -> Extract {
        Extract { path: Some(path.to_owned()), ..self }
    }

    fn unreadable(&self, path: &str, answer: &Answer) -> Error {
        let error = unreadable(path, answer);
        match &self.path {
            Some(root) => error.below(root),
            None => error,
        }
    }

    /// What to do next; at the end the directory's name.
    ///
    /// # Errors
    /// [`Code::FILES_NAME`], [`Code::FILES_EXISTS`], or what the host said: `files.*`.
    pub fn poll(&mut self) -> Step<String> {
        Step::Do(match &self.stage {
            // Listing the root, not the chart's directory: whatever bears the name stands in the way.
            Stage::Look => Verb::List { path: String::new() },
            Stage::MakeDirectories => {
                Verb::MakeDirectory { path: self.directories.front().cloned().unwrap_or_default() }
            }
            Stage::WriteFiles => {
                let file = self.files.front().and_then(|at| self.archive.entry(*at));
                let (path, content) = file.unwrap_or_default();
                Verb::Write { path: format!("{}/{path}", self.temporary), offset: 0, data: content.to_vec() }
            }
            Stage::Rename => Verb::Rename { from: self.temporary.clone(), to: self.name.clone() },
            Stage::Remove(_) => Verb::Remove { path: self.temporary.clone() },
            Stage::Over(result) => return Step::Done(result.clone()),
        })
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        let stage = std::mem::replace(&mut self.stage, Stage::Rename);
        self.stage = match (stage, answer) {
            (Stage::Over(result), _) => Stage::Over(result),
            (Stage::Remove(error), _) => Stage::Over(Err(error)),
            (Stage::Look, Answer::Entries(entries)) => {
                // Some systems do not tell names apart by case.
                match entries.iter().any(|entry| entry.name.to_lowercase() == self.name.to_lowercase()) {
                    true => Stage::Over(Err(self.unreadable(&self.name, &Answer::Failed(FileFailure::Exists)))),
                    false => Stage::MakeDirectories,
                }
            }
            (Stage::Look, answer) => Stage::Over(Err(self.unreadable("", &answer))),
            (Stage::MakeDirectories, Answer::Done) => {
                self.directories.pop_front();
                if self.directories.is_empty() { Stage::WriteFiles } else { Stage::MakeDirectories }
            }
            (Stage::WriteFiles, Answer::Done) => {
                self.files.pop_front();
                if self.files.is_empty() { Stage::Rename } else { Stage::WriteFiles }
            }
            (Stage::Rename, Answer::Done) => Stage::Over(Ok(self.name.clone())),
            (Stage::WriteFiles, answer) => {
                let path = self.files.front().and_then(|at| self.archive.entry(*at)).map_or("", |(path, _)| path);
                Stage::Remove(self.unreadable(path, &answer))
            }
            (Stage::MakeDirectories | Stage::Rename, answer) => Stage::Remove(self.unreadable(&self.name, &answer)),
        };
    }
}

/// Folders that hold files, each once.
fn folders(archive: &Archive) -> Vec<String> {
    let mut folders: Vec<&str> = archive.paths().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
    order::sort(&mut folders, |a, b| a < b);
    folders.dedup();
    folders.into_iter().map(str::to_owned).collect()
}

/// What Linux takes at most for a path, and far more folders than anybody nests.
const MOST_PATH: usize = 4_096;
const MOST_DEPTH: usize = 128;

/// No name is one that some system reserves, no two are one where case does not count, no file is a folder as well.
fn check_names(archive: &Archive) -> Result<(), Error> {
    check_name(&archive.metadata().name)?;
    // By the folder's number and a name in it: each part of a path is looked at once, however deep it lies.
    let mut seen: BTreeMap<(usize, String), (&str, bool, usize)> = BTreeMap::new();
    let mut outlines: BTreeMap<(usize, String), (usize, &str)> = BTreeMap::new();
    for path in archive.paths() {
        if path.len() > MOST_PATH || path.split('/').count() > MOST_DEPTH {
            let message = format!("{:?} is longer or deeper than systems take", clip(path));
            return Err(Error::new(Code::FILES_NAME, message).with("path", clip(path)));
        }
        let (mut folder, mut start) = (0, 0);
        for name in path.split('/') {
            check_name(name)?;
            let end = start + name.len();
            let (part, is_folder) = (&path[..end], end < path.len());
            start = end + 1;
            let folded = folded(name);
            let (marks, outline) = outline(&folded);
            let (known_marks, twin) = *outlines.entry((folder, outline)).or_insert((marks, part));
            let next = seen.len() + 1;
            let (known, was_folder, number) = *seen.entry((folder, folded)).or_insert((part, is_folder, next));
            let known = if marks == known_marks { known } else { twin };
            if known != part || is_folder != was_folder {
                let message = format!("{:?} and {:?} cannot stand side by side", clip(known), clip(path));
                return Err(Error::new(Code::FILES_NAME, message).with("path", clip(path)));
            }
            folder = number;
        }
    }
    Ok(())
}

/// The name as systems compare it that do not tell names apart by case.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('ß', "ss").replace('ς', "σ")
}

/// What is left of a name without letters beyond ASCII and those that bear marks, and how many marks there are. The
/// composed and the decomposed form of one name have the same outline and another number of marks; so may two names that
/// look much alike, which is the price of doing without Unicode's tables.
fn outline(name: &str) -> (usize, String) {
    let (mut marks, mut outline) = (0, String::with_capacity(name.len()));
    for c in name.chars() {
        if c.is_ascii() {
            outline.push(c);
            continue;
        }
        let is_mark = c.escape_debug().nth(1).is_some();
        if is_mark && outline.ends_with(|before: char| before.is_ascii_alphabetic()) {
            outline.pop();
        }
        // Parts of Hangul, and ideographs that stand for others.
        let is_part = matches!(c, '\u{1100}'..='\u{11ff}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
        marks += usize::from(is_mark || is_part);
        if !outline.ends_with('\u{fffd}') {
            outline.push('\u{fffd}');
        }
    }
    (marks, outline)
}

/// A name that every system takes: <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.
fn check_name(name: &str) -> Result<(), Error> {
    const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_port =
        |rest: &str| matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³");
    let is_reserved = RESERVED.contains(&stem.as_str())
        || stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).is_some_and(is_port);
    let is_odd = |character: char| character.is_control() || "\\/:*?\"<>|".contains(character);
    let why = match name {
        "" | "." | ".." => "is no name",
        _ if is_reserved => "is reserved by Windows",
        _ if name.contains(is_odd) => "has a character that Windows does not take",
        _ if name.ends_with(['.', ' ']) => "ends with a dot or a blank, which Windows drops",
        _ if name.len() > 255 => "is longer than 255 bytes",
        _ => return Ok(()),
    };
    Err(Error::new(Code::FILES_NAME, format!("the name {:?} {why}", clip(name))).with("path", clip(name)))
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::{CHART, packed};
    use super::*;
    use crate::files::Memory;
    use crate::limits::Limits;

    fn archive(files: &[(&str, &[u8])]) -> Archive {
        Archive::read(&packed(&[&[("web/Chart.yaml", CHART)], files].concat()), &Limits::default()).unwrap()
    }

    /// Runs to the end; the verb of that number (from 0) fails.
    fn run(memory: &mut Memory, archive: Archive, failing: usize) -> Result<String, Error> {
        let mut extract = Extract::new(archive, 7);
        for number in 0.. {
            match extract.poll() {
                Step::Do(_) if number == failing => extract.handle(Answer::Failed(FileFailure::Full)),
                Step::Do(verb) => extract.handle(memory.execute(verb)),
                Step::Done(result) => return result,
            }
        }
        unreachable!()
    }

    #[test]
    fn paths_longer_or_deeper_than_any_system_takes_are_refused_at_once() {
        let deep = format!("{}x", "d/".repeat(20_000));
        let long = format!("{}/x", "d".repeat(200)).repeat(21);
        for path in [&deep, &long, &format!("{}x", "d/".repeat(128))] {
            let refused = check_names(&archive(&[(&format!("web/{path}"), b"")])).unwrap_err();
            assert_eq!(refused.code(), Code::FILES_NAME);
        }
        assert_eq!(check_names(&archive(&[(&format!("web/{}x", "d/".repeat(127)), b"")])), Ok(()));
    }

    #[test]
    fn the_files_stand_below_the_charts_name() {
        let mut memory = Memory::from_iter([("other/x", "x")]);
        let archive = archive(&[("web/templates/sub/a", b"a"), ("web/templates/b", b"b"), ("web/charts/_x/c", b"c")]);
        assert_eq!(run(&mut memory, archive, usize::MAX).unwrap(), "web");
        let paths: Vec<&str> = memory.iter().map(|(path, _)| path).collect();
        let expected = ["other/x", "web/Chart.yaml", "web/charts/_x/c", "web/templates/b", "web/templates/sub/a"];
        assert_eq!(paths, expected);
        assert_eq!(memory.get("web/templates/sub/a"), Some(&b"a"[..]));
    }

    #[test]
    fn whatever_fails_nothing_is_left() {
        let archive = archive(&[("web/templates/sub/a", b"a"), ("web/b", b"b")]);
        let before = Memory::from_iter([("other/x", "x")]);
        for failing in 0..7 {
            let mut memory = before.clone();
            let error = run(&mut memory, archive.clone(), failing).unwrap_err();
            assert_eq!(error.code(), Code::FILES_STORAGE, "{failing}");
            assert_eq!(memory, before, "{failing}");
        }
        assert!(run(&mut before.clone(), archive, 7).is_ok());
    }

    #[test]
    fn what_is_there_already_is_left_alone() {
        for there in ["web", "web/mine", "WEB"] {
            let before = Memory::from_iter([(there, "mine")]);
            let mut memory = before.clone();
            assert_eq!(run(&mut memory, archive(&[]), usize::MAX).unwrap_err().code(), Code::FILES_EXISTS);
            assert_eq!(memory, before);
        }
    }

    #[test]
    fn names_that_some_system_cannot_hold_are_refused_before_anything_is_written() {
        for name in
            ["con", "NUL.txt", "com1", "Lpt9.yaml", "a:b", "a.", "a ", "a*", "a\u{7}", "aux .x", &"x".repeat(256)]
        {
            let path = format!("web/files/{name}");
            let mut memory = Memory::new();
            let error = run(&mut memory, archive(&[(&path, b"")]), usize::MAX).unwrap_err();
            assert_eq!((error.code(), memory), (Code::FILES_NAME, Memory::new()), "{name}");
        }
        for name in ["console", "null", "com10", ".hidden", "a b", "été"] {
            assert!(run(&mut Memory::new(), archive(&[(&format!("web/{name}"), b"")]), usize::MAX).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_are_one_on_some_systems_are_refused() {
        for files in [["web/a", "web/A"], ["web/x/a", "web/X/b"], ["web/a", "web/a/b"], ["web/a/b", "web/a"]] {
            let archive = archive(&[(files[0], b""), (files[1], b"")]);
            assert_eq!(run(&mut Memory::new(), archive, usize::MAX).unwrap_err().code(), Code::FILES_NAME, "{files:?}");
        }
        let archive = archive(&[("web/a/b", b""), ("web/a/c", b"")]);
        assert!(run(&mut Memory::new(), archive, usize::MAX).is_ok());
    }
}
