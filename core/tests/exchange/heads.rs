//! What the head of an answer settles, whatever becomes of its body; and what a head may look like.

use chartoci::Kind;
use chartoci::exchange::{Config, Event, Exchange, Outcome, Pull, Session, Want};
use chartoci::http::Method;
use chartoci::oci::Repository;

use crate::peer::{Answer, CHART_TYPE, Host, Login, Peer, Run, chart, chart_with, errors, reply};

const CHART: Want = Want { chart: true, provenance: false, config: false, anything: false };

fn session() -> Session {
    Session::new(Config::default())
}

/// Announces a hundred bytes, sends three and breaks off.
fn cut(status: u16, headers: &[(&str, &str)]) -> Answer {
    let headers = headers.iter().copied().chain([("content-length", "100")]).collect();
    Answer::Broken { status, headers, body: b"{}\n and more".to_vec(), after: 3 }
}

fn pushed(prepare: impl FnOnce(&mut Peer)) -> Run {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Basic);
    prepare(&mut peer);
    Host::logged_in(&blobs).run(Exchange::push(&session(), push), &mut peer)
}

fn pulled(login: Login, prepare: impl FnOnce(&mut Peer, &[u8])) -> Run {
    let (push, blobs) = chart();
    let mut peer = Peer::new(login);
    peer.hold(&push, &blobs);
    prepare(&mut peer, &blobs[1]);
    let pull =
        Pull { reference: push.target, version: None, devel: false, want: CHART, check_tag: false, verify: false };
    Host::logged_in(&blobs).run(Exchange::pull(&session(), pull), &mut peer)
}

fn tags(answers: Vec<Answer>) -> Run {
    let mut peer = Peer::new(Login::Open);
    for answer in answers {
        peer.fault(Method::Get, "", answer);
    }
    let repository = Repository::parse("reg.example/team/web").unwrap();
    Host::default().run(Exchange::tags(&session(), repository), &mut peer)
}

#[track_caller]
fn listed(run: &Run) -> Vec<&str> {
    let Ok(Outcome::Tags(tags)) = &run.result else { panic!("{:?}", run.result) };
    tags.iter().map(String::as_str).collect()
}

#[test]
fn a_redirect_is_followed_though_its_body_breaks_off() {
    let run = pulled(Login::Open, |peer, blob| {
        peer.fault(Method::Get, "/blobs/", cut(307, &[("location", "https://cdn.example/1")]));
        peer.fault(Method::Get, "cdn.example", reply(200, &[], blob));
    });
    assert_eq!(run.counts().0, 3, "nothing is asked for twice: {:?}", run.log);
}

#[test]
fn a_challenge_is_answered_though_its_body_breaks_off() {
    let run = pulled(Login::Basic, |peer, _| {
        peer.fault(Method::Get, "/manifests/", cut(401, &[("www-authenticate", "Basic realm=\"reg\"")]));
    });
    assert_eq!(run.counts().0, 3, "{:?}", run.log);
}

#[test]
fn what_was_stored_or_opened_stays_so_though_the_answers_body_breaks_off() {
    let run = pushed(|peer| {
        peer.login = Login::Open;
        let location = [("location", "/v2/team/web/blobs/uploads/77?_state=a%3D")];
        peer.fault(Method::Post, "/uploads/", cut(202, &location));
        peer.fault(Method::Put, "/uploads/77", cut(201, &[]));
        let (push, blobs) = chart();
        let digests = push.uploads.iter().map(|upload| upload.descriptor.digest.to_string());
        peer.blobs.extend(digests.zip(blobs));
    });
    assert!(run.result.is_ok(), "{:?}", run.result);
    let puts = run.log.iter().filter(|line| line.starts_with("PUT") && line.contains("/uploads/77")).count();
    assert_eq!(puts, 1, "{:?}", run.log);
}

