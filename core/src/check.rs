//! `check`: everything that is wrong with a document, at once.

use crate::artifact::Artifact;
use crate::chart::archive::peek_chart_yaml;
use crate::chart::metadata::duplicates;
use crate::chart::{Archive, Lock, Metadata};
use crate::diagnostic::{Diagnostic, Fix, Report, Span};
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::version::{Constraint, Version};
use crate::yaml::{self, Data, Node};

mod directory;

pub use directory::CheckDirectory;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// A packed chart.
    Chart,
    /// Chart.yaml.
    ChartYaml,
    /// Chart.lock or requirements.lock.
    ChartLock,
    /// values.yaml.
    Values,
    /// values.schema.json.
    Schema,
    /// index.yaml of a chart repository.
    Index,
    /// An OCI manifest or index.
    Manifest,
    /// The config blob of a chart in a registry.
    Config,
    /// A `.prov` file.
    Provenance,
}

const NAMES: [(&str, Document); 9] = [
    ("chart", Document::Chart),
    ("chart.yaml", Document::ChartYaml),
    ("chart.lock", Document::ChartLock),
    ("values", Document::Values),
    ("schema", Document::Schema),
    ("index", Document::Index),
    ("manifest", Document::Manifest),
    ("config", Document::Config),
    ("provenance", Document::Provenance),
];

impl Document {
    /// By its name in the API: chart, chart.yaml, chart.lock, values, schema, index, manifest, config, provenance.
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] for any other name.
    pub fn parse(text: &str) -> Result<Document, Error> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, document)| *document).ok_or_else(|| {
            Error::new(Code::ARGUMENT, format!("there is no kind of document {:?}", clip(text)))
                .with_hint(format!("The kinds are {}.", NAMES.map(|(name, _)| name).join(", ")))
        })
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, document)| *document == self).map_or("", |(name, _)| name)
    }

    /// What the bytes look like, with the file's name as a clue.
    ///
    /// ```
    /// use chartoci::check::Document;
    /// assert_eq!(Document::guess(b"name: web\nversion: 1.0.0\n", None), Some(Document::ChartYaml));
    /// assert_eq!(Document::guess(b"name: web\nversion: 1.0.0\n", Some("values-test.yaml")), Some(Document::Values));
    /// assert_eq!(Document::guess(b"PK\x03\x04", None), None);
    /// ```
    pub fn guess(data: &[u8], filename: Option<&str>) -> Option<Document> {
        if data.starts_with(&[0x1f, 0x8b]) {
            return Some(Document::Chart);
        }
        let name = filename.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        match name.as_str() {
            "chart.yaml" => return Some(Document::ChartYaml),
            "chart.lock" | "requirements.lock" => return Some(Document::ChartLock),
            "values.schema.json" => return Some(Document::Schema),
            "index.yaml" => return Some(Document::Index),
            name if name.ends_with(".prov") => return Some(Document::Provenance),
            name if name.ends_with(".tgz") => return Some(Document::Chart),
            name if is_yaml && name.contains("values") => return Some(Document::Values),
            _ => {}
        }
        let text = std::str::from_utf8(data).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.starts_with("-----BEGIN PGP SIGNED MESSAGE") {
            return Some(Document::Provenance);
        }
        if text.trim_start().starts_with('{') {
            return guess_json(text);
        }
        let keys = top_keys(text);
        let has = |key: &str| keys.contains(&key);
        match () {
            () if has("entries") && has("apiVersion") => Some(Document::Index),
            () if has("digest") && has("generated") => Some(Document::ChartLock),
            () if has("name") && (has("version") || has("apiVersion")) => Some(Document::ChartYaml),
            () if has("apiVersion") && has("kind") => None,
            () if is_yaml || !keys.is_empty() => Some(Document::Values),
            () => None,
        }
    }
}

fn guess_json(text: &str) -> Option<Document> {
    let value = json::parse(text.as_bytes(), u64::MAX).ok()?.value;
    let has = |key: &str| value.get(key).is_some();
    match () {
        () if has("schemaVersion") || has("layers") || has("manifests") => Some(Document::Manifest),
        () if has("$schema") || has("properties") => Some(Document::Schema),
        () if has("name") && has("version") => Some(Document::Config),
        () => None,
    }
}

