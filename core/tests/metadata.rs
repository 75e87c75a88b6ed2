//! The metadata of real charts, beside what Helm 4.3.1 says and pushes for each: equal, byte for byte.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use chartoci::yaml;
use chartoci::{Limits, Metadata};

mod common;
use common::real_charts;

/// Every YAML file outside of templates, by its path below the chart's root.
fn read(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().replace('\\', "/");
        let Some((_, path)) = path.split_once('/') else { continue };
        if (path.ends_with(".yaml") || path.ends_with(".yml")) && !path.contains("templates/") {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path.to_owned(), content);
        }
    }
    files
}

fn charts() -> Option<(PathBuf, Vec<serde_json::Value>)> {
    let (folder, mut answers) = real_charts()?;
    answers.retain(|chart| chart["show_chart"].is_string());
    Some((folder, answers))
}

#[test]
fn metadata_of_real_charts_is_helms() {
    let Some((folder, oracle)) = charts() else { return };
    let limits = Limits::default();
    for expected in &oracle {
        let file = expected["file"].as_str().unwrap();
        let files = read(&folder.join(file));
        let requirements = files.get("requirements.yaml").map(Vec::as_slice);
        let (metadata, _) = Metadata::load(&files["Chart.yaml"], requirements, &limits).unwrap();
        if let Some(config) = expected["config"].as_str() {
            assert_eq!(String::from_utf8(metadata.config()).unwrap(), config, "{file}");
        }
        assert_eq!(metadata.to_yaml() + "\n", expected["show_chart"].as_str().unwrap(), "{file}");
        assert_eq!(Metadata::from_config(&metadata.config(), &limits).unwrap(), metadata, "{file}");
        let again: serde_json::Value = serde_yaml::from_str(&metadata.to_yaml()).unwrap();
        assert_eq!(again, serde_json::json!(metadata), "{file}");
    }
}

#[test]
fn every_yaml_file_of_real_charts_is_read() {
    let Some((folder, oracle)) = charts() else { return };
    for expected in &oracle {
        let file = expected["file"].as_str().unwrap();
        for (path, content) in read(&folder.join(file)) {
            if let Err(error) = yaml::parse_all(&content, &Limits::default()) {
                panic!("{file} {path}: {error:?}");
            }
        }
    }
}
