//! The registry as a machine.

use std::sync::Mutex;

use chartoci::http::Method;
use chartoci::server::{self as core, Users};
use chartoci::time::Instant;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::chart::Limits;
use crate::data::{lock, shown};
use crate::errors::Raise;
use crate::exchange::{Receiver, duration, failure_in};
use crate::files::{Machine, answer_in, verb_out};
use crate::given::Given;

/// A registry over files; threads may share it.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Registry(core::Registry);

#[pymethods]
impl Registry {
    #[new]
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (*, seed, username = None, password = None, token = false, https = false, hosts = Vec::new(),
        cors_origins = Vec::new(), limits = None, asks = false, token_lifetime = None))]
    fn new(
        py: Python<'_>,
        seed: u64,
        username: Option<String>,
        password: Option<String>,
        token: bool,
        https: bool,
        hosts: Vec<String>,
        cors_origins: Vec<String>,
        limits: Option<Given<'_, Limits>>,
        asks: bool,
        token_lifetime: Option<f64>,
    ) -> PyResult<Registry> {
        let users_in = |users| if token { core::Access::Bearer(users) } else { core::Access::Basic(users) };
        let access = match (username, password) {
            (Some(username), Some(password)) => users_in(Users::One { username, password }),
            _ if asks => users_in(Users::Asked),
            _ => core::Access::Open,
        };
        let limits = Limits::or_default(limits);
        let token_lifetime = token_lifetime.map(|seconds| duration(py, "token_lifetime", seconds)).transpose()?;
        let config = core::Config { limits, seed, hosts, cors_origins, access, https, token_lifetime };
        Ok(Registry(core::Registry::new(config.checked().raise(py)?)))
    }
    /// Reads what the directory holds.
    fn open(&self) -> Machine {
        Machine::open(self.0.open())
    }
    /// Brings `index.json` up to date; None where it is.
    fn tidy(&self) -> Option<Machine> {
        self.0.tidy().map(Machine::tidy)
    }
    /// Begins to serve a request; None for a method that no registry knows. `now` is in milliseconds.
    fn accept(&self, method: &str, target: String, headers: Vec<(String, String)>, now: u64) -> Option<Serving> {
        let head = core::RequestHead { method: Method::parse(method)?, target, headers: headers.into_iter().collect() };
        Some(Serving(Mutex::new(self.0.accept(head, Instant::from_millis(now)))))
    }
}

/// Read the request's body into the receiver, and into the file if there is one, cut to `offset` first.
#[pyclass(frozen, get_all, module = "chartoci.sansio")]
pub(crate) struct Receive {
    receiver: Py<Receiver>,
    path: Option<String>,
    offset: u64,
}

/// Find out whether this is the user's password.
#[pyclass(frozen, get_all, module = "chartoci.sansio")]
pub(crate) struct Check {
    username: String,
    password: String,
}

/// Send this; the last word.
#[pyclass(frozen, get_all, module = "chartoci.sansio")]
pub(crate) struct Respond {
    status: u16,
    headers: Vec<(String, String)>,
    /// Bytes, or path, offset and length of a file's part.
    body: Py<PyAny>,
}

#[pymethods]
impl Receive {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["receiver", "path", "offset"])
    }
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf.as_any(), &["path", "offset"])
    }
}

#[pymethods]
impl Check {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["username", "password"])
    }
    /// Without the password.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf.as_any(), &["username"])
    }
}

#[pymethods]
impl Respond {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["status", "headers", "body"])
    }
    /// Without the body, which may be a token.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf.as_any(), &["status"])
    }
}

/// Serves one request.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Serving(Mutex<core::Serving>);

#[pymethods]
impl Serving {
    /// `Check`, `Receive`, a verb, or `Respond`.
    fn poll(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let output = lock(&self.0).poll();
        match output {
            core::Output::Receive { receiver, sink } => {
                let receiver = Py::new(py, Receiver::new(receiver))?;
                let (path, offset) = sink.map_or((None, 0), |sink| (Some(sink.path), sink.offset));
                Ok(Py::new(py, Receive { receiver, path, offset })?.into_any())
            }
            core::Output::Check(core::Claim { username, password }) => {
                Ok(Py::new(py, Check { username, password })?.into_any())
            }
            core::Output::Do(verb) => verb_out(py, verb),
            core::Output::Respond(response) => {
                let body = match response.body {
                    core::Body::Empty => PyBytes::new(py, b"").into_any().unbind(),
                    core::Body::Bytes(data) => PyBytes::new(py, &data).into_any().unbind(),
                    core::Body::File { path, offset, length } => {
                        (path, offset, length).into_pyobject(py)?.into_any().unbind()
                    }
                };
                let headers =
                    response.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                Ok(Py::new(py, Respond { status: response.status, headers, body })?.into_any())
            }
            other => Err(PyTypeError::new_err(format!("an output that this host does not know: {other:?}"))),
        }
    }
    /// The body is complete, or broke off: then `failure` and `text` are as in `Exchange.handle_failure`.
    #[pyo3(signature = (receiver, failure = None, text = ""))]
    fn handle_body(&self, receiver: &Bound<'_, Receiver>, failure: Option<&str>, text: &str) -> PyResult<()> {
        let result = failure.map_or(Ok(Ok(())), |failure| failure_in(failure, text).map(Err))?;
        let receiver = receiver.get().take()?;
        lock(&self.0).handle_body(receiver, result);
        Ok(())
    }
    /// Whether it is.
    fn handle_check(&self, known: bool) {
        lock(&self.0).handle_check(known);
    }
    /// What came of a verb.
    fn handle_file(&self, answer: &Bound<'_, PyAny>) -> PyResult<()> {
        let answer = answer_in(answer)?;
        lock(&self.0).handle_file(answer);
        Ok(())
    }
}
