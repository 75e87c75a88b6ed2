//! Values against their JSON Schema.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, throw};

/// What does not fit: objects with `pointer`, `rule` and `message`.
#[wasm_bindgen]
pub fn validate(schema: &[u8], values: &[u8], limits: &JsValue) -> Result<Array> {
    let violations = chartoci::schema::validate(schema, values, &dto::limits(limits)?).map_err(throw)?;
    Ok(violations.iter().map(dto::violation).collect())
}
