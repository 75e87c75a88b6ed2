//! What becomes of the defaults of a chart and of those in `charts/`, as Helm 4.3 has it before it judges them
//! (`pkg/chart/v2/util/dependencies.go`, `pkg/chart/common/util/coalesce.go`): which charts there are, and under which
//! names; what they import from each other; and what is laid over what.

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults::{Defaults, nodes, remove_null};
use crate::chart::Dependency;
use crate::diagnostic::Span;
use crate::version::{Constraint, Version};
use crate::yaml::{Data, Mapping, Node};

/// How many nodes may still be laid over each other, in all charts together: a chart under many aliases, level below
/// level, makes a small archive ask without end.
pub(super) struct Budget(pub(super) u64);

impl Budget {
    pub(super) fn spend(&mut self, nodes: usize) -> Result<(), Stop> {
        self.0 = self.0.checked_sub(nodes as u64).ok_or(Stop::TooMuch)?;
        Ok(())
    }
}

/// Why there is nothing to be judged.
pub(super) enum Stop {
    TooMuch,
    /// What is meant for a vendored chart is no mapping. `helm lint` says nothing then, not even of other values.
    Mismatch,
}

/// Levels below which imported values may be put.
const MOST_LEVELS: usize = 50;

/// A chart under one of its names.
pub(super) struct Chart<'a> {
    pub(super) defaults: &'a Defaults,
    pub(super) name: &'a str,
    /// What Chart.yaml declares. Of what is switched off nothing is left.
    dependencies: Vec<&'a Dependency>,
    /// The dependencies go by their aliases.
    is_named: bool,
    pub(super) charts: Vec<Chart<'a>>,
    /// Its own values with all that is imported, if anything might be.
    imported: Option<Node>,
}

impl<'a> Chart<'a> {
    /// Charts that are switched on, with what they import.
    pub(super) fn new(defaults: &'a Defaults, budget: &mut Budget) -> Result<Chart<'a>, Stop> {
        let mut chart = Chart::loaded(defaults, &defaults.metadata.name, budget)?;
        chart.switch(&Node::default(), "", budget)?;
        chart.import(budget)?;
        Ok(chart)
    }

    fn loaded(defaults: &'a Defaults, name: &'a str, budget: &mut Budget) -> Result<Chart<'a>, Stop> {
        let dependencies: Vec<&Dependency> = defaults.metadata.dependencies.iter().collect();
        budget.spend(4 + dependencies.len())?;
        let mut charts = Vec::new();
        for vendored in &defaults.vendored {
            charts.push(Chart::loaded(vendored, &vendored.metadata.name, budget)?);
        }
        Ok(Chart { defaults, name, dependencies, is_named: false, charts, imported: None })
    }

