//! Bytes and values, in and out.

use std::ops::Deref;

use chartoci::yaml;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::given::surrogate;

/// Bytes that came from Python: `bytes` are borrowed, what can change under us is copied, a text counts as UTF-8.
pub(crate) enum Data {
    Borrowed(PyBackedBytes),
    Owned(Vec<u8>),
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Data::Borrowed(bytes) => bytes,
            Data::Owned(bytes) => bytes,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Data {
    type Error = PyErr;

    fn extract(source: Borrowed<'a, 'py, PyAny>) -> PyResult<Data> {
        if let Ok(bytes) = source.cast::<PyBytes>() {
            return Ok(Data::Borrowed(bytes.to_owned().into()));
        }
        if let Ok(text) = source.cast::<PyString>() {
            return match text.to_cow() {
                Ok(text) => Ok(Data::Owned(text.into_owned().into_bytes())),
                Err(_) => Err(surrogate(source.py(), "Pass the bytes that were read, undecoded.")),
            };
        }
        let buffer = PyBuffer::<u8>::get(&source)
            .map_err(|_| PyTypeError::new_err(format!("bytes are expected, not {}", source.get_type())))?;
        Ok(Data::Owned(buffer.to_vec(source.py())?))
    }
}

/// A record as it is shown: bytes by their number, and of what a machine ends in the class alone, since there may be secrets.
pub(crate) fn shown(record: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<String> {
    let mut parts = Vec::new();
    for name in fields {
        let value = record.getattr(*name)?;
        parts.push(match value.cast::<PyBytes>() {
            Ok(bytes) => format!("{name}=<{} bytes>", bytes.as_bytes().len()),
            Err(_) if *name == "value" => format!("{name}=<{}>", value.get_type().name()?),
            Err(_) => format!("{name}={}", value.repr()?),
        });
    }
    Ok(format!("{}({})", record.get_type().name()?, parts.join(", ")))
}

/// Classes of fields that `match` takes apart.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* })*) => {$(
        $(#[$doc])*
        #[pyclass(frozen, get_all, module = "chartoci.sansio")]
        pub(crate) struct $name { $($field: $kind),* }

        #[pymethods]
        impl $name {
            #[new]
            #[allow(clippy::too_many_arguments)]
            fn new($($field: $kind),*) -> $name {
                $name { $($field),* }
            }
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                PyTuple::new(py, [$(stringify!($field)),*])
            }
            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                $crate::data::shown(slf.as_any(), &[$(stringify!($field)),*])
            }
        }
    )*};
}

pub(crate) use records;

/// A document's value: dict, list, int, float, str, bool, None.
pub(crate) fn value<'py>(py: Python<'py>, node: &yaml::Node) -> PyResult<Bound<'py, PyAny>> {
    use yaml::Data;
    Ok(match &node.data {
        Data::Null => py.None().into_bound(py),
        Data::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Data::Int(value) => value.into_pyobject(py)?.into_any(),
        Data::Uint(value) => value.into_pyobject(py)?.into_any(),
        Data::Float(value) => value.into_pyobject(py)?.into_any(),
        Data::String(value) => value.into_pyobject(py)?.into_any(),
        Data::Sequence(nodes) => {
            let list = PyList::empty(py);
            for node in nodes {
                list.append(self::value(py, node)?)?;
            }
            list.into_any()
        }
        Data::Mapping(mapping) => {
            let dict = PyDict::new(py);
            for (key, _, node) in &mapping.pairs {
                dict.set_item(key, value(py, node)?)?;
            }
            dict.into_any()
        }
    })
}

/// JSON as Python's values.
pub(crate) fn json<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value;
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => value.into_pyobject(py)?.into_any(),
            (None, Some(value)) => value.into_pyobject(py)?.into_any(),
            (None, None) => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(value) => value.into_pyobject(py)?.into_any(),
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(json(py, value)?)?;
            }
            list.into_any()
        }
        Value::Object(pairs) => {
            let dict = PyDict::new(py);
            for (key, value) in pairs {
                dict.set_item(key, json(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// A moment in seconds since 1970: a whole number, or a `datetime`.
pub(crate) fn moment(created: &Bound<'_, PyAny>) -> PyResult<i64> {
    created.py().import("chartoci.documents")?.call_method1("seconds", (created,))?.extract()
}

/// What a `Mutex` guards, whether or not a thread panicked while holding it.
pub(crate) fn lock<T: ?Sized>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
