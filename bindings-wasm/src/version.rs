//! Versions and constraints. They cross as texts: the core reads them again, which is cheaper than keeping handles.

use std::cmp::Ordering;

use chartoci::version::tag;
use chartoci::{Constraint, Version};
use js_sys::Object;
use wasm_bindgen::prelude::*;

use crate::dto;
use crate::errors::{Result, throw};

#[wasm_bindgen(js_name = parseVersion)]
pub fn parse_version(text: &str, strict: bool) -> Result<Object> {
    let version = match strict {
        true => Version::parse_strict(text),
        false => Version::parse(text),
    }
    .map_err(throw)?;
    Ok(dto::object()
        .with("major", dto::number(version.major()))
        .with("minor", dto::number(version.minor()))
        .with("patch", dto::number(version.patch()))
        .with("prerelease", version.prerelease())
        .with("build", version.build())
        .with("tag", version.tag())
        .with("text", version.as_str())
        .done())
}

#[wasm_bindgen(js_name = compareVersions)]
pub fn compare_versions(a: &str, b: &str) -> Result<i32> {
    let (a, b) = (Version::parse(a).map_err(throw)?, Version::parse(b).map_err(throw)?);
    Ok(match a.cmp(&b) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

#[wasm_bindgen(js_name = checkConstraint)]
pub fn check_constraint(text: &str) -> Result<()> {
    Constraint::parse(text).map(|_| ()).map_err(throw)
}

#[wasm_bindgen(js_name = constraintMatches)]
pub fn constraint_matches(constraint: &str, version: &str) -> Result<bool> {
    let version = Version::parse(version).map_err(throw)?;
    Ok(Constraint::parse(constraint).map_err(throw)?.matches(&version))
}

/// The place of the version that is picked.
#[wasm_bindgen(js_name = constraintPick)]
pub fn constraint_pick(constraint: &str, versions: Vec<String>) -> Result<Option<usize>> {
    let versions = versions.iter().map(|text| Version::parse(text).map_err(throw)).collect::<Result<Vec<Version>>>()?;
    let constraint = Constraint::parse(constraint).map_err(throw)?;
    Ok(constraint.pick(&versions).and_then(|picked| versions.iter().position(|version| std::ptr::eq(version, picked))))
}

/// The versions among a repository's tags, newest first.
#[wasm_bindgen(js_name = versionsOfTags)]
pub fn versions_of_tags(tags: Vec<String>, constraint: Option<String>, prerelease: bool) -> Result<Vec<String>> {
    let constraint = constraint.map(|text| Constraint::parse(&text).map_err(throw)).transpose()?;
    Ok(tag::versions(&tags, constraint.as_ref(), prerelease).iter().map(Version::to_string).collect())
}
