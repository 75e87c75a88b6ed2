//! WebAssembly bindings: they convert between JavaScript's values and the core's, and decide nothing.
//!
//! Small values cross as plain objects and texts (`dto`), machines as handles. What is thrown is a `ChartOciError`.
#![allow(missing_docs)] // index.d.ts documents what these are called from.

mod chart;
mod dto;
mod errors;
mod exchange;
mod files;
mod oci;
mod server;
mod version;
