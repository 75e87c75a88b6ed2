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

/// All that is wrong with a lock by itself; and what it says, if Helm reads it.
pub(super) fn check(page: &mut Page, limits: &Limits) -> Option<(Lock, Node)> {
    let lock = look(page, limits);
    page.keep_safe_fixes(&|page| drop(look(page, limits)));
    lock
}

fn look(page: &mut Page, limits: &Limits) -> Option<(Lock, Node)> {
    let node = page.yaml(yaml::Documents::First, limits)?.into_iter().next()?;
    let mut report = Report::new();
    duplicates(&node, "Chart.lock", &mut report);
    let lock = Lock::decode(&node);
    if let Err(error) = &lock {
        report.extend(error.report().cloned().unwrap_or_default());
    }
    for finding in &report {
        page.find(finding.code, &*finding.pointer, finding.span, &*finding.message)
            .related
            .clone_from(&finding.related);
    }
    lint::fields(page, &node, "", LOCK);
    lint::habits(page, limits);
    Some((lock.ok().filter(|_| !page.has_refused())??, node))
}

/// The lock against the dependencies that were declared: which entry does not fit, else whether the digest does.
pub(super) fn compare(page: &mut Page, lock: &(Lock, Node), metadata: &Metadata) {
    let (lock, node) = lock;
    let wanted = &metadata.dependencies;
    if wanted.len().max(lock.dependencies.len()) > MOST_DEPENDENCIES {
        return;
    }
    let mut fits = true;
    let mut find = |pointer: String, span: Option<Span>, message: String| {
        fits = false;
        page.find(Code::LOCK_ENTRY, pointer, span, message);
    };
    for dependency in wanted {
        // One chart may be wanted twice, under two aliases: then the one that fits is meant.
        let mut same = lock.dependencies.iter().enumerate().filter(|(_, locked)| matches(locked, dependency));
        let Some((at, locked)) = same.clone().find(|(_, locked)| is_in_range(locked, dependency)).or(same.next())
        else {
            let any = lock.dependencies.iter().position(|locked| locked.name == dependency.name);
            let (pointer, span, message) = match any {
                Some(at) => {
                    let name = quoted(&lock.dependencies[at].repository);
                    (
                        at_entry(at) + "/repository",
                        place(node, at, "repository"),
                        format!("repository {name} is not {}", quoted(&dependency.repository)),
                    )
                }
                None => ("/dependencies".to_owned(), None, format!("{} is not in the lock", quoted(&dependency.name))),
            };
            find(pointer, span, message);
            continue;
        };
        if !is_in_range(locked, dependency) {
            let message = format!(
                "{} is locked at {}, and Chart.yaml asks for {}",
                quoted(&locked.name),
                quoted(&locked.version),
                quoted(&dependency.version)
            );
            find(at_entry(at) + "/version", place(node, at, "version"), message);
        }
    }
    for (at, locked) in lock.dependencies.iter().enumerate() {
        if !wanted.iter().any(|dependency| dependency.name == locked.name) {
            find(
                at_entry(at) + "/name",
                place(node, at, "name"),
                format!("{} is no dependency of the chart", quoted(&locked.name)),
            );
        }
    }
    let current = Lock::digest_for(wanted, &lock.dependencies);
    let of_helm_2 = || Digest::of(&json::write(&serde_json::json!({ "dependencies": wanted }))).to_string();
    if fits
        && !wanted.iter().any(is_local)
        && lock.digest != current
        && (metadata.api_version != "v1" || lock.digest != of_helm_2())
    {
        let span = node.get("digest").map(|digest| digest.span);
        let message = format!("the dependencies and the lock have the digest {current}");
        page.find(Code::LOCK_DIGEST, "/digest", span, message);
    }
}

/// Names of repositories are replaced by their URLs before Helm locks and hashes; these are not known here.
fn is_local(dependency: &Dependency) -> bool {
    dependency.repository.starts_with('@') || dependency.repository.starts_with("alias:")
}

fn matches(locked: &Dependency, wanted: &Dependency) -> bool {
    locked.name == wanted.name && (is_local(wanted) || locked.repository == wanted.repository)
}

/// The locked version is one that was asked for. (Helm locks the range itself where it did not look for versions.)
fn is_in_range(locked: &Dependency, wanted: &Dependency) -> bool {
    match (Constraint::parse(&wanted.version), Version::parse(&locked.version)) {
        (Ok(constraint), Ok(version)) => constraint.admits(&version, true),
        _ => true,
    }
}

fn at_entry(at: usize) -> String {
    format!("/dependencies/{at}")
}

fn place(node: &Node, at: usize, name: &str) -> Option<Span> {
    let mut entries = items(node, "dependencies").iter().filter(|item| item.as_mapping().is_some());
    entries.nth(at).map(|item| field(item, name).map_or(item.span, |value| value.span))
}
