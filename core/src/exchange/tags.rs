//! Tags: a list in pages (distribution-spec, "Listing Tags").

use std::collections::BTreeSet;

use serde_json::Value;

use super::calls::{Draft, Reply, Wanted};
use super::errcode::{About, is_page, refusal};
use super::{Config, Operation, Outcome, Requests, Target};
use crate::auth::Origin;
use crate::auth::origin::without_secrets;
use crate::error::{Code, Error, clip};
use crate::http::url::Url;
use crate::http::{Method, link};
use crate::json;
use crate::limits::Limits;
use crate::order;
use crate::version::{Constraint, tag};

/// The pages that were read so far.
#[derive(Default)]
pub(super) struct Pages {
    /// As they came; where one did not come after the one before in order, any may stand twice.
    tags: Vec<String>,
    is_disordered: bool,
    visited: BTreeSet<Url>,
    /// What the tags come to, as [`Limits::tags`] counts.
    size: u64,
}

impl Pages {
    /// The request for the first page.
    pub(super) fn first(&mut self, target: &Target, limits: &Limits) -> Draft {
        self.page(target, target.place.tags(), limits)
    }

    fn page(&mut self, target: &Target, url: Url, limits: &Limits) -> Draft {
        self.visited.insert(url.clone());
        Draft::new(Method::Get, url)
            .header("accept", "application/json")
            .wants(Wanted::Body { limit: limits.page, name: "page" })
            .by(target.authority)
    }

    /// Takes a page; the request for the next, if there is one.
    pub(super) fn take(&mut self, target: &Target, reply: &Reply, config: &Config) -> Result<Option<Draft>, Error> {
        let (limits, known) = (&config.limits, self.tags.len());
        let refused = |code, message: &str| {
            Error::new(code, message).with("method", "GET").with("url", reply.url.without_query())
        };
        if reply.status != 200 {
            return Err(refusal(reply, About::Tags));
        }
        let unclear = |message: &str| match is_page(&reply.headers, &reply.body) {
            true => refused(Code::NOT_A_REGISTRY, "a web page came in place of a list of tags"),
            false => refused(Code::UNEXPECTED_ANSWER, message),
        };
        let page = json::parse(&reply.body, limits.page)
            .map_err(|error| unclear("the list of tags is no JSON").because(error))?
            .value;
        let Value::Object(mut page) = page else { return Err(unclear("the list of tags is no object")) };
        match page.remove("tags") {
            None | Some(Value::Null) => {}
            Some(Value::Array(tags)) => {
                self.tags.reserve(tags.len());
                for tag in tags {
                    let Value::String(tag) = tag else {
                        return Err(unclear("the list of tags holds something else"));
                    };
                    self.add(tag);
                    if self.size > limits.tags {
                        return Err(refused(Code::LIMIT_PAGES, "there are too many tags").with("limit", "tags"));
                    }
                }
            }
            Some(_) => return Err(unclear("tags is no list")),
        }
        let next = match (next_page(reply)?, self.tags.get(known..).and_then(<[String]>::last)) {
            (Some(next), _) => next,
            // A browser may hide the link: what comes after the last tag is asked for, until nothing new comes.
            (None, Some(last)) if !config.transport.all_headers => {
                if self.is_disordered && self.tags[..known].contains(last) {
                    return Ok(None);
                }
                target.place.tags().with_query("last", last)
            }
            (None, _) => return Ok(None),
        };
        if self.visited.contains(&next) {
            return Err(refused(Code::BAD_LINK, "the pages of tags lead in a circle"));
        }
        if self.visited.len() >= limits.pages as usize {
            return Err(refused(Code::LIMIT_PAGES, "the list of tags has too many pages").with("limit", "pages"));
        }
        Ok(Some(self.page(target, next, limits)))
    }

    fn add(&mut self, tag: String) {
        self.is_disordered |= self.tags.last().is_some_and(|last| *last >= tag);
        self.size += 32 + tag.len() as u64;
        self.tags.push(tag);
    }

    /// Keeps of all tags this one, and the last, behind which the next page begins.
    fn keep(&mut self, best: Option<&String>) {
        let last = self.tags.pop().filter(|last| best != Some(last));
        self.tags.clear();
        self.tags.extend(best.cloned().into_iter().chain(last));
    }

