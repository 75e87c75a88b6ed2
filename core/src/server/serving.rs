//! Serving one request: stages, each of which says what it needs and goes on with what came of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::errors::{self, Refusal};
use super::state::{Effect, State};
use super::{Claim, Output, Response, Sink};
use crate::files::{Answer, FileFailure, Verb};
use crate::http::{Failure, Receiver};

/// What an endpoint answers, or needs first.
pub(super) enum Next {
    /// The answer.
    Answer(Response),
    /// The request's body.
    Receive { receiver: Receiver, sink: Option<Sink>, stage: Box<dyn Stage> },
    /// Whether somebody is who they say.
    Check { claim: Claim, then: Judged },
    /// Files. All verbs are done in order; the stage hears of the last, or of the first that failed.
    Files { verbs: VecDeque<Verb>, stage: Box<dyn Stage> },
}

/// Goes on once it is known whether somebody is who they say. Nothing in the state is marked meanwhile.
pub(super) type Judged = Box<dyn FnOnce(&mut State, bool) -> Next + Send>;

impl Next {
    /// Does the verbs, then answers.
    pub(super) fn after(verbs: VecDeque<Verb>, response: Response) -> Next {
        match verbs.is_empty() {
            true => Next::Answer(response),
            false => Next::Files { verbs, stage: Box::new(Then(response)) },
        }
    }
}

/// What a stage hears.
pub(super) enum Event {
    /// The body is whole.
    Body(Receiver),
    /// The body broke off, or the request was given up.
    Broken,
    /// The files did what they were told; the last answer.
    Files(Answer),
    /// The files failed.
    Failed(FileFailure),
}

/// A part of an endpoint's work, between two waits.
pub(super) trait Stage: Send {
    /// Goes on. A stage that marked something in the state as being at work unmarks it whatever it hears.
    fn resume(self: Box<Self>, state: &mut State, event: Event) -> Next;
}

/// Answers, whatever became of the files it waited for.
struct Then(Response);

impl Stage for Then {
    fn resume(self: Box<Self>, _: &mut State, event: Event) -> Next {
        Next::Answer(match event {
            Event::Failed(failure) => errors::storage(&failure),
            _ => self.0,
        })
    }
}

/// The answer to a client that is gone, or to a host that broke the contract.
pub(super) fn broken() -> Next {
    Next::Answer(Refusal::BlobUploadInvalid.because("the request's body broke off"))
}

enum Doing {
    Next(Next),
    Receiving(Box<dyn Stage>),
    Checking(Judged),
    Executing { effect: Effect, rest: VecDeque<Verb>, stage: Box<dyn Stage> },
    Finished,
}

/// Serves one request. Every output is answered before the next poll.
///
/// ```
/// use chartoci::files::{Memory, Verb};
/// use chartoci::server::{Access, Config, Output, Registry, RequestHead, Serving, Users};
/// use chartoci::{Digest, http::Method, time::Instant};
/// let registry = Registry::new(Config { access: Access::Basic(Users::Asked), ..Config::default() });
/// let mut files = Memory::new();
/// let target = format!("/v2/web/blobs/uploads/?digest={}", Digest::of(b"hello"));
/// let headers = [("host", "localhost"), ("authorization", "Basic YWRhOnNlY3JldA==")].into_iter().collect();
/// let head = RequestHead { method: Method::Post, target, headers };
/// let mut serving: Serving = registry.accept(head, Instant::default());
/// let response = loop {
///     match serving.poll() {
///         Output::Check(claim) => serving.handle_check(claim.username == "ada" && claim.password == "secret"),
///         Output::Receive { mut receiver, sink } => {
///             receiver.write(b"hello");
///             if let Some(sink) = sink {
///                 files.execute(Verb::Write { path: sink.path, offset: sink.offset, data: b"hello".to_vec() });
///             }
///             serving.handle_body(receiver, Ok(()));
///         }
///         Output::Do(verb) => serving.handle_file(files.execute(verb)),
///         Output::Respond(response) => break response,
///         _ => unreachable!("there is nothing else"),
///     }
/// };
/// assert_eq!(response.status, 201);
/// ```
pub struct Serving {
    state: Arc<Mutex<State>>,
    doing: Doing,
    finish: Finish,
}

/// Adds to the answer what does not depend on the endpoint.
pub(super) type Finish = Box<dyn FnOnce(Response) -> Response + Send>;

pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Serving {
    pub(super) fn new(state: Arc<Mutex<State>>, next: Next, finish: Finish) -> Serving {
        Serving { state, doing: Doing::Next(next), finish }
    }

    /// What to do next.
    pub fn poll(&mut self) -> Output {
        let (doing, output) = match std::mem::replace(&mut self.doing, Doing::Finished) {
            Doing::Next(Next::Receive { receiver, sink, stage }) => {
                (Doing::Receiving(stage), Output::Receive { receiver, sink })
            }
            Doing::Next(Next::Check { claim, then }) => (Doing::Checking(then), Output::Check(claim)),
            Doing::Next(Next::Files { mut verbs, stage }) => match verbs.pop_front() {
                Some(verb) => {
                    let effect = lock(&self.state).effect(&verb);
                    (Doing::Executing { effect, rest: verbs, stage }, Output::Do(verb))
                }
                None => {
                    self.doing = Doing::Next(stage.resume(&mut lock(&self.state), Event::Files(Answer::Done)));
                    return self.poll();
                }
            },
            Doing::Next(Next::Answer(response)) => (Doing::Finished, Output::Respond(self.finished(response))),
            doing @ (Doing::Receiving(_) | Doing::Checking(_) | Doing::Executing { .. } | Doing::Finished) => {
                self.doing = doing;
                self.give_up();
                let response = Refusal::Unknown.because("the registry's host asked out of turn");
                (Doing::Finished, Output::Respond(self.finished(response)))
            }
        };
        self.doing = doing;
        output
    }

    /// The body is complete, or broke off.
    pub fn handle_body(&mut self, receiver: Receiver, result: Result<(), Failure>) {
        match std::mem::replace(&mut self.doing, Doing::Finished) {
            Doing::Receiving(stage) => {
                let event = match result {
                    Ok(()) => Event::Body(receiver),
                    Err(Failure::Storage(why)) => Event::Failed(FileFailure::Other(why)),
                    Err(_) => Event::Broken,
                };
                self.doing = Doing::Next(stage.resume(&mut lock(&self.state), event));
            }
            doing => self.doing = doing,
        }
    }

    /// Whether the claim is true.
    pub fn handle_check(&mut self, known: bool) {
        match std::mem::replace(&mut self.doing, Doing::Finished) {
            Doing::Checking(then) => self.doing = Doing::Next(then(&mut lock(&self.state), known)),
            doing => self.doing = doing,
        }
    }

    /// What came of a verb; or, in place of `handle_body`, why the body could not be stored.
    pub fn handle_file(&mut self, answer: Answer) {
        let state = &mut lock(&self.state);
        self.doing = match (std::mem::replace(&mut self.doing, Doing::Finished), answer) {
            (Doing::Executing { stage, .. } | Doing::Receiving(stage), Answer::Failed(failure)) => {
                state.distrust_directories();
                Doing::Next(stage.resume(state, Event::Failed(failure)))
            }
            (Doing::Executing { effect, rest, stage }, answer) => {
                state.done(effect);
                Doing::Next(match rest.is_empty() {
                    true => stage.resume(state, Event::Files(answer)),
                    false => Next::Files { verbs: rest, stage },
                })
            }
            (doing, _) => doing,
        };
    }

    fn finished(&mut self, response: Response) -> Response {
        std::mem::replace(&mut self.finish, Box::new(|response| response))(response)
    }

    /// Tells the stage that nothing more comes, until it wants nothing more.
    fn give_up(&mut self) {
        let mut doing = std::mem::replace(&mut self.doing, Doing::Finished);
        let state = &mut lock(&self.state);
        loop {
            let stage = match doing {
                Doing::Receiving(stage)
                | Doing::Executing { stage, .. }
                | Doing::Next(Next::Receive { stage, .. } | Next::Files { stage, .. }) => stage,
                Doing::Next(Next::Answer(_) | Next::Check { .. }) | Doing::Checking(_) | Doing::Finished => return,
            };
            doing = Doing::Next(stage.resume(state, Event::Broken));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.doing {
            Doing::Next(Next::Answer(_)) => "Serving(answer)",
            Doing::Next(Next::Check { .. }) | Doing::Checking(_) => "Serving(check)",
            Doing::Next(Next::Receive { .. }) | Doing::Receiving(_) => "Serving(body)",
            Doing::Next(Next::Files { .. }) | Doing::Executing { .. } => "Serving(files)",
            Doing::Finished => "Serving(finished)",
        })
    }
}
