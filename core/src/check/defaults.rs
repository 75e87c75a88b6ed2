//! The defaults of a chart against its schema, as Helm 4.3 judges them (`pkg/chart/common/util`): the chart's own values,
//! and for each vendored chart that is switched on its values as they come out below this one.
//!
//! What a JSON Schema means is no business of the core's: a [`Question`] has a schema and values, and whoever knows
//! JSON Schema answers with [`Violation`]s.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::page::MOST_DEPENDENCIES;
use super::schema;
use crate::chart::archive::merged_values;
use crate::chart::{Dependency, Metadata};
use crate::diagnostic::{Diagnostic, Report, Span};
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::schema::Violation;
use crate::yaml::{self, Data, Mapping, Node};

/// Do these values fit that schema?
///
/// ```
/// use chartoci::{Limits, Report, check::{Document, Question, check_asking}};
/// let schema = br#"{"$ref": "https://schemas.example/values.json"}"#;
/// let (_, questions): (Report, Vec<Question>) =
///     check_asking(schema, Some(Document::Schema), None, &Limits::default())?;
/// assert_eq!(questions[0].schema(), &br#"{"$ref": "urn:s://schemas.example/values.json"}"#[..]);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Question {
    /// Path of values.schema.json below the chart's root.
    document: String,
    schema: Arc<[u8]>,
    /// What the values are made of, the strongest first.
    layers: Vec<Layer>,
}

/// Values, or a part of them, from one document.
#[derive(Clone, Debug)]
struct Layer {
    document: String,
    text: Arc<[u8]>,
    /// Where `node` stands in the document.
    base: String,
    node: Arc<Node>,
}

/// Charts within charts whose values are looked at.
const MOST_LEVELS: usize = 32;
/// Questions that are asked about one chart.
const MOST_QUESTIONS: u64 = 100;
/// Bytes of a schema that count as much as one node of the values.
const BYTES_PER_NODE: usize = 16;
/// Bytes of a text in the values that count as one more node.
const TEXT_PER_NODE: usize = 64;

impl Question {
    /// Is this a schema at all? There are no values.
    pub(crate) fn of_schema(schema: &[u8]) -> Question {
        Question { document: "values.schema.json".to_owned(), schema: schema.into(), layers: Vec::new() }
    }

