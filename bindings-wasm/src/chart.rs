//! Charts and what they become in a registry.

use chartoci::Digest;
use chartoci::chart::{self, Ignore as CoreIgnore, Scan, Section};
use chartoci::files::{Answer, Step, Verb};
use chartoci::time::Timestamp;
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, argument, throw};

/// What Chart.yaml says.
#[wasm_bindgen]
pub struct Metadata(chartoci::Metadata);

impl Metadata {
    pub(crate) fn of(metadata: &chartoci::Metadata) -> Metadata {
        Metadata(metadata.clone())
    }
}

#[wasm_bindgen]
impl Metadata {
    pub fn parse(chart_yaml: &[u8], limits: &JsValue) -> Result<Metadata> {
        chartoci::Metadata::parse(chart_yaml, &dto::limits(limits)?).map(Metadata).map_err(throw)
    }
    pub fn front() -> usize {
        chartoci::Metadata::FRONT
    }
    pub fn peek(archive: &[u8], limits: &JsValue) -> Result<Metadata> {
        chartoci::Metadata::peek(archive, &dto::limits(limits)?).map(Metadata).map_err(throw)
    }
    #[wasm_bindgen(js_name = fromConfig)]
    pub fn from_config(config: &[u8], limits: &JsValue) -> Result<Metadata> {
        chartoci::Metadata::from_config(config, &dto::limits(limits)?).map(Metadata).map_err(throw)
    }
    pub fn fields(&self) -> Object {
        dto::metadata(&self.0)
    }
    pub fn config(&self) -> Vec<u8> {
        self.0.config()
    }
    #[wasm_bindgen(js_name = toYaml)]
    pub fn to_yaml(&self) -> String {
        self.0.to_yaml()
    }
}

/// A chart archive, unpacked.
#[wasm_bindgen]
pub struct Archive(chartoci::Archive);

#[cfg(feature = "files")]
impl Archive {
    pub(crate) fn of(archive: chartoci::Archive) -> Archive {
        Archive(archive)
    }
    pub(crate) fn core(&self) -> &chartoci::Archive {
        &self.0
    }
}

#[wasm_bindgen]
impl Archive {
    /// With `unhashed` the digest is yet to come, by `setDigest`.
    pub fn read(data: &[u8], limits: &JsValue, unhashed: bool) -> Result<Archive> {
        let digest = || Digest::of(if unhashed { &[] } else { data });
        chartoci::Archive::read_unpacked(data, &dto::limits(limits)?, Vec::new(), digest).map(Archive).map_err(throw)
    }
    #[wasm_bindgen(js_name = setDigest)]
    pub fn set_digest(&mut self, digest: &str) -> Result<()> {
        self.0.set_digest(&Digest::parse(digest).map_err(throw)?);
        Ok(())
    }
    pub fn metadata(&self) -> Metadata {
        Metadata::of(self.0.metadata())
    }
    pub fn digest(&self) -> String {
        self.0.scan().digest.to_string()
    }
    pub fn filename(&self) -> Result<String> {
        self.0.metadata().filename().map_err(throw)
    }
    pub fn size(&self) -> JsValue {
        dto::number(self.0.scan().size)
    }
    pub fn unpacked(&self) -> JsValue {
        dto::number(self.0.scan().unpacked)
    }
    pub fn report(&self) -> Array {
        dto::report(&self.0.scan().report)
    }
    pub fn paths(&self) -> Vec<String> {
        self.0.paths().map(str::to_owned).collect()
    }
    /// A copy of a file's bytes.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.0.file(path).map(<[u8]>::to_vec)
    }
    pub fn values(&self) -> JsValue {
        dto::node(self.0.values())
    }
    #[wasm_bindgen(js_name = valuesYaml)]
    pub fn values_yaml(&self) -> Option<Vec<u8>> {
        self.0.values_yaml().map(<[u8]>::to_vec)
    }
    pub fn schema(&self) -> Option<Vec<u8>> {
        self.0.schema().map(<[u8]>::to_vec)
    }
    pub fn readme(&self) -> Option<Vec<u8>> {
        self.0.readme().map(|(_, data)| data.to_vec())
    }
    pub fn crds(&self) -> Vec<String> {
        self.0.crds().into_iter().map(str::to_owned).collect()
    }
    pub fn templates(&self) -> Vec<String> {
        self.0.templates().into_iter().map(str::to_owned).collect()
    }
    pub fn lock(&self) -> Option<Object> {
        self.0.lock().map(dto::lock)
    }
    pub fn dependencies(&self) -> Vec<Archive> {
        self.0.dependencies().iter().cloned().map(Archive).collect()
    }
    /// What `helm show` prints.
    pub fn show(&self, section: &str) -> Result<Vec<u8>> {
        Ok(chart::show(&self.0, Section::parse(section).map_err(throw)?))
    }
}

