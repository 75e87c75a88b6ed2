//! The ways of uploading a blob, and what registries make of them.

use std::num::NonZeroU8;

use chartoci::exchange::{Config, Exchange, Session};
use chartoci::http::{Failure, Method, Payload};

use crate::peer::{Answer, CHART_TYPE, Host, Login, Peer, Run, chart_with, errors, reply};

/// One request at a time, so that a log can be read.
fn session() -> Session {
    Session::new(Config { concurrency: NonZeroU8::MIN, ..Config::default() })
}

fn push(session: &Session, peer: &mut Peer, chart: &[u8]) -> Run {
    let (push, blobs) = chart_with(&[(CHART_TYPE, chart)]);
    Host::with(&blobs).run(Exchange::push(session, push), peer)
}

/// What was sent after the config, without hosts and queries: `PATCH 0-9 /uploads/2`.
fn shown(run: &Run) -> Vec<String> {
    let lines = run.requests.iter().map(|request| {
        let path = request.url.split("/blobs").nth(1).unwrap_or("manifest").split('?').next().unwrap();
        let range = request.headers.get("content-range").map(|range| format!(" {range}")).unwrap_or_default();
        format!("{}{range} {path}", request.method.as_str())
    });
    lines.collect()
}

#[test]
fn a_blob_that_is_too_large_for_one_request_goes_in_pieces_of_a_size_that_is_remembered() {
    let chart = vec![7; 600 << 10];
    let session = session();
    let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
    let run = push(&session, &mut peer, &chart);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(
        shown(&run),
        [
            "POST /uploads/",
            "POST /uploads/",
            "PUT /uploads/1",
            "PUT /uploads/2",
            "DELETE /uploads/2",
            "POST /uploads/",
            "PATCH 0-262143 /uploads/3",
            "PATCH 262144-524287 /uploads/3",
            "PATCH 524288-614399 /uploads/3",
            "PUT /uploads/3",
            "PUT manifest",
        ],
    );
    assert!(peer.blobs.values().any(|blob| *blob == chart) && peer.sessions.is_empty());
    assert!(run.requests.iter().all(|request| request.headers.get("transfer-encoding").is_none()));

    // The host is known now: no more than it takes is sent.
    let run = push(&session, &mut peer, &[8; 270 << 10]);
    let lines = shown(&run);
    assert!(lines.iter().any(|line| line == "PATCH 0-262143 /uploads/4"), "{lines:?}");
    assert!(!lines.iter().any(|line| line == "PUT /uploads/4" && lines[0].starts_with("PUT")));
}

#[test]
fn pieces_become_smaller_within_their_session_until_they_are_taken() {
    let mut peer = Peer { limit: Some(70 << 10), ..Peer::new(Login::Open) };
    let run = push(&session(), &mut peer, &vec![7; 2 << 20]);
    assert!(run.result.is_ok(), "{:?}", run.result);
    let refused: Vec<String> = shown(&run).into_iter().filter(|line| line.starts_with("PATCH 0-")).collect();
    assert_eq!(refused, ["PATCH 0-1048575 /uploads/3", "PATCH 0-262143 /uploads/3", "PATCH 0-65535 /uploads/3"]);

    let mut peer = Peer { limit: Some(1000), ..Peer::new(Login::Open) };
    let run = push(&session(), &mut peer, &vec![7; 100 << 10]);
    assert_eq!(run.code(), "registry.too_large");
    assert!(peer.sessions.is_empty(), "what was begun is dropped");
}

#[test]
fn a_blob_that_a_post_could_carry_is_not_sent_whole_where_pieces_are_wanted() {
    let session = session();
    let mut peer = Peer { limit: Some(4_000), ..Peer::new(Login::Open) };
    let location = [("location", "/v2/team/web/blobs/uploads/50?_state=a%3D"), ("oci-chunk-max-length", "4000")];
    peer.sessions.insert(50, Vec::new());
    peer.fault(Method::Post, "/uploads/", reply(404, &[], ""));
    peer.fault(Method::Post, "/uploads/", reply(202, &location, ""));
    assert!(push(&session, &mut peer, b"this").result.is_ok());
    let run = push(&session, &mut peer, &vec![7; 9_000]);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert!(
        run.requests
            .iter()
            .all(|request| !matches!(&request.payload, Payload::Blob { range, .. } if *range == (0..9_000)))
    );
}

#[test]
fn a_registry_that_wants_pieces_of_a_byte_is_told_so_instead() {
    for (most, fine) in [("1", false), ("35", false), ("36", true), ("0", true), ("-1", true), ("many", true)] {
        let location = [("location", "/v2/team/web/blobs/uploads/50?_state=a%3D"), ("oci-chunk-max-length", most)];
        let mut peer = Peer::new(Login::Open);
        peer.sessions.insert(50, Vec::new());
        // The config, which is smaller, and the chart.
        for _ in 0..2 {
            peer.fault(Method::Post, "digest=", reply(404, &[], ""));
        }
        peer.faults.push_back((
            Box::new(|request| request.method == Method::Post && request.url.contains(&mount_of(&[7; 9_000]))),
            reply(202, &location, ""),
        ));
        let run = push(&session(), &mut peer, &[7; 9_000]);
        assert_eq!(run.result.is_ok(), fine, "{most}: {:?}", run.result);
        if !fine {
            assert_eq!(run.code(), "registry.too_large");
            assert!(run.error().hint().contains("OCI-Chunk-Max-Length"));
            assert!(run.requests.len() < 10 && peer.sessions.len() < 2, "{:#?}", run.log);
        }
    }
}

