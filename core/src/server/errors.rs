//! Refusals, as the distribution specification ("Error Codes") words them.

use serde_json::{Value, json};

use super::Response;
use crate::files::FileFailure;

/// A code of the specification (and two that every registry uses beside it), with the status it usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    PaginationNumberInvalid,
    RangeInvalid,
    Unknown,
}

impl Refusal {
    fn code_and_status(self) -> (&'static str, u16) {
        match self {
            Refusal::BlobUnknown => ("BLOB_UNKNOWN", 404),
            Refusal::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", 400),
            Refusal::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", 404),
            Refusal::DigestInvalid => ("DIGEST_INVALID", 400),
            Refusal::ManifestBlobUnknown => ("MANIFEST_BLOB_UNKNOWN", 400),
            Refusal::ManifestInvalid => ("MANIFEST_INVALID", 400),
            Refusal::ManifestUnknown => ("MANIFEST_UNKNOWN", 404),
            Refusal::NameInvalid => ("NAME_INVALID", 400),
            Refusal::NameUnknown => ("NAME_UNKNOWN", 404),
            Refusal::SizeInvalid => ("SIZE_INVALID", 400),
            Refusal::Unauthorized => ("UNAUTHORIZED", 401),
            Refusal::Denied => ("DENIED", 403),
            Refusal::Unsupported => ("UNSUPPORTED", 405),
            Refusal::PaginationNumberInvalid => ("PAGINATION_NUMBER_INVALID", 400),
            Refusal::RangeInvalid => ("RANGE_INVALID", 416),
            Refusal::Unknown => ("UNKNOWN", 500),
        }
    }

    /// The answer with the code's usual status.
    pub(super) fn because(self, message: &str) -> Response {
        self.about(message, Value::Null)
    }

    /// The answer with the code's usual status, and what it is about.
    pub(super) fn about(self, message: &str, detail: Value) -> Response {
        self.each(&[(message, detail)])
    }

    /// The answer with one entry for each thing that is wrong.
    pub(super) fn each(self, wrong: &[(&str, Value)]) -> Response {
        let (code, status) = self.code_and_status();
        let errors: Vec<Value> = wrong
            .iter()
            .map(|(message, detail)| match detail {
                Value::Null => json!({ "code": code, "message": message }),
                detail => json!({ "code": code, "message": message, "detail": detail }),
            })
            .collect();
        Response::json(status, &json!({ "errors": errors }))
    }
}

/// The answer when the host's files failed.
pub(super) fn storage(failure: &FileFailure) -> Response {
    match failure {
        FileFailure::Full => Refusal::Unknown.because("the registry's disk is full").status(507),
        FileFailure::Denied => Refusal::Unknown.because("the registry may not write to its directory"),
        _ => Refusal::Unknown.because("the registry's storage failed"),
    }
}
