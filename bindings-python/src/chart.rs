//! Charts: metadata, archives, reports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chartoci::chart as core;
use chartoci::diagnostic;
use chartoci::error::Class;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::data::{Data, json, lock, value};
use crate::errors::{Raise, error_in};
use crate::given::{Given, Wanted};
use crate::oci::{Digest, ReferenceLike};
use crate::open_file::Opened;
use crate::threads;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)*) => {
        /// Bounds on what is read; all sizes are bytes.
        ///
        ///     >>> limits = chartoci.Limits(unpacked=512 << 20)
        ///     >>> limits.unpacked, limits.manifest
        ///     (536870912, 4194304)
        #[pyclass(frozen, eq, module = "chartoci")]
        #[derive(Clone, PartialEq, Eq)]
        pub(crate) struct Limits(pub(crate) chartoci::Limits);

        #[pymethods]
        impl Limits {
            #[new]
            #[pyo3(signature = (*, $($name = None),*))]
            #[allow(clippy::too_many_arguments)]
            fn new(py: Python<'_>, $($name: Option<Bound<'_, PyAny>>),*) -> PyResult<Limits> {
                let default = chartoci::Limits::default();
                Ok(Limits(chartoci::Limits {
                    $($name: match $name {
                        None => default.$name,
                        Some(value) => value.extract::<$kind>().or_else(|_| {
                            Err(chartoci::Error::new(chartoci::Code::ARGUMENT, concat!(stringify!($name), " is no number of the size of a limit")))
                                .raise(py)
                        })?,
                    }),*
                }))
            }
            $($(#[$doc])* #[getter] fn $name(&self) -> $kind { self.0.$name })*
            /// As JSON knows it.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let dict = PyDict::new(py);
                $(dict.set_item(stringify!($name), self.0.$name)?;)*
                Ok(dict)
            }
            fn __repr__(&self) -> String {
                format!("{:?}", self.0)
            }
        }
    };
}

limits!(
    /// A packed archive, or any other blob that is held in memory. 128 MiB.
    archive: u64,
    /// All files of an archive together, unpacked, nested archives included. 100 MiB.
    unpacked: u64,
    /// Unpacked bytes for each packed byte. 1,100.
    ratio: u32,
    /// One file of an archive. 100 MiB.
    file: u64,
    /// Entries of an archive. 65,536.
    files: u32,
    /// Archives within archives. 8.
    nesting: u32,
    /// A YAML or JSON document that is parsed. 16 MiB.
    document: u64,
    /// Levels of a YAML document. 128.
    depth: u32,
    /// Nodes of a YAML document after aliases were expanded. 1,000,000.
    nodes: u32,
    /// A manifest or index. 4 MiB.
    manifest: u64,
    /// A config blob that is read. 1 MiB.
    config: u64,
    /// A provenance file. 1 MiB.
    provenance: u64,
    /// A token server's answer. 128 KiB.
    token: u64,
    /// An error's body; what lies beyond is dropped. 64 KiB.
    error_body: u64,
    /// One page of a list. 4 MiB.
    page: u64,
    /// Pages of a list. 1,000.
    pages: u32,
    /// All tags of a list, each with 32 bytes besides its own. 64 MiB.
    tags: u64,
    /// Redirects that are followed, per request. 5.
    redirects: u32,
);

impl Wanted for Limits {
    const NAME: &'static str = "`limits`";
    const HINT: &'static str = "Pass Limits, as Limits(archive=1 << 20).";
}

impl Limits {
    pub(crate) fn or_default(limits: Option<Given<'_, Limits>>) -> chartoci::Limits {
        limits.map(|limits| limits.get().0.clone()).unwrap_or_default()
    }
}

/// The limits that were given, or the usual ones.
#[pyfunction]
#[pyo3(signature = (limits = None))]
pub(crate) fn bounds(limits: Option<Given<'_, Limits>>) -> Limits {
    Limits(Limits::or_default(limits))
}

/// One entry of the table of codes.
///
///     >>> code = next(code for code in chartoci.codes() if code.code == "reference.tag")
///     >>> code.kind, code.severity, code.meaning
///     ('invalid', None, 'The tag is not valid.')
#[pyclass(frozen, eq, hash, get_all, module = "chartoci")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Code {
    /// Its stable name: `reference.tag`.
    code: &'static str,
    /// Of an error; None for a finding.
    kind: Option<&'static str>,
    /// Of a finding; None for an error.
    severity: Option<&'static str>,
    /// One sentence: what is wrong.
    meaning: &'static str,
    /// One sentence: what to do about it.
    remedy: &'static str,
    /// What was given, or answered, that leads to it.
    example: &'static str,
}

#[pymethods]
impl Code {
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("code", self.code)?;
        dict.set_item("kind", self.kind)?;
        dict.set_item("severity", self.severity)?;
        dict.set_item("meaning", self.meaning)?;
        dict.set_item("remedy", self.remedy)?;
        dict.set_item("example", self.example)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("<Code {}>", self.code)
    }
}

/// Every code with its kind or severity, meaning, remedy and an example.
///
///     >>> {code.kind for code in chartoci.codes() if code.code.startswith("integrity.")}
///     {'integrity'}
#[pyfunction]
pub(crate) fn codes() -> Vec<Code> {
    let entry = |code: chartoci::Code| {
        let (kind, severity) = match code.class() {
            Class::Error(kind) => (Some(kind.as_str()), None),
            Class::Finding(severity) => (None, Some(severity.as_str())),
            _ => (None, None),
        };
        let (meaning, remedy, example) = (code.meaning(), code.remedy(), code.example());
        Code { code: code.name(), kind, severity, meaning, remedy, example }
    };
    chartoci::codes().map(entry).collect()
}

