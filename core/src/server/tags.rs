//! Lists in pages: tags, repositories, referrers.

use serde_json::{Value, json};

use super::Response;
use super::errors::Refusal;
use super::route::Request;
use super::serving::Next;
use super::state::State;
use crate::http::Method;
use crate::oci::{Digest, media_type};

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
    let manifests: Vec<Value> = referrers.collect();
    let index = json!({ "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests });
    let response = Response::json(200, &index).typed(media_type::INDEX);
    Next::Answer(match wanted {
        Some(_) => response.with("oci-filters-applied", "artifactType"),
        None => response,
    })
}
