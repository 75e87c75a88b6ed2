//! Talking to a registry: machines that do no IO.
//!
//! Poll until [`Output::Wait`] or [`Output::Done`] after every `handle_…`; start each [`Output::Send`] now or queue it,
//! its order is yours; answers may come in any order and from any thread, one at a time; an answer to a cancelled or
//! unknown id is ignored; polling early is harmless.

mod authority;
mod calls;
mod errcode;
mod fetch;
mod pull;
mod push;
mod resolve;
mod retry;
mod session;
mod tags;

pub use crate::http::Receiver;
pub use pull::{Pull, Pulled, Want};
pub use push::{IfExists, Push, Pushed, Source, Upload, Uploaded};
pub use resolve::{Resolve, Resolved};
pub use retry::RetryPolicy;
pub use session::{Config, HostSet, Session, Traits};

use crate::auth::Credential;
use crate::error::Error;
use crate::http::{BlobId, Failure, Request, RequestId, ResponseHead};
use crate::oci::{Descriptor, Repository};
use crate::time::{Duration, Instant};

/// Number of a question about credentials, unique within its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u32);

/// Which credentials are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialQuery {
    /// Hand it back with the answer.
    pub id: QueryId,
    /// Host, and port if one was given, as in the reference.
    pub registry: String,
    /// The token server, if there is one.
    pub realm: Option<String>,
    /// The service's name for itself.
    pub service: Option<String>,
    /// `repository:team/web:pull,push`.
    pub scope: Option<String>,
    /// The last answer was refused: the same secret is not asked for twice.
    pub refused: bool,
}

/// What the machine wants next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Start it; several may be out at once.
    Send(Request),
    /// Its answer no longer matters.
    Cancel(RequestId),
    /// Answer with [`Exchange::handle_credential`].
    Ask(CredentialQuery),
    /// Something worth telling.
    Notify(Event),
    /// Nothing to do until an answer comes, or until this time.
    Wait(Wake),
    /// The last word; nothing follows it.
    Done(Result<Outcome, Error>),
}

/// When and why to poll again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Not before an answer comes, if none.
    pub until: Option<Instant>,
    /// For logs.
    pub why: &'static str,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A blob was already there.
    Exists(Descriptor),
    /// A blob is there now.
    Uploaded(Descriptor),
    /// A blob has arrived and is what its digest says.
    Downloaded(BlobId, Descriptor),
    /// A request is tried again.
    Retrying {
        /// After this pause.
        after: Duration,
        /// Because of this.
        why: String,
    },
    /// The registry or the library has something to say.
    Notice {
        /// Stable name.
        code: &'static str,
        /// For people.
        text: String,
    },
}

/// What an exchange achieved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// [`Exchange::push`].
    Pushed(Pushed),
    /// [`Exchange::pull`].
    Pulled(Pulled),
    /// [`Exchange::resolve`].
    Resolved(Resolved),
    /// [`Exchange::tags`]: as the registry gave them, all pages.
    Tags(Vec<String>),
    /// [`Exchange::fetch`].
    Fetched(Descriptor),
}

/// One operation.
pub struct Exchange {
    /* owner: exchange */
    _private: (),
}

impl Exchange {
    /// Uploads blobs and then a manifest under a tag.
    pub fn push(session: &Session, push: Push) -> Exchange {
        let _ = (session, push);
        todo!()
    }
    /// Fetches a manifest and the layers that are wanted.
    pub fn pull(session: &Session, pull: Pull) -> Exchange {
        let _ = (session, pull);
        todo!()
    }
    /// Finds out which tag and digest a reference or a range of versions means.
    pub fn resolve(session: &Session, resolve: Resolve) -> Exchange {
        let _ = (session, resolve);
        todo!()
    }
    /// Lists all tags.
    pub fn tags(session: &Session, repository: Repository) -> Exchange {
        let _ = (session, repository);
        todo!()
    }
    /// Fetches one blob into [`BlobId`] 0.
    pub fn fetch(session: &Session, repository: Repository, blob: Descriptor) -> Exchange {
        let _ = (session, repository, blob);
        todo!()
    }

    /// Moves time forward and says what to do next. Call until it answers `Wait` or `Done`.
    pub fn poll(&mut self, now: Instant) -> Output {
        let _ = now;
        todo!()
    }
    /// The head of a response is here. Feed its body to the receiver.
    pub fn handle_response(&mut self, id: RequestId, head: ResponseHead) -> Receiver {
        let _ = (id, head);
        todo!()
    }
    /// The body is complete, or [`Receiver::write`] said to stop.
    pub fn handle_end(&mut self, id: RequestId, receiver: Receiver) {
        let _ = (id, receiver);
        todo!()
    }
    /// The request could not be completed. Give the receiver back if there was one: a pull resumes.
    pub fn handle_failure(&mut self, id: RequestId, failure: Failure, receiver: Option<Receiver>) {
        let _ = (id, failure, receiver);
        todo!()
    }
    /// The answer to [`Output::Ask`]; `None` means anonymous.
    pub fn handle_credential(&mut self, id: QueryId, credential: Option<Credential>) {
        let _ = (id, credential);
        todo!()
    }
    /// Gives up: cancels what is out, then `Done(Err(Aborted))`.
    pub fn abort(&mut self) {
        todo!()
    }
}