/// One finding.
///
///     >>> report = chartoci.check(b"name: web\nversion: 1.0.0\nappVersion: 1.10\n")
///     >>> finding = next(finding for finding in report if finding.pointer == "/appVersion")
///     >>> finding.document, finding.line, finding.column
///     ('Chart.yaml', 3, 13)
///     >>> finding.fix.replacement
///     '"1.10"'
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq)]
pub(crate) struct Diagnostic(diagnostic::Diagnostic);

#[pymethods]
impl Diagnostic {
    /// Its stable name.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code.name()
    }
    /// `error`, `warning` or `info`.
    #[getter]
    fn severity(&self) -> &'static str {
        self.0.severity.as_str()
    }
    /// The file that it is about, by its path below the chart's root, or the kind of the document.
    #[getter]
    fn document(&self) -> &str {
        &self.0.document
    }
    /// Where in the document, by RFC 6901; empty for the whole.
    #[getter]
    fn pointer(&self) -> &str {
        &self.0.pointer
    }
    /// The line where it begins, from 1; None without a place in a text.
    #[getter]
    fn line(&self) -> Option<u32> {
        self.0.span.map(|span| span.line)
    }
    /// The character of that line where it begins, from 1.
    #[getter]
    fn column(&self) -> Option<u32> {
        self.0.span.map(|span| span.column)
    }
    /// The line where it ends, from 1.
    #[getter]
    fn end_line(&self) -> Option<u32> {
        self.0.span.map(|span| span.end_line)
    }
    /// One past the character of that line where it ends, from 1.
    #[getter]
    fn end_column(&self) -> Option<u32> {
        self.0.span.map(|span| span.end_column)
    }
    /// The first byte of the place in the document, from 0.
    #[getter]
    fn start(&self) -> Option<usize> {
        self.0.span.map(|span| span.start)
    }
    /// The byte behind the place.
    #[getter]
    fn end(&self) -> Option<usize> {
        self.0.span.map(|span| span.end)
    }
    /// What is wrong.
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }
    /// What to do about it.
    #[getter]
    fn help(&self) -> &str {
        &self.0.help
    }
    /// What would mend it, where that is safe.
    #[getter]
    fn fix(&self) -> Option<Fix> {
        let fix = self.0.fix.as_ref()?;
        Some(Fix { start: fix.span.start, end: fix.span.end, replacement: fix.replacement.clone() })
    }
    /// Other places of the document that have to do with it.
    #[getter]
    fn related(&self) -> Vec<Place> {
        let place = |(span, message): &(diagnostic::Span, String)| Place {
            line: span.line,
            column: span.column,
            end_line: span.end_line,
            end_column: span.end_column,
            message: message.clone(),
        };
        self.0.related.iter().map(place).collect()
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialized(py, &self.0)
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("<Diagnostic {}>", self.0)
    }
}

/// A text in the place of some bytes of the document: they count from 0, and there may be none of them.
///
///     >>> report = chartoci.check(b"apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10\n")
///     >>> [(fix.start, fix.end, fix.replacement) for fix in (finding.fix for finding in report) if fix]
///     [(52, 56, '"1.10"')]
#[pyclass(frozen, eq, get_all, module = "chartoci")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fix {
    /// The first byte that goes, from 0.
    start: usize,
    /// One past the last byte that goes.
    end: usize,
    /// What stands there afterwards.
    replacement: String,
}

#[pymethods]
impl Fix {
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("start", self.start)?;
        dict.set_item("end", self.end)?;
        dict.set_item("replacement", &self.replacement)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("<Fix {}..{}: {:?}>", self.start, self.end, self.replacement)
    }
}

/// Another place that has to do with a finding.
///
///     >>> report = chartoci.check(b"name: web\nname: web\nversion: 1.0.0\n")
///     >>> places = [place for finding in report for place in finding.related]
///     >>> [(place.line, place.column) for place in places]
///     [(2, 1)]
#[pyclass(frozen, eq, get_all, module = "chartoci")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line where it begins, from 1.
    line: u32,
    /// The character of that line where it begins, from 1.
    column: u32,
    /// The line where it ends, from 1.
    end_line: u32,
    /// One past the character of that line where it ends, from 1.
    end_column: u32,
    /// What stands there.
    message: String,
}

#[pymethods]
impl Place {
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("line", self.line)?;
        dict.set_item("column", self.column)?;
        dict.set_item("end_line", self.end_line)?;
        dict.set_item("end_column", self.end_column)?;
        dict.set_item("message", &self.message)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("<Place {}:{}: {}>", self.line, self.column, self.message)
    }
}

fn serialized<'py, T: serde::Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    match serde_json::to_value(value) {
        Ok(value) => json(py, &value),
        Err(error) => Err(PyTypeError::new_err(error.to_string())),
    }
}

/// Findings, ordered by document, then by place.
///
///     >>> report = chartoci.check(b"name: web\nversion: one\n")
///     >>> report.ok
///     False
///     >>> [finding.code for finding in report.errors]
///     ['chart.api_version_missing', 'chart.version']
///     >>> report.fixed()
///     b'apiVersion: v2\nname: web\nversion: one\n'
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq)]
pub(crate) struct Report(diagnostic::Report);

