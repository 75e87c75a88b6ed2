//! Storms: exchanges against the registry over a network that fails at random, in virtual time.
//!
//! Every seed is a world of its own: kind of authentication, latencies, sizes, and how often what goes wrong. A world is
//! pushed to, pulled from and listed; afterwards an independent model reads the registry's files and says what is there.
//! `STORMS` is the number of seeds (if it is not set 20,000, and 1,000 in debug builds, which are twenty times as slow), `STORM` the one seed whose transcript is to be shown.

mod fate;
mod model;
mod network;
mod random;
mod world;

use std::collections::BTreeMap;

use fate::Weather;
use world::World;

#[allow(clippy::disallowed_methods, reason = "a test reads how long it may take")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds() -> u64 {
    variable("STORMS").unwrap_or(if cfg!(debug_assertions) { 1_000 } else { 20_000 })
}

#[test]
fn without_faults_every_operation_succeeds() {
    for seed in 0..seeds() / 20 {
        let report = World::new(seed, Weather::Clear).run();
        for (operation, result) in &report.results {
            assert_eq!(result, "ok", "seed {seed}, {operation}\n{}", report.transcript);
        }
    }
}

#[test]
fn faults_that_pass_are_survived() {
    for seed in 0..seeds() / 4 {
        let report = World::new(seed, Weather::Showers).run();
        for (operation, result) in &report.results {
            assert_eq!(result, "ok", "seed {seed}, {operation}\n{}", report.transcript);
        }
    }
}

#[test]
fn storms_end_and_break_no_rule() {
    let mut endings: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let range = variable("STORM").map_or(0..seeds(), |seed| seed..seed + 1);
    for seed in range {
        let report = World::new(seed, Weather::Storm).run();
        if variable("STORM").is_some() {
            println!("{}", report.transcript);
        }
        for (operation, result) in report.results {
            *endings.entry((operation, result)).or_default() += 1;
        }
    }
    for ((operation, ending), count) in endings {
        println!("{count:8} {operation:8} {ending}");
    }
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    for seed in 0..seeds() / 100 {
        let first = World::new(seed, Weather::Storm).run().transcript;
        assert_eq!(first, World::new(seed, Weather::Storm).run().transcript, "seed {seed}");
    }
}
