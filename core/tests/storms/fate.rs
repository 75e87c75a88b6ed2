//! What goes wrong, and how often.

use chartoci::http::Method;

use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Clear,
    /// A few faults that pass: whoever tries again gets through.
    Showers,
    /// Everything.
    Storm,
}

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Fair,
    /// No connection.
    NoConnection,
    /// It never arrives, or half of its body does, or its answer never comes.
    Lost(Loss),
    /// Nothing comes back until the host gives up.
    Silence,
    /// It is not carried out, and answered with this status.
    Status(u16, Option<Pause>),
    /// It is answered as if it bore no credentials that are still good.
    Expired,
    /// A challenge that sends credentials where none may go.
    HostileRealm,
    /// The answer's body breaks off: the host notices.
    Broken,
    /// The answer's body ends early: nobody notices but who counts.
    Short,
    /// The answer's body goes on after its end.
    Long,
    /// The answer's body goes on for ever.
    Endless,
    /// A bit of the answer's body, or of the request's, is another.
    Flipped,
    /// Another digest stands in the header.
    WrongDigestHeader,
    /// The answer is elsewhere, after so many hops, on another origin or not.
    Redirected { hops: u64, foreign: bool },
    /// The session of an upload is on another origin.
    ForeignLocation,
    /// `Range` is answered with the whole.
    IgnoredRange,
    /// `Range` is answered with another part.
    WrongContentRange,
    /// The answer comes twice.
    Twice,
    /// A page that is no answer of a registry, with status 200.
    Page,
    /// The registry restarts: sessions of uploads are gone.
    Restart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Before,
    Midway,
    After,
}

/// How a registry says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    Seconds(u64),
    Decimal(u64, u64),
    Date(u64),
    Nonsense,
}

impl Fate {
    pub(crate) fn of(random: &mut Random, weather: Weather, method: Method, url: &str) -> Fate {
        let is_token = url.contains("/token");
        let reads = matches!(method, Method::Get | Method::Head) && !is_token;
        for _ in 0..20 {
            let fate = match weather {
                Weather::Clear => Fate::Fair,
                Weather::Showers => Fate::passing(random),
                Weather::Storm if random.chance(60) => Fate::passing(random),
                Weather::Storm => Fate::bad(random),
            };
            let fits = match fate {
                // As many hops as were drawn, and no more.
                Fate::Redirected { .. } => reads && !url.contains("/hop/"),
                Fate::IgnoredRange | Fate::WrongContentRange => reads,
                // A registry that says to have what it has not can be believed or not: nothing can be tested there.
                Fate::Status(200 | 201 | 202 | 204, _) => {
                    url.contains("/blobs/") && method != Method::Put && !url.contains("?digest=")
                }
                Fate::WrongDigestHeader => method != Method::Head,
                Fate::Flipped => !url.contains("/tags/"),
                Fate::ForeignLocation => method == Method::Post && !is_token,
                Fate::Expired | Fate::HostileRealm | Fate::Restart => !is_token,
                _ => true,
            };
            if fits {
                return fate;
            }
        }
        Fate::Fair
    }

    fn passing(random: &mut Random) -> Fate {
        let pause = |random: &mut Random| match random.below(6) {
            0 => Some(Pause::Seconds(random.below(4))),
            1 => Some(Pause::Decimal(random.below(3), random.below(100))),
            2 => Some(Pause::Date(random.below(5))),
            3 => Some(Pause::Nonsense),
            _ => None,
        };
        match random.below(16) {
            0 => Fate::NoConnection,
            1 => Fate::Lost(Loss::Before),
            2 => Fate::Lost(Loss::Midway),
            3 => Fate::Lost(Loss::After),
            4 => Fate::Silence,
            5 | 6 => Fate::Status(*random.pick(&[408, 429, 429, 500, 502, 503, 504]), pause(random)),
            7 => Fate::Broken,
            8 => Fate::Redirected { hops: random.below(4), foreign: random.chance(50) },
            9 => Fate::ForeignLocation,
            10 => Fate::IgnoredRange,
            11 => Fate::WrongContentRange,
            12 => Fate::Short,
            13 => Fate::Expired,
            14 => Fate::Restart,
            _ => Fate::Twice,
        }
    }

    fn bad(random: &mut Random) -> Fate {
        match random.below(12) {
            0 => Fate::HostileRealm,
            1 => Fate::Long,
            2 => Fate::Endless,
            3 | 4 => Fate::Flipped,
            5 => Fate::WrongDigestHeader,
            6 => Fate::Redirected { hops: 4 + random.below(8), foreign: random.chance(50) },
            7 => Fate::Status(*random.pick(&[400, 403, 404, 405, 413, 416, 418, 501, 599]), None),
            8 => Fate::Status(429, Some(Pause::Seconds(3_600))),
            9 => Fate::Status(*random.pick(&[200, 201, 202, 204, 206, 301, 304, 307]), None),
            10 => Fate::Page,
            _ => Fate::Status(401, None),
        }
    }
}
