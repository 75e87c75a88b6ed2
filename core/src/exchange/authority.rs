//! Who the caller is to one registry, for one set of scopes: settled once for all calls, which wait for it. Exchanges of one
//! session that need the same token at the same time fetch one: the others look again after a moment (`Joining`).
//!
//! ```text
//!                 401                    answer                 token
//!   Unknown ───────────────▶ Asking ───────────────▶ Fetching ─────────▶ Held
//!      │ anything else          ▲  │ Basic, or a ready-made token          │ refused though it had served,
//!      ▼                        │  └──────────────────────────────────────▶│ or about to expire
//!   Anonymous ──────401─────────┴──────────────────────────────────────────┘       nothing left to try: Denied
//! ```

use super::calls::{CallId, Reply};
use super::errcode::{About, refusal};
use super::place::Place;
use super::session::{Claim, Grant, MOMENT, Session};
use super::{CredentialQuery, Event, QueryId};
use crate::auth::challenge::{self, Challenge};
use crate::auth::token::{Token, TokenServer, basic};
use crate::auth::{Credential, Origin, Scope};
use crate::error::{Code, Error};
use crate::http::url::Url;
use crate::time::{Duration, Instant};

/// A token is renewed this long before it expires.
const MARGIN: Duration = Duration::from_secs(5);

/// What is known of the caller's standing.
#[derive(Debug)]
enum State {
    /// Nothing was answered yet. One call may be out to find out, where others wait for it.
    Unknown { probe: Option<CallId> },
    /// The host is asked for a credential; `again` because the last one was refused.
    Asking { id: QueryId, again: bool },
    /// A token is wanted: another exchange may have it or be about to.
    Joining,
    /// A token request is on its way.
    Fetching,
    /// This stands in `Authorization`, until it expires.
    Held { authorization: String, expires: Option<Instant>, trust: Trust },
    /// Nobody asks who is calling.
    Anonymous,
    /// There is nothing left to try.
    Denied(Error),
}

/// What is known of what is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// It has gone out with no call yet.
    New,
    /// It has gone out.
    Used,
    /// It has been good for some call.
    Proven,
    /// It was fetched by another exchange, for which it was good, and may be as stale as what it replaces.
    Joined,
}

/// How the first call goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// With all the others: nobody may ask for a login.
    Freely,
    /// Alone, because a login will be asked for.
    Alone,
    /// With a credential that the host is asked for before the registry asks, since something was given for another
    /// repository of it.
    Foreseeing,
}

/// What is tried once.
#[derive(Default)]
struct Tried {
    /// To ask the host for another credential.
    again: bool,
    /// To read without one.
    anonymous: bool,
    /// To send user and password to the token server in a form.
    form: bool,
}

/// How the registry wants to be told.
#[derive(Clone, Debug)]
enum Scheme {
    Basic,
    Bearer(TokenServer),
    /// By Bearer, but the token server's place is none: only a token that is there already is of use.
    ReadyMade(Error),
}

/// Whether a call may go.
pub(super) enum Pass {
    Go(Option<String>),
    Wait,
    WaitUntil(Instant),
    Denied(Error),
}

/// What is to be done so that it can go on.
pub(super) enum Errand {
    Ask(CredentialQuery),
    Fetch { server: TokenServer, credential: Option<Credential>, form: bool },
    Tell(Event),
}

pub(super) struct Authority {
    session: Session,
    registry: String,
    repository: String,
    base: Url,
    origin: Origin,
    scope: Scope,
    /// What is read from another repository of the registry as well.
    also: Option<Scope>,
    state: State,
    /// Others of the session wait for the token that this one fetches.
    claim: Option<Claim>,
    manner: Manner,
    /// Counts what was presented: a refusal of something older says nothing.
    generation: u32,
    scheme: Option<Scheme>,
    /// What the host answered last; `None` within means anonymous.
    credential: Option<Option<Credential>>,
    tried: Tried,
    /// What became of the credential that was tried, or to be asked for, before none was shown.
    before: Option<Error>,
    queries: u32,
    errands: Vec<Errand>,
    /// The answer that led here: what a denial says.
    refusal: Option<Error>,
}

