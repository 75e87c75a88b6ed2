//! What a file machine says.

use chartoci::files::Step;
use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, throw};

/// `{ kind: "do", verb }` or `{ kind: "done", value }`; a failure is thrown.
pub(crate) fn step<T>(step: Step<T>, value: impl FnOnce(T) -> JsValue) -> Result<Object> {
    match step {
        Step::Do(verb) => Ok(dto::object().with("kind", "do").with("verb", dto::verb(&verb)).done()),
        Step::Done(result) => {
            let result = result.map_err(throw)?;
            Ok(dto::object().with("kind", "done").with("value", value(result)).done())
        }
    }
}
