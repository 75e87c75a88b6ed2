//! Errors: the core's become `ChartOciError`.

use chartoci::{Code, Error};
use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::dto;

#[wasm_bindgen(raw_module = "../errors.js")]
extern "C" {
    /// `ChartOciError.from`.
    #[wasm_bindgen(js_name = fromFields)]
    fn from_fields(fields: &Object) -> JsValue;
}

/// What wasm functions throw.
pub(crate) type Result<T> = std::result::Result<T, JsValue>;

pub(crate) fn throw(error: Error) -> JsValue {
    from_fields(&dto::error(&error))
}

pub(crate) fn argument(message: impl Into<String>) -> JsValue {
    throw(Error::new(Code::ARGUMENT, message))
}

/// An error that the host found, with the kind and the hint of its code.
#[cfg(feature = "documents")]
#[wasm_bindgen(js_name = failure)]
pub fn failure(code: &str, message: String) -> JsValue {
    throw(named(code, message))
}

#[cfg(feature = "documents")]
pub(crate) fn named(code: &str, message: String) -> Error {
    Error::new(Code::find(code).unwrap_or(Code::ARGUMENT), message)
}

/// Every code, in the order of the core's table.
#[cfg(feature = "documents")]
#[wasm_bindgen]
pub fn codes() -> js_sys::Array {
    use chartoci::error::Class;
    chartoci::codes()
        .map(|code| {
            let (kind, severity) = match code.class() {
                Class::Error(kind) => (Some(kind.as_str()), None),
                Class::Finding(severity) => (None, Some(severity.as_str())),
                _ => (None, None),
            };
            dto::object()
                .with("code", code.name())
                .with("kind", kind)
                .with("severity", severity)
                .with("meaning", code.meaning())
                .with("remedy", code.remedy())
                .with("example", code.example())
                .done()
        })
        .collect()
}