fn mount_of(blob: &[u8]) -> String {
    format!("mount={}", chartoci::oci::Digest::of(blob).as_str().replace(':', "%3A"))
}

#[test]
fn a_piece_is_never_smaller_than_the_registry_wants_it() {
    let mut peer = Peer { limit: Some(350 << 10), ..Peer::new(Login::Open) };
    for number in ["2", "3"] {
        let location = format!("/v2/team/web/blobs/uploads/{number}?_state=a%3D");
        let least = (300 << 10).to_string();
        let opened = reply(202, &[("location", &location), ("oci-chunk-min-length", &least)], "");
        peer.sessions.insert(number.parse().unwrap(), Vec::new());
        if number == "2" {
            peer.fault(Method::Post, "mount=", errors(404, "BLOB_UNKNOWN"));
            peer.fault(
                Method::Post,
                "/uploads/",
                reply(202, &[("location", "/v2/team/web/blobs/uploads/9?_state=a%3D")], ""),
            );
        }
        peer.fault(Method::Post, "/uploads/", opened);
    }
    let run = push(&session(), &mut peer, &vec![7; 700 << 10]);
    assert!(run.result.is_ok(), "{:?} {:?}", run.result, run.log);
    let pieces: Vec<String> = shown(&run).into_iter().filter(|line| line.starts_with("PATCH")).collect();
    assert_eq!(pieces[0], "PATCH 0-307199 /uploads/3", "{:?}", run.log);
}

