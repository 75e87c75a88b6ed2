//! The defaults of a chart against its schema and against those of the charts in `charts/`, as `helm lint` 4.3 judges
//! them: [`coalesced`](super::coalesced), and those of the chart itself once more as they stand in values.yaml.
//!
//! What a JSON Schema means is no business of the core's: a [`Question`] has a schema and values, and whoever knows
//! JSON Schema answers with [`Violation`]s.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use super::coalesced::{Budget, Chart, Stop};
use super::schema;
use crate::chart::Metadata;
use crate::chart::archive::merged_values;
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
    /// Without them: is this a schema at all?
    values: Option<Node>,
    /// Where the values stand among those of the outermost chart.
    base: String,
    sources: Arc<Vec<Source>>,
}

/// A values.yaml. All of them are numbered through: a place in any of them is also a place in all of them, so whatever is
/// made of them still says where it is from.
#[derive(Clone, Debug)]
struct Source {
    document: String,
    text: Arc<[u8]>,
    /// Bytes of those before it.
    start: usize,
    node: Node,
}

/// Nodes that one question counts as, whatever it is about.
const NODES_PER_QUESTION: usize = 1000;
/// Bytes of a schema that count as much as one node of the values.
const BYTES_PER_NODE: usize = 16;
/// Bytes of a text in the values that count as one more node.
const TEXT_PER_NODE: usize = 64;

impl Question {
    /// Is this a schema at all? There are no values.
    pub(crate) fn of_schema(schema: &[u8]) -> Question {
        let document = "values.schema.json".to_owned();
        Question { document, schema: schema.into(), values: None, base: String::new(), sources: Arc::default() }
    }

