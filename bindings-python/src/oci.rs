//! Digests, descriptors, references, artifacts.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chartoci::oci::{self, Algorithm};
use chartoci::time::Timestamp;
use chartoci::{Code, Error};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::chart::{Limits, Report, Scan, content};
use crate::data::{Data, lock, moment};
use crate::errors::{Raise, error_in, raise};
use crate::given::{Given, Like, Spelt, Text, Wanted};

fn algorithm(py: Python<'_>, name: &str) -> PyResult<Algorithm> {
    Algorithm::parse(name).ok_or_else(|| {
        raise(py, &Error::new(Code::ARGUMENT, format!("no algorithm {name:?}")).with_hint("Write sha256 or sha512."))
    })
}

/// The name of some bytes: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128.
///
///     >>> chartoci.Digest.of(b"{}")
///     Digest("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
///     >>> chartoci.Digest.of(b"{}", algorithm="sha512").algorithm
///     'sha512'
#[pyclass(frozen, eq, ord, hash, module = "chartoci")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest(pub(crate) oci::Digest);

#[pymethods]
impl Digest {
    /// Reads a digest: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
    #[staticmethod]
    fn parse(py: Python<'_>, text: Text) -> PyResult<Digest> {
        oci::Digest::parse(&text).map(Digest).raise(py)
    }
    /// The digest of bytes, by `sha256` or `sha512`.
    #[staticmethod]
    #[pyo3(signature = (data, algorithm = "sha256"))]
    fn of(py: Python<'_>, data: Data, algorithm: &str) -> PyResult<Digest> {
        let algorithm = self::algorithm(py, algorithm)?;
        Ok(Digest(py.detach(|| oci::Digest::with(algorithm, &data))))
    }
    /// `sha256` or `sha512`.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.0.algorithm().as_str()
    }
    /// The digits after the colon.
    #[getter]
    fn hex(&self) -> &str {
        self.0.hex()
    }
    /// Its parts; within another result it is its text.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("digest", self.0.as_str())?;
        dict.set_item("algorithm", self.algorithm())?;
        dict.set_item("hex", self.hex())?;
        Ok(dict)
    }
    fn __str__(&self) -> &str {
        self.0.as_str()
    }
    fn __repr__(&self) -> String {
        format!("Digest({:?})", self.0.as_str())
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("parse")?, (slf.get().0.as_str().to_owned(),)))
    }
}

/// Hashes bytes as they come.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Digester(Mutex<oci::Digester>);

#[pymethods]
impl Digester {
    #[new]
    #[pyo3(signature = (algorithm = "sha256"))]
    fn new(py: Python<'_>, algorithm: &str) -> PyResult<Digester> {
        Ok(Digester(Mutex::new(oci::Digester::new(self::algorithm(py, algorithm)?))))
    }
    fn update(&self, py: Python<'_>, data: Data) {
        py.detach(|| lock(&self.0).update(&data));
    }
    /// Of all that was hashed so far.
    fn digest(&self) -> Digest {
        Digest(lock(&self.0).clone().finish())
    }
}

/// Names a blob: media type, digest, size in bytes.
///
///     >>> archive = chartoci.Archive.read("web-1.0.0.tgz")
///     >>> layer = chartoci.Artifact.build(archive).chart_layer
///     >>> layer.media_type
///     'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
///     >>> layer.digest == archive.digest, layer.size == archive.size
///     (True, True)
#[pyclass(frozen, eq, hash, module = "chartoci")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Descriptor(pub(crate) oci::Descriptor);

#[pymethods]
impl Descriptor {
    #[new]
    fn new(media_type: String, digest: &Bound<'_, Digest>, size: u64) -> Descriptor {
        Descriptor(oci::Descriptor { media_type, digest: digest.get().0.clone(), size })
    }
    /// What kind of thing the blob is.
    #[getter]
    fn media_type(&self) -> &str {
        &self.0.media_type
    }
    /// Of its bytes.
    #[getter]
    fn digest(&self) -> Digest {
        Digest(self.0.digest.clone())
    }
    /// In bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("media_type", &self.0.media_type)?;
        dict.set_item("digest", self.0.digest.as_str())?;
        dict.set_item("size", self.0.size)?;
        Ok(dict)
    }
    fn __repr__(&self) -> String {
        format!("Descriptor({:?}, {:?}, {})", self.0.media_type, self.0.digest.as_str(), self.0.size)
    }
}

