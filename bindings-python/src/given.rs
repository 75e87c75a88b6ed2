//! What callers hand in, refused by its name where it is of another type: PyO3's own words for that are no error of ours.

use std::fmt::Display;
use std::ops::Deref;
use std::str::FromStr;

use chartoci::{Code, Error};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{Raise, raise};

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

/// An object of ours that a text may stand for.
pub(crate) trait Spelt: Wanted {
    /// What the core calls it.
    type Value: Display + FromStr<Err = Error>;

    fn value(object: &Bound<'_, Self>) -> Self::Value;
}

/// An argument that is one, or the text of one.
pub(crate) enum Like<'py, T> {
    Object(Bound<'py, T>),
    Text(String),
}

impl<'a, 'py, T: Spelt> FromPyObject<'a, 'py> for Like<'py, T> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Like<'py, T>> {
        match value.cast::<T>() {
            Ok(object) => Ok(Like::Object(object.to_owned())),
            Err(_) => value.extract().map(Like::Text).map_err(|_| refused(&value, T::NAME, T::HINT)),
        }
    }
}

impl<T: Spelt> Like<'_, T> {
    /// As it is written.
    pub(crate) fn text(self) -> String {
        match self {
            Like::Object(object) => T::value(&object).to_string(),
            Like::Text(text) => text,
        }
    }

    pub(crate) fn read(&self, py: Python<'_>) -> PyResult<T::Value> {
        match self {
            Like::Object(object) => Ok(T::value(object)),
            Like::Text(text) => text.parse().raise(py),
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
