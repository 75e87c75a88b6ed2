//! The seeds and finds of the fuzz targets, replayed: what once was a crash stays mended.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod invariants;

#[test]
fn every_corpus_keeps_the_invariants() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut failures = Vec::new();
    for (name, target) in invariants::TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                failures.push(path);
            }
            count += 1;
        }
        assert!(count > 0, "no seeds for {name}");
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
