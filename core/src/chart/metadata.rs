//! Chart.yaml (Helm 4.3, `pkg/chart/v2/metadata.go`).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Dependency;
use super::archive::peek_chart_yaml;
use super::decode::{Decoder, Document, node};
use super::fields::{CHART, MAINTAINER};
use crate::diagnostic::{Diagnostic, Report};
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::printable::sanitise;
use crate::version::Version;
use crate::yaml::{self, Data, Duplicate, Mapping, Node};

/// Entries of lists that are refused one by one: the place of each is looked up.
const MOST_REFUSALS: usize = 100;

/// What Chart.yaml says, validated and sanitised as Helm does when it loads a chart. Serialised, it has the names and the
/// order of the OCI config blob, without what is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// `type`: empty, `application` or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// Who looks after a chart.
///
/// ```
/// use chartoci::{Limits, Metadata, chart::Maintainer};
/// let chart_yaml = b"name: web\nversion: 1.0.0\nmaintainers:\n- name: Ada\n  email: ada@example.org\n";
/// let metadata = Metadata::parse(chart_yaml, &Limits::default())?;
/// let ada = Maintainer { name: "Ada".to_owned(), email: "ada@example.org".to_owned(), ..Maintainer::default() };
/// assert_eq!(metadata.maintainers, [ada]);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Maintainer {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

impl Metadata {
    /// Reads and validates Chart.yaml.
    ///
    /// ```
    /// use chartoci::{Limits, Metadata};
    /// let metadata = Metadata::parse(b"name: web\nversion: 1.2.3\nappVersion: 1.10", &Limits::default())?;
    /// assert_eq!((metadata.name.as_str(), metadata.app_version.as_str()), ("web", "1.1"));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// `yaml.*` and `chart.*`, with the place: `document`, `line`, `column`, `pointer`.
    pub fn parse(chart_yaml: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        Metadata::load(chart_yaml, None, limits).map(|(metadata, _)| metadata)
    }