    /// values.schema.json, with URNs where it refers to another document: anything fits these, for nothing is ever
    /// fetched, and the rest can be judged. As it is, where this would change what the rest says.
    pub fn schema(&self) -> Cow<'_, [u8]> {
        let has = |word: &str| self.schema.windows(word.len()).any(|part| part == word.as_bytes());
        let places = remote_references(&self.schema);
        let others = ["\"$id\"", "\"not\"", "\"oneOf\"", "\"if\"", "\"contains\"", "\"unevaluated"];
        if places.is_empty() || others.into_iter().any(has) {
            return Cow::Borrowed(&self.schema);
        }
        let mut schema = self.schema.to_vec();
        for place in places {
            let target = schema.get_mut(place).unwrap_or_default();
            target.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = b'_');
            target.iter_mut().zip(*b"urn:").for_each(|(byte, new)| *byte = new);
        }
        Cow::Owned(schema)
    }

    /// The values, as JSON.
    pub fn values(&self) -> Vec<u8> {
        json::write(&crate::chart::to_json(&self.merged()))
    }

    fn merged(&self) -> Node {
        merged(&self.layers)
    }

    /// There are values; violations without any say nothing.
    fn has_values(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Findings, each at its place in the values or in the schema.
    pub fn answer(&self, violations: Result<Vec<Violation>, Error>) -> Report {
        self.findings(violations).with_sources(|document| {
            let layer = || self.layers.iter().find(|layer| layer.document == document).map(|layer| &*layer.text);
            if document == self.document { Some(&*self.schema) } else { layer() }
        })
    }

    /// Puts the answer into the report that the question came with, in place of what says there that nobody was asked.
    ///
    /// ```
    /// use chartoci::chart::{package::Options, package_in_memory};
    /// use chartoci::{Limits, check::check_asking, files::Memory, schema::Violation};
    /// let mut files = Memory::from_iter([
    ///     ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0"),
    ///     ("values.schema.json", r#"{"properties": {"replicas": {"type": "integer"}}}"#),
    ///     ("values.yaml", "replicas: two\n"),
    /// ]);
    /// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
    /// let (mut report, questions) = check_asking(&data, None, None, &Limits::default())?;
    /// assert_eq!(questions[0].values(), br#"{"replicas":"two"}"#);
    /// let violation = Violation {
    ///     pointer: "/replicas".to_owned(),
    ///     rule: "/properties/replicas/type".to_owned(),
    ///     message: "want integer, but got string".to_owned(),
    /// };
    /// let answer = questions[0].answer(Ok(vec![violation.clone()]));
    /// assert_eq!(answer.iter().next().map(|finding| finding.document.as_str()), Some("values.yaml"));
    /// questions[0].settle(&mut report, Ok(vec![violation]));
    /// assert!(report.errors().any(|finding| finding.code.name() == "values.schema"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn settle(&self, report: &mut Report, violations: Result<Vec<Violation>, Error>) {
        if let Some(open) = self.unanswered() {
            report.retain(&mut |finding| (finding.code, &finding.document) != (open.code, &open.document));
        }
        report.extend(self.answer(violations));
        *report = std::mem::take(report).sorted();
    }

    /// What stands in a report as long as nobody has answered. Nothing, if the schema is no JSON: that is said anyway.
    pub(crate) fn unanswered(&self) -> Option<Diagnostic> {
        json::parse(&self.schema, u64::MAX).ok()?;
        let message = match self.has_values() {
            true => "the defaults were not judged by this schema",
            false => "whether this is a JSON Schema was not judged",
        };
        Some(Diagnostic::new(Code::SCHEMA_UNJUDGED, &*self.document, message))
    }

    fn findings(&self, violations: Result<Vec<Violation>, Error>) -> Report {
        match violations {
            Ok(violations) if self.has_values() => violations.iter().map(|violation| self.finding(violation)).collect(),
            Ok(_) => Report::new(),
            // The rules of values.schema.json have said so.
            Err(_) if json::parse(&self.schema, u64::MAX).is_err() => Report::new(),
            Err(error) if error.code() == Code::SCHEMA_REMOTE && schema::leads_out(&self.schema) => Report::new(),
            Err(error) => {
                // Each place is looked for from the schema's start.
                let mut lookups = if self.schema.len() > 1 << 20 { 20_usize } else { 100 };
                let mut finding = |pointer: &str, message: String| {
                    let mut finding = Diagnostic::new(error.code(), &*self.document, message);
                    error.hint().clone_into(&mut finding.help);
                    let span = Some(pointer).filter(|pointer| !pointer.is_empty() && lookups > 0);
                    lookups = lookups.saturating_sub(1);
                    finding.at(pointer, span.and_then(|pointer| json::span(&self.schema, pointer)))
                };
                match error.report() {
                    Some(report) => report.iter().map(|one| finding(&one.pointer, one.message.clone())).collect(),
                    None => {
                        let pointer = error.context().iter().find(|(name, _)| *name == "pointer");
                        [finding(pointer.map_or("", |(_, value)| value), error.to_string())].into_iter().collect()
                    }
                }
            }
        }
    }

    /// `left` is what all questions of a report may still take.
    #[cfg(feature = "schema")]
    pub(super) fn judged(&self, limits: &Limits, left: &mut f64) -> Report {
        self.answer(crate::schema::validate_within(&self.schema(), &self.values(), limits, left))
    }

    #[cfg(not(feature = "schema"))]
    pub(super) fn judged(&self, _limits: &Limits, _left: &mut f64) -> Report {
        self.unanswered().into_iter().collect()
    }

    fn finding(&self, violation: &Violation) -> Diagnostic {
        let place = self.layers.iter().find_map(|layer| Some((layer, locate(&layer.node, &violation.pointer)?)));
        let is_key = violation.rule.ends_with("/additionalProperties");
        let (document, pointer, span) = match place {
            Some((layer, (node, key))) => {
                let span = if is_key { key } else { node.span };
                (&*layer.document, format!("{}{}", layer.base, violation.pointer), Some(span.within(&layer.text)))
            }
            None => ("values.yaml", violation.pointer.clone(), None),
        };
        let what = if violation.pointer.is_empty() { "the values" } else { &violation.pointer };
        let message = format!("{}: {}", clip(what), clip(&violation.message));
        let mut finding = Diagnostic::new(Code::VALUES_SCHEMA, document, message);
        let rule = if violation.rule.is_empty() { "its root" } else { &violation.rule };
        finding.help = format!("{} says so: change the value, or the schema at {}.", self.document, clip(rule));
        finding.at(pointer, span.filter(|span| span.end > 0))
    }
}