/// A manifest, its config, and what they mean.
#[wasm_bindgen]
pub struct Artifact(chartoci::Artifact);

/// `created` in seconds since 1970-01-01T00:00:00Z.
fn build(
    scan: &Scan,
    provenance: Option<Vec<u8>>,
    created: Option<f64>,
    limits: &chartoci::Limits,
) -> Result<Artifact> {
    let created = created.map(|seconds| Timestamp::from_unix(seconds.floor() as i64));
    chartoci::Artifact::build(scan, provenance.as_deref(), created, limits).map(Artifact).map_err(throw)
}

#[wasm_bindgen]
impl Artifact {
    pub fn build(
        archive: &Archive,
        provenance: Option<Vec<u8>>,
        created: Option<f64>,
        limits: &JsValue,
    ) -> Result<Artifact> {
        build(archive.0.scan(), provenance, created, &dto::limits(limits)?)
    }
    /// Of packed bytes, which are looked at whole and not kept.
    #[wasm_bindgen(js_name = buildFrom)]
    pub fn build_from(
        data: &[u8],
        provenance: Option<Vec<u8>>,
        created: Option<f64>,
        limits: &JsValue,
    ) -> Result<Artifact> {
        let limits = dto::limits(limits)?;
        build(&Scan::read(data, &limits).map_err(throw)?, provenance, created, &limits)
    }
    pub fn parse(manifest: &[u8], limits: &JsValue) -> Result<Artifact> {
        chartoci::Artifact::parse(manifest, &dto::limits(limits)?).map(Artifact).map_err(throw)
    }
    pub fn fields(&self) -> Object {
        dto::artifact(&self.0)
    }
    /// What is to be pushed to `TARGET/NAME:VERSION`: as data, for the module that does it.
    pub fn push(&self, target: &str) -> Result<Object> {
        chartoci::exchange::Push::chart(&self.0, target).map(|push| dto::push(&push)).map_err(throw)
    }
    /// The same to that very reference, whatever the chart is called.
    #[wasm_bindgen(js_name = pushTo)]
    pub fn push_to(&self, target: &str) -> Result<Object> {
        let target = chartoci::Reference::parse(target).map_err(throw)?;
        chartoci::exchange::Push::to(&self.0, target).map(|push| dto::push(&push)).map_err(throw)
    }
    pub fn explain(&self) -> String {
        self.0.explain()
    }
}

/// A config that is not the one that Helm makes of the chart's Chart.yaml: what it says is to be asked for.
#[wasm_bindgen]
pub struct Doubt(chartoci::artifact::Doubt);

