//! Packing charts: from a directory that a host reads, or from files in memory.

use chartoci::chart::{Package as CorePackage, Packaged, package::Options};
use chartoci::files::{Memory, Step};
use chartoci::time::Timestamp;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, argument, throw};
use crate::step::step;

/// `version`, `appVersion`, `created` (seconds since 1970-01-01T00:00:00Z), `path`, by which errors call the directory.
fn machine(options: &JsValue, limits: &JsValue) -> Result<CorePackage> {
    let path = dto::text(options, "path")?;
    let options = Options {
        version: dto::text(options, "version")?,
        app_version: dto::text(options, "appVersion")?,
        created: dto::get(options, "created").as_f64().map(|seconds| Timestamp::from_unix(seconds.floor() as i64)),
    };
    let package = CorePackage::new(options, &dto::limits(limits)?);
    Ok(match path {
        Some(path) => package.called(&path),
        None => package,
    })
}

/// The metadata as a config blob: what reads that may be another module.
fn packaged(packaged: Packaged) -> JsValue {
    dto::object()
        .with("filename", &*packaged.filename)
        .with("data", Uint8Array::from(&*packaged.data))
        .with("digest", packaged.digest.as_str())
        .with("config", Uint8Array::from(&*packaged.metadata.config()))
        .done()
        .into()
}

/// Packs a directory.
#[wasm_bindgen]
pub struct Package(CorePackage);

#[wasm_bindgen]
impl Package {
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, limits: &JsValue) -> Result<Package> {
        machine(options, limits).map(Package)
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), packaged)
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Packs files: pairs of a path below the chart's root and its bytes.
#[wasm_bindgen(js_name = packageFiles)]
pub fn package_files(files: &Array, options: &JsValue, limits: &JsValue) -> Result<JsValue> {
    let mut package = machine(options, limits)?;
    let mut memory = Memory::new();
    for pair in files.iter() {
        let pair = pair.dyn_into::<Array>().unwrap_or_default();
        match (pair.get(0).as_string(), pair.get(1).dyn_ref::<Uint8Array>()) {
            (Some(path), Some(data)) => memory.insert(path, data.to_vec()).map_err(throw)?,
            _ => return Err(argument("what should be a path and bytes is none")),
        }
    }
    loop {
        match package.poll() {
            Step::Do(verb) => package.handle(memory.execute(verb)),
            Step::Done(result) => return result.map(packaged).map_err(throw),
        }
    }
}
