//! Rules for a whole chart, packed or as a directory: what keeps it from being read, its documents one by one, and what
//! lies where.

use std::collections::{BTreeMap, BTreeSet};

use super::chart_yaml::{self, Setting, Vendored};
use super::defaults::{Defaults, Question};
use super::lint::{self, nearest};
use super::page::{MOST_DEPENDENCIES, Page, field, quoted, text};
use super::{chart_lock, schema, values};
use crate::chart::archive::{DOCUMENTS, File, Place, parent, place};
use crate::chart::fields::CRD_METADATA;
use crate::chart::walk::{Budget, Keep, Walk};
use crate::chart::{Ignore, Metadata};
use crate::diagnostic::{Diagnostic, Report, Severity, Span, document_below};
use crate::error::{Code, Error, clip};
use crate::limits::Limits;
use crate::order;
use crate::yaml::{self, Data};

/// A packed chart.
pub(super) fn packed(
    data: &[u8],
    filename: Option<&str>,
    limits: &Limits,
) -> (Report, Option<Metadata>, Vec<Question>) {
    let mut budget = Budget::packed(limits, data.len());
    let (mut report, metadata, defaults) = archive(data, limits, &mut budget, "");
    let questions = defaults.questions(limits, &mut report);
    let filename = filename.and_then(|name| name.rsplit(['/', '\\']).next()).filter(|name| name.ends_with(".tgz"));
    if let (Some(filename), Some(Ok(expected))) = (filename, metadata.as_ref().map(Metadata::filename))
        && filename != expected
        && filename != expected.replace('+', "_")
    {
        let message = format!("the archive is called {}, not {}", quoted(filename), quoted(&expected));
        report.push(Diagnostic::new(Code::CHART_FILENAME, "chart", message));
    }
    if let (true, Some(what)) = (metadata.is_some(), stamp(data)) {
        let message = format!("the gzip header names {what}");
        report.push(Diagnostic::new(Code::ARCHIVE_STAMP, "chart", message));
    }
    (report, metadata, questions)
}

/// What makes a gzip header (RFC 1952, 2.3) another one whenever the same is packed again.
fn stamp(data: &[u8]) -> Option<&'static str> {
    const NAME: u8 = 0x08;
    let (flags, time) = (data.get(3)?, data.get(4..8)?);
    match (time != [0; 4], flags & NAME != 0) {
        (true, true) => Some("a time and a file"),
        (true, false) => Some("a time"),
        (false, true) => Some("a file"),
        (false, false) => None,
    }
}

/// A chart's directory: all files' bytes, the files, and what could not be read.
pub(super) fn unpacked(
    bytes: &[u8],
    files: &[File],
    refused: &[Error],
    ignored: &[String],
    limits: &Limits,
) -> (Report, Vec<Question>) {
    let mut budget = Budget::unpacked(limits);
    let mut chart = Chart { ignored, ..Chart::new("", true, limits) };
    for error in refused {
        chart.fail(error);
    }
    for file in files {
        let content = &bytes[file.range()];
        if let Err(error) = budget.spend_bytes(content.len() as u64) {
            chart.fail(&error);
            break;
        }
        let has_mark = bytes[..file.range().start].ends_with(MARK);
        let size = content.len() + if has_mark { MARK.len() } else { 0 };
        chart.add(file.path(), file.path(), size as u64, content, &mut budget);
    }
    let (mut report, _, defaults) = chart.finish();
    let questions = defaults.questions(limits, &mut report);
    (report, questions)
}

/// An archive, its entries one by one; `above` stands before its paths in findings.
fn archive(data: &[u8], limits: &Limits, budget: &mut Budget, above: &str) -> (Report, Option<Metadata>, Defaults) {
    let mut chart = Chart::new(above, false, limits);
    let mut walk = match Walk::new(data, limits, Keep::Verdict) {
        Ok(walk) => walk,
        Err(error) => {
            chart.fail(&error);
            return (chart.report, None, Defaults::default());
        }
    };
    loop {
        let found = match walk.next(budget) {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(error) => {
                chart.fail(&error);
                if chart.failures < MOST && walk.goes_on(&error, budget) {
                    continue;
                }
                break;
            }
        };
        chart.top_folder = found.name.split(['/', '\\']).next().unwrap_or_default().to_owned();
        let range = match chart.wants(&found.path).then(|| walk.content(&found)).transpose() {
            Ok(range) => range.unwrap_or_default(),
            Err(error) => {
                chart.fail(&error);
                break;
            }
        };
        chart.add(&found.path, &found.name, found.size, &walk.bytes()[range], budget);
    }
    chart.finish()
}

