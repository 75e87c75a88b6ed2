//! Helm charts in OCI registries, as a library.
//!
//! `chartoci` reads, checks and packs Helm charts, builds the OCI manifest and config that `helm push` would build, byte
//! for byte, and drives push, pull and everything around them as state machines. It opens no file, no socket and reads
//! no clock: the host does, and tells the machine what came of it.
//!
//! | to | see |
//! | --- | --- |
//! | read a chart archive | [`Archive`], [`Metadata`] |
//! | build or explain a manifest | [`Artifact`] |
//! | talk to a registry | [`exchange`] |
//! | be a registry | [`server`] |
//! | parse names and versions | [`Reference`], [`Digest`], [`Version`], [`Constraint`] |
//! | find out what is wrong | [`check`](check()), [`Report`], [`codes`] |
#![forbid(unsafe_code)]

pub mod artifact;
pub mod auth;
pub mod chart;
pub mod check;
mod decimal;
pub mod diagnostic;
pub mod error;
pub mod exchange;
pub mod files;
pub mod http;
pub mod json;
pub mod limits;
pub mod oci;
mod order;
mod printable;
pub mod schema;
pub mod server;
mod slots;
pub mod time;
pub mod version;
pub mod yaml;

pub use artifact::Artifact;
pub use chart::{Archive, Metadata};
pub use check::check;
pub use diagnostic::{Diagnostic, Report};
pub use error::{Code, Error, Kind, codes};
pub use limits::Limits;
pub use oci::{Descriptor, Digest, Reference};
pub use version::{Constraint, Version};

/// The README's example is compiled with the other examples of the documentation; `tests/packaging` runs it.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
