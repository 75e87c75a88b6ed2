//! Talking to a registry: the machine, as it is. `drive.js` drives it.

use std::num::NonZeroU8;
use std::time::Duration;

use chartoci::Reference;
use chartoci::exchange::{
    Config, Copy, Exchange as CoreExchange, HostSet, IfExists, Outcome, Output, Pull, QueryId, Resolve, RetryPolicy,
    Session as CoreSession, Traits, Want,
};
use chartoci::http::{BlobId, RequestId, ResponseHead};
use chartoci::oci::Repository;
use chartoci::time::Instant;
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, argument, throw};
use crate::receiver::Receiver;

/// Policy, tokens, what was learned about each host.
#[wasm_bindgen]
pub struct Session(CoreSession);

/// `"loopback"`, true, false, or a list of hosts.
fn host_set(options: &JsValue) -> Result<HostSet> {
    let value = dto::get(options, "plainHttp");
    Ok(match (value.as_bool(), value.as_string().as_deref()) {
        (Some(true), _) => HostSet::All,
        (Some(false), _) => HostSet::None,
        (None, Some("loopback")) => HostSet::Loopback,
        (None, None) if value.is_undefined() => HostSet::Loopback,
        _ => HostSet::These(dto::strings(options, "plainHttp")?.into_iter().collect()),
    })
}

fn retry(options: &JsValue) -> Result<RetryPolicy> {
    let default = RetryPolicy::default();
    let pause = |name, default| -> Result<Duration> {
        Ok(dto::milliseconds(options, name)?.map_or(default, Duration::from_millis))
    };
    Ok(RetryPolicy {
        attempts: dto::count(options, "attempts", u32::MAX)?.unwrap_or(default.attempts),
        backoff: pause("backoff", default.backoff)?,
        backoff_max: pause("backoffMax", default.backoff_max)?,
        retry_after_max: pause("retryAfterMax", default.retry_after_max)?,
    })
}

#[wasm_bindgen]
impl Session {
    /// Options: `userAgent`, `seed`, `limits`, `retry`, `concurrency`, `plainHttp`, `idleTimeout`, `timeout`,
    /// `manualRedirects`, `allHeaders`, `hasCredentials`, `tlsOptions`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Session> {
        let default = Config::default();
        let concurrency = dto::count(options, "concurrency", u8::MAX.into())?;
        let concurrency = concurrency.and_then(|many| NonZeroU8::new(u8::try_from(many).ok()?));
        let idle_timeout = match dto::get(options, "idleTimeout").is_null() {
            true => None,
            false => dto::milliseconds(options, "idleTimeout")?.map(Duration::from_millis).or(default.idle_timeout),
        };
        let config = Config {
            user_agent: dto::text(options, "userAgent")?.unwrap_or(default.user_agent),
            seed: dto::whole(options, "seed")?.unwrap_or(default.seed),
            limits: dto::limits(&dto::get(options, "limits"))?,
            retry: retry(&dto::get(options, "retry"))?,
            concurrency: concurrency.unwrap_or(default.concurrency),
            plain_http: host_set(options)?,
            idle_timeout,
            timeout: dto::milliseconds(options, "timeout")?.map(Duration::from_millis),
            transport: Traits {
                manual_redirects: dto::flag(options, "manualRedirects")?.unwrap_or(true),
                all_headers: dto::flag(options, "allHeaders")?.unwrap_or(true),
            },
            has_credentials: dto::flag(options, "hasCredentials")?.unwrap_or(false),
            tls_options: dto::flag(options, "tlsOptions")?.unwrap_or(false),
        };
        config.check().map_err(throw)?;
        Ok(Session(CoreSession::new(config)))
    }
}

/// The registry (host, and port if one was given) is among the hosts.
#[wasm_bindgen(js_name = hostMatches)]
pub fn host_matches(hosts: Vec<String>, registry: &str) -> bool {
    HostSet::These(hosts.into_iter().collect()).contains(registry)
}

/// The proxy that the environment (an object) names for a URL, if any.
#[wasm_bindgen]
pub fn proxy(url: &str, environment: &JsValue) -> Result<Option<String>> {
    let variable = |name: &str| dto::get(environment, name).as_string();
    let Some(url) = chartoci::http::url::Url::parse(url) else { return Ok(None) };
    chartoci::http::proxy::proxy(&url, &variable).map_err(throw)
}

/// One operation.
#[wasm_bindgen]
pub struct Exchange(CoreExchange);

fn reference(text: &str) -> Result<Reference> {
    Reference::parse(text).map_err(throw)
}

