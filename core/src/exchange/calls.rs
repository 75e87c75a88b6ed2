//! Every logical request: authority, retries, redirects, limits, resume. Knows no Helm and no operation.
//!
//! A call is *ready*, *in flight*, or in *backoff*; a ready call whose authority is not settled is parked. What it asked
//! for arrives in [`Calls::settled`], once, whatever happened in between.

use std::collections::VecDeque;

use super::authority::{Authority, Errand, Pass};
use super::call::{Call, Objection, Purpose, State, Way};
pub(super) use super::call::{Draft, Failed, Reply, Wanted};
use super::errcode::{self, About};
use super::place::Place;
use super::retry::{Random, is_passing, retry_after};
use super::session::{Claim, MOMENT};
use super::{Event, Output, QueryId, Session};
use crate::auth::challenge;
use crate::auth::origin::without_secrets;
use crate::auth::token::{Token, TokenServer, may_stand};
use crate::auth::{Credential, Origin, Scope};
use crate::error::{Code, Error, clip};
use crate::http::url::Scheme;
use crate::http::{Failure, Headers, Method, Payload, Receiver, RequestId, ResponseHead, warning};
use crate::printable::sanitise;
use crate::slots::Slots;
use crate::time::{Duration, Instant, Timestamp};

/// Warnings of different words that one exchange tells.
const MOST_WARNINGS: usize = 16;

/// Number of a call within its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallId(u32);

/// Which of the exchange's authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AuthorityId(usize);

struct Flight {
    call: CallId,
    head: Option<(ResponseHead, Option<Objection>)>,
}

enum Arrival {
    Ended(Ended),
    Failed(CallId, Failure, Option<Receiver>),
    Credential(QueryId, Result<Option<Credential>, Error>),
}

/// An answer that is over.
struct Ended {
    call: CallId,
    head: ResponseHead,
    objection: Option<Objection>,
    receiver: Receiver,
    /// The connection broke before the end of the body.
    is_cut: bool,
}

pub(super) struct Calls {
    session: Session,
    /// The registry that the exchange is for.
    pub(super) home: String,
    authorities: Vec<Authority>,
    /// Other exchanges of the session wait for this one.
    claim: Option<Claim>,
    calls: Slots<CallId, Call>,
    flights: Slots<RequestId, Flight>,
    queries: Slots<QueryId, (AuthorityId, QueryId)>,
    arrivals: VecDeque<Arrival>,
    settled: VecDeque<(CallId, Result<Reply, Failed>)>,
    outputs: VecDeque<Output>,
    /// What the registry has warned of: it is told once.
    warnings: Vec<String>,
    random: Random,
    last_call: u32,
    last_request: u32,
    last_query: u32,
}

