//! The exchange with a registry, as it is: poll, send, hand back.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::sync::Mutex;

use chartoci::auth::Credential;
use chartoci::exchange as core;
use chartoci::http::{self, Failure, Payload, RequestId, ResponseHead};
use chartoci::oci::Repository;
use chartoci::time::{Duration, Instant};
use chartoci::{Code, Error};
use pyo3::exceptions::{PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::chart::Limits;
use crate::data::{Data, lock, records};
use crate::errors::{Raise, error_in, exception, raise};
use crate::given::{Given, Wanted, refused, time};
use crate::oci::{Artifact, Descriptor, Digest, Reference, ReferenceLike};
use crate::version::{Constraint, Version, VersionLike};

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

pub(crate) fn duration(py: Python<'_>, name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        let error = Error::new(Code::ARGUMENT, format!("`{name}` is {seconds}, which is no length of time"));
        raise(py, &error.with_hint("Pass seconds: 0 or more, and less than 2^64."))
    })
}

/// A whole number from 1 to `most`.
fn count(number: &Bound<'_, PyAny>, name: &str, most: u32) -> PyResult<u32> {
    let py = number.py();
    match number.extract::<u32>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        Err(error) if !error.is_instance_of::<PyOverflowError>(py) => {
            Err(refused(number, &format!("`{name}`"), &format!("Pass a whole number from 1 to {most}.")))
        }
        _ => Err(raise(py, &core::not_a_count(name, &number.str()?.to_string_lossy(), most))),
    }
}

fn attempts(number: &Bound<'_, PyAny>) -> PyResult<u32> {
    count(number, "attempts", u32::MAX)
}

fn concurrency(number: &Bound<'_, PyAny>) -> PyResult<u32> {
    count(number, "concurrency", u8::MAX.into())
}

/// Seconds that cannot be missing.
fn some_time(value: &Bound<'_, PyAny>, name: &str) -> PyResult<f64> {
    time(value, name)?.ok_or_else(|| refused(value, &format!("`{name}`"), "Pass seconds, as 30 or 0.5."))
}

fn backoff(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    some_time(value, "backoff")
}

fn backoff_max(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    some_time(value, "backoff_max")
}

fn retry_after_max(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    some_time(value, "retry_after_max")
}

fn timeout(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    time(value, "timeout")
}

fn idle_timeout(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    time(value, "idle_timeout")
}

/// When to try again, and after how long; times are seconds.
///
///     >>> policy = chartoci.RetryPolicy(attempts=8)
///     >>> policy.attempts, policy.backoff, policy.retry_after_max
///     (8, 0.2, 60.0)
#[pyclass(frozen, eq, module = "chartoci")]
#[derive(Clone, PartialEq)]
pub(crate) struct RetryPolicy(core::RetryPolicy);

impl Wanted for RetryPolicy {
    const NAME: &'static str = "`retry`";
    const HINT: &'static str = "Pass a RetryPolicy, as RetryPolicy(attempts=3).";
}

#[pymethods]
impl RetryPolicy {
    #[new]
    #[pyo3(signature = (attempts = 5, backoff = 0.2, backoff_max = 10.0, retry_after_max = 60.0))]
    fn new(
        py: Python<'_>,
        #[pyo3(from_py_with = attempts)] attempts: u32,
        #[pyo3(from_py_with = backoff)] backoff: f64,
        #[pyo3(from_py_with = backoff_max)] backoff_max: f64,
        #[pyo3(from_py_with = retry_after_max)] retry_after_max: f64,
    ) -> PyResult<Self> {
        Ok(RetryPolicy(core::RetryPolicy {
            attempts,
            backoff: duration(py, "backoff", backoff)?,
            backoff_max: duration(py, "backoff_max", backoff_max)?,
            retry_after_max: duration(py, "retry_after_max", retry_after_max)?,
        }))
    }
    /// Tries of one request, the first included.
    #[getter]
    fn attempts(&self) -> u32 {
        self.0.attempts
    }
    /// The longest first pause, in seconds; it doubles with every try.
    #[getter]
    fn backoff(&self) -> f64 {
        seconds(self.0.backoff)
    }
    /// The longest pause, in seconds.
    #[getter]
    fn backoff_max(&self) -> f64 {
        seconds(self.0.backoff_max)
    }
    /// The longest `Retry-After` that is waited for, in seconds; who asks for more gets no further try.
    #[getter]
    fn retry_after_max(&self) -> f64 {
        seconds(self.0.retry_after_max)
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("attempts", self.attempts())?;
        dict.set_item("backoff", self.backoff())?;
        dict.set_item("backoff_max", self.backoff_max())?;
        dict.set_item("retry_after_max", self.retry_after_max())?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!(
            "RetryPolicy({}, {}, {}, {})",
            self.0.attempts,
            seconds(self.0.backoff),
            seconds(self.0.backoff_max),
            seconds(self.0.retry_after_max)
        )
    }
}

