//! Whatever answers, an exchange ends, sends no credential where it must not go, and claims nothing that is not so.

use chartoci::auth::Credential;
use chartoci::exchange::{Config, Exchange, IfExists, Outcome, Output, Pull, Push, Resolve, Session, Traits, Want};
use chartoci::http::{Failure, Headers, Request, ResponseHead};
use chartoci::oci::{Digest, Reference};
use chartoci::time::Instant;

use crate::peer::{CHART_TYPE, MANIFEST, PROVENANCE_TYPE, basic, chart_with};

/// A small generator: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn head(dice: &mut Dice, push: &Push) -> ResponseHead {
    let status = dice.one(&[
        200, 200, 200, 201, 201, 202, 202, 204, 206, 206, 301, 302, 303, 307, 308, 304, 400, 401, 401, 401, 403, 404,
        405, 408, 409, 413, 416, 429, 500, 502, 503, 599, 100, 0, 999,
    ]);
    let digest = Digest::of(&push.manifest).to_string();
    let values: &[(&str, &[&str])] = &[
        ("content-type", &[MANIFEST, "text/html", "application/json", "application/vnd.oci.image.index.v1+json", ""]),
        ("content-length", &["0", "5", "17", "99999999999999999999", "-1", "4194305"]),
        ("content-encoding", &["gzip", "identity"]),
        (
            "content-range",
            &["bytes 0-16/17", "bytes 3-16/17", "bytes 7-16/*", "bytes */17", "x", "bytes 9-1/18446744073709551615"],
        ),
        (
            "location",
            &[
                "/v2/team/web/blobs/uploads/1?s=1",
                "/again",
                "https://evil.example/x",
                "http://reg.example/x",
                "//",
                "x",
                "",
                "\u{fc}",
            ],
        ),
        ("docker-content-digest", &[&digest, "sha256:00", "sha512:x", ""]),
        ("link", &["</v2/team/web/tags/list?n=2>; rel=next", "<https://evil.example/>; rel=next", "<"]),
        ("retry-after", &["0", "1.5", "30", "86400", "Sun, 06 Nov 1994 08:49:37 GMT", "x"]),
        ("date", &["Sun, 06 Nov 1994 08:49:29 GMT"]),
        (
            "www-authenticate",
            &[
                "Basic realm=\"x\"",
                "Bearer realm=\"https://reg.example/token\",service=\"s\"",
                "Bearer realm=\"https://auth.example/t\"",
                "Bearer realm=\"http://evil.example/\"",
                "Bearer",
                "Negotiate",
                "\"",
                "Bearer realm=\"https://auth.example/t\", Basic",
            ],
        ),
    ];
    let mut headers = Headers::new();
    for (name, values) in values {
        let likely = if matches!(*name, "location" | "www-authenticate" | "content-type") { 2 } else { 4 };
        if dice.below(likely) == 0 {
            headers.add(name, dice.one(values));
        }
    }
    let url = (dice.below(12) == 0).then(|| {
        dice.one(&["https://evil.example/x", "http://reg.example/", "junk", "https://reg.example/y"]).to_owned()
    });
    ResponseHead { status, headers, url }
}

