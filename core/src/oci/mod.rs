//! What the OCI image and distribution specifications name, without Helm.

pub mod annotations;
pub mod descriptor;
pub mod digest;
mod document;
pub mod index;
pub mod manifest;
pub mod media_type;
pub mod reference;

pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, Digester};
pub use index::Index;
pub use manifest::Manifest;
pub use reference::{Reference, Repository};