/// A registry, a repository in it, and perhaps a tag or a digest.
///
///     >>> reference = chartoci.Reference.parse("oci://reg.example:5000/team/web:1.2.3+b1")
///     >>> reference.registry, reference.repository, reference.tag, reference.version
///     ('reg.example:5000', 'team/web', '1.2.3_b1', '1.2.3+b1')
#[pyclass(frozen, eq, ord, hash, module = "chartoci")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reference(pub(crate) oci::Reference);

#[pymethods]
impl Reference {
    /// Reads `[oci://]REGISTRY/REPOSITORY[:TAG][@DIGEST]`; `+` in a tag is read as `_`. There is no default registry.
    #[staticmethod]
    fn parse(py: Python<'_>, text: Text) -> PyResult<Reference> {
        oci::Reference::parse(&text).map(Reference).raise(py)
    }
    /// Host, and port if one was given.
    #[getter]
    fn registry(&self) -> &str {
        self.0.registry()
    }
    /// The name within the registry.
    #[getter]
    fn repository(&self) -> &str {
        self.0.repository()
    }
    /// `_` where the version has `+`.
    #[getter]
    fn tag(&self) -> Option<&str> {
        self.0.tag()
    }
    /// Of the manifest.
    #[getter]
    fn digest(&self) -> Option<Digest> {
        self.0.digest().cloned().map(Digest)
    }
    /// The version that the tag stands for.
    #[getter]
    fn version(&self) -> Option<String> {
        self.0.version()
    }
    /// Its parts; within another result it is its text.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("reference", self.0.to_string())?;
        dict.set_item("registry", self.registry())?;
        dict.set_item("repository", self.repository())?;
        dict.set_item("tag", self.tag())?;
        dict.set_item("digest", self.0.digest().map(oci::Digest::as_str))?;
        dict.set_item("version", self.version())?;
        Ok(dict)
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("Reference({:?})", self.0.to_string())
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("parse")?, (slf.get().0.to_string(),)))
    }
}

/// A path or an address as errors may show it: without a user name and a password.
#[pyfunction]
pub(crate) fn without_userinfo(text: &str) -> String {
    oci::reference::without_userinfo(text)
}

/// A reference, or the text of one.
pub(crate) type ReferenceLike<'py> = Like<'py, Reference>;

impl Wanted for Reference {
    const NAME: &'static str = "a reference";
    const HINT: &'static str = "Pass a Reference, or a text as oci://HOST/PATH:TAG.";
}

impl Spelt for Reference {
    type Value = oci::Reference;

    fn value(object: &Bound<'_, Reference>) -> oci::Reference {
        object.get().0.clone()
    }
}

/// A chart's manifest and config, and what they mean.
///
///     >>> artifact = chartoci.Artifact.build(chartoci.Archive.read("web-1.0.0.tgz"))
///     >>> artifact.annotations["org.opencontainers.image.title"]
///     'web'
///     >>> chartoci.Artifact.parse(artifact.manifest).digest == artifact.digest
///     True
#[pyclass(frozen, module = "chartoci")]
pub(crate) struct Artifact(pub(crate) chartoci::Artifact);

