//! A registry, over files in memory or over the host's.

use chartoci::files::Memory;
use chartoci::http::Method;
use chartoci::server::{
    Access, Body, Config, Output, Registry as CoreRegistry, RequestHead, Response, Users, serve_in_memory,
};
use chartoci::time::{Duration, Instant};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::dto::{self, Fields};
use crate::errors::{Result, argument, throw};
use crate::receiver::Receiver;

/// A registry.
#[wasm_bindgen]
pub struct Registry {
    core: CoreRegistry,
    memory: Memory,
}

fn access(options: &JsValue) -> Result<Access> {
    let (username, password) = (dto::text(options, "username")?, dto::text(options, "password")?);
    Ok(match (username, password, dto::flag(options, "token")?.unwrap_or(false)) {
        (None, None, false) => Access::Open,
        (Some(username), Some(password), false) => Access::Basic(Users::One { username, password }),
        (Some(username), Some(password), true) => Access::Bearer(Users::One { username, password }),
        _ => return Err(argument("username and password belong together, and token needs both")),
    })
}

#[wasm_bindgen]
impl Registry {
    /// Options: `limits`, `seed`, `https`, `hosts`, `corsOrigins`, `username`, `password`, `token`, `tokenLifetime` (seconds).
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Registry> {
        let config = Config {
            limits: dto::limits(&dto::get(options, "limits"))?,
            seed: dto::whole(options, "seed")?.unwrap_or_default(),
            https: dto::flag(options, "https")?.unwrap_or(false),
            hosts: dto::strings(options, "hosts")?,
            cors_origins: dto::strings(options, "corsOrigins")?,
            access: access(options)?,
            token_lifetime: dto::whole(options, "tokenLifetime")?.map(Duration::from_secs),
        };
        let core = CoreRegistry::new(config.checked().map_err(throw)?);
        Ok(Registry { core, memory: Memory::new() })
    }

    /// Reads what the directory holds: needed once, where there is one.
    pub fn open(&self) -> Open {
        Open(self.core.open())
    }

    /// Begins to serve a request from the host's files.
    /// Head: `{ method, target, headers }`; `now` in milliseconds of a clock that never goes back.
    pub fn accept(&self, head: &JsValue, now: f64) -> Result<Serving> {
        Ok(Serving(self.core.accept(request_head(head)?, Instant::from_millis(now as u64))))
    }

    /// Serves a request from files in memory: `{ kind: "respond", status, headers, body }`.
    pub fn serve(&mut self, head: &JsValue, body: &[u8], now: f64) -> Result<Object> {
        let now = Instant::from_millis(now as u64);
        let (response, body) = serve_in_memory(&self.core, &mut self.memory, request_head(head)?, body, now);
        Ok(respond(&response, Uint8Array::from(&*body).into()).done())
    }
}

fn request_head(head: &JsValue) -> Result<RequestHead> {
    let method = dto::required(head, "method")?;
    Ok(RequestHead {
        method: Method::parse(&method).ok_or_else(|| argument(format!("{method} is no method of registries")))?,
        target: dto::required(head, "target")?,
        headers: dto::pairs(head, "headers")?,
    })
}

/// Reads a registry's directory.
#[wasm_bindgen]
pub struct Open(chartoci::server::Open);

#[wasm_bindgen]
impl Open {
    pub fn poll(&mut self) -> Result<Object> {
        crate::step::step(self.0.poll(), |()| JsValue::UNDEFINED)
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Serves one request.
#[wasm_bindgen]
pub struct Serving(chartoci::server::Serving);

#[wasm_bindgen]
impl Serving {
    /// `{ kind: "receive", receiver, sink }`, `{ kind: "do", verb }` or `{ kind: "respond", status, headers, body }`.
    pub fn poll(&mut self) -> Object {
        match self.0.poll() {
            Output::Do(verb) => dto::object().with("kind", "do").with("verb", dto::verb(&verb)),
            Output::Receive { receiver, sink } => {
                let sink = sink
                    .map(|sink| dto::object().with("path", sink.path).with("offset", dto::number(sink.offset)).done());
                dto::object().with("kind", "receive").with("receiver", Receiver::of(receiver)).with("sink", sink)
            }
            Output::Respond(response) => {
                let body: JsValue = match &response.body {
                    Body::Empty => JsValue::UNDEFINED,
                    Body::Bytes(bytes) => Uint8Array::from(&**bytes).into(),
                    Body::File { path, offset, length } => dto::object()
                        .with("path", &**path)
                        .with("offset", dto::number(*offset))
                        .with("length", dto::number(*length))
                        .done()
                        .into(),
                };
                respond(&response, body)
            }
            _ => dto::object().with("kind", "unknown"),
        }
        .done()
    }

    /// The body is complete, or broke off: failure is `{ kind, message }`.
    #[wasm_bindgen(js_name = handleBody)]
    pub fn handle_body(&mut self, receiver: Receiver, failure: &JsValue) -> Result<()> {
        let result = match failure.is_undefined() {
            true => Ok(()),
            false => Err(dto::failure(failure)?),
        };
        self.0.handle_body(receiver.into_core(), result);
        Ok(())
    }

    #[wasm_bindgen(js_name = handleFile)]
    pub fn handle_file(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle_file(dto::answer(answer)?);
        Ok(())
    }
}

fn respond(response: &Response, body: JsValue) -> Fields {
    dto::object()
        .with("kind", "respond")
        .with("status", u32::from(response.status))
        .with("headers", dto::headers(&response.headers))
        .with("body", body)
}
