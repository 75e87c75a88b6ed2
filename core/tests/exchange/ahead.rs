//! Pushes whose chart is still being scanned.

use chartoci::chart::{Scan, Scanning, package::Options, package_in_memory};
use chartoci::exchange::{Config, Exchange, IfExists, Outcome, Output, Push, Session};
use chartoci::files::Memory;
use chartoci::http::{Method, Payload, Request, ResponseHead};
use chartoci::time::Instant;
use chartoci::{Artifact, Descriptor, Limits, Metadata};

use crate::peer::{Answer, Login, Peer};

/// A chart.
fn archive() -> Vec<u8> {
    let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n")]);
    package_in_memory(&mut files, Options::default(), &Limits::default()).unwrap().data
}

fn web() -> (Vec<u8>, Artifact) {
    (archive(), found(&archive(), |_| {}))
}

/// What the scan has found, with this change.
fn found(archive: &[u8], change: fn(&mut Metadata)) -> Artifact {
    let mut scan = Scan::read(archive, &Limits::default()).unwrap();
    change(&mut scan.metadata);
    build(&scan, None)
}

fn build(scan: &Scan, provenance: Option<&[u8]>) -> Artifact {
    Artifact::build(scan, provenance, None, &Limits::default()).unwrap()
}

fn push(artifact: &Artifact) -> Push {
    Push::chart(artifact, "oci://reg.example/team").unwrap()
}

/// What Chart.yaml promises, before the rest has been looked at.
fn promised(archive: &[u8], provenance: Option<&[u8]>) -> Push {
    let limits = Limits::default();
    push(&build(&Scanning::new(archive, &limits).unwrap().promised().unwrap().unwrap(), provenance))
}

fn ahead(promised: Push) -> Exchange {
    Exchange::push_ahead(&Session::new(Config::default()), promised)
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
fn the_chart_goes_up_at_once_and_what_its_metadata_says_follows_the_scan() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = ahead(promised(&archive, None));

    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    let put = |sent: &[Request]| sent.iter().filter(|request| request.method == Method::Put).count();
    assert_eq!((sent.len(), put(&sent)), (2, 1));
    assert!(last.is_none() && peer.manifests.is_empty());
    assert_eq!(peer.blobs.keys().collect::<Vec<_>>(), [&artifact.chart_layer().unwrap().digest.to_string()]);

    exchange.handle_scanned(push(&artifact));
    exchange.handle_scanned(push(&artifact));
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert_eq!((sent.len(), put(&sent)), (3, 2));
    let Some(Output::Done(Ok(Outcome::Pushed(pushed)))) = last else { panic!("{last:?}") };
    assert_eq!((&pushed.digest, pushed.reference.tag()), (artifact.digest(), Some("1.2.3")));
    let blobs: Vec<&Descriptor> = pushed.blobs.iter().map(|(descriptor, _)| descriptor).collect();
    assert_eq!(blobs, [artifact.config_descriptor().unwrap(), artifact.chart_layer().unwrap()]);
    assert_eq!(peer.manifests["1.2.3"], artifact.manifest());
}

#[test]
fn a_scan_that_is_there_first_costs_nothing() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = ahead(promised(&archive, None));
    exchange.handle_scanned(push(&artifact));
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert_eq!(sent.len(), 5);
    assert!(matches!(last, Some(Output::Done(Ok(_)))), "{last:?}");
}

#[test]
fn what_the_rest_adds_to_the_metadata_is_pushed_as_the_scan_found_it() {
    // Helm reads requirements.yaml of a v2 chart as well, and warns.
    let (archive, promised) = (archive(), promised(&archive(), None));
    let artifact = found(&archive, |metadata| metadata.description = "from requirements.yaml".to_owned());
    assert_ne!(*promised.manifest, *artifact.manifest());
    let (mut exchange, mut peer) = (ahead(promised), Peer::new(Login::Open));
    drive(&mut exchange, &mut peer, &archive);
    exchange.handle_scanned(push(&artifact));
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    assert!(matches!(last, Some(Output::Done(Ok(_)))), "{last:?}");
    assert_eq!(peer.manifests["1.2.3"], artifact.manifest());
    assert_eq!(peer.blobs.len(), 2);
}

#[test]
fn a_chart_that_turns_out_to_be_called_otherwise_gets_no_tag() {
    let archive = archive();
    let artifact = found(&archive, |metadata| metadata.version = "9.9.9".to_owned());
    let (mut exchange, mut peer) = (ahead(promised(&archive, None)), Peer::new(Login::Open));
    drive(&mut exchange, &mut peer, &archive);
    exchange.handle_scanned(push(&artifact));
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Err(error))) = last else { panic!("{last:?}") };
    assert_eq!(error.code().name(), "misuse.argument");
    assert!(error.message().contains("web:1.2.3") && error.message().contains("web:9.9.9"), "{error}");
    assert!(peer.manifests.is_empty());
}

#[test]
fn another_chart_than_went_up_gets_no_tag() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = ahead(promised(&archive, Some(b"signed")));
    exchange.handle_scanned(push(&artifact));
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    assert!(matches!(last, Some(Output::Done(Err(_)))), "{last:?}");
    assert!(peer.manifests.is_empty());
}

#[test]
fn an_aborted_push_gets_no_tag_whatever_comes_later() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    let mut exchange = ahead(promised(&archive, None));
    drive(&mut exchange, &mut peer, &archive);
    exchange.abort();
    exchange.handle_scanned(push(&artifact));
    let (_, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Err(error))) = last else { panic!("{last:?}") };
    assert_eq!(error.code().name(), "exchange.aborted");
    assert!(peer.manifests.is_empty());
}

#[test]
fn what_has_the_tag_already_is_said_after_the_scan() {
    let ((archive, artifact), mut peer) = (web(), Peer::new(Login::Open));
    peer.manifests.insert("1.2.3".to_owned(), artifact.manifest().to_vec());
    let unless = |push| Push { if_exists: IfExists::SkipSame, ..push };
    let mut exchange = ahead(unless(promised(&archive, None)));
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    assert!(sent.len() == 1 && last.is_none());
    exchange.handle_scanned(unless(push(&artifact)));
    let (sent, last) = drive(&mut exchange, &mut peer, &archive);
    let Some(Output::Done(Ok(Outcome::Pushed(pushed)))) = last else { panic!("{last:?}") };
    assert!(sent.is_empty() && pushed.skipped);
}
