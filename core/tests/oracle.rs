//! The manifests and configs of real charts, beside those that the real Helm pushed (`oracle.jsonl`).
#![allow(clippy::disallowed_methods)]

use chartoci::chart::Scan;
use chartoci::time::Timestamp;
use chartoci::{Artifact, Limits};

mod common;
use common::real_charts;

/// When the files of the charts were last changed, by the oracle's record.
const CREATED: i64 = 1_750_000_000;

#[test]
fn real_charts_have_the_manifest_and_config_that_helm_pushed() {
    let Some((folder, oracle)) = real_charts() else { return };
    let mut compared = 0;
    let mut differences = Vec::new();
    for wanted in &oracle {
        let file = wanted["file"].as_str().unwrap();
        let archive = std::fs::read(folder.join(file)).unwrap();
        let provenance = std::fs::read(folder.join(format!("{file}.prov"))).ok();
        let built = Scan::read(&archive, &Limits::default()).and_then(|scan| {
            Artifact::build(&scan, provenance.as_deref(), Some(Timestamp::from_unix(CREATED)), &Limits::default())
        });
        let (ours, helms) = match &built {
            Ok(artifact) => (
                [text(artifact.config().unwrap_or_default()), text(artifact.manifest()), artifact.digest().to_string()],
                ["config", "manifest", "digest"].map(|name| wanted[name].as_str().unwrap_or("refused").to_owned()),
            ),
            // What Helm refuses is refused here, for whatever reason.
            Err(_) if wanted["push_error"].is_string() => Default::default(),
            Err(error) => ([format!("{error:?}"), String::new(), String::new()], Default::default()),
        };
        compared += 1;
        if ours != helms {
            differences.push(format!("{file}\n  {}\n  {}", ours.join("\n  "), helms.join("\n  ")));
        }
    }
    assert!(differences.is_empty(), "{} of {compared} differ\n{}", differences.len(), differences.join("\n"));
    println!("{compared} charts compared");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