/// What stands before a colon at the start of a line: the keys, even where the text as a whole is no YAML.
fn top_keys(text: &str) -> Vec<&str> {
    let key = |line: &'_ str| {
        let (key, rest) = line.split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        (is_key && (rest.is_empty() || rest.starts_with([' ', '\t', '\r']))).then_some(key.len())
    };
    text.lines().filter_map(|line| line.get(..key(line)?)).collect()
}

/// Looks at a document and lists all that is wrong with it.
///
/// ```
/// use chartoci::check;
/// let report = check(b"name: web\nversion: 1.0.0\nappVersion: 1.10\n", None, None, &chartoci::Limits::default())?;
/// let finding = report.warnings().find(|finding| finding.pointer == "/appVersion").unwrap();
/// assert_eq!(finding.span.unwrap().line, 3);
/// assert_eq!(finding.fix.as_ref().unwrap().replacement, "\"1.10\"");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::ARGUMENT`]: the kind was not given and cannot be guessed. [`Code::CHECK_KIND`]: there are no rules for it.
pub fn check(data: &[u8], kind: Option<Document>, filename: Option<&str>, limits: &Limits) -> Result<Report, Error> {
    let kind = kind.or_else(|| Document::guess(data, filename)).ok_or_else(|| {
        Error::new(Code::ARGUMENT, "what this document is cannot be guessed")
            .with_hint("Say what it is: give its kind.")
    })?;
    let report = match kind {
        Document::Chart => chart(data, limits),
        Document::ChartYaml => chart_yaml(data, limits),
        Document::ChartLock => {
            let mut report = duplicate_keys(data, "Chart.lock", limits);
            report.extend(outcome(Lock::parse(data, limits), "Chart.lock", data));
            report
        }
        Document::Values => values(data, limits),
        Document::Schema => outcome(json::parse(data, limits.document), "values.schema.json", data),
        Document::Manifest => match Artifact::parse(data, limits) {
            Ok(artifact) => artifact.report().clone(),
            Err(error) => findings(&error, kind.name(), data),
        },
        Document::Config => config(data, limits),
        Document::Index | Document::Provenance => {
            return Err(Error::new(Code::CHECK_KIND, format!("there are no rules for the kind {:?} yet", kind.name())));
        }
    };
    let is_chart = kind == Document::Chart;
    let report = report.sorted().without_repeats().found_in(filename.unwrap_or_default(), is_chart);
    Ok(if is_chart { report } else { report.with_sources(|_| Some(data)) })
}

type Rules = fn(&[u8], &Limits) -> Report;

/// The rules for a chart's documents.
const DOCUMENTS: [(&str, Rules); 3] = [
    ("Chart.yaml", chart_yaml),
    ("values.yaml", values),
    ("Chart.lock", |text, limits| duplicate_keys(text, "Chart.lock", limits)),
];

/// A packed chart: what keeps it from being read, then its documents one by one.
fn chart(data: &[u8], limits: &Limits) -> Report {
    let chart_yaml = |path: &str| (path == "Chart.yaml").then(|| peek_chart_yaml(data, limits).ok())?;
    judged(Archive::read(data, limits), chart_yaml, limits)
}

/// What is wrong with a chart that was read, or was not: then `text` has the documents that are known all the same.
fn judged(chart: Result<Archive, Error>, mut text: impl FnMut(&str) -> Option<Vec<u8>>, limits: &Limits) -> Report {
    match chart {
        Ok(archive) => {
            let mut report = vendored(&archive, "");
            for (path, rules) in DOCUMENTS {
                report.extend(archive.file(path).map(|text| rules(text, limits)).unwrap_or_default());
            }
            report.with_sources(|document| archive.file(document))
        }
        Err(error) => {
            let mut report = Report::new();
            for (path, rules) in DOCUMENTS {
                let Some(text) = text(path) else { continue };
                report.extend(rules(&text, limits).with_sources(|_| Some(&text)));
            }
            let said = findings(&error, "chart", &[]);
            // The rules may have said it, and more of it.
            if !report.errors().any(|known| said.iter().any(|finding| finding.document == known.document)) {
                report.extend(said);
            }
            report
        }
    }
}

