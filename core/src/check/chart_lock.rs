//! Rules for Chart.lock and requirements.lock.

use super::lint;
use super::page::{MOST_DEPENDENCIES, Page, field, items, quoted};
use crate::chart::fields::LOCK;
use crate::chart::metadata::duplicates;
use crate::chart::{Dependency, Lock, Metadata};
use crate::diagnostic::{Report, Span};
use crate::error::Code;
use crate::json;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::version::{Constraint, Version};
use crate::yaml::{self, Node};

/// What a lock says, as far as it can be read.
pub(super) struct Locked {
    node: Node,
    /// Its entries, none where one cannot be read.
    entries: Vec<Option<Dependency>>,
    /// These are all, and all are complete.
    is_whole: bool,
    /// If it can be that of a lock.
    digest: Option<String>,
}

/// All that is wrong with a lock by itself; and what it says.
pub(super) fn check(page: &mut Page, limits: &Limits) -> Option<Locked> {
    let lock = look(page, limits);
    page.keep_safe_fixes(&|page| drop(look(page, limits)));
    lock
}

fn look(page: &mut Page, limits: &Limits) -> Option<Locked> {
    let node = page.yaml(yaml::Documents::First, limits)?.into_iter().next()?;
    let mut report = Report::new();
    duplicates(&node, "Chart.lock", &mut report);
    let (Lock { digest, .. }, mut entries, misfits) = Lock::examine(&node);
    let is_digest_read = !misfits.iter().any(|misfit| misfit.pointer.eq_ignore_ascii_case("/digest"));
    let mut is_whole = !page.has_refused();
    for misfit in &misfits {
        let mut steps = misfit.pointer.split('/').skip(1);
        if steps.next().is_some_and(|name| !name.eq_ignore_ascii_case("dependencies")) {
            continue;
        }
        is_whole = false;
        let at = steps.next().and_then(|at| at.parse().ok());
        if let Some(entry) = at.and_then(|at: usize| entries.get_mut(at)) {
            *entry = None;
        }
    }
    report.extend(misfits);
    for finding in &report {
        let added = page.find(finding.code, &*finding.pointer, finding.span, &*finding.message);
        added.related.clone_from(&finding.related);
        added.help.clone_from(&finding.help);
    }
    lint::fields(page, &node, "", LOCK);
    lint::habits(page, lint::FIRST_ONLY, limits);
    node.as_mapping()?;
    let is_digest = is_digest(&digest);
    // Of what is no lock at all, nothing is missing.
    if !is_digest && is_digest_read && (is_whole || !digest.is_empty()) {
        let message = match digest.as_str() {
            "" => "the lock has no digest".to_owned(),
            digest => {
                format!("the digest is {}, not sha256: and 64 hexadecimal digits in small letters", quoted(digest))
            }
        };
        let (pointer, span) = place_of_digest(&node);
        page.find(Code::LOCK_DIGEST, pointer, span, message);
    }
    for (at, entry) in entries.iter().enumerate().take(MOST_DEPENDENCIES) {
        is_whole &= entry.as_ref().is_none_or(|entry| alone(page, &node, at, entry));
    }
    Some(Locked { node, entries, is_whole, digest: Some(digest).filter(|_| is_digest) })
}

fn is_digest(text: &str) -> bool {
    let is_hex = |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    text.strip_prefix("sha256:").is_some_and(is_hex)
}

/// An entry names a chart and its version; of one that lies in `charts/` Helm writes what was asked for.
fn alone(page: &mut Page, node: &Node, at: usize, entry: &Dependency) -> bool {
    let (name, message) = match (entry.name.as_str(), entry.version.as_str()) {
        ("", _) => ("", "the entry has no name".to_owned()),
        _ if entry.repository.is_empty() => return true,
        (name, "") => ("", format!("{} is locked at no version", quoted(name))),
        (_, version) if Version::parse(version).is_ok() => return true,
        (name, version) => {
            ("version", format!("{} is locked at {}, which is no version", quoted(name), quoted(version)))
        }
    };
    let (pointer, span) = place_in(node, at, name);
    page.find(Code::LOCK_ENTRY, pointer, span, message);
    false
}