/// Where the texts stand, without their quotes, that name another document in `$ref`.
fn remote_references(schema: &[u8]) -> Vec<Range<usize>> {
    const KEY: &[u8] = b"\"$ref\"";
    let mut found = Vec::new();
    for (at, _) in schema.windows(KEY.len()).enumerate().filter(|(_, part)| *part == KEY) {
        let value = schema.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        let Some(text) = value.strip_prefix(b"\"") else { continue };
        let length = text.iter().position(|byte| *byte == b'"').unwrap_or_default();
        if length > 4 && !text.starts_with(b"#") && !text[..length].contains(&b'\\') {
            let start = schema.len() - text.len();
            found.push(start..start + length);
        }
    }
    found
}

/// What of a chart decides whether its defaults fit.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    /// Where it lies below the outermost chart's root: empty, or with a slash at the end.
    path: String,
    metadata: Metadata,
    values: Vec<u8>,
    schema: Option<Vec<u8>>,
    vendored: Vec<Defaults>,
    /// Values and schema as questions have them: a chart of many aliases is read once.
    shared: OnceCell<(Layer, Option<Arc<[u8]>>)>,
}

/// What is asked, and how much more of it there may be: a chart under many aliases, level below level, makes a small
/// archive ask without end.
struct Asking<'a> {
    limits: &'a Limits,
    questions: Vec<Question>,
    /// Nodes that may still be laid over each other, in all charts together.
    nodes_left: u64,
}

impl Asking<'_> {
    fn spend(&mut self, nodes: usize) -> Option<()> {
        self.nodes_left = self.nodes_left.checked_sub(nodes as u64)?;
        Some(())
    }
}

impl Defaults {
    pub(super) fn new(
        path: String,
        metadata: Metadata,
        values: Vec<u8>,
        schema: Option<Vec<u8>>,
        vendored: Vec<Defaults>,
    ) -> Defaults {
        Defaults { path, metadata, values, schema, vendored, shared: OnceCell::new() }
    }

    /// What has to be asked, vendored charts included. The report gets the answers where judging is built in.
    pub(super) fn questions(&self, limits: &Limits, report: &mut Report) -> Vec<Question> {
        let mut asking = Asking { limits, questions: Vec::new(), nodes_left: 2 * u64::from(limits.nodes) };
        if self.has_schema() && self.collect(vec![self.shared(limits).0.clone()], &[], 0, &mut asking).is_none() {
            let message = "the values of all charts in charts/, each under all of its names, are too much to be judged";
            report.push(Diagnostic::new(Code::LIMIT_NODES, "chart", message));
        }
        let mut left = crate::schema::MOST_OF_REPORT;
        for (at, question) in asking.questions.iter().enumerate() {
            // A chart of several names is not judged only once.
            let mut before = asking.questions.iter().take(at);
            if cfg!(feature = "schema") || !before.any(|other| other.document == question.document) {
                report.extend(question.judged(limits, &mut left));
            }
        }
        asking.questions
    }

    fn has_schema(&self) -> bool {
        self.schema.is_some() || self.vendored.iter().any(Defaults::has_schema)
    }

    fn shared(&self, limits: &Limits) -> &(Layer, Option<Arc<[u8]>>) {
        self.shared.get_or_init(|| {
            let document = format!("{}values.yaml", self.path);
            let node = Arc::new(merged_values(&self.values, limits).unwrap_or_default());
            let layer = Layer { document, text: self.values.as_slice().into(), base: String::new(), node };
            (layer, self.schema.as_deref().map(Arc::from))
        })
    }

