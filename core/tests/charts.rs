//! Real charts, whole: read, shown and packed again as Helm 4.3.1 does.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::io::Read;

use chartoci::chart::package::Options;
use chartoci::chart::{Archive, Packaged, Scan, Section, package_in_memory, show};
use chartoci::check::{Document, check};
use chartoci::files::Memory;
use chartoci::time::Timestamp;
use chartoci::{Error, Limits};

mod common;
use common::real_charts;

/// The archives that Helm was asked about, each with its answers.
fn charts() -> Vec<(String, Vec<u8>, serde_json::Value)> {
    let Some((folder, answers)) = real_charts() else { return Vec::new() };
    let answered = answers.into_iter().filter(|answer| answer["show_chart"].is_string());
    answered
        .map(|answer| {
            let file = answer["file"].as_str().unwrap().to_owned();
            (file.clone(), std::fs::read(folder.join(file)).unwrap(), answer)
        })
        .collect()
}

/// Helm's own test data: archives by older versions, and charts that are wrong on purpose.
const TESTDATA: &str = "helm-testdata/";

fn gunzip(data: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(data).read_to_end(&mut tar).unwrap();
    tar
}

fn package(archive: &Archive, options: Options) -> Result<Packaged, Error> {
    let mut files = Memory::from_iter(archive.paths().map(|path| (path, archive.file(path).unwrap())));
    package_in_memory(&mut files, options, &Limits::default())
}

#[test]
fn real_charts_are_read_and_shown_as_helm_does() {
    let limits = Limits::default();
    for (file, data, answer) in charts() {
        let (archive, scan) = (Archive::read(&data, &limits).unwrap(), Scan::read(&data, &limits).unwrap());
        assert_eq!(format!("{:?}", archive.scan()), format!("{scan:?}"), "{file}");
        assert_eq!(Some(scan.digest.hex()), answer["sha256"].as_str(), "{file}");
        let shown = String::from_utf8(show(&archive, Section::Chart)).unwrap();
        assert_eq!(Some(shown.as_str()), answer["show_chart"].as_str(), "{file}");
    }
}

#[test]
fn what_helm_packed_is_packed_again_into_the_same_tar_file() {
    const COMMENT_AND_EXTRA: u8 = 0x14;
    let mut compared = 0;
    let charts = charts();
    for (file, data, _) in &charts {
        let archive = Archive::read(data, &Limits::default()).unwrap();
        // Chart.lock bears the time at which it was made.
        if data[3] != COMMENT_AND_EXTRA
            || file.starts_with(TESTDATA)
            || archive.paths().any(|path| path.ends_with("Chart.lock"))
        {
            continue;
        }
        let tar = gunzip(data);
        let modified =
            tar::Archive::new(&tar[..]).entries().unwrap().next().unwrap().unwrap().header().mtime().unwrap();
        let created = Some(Timestamp::from_unix(i64::try_from(modified).unwrap()));
        let again = package(&archive, Options { created, ..Options::default() }).unwrap();
        assert!(gunzip(&again.data) == tar, "{file}");
        assert_eq!(*file, again.filename);
        compared += 1;
    }
    assert!(charts.is_empty() || compared > 20, "only {compared} compared");
}

#[test]
fn real_charts_have_no_errors_to_report() {
    for (file, data, _) in charts().into_iter().filter(|(file, _, _)| !file.starts_with(TESTDATA)) {
        let report = check(&data, Some(Document::Chart), Some(&file), &Limits::default()).unwrap();
        assert!(report.is_ok(), "{file}\n{report}");
    }
}
