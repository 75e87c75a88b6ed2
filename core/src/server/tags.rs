//! Lists in pages: tags, repositories, referrers.

use serde_json::{Value, json};

use super::Response;
use super::errors::Refusal;
use super::route::Request;
use super::serving::Next;
use super::state::State;
use crate::http::Method;
use crate::http::url::encode;
use crate::oci::{Digest, media_type};

/// Entries of one page of referrers; clients read no more than 4 MiB of them.
const MOST_REFERRERS: usize = 1000;

/// `/v2/NAME/tags/list`
pub(super) fn serve(state: &State, request: &Request, name: &str) -> Next {
    Next::Answer(match (request.method, state.repository(name)) {
        (Method::Get | Method::Head, Some(repository)) => {
            let names = repository.tags.keys().map(String::as_str);
            page(request, &format!("/v2/{name}/tags/list"), names, |tags| json!({ "name": name, "tags": tags }))
        }
        (Method::Get | Method::Head, None) => {
            Refusal::NameUnknown.about("there is no such repository", json!({ "name": name }))
        }
        _ => super::not_allowed("GET"),
    })
}

/// `/v2/_catalog`
pub(super) fn catalog(state: &State, request: &Request) -> Next {
    Next::Answer(match request.method {
        Method::Get | Method::Head => {
            let names = state.repositories.keys().map(String::as_str);
            page(request, "/v2/_catalog", names, |names| json!({ "repositories": names }))
        }
        _ => super::not_allowed("GET"),
    })
}

/// The names after `last`, `n` of them, and a link to the rest.
fn page<'a>(
    request: &Request,
    path: &str,
    names: impl Iterator<Item = &'a str>,
    body: impl Fn(&[&str]) -> Value,
) -> Response {
    let Ok(most) = request.query("n").map(str::parse::<usize>).transpose() else {
        return Refusal::PaginationNumberInvalid.because("n is not a number");
    };
    let last = request.query("last").unwrap_or_default();
    let mut rest = names.skip_while(|name| *name <= last).peekable();
    let page: Vec<&str> = rest.by_ref().take(most.unwrap_or(usize::MAX)).collect();
    let response = Response::json(200, &body(&page));
    match (most, page.last(), rest.peek()) {
        (Some(most), Some(last), Some(_)) => {
            response.with("link", format!("<{path}?n={most}&last={last}>; rel=\"next\""))
        }
        _ => response,
    }
}

/// `/v2/NAME/referrers/DIGEST`
pub(super) fn referrers(state: &State, request: &Request, name: &str, digest: &str) -> Next {
    let Ok(subject) = Digest::parse(digest) else {
        return Next::Answer(Refusal::DigestInvalid.about("the digest is not valid", digest.into()));
    };
    if !matches!(request.method, Method::Get | Method::Head) {
        return Next::Answer(super::not_allowed("GET"));
    }
    let Ok(most) = request.query("n").map(str::parse::<usize>).transpose() else {
        return Next::Answer(Refusal::PaginationNumberInvalid.because("n is not a number"));
    };
    let most = most.map_or(MOST_REFERRERS, |most| most.clamp(1, MOST_REFERRERS));
    let last = request.query("last").unwrap_or_default();
    let wanted = request.query("artifactType");
    let manifests = state.repository(name).into_iter().flat_map(|repository| &repository.manifests);
    let referrers = manifests.filter_map(|(digest, record)| {
        let referrer = record.referrer.as_ref().filter(|referrer| referrer.subject == subject)?;
        if wanted.is_some_and(|wanted| referrer.artifact_type.as_deref() != Some(wanted)) {
            return None;
        }
        let mut entry = json!({ "mediaType": record.media_type, "digest": digest.as_str(), "size": record.size });
        if let Some(artifact_type) = &referrer.artifact_type {
            entry["artifactType"] = artifact_type.as_str().into();
        }
        if !referrer.annotations.is_empty() {
            entry["annotations"] = json!(referrer.annotations);
        }
        Some(entry)
    });
    let mut rest = referrers.filter(|entry| entry["digest"].as_str() > Some(last)).peekable();
    let manifests: Vec<Value> = rest.by_ref().take(most).collect();
    let next = rest.peek().and_then(|_| manifests.last()?["digest"].as_str()).map(|last| {
        let wanted = wanted.map(|wanted| format!("&artifactType={}", encode(wanted))).unwrap_or_default();
        format!("</v2/{name}/referrers/{subject}?n={most}&last={last}{wanted}>; rel=\"next\"")
    });
    let index = json!({ "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests });
    let mut response = Response::json(200, &index).typed(media_type::INDEX);
    if let Some(next) = next {
        response = response.with("link", next);
    }
    Next::Answer(match wanted {
        Some(_) => response.with("oci-filters-applied", "artifactType"),
        None => response,
    })
}
