//! What registries do each in its own way, and may: a client gets along with all of it in any weather.

use chartoci::http::{Headers, Method};

use crate::network::{Answer, Asked};
use crate::random::Random;

#[derive(Clone, Debug)]
pub(crate) struct Habits {
    pub(crate) challenges: Challenges,
    pub(crate) locations: Locations,
    pub(crate) ranges: Ranges,
    /// `Docker-Content-Digest` stands in answers.
    pub(crate) names_digests: bool,
    /// Receipts have the type of a web page, as Quay's have.
    pub(crate) types_receipts: bool,
    /// A piece is answered with 201.
    pub(crate) creates_pieces: bool,
    /// The token server knows the POST of OAuth 2 only.
    pub(crate) wants_forms: bool,
    pub(crate) pieces: Option<Pieces>,
    /// A list comes in pages of so many, and the next is told so.
    pub(crate) pages: Option<(u8, Links)>,
    /// Blobs are mounted from nowhere, which is said by this status.
    pub(crate) refuses_mounts: Option<u16>,
}

/// How it is said where the next page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Plain,
    /// Nobody says that it is the next.
    Unnamed,
    Absolute,
    /// By a registry that does not know that a proxy speaks TLS for it.
    Downgraded,
    /// With a blank where none may be.
    Blank,
    /// After another link.
    Second,
}

/// How a login is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenges {
    One,
    /// Among others, in one field.
    Joined,
    /// Among others, in a field each.
    Apart,
}

/// How the place of an upload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locations {
    Path,
    Relative,
    Absolute,
    WithoutScheme,
    WithPort,
    /// A proxy that speaks TLS stands before the registry, and nobody told it.
    Downgraded,
    WithQuery,
    WithFragment,
}

/// How it is said what has arrived of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    Plain,
    WithUnit,
    OneTooMany,
    Missing,
    /// Of the piece before, as Amazon's registry says; who asks the session hears better.
    Lagging,
}

/// What is taken of a blob in one request, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces {
    pub(crate) most: usize,
    /// Save the last.
    pub(crate) least: usize,
    /// The most is told beforehand.
    pub(crate) told: bool,
    /// What is more is refused with this status.
    status: u16,
}

impl Habits {
    pub(crate) fn of(random: &mut Random) -> Habits {
        let pieces = match random.below(16) {
            0..4 => Some((4_000, *random.pick(&[0, 0, 1_500, 4_000]), true)),
            // Nobody says so, and the client finds out.
            4 => Some((100_000, *random.pick(&[0, 0, 70_000]), false)),
            _ => None,
        };
        let status = *random.pick(&[413, 416, 400]);
        use Locations::{Absolute, Downgraded, Path, Relative, WithFragment, WithPort, WithQuery, WithoutScheme};
        Habits {
            challenges: *random.pick(&[Challenges::One, Challenges::One, Challenges::Joined, Challenges::Apart]),
            locations: *random.pick(&[
                Path,
                Path,
                Path,
                Relative,
                Absolute,
                WithoutScheme,
                WithPort,
                Downgraded,
                WithQuery,
                WithFragment,
            ]),
            ranges: *random.pick(&[
                Ranges::Plain,
                Ranges::Plain,
                Ranges::WithUnit,
                Ranges::OneTooMany,
                Ranges::Missing,
                Ranges::Lagging,
            ]),
            names_digests: random.chance(80),
            types_receipts: random.chance(20),
            creates_pieces: random.chance(20),
            wants_forms: random.chance(20),
            pieces: pieces.map(|(most, least, told)| Pieces { most, least, told, status }),
            pages: random.chance(50).then(|| {
                use Links::{Absolute, Blank, Downgraded, Plain, Second, Unnamed};
                let links = *random.pick(&[Plain, Unnamed, Absolute, Downgraded, Blank, Second]);
                (1 + random.below(2) as u8, links)
            }),
            refuses_mounts: random.chance(20).then(|| *random.pick(&[401, 403, 404, 405, 500, 501])),
        }
    }