    /// `tags` are those of the outermost chart's values. Nothing, if it is too much.
    fn collect(&self, layers: Vec<Layer>, tags: &[(String, bool)], level: usize, asking: &mut Asking) -> Option<()> {
        if level > MOST_LEVELS {
            return None;
        }
        for layer in &layers {
            asking.spend(nodes(&layer.node))?;
        }
        let values = merged(&layers);
        let own_tags: Vec<(String, bool)> = match values.get("tags").map(|tags| &tags.data) {
            Some(Data::Mapping(mapping)) if self.path.is_empty() => {
                let flag = |(name, _, node): &(String, _, Node)| match node.data {
                    Data::Bool(flag) => Some((name.clone(), flag)),
                    _ => None,
                };
                mapping.pairs.iter().filter_map(flag).collect()
            }
            _ => tags.to_vec(),
        };
        for vendored in &self.vendored {
            let name = &vendored.metadata.name;
            asking.spend(1 + self.metadata.dependencies.len())?;
            let declared: Vec<&Dependency> =
                self.metadata.dependencies.iter().filter(|one| one.name == *name).collect();
            for one in &declared {
                asking.spend(one.condition.len() + one.tags.len().saturating_mul(own_tags.len()))?;
            }
            let known_as: Vec<&str> = match declared.is_empty() {
                true => vec![name],
                false => {
                    declared.iter().filter(|one| is_on(one, &values, &own_tags)).map(|one| one.known_as()).collect()
                }
            };
            for key in known_as {
                let mut parts: Vec<Layer> = Vec::new();
                // What is global above is global here, and stronger.
                for layer in &layers {
                    if let Some(global) = layer.node.get("global") {
                        asking.spend(nodes(global))?;
                        let pairs = vec![("global".to_owned(), global.span, global.clone())];
                        let data = Data::Mapping(Mapping { pairs, duplicates: Vec::new() });
                        parts.push(Layer { node: Arc::new(Node { data, ..Node::default() }), ..layer.clone() });
                    }
                }
                for layer in &layers {
                    if let Some(node) = layer.node.get(key) {
                        asking.spend(nodes(node))?;
                        let base = format!("{}/{}", layer.base, json::pointer_token(key));
                        parts.push(Layer { base, node: Arc::new(node.clone()), ..layer.clone() });
                    }
                }
                parts.push(vendored.shared(asking.limits).0.clone());
                vendored.collect(parts, &own_tags, level + 1, asking)?;
            }
        }
        if let Some(schema) = &self.shared(asking.limits).1 {
            if asking.questions.len() as u64 >= MOST_QUESTIONS {
                return None;
            }
            asking.spend(schema.len() / BYTES_PER_NODE)?;
            let document = format!("{}values.schema.json", self.path);
            // `helm lint` asks about values.yaml as it stands, and once more as templates see it.
            if let ("", [own]) = (self.path.as_str(), layers.as_slice()) {
                asking.spend(nodes(&own.node))?;
                let declared = self.metadata.dependencies.iter().map(Dependency::known_as);
                let vendored = self.vendored.iter().map(|chart| chart.metadata.name.as_str());
                let keep: Vec<&str> = declared.chain(vendored).take(MOST_DEPENDENCIES).collect();
                if let Some(seen) = own.without_null(&keep) {
                    let layers = vec![seen];
                    asking.questions.push(Question { document: document.clone(), schema: schema.clone(), layers });
                }
            }
            asking.questions.push(Question { document, schema: schema.clone(), layers });
        }
        Some(())
    }
}

