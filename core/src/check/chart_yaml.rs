//! Rules for Chart.yaml, for requirements.yaml beside it, and for the config blob, which has the same fields.

use super::address::{no_email, no_url, no_web_address};
use super::defaults::Defaults;
use super::lint::{self, Rule, apply, nearest, no_range, no_suffixes};
use super::page::{MOST_DEPENDENCIES, Page, field, items, quoted, text};
use crate::chart::Metadata;
use crate::chart::decode::{Document, is_spelling};
use crate::chart::fields::{CHART, Field};
use crate::diagnostic::{Diagnostic, Fix, Span};
use crate::error::{Code, clip};
use crate::http::host::is_loopback;
use crate::http::url::Url;
use crate::limits::Limits;
use crate::oci::reference::is_repository_name;
use crate::version::{Constraint, Version};
use crate::yaml::{self, Data, Node};

/// A chart that lies in `charts/`.
#[derive(Debug, Default)]
pub(super) struct Vendored {
    /// The folder or archive, below the chart's root.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) defaults: Defaults,
}

/// Where a Chart.yaml stands.
#[derive(Default)]
pub(super) struct Setting<'a> {
    /// It is a chart in `charts/`: only what keeps Helm from loading it counts.
    pub(super) is_vendored: bool,
    /// It is being worked on, not yet packed.
    pub(super) is_directory: bool,
    /// It is no Chart.yaml, but the config that was made of one.
    pub(super) is_config: bool,
    /// What lies in `charts/`, if that is known.
    pub(super) charts: Option<&'a [Vendored]>,
}

const RULES: [Rule; 15] = [
    Rule { path: "icon", code: Code::CHART_URL, wrong: |text| if text.is_empty() { None } else { no_url(text) } },
    Rule { path: "sources/*", code: Code::CHART_URL, wrong: no_url },
    Rule { path: "home", code: Code::CHART_HOME, wrong: |text| if text.is_empty() { None } else { no_url(text) } },
    Rule { path: "maintainers/*/email", code: Code::CHART_EMAIL, wrong: no_email },
    Rule { path: "maintainers/*/url", code: Code::CHART_URL, wrong: no_web_address },
    Rule { path: "name", code: Code::CHART_NAME_FORM, wrong: no_repository },
    Rule { path: "description", code: Code::CHART_DESCRIPTION, wrong: several_lines },
    Rule { path: "kubeVersion", code: Code::CHART_KUBE_VERSION, wrong: no_range },
    Rule { path: "dependencies/*/version", code: Code::CHART_DEPENDENCY_RANGE, wrong: no_range },
    Rule { path: "dependencies/*/alias", code: Code::CHART_ALIAS_GLOBAL, wrong: is_global },
    Rule { path: "dependencies/*/repository", code: Code::CHART_REPOSITORY, wrong: unknown_repository },
    Rule { path: "dependencies/*/repository", code: Code::CHART_REPOSITORY_HTTP, wrong: in_the_clear },
    Rule { path: "dependencies/*/repository", code: Code::CHART_REPOSITORY_NAME, wrong: local_name },
    Rule { path: "version", code: Code::CHART_VERSION_BUILD, wrong: has_build },
    Rule { path: "version", code: Code::CHART_VERSION_LOWEST, wrong: is_lowest },
];

fn no_repository(name: &str) -> Option<String> {
    let is_good = name.is_empty() || name.contains('/') || is_repository_name(name);
    (!is_good).then(|| "cannot be part of a registry's path".to_owned())
}

fn several_lines(text: &str) -> Option<String> {
    text.trim_end().contains('\n').then(|| "has several lines".to_owned())
}

fn is_global(alias: &str) -> Option<String> {
    (alias == "global").then(|| "is the key of the values that all charts share".to_owned())
}

fn scheme(repository: &str) -> &str {
    match repository.split_once("://") {
        Some((scheme, _)) => scheme,
        None if repository.starts_with('@') || repository.starts_with("alias:") => "@",
        None => repository,
    }
}

fn unknown_repository(text: &str) -> Option<String> {
    match scheme(text) {
        "" | "http" | "https" | "file" | "@" => None,
        "oci" if text.ends_with('/') => Some("ends in a slash, which Helm refuses".to_owned()),
        "oci" => None,
        _ => Some("is no repository".to_owned()),
    }
}

