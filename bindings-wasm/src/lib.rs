//! WebAssembly bindings: they convert between JavaScript's values and the core's, and decide nothing.
//!
//! Small values cross as plain objects and texts (`dto`), machines as handles. What is thrown is a `ChartOciError`.
//!
//! Several modules are built from here, since hardly any page needs all of it: with the feature `client` the library, with
//! `files` as well what only a host with files can use, with `registry` the registry of `chartoci/testing`.
#![allow(missing_docs)] // index.d.ts documents what these are called from.

#[cfg_attr(not(feature = "client"), allow(dead_code))] // The registry needs few of them.
mod dto;
mod errors;
mod receiver;
mod step;

#[cfg(feature = "client")]
mod chart;
#[cfg(feature = "client")]
mod exchange;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "client")]
mod oci;
#[cfg(feature = "registry")]
mod server;
#[cfg(feature = "client")]
mod version;
