//! What goes wrong on the road, one rule a test.

use std::num::NonZeroU8;
use std::slice;
use std::sync::Arc;

use chartoci::auth::Credential;
use chartoci::exchange::{
    Config, Event, Exchange, HostSet, IfExists, Outcome, Output, Pull, Resolve, RetryPolicy, Session, Traits, Uploaded,
    Want,
};
use chartoci::http::{Failure, Method, Payload, Redirect, Request, RequestId, ResponseHead};
use chartoci::oci::{Descriptor, Digest, Reference, Repository};
use chartoci::time::{Duration, Instant};
use chartoci::{Code, Kind, Limits};

use crate::peer::{
    Answer, CHART_TYPE, Host, Login, MANIFEST, PROVENANCE_TYPE, Peer, Run, basic, chart, chart_with, errors, reply,
};

fn session() -> Session {
    Session::new(Config::default())
}

const CHART: Want = Want { chart: true, provenance: false, config: false, anything: false };
const ALL: Want = Want { chart: true, provenance: true, config: true, anything: false };

fn pull(want: Want) -> Pull {
    Pull { reference: chart().0.target, version: None, devel: false, want, check_tag: false, verify: false }
}

/// A push to a peer that was prepared.
fn pushed(peer: &mut Peer) -> Run {
    let (push, blobs) = chart();
    Host::logged_in(&blobs).run(Exchange::push(&session(), push), peer)
}

/// A pull of a chart that is there, from a peer that was prepared.
fn pulled(login: Login, prepare: impl FnOnce(&mut Peer)) -> Run {
    let (push, blobs) = chart();
    let mut peer = Peer::new(login);
    peer.hold(&push, &blobs);
    prepare(&mut peer);
    Host::logged_in(&blobs).run(Exchange::pull(&session(), pull(CHART)), &mut peer)
}

/// Whom credentials went to.
fn told(run: &Run) -> Vec<&str> {
    let told = run.requests.iter().filter(|request| request.headers.get("authorization").is_some());
    let mut hosts: Vec<&str> = told.map(|request| request.url.split('/').nth(2).unwrap()).collect();
    hosts.dedup();
    hosts
}

// Where credentials go.

#[test]
fn a_redirect_to_another_host_is_followed_without_the_credential() {
    let run = pulled(Login::Bearer, |peer| {
        let (push, blobs) = chart();
        let location = "https://cdn.example/blob?signature=secret";
        peer.fault(
            Method::Get,
            "/blobs/",
            reply(401, &[("www-authenticate", "Bearer realm=\"https://reg.example/token\"")], ""),
        );
        peer.fault(Method::Get, "/blobs/", reply(307, &[("location", location)], ""));
        peer.fault(Method::Get, "cdn.example", reply(200, &[], &blobs[1]));
        let _ = push;
    });
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(told(&run), ["reg.example"]);
    let last = run.requests.last().unwrap();
    assert!(last.url.starts_with("https://cdn.example/"));
    assert_eq!(last.headers.get("accept-encoding"), Some("identity"));
}

#[test]
fn a_login_that_another_host_asks_for_is_never_answered() {
    let run = pulled(Login::Basic, |peer| {
        peer.fault(Method::Get, "/blobs/", reply(401, &[("www-authenticate", "Basic")], ""));
        peer.fault(Method::Get, "/blobs/", reply(302, &[("location", "https://evil.example/x?s=secret")], ""));
        peer.fault(Method::Get, "evil.example", reply(401, &[("www-authenticate", "Basic realm=\"give\"")], ""));
    });
    assert_eq!(run.code(), "auth.foreign");
    assert_eq!(told(&run), ["reg.example"]);
    assert!(!format!("{:?}", run.error()).contains("secret"));
}

#[test]
fn https_never_becomes_http() {
    let run = pulled(Login::Open, |peer| {
        peer.fault(Method::Get, "/blobs/", reply(302, &[("location", "http://reg.example/blob")], ""));
    });
    assert_eq!(run.code(), "protocol.redirect");
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Post, "/uploads/", reply(202, &[("location", "http://other.example/up")], ""));
    assert_eq!(pushed(&mut peer).code(), "protocol.location");
}

#[test]
fn a_proxys_location_in_the_clear_is_mended_on_the_same_host() {
    let mut peer = Peer::new(Login::Open);
    for _ in 0..2 {
        let location = "http://reg.example/v2/team/web/blobs/uploads/9?_state=a%3D";
        peer.fault(Method::Post, "/uploads/", reply(202, &[("location", location)], ""));
    }
    let run = pushed(&mut peer);
    assert!(run.result.is_ok() && run.log.iter().all(|line| line.contains(" https://reg.example/")), "{:?}", run.log);
}

#[test]
fn an_upload_location_may_be_written_in_any_way_and_keeps_its_bytes() {
    for (location, sent_to) in [
        ("/v2/x?_state=%2Fb%3D", "https://reg.example/v2/x?_state=%2Fb%3D&digest=sha256%3A"),
        ("//reg.example/v2/x", "https://reg.example/v2/x?digest=sha256%3A"),
        ("https://reg.example:443/v2/x?z=1&a=2", "https://reg.example:443/v2/x?z=1&a=2&digest=sha256%3A"),
        ("x", "https://reg.example/v2/team/web/blobs/uploads/x?digest=sha256%3A"),
        ("https://storage.example/put?sig=secret", "https://storage.example/put?sig=secret&digest=sha256%3A"),
    ] {
        let (push, blobs) = chart();
        let mut peer = Peer::new(Login::Basic);
        let mut host = Host::logged_in(&blobs);
        let session = session();
        host.run(Exchange::push(&session, push.clone()), &mut peer);
        peer.manifests.clear();
        for _ in 0..2 {
            peer.fault(Method::Post, "/uploads/", reply(202, &[("location", location)], ""));
            peer.fault(Method::Put, "digest=", reply(201, &[], ""));
        }
        let run = host.run(Exchange::push(&session, push), &mut peer);
        assert!(run.result.is_ok(), "{:?}", run.result);
        let puts: Vec<_> = run.requests.iter().filter(|r| r.url.starts_with(sent_to)).collect();
        assert_eq!(puts.len(), 2, "{:?}", run.log);
        let foreign = location.contains("storage.example");
        assert!(puts.iter().all(|put| put.headers.get("authorization").is_none() == foreign));
    }
}

#[test]
fn a_location_that_is_missing_is_explained_to_browsers() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Post, "/uploads/", reply(202, &[], ""));
    assert_eq!(pushed(&mut peer).code(), "protocol.location");
    let browser = Traits { manual_redirects: false, all_headers: false };
    let session = Session::new(Config { transport: browser, ..Config::default() });
    let (push, blobs) = chart();
    peer.fault(Method::Post, "/uploads/", reply(202, &[], ""));
    let run = Host::with(&blobs).run(Exchange::push(&session, push), &mut peer);
    assert!(run.error().hint().contains("Access-Control-Expose-Headers"));
    assert!(run.requests.iter().all(|request| request.redirect == Redirect::Follow));
}

#[test]
fn a_token_server_in_another_network_gets_nothing() {
    for realm in
        ["http://reg.example/token", "https://127.0.0.1/token", "https://169.254.169.254/", "https://u@x.example/"]
    {
        let run = pulled(Login::Open, |peer| {
            let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
            peer.fault(Method::Get, "/manifests/", reply(401, &[("www-authenticate", &challenge)], ""));
        });
        assert_eq!(run.code(), "auth.realm", "{realm}");
        assert_eq!((run.requests.len(), told(&run).len(), run.asked.len()), (1, 0, 0));
    }
}

#[test]
fn a_token_servers_redirect_is_judged_like_its_realm() {
    let run = pulled(Login::Bearer, |peer| {
        peer.fault(Method::Get, "/token", reply(307, &[("location", "https://10.0.0.1/token")], ""));
    });
    assert_eq!(run.code(), "auth.realm");
    let run = pulled(Login::Bearer, |peer| {
        peer.fault(Method::Get, "reg.example/token", reply(307, &[("location", "https://auth.example/t")], ""));
        peer.fault(Method::Get, "auth.example", reply(200, &[], "{\"token\":\"t0\"}"));
    });
    assert!(told(&run).iter().all(|host| *host == "reg.example"));
}

#[test]
fn an_identity_token_is_never_redirected_to_another_host() {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Bearer);
    peer.hold(&push, &blobs);
    peer.fault(Method::Post, "/token", reply(307, &[("location", "https://evil.example/t")], ""));
    let mut host = Host { credentials: [Credential::Identity("id".into())].into(), ..Host::default() };
    let run = host.run(Exchange::pull(&session(), pull(CHART)), &mut peer);
    assert_eq!(run.code(), "protocol.redirect");
    assert!(run.log.iter().all(|line| !line.contains("evil")));
}

