//! `check`: everything that is wrong with a document, at once.
//!
//! One file per kind of document, each document parsed once; `lint` has what the rules are made of, `cross` compares
//! documents that belong together.

mod address;
mod chart;
mod chart_lock;
mod chart_yaml;
mod coalesced;
mod config;
mod cross;
mod defaults;
mod directory;
mod index;
mod lint;
mod manifest;
mod page;
mod provenance;
mod schema;
mod values;

pub use cross::{Parts, check_parts, check_parts_asking};
pub use defaults::Question;
pub use directory::CheckDirectory;
pub use lint::nearest;

use page::Page;

use crate::chart::fields::INDEX;
use crate::diagnostic::Report;
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;

/// What a document is.
///
/// ```
/// use chartoci::check::Document;
/// assert_eq!(Document::parse("chart.lock")?, Document::ChartLock);
/// assert_eq!(Document::ChartLock.name(), "chart.lock");
/// assert_eq!(Document::parse("readme").unwrap_err().code().name(), "misuse.argument");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// A packed chart.
    Chart,
    /// Chart.yaml.
    ChartYaml,
    /// Chart.lock or requirements.lock.
    ChartLock,
    /// requirements.yaml: the dependencies of a chart of apiVersion v1.
    Requirements,
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

const NAMES: [(&str, Document); 10] = [
    ("chart", Document::Chart),
    ("chart.yaml", Document::ChartYaml),
    ("chart.lock", Document::ChartLock),
    ("requirements", Document::Requirements),
    ("values", Document::Values),
    ("schema", Document::Schema),
    ("index", Document::Index),
    ("manifest", Document::Manifest),
    ("config", Document::Config),
    ("provenance", Document::Provenance),
];

impl Document {
    /// All of them, by their names.
    ///
    /// ```
    /// use chartoci::check::Document;
    /// assert!(Document::names().iter().all(|name| Document::parse(name).map(Document::name) == Ok(name)));
    /// ```
    pub fn names() -> [&'static str; 10] {
        NAMES.map(|(name, _)| name)
    }