/// What was found while the archive was read, for the charts in `charts/` under their paths.
fn vendored(archive: &Archive, above: &str) -> Report {
    let below = |finding: &Diagnostic| {
        let document = format!("{above}{}", finding.document);
        Diagnostic { document, ..finding.clone() }
    };
    let mut report: Report = archive.scan().report.iter().map(below).collect();
    for chart in archive.dependencies() {
        report.extend(vendored(chart, &format!("{above}charts/{}/", chart.metadata().name)));
    }
    report
}

const FIELDS: [&str; 17] = [
    "apiVersion",
    "name",
    "version",
    "kubeVersion",
    "description",
    "type",
    "keywords",
    "home",
    "sources",
    "dependencies",
    "maintainers",
    "icon",
    "appVersion",
    "deprecated",
    "annotations",
    "condition",
    "tags",
];
const MAINTAINER_FIELDS: [&str; 3] = ["name", "email", "url"];
const DEPENDENCY_FIELDS: [&str; 8] =
    ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

fn chart_yaml(text: &[u8], limits: &Limits) -> Report {
    const DOCUMENT: &str = "Chart.yaml";
    let mut report = match Metadata::load(text, None, limits) {
        Ok((_, report)) => report,
        Err(error) => findings(&error, DOCUMENT, text),
    };
    let Ok(node) = yaml::parse(text, limits) else { return report };
    let found = |code, pointer: String, span: Option<Span>, message: String| {
        let mut finding = Diagnostic::new(code, DOCUMENT, message).at(pointer, span);
        // A place of no bytes is the whole document's.
        finding.span = finding.span.filter(|span| *span != Span::default());
        finding
    };
    report.extend(duplicate_keys(text, DOCUMENT, limits));
    let field = |name: &str| node.get(name).filter(|value| value.data != Data::Null);
    match field("apiVersion").map(|value| (&value.data, value.span)) {
        None => {
            let message = "apiVersion is missing; Helm takes the chart for one of apiVersion v1";
            report.push(found(Code::CHART_API_VERSION_MISSING, String::new(), None, message.to_owned()));
        }
        Some((Data::String(known), _)) if known == "v1" || known == "v2" => {}
        Some((_, span)) => {
            let message = "apiVersion is neither v1 nor v2".to_owned();
            report.push(found(Code::CHART_API_VERSION, "/apiVersion".to_owned(), Some(span), message));
        }
    }
    for name in ["version", "appVersion"] {
        let Some(value) = field(name) else { continue };
        let number = matches!(value.data, Data::Int(_) | Data::Uint(_) | Data::Float(_) | Data::Bool(_));
        if let Some(source) = source(value, text).filter(|_| number) {
            let message = format!("{name} {} is {}, not a text", clip(source), value.describe());
            let mut finding = found(Code::CHART_UNQUOTED, format!("/{name}"), Some(value.span), message);
            finding.fix = Some(Fix { span: value.span, replacement: format!("\"{source}\"") });
            report.push(finding);
        }
    }
    if let Some(Node { data: Data::String(version), span, .. }) = field("version")
        && Version::parse(version).is_ok()
        && let Err(error) = Version::parse_strict(version)
    {
        let message = match version.strip_prefix('v') {
            Some(rest) => format!("version {:?} starts with v; SemVer 2 has {:?}", clip(version), clip(rest)),
            None => format!("version {:?} is no SemVer 2: {}", clip(version), error.message()),
        };
        report.push(found(Code::CHART_VERSION_LOOSE, "/version".to_owned(), Some(*span), message));
    }
    if field("icon").is_none() {
        report.push(found(Code::CHART_ICON, String::new(), None, "icon is missing".to_owned()));
    }
    report.extend(unknown_keys(&node, "", &FIELDS));
    for (list, fields) in [("maintainers", &MAINTAINER_FIELDS[..]), ("dependencies", &DEPENDENCY_FIELDS[..])] {
        let Some(Node { data: Data::Sequence(items), .. }) = field(list) else { continue };
        for (at, item) in items.iter().enumerate() {
            let pointer = format!("/{list}/{at}");
            report.extend(unknown_keys(item, &pointer, fields));
            if item.as_mapping().is_none() {
                continue;
            }
            let is_blank = |name: &str| match item.get(name).map(|value| &value.data) {
                None | Some(Data::Null) => true,
                Some(Data::String(text)) => text.trim().is_empty(),
                Some(_) => false,
            };
            if list == "maintainers" && is_blank("name") {
                let message = format!("maintainers[{at}] has no name");
                report.push(found(Code::CHART_MAINTAINER_NAME, pointer.clone(), Some(item.span), message));
            }
            if let Some(Node { data: Data::String(range), span, .. }) = item.get("version")
                && list == "dependencies"
                && !range.is_empty()
                && let Err(error) = Constraint::parse(range)
            {
                let message = format!("the dependency's version {:?} is no range: {}", clip(range), error.message());
                report.push(found(Code::CHART_DEPENDENCY_RANGE, format!("{pointer}/version"), Some(*span), message));
            }
        }
    }
    report
}