#[test]
fn a_blob_that_is_refused_with_words_that_were_lost_is_sent_in_pieces() {
    let run = |answer: Answer| {
        let (push, blobs) = chart_with(&[(CHART_TYPE, &vec![7; 600 << 10])]);
        let mut peer = Peer::new(Login::Open);
        peer.fault(Method::Put, "/uploads/2", answer);
        Host::logged_in(&blobs).run(Exchange::push(&session(), push), &mut peer)
    };
    let pieces = |run: &Run| run.log.iter().any(|line| line.starts_with("PATCH"));
    let lost = run(cut(400, &[]));
    assert!(lost.result.is_ok() && pieces(&lost), "{:?}", lost.result);
    let told = run(errors(400, "DIGEST_INVALID"));
    assert_eq!((told.error().status(), pieces(&told)), (Some(400), false));
}

#[test]
fn an_error_is_told_by_what_has_come_of_it() {
    let run = pulled(Login::Open, |peer, _| peer.fault(Method::Get, "/manifests/", cut(404, &[])));
    assert_eq!((run.code(), run.error().kind(), run.requests.len()), ("registry.manifest_unknown", Kind::NotFound, 1));
    // What was wanted is not complete, and so it is asked for again.
    let run = tags(vec![cut(200, &[]), reply(200, &[], r#"{"tags":["a"]}"#)]);
    assert_eq!((listed(&run), run.requests.len()), (vec!["a"], 2));
}

#[test]
fn a_redirects_odd_location_is_read_as_browsers_do() {
    for (location, path) in [
        ("/z a", "/z%20a"),
        ("/z/\u{e9}", "/z/%E9"),
        ("/z\\x", "/z%5Cx"),
        ("/y/../z", "/z"),
        ("/z?a=b|c\"d", "/z?a=b%7Cc%22d"),
        ("https://cdn.example/z?d=attachment; filename=\"a b.tgz\"", "/z?d=attachment;%20filename=%22a%20b.tgz%22"),
    ] {
        let run = pulled(Login::Open, |peer, blob| {
            peer.fault(Method::Get, "/blobs/", reply(307, &[("location", location)], ""));
            peer.fault(Method::Get, "/z", reply(200, &[], blob));
        });
        assert!(run.result.is_ok(), "{location}: {:?}", run.result);
        assert!(run.log.last().unwrap().ends_with(path), "{location}: {:?}", run.log);
    }
}

#[test]
fn a_redirect_to_nowhere_shows_where_without_secrets() {
    let away = |location| {
        pulled(Login::Open, |peer, _| peer.fault(Method::Get, "/blobs/", reply(307, &[("location", location)], "")))
    };
    let run = away("ftp://me:secret@cdn.example/z?signature=secret");
    assert_eq!(run.code(), "protocol.redirect");
    let told = format!("{:?} {} {}", run.error(), run.error(), run.error().hint());
    assert!(
        told.contains("cdn.example/z") && !told.contains("secret") && !run.error().hint().contains("never"),
        "{told}"
    );
    let run = pulled(Login::Open, |peer, _| peer.fault(Method::Get, "/blobs/", reply(307, &[], "")));
    assert!(run.error().message().contains("no Location"));
}

#[test]
fn a_page_is_never_lost_to_the_way_its_link_is_written() {
    let page = |link: &str, tag: &str| reply(200, &[("link", link)], format!(r#"{{"tags":["{tag}"]}}"#));
    for link in [
        "</v2/team/web/tags/list?page=1>",
        "<http://reg.example/v2/team/web/tags/list?page=1>; rel=\"next\"",
        "</v2/team/web/tags/list?last=a b>; rel=\"next\"",
    ] {
        let run = tags(vec![page(link, "a"), reply(200, &[], r#"{"tags":["b"]}"#)]);
        assert_eq!(listed(&run), ["a", "b"], "{link}");
        assert!(run.log[1].starts_with("GET https://reg.example/"), "{link}");
    }
    for link in ["/v2/team/web/tags/list?page=1; rel=\"next\"", "</v2/team/web/tags/list?page=1", "<https://a b/>"] {
        assert_eq!(tags(vec![page(link, "a")]).code(), "protocol.link", "{link}");
    }
    let run = tags(vec![page("<https://other.example/?token=secret>", "a")]);
    assert!(run.code() == "protocol.link" && !format!("{:?}", run.error()).contains("secret"));
}

#[test]
fn a_mount_that_is_refused_in_any_way_is_done_without() {
    for login in [Login::Open, Login::Basic, Login::Bearer] {
        for (status, times) in [(401, 9), (403, 9), (404, 9), (413, 9), (500, 10), (501, 9)] {
            let (push, blobs) = chart();
            let mut peer = Peer::new(login);
            let mut host = Host::logged_in(&blobs);
            let session = session();
            // Who asks is settled first: the mounts are refused for themselves.
            let repository = push.target.base().clone();
            host.run(Exchange::tags(&session, repository), &mut peer);
            let (push, blobs) = chart_with(&[(CHART_TYPE, &[7; 70_000])]);
            host.blobs = blobs;
            (0..times).for_each(|_| peer.fault(Method::Post, "mount=", errors(status, "DENIED")));
            let run = host.run(Exchange::push(&session, push), &mut peer);
            assert!(run.result.is_ok(), "{login:?} {status}: {:?} {:?}", run.result, run.log);
        }
    }
}

#[test]
fn the_first_mount_that_is_refused_for_itself_does_not_end_a_push() {
    for answer in [errors(401, "UNAUTHORIZED"), errors(403, "DENIED")] {
        let run = pushed(|peer| {
            peer.login = Login::Open;
            (0..2).for_each(|_| peer.fault(Method::Post, "mount=", answer.clone()));
        });
        assert!(run.result.is_ok(), "{:?} {:?}", run.result, run.log);
    }
}

#[test]
fn a_range_that_lags_behind_is_corrected_by_asking_the_session() {
    let (push, blobs) = chart_with(&[(CHART_TYPE, &vec![7; 9 << 20])]);
    let mut peer = Peer { limit: Some(1 << 20), stale: true, ..Peer::new(Login::Open) };
    let run = Host::with(&blobs).run(Exchange::push(&session(), push), &mut peer);
    assert!(run.result.is_ok(), "{:?}", run.result);
    let statuses = run.requests.iter().filter(|request| request.method == Method::Get).count();
    assert!(statuses <= 10, "{:?}", run.log);
    assert_eq!(peer.opened, 3, "no session is given up for it");
}

#[test]
fn a_part_of_the_range_is_taken_and_the_rest_is_asked_for() {
    let run = pulled(Login::Open, |peer, blob| {
        let broken = Answer::Broken { status: 200, headers: Default::default(), body: blob.to_vec(), after: 5 };
        peer.fault(Method::Get, "/blobs/", broken);
        peer.fault(Method::Get, "/blobs/", reply(206, &[("content-range", "bytes 5-8/17")], &blob[5..9]));
        let named = [("content-range", "bytes 9-11/*"), ("content-length", "3")];
        peer.fault(Method::Get, "/blobs/", reply(206, &named, &blob[9..12]));
    });
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(run.sinks[&0], b"this is the chart");
    let ranges: Vec<_> = run.requests.iter().filter_map(|request| request.headers.get("range")).collect();
    assert_eq!(ranges, ["bytes=5-", "bytes=9-", "bytes=12-"]);
}

#[test]
fn what_a_registry_warns_of_is_told_once_and_changes_nothing() {
    let warned = |text: &str, body| reply(200, &[("warning", text), ("link", "</v2/team/web/tags/list?last=a>")], body);
    let run = tags(vec![
        warned("299 - \"closed on\u{1b} Monday\"", r#"{"tags":["a"]}"#),
        reply(
            200,
            &[("warning", "299 - \"closed on Monday\", 110 - \"stale\", 299 - \"and Friday\"")],
            r#"{"tags":["b"]}"#,
        ),
    ]);
    assert_eq!((listed(&run), run.notices()), (vec!["a", "b"], vec!["registry.warning"; 2]));
    assert!(matches!(&run.events[0], Event::Notice { text, .. } if text == "closed on Monday"), "{:?}", run.events);
}

#[test]
fn another_host_that_warns_is_not_heard() {
    let run = pulled(Login::Open, |peer, blob| {
        peer.fault(Method::Get, "/blobs/", reply(307, &[("location", "https://cdn.example/1")], ""));
        peer.fault(Method::Get, "cdn.example", reply(200, &[("warning", "299 - \"buy\"")], blob));
    });
    assert!(run.result.is_ok() && run.notices().is_empty(), "{:?}", run.events);
}