impl Report {
    pub(crate) fn new(report: diagnostic::Report) -> Report {
        Report(report)
    }

    pub(crate) fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialized(py, &self.0)
    }
}

#[pymethods]
impl Report {
    /// No finding is an error.
    #[getter]
    fn ok(&self) -> bool {
        self.0.is_ok()
    }
    /// Findings that forbid the use of the document.
    #[getter]
    fn errors(&self) -> Vec<Diagnostic> {
        self.0.errors().cloned().map(Diagnostic).collect()
    }
    /// Findings that somebody will regret.
    #[getter]
    fn warnings(&self) -> Vec<Diagnostic> {
        self.0.warnings().cloned().map(Diagnostic).collect()
    }
    /// The same as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }
    /// SARIF 2.1.0, which code hosts show beside the lines.
    fn to_sarif(&self) -> String {
        diagnostic::sarif([&self.0])
    }
    /// As a compiler prints it: each finding with the line that it is about, a summary at the end.
    #[pyo3(signature = (*, color = false))]
    fn to_text(&self, color: bool) -> String {
        self.0.to_text(color)
    }
    /// What was looked at is a chart: the documents are its files.
    #[getter]
    fn is_chart(&self) -> bool {
        self.0.is_chart()
    }
    /// As what it was judged: given or guessed; none of what is no answer of `check`.
    #[getter]
    fn kind(&self) -> Option<&'static str> {
        Some(self.0.kind()).filter(|kind| !kind.is_empty())
    }
    /// The documents that can be mended.
    #[getter]
    fn documents(&self) -> Vec<&str> {
        self.0.documents().collect()
    }
    /// A document with all fixes; every other byte stays.
    #[pyo3(signature = (document = None))]
    fn fixed<'py>(&self, py: Python<'py>, document: Option<&str>) -> PyResult<Bound<'py, PyBytes>> {
        self.0.fixed(document).map(|text| PyBytes::new(py, &text)).raise(py)
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("ok", self.0.is_ok())?;
        dict.set_item("kind", self.kind())?;
        dict.set_item("diagnostics", self.to_list(py)?)?;
        Ok(dict)
    }
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all: Vec<_> = self.0.iter().cloned().map(Diagnostic).collect();
        Ok(PyList::new(py, all)?.try_iter()?.into_any())
    }
    fn __len__(&self) -> usize {
        self.0.iter().len()
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("<Report: {} errors, {} warnings>", self.0.errors().count(), self.0.warnings().count())
    }
}

/// Who looks after a chart.
///
///     >>> chart_yaml = b"name: web\nversion: 1.0.0\nmaintainers:\n- name: Ada\n"
///     >>> [maintainer.name for maintainer in chartoci.Metadata.parse(chart_yaml).maintainers]
///     ['Ada']
#[pyclass(frozen, eq, get_all, module = "chartoci")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Maintainer {
    /// A person or an organisation.
    name: String,
    /// Empty if not said.
    email: String,
    /// Empty if not said.
    url: String,
}

#[pymethods]
impl Maintainer {
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("name", &self.name)?;
        dict.set_item("email", &self.email)?;
        dict.set_item("url", &self.url)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("Maintainer({:?}, {:?}, {:?})", self.name, self.email, self.url)
    }
}

/// A chart that another one needs.
///
///     >>> chart_yaml = b"apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: ^2}\n"
///     >>> [(needed.name, needed.version) for needed in chartoci.Metadata.parse(chart_yaml).dependencies]
///     [('db', '^2')]
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq)]
pub(crate) struct Dependency(pub(crate) core::Dependency);

#[pymethods]
impl Dependency {
    #[new]
    #[pyo3(signature = (name, version, repository = "", *, alias = ""))]
    fn new(name: String, version: String, repository: &str, alias: &str) -> Dependency {
        let (repository, alias) = (repository.to_owned(), alias.to_owned());
        Dependency(core::Dependency { name, version, repository, alias, ..core::Dependency::default() })
    }
    /// The chart's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }
    /// A version or a range.
    #[getter]
    fn version(&self) -> &str {
        &self.0.version
    }
    /// Where it comes from; empty, a URL, `@NAME`, `file://…` or `oci://…`.
    #[getter]
    fn repository(&self) -> &str {
        &self.0.repository
    }
    /// Paths in the values that switch it, divided by commas.
    #[getter]
    fn condition(&self) -> &str {
        &self.0.condition
    }
    /// Groups that switch it.
    #[getter]
    fn tags(&self) -> Vec<String> {
        self.0.tags.clone()
    }
    /// As the file says.
    #[getter]
    fn enabled(&self) -> bool {
        self.0.enabled
    }
    /// What is taken over from its values: texts, or mappings of `child` and `parent`.
    #[getter]
    fn import_values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.0.import_values.iter().map(|value| json(py, value)).collect()
    }
    /// What it is called here; empty if as it is.
    #[getter]
    fn alias(&self) -> &str {
        &self.0.alias
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("name", &self.0.name)?;
        dict.set_item("version", &self.0.version)?;
        dict.set_item("repository", &self.0.repository)?;
        dict.set_item("condition", &self.0.condition)?;
        dict.set_item("tags", &self.0.tags)?;
        dict.set_item("enabled", self.0.enabled)?;
        dict.set_item("import_values", self.import_values(py)?)?;
        dict.set_item("alias", &self.0.alias)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("Dependency({:?}, {:?}, {:?})", self.0.name, self.0.version, self.0.repository)
    }
}