/// How many there are; long texts count as several.
fn nodes(node: &Node) -> usize {
    let text = |text: &str| text.len() / TEXT_PER_NODE;
    match &node.data {
        Data::Sequence(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Data::Mapping(mapping) => {
            1 + mapping.pairs.iter().map(|(key, _, value)| text(key) + nodes(value)).sum::<usize>()
        }
        Data::String(value) => 1 + text(value),
        _ => 1,
    }
}

/// Whether a dependency is switched on: the first condition that is a boolean decides, else its tags (Helm 4.3,
/// `pkg/chart/v2/util/dependencies.go`).
fn is_on(dependency: &Dependency, values: &Node, tags: &[(String, bool)]) -> bool {
    for condition in dependency.condition.split(',').map(str::trim).filter(|path| !path.is_empty()) {
        let found = condition.split('.').try_fold(values, |node, key| node.get(key));
        if let Some(Node { data: Data::Bool(flag), .. }) = found {
            return *flag;
        }
    }
    let mut flags =
        dependency.tags.iter().filter_map(|tag| tags.iter().find(|(known, _)| known == tag)).map(|one| one.1);
    match flags.next() {
        None => true,
        Some(first) => first || flags.any(|flag| flag),
    }
}

/// One layer over the other; of a chart's own values below another chart what is null on their first level is not there.
fn merged(layers: &[Layer]) -> Node {
    let mut values = vec![Node { data: Data::Mapping(Mapping::default()), ..Node::default() }];
    for (at, layer) in layers.iter().enumerate().rev() {
        let mut node = Node::clone(&layer.node);
        if let (true, Data::Mapping(mapping)) = (at + 1 == layers.len() && layer.is_below(), &mut node.data) {
            mapping.pairs.retain(|(_, _, value)| value.data != Data::Null);
        }
        values.push(node);
    }
    yaml::merge(values)
}

impl Layer {
    /// A vendored chart's own values.
    fn is_below(&self) -> bool {
        self.document.contains('/')
    }

    /// As the outermost chart's templates see its own values: without what is null, but for what is meant for vendored
    /// charts. Nothing, if that is the same.
    fn without_null(&self, keep: &[&str]) -> Option<Layer> {
        let mut node = Node::clone(&self.node);
        let mut is_changed = false;
        if let Data::Mapping(mapping) = &mut node.data {
            mapping.pairs.retain(|(_, _, value)| value.data != Data::Null);
            is_changed = mapping.pairs.len() != self.node.as_mapping()?.pairs.len();
            for (key, _, value) in &mut mapping.pairs {
                is_changed |= !keep.contains(&key.as_str()) && remove_null(value);
            }
        }
        is_changed.then(|| Layer { node: Arc::new(node), ..self.clone() })
    }
}

/// Removes keys whose value is null; tells whether there were any.
fn remove_null(node: &mut Node) -> bool {
    let Data::Mapping(mapping) = &mut node.data else { return false };
    let before = mapping.pairs.len();
    mapping.pairs.retain(|(_, _, value)| value.data != Data::Null);
    let mut is_changed = before != mapping.pairs.len();
    for (_, _, value) in &mut mapping.pairs {
        is_changed |= remove_null(value);
    }
    is_changed
}

/// The value that a pointer names, with the place of its key; of one that is missing nothing.
fn locate<'n>(node: &'n Node, pointer: &str) -> Option<(&'n Node, Span)> {
    pointer.split('/').skip(1).try_fold((node, node.span), |(node, _), token| match &node.data {
        Data::Sequence(items) => items.get(token.parse::<usize>().ok()?).map(|item| (item, item.span)),
        _ => {
            let name = token.replace("~1", "/").replace("~0", "~");
            let pair = node.as_mapping()?.pairs.iter().find(|(known, _, _)| *known == name);
            pair.map(|(_, key, value)| (value, *key))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::archive::tests::packed;
    use crate::check::Document;

    fn asked(files: &[(&str, &[u8])]) -> Vec<Question> {
        let chart = packed(files);
        crate::check::check_asking(&chart, Some(Document::Chart), None, &Limits::default()).unwrap().1
    }

    #[test]
    fn a_vendored_charts_values_are_those_of_the_chart_above_laid_over_its_own() {
        let asked = asked(&[
            ("web/Chart.yaml", b"name: web\nversion: 1.0.0\ndependencies:\n- {name: db, alias: store}\n"),
            ("web/values.yaml", b"global: {region: eu}\nstore: {size: 2, old: ~}\n"),
            ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
            ("web/charts/db/values.yaml", b"size: 1\nold: 1\nnew: 1\nglobal: {region: us, zone: a}\n"),
            ("web/charts/db/values.schema.json", b"{}"),
        ]);
        let [question] = asked.as_slice() else { panic!("{asked:?}") };
        let values: serde_json::Value = serde_json::from_slice(&question.values()).unwrap();
        assert_eq!(
            values,
            serde_json::json!({"global": {"region": "eu", "zone": "a"}, "new": 1, "size": 2, "old": null})
        );
        let place = |pointer: &str| {
            let violation = Violation { pointer: pointer.to_owned(), rule: "/x".to_owned(), message: "odd".to_owned() };
            let report = question.answer(Ok(vec![violation]));
            let finding = report.iter().next().unwrap().clone();
            (finding.document, finding.pointer, finding.span.map(|span| span.line))
        };
        assert_eq!(place("/size"), ("values.yaml".to_owned(), "/store/size".to_owned(), Some(2)));
        assert_eq!(place("/global/region"), ("values.yaml".to_owned(), "/global/region".to_owned(), Some(1)));
        assert_eq!(place("/new"), ("charts/db/values.yaml".to_owned(), "/new".to_owned(), Some(3)));
    }

    // Each asked of Helm 4.3.1.
    #[test]
    fn defaults_of_null_are_asked_about_as_they_stand_and_as_templates_see_them() {
        let values = |files: &[(&str, &[u8])]| -> Vec<String> {
            asked(files).iter().map(|question| String::from_utf8(question.values()).unwrap()).collect()
        };
        let web: (&str, &[u8]) = ("web/Chart.yaml", b"name: web\nversion: 1.0.0\n");
        let own = |text: &'static [u8]| values(&[web, ("web/values.yaml", text), ("web/values.schema.json", b"{}")]);
        assert_eq!(
            own(b"a: ~\nb: {c: ~}\nd: [~]\n"),
            [r#"{"b":{},"d":[null]}"#, r#"{"a":null,"b":{"c":null},"d":[null]}"#]
        );
        assert_eq!(own(b"a: 1\n").len(), 1);
        let below = |above: &'static [u8]| {
            let db: (&str, &[u8]) = ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n");
            let own: (&str, &[u8]) = ("web/charts/db/values.yaml", b"a: ~\nb: {c: ~}\nd: 1\n");
            values(&[web, ("web/values.yaml", above), db, own, ("web/charts/db/values.schema.json", b"{}")])
        };
        assert_eq!(below(b"x: 1\n"), [r#"{"b":{"c":null},"d":1}"#]);
        assert_eq!(below(b"db: {d: ~}\n"), [r#"{"b":{"c":null},"d":null}"#]);
    }

    #[test]
    fn a_chart_of_many_names_on_many_levels_is_not_asked_about_without_end() {
        let names: String = (0..10).map(|at| format!("- name: c\n  alias: a{at}\n")).collect();
        let chart = format!("name: c\nversion: 1.0.0\ndependencies:\n{names}");
        let at = |level: usize, file: &str| format!("c/{}{file}", "charts/c/".repeat(level));
        let paths: Vec<String> = (0..8).map(|level| at(level, "Chart.yaml")).collect();
        let lowest = at(7, "values.schema.json");
        let mut files: Vec<(&str, &[u8])> = paths.iter().map(|path| (path.as_str(), chart.as_bytes())).collect();
        files.push((&lowest, b"{}"));
        let chart = packed(&files);
        let check = |limits: &Limits| crate::check::check_asking(&chart, Some(Document::Chart), None, limits).unwrap();
        let (report, questions) = check(&Limits::default());
        assert!(report.errors().any(|finding| finding.code == Code::LIMIT_NODES), "{report}");
        assert_eq!(questions.len() as u64, MOST_QUESTIONS);
        // The nodes that may be laid over each other end sooner.
        let (report, questions) = check(&Limits { nodes: 100, ..Limits::default() });
        assert!(
            report.errors().any(|finding| finding.code == Code::LIMIT_NODES)
                && (questions.len() as u64) < MOST_QUESTIONS
        );
    }

    #[test]
    fn a_chart_of_many_names_is_read_once_and_asked_about_by_each() {
        let names: String = (0..10).map(|at| format!("- name: db\n  alias: a{at}\n")).collect();
        let asked = asked(&[
            ("web/Chart.yaml", format!("name: web\nversion: 1.0.0\ndependencies:\n{names}").as_bytes()),
            ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
            ("web/charts/db/values.schema.json", b"{}"),
        ]);
        assert_eq!(asked.len(), 10);
        assert!(asked.iter().all(|question| Arc::ptr_eq(&question.schema, &asked[0].schema)));
    }

    #[test]
    fn what_is_switched_off_is_not_asked_about() {
        let chart =
            b"name: web\nversion: 1.0.0\ndependencies:\n- {name: db, condition: \"none, db.enabled\", tags: [x]}\n";
        let with = |values: &str| {
            asked(&[
                ("web/Chart.yaml", chart),
                ("web/values.yaml", values.as_bytes()),
                ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
                ("web/charts/db/values.schema.json", b"{}"),
            ])
            .len()
        };
        for (values, expected) in [
            ("", 1),
            ("db: {enabled: false}", 0),
            ("db: {enabled: true}\ntags: {x: false}", 1),
            ("tags: {x: false}", 0),
        ] {
            assert_eq!(with(values), expected, "{values}");
        }
    }

    #[test]
    fn a_question_that_nobody_answers_is_told_until_it_is_answered() {
        let files: &[(&str, &[u8])] =
            &[("web/Chart.yaml", b"name: web\nversion: 1.0.0\n"), ("web/values.schema.json", b"{}")];
        let chart = packed(files);
        let (mut report, questions) =
            crate::check::check_asking(&chart, Some(Document::Chart), None, &Limits::default()).unwrap();
        let open = |report: &Report| report.iter().filter(|one| one.code == Code::SCHEMA_UNJUDGED).count();
        assert_eq!(open(&report), usize::from(cfg!(not(feature = "schema"))));
        questions[0].settle(&mut report, Ok(Vec::new()));
        assert_eq!(open(&report), 0);
        assert_eq!(questions[0].unanswered().unwrap().document, "values.schema.json");
        assert_eq!(Question::of_schema(b"{").unanswered(), None);
    }
}
