//! What is wrong with documents.

use chartoci::check::{Document, Parts, Question, check_asking, check_parts_asking};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, throw};

/// What was found in a document, and the text that it was found in.
#[wasm_bindgen]
pub struct Report(chartoci::Report, Vec<Question>);

#[cfg(feature = "files")]
impl Report {
    pub(crate) fn of(report: chartoci::Report, questions: Vec<Question>) -> Report {
        Report(report, questions)
    }
}

#[wasm_bindgen]
impl Report {
    pub fn diagnostics(&self) -> Array {
        dto::report(&self.0)
    }
    /// As what it was judged.
    pub fn kind(&self) -> String {
        self.0.kind().to_owned()
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
    /// What a validator of JSON Schema has to be asked: objects with `schema` and `values`, as bytes.
    pub fn questions(&self) -> Array {
        self.1.iter().map(dto::question).collect()
    }
    /// What came of the question of that number: a list of violations, or the fields of an error.
    pub fn answer(&mut self, at: usize, answer: &JsValue) -> Result<()> {
        let Some(question) = self.1.get(at) else { return Ok(()) };
        question.settle(&mut self.0, dto::violations(answer)?);
        Ok(())
    }
    #[wasm_bindgen(js_name = toSarif)]
    pub fn to_sarif(&self) -> String {
        chartoci::diagnostic::sarif([&self.0])
    }
}

/// The findings about a document, and what to ask a validator of JSON Schema.
#[wasm_bindgen]
pub fn check(data: &[u8], kind: Option<String>, filename: Option<String>, limits: &JsValue) -> Result<Report> {
    let kind = kind.map(|name| Document::parse(&name).map_err(throw)).transpose()?;
    let limits = dto::limits(limits)?;
    let (report, questions) = check_asking(data, kind, filename.as_deref(), &limits).map_err(throw)?;
    Ok(Report(report, questions))
}

/// What is wrong with the parts of one chart, and what does not fit together: `reference`, `manifest`, `config`, `chart`,
/// `filename`, `provenance`, each where it is at hand.
#[wasm_bindgen(js_name = checkParts)]
pub fn check_parts(parts: &JsValue, limits: &JsValue) -> Result<Report> {
    let bytes = |name| dto::bytes(parts, name);
    let (manifest, config, chart, provenance) =
        (bytes("manifest")?, bytes("config")?, bytes("chart")?, bytes("provenance")?);
    let reference = dto::text(parts, "reference")?;
    let reference = reference.map(|text| chartoci::Reference::parse(&text).map_err(throw)).transpose()?;
    let filename = dto::text(parts, "filename")?;
    let parts = Parts {
        reference: reference.as_ref(),
        manifest: manifest.as_deref(),
        config: config.as_deref(),
        chart: chart.as_deref(),
        filename: filename.as_deref(),
        provenance: provenance.as_deref(),
    };
    let limits = dto::limits(limits)?;
    let (report, questions) = check_parts_asking(&parts, &limits);
    Ok(Report(report, questions))
}