/// What Chart.yaml says, validated and sanitised as Helm does when it loads a chart.
///
///     >>> metadata = chartoci.Metadata.parse(b"apiVersion: v2\nname: web\nversion: 1.0.0 # soon 1.1\n")
///     >>> metadata.name, metadata.version
///     ('web', '1.0.0')
///     >>> metadata.config()
///     b'{"name":"web","version":"1.0.0","apiVersion":"v2"}'
///     >>> print(metadata.to_yaml(), end="")
///     apiVersion: v2
///     name: web
///     version: 1.0.0
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone)]
pub(crate) struct Metadata {
    pub(crate) inner: core::Metadata,
    /// Only `peek` makes this true.
    #[pyo3(get)]
    unverified: bool,
}

impl From<core::Metadata> for Metadata {
    fn from(inner: core::Metadata) -> Metadata {
        Metadata { inner, unverified: false }
    }
}

/// What they say counts, not where it is from.
impl PartialEq for Metadata {
    fn eq(&self, other: &Metadata) -> bool {
        self.inner == other.inner
    }
}

#[pymethods]
impl Metadata {
    /// Reads and validates Chart.yaml: `InvalidError` with line, column and pointer where Helm would not load it.
    #[staticmethod]
    #[pyo3(signature = (chart_yaml, limits = None))]
    fn parse(py: Python<'_>, chart_yaml: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Metadata> {
        let limits = Limits::or_default(limits);
        core::Metadata::parse(&content(chart_yaml, limits.document)?, &limits).map(Metadata::from).raise(py)
    }
    /// Of an archive, stopping at Chart.yaml: fast, unverified.
    #[staticmethod]
    #[pyo3(signature = (source, limits = None))]
    fn peek(py: Python<'_>, source: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Metadata> {
        let limits = Limits::or_default(limits);
        if !source.is_instance_of::<PyBytes>() && !source.hasattr("read")? {
            let front = chartoci::Limits { archive: core::Metadata::FRONT as u64, ..limits.clone() };
            let front = load(source, &front)?;
            if let Ok(metadata) = core::Metadata::peek(&front, &limits) {
                return Ok(Metadata { inner: metadata, unverified: true });
            }
        }
        let data = load(source, &limits)?;
        let peeked = py.detach(|| core::Metadata::peek(&data, &limits));
        let inner = peeked.map_err(|error| of_file(error, source)).raise(py)?;
        Ok(Metadata { inner, unverified: true })
    }
    /// From a config blob: a claim, not the chart's own word.
    #[staticmethod]
    #[pyo3(signature = (config, limits = None))]
    fn from_config(py: Python<'_>, config: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Metadata> {
        let limits = Limits::or_default(limits);
        core::Metadata::from_config(&content(config, limits.config)?, &limits).map(Metadata::from).raise(py)
    }
    /// The chart's name.
    #[getter]
    fn name(&self) -> &str {
        &self.inner.name
    }
    /// A semantic version, as it is written.
    #[getter]
    fn version(&self) -> &str {
        &self.inner.version
    }
    /// `v1` or `v2`.
    #[getter]
    fn api_version(&self) -> &str {
        &self.inner.api_version
    }
    /// The version of what is packed; any text.
    #[getter]
    fn app_version(&self) -> &str {
        &self.inner.app_version
    }
    /// One sentence.
    #[getter]
    fn description(&self) -> &str {
        &self.inner.description
    }
    /// `application`, `library`, or empty for the first.
    #[getter]
    fn r#type(&self) -> &str {
        &self.inner.kind
    }
    /// A range of versions of Kubernetes; empty for any.
    #[getter]
    fn kube_version(&self) -> &str {
        &self.inner.kube_version
    }
    /// A URL.
    #[getter]
    fn home(&self) -> &str {
        &self.inner.home
    }
    /// A URL.
    #[getter]
    fn icon(&self) -> &str {
        &self.inner.icon
    }
    /// Where the chart is a dependency: what switches it.
    #[getter]
    fn condition(&self) -> &str {
        &self.inner.condition
    }
    /// Where the chart is a dependency: the groups that switch it.
    #[getter]
    fn tags(&self) -> &str {
        &self.inner.tags
    }
    /// It is not to be used any more.
    #[getter]
    fn deprecated(&self) -> bool {
        self.inner.deprecated
    }
    /// For a search.
    #[getter]
    fn keywords(&self) -> Vec<String> {
        self.inner.keywords.clone()
    }
    /// URLs of the sources.
    #[getter]
    fn sources(&self) -> Vec<String> {
        self.inner.sources.clone()
    }
    /// Who looks after it.
    #[getter]
    fn maintainers(&self) -> Vec<Maintainer> {
        let maintainer = |person: &core::Maintainer| Maintainer {
            name: person.name.clone(),
            email: person.email.clone(),
            url: person.url.clone(),
        };
        self.inner.maintainers.iter().map(maintainer).collect()
    }
    /// The charts that it needs.
    #[getter]
    fn dependencies(&self) -> Vec<Dependency> {
        self.inner.dependencies.iter().cloned().map(Dependency).collect()
    }
    /// Texts by names.
    #[getter]
    fn annotations(&self) -> BTreeMap<String, String> {
        self.inner.annotations.clone()
    }
    /// The bytes of the OCI config blob, as Helm writes it.
    fn config<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.config())
    }
    /// As `helm show chart` prints it.
    fn to_yaml(&self) -> String {
        self.inner.to_yaml()
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("name", &self.inner.name)?;
        dict.set_item("version", &self.inner.version)?;
        dict.set_item("api_version", &self.inner.api_version)?;
        dict.set_item("app_version", &self.inner.app_version)?;
        dict.set_item("description", &self.inner.description)?;
        dict.set_item("type", &self.inner.kind)?;
        dict.set_item("kube_version", &self.inner.kube_version)?;
        dict.set_item("home", &self.inner.home)?;
        dict.set_item("icon", &self.inner.icon)?;
        dict.set_item("condition", &self.inner.condition)?;
        dict.set_item("tags", &self.inner.tags)?;
        dict.set_item("deprecated", self.inner.deprecated)?;
        dict.set_item("keywords", &self.inner.keywords)?;
        dict.set_item("sources", &self.inner.sources)?;
        let maintainers = self.maintainers();
        dict.set_item("maintainers", maintainers.iter().map(|item| item.to_dict(py)).collect::<PyResult<Vec<_>>>()?)?;
        let needed = self.dependencies();
        dict.set_item("dependencies", needed.iter().map(|item| item.to_dict(py)).collect::<PyResult<Vec<_>>>()?)?;
        dict.set_item("annotations", &self.inner.annotations)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("<Metadata {} {}>", self.inner.name, self.inner.version)
    }
}

static LOAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The bytes of a source: bytes-like as they are; a path or a file is read by the host.
pub(crate) fn load(source: &Bound<'_, PyAny>, limits: &chartoci::Limits) -> PyResult<Data> {
    bytes_of(source, limits.archive)
}

fn bytes_of(source: &Bound<'_, PyAny>, limit: u64) -> PyResult<Data> {
    if source.is_instance_of::<PyBytes>() {
        return source.extract();
    }
    LOAD.import(source.py(), "chartoci.blobs", "load")?.call1((source, limit))?.extract()
}

/// What is wrong with an archive that came from a path names it.
fn of_file(error: chartoci::Error, source: &Bound<'_, PyAny>) -> chartoci::Error {
    let path = match source.is_instance_of::<PyString>() {
        true => Ok(source.clone()),
        false => source.call_method0("__fspath__"),
    };
    match path {
        Ok(path) => error.within("path", path),
        Err(_) => error,
    }
}

/// The bytes of a document that is to be parsed: as [`load`], save that a text is the document itself.
pub(crate) fn content(source: &Bound<'_, PyAny>, limit: u64) -> PyResult<Data> {
    if source.is_instance_of::<PyString>() { source.extract() } else { bytes_of(source, limit) }
}

/// A chart archive, unpacked in memory; or a chart within one.
///
///     >>> archive = chartoci.Archive.read("web-1.0.0.tgz")
///     >>> archive.metadata.name, archive.values, archive.readme
///     ('web', {'replicas': 2}, b'# Web\n')
///     >>> sorted(archive.files)
///     ['Chart.yaml', 'README.md', 'templates/service.yaml', 'values.yaml']
///     >>> archive.digest == chartoci.Digest.of(archive.data)
///     True
#[pyclass(frozen, module = "chartoci")]
pub(crate) struct Archive {
    root: Arc<core::Archive>,
    /// The way from the root to this chart.
    path: Vec<usize>,
    data: Option<Py<PyBytes>>,
    provenance: Option<Py<PyBytes>>,
}

impl Archive {
    pub(crate) fn view(&self) -> &core::Archive {
        self.path.iter().fold(&self.root, |archive, index| archive.dependencies().get(*index).unwrap_or(archive))
    }

    /// A chart's directory: there are no packed bytes.
    pub(crate) fn unpacked(archive: core::Archive) -> Archive {
        Archive { root: Arc::new(archive), path: Vec::new(), data: None, provenance: None }
    }

    fn bytes<'py>(py: Python<'py>, data: Option<&[u8]>) -> Option<Bound<'py, PyBytes>> {
        data.map(|data| PyBytes::new(py, data))
    }
}