#[test]
fn a_redirect_that_a_browser_followed_counts_as_one() {
    let session =
        Session::new(Config { transport: Traits { manual_redirects: false, all_headers: true }, ..Config::default() });
    for (url, code) in [("https://evil.example/", "auth.foreign"), ("http://reg.example/", "protocol.redirect")] {
        let mut exchange = Exchange::pull(&session, pull(CHART));
        let Output::Send(request) = exchange.poll(Instant::from_millis(0)) else { panic!() };
        let headers = [("WWW-Authenticate", "Basic realm=\"x\"")].into_iter().collect();
        let receiver =
            exchange.handle_response(request.id, ResponseHead { status: 401, headers, url: Some(url.to_owned()) });
        exchange.handle_end(request.id, receiver);
        let Output::Done(Err(error)) = exchange.poll(Instant::from_millis(1)) else { panic!() };
        assert_eq!(error.code().name(), code);
    }
}

#[test]
fn a_token_has_served_where_a_browser_was_sent_on_and_may_expire_after_that() {
    let traits = Traits { manual_redirects: false, all_headers: true };
    let session = Session::new(Config { transport: traits, ..Config::default() });
    let mut exchange = Exchange::pull(&session, pull(CHART));
    let asked = || (401, vec![("www-authenticate", "Bearer realm=\"https://reg.example/token\"")], "", None);
    let manifest = chart().0.manifest.to_vec();
    let manifest = str::from_utf8(&manifest).unwrap();
    let answers = [
        asked(),
        (200, vec![], r#"{"token":"t1","expires_in":300}"#, None),
        (200, vec![("content-type", MANIFEST)], manifest, Some("https://cdn.example/m".to_owned())),
        asked(),
    ];
    for (status, headers, body, url) in answers {
        let mut output = exchange.poll(Instant::default());
        while let Output::Ask(query) = output {
            exchange.handle_credential(query.id, Some(basic()));
            output = exchange.poll(Instant::default());
        }
        let Output::Send(request) = output else { panic!("{output:?}") };
        let head = ResponseHead { status, headers: headers.into_iter().collect(), url };
        let mut receiver = exchange.handle_response(request.id, head);
        receiver.write(body.as_bytes());
        exchange.handle_end(request.id, receiver);
    }
    let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
    assert!(request.url.starts_with("https://reg.example/token"), "{}", request.url);
}

/// Lists the tags of a repository whose registry gives these answers, with that credential.
fn listed(session: &Session, repository: &str, credential: Option<Credential>, answers: &[Answer]) -> Run {
    let mut peer = Peer::new(Login::Open);
    for answer in answers {
        peer.fault(Method::Get, "", answer.clone());
    }
    let mut host = Host { credentials: credential.into_iter().collect(), ..Host::default() };
    host.run(Exchange::tags(session, Repository::parse(repository).unwrap()), &mut peer)
}

fn shown(run: &Run) -> Vec<Option<&str>> {
    run.requests.iter().map(|request| request.headers.get("authorization")).collect()
}

#[test]
fn what_was_given_for_one_repository_goes_to_no_other() {
    let session = session();
    let user = |name: &str| Some(Credential::Basic { username: name.into(), password: name.to_uppercase() });
    let basic = reply(401, &[("www-authenticate", "Basic realm=\"reg\"")], "");
    let bearer = reply(401, &[("www-authenticate", "Bearer realm=\"https://reg.example/token\"")], "");
    let (tags, token) = (reply(200, &[], r#"{"tags":["1.0.0"]}"#), reply(200, &[], r#"{"token":"t1"}"#));
    let (alice, bob) = (Some("Basic YWxpY2U6QUxJQ0U="), Some("Basic Ym9iOkJPQg=="));

    let run = listed(&session, "reg.example/alice/web", user("alice"), &[basic.clone(), tags.clone()]);
    assert_eq!(shown(&run), [None, alice]);
    // It is known how this registry asks: that costs no request.
    let run = listed(&session, "reg.example/bob/web", user("bob"), slice::from_ref(&tags));
    assert_eq!(shown(&run), [bob], "{:?}", run.result);
    assert_eq!((run.asked.len(), run.asked[0].repository.as_str()), (1, "bob/web"));
    let run = listed(&session, "reg.example/alice/web", None, slice::from_ref(&tags));
    assert_eq!((shown(&run), run.asked.len()), (vec![alice], 0), "what is held is not asked for again");

    let run = listed(&session, "reg.example/carol/web", None, slice::from_ref(&tags));
    assert_eq!(shown(&run), [None], "{:?}", run.result);
    let run = listed(&session, "reg.example/carol/web", None, slice::from_ref(&basic));
    assert_eq!((run.code(), shown(&run)), ("auth.required", vec![None]));
    let run = listed(&session, "reg.example/dave/web", user("dave"), &[bearer, token, tags]);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(shown(&run)[2], Some("Bearer t1"));
}

#[test]
fn a_new_token_that_is_called_invalid_is_fetched_once_more_and_one_that_allows_too_little_is_not() {
    let challenge = |error: &str| {
        let bearer = format!("Bearer realm=\"https://reg.example/token\"{error}");
        reply(401, &[("www-authenticate", &bearer)], "")
    };
    let token = |name: &str| reply(200, &[], format!(r#"{{"token":"{name}"}}"#));
    let invalid = || challenge(",error=\"invalid_token\"");
    let tags = reply(200, &[], r#"{"tags":["1.0.0"]}"#);
    let ada = || Some(basic());

    let run =
        listed(&session(), "reg.example/a/web", ada(), &[challenge(""), token("t1"), invalid(), token("t2"), tags]);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(shown(&run).last(), Some(&Some("Bearer t2")));

    let answers = [challenge(""), token("t1"), invalid(), token("t2"), invalid(), challenge("")];
    let run = listed(&session(), "reg.example/a/web", ada(), &answers);
    assert_eq!(
        (run.code(), shown(&run).iter().flatten().filter(|it| it.starts_with("Bearer")).count()),
        ("auth.refused", 2)
    );

    let scarce = challenge(",error=\"insufficient_scope\"");
    let run = listed(&session(), "reg.example/a/web", ada(), &[challenge(""), token("t1"), scarce, challenge("")]);
    assert_eq!(
        (run.code(), shown(&run).iter().flatten().filter(|it| it.starts_with("Bearer")).count()),
        ("auth.refused", 1)
    );
}

#[test]
fn a_ready_made_token_that_cannot_stand_in_a_header_is_refused_before_it_is_sent() {
    let basic = reply(401, &[("www-authenticate", "Basic realm=\"reg\"")], "");
    for token in ["tok\n", "", "a b", "t\u{f6}k"] {
        let run =
            listed(&session(), "reg.example/a/web", Some(Credential::Bearer(token.into())), slice::from_ref(&basic));
        assert_eq!((run.code(), run.requests.len()), ("misuse.argument", 1), "{token:?}");
        assert!(token.is_empty() || !format!("{:?}", run.error()).contains(token));
    }
}

#[test]
fn a_ready_made_token_needs_no_token_server() {
    let strange = reply(401, &[("www-authenticate", "Bearer realm=\"a registry\"")], "");
    let tags = reply(200, &[], r#"{"tags":["1.0.0"]}"#);
    let ready = Some(Credential::Bearer("ready".into()));
    let run = listed(&session(), "reg.example/a/web", ready, &[strange.clone(), tags]);
    assert_eq!(shown(&run), [None, Some("Bearer ready")], "{:?}", run.result);
    let run = listed(&session(), "reg.example/a/web", Some(basic()), &[strange]);
    assert_eq!((run.code(), shown(&run)), ("auth.realm", vec![None]));
}

// Tokens and refusals.

#[test]
fn a_token_that_is_refused_is_replaced_once_and_a_second_refusal_is_final() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Bearer);
    let mut host = Host::logged_in(&blobs);
    host.run(Exchange::push(&session, push.clone()), &mut peer);
    peer.tokens += 1;
    let run = host.run(Exchange::push(&session, push.clone()), &mut peer);
    assert!(run.result.is_ok());
    assert_eq!(run.log.iter().filter(|line| line.contains("/token")).count(), 1);

    for _ in 0..4 {
        peer.fault(Method::Put, "/manifests/", errors(401, "UNAUTHORIZED"));
    }
    let run = host.run(Exchange::push(&session, push), &mut peer);
    assert_eq!((run.code(), run.error().status()), ("auth.refused", Some(401)));
    assert_eq!(run.log.iter().filter(|line| line.contains("PUT") && line.contains("/manifests/")).count(), 2);
    assert_eq!(run.error().registry_errors()[0].code, "UNAUTHORIZED");
}

#[test]
fn a_forbidden_answer_renews_a_token_that_had_served_once() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Bearer);
    let mut host = Host::logged_in(&blobs);
    host.run(Exchange::push(&session, push.clone()), &mut peer);
    peer.fault(Method::Put, "/manifests/", errors(403, "DENIED"));
    let run = host.run(Exchange::push(&session, push.clone()), &mut peer);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(run.log.iter().filter(|line| line.contains("/token")).count(), 1);
    for _ in 0..9 {
        peer.fault(Method::Put, "/manifests/", errors(403, "DENIED"));
    }
    let run = host.run(Exchange::push(&session, push), &mut peer);
    assert_eq!((run.code(), run.error().kind()), ("auth.forbidden", Kind::Denied));
    assert_eq!(run.log.iter().filter(|line| line.contains("PUT") && line.contains("/manifests/")).count(), 2);
}

#[test]
fn a_token_about_to_expire_is_renewed_before_it_is_used() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Bearer);
    let mut host = Host::logged_in(&blobs);
    host.run(Exchange::push(&session, push.clone()), &mut peer);
    host.now += 296_000;
    let run = host.run(Exchange::push(&session, push), &mut peer);
    assert!(run.log[0].contains("/token"), "{:?}", run.log);
    assert_eq!(run.counts(), (4, 3));
}

#[test]
fn a_token_that_comes_old_is_used_all_the_same() {
    let old = r#"{"token":"t1","expires_in":300,"issued_at":"1994-11-06T08:44:31Z"}"#;
    let date = [("date", "Sun, 06 Nov 1994 08:49:29 GMT")];
    let mut peer = Peer::new(Login::Bearer);
    peer.tokens = 1;
    (0..99).for_each(|_| peer.fault(Method::Get, "/token", reply(200, &date, old)));
    let run = pushed(&mut peer);
    assert!(run.result.is_ok() && run.requests.len() < 14, "{:?}", run.log);
}

#[test]
fn a_token_that_grows_old_before_it_served_is_replaced() {
    let old = r#"{"token":"t1","expires_in":300,"issued_at":"1994-11-06T08:44:31Z"}"#;
    let date = [("date", "Sun, 06 Nov 1994 08:49:29 GMT")];
    let run = pulled(Login::Bearer, |peer| {
        peer.fault(Method::Get, "/token", reply(200, &date, old));
        let presented = |request: &Request| request.headers.get("authorization").is_some_and(|it| it == "Bearer t1");
        peer.faults.push_back((Box::new(presented), Answer::Failed(Failure::Timeout)));
    });
    assert!(run.result.is_ok(), "{:?}", run.log);
    assert_eq!(run.log.iter().filter(|line| line.contains("/token")).count(), 2);
}

#[test]
fn one_token_serves_all_calls() {
    let (push, blobs) = chart_with(&[(CHART_TYPE, b"chart"), (PROVENANCE_TYPE, b"prov")]);
    let mut peer = Peer::new(Login::Bearer);
    let run = Host::logged_in(&blobs).run(Exchange::push(&session(), push), &mut peer);
    assert!(run.result.is_ok());
    assert_eq!((peer.tokens, run.asked.len()), (1, 1));
    let token = run.log.iter().find(|line| line.contains("/token")).unwrap();
    assert!(token.contains("scope=repository%3Ateam%2Fweb%3Apull%2Cpush") && token.contains("service=reg"), "{token}");
    let query = &run.asked[0];
    assert_eq!((query.registry.as_str(), query.realm.as_deref()), ("reg.example", Some("https://reg.example/token")));
    assert_eq!(query.scope.as_deref(), Some("repository:team/web:pull,push"));
}

#[test]
fn a_pull_asks_for_nothing_but_pull() {
    let run = pulled(Login::Bearer, |_| {});
    let token = run.log.iter().find(|line| line.contains("/token")).unwrap();
    assert!(token.contains("scope=repository%3Ateam%2Fweb%3Apull&") || token.ends_with("%3Apull"), "{token}");
}

#[test]
fn a_pull_goes_on_without_a_credential_that_is_refused() {
    let run = pulled(Login::Bearer, |peer| {
        peer.fault(Method::Get, "account=u", errors(403, "DENIED"));
    });
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(run.notices(), ["auth.anonymous"]);
    assert!(run.asked[1].refused);
}

#[test]
fn who_may_not_read_without_it_either_learns_that_the_credential_was_refused() {
    let run = pulled(Login::Bearer, |peer| {
        peer.fault(Method::Get, "account=u", errors(401, "UNAUTHORIZED"));
        peer.fault(Method::Get, "/token", errors(401, "UNAUTHORIZED"));
    });
    assert_eq!(run.notices(), ["auth.anonymous"]);
    let error = run.result.unwrap_err();
    assert_eq!((error.code(), error.status()), (Code::AUTH_REFUSED, Some(401)), "{error}");
}

#[test]
fn a_push_with_a_refused_credential_asks_once_more_and_ends() {
    let mut peer = Peer::new(Login::Bearer);
    peer.fault(Method::Get, "/token", errors(401, "UNAUTHORIZED"));
    let run = pushed(&mut peer);
    assert_eq!((run.code(), run.error().status()), ("auth.refused", Some(401)));
    assert!(run.error().to_string().contains("the token server answered 401 to GET https://reg.example/token"));
    assert_eq!(run.asked.iter().map(|query| query.refused).collect::<Vec<_>>(), [false, true]);
    assert!(!format!("{:?}{}", run.error(), run.error()).contains("dTpw"));

    let mut peer = Peer::new(Login::Basic);
    let (push, blobs) = chart();
    let wrong = Credential::Basic { username: "u".into(), password: "wrong".into() };
    let mut host = Host { credentials: [wrong, basic()].into(), ..Host::with(&blobs) };
    let run = host.run(Exchange::push(&session(), push), &mut peer);
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!(run.asked.iter().map(|query| query.refused).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_registry_that_asks_for_a_login_says_so_without_one() {
    let (push, blobs) = chart();
    let run = Host::with(&blobs).run(Exchange::push(&session(), push), &mut Peer::new(Login::Basic));
    assert_eq!((run.code(), run.error().status()), ("auth.required", Some(401)));
    assert!(run.error().hint().to_lowercase().contains("log in"));
    assert!(run.requests.iter().all(|request| request.payload.is_empty()));
    let mut peer = Peer::new(Login::Open);
    (0..4).for_each(|_| peer.fault(Method::Post, "/uploads/", reply(401, &[], "")));
    assert_eq!(pushed(&mut peer).code(), "auth.challenge");
}

#[test]
fn a_token_server_that_gives_no_token_is_an_error() {
    for answer in [reply(200, &[], "{\"token\":\"\"}"), reply(200, &[("content-type", "text/html")], "<html>")] {
        let mut peer = Peer::new(Login::Bearer);
        peer.fault(Method::Get, "/token", answer);
        assert_eq!(pushed(&mut peer).code(), "auth.token");
    }
    let mut peer = Peer::new(Login::Bearer);
    peer.fault(Method::Get, "/token", errors(503, "UNAVAILABLE"));
    assert!(pushed(&mut peer).result.is_ok());
    let mut peer = Peer::new(Login::Bearer);
    (0..5).for_each(|_| peer.fault(Method::Get, "/token", Answer::Failed(Failure::Connect("refused".into()))));
    let run = pushed(&mut peer);
    assert_eq!((run.code(), run.error().status()), ("transport.connect", None));
}

#[test]
fn a_token_server_that_knows_no_get_gets_a_form() {
    let mut peer = Peer::new(Login::Bearer);
    peer.fault(Method::Get, "/token", reply(405, &[], ""));
    let run = pushed(&mut peer);
    assert_eq!(run.counts(), (9, 6));
    let token = run.requests.iter().find(|request| request.method == Method::Post && request.url.ends_with("/token"));
    assert!(token.is_some_and(|token| token.headers.get("authorization").is_none()));
}

#[test]
fn a_credential_given_ready_made_is_used_as_it_is() {
    let mut peer = Peer::new(Login::Bearer);
    peer.tokens = 1;
    let (push, blobs) = chart();
    let mut host = Host { credentials: [Credential::Bearer("t1".into())].into(), ..Host::with(&blobs) };
    assert_eq!(host.run(Exchange::push(&session(), push), &mut peer).counts(), (7, 4));
}

// Retries.

#[test]
fn whoever_asks_for_quiet_hears_nothing_from_any_call() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Post, "/uploads/", reply(429, &[("retry-after", "5")], ""));
    let run = pushed(&mut peer);
    // POST (429), POST; five seconds; POST, PUT; PUT; PUT of the manifest.
    assert_eq!(run.counts(), (6, 4));
    assert!(run.took >= Duration::from_secs(5));
}

#[test]
fn whoever_asks_for_quiet_twice_is_obeyed_for_the_longer() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Post, "/uploads/", reply(429, &[("retry-after", "5")], ""));
    peer.fault(Method::Post, "/uploads/", reply(429, &[("retry-after", "1")], ""));
    let run = pushed(&mut peer);
    // POST, POST (429 both); five seconds; POST, POST; PUT, PUT; PUT of the manifest.
    assert_eq!(run.counts(), (7, 4));
    assert!(run.took >= Duration::from_secs(5));
}