    /// The answer that is given before anybody looks at the request.
    pub(crate) fn refusal(&self, asked: &Asked, target: &str) -> Option<Answer> {
        if self.wants_forms && target.starts_with("/token") && asked.method == Method::Get {
            return Some(Answer::new(405, &[], b""));
        }
        if asked.method == Method::Post && target.contains("?mount=") && self.refuses_mounts.is_some() {
            return self.refuses_mounts.map(|status| Answer::new(status, &[], b""));
        }
        let pieces = self.pieces.filter(|it| target.contains("/blobs/uploads/") && asked.body.len() > it.most)?;
        Some(match pieces.status {
            400 => Answer::new(400, &[], br#"{"errors":[{"code":"CONTENT_LENGTH_INVALID","message":"no"}]}"#),
            416 => Answer::new(416, &[], b"the body is too large, it exceeds what is permitted"),
            status => Answer::new(status, &[("content-type", "text/html")], b"<html>no</html>"),
        })
    }

    /// Writes an answer as this registry does.
    pub(crate) fn dress(&self, asked: &Asked, answer: &mut Answer) {
        if !self.names_digests {
            answer.headers.remove("docker-content-digest");
        }
        let uploads = asked.url.contains("/blobs/uploads/");
        if self.types_receipts && matches!(answer.status, 200..=299) && (uploads || asked.method == Method::Put) {
            answer.set("content-type", "text/html; charset=utf-8");
        }
        if let Some(pieces) = self.pieces.filter(|_| uploads && asked.method == Method::Post) {
            if pieces.told {
                answer.set("oci-chunk-max-length", &pieces.most.to_string());
            }
            if pieces.least > 0 {
                answer.set("oci-chunk-min-length", &pieces.least.to_string());
            }
        }
        if uploads && let Some(range) = answer.headers.get("range").map(str::to_owned) {
            let taken = asked.method == Method::Patch;
            match (self.ranges, range.rsplit_once('-').and_then(|(_, end)| end.parse::<u64>().ok())) {
                (Ranges::WithUnit, _) => answer.set("range", &format!("bytes={range}")),
                (Ranges::OneTooMany, Some(end)) if taken => answer.set("range", &format!("0-{}", end + 1)),
                (Ranges::Missing, _) if taken => answer.headers.remove("range"),
                (Ranges::Lagging, _) if taken => {
                    let start = asked.headers.get("content-range").and_then(|range| range.split_once('-'));
                    let start = start.and_then(|(start, _)| start.parse::<u64>().ok()).unwrap_or(0);
                    answer.set("range", &format!("0-{}", start.saturating_sub(1)));
                }
                _ => {}
            }
        }
        if let (Some((_, links)), Some(link)) = (self.pages, answer.headers.get("link").map(str::to_owned))
            && let Some((place, _)) = link.strip_prefix('<').and_then(|link| link.split_once('>'))
        {
            let url = answer.url.as_deref().unwrap_or(&asked.url);
            let (scheme, rest) = url.split_once("://").expect("a scheme");
            let host = rest.split('/').next().unwrap_or_default().to_owned();
            let scheme = scheme.to_owned();
            answer.set(
                "link",
                &match links {
                    Links::Plain => link.clone(),
                    Links::Unnamed => format!("<{place}>"),
                    Links::Absolute => format!("<{scheme}://{host}{place}>;REL=next"),
                    Links::Downgraded => format!("<http://{host}{place}>; rel=\"next\""),
                    Links::Blank => format!("<{place}&say=a b>; rel=\"next\""),
                    Links::Second => format!("</v2/>; rel=\"start\", <{place}>; rel=\"more next\""),
                },
            );
        }
        if self.creates_pieces && asked.method == Method::Patch && answer.status == 202 {
            answer.status = 201;
        }
        let realm = answer.headers.get("www-authenticate").map(str::to_owned);
        if let Some(realm) = realm.filter(|_| !asked.url.contains("/token")) {
            self.challenge(&realm, &mut answer.headers);
        }
    }

    fn challenge(&self, own: &str, headers: &mut Headers) {
        let digest = r#"Digest realm="a, b", nonce="Basic realm=\"c\"", qop="auth""#;
        let mut all = vec!["Negotiate", digest, own];
        // Who can have a token is to take one, whatever else would do.
        if own.starts_with("Bearer") {
            all.insert(0, "Basic realm=\"a registry\"");
        }
        match self.challenges {
            Challenges::One => return,
            Challenges::Joined => all = vec![all[0], all[all.len() - 1], digest],
            Challenges::Apart => {}
        }
        headers.remove("www-authenticate");
        match self.challenges {
            Challenges::Joined => headers.add("www-authenticate", all.join(", ")),
            _ => all.iter().for_each(|one| headers.add("www-authenticate", *one)),
        }
    }

    /// The place of an upload, for who asked at that URL.
    pub(crate) fn place(&self, asked: &str, location: &str) -> String {
        let (scheme, rest) = asked.split_once("://").expect("a scheme");
        let host = rest.split('/').next().unwrap_or_default();
        let port = if scheme == "https" { 443 } else { 80 };
        match self.locations {
            Locations::Path => location.to_owned(),
            Locations::Relative => location.rsplit('/').next().unwrap_or_default().to_owned(),
            Locations::WithoutScheme => format!("//{host}{location}"),
            Locations::WithPort if !host.contains(':') => format!("{scheme}://{host}:{port}{location}"),
            Locations::Absolute | Locations::WithPort => format!("{scheme}://{host}{location}"),
            Locations::Downgraded => format!("http://{host}{location}"),
            Locations::WithQuery => format!("{location}?_state=a%2Fb%3D%3D&"),
            Locations::WithFragment => format!("{location}#here"),
        }
    }

    /// The names of what is done otherwise, for the tally.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![format!("challenges {:?}", self.challenges), format!("locations {:?}", self.locations)];
        names.push(format!("ranges {:?}", self.ranges));
        let switches = [
            (!self.names_digests, "no digest is named"),
            (self.types_receipts, "receipts of a page's type"),
            (self.creates_pieces, "pieces are created"),
            (self.wants_forms, "tokens by form"),
        ];
        names.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned()));
        names.extend(self.pages.map(|(_, links)| format!("links {links:?}")));
        names.extend(self.refuses_mounts.map(|status| format!("mounts refused with {status}")));
        if let Some(pieces) = self.pieces {
            let told = if pieces.told { "told" } else { "untold" };
            let least = if pieces.least > 0 { ", with a least" } else { "" };
            names.push(format!("pieces {told} {}{least}", pieces.status));
        }
        names
    }
}
