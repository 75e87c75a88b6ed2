//! One call: what is asked for, how far it has got, and what to make of the head of an answer.

use std::ops::Range;

use super::calls::AuthorityId;
use super::errcode;
use crate::auth::Origin;
use crate::auth::origin::realm;
use crate::error::{Code, Error, clip};
use crate::http::url::{Scheme, Url};
use crate::http::{BlobId, Headers, Method, Payload, Receiver, Redirect, Request, RequestId, ResponseHead};
use crate::oci::Descriptor;
use crate::time::{Duration, Instant};

/// The silence that is allowed to a registry that has the last byte of a blob.
const THINKING: Duration = Duration::from_secs(15 * 60);

/// What becomes of the body of a 2xx.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// Nothing is read of it.
    Nothing,
    /// It is collected, up to this limit of [`Limits`](crate::Limits).
    Body { limit: u64, name: &'static str },
    /// The host stores it while it is verified: all of it, or a part, which has no digest of its own.
    Blob { blob: BlobId, descriptor: Descriptor, part: Range<u64> },
}

/// A request to be made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Headers,
    pub(super) payload: Payload,
    pub(super) wanted: Wanted,
    pub(super) authority: Option<AuthorityId>,
    /// Failures that may pass are tried again here; otherwise the operation hears of them.
    pub(super) again: bool,
    /// Whatever comes is the answer: it is asked for once, and nothing hangs on it.
    pub(super) regardless: bool,
    /// Another request takes its place where it is refused: a refusal of who asks is not held against them.
    pub(super) dispensable: bool,
    /// What another host refuses, where the registry leads to, is the answer.
    pub(super) final_away: bool,
    /// The answer may take minutes.
    pub(super) thinks: bool,
    /// Tries that the operation has made of it before.
    pub(super) tries: u32,
    pub(super) after: Option<(Duration, String)>,
    /// Begins what other exchanges of the session that name it so wait for.
    pub(super) alone: Option<String>,
}

impl Draft {
    pub(super) fn new(method: Method, url: Url) -> Draft {
        Draft {
            method,
            url,
            headers: Headers::new(),
            payload: Payload::Empty,
            wanted: Wanted::Nothing,
            authority: None,
            again: true,
            regardless: false,
            dispensable: false,
            final_away: false,
            thinks: false,
            tries: 0,
            after: None,
            alone: None,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Draft {
        self.headers.add(name, value);
        self
    }

    pub(super) fn payload(mut self, content_type: &str, payload: Payload) -> Draft {
        self.headers.add("content-type", content_type);
        self.payload = payload;
        self
    }

    pub(super) fn wants(mut self, wanted: Wanted) -> Draft {
        self.wanted = wanted;
        self
    }

    pub(super) fn by(mut self, authority: AuthorityId) -> Draft {
        self.authority = Some(authority);
        self
    }

    /// One try only, after that many before it: what comes after a failure is for the operation to say.
    pub(super) fn once(mut self, tries: u32) -> Draft {
        self.again = false;
        self.tries = tries;
        self
    }

    /// The answer may take minutes: a registry puts a blob of gigabytes together.
    pub(super) fn thinking(mut self) -> Draft {
        self.thinks = true;
        self
    }

    /// Nothing hangs on the answer.
    pub(super) fn regardless(mut self) -> Draft {
        (self.again, self.regardless) = (false, true);
        self
    }

    /// Another request takes its place where it is refused.
    pub(super) fn dispensable(mut self) -> Draft {
        self.dispensable = true;
        self
    }

    /// What another host refuses, where the registry leads to, is the answer.
    pub(super) fn final_away(mut self) -> Draft {
        self.final_away = true;
        self
    }

    /// Other exchanges of the session that name it so wait until this one releases it, or is over.
    pub(super) fn alone(mut self, name: String) -> Draft {
        self.alone = Some(name);
        self
    }

    /// Begins after a pause, because of this.
    pub(super) fn after(mut self, pause: Duration, why: &str) -> Draft {
        self.after = Some((pause, why.to_owned()));
        self
    }
}

/// An answer that is final: not to be retried, redirected or authorised.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// The connection broke before the end of the body.
    pub(super) is_cut: bool,
    /// Where it came from.
    pub(super) url: Url,
    pub(super) method: Method,
    /// A credential stood behind the request.
    pub(super) presented: bool,
    /// Another host has answered than was asked.
    pub(super) away: bool,
    /// It was asked for before, and that answer was lost.
    pub(super) repeated: bool,
}

/// No answer could be had.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// The operation may begin anew after this pause: the failure is of the kind that passes.
    pub(super) again: Option<Duration>,
}