impl Authority {
    pub(super) fn new(session: &Session, place: &Place, scope: Scope, also: Option<Scope>) -> Authority {
        let origin = Origin::of(place.base());
        let has_credentials = session.config().has_credentials;
        let repository = place.repository().name().to_owned();
        let held = |authorization, expires| State::Held { authorization, expires, trust: Trust::Proven };
        let (state, scheme, manner) = session.host(&origin, |host| {
            let (state, scheme) = if let Some(authorization) = host.standing(&repository).map(str::to_owned) {
                (held(authorization, None), Some(Scheme::Basic))
            } else if let Some(grant) = host.grant(&repository, &scope, also.as_ref()).cloned() {
                let Grant { authorization, expires, server, .. } = grant;
                (held(authorization, Some(expires)), Some(Scheme::Bearer(server)))
            } else if host.open.contains(&scope) {
                (State::Anonymous, None)
            } else {
                (State::Unknown { probe: None }, None)
            };
            let manner = match state {
                State::Unknown { .. } if host.has_standing() => Manner::Foreseeing,
                _ if host.challenges || has_credentials => Manner::Alone,
                _ => Manner::Freely,
            };
            (state, scheme, manner)
        });
        Authority {
            session: session.clone(),
            registry: place.repository().registry().to_owned(),
            repository,
            base: place.base().clone(),
            origin,
            scope,
            also,
            claim: None,
            manner,
            generation: 1,
            state,
            scheme,
            credential: None,
            tried: Tried::default(),
            before: None,
            queries: 0,
            errands: Vec::new(),
            refusal: None,
        }
    }

    /// Credentials go here and nowhere else.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The registry's root, against which a token server is judged.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// It is known how to go on, with a token or without.
    pub(super) fn is_settled(&self) -> bool {
        self.manner == Manner::Foreseeing || matches!(self.state, State::Held { .. } | State::Anonymous)
    }

    /// A credential is behind what is presented, and not just an anonymous token.
    pub(super) fn presents(&self) -> bool {
        matches!(self.state, State::Held { .. }) && !matches!(self.credential, Some(None))
    }

    pub(super) fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// May this call go now? One that carries a blob never goes before it is clear who is asking.
    pub(super) fn pass(&mut self, now: Instant, call: CallId, carries_blob: bool) -> Pass {
        if let State::Held { expires: Some(expires), trust, .. } = &self.state {
            let is_old = match trust {
                // One that has not served yet is used once, however old it came: another would be no younger.
                Trust::New => false,
                Trust::Used => *expires <= now,
                Trust::Proven | Trust::Joined => *expires <= now + MARGIN,
            };
            if is_old {
                self.negotiate();
            }
        }
        if matches!(self.state, State::Joining) && !self.join(now) {
            return Pass::WaitUntil(now + MOMENT);
        }
        if self.manner == Manner::Foreseeing && self.scheme.is_none() {
            self.scheme = Some(Scheme::Basic);
            self.ask(false);
        }
        match &mut self.state {
            State::Held { authorization, trust, .. } => {
                if *trust == Trust::New {
                    *trust = Trust::Used;
                }
                Pass::Go(Some(authorization.clone()))
            }
            State::Anonymous => Pass::Go(None),
            State::Denied(error) => Pass::Denied(error.clone()),
            State::Asking { .. } | State::Fetching | State::Joining => Pass::Wait,
            State::Unknown { .. } if carries_blob => Pass::Wait,
            State::Unknown { probe: Some(_) } if self.manner != Manner::Freely => Pass::Wait,
            State::Unknown { probe } => {
                *probe = Some(call);
                Pass::Go(None)
            }
        }
    }

    /// The call came back, with whatever: another may find out now.
    pub(super) fn landed(&mut self, call: CallId) {
        if let State::Unknown { probe } = &mut self.state {
            probe.take_if(|probe| *probe == call);
        }
    }

    /// The call was answered, and not with a refusal; `away`, where the registry sent the host on to.
    pub(super) fn accepted(&mut self, generation: u32, status: u16, away: bool) {
        // What others refuse, the registry may not have looked at.
        if generation != self.generation || away && status >= 400 {
            return;
        }
        if let State::Held { trust: trust @ (Trust::New | Trust::Used), .. } = &mut self.state {
            *trust = Trust::Proven;
        }
        if away {
            return;
        }
        if matches!(self.state, State::Unknown { .. }) {
            self.state = State::Anonymous;
        }
        if matches!(self.state, State::Anonymous) && status < 400 {
            self.session.host(&self.origin, |host| host.open.insert(self.scope.clone()));
        }
    }

