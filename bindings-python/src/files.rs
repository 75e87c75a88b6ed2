//! File machines: they hand out verbs, the host carries them out (`chartoci/files.py`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chartoci::auth::keeper::Keeper;
use chartoci::auth::store::{Environment, Lookup, Platform};
use chartoci::chart as core;
use chartoci::check::CheckDirectory;
use chartoci::files::{Answer, Entry, EntryKind, FileFailure, Step, Verb};
use chartoci::oci::reference::login_registry;
use chartoci::server;
use chartoci::time::Timestamp;
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::{PyBytes, PyTuple};

use crate::chart::{Archive, Limits, Metadata, Report};
use crate::data::records;
use crate::errors::{Raise, exception};
use crate::exchange::{credential_in, credential_out};
use crate::given::Given;
use crate::oci::Digest;
use crate::threads;
use crate::version::VersionLike;

records! {
    /// Names, kinds, sizes and times of a directory's entries: answer with a list of such tuples.
    List { path: String }
    /// At most `limit` bytes from `offset` on: answer with bytes.
    Read { path: String, offset: u64, limit: u64 }
    /// Makes a directory and those above it.
    MakeDirectory { path: String }
    /// Cuts the file to `offset`, making it if need be, and writes there.
    Write { path: String, offset: u64, data: Py<PyBytes> }
    /// Brings the bytes of a file, or the names in a directory, to the disk.
    Sync { path: String }
    /// Moves a file over what is there, or a directory to where nothing is.
    Rename { source: String, target: String }
    /// Removes a file, or a directory with all that is in it.
    Remove { path: String }
    /// Follows all links of a path: answer with the path in UTF-8.
    Resolve { path: String }
    /// Makes an empty file for its owner alone, waiting while it is there; one older than `patience` seconds is left over.
    LockFile { path: String, patience: f64 }
    /// A program can be run: answer with None or FileNotFoundError.
    Find { program: String }
    /// Runs a program without a shell: answer with its exit code (None if it was killed) and its output.
    Run { program: String, arguments: Vec<String>, input: Py<PyBytes>, timeout: f64, limit: u64 }
    /// The last word of a file machine.
    Finished { value: Py<PyAny> }
}

pub(crate) fn verb_out(py: Python<'_>, verb: Verb) -> PyResult<Py<PyAny>> {
    Ok(match verb {
        Verb::List { path } => Py::new(py, List { path })?.into_any(),
        Verb::Read { path, offset, limit } => Py::new(py, Read { path, offset, limit })?.into_any(),
        Verb::MakeDirectory { path } => Py::new(py, MakeDirectory { path })?.into_any(),
        Verb::Write { path, offset, data } => {
            Py::new(py, Write { path, offset, data: PyBytes::new(py, &data).unbind() })?.into_any()
        }
        Verb::Sync { path } => Py::new(py, Sync { path })?.into_any(),
        Verb::Rename { from, to } => Py::new(py, Rename { source: from, target: to })?.into_any(),
        Verb::Remove { path } => Py::new(py, Remove { path })?.into_any(),
        Verb::Resolve { path } => Py::new(py, Resolve { path })?.into_any(),
        Verb::Lock { path, patience } => Py::new(py, LockFile { path, patience: patience.as_secs_f64() })?.into_any(),
        Verb::Find { program } => Py::new(py, Find { program })?.into_any(),
        Verb::Run { program, arguments, input, timeout, limit } => {
            let (input, timeout) = (PyBytes::new(py, &input).unbind(), timeout.as_secs_f64());
            Py::new(py, Run { program, arguments, input, timeout, limit })?.into_any()
        }
        unknown => return Err(PyTypeError::new_err(format!("a verb that this host does not know: {unknown:?}"))),
    })
}

/// What an `OSError` says: the name of its number, and words.
fn said(error: &Bound<'_, PyAny>) -> PyResult<(String, String)> {
    let names = error.py().import("errno")?.getattr("errorcode")?;
    let name: Option<String> = names.call_method1("get", (error.getattr("errno")?,))?.extract()?;
    let why: Option<String> = error.getattr("strerror")?.extract()?;
    Ok((name.unwrap_or_default(), why.map_or_else(|| Ok::<_, PyErr>(error.str()?.to_string()), Ok)?))
}

/// The exception that stands for what the system said about a path; `making`: a directory was to be made there.
#[pyfunction]
#[pyo3(signature = (error, path, making = false))]
pub(crate) fn file_error<'py>(error: &Bound<'py, PyAny>, path: &str, making: bool) -> PyResult<Bound<'py, PyAny>> {
    let (name, why) = said(error)?;
    exception(error.py(), &chartoci::files::error(&name, &why, path, making))
}