fn body(dice: &mut Dice, push: &Push, blobs: &[Vec<u8>]) -> Vec<u8> {
    match dice.below(9) {
        0 => Vec::new(),
        1 => push.manifest.to_vec(),
        2 => blobs[dice.below(blobs.len())].clone(),
        3 => br#"{"token":"t","expires_in":1}"#.to_vec(),
        4 => br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"},{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#.to_vec(),
        5 => br#"{"tags":["1.2.3","1.0.0_x"]}"#.to_vec(),
        6 => b"<html>".to_vec(),
        7 => {
            let digest = Digest::of(&push.manifest);
            let size = push.manifest.len();
            format!(r#"{{"manifests":[{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{size}}}]}}"#).into_bytes()
        }
        _ => vec![b'x'; dice.below(40)],
    }
}

fn exchange(dice: &mut Dice, session: &Session, push: &Push) -> Exchange {
    let reference = match dice.below(4) {
        0 => Reference::new(push.target.base().clone(), None, None),
        1 => Reference::new(push.target.base().clone(), Some("1.2.3".into()), Some(Digest::of(&push.manifest))),
        _ => push.target.clone(),
    };
    match dice.below(7) {
        0 => Exchange::tags(session, reference.base().clone()),
        1 => Exchange::fetch(session, reference.base().clone(), push.uploads[1].descriptor.clone()),
        2 => Exchange::resolve(session, Resolve { reference, version: None, devel: true }),
        3 | 4 => {
            let want =
                Want { chart: true, provenance: dice.below(2) == 0, config: dice.below(2) == 0, anything: false };
            Exchange::pull(
                session,
                Pull { reference, version: None, devel: false, want, check_tag: true, verify: false },
            )
        }
        _ => {
            let if_exists = dice.one(&[IfExists::Overwrite, IfExists::SkipSame, IfExists::Refuse]);
            Exchange::push(session, Push { if_exists, ..push.clone() })
        }
    }
}

/// A credential goes to the registry, or to a token server that may get it.
fn check(request: &Request) {
    let host = request.url.split('/').nth(2).unwrap();
    assert!(request.url.starts_with("https://"), "{}", request.url);
    if request.headers.get("authorization").is_some() {
        assert!(host == "reg.example" || host == "auth.example", "{}", request.url);
    }
}

fn run(seed: u64, log: &mut String) -> Result<Outcome, chartoci::Error> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (push, blobs) = chart_with(&[(CHART_TYPE, b"this is the chart"), (PROVENANCE_TYPE, b"provenance")]);
    let session = Session::new(Config {
        seed,
        has_credentials: dice.below(2) == 0,
        transport: Traits { manual_redirects: dice.below(3) > 0, all_headers: dice.below(3) > 0 },
        ..Config::default()
    });
    let mut exchange = exchange(&mut dice, &session, &push);
    let (mut now, mut out) = (0, Vec::new());
    for _ in 0..20_000 {
        match exchange.poll(Instant::from_millis(now)) {
            Output::Send(request) => {
                check(&request);
                log.push_str(&format!("{} {} {:?}\n", request.method.as_str(), request.url, request.headers));
                out.push(request);
                assert!(out.len() <= 3, "no more in flight than allowed");
            }
            Output::Cancel(id) => out.retain(|request| request.id != id),
            Output::Ask(query) => {
                let given = dice.one(&[
                    None,
                    Some(basic()),
                    Some(Credential::Identity("i".into())),
                    Some(Credential::Bearer("b".into())),
                ]);
                exchange.handle_credential(query.id, given);
            }
            Output::Done(result) => {
                assert!(out.is_empty(), "nothing is left in flight");
                return result;
            }
            Output::Wait(wake) if out.is_empty() => now = wake.until.expect("a reason to wait").as_millis(),
            Output::Wait(_) => {
                now += 1;
                let request = out.remove(dice.below(out.len()));
                if dice.below(8) == 0 {
                    let failure = dice.one(&[Failure::Reset, Failure::Timeout, Failure::Other("?".into())]);
                    exchange.handle_failure(request.id, failure, None);
                    continue;
                }
                let mut receiver = exchange.handle_response(request.id, head(&mut dice, &push));
                for chunk in body(&mut dice, &push, &blobs).chunks(6) {
                    if !receiver.write(chunk) || dice.below(20) == 0 {
                        break;
                    }
                }
                match dice.below(6) {
                    0 => exchange.handle_failure(request.id, Failure::Reset, Some(receiver)),
                    _ => exchange.handle_end(request.id, receiver),
                }
            }
            _ => {}
        }
    }
    panic!("seed {seed} does not end:\n{}", log.lines().take(60).collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_exchange_ends_whatever_answers() {
    let mut succeeded = 0;
    for seed in 0..10_000 {
        let mut log = String::new();
        let result = run(seed, &mut log);
        let shown = format!("{result:?}");
        assert!(!shown.contains("dTpw") && !shown.contains("Bearer b"), "{shown}");
        succeeded += usize::from(result.is_ok());
        if seed % 100 == 0 {
            let mut again = String::new();
            assert_eq!(shown, format!("{:?}", run(seed, &mut again)));
            assert_eq!(log, again, "the same seed, the same requests");
        }
    }
    assert!(succeeded > 20, "some succeed: {succeeded}");
}