/// The lock against the dependencies that were declared in that document: which entry does not fit, else whether the digest
/// does.
pub(super) fn compare(page: &mut Page, lock: &Locked, metadata: &Metadata, declared_in: &str) {
    let Locked { node, entries, is_whole, digest } = lock;
    let wanted = &metadata.dependencies;
    if wanted.len().max(entries.len()) > MOST_DEPENDENCIES {
        return;
    }
    let mut fits = *is_whole;
    let mut find = |at: Option<usize>, name: &str, message: String| {
        fits = false;
        let (pointer, span) = at.map_or(("/dependencies".to_owned(), None), |at| place_in(node, at, name));
        page.find(Code::LOCK_ENTRY, pointer, span, message);
    };
    let mut met = vec![false; entries.len()];
    for dependency in wanted {
        // One chart may be wanted twice, under two aliases: then the one that fits is meant.
        let among = |fits: &dyn Fn(&Dependency) -> bool| entries.iter().position(|one| one.as_ref().is_some_and(fits));
        let fitting = among(&|locked| matches(locked, dependency) && is_in_range(locked, dependency));
        let same = fitting.or_else(|| among(&|locked| matches(locked, dependency)));
        let at = same.or_else(|| among(&|locked| locked.name == dependency.name));
        let Some((at, Some(locked))) = at.and_then(|at| Some((at, entries.get(at)?.as_ref()))) else {
            // It may be the one that cannot be read.
            if *is_whole {
                find(None, "", format!("{} of {declared_in} is not in the lock", quoted(&dependency.name)));
            }
            continue;
        };
        met[at] = true;
        if same.is_none() {
            let message =
                format!("repository {} is not {}", quoted(&locked.repository), quoted(&dependency.repository));
            find(Some(at), "repository", message);
        } else if fitting.is_none() {
            let message = format!(
                "{} is locked at {}, and {declared_in} asks for {}",
                quoted(&locked.name),
                quoted(&locked.version),
                quoted(&dependency.version)
            );
            find(Some(at), "version", message);
        }
    }
    for (at, locked) in entries.iter().enumerate() {
        let Some(locked) = locked.as_ref().filter(|locked| !met[at] && !locked.name.is_empty()) else { continue };
        let times = wanted.iter().filter(|dependency| dependency.name == locked.name).count();
        let before = entries[..at].iter().flatten().filter(|other| other.name == locked.name).count();
        if times == 0 {
            find(Some(at), "name", format!("{} is no dependency of the chart", quoted(&locked.name)));
        } else if before >= times {
            find(Some(at), "name", format!("{} is locked more often than it is wanted", quoted(&locked.name)));
        }
    }
    let locked: Vec<Dependency> = entries.iter().flatten().cloned().collect();
    let current = Lock::digest_for(wanted, &locked);
    let of_helm_2 = || Digest::of(&json::write(&serde_json::json!({ "dependencies": wanted }))).to_string();
    if fits
        && !wanted.iter().any(is_local)
        && digest
            .as_ref()
            .is_some_and(|digest| *digest != current && (metadata.api_version != "v1" || *digest != of_helm_2()))
    {
        let message = format!("the dependencies and the lock have the digest {current}");
        let (pointer, span) = place_of_digest(node);
        page.find(Code::LOCK_DIGEST, pointer, span, message);
    }
}

/// Names of repositories are replaced by their URLs before Helm locks and hashes; these are not known here.
fn is_local(dependency: &Dependency) -> bool {
    dependency.repository.starts_with('@') || dependency.repository.starts_with("alias:")
}

fn matches(locked: &Dependency, wanted: &Dependency) -> bool {
    locked.name == wanted.name && (is_local(wanted) || locked.repository == wanted.repository)
}

/// The locked version is one that was asked for. (Helm locks the range itself where it did not look for versions.) What is
/// no version has been found by itself.
fn is_in_range(locked: &Dependency, wanted: &Dependency) -> bool {
    match (Constraint::parse(&wanted.version), Version::parse(&locked.version)) {
        (Ok(constraint), Ok(version)) => constraint.admits(&version, true),
        _ => locked.version == wanted.version || !locked.repository.is_empty(),
    }
}

/// The document, where it has none.
fn place_of_digest(node: &Node) -> (String, Option<Span>) {
    match field(node, "digest") {
        Some(digest) => ("/digest".to_owned(), Some(digest.span)),
        None => (String::new(), None),
    }
}

/// A field of an entry; the entry, where it lacks that.
fn place_in(node: &Node, at: usize, name: &str) -> (String, Option<Span>) {
    let item = items(node, "dependencies").get(at);
    match item.and_then(|item| field(item, name)) {
        Some(value) => (format!("/dependencies/{at}/{name}"), Some(value.span)),
        None => (format!("/dependencies/{at}"), item.map(|item| item.span)),
    }
}