    /// The call was answered with 401 or 403. True: something changes, and it is to wait and go again. `renewed` says
    /// whether this call has led to a renewal before.
    pub(super) fn refused(&mut self, generation: u32, reply: &Reply, renewed: &mut bool) -> bool {
        let settled = !matches!(self.state, State::Asking { .. } | State::Fetching | State::Joining | State::Denied(_));
        if generation != self.generation || !settled {
            return true;
        }
        self.refusal = Some(refusal(reply, About::Manifest));
        let challenges = challenge::parse(reply.headers.get_all("www-authenticate"));
        match &self.state {
            State::Held { authorization, trust, .. } => {
                let (authorization, trust) = (authorization.clone(), *trust);
                self.retract(&authorization, trust, reply.status, &challenges, renewed)
            }
            _ if reply.status == 403 => false,
            _ => {
                self.session.host(&self.origin, |host| {
                    host.challenges = true;
                    host.open.remove(&self.scope);
                });
                match self.choose(&challenges) {
                    Ok(scheme) => {
                        self.scheme = Some(scheme);
                        self.negotiate();
                    }
                    Err(error) => self.deny(error),
                }
                true
            }
        }
    }

    /// What was presented is refused: another token, another credential, none, in this order, each once.
    fn retract(
        &mut self,
        presented: &str,
        trust: Trust,
        status: u16,
        challenges: &[Challenge],
        renewed: &mut bool,
    ) -> bool {
        let ready_made = !matches!(self.scheme, Some(Scheme::Bearer(_)))
            || matches!(self.credential, Some(Some(Credential::Bearer(_))));
        if trust == Trust::Joined {
            // Each is dropped, so that there is an end.
            self.session.host(&self.origin, |host| host.forget(presented));
            self.negotiate();
            return true;
        }
        if self.stop_foreseeing()
            && let Ok(scheme @ Scheme::Bearer(_)) = self.choose(challenges)
        {
            // It asks otherwise here than there.
            self.session.host(&self.origin, |host| host.forget(presented));
            self.scheme = Some(scheme);
            self.negotiate();
            return true;
        }
        // RFC 6750, 3.1. The registry may have forgotten, or not have heard yet, of a token that is new to it.
        let is_invalid = |challenge: &Challenge| challenge.parameter("error") == Some("invalid_token");
        let may_renew = trust == Trust::Proven || !ready_made && challenges.iter().any(is_invalid);
        if may_renew && !*renewed {
            *renewed = true;
            self.session.host(&self.origin, |host| host.forget(presented));
            if let Ok(scheme) = self.choose(challenges) {
                self.scheme = Some(scheme);
            }
            if ready_made && !self.tried.again {
                self.ask(true)
            } else {
                self.negotiate()
            }
            return true;
        }
        if status == 401 || self.scope.only_reads() {
            self.session.host(&self.origin, |host| host.forget(presented));
            if status == 401 && ready_made && !self.tried.again {
                self.ask(true);
                return true;
            }
            if self.presents() && self.may_fall_back() {
                self.before = self.refusal.clone();
                self.fall_back();
                return true;
            }
        }
        // Without the credential that was refused it does not go either.
        match (self.before.is_some(), self.refusal.clone()) {
            (true, Some(refusal)) => {
                self.deny(refusal);
                true
            }
            _ => false,
        }
    }

    /// The host's answer; one that was not asked for is ignored.
    pub(super) fn answered(&mut self, answered: QueryId, credential: Result<Option<Credential>, Error>) {
        let State::Asking { id, again } = self.state else { return };
        if id != answered {
            return;
        }
        let is_at_hand = matches!(credential, Ok(Some(Credential::Basic { .. } | Credential::Bearer(_))));
        if !is_at_hand && self.stop_foreseeing() {
            // Nobody has asked yet: where somebody does, the host is asked again.
            (self.scheme, self.state) = (None, State::Anonymous);
            return self.changed();
        }
        let credential = match credential {
            Ok(credential) => credential,
            Err(error) if error.code() == Code::AUTH_HELPER_MISSING && self.may_fall_back() => {
                let text = format!("{}; trying without a credential", error.message());
                self.errands.push(Errand::Tell(Event::Notice { code: "auth.anonymous", text }));
                self.tried.anonymous = true;
                self.before = Some(error);
                None
            }
            Err(error) => return self.deny(error),
        };
        let refused_before = again && (credential.is_none() || Some(&credential) == self.credential.as_ref());
        if refused_before {
            let error = Error::new(Code::AUTH_REFUSED, format!("{} refuses the credential", self.registry));
            let error = self.refusal.clone().filter(|refusal| refusal.code() == Code::AUTH_FORBIDDEN).unwrap_or(error);
            return self.give_up(error);
        }
        self.credential = Some(credential);
        self.present();
    }