/// More are of no use to anybody.
const MOST_UNKNOWN_KEYS: usize = 100;

/// Keys that nobody reads, each with the one that was probably meant.
fn unknown_keys(node: &Node, pointer: &str, known: &[&str]) -> Report {
    let Some(mapping) = node.as_mapping() else { return Report::new() };
    let is_known = |key: &str| known.iter().any(|name| name.eq_ignore_ascii_case(key));
    let mut report = Report::new();
    for (key, span, _) in mapping.pairs.iter().filter(|(key, _, _)| !is_known(key)).take(MOST_UNKNOWN_KEYS) {
        let nearest =
            known.iter().map(|name| (distance(&key.to_ascii_lowercase(), &name.to_ascii_lowercase()), *name)).min();
        let meant =
            nearest.filter(|(distance, name)| *distance <= 2 && *distance * 3 <= name.len()).map(|(_, name)| name);
        let message = format!("Helm knows no key {:?} here", clip(key));
        let place = format!("{pointer}/{}", json::pointer_token(key));
        let mut finding = Diagnostic::new(Code::CHART_UNKNOWN_KEY, "Chart.yaml", message).at(place, Some(*span));
        if let Some(name) = meant {
            finding.help = format!("Did you mean {name:?}?");
            let is_free = !mapping.pairs.iter().any(|(key, _, _)| key.eq_ignore_ascii_case(name));
            finding.fix = is_free.then(|| Fix { span: *span, replacement: name.to_owned() });
        }
        report.push(finding);
    }
    report
}

/// Letters that have to be inserted, removed or changed to get from one word to the other; words that differ by more than
/// 8 letters in length are not compared.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX / 4;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

fn values(text: &[u8], limits: &Limits) -> Report {
    const DOCUMENT: &str = "values.yaml";
    let documents = match yaml::parse_all(text, limits) {
        Ok(documents) => documents,
        Err(error) => return findings(&error, DOCUMENT, text),
    };
    let mut report = Report::new();
    for node in &documents {
        report.extend(outcome(node.check_json(), DOCUMENT, text));
        duplicates(node, DOCUMENT, &mut report);
        if !matches!(node.data, Data::Null | Data::Mapping(_)) {
            let message = format!("the values are {}, not a mapping", node.describe());
            report.push(Diagnostic::new(Code::VALUES_MAPPING, DOCUMENT, message).at("", Some(node.span)));
        }
    }
    report
}

fn config(data: &[u8], limits: &Limits) -> Report {
    match Metadata::from_config(data, limits) {
        // Its own text as YAML is Chart.yaml as Helm would write it, and has to pass as such.
        Ok(metadata) => match Metadata::parse(metadata.to_yaml().as_bytes(), limits) {
            Ok(_) => Report::new(),
            Err(error) => {
                let report = findings(&error, "config", &[]);
                report.iter().map(|finding| place_in_json(finding, data)).collect()
            }
        },
        Err(error) => findings(&error, "config", data),
    }
}

fn place_in_json(finding: &Diagnostic, data: &[u8]) -> Diagnostic {
    let span = json::span(data, &finding.pointer);
    Diagnostic { document: "config".to_owned(), span, ..finding.clone() }
}