    /// As [`Metadata::parse`], with `requirements.yaml` of an apiVersion v1 chart merged in, and with findings.
    ///
    /// ```
    /// use chartoci::{Limits, Metadata};
    /// let chart_yaml = b"apiVersion: v1\nname: web\nversion: 1.0.0";
    /// let requirements = b"dependencies:\n- {name: db, version: ^2, repository: oci://reg.example/charts}\n";
    /// let (metadata, _) = Metadata::load(chart_yaml, Some(requirements), &Limits::default())?;
    /// assert_eq!(metadata.dependencies[0].name, "db");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Metadata::parse`].
    pub fn load(chart_yaml: &[u8], requirements: Option<&[u8]>, limits: &Limits) -> Result<(Metadata, Report), Error> {
        let mut draft = Draft::default();
        let mut report = Report::new();
        let mut documents = Vec::new();
        let texts = [("Chart.yaml", Some(chart_yaml)), ("requirements.yaml", requirements)];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            let node = yaml::parse(text, limits).map_err(|error| error.with("document", name))?;
            let mut decoder = Decoder::new(name, true);
            draft.decode(&mut decoder, &node);
            decoder.finish()?;
            duplicates(&node, name, &mut report);
            documents.push(Document { name, node });
            if name == "requirements.yaml" && draft.metadata.api_version != "v1" {
                let message = format!("apiVersion is {}, not v1", clip(&draft.metadata.api_version));
                report.push(Diagnostic::new(Code::CHART_REQUIREMENTS, name, message));
            }
            if name == "Chart.yaml" && draft.metadata.api_version.is_empty() {
                draft.metadata.api_version = "v1".to_owned();
            }
        }
        Ok((draft.validated(&documents)?, report.sorted()))
    }

    /// All that Helm refuses when it loads these documents (Chart.yaml, and requirements.yaml if there is one), with
    /// keys that are written twice; and what they say as far as it can be read, with whether nothing is refused.
    pub(crate) fn examine(documents: &[Document], coerces: bool) -> (Metadata, bool, Report) {
        let mut draft = Draft::default();
        let mut report = Report::new();
        for Document { name, node } in documents {
            let mut decoder = Decoder::new(name, coerces);
            draft.decode(&mut decoder, node);
            report.extend(decoder.report());
            if draft.metadata.api_version.is_empty() {
                draft.metadata.api_version = "v1".to_owned();
            }
        }
        let (metadata, mut errors) = draft.validate(documents);
        if documents.iter().any(|document| !matches!(document.node.data, Data::Null | Data::Mapping(_))) {
            errors.clear();
        }
        // What is of the wrong type is not also missing. Both lists may be as long as the document.
        let misfits: Vec<String> = report.iter().take(100).map(|misfit| misfit.pointer.clone()).collect();
        for finding in errors.iter().filter_map(Error::report).flatten().take(1000) {
            if finding.pointer.is_empty() || !misfits.contains(&finding.pointer) {
                report.push(finding.clone());
            }
        }
        let is_whole = report.is_empty();
        for Document { name, node } in documents {
            duplicates(node, name, &mut report);
        }
        (metadata, is_whole, report)
    }

    /// Bytes of an archive in which Chart.yaml is found: it stands in front nearly always.
    pub const FRONT: usize = 256 << 10;

    /// Reads the metadata of an archive and stops at Chart.yaml: fast, and **unverified**. What stands behind it is not looked
    /// at: the archive may be cut off, hostile, or no chart that Helm loads; what requirements.yaml adds is missing.
    /// [`Scan::read`](crate::chart::Scan::read) and [`Archive::read`](crate::Archive::read) look at all of it.
    ///
    /// ```
    /// use chartoci::chart::{package::Options, package_in_memory};
    /// use chartoci::{Limits, Metadata, files::Memory};
    /// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
    /// assert_eq!(Metadata::peek(&data, &Limits::default())?.name, "web");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Metadata::parse`], and what keeps Chart.yaml from being found.
    pub fn peek(archive: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        Metadata::parse(&peek_chart_yaml(archive, limits)?, limits)
    }

    /// Reads a config blob (JSON). What it says is a claim, not the chart's own word: nothing is validated or sanitised.
    ///
    /// ```
    /// use chartoci::{Limits, Metadata};
    /// let config = br#"{"name":"web","version":"1.0.0","apiVersion":"v2","type":"library"}"#;
    /// let metadata = Metadata::from_config(config, &Limits::default())?;
    /// assert_eq!((metadata.kind.as_str(), metadata.config()), ("library", config.to_vec()));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// No JSON object of that shape.
    pub fn from_config(config: &[u8], limits: &Limits) -> Result<Metadata, Error> {
        let value = json::parse(config, limits.config)?.value;
        let mut draft = Draft::default();
        let mut decoder = Decoder::new("config", false);
        draft.decode(&mut decoder, &node(value));
        decoder.finish()?;
        let Draft { mut metadata, maintainers, dependencies } = draft;
        metadata.maintainers = maintainers.into_iter().flatten().collect();
        metadata.dependencies = dependencies.into_iter().flatten().collect();
        Ok(metadata)
    }

    /// What a config blob claims otherwise than this Chart.yaml, as code and words; `None` where it says the same, or where
    /// requirements.yaml may have said it, which [`Metadata::peek`] does not read.
    ///
    /// # Errors
    /// As [`Metadata::from_config`].
    pub(crate) fn contradiction(&self, config: &[u8], limits: &Limits) -> Result<Option<(Code, String)>, Error> {
        let mut differing = Metadata::from_config(config, limits)?.differing(self);
        if self.api_version == "v1" && self.dependencies.is_empty() {
            differing.retain(|(name, ..)| name != "dependencies");
        }
        let said =
            differing.iter().map(|(name, claimed, real)| format!("{name} is {claimed}, and {real} in Chart.yaml"));
        let said = said.collect::<Vec<_>>().join("; ");
        Ok((!said.is_empty())
            .then(|| (Code::ARTIFACT_CONFIG, format!("the config says something else: {}", clip(&said)))))
    }

    /// The fields in which two charts differ: name, one value, the other.
    pub(crate) fn differing(&self, other: &Metadata) -> Vec<(String, String, String)> {
        let fields = |metadata: &Metadata| match json::parse(&metadata.config(), u64::MAX).map(|parsed| parsed.value) {
            Ok(Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (one, other) = (fields(self), fields(other));
        let shown = |value: Option<&Value>| value.map_or("missing".to_owned(), |value| clip(&json::shown(value)));
        let mut names: Vec<&String> = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))).collect();
        names.retain(|name| one.get(*name) != other.get(*name));
        names.into_iter().map(|name| (name.clone(), shown(one.get(name)), shown(other.get(name)))).collect()
    }

    /// What the chart's archive is called: `NAME-VERSION.tgz`, as `helm package` (4.3) writes it.
    ///
    /// # Errors
    /// [`Code::FILES_NAME`]: a chart can be read that calls itself `..\evil` or `C:evil`; no file is ever called so.
    ///
    /// ```
    /// use chartoci::{Limits, Metadata};
    /// let metadata = Metadata::parse(b"name: web\nversion: 1.2.0+b1\n", &Limits::default())?;
    /// assert_eq!(metadata.filename()?, "web-1.2.0+b1.tgz");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn filename(&self) -> Result<String, Error> {
        if self.name.contains(|character: char| "/\\:".contains(character) || character.is_control()) {
            let message = format!("no file can be called after the chart {:?}", clip(&self.name));
            return Err(Error::new(Code::FILES_NAME, message).with("path", clip(&self.name)));
        }
        Ok(format!("{}-{}.tgz", self.name, self.version))
    }

    /// The bytes of the OCI config blob, as Helm writes it.
    pub fn config(&self) -> Vec<u8> {
        json::write(self)
    }

    /// As `helm show chart` prints it, without the blank line at the end; and as `helm package` writes it.
    ///
    /// ```
    /// use chartoci::{Limits, Metadata};
    /// let metadata = Metadata::parse(b"version: 1.0.0\nname: web # ours\nappVersion: '1.10'", &Limits::default())?;
    /// assert_eq!(metadata.to_yaml(), "apiVersion: v1\nappVersion: \"1.10\"\nname: web\nversion: 1.0.0\n");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn to_yaml(&self) -> String {
        yaml::to_string(&json::tree(self))
    }
}