    /// The token server's answer.
    pub(super) fn fetched(&mut self, answer: Result<Token, Error>, now: Instant) {
        let (State::Fetching, Some(Scheme::Bearer(server))) = (&self.state, &self.scheme) else { return };
        match answer {
            Ok(token) => {
                let grant = Grant {
                    repository: self.repository.clone(),
                    authorization: token.authorization(),
                    expires: now + token.lifetime,
                    server: server.clone(),
                };
                let (authorization, expires) = (grant.authorization.clone(), Some(grant.expires));
                self.session.host(&self.origin, |host| host.remember(grant));
                self.hold(authorization, expires, Trust::New);
            }
            Err(error)
                if matches!(error.status(), Some(404 | 405))
                    && matches!(self.credential, Some(Some(Credential::Basic { .. })))
                    && !self.tried.form =>
            {
                self.tried.form = true;
                self.present();
            }
            Err(error) if matches!(error.status(), Some(400 | 401 | 403)) => match &self.credential {
                Some(Some(_)) if !self.tried.again => {
                    self.refusal = Some(error);
                    self.ask(true);
                }
                Some(Some(_)) => {
                    let refused =
                        Error::new(Code::AUTH_REFUSED, format!("{} refuses the credential", server.realm.host()));
                    self.give_up(refused.because(error));
                }
                _ => {
                    let required = Error::new(Code::AUTH_REQUIRED, format!("{} asks for a login", self.registry));
                    self.deny(required.because(error));
                }
            },
            Err(error) => self.deny(error),
        }
    }

    /// The scheme of the challenges that can be answered: Bearer before Basic.
    fn choose(&self, challenges: &[Challenge]) -> Result<Scheme, Error> {
        let mut refused = None;
        for challenge in challenges.iter().filter(|challenge| challenge.is("bearer")) {
            match TokenServer::of(challenge, &self.base, &self.scope) {
                Ok(mut server) => {
                    server.scopes.extend(self.also.clone());
                    return Ok(Scheme::Bearer(server));
                }
                Err(error) if !challenge.parameter("realm").is_some_and(|realm| realm.contains("//")) => {
                    refused = Some(Ok(Scheme::ReadyMade(error)));
                }
                Err(error) => refused = Some(Err(error)),
            }
        }
        if challenges.iter().any(|challenge| challenge.is("basic")) {
            return Ok(Scheme::Basic);
        }
        match refused {
            Some(verdict) => verdict,
            // The browser may have hidden the challenge: Basic is worth a try.
            None if challenges.is_empty() && !self.session.config().transport.all_headers => Ok(Scheme::Basic),
            None => Err(Error::new(
                Code::AUTH_CHALLENGE,
                format!("{} asks for a login and does not say how", self.registry),
            )),
        }
    }

    fn negotiate(&mut self) {
        match (&self.scheme, &self.credential) {
            (Some(Scheme::Bearer(_)), _) => self.state = State::Joining,
            (_, Some(_)) => self.present(),
            (_, None) => self.ask(false),
        }
    }

    /// A token is wanted. False: another exchange is about to have it.
    fn join(&mut self, now: Instant) -> bool {
        let (scope, also) = (&self.scope, self.also.as_ref());
        // Whoever had the claim before has left its token here by now.
        let claim = self.session.claim(&self.origin, &scope.to_string(), now);
        let grant = self.session.host(&self.origin, |host| {
            host.grant(&self.repository, scope, also).filter(|grant| grant.expires > now + MARGIN).cloned()
        });
        match (grant, claim) {
            (Some(Grant { authorization, expires, server, .. }), _) => {
                self.scheme = Some(Scheme::Bearer(server));
                self.hold(authorization, Some(expires), Trust::Joined);
            }
            (None, None) => return false,
            (None, claim) => {
                self.claim = claim;
                match self.credential {
                    Some(_) => self.present(),
                    None => self.ask(false),
                }
            }
        }
        true
    }

    /// Nobody needs to wait for this one any more.
    pub(super) fn release(&mut self) {
        self.claim = None;
    }

    fn ask(&mut self, again: bool) {
        self.tried.again |= again;
        self.queries += 1;
        let id = QueryId(self.queries);
        let server = match &self.scheme {
            Some(Scheme::Bearer(server)) => Some(server),
            _ => None,
        };
        self.errands.push(Errand::Ask(CredentialQuery {
            id,
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            realm: server.map(|server| server.realm.without_query()),
            service: server.and_then(|server| server.service.clone()),
            scope: Some(self.scope.to_string()),
            refused: again,
            own: false,
        }));
        self.state = State::Asking { id, again };
    }