#[pymethods]
impl Artifact {
    /// The manifest and config that `helm push` makes of a chart, byte for byte (Helm 3.15 and later). Without `created`
    /// the same chart always has the same digest.
    #[staticmethod]
    #[pyo3(signature = (archive, *, provenance = None, created = None, limits = None))]
    fn build(
        py: Python<'_>,
        archive: &Bound<'_, PyAny>,
        provenance: Option<&Bound<'_, PyAny>>,
        created: Option<&Bound<'_, PyAny>>,
        limits: Option<Given<'_, Limits>>,
    ) -> PyResult<Artifact> {
        let (scan, limits) = (Scan::of(archive)?, Limits::or_default(limits));
        let provenance = provenance.map(|provenance| content(provenance, limits.provenance)).transpose()?;
        let created = created.map(moment).transpose()?.map(Timestamp::from_unix);
        chartoci::Artifact::build(&scan, provenance.as_deref(), created, &limits).map(Artifact).raise(py)
    }
    /// Reads a manifest or an index. Only what is neither is an `InvalidError`; what else is wrong stands in `report`.
    #[staticmethod]
    #[pyo3(signature = (manifest, limits = None))]
    fn parse(py: Python<'_>, manifest: &Bound<'_, PyAny>, limits: Option<Given<'_, Limits>>) -> PyResult<Artifact> {
        let limits = Limits::or_default(limits);
        let manifest = content(manifest, limits.manifest)?;
        chartoci::Artifact::parse(&manifest, &limits).map(Artifact).raise(py)
    }
    /// Its bytes.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.manifest())
    }
    /// The config's bytes, where it was built here.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.config().map(|config| PyBytes::new(py, config))
    }
    /// Of the config; an index has none.
    #[getter]
    fn config_descriptor(&self) -> Option<Descriptor> {
        self.0.config_descriptor().cloned().map(Descriptor)
    }
    /// All layers, in the manifest's order.
    #[getter]
    fn layers(&self) -> Vec<Descriptor> {
        self.0.layers().iter().cloned().map(Descriptor).collect()
    }
    /// The layer that holds the chart.
    #[getter]
    fn chart_layer(&self) -> Option<Descriptor> {
        self.0.chart_layer().cloned().map(Descriptor)
    }
    /// The layer that holds the provenance.
    #[getter]
    fn provenance_layer(&self) -> Option<Descriptor> {
        self.0.provenance_layer().cloned().map(Descriptor)
    }
    /// Of the manifest.
    #[getter]
    fn annotations(&self) -> BTreeMap<String, String> {
        self.0.annotations().clone()
    }
    /// Of the manifest.
    #[getter]
    fn digest(&self) -> Digest {
        Digest(self.0.digest().clone())
    }
    /// `chart`, `alpha-chart`, `image`, `index`, `signature` or `other`.
    #[getter]
    fn what(&self) -> &'static str {
        self.0.what().as_str()
    }
    /// A chart as Helm before 3.7 pushed it.
    #[getter]
    fn is_legacy(&self) -> bool {
        self.0.is_legacy()
    }
    /// What is wrong with it as what it is.
    #[getter]
    fn report(&self) -> Report {
        Report::new(self.0.report().clone())
    }
    /// A few lines for people: what it is, what each part is for, what is wrong.
    fn explain(&self) -> String {
        self.0.explain()
    }
    /// As JSON knows it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("what", self.what())?;
        dict.set_item("digest", self.0.digest().as_str())?;
        dict.set_item("config", self.config_descriptor().map(|config| config.to_dict(py)).transpose()?)?;
        let layers: Vec<_> = self.layers().iter().map(|layer| layer.to_dict(py)).collect::<PyResult<_>>()?;
        dict.set_item("layers", layers)?;
        dict.set_item("annotations", self.annotations())?;
        dict.set_item("report", Report::new(self.0.report().clone()).to_list(py)?)?;
        Ok(dict)
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Artifact>().is_ok_and(|other| other.get().0.manifest() == self.0.manifest())
    }
    fn __hash__<'py>(&self, py: Python<'py>) -> PyResult<isize> {
        PyString::new(py, self.0.digest().as_str()).hash()
    }
    fn __repr__(&self) -> String {
        format!("<Artifact {} {}>", self.what(), self.0.digest())
    }
}

/// A config that is not the one that Helm makes of the chart's Chart.yaml: what it says is to be asked for.
#[pyclass(frozen, module = "chartoci.sansio")]
pub(crate) struct Doubt(chartoci::artifact::Doubt);

#[pymethods]
impl Doubt {
    /// Of a manifest and the front of an archive; None where there is nothing to ask.
    #[staticmethod]
    #[pyo3(signature = (manifest, archive, limits = None))]
    fn of(manifest: Data, archive: Data, limits: Option<Given<'_, Limits>>) -> Option<Doubt> {
        chartoci::artifact::Doubt::of(&manifest, &archive, &Limits::or_default(limits)).map(Doubt)
    }
    /// What is to be asked for.
    #[getter]
    fn config(&self) -> Descriptor {
        Descriptor(self.0.config().clone())
    }
    /// The notice that comes of the config, or of the error that it could not be had for: code and words.
    fn settle(&self, config: &Bound<'_, PyAny>) -> PyResult<Option<(&'static str, String)>> {
        let found = match error_in(config)? {
            Some(error) => self.0.settle(Err(&error)),
            None => self.0.settle(Ok(&config.extract::<Data>()?)),
        };
        Ok(found.map(|(code, text)| (code.name(), text)))
    }
}
