//! Fetch: one blob, into the host's hands, verified.

use std::ops::Range;

use super::calls::{Draft, Reply, Wanted};
use super::errcode::{About, refusal};
use super::pull::within;
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
    /// It is a config that nobody waits for.
    is_config: bool,
}

impl Fetching {
    pub(super) fn new(target: Target, blob: Descriptor, part: Range<u64>) -> Fetching {
        let end = part.end.min(blob.size);
        Fetching { target, part: part.start.min(end)..end, blob, is_config: false }
    }

    pub(super) fn config(target: Target, config: Descriptor) -> Fetching {
        Fetching { target, part: 0..config.size, blob: config, is_config: true }
    }
}

impl Operation for Fetching {
    type Step = ();

    fn begin(&mut self, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        let mut draft = part_draft(&self.target, BlobId(0), self.blob.clone(), self.part.clone());
        if self.is_config {
            within(&self.blob, requests.limits().config, "config")?;
            draft = draft.once(requests.session().config().retry.attempts);
        }
        requests.start((), draft);
        Ok(None)
    }

    fn reply(&mut self, (): (), reply: Reply, _: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        match reply.status {
            200 | 206 => Ok(Some(Outcome::Fetched(self.blob.clone()))),
            _ => Err(refusal(&reply, About::Blob)),
        }
    }
}