    /// By its name in the API ([`Document::names`]).
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] for any other name.
    pub fn parse(text: &str) -> Result<Document, Error> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, document)| *document).ok_or_else(|| {
            Error::new(Code::ARGUMENT, format!("there is no kind of document {:?}", clip(text)))
                .with_hint(format!("The kinds are {}.", Document::names().join(", ")))
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
            "requirements.yaml" => return Some(Document::Requirements),
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
            () if has("entries") && keys.iter().all(|key| INDEX.iter().any(|field| field.name == *key)) => {
                Some(Document::Index)
            }
            () if has("digest") && has("generated") => Some(Document::ChartLock),
            () if has("dependencies") && (has("digest") || has("generated")) => Some(Document::ChartLock),
            () if has("name") && (has("version") || has("apiVersion")) => Some(Document::ChartYaml),
            () if has("apiVersion") && has("kind") => None,
            () if keys == ["dependencies"] => Some(Document::Requirements),
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
        () if has("entries") => Some(Document::Index),
        () if has("$schema") || has("properties") || has("$defs") => Some(Document::Schema),
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
/// let finding = report.errors().find(|finding| finding.pointer == "/appVersion").unwrap();
/// assert_eq!(finding.span.unwrap().line, 3);
/// assert_eq!(finding.fix.as_ref().unwrap().replacement, "\"1.10\"");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::ARGUMENT`]: the kind was not given and cannot be guessed.
pub fn check(data: &[u8], kind: Option<Document>, filename: Option<&str>, limits: &Limits) -> Result<Report, Error> {
    check_asking(data, kind, filename, limits).map(|(report, _)| report)
}

/// As [`check()`]; and what a validator of JSON Schema has to be asked about a packed chart, its defaults and those of the
/// charts in it, or about a values.schema.json. Where the feature `schema` is built in, the report has the answers.
///
/// ```
/// use chartoci::{Limits, check::{Document, check_asking}};
/// let schema = br#"{"type": "object"}"#;
/// let (report, questions) = check_asking(schema, Some(Document::Schema), None, &Limits::default())?;
/// assert!(report.is_ok());
/// assert_eq!(questions[0].schema(), &schema[..]);
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// As [`check()`].
pub fn check_asking(
    data: &[u8],
    kind: Option<Document>,
    filename: Option<&str>,
    limits: &Limits,
) -> Result<(Report, Vec<Question>), Error> {
    let kind = kind.or_else(|| Document::guess(data, filename)).ok_or_else(|| {
        let name = clip(filename.filter(|name| !name.is_empty()).unwrap_or("this document"));
        Error::new(Code::ARGUMENT, format!("what {name} is cannot be guessed"))
            .with_hint(format!("Say what it is: give its `kind`, one of {}.", Document::names().join(", ")))
    })?;
    let mut questions = Vec::new();
    let page = match kind {
        Document::Chart => {
            return Ok(check_parts_asking(&Parts { chart: Some(data), filename, ..Parts::default() }, limits));
        }
        Document::ChartYaml | Document::Requirements => {
            let name = if kind == Document::ChartYaml { "Chart.yaml" } else { chart_yaml::REQUIREMENTS };
            let mut pages = [Page::new(name, data)];
            chart_yaml::check(&mut pages, &chart_yaml::Setting::default(), limits);
            let [page] = pages;
            page
        }
        Document::ChartLock => {
            let mut page = Page::new("Chart.lock", data);
            chart_lock::check(&mut page, limits);
            page
        }
        Document::Values => {
            let mut page = Page::new("values.yaml", data);
            values::check(&mut page, &[], &[], limits);
            page
        }
        Document::Schema => {
            let mut page = schema::check(Page::new("values.schema.json", data), limits);
            let question = Question::of_schema(data);
            page.extend(question.judged(limits, &mut crate::schema::MOST_OF_REPORT.clone()));
            questions.push(question);
            page
        }
        Document::Index => index::check(Page::new("index.yaml", data), limits),
        Document::Manifest => manifest::check(Page::new("manifest", data), limits).0,
        Document::Config => config::check(Page::new("config", data), limits).0,
        Document::Provenance => provenance::check(Page::new("provenance", data), limits).0,
    };
    let (name, text) = (page.name, page.text);
    let report = page.report().sorted().with_source(name, text);
    Ok((report.found_in(filename.unwrap_or_default(), false).judged_as(kind.name()), questions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::archive::tests::packed;
    use crate::diagnostic::Diagnostic;

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
    fn only_this_very_machine_is_no_danger_without_encryption() {
        for (host, is_safe) in [
            ("localhost:8080", true),
            ("127.0.0.1", true),
            ("[::1]:80", true),
            ("localhost.evil.example", false),
            ("127.evil.example", false),
            ("registry.example", false),
            ("[::1].evil.example", false),
        ] {
            let text =
                format!("{GOOD}dependencies:\n- name: d\n  version: 1.0.0\n  repository: \"http://{host}/charts\"\n");
            let report = report(&text, Document::ChartYaml);
            assert_eq!(!report.iter().any(|finding| finding.code == Code::CHART_REPOSITORY_HTTP), is_safe, "{report}");
        }
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
                ("chart.dependency_incomplete", "/dependencies/0", 12),
                ("chart.dependency_range", "/dependencies/0/version", 13),
            ]
        );
        let fixed = String::from_utf8(report.fixed(None).unwrap()).unwrap();
        assert!(fixed.contains("appVersion: \"1.10\" # soon\nkeywords: [x]\n"), "{fixed}");
        assert!(fixed.contains("  email: x\n"), "{fixed}");
    }

    #[test]
    fn what_is_no_yaml_is_a_finding_with_line_and_column() {
        let report = report("name: web\nversion: [1\n", Document::ChartYaml);
        let finding = report.iter().next().unwrap();
        assert_eq!(finding.code, Code::YAML_SYNTAX);
        assert!(finding.span.unwrap().line >= 2, "{finding}");
    }

    // What people do to files, and where they would look for it.
    #[test]
    fn a_mistake_of_syntax_is_shown_with_what_it_belongs_to() {
        for (text, place, related, message) in [
            ("a: 1\nb 2\nc: 3\n", (2, 1), None, "no ':' behind it"),
            ("a: 1\n b: 2\n", (2, 3), Some((1, 4)), "goes on with a text of the line before"),
            ("a: b: c\n", (1, 5), None, "the line already has one"),
            ("a:\n  b: 1\n c: 2\n", (3, 2), Some((2, 3)), "no key: indentation?"),
            ("a:\n b:\n     c: 1\n  d: 2\n", (4, 3), Some((2, 2)), "no key: indentation?"),
            ("a:\n  b:1\n  c: 2\n", (3, 4), Some((2, 3)), "goes on with a text of the line before"),
            ("a:\n  b:1\n  # x\n  c: 2\n", (4, 3), Some((2, 3)), "no key: indentation?"),
            ("a: [1\nb: 2\n", (2, 2), Some((1, 4)), "',' or ']' is missing"),
            ("a: [1,\nb: 2\n", (2, 4), Some((1, 4)), "a bracket is not closed"),
            ("a: {\n\nb: |\n x\n", (3, 4), Some((1, 4)), "no value can begin with '|'"),
            ("a: {b: 1\n", (1, 8), Some((1, 4)), "a bracket is not closed"),
            ("a: \"x\nb: \"y\"\nc: 1\n", (2, 5), Some((1, 4)), "behind quotes that end in this line"),
            ("a: \"x\nb: \">=1\"\n", (2, 6), Some((1, 4)), "behind quotes that end in this line"),
            ("a: \"x\nb: y\n", (1, 4), None, "a quote is not closed"),
            ("a:\n\tb: 1\n", (2, 1), None, "a tab stands"),
            ("a: |\n\tb\n", (2, 1), None, "a tab stands"),
            ("a: @b\n", (1, 4), None, "no value can begin with '@'"),
            ("a: \"\\d\"\n", (1, 6), None, "no such escape"),
            ("- a\nb: 1\n", (2, 1), Some((1, 1)), "a list goes on"),
            ("b: 1\n- a\n", (2, 1), Some((1, 1)), "an entry of a list"),
            ("a: !x!y z\nb: 1\n", (1, 4), None, "no %TAG directive"),
        ] {
            let report = report(text, Document::Values);
            let finding = report.errors().next().unwrap();
            let span = finding.span.unwrap();
            assert_eq!((span.line, span.column), place, "{report}");
            let begins = finding.related.first().map(|(span, _)| (span.line, span.column));
            assert_eq!(begins, related, "{report}");
            assert!(finding.message.contains(message), "{report}");
        }
    }

    #[test]
    fn what_stands_behind_the_end_of_the_document_is_not_passed_over() {
        let report = report(" name: web\nversion: 1.0.0\n", Document::ChartYaml);
        let finding = report.iter().find(|finding| finding.code == Code::YAML_DOCUMENTS).unwrap();
        assert_eq!(finding.span.map(|span| (span.line, span.column)), Some((2, 1)));
        assert_eq!(finding.related[0].0.column, 2);
    }

    #[test]
    fn templates_in_values_are_told_from_keys_of_the_wrong_type() {
        let report = report("a: {{ .Values.x }}\n", Document::Values);
        assert!(report.errors().next().unwrap().help.contains("Helm runs no templates"), "{report}");
    }

    #[test]
    fn a_document_in_which_nothing_has_to_be_mended_stays_as_it_is() {
        for (kind, text) in
            [(Document::Values, "a: 1 # fine\n"), (Document::Manifest, "no JSON"), (Document::Schema, "{}")]
        {
            let report = check(text.as_bytes(), Some(kind), None, &Limits::default()).unwrap();
            assert_eq!(report.fixed(None).unwrap(), text.as_bytes());
        }
        // What is missing has no place, and its fix has one.
        let text = "name: web\nversion: 1.0.0\nicon: https://x.example/i.png\n";
        let report = check(text.as_bytes(), Some(Document::ChartYaml), None, &Limits::default()).unwrap();
        assert!(report.iter().all(|finding| finding.span.is_none()));
        assert_eq!(report.fixed(None).unwrap(), format!("apiVersion: v2\n{text}").as_bytes());
    }

    #[test]
    fn a_packed_chart_is_checked_with_its_documents() {
        let files: &[(&str, &[u8])] = &[
            ("web/Chart.yaml", GOOD.as_bytes()),
            ("web/values.yaml", b"a: 1\nb:\n  c: 1\n  c: 2\n"),
            ("web/templates/a.yaml", b""),
            ("web/.helmignore", b""),
            ("web/charts/x/Chart.yaml", b"name: x\nname: x\nversion: 1.0.0\n"),
        ];
        let report = check(&packed(files), None, None, &Limits::default()).unwrap();
        let found: Vec<_> = report.iter().map(|finding| (finding.document.as_str(), finding.code.name())).collect();
        assert_eq!(
            found,
            [
                ("charts/x", "chart.dependency_undeclared"),
                ("charts/x/Chart.yaml", "yaml.duplicate_key"),
                ("values.yaml", "yaml.duplicate_key"),
            ]
        );
        assert_eq!(codes(&report)[2], ("yaml.duplicate_key", "/b/c", 3));
    }

    #[test]
    fn a_broken_chart_is_a_report_and_not_an_error() {
        let bad = packed(&[("web/Chart.yaml", b"apiVersion: v2\nname: a/b\ntype: c\n")]);
        let report = check(&bad, None, None, &Limits::default()).unwrap();
        let found: Vec<_> = report.errors().map(|finding| finding.code.name()).collect();
        assert_eq!(found, ["chart.version", "chart.name", "chart.type"]);
        let link = check(&packed(&[("web/../x", b"")]), None, None, &Limits::default()).unwrap();
        let finding = link.errors().next().unwrap();
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
        let config = r#"{"name": "web", "version": "x", "apiVersion": "v2"}"#;
        assert_eq!(codes(&report(config, Document::Config)), [("chart.version", "/version", 1)]);
        let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json",
            "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[
            {"mediaType":"application/tar+gzip","size":2,
            "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}]}"#;
        let report = check(manifest.as_bytes(), None, None, &Limits::default()).unwrap();
        assert!(report.iter().any(|finding| finding.code == Code::ARTIFACT_LEGACY_CHART), "{report}");
        assert_eq!(codes(&self::report("x", Document::Provenance)), [("provenance.syntax", "", 1)]);
    }

    #[test]
    fn what_helm_reads_is_no_unknown_key() {
        let report = report(&GOOD.replace("version: 1", "ver\u{17f}ion: 1"), Document::ChartYaml);
        assert!(report.is_empty(), "{report}");
    }

    #[cfg(feature = "schema")]
    #[test]
    fn a_draft_that_helm_does_not_know_is_said_and_a_document_within_is_none_outside() {
        let found = |text: &str| -> Vec<(&str, String)> {
            let report = report(text, Document::Schema);
            report.iter().map(|finding| (finding.code.name(), finding.pointer.clone())).collect()
        };
        for (draft, code) in [
            ("http://json-schema.org/draft-03/schema#", Some("schema.invalid")),
            ("http://json-schema.org/draft-07/hyper-schema#", Some("schema.invalid")),
            ("foo", Some("schema.invalid")),
            ("https://x.example/s.json", Some("schema.remote")),
            ("http://json-schema.org/schema#", None),
            ("https://json-schema.org/draft/2020-12/schema", None),
            ("http://json-schema.org/draft-04/schema#", None),
            ("urn:foo", None),
        ] {
            let expected: Vec<_> = code.into_iter().map(|code| (code, "/$schema".to_owned())).collect();
            assert_eq!(found(&format!(r#"{{"$schema": "{draft}"}}"#)), expected, "{draft}");
        }
        let within = r##"{"$id": "http://x.example/s.json", "$defs": {"t": {"$id": "t.json"}}, "$ref": "t.json#"}"##;
        assert_eq!(found(within), []);
        let outside = within.replace("t.json#", "u.json");
        assert_eq!(found(&outside), [("schema.remote", "/$ref".to_owned())]);
    }

    #[test]
    fn what_nests_too_deeply_is_said_once() {
        let text = "[".repeat(200_000);
        assert_eq!(codes(&report(&text, Document::Schema)).len(), 1);
    }

    #[test]
    fn what_is_no_file_or_no_directory_where_helm_wants_one_is_said() {
        let chart = |path: &str| packed(&[("web/Chart.yaml", GOOD.as_bytes()), (path, b"")]);
        for (path, code, document) in [
            ("web/templates", Code::FILES_NOT_DIRECTORY, "templates"),
            ("web/crds", Code::FILES_NOT_DIRECTORY, "crds"),
            ("web/values.yaml/x", Code::FILES_IS_DIRECTORY, "values.yaml"),
            ("web/.helmignore/x", Code::FILES_IS_DIRECTORY, ".helmignore"),
        ] {
            let report = check(&chart(path), None, None, &Limits::default()).unwrap();
            let found: Vec<_> = report.errors().map(|one| (one.code, one.document.as_str())).collect();
            assert_eq!(found, [(code, document)], "{report}");
        }
    }

    // Helm 4.3.1 was asked.
    #[test]
    fn the_metadata_of_a_crd_is_of_the_types_that_helm_lint_reads() {
        let found = |metadata: &str| {
            let crd =
                format!("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {metadata}\n");
            let chart = packed(&[("web/Chart.yaml", GOOD.as_bytes()), ("web/crds/a.yaml", crd.as_bytes())]);
            let report = check(&chart, None, None, &Limits::default()).unwrap();
            report.errors().map(|one| (one.pointer.clone(), one.message.clone())).collect::<Vec<_>>()
        };
        for good in ["~", "{}", "{name: 5, namespace: true}", "{name: ~, labels: [a]}"] {
            assert_eq!(found(good), [], "{good}");
        }
        for (bad, pointer, message) in [
            ("[x]", "/metadata", "metadata must be a mapping, not a list"),
            ("x", "/metadata", "metadata must be a mapping, not a text"),
            ("{name: [a]}", "/metadata/name", "name must be a text, not a list"),
            ("{namespace: {a: b}}", "/metadata/namespace", "namespace must be a text, not a mapping"),
        ] {
            assert_eq!(found(bad), [(pointer.to_owned(), message.to_owned())], "{bad}");
        }
    }

    // Each would take minutes if one list were compared with another.
    #[test]
    fn long_lists_of_mistakes_take_no_long_time() {
        for (line, kind) in [("a", Document::Values), ("- .inf\n", Document::Values), ("- *x\n", Document::Values)] {
            let text = format!("a:\n{}", line.repeat(20_000));
            assert!(report(&text, kind).iter().count() <= 101, "{line}");
        }
        for line in ["- name: d\n", "- ~\n", "- 1\n", "- *x\n", "- name: d\n  vresion: x\n"] {
            let text = format!("{GOOD}dependencies:\n{}", line.repeat(20_000));
            assert!(report(&text, Document::ChartYaml).iter().count() < 500, "{line}");
        }
    }

    #[test]
    fn what_stands_at_the_place_tells_what_to_do() {
        for (text, help) in [
            ("a: {{ .Values.a }}\n", "Helm runs no templates"),
            ("a: b: c\n", "Put the text in quotes if the colon"),
            ("image:\n  repository:nginx\n  tag: 1\n", "a blank is missing behind the colon"),
            ("a: @b\n", "Put the text in quotes: none begins"),
            ("a: 'it's'\n", "Write a quote twice"),
            ("hosts:\n- *.example.com\n", "* begins an alias"),
            ("a:\n-b\n-c\n", "a blank is missing behind the dash"),
            ("a: [1, 2\nb: 3\n", "with a bracket where it ends"),
            ("a: \"an \"a\"\"\n", "Write \\\""),
            ("a:\n\t- b\n", "indent with blanks"),
            ("a: 1\n<<<<<<< HEAD\nb: 2\n", "Take one side"),
        ] {
            let report = report(text, Document::Values);
            let [finding] = report.iter().as_slice() else { panic!("{report}") };
            assert!(finding.help.contains(help), "{report}");
        }
        let report = report(&format!("{GOOD}maintainers:\n- Ada\n"), Document::ChartYaml);
        let finding = report.errors().next().unwrap();
        assert_eq!(finding.message, "maintainers[0] must be a mapping, not a text");
        assert!(finding.help.contains("key: value"), "{report}");
    }

    #[test]
    fn the_report_says_as_what_a_document_was_judged() {
        for (text, kind) in
            [("dependencies: []", "requirements"), ("replicas: 1", "values"), ("{\"entries\": 1}", "index")]
        {
            assert_eq!(check(text.as_bytes(), None, None, &Limits::default()).unwrap().kind(), kind);
        }
        assert_eq!(check(&packed(&[]), None, None, &Limits::default()).unwrap().kind(), "chart");
    }

    #[test]
    fn what_the_config_has_from_chart_yaml_is_said_once() {
        let chart = packed(&[("Web/Chart.yaml", GOOD.replace("web", "Web").as_bytes())]);
        let config = br#"{"name": "Web", "version": "v1", "apiVersion": "v2"}"#;
        let parts = Parts { chart: Some(&chart), config: Some(config), ..Parts::default() };
        let report = check_parts(&parts, &Limits::default());
        let found = |code| report.iter().filter(move |one| one.code == code).map(|one| one.document.as_str());
        assert_eq!(found(Code::CHART_NAME_FORM).collect::<Vec<_>>(), ["Chart.yaml"]);
        assert_eq!(found(Code::CHART_VERSION_LOOSE).collect::<Vec<_>>(), ["config"]);
    }

    #[test]
    fn documents_are_known_by_name_or_by_content() {
        for (text, name, expected) in [
            ("name: x\nversion: 1.0.0", "", Some(Document::ChartYaml)),
            ("name: x\nversion: [", "", Some(Document::ChartYaml)),
            ("", "a/Chart.yaml", Some(Document::ChartYaml)),
            ("replicas: 1", "", Some(Document::Values)),
            ("apiVersion: v1\nkind: Pod\nmetadata: {}", "pod.yaml", None),
            ("entries: {}\ngenerated: y", "", Some(Document::Index)),
            ("entries: []\nlimit: 3", "", Some(Document::Values)),
            ("digest: x\ngenerated: y", "", Some(Document::ChartLock)),
            ("dependencies: []\ndigest: x", "", Some(Document::ChartLock)),
            ("dependencies:\n- name: x", "", Some(Document::Requirements)),
            ("", "web/requirements.yaml", Some(Document::Requirements)),
            ("dependencies: []\nreplicas: 1", "", Some(Document::Values)),
            ("dependencies: []", "values.yaml", Some(Document::Values)),
            ("{\"apiVersion\": \"v1\", \"entries\": {}}", "", Some(Document::Index)),
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
