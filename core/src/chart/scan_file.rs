//! A scan of a file that is too large to be held, by a host that cannot wait for its pieces. A file machine.

use super::archive::{Loader, Scan, step};
use super::directory::unreadable;
use super::gzip::{Brought, changed};
use super::walk::{Budget, Found, Keep, Walk};
use crate::error::Error;
use crate::files::{Answer, Step, Verb};
use crate::limits::Limits;

/// Comes to what [`Scan::read`] comes to, and reads the file once, piece by piece and in order: the empty path.
///
/// ```
/// # use chartoci::chart::ScanFile;
/// # use chartoci::files::{Answer, Step, Verb};
/// # let data = b"PK";
/// let mut scan = ScanFile::new(data.len() as u64, &chartoci::Limits::default());
/// let Step::Do(Verb::Read { offset, limit, .. }) = scan.poll() else { panic!() };
/// scan.handle(Answer::Data(data[offset as usize..].iter().copied().take(limit as usize).collect()));
/// let Step::Done(Err(error)) = scan.poll() else { panic!() };
/// assert_eq!(error.code().name(), "archive.gzip");
/// ```
pub struct ScanFile {
    stage: Stage,
    loader: Loader,
    budget: Budget,
    found: Option<Found>,
    size: u64,
}

enum Stage {
    Look(Walk<'static>),
    Entries(Walk<'static>),
    Over(Result<Scan, Error>),
}

impl ScanFile {
    /// Starts with a file of so many bytes.
    pub fn new(size: u64, limits: &Limits) -> ScanFile {
        let walk = Walk::of_file(Brought::new(size, None), limits);
        ScanFile {
            stage: walk.map_or_else(|error| Stage::Over(Err(error)), Stage::Look),
            loader: Loader::new(limits, Keep::Verdict),
            budget: Budget::of_file(limits, size),
            found: None,
            size,
        }
    }

    /// What to do next; at the end what was found, or an error: as [`Scan::read`], or what the host said.
    pub fn poll(&mut self) -> Step<Scan> {
        loop {
            let result = match &mut self.stage {
                Stage::Over(result) => return Step::Done(result.clone()),
                Stage::Look(walk) => walk.look().map(|()| None),
                Stage::Entries(walk) => {
                    go_on(walk, &mut self.loader, &mut self.budget, &mut self.found, self.size).map(Some)
                }
            };
            if let (Err(_), Some((offset, limit))) = (&result, self.file().and_then(|file| file.wanted())) {
                return Step::Do(Verb::Read { path: String::new(), offset, limit });
            }
            let stage = std::mem::replace(&mut self.stage, Stage::Over(Err(changed())));
            self.stage = match (result.transpose(), stage) {
                (None, Stage::Look(walk)) => Stage::Entries(walk),
                (None, stage) => stage,
                (Some(result), _) => Stage::Over(result),
            };
        }
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        match (self.file(), answer) {
            (None, _) => {}
            (Some(file), Answer::Data(data)) if !data.is_empty() => file.give(&data),
            (Some(_), Answer::Data(_)) => self.stage = Stage::Over(Err(changed())),
            (Some(_), answer) => self.stage = Stage::Over(Err(unreadable("", &answer))),
        }
    }

    fn file(&mut self) -> Option<&mut Brought<'static>> {
        match &mut self.stage {
            Stage::Look(walk) | Stage::Entries(walk) => walk.packed().file(),
            Stage::Over(_) => None,
        }
    }
}

/// All that can be done with the pieces that are at hand.
fn go_on(
    walk: &mut Walk<'static>,
    loader: &mut Loader,
    budget: &mut Budget,
    found: &mut Option<Found>,
    size: u64,
) -> Result<Scan, Error> {
    while step(loader, walk, budget, found)? {}
    let digest = walk.packed().file().map_or_else(|| Err(changed()), Brought::finish)?;
    let loader = std::mem::replace(loader, Loader::new(&Limits::default(), Keep::Verdict));
    Ok(loader.finish(Vec::new(), &mut || digest.clone(), size, budget.used)?.scan().clone())
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::{CHART, noise, packed};
    use super::*;
    use crate::error::Code;
    use crate::files::FileFailure;

    /// Scans a file whose pieces come at most so long.
    fn scan(data: &[u8], size: usize, most: usize) -> Result<Scan, Error> {
        let mut scan = ScanFile::new(size as u64, &Limits::default());
        let mut asked = 0;
        loop {
            match scan.poll() {
                Step::Done(result) => return result,
                Step::Do(Verb::Read { offset, limit, .. }) => {
                    assert_eq!(offset, asked, "in order, and once");
                    let rest = data.get(offset as usize..).unwrap_or_default();
                    let piece = &rest[..rest.len().min(limit as usize).min(most)];
                    asked += piece.len() as u64;
                    scan.handle(Answer::Data(piece.to_vec()));
                }
                Step::Do(verb) => panic!("{verb:?}"),
            }
        }
    }

    fn same(data: &[u8]) {
        let expected = Scan::read(data, &Limits::default());
        for most in [1, 7, 1000, usize::MAX] {
            if most > 1 || data.len() < 10_000 {
                let found = scan(data, data.len(), most);
                match (&expected, found) {
                    (Ok(expected), Ok(found)) => {
                        assert_eq!((&found.metadata, &found.digest), (&expected.metadata, &expected.digest));
                        assert_eq!((found.size, found.unpacked), (expected.size, expected.unpacked));
                    }
                    (expected, found) => assert_eq!(expected.clone().err(), found.err(), "{most}"),
                }
            }
        }
    }

    #[test]
    fn a_file_comes_to_the_same_in_pieces_of_any_size() {
        let nested = packed(&[("b/Chart.yaml", CHART)]);
        let long = format!("web/{}", "long/".repeat(60));
        let files: [(&str, &[u8]); 5] = [
            ("web/Chart.yaml", CHART),
            ("web/values.yaml", b"a: 1"),
            (&long, b"x"),
            ("web/charts/b.tgz", &nested),
            ("web/big", &[7; 100_000]),
        ];
        let mut data = packed(&files);
        same(&data);
        data.extend(b"garbage");
        same(&data);
        for cut in [0, 5, 30, data.len() / 2, data.len() - 12] {
            same(&data[..cut]);
        }
        for refused in [&[("web/../x", &b""[..])][..], &[("web/a", b"")], &[("x", b"")], &[]] {
            same(&packed(refused));
        }
        same(&packed(&[("web/Chart.yaml", CHART), ("web/noise", &noise())]));
    }

    #[test]
    fn a_file_that_ends_too_early_or_cannot_be_read_says_so() {
        let data = packed(&[("web/Chart.yaml", CHART)]);
        assert_eq!(scan(&data, data.len() + 1, 1000).unwrap_err().code(), Code::FILES_CHANGED);
        let mut scan = ScanFile::new(10, &Limits::default());
        assert!(matches!(scan.poll(), Step::Do(_)));
        scan.handle(Answer::Failed(FileFailure::Denied));
        let Step::Done(Err(error)) = scan.poll() else { panic!() };
        assert_eq!(error.code(), Code::FILES_DENIED);
        let large = ScanFile::new(u64::MAX, &Limits::default()).poll();
        assert!(matches!(large, Step::Done(Err(error)) if error.code() == Code::LIMIT_ARCHIVE));
    }
}
