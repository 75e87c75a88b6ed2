//! Helm charts: metadata, archives, directories.

pub mod archive;
pub(crate) mod decode;
pub mod dependency;
pub mod directory;
pub mod extract;
pub(crate) mod fields;
mod gzip;
pub mod ignore;
pub mod lock;
pub mod metadata;
pub mod package;
pub mod packing;
pub mod provenance;
mod scan_file;
pub mod schemas;
pub mod show;
mod tar;
pub mod unpacking;
pub(crate) mod walk;

pub use archive::{Archive, Scan, Scanning};
pub(crate) use decode::json as to_json;
pub use dependency::Dependency;
pub use directory::Directory;
pub use gzip::Bring;
pub use ignore::Ignore;
pub use lock::Lock;
pub use metadata::{Maintainer, Metadata};
pub use package::{Package, Packaged, package_in_memory};
pub use packing::Packing;
pub use provenance::Provenance;
pub use scan_file::ScanFile;
pub use show::{Section, show, show_chart};
pub use unpacking::Unpacking;
