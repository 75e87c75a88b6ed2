//! Versions and constraints.

use chartoci::version as core;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::Raise;
use crate::given::{Like, Spelt, Text, Wanted};

/// A semantic version, read as loosely as Helm does; ordered by precedence, then build metadata.
///
///     >>> version = chartoci.Version.parse("v1.2-rc.1+b2")
///     >>> version.major, version.minor, version.patch, version.prerelease, version.build
///     (1, 2, 0, 'rc.1', 'b2')
///     >>> version < chartoci.Version.parse("1.2.0")
///     True
#[pyclass(frozen, eq, ord, hash, module = "chartoci")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(pub(crate) core::Version);

#[pymethods]
impl Version {
    /// Reads a version as loosely as Helm reads Chart.yaml's (`v1.2` is 1.2.0); `strict` as it reads tags. At most 256
    /// bytes.
    #[staticmethod]
    #[pyo3(signature = (text, *, strict = false))]
    fn parse(py: Python<'_>, text: Text, strict: bool) -> PyResult<Version> {
        let parsed = if strict { core::Version::parse_strict(&text) } else { core::Version::parse(&text) };
        parsed.map(Version).raise(py)
    }
    /// The first number.
    #[getter]
    fn major(&self) -> u64 {
        self.0.major()
    }
    /// The second number, 0 if absent.
    #[getter]
    fn minor(&self) -> u64 {
        self.0.minor()
    }
    /// The third number, 0 if absent.
    #[getter]
    fn patch(&self) -> u64 {
        self.0.patch()
    }
    /// What follows `-`; empty if nothing does.
    #[getter]
    fn prerelease(&self) -> &str {
        self.0.prerelease()
    }
    /// What follows `+`; empty if nothing does.
    #[getter]
    fn build(&self) -> &str {
        self.0.build()
    }
    /// With `_` for `+`.
    #[getter]
    fn tag(&self) -> String {
        self.0.tag()
    }
    /// Its parts; within another result it is its text.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("version", self.0.as_str())?;
        dict.set_item("major", self.0.major())?;
        dict.set_item("minor", self.0.minor())?;
        dict.set_item("patch", self.0.patch())?;
        dict.set_item("prerelease", self.0.prerelease())?;
        dict.set_item("build", self.0.build())?;
        dict.set_item("tag", self.0.tag())?;
        Ok(dict)
    }
    fn __str__(&self) -> &str {
        self.0.as_str()
    }
    fn __repr__(&self) -> String {
        format!("Version({:?})", self.0.as_str())
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("parse")?, (slf.get().0.as_str().to_owned(),)))
    }
}

/// A version, or the text of one.
pub(crate) type VersionLike<'py> = Like<'py, Version>;

impl Wanted for Version {
    const NAME: &'static str = "`version`";
    const HINT: &'static str = "Pass a Version, or a text: a number like 1.10 would lose its zero.";
}

impl Spelt for Version {
    type Value = core::Version;

    fn value(object: &Bound<'_, Version>) -> core::Version {
        object.get().0.clone()
    }
}

/// Which versions are wanted: `^1.2 || ~3`.
///
///     >>> constraint = chartoci.Constraint.parse("^1.2 || ~3.1")
///     >>> constraint.matches("1.9.0"), constraint.matches("1.9.0-rc.1"), constraint.matches("3.2.0")
///     (True, False, False)
///     >>> str(constraint.pick(["1.9.0", "1.10.0", "2.0.0"]))
///     '1.10.0'
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Constraint(pub(crate) core::Constraint);

#[pymethods]
impl Constraint {
    /// Reads a constraint with Masterminds' meaning (semver 3.5): at most 512 bytes and 32 alternatives.
    #[staticmethod]
    fn parse(py: Python<'_>, text: Text) -> PyResult<Constraint> {
        core::Constraint::parse(&text).map(Constraint).raise(py)
    }
    /// The version satisfies it. A pre-release does so only where an alternative names one.
    fn matches(&self, py: Python<'_>, version: VersionLike<'_>) -> PyResult<bool> {
        Ok(self.0.matches(&version.read(py)?))
    }
    /// The highest of those that satisfy it; None if none does.
    fn pick(&self, py: Python<'_>, versions: Vec<VersionLike<'_>>) -> PyResult<Option<Version>> {
        let versions: Vec<_> = versions.iter().map(|version| version.read(py)).collect::<PyResult<_>>()?;
        Ok(self.0.pick(&versions).cloned().map(Version))
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("constraint", self.0.as_str())?;
        Ok(dict)
    }
    fn __str__(&self) -> &str {
        self.0.as_str()
    }
    fn __repr__(&self) -> String {
        format!("Constraint({:?})", self.0.as_str())
    }
    fn __hash__(&self) -> u64 {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        BuildHasherDefault::<DefaultHasher>::default().hash_one(self.0.as_str())
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("parse")?, (slf.get().0.as_str().to_owned(),)))
    }
}