fn in_the_clear(text: &str) -> Option<String> {
    let is_safe = !text.starts_with("http://") || Url::parse(text).is_some_and(|url| is_loopback(url.host()));
    (!is_safe).then(|| "is fetched in the clear".to_owned())
}

fn local_name(text: &str) -> Option<String> {
    (scheme(text) == "@").then(|| "is a name of this machine's configuration".to_owned())
}

fn has_build(text: &str) -> Option<String> {
    let version = Version::parse(text).ok().filter(|version| !version.build().is_empty())?;
    Some(format!("has build metadata; its tag is {}", clip(&version.tag())))
}

fn is_lowest(text: &str) -> Option<String> {
    (text == "0.0.0-0").then(|| "is not greater than 0.0.0-0".to_owned())
}

/// What a Chart.yaml says.
#[derive(Default)]
pub(super) struct Said {
    /// All of it, if Helm reads it.
    pub(super) metadata: Option<Metadata>,
    /// Its dependencies, if these can be read, whatever else is wrong.
    pub(super) dependencies: Option<Metadata>,
    /// The document in which they stand.
    pub(super) declared_in: &'static str,
}

const CHART_YAML: &str = "Chart.yaml";
pub(super) const REQUIREMENTS: &str = "requirements.yaml";

/// All that is wrong with Chart.yaml, and with requirements.yaml, which Helm reads into the same fields; and what they say.
/// There is a page for each that is at hand, by its name.
pub(super) fn check(pages: &mut [Page], setting: &Setting, limits: &Limits) -> Said {
    let said = look(pages, setting, limits);
    let texts: Vec<(&str, &[u8])> = pages.iter().map(|page| (page.name, page.text)).collect();
    for page in pages {
        page.keep_safe_fixes(&|mended| {
            let text = |(name, text)| if name == mended.name { mended.text } else { text };
            let mut pages: Vec<Page> = texts.iter().map(|known| Page::new(known.0, text(*known))).collect();
            look(&mut pages, setting, limits);
            pages.into_iter().for_each(|page| mended.extend(page.report()));
        });
    }
    said
}

fn look(pages: &mut [Page], setting: &Setting, limits: &Limits) -> Said {
    let mut documents = Vec::new();
    for page in pages.iter_mut() {
        let name = if page.name == REQUIREMENTS { REQUIREMENTS } else { CHART_YAML };
        let found = page.yaml(yaml::Documents::First, limits);
        match found.and_then(|documents| documents.into_iter().next()) {
            Some(node) => documents.push(Document { name, node }),
            None if name == CHART_YAML => broken(page),
            None => {}
        }
    }
    let chart_yaml = documents.iter().find(|document| document.name == CHART_YAML);
    let version = chart_yaml.and_then(|document| text(&document.node, "apiVersion")).unwrap_or_default().to_owned();
    let is_all_read = chart_yaml.is_some() && documents.len() == pages.len() && !pages.iter().any(Page::has_refused);
    let has_requirements = pages.iter().any(|page| page.name == REQUIREMENTS);
    let (metadata, is_whole, mut report) = Metadata::examine(&documents, true);
    if chart_yaml.is_none() {
        // Nothing is missing from what was not read.
        report.retain(&mut |finding| !finding.pointer.is_empty() || finding.code == Code::CHART_FIELD_TYPE);
    }
    let is_misfit = |finding: &Diagnostic| {
        [Code::CHART_FIELD_TYPE, Code::CHART_DEPENDENCY].contains(&finding.code)
            && (finding.pointer.is_empty() || finding.pointer.starts_with("/dependencies"))
    };
    let dependencies = (is_all_read && !report.iter().any(is_misfit)).then(|| metadata.clone());
    let declared_in = match documents.last() {
        Some(last) if field(&last.node, "dependencies").is_some() => last.name,
        _ => CHART_YAML,
    };
    for page in pages {
        let own = report.iter().filter(|finding| finding.document == page.name);
        page.extend(own.map(|finding| suggesting(finding.clone(), page)).collect());
        let Some(node) = documents.iter().find(|document| document.name == page.name).map(|document| &document.node)
        else {
            continue;
        };
        let is_requirements = page.name == REQUIREMENTS;
        if is_requirements && !matches!(version.as_str(), "" | "v1") {
            let message = format!("apiVersion is {}, not v1", clip(&version));
            page.find(Code::CHART_REQUIREMENTS, "", None, message);
        }
        if setting.is_vendored || !matches!(node.data, Data::Null | Data::Mapping(_)) {
            continue;
        }
        match is_requirements {
            true => requirements(page, node, setting),
            false => rules(page, node, has_requirements, setting),
        }
        lint::habits(page, lint::FIRST_ONLY, limits);
    }
    Said { metadata: (is_whole && is_all_read).then_some(metadata), dependencies, declared_in }
}