/// `"loopback"`, True, False, or a set of hosts.
fn host_set(hosts: &Bound<'_, PyAny>) -> PyResult<core::HostSet> {
    if let Ok(all) = hosts.extract::<bool>() {
        return Ok(if all { core::HostSet::All } else { core::HostSet::None });
    }
    if let Ok(name) = hosts.extract::<String>() {
        return match name.as_str() {
            "loopback" => Ok(core::HostSet::Loopback),
            _ => Err(raise(
                hosts.py(),
                &Error::new(Code::ARGUMENT, format!("{name:?} is no set of hosts"))
                    .with_hint("Pass LOOPBACK, True, False, or a set of hosts."),
            )),
        };
    }
    let Ok(all) = hosts.try_iter() else {
        return Err(refused(hosts, "a set of hosts", "Pass LOOPBACK, True, False, or a set of hosts."));
    };
    let hosts = all.map(|host| host?.extract::<String>()).collect::<PyResult<BTreeSet<_>>>()?;
    Ok(core::HostSet::These(hosts))
}

/// A registry (host, and port if there is one) is in a set of hosts.
#[pyfunction]
pub(crate) fn host_matches(hosts: &Bound<'_, PyAny>, registry: &str) -> PyResult<bool> {
    Ok(host_set(hosts)?.contains(registry))
}

/// The host is `localhost`, of 127/8, or `::1`, in brackets or without.
#[pyfunction]
pub(crate) fn is_loopback(host: &str) -> bool {
    chartoci::http::host::is_loopback(host)
}

/// The proxy that the environment names for a URL, if any.
#[pyfunction]
pub(crate) fn proxy(py: Python<'_>, url: &str, environment: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let variable =
        |name: &str| environment.call_method1("get", (name,)).and_then(|value| value.extract()).unwrap_or(None);
    let Some(url) = chartoci::http::url::Url::parse(url) else { return Ok(None) };
    chartoci::http::proxy::proxy(&url, &variable).raise(py)
}

/// Policy, token cache, what was learned about hosts.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Session(core::Session);

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (*, seed = 0, user_agent = None, limits = None, retry = None, concurrency = 3,
        plain_http = None, idle_timeout = Some(30.0), timeout = None, has_credentials = false,
        tls_options = false))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        seed: u64,
        user_agent: Option<String>,
        limits: Option<Given<'_, Limits>>,
        retry: Option<Given<'_, RetryPolicy>>,
        #[pyo3(from_py_with = concurrency)] concurrency: u32,
        plain_http: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = idle_timeout)] idle_timeout: Option<f64>,
        #[pyo3(from_py_with = timeout)] timeout: Option<f64>,
        has_credentials: bool,
        tls_options: bool,
    ) -> PyResult<Session> {
        let default = core::Config::default();
        let config = core::Config {
            user_agent: user_agent.unwrap_or(default.user_agent),
            seed,
            limits: Limits::or_default(limits),
            retry: retry.map_or(default.retry, |retry| retry.get().0.clone()),
            concurrency: u8::try_from(concurrency).ok().and_then(NonZeroU8::new).unwrap_or(default.concurrency),
            plain_http: plain_http.map(host_set).transpose()?.unwrap_or(default.plain_http),
            idle_timeout: idle_timeout.map(|seconds| duration(py, "idle_timeout", seconds)).transpose()?,
            timeout: timeout.map(|seconds| duration(py, "timeout", seconds)).transpose()?,
            transport: default.transport,
            has_credentials,
            tls_options,
        };
        config.check().raise(py)?;
        Ok(Session(core::Session::new(config)))
    }
}

