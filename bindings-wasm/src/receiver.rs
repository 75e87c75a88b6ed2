//! Where the bytes of one body go.

use chartoci::Digest;
use chartoci::http::Receiver as CoreReceiver;
use wasm_bindgen::prelude::*;

use crate::dto;

/// Takes the bytes of one body.
#[wasm_bindgen]
pub struct Receiver(CoreReceiver);

impl Receiver {
    pub(crate) fn of(receiver: CoreReceiver) -> Receiver {
        Receiver(receiver)
    }
    pub(crate) fn into_core(self) -> CoreReceiver {
        self.0
    }
}

#[wasm_bindgen]
impl Receiver {
    /// False: read no further, hand the receiver back.
    pub fn write(&mut self, chunk: &[u8]) -> bool {
        self.0.write(chunk)
    }
    #[wasm_bindgen(getter)]
    pub fn offset(&self) -> JsValue {
        dto::number(self.0.offset())
    }
    #[wasm_bindgen(getter)]
    pub fn stores(&self) -> bool {
        self.0.stores()
    }
    /// Milliseconds.
    #[wasm_bindgen(getter)]
    pub fn patience(&self) -> Option<f64> {
        self.0.patience().map(|patience| patience.as_millis() as f64)
    }
    #[wasm_bindgen(getter)]
    pub fn seen(&self) -> JsValue {
        dto::number(self.0.seen())
    }
    #[wasm_bindgen(getter)]
    pub fn expected(&self) -> JsValue {
        self.0.expected().map(dto::number).into()
    }
    #[wasm_bindgen(getter)]
    pub fn digest(&self) -> Option<String> {
        self.0.digest().map(Digest::to_string)
    }
}
