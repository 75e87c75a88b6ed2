//! Machines that name what is to be done with files: the host does it and hands back what came of it.

use chartoci::auth::store::{Environment, Lookup as CoreLookup, Platform};
use chartoci::chart::{Package as CorePackage, package::Options};
use chartoci::time::Timestamp;
use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::chart::{Archive, Metadata};
use crate::check::Report;
use crate::dto;
use crate::errors::Result;
use crate::step::step;

/// Packs a directory.
#[wasm_bindgen]
pub struct Package(CorePackage);

#[wasm_bindgen]
impl Package {
    /// Options: `version`, `appVersion`, `created` (seconds since 1970-01-01T00:00:00Z).
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, limits: &JsValue) -> Result<Package> {
        let options = Options {
            version: dto::text(options, "version")?,
            app_version: dto::text(options, "appVersion")?,
            created: dto::get(options, "created").as_f64().map(|seconds| Timestamp::from_unix(seconds.floor() as i64)),
        };
        Ok(Package(CorePackage::new(options, &dto::limits(limits)?)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), |packaged| {
            dto::object()
                .with("filename", &*packaged.filename)
                .with("data", Uint8Array::from(&*packaged.data))
                .with("digest", packaged.digest.as_str())
                .with("metadata", Metadata::of(&packaged.metadata))
                .done()
                .into()
        })
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Checks a chart's directory.
#[wasm_bindgen]
pub struct CheckDirectory(chartoci::check::CheckDirectory);

#[wasm_bindgen]
impl CheckDirectory {
    /// The report calls the directory by that path.
    #[wasm_bindgen(constructor)]
    pub fn new(path: &str, limits: &JsValue) -> Result<CheckDirectory> {
        Ok(CheckDirectory(chartoci::check::CheckDirectory::new(path, &dto::limits(limits)?)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        let polled = self.0.poll();
        step(polled, |report| Report::of(report, self.0.questions()).into())
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Unpacks an archive below a directory.
#[wasm_bindgen]
pub struct Extract(chartoci::chart::extract::Extract);

#[wasm_bindgen]
impl Extract {
    #[wasm_bindgen(constructor)]
    pub fn new(archive: &Archive, nonce: u32) -> Extract {
        Extract(chartoci::chart::extract::Extract::new(archive.core().clone(), u64::from(nonce)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), JsValue::from)
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Looks for a credential in the files of Helm and Docker. The paths of its verbs are the host's own.
#[wasm_bindgen]
pub struct Lookup(CoreLookup);

#[wasm_bindgen]
impl Lookup {
    /// Environment: `variables` (pairs), `home`, `platform` as Node names it.
    #[wasm_bindgen(constructor)]
    pub fn new(environment: &JsValue, registry: &str, repository: &str) -> Result<Lookup> {
        let variables = js_sys::Array::from(&dto::get(environment, "variables"));
        let environment = Environment {
            variables: dto::pairs(&variables)?,
            home: dto::required(environment, "home")?,
            platform: match dto::required(environment, "platform")?.as_str() {
                "darwin" => Platform::MacOs,
                "win32" => Platform::Windows,
                _ => Platform::Linux,
            },
        };
        Ok(Lookup(CoreLookup::new(&environment, None, registry, repository)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), |found| found.credential.as_ref().map(dto::credential).into())
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}