fn duplicate_keys(text: &[u8], document: &str, limits: &Limits) -> Report {
    let mut report = Report::new();
    if let Ok(node) = yaml::parse(text, limits) {
        duplicates(&node, document, &mut report);
    }
    report
}

fn outcome<T>(result: Result<T, Error>, document: &str, text: &[u8]) -> Report {
    result.map_or_else(|error| findings(&error, document, text), |_| Report::new())
}

/// What an error says about a document: its own report, or the error itself at the place that it names.
fn findings(error: &Error, document: &str, text: &[u8]) -> Report {
    if let Some(report) = error.report() {
        return report.clone();
    }
    let fact =
        |name: &str| error.context().iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let number = |name: &str| fact(name).and_then(|value| value.parse().ok());
    let span = number("line").map(|line| place_at(text, line, number("column").unwrap_or(1)));
    let document = fact("entry").or(fact("path")).or(fact("document")).unwrap_or(document);
    let mut finding = Diagnostic::new(error.code(), document, error.to_string());
    finding.help = error.hint().to_owned();
    Report::from_iter([finding.at(fact("pointer").unwrap_or_default(), span)])
}

/// The character at a line and a column.
fn place_at(text: &[u8], line: u32, column: u32) -> Span {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.clone().take(line.saturating_sub(1) as usize).map(<[u8]>::len).sum();
    let rest = String::from_utf8_lossy(lines.clone().nth(line.saturating_sub(1) as usize).unwrap_or_default());
    let start = before + rest.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>();
    let length = rest.chars().nth(column.saturating_sub(1) as usize).map_or(0, char::len_utf8);
    Span { start, end: start + length, line, column, end_line: line, end_column: column + u32::from(length > 0) }
}

