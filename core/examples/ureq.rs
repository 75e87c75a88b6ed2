//! Pushes a chart with the HTTP client `ureq`: `cargo run -p chartoci --example ureq -- CHART.tgz oci://HOST/PATH`.
//!
//! The loop in `main` is all that a host does: send what it is told to send, hand back what comes, wait when told to.
#![allow(clippy::disallowed_methods)] // a host has a clock, files and arguments

use std::io::Read;
use std::time::{Duration, Instant};

use chartoci::chart::Scan;
use chartoci::exchange::{Config, Exchange, Outcome, Output, Push, Session};
use chartoci::http::{Failure, Payload, Request, ResponseHead};
use chartoci::{Artifact, Limits, time};
use ureq::http;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, chart, target] = arguments.as_slice() else { return Err("usage: ureq CHART.tgz oci://HOST/PATH".into()) };
    let data = std::fs::read(chart)?;
    let artifact = Artifact::build(&Scan::read(&data, &Limits::default())?, None, None, &Limits::default())?;

    let began = Instant::now();
    let agent: ureq::Agent =
        ureq::config::Config::builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut push = Exchange::push(&Session::new(Config::default()), Push::chart(&artifact, target)?);
    loop {
        match push.poll(time::Instant::from_millis(u64::try_from(began.elapsed().as_millis())?)) {
            Output::Send(request) => send(&agent, &mut push, request, &data),
            Output::Ask(query) => push.handle_credential(query.id, None),
            Output::Wait(_) => std::thread::sleep(Duration::from_millis(10)),
            Output::Done(result) => {
                let Outcome::Pushed(pushed) = result? else { return Err("not a push".into()) };
                println!("Pushed: {}\nDigest: {}", pushed.reference, pushed.digest);
                return Ok(());
            }
            _ => {}
        }
    }
}

/// Sends one request and hands its answer to the machine.
fn send(agent: &ureq::Agent, push: &mut Exchange, request: Request, chart: &[u8]) {
    let body: &[u8] = match &request.payload {
        Payload::Empty => &[],
        Payload::Bytes(bytes) => bytes,
        Payload::Blob { range, .. } => &chart[range.start as usize..range.end as usize],
    };
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(&request.url);
    for (name, value) in request.headers.iter() {
        builder = builder.header(name, value);
    }
    let answer = builder.body(body).map_err(ureq::Error::from).and_then(|whole| agent.run(whole));
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => return push.handle_failure(request.id, Failure::Connect(error.to_string()), None),
    };
    let mut head = ResponseHead { status: response.status().as_u16(), headers: Default::default(), url: None };
    for (name, value) in response.headers() {
        head.headers.add(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let mut receiver = push.handle_response(request.id, head);
    let end = receiver.patience().map(|patience| Instant::now() + patience);
    let (mut reader, mut chunk) = (response.body_mut().as_reader(), [0; 1 << 16]);
    loop {
        match reader.read(&mut chunk) {
            _ if end.is_some_and(|end| Instant::now() > end) => {
                return push.handle_failure(request.id, Failure::Timeout, Some(receiver));
            }
            Ok(0) => return push.handle_end(request.id, receiver),
            Ok(count) if receiver.write(&chunk[..count]) => {}
            Ok(_) => return push.handle_end(request.id, receiver),
            Err(_) => return push.handle_failure(request.id, Failure::Reset, Some(receiver)),
        }
    }
}