#[wasm_bindgen]
impl Exchange {
    /// Push: what `Artifact.push` gives. Blob 1 is the chart, 2 the provenance. Options: `ifExists`.
    pub fn push(session: &Session, push: &JsValue, options: &JsValue) -> Result<Exchange> {
        let mut push = dto::read_push(push)?;
        push.if_exists = match dto::text(options, "ifExists")?.as_deref() {
            None | Some("overwrite") => IfExists::Overwrite,
            Some("skip-same") => IfExists::SkipSame,
            Some("refuse") => IfExists::Refuse,
            Some(other) => return Err(argument(format!("ifExists is overwrite, skip-same or refuse, not {other:?}"))),
        };
        Ok(Exchange(CoreExchange::push(&session.0, push)))
    }
    /// Options: `version`, `devel`, `checkTag`, `verify`, and what is wanted: `chart` (blob 0), `provenance` (blob 1), `config`.
    pub fn pull(session: &Session, reference: &str, options: &JsValue) -> Result<Exchange> {
        let flag = |name| Ok::<bool, JsValue>(dto::flag(options, name)?.unwrap_or(false));
        let pull = Pull {
            reference: self::reference(reference)?,
            version: dto::text(options, "version")?,
            devel: flag("devel")?,
            want: Want {
                chart: flag("chart")?,
                provenance: flag("provenance")?,
                config: flag("config")?,
                anything: flag("anything")?,
            },
            check_tag: flag("checkTag")?,
            verify: flag("verify")?,
        };
        Ok(Exchange(CoreExchange::pull(&session.0, pull)))
    }
    /// Options: `version`, `devel`.
    pub fn resolve(session: &Session, reference: &str, options: &JsValue) -> Result<Exchange> {
        let resolve = Resolve {
            reference: self::reference(reference)?,
            version: dto::text(options, "version")?,
            devel: dto::flag(options, "devel")?.unwrap_or(false),
        };
        Ok(Exchange(CoreExchange::resolve(&session.0, resolve)))
    }
    pub fn tags(session: &Session, repository: &str) -> Result<Exchange> {
        Ok(Exchange(CoreExchange::tags(&session.0, Repository::parse(repository).map_err(throw)?)))
    }
    /// One blob, into blob 0. Descriptor: `{ mediaType, digest, size }`.
    pub fn fetch(session: &Session, repository: &str, descriptor: &JsValue) -> Result<Exchange> {
        let blob = dto::read_descriptor(descriptor)?;
        Ok(Exchange(CoreExchange::fetch(&session.0, Repository::parse(repository).map_err(throw)?, blob)))
    }

    /// A part of a blob; a sink's offsets are the blob's. Descriptor: `{ mediaType, digest, size }`.
    #[wasm_bindgen(js_name = fetchPart)]
    pub fn fetch_part(
        session: &Session,
        repository: &str,
        descriptor: &JsValue,
        start: f64,
        end: f64,
    ) -> Result<Exchange> {
        let repository = Repository::parse(repository).map_err(throw)?;
        let part = start as u64..end as u64;
        Ok(Exchange(CoreExchange::fetch_part(&session.0, repository, dto::read_descriptor(descriptor)?, part)))
    }
    /// The config of a chart that is here already, into blob 0, by one try.
    pub fn config(session: &Session, repository: &str, descriptor: &JsValue) -> Result<Exchange> {
        let repository = Repository::parse(repository).map_err(throw)?;
        Ok(Exchange(CoreExchange::config(&session.0, repository, dto::read_descriptor(descriptor)?)))
    }
    /// Options: `referrers`, `upgrade`.
    pub fn copy(session: &Session, source: &str, target: &str, options: &JsValue) -> Result<Exchange> {
        let copy = Copy {
            source: reference(source)?,
            target: reference(target)?,
            referrers: dto::flag(options, "referrers")?.unwrap_or(false),
            upgrade: dto::flag(options, "upgrade")?.unwrap_or(false),
        };
        Ok(Exchange(CoreExchange::copy(&session.0, copy)))
    }
    pub fn delete(session: &Session, reference: &str) -> Result<Exchange> {
        Ok(Exchange(CoreExchange::delete(&session.0, self::reference(reference)?)))
    }
    pub fn referrers(session: &Session, reference: &str, artifact_type: Option<String>) -> Result<Exchange> {
        Ok(Exchange(CoreExchange::referrers(&session.0, self::reference(reference)?, artifact_type)))
    }
    /// Whether the registry takes the credential that it is answered with.
    pub fn login(session: &Session, registry: &str) -> Result<Exchange> {
        CoreExchange::login(&session.0, registry).map(Exchange).map_err(throw)
    }
    /// Where a blob is to be fetched: `{ repository, descriptor }`; undefined: the host has it.
    pub fn source(&self, blob: u32) -> Option<Object> {
        let (repository, descriptor) = self.0.source(BlobId(blob))?;
        let descriptor = dto::descriptor(&descriptor);
        Some(dto::object().with("repository", repository.to_string()).with("descriptor", descriptor).done())
    }