/// What came of a verb: None, bytes, a list of entries, exit code and output, or the `OSError`.
pub(crate) fn answer_in(answer: &Bound<'_, PyAny>) -> PyResult<Answer> {
    if answer.is_none() {
        return Ok(Answer::Done);
    }
    if let Ok(data) = answer.cast::<PyBytes>() {
        return Ok(Answer::Data(data.as_bytes().to_vec()));
    }
    if let Ok((status, output)) = answer.extract::<(Option<i32>, Vec<u8>)>() {
        return Ok(Answer::Ran { status, output });
    }
    if answer.is_instance_of::<PyOSError>() {
        let (name, why) = said(answer)?;
        return Ok(Answer::Failed(FileFailure::named(&name, &why)));
    }
    let entries: Vec<(String, String, u64, i64)> = answer.extract()?;
    let entry = |(name, kind, size, modified): (String, String, u64, i64)| {
        let kind = match kind.as_str() {
            "file" => EntryKind::File,
            "directory" => EntryKind::Directory,
            "link" => EntryKind::Link,
            _ => EntryKind::Other,
        };
        Entry { name, kind, size, modified }
    };
    Ok(Answer::Entries(entries.into_iter().map(entry).collect()))
}

trait FileMachine: Send {
    fn poll(&mut self, py: Python<'_>) -> PyResult<Step<Py<PyAny>>>;
    fn handle(&mut self, answer: Answer);
}

macro_rules! machine {
    ($machine:ty, |$py:ident, $value:ident| $convert:expr) => {
        impl FileMachine for $machine {
            fn poll(&mut self, $py: Python<'_>) -> PyResult<Step<Py<PyAny>>> {
                Ok(match $py.detach(|| self.poll()) {
                    Step::Do(verb) => Step::Do(verb),
                    Step::Done(result) => {
                        let $value = result.raise($py)?;
                        Step::Done(Ok($convert))
                    }
                })
            }
            fn handle(&mut self, answer: Answer) {
                self.handle(answer);
            }
        }
    };
}

/// Packs a directory, its blocks compressed by so many threads.
struct Package {
    machine: core::Package,
    threads: usize,
}

impl Package {
    fn poll(&mut self) -> Step<core::Packaged> {
        match self.machine.poll_packing() {
            Step::Do(verb) => Step::Do(verb),
            Step::Done(packing) => Step::Done(packing.map(|packing| threads::pack(packing, self.threads))),
        }
    }

    fn handle(&mut self, answer: Answer) {
        self.machine.handle(answer);
    }
}

machine!(Package, |py, packed| {
    let data = PyBytes::new(py, &packed.data);
    let fields = (packed.filename, data, Digest(packed.digest), Metadata::from(packed.metadata));
    py.import("chartoci.model")?.getattr("Packaged")?.call1(fields)?.unbind()
});
machine!(CheckDirectory, |py, report| Py::new(py, Report::new(report))?.into_any());
machine!(core::Directory, |py, archive| Py::new(py, Archive::unpacked(archive))?.into_any());
machine!(core::extract::Extract, |py, name| name.into_pyobject(py)?.into_any().unbind());
machine!(server::Open, |py, _nothing| py.None());
machine!(server::Tidy, |py, _nothing| py.None());
machine!(Lookup, |py, found| {
    let (kind, username) = match &found.credential {
        Some(credential) => (Some(credential.kind()), credential.username().map(str::to_owned)),
        None => (None, None),
    };
    let credential = found.credential.map(|credential| credential_out(py, credential)).transpose()?;
    let asked: Vec<_> =
        found.asked.into_iter().map(|asked| (asked.store, asked.helper, asked.entry, asked.exists)).collect();
    (credential, kind, username, asked).into_pyobject(py)?.into_any().unbind()
});
machine!(Keeper, |py, kept| {
    (kept.entry, kept.path, kept.helper, kept.changed).into_pyobject(py)?.into_any().unbind()
});

/// A machine over files: poll, carry out, answer, until it has finished.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Machine(Mutex<Box<dyn FileMachine>>);

impl Machine {
    pub(crate) fn open(open: server::Open) -> Machine {
        Machine(Mutex::new(Box::new(open)))
    }

    pub(crate) fn tidy(tidy: server::Tidy) -> Machine {
        Machine(Mutex::new(Box::new(tidy)))
    }

