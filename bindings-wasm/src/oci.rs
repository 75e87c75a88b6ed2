//! Names and hashes.

use chartoci::oci::{Algorithm, Digester as CoreDigester};
use chartoci::{Digest, Reference};
use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, argument, throw};

#[wasm_bindgen(js_name = parseReference)]
pub fn parse_reference(text: &str) -> Result<Object> {
    Reference::parse(text).map(|reference| dto::reference(&reference)).map_err(throw)
}

#[wasm_bindgen(js_name = checkDigest)]
pub fn check_digest(text: &str) -> Result<()> {
    Digest::parse(text).map(|_| ()).map_err(throw)
}

fn algorithm(name: &str) -> Result<Algorithm> {
    Algorithm::parse(name).ok_or_else(|| argument(format!("there is no digest algorithm {name:?}")))
}

#[wasm_bindgen(js_name = digestOf)]
pub fn digest_of(data: &[u8], algorithm: &str) -> Result<String> {
    Ok(Digest::with(self::algorithm(algorithm)?, data).to_string())
}

/// Hashes bytes as they come.
#[wasm_bindgen]
pub struct Digester(CoreDigester);

#[wasm_bindgen]
impl Digester {
    #[wasm_bindgen(constructor)]
    pub fn new(algorithm: Option<String>) -> Result<Digester> {
        let algorithm = algorithm.map_or(Ok(Algorithm::Sha256), |name| self::algorithm(&name))?;
        Ok(Digester(CoreDigester::new(algorithm)))
    }

    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest; the digester is used up.
    pub fn finish(self) -> String {
        self.0.finish().to_string()
    }
}
