//! What rules are made of: which texts are good where, and which word was meant.

use super::page::{MOST, Page, each, quoted};
use crate::chart::decode::{self, Decoder, is_spelling};
use crate::chart::fields::{Field, Shape};
use crate::diagnostic::{Fix, Span};
use crate::error::Code;
use crate::json::pointer_token;
use crate::limits::Limits;
use crate::version::{Constraint, Version};
use crate::yaml::{self, Data, Node};

/// A rule about the texts at a path: what is wrong with one of them, if anything.
pub(super) struct Rule {
    pub(super) path: &'static str,
    pub(super) code: Code,
    pub(super) wrong: fn(&str) -> Option<String>,
}

/// Holds all rules against a document.
pub(super) fn apply(page: &mut Page, node: &Node, rules: &[Rule]) {
    for Rule { path, code, wrong } in rules {
        for (pointer, value) in each(node, path) {
            // Helm's texts are empty where nothing stands.
            let coerced = decode::coerced(&value.data).unwrap_or_default();
            let text: &str = match &value.data {
                Data::String(text) => text,
                Data::Sequence(_) | Data::Mapping(_) => continue,
                Data::Null => "",
                // In JSON nothing becomes a text.
                _ if value.span == Span::default() => continue,
                _ => &coerced,
            };
            if let Some(why) = wrong(text) {
                let message = format!("{} {} {why}", named(&pointer), quoted(text));
                page.find(*code, pointer, Some(value.span), message);
            }
        }
    }
}

/// The last name in a pointer, for people: `icon`, `sources[1]`, `email`.
fn named(pointer: &str) -> String {
    let mut steps = pointer.rsplit('/');
    let last = steps.next().unwrap_or_default();
    match steps.next() {
        Some(list) if last.bytes().all(|byte| byte.is_ascii_digit()) => format!("{list}[{last}]"),
        _ => last.to_owned(),
    }
}

/// Holds a mapping, and the lists of mappings in it, against the table of its fields: keys that nobody reads, each with
/// the one that was probably meant, and scalars that are read as another text than was written (`1.10`, `0x1F`, `yes`).
pub(super) fn fields(page: &mut Page, node: &Node, pointer: &str, known: &[Field]) {
    unknown_keys(page, Code::CHART_UNKNOWN_KEY, node, pointer, &[known]);
    let Some(mapping) = node.as_mapping() else { return };
    for (key, _, value) in &mapping.pairs {
        let Some(field) = known.iter().find(|field| is_spelling(key, field.name)) else { continue };
        let pointer = format!("{pointer}/{}", pointer_token(key));
        match &field.shape {
            // `helm lint` looks at these more strictly.
            Shape::Text if matches!(pointer.as_str(), "/version" | "/appVersion") => {}
            Shape::Text => coerced(page, value, pointer),
            Shape::Texts | Shape::TextMap => {
                for (below, value) in each(value, "*") {
                    coerced(page, value, pointer.clone() + &below);
                }
            }
            Shape::List(known) => {
                for (below, value) in each(value, "*") {
                    fields(page, value, &(pointer.clone() + &below), known);
                }
            }
            _ => {}
        }
    }
}

fn coerced(page: &mut Page, value: &Node, pointer: String) {
    let number = matches!(value.data, Data::Int(_) | Data::Uint(_) | Data::Float(_) | Data::Bool(_));
    if !number || value.source.is_none() || page.has_enough(Code::CHART_COERCED) {
        return;
    }
    let Some(source) = page.source(value.span) else { return };
    if is_plain(page, value.span, source) {
        let message = format!("{} {source} is read as {}", named(&pointer), value.describe());
        // `1.` is read as 1, and no range once it is a text.
        let is_good = !pointer.ends_with("ersion") || no_range(source).is_none();
        let finding = page.find(Code::CHART_COERCED, pointer, Some(value.span), message);
        finding.fix = is_good.then(|| Fix { span: value.span, replacement: format!("\"{source}\"") });
    }
}

/// A scalar that becomes a text once quotes stand around it: there are none yet, and no tag says otherwise.
pub(super) fn is_plain(page: &Page, span: Span, source: &str) -> bool {
    let before = page.text.get(..span.start).unwrap_or_default();
    // A tag ends with a blank: who stands right behind something else has none, and nothing is searched.
    let tag = match before.trim_ascii_end() {
        trimmed if trimmed.len() < before.len() => trimmed.rsplit(|byte| byte.is_ascii_whitespace()).next(),
        _ => None,
    };
    !tag.unwrap_or_default().starts_with(b"!") && !source.starts_with(['"', '\'', '!', '&', '|', '>'])
}

/// A range of versions, as dependencies and kubeVersion have it.
pub(super) fn no_range(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let why =
        |message: &str| message.rsplit_once("constraint: ").map_or_else(String::new, |(_, why)| format!(": {why}"));
    Constraint::parse(text).err().map(|error| format!("is no range of versions{}", why(error.message())))
}

/// Releases are in the range, and none with a suffix is: `>=1.25` shuts out `v1.30.5-gke.1`.
pub(super) fn no_suffixes(text: &str) -> Option<String> {
    let constraint = Constraint::parse(text).ok()?;
    let admits = |text: String| Version::parse(&text).is_ok_and(|version| constraint.matches(&version));
    let release = (1..=99).find(|minor| admits(format!("1.{minor}.5")))?;
    let any_suffix = (1..=99).any(|minor| admits(format!("1.{minor}.5-gke.1")));
    (!any_suffix).then(|| format!("holds for 1.{release}.5, but not for 1.{release}.5-gke.1"))
}

