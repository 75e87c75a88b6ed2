//! The seeds and finds of the fuzz targets, replayed: what once was a crash stays mended.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod invariants;

use proptest::prelude::*;

const PATHS: &[&str] = &[
    "values.yaml",
    "values.schema.json",
    "README.md",
    "templates/a.yaml",
    "templates/.b",
    "templates/d/_c.tpl",
    "crds/x.yaml",
    ".helmignore",
    "Chart.lock",
    "requirements.yaml",
    "requirements.lock",
    "charts/dep/Chart.yaml",
    "charts/dep/values.yaml",
    "charts/_x/y",
    "charts/z.prov",
    "été",
    "files/NUL",
    "a/b/c/d/e/f",
    "a.b",
    "a-b",
    "a/b",
    "LICENSE",
];
const CONTENTS: &[&str] = &[
    "",
    "x",
    "{}",
    "[1, 2]\n",
    "a: 1\n",
    "\u{feff}a: 1\r\n",
    "name: dep\nversion: 1.0.0\n",
    "dependencies: [{name: dep}]\n",
    "digest: x\ngenerated: '2025-01-01T00:00:00.5Z'\n",
    "*.md\n!b\n",
    "docs/\n/a\n",
    "\0",
    "no line break at the end",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_packed_is_read_back(
        head in prop::sample::select(vec!["v1", "v2", "v3", "~"]),
        files in prop::collection::vec((prop::sample::select(PATHS), prop::sample::select(CONTENTS)), 0..8),
        description in "\\PC{0,100}",
    ) {
        let chart = format!("=Chart.yaml\napiVersion: {head}\nname: web\nversion: 1.0.0\ndescription: {description:?}\n");
        let files = files.iter().map(|(path, content)| format!("\n={path}\n{content}"));
        invariants::package((chart + &files.collect::<String>()).as_bytes());
    }

    #[test]
    fn versions_constraints_and_references_are_printed_as_they_are_read(
        constraint in "[<>=~^!]{0,2} ?v?[0-9x*]{1,2}(\\.[0-9x*]{1,2}){0,2}(-[a-z0-9.]{1,6})?( - [0-9.]{1,5}| \\|\\| [0-9.]{1,5}|, <[0-9]{1,2})?",
        versions in prop::collection::vec("v?[0-9]{1,3}(\\.[0-9]{1,3}){0,2}(-[a-z0-9.-]{1,8})?(\\+[a-z0-9.-]{1,8})?", 0..12),
        reference in "(oci://)?[a-z0-9.-]{1,12}(:[0-9]{1,5})?(/[a-z0-9._-]{1,8}){1,3}(:[A-Za-z0-9_.+-]{1,12})?(@sha256:[0-9a-f]{64})?",
    ) {
        invariants::constraint(format!("{constraint}\n{}", versions.join("\n")).as_bytes());
        invariants::reference(reference.as_bytes());
        invariants::reference(format!("oci://reg.example/a\nweb\n{}", versions.first().map_or("1.0.0", String::as_str)).as_bytes());
    }
}

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
