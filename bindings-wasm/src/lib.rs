//! WebAssembly bindings: they convert between JavaScript's values and the core's, and decide nothing.
//!
//! Small values cross as plain objects and texts (`dto`), machines as handles. What is thrown is a `ChartOciError`.
//!
//! Several modules are built from here, since hardly any page needs all of it, and they share no objects: what goes from
//! one to another is data and bytes. With the feature `documents` comes what reads charts and their parts, with `check`
//! the rules for them, with `package` what packs them, with `files` all three and what only a host with files can use, with
//! `exchange` the machine that talks to registries, with `registry` the registry of `chartoci/testing`, with `schema` a
//! validator of JSON Schema.
#![allow(missing_docs)] // index.d.ts documents what these are called from.

#[allow(dead_code)] // No module needs all of it.
mod dto;
mod errors;

#[cfg(feature = "documents")]
mod chart;
#[cfg(feature = "check")]
mod check;
#[cfg(feature = "exchange")]
mod exchange;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "documents")]
mod oci;
#[cfg(feature = "package")]
mod package;
#[cfg(any(feature = "exchange", feature = "registry"))]
mod receiver;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "registry")]
mod server;
#[cfg(any(feature = "package", feature = "registry"))]
mod step;
#[cfg(feature = "documents")]
mod version;
