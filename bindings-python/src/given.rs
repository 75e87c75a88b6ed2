//! What callers hand in, refused by its name where it is of another type: PyO3's own words for that are no error of ours.

use std::ops::Deref;

use chartoci::{Code, Error};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::raise;

/// An error for a value of a type that is not taken.
pub(crate) fn refused(value: &Bound<'_, PyAny>, name: &str, hint: &str) -> PyErr {
    let kind = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    raise(value.py(), &Error::new(Code::ARGUMENT, format!("{name} cannot be a {kind}")).with_hint(hint))
}

/// An error for a text that a file's name or the like was made of, which was no UTF-8.
pub(crate) fn surrogate(py: Python<'_>, hint: &str) -> PyErr {
    let message = "the text is no UTF-8: it has a surrogate";
    raise(py, &Error::new(Code::ARGUMENT, message).with_hint(hint))
}

/// An object of ours that arguments may be.
pub(crate) trait Wanted: PyTypeInfo {
    /// As messages call the argument.
    const NAME: &'static str;
    const HINT: &'static str;
}

/// An argument that is one.
pub(crate) struct Given<'py, T>(Bound<'py, T>);

impl<'py, T> Deref for Given<'py, T> {
    type Target = Bound<'py, T>;

    fn deref(&self) -> &Bound<'py, T> {
        &self.0
    }
}

impl<'a, 'py, T: Wanted> FromPyObject<'a, 'py> for Given<'py, T> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Given<'py, T>> {
        match value.cast::<T>() {
            Ok(object) => Ok(Given(object.to_owned())),
            Err(_) => Err(refused(&value, T::NAME, T::HINT)),
        }
    }
}

/// An argument that is a text.
pub(crate) struct Text(String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Text> {
        value.extract().map(Text).map_err(|_| match value.cast::<PyString>() {
            Ok(text) => surrogate(text.py(), "Pass a str of characters, without what was no UTF-8."),
            Err(_) => refused(&value, "a text", "Pass a str."),
        })
    }
}

/// Seconds, if there are any; `name` is the argument's.
pub(crate) fn time(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<f64>> {
    value.extract().map_err(|_| refused(value, &format!("`{name}`"), "Pass seconds, as 30 or 0.5."))
}
