//! What is wrong with documents.

use chartoci::check::{Document, check as core_check};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, throw};

/// What was found in a document, and the text that it was found in.
#[wasm_bindgen]
pub struct Report(chartoci::Report);

#[cfg(feature = "files")]
impl Report {
    pub(crate) fn of(report: chartoci::Report) -> Report {
        Report(report)
    }
}

#[wasm_bindgen]
impl Report {
    pub fn diagnostics(&self) -> Array {
        dto::report(&self.0)
    }
    /// The documents that can be mended.
    pub fn documents(&self) -> Vec<String> {
        self.0.documents().map(str::to_owned).collect()
    }
    pub fn fixed(&self, document: Option<String>) -> Result<Vec<u8>> {
        self.0.fixed(document.as_deref()).map_err(throw)
    }
    #[wasm_bindgen(js_name = toText)]
    pub fn to_text(&self, color: bool) -> String {
        self.0.to_text(color)
    }
    #[wasm_bindgen(js_name = toSarif)]
    pub fn to_sarif(&self) -> String {
        chartoci::diagnostic::sarif([&self.0])
    }
}

/// The findings about a document.
#[wasm_bindgen]
pub fn check(data: &[u8], kind: Option<String>, filename: Option<String>, limits: &JsValue) -> Result<Report> {
    let kind = kind.map(|name| Document::parse(&name).map_err(throw)).transpose()?;
    core_check(data, kind, filename.as_deref(), &dto::limits(limits)?).map(Report).map_err(throw)
}