/// What was read, before Helm's validation: entries of lists may be null.
#[derive(Default)]
struct Draft {
    metadata: Metadata,
    maintainers: Vec<Option<Maintainer>>,
    dependencies: Vec<Option<Dependency>>,
}

impl Draft {
    fn decode(&mut self, decoder: &mut Decoder, node: &Node) {
        let Draft { metadata, maintainers, dependencies } = self;
        decoder.fields(node, CHART, |decoder, name, value| match name {
            "name" => decoder.text(value, &mut metadata.name),
            "home" => decoder.text(value, &mut metadata.home),
            "sources" => decoder.texts(value, &mut metadata.sources),
            "version" => decoder.text(value, &mut metadata.version),
            "description" => decoder.text(value, &mut metadata.description),
            "keywords" => decoder.texts(value, &mut metadata.keywords),
            "maintainers" => decoder.list(value, maintainers, unless_null(Maintainer::decode)),
            "icon" => decoder.text(value, &mut metadata.icon),
            "apiVersion" => decoder.text(value, &mut metadata.api_version),
            "condition" => decoder.text(value, &mut metadata.condition),
            "tags" => decoder.text(value, &mut metadata.tags),
            "appVersion" => decoder.text(value, &mut metadata.app_version),
            "deprecated" => decoder.flag(value, &mut metadata.deprecated),
            "annotations" => decoder.text_map(value, &mut metadata.annotations),
            "kubeVersion" => decoder.text(value, &mut metadata.kube_version),
            "dependencies" => decoder.list(value, dependencies, unless_null(Dependency::decode)),
            "type" => decoder.text(value, &mut metadata.kind),
            _ => {}
        });
    }

    /// Helm's checks in Helm's order: the first that fails is the error, all of them are its report.
    fn validated(self, documents: &[Document]) -> Result<Metadata, Error> {
        let (metadata, errors) = self.validate(documents);
        let report: Report = errors.iter().filter_map(Error::report).flatten().cloned().collect();
        match errors.into_iter().next() {
            Some(first) => Err(first.with_report(report.sorted())),
            None => Ok(metadata),
        }
    }

