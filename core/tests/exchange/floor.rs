//! The round-trip floor, exactly: how many requests, and how many rounds of them.

use crate::peer::{Host, Login, Peer, chart};
use chartoci::exchange::{Config, Exchange, Outcome, Pull, Session, Uploaded, Want};

fn session() -> Session {
    Session::new(Config::default())
}

fn with_credentials() -> Session {
    Session::new(Config { has_credentials: true, ..Config::default() })
}

fn pull() -> Pull {
    let want = Want { chart: true, provenance: false, config: false, anything: false };
    Pull { reference: chart().0.target, version: None, devel: false, want, check_tag: false, verify: false }
}

/// Requests and rounds of a push, of the very same push again, and of a push of something else; all in one session.
fn pushes(session: &Session, login: Login) -> [(usize, u32); 3] {
    let (mut peer, (push, blobs)) = (Peer::new(login), chart());
    let mut host = Host::logged_in(&blobs);
    let cold = host.run(Exchange::push(session, push.clone()), &mut peer).counts();
    let same = host.run(Exchange::push(session, push.clone()), &mut peer).counts();
    peer.blobs.clear();
    let warm = host.run(Exchange::push(session, push), &mut peer).counts();
    [cold, same, warm]
}

fn pulls(session: &Session, login: Login) -> [(usize, u32); 2] {
    let (mut peer, (push, blobs)) = (Peer::new(login), chart());
    peer.hold(&push, &blobs);
    let mut host = Host::logged_in(&blobs);
    [(); 2].map(|()| {
        let run = host.run(Exchange::pull(session, pull()), &mut peer);
        assert_eq!(run.sinks[&0], blobs[1]);
        run.counts()
    })
}

#[test]
fn an_anonymous_push_takes_five_requests_in_three_rounds_and_again_three_in_two() {
    assert_eq!(pushes(&session(), Login::Open), [(5, 3), (3, 2), (5, 3)]);
}

#[test]
fn a_push_by_basic_takes_seven_requests_in_four_rounds_and_then_as_few_as_without() {
    assert_eq!(pushes(&session(), Login::Basic), [(7, 4), (3, 2), (5, 3)]);
}

#[test]
fn a_push_by_token_takes_eight_requests_in_five_rounds_and_then_as_few_as_without() {
    assert_eq!(pushes(&session(), Login::Bearer), [(8, 5), (3, 2), (5, 3)]);
}

#[test]
fn where_a_credential_is_held_a_probe_goes_first() {
    assert_eq!(pushes(&with_credentials(), Login::Bearer), [(7, 5), (3, 2), (5, 3)]);
    assert_eq!(pushes(&with_credentials(), Login::Basic)[0], (6, 4));
    assert_eq!(pushes(&with_credentials(), Login::Open), [(5, 4), (3, 2), (5, 3)]);
}

#[test]
fn a_host_that_is_known_to_challenge_is_probed() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Bearer);
    peer.hold(&push, &blobs);
    let mut host = Host::logged_in(&blobs);
    host.run(Exchange::pull(&session, pull()), &mut peer).counts();
    peer.blobs.clear();
    assert_eq!(host.run(Exchange::push(&session, push), &mut peer).counts(), (7, 5));
}

#[test]
fn a_pull_takes_two_requests_in_two_rounds_and_four_in_four_with_a_token() {
    assert_eq!(pulls(&session(), Login::Open), [(2, 2), (2, 2)]);
    assert_eq!(pulls(&session(), Login::Basic), [(3, 3), (2, 2)]);
    assert_eq!(pulls(&session(), Login::Bearer), [(4, 4), (2, 2)]);
}

#[test]
fn a_pull_after_a_push_needs_no_token_of_its_own() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Bearer);
    let mut host = Host::logged_in(&blobs);
    host.run(Exchange::push(&session, push), &mut peer).counts();
    assert_eq!(host.run(Exchange::pull(&session, pull()), &mut peer).counts(), (2, 2));
}

#[test]
fn what_is_there_already_is_not_sent() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let run = Host::with(&blobs).run(Exchange::push(&session, push), &mut peer);
    let Ok(Outcome::Pushed(pushed)) = run.result else { panic!() };
    assert!(pushed.blobs.iter().all(|(_, uploaded)| *uploaded == Uploaded::Mounted));
    assert!(run.log[0].contains("?mount=sha256%3A") && run.log[0].ends_with("&from=team%2Fweb"), "{}", run.log[0]);
}

#[test]
fn no_blob_is_sent_before_it_is_clear_who_asks() {
    for login in [Login::Open, Login::Basic, Login::Bearer] {
        let (mut peer, (push, blobs)) = (Peer::new(login), chart());
        let run = Host::logged_in(&blobs).run(Exchange::push(&session(), push), &mut peer);
        let mut bodies = run.requests.iter().filter(|request| !request.payload.is_empty());
        assert!(bodies.all(|request| login == Login::Open || request.headers.get("authorization").is_some()));
    }
}