    fn name_of(&self, dependency: &'a Dependency) -> &'a str {
        if self.is_named { dependency.known_as() } else { &dependency.name }
    }

    fn values(&self) -> &Node {
        self.imported.as_ref().unwrap_or_else(|| self.defaults.values())
    }

    fn has(&self, name: &str) -> bool {
        self.charts.iter().any(|chart| chart.name == name)
    }

    /// Gives the charts their names and takes those out that are switched off; `path` leads to this one in `above`. A
    /// chart that declares nothing takes what is there.
    fn switch(&mut self, above: &Node, path: &str, budget: &mut Budget) -> Result<(), Stop> {
        if self.dependencies.is_empty() {
            return Ok(());
        }
        let ranges: Vec<Option<Constraint>> =
            self.dependencies.iter().map(|one| Constraint::parse(&one.version).ok()).collect();
        let versions: Vec<Option<Version>> =
            self.charts.iter().map(|chart| Version::parse(&chart.defaults.metadata.version).ok()).collect();
        budget.spend(self.charts.len().saturating_mul(self.dependencies.len()))?;
        let is_meant = |chart: usize, wanted: usize| {
            let range = ranges[wanted].as_ref().zip(versions[chart].as_ref());
            self.charts[chart].name == self.dependencies[wanted].name
                && range.is_some_and(|(range, version)| range.matches(version))
        };
        let (charts, wanted) = (0..self.charts.len(), 0..self.dependencies.len());
        let mut there = Vec::new();
        for chart in charts.clone().filter(|chart| !wanted.clone().any(|wanted| is_meant(*chart, wanted))) {
            there.push((self.charts[chart].defaults, self.charts[chart].name));
        }
        for wanted in wanted {
            if let Some(chart) = charts.clone().find(|chart| is_meant(*chart, wanted)) {
                there.push((self.charts[chart].defaults, self.dependencies[wanted].known_as()));
            }
        }
        self.charts.clear();
        for (defaults, name) in there {
            self.charts.push(Chart::loaded(defaults, name, budget)?);
        }
        self.is_named = true;

        let seen = self.coalesced(self.copy_for(above, path, budget)?, false, budget)?;
        let tags = seen.get("tags");
        let search = search(&seen);
        let mut off: Vec<&str> = Vec::new();
        for dependency in &self.dependencies {
            let keys = dependency.condition.split(['.', ',']).count().saturating_mul(1 + path.matches('.').count());
            budget.spend(dependency.condition.len() + (keys + dependency.tags.len()).saturating_mul(search))?;
            if !is_on(dependency, &seen, path, tags) {
                off.push(dependency.known_as());
            }
        }
        self.charts.retain(|chart| !off.contains(&chart.name));
        self.dependencies.retain(|dependency| !off.contains(&dependency.known_as()));
        for chart in &mut self.charts {
            let path = format!("{path}{}.", chart.name);
            chart.switch(&seen, &path, budget)?;
        }
        Ok(())
    }

    /// Of the values of the charts above what may decide here.
    fn copy_for(&self, above: &Node, path: &str, budget: &mut Budget) -> Result<Node, Stop> {
        let mut kept = Mapping::default();
        let first = path.split('.').next().unwrap_or_default();
        for pair in above.as_mapping().map_or(&[][..], |mapping| &mapping.pairs) {
            let (key, _, value) = pair;
            budget.spend(1 + self.charts.len())?;
            if ["tags", "global", first].contains(&key.as_str()) || self.has(key) {
                budget.spend(nodes(value))?;
                kept.pairs.push(pair.clone());
            }
        }
        Ok(table(kept))
    }

    /// Takes over what `import-values` names, the innermost charts first.
    fn import(&mut self, budget: &mut Budget) -> Result<(), Stop> {
        for chart in &mut self.charts {
            chart.import(budget)?;
        }
        if self.dependencies.is_empty() {
            return Ok(());
        }
        let mut values = self.coalesced(table(Mapping::default()), true, budget)?;
        let mut imported = table(Mapping::default());
        let search = search(&values);
        for dependency in &self.dependencies {
            for wanted in &dependency.import_values {
                let name = |key: &str| match wanted.get(key) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => "<nil>".to_owned(),
                };
                let (child, parent) = match wanted {
                    Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                    Value::Object(_) => (name("child"), name("parent")),
                    _ => continue,
                };
                if parent.matches('.').count() > MOST_LEVELS {
                    return Err(Stop::TooMuch);
                }
                let path = format!("{}.{child}", self.name_of(dependency));
                budget.spend(path.len() + parent.len() + path.split('.').count().saturating_mul(search))?;
                let found = path.split('.').try_fold(&values, |node, key| node.get(key));
                let Some(found) = found.filter(|node| is_table(node)) else { continue };
                budget.spend(nodes(found) + nodes(&imported))?;
                let mut found = found.clone();
                if parent != "." {
                    for key in parent.rsplit('.') {
                        let pairs = vec![(key.to_owned(), Span::default(), found)];
                        found = table(Mapping { pairs, duplicates: Vec::new() });
                    }
                }
                lay(&mut imported, found, true);
            }
        }
        lay(&mut values, imported, true);
        self.imported = Some(values);
        Ok(())
    }

    /// The values of this chart and of all below it, under those that are given. `keeps_null`: what is null takes nothing
    /// away yet.
    pub(super) fn coalesced(&self, mut values: Node, keeps_null: bool, budget: &mut Budget) -> Result<Node, Stop> {
        self.lay_own(&mut values, keeps_null, budget)?;
        for chart in &self.charts {
            let global = values.get("global").cloned();
            budget.spend(global.as_ref().map_or(1, nodes))?;
            let Data::Mapping(mapping) = &mut values.data else { return Err(Stop::Mismatch) };
            budget.spend(mapping.pairs.len())?;
            let at = place_of(mapping, chart.name);
            let meant = &mut mapping.pairs[at].2;
            if !is_table(meant) {
                return Err(Stop::Mismatch);
            }
            lay_global(meant, global);
            let below = std::mem::take(meant);
            mapping.pairs[at].2 = chart.coalesced(below, keeps_null, budget)?;
        }
        Ok(values)
    }