#[wasm_bindgen]
impl Doubt {
    /// Of a manifest and the front of an archive; undefined where there is nothing to ask.
    pub fn of(manifest: &[u8], archive: &[u8], limits: &JsValue) -> Result<Option<Doubt>> {
        Ok(chartoci::artifact::Doubt::of(manifest, archive, &dto::limits(limits)?).map(Doubt))
    }
    /// What is to be asked for: `{ mediaType, digest, size }`.
    pub fn config(&self) -> Object {
        dto::descriptor(self.0.config())
    }
    /// The notice that comes of the config: `{ code, text }`.
    pub fn settle(&self, config: &[u8]) -> Option<Object> {
        self.0.settle(Ok(config)).map(notice)
    }
    /// The notice that comes of the error that the config could not be had for, by its code.
    #[wasm_bindgen(js_name = settleError)]
    pub fn settle_error(&self, code: &str, message: String) -> Option<Object> {
        self.0.settle(Err(&crate::errors::named(code, message))).map(notice)
    }
}

fn notice((code, text): (chartoci::Code, String)) -> Object {
    dto::object().with("code", code.name()).with("text", text).done()
}

/// Looks at an archive that is too large to be held, piece by piece.
#[wasm_bindgen]
pub struct ScanFile {
    scan: chart::ScanFile,
    limits: chartoci::Limits,
}

#[wasm_bindgen]
impl ScanFile {
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64, limits: &JsValue) -> Result<ScanFile> {
        let limits = dto::limits(limits)?;
        Ok(ScanFile { scan: chart::ScanFile::new(size as u64, &limits), limits })
    }
    /// Where the piece that is wanted begins, and where it ends; nothing when all has been looked at.
    pub fn wanted(&mut self) -> Result<Vec<f64>> {
        match self.scan.poll() {
            Step::Do(Verb::Read { offset, limit, .. }) => Ok(vec![offset as f64, (offset + limit) as f64]),
            Step::Do(_) => Ok(Vec::new()),
            Step::Done(result) => result.map(|_| Vec::new()).map_err(throw),
        }
    }
    pub fn give(&mut self, piece: Vec<u8>) {
        self.scan.handle(Answer::Data(piece));
    }
    /// Of what was looked at.
    pub fn build(&mut self, provenance: Option<Vec<u8>>, created: Option<f64>) -> Result<Artifact> {
        match self.scan.poll() {
            Step::Done(scan) => build(&scan.map_err(throw)?, provenance, created, &self.limits),
            Step::Do(_) => Err(argument("the archive has not been looked at whole")),
        }
    }
}

/// `.helmignore`.
#[wasm_bindgen]
pub struct Ignore(CoreIgnore);

#[wasm_bindgen]
impl Ignore {
    pub fn parse(text: &str) -> Result<Ignore> {
        CoreIgnore::parse(text).map(Ignore).map_err(throw)
    }
    pub fn matches(&self, path: &str, is_directory: bool) -> bool {
        self.0.matches(path, is_directory)
    }
}

#[wasm_bindgen(js_name = parseLock)]
pub fn parse_lock(text: &[u8], limits: &JsValue) -> Result<Object> {
    chart::Lock::parse(text, &dto::limits(limits)?).map(|lock| dto::lock(&lock)).map_err(throw)
}

#[wasm_bindgen(js_name = lockDigest)]
pub fn lock_digest(dependencies: Vec<JsValue>, locked: Vec<JsValue>) -> Result<String> {
    Ok(chart::Lock::digest_for(&dto::read_dependencies(dependencies)?, &dto::read_dependencies(locked)?))
}

/// Seconds since 1970-01-01T00:00:00Z of an RFC 3339 text.
#[wasm_bindgen(js_name = parseTime)]
pub fn parse_time(text: &str) -> Result<f64> {
    Timestamp::parse_rfc3339(text)
        .map(|time| time.as_unix() as f64)
        .ok_or_else(|| argument(format!("{text:?} is no time as RFC 3339 has it")))
}

/// Most bytes of an archive; or of a provenance.
#[wasm_bindgen(js_name = limitOf)]
pub fn limit_of(limits: &JsValue, provenance: bool) -> Result<JsValue> {
    let limits = dto::limits(limits)?;
    Ok(dto::number(if provenance { limits.provenance } else { limits.archive }))
}