    /// Allows the whole exchange so many seconds, in place of the session's.
    #[wasm_bindgen(js_name = setTimeout)]
    pub fn set_timeout(&mut self, seconds: f64) -> Result<()> {
        let timeout =
            Duration::try_from_secs_f64(seconds).map_err(|_| argument("timeout is not a number of seconds"))?;
        self.0.set_timeout(Some(timeout));
        Ok(())
    }

    /// It is part of something that is for that reference, as the fetch of a copy's blob is: see `own` of a query.
    #[wasm_bindgen(js_name = onBehalfOf)]
    pub fn on_behalf_of(&mut self, home: &str) -> Result<()> {
        self.0.on_behalf_of(reference(home)?.registry());
        Ok(())
    }

    /// `now` in milliseconds of a clock that never goes back.
    pub fn poll(&mut self, now: f64) -> Object {
        match self.0.poll(Instant::from_millis(now as u64)) {
            Output::Send(request) => dto::object().with("kind", "send").with("request", dto::request(&request)),
            Output::Cancel(id) => dto::object().with("kind", "cancel").with("id", id.0),
            Output::Ask(query) => dto::object().with("kind", "ask").with("query", dto::query(&query)),
            Output::Notify(event) => dto::object().with("kind", "notify").with("event", dto::event(&event)),
            Output::Wait(wake) => dto::object()
                .with("kind", "wait")
                .with("until", wake.until.map(|until| until.as_millis() as f64))
                .with("why", wake.why),
            Output::Done(Ok(outcome)) => dto::object().with("kind", "done").with("outcome", self::outcome(&outcome)),
            Output::Done(Err(error)) => dto::object().with("kind", "done").with("error", throw(error)),
            _ => dto::object().with("kind", "unknown"),
        }
        .done()
    }
    /// Head: `{ status, headers, url }`. Feed the body to the receiver.
    #[wasm_bindgen(js_name = handleResponse)]
    pub fn handle_response(&mut self, id: u32, head: &JsValue) -> Result<Receiver> {
        let head = ResponseHead {
            status: dto::small(head, "status")?.and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
            headers: dto::pairs(head, "headers")?,
            url: dto::text(head, "url")?,
        };
        Ok(Receiver::of(self.0.handle_response(RequestId(id), head)))
    }
    #[wasm_bindgen(js_name = handleEnd)]
    pub fn handle_end(&mut self, id: u32, receiver: Receiver) {
        self.0.handle_end(RequestId(id), receiver.into_core());
    }
    /// Failure: `{ kind, message }`.
    #[wasm_bindgen(js_name = handleFailure)]
    pub fn handle_failure(&mut self, id: u32, failure: &JsValue, receiver: Option<Receiver>) -> Result<()> {
        self.0.handle_failure(RequestId(id), dto::failure(failure)?, receiver.map(Receiver::into_core));
        Ok(())
    }
    #[wasm_bindgen(js_name = handleCredential)]
    pub fn handle_credential(&mut self, id: u32, credential: &JsValue) -> Result<()> {
        match dto::read_error(credential)? {
            Some(error) => self.0.handle_credential_failure(QueryId(id), error),
            None => self.0.handle_credential(QueryId(id), dto::read_credential(credential)?),
        }
        Ok(())
    }
    pub fn abort(&mut self) {
        self.0.abort();
    }
}

fn outcome(outcome: &Outcome) -> JsValue {
    match outcome {
        Outcome::Pushed(pushed) => dto::pushed(pushed).into(),
        Outcome::Pulled(pulled) => dto::pulled(pulled).into(),
        Outcome::Resolved(resolved) => dto::resolved(resolved).into(),
        Outcome::Tags(tags) => tags.iter().map(JsValue::from).collect::<Array>().into(),
        Outcome::Fetched(blob) => dto::descriptor(blob).into(),
        Outcome::Copied(copied) => dto::copied(copied).into(),
        Outcome::Deleted(deleted) => dto::deleted(deleted).into(),
        Outcome::Referrers(found) => found.referrers.iter().map(dto::referrer).collect::<Array>().into(),
        Outcome::LoggedIn { checked } => JsValue::from_bool(*checked),
        _ => JsValue::UNDEFINED,
    }
}
