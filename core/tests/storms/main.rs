//! Storms: exchanges against the registry over a network that fails at random, in virtual time.
//!
//! Every seed is a world of its own: kind of authentication, a registry's habits, latencies, sizes, and how often what goes
//! wrong. A world is pushed to, pulled from and listed; afterwards an independent model reads the registry's files and says
//! what is there. `STORMS` is the number of seeds (if it is not set 20,000, and 1,000 in debug builds, which are twenty times
//! as slow), shared out among all processors; `STORM` the one seed whose transcript is to be shown.

mod fate;
mod habits;
mod model;
mod network;
mod random;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fate::Weather;
use world::{Report, World};

#[allow(clippy::disallowed_methods, reason = "a test reads how long it may take")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds() -> u64 {
    variable("STORMS").unwrap_or(if cfg!(debug_assertions) { 1_000 } else { 20_000 })
}

/// So many seeds, or the one that is to be shown.
fn chosen(count: u64) -> Range<u64> {
    variable("STORM").map_or(0..count, |seed| seed..seed + 1)
}

/// Does that for every seed, on all processors; with the first that fails no other is begun.
fn all(seeds: Range<u64>, each: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let rest = Rest(&next);
            each(seed);
            std::mem::forget(rest);
        }
    };
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..count).for_each(|_| drop(scope.spawn(worker))));
}

/// Where it is dropped, a seed has failed.
struct Rest<'a>(&'a AtomicU64);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}

fn succeeds(seed: u64, report: &Report) {
    for (operation, result) in &report.results {
        assert_eq!(result, "ok", "seed {seed}, {operation}\n{}", report.transcript);
    }
}

#[test]
fn without_faults_every_operation_succeeds() {
    all(0..seeds() / 20, |seed| succeeds(seed, &World::new(seed, Weather::Clear).run()));
}

#[test]
fn faults_that_pass_are_survived() {
    all(chosen(seeds() / 4), |seed| succeeds(seed, &World::new(seed, Weather::Showers).run()));
}

#[test]
fn storms_end_and_break_no_rule() {
    let endings: Mutex<BTreeMap<(&str, String), u64>> = Mutex::default();
    all(chosen(seeds()), |seed| {
        let report = World::new(seed, Weather::Storm).run();
        if variable("STORM").is_some() {
            println!("{}", report.transcript);
        }
        let mut endings = endings.lock().expect("no other has failed");
        for (operation, result) in report.results {
            *endings.entry((operation, result)).or_default() += 1;
        }
    });
    for ((operation, ending), count) in endings.into_inner().expect("none has failed") {
        println!("{count:8} {operation:8} {ending}");
    }
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    all(0..seeds() / 100, |seed| {
        let first = World::new(seed, Weather::Storm).run().transcript;
        assert_eq!(first, World::new(seed, Weather::Storm).run().transcript, "seed {seed}");
    });
}

/// What the network may do, and what of it stands for that in the storms. What they cannot know stands in [`ELSEWHERE`].
const FAULTS: [(&str, &[&str]); 20] = [
    ("Retry-After in seconds", &["429, pause Seconds", "503, pause Seconds"]),
    ("Retry-After with decimals", &["429, pause Decimal"]),
    ("Retry-After as a date", &["429, pause Date"]),
    ("Retry-After that says nothing", &["429, pause Nonsense"]),
    ("what passes", &["408", "425", "429", "499", "500", "502", "503", "504", "NoConnection", "Twice"]),
    (
        "pulls that break off",
        &["Broken", "Short", "IgnoredRange", "ShortRange", "WrongContentRange", "resumed by Range"],
    ),
    ("uploads that break off", &["lost Before", "lost Midway", "lost After", "Restart", "asked how far it is"]),
    ("one PUT is too much", &["pieces told 413", "pieces untold 413", "pieces untold 416", "pieces untold 400", "413"]),
    ("least pieces", &["pieces told 413, with a least", "pieces untold 413, with a least", "sent in pieces"]),
    (
        "sessions",
        &["ranges WithUnit", "ranges OneTooMany", "ranges Missing", "ranges Lagging", "pieces are created", "416"],
    ),
    (
        "Location",
        &[
            "NoLocation",
            "OddLocation",
            "ForeignLocation",
            "locations Relative",
            "locations Absolute",
            "locations WithoutScheme",
            "locations WithPort",
            "locations Downgraded",
            "locations WithQuery",
            "locations WithFragment",
        ],
    ),
    (
        "redirects",
        &["redirected elsewhere", "redirected at home", "redirected elsewhere, too often", "Downgraded", "301", "307"],
    ),
    (
        "heads that decide",
        &[
            "a redirect breaks off",
            "a redirect drips",
            "what its head decides breaks off",
            "what its head decides drips",
        ],
    ),
    ("links", &["links Plain", "links Unnamed", "links Absolute", "links Downgraded", "links Blank", "links Second"]),
    (
        "refused mounts",
        &["mounts refused with 401", "mounts refused with 403", "mounts refused with 404", "mounts refused with 500"],
    ),
    ("digests in headers", &["NoDigestHeader", "ForeignDigestHeader", "WrongDigestHeader", "no digest is named"]),
    ("bodies", &["Page", "receipts of a page's type", "Flipped", "Long", "Endless", "Drip", "a body is given up"]),
    ("tokens", &["Expired", "HostileRealm", "tokens by form", "no credential", "401", "403"]),
    ("challenges", &["challenges Joined", "challenges Apart"]),
    ("silence and giving up", &["Silence", "out of time", "given up"]),
];