    /// values.schema.json, with URNs where it refers to another document: anything fits these, for nothing is ever
    /// fetched, and the rest can be judged. As it is, where this would change what the rest says.
    pub fn schema(&self) -> Cow<'_, [u8]> {
        let has = |word: &str| self.schema.windows(word.len()).any(|part| part == word.as_bytes());
        let parsed = json::parse_lenient(&self.schema, u64::MAX);
        let places = parsed.map(|parsed| schema::remote_references(&parsed.value)).unwrap_or_default();
        let others = ["\"$id\"", "\"not\"", "\"oneOf\"", "\"if\"", "\"contains\"", "\"unevaluated"];
        // Of too many not all are known.
        if places.is_empty() || places.len() >= schema::MOST_REMOTE || others.into_iter().any(has) {
            return Cow::Borrowed(&self.schema);
        }
        let mut schema = self.schema.to_vec();
        for (pointer, _) in places {
            let span = json::span(&self.schema, &pointer).unwrap_or_default();
            let target = schema.get_mut(span.start + 1..span.end.saturating_sub(1)).unwrap_or_default();
            if target.len() > 4 && !target.contains(&b'\\') {
                target.iter_mut().filter(|byte| **byte == b'#').for_each(|byte| *byte = b'_');
                target.iter_mut().zip(*b"urn:").for_each(|(byte, new)| *byte = new);
            }
        }
        Cow::Owned(schema)
    }

    /// The values, as JSON.
    pub fn values(&self) -> Vec<u8> {
        self.values.as_ref().map_or_else(|| b"{}".to_vec(), |values| json::write(&crate::chart::to_json(values)))
    }

    /// There are values; violations without any say nothing.
    fn has_values(&self) -> bool {
        self.values.is_some()
    }

    /// Findings, each at its place in the values or in the schema.
    pub fn answer(&self, violations: Result<Vec<Violation>, Error>) -> Report {
        self.findings(violations).with_sources(|document| {
            let source = || self.sources.iter().find(|source| source.document == document).map(|source| &*source.text);
            if document == self.document { Some(&*self.schema) } else { source() }
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
        json::parse_lenient(&self.schema, u64::MAX).ok()?;
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
            Err(_) if json::parse_lenient(&self.schema, u64::MAX).is_err() => Report::new(),
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
        let is_key = violation.rule.ends_with("/additionalProperties") || violation.rule.contains("/propertyNames");
        let (document, pointer, span) = self.origin(&violation.pointer, is_key);
        let what = if violation.pointer.is_empty() { "the values" } else { &violation.pointer };
        let message = format!("{}: {}", clip(what), clip(&violation.message));
        let mut finding = Diagnostic::new(Code::VALUES_SCHEMA, document, message);
        let rule = if violation.rule.is_empty() { "its root" } else { &violation.rule };
        finding.help = format!("{} says so: change the value, or the schema at {}.", self.document, clip(rule));
        finding.at(pointer, span)
    }

    /// The values.yaml that a value comes from, and where it stands there: the value, or its key. Of what nobody has
    /// written it is what holds it.
    fn origin(&self, pointer: &str, is_key: bool) -> (String, String, Option<Span>) {
        let mut path = pointer;
        loop {
            let found = self.values.as_ref().and_then(|values| locate(values, path));
            let is_written = |span: &Span| span.end > 0;
            let span = found.and_then(|(node, key)| match is_key && is_written(&key) {
                true => Some(key),
                false => Some(node.span).filter(is_written),
            });
            let source = |span: &Span| self.sources.iter().rfind(|source| source.start <= span.start);
            if let Some((span, source)) = span.and_then(|span| Some((span, source(&span)?))) {
                let Span { start, end, .. } = span;
                let here = Span { start: start - source.start, end: end.saturating_sub(source.start), ..span };
                let full = format!("{}{path}", self.base);
                let is_it = |pointer: &&str| {
                    locate(&source.node, pointer)
                        .is_some_and(|(node, key)| pointer.is_empty() || [node.span, key].contains(&here))
                };
                let tails = full.match_indices('/').map(|(at, _)| &full[at..]).take(MOST_LEVELS);
                let pointer = tails.chain([""]).find(is_it).unwrap_or_default();
                return (source.document.clone(), pointer.to_owned(), Some(here.within(&source.text)));
            }
            match path.rsplit_once('/') {
                Some((above, _)) => path = above,
                None => return (self.document.replace("values.schema.json", "values.yaml"), pointer.to_owned(), None),
            }
        }
    }
}

/// Levels of a pointer at which a value may begin to stand in its own document.
const MOST_LEVELS: usize = 200;

/// What of a chart decides whether its defaults fit.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    /// Where it lies below the outermost chart's root: empty, or with a slash at the end.
    path: String,
    pub(super) metadata: Metadata,
    text: Arc<[u8]>,
    schema: Option<Arc<[u8]>>,
    pub(super) vendored: Vec<Defaults>,
    /// The values, numbered through.
    values: OnceCell<Node>,
}

impl Defaults {
    pub(super) fn new(
        path: String,
        metadata: Metadata,
        values: Vec<u8>,
        schema: Option<Vec<u8>>,
        vendored: Vec<Defaults>,
    ) -> Defaults {
        let (text, schema) = (values.into(), schema.map(Arc::from));
        Defaults { path, metadata, text, schema, vendored, values: OnceCell::new() }
    }