/// A type that was nearly right is mended.
fn suggesting(mut finding: Diagnostic, page: &Page) -> Diagnostic {
    let Some(span) = finding.span.filter(|_| finding.code == Code::CHART_TYPE) else { return finding };
    let source = page.source(span).unwrap_or_default().trim_matches(['"', '\'']);
    if let Some(meant) = nearest(source, &["application", "library"]) {
        finding.help = format!("Did you mean {meant:?}?");
        finding.fix = Some(Fix { span, replacement: meant.to_owned() });
    }
    finding
}

/// requirements.yaml has the dependencies; whatever else of Chart.yaml stands there takes its place.
fn requirements(page: &mut Page, node: &Node, setting: &Setting) {
    common(page, node, setting);
    for (key, span, _) in node.as_mapping().map(|mapping| &mapping.pairs).into_iter().flatten() {
        let is_chart_yaml = |field: &Field| field.name != "dependencies" && is_spelling(key, field.name);
        if CHART.iter().any(is_chart_yaml) {
            let message = format!("{key} takes the place of Chart.yaml's {key}");
            page.find(Code::CHART_REQUIREMENTS, format!("/{key}"), Some(*span), message);
        }
    }
}

/// What holds for these fields wherever they stand.
fn common(page: &mut Page, node: &Node, setting: &Setting) {
    apply(page, node, &RULES);
    lint::fields(page, node, "", CHART);
    for (at, item) in items(node, "dependencies").iter().enumerate().take(MOST_DEPENDENCIES) {
        let pointer = format!("/dependencies/{at}");
        if item.as_mapping().is_some() {
            dependency(page, item, &pointer, setting);
        }
    }
}

/// Everything but what Helm itself refuses.
pub(super) fn rules(page: &mut Page, node: &Node, has_requirements: bool, setting: &Setting) {
    common(page, node, setting);
    api_version(page, node, has_requirements, setting);
    if !setting.is_config {
        unquoted(page, node);
    }
    strict_version(page, node);
    let is_shown = field(node, "icon").is_some_and(|icon| icon.data != Data::String(String::new()));
    if !is_shown && !setting.is_config {
        page.find(Code::CHART_ICON, "", None, "icon is missing");
    }
    if let Some(Node { data: Data::Bool(true), span, .. }) = field(node, "deprecated") {
        page.find(Code::CHART_DEPRECATED, "/deprecated", Some(*span), "the chart is deprecated");
    }
    kube_version(page, node);
    for (at, item) in items(node, "maintainers").iter().enumerate() {
        let pointer = format!("/maintainers/{at}");
        if item.as_mapping().is_some() && is_blank(item, "name") {
            let message = format!("maintainers[{at}] has no name");
            page.find(Code::CHART_MAINTAINER_NAME, pointer, Some(item.span), message);
        }
    }
}