#[test]
fn a_body_that_breaks_off_without_a_failure_is_asked_for_again() {
    let run = pulled(Login::Open, |peer| {
        let headers = [("content-length", "500"), ("content-type", MANIFEST)];
        peer.fault(Method::Get, "/manifests/", reply(200, &headers, "{\"schema"));
    });
    assert_eq!(run.counts(), (3, 3));
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    for status in [408, 425, 429, 500, 502, 503, 504, 522] {
        let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/manifests/", errors(status, "UNKNOWN")));
        assert_eq!(run.counts(), (3, 3), "{status}");
        assert!(run.events.iter().any(|event| matches!(event, Event::Retrying { .. })));
    }
    for (status, code) in [
        (400, "registry.refused"),
        (404, "registry.manifest_unknown"),
        (405, "registry.unsupported"),
        (409, "registry.conflict"),
        (413, "registry.too_large"),
        (501, "registry.unsupported"),
        (204, "protocol.status"),
    ] {
        let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/manifests/", reply(status, &[], "")));
        assert_eq!((run.code(), run.requests.len(), run.error().status()), (code, 1, Some(status)));
    }
}

#[test]
fn failures_of_the_transport_are_tried_again_unless_they_last() {
    for failure in [
        Failure::Reset,
        Failure::Proxy(503, "p.test:3128".into()),
        Failure::Timeout,
        Failure::Connect("refused".into()),
        Failure::Other("?".into()),
    ] {
        let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/blobs/", Answer::Failed(failure.clone())));
        assert_eq!(run.counts(), (3, 3));
    }
    for (failure, code, requests) in [
        (Failure::Connect("refused".into()), "transport.connect", 5),
        (Failure::Reset, "transport.reset", 5),
        (Failure::Timeout, "transport.timeout", 5),
        (Failure::Proxy(502, "p.test:3128".into()), "transport.connect", 5),
        (Failure::Proxy(429, "p.test:3128".into()), "transport.connect", 5),
        (Failure::Proxy(407, "p.test:3128".into()), "transport.connect", 1),
        (Failure::Proxy(403, "p.test:3128".into()), "transport.connect", 1),
        (Failure::Tls("first record does not look like a TLS handshake".into()), "transport.tls", 1),
        (Failure::Storage("no room".into()), "transport.storage", 1),
        (Failure::Forbidden("not listed".into()), "transport.forbidden", 1),
        (Failure::Other("?".into()), "transport.other", 5),
    ] {
        let run = pulled(Login::Open, |peer| {
            for _ in 0..5 {
                peer.fault(Method::Get, "/manifests/", Answer::Failed(failure.clone()));
            }
        });
        assert_eq!((run.code(), run.requests.len()), (code, requests));
        assert_eq!(run.error().context().iter().find(|(name, _)| *name == "registry").unwrap().1, "reg.example");
    }
}