fn if_exists_in(py: Python<'_>, name: &str) -> PyResult<core::IfExists> {
    match name {
        "overwrite" => Ok(core::IfExists::Overwrite),
        "skip-same" => Ok(core::IfExists::SkipSame),
        "refuse" => Ok(core::IfExists::Refuse),
        other => {
            let error = Error::new(Code::ARGUMENT, format!("if_exists is {other:?}"));
            Err(raise(py, &error.with_hint("Pass overwrite, skip-same or refuse.")))
        }
    }
}

/// A chart, ready to be pushed.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Push(core::Push);

#[pymethods]
impl Push {
    /// To `TARGET/NAME:VERSION`. Blob 1 is the chart, blob 2 the provenance.
    #[staticmethod]
    #[pyo3(signature = (artifact, target, if_exists = "overwrite"))]
    fn chart(
        py: Python<'_>,
        artifact: &Bound<'_, Artifact>,
        target: ReferenceLike<'_>,
        if_exists: &str,
    ) -> PyResult<Push> {
        let if_exists = if_exists_in(py, if_exists)?;
        let push = core::Push::chart(&artifact.get().0, &target.text()).raise(py)?;
        Ok(Push(core::Push { if_exists, ..push }))
    }
    /// As `chart`, to that very reference.
    #[staticmethod]
    fn to(py: Python<'_>, artifact: &Bound<'_, Artifact>, target: ReferenceLike<'_>) -> PyResult<Push> {
        Ok(Push(core::Push::to(&artifact.get().0, target.read(py)?).raise(py)?))
    }
    #[getter]
    fn target(&self) -> Reference {
        Reference(self.0.target.clone())
    }
    fn __repr__(&self) -> String {
        format!("<Push {}>", self.0.target)
    }
    /// The blobs that will be uploaded; a request names them by their place here.
    #[getter]
    fn uploads(&self) -> Vec<Descriptor> {
        self.0.uploads.iter().map(|upload| Descriptor(upload.descriptor.clone())).collect()
    }
}

/// Takes the bytes of one body as they come.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Receiver(Mutex<Option<http::Receiver>>);

impl Receiver {
    pub(crate) fn new(receiver: http::Receiver) -> Receiver {
        Receiver(Mutex::new(Some(receiver)))
    }

    pub(crate) fn take(&self) -> PyResult<http::Receiver> {
        lock(&self.0).take().ok_or_else(Receiver::spent)
    }

    fn spent() -> PyErr {
        PyRuntimeError::new_err("the receiver was handed back already")
    }

    fn with<T>(&self, read: impl FnOnce(&http::Receiver) -> T) -> PyResult<T> {
        lock(&self.0).as_ref().map(read).ok_or_else(Receiver::spent)
    }
}

#[pymethods]
impl Receiver {
    /// Takes the next bytes. False: read no further, hand the receiver back.
    fn write(&self, py: Python<'_>, chunk: Data) -> PyResult<bool> {
        py.detach(|| lock(&self.0).as_mut().map(|receiver| receiver.write(&chunk))).ok_or_else(Receiver::spent)
    }
    /// How many bytes of the sink are good already: cut it to that before storing more.
    #[getter]
    fn offset(&self) -> PyResult<u64> {
        self.with(http::Receiver::offset)
    }
    /// The host stores this body in the request's sink.
    #[getter]
    fn stores(&self) -> PyResult<bool> {
        self.with(http::Receiver::stores)
    }
    /// Seconds that the body may take in all; then it is given up as a failure, "timeout". None: any.
    #[getter]
    fn patience(&self) -> PyResult<Option<f64>> {
        Ok(self.with(http::Receiver::patience)?.map(seconds))
    }
    /// Bytes taken so far, those before `offset` included.
    #[getter]
    fn seen(&self) -> PyResult<u64> {
        self.with(http::Receiver::seen)
    }
    /// What is expected in all, if it is known.
    #[getter]
    fn expected(&self) -> PyResult<Option<u64>> {
        self.with(http::Receiver::expected)
    }
}