/// Nothing stands there, or nothing but blanks.
fn is_blank(node: &Node, name: &str) -> bool {
    match field(node, name).map(|value| &value.data) {
        None => true,
        Some(Data::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn api_version(page: &mut Page, node: &Node, has_requirements: bool, setting: &Setting) {
    // In the config of a v1 chart stand the dependencies of its requirements.yaml.
    let is_later = |name: &&str| field(node, name).is_some() && (*name == "type" || !setting.is_config);
    let later: Vec<&str> = ["type", "dependencies"].into_iter().filter(is_later).collect();
    match field(node, "apiVersion") {
        None => {
            let message = "apiVersion is missing; Helm takes the chart for one of apiVersion v1";
            // A line of its own before the first key, where keys stand on lines of their own.
            let begins_line = node.span.column == 1
                && page.text.get(node.span.start).is_some_and(|byte| byte.is_ascii_alphanumeric());
            let line_end = page.line_end();
            let finding = page.find(Code::CHART_API_VERSION_MISSING, "", None, message);
            if begins_line && !has_requirements && node.get("apiVersion").is_none() {
                let Span { start, line, column, .. } = node.span;
                let span = Span { start, end: start, line, column, end_line: line, end_column: column };
                finding.fix = Some(Fix { span, replacement: format!("apiVersion: v2{line_end}") });
            }
        }
        Some(Node { data: Data::String(known), span, .. }) if known.is_empty() => {
            let is_quoted = page.source(*span).is_some_and(|source| source == "\"\"" || source == "''");
            let finding = page.find(Code::CHART_API_VERSION_MISSING, "/apiVersion", Some(*span), "apiVersion is empty");
            finding.fix = is_quoted.then(|| Fix { span: *span, replacement: "v2".to_owned() });
        }
        Some(Node { data: Data::String(known), .. }) if known == "v2" => {}
        Some(Node { data: Data::String(known), span, .. }) if known == "v1" => {
            for name in later {
                let Some(value) = field(node, name) else { continue };
                let message = format!("{name} is not known in apiVersion v1");
                let finding = page.find(Code::CHART_NEEDS_V2, format!("/{name}"), Some(value.span), message);
                finding.related.push((*span, "apiVersion is v1 here".to_owned()));
            }
        }
        Some(Node { span, .. }) => {
            page.find(Code::CHART_API_VERSION, "/apiVersion", Some(*span), "apiVersion is neither v1 nor v2");
        }
    }
}

fn unquoted(page: &mut Page, node: &Node) {
    for name in ["version", "appVersion"] {
        let Some(value) = node.get(name) else { continue };
        let Some(source) = page.source(value.span) else { continue };
        let pointer = format!("/{name}");
        match &value.data {
            Data::Int(_) | Data::Uint(_) | Data::Float(_) | Data::Bool(_) => {
                let message = format!("{name} {} is {}, not a text", clip(source), value.describe());
                let is_plain = lint::is_plain(page, value.span, source);
                let finding = page.find(Code::CHART_UNQUOTED, pointer, Some(value.span), message);
                finding.fix = is_plain.then(|| Fix { span: value.span, replacement: format!("\"{source}\"") });
            }
            // `helm lint` wants a text in appVersion, if the key is there at all.
            Data::Null if name == "appVersion" => {
                page.find(Code::CHART_UNQUOTED, pointer, Some(value.span), "appVersion is null, not a text");
            }
            Data::String(text) if text == source && is_date(text) => {
                let message = format!("{name} {} looks like a date", clip(source));
                page.mend(Code::CHART_DATE, pointer, value.span, message, format!("\"{source}\""));
            }
            _ => {}
        }
    }
}

fn strict_version(page: &mut Page, node: &Node) {
    if let Some(Node { data: Data::String(version), span, .. }) = field(node, "version")
        && Version::parse(version).is_ok()
        && let Err(error) = Version::parse_strict(version)
    {
        let bare = version.strip_prefix('v').filter(|rest| Version::parse_strict(rest).is_ok());
        match bare {
            Some(rest) => {
                let message = format!("version {} starts with v; SemVer 2 has {}", quoted(version), quoted(rest));
                page.mend(Code::CHART_VERSION_LOOSE, "/version", *span, message, rest.to_owned());
            }
            None => {
                let message = format!("version {} is no SemVer 2: {}", quoted(version), error.message());
                page.find(Code::CHART_VERSION_LOOSE, "/version", Some(*span), message);
            }
        }
    }
}

/// `2024-01-31`.
fn is_date(text: &str) -> bool {
    let digits = |range| text.get(range).is_some_and(|part: &str| part.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() >= 10
        && digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && text.get(4..5) == Some("-")
        && text.get(7..8) == Some("-")
}

fn kube_version(page: &mut Page, node: &Node) {
    empty_range(page, node, "kubeVersion", "");
    let Some(Node { data: Data::String(range), span, .. }) = field(node, "kubeVersion") else { return };
    let Some(why) = no_suffixes(range) else { return };
    let simple = range
        .strip_prefix(">=")
        .map(str::trim)
        .filter(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    let message = format!("kubeVersion {} {why}", quoted(range));
    let finding = page.find(Code::CHART_KUBE_PRERELEASE, "/kubeVersion", Some(*span), message);
    if let Some(version) = simple {
        let zeros = ".0".repeat(2_usize.saturating_sub(version.matches('.').count()));
        finding.fix = Some(Fix { span: *span, replacement: format!("\">={version}{zeros}-0\"") });
    }
}

fn empty_range(page: &mut Page, node: &Node, name: &str, pointer: &str) {
    if let Some(Node { data: Data::String(range), span, .. }) = field(node, name)
        && Constraint::parse(range).is_ok_and(|constraint| constraint.is_void())
    {
        let message = format!("{name} {} holds for no version", quoted(range));
        page.find(Code::CHART_EMPTY_RANGE, format!("{pointer}/{name}"), Some(*span), message);
    }
}

fn dependency(page: &mut Page, item: &Node, pointer: &str, setting: &Setting) {
    let vendored = |charts: &[Vendored]| charts.iter().any(|chart| Some(chart.name.as_str()) == text(item, "name"));
    let is_vendored = setting.charts.is_some_and(vendored);
    let missing: Vec<&str> = ["name", "version", "repository"]
        .into_iter()
        .filter(|name| is_blank(item, name) && (*name == "name" || !is_vendored))
        .collect();
    if !missing.is_empty() {
        let message = format!("the dependency has no {}", missing.join(" and no "));
        page.find(Code::CHART_DEPENDENCY_INCOMPLETE, pointer, Some(item.span), message);
    }
    if let Some(Node { data: Data::String(repository), span, .. }) = field(item, "repository")
        && repository.starts_with("file:")
        && !setting.is_directory
    {
        let message = format!("repository {} is a directory", quoted(repository));
        page.find(Code::CHART_REPOSITORY_FILE, format!("{pointer}/repository"), Some(*span), message);
    }
    if let (Some(Node { data: Data::String(repository), span, .. }), Some(name)) =
        (field(item, "repository"), text(item, "name"))
        && repository
            .strip_prefix("oci://")
            .and_then(|rest| rest.rsplit_once('/'))
            .is_some_and(|(_, last)| last == name)
    {
        let message = format!("Helm adds the chart's name, and looks for {}/{}", clip(repository), clip(name));
        let finding = page.find(Code::CHART_REPOSITORY, format!("{pointer}/repository"), Some(*span), message);
        "Leave the chart's name out, unless it stands there twice.".clone_into(&mut finding.help);
    }
    empty_range(page, item, "version", pointer);
    let (Some(charts), Some(name)) = (setting.charts, field(item, "name")) else { return };
    let Data::String(wanted) = &name.data else { return };
    let mut found = charts.iter().filter(|chart| chart.name == *wanted).peekable();
    if found.peek().is_none() {
        let message = format!("the chart {} is not in charts/", quoted(wanted));
        page.find(Code::CHART_DEPENDENCY_ABSENT, format!("{pointer}/name"), Some(name.span), message);
        return;
    }
    let Some(Node { data: Data::String(range), span, .. }) = field(item, "version") else { return };
    let Ok(constraint) = Constraint::parse(range) else { return };
    if charts.len() > MOST_DEPENDENCIES {
        return;
    }
    // Helm asks for the very version of a pre-release, too: what is vendored was chosen.
    let fits =
        |chart: &Vendored| Version::parse(&chart.version).map_or(true, |version| constraint.admits(&version, true));
    if !range.is_empty() && !constraint.is_void() && !found.clone().any(fits) {
        let there = found.next().map(|chart| format!("{} is {}", chart.path, quoted(&chart.version)));
        let message = format!("{}, not {}", there.unwrap_or_default(), quoted(range));
        page.find(Code::CHART_DEPENDENCY_VERSION, format!("{pointer}/version"), Some(*span), message);
    }
}

/// What can be said of a text that is no YAML: keys at the start of its lines that are nearly right.
fn broken(page: &mut Page) {
    let Ok(text) = std::str::from_utf8(page.text) else { return };
    let fields: Vec<&str> = CHART.iter().map(|field| field.name).collect();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate().take(1000) {
        let here = start;
        start += line.len();
        let Some((key, _)) = line.split_once(':') else { continue };
        let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let known = fields.iter().any(|name| is_spelling(key, name));
        if let Some(meant) = nearest(key, &fields).filter(|_| is_word && !known) {
            let line = number as u32 + 1;
            let end_column = 1 + key.len() as u32;
            let span = Span { start: here, end: here + key.len(), line, column: 1, end_line: line, end_column };
            lint::unknown_key(page, Code::CHART_UNKNOWN_KEY, key, span, "", Some(meant), |_| true);
        }
    }
}
