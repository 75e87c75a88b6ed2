//! Exchanges of one session at the same time: what one learns the others need not ask for.

use chartoci::auth::Credential;
use chartoci::exchange::{Config, Exchange, Outcome, Output, RetryPolicy, Session};
use chartoci::http::{Method, Request};
use chartoci::oci::Repository;
use chartoci::time::Instant;

use crate::peer::{Login, Peer, answered, basic, reply};

/// Polls all in turn, and answers what they send when every one of them waits.
struct Together {
    exchanges: Vec<Exchange>,
    results: Vec<Option<Result<Outcome, chartoci::Error>>>,
    now: u64,
    log: Vec<String>,
    asked: usize,
}

impl Together {
    fn tags(session: &Session, count: usize) -> Together {
        let repository = Repository::parse("reg.example/team/web").unwrap();
        let exchanges: Vec<Exchange> = (0..count).map(|_| Exchange::tags(session, repository.clone())).collect();
        Together { results: exchanges.iter().map(|_| None).collect(), exchanges, now: 0, log: Vec::new(), asked: 0 }
    }

    /// One round: everything that is out is answered at its end, save what `leave` names. False: all is over.
    fn round(
        &mut self,
        peer: &mut Peer,
        credential: Option<Credential>,
        leave: &dyn Fn(usize, &Request) -> bool,
    ) -> bool {
        let (mut out, mut until) = (Vec::new(), None);
        for (index, exchange) in self.exchanges.iter_mut().enumerate() {
            if self.results[index].is_some() {
                continue;
            }
            loop {
                match exchange.poll(Instant::from_millis(self.now)) {
                    Output::Send(request) => out.push((index, request)),
                    Output::Ask(query) => {
                        self.asked += 1;
                        exchange.handle_credential(query.id, credential.clone());
                    }
                    Output::Wait(wake) => {
                        until = until.into_iter().chain(wake.until).min();
                        break;
                    }
                    Output::Done(result) => {
                        self.results[index] = Some(result);
                        break;
                    }
                    _ => {}
                }
            }
        }
        self.now = until.map_or(self.now + 1, Instant::as_millis).max(self.now + 1);
        for (index, request) in out {
            self.log.push(format!("{} {}", request.method.as_str(), request.url.split('?').next().unwrap()));
            if !leave(index, &request) {
                answered(&mut self.exchanges[index], &request, peer);
            }
        }
        self.results.iter().any(Option::is_none)
    }

    fn run(&mut self, peer: &mut Peer) {
        for _ in 0..100 {
            if !self.round(peer, Some(basic()), &|_, _| false) {
                return;
            }
        }
        panic!("it does not end: {:?}", self.log);
    }

    fn tokens(&self) -> usize {
        self.log.iter().filter(|line| line.ends_with("/token")).count()
    }

    fn succeeded(&self) -> usize {
        self.results.iter().flatten().filter(|result| result.is_ok()).count()
    }
}

#[test]
fn two_that_begin_at_once_fetch_one_token() {
    let session = Session::new(Config::default());
    let mut peer = Peer::new(Login::Bearer);
    let mut both = Together::tags(&session, 2);
    both.run(&mut peer);
    assert_eq!((both.succeeded(), both.tokens(), both.asked), (2, 1, 1), "{:?}", both.log);
    let mut many = Together::tags(&session, 5);
    many.run(&mut peer);
    assert_eq!((many.succeeded(), many.tokens()), (5, 0), "{:?}", many.log);
}

#[test]
fn a_token_that_is_about_to_expire_is_renewed_once_for_all() {
    let session = Session::new(Config::default());
    let mut peer = Peer::new(Login::Bearer);
    Together::tags(&session, 1).run(&mut peer);
    let mut both = Together::tags(&session, 3);
    both.now = 299_000;
    both.run(&mut peer);
    assert_eq!((both.succeeded(), both.tokens()), (3, 1), "{:?}", both.log);
    assert_eq!(both.log[0], "GET https://reg.example/token", "no challenge is asked for");
}

