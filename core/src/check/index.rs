//! Rules for index.yaml of a chart repository (Helm 4.3, `pkg/repo/v1/index.go`).

use std::collections::BTreeMap;

use super::lint;
use super::page::{Page, field, items, quoted, text};
use crate::chart::Metadata;
use crate::chart::decode::{self, Document};
use crate::chart::fields::{CHART, DEPENDENCY, INDEX, INDEX_ENTRY, MAINTAINER};
use crate::chart::metadata::duplicates;
use crate::diagnostic::{Report, Span};
use crate::error::{Code, clip};
use crate::http::net_url::{has_scheme, parse};
use crate::json::{self, pointer_token};
use crate::limits::Limits;
use crate::time::Timestamp;
use crate::version::Version;
use crate::yaml::{self, Data, Node};

pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> Page<'a> {
    // Valid JSON is read leniently, YAML strictly.
    let is_json = page.text.trim_ascii_start().starts_with(b"{");
    let parsed = json::parse_lenient(page.text, limits.document);
    if let Some(error) = parsed.as_ref().err().filter(|error| is_json && error.code() == Code::LIMIT_DEPTH) {
        page.fail(error);
        return page;
    }
    let node = match parsed.ok().filter(|_| is_json) {
        Some(parsed) => Some(decode::node(parsed.value)),
        None => page.yaml(yaml::Documents::First, limits).and_then(|documents| documents.into_iter().next()),
    };
    let Some(node) = node else { return page };
    let is_strict = node.span != Span::default();
    let mapping = match &node.data {
        Data::Null if page.text.trim_ascii().is_empty() => {
            page.find(Code::INDEX_EMPTY, "", None, "the index is empty");
            return page;
        }
        Data::Mapping(mapping) => mapping,
        Data::Null if page.has_refused() => return page,
        _ => {
            let message = format!("the index is {}, not a mapping", node.describe());
            page.find(Code::CHART_FIELD_TYPE, "", Some(node.span), message);
            return page;
        }
    };
    if is_strict {
        lint::unknown_keys(&mut page, Code::INDEX_UNKNOWN_KEY, &node, "", &[INDEX]);
        repeated(&mut page, &node);
        lint::habits(&mut page, lint::FIRST_ONLY, limits);
    }
    lint::misfits(&mut page, &node, "", "index.yaml", is_strict, INDEX);
    if field(&node, "apiVersion").is_none() || text(&node, "apiVersion") == Some("") {
        page.find(Code::INDEX_API_VERSION, "", None, "apiVersion is missing");
    }
    if let Some(value) = field(&node, "serverInfo").filter(|value| !matches!(value.data, Data::Null | Data::Mapping(_)))
    {
        let message = format!("serverInfo is {}, not a mapping", value.describe());
        page.find(Code::CHART_FIELD_TYPE, "/serverInfo", Some(value.span), message);
    }
    moment(&mut page, &node, "generated", "");
    let Some((_, _, entries)) = mapping.pairs.iter().find(|(key, _, _)| key.eq_ignore_ascii_case("entries")) else {
        return page;
    };
    match &entries.data {
        Data::Mapping(charts) => {
            for (name, _, versions) in &charts.pairs {
                // Each of its versions has a pointer of its own.
                let pointer = format!("/entries/{}", pointer_token(&clip(name)));
                match &versions.data {
                    Data::Sequence(versions) => list(&mut page, name, versions, &pointer, is_strict),
                    Data::Null => {}
                    _ => {
                        let message = format!("the versions are {}, not a list", versions.describe());
                        page.find(Code::CHART_FIELD_TYPE, pointer, Some(versions.span), message);
                    }
                }
            }
        }
        Data::Null => {}
        _ => {
            let message = format!("entries is {}, not a mapping", entries.describe());
            page.find(Code::CHART_FIELD_TYPE, "/entries", Some(entries.span), message);
        }
    }
    page
}

/// Keys that stand twice make Helm refuse the whole index, and so do those that it does not know.
fn repeated(page: &mut Page, node: &Node) {
    let mut report = Report::new();
    duplicates(node, "index.yaml", &mut report);
    for finding in &report {
        let added = page.find(Code::INDEX_DUPLICATE_KEY, &*finding.pointer, finding.span, &*finding.message);
        added.related.clone_from(&finding.related);
    }
}

/// A time in RFC 3339, if there is one.
fn moment(page: &mut Page, node: &Node, name: &str, pointer: &str) {
    let Some(value) = field(node, name) else { return };
    let is_time = match &value.data {
        Data::Null => true,
        Data::String(text) => Timestamp::parse_rfc3339(text).is_some(),
        _ => false,
    };
    if !is_time {
        let message = format!("{name} is no time in RFC 3339");
        page.find(Code::CHART_FIELD_TYPE, format!("{pointer}/{name}"), Some(value.span), message);
    }
}