/// A byte order mark, which a file's content is without.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// More entries are not worth refusing one by one.
const MOST: u32 = 20;
/// Helm 3.17.3 to 4.2 refuse larger files.
const BIG_FILE: u64 = 5 << 20;

/// What was found of one chart: the outermost, or one vendored as a folder.
#[derive(Default)]
struct Files {
    /// The documents that are looked at, by path below this chart's root.
    texts: BTreeMap<String, Vec<u8>>,
    vendored: Vec<Vendored>,
}

/// Files on their way to their charts.
struct Chart<'a> {
    limits: &'a Limits,
    /// Stands before all paths in findings.
    above: &'a str,
    is_directory: bool,
    /// The files that .helmignore left out, as far as they are known.
    ignored: &'a [String],
    /// By root.
    charts: BTreeMap<String, Files>,
    paths: BTreeSet<String>,
    top_folder: String,
    /// Not all files are known, so nothing can be said to be missing.
    is_cut: bool,
    failures: u32,
    report: Report,
}

impl<'a> Chart<'a> {
    fn new(above: &'a str, is_directory: bool, limits: &'a Limits) -> Chart<'a> {
        Chart {
            limits,
            above,
            is_directory,
            ignored: &[],
            charts: BTreeMap::from([(String::new(), Files::default())]),
            paths: BTreeSet::new(),
            top_folder: String::new(),
            is_cut: false,
            failures: 0,
            report: Report::new(),
        }
    }

    /// The outermost of all charts: what is vendored is others' work, and only has to load.
    fn is_outermost(&self) -> bool {
        self.above.is_empty()
    }

    fn fail(&mut self, error: &Error) {
        let mut page = Page::new("chart", b"");
        page.fail(error);
        self.failures += 1;
        self.report.extend(page.report().below(self.above));
    }

    fn find(&mut self, code: Code, path: &str, message: impl Into<String>) {
        self.report.push(Diagnostic::new(code, document_below(self.above, &clip(path)), message));
    }

    /// The content of this file has to be handed to [`Chart::add`].
    fn wants(&self, path: &str) -> bool {
        match place(path) {
            Place::Archive { .. } => true,
            Place::File { root, path } => is_kept(path) || root.is_empty() && self.is_looked_at(path),
            Place::Nowhere | Place::Mistake => false,
        }
    }

    fn is_looked_at(&self, path: &str) -> bool {
        self.is_outermost() && (path == ".helmignore" || is_crd(path))
    }

    fn add(&mut self, path: &str, name: &str, size: u64, content: &[u8], budget: &mut Budget) {
        if !self.paths.insert(path.to_owned()) {
            return self.find(Code::ARCHIVE_DUPLICATE, name, "another entry has the same path");
        }
        if size > BIG_FILE && self.is_outermost() {
            self.find(Code::CHART_BIG_FILE, path, format!("the file has {size} bytes"));
        }
        if path == SCHEMA && size > content.len() as u64 && self.is_outermost() {
            self.find(Code::JSON_SYNTAX, path, "the file begins with a byte order mark, which `helm lint` refuses");
            self.report.last_help(Code::YAML_BYTE_ORDER_MARK.remedy());
        }
        match place(path) {
            Place::File { root, path } => {
                let Some(chart) = self.chart_at(root) else {
                    return self.find(Code::LIMIT_NESTING, name, "charts are nested deeper than the limit allows");
                };
                if is_kept(path) {
                    chart.texts.insert(path.to_owned(), content.to_vec());
                } else if root.is_empty() && self.is_looked_at(path) {
                    self.charts.entry(String::new()).or_default().texts.insert(path.to_owned(), content.to_vec());
                }
            }
            Place::Archive { root } => {
                let Some(nesting) = budget.nesting.checked_sub(1) else {
                    return self.find(Code::LIMIT_NESTING, name, "charts are nested deeper than the limit allows");
                };
                budget.nesting = nesting;
                let above = format!("{}{}/", self.above, clip(path));
                let (report, metadata, defaults) = archive(content, self.limits, budget, &above);
                budget.nesting += 1;
                self.report.extend(report);
                let vendored = vendored(path, metadata, defaults);
                match self.chart_at(root) {
                    Some(chart) => chart.vendored.push(vendored),
                    None => self.find(Code::LIMIT_NESTING, name, "charts are nested deeper than the limit allows"),
                }
            }
            Place::Nowhere => {}
            Place::Mistake => self.find(Code::CHART_MISSING, name, "a folder is called like an archive"),
        }
    }

    /// The chart of that root; those above it are there from then on, too.
    fn chart_at(&mut self, root: &str) -> Option<&mut Files> {
        if !self.charts.contains_key(root) {
            if root.matches('/').count().div_ceil(2) > usize::try_from(self.limits.nesting).unwrap_or(usize::MAX) {
                return None;
            }
            let mut above = parent(root);
            while !self.charts.contains_key(above) {
                self.charts.insert(above.to_owned(), Files::default());
                above = parent(above);
            }
        }
        Some(self.charts.entry(root.to_owned()).or_default())
    }

    /// Looks at each chart's documents, the inner charts' first, and at what lies where.
    fn finish(mut self) -> (Report, Option<Metadata>, Defaults) {
        if self.paths.is_empty() && self.failures == 0 && !self.is_directory {
            self.find(Code::ARCHIVE_EMPTY, "chart", "there is no file in the archive");
            return (self.report, None, Defaults::default());
        }
        // What was refused may be what is missing.
        self.is_cut |= self.failures > 0;
        let (mut main, mut defaults) = (None, Defaults::default());
        while let Some((root, mut files)) = self.charts.pop_last() {
            let is_main = root.is_empty() && self.is_outermost();
            order::sort(&mut files.vendored, |a, b| a.path < b.path);
            let (report, metadata) = self.documents(&files, is_main);
            let above = if root.is_empty() { self.above.to_owned() } else { format!("{}{}/", self.above, clip(&root)) };
            self.report.extend(report.with_sources(|name| files.texts.get(name).map(Vec::as_slice)).below(&above));
            if is_main {
                self.places(&files, metadata.as_ref());
            }
            let judged = Defaults::new(
                above,
                metadata.clone().unwrap_or_default(),
                files.texts.remove("values.yaml").unwrap_or_default(),
                files.texts.remove(SCHEMA),
                files.vendored.into_iter().map(|chart| chart.defaults).collect(),
            );
            if root.is_empty() {
                (main, defaults) = (metadata, judged);
            } else if let Some(outer) = self.charts.get_mut(parent(&root)) {
                outer.vendored.push(vendored(&root, metadata, judged));
            }
        }
        (self.report, main, defaults)
    }

    /// A chart's documents, in findings by their paths below its root.
    fn documents(&self, files: &Files, is_main: bool) -> (Report, Option<Metadata>) {
        let mut report = Report::new();
        let text = |name: &str| files.texts.get(name).map(Vec::as_slice);
        let setting = Setting {
            is_vendored: !is_main,
            is_directory: self.is_directory,
            is_config: false,
            charts: Some(&files.vendored).filter(|_| !self.is_cut).map(Vec::as_slice),
        };
        if text("Chart.yaml").is_none() && !self.is_cut {
            let message = match self.paths.is_empty() {
                true => "the directory is empty: a chart begins with its Chart.yaml",
                false => "Chart.yaml is missing",
            };
            report.push(Diagnostic::new(Code::CHART_MISSING, "Chart.yaml", message));
        }
        let names = ["Chart.yaml", chart_yaml::REQUIREMENTS].into_iter();
        let mut pages: Vec<Page> = names.filter_map(|name| Some(Page::new(name, text(name)?))).collect();
        let said = chart_yaml::check(&mut pages, &setting, self.limits);
        pages.into_iter().for_each(|page| report.extend(page.report()));
        if let Some(text) = text("values.yaml") {
            let mut page = Page::new("values.yaml", text);
            if is_main {
                let declared = said.dependencies.as_ref().map_or(&[][..], |metadata| &metadata.dependencies);
                values::check(&mut page, &files.vendored, declared, self.limits);
            } else {
                values::load(&mut page, self.limits);
            }
            report.extend(page.report());
        }
        for name in ["Chart.lock", "requirements.lock"] {
            let Some(text) = text(name) else { continue };
            let mut page = Page::new(name, text);
            let lock = chart_lock::check(&mut page, self.limits);
            if let (true, Some(lock), Some(wanted)) = (is_main, lock, &said.dependencies) {
                chart_lock::compare(&mut page, &lock, wanted, said.declared_in);
            }
            let counts = |finding: &&Diagnostic| is_main || finding.severity == Severity::Error;
            report.extend(page.report().iter().filter(counts).cloned().collect());
        }
        if let Some(text) = text(SCHEMA) {
            let mut page = Page::new(SCHEMA, text);
            if is_main {
                page = schema::check(page, self.limits);
            } else {
                schema::load(&mut page, self.limits);
            }
            report.extend(page.report());
        }
        if let Some(text) = text(".helmignore") {
            let mut page = Page::new(".helmignore", text);
            ignore(&mut page, self.ignored);
            report.extend(page.report());
        }
        for (path, text) in files.texts.iter().filter(|(path, _)| is_crd(path)) {
            let mut page = Page::new(path, text);
            crd(&mut page, self.limits);
            report.extend(page.report());
        }
        (report, said.metadata)
    }

    /// What is missing, and what lies where it does not belong.
    fn places(&mut self, files: &Files, metadata: Option<&Metadata>) {
        let paths = std::mem::take(&mut self.paths);
        let mut tops = BTreeSet::new();
        tops.extend(paths.iter().filter_map(|path| path.split('/').next()));
        for name in tops.iter().filter(|name| !KNOWN.contains(*name)).take(MOST_DEPENDENCIES) {
            if let Some(meant) = nearest(name, &KNOWN).filter(|meant| !tops.contains(meant)) {
                self.find(Code::CHART_FILE_NAME, name, format!("Helm reads {meant}, not {}", quoted(name)));
            }
        }
        // What is no chart lacks nothing else.
        if !self.is_cut && !paths.contains("Chart.yaml") {
            return;
        }
        // In a directory of the schema's name there is just no schema.
        let placed = NEEDED.into_iter().filter(|(path, _)| !path.contains('/') && *path != SCHEMA);
        for (path, is_directory) in placed.chain([(".helmignore", false)]) {
            let (code, message, help) = match is_directory {
                true if paths.contains(path) => (Code::FILES_NOT_DIRECTORY, "is a file", "Make it a directory."),
                false if paths.iter().any(|file| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))) => {
                    (Code::FILES_IS_DIRECTORY, "is a directory", "Put a file in its place.")
                }
                _ => continue,
            };
            let mut finding = Diagnostic::new(code, path, format!("{path} {message}"));
            help.clone_into(&mut finding.help);
            self.report.push(finding);
        }
        let mut templates = paths.iter().filter(|path| path.starts_with("templates/")).peekable();
        if templates.peek().is_none() && !self.is_cut {
            self.find(Code::TEMPLATE_MISSING, "templates/", "there is no template");
        }
        for path in templates.filter(|path| !path["templates/".len()..].starts_with('.')).take(1000) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if !["yaml", "yml", "tpl", "txt"].contains(&ending) {
                self.find(Code::TEMPLATE_EXTENSION, path, format!("{} is no ending of a template", quoted(ending)));
            }
        }
        if !self.is_cut && !paths.contains("values.yaml") {
            self.find(Code::VALUES_MISSING, "values.yaml", "there is no values.yaml");
        }
        if !self.is_cut && !paths.contains(".helmignore") {
            self.find(Code::IGNORE_MISSING, ".helmignore", "there is no .helmignore");
        }
        let Some(metadata) = metadata else { return };
        let few = metadata.dependencies.len() <= MOST_DEPENDENCIES;
        for chart in files.vendored.iter().filter(|chart| few && !chart.version.is_empty()) {
            if !metadata.dependencies.iter().any(|dependency| dependency.name == chart.name) {
                let message = format!("{} is not declared in Chart.yaml", quoted(&chart.name));
                self.find(Code::CHART_DEPENDENCY_UNDECLARED, &chart.path, message);
            }
        }
        if !self.is_directory && self.top_folder != metadata.name {
            let message =
                format!("the folder is called {}, the chart {}", quoted(&self.top_folder), quoted(&metadata.name));
            self.find(Code::CHART_FOLDER, "chart", message);
        }
    }
}