    /// Makes something of the credential that there is.
    fn present(&mut self) {
        let credential = self.credential.clone().flatten();
        match (&self.scheme, credential) {
            (_, Some(Credential::Bearer(token))) => self.stand(Token::given(&token).authorization()),
            (Some(Scheme::Bearer(server)), credential) => {
                self.errands.push(Errand::Fetch { server: server.clone(), credential, form: self.tried.form });
                self.state = State::Fetching;
            }
            (Some(Scheme::ReadyMade(error)), _) => self.deny(error.clone()),
            (_, Some(Credential::Basic { username, password })) => self.stand(basic(&username, &password)),
            (_, Some(Credential::Identity(_))) => self.deny(
                Error::new(Code::AUTH_REFUSED, format!("{} takes no identity token", self.registry))
                    .with_hint("The registry wants user and password: log in with them."),
            ),
            (_, None) => {
                let error = Error::new(Code::AUTH_REQUIRED, format!("{} asks for a login", self.registry));
                self.deny(if self.session.config().transport.all_headers {
                    error
                } else {
                    error.with_hint(
                        "Pass credentials. If the registry gives tokens to anybody, it must expose WWW-Authenticate to \
                         this page's origin (CORS, Access-Control-Expose-Headers).",
                    )
                });
            }
        }
    }

    fn stand(&mut self, authorization: String) {
        self.session.host(&self.origin, |host| host.stand(&self.repository, &authorization));
        self.hold(authorization, None, Trust::New);
    }

    fn hold(&mut self, authorization: String, expires: Option<Instant>, trust: Trust) {
        self.state = State::Held { authorization, expires, trust };
        self.changed();
    }

    fn changed(&mut self) {
        self.release();
        self.generation = self.generation.saturating_add(1);
    }

    /// What is shown is not only foreseen any more. False: it was not.
    fn stop_foreseeing(&mut self) -> bool {
        let foresees = self.manner == Manner::Foreseeing;
        if foresees {
            self.manner = Manner::Alone;
        }
        foresees
    }

    /// Reading may be free to all, though the credential is bad.
    fn may_fall_back(&self) -> bool {
        self.scope.only_reads() && !self.tried.anonymous
    }

    fn give_up(&mut self, error: Error) {
        if self.may_fall_back() {
            self.before = Some(error);
            self.fall_back();
        } else {
            self.deny(error);
        }
    }

    fn fall_back(&mut self) {
        self.tried.anonymous = true;
        self.credential = Some(None);
        self.errands.push(Errand::Tell(Event::Notice {
            code: "auth.anonymous",
            text: format!("{} refuses the stored credential; trying without one", self.registry),
        }));
        if let Some(Scheme::Bearer(server)) = &self.scheme {
            self.errands.push(Errand::Fetch { server: server.clone(), credential: None, form: false });
            self.state = State::Fetching;
        } else {
            self.state = State::Anonymous;
            self.changed();
        }
    }

    /// The end: with the registry's own words and the hint that fits it, where it had any.
    fn deny(&mut self, error: Error) {
        // Whose credential was refused, or whose helper is not there, learns of that, and not that a login is wanted.
        let error = match self.before.take() {
            Some(before) if before.code() == Code::AUTH_REFUSED => before,
            Some(before) => before.because(error),
            None => error,
        };
        // A token server that cannot be reached, or gives nonsense, is another matter.
        let codes = [Code::AUTH_REQUIRED, Code::AUTH_REFUSED, Code::AUTH_CHALLENGE, Code::AUTH_REALM];
        let error = match self.refusal.take() {
            Some(refusal) if error.status().is_none() && codes.contains(&error.code()) => {
                let knows_better = refusal.hint() != refusal.code().remedy() && error.hint() == error.code().remedy();
                let hinted = if knows_better { error.with_hint(refusal.hint()) } else { error };
                let placed = refusal.context().iter().fold(hinted, |error, (name, value)| error.with(name, value));
                let status = refusal.status().unwrap_or(401);
                let answered = placed.with_answer(status, refusal.registry_errors().to_vec());
                if answered.cause().is_none() { answered.because(refusal) } else { answered }
            }
            _ => error,
        };
        self.release();
        self.state = State::Denied(error);
    }
}
