//! Manifests as registries serve them: asked for by tag or digest, believed by their bytes alone.

use super::calls::{Draft, Reply, Wanted};
use super::errcode::{errors, is_page};
use super::place::Place;
use crate::artifact::{Artifact, What};
use crate::error::{Code, Error, clip};
use crate::http::{Headers, Method};
use crate::json;
use crate::limits::Limits;
use crate::oci::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST, essence};
use crate::oci::{Digest, Reference};

/// All that a manifest may come as: who asks for less is told that there is nothing.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json";

/// A manifest whose bytes are what the digests say that there are.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) media_type: String,
}

/// GET or HEAD of a manifest, by tag or digest.
pub(super) fn draft(method: Method, place: &Place, reference: &str, limits: &Limits) -> Draft {
    Draft::new(method, place.manifest(reference))
        .header("accept", ACCEPT)
        .wants(Wanted::Body { limit: limits.manifest, name: "manifest" })
}

/// The digest that the answer's head names; one of an unknown algorithm is none.
pub(super) fn named_digest(headers: &Headers) -> Option<Digest> {
    Digest::parse(headers.get("docker-content-digest")?.trim()).ok()
}

/// What is there to be pulled: the tag, or the digest where there is one.
pub(super) fn selected(reference: &Reference) -> Option<String> {
    reference.digest().map(Digest::to_string).or_else(|| reference.tag().map(str::to_owned))
}