#[test]
fn retry_after_is_obeyed_up_to_its_cap() {
    for (value, seconds) in [("7", 7), ("0.5", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 8)] {
        let headers = [("retry-after", value), ("date", "Sun, 06 Nov 1994 08:49:29 GMT")];
        let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/manifests/", reply(429, &headers, "")));
        assert!(run.result.is_ok());
        assert_eq!(run.took.as_secs(), seconds, "{value}");
    }
    let run = pulled(Login::Open, |peer| {
        peer.fault(Method::Get, "/manifests/", reply(429, &[("retry-after", "3600")], ""));
    });
    assert_eq!((run.code(), run.requests.len()), ("registry.busy", 1));
}

#[test]
fn the_same_seed_makes_the_same_pauses() {
    let took = |seed: u64| {
        let (push, blobs) = chart();
        let mut peer = Peer::new(Login::Open);
        peer.hold(&push, &blobs);
        for _ in 0..4 {
            peer.fault(Method::Get, "/manifests/", errors(500, "UNKNOWN"));
        }
        let session = Session::new(Config { seed, ..Config::default() });
        Host::default().run(Exchange::pull(&session, pull(CHART)), &mut peer).took
    };
    assert_eq!(took(1), took(1));
    assert_ne!(took(1), took(2));
}

#[test]
fn a_failed_upload_begins_with_a_new_session() {
    for answer in [
        Answer::Failed(Failure::Reset),
        errors(500, "UNKNOWN"),
        errors(404, "BLOB_UPLOAD_UNKNOWN"),
        errors(400, "BLOB_UPLOAD_INVALID"),
        reply(416, &[], ""),
    ] {
        let mut peer = Peer::new(Login::Open);
        peer.fault(Method::Put, "/uploads/1", answer.clone());
        let run = pushed(&mut peer);
        assert!(run.result.is_ok(), "{:?}", run.result);
        assert_eq!(run.log.iter().filter(|line| line.starts_with("POST")).count(), 3, "{:?}", run.log);
        let mut peer = Peer::new(Login::Open);
        for _ in 0..20 {
            peer.fault(Method::Put, "/uploads/", answer.clone());
        }
        let run = pushed(&mut peer);
        assert!(run.result.is_err());
        assert!(run.log.iter().filter(|line| line.starts_with("PUT")).count() <= 10, "{:?}", run.log);
        assert!(peer.manifests.is_empty(), "no tag on a half-pushed chart");
    }
}

// Redirects and limits.

#[test]
fn redirects_are_bounded_and_keep_method_and_body() {
    let run = pulled(Login::Open, |peer| {
        for _ in 0..6 {
            peer.fault(Method::Get, "", reply(302, &[("location", "/again")], ""));
        }
    });
    assert_eq!((run.code(), run.requests.len()), ("limit.redirects", 6));
    let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/blobs/", reply(302, &[], "")));
    assert_eq!(run.code(), "protocol.redirect");

    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Put, "/uploads/", reply(307, &[("location", "https://storage.example/put")], ""));
    peer.fault(Method::Put, "storage.example", reply(201, &[], ""));
    let run = pushed(&mut peer);
    let moved = run.requests.iter().find(|request| request.url.contains("storage")).unwrap();
    assert!(moved.method == Method::Put && !moved.payload.is_empty());
}

#[test]
fn every_body_has_a_limit() {
    let big = "x".repeat(5 << 20);
    for headers in [vec![], vec![("content-length", "99999999")]] {
        let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/manifests/", reply(200, &headers, &big)));
        assert_eq!((run.code(), run.error().kind()), ("limit.body", Kind::Limit));
        let run = pulled(Login::Bearer, |peer| peer.fault(Method::Get, "/token", reply(200, &headers, &big)));
        assert_eq!(run.code(), "limit.body");
    }
    let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/manifests/", reply(400, &[], &big)));
    assert_eq!(run.code(), "registry.refused", "the rest of an error's body is dropped");
}

#[test]
fn a_chart_larger_than_the_limit_is_not_fetched() {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let limits = Limits { archive: 10, ..Limits::default() };
    let session = Session::new(Config { limits, ..Config::default() });
    let run = Host::default().run(Exchange::pull(&session, pull(CHART)), &mut peer);
    assert_eq!((run.code(), run.requests.len()), ("limit.blob", 1));
}

/// What comes of a verb with these limits.
fn bounded(limits: Limits, login: Login, verb: impl FnOnce(&Session, &mut Peer) -> Exchange) -> &'static str {
    let (push, blobs) = chart_with(&[(CHART_TYPE, b"this is the chart"), (PROVENANCE_TYPE, b"signed")]);
    let mut peer = Peer::new(login);
    peer.hold(&push, &blobs);
    let session = Session::new(Config { limits, ..Config::default() });
    let exchange = verb(&session, &mut peer);
    match Host::logged_in(&blobs).run(exchange, &mut peer).result {
        Ok(_) => "",
        Err(error) => error.code().name(),
    }
}