pub(crate) fn failure_in(failure: &str, text: &str) -> PyResult<Failure> {
    Failure::named(failure, text).ok_or_else(|| PyValueError::new_err(format!("no failure is called {failure:?}")))
}

/// A request that the host is to send. Content-Length is `length`, 0 included, where the method allows a body.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Request(http::Request);

#[pymethods]
impl Request {
    #[getter]
    fn id(&self) -> u32 {
        self.0.id.0
    }
    #[getter]
    fn method(&self) -> &'static str {
        self.0.method.as_str()
    }
    #[getter]
    fn url(&self) -> &str {
        &self.0.url
    }
    #[getter]
    fn headers(&self) -> Vec<(&str, &str)> {
        self.0.headers.iter().collect()
    }
    /// A small body that the machine holds.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.0.payload {
            Payload::Bytes(data) => Some(PyBytes::new(py, data)),
            Payload::Empty | Payload::Blob { .. } => None,
        }
    }
    /// A body that the host has: blob, first byte, one past the last.
    #[getter]
    fn blob(&self) -> Option<(u32, u64, u64)> {
        match &self.0.payload {
            Payload::Blob { blob, range } => Some((blob.0, range.start, range.end)),
            Payload::Empty | Payload::Bytes(_) => None,
        }
    }
    #[getter]
    fn length(&self) -> u64 {
        self.0.payload.len()
    }
    /// Which blob the body of a 200 or 206 is stored as.
    #[getter]
    fn sink(&self) -> Option<u32> {
        self.0.sink.map(|blob| blob.0)
    }
    /// Seconds of silence before the host gives up, while anything is sent and while the answer's body arrives.
    #[getter]
    fn timeout(&self) -> Option<f64> {
        self.0.timeout.map(seconds)
    }
    /// Seconds of silence between the last byte that is sent and the answer's head.
    #[getter]
    fn thinking(&self) -> Option<f64> {
        self.0.thinking.map(seconds)
    }
    /// Without the query: it may hold a signature.
    fn __repr__(&self) -> String {
        format!(
            "<Request {} {} {}>",
            self.0.id.0,
            self.0.method.as_str(),
            self.0.url.split('?').next().unwrap_or_default()
        )
    }
}

records! {
    /// Start this request; several may be out at once.
    Send { request: Py<Request> }
    /// The answer to this request no longer matters.
    Cancel { id: u32 }
    /// Answer with `Exchange.handle_credential`.
    Ask {
        id: u32, registry: String, repository: String, realm: Option<String>, service: Option<String>,
        scope: Option<String>, refused: bool, own: bool
    }
    /// Something worth telling.
    Notify { event: Py<PyAny> }
    /// Nothing to do until an answer comes, or until this time in milliseconds.
    Wait { until: Option<u64>, why: String }
    /// The last word: an outcome, or an error.
    Done { outcome: Option<Py<PyAny>>, error: Option<Py<PyAny>> }
}

fn model<'py, A: pyo3::call::PyCallArgs<'py>>(py: Python<'py>, class: &str, fields: A) -> PyResult<Py<PyAny>> {
    Ok(py.import("chartoci.model")?.getattr(class)?.call1(fields)?.unbind())
}

