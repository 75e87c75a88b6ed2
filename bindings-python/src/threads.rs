//! What the core leaves to threads. The results do not depend on how many there are, or whether there are any.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder};

use chartoci::chart::{Archive, Packaged, Packing, Scan, Scanning, Unpacking};
use chartoci::{Code, Digest, Error, Limits};

use crate::data::{Data, lock};
use crate::open_file::OpenFile;

/// How many may run at once.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Compresses a package's blocks with so many threads.
pub(crate) fn pack(packing: Packing, threads: usize) -> Packaged {
    let blocks = packing.blocks();
    let (packing, next) = (Mutex::new(packing), AtomicUsize::new(0));
    let work = || {
        while let Some(block) = blocks.compress(next.fetch_add(1, Ordering::Relaxed)) {
            lock(&packing).add(block);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(blocks.count()) {
            if Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    packing.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
}

/// Packed bytes for which threads are worth it: with less, reading takes less time than a request.
const LARGE: usize = 1 << 20;

/// Reads an archive. If it is large, one thread hashes it meanwhile, and one has the system bring the memory that it is
/// unpacked into, page by page.
pub(crate) fn read(data: &[u8], limits: &Limits) -> Result<Archive, Error> {
    if data.len() < LARGE || data.len() as u64 > limits.archive || processors() == 1 {
        return Archive::read(data, limits);
    }
    thread::scope(|scope| {
        let mut hashing = Builder::new().spawn_scoped(scope, || Digest::of(data)).ok();
        let unpacked = unpack(data, limits).unwrap_or_default();
        Archive::read_unpacked(data, limits, unpacked, || {
            hashing.take().and_then(|hashing| hashing.join().ok()).unwrap_or_else(|| Digest::of(data))
        })
    })
}

/// All that an archive becomes; none if it is not what it says of itself.
fn unpack(data: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    const PIECE: usize = 1 << 20;
    /// No system has smaller ones.
    const PAGE: usize = 4 << 10;
    let mut unpacking = Unpacking::new(data, limits)?;
    let mut unpacked = vec![0; unpacking.size()];
    let is_full = thread::scope(|scope| {
        let (ready, pieces) = mpsc::channel();
        let all = unpacked.chunks_mut(PIECE);
        let bring = move || {
            for piece in all {
                piece.iter_mut().step_by(PAGE).for_each(|byte| *byte = 0);
                if ready.send(piece).is_err() {
                    break;
                }
            }
        };
        Builder::new().spawn_scoped(scope, bring).is_ok() && pieces.iter().all(|piece| unpacking.fill(piece))
    });
    (is_full && unpacking.is_whole()).then_some(unpacked)
}

/// A scan on another thread, and what it has said so far.
pub(crate) struct Running {
    promises: Receiver<Option<Scan>>,
    verdicts: Receiver<Result<Scan, Error>>,
    promised: Option<Option<Scan>>,
    finished: Option<Result<Scan, Error>>,
}

impl Running {
    /// What the archive promises to be, if it is large; waits for that. None as well where only the verdict says why.
    pub(crate) fn promised(&mut self) -> Option<Scan> {
        self.promised.get_or_insert_with(|| self.promises.recv().ok().flatten()).clone()
    }

    /// The verdict; waits for it.
    pub(crate) fn finished(&mut self) -> Result<Scan, Error> {
        let gone = |_| Err(Error::new(Code::ABORTED, "the scan has ended without a verdict"));
        self.finished.get_or_insert_with(|| self.verdicts.recv().unwrap_or_else(gone)).clone()
    }
}

/// A packed archive that is to be scanned.
pub(crate) enum Packed {
    Held(Data),
    File(Arc<OpenFile>),
}

/// Scans an archive: a large one while whoever asked does something else.
pub(crate) fn scan(packed: Packed, limits: Limits) -> Running {
    let (promise, promises) = mpsc::channel();
    let (verdict, verdicts) = mpsc::channel();
    let is_large = match &packed {
        Packed::Held(data) => data.len() >= LARGE,
        Packed::File(file) => file.size() >= LARGE as u64,
    };
    let work = Arc::new(move || {
        let mut bring = |offset: u64, into: &mut [u8]| match &packed {
            Packed::Held(_) => Ok(0),
            Packed::File(file) => file.read(offset, into),
        };
        let scanning = match &packed {
            Packed::Held(data) => Scanning::new(data, &limits),
            Packed::File(file) => Scanning::of_file(file.size(), &mut bring, &limits),
        };
        let scan = scanning.and_then(|mut scanning| {
            if is_large {
                promise.send(scanning.promised()?).ok();
            }
            scanning.finish()
        });
        verdict.send(scan).ok();
    });
    let there = Arc::clone(&work);
    if !is_large || Builder::new().spawn(move || there()).is_err() {
        work();
    }
    Running { promises, verdicts, promised: None, finished: None }
}