/// Values of another type than their fields take, below that pointer; `document` is what messages call the node itself.
pub(super) fn misfits(
    page: &mut Page,
    node: &Node,
    pointer: &str,
    document: &'static str,
    coerces: bool,
    known: &[Field],
) {
    for finding in &Decoder::new(document, coerces).misfits(node, known) {
        let place = format!("{pointer}{}", finding.pointer);
        page.find(finding.code, place, finding.span.or(Some(node.span)), &*finding.message);
    }
}

/// Keys that are in no table.
pub(super) fn unknown_keys(page: &mut Page, code: Code, node: &Node, pointer: &str, tables: &[&[Field]]) {
    let Some(mapping) = node.as_mapping() else { return };
    let known: Vec<&str> = tables.iter().flat_map(|fields| fields.iter().map(|field| field.name)).collect();
    let is_known = |key: &str| known.iter().any(|name| is_spelling(key, name));
    if page.has_enough(code) {
        return;
    }
    for (key, span, _) in mapping.pairs.iter().filter(|(key, _, _)| !is_known(key)).take(MOST) {
        let is_free = |name: &str| !mapping.pairs.iter().any(|(key, _, _)| key.eq_ignore_ascii_case(name));
        unknown_key(page, code, key, *span, pointer, nearest(key, &known), is_free);
    }
}

pub(super) fn unknown_key(
    page: &mut Page,
    code: Code,
    key: &str,
    span: Span,
    pointer: &str,
    meant: Option<&str>,
    is_free: impl Fn(&str) -> bool,
) {
    let place = format!("{pointer}/{}", pointer_token(key));
    let finding = page.find(code, place, Some(span), format!("Helm knows no key {} here", quoted(key)));
    if let Some(name) = meant {
        finding.help = format!("Did you mean {name:?}?");
        finding.fix = is_free(name).then(|| Fix { span, replacement: name.to_owned() });
    }
}

/// The word that was probably meant, if one is written nearly alike: a letter or two of many are another, missing or swapped;
/// capitals do not count.
///
/// ```
/// assert_eq!(chartoci::check::nearest("dependancies", &["dependencies", "description"]), Some("dependencies"));
/// ```
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_ascii_lowercase();
    let near = known.iter().map(|name| (distance(&word, &name.to_ascii_lowercase()), *name)).min();
    near.filter(|(distance, name)| *distance <= 2 && *distance * 3 <= name.len()).map(|(_, name)| name)
}

/// Letters that have to be inserted, removed, changed or swapped with their neighbour to get from one word to the other;
/// words that differ by more than 8 letters in length are not compared.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX / 4;
    }
    let b: Vec<char> = b.chars().collect();
    let (mut row, mut above): (Vec<usize>, Vec<usize>) = ((0..=b.len()).collect(), Vec::new());
    let mut before = None;
    for (i, x) in a.chars().enumerate() {
        let over = std::mem::replace(&mut above, row.clone());
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = (above[j] + usize::from(x != *y)).min(row[j] + 1).min(above[j + 1] + 1);
            if j > 0 && before == Some(*y) && x == b[j - 1] {
                row[j + 1] = row[j + 1].min(over[j - 1] + 1);
            }
        }
        before = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

/// What Helm does with the documents behind the first, mostly.
pub(super) const FIRST_ONLY: &str = "Helm reads the first alone";

/// A byte order mark, lines that end as on Windows, and a second document, with what Helm does with those.
pub(super) fn habits(page: &mut Page, later_documents: &str, limits: &Limits) {
    if page.text.starts_with(b"\xef\xbb\xbf") {
        let span = Span::of(page.text, 0..3);
        page.find(Code::YAML_BYTE_ORDER_MARK, "", Some(span), "the file begins with a byte order mark");
    }
    if let Some(at) = page.text.windows(2).position(|two| two == b"\r\n") {
        let mut ends = (0..page.text.len()).filter(|at| page.text[*at] == b'\n');
        let other = ends.find(|at| at.checked_sub(1).is_none_or(|before| page.text[before] != b'\r'));
        let message = match other {
            Some(_) => "this line ends with a carriage return and a line feed, others with a line feed alone",
            None => "the lines end with a carriage return and a line feed",
        };
        let (span, other) = (Span::of(page.text, at..at + 1), other.map(|at| Span::of(page.text, at..at)));
        let finding = page.find(Code::YAML_LINE_ENDS, "", Some(span), message);
        finding.related.extend(other.map(|span| (span, "this one ends with a line feed alone".to_owned())));
    }
    // Only a line can begin a document, so most files need no second look.
    let marks = page.text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"---"));
    if marks.count() > 0
        && let Ok([_, second, ..]) = yaml::parse_all(page.text, limits).as_deref()
    {
        let message = format!("a second document begins here; {later_documents}");
        page.find(Code::YAML_DOCUMENTS, "", Some(second.span), message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        let known = ["appVersion", "dependencies", "name"];
        assert_eq!(nearest("appVerison", &known), Some("appVersion"));
        assert_eq!(nearest("dependancies", &known), Some("dependencies"));
        assert_eq!(nearest("nmae", &known), Some("name"));
        assert_eq!(nearest("foo", &known), None);
    }

    #[test]
    fn ranges_that_shut_out_suffixes_are_found() {
        for (range, shuts_out) in
            [(">=1.25", true), (">=1.25.0-0", false), ("^1.20", true), ("*", true), (">=9", false)]
        {
            assert_eq!(no_suffixes(range).is_some(), shuts_out, "{range}");
        }
    }
}