/// Who hears of a call's end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Operation,
    Token(AuthorityId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    InFlight,
    Backoff(Instant),
}

pub(super) struct Call {
    pub(super) draft: Draft,
    pub(super) purpose: Purpose,
    pub(super) state: State,
    /// Tries since the last progress.
    pub(super) tries: u32,
    /// The most bytes of a blob that any try has got.
    pub(super) progress: u64,
    /// It has led to a new token before.
    pub(super) renewed: bool,
    /// It has begun a blob from the start again before.
    pub(super) restarted: bool,
    /// What has arrived of a blob.
    pub(super) kept: Option<Receiver>,
    pub(super) way: Way,
}

/// Where the current try has got to.
pub(super) struct Way {
    pub(super) target: Url,
    pub(super) method: Method,
    pub(super) payload: Payload,
    pub(super) redirects: u32,
    /// It has left its origin: no credential goes with it any more.
    pub(super) strayed: bool,
    /// What was presented with the last request.
    pub(super) generation: u32,
    pub(super) presented: bool,
}

impl Way {
    pub(super) fn of(draft: &Draft) -> Way {
        Way {
            target: draft.url.clone(),
            method: draft.method,
            payload: draft.payload.clone(),
            redirects: 0,
            strayed: false,
            generation: 0,
            // A token request brings its own credential, in its head or in a form.
            presented: draft.authority.is_none()
                && (draft.headers.get("authorization").is_some() || !draft.payload.is_empty()),
        }
    }
}

/// What is wrong with an answer, as its head tells already.
pub(super) enum Objection {
    Error(Error),
    /// The blob is to be read from its start.
    Restart,
}

impl Call {
    /// Where the body of this answer goes, and whether the head says already that it is not wanted.
    pub(super) fn receiver(&mut self, head: &ResponseHead, error_limit: u64) -> (Receiver, Option<Objection>) {
        let no = |objection| (Receiver::refuse(), Some(objection));
        let length = announced(&head.headers);
        if self.way.method == Method::Head {
            return (Receiver::discard(), None);
        }
        match (head.status, &self.draft.wanted) {
            (200, Wanted::Blob { descriptor, .. }) => {
                self.kept = None;
                if length.is_some_and(|length| length != descriptor.size) {
                    return no(Objection::Error(self.wrong_length(head, length.unwrap_or(0), descriptor)));
                }
                (Receiver::verify(descriptor), None)
            }
            (206, Wanted::Blob { descriptor, part, .. }) => {
                let from = self.kept.as_ref().map_or(part.start, Receiver::seen);
                // It may be less than was asked for (RFC 9110, 15.3.7): the rest is asked for next.
                let end = |last: u64| length.map_or(last.checked_add(1), |length| from.checked_add(length));
                let fits = content_range(head.headers.get("content-range").unwrap_or_default()).is_some_and(
                    |(start, last, total)| {
                        start == from
                            && total.is_none_or(|total| total == descriptor.size)
                            && end(last).is_some_and(|end| from < end && end <= part.end)
                    },
                );
                if !fits {
                    return no(Objection::Restart);
                }
                let kept = self.kept.take().unwrap_or_else(|| match (part.start, part.end) {
                    (0, end) if end == descriptor.size => Receiver::verify(descriptor),
                    (start, end) => Receiver::part(descriptor, start, end),
                });
                (kept.resumed(), None)
            }
            (416, Wanted::Blob { .. }) if self.kept.is_some() => no(Objection::Restart),
            (200..=299, Wanted::Body { limit, name }) => match length {
                Some(length) if length > *limit => no(Objection::Error(self.too_large(*limit, name))),
                _ => (Receiver::collect(*limit), None),
            },
            (200..=399, _) => (Receiver::discard(), None),
            _ => (Receiver::collect(error_limit), None),
        }
    }

    /// The answer, as the operation sees it.
    pub(super) fn reply(&self, head: ResponseHead, body: Vec<u8>, is_cut: bool) -> Reply {
        Reply {
            status: head.status,
            headers: head.headers,
            body,
            is_cut,
            url: self.way.target.clone(),
            method: self.way.method,
            presented: self.way.presented,
            away: self.way.strayed,
            repeated: self.tries > 1,
        }
    }

    /// Whether so many bytes are all of a body that is wanted, and no more than it may have.
    pub(super) fn whole(&self, reply: &Reply, overflowed: bool, received: u64) -> Result<(), Error> {
        let Wanted::Body { limit, name } = self.draft.wanted else { return Ok(()) };
        if overflowed {
            return Err(self.too_large(limit, name));
        }
        // A HEAD announces a body that does not come.
        if reply.method != Method::Head && announced(&reply.headers).is_some_and(|length| length > received) {
            let message = format!("the body broke off after {received} bytes");
            return Err(Error::new(Code::TRANSPORT_RESET, message).with("url", reply.url.without_query()));
        }
        Ok(())
    }

