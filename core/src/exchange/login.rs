//! Login: does the registry take the credential? (distribution-spec, "Determining Support"; Helm 4.3: `pkg/registry/client.go`)

use super::calls::{Draft, Failed, Reply};
use super::errcode::{About, refusal};
use super::{Event, Operation, Outcome, Requests, Target};
use crate::error::{Code, Error};
use crate::http::Method;

/// Asks for the root of the API, with the credential.
pub(super) struct LoggingIn {
    target: Target,
}

impl LoggingIn {
    pub(super) fn new(target: Target) -> LoggingIn {
        LoggingIn { target }
    }
}

impl Operation for LoggingIn {
    type Step = ();

    fn begin(&mut self, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        requests.start((), Draft::new(Method::Get, self.target.place.base().clone()).by(self.target.authority));
        Ok(None)
    }

    fn reply(&mut self, (): (), reply: Reply, requests: &mut Requests<()>) -> Result<Option<Outcome>, Error> {
        let checked = match reply.status {
            200..=299 => reply.presented,
            // The token server took the credential; Harbor refuses the root to a token that is for no repository.
            401 if reply.presented => true,
            404 => {
                let message = format!("{} is no registry", self.target.place.repository().registry());
                return Err(Error::new(Code::NOT_A_REGISTRY, message).because(refusal(&reply, About::Manifest)));
            }
            _ => return Err(refusal(&reply, About::Manifest)),
        };
        if !checked {
            let registry = self.target.place.repository().registry();
            requests.notify(Event::Notice {
                code: "auth.unchecked",
                text: format!("{registry} does not ask who is calling: user and password could not be checked"),
            });
        }
        Ok(Some(Outcome::LoggedIn { checked }))
    }

    fn failed(&mut self, (): (), failed: Failed, _: &mut Requests<()>) -> Result<(), Error> {
        let refused = failed.error.code() == Code::AUTH_REFUSED;
        Err(match refused {
            true => failed.error.with_hint("Check user name and password; some registries want a token in its place."),
            false => failed.error,
        })
    }
}