    fn validate(self, documents: &[Document]) -> (Metadata, Vec<Error>) {
        let mut errors: Vec<Error> = Vec::new();
        let refusal = |code, path: &[&str], message: String| -> Error {
            let located = documents.iter().rev().find_map(|document| Some((document, document.locate(path)?)));
            match (located, documents.first()) {
                (Some((document, (pointer, span))), _) => document.error(code, message, &pointer, Some(span)),
                (None, Some(document)) => document.error(code, message, "", None),
                (None, None) => Error::new(code, message),
            }
        };
        let Draft { mut metadata, maintainers, dependencies } = self;
        metadata.sanitise();
        let Metadata { name, version, kind, api_version, .. } = &metadata;
        if api_version.is_empty() {
            let message = "requirements.yaml empties apiVersion".to_owned();
            errors.push(refusal(Code::CHART_API_VERSION, &["apiversion"], message));
        }
        if name.is_empty() {
            errors.push(refusal(Code::CHART_NAME, &["name"], "the chart has no name".to_owned()));
        } else if name == "." || name == ".." || name.contains('/') {
            errors.push(refusal(Code::CHART_NAME, &["name"], format!("{:?} cannot be a chart's name", clip(name))));
        }
        if version.is_empty() {
            errors.push(refusal(Code::CHART_VERSION, &["version"], "the chart has no version".to_owned()));
        } else if let Err(error) = Version::parse(version) {
            let message = format!("{:?} is no semantic version", clip(version));
            errors.push(refusal(Code::CHART_VERSION, &["version"], message).because(error));
        }
        if !matches!(kind.as_str(), "" | "application" | "library") {
            let message = format!("type is {:?}, neither application nor library", clip(kind));
            errors.push(refusal(Code::CHART_TYPE, &["type"], message));
        }
        for (at, maintainer) in maintainers.into_iter().enumerate() {
            if errors.len() >= MOST_REFUSALS {
                break;
            }
            let Some(mut maintainer) = maintainer else {
                let path = ["maintainers", &at.to_string()];
                errors.push(refusal(Code::CHART_MAINTAINER, &path, format!("maintainers[{at}] is empty")));
                continue;
            };
            for text in [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url] {
                sanitise(text);
            }
            metadata.maintainers.push(maintainer);
        }
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (at, dependency) in dependencies.into_iter().enumerate() {
            if errors.len() >= MOST_REFUSALS {
                break;
            }
            let index = at.to_string();
            let Some(mut dependency) = dependency else {
                let path = ["dependencies", &index];
                errors.push(refusal(Code::CHART_DEPENDENCY, &path, format!("dependencies[{at}] is empty")));
                continue;
            };
            dependency.sanitise();
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            if !dependency.alias.bytes().all(allowed) {
                let message = format!("the alias {:?} of a dependency is not allowed", clip(&dependency.alias));
                errors.push(refusal(Code::CHART_ALIAS, &["dependencies", &index, "alias"], message));
            }
            let name = dependency.known_as().to_owned();
            match names.get(&name) {
                Some(first) => {
                    let message = format!("two dependencies are called {:?}", clip(&name));
                    let mut error = refusal(Code::CHART_DUPLICATE_DEPENDENCY, &["dependencies", &index], message);
                    let first = documents.iter().rev().find_map(|it| it.locate(&["dependencies", &first.to_string()]));
                    if let (Some((_, first)), Some(report)) = (first, error.report()) {
                        let related = |finding: &Diagnostic| {
                            let related = vec![(first, "the other one".to_owned())];
                            Diagnostic { related, ..finding.clone() }
                        };
                        let report = report.iter().map(related).collect();
                        error = error.with_report(report);
                    }
                    errors.push(error);
                }
                None => drop(names.insert(name, at)),
            }
            metadata.dependencies.push(dependency);
        }
        (metadata, errors)
    }
}

impl Metadata {
    /// Version, annotations and type stay as they are.
    fn sanitise(&mut self) {
        let texts = [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ];
        texts.into_iter().chain(&mut self.sources).chain(&mut self.keywords).for_each(sanitise);
    }
}

impl Maintainer {
    fn decode(decoder: &mut Decoder, node: &Node, target: &mut Maintainer) {
        decoder.fields(node, MAINTAINER, |decoder, name, value| match name {
            "name" => decoder.text(value, &mut target.name),
            "email" => decoder.text(value, &mut target.email),
            "url" => decoder.text(value, &mut target.url),
            _ => {}
        });
    }
}

/// Decodes what may be null.
pub(super) fn unless_null<T: Default>(
    decode: impl Fn(&mut Decoder, &Node, &mut T),
) -> impl FnMut(&mut Decoder, &Node, &mut Option<T>) {
    move |decoder, node, target| match node.data {
        Data::Null => *target = None,
        _ => decode(decoder, node, target.get_or_insert_default()),
    }
}

/// Warns of keys that are written twice, of the first hundred.
pub(crate) fn duplicates(node: &Node, document: &str, report: &mut Report) {
    // What Helm also reads strictly: its reader minds keys that `<<` brings, too.
    let is_strict = ["Chart.yaml", "index.yaml"].contains(&document);
    Duplicates { document, is_strict, left: 100, report }.collect(node, &mut Vec::new());
}

struct Duplicates<'r> {
    document: &'r str,
    is_strict: bool,
    /// More are not told.
    left: u8,
    report: &'r mut Report,
}