    /// Who waits for the machine leaves the interpreter to the thread that works with it: that one wants it back.
    fn machine(&self, py: Python<'_>) -> MutexGuard<'_, Box<dyn FileMachine>> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Machine {
    /// A verb, or `Finished`; raises what ended the work.
    fn poll(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.machine(py).poll(py)? {
            Step::Do(verb) => verb_out(py, verb),
            Step::Done(Ok(value)) => Ok(Py::new(py, Finished { value })?.into_any()),
            Step::Done(Err(error)) => Err(crate::errors::raise(py, &error)),
        }
    }
    fn handle(&self, answer: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, answer) = (answer.py(), answer_in(answer)?);
        self.machine(py).handle(answer);
        Ok(())
    }
}

/// Packs the directory that is the root of the verbs, with so many threads, or one for each processor; the bytes do not
/// depend on it. Errors call the directory by that path.
#[pyfunction]
#[pyo3(signature = (version = None, app_version = None, created = None, limits = None, threads = None, path = None))]
pub(crate) fn package(
    version: Option<VersionLike<'_>>,
    app_version: Option<String>,
    created: Option<i64>,
    limits: Option<Given<'_, Limits>>,
    threads: Option<usize>,
    path: Option<&str>,
) -> Machine {
    /// Each needs about 1.5 MiB.
    const MOST_THREADS: usize = 16;
    let version = version.map(VersionLike::text);
    let options = core::package::Options { version, app_version, created: created.map(Timestamp::from_unix) };
    let mut machine = core::Package::new(options, &Limits::or_default(limits));
    if let Some(path) = path {
        machine = machine.called(path);
    }
    let threads = threads.unwrap_or_else(|| threads::processors().min(MOST_THREADS));
    Machine(Mutex::new(Box::new(Package { machine, threads })))
}

/// Checks the chart's directory that is the root of the verbs, and is called by that path.
#[pyfunction]
#[pyo3(signature = (path, limits = None))]
pub(crate) fn check_directory(path: &str, limits: Option<Given<'_, Limits>>) -> Machine {
    Machine(Mutex::new(Box::new(CheckDirectory::new(path, &Limits::or_default(limits)))))
}

/// Reads the chart's directory that is the root of the verbs; errors call it by that path.
#[pyfunction]
#[pyo3(signature = (limits = None, path = None))]
pub(crate) fn directory(limits: Option<Given<'_, Limits>>, path: Option<&str>) -> Machine {
    let machine = core::Directory::new(&Limits::or_default(limits));
    Machine(Mutex::new(Box::new(match path {
        Some(path) => machine.called(path),
        None => machine,
    })))
}

/// Unpacks an archive below the root of the verbs, which errors call by that path; `nonce` makes the temporary name unique.
#[pyfunction]
#[pyo3(signature = (archive, nonce, path = None))]
pub(crate) fn extract(archive: &Bound<'_, Archive>, nonce: u64, path: Option<&str>) -> Machine {
    let machine = core::extract::Extract::new(archive.get().shared(), nonce);
    Machine(Mutex::new(Box::new(match path {
        Some(path) => machine.called(path),
        None => machine,
    })))
}

/// The user's directory, the platform, and the variables that have to do with credentials: `(variables, home, platform)`.
type Surroundings = (BTreeMap<String, String>, String, String);

fn environment((variables, home, platform): Surroundings) -> Environment {
    let platform = match platform.as_str() {
        "darwin" => Platform::MacOs,
        "win32" => Platform::Windows,
        _ => Platform::Linux,
    };
    Environment { variables, home, platform }
}

/// The environment's variable has to do with credentials.
#[pyfunction]
pub(crate) fn credential_variable(name: &str) -> bool {
    Environment::reads(name)
}

/// Looks for a registry's credential in the files of Helm, Docker and Podman and with the helpers that they name; the verbs'
/// paths are the host's own. Gives the credential, its kind, its user, and who was asked: store, helper, entry, exists.
#[pyfunction]
#[pyo3(signature = (registry, repository, surroundings, registry_config = None))]
pub(crate) fn lookup(
    registry: &str,
    repository: &str,
    surroundings: Surroundings,
    registry_config: Option<&str>,
) -> Machine {
    let environment = environment(surroundings);
    Machine(Mutex::new(Box::new(Lookup::new(&environment, registry_config, registry, repository))))
}

/// Stores a registry's credential, or removes it (None), as a login and a logout do. Gives the entry, the file's path, the
/// helper, and whether anything was changed.
#[pyfunction]
#[pyo3(signature = (registry, credential, surroundings, registry_config = None))]
pub(crate) fn keep(
    py: Python<'_>,
    registry: &str,
    credential: &Bound<'_, PyAny>,
    surroundings: Surroundings,
    registry_config: Option<&str>,
) -> PyResult<Machine> {
    let (registry, environment) = (login_registry(registry).raise(py)?, environment(surroundings));
    let keeper = match credential_in(credential)? {
        Some(credential) => Keeper::store(&environment, registry_config, &registry, credential),
        None => Keeper::erase(&environment, registry_config, &registry),
    };
    Ok(Machine(Mutex::new(Box::new(keeper.raise(py)?))))
}
