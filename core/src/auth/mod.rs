//! Who may do what: challenges, scopes, tokens, and where a credential may go. Knows no Helm.

pub mod challenge;
pub mod credential;
mod helper;
pub mod keeper;
pub mod origin;
pub mod scope;
pub mod store;
pub(crate) mod token;

pub use credential::Credential;
pub use origin::Origin;
pub use scope::Scope;