/// The text of a scalar as it was written.
fn source<'a>(node: &Node, text: &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(text.get(node.span.start..node.span.end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::archive::tests::packed;

    fn report(text: &str, kind: Document) -> Report {
        check(text.as_bytes(), Some(kind), None, &Limits::default()).unwrap()
    }

    fn codes(report: &Report) -> Vec<(&'static str, &str, u32)> {
        let line = |finding: &Diagnostic| finding.span.map_or(0, |span| span.line);
        report.iter().map(|finding| (finding.code.name(), finding.pointer.as_str(), line(finding))).collect()
    }

    const GOOD: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://x.example/i.png\n";

    #[test]
    fn a_good_chart_yaml_has_no_findings() {
        assert!(report(GOOD, Document::ChartYaml).is_empty());
    }

    #[test]
    fn everything_is_reported_at_once_with_its_place() {
        let text = "name: a/b\nversion: v1.2\nappVersion: 1.10 # soon\nkeyword: [x]\nname: c/d\ntype: service\n\
            maintainers:\n- email: a@b.c\n- name: Ada\n  mail: x\ndependencies:\n- name: d\n  version: \"1 ||| 2\"\n";
        let report = report(text, Document::ChartYaml);
        assert_eq!(
            codes(&report),
            [
                ("chart.api_version_missing", "", 0),
                ("chart.icon", "", 0),
                ("yaml.duplicate_key", "/name", 1),
                ("chart.version_loose", "/version", 2),
                ("chart.unquoted", "/appVersion", 3),
                ("chart.unknown_key", "/keyword", 4),
                ("chart.name", "/name", 5),
                ("chart.type", "/type", 6),
                ("chart.maintainer_name", "/maintainers/0", 8),
                ("chart.unknown_key", "/maintainers/1/mail", 10),
                ("chart.dependency_range", "/dependencies/0/version", 13),
            ]
        );
        let fixed = String::from_utf8(report.fixed(None).unwrap()).unwrap();
        assert!(fixed.contains("appVersion: \"1.10\" # soon\nkeywords: [x]\n"), "{fixed}");
        assert!(fixed.contains("  email: x\n"), "{fixed}");
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        for (key, meant) in [("appVerison", Some("appVersion")), ("dependancies", Some("dependencies")), ("foo", None)]
        {
            let report = report(&format!("{GOOD}{key}: x\n"), Document::ChartYaml);
            let help = &report.iter().next().unwrap().help;
            assert_eq!(help.contains("Did you mean"), meant.is_some(), "{help}");
            assert!(help.contains(meant.unwrap_or_default()), "{help}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_a_finding_with_line_and_column() {
        let report = report("name: web\nversion: [1\n", Document::ChartYaml);
        let finding = report.iter().next().unwrap();
        assert_eq!(finding.code, Code::YAML_SYNTAX);
        assert!(finding.span.unwrap().line >= 2, "{finding}");
    }

    #[test]
    fn a_packed_chart_is_checked_with_its_documents() {
        let files: &[(&str, &[u8])] = &[
            ("web/Chart.yaml", GOOD.as_bytes()),
            ("web/values.yaml", b"a: 1\nb:\n  c: 1\n  c: 2\n"),
            ("web/charts/x/Chart.yaml", b"name: x\nname: x\nversion: 1.0.0\n"),
        ];
        let report = check(&packed(files), None, None, &Limits::default()).unwrap();
        let found: Vec<_> = report.iter().map(|finding| (finding.document.as_str(), finding.code.name())).collect();
        assert_eq!(found, [("charts/x/Chart.yaml", "yaml.duplicate_key"), ("values.yaml", "yaml.duplicate_key")]);
        assert_eq!(codes(&report)[1], ("yaml.duplicate_key", "/b/c", 3));
    }

    #[test]
    fn a_broken_chart_is_a_report_and_not_an_error() {
        let bad = packed(&[("web/Chart.yaml", b"apiVersion: v2\nname: a/b\ntype: c\n")]);
        let report = check(&bad, None, None, &Limits::default()).unwrap();
        let found: Vec<_> = report.errors().map(|finding| finding.code.name()).collect();
        assert_eq!(found, ["chart.version", "chart.name", "chart.type"]);
        let link = check(&packed(&[("web/../x", b"")]), None, None, &Limits::default()).unwrap();
        let finding = link.iter().next().unwrap();
        assert_eq!((finding.code, finding.document.as_str()), (Code::ARCHIVE_PARENT, "web/../x"));
    }

    #[test]
    fn other_documents_have_their_rules() {
        assert_eq!(codes(&report("- a\n", Document::Values)), [("values.mapping", "", 1)]);
        assert_eq!(codes(&report("{", Document::Schema))[0].0, "json.syntax");
        assert_eq!(
            codes(&report("dependencies: 3\n", Document::ChartLock)),
            [("chart.field_type", "/dependencies", 1)]
        );
        let config = r#"{"name": "web", "version": "x"}"#;
        assert_eq!(codes(&report(config, Document::Config)), [("chart.version", "/version", 1)]);
        let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json",
            "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[
            {"mediaType":"application/tar+gzip","size":2,
            "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}]}"#;
        let report = check(manifest.as_bytes(), None, None, &Limits::default()).unwrap();
        assert!(report.iter().any(|finding| finding.code == Code::ARTIFACT_LEGACY_CHART), "{report}");
        let error = check(b"x", Some(Document::Provenance), None, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), Code::CHECK_KIND);
    }

    #[test]
    fn documents_are_known_by_name_or_by_content() {
        for (text, name, expected) in [
            ("name: x\nversion: 1.0.0", "", Some(Document::ChartYaml)),
            ("name: x\nversion: [", "", Some(Document::ChartYaml)),
            ("", "a/Chart.yaml", Some(Document::ChartYaml)),
            ("replicas: 1", "", Some(Document::Values)),
            ("apiVersion: v1\nkind: Pod\nmetadata: {}", "pod.yaml", None),
            ("digest: x\ngenerated: y", "", Some(Document::ChartLock)),
            ("apiVersion: v1\nentries: {}", "", Some(Document::Index)),
            ("{\"schemaVersion\": 2}", "", Some(Document::Manifest)),
            ("{\"name\": \"a\", \"version\": \"1\"}", "", Some(Document::Config)),
            ("{\"properties\": {}}", "", Some(Document::Schema)),
            ("-----BEGIN PGP SIGNED MESSAGE-----\n", "", Some(Document::Provenance)),
            ("no document at all", "", None),
        ] {
            assert_eq!(Document::guess(text.as_bytes(), Some(name)), expected, "{text} {name}");
        }
        for (name, document) in NAMES {
            assert_eq!((Document::parse(name).unwrap(), document.name()), (document, name));
        }
    }
}