    fn lay_own(&self, values: &mut Node, keeps_null: bool, budget: &mut Budget) -> Result<(), Stop> {
        budget.spend(nodes(self.values()))?;
        if values.span == Span::default() {
            values.span = self.values().span;
        }
        let (Data::Mapping(over), Data::Mapping(own)) = (&mut values.data, self.values().data.clone()) else {
            return Ok(());
        };
        budget.spend(over.pairs.len())?;
        let places = places(over);
        let mut gone = vec![false; over.pairs.len()];
        for (key, span, mut value) in own.pairs {
            let Some(at) = places.get(&key) else {
                if keeps_null || value.data != Data::Null {
                    if !keeps_null {
                        remove_null(&mut value);
                    }
                    over.pairs.push((key, span, value));
                }
                continue;
            };
            let known = &mut over.pairs[*at].2;
            if known.data == Data::Null && !keeps_null {
                gone[*at] = true;
            } else if is_table(known) && is_table(&value) {
                let keeps_null = keeps_null || self.has(&key);
                if !keeps_null {
                    remove_null(&mut value);
                }
                lay(known, value, keeps_null);
            }
        }
        take_out(over, &gone);
        Ok(())
    }
}

/// What it takes to find a key in these values, in nodes: some 64 keys are compared in the time of one.
fn search(values: &Node) -> usize {
    1 + nodes(values) / 64
}

/// Whether a dependency is switched on: the first condition that is a boolean decides, else its tags.
fn is_on(dependency: &Dependency, values: &Node, path: &str, tags: Option<&Node>) -> bool {
    for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
        let mut path = path.split_terminator('.').chain(condition.split('.'));
        if let Some(Node { data: Data::Bool(flag), .. }) = path.try_fold(values, |node, key| node.get(key)) {
            return *flag;
        }
    }
    let flag = |tag: &String| match tags?.get(tag)?.data {
        Data::Bool(flag) => Some(flag),
        _ => None,
    };
    let mut flags = dependency.tags.iter().filter_map(flag);
    match flags.next() {
        None => true,
        Some(first) => first || flags.any(|flag| flag),
    }
}

fn table(mapping: Mapping) -> Node {
    Node { data: Data::Mapping(mapping), ..Node::default() }
}

fn is_table(node: &Node) -> bool {
    node.as_mapping().is_some()
}

fn places(mapping: &Mapping) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for (at, (key, _, _)) in mapping.pairs.iter().enumerate() {
        places.insert(key.clone(), at);
    }
    places
}

/// Where a key stands; one that is missing is added, with an empty mapping.
fn place_of(mapping: &mut Mapping, key: &str) -> usize {
    mapping.pairs.iter().position(|(known, _, _)| known == key).unwrap_or_else(|| {
        mapping.pairs.push((key.to_owned(), Span::default(), table(Mapping::default())));
        mapping.pairs.len() - 1
    })
}

fn take_out(mapping: &mut Mapping, gone: &[bool]) {
    let mut gone = gone.iter();
    mapping.pairs.retain(|_| gone.next() != Some(&true));
}

/// Lays a mapping under another one.
fn lay(over: &mut Node, under: Node, keeps_null: bool) {
    let (Data::Mapping(over), Data::Mapping(under)) = (&mut over.data, under.data) else { return };
    let places = places(over);
    let mut gone = vec![false; over.pairs.len()];
    for (key, span, value) in under.pairs {
        let Some(at) = places.get(&key) else {
            over.pairs.push((key, span, value));
            continue;
        };
        let known = &mut over.pairs[*at].2;
        if known.data == Data::Null && !keeps_null && value.data != Data::Null {
            gone[*at] = true;
        } else {
            lay(known, value, keeps_null);
        }
    }
    take_out(over, &gone);
}

/// What is global above is global here, and stronger.
fn lay_global(values: &mut Node, above: Option<Node>) {
    let Data::Mapping(values) = &mut values.data else { return };
    let is_known = values.get("global").is_some_and(|known| !is_table(known));
    let above = above.unwrap_or_else(|| table(Mapping::default()));
    let Data::Mapping(above) = above.data else { return };
    if is_known {
        return;
    }
    let at = place_of(values, "global");
    let Data::Mapping(global) = &mut values.pairs[at].2.data else { return };
    let places = places(global);
    for (key, span, mut value) in above.pairs {
        let Some((_, place, known)) = places.get(&key).and_then(|at| global.pairs.get_mut(*at)) else {
            global.pairs.push((key, span, value));
            continue;
        };
        match (is_table(&value), is_table(known)) {
            (true, true) => lay(&mut value, std::mem::take(known), true),
            (false, false) => {}
            _ => continue,
        }
        (*place, *known) = (span, value);
    }
}