impl Calls {
    pub(super) fn new(session: &Session, home: &str) -> Calls {
        Calls {
            session: session.clone(),
            home: home.to_owned(),
            authorities: Vec::new(),
            claim: None,
            calls: Slots::new(),
            flights: Slots::new(),
            queries: Slots::new(),
            arrivals: VecDeque::new(),
            settled: VecDeque::new(),
            outputs: VecDeque::new(),
            warnings: Vec::new(),
            random: session.random(),
            last_call: 0,
            last_request: 0,
            last_query: 0,
        }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Who the caller is at that place, for that scope.
    pub(super) fn authority(&mut self, place: &Place, scope: Scope, also: Option<Scope>) -> AuthorityId {
        self.authorities.push(Authority::new(&self.session, place, scope, also));
        AuthorityId(self.authorities.len() - 1)
    }

    pub(super) fn start(&mut self, draft: Draft) -> CallId {
        self.begin(draft, Purpose::Operation)
    }

    pub(super) fn notify(&mut self, event: Event) {
        self.outputs.push_back(Output::Notify(event));
    }

    /// It is clear who asks: a blob may be sent at once.
    pub(super) fn is_settled(&self, authority: AuthorityId) -> bool {
        self.authorities[authority.0].is_settled()
    }

    /// Nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The pause after that many tries; `None` if there is to be no other.
    pub(super) fn pause(&mut self, tries: u32) -> Option<Duration> {
        self.session.config().retry.pause(tries, None, &mut self.random)
    }

    fn begin(&mut self, draft: Draft, purpose: Purpose) -> CallId {
        self.last_call += 1;
        let id = CallId(self.last_call);
        let call = Call {
            way: Way::of(&draft),
            tries: draft.tries,
            draft,
            purpose,
            state: State::Ready,
            progress: 0,
            renewed: false,
            restarted: false,
            kept: None,
        };
        self.calls.insert(id, call);
        id
    }

    /// The next call that has come to its end.
    pub(super) fn settled(&mut self) -> Option<(CallId, Result<Reply, Failed>)> {
        self.settled.pop_front()
    }

    pub(super) fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Nothing is left to hand out.
    pub(super) fn is_idle(&self) -> bool {
        self.outputs.is_empty() && self.settled.is_empty() && self.arrivals.is_empty()
    }

    /// When there will be something to do though nothing arrives. What is due already waits for one of those under way.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        let due = self.calls.values().filter_map(|call| match call.state {
            State::Backoff(due) if due > now => Some(due),
            _ => None,
        });
        due.min()
    }

    pub(super) fn waits_for(&self) -> &'static str {
        if !self.flights.is_empty() {
            "an answer"
        } else if !self.queries.is_empty() {
            "a credential"
        } else {
            "the next try"
        }
    }

    /// Nobody needs to wait any more for what it does [`alone`](Draft::alone).
    pub(super) fn release(&mut self) {
        self.claim = None;
    }

    /// Drops everything; what is out is to be cancelled.
    pub(super) fn cancel(&mut self) {
        self.calls.clear();
        self.arrivals.clear();
        self.settled.clear();
        self.queries.clear();
        self.release();
        self.authorities.iter_mut().for_each(Authority::release);
        let flights = std::mem::take(&mut self.flights);
        self.outputs.retain(|output| matches!(output, Output::Notify(_) | Output::Cancel(_)));
        self.outputs.extend(flights.into_keys().map(Output::Cancel));
    }

    // What the host feeds in. Time comes with the next poll.

    pub(super) fn response(&mut self, id: RequestId, mut head: ResponseHead) -> Receiver {
        let Some(flight) = self.flights.get_mut(&id).filter(|flight| flight.head.is_none()) else {
            return Receiver::refuse();
        };
        let Some(call) = self.calls.get_mut(&flight.call) else { return Receiver::refuse() };
        // What is hidden may say that the body was packed, and so has another length than is seen.
        if !self.session.config().transport.all_headers {
            head.headers.remove("content-length");
        }
        let config = self.session.config();
        let (receiver, objection) = call.receiver(&head, config.limits.error_body);
        flight.head = Some((head, objection));
        receiver.allowing(config.idle_timeout)
    }

    pub(super) fn end(&mut self, id: RequestId, receiver: Receiver) {
        if self.flights.get(&id).is_none_or(|flight| flight.head.is_none()) {
            return;
        }
        if let Some(Flight { call, head: Some((head, objection)) }) = self.flights.remove(&id) {
            self.arrivals.push_back(Arrival::Ended(Ended { call, head, objection, receiver, is_cut: false }));
        }
    }

    pub(super) fn failure(&mut self, id: RequestId, failure: Failure, receiver: Option<Receiver>) {
        let Some(flight) = self.flights.remove(&id) else { return };
        let settles = |head: &ResponseHead, receiver: &Receiver| {
            // The connection broke after the last byte: nothing is missing.
            let whole = receiver.stores() && receiver.expected() == Some(receiver.seen());
            // The head has said it all; of what an error says the beginning is enough.
            let told = receiver.is_unwanted() || !receiver.stores() && !(200..=299).contains(&head.status);
            (whole || told) && !matches!(failure, Failure::Storage(_))
        };
        self.arrivals.push_back(match (flight.head, receiver) {
            (Some((head, objection)), Some(receiver)) if settles(&head, &receiver) => {
                let is_cut = receiver.expected() != Some(receiver.seen());
                Arrival::Ended(Ended { call: flight.call, head, objection, receiver, is_cut })
            }
            (_, receiver) => Arrival::Failed(flight.call, failure, receiver),
        });
    }

    pub(super) fn credential(&mut self, id: QueryId, credential: Result<Option<Credential>, Error>) {
        let credential = credential.and_then(|credential| match credential {
            Some(Credential::Bearer(token)) if !may_stand(&token) => Err(Error::new(
                Code::ARGUMENT,
                "the token that was given cannot stand in a header",
            )
            .with_hint(
                "A token is printable ASCII without blanks; one that was read from a file may end with a line's end.",
            )),
            credential => Ok(credential),
        });
        if self.queries.contains_key(&id) {
            self.arrivals.push_back(Arrival::Credential(id, credential));
        }
    }

    /// Takes in what has arrived.
    pub(super) fn take_in(&mut self, now: Instant) {
        while let Some(arrival) = self.arrivals.pop_front() {
            match arrival {
                Arrival::Ended(ended) => {
                    self.land(ended.call);
                    self.ended(now, ended);
                }
                Arrival::Failed(id, failure, receiver) => {
                    self.land(id);
                    self.failed(now, id, &failure, receiver);
                }
                Arrival::Credential(id, credential) => {
                    if let Some((authority, own)) = self.queries.remove(&id) {
                        self.authorities[authority.0].answered(own, credential);
                    }
                }
            }
        }
    }

    /// Sends what can be sent now.
    pub(super) fn send_out(&mut self, now: Instant) {
        self.run_errands();
        // A token that is about to expire makes for a call that is not in the map yet: ids grow while they are walked.
        let mut next = CallId(0);
        while let Some(id) = self.calls.key_from(next) {
            if self.flights.len() >= usize::from(self.session.config().concurrency.get()) {
                return;
            }
            self.dispatch(now, id);
            self.run_errands();
            next = CallId(id.0 + 1);
        }
    }

    fn run_errands(&mut self) {
        for index in 0..self.authorities.len() {
            for errand in self.authorities[index].take_errands() {
                match errand {
                    Errand::Tell(event) => self.notify(event),
                    Errand::Ask(mut query) => {
                        self.last_query += 1;
                        let id = QueryId(self.last_query);
                        self.queries.insert(id, (AuthorityId(index), query.id));
                        query.id = id;
                        query.own = query.registry == self.home;
                        self.outputs.push_back(Output::Ask(query));
                    }
                    Errand::Fetch { server, credential, form } => {
                        self.fetch(AuthorityId(index), &server, credential.as_ref(), form);
                    }
                }
            }
        }
    }

    fn fetch(&mut self, authority: AuthorityId, server: &TokenServer, credential: Option<&Credential>, form: bool) {
        let (method, url, headers, payload) = server.request(credential, form);
        let limit = self.session.config().limits.token;
        let wanted = Wanted::Body { limit, name: "token" };
        let draft = Draft { headers, payload, wanted, ..Draft::new(method, url) };
        self.begin(draft, Purpose::Token(authority));
    }

    fn dispatch(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.state {
            State::InFlight => return,
            State::Backoff(due) if due > now => return,
            State::Backoff(_) => call.state = State::Ready,
            State::Ready => {}
        }
        if let Some((pause, why)) = call.draft.after.take() {
            call.state = State::Backoff(now + pause);
            self.outputs.push_back(Output::Notify(Event::Retrying { after: pause, why }));
            return;
        }
        if let Some(until) = self.session.quiet(&Origin::of(&call.way.target)).filter(|until| *until > now) {
            call.state = State::Backoff(until);
            return;
        }
        if let Some(name) = call.draft.alone.as_ref().filter(|_| self.claim.is_none()) {
            self.claim = self.session.claim(&Origin::of(&call.draft.url), name, now);
            if self.claim.is_none() {
                call.state = State::Backoff(now + MOMENT);
                return;
            }
        }
        let mut authorization = None;
        if let Some(authority) = call.draft.authority {
            let authority = &mut self.authorities[authority.0];
            call.way.strayed |= Origin::of(&call.way.target) != *authority.origin();
            if !call.way.strayed {
                match authority.pass(now, id, matches!(call.way.payload, Payload::Blob { .. })) {
                    Pass::Wait => return,
                    Pass::WaitUntil(due) => {
                        call.state = State::Backoff(due);
                        return;
                    }
                    Pass::Denied(error) => {
                        self.settle(now, id, Err(Failed { error, again: None }));
                        return;
                    }
                    Pass::Go(value) => authorization = value,
                }
                call.way.generation = authority.generation();
                call.way.presented = authorization.is_some() && authority.presents();
            }
        }
        self.last_request += 1;
        let request = call.request(RequestId(self.last_request), authorization, self.session.config());
        self.flights.insert(request.id, Flight { call: id, head: None });
        self.outputs.push_back(Output::Send(request));
    }

    fn land(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.state = State::Ready;
        if let Some(authority) = call.draft.authority {
            self.authorities[authority.0].landed(id);
        }
    }

    fn ended(&mut self, now: Instant, ended: Ended) {
        let Ended { call: id, head, objection, receiver, is_cut } = ended;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Err(error) = call.followed(head.url.as_deref()) {
            return self.settle(now, id, Err(Failed { error, again: None }));
        }
        let (status, away, final_away) = (head.status, call.way.strayed, call.draft.final_away);
        if !away {
            self.warn(&head.headers);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(authority) = call.draft.authority
            && !matches!(status, 401 | 403)
            && !is_passing(status)
        {
            self.authorities[authority.0].accepted(call.way.generation, status, away);
        }
        match objection {
            Some(Objection::Error(error)) => return self.settle(now, id, Err(Failed { error, again: None })),
            Some(Objection::Restart) => return self.restart(now, id),
            None => {}
        }
        let blob = matches!(status, 200 | 206) && matches!(call.draft.wanted, Wanted::Blob { .. });
        if blob {
            return self.stored(now, id, head, receiver);
        }
        let (overflowed, received) = (receiver.overflowed(), receiver.seen());
        let reply = call.reply(head, receiver.into_data(), is_cut);
        match status {
            _ if call.draft.regardless => self.settle(now, id, Ok(reply)),
            400..=499 if away && final_away => self.settle(now, id, Ok(reply)),
            200..=299 => match call.whole(&reply, overflowed, received) {
                Ok(()) => self.settle(now, id, Ok(reply)),
                Err(error) if overflowed => self.settle(now, id, Err(Failed { error, again: None })),
                Err(error) => self.lapse(now, id, error, None),
            },
            301 | 302 | 303 | 307 | 308 => self.redirect(now, id, &reply),
            401 | 403 => self.refused(now, id, reply),
            // What fails for the mount alone would fail again.
            500..=599 if call.draft.dispensable && reply.headers.get("retry-after").is_none() => {
                self.settle(now, id, Ok(reply));
            }
            _ if is_passing(status) => {
                let about = if matches!(call.purpose, Purpose::Token(_)) { About::Token } else { About::Manifest };
                let error = errcode::refusal(&reply, about);
                self.lapse(now, id, error, retry_after(&reply.headers, &self.session.config().retry));
            }
            _ => self.settle(now, id, Ok(reply)),
        }
    }

    /// What the registry warns of is told, and never acted on.
    fn warn(&mut self, headers: &Headers) {
        for mut text in warning::texts(headers.get_all("warning")) {
            sanitise(&mut text);
            if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&text) {
                self.notify(Event::Notice { code: "registry.warning", text: text.clone() });
                self.warnings.push(text);
            }
        }
    }

    /// The answer is 401 or 403: of the registry, which may want to know who asks, or of where it sent the host.
    fn refused(&mut self, now: Instant, id: CallId, reply: Reply) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match (reply.status, call.way.strayed) {
            (401, true) => {
                let error = Error::new(Code::AUTH_FOREIGN, format!("{} asks for a login", reply.url.host()))
                    .with("method", reply.method.as_str())
                    .with("url", reply.url.without_query())
                    .with_answer(401, errcode::errors(&reply.body));
                return self.settle(now, id, Err(Failed { error, again: None }));
            }
            // A signed URL of a store has expired: the registry gives a new one.
            (403, true) if reply.method == Method::Get => {
                return self.lapse(now, id, errcode::refusal(&reply, About::Blob), None);
            }
            // A mount may be refused for the other repository, save where passwords are asked for: these are good for all.
            // With nothing shown it is the login that is wanted.
            (_, false)
                if call.draft.dispensable
                    && match challenge::parse(reply.headers.get_all("www-authenticate")).first() {
                        Some(challenge) => call.way.presented && !challenge.is("basic"),
                        None => true,
                    } =>
            {
                return self.settle(now, id, Ok(reply));
            }
            _ => {}
        }
        let authority = call.draft.authority.filter(|_| !call.way.strayed);
        let again = authority.is_some_and(|authority| {
            self.authorities[authority.0].refused(call.way.generation, &reply, &mut call.renewed)
        });
        if !again {
            return self.settle(now, id, Ok(reply));
        }
        // Being asked who it is does not count as a failure.
        call.tries = call.tries.saturating_sub(1);
        call.way = Way::of(&call.draft);
    }

    fn failed(&mut self, now: Instant, id: CallId, failure: &Failure, receiver: Option<Receiver>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(receiver) = receiver.filter(|receiver| receiver.stores() && !receiver.overflowed()) {
            call.kept = Some(receiver);
        }
        let follows = !self.session.config().transport.manual_redirects;
        let error = errcode::failure(failure, call.way.method, &call.way.target, follows);
        match failure {
            // A proxy that refuses is shown its password but once.
            Failure::Proxy(400..=407 | 409..=428 | 430..=499, _)
            | Failure::Tls(_)
            | Failure::Storage(_)
            | Failure::Forbidden(_) => {
                self.settle(now, id, Err(Failed { error, again: None }));
            }
            _ => self.lapse(now, id, error, None),
        }
    }

    /// The body of a blob has come to its end.
    fn stored(&mut self, now: Instant, id: CallId, head: ResponseHead, receiver: Receiver) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Wanted::Blob { blob, descriptor, .. } = call.draft.wanted.clone() else { return };
        let context =
            |error: Error| error.with("url", call.way.target.without_query()).with("digest", &descriptor.digest);
        let (seen, resumed) = (receiver.seen(), receiver.offset() > 0);
        let expected = receiver.expected().unwrap_or(descriptor.size);
        if receiver.overflowed() || seen < expected {
            let message = if receiver.overflowed() {
                format!("more than the {} bytes of {} were sent", descriptor.size, descriptor.digest)
            } else {
                format!("{seen} of the {} bytes of {} were sent", descriptor.size, descriptor.digest)
            };
            let error = context(Error::new(Code::SIZE_MISMATCH, message)).with("expected", descriptor.size);
            if receiver.overflowed() {
                return self.settle(now, id, Err(Failed { error, again: None }));
            }
            call.kept = receiver.stores().then_some(receiver);
            return self.lapse(now, id, error, None);
        }
        let is_part = receiver.digest().is_none();
        let actual = receiver.into_digester().map(|digester| digester.finish());
        if is_part || actual.as_ref() == Some(&descriptor.digest) {
            let reply = call.reply(head, Vec::new(), false);
            self.notify(Event::Downloaded(blob, descriptor));
            return self.settle(now, id, Ok(reply));
        }
        if resumed && !call.restarted {
            return self.restart(now, id);
        }
        let actual = actual.map_or_else(|| "another body".to_owned(), |actual| actual.to_string());
        let error = Error::new(Code::DIGEST_MISMATCH, format!("{actual} was sent in place of {}", descriptor.digest));
        let error = context(error).with("actual", actual);
        self.settle(now, id, Err(Failed { error, again: None }));
    }

    /// What has arrived of a blob is of no use; it is read from its start, once.
    fn restart(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.kept = None;
        if !call.restarted {
            call.restarted = true;
            call.way = Way::of(&call.draft);
            return;
        }
        let error = Error::new(Code::UNEXPECTED_ANSWER, "the answer does not have the range that was asked for")
            .with("url", call.way.target.without_query());
        self.lapse(now, id, error, None);
    }

    /// The try came to nothing, and another may not.
    fn lapse(&mut self, now: Instant, id: CallId, error: Error, asked: Option<Duration>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let seen = call.kept.as_ref().map_or(0, Receiver::seen);
        if seen > call.progress {
            call.progress = seen;
            call.tries = 1;
        }
        let retry = &self.session.config().retry;
        let pause = retry.pause(call.tries, asked, &mut self.random);
        // After the last try as well: another request may follow.
        if let (Some(_), Some(quiet)) = (asked, retry.pause(1, asked, &mut self.random)) {
            self.session.leave_alone(&Origin::of(&call.way.target), now + quiet);
        }
        match pause {
            Some(after) if call.draft.again => {
                call.state = State::Backoff(now + after);
                call.way = Way::of(&call.draft);
                self.notify(Event::Retrying { after, why: error.message().to_owned() });
            }
            pause => self.settle(now, id, Err(Failed { error, again: pause })),
        }
    }

    fn redirect(&mut self, now: Instant, id: CallId, reply: &Reply) {
        let limit = self.session.config().limits.redirects;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let refused = |code, message: String| {
            Error::new(code, message)
                .with("method", reply.method.as_str())
                .with("url", reply.url.without_query())
                .with_answer(reply.status, Vec::new())
        };
        let next = reply.headers.get("location").and_then(|location| call.way.target.join(location.trim()));
        let verdict = match next {
            None => Err(match reply.headers.get("location") {
                Some(location) => {
                    let shown = clip(without_secrets(location));
                    let message = format!("a redirect leads to {shown:?}, which is no place for a request");
                    refused(Code::BAD_REDIRECT, message).with("location", shown).with_hint(
                        "Check the registry, and the proxy before it: the Location must be an http or https URL.",
                    )
                }
                None => refused(Code::BAD_REDIRECT, "a redirect has no Location".to_owned())
                    .with_hint("Check the registry, and the proxy before it: a redirect must say where to go."),
            }),
            Some(next) if call.way.target.scheme() == Scheme::Https && next.scheme() == Scheme::Http => {
                Err(refused(Code::BAD_REDIRECT, format!("a redirect leads from https to {}", next.without_query())))
            }
            Some(_) if call.way.redirects >= limit => {
                Err(refused(Code::LIMIT_REDIRECTS, format!("there are more than {limit} redirects"))
                    .with("limit", "redirects"))
            }
            Some(next) => match call.purpose {
                Purpose::Token(authority) => call.may_go_on(&next, self.authorities[authority.0].base()).map(|()| next),
                Purpose::Operation => Ok(next),
            },
        };
        match verdict {
            Err(error) => self.settle(now, id, Err(Failed { error, again: None })),
            Ok(next) => {
                call.way.redirects += 1;
                call.way.strayed |= Origin::of(&next) != Origin::of(&call.way.target);
                call.way.target = next;
                if reply.status == 303 && call.way.method != Method::Head {
                    (call.way.method, call.way.payload) = (Method::Get, Payload::Empty);
                }
            }
        }
    }

    /// The call has come to its end.
    fn settle(&mut self, now: Instant, id: CallId, result: Result<Reply, Failed>) {
        let Some(call) = self.calls.remove(&id) else { return };
        match call.purpose {
            Purpose::Operation => self.settled.push_back((id, result)),
            Purpose::Token(authority) => {
                let limit = self.session.config().limits.token;
                let token = match result {
                    Ok(reply) if (200..=299).contains(&reply.status) => {
                        let date = reply.headers.get("date").and_then(Timestamp::parse_http_date);
                        Token::parse(&reply.body, date, limit).map_err(|error| {
                            let page = errcode::is_page(&reply.headers, &reply.body);
                            let error = error.with("url", reply.url.without_query());
                            if page {
                                error.with_hint("A web page came instead: check what stands before it.")
                            } else {
                                error
                            }
                        })
                    }
                    Ok(reply) => Err(errcode::refusal(&reply, About::Token)),
                    Err(failed) => Err(failed.error),
                };
                self.authorities[authority.0].fetched(token, now);
            }
        }
    }
}