fn event_out(py: Python<'_>, event: core::Event) -> PyResult<Py<PyAny>> {
    match event {
        core::Event::Exists(descriptor) => model(py, "Exists", (Descriptor(descriptor),)),
        core::Event::Uploaded(descriptor) => model(py, "Uploaded", (Descriptor(descriptor),)),
        core::Event::Downloaded(blob, descriptor) => model(py, "Downloaded", (blob.0, Descriptor(descriptor))),
        core::Event::Retrying { after, why } => model(py, "Retrying", (seconds(after), why)),
        core::Event::Notice { code, text } => model(py, "Notice", (code, text)),
        other => Err(PyTypeError::new_err(format!("an event that this host does not know: {other:?}"))),
    }
}

fn blobs_out(py: Python<'_>, blobs: Vec<(chartoci::Descriptor, core::Uploaded)>) -> PyResult<Bound<'_, PyTuple>> {
    let mut shown = Vec::new();
    for (descriptor, uploaded) in blobs {
        let state = match uploaded {
            core::Uploaded::Sent => "uploaded",
            core::Uploaded::Mounted => "mounted",
            core::Uploaded::Existed => "existed",
            _ => "unknown",
        };
        shown.push(model(py, "PushedBlob", (Descriptor(descriptor), state))?);
    }
    PyTuple::new(py, shown)
}

fn outcome_out(py: Python<'_>, outcome: core::Outcome) -> PyResult<Py<PyAny>> {
    match outcome {
        core::Outcome::Copied(copied) => {
            let referrers = PyTuple::new(py, copied.referrers.into_iter().map(Digest))?;
            let blobs = blobs_out(py, copied.blobs)?;
            let fields = (Reference(copied.reference), Digest(copied.digest), copied.size, blobs, referrers);
            model(py, "Copied", fields)
        }
        core::Outcome::Deleted(deleted) => {
            model(py, "Deleted", (Reference(deleted.reference), deleted.digest.map(Digest)))
        }
        core::Outcome::Referrers(found) => {
            let mut referrers = Vec::new();
            for core::Referrer { descriptor, artifact_type, annotations } in found.referrers {
                let chartoci::Descriptor { media_type, digest, size } = descriptor;
                referrers.push(model(py, "Referrer", (Digest(digest), media_type, size, artifact_type, annotations))?);
            }
            Ok(referrers.into_pyobject(py)?.unbind())
        }
        core::Outcome::Pushed(pushed) => {
            let tag = pushed.reference.tag().map(str::to_owned);
            let blobs = blobs_out(py, pushed.blobs)?;
            let fields = (Reference(pushed.reference), tag, Digest(pushed.digest), pushed.size, blobs, pushed.skipped);
            model(py, "Pushed", fields)
        }
        core::Outcome::Pulled(pulled) => {
            let filename = pulled.filename();
            let fields = (
                Reference(pulled.reference),
                pulled.version,
                Digest(pulled.digest),
                PyBytes::new(py, &pulled.manifest),
                pulled.config.map(|config| PyBytes::new(py, &config)),
                pulled.chart.map(Descriptor),
                pulled.provenance.map(Descriptor),
                filename,
            );
            model(py, "Parts", fields)
        }
        core::Outcome::Resolved(resolved) => {
            let fields = (Reference(resolved.reference), resolved.version, resolved.tag, Digest(resolved.digest));
            model(py, "Resolved", fields)
        }
        core::Outcome::Tags(tags) => Ok(tags.into_pyobject(py)?.unbind()),
        core::Outcome::Versions(versions) => {
            Ok(PyList::new(py, versions.into_iter().map(Version))?.into_any().unbind())
        }
        core::Outcome::LoggedIn { checked } => Ok(checked.into_pyobject(py)?.to_owned().into_any().unbind()),
        core::Outcome::Fetched(descriptor) => Ok(Py::new(py, Descriptor(descriptor))?.into_any()),
        other => Err(PyTypeError::new_err(format!("an outcome that this host does not know: {other:?}"))),
    }
}

/// A credential of the core as (user, password), or as a token.
pub(crate) fn credential_out(py: Python<'_>, credential: Credential) -> PyResult<Py<PyAny>> {
    match credential {
        Credential::Basic { username, password } => Ok((username, password).into_pyobject(py)?.into_any().unbind()),
        Credential::Identity(value) => model(py, "Token", (value, "identity")),
        Credential::Bearer(value) => model(py, "Token", (value, "bearer")),
        _ => Err(PyTypeError::new_err("a credential that this host does not know")),
    }
}

/// (user, password), a token's text, a `Token`, or None.
pub(crate) fn credential_in(credential: &Bound<'_, PyAny>) -> PyResult<Option<Credential>> {
    if credential.is_none() {
        return Ok(None);
    }
    if let Ok((username, password)) = credential.extract::<(String, String)>() {
        return Ok(Some(Credential::Basic { username, password }));
    }
    if let Ok(token) = credential.extract::<String>() {
        return Ok(Some(Credential::Bearer(token)));
    }
    let (Ok(kind), Ok(value)) = (credential.getattr("kind"), credential.getattr("value")) else {
        return Err(raise(
            credential.py(),
            &Error::new(Code::ARGUMENT, format!("credentials cannot be a {}", credential.get_type().name()?))
                .with_hint("Give (user, password), a token, None, or a callable that gives one of these."),
        ));
    };
    match kind.extract::<String>()?.as_str() {
        "identity" => Ok(Some(Credential::Identity(value.extract()?))),
        _ => Ok(Some(Credential::Bearer(value.extract()?))),
    }
}

/// What kind of credential that is: basic, identity or bearer; None for none.
#[pyfunction]
pub(crate) fn credential_kind(credential: &Bound<'_, PyAny>) -> PyResult<Option<&'static str>> {
    Ok(credential_in(credential)?.map(|credential| credential.kind()))
}

/// One operation with a registry.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Exchange(Mutex<core::Exchange>);

impl Exchange {
    fn new(exchange: core::Exchange) -> Exchange {
        Exchange(Mutex::new(exchange))
    }
}

#[pymethods]
impl Exchange {
    #[staticmethod]
    fn push(session: &Bound<'_, Session>, push: &Bound<'_, Push>) -> Exchange {
        Exchange::new(core::Exchange::push(&session.get().0, push.get().0.clone()))
    }
    /// The same of a chart that is still being scanned: what it promises. The tag waits for `handle_scanned`.
    #[staticmethod]
    fn push_ahead(session: &Bound<'_, Session>, promised: &Bound<'_, Push>) -> Exchange {
        Exchange::new(core::Exchange::push_ahead(&session.get().0, promised.get().0.clone()))
    }
    /// The chart layer goes into blob 0, the provenance into blob 1.
    #[staticmethod]
    #[pyo3(signature = (session, reference, *, version = None, devel = false, chart = true, provenance = false,
        config = false, check_tag = false, verify = false, anything = false))]
    #[allow(clippy::too_many_arguments)]
    fn pull(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        reference: ReferenceLike<'_>,
        version: Option<VersionLike<'_>>,
        devel: bool,
        chart: bool,
        provenance: bool,
        config: bool,
        check_tag: bool,
        verify: bool,
        anything: bool,
    ) -> PyResult<Exchange> {
        let want = core::Want { chart, provenance, config, anything };
        let version = version.map(VersionLike::text);
        let pull = core::Pull { reference: reference.read(py)?, version, devel, want, check_tag, verify };
        Ok(Exchange::new(core::Exchange::pull(&session.get().0, pull)))
    }
    #[staticmethod]
    #[pyo3(signature = (session, reference, *, version = None, devel = false))]
    fn resolve(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        reference: ReferenceLike<'_>,
        version: Option<VersionLike<'_>>,
        devel: bool,
    ) -> PyResult<Exchange> {
        let version = version.map(VersionLike::text);
        let resolve = core::Resolve { reference: reference.read(py)?, version, devel };
        Ok(Exchange::new(core::Exchange::resolve(&session.get().0, resolve)))
    }
    #[staticmethod]
    fn tags(py: Python<'_>, session: &Bound<'_, Session>, repository: &str) -> PyResult<Exchange> {
        let repository = Repository::parse(repository).raise(py)?;
        Ok(Exchange::new(core::Exchange::tags(&session.get().0, repository)))
    }
    /// The versions among the tags, newest first.
    #[staticmethod]
    #[pyo3(signature = (session, repository, constraint = None, prerelease = false))]
    fn versions(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        repository: &str,
        constraint: Option<&Bound<'_, Constraint>>,
        prerelease: bool,
    ) -> PyResult<Exchange> {
        let repository = Repository::parse(repository).raise(py)?;
        let constraint = constraint.map(|constraint| constraint.get().0.clone());
        Ok(Exchange::new(core::Exchange::versions(&session.get().0, repository, constraint, prerelease)))
    }
    /// One blob, or its bytes from `start` to `end`, into blob 0.
    #[staticmethod]
    #[pyo3(signature = (session, repository, blob, start = 0, end = None))]
    fn fetch(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        repository: &str,
        blob: &Bound<'_, Descriptor>,
        start: u64,
        end: Option<u64>,
    ) -> PyResult<Exchange> {
        let repository = Repository::parse(repository).raise(py)?;
        let blob = blob.get().0.clone();
        let part = start..end.unwrap_or(blob.size);
        Ok(Exchange::new(core::Exchange::fetch_part(&session.get().0, repository, blob, part)))
    }
    /// The config of a chart that is here already, into blob 0, by one try.
    #[staticmethod]
    fn config(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        repository: &str,
        config: &Bound<'_, Descriptor>,
    ) -> PyResult<Exchange> {
        let repository = Repository::parse(repository).raise(py)?;
        Ok(Exchange::new(core::Exchange::config(&session.get().0, repository, config.get().0.clone())))
    }
    #[staticmethod]
    #[pyo3(signature = (session, source, target, referrers = false, upgrade = false))]
    fn copy(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        source: ReferenceLike<'_>,
        target: ReferenceLike<'_>,
        referrers: bool,
        upgrade: bool,
    ) -> PyResult<Exchange> {
        let copy = core::Copy { source: source.read(py)?, target: target.read(py)?, referrers, upgrade };
        Ok(Exchange::new(core::Exchange::copy(&session.get().0, copy)))
    }
    #[staticmethod]
    fn delete(py: Python<'_>, session: &Bound<'_, Session>, reference: ReferenceLike<'_>) -> PyResult<Exchange> {
        Ok(Exchange::new(core::Exchange::delete(&session.get().0, reference.read(py)?)))
    }
    #[staticmethod]
    #[pyo3(signature = (session, reference, artifact_type = None))]
    fn referrers(
        py: Python<'_>,
        session: &Bound<'_, Session>,
        reference: ReferenceLike<'_>,
        artifact_type: Option<String>,
    ) -> PyResult<Exchange> {
        Ok(Exchange::new(core::Exchange::referrers(&session.get().0, reference.read(py)?, artifact_type)))
    }
    /// Where the bytes of a blob are to be fetched: repository and descriptor. None: the host has them.
    fn source(&self, blob: u32) -> Option<(String, Descriptor)> {
        let (repository, descriptor) = lock(&self.0).source(http::BlobId(blob))?;
        Some((repository.to_string(), Descriptor(descriptor)))
    }
    /// Whether the registry takes the credential that it is answered with: the outcome says if it asked for one.
    #[staticmethod]
    fn login(py: Python<'_>, session: &Bound<'_, Session>, registry: &str) -> PyResult<Exchange> {
        Ok(Exchange::new(core::Exchange::login(&session.get().0, registry).raise(py)?))
    }

    /// Allows the whole exchange that many seconds from the first poll, in place of the session's `timeout`.
    #[pyo3(signature = (timeout))]
    fn set_timeout(&self, py: Python<'_>, #[pyo3(from_py_with = timeout)] timeout: Option<f64>) -> PyResult<()> {
        let timeout = timeout.map(|seconds| duration(py, "timeout", seconds)).transpose()?;
        lock(&self.0).set_timeout(timeout);
        Ok(())
    }

    /// It is part of something that is for another registry, as the fetch of a copy's blob is: see `Ask.own`.
    fn on_behalf_of(&self, registry: &str) {
        lock(&self.0).on_behalf_of(registry);
    }

    /// Moves time (milliseconds) forward and says what to do next. Call until it answers `Wait` or `Done`.
    fn poll(&self, py: Python<'_>, now: u64) -> PyResult<Py<PyAny>> {
        let output = lock(&self.0).poll(Instant::from_millis(now));
        Ok(match output {
            core::Output::Send(request) => Py::new(py, Send { request: Py::new(py, Request(request))? })?.into_any(),
            core::Output::Cancel(id) => Py::new(py, Cancel { id: id.0 })?.into_any(),
            core::Output::Ask(query) => {
                let core::CredentialQuery { id, registry, repository, realm, service, scope, refused, own } = query;
                Py::new(py, Ask { id: id.0, registry, repository, realm, service, scope, refused, own })?.into_any()
            }
            core::Output::Notify(event) => Py::new(py, Notify { event: event_out(py, event)? })?.into_any(),
            core::Output::Wait(wake) => {
                Py::new(py, Wait { until: wake.until.map(Instant::as_millis), why: wake.why.to_owned() })?.into_any()
            }
            core::Output::Done(result) => {
                let done = match result {
                    Ok(outcome) => Done { outcome: Some(outcome_out(py, outcome)?), error: None },
                    Err(error) => Done { outcome: None, error: Some(exception(py, &error)?.unbind()) },
                };
                Py::new(py, done)?.into_any()
            }
            other => return Err(PyTypeError::new_err(format!("an output that this host does not know: {other:?}"))),
        })
    }
    /// The head of a response is here. Feed its body to the receiver.
    #[pyo3(signature = (id, status, headers, url = None))]
    fn handle_response(&self, id: u32, status: u16, headers: Vec<(String, String)>, url: Option<String>) -> Receiver {
        let head = ResponseHead { status, headers: headers.into_iter().collect(), url };
        Receiver::new(lock(&self.0).handle_response(RequestId(id), head))
    }
    /// The body is complete, or `Receiver.write` said to stop.
    fn handle_end(&self, id: u32, receiver: &Bound<'_, Receiver>) -> PyResult<()> {
        let receiver = receiver.get().take()?;
        lock(&self.0).handle_end(RequestId(id), receiver);
        Ok(())
    }
    /// The request could not be completed: `connect`, `tls`, `timeout`, `reset`, `storage`, `forbidden` or `other`.
    #[pyo3(signature = (id, failure, text = "", receiver = None))]
    fn handle_failure(
        &self,
        id: u32,
        failure: &str,
        text: &str,
        receiver: Option<&Bound<'_, Receiver>>,
    ) -> PyResult<()> {
        let failure = failure_in(failure, text)?;
        let receiver = receiver.map(|receiver| receiver.get().take()).transpose()?;
        lock(&self.0).handle_failure(RequestId(id), failure, receiver);
        Ok(())
    }
    /// The answer to `Ask`: a credential, None for anonymous, or the error that stood in the way of one.
    fn handle_credential(&self, id: u32, credential: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(error) = error_in(credential)? {
            lock(&self.0).handle_credential_failure(core::QueryId(id), error);
            return Ok(());
        }
        let credential = credential_in(credential)?;
        lock(&self.0).handle_credential(core::QueryId(id), credential);
        Ok(())
    }
    /// The chart of a `push_ahead` was scanned, and this is to be pushed; where it was refused: `abort`.
    fn handle_scanned(&self, push: &Bound<'_, Push>) {
        lock(&self.0).handle_scanned(push.get().0.clone());
    }
    /// Gives up: cancels what is out, then `Done` with an error.
    fn abort(&self) {
        lock(&self.0).abort();
    }
}