const KNOWN: [&str; 10] = [
    "Chart.yaml",
    "Chart.lock",
    "values.yaml",
    "values.schema.json",
    "requirements.yaml",
    "requirements.lock",
    ".helmignore",
    "templates",
    "charts",
    "crds",
];

/// What is known of a chart in `charts/`; of one that cannot be read, its folder's name.
fn vendored(path: &str, metadata: Option<Metadata>, defaults: Defaults) -> Vendored {
    let metadata = metadata.unwrap_or_else(|| {
        let name = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".tgz");
        let is_version = |(_, rest): &(usize, &str)| rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let mut dashes = name.match_indices('-').map(|(at, _)| (at, &name[at..]));
        let end = dashes.find(is_version).map_or(name.len(), |(at, _)| at);
        Metadata { name: name[..end].to_owned(), ..Metadata::default() }
    });
    Vendored { path: path.to_owned(), name: metadata.name, version: metadata.version, defaults }
}

const SCHEMA: &str = "values.schema.json";

fn is_kept(path: &str) -> bool {
    path == SCHEMA || DOCUMENTS.contains(&path)
}

/// As Helm finds them: below `crds/`, with the ending of a manifest in any case.
fn is_crd(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    path.starts_with("crds/") && ["yaml", "yml", "json"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Every document is a CustomResourceDefinition.
fn crd(page: &mut Page, limits: &Limits) {
    let Some(documents) = page.yaml(yaml::Documents::All, limits) else { return };
    for node in documents.iter().filter(|node| node.data != Data::Null) {
        let place = |name: &str| Some(node.get(name).map_or(node.span, |value| value.span));
        if !text(node, "apiVersion").is_some_and(|version| version.starts_with("apiextensions.k8s.io")) {
            let message = format!("apiVersion is {}", quoted(text(node, "apiVersion").unwrap_or_default()));
            page.find(Code::CRD_API_VERSION, "/apiVersion", place("apiVersion"), message);
        }
        if text(node, "kind") != Some("CustomResourceDefinition") {
            let message = format!("kind is {}", quoted(text(node, "kind").unwrap_or_default()));
            page.find(Code::CRD_KIND, "/kind", place("kind"), message);
        }
        if let Some(metadata) = field(node, "metadata") {
            lint::misfits(page, metadata, "/metadata", "metadata", true, CRD_METADATA);
        }
    }
}

/// More patterns are not looked at.
const MOST_LINES: usize = 1000;
/// What a chart can hardly do without: path, and whether it is a directory.
const NEEDED: [(&str, bool); 8] = [
    ("Chart.yaml", false),
    ("values.yaml", false),
    ("values.schema.json", false),
    ("templates", true),
    ("templates/deployment.yaml", false),
    ("templates/_helpers.tpl", false),
    ("templates/NOTES.txt", false),
    ("crds", true),
];

/// A template or a definition, and no copy that an editor or a tool left there.
fn is_meant(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_template = path.starts_with("templates/")
        && name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml" | "tpl" | "txt"));
    !name.starts_with('.') && (is_template || is_crd(path))
}

/// Each pattern by itself: whether Helm can read it, and whether it leaves out what is there or what is needed.
fn ignore(page: &mut Page, ignored: &[String]) {
    let Ok(text) = std::str::from_utf8(page.text) else { return };
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate().take(MOST_LINES) {
        let here = start + line.len() - line.trim_start().len();
        start += line.len();
        let (pattern, number) = (line.trim(), number as u32 + 1);
        if pattern.is_empty() || pattern.starts_with('#') {
            continue;
        }
        let column = 1 + (line.len() - line.trim_start().len()) as u32;
        let end_column = column + pattern.chars().count() as u32;
        let span = Span { start: here, end: here + pattern.len(), line: number, column, end_line: number, end_column };
        let parsed = match Ignore::parse(pattern) {
            Ok(parsed) => parsed,
            Err(error) => {
                page.find(Code::IGNORE_PATTERN, "", Some(span), error.message());
                continue;
            }
        };
        if pattern.starts_with('!') {
            page.find(Code::IGNORE_NEGATION, "", Some(span), format!("{} begins with !", quoted(pattern)));
            continue;
        }
        let there = ignored.iter().map(String::as_str).find(|path| is_meant(path) && parsed.matches(path, false));
        let needed = || NEEDED.iter().find(|(path, is_directory)| parsed.matches(path, *is_directory));
        if let Some(name) = there.or_else(|| needed().map(|(name, _)| *name)) {
            page.find(Code::IGNORE_SWALLOWS, "", Some(span), format!("{} leaves out {name}", quoted(pattern)));
        }
    }
}