#[test]
fn every_limit_of_an_exchange_holds_at_its_edge() {
    let manifest =
        chart_with(&[(CHART_TYPE, b"this is the chart"), (PROVENANCE_TYPE, b"signed")]).0.manifest.len() as u64;
    let config = br#"{"name":"web","version":"1.2.3","apiVersion":"v2"}"#.len() as u64;
    let (page, token) = (r#"{"tags":["a"]}"#, r#"{"token":"t1","expires_in":300}"#);
    let default = Limits::default;
    let all = |session: &Session, _: &mut Peer| Exchange::pull(session, pull(ALL));
    let edge = |bound: u64, code: &str, limits: &dyn Fn(u64) -> Limits| {
        assert_eq!(bounded(limits(bound), Login::Bearer, all), "", "{code} {bound}");
        assert_eq!(bounded(limits(bound - 1), Login::Bearer, all), code, "{bound}");
    };
    edge(manifest, "limit.body", &|manifest| Limits { manifest, ..default() });
    edge(17, "limit.blob", &|archive| Limits { archive, ..default() });
    edge(6, "limit.blob", &|provenance| Limits { provenance, ..default() });
    edge(config, "limit.blob", &|config| Limits { config, ..default() });
    edge(token.len() as u64, "limit.body", &|token| Limits { token, ..default() });
    let list = |session: &Session, peer: &mut Peer| {
        for at in 0..3 {
            let link = if at < 2 { format!("</p{at}>; rel=next") } else { String::new() };
            peer.fault(Method::Get, "", reply(200, &[("link", &link)], page));
        }
        Exchange::tags(session, Repository::parse("reg.example/team/web").unwrap())
    };
    let length = page.len() as u64;
    assert_eq!(bounded(Limits { page: length, pages: 3, ..default() }, Login::Open, list), "");
    assert_eq!(bounded(Limits { page: length - 1, ..default() }, Login::Open, list), "limit.body");
    assert_eq!(bounded(Limits { pages: 2, ..default() }, Login::Open, list), "limit.pages");
    let moved = |session: &Session, peer: &mut Peer| {
        for _ in 0..3 {
            peer.fault(Method::Get, "/blobs/", reply(307, &[("location", "/v2/team/web/blobs/again")], ""));
        }
        peer.fault(Method::Get, "/blobs/", reply(200, &[], "this is the chart"));
        Exchange::pull(session, pull(CHART))
    };
    assert_eq!(bounded(Limits { redirects: 3, ..default() }, Login::Open, moved), "");
    assert_eq!(bounded(Limits { redirects: 2, ..default() }, Login::Open, moved), "limit.redirects");
    let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
    let refused = |limit: u64| {
        let (mut peer, limits) = (Peer::new(Login::Open), Limits { error_body: limit, ..default() });
        peer.fault(Method::Get, "", reply(403, &[], body));
        let session = Session::new(Config { limits, ..Config::default() });
        let run = Host::default().run(Exchange::pull(&session, pull(CHART)), &mut peer);
        run.error().registry_errors().len()
    };
    assert_eq!((refused(body.len() as u64), refused(body.len() as u64 - 1)), (1, 0), "what lies beyond is dropped");
}

#[test]
fn no_more_is_in_flight_than_allowed() {
    let layers: Vec<(&str, Vec<u8>)> = (0..9u8).map(|n| ("application/x", vec![n; 3])).collect();
    let layers: Vec<(&str, &[u8])> = layers.iter().map(|(kind, bytes)| (*kind, bytes.as_slice())).collect();
    let (push, blobs) = chart_with(&layers);
    for most in [1u8, 2, 3] {
        let concurrency = NonZeroU8::new(most).unwrap();
        let session = Session::new(Config { concurrency, ..Config::default() });
        let mut peer = Peer::new(Login::Bearer);
        let run = Host::logged_in(&blobs).run(Exchange::push(&session, push.clone()), &mut peer);
        let (requests, rounds) = run.counts();
        assert!(requests <= rounds as usize * usize::from(most));
    }
}

// Bytes and digests.

#[test]
fn wrong_bytes_are_an_error_and_never_a_result() {
    let (_, blobs) = chart();
    let (chart, size) = (&blobs[1], blobs[1].len());
    let mut flipped = chart.clone();
    flipped[3] ^= 1;
    for (body, code) in [
        (flipped, "integrity.digest_mismatch"),
        ([chart.as_slice(), b"x"].concat(), "integrity.size_mismatch"),
        (chart[..size - 1].to_vec(), "integrity.size_mismatch"),
        (Vec::new(), "integrity.size_mismatch"),
    ] {
        let run = pulled(Login::Open, |peer| {
            for _ in 0..9 {
                peer.fault(Method::Get, "/blobs/", reply(200, &[], &body));
            }
        });
        assert_eq!((run.code(), run.error().kind()), (code, Kind::Integrity));
        let announced = body.len().to_string();
        let run = pulled(Login::Open, |peer| {
            peer.fault(Method::Get, "/blobs/", reply(200, &[("content-length", &announced)], &body));
        });
        assert_eq!((run.code(), run.requests.len()), (code, 2));
    }
}

#[test]
fn a_manifest_is_held_against_the_digest_that_was_asked_for() {
    let (push, blobs) = chart();
    let digest = Digest::of(&push.manifest);
    let by_digest = Reference::new(push.target.base().clone(), None, Some(digest.clone()));
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let request = Pull { reference: by_digest, ..pull(CHART) };
    let run = Host::default().run(Exchange::pull(&session(), request.clone()), &mut peer);
    let Ok(Outcome::Pulled(pulled)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!((&pulled.digest, pulled.filename()), (&digest, None));
    peer.fault(Method::Get, "/manifests/", reply(200, &[("content-type", MANIFEST)], br#"{"schemaVersion":2}"#));
    let run = Host::default().run(Exchange::pull(&session(), request), &mut peer);
    assert_eq!(run.code(), "integrity.digest_mismatch");
}

#[test]
fn a_registry_that_stored_something_else_is_found_out() {
    let other = Digest::of(b"other").to_string();
    for part in ["/uploads/", "/manifests/"] {
        let mut peer = Peer::new(Login::Open);
        peer.fault(Method::Put, part, reply(201, &[("docker-content-digest", &other)], ""));
        assert_eq!(pushed(&mut peer).code(), "integrity.digest_mismatch");
    }
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let (_, blobs) = chart();
    let broken = |after| Answer::Broken { status: 200, headers: Default::default(), body: blobs[1].clone(), after };
    let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/blobs/", broken(9)));
    assert_eq!(run.sinks[&0], blobs[1]);
    assert_eq!(run.requests.last().unwrap().headers.get("range"), Some("bytes=9-"));

    // Whoever ignores the range, or answers with another one, makes it begin anew.
    let total = blobs[1].len();
    for answer in [
        reply(200, &[], &blobs[1]),
        reply(206, &[("content-range", "bytes 3-16/17")], &blobs[1][3..]),
        reply(206, &[("content-range", "bytes 9-16/99")], &blobs[1][9..]),
        reply(206, &[], &blobs[1][9..]),
        reply(416, &[("content-range", "bytes */17")], ""),
    ] {
        assert_eq!(total, 17);
        let run = pulled(Login::Open, |peer| {
            peer.fault(Method::Get, "/blobs/", broken(9));
            peer.fault(Method::Get, "/blobs/", answer);
        });
        assert!(run.result.is_ok(), "{:?}", run.result);
        assert_eq!(run.sinks[&0], blobs[1]);
    }
    // Progress counts: a blob that comes byte by byte comes in the end.
    let run = pulled(Login::Open, |peer| {
        peer.fault(Method::Get, "/blobs/", broken(1));
        for from in 1..17usize {
            let range = format!("bytes {from}-16/17");
            let headers = [("content-range", range.as_str())].into_iter().collect();
            let body = blobs[1][from..].to_vec();
            peer.fault(Method::Get, "/blobs/", Answer::Broken { status: 206, headers, body, after: 1 });
        }
    });
    assert_eq!(run.sinks[&0], blobs[1]);
    let run = pulled(Login::Open, |peer| (0..9).for_each(|_| peer.fault(Method::Get, "/blobs/", broken(9))));
    assert_eq!((run.code(), run.requests.len()), ("transport.reset", 6), "no progress after the first");
}

#[test]
fn a_resumed_download_of_wrong_bytes_is_read_once_more_from_the_start() {
    let (_, blobs) = chart();
    let mut flipped = blobs[1].clone();
    flipped[2] ^= 1;
    let broken = Answer::Broken { status: 200, headers: Default::default(), body: flipped, after: 9 };
    let run = pulled(Login::Open, |peer| peer.fault(Method::Get, "/blobs/", broken));
    assert!(run.result.is_ok(), "{:?}", run.result);
    assert_eq!((run.sinks[&0].as_slice(), run.requests.len()), (blobs[1].as_slice(), 4));
}

#[test]
fn an_expired_signed_url_is_asked_for_anew() {
    let (_, blobs) = chart();
    let run = pulled(Login::Open, |peer| {
        peer.fault(Method::Get, "/blobs/", reply(307, &[("location", "https://cdn.example/1")], ""));
        peer.fault(Method::Get, "cdn.example/1", reply(403, &[], "Request has expired"));
        peer.fault(Method::Get, "/blobs/", reply(307, &[("location", "https://cdn.example/2")], ""));
        peer.fault(Method::Get, "cdn.example/2", reply(200, &[], &blobs[1]));
    });
    assert_eq!(run.counts().0, 5);
}

// Pushing.

#[test]
fn a_refused_mount_becomes_a_plain_upload_and_is_remembered() {
    let (session, (push, blobs)) = (session(), chart());
    let mut peer = Peer::new(Login::Open);
    for _ in 0..2 {
        peer.fault(Method::Post, "mount=", errors(400, "UNSUPPORTED"));
    }
    let mut host = Host::with(&blobs);
    assert_eq!(host.run(Exchange::push(&session, push.clone()), &mut peer).counts(), (7, 4));
    let run = host.run(Exchange::push(&session, push), &mut peer);
    assert!(run.log.iter().all(|line| !line.contains("mount=")), "{:?}", run.log);
}

#[test]
fn blobs_that_the_registry_only_said_to_have_are_sent_once() {
    let mut peer = Peer::new(Login::Open);
    for _ in 0..2 {
        peer.fault(Method::Post, "mount=", reply(201, &[], ""));
    }
    let run = pushed(&mut peer);
    let Ok(Outcome::Pushed(pushed)) = &run.result else { panic!("{:?}", run.result) };
    assert!(pushed.blobs.iter().all(|(_, uploaded)| *uploaded == Uploaded::Sent));
    assert_eq!(run.counts(), (8, 5));
}

#[test]
fn a_repository_that_must_be_created_first_is_explained() {
    let mut peer = Peer::new(Login::Open);
    for _ in 0..4 {
        peer.fault(Method::Post, "/uploads/", errors(404, "NAME_UNKNOWN"));
    }
    let run = pushed(&mut peer);
    assert_eq!((run.code(), run.error().kind()), ("registry.repository_unknown", Kind::NotFound));
    assert!(run.error().hint().contains("Create the repository before the first push"));
    assert_eq!(run.error().registry_errors()[0].code, "NAME_UNKNOWN");
}

#[test]
fn a_tag_that_is_there_is_left_alone_where_that_was_asked_for() {
    let (push, blobs) = chart();
    let with = |if_exists| chartoci::exchange::Push { if_exists, ..push.clone() };
    for if_exists in [IfExists::SkipSame, IfExists::Refuse] {
        let mut peer = Peer::new(Login::Open);
        let run = Host::with(&blobs).run(Exchange::push(&session(), with(if_exists)), &mut peer);
        assert_eq!(run.counts(), (6, 4));
        let again = Host::with(&blobs).run(Exchange::push(&session(), with(if_exists)), &mut peer);
        match if_exists {
            IfExists::SkipSame => {
                let Ok(Outcome::Pushed(pushed)) = &again.result else { panic!("{:?}", again.result) };
                assert!(pushed.skipped && again.requests.len() == 1);
            }
            _ => assert_eq!((again.code(), again.error().kind()), ("registry.exists", Kind::Conflict)),
        }
    }
    // The same chart, put together at another time.
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let text = String::from_utf8(push.manifest.to_vec()).unwrap();
    let dated = text.replace("}]}", r#"}],"annotations":{"org.opencontainers.image.created":"2020-01-01T00:00:00Z"}}"#);
    peer.manifests.insert("1.2.3".to_owned(), dated.clone().into_bytes());
    let run = Host::with(&blobs).run(Exchange::push(&session(), with(IfExists::SkipSame)), &mut peer);
    let Ok(Outcome::Pushed(pushed)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!((pushed.skipped, &pushed.digest), (true, &Digest::of(dated.as_bytes())));
    // Another chart.
    let (other, other_blobs) = chart_with(&[(CHART_TYPE, b"another chart")]);
    peer.hold(&other, &other_blobs);
    let run = Host::with(&blobs).run(Exchange::push(&session(), with(IfExists::SkipSame)), &mut peer);
    assert_eq!(run.code(), "registry.exists");
}

#[test]
fn a_blob_that_the_manifest_names_twice_is_sent_once() {
    let (push, blobs) = chart_with(&[(CHART_TYPE, b"same"), ("application/x", b"same")]);
    let mut peer = Peer::new(Login::Open);
    assert_eq!(Host::with(&blobs).run(Exchange::push(&session(), push), &mut peer).counts(), (5, 3));
}

#[test]
fn a_blob_is_described_and_a_config_is_held() {
    let run = pushed(&mut Peer::new(Login::Open));
    let puts: Vec<_> = run.requests.iter().filter(|request| request.method == Method::Put).collect();
    assert!(matches!(puts[0].payload, Payload::Bytes(_)));
    assert!(matches!(&puts[1].payload, Payload::Blob { range, .. } if *range == (0..17)));
    assert_eq!(puts[1].headers.get("content-type"), Some("application/octet-stream"));
    assert_eq!(puts[2].headers.get("content-type"), Some(MANIFEST));
    for request in &run.requests {
        let forbidden = ["host", "content-length", "connection", "transfer-encoding"];
        assert!(forbidden.iter().all(|name| request.headers.get(name).is_none()));
        assert!(request.headers.get("user-agent").is_some_and(|agent| agent.starts_with("chartoci/")));
    }
}

// Pulling.

#[test]
fn all_parts_come_when_all_are_wanted() {
    let (push, blobs) = chart_with(&[(CHART_TYPE, b"chart"), (PROVENANCE_TYPE, b"prov")]);
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let run = Host::default().run(Exchange::pull(&session(), pull(ALL)), &mut peer);
    assert_eq!(run.counts(), (4, 2));
    let Ok(Outcome::Pulled(pulled)) = &run.result else { panic!() };
    assert_eq!(pulled.config.as_deref(), Some(blobs[0].as_slice()));
    assert_eq!((run.sinks[&0].as_slice(), run.sinks[&1].as_slice()), (b"chart".as_slice(), b"prov".as_slice()));
    assert_eq!(pulled.filename().as_deref(), Some("web-1.2.3.tgz"));
    assert_eq!(pulled.media_type, MANIFEST);
    assert_eq!(run.events.iter().filter(|event| matches!(event, Event::Downloaded(..))).count(), 2);
}

#[test]
fn a_provenance_that_is_missing_is_a_notice() {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let run = Host::default().run(Exchange::pull(&session(), pull(ALL)), &mut peer);
    let Ok(Outcome::Pulled(pulled)) = &run.result else { panic!("{:?}", run.result) };
    assert!(pulled.provenance.is_none() && run.notices() == ["artifact.no_provenance"]);
}

#[test]
fn what_is_no_chart_is_refused_and_says_what_it_is() {
    let shown = |manifest: String| {
        let mut peer = Peer::new(Login::Open);
        peer.manifests.insert("1.2.3".to_owned(), manifest.into_bytes());
        Host::default().run(Exchange::pull(&session(), pull(CHART)), &mut peer)
    };
    let text = String::from_utf8(chart().0.manifest.to_vec()).unwrap();
    let image = text.replace("vnd.cncf.helm.config.v1+json", "vnd.oci.image.config.v1+json");
    assert_eq!(shown(image).code(), "artifact.not_a_chart");
    assert_eq!(shown(text.replace(CHART_TYPE, "application/x")).code(), "artifact.no_chart");
    assert_eq!(shown(text.replace("\"config\"", "\"manifests\":[],\"config\"")).code(), "manifest.shape");
    let two = String::from_utf8(chart_with(&[(CHART_TYPE, b"one"), (CHART_TYPE, b"two")]).0.manifest.to_vec()).unwrap();
    assert_eq!(shown(two).code(), "artifact.several_charts");
    assert_eq!(shown("<html>".to_owned()).code(), "protocol.not_registry");
    assert_eq!(shown("{".to_owned()).code(), "protocol.answer");
}

#[test]
fn the_chart_layer_of_old_times_is_read_with_a_notice() {
    let (push, blobs) = chart_with(&[("application/tar+gzip", b"old")]);
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let run = Host::default().run(Exchange::pull(&session(), pull(CHART)), &mut peer);
    assert_eq!((run.counts(), run.notices()), ((2, 2), vec!["artifact.legacy_chart"]));
}

#[test]
fn the_one_chart_in_an_index_is_found() {
    let (push, blobs) = chart();
    let (image, image_blobs) = chart_with(&[("application/x", b"image")]);
    let mut peer = Peer::new(Login::Open);
    peer.hold(&image, &image_blobs);
    peer.hold(&push, &blobs);
    let entry = |manifest: &Arc<[u8]>| {
        format!(r#"{{"mediaType":"{MANIFEST}","digest":"{}","size":{}}}"#, Digest::of(manifest), manifest.len())
    };
    let index = |entries: &[String]| {
        let kind = "application/vnd.oci.image.index.v1+json";
        format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{}]}}"#, entries.join(","))
    };
    let serve = |peer: &mut Peer, body: String| {
        let kind = [("content-type", "application/vnd.oci.image.index.v1+json")];
        peer.fault(Method::Get, "/manifests/1.2.3", reply(200, &kind, &body));
        (Digest::of(body.as_bytes()), Host::default().run(Exchange::pull(&session(), pull(CHART)), peer))
    };
    let (digest, run) = serve(&mut peer, index(&[entry(&push.manifest)]));
    let Ok(Outcome::Pulled(pulled)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!((&pulled.digest, run.sinks[&0].as_slice()), (&digest, blobs[1].as_slice()));
    assert_eq!(run.counts(), (3, 3));
    let image_manifest = String::from_utf8(image.manifest.to_vec()).unwrap().replace("helm.config", "x.config");
    let image_manifest: Arc<[u8]> = Arc::from(image_manifest.into_bytes());
    peer.manifests.insert(Digest::of(&image_manifest).to_string(), image_manifest.to_vec());
    assert!(serve(&mut peer, index(&[entry(&image_manifest), entry(&push.manifest)])).1.result.is_ok());
    assert_eq!(serve(&mut peer, index(&[entry(&image_manifest)])).1.code(), "artifact.not_a_chart");
    assert_eq!(serve(&mut peer, index(&[])).1.code(), "artifact.not_a_chart");
    let many: Vec<String> = (0..9).map(|_| entry(&push.manifest)).collect();
    assert_eq!(serve(&mut peer, index(&many)).1.code(), "artifact.not_a_chart");
}

#[test]
fn a_version_or_a_range_finds_its_tag() {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    for tag in ["0.9.0", "1.10.0_b1", "2.0.0-rc.1", "latest"] {
        peer.manifests.insert(tag.to_owned(), push.manifest.to_vec());
    }
    let base = Reference::new(push.target.base().clone(), None, None);
    let mut ask = |version: Option<&str>, devel: bool| {
        let pull = Pull { reference: base.clone(), version: version.map(str::to_owned), devel, ..pull(CHART) };
        let run = Host::default().run(Exchange::pull(&session(), pull), &mut peer);
        match run.result {
            Ok(Outcome::Pulled(pulled)) => (pulled.filename().unwrap(), run.log.len()),
            Err(error) => (error.code().name().to_owned(), run.log.len()),
            _ => panic!(),
        }
    };
    assert_eq!(ask(None, false), ("web-1.10.0+b1.tgz".to_owned(), 3));
    assert_eq!(ask(None, true), ("web-2.0.0-rc.1.tgz".to_owned(), 3));
    assert_eq!(ask(Some("^0"), false), ("web-0.9.0.tgz".to_owned(), 3));
    assert_eq!(ask(Some("1.10.0+b1"), false), ("web-1.10.0+b1.tgz".to_owned(), 2));
    assert_eq!(ask(Some("latest"), false), ("web-latest.tgz".to_owned(), 2));
    assert_eq!(ask(Some("^9"), false), ("registry.version_unknown".to_owned(), 1));
    assert_eq!(ask(Some("||"), false), ("version.constraint".to_owned(), 0));
    let both = Pull { version: Some("2.0.0".into()), ..pull(CHART) };
    assert_eq!(Host::default().run(Exchange::pull(&session(), both), &mut peer).code(), "reference.version");
}

#[test]
fn a_tag_that_was_moved_is_found_out_where_that_was_asked_for() {
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let digest = Digest::of(&push.manifest);
    let reference = Reference::new(push.target.base().clone(), Some("1.2.3".into()), Some(digest));
    let request = |check_tag| Pull { reference: reference.clone(), check_tag, ..pull(CHART) };
    let run = |peer: &mut Peer, check_tag| Host::default().run(Exchange::pull(&session(), request(check_tag)), peer);
    assert_eq!(run(&mut peer, false).counts(), (2, 2));
    assert_eq!(run(&mut peer, true).counts(), (3, 2));
    peer.manifests.insert("1.2.3".to_owned(), br#"{"schemaVersion":2}"#.to_vec());
    assert_eq!(run(&mut peer, true).code(), "integrity.tag_mismatch");
    assert!(run(&mut peer, false).result.is_ok());
    peer.fault(Method::Head, "/manifests/", reply(200, &[], ""));
    assert_eq!(run(&mut peer, true).code(), "integrity.tag_mismatch", "without a digest in the head");
    let said = |run: Run| match run.events.into_iter().find(|event| matches!(event, Event::Notice { .. })) {
        Some(Event::Notice { code: "registry.tag_unchecked", text }) => text,
        other => panic!("{other:?}"),
    };
    peer.fault(Method::Head, "/manifests/", errors(403, "DENIED"));
    assert!(said(run(&mut peer, true)).contains("could not be found out"));
    peer.manifests.remove("1.2.3");
    assert!(said(run(&mut peer, true)).starts_with("there is no tag 1.2.3"));
}

// Lists and names.

fn tags(answers: &[(&str, &str)]) -> Run {
    let mut peer = Peer::new(Login::Open);
    for (link, body) in answers {
        peer.fault(Method::Get, "", reply(200, &[("link", link)], body));
    }
    let repository = Repository::parse("reg.example/team/web").unwrap();
    Host::default().run(Exchange::tags(&session(), repository), &mut peer)
}

#[test]
fn a_list_of_tags_has_a_bound_over_all_of_its_pages() {
    let page = |last: u32| {
        let link = format!("<?last={last}>; rel=\"next\"");
        reply(200, &[("link", &link)], format!(r#"{{"tags":["{last:08}"]}}"#))
    };
    // 40 bytes each, as they are counted.
    let session = Session::new(Config { limits: Limits { tags: 90, ..Limits::default() }, ..Config::default() });
    let run = listed(&session, "reg.example/team/web", None, &[page(1), page(2), page(3), page(4)]);
    assert_eq!((run.code(), run.requests.len()), ("limit.pages", 3));
    assert!(run.error().context().iter().any(|(name, value)| *name == "limit" && value == "tags"));
}

#[test]
fn all_pages_of_tags_are_read() {
    let run = tags(&[
        ("</v2/team/web/tags/list?n=1&last=a>; rel=\"next\"", r#"{"tags":["a"]}"#),
        ("<https://reg.example/p3>; rel=\"next\"", r#"{"tags":["b"]}"#),
        ("<?last=b>; rel=next", r#"{"tags":null}"#),
        ("", r#"{"name":"team/web"}"#),
    ]);
    let Ok(Outcome::Tags(tags)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!(
        (tags.as_slice(), run.requests[3].url.as_str()),
        (["a".to_owned(), "b".to_owned()].as_slice(), "https://reg.example/p3?last=b")
    );
}

#[test]
fn tags_that_come_in_no_order_are_listed_once_each_where_they_came_first() {
    let run =
        tags(&[("</p2>; rel=\"next\"", r#"{"tags":["b","a","b","c"]}"#), ("", r#"{"tags":["a","d","c","d","0"]}"#)]);
    let Ok(Outcome::Tags(tags)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!(tags, &["b", "a", "c", "d", "0"]);
}

#[test]
fn versions_are_listed_newest_first_and_once_each() {
    let mut peer = Peer::new(Login::Open);
    let next = [("link", "</p2>; rel=\"next\"")];
    peer.fault(Method::Get, "", reply(200, &next, r#"{"tags":["1.10.0","latest","1.9.0_b1","2.0.0-rc.1"]}"#));
    peer.fault(Method::Get, "", reply(200, &[], r#"{"tags":["1.9.0_b1","0.1.0","1.10.0"]}"#));
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let run = Host::default().run(Exchange::versions(&session(), repository, None, false), &mut peer);
    let Ok(Outcome::Versions(versions)) = &run.result else { panic!("{:?}", run.result) };
    let texts: Vec<&str> = versions.iter().map(chartoci::Version::as_str).collect();
    assert_eq!(texts, ["1.10.0", "1.9.0+b1", "0.1.0"]);
}

#[test]
fn a_browser_that_hides_links_asks_for_what_comes_after_the_last_tag() {
    let transport = Traits { manual_redirects: false, all_headers: false };
    let session = Session::new(Config { transport, ..Config::default() });
    let mut peer = Peer::new(Login::Open);
    for body in [r#"{"tags":["a","b"]}"#, r#"{"tags":["b","c"]}"#, r#"{"tags":["b","c"]}"#] {
        peer.fault(Method::Get, "", reply(200, &[], body));
    }
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let run = Host::default().run(Exchange::tags(&session, repository), &mut peer);
    let Ok(Outcome::Tags(tags)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!(tags, &["a", "b", "c"]);
    assert!(run.log[1].ends_with("/tags/list?last=b") && run.log[2].ends_with("?last=c"), "{:?}", run.log);
}

#[test]
fn a_browser_that_shows_links_ends_where_nothing_new_comes() {
    let session =
        Session::new(Config { transport: Traits { manual_redirects: false, all_headers: false }, ..Config::default() });
    let mut peer = Peer::new(Login::Open);
    let body = r#"{"tags":["b","a","b"]}"#;
    peer.fault(Method::Get, "", reply(200, &[("link", "</v2/team/web/tags/list?page=1>; rel=next")], body));
    peer.fault(Method::Get, "", reply(200, &[], body));
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let run = Host::default().run(Exchange::tags(&session, repository), &mut peer);
    let Ok(Outcome::Tags(tags)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!((tags.as_slice(), run.log.len()), (&["b".to_owned(), "a".to_owned()][..], 2));
}

#[test]
fn a_length_means_nothing_where_it_may_be_hidden_that_the_body_was_packed() {
    for (all_headers, fields, tags) in [
        (false, &[("content-length", "99")][..], true),
        (true, &[("content-length", "99"), ("content-encoding", "gzip")], true),
        (true, &[("content-length", "99")], false),
    ] {
        let transport = Traits { manual_redirects: false, all_headers };
        let session = Session::new(Config { transport, ..Config::default() });
        let mut peer = Peer::new(Login::Open);
        for _ in 0..9 {
            peer.fault(Method::Get, "", reply(200, fields, r#"{"tags":[]}"#));
        }
        let run =
            Host::default().run(Exchange::tags(&session, Repository::parse("reg.example/web").unwrap()), &mut peer);
        assert_eq!(run.result.is_ok(), tags, "{:?}", run.result);
    }
}

#[test]
fn a_list_stays_on_its_host_and_ends() {
    assert_eq!(tags(&[("<https://evil.example/>; rel=next", "{}")]).code(), "protocol.link");
    assert_eq!(tags(&[("</b>; rel=next", "{}"), ("</v2/team/web/tags/list>; rel=next", "{}")]).code(), "protocol.link");
    let links: Vec<String> = (0..1001).map(|n| format!("</p{n}>; rel=next")).collect();
    let pages: Vec<(&str, &str)> = links.iter().map(|link| (link.as_str(), "{}")).collect();
    let run = tags(&pages);
    assert_eq!((run.code(), run.requests.len()), ("limit.pages", 1000));
    for body in ["[]", "{\"tags\":5}", "{\"tags\":[5]}", "x"] {
        assert_eq!(tags(&[("", body)]).code(), "protocol.answer", "{body}");
    }
    assert_eq!(tags(&[("", "<!doctype html>")]).code(), "protocol.not_registry");
}

#[test]
fn a_name_is_resolved_by_head_and_by_get_where_head_does_not_tell() {
    let (push, blobs) = chart();
    let digest = Digest::of(&push.manifest);
    let mut peer = Peer::new(Login::Open);
    peer.hold(&push, &blobs);
    let resolve = |peer: &mut Peer, version: Option<&str>| {
        let base = Reference::new(push.target.base().clone(), version.is_none().then(|| "1.2.3".to_owned()), None);
        let resolve = Resolve { reference: base, version: version.map(str::to_owned), devel: false };
        Host::default().run(Exchange::resolve(&session(), resolve), peer)
    };
    let run = resolve(&mut peer, None);
    let Ok(Outcome::Resolved(resolved)) = &run.result else { panic!("{:?}", run.result) };
    assert_eq!((&resolved.digest, resolved.version.as_deref(), run.log.len()), (&digest, Some("1.2.3"), 1));
    assert_eq!(resolve(&mut peer, Some("^1")).counts().0, 2);
    for answer in [reply(200, &[], ""), reply(405, &[], ""), reply(403, &[], "")] {
        peer.fault(Method::Head, "/manifests/", answer);
        assert_eq!(resolve(&mut peer, None).counts().0, 2);
    }
    peer.manifests.clear();
    assert_eq!(resolve(&mut peer, None).code(), "registry.manifest_unknown");
}

#[test]
fn one_blob_is_fetched() {
    let mut peer = Peer::new(Login::Open);
    let blob = Descriptor::of("application/x", b"hello");
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let fetch = || Exchange::fetch(&session(), repository.clone(), blob.clone());
    let run = Host::default().run(fetch(), &mut peer);
    assert_eq!((run.code(), run.error().kind()), ("registry.blob_unknown", Kind::NotFound));
    peer.blobs.insert(blob.digest.to_string(), b"hello".to_vec());
    let run = Host::default().run(fetch(), &mut peer);
    assert_eq!((run.sinks[&0].as_slice(), run.counts()), (b"hello".as_slice(), (1, 1)));
}

// The contract.

fn head(status: u16) -> ResponseHead {
    ResponseHead { status, headers: Default::default(), url: None }
}

#[test]
fn late_double_and_unknown_answers_are_ignored() {
    let mut exchange = Exchange::pull(&session(), pull(CHART));
    let now = Instant::from_millis(0);
    let Output::Send(first) = exchange.poll(now) else { panic!() };
    assert!(matches!(exchange.poll(now), Output::Wait(_)) && matches!(exchange.poll(now), Output::Wait(_)));
    assert!(!exchange.handle_response(RequestId(77), head(200)).write(b"x"), "nobody waits for it");
    let stray = exchange.handle_response(RequestId(77), head(500));
    exchange.handle_end(RequestId(77), stray);
    exchange.handle_failure(RequestId(77), Failure::Reset, None);
    exchange.handle_credential(chartoci::exchange::QueryId(9), Some(basic()));
    assert!(matches!(exchange.poll(now), Output::Wait(_)));
    let receiver = exchange.handle_response(first.id, head(404));
    let second = exchange.handle_response(first.id, head(200));
    exchange.handle_end(first.id, receiver);
    exchange.handle_end(first.id, second);
    exchange.handle_failure(first.id, Failure::Reset, None);
    let Output::Done(Err(error)) = exchange.poll(now) else { panic!() };
    assert_eq!(error.code().name(), "registry.manifest_unknown");
    exchange.abort();
    exchange.handle_failure(first.id, Failure::Reset, None);
    assert!(matches!(exchange.poll(now), Output::Wait(_)));
}

#[test]
fn whoever_gives_up_cancels_what_is_out() {
    let mut exchange = Exchange::push(&session(), chart().0);
    let now = Instant::from_millis(0);
    let (Output::Send(a), Output::Send(b)) = (exchange.poll(now), exchange.poll(now)) else { panic!() };
    exchange.abort();
    let outputs = [(); 3].map(|()| exchange.poll(now));
    assert!(matches!(&outputs[0], Output::Cancel(id) if *id == a.id));
    assert!(matches!(&outputs[1], Output::Cancel(id) if *id == b.id));
    assert!(matches!(&outputs[2], Output::Done(Err(error)) if error.code() == Code::ABORTED));
}

#[test]
fn the_time_for_the_whole_is_bounded() {
    let session = Session::new(Config { timeout: Some(Duration::from_secs(5)), ..Config::default() });
    let mut exchange = Exchange::pull(&session, pull(CHART));
    let Output::Send(request) = exchange.poll(Instant::from_millis(1000)) else { panic!() };
    assert_eq!(request.timeout, Some(Duration::from_secs(30)));
    let Output::Wait(wake) = exchange.poll(Instant::from_millis(1000)) else { panic!() };
    assert_eq!(wake.until, Some(Instant::from_millis(6000)));
    assert!(matches!(exchange.poll(Instant::from_millis(5999)), Output::Wait(_)));
    assert!(matches!(exchange.poll(Instant::from_millis(6000)), Output::Cancel(id) if id == request.id));
    let Output::Done(Err(error)) = exchange.poll(Instant::from_millis(6000)) else { panic!() };
    assert_eq!((error.code().name(), error.kind()), ("transport.timeout", Kind::Transport));
}

#[test]
fn who_takes_leave_as_its_time_ends_does_not_wake_for_nothing() {
    let session = Session::new(Config { timeout: Some(Duration::from_secs(5)), ..Config::default() });
    let mut exchange = Exchange::push(&session, chart().0);
    let start = Instant::from_millis(0);
    let (Output::Send(opened), Output::Send(refused)) = (exchange.poll(start), exchange.poll(start)) else { panic!() };
    let late = Instant::from_millis(4_999);
    let headers = [("location", "/v2/team/web/blobs/uploads/1")].into_iter().collect();
    let receiver = exchange.handle_response(opened.id, ResponseHead { status: 202, headers, url: None });
    exchange.handle_end(opened.id, receiver);
    let Output::Send(_) = exchange.poll(late) else { panic!() };
    let receiver = exchange.handle_response(refused.id, head(202));
    exchange.handle_end(refused.id, receiver);
    let sent = std::iter::from_fn(|| match exchange.poll(late) {
        Output::Wait(_) => None,
        output => Some(output),
    });
    assert!(sent.count() > 0);
    let after = Instant::from_millis(5_001);
    let Output::Wait(wake) = exchange.poll(after) else { panic!("it takes its leave") };
    assert!(wake.until.is_some_and(|until| until > after), "{wake:?}");
}

#[test]
fn one_failure_ends_all_and_leaves_no_tag() {
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Put, "/uploads/", errors(413, "SIZE_INVALID"));
    let run = pushed(&mut peer);
    assert_eq!(run.code(), "registry.too_large");
    assert!(peer.manifests.is_empty() && run.cancelled.is_empty(), "both were answered");
}

#[test]
fn no_secret_is_shown() {
    let mut peer = Peer::new(Login::Bearer);
    peer.fault(Method::Put, "/uploads/", Answer::Failed(Failure::Other("PUT https://s.example/?sig=s3cret".into())));
    let run = pushed(&mut peer);
    let shown = format!("{:?}{:?}{:?}", run.requests, run.events, run.asked);
    assert!(!shown.contains("dTpw") && !shown.contains("Bearer t") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_registry_in_the_clear_is_chosen_by_its_name() {
    let url = |registry: &str, plain_http: HostSet| {
        let session = Session::new(Config { plain_http, ..Config::default() });
        let repository = Repository::parse(&format!("{registry}/web")).unwrap();
        let Output::Send(request) = Exchange::tags(&session, repository).poll(Instant::default()) else { panic!() };
        request.url
    };
    assert!(url("localhost:5000", HostSet::Loopback).starts_with("http://localhost:5000/"));
    assert!(url("127.0.0.9", HostSet::Loopback).starts_with("http://"));
    assert!(url("localhost.example", HostSet::Loopback).starts_with("https://"));
    assert!(url("reg.example", HostSet::All).starts_with("http://"));
    assert!(url("localhost", HostSet::None).starts_with("https://"));
}

#[test]
fn a_policy_of_one_attempt_tries_once() {
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let session = Session::new(Config { retry, ..Config::default() });
    let (push, blobs) = chart();
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Put, "/uploads/", Answer::Failed(Failure::Reset));
    let run = Host::with(&blobs).run(Exchange::push(&session, push), &mut peer);
    assert_eq!((run.code(), run.requests.len()), ("transport.reset", 4));
}

#[test]
fn what_is_skipped_is_told_as_it_is_there_with_a_notice_of_a_provenance_that_is_not() {
    let layers: [(&str, &[u8]); 2] = [(CHART_TYPE, b"this is the chart"), (PROVENANCE_TYPE, b"signed")];
    let (bare, signed) = (chart_with(&layers[..1]), chart_with(&layers));
    let other = chart_with(&[layers[0], (PROVENANCE_TYPE, b"signed otherwise")]);
    for (there, given, notices) in [
        (&bare, &signed, &["registry.provenance_kept"][..]),
        (&other, &signed, &["registry.provenance_kept"]),
        (&signed, &bare, &[]),
        (&signed, &signed, &[]),
    ] {
        let mut peer = Peer::new(Login::Open);
        peer.hold(&there.0, &there.1);
        let push = chartoci::exchange::Push { if_exists: IfExists::SkipSame, ..given.0.clone() };
        let run = Host::with(&given.1).run(Exchange::push(&session(), push), &mut peer);
        assert_eq!((run.notices(), run.requests.len()), (notices.to_vec(), 1));
        let Ok(Outcome::Pushed(pushed)) = run.result else { panic!("{:?}", run.result) };
        let blobs: Vec<_> = there.0.uploads.iter().map(|it| (it.descriptor.clone(), Uploaded::Existed)).collect();
        assert_eq!((pushed.skipped, pushed.digest), (true, Digest::of(&there.0.manifest)));
        let size = there.1.iter().map(Vec::len).sum::<usize>() + there.0.manifest.len();
        assert_eq!((pushed.size, pushed.blobs), (size as u64, blobs));
    }
}
