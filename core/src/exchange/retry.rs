//! When to try again, and after how long.

use crate::http::Headers;
use crate::time::{Duration, Timestamp};

/// Full jitter between zero and `backoff × 2ⁿ`, capped; `Retry-After` is honoured up to its own cap.
///
/// ```
/// use chartoci::{exchange::RetryPolicy, time::Duration};
/// let patient = RetryPolicy { attempts: 8, ..RetryPolicy::default() };
/// assert_eq!((patient.backoff, patient.retry_after_max), (Duration::from_millis(200), Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of one request, the first included. 5.
    pub attempts: u32,
    /// First pause. 200 ms.
    pub backoff: Duration,
    /// Longest pause. 10 s.
    pub backoff_max: Duration,
    /// Longest `Retry-After` that is waited for; who asks for more gets no further try. 60 s.
    pub retry_after_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            attempts: 5,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
            retry_after_max: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The pause after that many tries; `None` if there is to be no other.
    pub(super) fn pause(&self, tries: u32, asked: Option<Duration>, random: &mut Random) -> Option<Duration> {
        if tries >= self.attempts {
            return None;
        }
        match asked {
            Some(asked) => (asked <= self.retry_after_max).then_some(asked),
            None => {
                let doubled = 2u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
                let most = self.backoff.saturating_mul(doubled).min(self.backoff_max);
                let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
                Some(Duration::from_millis(random.below(most.saturating_add(1))))
            }
        }
    }
}

/// Statuses that another try may not see.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 499) || (500..=599).contains(&status) && !matches!(status, 501 | 505)
}

/// `Retry-After`: seconds, seconds with decimals, or a date, which is read against the answer's own `Date`. Without that
/// nobody knows how far off it is: the core has no calendar, and so the longest pause of the policy's own is made.
pub(super) fn retry_after(headers: &Headers, policy: &RetryPolicy) -> Option<Duration> {
    let text = headers.get("retry-after")?.trim();
    if let Some(until) = Timestamp::parse_http_date(text) {
        let Some(date) = headers.get("date").and_then(Timestamp::parse_http_date) else {
            return Some(policy.backoff_max.min(policy.retry_after_max));
        };
        let seconds = until.as_unix().saturating_sub(date.as_unix());
        return Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let seconds = Duration::from_secs(whole.parse().unwrap_or(u64::from(u32::MAX)));
    let millis = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(seconds.saturating_add(Duration::from_millis(millis)))
}

/// SplitMix64: the same seed, the same numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below that; 0 where there is none.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after_value: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers: Headers = [("Retry-After", retry_after_value)].into_iter().collect();
        if let Some(date) = date {
            headers.add("Date", date);
        }
        retry_after(&headers, &RetryPolicy::default())
    }

    #[test]
    fn retry_after_is_read_as_seconds_decimals_or_a_date() {
        assert_eq!(asked("3", None), Some(Duration::from_secs(3)));
        assert_eq!(asked("0.25", None), Some(Duration::from_millis(250)));
        assert_eq!(asked("1.5", None), Some(Duration::from_millis(1500)));
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:20 GMT", date), Some(Duration::ZERO));
        assert_eq!(asked("Sunday, 06-Nov-94 08:49:37 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun Nov  6 08:49:37 1994", date), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(Duration::from_secs(10)), "the longest pause");
        for junk in ["", "-1", "soon", "1.", ".5", "1e3", "1.2.3", "\u{661}"] {
            assert_eq!(asked(junk, None), None, "{junk}");
        }
        assert!(asked("99999999999999999999999", None).is_some_and(|pause| pause > Duration::from_secs(60)));
    }

    #[test]
    fn pauses_grow_up_to_their_cap_and_end() {
        let policy = RetryPolicy { attempts: 50, ..RetryPolicy::default() };
        let mut random = Random::new(1);
        let longest =
            |tries: u32, random: &mut Random| (0..500).filter_map(|_| policy.pause(tries, None, random)).max().unwrap();
        assert!((190..=200).contains(&longest(1, &mut random).as_millis()));
        assert!((780..=800).contains(&longest(3, &mut random).as_millis()));
        assert!((9_800..=10_000).contains(&longest(40, &mut random).as_millis()));
        assert_eq!(policy.pause(50, None, &mut random), None);
    }

    #[test]
    fn who_asks_for_more_patience_than_there_is_gets_no_further_try() {
        let (policy, mut random) = (RetryPolicy::default(), Random::new(1));
        let second = Duration::from_secs(1);
        assert_eq!(policy.pause(1, Some(60 * second), &mut random), Some(60 * second));
        assert_eq!(policy.pause(1, Some(61 * second), &mut random), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses() {
        let pauses = |seed| {
            let mut random = Random::new(seed);
            (1..5).map(|tries| RetryPolicy::default().pause(tries, None, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8));
    }
}