    /// What has to be asked, vendored charts included. The report gets the answers where judging is built in.
    pub(super) fn questions(&self, limits: &Limits, report: &mut Report) -> Vec<Question> {
        if !self.has_schema() {
            return Vec::new();
        }
        let mut sources = Vec::new();
        self.read(limits, &mut sources);
        let mut asking = Asking { sources: Arc::new(sources), questions: Vec::new() };
        let mut budget = Budget(2 * u64::from(limits.nodes));
        if let Err(Stop::TooMuch) = self.ask(limits, &mut asking, &mut budget) {
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

    fn ask(&self, limits: &Limits, asking: &mut Asking, budget: &mut Budget) -> Result<(), Stop> {
        // First values.yaml as it stands: of several documents the first.
        let first = yaml::parse_values(&self.text, limits).unwrap_or_default().into_iter().next();
        let first = first.filter(|node| matches!(node.data, Data::Mapping(_)));
        let first = Node { data: first.map_or_else(|| empty().data, |node| node.data), ..Node::default() };
        asking.ask(self, &first, "", budget)?;
        let chart = Chart::new(self, budget)?;
        let values = chart.coalesced(empty(), false, budget)?;
        let values = chart.coalesced(values, false, budget)?;
        asking.ask_below(&chart, &values, "", budget)
    }

    /// Reads the values of all charts.
    fn read(&self, limits: &Limits, sources: &mut Vec<Source>) {
        let start = sources.last().map_or(0, |last| last.start + last.text.len() + 1);
        let node = merged_values(&self.text, limits).unwrap_or_else(|_| empty());
        let document = format!("{}values.yaml", self.path);
        let mut values = node.clone();
        // All of a vendored chart's values: at the first of them.
        if let (false, Data::Mapping(mapping)) = (self.path.is_empty(), &values.data) {
            values.span = mapping.pairs.first().map_or(values.span, |(_, key, _)| *key);
        }
        number(&mut values, start);
        self.values.get_or_init(|| values);
        sources.push(Source { document, text: self.text.clone(), start, node });
        self.vendored.iter().for_each(|chart| chart.read(limits, sources));
    }

    /// Its own values.
    pub(super) fn values(&self) -> &Node {
        static NOTHING: Node = Node {
            data: Data::Null,
            span: Span { start: 0, end: 0, line: 0, column: 0, end_line: 0, end_column: 0 },
            source: None,
        };
        self.values.get().unwrap_or(&NOTHING)
    }

    fn has_schema(&self) -> bool {
        self.schema.is_some() || self.vendored.iter().any(Defaults::has_schema)
    }
}

struct Asking {
    sources: Arc<Vec<Source>>,
    questions: Vec<Question>,
}

impl Asking {
    fn ask(&mut self, chart: &Defaults, values: &Node, base: &str, budget: &mut Budget) -> Result<(), Stop> {
        let Some(schema) = &chart.schema else { return Ok(()) };
        let document = format!("{}values.schema.json", chart.path);
        // Often nothing becomes of values.yaml but itself.
        let is_asked = |one: &Question| {
            one.document == document && one.values.as_ref().map(|known| &known.data) == Some(&values.data)
        };
        if base.is_empty() && self.questions.first().is_some_and(is_asked) {
            return Ok(());
        }
        budget.spend(nodes(values) + NODES_PER_QUESTION + schema.len() / BYTES_PER_NODE)?;
        let (schema, values, base) = (schema.clone(), Some(values.clone()), base.to_owned());
        self.questions.push(Question { document, schema, values, base, sources: self.sources.clone() });
        Ok(())
    }

    fn ask_below(&mut self, chart: &Chart, values: &Node, base: &str, budget: &mut Budget) -> Result<(), Stop> {
        self.ask(chart.defaults, values, base, budget)?;
        for vendored in &chart.charts {
            if let Some(below) = values.get(vendored.name) {
                let base = format!("{base}/{}", json::pointer_token(vendored.name));
                self.ask_below(vendored, below, &base, budget)?;
            }
        }
        Ok(())
    }
}

fn empty() -> Node {
    Node { data: Data::Mapping(Mapping::default()), ..Node::default() }
}

/// Moves all places on.
fn number(node: &mut Node, start: usize) {
    let on = |span: &mut Span| {
        if span.end > 0 {
            (span.start, span.end) = (span.start + start, span.end + start);
        }
    };
    on(&mut node.span);
    match &mut node.data {
        Data::Sequence(items) => items.iter_mut().for_each(|item| number(item, start)),
        Data::Mapping(mapping) => {
            for (_, span, value) in &mut mapping.pairs {
                on(span);
                number(value, start);
            }
        }
        _ => {}
    }
}

/// How many there are; long texts count as several.
pub(super) fn nodes(node: &Node) -> usize {
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

/// Removes keys whose value is null, however deep.
pub(super) fn remove_null(node: &mut Node) {
    let Data::Mapping(mapping) = &mut node.data else { return };
    mapping.pairs.retain(|(_, _, value)| value.data != Data::Null);
    mapping.pairs.iter_mut().for_each(|(_, _, value)| remove_null(value));
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
            ("web/Chart.yaml", b"name: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.x, alias: store}\n"),
            ("web/values.yaml", b"global: {region: eu}\nstore: {size: 2, old: ~}\n"),
            ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
            ("web/charts/db/values.yaml", b"size: 1\nold: 1\nnew: 1\nglobal: {region: us, zone: a}\n"),
            ("web/charts/db/values.schema.json", b"{}"),
        ]);
        let [question] = asked.as_slice() else { panic!("{asked:?}") };
        let values: serde_json::Value = serde_json::from_slice(&question.values()).unwrap();
        assert_eq!(values, serde_json::json!({"global": {"region": "eu", "zone": "a"}, "new": 1, "size": 2, "old": 1}));
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
            [r#"{"a":null,"b":{"c":null},"d":[null]}"#, r#"{"b":{},"d":[null]}"#]
        );
        assert_eq!(own(b"a: 1\n").len(), 1);
        let below = |above: &'static [u8]| {
            let db: (&str, &[u8]) = ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n");
            let own: (&str, &[u8]) = ("web/charts/db/values.yaml", b"a: ~\nb: {c: ~}\nd: 1\n");
            values(&[web, ("web/values.yaml", above), db, own, ("web/charts/db/values.schema.json", b"{}")])
        };
        assert_eq!(below(b"x: 1\n"), [r#"{"b":{},"d":1,"global":{}}"#]);
        assert_eq!(below(b"db: {d: ~}\n"), [r#"{"b":{},"d":1,"global":{}}"#]);
    }

    #[test]
    fn a_chart_of_many_names_on_many_levels_is_not_asked_about_without_end() {
        let names: String = (0..10).map(|at| format!("- name: c\n  version: 1.0.0\n  alias: a{at}\n")).collect();
        let chart = format!("name: c\nversion: 1.0.0\ndependencies:\n{names}");
        let at = |level: usize, file: &str| format!("c/{}{file}", "charts/c/".repeat(level));
        let paths: Vec<String> = (0..8).map(|level| at(level, "Chart.yaml")).collect();
        let lowest = at(7, "values.schema.json");
        let mut files: Vec<(&str, &[u8])> = paths.iter().map(|path| (path.as_str(), chart.as_bytes())).collect();
        files.push((&lowest, b"{}"));
        let chart = packed(&files);
        let check = |limits: &Limits| crate::check::check_asking(&chart, Some(Document::Chart), None, limits).unwrap();
        let (report, questions) = check(&Limits { nodes: 50_000, ..Limits::default() });
        assert!(report.errors().any(|finding| finding.code == Code::LIMIT_NODES), "{report}");
        assert_eq!(questions.len(), 0);
    }

    #[test]
    fn a_chart_of_many_names_is_read_once_and_asked_about_by_each() {
        let names: String = (0..10).map(|at| format!("- name: db\n  version: 1.0.0\n  alias: a{at}\n")).collect();
        let asked = asked(&[
            ("web/Chart.yaml", format!("name: web\nversion: 1.0.0\ndependencies:\n{names}").as_bytes()),
            ("web/charts/db/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
            ("web/charts/db/values.schema.json", b"{}"),
        ]);
        assert_eq!(asked.len(), 10);
        assert!(asked.iter().all(|question| Arc::ptr_eq(&question.schema, &asked[0].schema)));
    }

    // Each asked of Helm 4.3.1.
    #[test]
    fn a_chart_is_asked_about_the_values_of_those_in_charts_too_and_finds_where_they_are_from() {
        let asked = asked(&[
            (
                "web/Chart.yaml",
                b"name: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: ^1, alias: old}\n\
                - {name: db, version: ^2, alias: new, import-values: [data, {child: p, parent: q.r}]}\n",
            ),
            ("web/values.yaml", b"a: 1\n---\nold: {p: {x: 3}}\n"),
            ("web/values.schema.json", b"{}"),
            ("web/charts/db-1/Chart.yaml", b"name: db\nversion: 1.0.0\n"),
            ("web/charts/db-1/values.yaml", b"p: {x: 1, k: 1}\n"),
            ("web/charts/db-2/Chart.yaml", b"name: db\nversion: 2.0.0\n"),
            ("web/charts/db-2/values.yaml", b"p:\n  z: 2\nexports: {data: {d: 4}}\n"),
        ]);
        let [first, whole] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(first.values(), br#"{"a":1}"#);
        let values: serde_json::Value = serde_json::from_slice(&whole.values()).unwrap();
        assert_eq!(
            values,
            serde_json::json!({
                "a": 1, "d": 4, "q": {"r": {"z": 2}},
                "old": {"p": {"x": 3, "k": 1}, "global": {}},
                "new": {"p": {"z": 2}, "exports": {"data": {"d": 4}}, "global": {}},
            })
        );
        let place = |pointer: &str, rule: &str| {
            let violation = Violation { pointer: pointer.to_owned(), rule: rule.to_owned(), message: "odd".to_owned() };
            let report = whole.answer(Ok(vec![violation]));
            let finding = report.iter().next().unwrap().clone();
            assert!(finding.help.starts_with("values.schema.json"), "{}", finding.help);
            let place = finding.span.map(|span| (span.line, span.column)).unwrap_or_default();
            (finding.document, finding.pointer, place)
        };
        let at = |document: &str, pointer: &str, place| (document.to_owned(), pointer.to_owned(), place);
        assert_eq!(place("/old/p/x", "/t"), at("values.yaml", "/old/p/x", (3, 14)));
        assert_eq!(place("/old/p/k", "/t"), at("charts/db-1/values.yaml", "/p/k", (1, 14)));
        assert_eq!(place("/new/p/z", "/t"), at("charts/db-2/values.yaml", "/p/z", (2, 6)));
        assert_eq!(place("/q/r/z", "/additionalProperties"), at("charts/db-2/values.yaml", "", (2, 3)));
        assert_eq!(place("/new/global", "/additionalProperties"), at("charts/db-2/values.yaml", "", (1, 1)));
        assert_eq!(place("", "/required"), at("values.yaml", "", (0, 0)));
    }

    #[test]
    fn what_is_switched_off_is_not_asked_about() {
        let chart =
            b"name: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, condition: \"none,db.enabled\", tags: [x]}\n";
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

    // Each asked of Helm 4.3.1: `lint` and `package` refuse them; what Go's decoder takes they take.
    #[test]
    fn a_vendored_charts_schema_that_is_none_is_said() {
        let found = |schema: &[u8]| {
            let chart = packed(&[
                ("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n"),
                ("web/charts/db/Chart.yaml", b"apiVersion: v2\nname: db\nversion: 1.0.0\n"),
                ("web/charts/db/values.schema.json", schema),
            ]);
            let report = crate::check::check(&chart, Some(Document::Chart), None, &Limits::default()).unwrap();
            let of_schema = |finding: &&Diagnostic| finding.document == "charts/db/values.schema.json";
            let code = |finding: &Diagnostic| finding.code.name();
            report.errors().filter(of_schema).map(code).collect::<Vec<_>>()
        };
        for schema in ["", "{bad", "{} x"] {
            assert_eq!(found(schema.as_bytes()), ["json.syntax"], "{schema}");
        }
        assert_eq!(found(br#"{"$schema": "http://json-schema.org/draft-03/schema#"}"#), ["schema.invalid"]);
        for schema in [&b"\xef\xbb\xbf{}"[..], b"{\"maximum\": 1e400}", b"{\"title\": \"\xff\\ud800\"}"] {
            assert_eq!(found(schema), [""; 0]);
        }
    }

    #[test]
    fn a_byte_order_mark_before_the_schema_is_said() {
        let chart = packed(&[
            ("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            ("web/values.schema.json", b"\xef\xbb\xbf{}"),
        ]);
        let report = crate::check::check(&chart, Some(Document::Chart), None, &Limits::default()).unwrap();
        let codes: Vec<&str> = report.errors().map(|finding| finding.code.name()).collect();
        assert!(codes.contains(&"json.syntax"), "{report}");
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