/// What else a client must stand is met before the machine hears of it, by a transport or by another host of files: here no
/// storm can blow, and these tests bring it about.
const ELSEWHERE: [(&str, &str, &[&str]); 10] = [
    (
        "proxies, NO_PROXY, their passwords",
        SURROUNDINGS,
        &[
            "test_plain_http_goes_through_the_proxy_by_the_whole_url",
            "test_https_goes_through_a_tunnel",
            "test_who_is_exempt_from_the_proxy",
        ],
    ),
    (
        "the same in Node",
        NODE,
        &[
            "a proxy is asked by the whole URL, or for a tunnel",
            "a proxy that wants another password says so, and its own is not told",
            "the environment's proxy is used save for loopback, NO_PROXY, and where it is switched off",
        ],
    ),
    (
        "a certificate authority of one's own, a client's certificate, files that are no such thing",
        SURROUNDINGS,
        &[
            "test_an_authority_is_believed_that_the_environment_names",
            "test_a_client_shows_its_certificate",
            "test_a_file_that_is_not_there_is_named",
        ],
    ),
    (
        "the same in Node",
        NODE,
        &[
            "TLS: an authority of one's own, a client's certificate",
            "an authority is believed that the environment names",
            "a file with certificates that cannot be used is named",
        ],
    ),
    (
        "TLS that is none, names that nobody knows, hosts that are not allowed",
        TRANSPORTS,
        &["test_failures_have_their_name_and_the_next_request_is_well", "test_what_cannot_be_reached_says_so"],
    ),
    (
        "a last PUT over which a registry thinks for minutes, a peer that stops reading",
        TRANSPORTS,
        &[
            "test_a_registry_may_think_about_an_upload_but_not_for_ever",
            "test_a_peer_that_is_sent_a_blob_is_not_waited_for_for_ever",
        ],
    ),
    ("a socket that is hung up on when somebody gives up", TRANSPORTS, &["test_cancelling_ends_at_once_and_hangs_up"]),
    (
        "credential helpers that fail or are not there, a disk that is full",
        SITUATIONS,
        &[
            "a credential helper that fails",
            "a credential helper that is not there",
            "a file of the client's that cannot be written to its end",
        ],
    ),
    (
        "a credential helper that never answers",
        LOGIN,
        &["test_a_helper_that_takes_too_long_is_killed_with_all_that_it_started"],
    ),
    (
        "the same in Node",
        NODE_LOGIN,
        &[
            "a helper that takes too long is killed with all that it started",
            "a helper for which nobody waits any more is killed with all that it started",
        ],
    ),
];
const LOGIN: &str = include_str!("../../../tests/python/test_login.py");
const NODE_LOGIN: &str = include_str!("../../../tests/js/login.test.js");
const SURROUNDINGS: &str = include_str!("../../../tests/python/test_surroundings.py");
const TRANSPORTS: &str = include_str!("../../../tests/python/test_transports.py");
const SITUATIONS: &str = include_str!("../../../tests/errors/situations.json");
const NODE: &str = include_str!("../../../tests/js/transport.test.js");

#[test]
fn what_storms_cannot_know_has_tests_elsewhere() {
    for (fault, file, tests) in ELSEWHERE {
        for test in tests {
            assert!(file.contains(test), "{fault}: there is no test {test}");
        }
    }
}

#[test]
fn storms_know_every_fault() {
    let met: Mutex<BTreeSet<String>> = Mutex::default();
    all(0..1_000, |seed| {
        let report = World::new(seed, Weather::Storm).run();
        met.lock().expect("no other has failed").extend(report.tally);
    });
    let met = met.into_inner().expect("none has failed");
    for (fault, names) in FAULTS {
        for name in names {
            assert!(met.contains(*name), "{fault}: {name} was never met; there were {met:#?}");
        }
    }
}
