//! Instants, durations and dates. The core never reads a clock: the host says what time it is.

pub use std::time::Duration;

/// Milliseconds on the host's monotonic clock; the zero is the host's choice.
///
/// ```
/// use chartoci::time::{Duration, Instant};
/// assert_eq!(Instant::from_millis(5) + Duration::from_secs(1), Instant::from_millis(1005));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// That many milliseconds after the host's zero.
    pub fn from_millis(millis: u64) -> Instant {
        Instant(millis)
    }

    /// Milliseconds since the host's zero.
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not.
    ///
    /// ```
    /// use chartoci::time::{Duration, Instant};
    /// let (sooner, later) = (Instant::from_millis(5), Instant::from_millis(1_005));
    /// assert_eq!(later.saturating_since(sooner), Duration::from_secs(1));
    /// assert_eq!(sooner.saturating_since(later), Duration::ZERO);
    /// assert_eq!(later.as_millis(), 1_005);
    /// ```
    pub fn saturating_since(self, earlier: Instant) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// A moment of the civil calendar, in seconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use chartoci::time::Timestamp;
/// assert_eq!(Timestamp::from_unix(1_750_000_000).to_rfc3339(), "2025-06-15T15:06:40Z");
/// assert_eq!(Timestamp::parse_rfc3339("2025-06-15T17:06:40+02:00"), Some(Timestamp::from_unix(1_750_000_000)));
/// assert_eq!(Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Timestamp::from_unix(784_111_777)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// That many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Timestamp {
        Timestamp(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// use chartoci::time::Timestamp;
    /// assert_eq!(Timestamp::parse_rfc3339("2000-02-29T00:00:00Z").map(Timestamp::as_unix), Some(951_782_400));
    /// ```
    pub fn as_unix(self) -> i64 {
        self.0
    }

    /// As the annotation `org.opencontainers.image.created` has it: seconds, UTC.
    pub fn to_rfc3339(self) -> String {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// Reads RFC 3339; a fraction of a second is dropped.
    pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        let (date, rest) = (bytes.get(..10)?, bytes.get(10..)?);
        let (separator, rest) = rest.split_first()?;
        let (time, rest) = (rest.get(..8)?, rest.get(8..)?);
        let fixed = [date[4], date[7], *separator | 0x20, time[2], time[5]];
        if fixed != [b'-', b'-', b't', b':', b':'] {
            return None;
        }
        let fraction = match rest.split_first() {
            Some((b'.', digits)) => {
                let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
                if count == 0 {
                    return None;
                }
                1 + count
            }
            _ => 0,
        };
        let offset = match rest.get(fraction..)? {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 5 && zone[2] == b':' => {
                let (hours, minutes) = (digits(&zone[..2], 23)?, digits(&zone[3..], 59)?);
                (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let day = days_from_civil(digits(&date[..4], 9999)?, digits(&date[5..7], 12)?, digits(&date[8..], 31)?)?;
        let clock = clock(time)?;
        Some(Timestamp(day * 86_400 + clock - offset))
    }

    /// Reads an HTTP date in any of its three forms (RFC 9110, 5.6.7). A year of two digits is one from 1970 to 2069.
    ///
    /// ```
    /// use chartoci::time::Timestamp;
    /// for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
    ///     assert_eq!(Timestamp::parse_http_date(text), Some(Timestamp::from_unix(784_111_777)));
    /// }
    /// ```
    pub fn parse_http_date(text: &str) -> Option<Timestamp> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let mut parts = [""; 6];
        for (index, part) in text.split([' ', '-']).filter(|part| !part.is_empty()).enumerate() {
            *parts.get_mut(index)? = part;
        }
        // A comma after the day of the week tells the forms apart.
        let (day, name, year, time, zone) = match parts {
            [weekday, day, month, year, time, zone] if weekday.ends_with(',') => (day, month, year, time, zone),
            [_, month, day, time, year, ""] => (day, month, year, time, "GMT"),
            _ => return None,
        };
        let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
        let year = match (year.len(), digits(year.as_bytes(), 9999)?) {
            (2, year) => year + if year < 70 { 2000 } else { 1900 },
            (4, year) => year,
            _ => return None,
        };
        if time.len() != 8 || zone != "GMT" {
            return None;
        }
        let days = days_from_civil(year, month, digits(day.as_bytes(), 31)?)?;
        Some(Timestamp(days * 86_400 + clock(time.as_bytes())?))
    }
}

fn clock(time: &[u8]) -> Option<i64> {
    if time[2] != b':' || time[5] != b':' {
        return None;
    }
    Some(digits(&time[..2], 23)? * 3600 + digits(&time[3..5], 59)? * 60 + digits(&time[6..], 60)?)
}

fn digits(text: &[u8], most: i64) -> Option<i64> {
    if text.is_empty() || text.len() > 4 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = text.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    (value <= most).then_some(value)
}

/// Proleptic Gregorian calendar; eras of 400 years that begin on 1 March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if month == 0 || day == 0 {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_over_four_centuries() {
        for days in -146_097..146_097 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in ["2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01 00:00:00", ""]
        {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }
}