/// The registry misses blobs that the manifest names.
pub(super) fn misses_blobs(reply: &Reply) -> bool {
    errors(&reply.body).iter().any(|error| matches!(error.code.as_str(), "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
}

/// Checks what came against the digest that was asked for and the one in the answer's head, each by its own algorithm, and
/// against the media types that it claims to have.
pub(super) fn read(reply: Reply, asked: Option<&Digest>, limits: &Limits) -> Result<Served, Error> {
    let url = reply.url.without_query();
    let refused = |code, message: String| Error::new(code, message).with("method", "GET").with("url", &url);
    let named = named_digest(&reply.headers);
    for expected in asked.into_iter().chain(&named) {
        let actual = Digest::with(expected.algorithm(), &reply.body);
        if actual != *expected {
            if is_page(&reply.headers, &reply.body) {
                return Err(refused(Code::NOT_A_REGISTRY, "a web page came in place of a manifest".to_owned()));
            }
            return Err(refused(
                Code::DIGEST_MISMATCH,
                format!("a manifest was sent with the digest {actual} in place of {expected}"),
            )
            .with("expected", expected)
            .with("actual", actual));
        }
    }
    if is_page(&reply.headers, &reply.body) {
        return Err(refused(Code::NOT_A_REGISTRY, "a web page came in place of a manifest".to_owned()));
    }
    let said = reply.headers.get("content-type").map(essence).unwrap_or_default();
    let parsed = json::parse(&reply.body, limits.manifest)
        .map_err(|error| refused(Code::UNEXPECTED_ANSWER, "the manifest is no JSON".to_owned()).because(error))?;
    let own = parsed.value.get("mediaType").and_then(|kind| kind.as_str()).map(essence);
    let media_type = match own {
        // Whoever knows the digest knows what was meant: the document's own word counts.
        Some(own) if own == said || asked.is_some() || !is_manifest(&said) => own,
        Some(own) => {
            let message = format!("a manifest was sent as {said}, and says of itself that it is {}", clip(&own));
            return Err(refused(Code::MEDIA_TYPE_CONFLICT, message));
        }
        None if is_manifest(&said) => said,
        None if parsed.value.get("manifests").is_some() => INDEX.to_owned(),
        None => MANIFEST.to_owned(),
    };
    let digest = asked.cloned().or(named).unwrap_or_else(|| Digest::of(&reply.body));
    Ok(Served { bytes: reply.body, digest, media_type })
}

impl Served {
    /// What it means: an index must not come under a manifest's name, nor the other way round.
    pub(super) fn artifact(&self, limits: &Limits) -> Result<Artifact, Error> {
        let artifact = Artifact::parse(&self.bytes, limits)?;
        let is_index = artifact.what() == What::Index;
        if is_manifest(&self.media_type) && is_index != matches!(self.media_type.as_str(), INDEX | DOCKER_INDEX) {
            let kind = if is_index { "an index" } else { "a manifest" };
            return Err(Error::new(Code::MEDIA_TYPE_CONFLICT, format!("{kind} was sent as {}", self.media_type)));
        }
        Ok(artifact)
    }
}

fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, MANIFEST | INDEX | DOCKER_MANIFEST | DOCKER_INDEX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::url::Url;
    use crate::oci::Algorithm;

    const BODY: &str = r#"{"schemaVersion":2}"#;

    fn reply(body: &str, headers: &[(&str, &str)]) -> Reply {
        Reply {
            status: 200,
            headers: headers.iter().copied().collect(),
            body: body.as_bytes().to_vec(),
            is_cut: false,
            url: Url::parse("https://reg.example/v2/web/manifests/1").unwrap(),
            method: Method::Get,
            presented: false,
            away: false,
            repeated: false,
        }
    }

    fn outcome(body: &str, headers: &[(&str, &str)], asked: Option<&Digest>) -> Result<String, &'static str> {
        match read(reply(body, headers), asked, &Limits::default()) {
            Ok(served) => Ok(served.media_type),
            Err(error) => Err(error.code().name()),
        }
    }

    #[test]
    fn each_digest_is_checked_by_its_own_algorithm() {
        let right = Digest::of(BODY.as_bytes());
        let long = Digest::with(Algorithm::Sha512, BODY.as_bytes());
        let wrong = Digest::of(b"other");
        let named = |digest: &Digest| digest.to_string();
        for (asked, header, fine) in [
            (None, None, true),
            (None, Some(named(&right)), true),
            (None, Some(named(&long)), true),
            (Some(&right), Some(named(&long)), true),
            (Some(&long), Some(named(&right)), true),
            (Some(&right), Some("md5:abc".to_owned()), true),
            (None, Some(named(&wrong)), false),
            (Some(&wrong), Some(named(&right)), false),
            (Some(&right), Some(named(&wrong)), false),
            (Some(&wrong), None, false),
        ] {
            let headers: Vec<(&str, &str)> =
                header.iter().map(|value| ("docker-content-digest", value.as_str())).collect();
            let outcome = outcome(BODY, &headers, asked);
            assert_eq!(outcome.is_ok(), fine, "{asked:?} {header:?}");
            assert!(fine || outcome == Err("integrity.digest_mismatch"));
        }
    }

    #[test]
    fn a_web_page_is_no_manifest() {
        assert_eq!(outcome("<html></html>", &[("content-type", "text/html")], None), Err("protocol.not_registry"));
        let named = Digest::of(BODY.as_bytes()).to_string();
        assert_eq!(
            outcome("<!DOCTYPE html>", &[("docker-content-digest", &named)], None),
            Err("protocol.not_registry")
        );
        assert_eq!(outcome("hello", &[], None), Err("protocol.answer"));
    }

    #[test]
    fn media_types_that_contradict_each_other_are_refused_unless_the_digest_was_known() {
        let body = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}"}}"#);
        let kind = |value| [("content-type", value)];
        assert_eq!(outcome(&body, &kind(MANIFEST), None).as_deref(), Ok(MANIFEST));
        assert_eq!(outcome(&body, &kind("application/json"), None).as_deref(), Ok(MANIFEST));
        assert_eq!(outcome(&body, &[], None).as_deref(), Ok(MANIFEST));
        assert_eq!(outcome(&body, &kind(INDEX), None), Err("protocol.media_type"));
        assert_eq!(outcome(&body, &kind(INDEX), Some(&Digest::of(body.as_bytes()))).as_deref(), Ok(MANIFEST));
        assert_eq!(outcome(BODY, &kind("text/plain"), None).as_deref(), Ok(MANIFEST));
        assert_eq!(outcome(BODY, &kind(DOCKER_MANIFEST), None).as_deref(), Ok(DOCKER_MANIFEST));
    }
}