#[pymethods]
impl Archive {
    /// Reads an archive whole, from a path, bytes or a binary file: what Helm would refuse, and what would exhaust the
    /// machine, is an `InvalidError` or a `LimitError` with the entry that is to blame.
    #[staticmethod]
    #[pyo3(signature = (source, limits = None))]
    fn read(py: Python<'_>, source: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Archive> {
        let limits = Limits::or_default(limits);
        let data = load(source, &limits)?;
        let read = py.detach(|| threads::read(&data, &limits));
        let root = read.map_err(|error| of_file(error, source)).raise(py)?;
        let data = match data {
            Data::Borrowed(bytes) => bytes.into_pyobject(py)?.cast_into::<PyBytes>()?.unbind(),
            Data::Owned(bytes) => PyBytes::new(py, &bytes).unbind(),
        };
        let provenance = match source.is_instance_of::<PyBytes>() {
            true => None,
            false => py.import("chartoci.blobs")?.call_method1("provenance", (source, limits.provenance))?.extract()?,
        };
        Ok(Archive { root: Arc::new(root), path: Vec::new(), data: Some(data), provenance })
    }
    /// What Chart.yaml says.
    #[getter]
    fn metadata(&self) -> Metadata {
        self.view().metadata().clone().into()
    }
    /// Every file of the chart, by its path below the chart's root.
    #[getter]
    fn files(slf: &Bound<'_, Self>) -> Files {
        Files { archive: slf.clone().unbind() }
    }
    /// values.yaml as Helm reads it, its documents merged; empty where there is none.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        value(py, self.view().values())
    }
    /// values.yaml as it is; None where there is none.
    #[getter]
    fn values_yaml<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        Archive::bytes(py, self.view().values_yaml())
    }
    /// values.schema.json as it is; None where there is none.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        Archive::bytes(py, self.view().schema())
    }
    /// The README as it is, as Helm finds it: readme.md, readme.txt or readme, in any case.
    #[getter]
    fn readme<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        Archive::bytes(py, self.view().readme().map(|(_, data)| data))
    }
    /// Paths of the CRDs, as Helm finds them below `crds/`.
    #[getter]
    fn crds(&self) -> Vec<String> {
        self.view().crds().into_iter().map(str::to_owned).collect()
    }
    /// Paths of all files below `templates/`.
    #[getter]
    fn templates(&self) -> Vec<String> {
        self.view().templates().into_iter().map(str::to_owned).collect()
    }
    /// Chart.lock, or requirements.lock; None where there is none.
    #[getter]
    fn lock(&self) -> Option<Lock> {
        self.view().lock().cloned().map(Lock)
    }
    /// Charts vendored in `charts/`, as views.
    #[getter]
    fn dependencies(&self) -> Vec<Archive> {
        let child = |index| Archive {
            root: Arc::clone(&self.root),
            path: self.path.iter().copied().chain([index]).collect(),
            data: None,
            provenance: None,
        };
        (0..self.view().dependencies().len()).map(child).collect()
    }
    /// Warnings that did not stop it.
    #[getter]
    fn report(&self) -> Report {
        Report(self.view().scan().report.clone())
    }
    /// Of the packed bytes.
    #[getter]
    fn digest(&self) -> Digest {
        Digest(self.view().scan().digest.clone())
    }
    /// Packed bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.view().scan().size
    }
    /// The packed bytes; None for a chart within another, and for a directory.
    #[getter]
    fn data(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        self.data.as_ref().map(|data| data.clone_ref(py))
    }
    /// The file beside the one that was read, FILE.prov, if there is one.
    #[getter]
    fn provenance(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        self.provenance.as_ref().map(|provenance| provenance.clone_ref(py))
    }
    /// As `helm pull --untar`: writes `directory/<chart name>`, gives its path.
    fn extract<'py>(slf: &Bound<'py, Self>, directory: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("chartoci.files")?.call_method1("extract", (slf, directory))
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("metadata", self.metadata().to_dict(py)?)?;
        dict.set_item("digest", self.view().scan().digest.as_str())?;
        dict.set_item("size", self.size())?;
        dict.set_item("files", self.view().paths().collect::<Vec<_>>())?;
        dict.set_item("report", self.report().to_list(py)?)?;
        Ok(dict)
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Archive>().is_ok_and(|other| {
            let (other, own) = (other.get(), self);
            other.path == own.path && other.root.scan().digest == own.root.scan().digest
        })
    }
    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, self.root.scan().digest.as_str()).hash()
    }
    fn __repr__(&self) -> String {
        let metadata = self.view().metadata();
        format!("<Archive {} {}>", metadata.name, metadata.version)
    }
}

impl Archive {
    pub(crate) fn shared(&self) -> core::Archive {
        self.view().clone()
    }
}

/// The verdict of a full pass over an archive, without its files.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Scan(core::Scan);

impl Scan {
    /// The verdict on an archive that was read already, on a scan, or on what a source holds.
    pub(crate) fn of(source: &Bound<'_, PyAny>) -> PyResult<core::Scan> {
        if let Ok(archive) = source.cast::<Archive>() {
            return Ok(archive.get().view().scan().clone());
        }
        match source.cast::<Scan>() {
            Ok(scan) => Ok(scan.get().0.clone()),
            Err(_) => {
                let packaged = source.py().import("chartoci.model")?.getattr("Packaged")?;
                let data = if source.is_instance(&packaged)? { source.getattr("data")? } else { source.clone() };
                Ok(Scan::read(source.py(), &data, None, None)?.0)
            }
        }
    }
}

#[pymethods]
impl Scan {
    #[staticmethod]
    /// `path` is where the bytes are from, for errors to name it.
    #[pyo3(signature = (source, limits = None, path = None))]
    fn read(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        limits: Option<Given<'_, Limits>>,
        path: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Scan> {
        let limits = Limits::or_default(limits);
        let data = load(source, &limits)?;
        let scan = py.detach(|| core::Scan::read(&data, &limits));
        scan.map_err(|error| of_file(error, path.unwrap_or(source))).map(Scan).raise(py)
    }
    #[getter]
    fn metadata(&self) -> Metadata {
        self.0.metadata.clone().into()
    }
    #[getter]
    fn digest(&self) -> Digest {
        Digest(self.0.digest.clone())
    }
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }
    /// `NAME-VERSION.tgz`.
    #[getter]
    fn filename(&self, py: Python<'_>) -> PyResult<String> {
        self.0.metadata.filename().raise(py)
    }
    /// Unpacked bytes of all files.
    #[getter]
    fn unpacked(&self) -> u64 {
        self.0.unpacked
    }
    #[getter]
    fn report(&self) -> Report {
        Report(self.0.report.clone())
    }
    fn __repr__(&self) -> String {
        format!("<Scan {} {} {}>", self.0.metadata.name, self.0.metadata.version, self.0.digest)
    }
}

