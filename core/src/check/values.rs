//! Rules for values.yaml.

use super::chart_yaml::Vendored;
use super::lint;
use super::page::{MOST, Page, quoted};
use crate::chart::Dependency;
use crate::chart::metadata::duplicates;
use crate::diagnostic::{Report, Span};
use crate::error::Code;
use crate::json::pointer_token;
use crate::limits::Limits;
use crate::yaml::{self, Data, Node};

/// All that is wrong with values; `charts` are those that the chart has in `charts/`, `dependencies` those that it declares.
pub(super) fn check<'a>(page: &mut Page, charts: &[Vendored], dependencies: &'a [Dependency], limits: &Limits) {
    let dependencies = &dependencies[..dependencies.len().min(MOST)];
    let charts = &charts[..charts.len().min(MOST)];
    let is_vendored = |one: &&Dependency| charts.iter().any(|chart| chart.name == one.name);
    let called = |one: &'a Dependency| if one.alias.is_empty() { &*one.name } else { &*one.alias };
    let is_undeclared = |chart: &&Vendored| dependencies.iter().all(|one| one.name != chart.name);
    let names = dependencies.iter().filter(is_vendored).map(called);
    let names: Vec<&str> = names.chain(charts.iter().filter(is_undeclared).map(|chart| &*chart.name)).collect();

    let Some(documents) = load(page, limits) else { return };
    for node in &documents {
        nulls(page, node, &names);
    }
    if let [node] = &documents[..] {
        comments(page, node);
    }
    lint::habits(page, "Helm 4 merges it over the first, Helm 3 does not read it", limits);
}

/// What keeps Helm from reading values, and keys that are written twice.
pub(super) fn load(page: &mut Page, limits: &Limits) -> Option<Vec<Node>> {
    let documents = page.yaml(yaml::Documents::Values, limits)?;
    let mut left = MOST;
    for node in &documents {
        node.each_not_json(&mut left, &mut |error| page.fail(&error));
        let mut report = Report::new();
        duplicates(node, page.name, &mut report);
        page.extend(report);
        if !matches!(node.data, Data::Null | Data::Mapping(_)) {
            let message = format!("the values are {}, not a mapping", node.describe());
            page.find(Code::VALUES_MAPPING, "", Some(node.span), message);
        }
    }
    Some(documents)
}

/// A null below the key of a vendored chart takes away that chart's default.
fn nulls(page: &mut Page, node: &Node, charts: &[&str]) {
    let Some(mapping) = node.as_mapping() else { return };
    for name in charts {
        let Some((key, place, value)) = mapping.pairs.iter().find(|(key, _, _)| key == name) else { continue };
        let mut path = format!("/{}", pointer_token(key));
        if value.data == Data::Null {
            let message = format!("{} is null", quoted(key));
            page.find(Code::VALUES_NULL, path, Some(*place), message);
        } else {
            nulls_below(page, value, &mut path);
        }
    }
}

fn nulls_below(page: &mut Page, node: &Node, path: &mut String) {
    let Some(mapping) = node.as_mapping() else { return };
    let length = path.len();
    for (key, place, value) in &mapping.pairs {
        path.push('/');
        path.push_str(&pointer_token(key));
        if value.data == Data::Null {
            page.find(Code::VALUES_NULL, &*path, Some(*place), format!("{} is null", quoted(key)));
        } else {
            nulls_below(page, value, path);
        }
        path.truncate(length);
    }
}

/// `## @param image.tag …`, as the generators of READMEs read it, for a value that is not there.
fn comments(page: &mut Page, node: &Node) {
    let Ok(text) = std::str::from_utf8(page.text) else { return };
    let (mut start, mut steps) = (0, 10_000_000_u32);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let here = start;
        start += line.len();
        let Some((before, rest)) = line.split_once("@param ") else { continue };
        if !before.contains('#') || !before.bytes().all(|byte| byte == b'#' || byte == b' ') {
            continue;
        }
        let path = rest.split_whitespace().next().unwrap_or_default();
        if path.is_empty() || is_there(node, path, &mut steps) {
            continue;
        }
        let start = here + line.len() - rest.len() + rest.find(path).unwrap_or(0);
        let (line, column) = (number as u32 + 1, 1 + line[..start - here].chars().count() as u32);
        let end_column = column + path.chars().count() as u32;
        let span = Span { start, end: start + path.len(), line, column, end_line: line, end_column };
        page.find(Code::VALUES_COMMENT, "", Some(span), format!("there is no value {}", quoted(path)));
    }
}

/// `a.b[0].c`; keys may themselves hold dots.
fn is_there(node: &Node, path: &str, steps: &mut u32) -> bool {
    if path.is_empty() {
        return true;
    }
    if let Some((index, rest)) = path.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let Data::Sequence(items) = &node.data else { return false };
        let item = index.parse().ok().and_then(|index: usize| items.get(index));
        return item.is_some_and(|item| is_there(item, rest.strip_prefix('.').unwrap_or(rest), steps));
    }
    let Some(mapping) = node.as_mapping() else { return false };
    mapping.pairs.iter().any(|(key, _, value)| {
        // Of too many keys nothing is said.
        *steps = steps.saturating_sub(1);
        if *steps == 0 {
            return true;
        }
        let Some(rest) = path.strip_prefix(key.as_str()) else { return false };
        match rest.strip_prefix('.') {
            Some(rest) => is_there(value, rest, steps),
            None => rest.is_empty() || rest.starts_with('[') && is_there(value, rest, steps),
        }
    })
}
