//! Machines that name what is to be done with files: the host does it and hands back what came of it.

use chartoci::auth::keeper::Keeper as CoreKeeper;
use chartoci::auth::store::{Environment, Lookup as CoreLookup, Platform};
use chartoci::oci::reference::{login_registry, without_userinfo};
use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::chart::Archive;
use crate::check::Report;
use crate::dto;
use crate::errors::{Result, throw};
use crate::step::step;

/// The error that stands for what the system said about a path, by the name of its error; `making`: a directory was to be made
/// there. The path may be an address that was meant for something else.
#[wasm_bindgen(js_name = fileError)]
pub fn file_error(reason: &str, why: &str, path: &str, making: bool) -> JsValue {
    throw(chartoci::files::error(reason, why, &without_userinfo(path), making))
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

/// Reads a chart's directory.
#[wasm_bindgen]
pub struct Directory(chartoci::chart::Directory);

#[wasm_bindgen]
impl Directory {
    /// Errors call the directory by that path.
    #[wasm_bindgen(constructor)]
    pub fn new(limits: &JsValue, path: &str) -> Result<Directory> {
        Ok(Directory(chartoci::chart::Directory::new(&dto::limits(limits)?).called(path)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), |archive| Archive::of(archive).into())
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
    /// Errors call the directory by that path.
    #[wasm_bindgen(constructor)]
    pub fn new(archive: &Archive, nonce: u32, path: &str) -> Extract {
        Extract(chartoci::chart::extract::Extract::new(archive.core().clone(), u64::from(nonce)).called(path))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), JsValue::from)
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// `variables` (pairs), `home`, `platform` as Node names it.
fn environment(environment: &JsValue) -> Result<Environment> {
    Ok(Environment {
        variables: dto::pairs(environment, "variables")?,
        home: dto::required(environment, "home")?,
        platform: match dto::required(environment, "platform")?.as_str() {
            "darwin" => Platform::MacOs,
            "win32" => Platform::Windows,
            _ => Platform::Linux,
        },
    })
}

/// The environment's variable has to do with credentials.
#[wasm_bindgen(js_name = credentialVariable)]
pub fn credential_variable(name: &str) -> bool {
    Environment::reads(name)
}

/// Looks for a credential in the files of Helm, Docker and Podman, and with the helpers that they name. The paths of its
/// verbs are the host's own.
#[wasm_bindgen]
pub struct Lookup(CoreLookup);

#[wasm_bindgen]
impl Lookup {
    #[wasm_bindgen(constructor)]
    pub fn new(surroundings: &JsValue, file: Option<String>, registry: &str, repository: &str) -> Result<Lookup> {
        Ok(Lookup(CoreLookup::new(&environment(surroundings)?, file.as_deref(), registry, repository)))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), |found| {
            let credential = found.credential.as_ref();
            let asked = found.asked.iter().map(|asked| {
                dto::object()
                    .with("store", &*asked.store)
                    .with("helper", asked.helper.as_deref())
                    .with("entry", asked.entry.as_deref())
                    .with("exists", asked.exists)
                    .done()
            });
            dto::object()
                .with("credential", credential.map(dto::credential))
                .with("kind", credential.map(|credential| credential.kind()))
                .with("username", credential.and_then(|credential| credential.username()))
                .with("asked", asked.collect::<js_sys::Array>())
                .done()
                .into()
        })
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Stores a registry's credential, or removes it (null), as a login and a logout do.
#[wasm_bindgen]
pub struct Keeper(CoreKeeper);

#[wasm_bindgen]
impl Keeper {
    #[wasm_bindgen(constructor)]
    pub fn new(surroundings: &JsValue, file: Option<String>, registry: &str, credential: &JsValue) -> Result<Keeper> {
        let environment = environment(surroundings)?;
        let registry = login_registry(registry).map_err(throw)?;
        let keeper = match dto::read_credential(credential)? {
            Some(credential) => CoreKeeper::store(&environment, file.as_deref(), &registry, credential),
            None => CoreKeeper::erase(&environment, file.as_deref(), &registry),
        };
        Ok(Keeper(keeper.map_err(throw)?))
    }
    pub fn poll(&mut self) -> Result<Object> {
        step(self.0.poll(), |kept| {
            dto::object()
                .with("entry", &*kept.entry)
                .with("path", &*kept.path)
                .with("helper", kept.helper.as_deref())
                .with("changed", kept.changed)
                .done()
                .into()
        })
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}