/// A scan that says on its way what the archive promises to be: of a large one on a thread of its own, else here and now.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Scanning {
    running: Mutex<threads::Running>,
    path: Option<Py<PyAny>>,
}

#[pymethods]
impl Scanning {
    /// `path` is where the bytes are from, for errors to name it.
    #[new]
    #[pyo3(signature = (archive, limits = None, path = None))]
    fn new(
        archive: &Bound<'_, PyAny>,
        limits: Option<Given<'_, Limits>>,
        path: Option<Py<PyAny>>,
    ) -> PyResult<Scanning> {
        let limits = Limits::or_default(limits);
        let packed = match archive.cast::<Opened>() {
            Ok(file) => threads::Packed::File(Arc::clone(&file.get().0)),
            Err(_) => threads::Packed::Held(archive.extract()?),
        };
        Ok(Scanning { running: Mutex::new(archive.py().detach(|| threads::scan(packed, limits))), path })
    }
    /// What the whole will be found to be if nothing behind Chart.yaml contradicts. None: `finished` says more.
    fn promised(&self, py: Python<'_>) -> Option<Scan> {
        py.detach(|| lock(&self.running).promised()).map(Scan)
    }
    /// The verdict, once all of it was looked at.
    fn finished(&self, py: Python<'_>) -> PyResult<Scan> {
        let scan = py.detach(|| lock(&self.running).finished());
        let named = |error| match &self.path {
            Some(path) => of_file(error, path.bind(py)),
            None => error,
        };
        scan.map_err(named).map(Scan).raise(py)
    }
}

/// Every file of a chart, by its path below the chart's root.
///
///     >>> files = chartoci.Archive.read("web-1.0.0.tgz").files
///     >>> files["values.yaml"]
///     b'replicas: 2\n'
///     >>> "templates/service.yaml" in files, len(files)
///     (True, 4)
#[pyclass(frozen, mapping, module = "chartoci")]
pub(crate) struct Files {
    archive: Py<Archive>,
}

impl Files {
    /// One of the views that a mapping has.
    fn seen_as<'py>(slf: &Bound<'py, Self>, view: &str) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("collections.abc")?.getattr(view)?.call1((slf,))
    }
}

#[pymethods]
impl Files {
    fn __getitem__<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyBytes>> {
        let data = self.archive.get().view().file(path);
        data.map(|data| PyBytes::new(py, data)).ok_or_else(|| PyKeyError::new_err(path.to_owned()))
    }
    fn __len__(&self) -> usize {
        self.archive.get().view().paths().count()
    }
    fn __contains__(&self, path: &Bound<'_, PyAny>) -> bool {
        path.extract::<String>().is_ok_and(|path| self.archive.get().view().file(&path).is_some())
    }
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyList::new(py, self.archive.get().view().paths())?.try_iter()?.into_any())
    }
    /// The paths, in the archive's order.
    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Files::seen_as(slf, "KeysView")
    }
    /// The bytes of each file.
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Files::seen_as(slf, "ValuesView")
    }
    /// Path and bytes of each file.
    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Files::seen_as(slf, "ItemsView")
    }
    /// A file's bytes, or `default`.
    #[pyo3(signature = (path, default = None, /))]
    fn get<'py>(&self, py: Python<'py>, path: &str, default: Option<Bound<'py, PyAny>>) -> Option<Bound<'py, PyAny>> {
        let data = self.archive.get().view().file(path);
        data.map(|data| PyBytes::new(py, data).into_any()).or(default)
    }
    fn __repr__(&self) -> String {
        format!("<Files: {}>", self.__len__())
    }
}

/// Chart.lock: which versions were chosen.
///
///     >>> lock = chartoci.Lock.parse(b"dependencies:\n- {name: db, version: 2.0.1}\ndigest: sha256:0\n")
///     >>> [(chosen.name, chosen.version) for chosen in lock.dependencies]
///     [('db', '2.0.1')]
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq)]
pub(crate) struct Lock(core::Lock);

#[pymethods]
impl Lock {
    /// Reads Chart.lock or requirements.lock.
    #[staticmethod]
    #[pyo3(signature = (chart_lock, limits = None))]
    fn parse(py: Python<'_>, chart_lock: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Lock> {
        let limits = Limits::or_default(limits);
        core::Lock::parse(&content(chart_lock, limits.document)?, &limits).map(Lock).raise(py)
    }
    /// The digest that Helm writes for these requirements and that choice.
    #[staticmethod]
    fn digest_for(dependencies: Vec<Bound<'_, Dependency>>, locked: Vec<Bound<'_, Dependency>>) -> String {
        let plain = |list: &[Bound<'_, Dependency>]| list.iter().map(|item| item.get().0.clone()).collect::<Vec<_>>();
        core::Lock::digest_for(&plain(&dependencies), &plain(&locked))
    }
    /// Name, version and repository of what was chosen.
    #[getter]
    fn dependencies(&self) -> Vec<Dependency> {
        self.0.dependencies.iter().cloned().map(Dependency).collect()
    }
    /// Of the requirements and the choice: `digest_for`.
    #[getter]
    fn digest(&self) -> &str {
        &self.0.digest
    }
    /// When, in RFC 3339; empty if the file does not say.
    #[getter]
    fn generated(&self) -> &str {
        &self.0.generated
    }
    /// As Helm writes the file.
    fn to_yaml(&self) -> String {
        self.0.to_yaml()
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let locked = self.dependencies();
        dict.set_item("dependencies", locked.iter().map(|item| item.to_dict(py)).collect::<PyResult<Vec<_>>>()?)?;
        dict.set_item("digest", &self.0.digest)?;
        dict.set_item("generated", &self.0.generated)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("<Lock {}>", self.0.digest)
    }
}

/// .helmignore: which files do not belong to a chart.
///
///     >>> ignore = chartoci.Ignore.parse("*.swp\nbuild/\n")
///     >>> ignore.matches("templates/web.yaml.swp"), ignore.matches("build"), ignore.matches("build", is_dir=True)
///     (True, False, True)
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(PartialEq)]
pub(crate) struct Ignore(core::Ignore);

