//! One repository of one registry, and where its parts are (distribution-spec, "Endpoints").

use super::Session;
use crate::error::{Code, Error};
use crate::http::url::Url;
use crate::oci::reference::DOCKER_HUB;
use crate::oci::{Digest, Repository};

/// A repository, reached by the scheme that the session's policy chose.
#[derive(Clone, Debug)]
pub(super) struct Place {
    repository: Repository,
    base: Url,
}

impl Place {
    pub(super) fn new(session: &Session, repository: &Repository) -> Result<Place, Error> {
        let registry = repository.registry();
        let scheme = if session.config().is_plain(registry) { "http" } else { "https" };
        // Docker Hub's API has another host than its name, as in oras-go.
        let host = if registry == DOCKER_HUB { "registry-1.docker.io" } else { registry };
        let base = Url::parse(&format!("{scheme}://{host}/v2/")).ok_or_else(|| {
            Error::new(Code::REFERENCE_REGISTRY, format!("{registry:?} is no host")).with("registry", registry)
        })?;
        Ok(Place { repository: repository.clone(), base })
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The root of the API.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// end-3, end-7: a manifest, by tag or digest.
    pub(super) fn manifest(&self, reference: &str) -> Url {
        self.path(&format!("manifests/{reference}"))
    }

    /// end-2: a blob.
    pub(super) fn blob(&self, digest: &Digest) -> Url {
        self.path(&format!("blobs/{digest}"))
    }

    /// end-4a: where uploads begin.
    pub(super) fn uploads(&self) -> Url {
        self.path("blobs/uploads/")
    }

    /// end-11: the same, unless the blob is in that repository already (or in this very one).
    pub(super) fn mount(&self, digest: &Digest, from: &str) -> Url {
        self.uploads().with_query("mount", digest.as_str()).with_query("from", from)
    }

    /// end-12: what refers to a manifest.
    pub(super) fn referrers(&self, digest: &Digest) -> Url {
        self.path(&format!("referrers/{digest}"))
    }

    /// end-8: the list of tags.
    pub(super) fn tags(&self) -> Url {
        self.path("tags/list")
    }

    fn path(&self, rest: &str) -> Url {
        self.base.at(&format!("/v2/{}/{rest}", self.repository.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Config, HostSet};

    fn place(repository: &str) -> Place {
        Place::new(&Session::new(Config::default()), &Repository::parse(repository).unwrap()).unwrap()
    }

    #[test]
    fn loopback_is_plain_and_everything_else_is_not() {
        assert_eq!(place("localhost:5000/web").tags().to_string(), "http://localhost:5000/v2/web/tags/list");
        assert_eq!(place("reg.example/a/web").uploads().to_string(), "https://reg.example/v2/a/web/blobs/uploads/");
    }

    #[test]
    fn who_gives_options_for_tls_means_it_on_loopback_too_unless_http_is_asked_for() {
        for (plain_http, scheme) in [
            (HostSet::Loopback, "https"),
            (HostSet::None, "https"),
            (HostSet::All, "http"),
            (HostSet::These(["localhost".to_owned()].into()), "http"),
        ] {
            let session = Session::new(Config { plain_http, tls_options: true, ..Config::default() });
            let place = Place::new(&session, &Repository::parse("localhost:5000/web").unwrap()).unwrap();
            assert_eq!(place.tags().to_string(), format!("{scheme}://localhost:5000/v2/web/tags/list"));
        }
    }

    #[test]
    fn docker_hub_has_a_host_of_its_own() {
        assert_eq!(
            place("docker.io/team/web").manifest("1.0").to_string(),
            "https://registry-1.docker.io/v2/team/web/manifests/1.0"
        );
    }

    #[test]
    fn a_mount_asks_for_what_the_repository_itself_may_have() {
        let digest = Digest::of(b"{}");
        assert_eq!(
            place("reg.example/a/web").mount(&digest, "a/web").query(),
            Some(format!("mount=sha256%3A{}&from=a%2Fweb", digest.hex()).as_str())
        );
    }
}
