//! The core's errors as Python exceptions: the classes are Python's (`chartoci/errors.py`), the facts are the core's.

use chartoci::{Code, Error};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};

use crate::chart::Report;

static BUILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception that stands for an error of the core.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let registry_errors = PyList::empty(py);
    for entry in error.registry_errors() {
        registry_errors.append((&entry.code, &entry.message, &entry.detail))?;
    }
    let fields = PyDict::new(py);
    fields.set_item("kind", error.kind().as_str())?;
    fields.set_item("code", error.code().name())?;
    let context = PyDict::new(py);
    for (name, value) in error.context() {
        context.set_item(name, value)?;
    }
    fields.set_item("context", context)?;
    fields.set_item("hint", error.hint())?;
    fields.set_item("report", error.report().map(|report| Report::new(report.clone())))?;
    fields.set_item("status", error.status())?;
    fields.set_item("registry_errors", registry_errors)?;
    let build = BUILD.import(py, "chartoci.errors", "from_core")?;
    let built = build.call((error.to_string(),), Some(&fields))?;
    if let Some(cause) = error.cause() {
        built.setattr("__cause__", exception(py, cause)?)?;
    }
    Ok(built)
}

/// The error of the core that an exception stands for; none if it is another's, or no exception at all.
pub(crate) fn error_in(exception: &Bound<'_, PyAny>) -> PyResult<Option<Error>> {
    let class = exception.py().import("chartoci.errors")?.getattr("ChartOciError")?;
    if !exception.is_instance(&class)? {
        return Ok(None);
    }
    let text = |name: &str| exception.getattr(name)?.extract::<String>();
    let Some(code) = Code::find(&text("code")?) else { return Ok(None) };
    let error = Error::new(code, text("message")?).with_hint(text("hint")?);
    // The names of facts are few: those of the errors that a lookup ends in.
    let mut facts = Vec::new();
    for name in ["path", "helper", "line", "column"] {
        let value = exception.getattr("context")?.call_method1("get", (name,))?;
        facts.extend((!value.is_none()).then(|| (name, value.to_string())));
    }
    Ok(Some(facts.into_iter().fold(error, |error, (name, value)| error.with(name, value))))
}

/// As [`exception`], ready to be raised.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(built) => PyErr::from_value(built),
        Err(failed) => failed,
    }
}

/// Results of the core as results of Python.
pub(crate) trait Raise<T> {
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raise<T> for Result<T, Error> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}

/// An exception of one of the core's codes, for what the host alone can find out.
#[pyfunction]
#[pyo3(signature = (code, message, context = Vec::new(), hint = None))]
pub(crate) fn error<'py>(
    py: Python<'py>,
    code: &str,
    message: String,
    context: Vec<(String, String)>,
    hint: Option<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let code = Code::find(code).ok_or_else(|| PyValueError::new_err(format!("no code {code}")))?;
    let mut error = Error::new(code, message);
    if let Some(hint) = hint {
        error = error.with_hint(hint);
    }
    let built = exception(py, &error)?;
    let facts = built.getattr("context")?;
    for (name, value) in context {
        facts.set_item(name, value)?;
    }
    Ok(built)
}