#[pymethods]
impl Ignore {
    /// Reads the patterns of a .helmignore (Helm 4.3); `**` and malformed ones are an `InvalidError`.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Ignore> {
        let text = content(text, chartoci::Limits::default().document)?;
        core::Ignore::parse(&String::from_utf8_lossy(&text)).map(Ignore).raise(py)
    }
    /// The path, below the chart's root, does not belong to the chart; a directory with all that is in it.
    #[pyo3(signature = (path, is_dir = false))]
    fn matches(&self, path: &str, is_dir: bool) -> bool {
        self.0.matches(path, is_dir)
    }
    fn __repr__(&self) -> String {
        format!("<Ignore: {} patterns>", self.0.patterns())
    }
}

/// One SARIF document of several reports.
#[pyfunction]
pub(crate) fn sarif(reports: Vec<PyRef<'_, Report>>) -> String {
    diagnostic::sarif(reports.iter().map(|report| &report.0))
}

/// What kept a document from being judged, as a report.
#[pyfunction]
pub(crate) fn unjudged(error: &Bound<'_, PyAny>, path: &str) -> PyResult<Report> {
    let error = error_in(error)?.ok_or_else(|| PyTypeError::new_err("this is no error of the core"))?;
    let mut finding = diagnostic::Diagnostic::new(error.code(), path, error.to_string());
    error.hint().clone_into(&mut finding.help);
    Ok(Report(diagnostic::Report::from_iter([finding]).found_in(path, false)))
}

/// JSON Schemas of a chart's documents, by their names.
///
///     >>> sorted(chartoci.schemas())
///     ['Chart.lock', 'Chart.yaml', 'index.yaml']
#[pyfunction]
pub(crate) fn schemas(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, schema) in core::schemas::schemas() {
        dict.set_item(name, json(py, &schema)?)?;
    }
    Ok(dict)
}

/// The kinds of documents.
#[pyfunction]
pub(crate) fn kinds() -> [&'static str; 10] {
    chartoci::check::Document::names()
}

/// The word that was probably meant, if one is written nearly alike.
#[pyfunction]
pub(crate) fn nearest(word: &str, known: Vec<String>) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    chartoci::check::nearest(word, &known).map(str::to_owned)
}

/// What is wrong with a document's bytes; `filename` helps to guess what they are.
#[pyfunction]
#[pyo3(signature = (data, kind = None, filename = None, limits = None))]
pub(crate) fn check(
    py: Python<'_>,
    data: Data,
    kind: Option<&str>,
    filename: Option<&str>,
    limits: Option<Given<'_, Limits>>,
) -> PyResult<Report> {
    let kind = kind.map(chartoci::check::Document::parse).transpose().raise(py)?;
    let limits = Limits::or_default(limits);
    py.detach(|| chartoci::check(&data, kind, filename, &limits)).map(Report).raise(py)
}

/// What is wrong with what is at hand of one chart, and what does not fit together.
#[pyfunction]
#[pyo3(signature = (
    *, reference = None, manifest = None, config = None, chart = None, filename = None, provenance = None, limits = None
))]
#[allow(clippy::too_many_arguments, reason = "one for each part")]
pub(crate) fn check_parts(
    py: Python<'_>,
    reference: Option<ReferenceLike<'_>>,
    manifest: Option<Data>,
    config: Option<Data>,
    chart: Option<Data>,
    filename: Option<&str>,
    provenance: Option<Data>,
    limits: Option<Given<'_, Limits>>,
) -> PyResult<Report> {
    let reference = reference.map(|reference| reference.read(py)).transpose()?;
    let limits = Limits::or_default(limits);
    let parts = chartoci::check::Parts {
        reference: reference.as_ref(),
        manifest: manifest.as_deref(),
        config: config.as_deref(),
        chart: chart.as_deref(),
        filename,
        provenance: provenance.as_deref(),
    };
    Ok(Report::new(py.detach(|| chartoci::check::check_parts(&parts, &limits))))
}

/// The bytes that `helm show` prints.
#[pyfunction]
pub(crate) fn show<'py>(
    py: Python<'py>,
    archive: &Bound<'py, Archive>,
    section: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let section = core::Section::parse(section).raise(py)?;
    Ok(PyBytes::new(py, &core::show(archive.get().view(), section)))
}

/// The section "chart" of a chart that was looked at and not kept.
#[pyfunction]
pub(crate) fn show_chart<'py>(py: Python<'py>, scan: &Bound<'py, Scan>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &core::show_chart(&scan.get().0.metadata))
}
