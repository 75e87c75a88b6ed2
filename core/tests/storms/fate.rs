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
    /// The body of an answer that its head decides breaks off, or comes by drops: of what is carried out, of a redirect.
    Cut {
        redirected: bool,
        drips: bool,
    },
    /// The answer's body ends early: nobody notices but who counts.
    Short,
    /// The answer's body goes on after its end.
    Long,
    /// The answer's body goes on for ever.
    Endless,
    /// A bit of the answer's body, or of the request's, is another.
    Flipped,
    /// The answer's body comes by drops.
    Drip,
    /// Another digest stands in the header.
    WrongDigestHeader,
    /// A digest of another algorithm, of who knows what.
    ForeignDigestHeader,
    NoDigestHeader,
    /// The answer is elsewhere, after so many hops, on another origin or not.
    Redirected {
        hops: u64,
        foreign: bool,
    },
    /// The answer is said to be where no TLS is.
    Downgraded,
    /// The session of an upload is on another origin.
    ForeignLocation,
    NoLocation,
    /// A place where nothing can be.
    OddLocation,
    /// `Range` is answered with the whole.
    IgnoredRange,
    /// `Range` is answered with a part of the part.
    ShortRange,
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

impl Pause {
    /// What is to be waited for, in milliseconds.
    pub(crate) fn millis(self) -> u64 {
        match self {
            Pause::Seconds(seconds) | Pause::Date(seconds) => seconds * 1_000,
            Pause::Decimal(seconds, hundredths) => seconds * 1_000 + hundredths * 10,
            Pause::Nonsense => 0,
        }
    }
}

impl Fate {
    /// For the tally.
    pub(crate) fn name(&self) -> String {
        match self {
            Fate::Status(status, Some(pause)) => format!("{status}, pause {}", debug_name(pause)),
            Fate::Status(status, None) => status.to_string(),
            Fate::Redirected { hops, foreign } => {
                let place = if *foreign { "elsewhere" } else { "at home" };
                format!("redirected {place}{}", if *hops > 5 { ", too often" } else { "" })
            }
            Fate::Lost(loss) => format!("lost {loss:?}"),
            Fate::Cut { redirected, drips } => {
                let what = if *redirected { "a redirect" } else { "what its head decides" };
                format!("{what} {}", if *drips { "drips" } else { "breaks off" })
            }
            fate => debug_name(fate),
        }
    }

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
                Fate::Cut { redirected, .. } => !redirected || reads && !url.contains("/hop/"),
                Fate::IgnoredRange | Fate::ShortRange | Fate::WrongContentRange => reads,
                // A registry that says to have what it has not can be believed or not: nothing can be tested there.
                Fate::Status(200 | 201 | 202 | 204, _) => {
                    url.contains("/blobs/") && method != Method::Put && !url.contains("?digest=")
                }
                // Whoever asks for the head only has nothing else to go by.
                Fate::WrongDigestHeader | Fate::ForeignDigestHeader => method != Method::Head,
                Fate::Downgraded => reads && url.starts_with("https:"),
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
        match random.below(21) {
            0 => Fate::NoConnection,
            1 => Fate::Lost(Loss::Before),
            2 => Fate::Lost(Loss::Midway),
            3 => Fate::Lost(Loss::After),
            4 => Fate::Silence,
            5 | 6 => Fate::Status(*random.pick(&[408, 425, 429, 429, 499, 500, 502, 503, 504]), pause(random)),
            7 => Fate::Broken,
            8 => Fate::Redirected { hops: random.below(4), foreign: random.chance(50) },
            9 => Fate::ForeignLocation,
            10 => Fate::IgnoredRange,
            11 => Fate::WrongContentRange,
            12 => Fate::Short,
            13 => Fate::Expired,
            14 => Fate::Restart,
            15 => Fate::Drip,
            16 => Fate::NoDigestHeader,
            17 => Fate::ShortRange,
            18 | 19 => Fate::Cut { redirected: random.chance(40), drips: random.chance(30) },
            _ => Fate::Twice,
        }
    }

    fn bad(random: &mut Random) -> Fate {
        match random.below(16) {
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
            11 => Fate::Downgraded,
            12 => Fate::NoLocation,
            13 => Fate::OddLocation,
            14 => Fate::ForeignDigestHeader,
            _ => Fate::Status(401, None),
        }
    }
}

/// The name of a variant without what it holds.
fn debug_name(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?}").split('(').next().unwrap_or_default().to_owned()
}