impl Duplicates<'_> {
    fn collect<'a>(&mut self, node: &'a Node, path: &mut Vec<Step<'a>>) {
        match &node.data {
            Data::Sequence(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(Step::Item(at));
                    self.collect(item, path);
                    path.pop();
                }
            }
            Data::Mapping(mapping) => {
                for one in mapping.duplicates.iter() {
                    if self.left > 0 && (self.is_strict || !one.is_merged) {
                        path.push(Step::Key(&one.key));
                        self.tell(one, mapping, pointer(path));
                        path.pop();
                    }
                }
                for (key, _, value) in &mapping.pairs {
                    path.push(Step::Key(key));
                    self.collect(value, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, Duplicate { key, place, is_merged }: &Duplicate, mapping: &Mapping, pointer: String) {
        self.left -= 1;
        let last = mapping.pairs.iter().find(|(known, _, _)| known == key).map_or(*place, |(_, last, _)| *last);
        let what = match is_merged {
            true => "comes through <<, too".to_owned(),
            false => format!("is written again in line {}, which counts", last.line),
        };
        let message = format!("{:?} {what}", clip(key));
        let mut finding = Diagnostic::new(Code::YAML_DUPLICATE_KEY, self.document, message).at(pointer, Some(*place));
        if last.start != place.start {
            finding.related.push((last, "this one counts".to_owned()));
        }
        self.report.push(finding);
    }
}

/// A step from a value to one in it.
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// The pointer of a path; none for one that is too long for people to read.
fn pointer(path: &[Step]) -> String {
    const LONGEST: usize = 4096;
    let length: usize = path.iter().map(|step| if let Step::Key(key) = step { key.len() } else { 0 }).sum();
    if length > LONGEST {
        return String::new();
    }
    let step = |step: &Step| match step {
        Step::Key(key) => format!("/{}", json::pointer_token(key)),
        Step::Item(at) => format!("/{at}"),
    };
    path.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn refused(text: &str) -> Error {
        Metadata::parse(text.as_bytes(), &Limits::default()).unwrap_err()
    }

    #[test]
    fn an_error_says_where() {
        let error = refused("name: web\nversion: 1.2.3\nMaintainers:\n- name: a\n- ~\n");
        assert_eq!((error.code(), error.kind()), (Code::CHART_MAINTAINER, Kind::Invalid));
        let context: Vec<_> = error.context().iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = [("document", "Chart.yaml"), ("line", "5"), ("column", "3"), ("pointer", "/Maintainers/1")];
        assert_eq!(context, expected);
        assert_eq!(error.report().unwrap().iter().count(), 1);
    }

    #[test]
    fn all_values_of_a_wrong_type_are_reported_in_the_order_of_the_text() {
        let error = refused("version: [1]\nname: {}\nannotations: {a/b: [x]}\n");
        let pointers: Vec<_> = error.report().unwrap().iter().map(|found| found.pointer.as_str()).collect();
        assert_eq!(pointers, ["/version", "/name", "/annotations/a~1b"]);
        assert_eq!(error.message(), "version must be a text, not a list");
    }

    #[test]
    fn an_error_of_requirements_names_that_document() {
        let chart = b"name: web\nversion: 1.2.3\n";
        let error = Metadata::load(chart, Some(b"dependencies:\n- alias: a.b\n"), &Limits::default()).unwrap_err();
        assert_eq!(error.context()[0], ("document", "requirements.yaml".to_owned()));
        assert_eq!(error.context()[3], ("pointer", "/dependencies/0/alias".to_owned()));
        let error = Metadata::load(chart, Some(b"a: b: c"), &Limits::default()).unwrap_err();
        assert_eq!(error.context().last(), Some(&("document", "requirements.yaml".to_owned())));
    }

    #[test]
    fn keys_that_stand_twice_and_requirements_of_v2_are_found() {
        let chart = b"apiVersion: v2\nname: web\nversion: 1.2.3\nhome: a\nhome: b\n";
        let (_, report) = Metadata::load(chart, Some(b"{}"), &Limits::default()).unwrap();
        let found: Vec<_> = report.iter().map(|found| (found.code, found.span.map(|span| span.line))).collect();
        assert_eq!(found, [(Code::YAML_DUPLICATE_KEY, Some(4)), (Code::CHART_REQUIREMENTS, None)]);
    }

    #[test]
    fn a_config_is_read_as_go_reads_json() {
        let read = |text: &str| Metadata::from_config(text.as_bytes(), &Limits::default());
        let metadata =
            read(r#"{"NAME":"a/b","version":null,"unknown":{},"dependencies":[null,{"name":"c"}]}"#).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str(), metadata.dependencies.len()), ("a/b", "", 1));
        assert_eq!(read(r#"{"version":1}"#).unwrap_err().code(), Code::CHART_FIELD_TYPE);
        assert_eq!(read("[]").unwrap_err().code(), Code::CHART_FIELD_TYPE);
        assert_eq!(read("{").unwrap_err().code(), Code::JSON_SYNTAX);
    }
}
