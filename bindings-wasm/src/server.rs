//! A registry. With `memory` its files live here; else the host does what the verbs say.

use std::cell::RefCell;
use std::rc::Rc;

use chartoci::files::{Answer, Memory, Verb};
use chartoci::http::Method;
use chartoci::server::{Access, Body, Config, Output, Registry as CoreRegistry, RequestHead};
use chartoci::time::Instant;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, argument};
use crate::exchange::Receiver;

type Files = Option<Rc<RefCell<Memory>>>;

/// A registry.
#[wasm_bindgen]
pub struct Registry {
    core: CoreRegistry,
    files: Files,
}

fn access(options: &JsValue) -> Result<Access> {
    let (username, password) = (dto::text(options, "username")?, dto::text(options, "password")?);
    Ok(match (username, password, dto::flag(options, "token")?.unwrap_or(false)) {
        (None, None, false) => Access::Open,
        (Some(username), Some(password), false) => Access::Basic { username, password },
        (Some(username), Some(password), true) => Access::Bearer { username, password },
        _ => return Err(argument("username and password belong together, and token needs both")),
    })
}

#[wasm_bindgen]
impl Registry {
    /// Options: `limits`, `seed`, `hosts`, `corsOrigins`, `username`, `password`, `token`, `memory`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Registry> {
        let core = CoreRegistry::new(Config {
            limits: dto::limits(&dto::get(options, "limits"))?,
            seed: dto::whole(options, "seed")?.unwrap_or_default(),
            hosts: dto::strings(options, "hosts")?,
            cors_origins: dto::strings(options, "corsOrigins")?,
            access: access(options)?,
        });
        let memory = dto::flag(options, "memory")?.unwrap_or(false);
        Ok(Registry { core, files: memory.then(Rc::default) })
    }

    /// Reads what the directory holds: needed once, where there is one.
    pub fn open(&self) -> Open {
        Open(self.core.open())
    }

    /// Head: `{ method, target, headers }`; `now` in milliseconds of a clock that never goes back.
    pub fn accept(&self, head: &JsValue, now: f64) -> Result<Serving> {
        let method = dto::required(head, "method")?;
        let head = RequestHead {
            method: Method::parse(&method).ok_or_else(|| argument(format!("{method} is no method of registries")))?,
            target: dto::required(head, "target")?,
            headers: dto::pairs(&Array::from(&dto::get(head, "headers")))?,
        };
        let core = self.core.accept(head, Instant::from_millis(now as u64));
        Ok(Serving { core, files: self.files.clone() })
    }
}

/// Reads a registry's directory.
#[wasm_bindgen]
pub struct Open(chartoci::server::Open);

#[wasm_bindgen]
impl Open {
    pub fn poll(&mut self) -> Result<Object> {
        crate::files::step(self.0.poll(), |()| JsValue::UNDEFINED)
    }
    pub fn handle(&mut self, answer: &JsValue) -> Result<()> {
        self.0.handle(dto::answer(answer)?);
        Ok(())
    }
}

/// Serves one request.
#[wasm_bindgen]
pub struct Serving {
    core: chartoci::server::Serving,
    files: Files,
    /// Where in memory the body that is being read is stored, and how far it is.
    sink: Option<(String, u64)>,
}

#[wasm_bindgen]
impl Serving {
    /// `{ kind: "receive", receiver, sink }`, `{ kind: "do", verb }` or `{ kind: "respond", status, headers, body }`.
    pub fn poll(&mut self) -> Object {
        loop {
            match (self.core.poll(), &self.files) {
                (Output::Do(verb), Some(memory)) => {
                    let answer = memory.borrow_mut().execute(verb);
                    self.core.handle_file(answer);
                }
                (Output::Do(verb), None) => {
                    return dto::object().with("kind", "do").with("verb", dto::verb(&verb)).done();
                }
                (Output::Receive { receiver, sink }, files) => {
                    let step = dto::object().with("kind", "receive").with("receiver", Receiver::of(receiver));
                    return match (files, sink) {
                        (None, Some(sink)) => {
                            let place = dto::object().with("path", &*sink.path).with("offset", dto::number(sink.offset));
                            step.with("sink", place.done()).done()
                        }
                        (_, sink) => {
                            self.sink = sink.map(|sink| (sink.path, sink.offset));
                            step.done()
                        }
                    };
                }
                (Output::Respond(response), files) => {
                    let body: JsValue = match (response.body, files) {
                        (Body::Empty, _) => JsValue::UNDEFINED,
                        (Body::Bytes(bytes), _) => Uint8Array::from(&*bytes).into(),
                        (Body::File { path, offset, length }, Some(memory)) => {
                            match memory.borrow_mut().execute(Verb::Read { path, offset, limit: length }) {
                                Answer::Data(data) => Uint8Array::from(&*data).into(),
                                _ => JsValue::UNDEFINED,
                            }
                        }
                        (Body::File { path, offset, length }, None) => dto::object()
                            .with("path", path)
                            .with("offset", dto::number(offset))
                            .with("length", dto::number(length))
                            .done()
                            .into(),
                    };
                    return dto::object()
                        .with("kind", "respond")
                        .with("status", u32::from(response.status))
                        .with("headers", dto::headers(&response.headers))
                        .with("body", body)
                        .done();
                }
                _ => return dto::object().with("kind", "unknown").done(),
            }
        }
    }

    /// Stores what the receiver took, where the files are in memory.
    pub fn store(&mut self, chunk: &[u8]) {
        if let (Some((path, offset)), Some(memory)) = (&mut self.sink, &self.files) {
            memory.borrow_mut().execute(Verb::Write { path: path.clone(), offset: *offset, data: chunk.to_vec() });
            *offset = offset.saturating_add(chunk.len() as u64);
        }
    }

    /// The body is complete, or broke off: failure is `{ kind, message }`.
    #[wasm_bindgen(js_name = handleBody)]
    pub fn handle_body(&mut self, receiver: Receiver, failure: &JsValue) -> Result<()> {
        let result = match failure.is_undefined() {
            true => Ok(()),
            false => Err(dto::failure(failure)?),
        };
        self.core.handle_body(receiver.into_core(), result);
        Ok(())
    }

    #[wasm_bindgen(js_name = handleFile)]
    pub fn handle_file(&mut self, answer: &JsValue) -> Result<()> {
        self.core.handle_file(dto::answer(answer)?);
        Ok(())
    }
}