#[test]
fn whoever_waits_goes_on_alone_when_the_other_gives_up_fails_or_is_forgotten() {
    for ending in ["abort", "never poll again", "drop", "fail"] {
        let session = Session::new(Config::default());
        let mut peer = Peer::new(Login::Bearer);
        let mut both = Together::tags(&session, 2);
        while both.tokens() == 0 {
            both.round(&mut peer, Some(basic()), &|_, request| request.url.contains("/token"));
        }
        match ending {
            "abort" => both.exchanges[0].abort(),
            "never poll again" => {
                assert_eq!(session.claims(), 1);
                both.exchanges[0].abort();
                assert_eq!(session.claims(), 0);
                both.results[0] = Some(Err(chartoci::Error::new(chartoci::error::Code::ABORTED, "given up")));
            }
            "drop" => {
                drop(both.exchanges.remove(0));
                both.results.remove(0);
            }
            _ => {
                let refused = reply(403, &[], "");
                peer.fault(Method::Get, "/token", refused);
                let request = chartoci::http::RequestId(2);
                let head = chartoci::http::ResponseHead { status: 500, headers: Default::default(), url: None };
                let receiver = both.exchanges[0].handle_response(request, head);
                both.exchanges[0].handle_end(request, receiver);
                both.exchanges[0].abort();
            }
        }
        both.run(&mut peer);
        assert_eq!(
            (both.succeeded(), both.tokens()),
            (1, 2 + usize::from(ending == "fail")),
            "{ending}: {:?}",
            both.log
        );
        assert!(both.now < 1_000 && session.claims() == 0, "{ending}: {}", both.now);
    }
}

#[test]
fn another_token_that_is_as_stale_does_not_use_up_the_renewal() {
    let session = Session::new(Config::default());
    let mut peer = Peer::new(Login::Bearer);
    let (push, blobs) = crate::peer::chart();
    Together::tags(&session, 1).run(&mut peer);
    let pushed = crate::peer::Host::logged_in(&blobs).run(Exchange::push(&session, push), &mut peer);
    assert!(pushed.result.is_ok(), "{:?}", pushed.log);
    // The registry forgets all of its tokens.
    peer.tokens += 1;
    let mut one = Together::tags(&session, 1);
    one.run(&mut peer);
    assert_eq!((one.succeeded(), one.tokens()), (1, 1), "{:?}", one.log);
}

#[test]
fn nobody_waits_for_ever_for_one_that_hangs() {
    let session = Session::new(Config::default());
    let mut peer = Peer::new(Login::Bearer);
    let mut both = Together::tags(&session, 2);
    for _ in 0..10_000 {
        both.round(&mut peer, Some(basic()), &|index, request| index == 0 && request.url.contains("/token"));
        if both.succeeded() == 1 {
            break;
        }
    }
    assert_eq!(both.succeeded(), 1, "{:?}", both.log);
    assert!((60_000..70_000).contains(&both.now), "{}", both.now);
}

#[test]
fn who_is_asked_to_leave_a_host_alone_leaves_it_alone_in_all_exchanges() {
    let session = Session::new(Config::default());
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let mut peer = Peer::new(Login::Open);
    peer.fault(Method::Get, "", reply(429, &[("retry-after", "2")], ""));
    let mut first = Exchange::tags(&session, repository.clone());
    let Output::Send(request) = first.poll(Instant::from_millis(0)) else { panic!() };
    answered(&mut first, &request, &mut peer);
    while !matches!(first.poll(Instant::from_millis(100)), Output::Wait(_)) {}
    let mut second = Exchange::tags(&session, repository);
    let Output::Wait(wake) = second.poll(Instant::from_millis(500)) else { panic!("it was to wait") };
    assert_eq!(wake.until, Some(Instant::from_millis(2_100)));
    assert!(matches!(second.poll(Instant::from_millis(2_100)), Output::Send(_)));
    let elsewhere = Repository::parse("other.example/team/web").unwrap();
    let mut third = Exchange::tags(&session, elsewhere);
    assert!(matches!(third.poll(Instant::from_millis(500)), Output::Send(_)));
}

#[test]
fn a_host_that_asks_to_be_left_alone_is_left_alone_after_the_last_try_as_well() {
    let retry = RetryPolicy { attempts: 2, ..RetryPolicy::default() };
    let session = Session::new(Config { retry, ..Config::default() });
    let repository = Repository::parse("reg.example/team/web").unwrap();
    let mut peer = Peer::new(Login::Open);
    let mut first = Exchange::tags(&session, repository.clone());
    for at in [0, 2_000] {
        peer.fault(Method::Get, "", reply(503, &[("retry-after", "2")], ""));
        let Output::Send(request) = first.poll(Instant::from_millis(at)) else { panic!() };
        answered(&mut first, &request, &mut peer);
        while !matches!(first.poll(Instant::from_millis(at)), Output::Wait(_) | Output::Done(_)) {}
    }
    let mut second = Exchange::tags(&session, repository);
    let Output::Wait(wake) = second.poll(Instant::from_millis(2_500)) else { panic!("it was to wait") };
    assert_eq!(wake.until, Some(Instant::from_millis(4_000)));
}
