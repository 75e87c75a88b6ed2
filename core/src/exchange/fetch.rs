//! Fetch: one blob, into the host's hands, verified.

use std::ops::Range;

use super::calls::{Draft, Reply, Wanted};
use super::errcode::{About, refusal};
use super::{Operation, Outcome, Requests, Target};
use crate::error::Error;
use crate::http::{BlobId, Method};
use crate::oci::Descriptor;

/// GET of a blob that the host stores while it is verified.
pub(super) fn draft(target: &Target, blob: BlobId, descriptor: Descriptor) -> Draft {
    let part = 0..descriptor.size;
    part_draft(target, blob, descriptor, part)
}

fn part_draft(target: &Target, blob: BlobId, descriptor: Descriptor, part: Range<u64>) -> Draft {
    Draft::new(Method::Get, target.place.blob(&descriptor.digest))
        .wants(Wanted::Blob { blob, descriptor, part })
        .by(target.authority)
}

/// Fetches one blob.
pub(super) struct Fetching {
    target: Target,
    blob: Descriptor,
    part: Range<u64>,
}

impl Fetching {
    pub(super) fn new(target: Target, blob: Descriptor, part: Range<u64>) -> Fetching {
        let end = part.end.min(blob.size);
        Fetching { target, part: part.start.min(end)..end, blob }
    }
}

impl Operation for Fetching {
    type Step = ();

    fn begin(&mut self, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        requests.start((), part_draft(&self.target, BlobId(0), self.blob.clone(), self.part.clone()));
        Ok(None)
    }

    fn reply(&mut self, (): (), reply: Reply, _: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        match reply.status {
            200 | 206 => Ok(Some(Outcome::Fetched(self.blob.clone()))),
            _ => Err(refusal(&reply, About::Blob)),
        }
    }
}
