//! Pushes whose chart is still being looked at.

use std::sync::OnceLock;

use chartoci::chart::{Package, Scan, package::Options};
use chartoci::exchange::{Config, Exchange, IfExists, Outcome, Output, Push, Session};
use chartoci::files::{Memory, Step, Verb};
use chartoci::http::{Method, Payload, Request, ResponseHead};
use chartoci::time::Instant;
use chartoci::{Artifact, Limits};

use crate::peer::{Answer, Login, Peer};

/// A chart of a bit more than the least, with this Chart.yaml.
fn archive(chart_yaml: &str) -> Vec<u8> {
    let (limits, mut files) = (Limits::default(), Memory::new());
    let mut state = 1u64;
    let noise: Vec<u8> = (0..Push::AHEAD + 1000)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect();
    for (path, data) in [("Chart.yaml", chart_yaml.as_bytes().to_vec()), ("noise", noise)] {
        files.execute(Verb::Write { path: path.to_owned(), offset: 0, data });
    }
    let mut package = Package::new(Options::default(), &limits);
    loop {
        match package.poll() {
            Step::Do(verb) => package.handle(files.execute(verb)),
            Step::Done(result) => return result.unwrap().data,
        }
    }
}

fn web() -> (Vec<u8>, Artifact) {
    static WEB: OnceLock<(Vec<u8>, Artifact)> = OnceLock::new();
    let made = WEB.get_or_init(|| {
        let archive = archive("apiVersion: v2\nname: web\nversion: 1.2.3\n");
        let scan = Scan::read(&archive, &Limits::default()).unwrap();
        (archive, Artifact::build(&scan, None, None, &Limits::default()).unwrap())
    });
    made.clone()
}

fn ahead(archive: &[u8]) -> Option<Push> {
    Push::ahead(archive, None, None, "oci://reg.example/team", &Limits::default())
}

/// Polls, and lets the registry answer, until nothing more is sent; what was sent, and the last word if there was one.
fn drive(exchange: &mut Exchange, peer: &mut Peer, archive: &[u8]) -> (Vec<Request>, Option<Output>) {
    let mut sent = Vec::new();
    loop {
        let mut out = Vec::new();
        let last = loop {
            match exchange.poll(Instant::from_millis(0)) {
                Output::Send(request) => out.push(request),
                Output::Wait(_) => break None,
                done @ Output::Done(_) => break Some(done),
                _ => {}
            }
        };
        if out.is_empty() || last.is_some() {
            return (sent, last);
        }
        for request in out {
            let body = match &request.payload {
                Payload::Empty => &[],
                Payload::Bytes(bytes) => &bytes[..],
                Payload::Blob { range, .. } => &archive[range.start as usize..range.end as usize],
            };
            let Answer::Reply { status, headers, body } = peer.answer(&request, body) else { panic!() };
            let mut receiver = exchange.handle_response(request.id, ResponseHead { status, headers, url: None });
            receiver.write(&body);
            exchange.handle_end(request.id, receiver);
            sent.push(request);
        }
    }
}

#[test]
fn blobs_go_up_at_once_and_the_tag_follows_the_scan() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let push = ahead(&archive).unwrap();
    assert_eq!(*push.manifest, *artifact.manifest());
    let mut exchange = Exchange::push(&Session::new(Config::default()), push);

    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert_eq!(sent.iter().filter(|request| request.method == Method::Put).count(), 2);
    assert!(last.is_none() && peer.manifests.is_empty() && peer.blobs.len() == 2);

    exchange.handle_scanned(&artifact);
    exchange.handle_scanned(&artifact);
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert_eq!(sent.len(), 1);
    let Some(Output::Done(Ok(Outcome::Pushed(pushed)))) = last else { panic!("{last:?}") };
    assert_eq!((&pushed.digest, pushed.reference.tag()), (artifact.digest(), Some("1.2.3")));
    assert_eq!(peer.manifests["1.2.3"], artifact.manifest());
}

#[test]
fn a_scan_that_is_there_first_costs_nothing() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = Exchange::push(&Session::new(Config::default()), ahead(&archive).unwrap());
    exchange.handle_scanned(&artifact);
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert_eq!(sent.len(), 5);
    assert!(matches!(last, Some(Output::Done(Ok(_)))), "{last:?}");
}

#[test]
fn another_chart_than_was_promised_gets_no_tag() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let signed = Push::ahead(&archive, Some(b"signed"), None, "oci://reg.example/team", &Limits::default()).unwrap();
    let mut exchange = Exchange::push(&Session::new(Config::default()), signed);
    exchange.handle_scanned(&artifact);
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Err(error))) = last else { panic!("{last:?}") };
    assert_eq!(error.code().name(), "misuse.argument");
    assert!(peer.manifests.is_empty());
}

#[test]
fn an_aborted_push_gets_no_tag_whatever_comes_later() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = Exchange::push(&Session::new(Config::default()), ahead(&archive).unwrap());
    drive(&mut exchange, &mut peer, &archive);
    exchange.abort();
    exchange.handle_scanned(&artifact);
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Err(error))) = last else { panic!("{last:?}") };
    assert_eq!(error.code().name(), "exchange.aborted");
    assert!(peer.manifests.is_empty());
}

#[test]
fn what_has_the_tag_already_is_said_after_the_scan() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    peer.manifests.insert("1.2.3".to_owned(), artifact.manifest().to_vec());
    let push = Push { if_exists: IfExists::SkipSame, ..ahead(&archive).unwrap() };
    let mut exchange = Exchange::push(&Session::new(Config::default()), push);
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert!(sent.len() == 1 && last.is_none());
    exchange.handle_scanned(&artifact);
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Ok(Outcome::Pushed(pushed)))) = last else { panic!("{last:?}") };
    assert!(sent.is_empty() && pushed.skipped);
}

#[test]
fn what_cannot_be_named_in_advance_is_scanned_first() {
    let (big, _) = web();
    assert!(ahead(&big[..Push::AHEAD - 1]).is_none(), "small");
    assert!(ahead(&vec![0; Push::AHEAD]).is_none(), "no archive");
    assert!(ahead(&archive("apiVersion: v1\nname: web\nversion: 1.2.3\n")).is_none(), "v1");
    assert!(Push::ahead(&big, None, None, "http://reg.example", &Limits::default()).is_none(), "no such target");
}