/// The versions of one chart.
fn list(page: &mut Page, name: &str, versions: &[Node], pointer: &str, is_strict: bool) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut before: Option<Version> = None;
    for (at, node) in versions.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        if node.as_mapping().is_none() {
            let message = format!("the entry is {}, not a mapping", node.describe());
            let code = if matches!(node.data, Data::Null) { Code::INDEX_ENTRY } else { Code::CHART_FIELD_TYPE };
            page.find(code, pointer, Some(node.span), message);
            continue;
        }
        // The end of the whole index. In YAML numbers become texts, but for what is a chart's.
        lint::misfits(page, node, &pointer, "index.yaml", is_strict, INDEX_ENTRY);
        if is_strict {
            lint::unknown_keys(page, Code::INDEX_UNKNOWN_KEY, node, &pointer, &[CHART, INDEX_ENTRY]);
            for (name, known) in [("maintainers", MAINTAINER), ("dependencies", DEPENDENCY)] {
                for (at, item) in items(node, name).iter().enumerate() {
                    let pointer = format!("{pointer}/{name}/{at}");
                    lint::unknown_keys(page, Code::INDEX_UNKNOWN_KEY, item, &pointer, &[known]);
                }
            }
        }
        entry(page, node, name, &pointer);
        let Some(version) = text(node, "version") else { continue };
        let span = node.get("version").map_or(node.span, |value| value.span);
        if let Some(first) = seen.insert(version, span) {
            let message = format!("version {} is listed twice", quoted(version));
            let finding = page.find(Code::INDEX_VERSION_TWICE, format!("{pointer}/version"), Some(span), message);
            if first != Span::default() {
                finding.related.push((first, "listed here before".to_owned()));
            }
        }
        let Ok(parsed) = Version::parse(version) else { continue };
        if let Some(before) = before.filter(|before| parsed > *before) {
            let message = format!("{} stands after {before}, which is older", clip(version));
            page.find(Code::INDEX_ORDER, format!("{pointer}/version"), Some(span), message);
        }
        before = Some(parsed);
    }
}

/// One version: a chart, and where it is.
fn entry(page: &mut Page, node: &Node, name: &str, pointer: &str) {
    let documents = [Document { name: "index.yaml", node: node.clone() }];
    for finding in &Metadata::examine(&documents, false).2 {
        // What Helm refuses of a chart makes it pass over the entry; a wrong type is the end of the whole index.
        let code = match finding.code {
            code if code == Code::YAML_DUPLICATE_KEY => continue,
            code if code == Code::CHART_FIELD_TYPE => code,
            _ => Code::INDEX_ENTRY,
        };
        let place = format!("{pointer}{}", finding.pointer);
        page.find(code, place, finding.span.or(Some(node.span)), &*finding.message);
    }
    if let Some(other) = text(node, "name").filter(|other| *other != name && !other.is_empty()) {
        let span = node.get("name").map(|value| value.span);
        let message = format!("the chart is called {}, the list {}", quoted(other), quoted(name));
        page.find(Code::INDEX_NAME, format!("{pointer}/name"), span, message);
    }
    moment(page, node, "created", pointer);
    match node.get("digest") {
        Some(Node { data: Data::String(digest), span, .. }) => {
            let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
            if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!("the digest is {}, no SHA-256", quoted(digest));
                page.find(Code::INDEX_DIGEST, format!("{pointer}/digest"), Some(*span), message);
            }
        }
        _ => {
            page.find(Code::INDEX_DIGEST, pointer, Some(node.span), "the entry has no digest");
        }
    }
    let urls = items(node, "urls");
    if urls.is_empty() && !field(node, "urls").is_some_and(|urls| !matches!(urls.data, Data::Null | Data::Sequence(_)))
    {
        page.find(Code::INDEX_URL, pointer, Some(node.span), "the entry has no URL");
    }
    for (at, value) in urls.iter().enumerate() {
        let why = match &value.data {
            Data::String(url) => unusable(url),
            Data::Null => unusable(""),
            _ => None, // of the wrong type, or a text that leads to nothing
        };
        if let Some(why) = why {
            page.find(Code::INDEX_URL, format!("{pointer}/urls/{at}"), Some(value.span), format!("the URL {why}"));
        }
    }
}

/// Why nothing can be fetched from a URL. One relative to the index is fine.
fn unusable(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match scheme {
        _ if url.trim().is_empty() => Some("is empty"),
        _ if url.contains(|c: char| c.is_whitespace() || c.is_control()) => Some("has a blank"),
        "" if url.starts_with("//") => Some("names a host without a scheme"),
        "http" | "https" | "oci" if host.is_empty() => Some("names no host"),
        _ if parse(url).is_err() => parse(url).err(),
        "" if has_scheme(url) => Some("has a scheme that Helm does not know"),
        "" => None,
        _ if host.contains('@') => Some("holds a user name"),
        // Helm asks the registry for no tags there.
        "oci" if !rest.rsplit('/').next().unwrap_or_default().contains(':') => Some("names no tag"),
        "http" | "https" | "oci" => None,
        _ => Some("has a scheme that Helm does not know"),
    }
}