    fn wrong_length(&self, head: &ResponseHead, length: u64, descriptor: &Descriptor) -> Error {
        let error = if errcode::is_page(&head.headers, &[]) {
            Error::new(Code::NOT_A_REGISTRY, "a web page came in place of a blob")
        } else {
            let message =
                format!("{length} bytes are announced for {}, which has {}", descriptor.digest, descriptor.size);
            Error::new(Code::SIZE_MISMATCH, message).with("expected", descriptor.size).with("actual", length)
        };
        error.with("url", self.way.target.without_query()).with("digest", &descriptor.digest)
    }

    fn too_large(&self, limit: u64, name: &'static str) -> Error {
        Error::new(Code::LIMIT_BODY, format!("the answer has more than {limit} bytes"))
            .with("method", self.way.method.as_str())
            .with("url", self.way.target.without_query())
            .with("limit", name)
    }

    /// The host followed redirects by itself, and says where it ended.
    pub(super) fn followed(&mut self, url: Option<&str>) -> Result<(), Error> {
        let Some(url) = url else { return Ok(()) };
        let from = self.way.target.without_query();
        let Some(url) = Url::parse(url.split('#').next().unwrap_or_default()) else {
            return Err(Error::new(Code::BAD_REDIRECT, format!("a redirect led to {:?}", clip(url))).with("url", from));
        };
        if self.way.target.scheme() == Scheme::Https && url.scheme() == Scheme::Http {
            return Err(Error::new(Code::BAD_REDIRECT, "a redirect led from https to http").with("url", from));
        }
        self.way.strayed |= Origin::of(&url) != Origin::of(&self.way.target);
        self.way.target = url;
        Ok(())
    }

    /// A token request is redirected only to where its realm could have been, and a form with a secret never elsewhere.
    pub(super) fn may_go_on(&self, next: &Url, registry: &Url) -> Result<(), Error> {
        realm(&next.to_string(), registry)?;
        if !self.way.payload.is_empty() && Origin::of(next) != Origin::of(&self.way.target) {
            return Err(Error::new(Code::BAD_REDIRECT, "a token server redirects a secret to another host")
                .with("url", self.way.target.without_query()));
        }
        Ok(())
    }

    pub(super) fn request(&mut self, id: RequestId, authorization: Option<String>, config: &super::Config) -> Request {
        self.state = State::InFlight;
        // A hop of a redirect is no try of its own.
        self.tries += u32::from(self.way.redirects == 0);
        let mut headers = self.draft.headers.clone();
        if self.way.strayed {
            headers.remove("authorization");
        }
        if self.way.method == Method::Get && self.draft.method != Method::Get {
            headers.remove("content-type");
        }
        headers.add("user-agent", config.user_agent.as_str());
        if let Some(value) = authorization {
            headers.add("authorization", value);
        }
        let sink = match &self.draft.wanted {
            Wanted::Blob { blob, descriptor, part } => {
                headers.add("accept-encoding", "identity");
                self.kept.take_if(|kept| kept.seen() == part.start);
                let from = self.kept.as_ref().map_or(part.start, Receiver::seen);
                if part.end < descriptor.size {
                    headers.add("range", format!("bytes={from}-{}", part.end.saturating_sub(1)));
                } else if from > 0 {
                    headers.add("range", format!("bytes={from}-"));
                }
                Some(*blob)
            }
            _ => None,
        };
        let redirect = if config.transport.manual_redirects { Redirect::Manual } else { Redirect::Follow };
        Request {
            id,
            method: self.way.method,
            url: self.way.target.to_string(),
            headers,
            payload: self.way.payload.clone(),
            sink,
            redirect,
            timeout: config.idle_timeout,
            thinking: match self.draft.thinks {
                true => config.idle_timeout.map(|silence| silence.max(THINKING)),
                false => config.idle_timeout,
            },
        }
    }
}

/// How long the body is said to be, unless it is encoded and so is of another length when it is read.
fn announced(headers: &Headers) -> Option<u64> {
    let encoded = headers.get("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    headers.get("content-length").filter(|_| !encoded)?.trim().parse().ok()
}

/// `bytes START-LAST/TOTAL`: where it starts, its last byte, and the whole, if it is known (RFC 9110, 14.4).
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.trim().parse().ok()?) };
    Some((start.trim().parse().ok()?, last.trim().parse().ok()?, total))
}
