//! Python bindings: they convert.
//!
//! Classes are frozen; state lives behind a mutex; hashing and unpacking let other Python threads run.

mod chart;
mod data;
mod errors;
mod exchange;
mod files;
mod given;
mod htpasswd;
mod oci;
mod open_file;
mod server;
mod threads;
mod version;

#[pyo3::pymodule]
mod _native {
    /// Of the package and of the core in it.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    /// Bytes of an archive in which Chart.yaml is found.
    #[pymodule_export]
    const FRONT: usize = chartoci::Metadata::FRONT;

    #[pymodule_export]
    use crate::chart::{
        Archive, Code, Dependency, Diagnostic, Files, Fix, Ignore, Limits, Lock, Maintainer, Metadata, Place, Report,
        Scan, Scanning, bounds, check, check_parts, codes, kinds, nearest, sarif, schemas, show, show_chart, unjudged,
    };
    #[pymodule_export]
    use crate::errors::error;
    #[pymodule_export]
    use crate::exchange::{
        Ask, Cancel, Done, Exchange, Notify, Push, Receiver, Request, RetryPolicy, Send, Session, Wait,
        credential_kind, host_matches, is_loopback, proxy,
    };
    #[pymodule_export]
    use crate::files::{
        Find, Finished, List, LockFile, Machine, MakeDirectory, Read, Remove, Rename, Resolve, Run, Sync, Write,
        check_directory, credential_variable, directory, extract, file_error, keep, lookup, package,
    };
    #[pymodule_export]
    use crate::htpasswd::Htpasswd;
    #[pymodule_export]
    use crate::oci::{Artifact, Descriptor, Digest, Digester, Doubt, Reference, without_userinfo};
    #[pymodule_export]
    use crate::open_file::Opened;
    #[pymodule_export]
    use crate::server::{Check, Receive, Registry, Respond, Serving};
    #[pymodule_export]
    use crate::version::{Constraint, Version};
}