#[test]
fn a_session_that_broke_off_says_how_far_it_is_and_goes_on_from_there() {
    for answer in [Answer::Failed(Failure::Reset), errors(503, "UNAVAILABLE"), errors(416, "BLOB_UPLOAD_INVALID")] {
        let chart: Vec<u8> = (0..600 << 10).map(|number| (number % 251) as u8).collect();
        let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
        peer.fault(Method::Patch, "/uploads/3", answer);
        let run = push(&session(), &mut peer, &chart);
        assert!(run.result.is_ok(), "{:?}", run.result);
        let lines = shown(&run);
        assert_eq!(lines.iter().filter(|line| *line == "GET /uploads/3").count(), 1, "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("PATCH 0-")).count(), 2, "{lines:?}");
        assert!(peer.blobs.values().any(|blob| *blob == chart));
    }
}

#[test]
fn a_piece_is_never_as_large_as_one_that_was_refused() {
    let mut peer = Peer { limit: Some(60_000), ..Peer::new(Login::Open) };
    for number in 100..120 {
        peer.sessions.insert(number, Vec::new());
        let location = format!("/v2/team/web/blobs/uploads/{number}?_state=a%3D");
        let fields = [("location", location.as_str()), ("oci-chunk-min-length", "100000")];
        peer.fault(Method::Post, "/uploads/", reply(202, &fields, ""));
    }
    let run = push(&session(), &mut peer, &[7; 65_537]);
    assert_eq!(run.code(), "registry.too_large");
    let opened = shown(&run).iter().filter(|line| line.starts_with("POST")).count();
    assert!(opened <= 4, "{opened} sessions");
}

#[test]
fn what_is_taken_again_and_again_is_no_progress() {
    let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
    for _ in 0..200 {
        peer.fault(Method::Patch, "/uploads/", reply(202, &[("range", "0-262143")], ""));
        peer.fault(Method::Patch, "/uploads/", errors(416, "BLOB_UPLOAD_INVALID"));
        peer.fault(Method::Get, "/uploads/", reply(204, &[("range", "0-0")], ""));
    }
    let run = push(&session(), &mut peer, &vec![7; 600 << 10]);
    let pieces = shown(&run).iter().filter(|line| line.starts_with("PATCH")).count();
    assert!(run.result.is_err() && pieces < 100, "{pieces} pieces, {:?}", run.result);
}

#[test]
fn what_the_session_says_to_have_is_read_in_every_spelling() {
    for (range, next) in [
        ("0-99", "PATCH 100-"),
        ("bytes=0-99", "PATCH 100-"),
        ("0-0", "PATCH 0-"),
        ("bytes=0--1", "PATCH 0-"),
        ("nonsense", "PATCH 0-"),
        ("0-99999999", "POST"),
        ("0-18446744073709551615", "PATCH 0-"),
    ] {
        let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
        peer.fault(Method::Patch, "/uploads/3", Answer::Failed(Failure::Reset));
        peer.fault(Method::Get, "/uploads/3", reply(204, &[("range", range)], ""));
        let run = push(&session(), &mut peer, &vec![7; 600 << 10]);
        let lines = shown(&run);
        let asked = lines.iter().position(|line| line == "GET /uploads/3").unwrap();
        let next_is = lines[asked + 1..].iter().find(|line| !line.starts_with("DELETE")).unwrap();
        assert!(next_is.starts_with(next), "{range}: {lines:?}");
    }
}

#[test]
fn a_registry_that_counts_otherwise_is_asked_or_left_and_one_too_many_is_borne() {
    for (range, after) in [
        (None, "PATCH 262144-"),
        (Some("0-262143"), "PATCH 262144-"),
        (Some("0-262144"), "PATCH 262144-"),
        (Some("0-99"), "GET /uploads/3"),
        (Some("0-999999999"), "DELETE /uploads/3"),
    ] {
        let location = "/v2/team/web/blobs/uploads/3?_state=a%3D";
        let mut headers = vec![("location", location)];
        headers.extend(range.map(|range| ("range", range)));
        let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
        // The fault answers in place of the registry, which has nothing of it then: only the next step is of interest.
        peer.fault(Method::Patch, "/uploads/3", reply(202, &headers, ""));
        let lines = shown(&push(&session(), &mut peer, &vec![7; 600 << 10]));
        let first = lines.iter().position(|line| line.starts_with("PATCH")).unwrap();
        assert!(lines[first + 1].starts_with(after), "{range:?}: {lines:?}");
    }
}

#[test]
fn the_newest_location_is_the_one_that_counts() {
    let mut peer = Peer { limit: Some(300 << 10), ..Peer::new(Login::Open) };
    let elsewhere = "/v2/team/web/blobs/uploads/30?_state=a%3D";
    peer.sessions.insert(30, vec![7; 256 << 10]);
    peer.fault(Method::Patch, "/uploads/3", reply(201, &[("location", elsewhere), ("range", "0-262143")], ""));
    let run = push(&session(), &mut peer, &vec![7; 600 << 10]);
    assert!(run.result.is_ok(), "{:?}", run.log);
    assert!(shown(&run).iter().any(|line| line == "PATCH 262144-524287 /uploads/30"));
}

#[test]
fn a_small_blob_goes_with_the_post_once_it_is_clear_who_asks_and_that_it_is_taken() {
    let session = session();
    let mut peer = Peer { single: true, ..Peer::new(Login::Open) };
    assert!(push(&session, &mut peer, b"first").log.len() >= 4);
    let run = push(&session, &mut peer, b"second");
    // The config is known to be there: nothing is sent of it.
    assert_eq!(shown(&run), ["POST /uploads/", "POST /uploads/", "PUT manifest"]);
    assert!(run.requests[0].payload.is_empty() && matches!(run.requests[1].payload, Payload::Blob { .. }));
    assert_eq!(run.requests[1].headers.get("content-type"), Some("application/octet-stream"));
    let run = push(&session, &mut peer, &vec![1; 65 << 10]);
    assert_eq!(shown(&run), ["POST /uploads/", "POST /uploads/", "PUT /uploads/3", "PUT manifest"]);
}

#[test]
fn a_registry_that_throws_the_blob_away_is_asked_so_once() {
    for refused in [None, Some(errors(404, "UNSUPPORTED")), Some(errors(405, "UNSUPPORTED")), Some(reply(415, &[], ""))]
    {
        let session = session();
        let mut peer = Peer::new(Login::Open);
        push(&session, &mut peer, b"first");
        let is_refused = refused.is_some();
        if let Some(refused) = refused {
            peer.fault(Method::Post, "digest=", refused);
        }
        let run = push(&session, &mut peer, b"second");
        assert!(run.result.is_ok(), "{:?}", run.result);
        assert_eq!(run.log.len(), if is_refused { 5 } else { 4 }, "{:?}", run.log);
        let run = push(&session, &mut peer, b"third");
        assert!(run.result.is_ok() && run.log.iter().all(|line| !line.contains("uploads/?digest=")), "{:?}", run.log);
    }
}

#[test]
fn a_failed_push_drops_its_sessions_and_does_not_wait_for_long() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Put, "/uploads/", errors(400, "DIGEST_INVALID"));
    let run = push(&session(), &mut peer, b"chart");
    assert_eq!(run.code(), "registry.refused");
    assert!(peer.sessions.is_empty(), "{:?}", run.log);

    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Put, "/uploads/", errors(400, "DIGEST_INVALID"));
    peer.fault(Method::Delete, "/uploads/", errors(405, "UNSUPPORTED"));
    let run = push(&session(), &mut peer, b"chart");
    assert_eq!((run.code(), run.took.as_millis() < 2_500), ("registry.refused", true));
}

#[test]
fn a_session_elsewhere_is_not_dropped_with_our_credentials() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Post, "/uploads/", reply(202, &[("location", "https://storage.example/u/1")], ""));
    peer.fault(Method::Put, "storage.example", errors(400, "DIGEST_INVALID"));
    let run = push(&session(), &mut peer, b"chart");
    assert!(run.log.iter().all(|line| !line.starts_with("DELETE https://storage")), "{:?}", run.log);
}
