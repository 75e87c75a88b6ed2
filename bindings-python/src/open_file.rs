//! A file that is opened once, and read piece by piece by several at a time.

// This is the host's own part: what the core may not touch.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

use std::fs::{File, Metadata};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chartoci::{Code, Error};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::raise;

/// An open file, as it was when it was opened: who reads it when it is another is told so.
pub(crate) struct OpenFile {
    path: PathBuf,
    file: File,
    stamp: (u64, Option<SystemTime>),
}

/// Why there is no piece of a file.
enum Failed {
    Changed,
    System(io::Error),
}

impl OpenFile {
    fn open(path: PathBuf) -> io::Result<OpenFile> {
        let file = File::open(&path)?;
        let stamp = stamp(&file.metadata()?);
        Ok(OpenFile { path, file, stamp })
    }

    /// In bytes.
    pub(crate) fn size(&self) -> u64 {
        self.stamp.0
    }

    /// Puts bytes from that offset on at the start of `into`, and says how many; fewer than there is room for at the end.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        self.fill(offset, into).map_err(|failed| match failed {
            Failed::Changed => self.changed(),
            Failed::System(failed) => Error::new(Code::FILES_STORAGE, failed.to_string()),
        })
    }

    fn changed(&self) -> Error {
        Error::new(Code::FILES_CHANGED, "the file was changed while it was read")
    }

    fn fill(&self, offset: u64, into: &mut [u8]) -> Result<usize, Failed> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match read_at(&self.file, rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(failed) if failed.kind() == io::ErrorKind::Interrupted => {}
                Err(failed) => return Err(Failed::System(failed)),
            }
        }
        match self.file.metadata() {
            Ok(now) if stamp(&now) == self.stamp => Ok(filled),
            Ok(_) => Err(Failed::Changed),
            Err(failed) => Err(Failed::System(failed)),
        }
    }
}

fn stamp(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

/// A file that is opened once and read at offsets, by any thread; as long as it is what it was when it was opened.
#[pyclass(frozen, name = "OpenFile", module = "chartoci._native")]
pub(crate) struct Opened(pub(crate) Arc<OpenFile>);

#[pymethods]
impl Opened {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Opened> {
        Ok(Opened(Arc::new(py.detach(|| OpenFile::open(path))?)))
    }
    fn __len__(&self) -> usize {
        usize::try_from(self.0.size()).unwrap_or(usize::MAX)
    }
    /// Seconds since 1970; None where the system does not tell.
    #[getter]
    fn modified(&self) -> Option<i64> {
        let at = self.0.stamp.1?;
        Some(match at.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
        })
    }
    /// `count` bytes from that offset on; fewer where the file ends.
    fn read<'py>(&self, py: Python<'py>, offset: u64, count: usize) -> PyResult<Bound<'py, PyBytes>> {
        let left = self.0.size().saturating_sub(offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(count);
        PyBytes::new_with(py, count, |into| match py.detach(|| self.0.fill(offset, into)) {
            Ok(filled) if filled == into.len() => Ok(()),
            Ok(_) | Err(Failed::Changed) => Err(raise(py, &self.0.changed().within("path", self.0.path.display()))),
            Err(Failed::System(failed)) => Err(failed.into()),
        })
    }
}