    /// All tags, in the registry's order, each once.
    pub(super) fn into_tags(self) -> Vec<String> {
        let mut tags = self.tags;
        if self.is_disordered {
            // Of equals the earliest comes first.
            let order = order::places(tags.len(), &|a, b| tags[a] < tags[b]);
            let mut again = vec![false; tags.len()];
            for (before, place) in order.iter().zip(order.iter().skip(1)) {
                again[*place] = tags[*before] == tags[*place];
            }
            let mut again = again.into_iter();
            tags.retain(|_| again.next() == Some(false));
        }
        tags
    }
}

/// Where the next page of a list is, on the host of this one. A link that leads nowhere is an error, and never taken for the
/// end of the list.
pub(super) fn next_page(reply: &Reply) -> Result<Option<Url>, Error> {
    let refused = |message: &str, link: &str| {
        let error = Error::new(Code::BAD_LINK, message).with("method", "GET").with("url", reply.url.without_query());
        Err(error.with("link", clip(without_secrets(link))))
    };
    let link = match link::next(reply.headers.get_all("link")) {
        Ok(None) => return Ok(None),
        Ok(Some(link)) => link,
        Err(value) => return refused("the link to the next page is written in no way that is known", value),
    };
    match reply.url.join_mended(link) {
        None => refused("the link to the next page is no URL", link),
        Some(next) if Origin::of(&next) != Origin::of(&reply.url) => refused("the next page is on another host", link),
        next => Ok(next),
    }
}

/// Looks through all pages for the best version in a range.
#[derive(Default)]
pub(super) struct Search {
    pages: Pages,
    range: Option<Constraint>,
    /// Of what was read so far.
    best: Option<String>,
    count: usize,
}

/// What a page led to.
pub(super) enum Searched {
    /// The request for the next one.
    Page(Box<Draft>),
    /// The tag of the best version.
    Tag(String),
}

impl Search {
    /// The request for the first page.
    pub(super) fn begin(&mut self, range: Constraint, target: &Target, limits: &Limits) -> Draft {
        self.range = Some(range);
        self.pages.first(target, limits)
    }

    /// Takes a page.
    pub(super) fn take(&mut self, target: &Target, reply: &Reply, config: &Config) -> Result<Searched, Error> {
        let known = self.pages.tags.len();
        let next = self.pages.take(target, reply, config)?;
        self.count += self.pages.tags.len() - known;
        self.best = self.range.as_ref().and_then(|range| tag::pick(&self.pages.tags, range));
        if let Some(next) = next {
            // Where the Link may be hidden it is by the tags that the end is told.
            if config.transport.all_headers {
                self.pages.keep(self.best.as_ref());
            }
            return Ok(Searched::Page(Box::new(next)));
        }
        self.best.take().map(Searched::Tag).ok_or_else(|| {
            let wanted = self.range.as_ref().map_or("*", Constraint::as_str);
            let message = format!("no version of {} satisfies {:?}", target.place.repository(), clip(wanted));
            Error::new(Code::VERSION_UNKNOWN, message).with("version", clip(wanted)).with("tags", self.count)
        })
    }
}

/// Lists all tags, or the versions among them.
pub(super) struct Listing {
    target: Target,
    pages: Pages,
    /// Which versions are wanted: those that satisfy it, with pre-releases if that is true.
    versions: Option<(Option<Constraint>, bool)>,
}

impl Listing {
    pub(super) fn new(target: Target, versions: Option<(Option<Constraint>, bool)>) -> Listing {
        Listing { target, pages: Pages::default(), versions }
    }
}

impl Operation for Listing {
    type Step = ();

    fn begin(&mut self, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        let first = self.pages.first(&self.target, &requests.limits());
        requests.start((), first);
        Ok(None)
    }

    fn reply(&mut self, (): (), reply: Reply, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        if let Some(next) = self.pages.take(&self.target, &reply, requests.session().config())? {
            requests.start((), next);
            return Ok(None);
        }
        let pages = std::mem::take(&mut self.pages);
        Ok(Some(match &self.versions {
            None => Outcome::Tags(pages.into_tags()),
            Some((constraint, prerelease)) => {
                Outcome::Versions(tag::into_versions(pages.tags, constraint.as_ref(), *prerelease))
            }
        }))
    }
}
