//! What a scalar means: the rules of go-yaml v2, which are YAML 1.1 with exceptions.

use std::borrow::Cow;

use base64::Engine;

use super::node::Data;
use crate::decimal::{self, plain, shortest, shortest_single};
use crate::error::clip;

/// A tag, as far as it changes the meaning of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    None,
    /// `!`, which makes any scalar a text.
    NonSpecific,
    Null,
    Bool,
    Int,
    Float,
    Text,
    Timestamp,
    Binary,
    Merge,
    /// Local tags and the like: the scalar is a text.
    Other,
}

impl Tag {
    /// A tag by the two halves of its full name.
    pub(super) fn of(prefix: &str, suffix: &str) -> Tag {
        // The longest that means something; a text may have ever so long a prefix, and use it for each of its values.
        if prefix.len().saturating_add(suffix.len()) > "tag:yaml.org,2002:timestamp".len() {
            return Tag::Other;
        }
        let full = [prefix, suffix].concat();
        let Some(name) = full.strip_prefix("tag:yaml.org,2002:") else {
            return if full == "!" { Tag::NonSpecific } else { Tag::Other };
        };
        match name {
            "null" => Tag::Null,
            "bool" => Tag::Bool,
            "int" => Tag::Int,
            "float" => Tag::Float,
            "str" => Tag::Text,
            "timestamp" => Tag::Timestamp,
            "binary" => Tag::Binary,
            "merge" => Tag::Merge,
            _ => Tag::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Tag::Null => "null",
            Tag::Bool => "a boolean",
            Tag::Int => "a whole number",
            Tag::Float => "a number",
            Tag::Timestamp => "a time",
            Tag::Binary => "base64",
            Tag::None | Tag::NonSpecific | Tag::Text | Tag::Merge | Tag::Other => "a text",
        }
    }
}

/// The value of a scalar; an error says why the tag does not fit it.
pub(super) fn resolve(text: Cow<'_, str>, plain: bool, tag: Tag) -> Result<Data, String> {
    let misfit = || Err(format!("{:?} is tagged as {} but is not", clip(&text), tag.name()));
    match tag {
        Tag::None if plain => Ok(plain_value(&text).unwrap_or_else(|| Data::String(text.into_owned()))),
        Tag::None | Tag::NonSpecific | Tag::Text | Tag::Merge | Tag::Other => Ok(Data::String(text.into_owned())),
        Tag::Binary => match binary(&text) {
            Some(decoded) => Ok(Data::String(decoded)),
            None => misfit(),
        },
        Tag::Timestamp if is_timestamp(&text) => Ok(Data::String(text.into_owned())),
        Tag::Null | Tag::Bool | Tag::Int | Tag::Float | Tag::Timestamp => match (tag, plain_value(&text)) {
            (Tag::Null, Some(Data::Null)) => Ok(Data::Null),
            (Tag::Bool, Some(value @ Data::Bool(_))) => Ok(value),
            (Tag::Int, Some(value @ (Data::Int(_) | Data::Uint(_)))) => Ok(value),
            (Tag::Float, Some(value @ Data::Float(_))) => Ok(value),
            (Tag::Float, Some(Data::Int(value))) => Ok(Data::Float(value as f64)),
            _ => misfit(),
        },
    }
}

/// What an unquoted scalar is, if it is no text. Times are texts.
pub(super) fn plain_value(text: &str) -> Option<Data> {
    match text.as_bytes().first() {
        None => Some(Data::Null),
        Some(b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => word(text),
        Some(b'.') => dotted_word(text).or_else(|| fraction(text)),
        Some(b'+' | b'-' | b'0'..=b'9') => dotted_word(text).or_else(|| number(text)),
        _ => None,
    }
}

fn word(text: &str) -> Option<Data> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Data::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Data::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(Data::Bool(false)),
        _ => None,
    }
}

fn dotted_word(text: &str) -> Option<Data> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Data::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Data::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Data::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// A number that begins with a point: underscores may stand between two digits only.
fn fraction(text: &str) -> Option<Data> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let underscores = || text.match_indices('_').map(|(at, _)| at);
    let apart = underscores().all(|at| digit(at.checked_sub(1)) && digit(at.checked_add(1)));
    if apart { yaml_float(&text.replace('_', "")) } else { None }
}

fn number(text: &str) -> Option<Data> {
    let digits = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    whole(&digits).or_else(|| yaml_float(&digits)).or_else(|| signed_binary(&digits))
}

/// A whole number as Go's strconv reads it with base 0: `0x`, `0o`, `0b`, and `0` for octal.
fn whole(text: &str) -> Option<Data> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None; // a second sign
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(magnitude).map(Data::Int);
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some(Data::Int(value)),
        Err(_) if text.starts_with('+') => None, // unsigned numbers have no sign
        Err(_) => Some(Data::Uint(magnitude)),
    }
}

/// `0b-1`: the sign may stand behind the prefix.
fn signed_binary(text: &str) -> Option<Data> {
    i64::from_str_radix(text.strip_prefix("0b")?, 2).ok().map(Data::Int)
}

/// A number with a point or an exponent; one that is too large is a text.
fn yaml_float(text: &str) -> Option<Data> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((before, after)) => all_digits(before) && all_digits(after),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    Some(decimal::parse(text)).filter(|value| value.is_finite()).map(Data::Float)
}

/// The bytes of standard base64, line breaks aside; what is not UTF-8 becomes U+FFFD, one for each byte.
fn binary(text: &str) -> Option<String> {
    let packed: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(decoded)
}

/// A date, or a date and a time, in one of the forms that go-yaml takes for `!!timestamp`.
pub(super) fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    if year.len() != 4 || !year.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let Some((month, rest)) = rest.split_once('-') else { return false };
    let day_length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (day, clock) = rest.split_at(day_length);
    let (Some(year), Some(month), Some(day)) = (in_range(year, 9999), in_range(month, 12), in_range(day, 31)) else {
        return false;
    };
    if month == 0 || day == 0 || day > days_of(year, month) {
        return false;
    }
    match clock.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => is_clock(&clock[1..], true),
        Some(b' ') => is_clock(clock.trim_start_matches(' '), false),
        Some(_) => false,
    }
}

/// `15:4:5.9`, and a zone (`Z`, `+01:00`) behind it if `zoned`.
fn is_clock(text: &str, zoned: bool) -> bool {
    let (clock, zone) = match (zoned, text.find(['Z', '+', '-'])) {
        (true, Some(at)) => text.split_at(at),
        (true, None) => return false,
        (false, _) => (text, ""),
    };
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let (second, fraction) = match second.find(['.', ',']) {
        Some(at) => (&second[..at], Some(&second[at + 1..])),
        None => (second, None),
    };
    let fraction_fits = fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|d| d.is_ascii_digit()));
    let zone_fits = match zone.as_bytes() {
        [] | [b'Z'] => true,
        [_, hours @ .., b':', _, _] if hours.len() == 2 => {
            in_range(&zone[1..3], 24).is_some() && in_range(&zone[4..6], 60).is_some()
        }
        _ => false,
    };
    let in_day = |text, most| in_range(text, most).is_some();
    in_day(hour, 23) && in_day(minute, 59) && in_day(second, 59) && fraction_fits && zone_fits
}

/// One or two digits (four for a year), not above `most`.
fn in_range(digits: &str, most: u16) -> Option<u16> {
    let longest = if most == 9999 { 4 } else { 2 };
    let fits = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|number| fits && *number <= most)
}

fn days_of(year: u16, month: u16) -> u16 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How many digits tell a number from its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Of 32 bits: what sigs.k8s.io/yaml does where a text is wanted.
    Single,
    /// Of 64 bits.
    Double,
}

/// A number as Go's `strconv` writes it with format `g` and the fewest digits: `1.5`, `1e+06`, `+Inf`, `NaN`.
pub(crate) fn float_text(value: f64, precision: Precision) -> String {
    let single = value as f32;
    let (scientific, infinite) = match precision {
        _ if value.is_nan() => return "NaN".to_owned(),
        Precision::Single => (shortest_single(single), single.is_infinite()),
        Precision::Double => (shortest(value), value.is_infinite()),
    };
    if infinite {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain(&scientific);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected texts: what Go 1.26's strconv.FormatFloat prints with format g and precision -1.
    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        for (value, single, double) in [
            (0.0, "0", "0"),
            (1.10, "1.1", "1.1"),
            (100_000.0, "100000", "100000"),
            (1_000_000.0, "1e+06", "1e+06"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05"),
            (1_234_567.891, "1.2345679e+06", "1.234567891e+06"),
            (2_097_152.25, "2.0971522e+06", "2.09715225e+06"),
            (1e39, "+Inf", "1e+39"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
            (f64::NAN, "NaN", "NaN"),
        ] {
            assert_eq!(float_text(value, Precision::Single), single);
            assert_eq!(float_text(value, Precision::Double), double);
        }
    }

    #[test]
    fn times_are_those_of_go_yaml() {
        for text in
            ["2001-1-1", "2000-02-29", "2001-01-01T1:2:3Z", "2001-01-01t00:00:00.5+24:60", "2001-01-01   1:2:3.5"]
        {
            assert!(is_timestamp(text), "{text}");
        }
        for text in
            ["2001-02-29", "201-01-01", "2001-1-1T1:2:3", "2001-1-1 1:2:3Z", "2001-1-1T24:0:0Z", "2001-1-1x", "-1-1"]
        {
            assert!(!is_timestamp(text), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_become_one_replacement_character_each() {
        assert_eq!(
            resolve("/8Pi\n".into(), true, Tag::Binary),
            Ok(Data::String("\u{fffd}\u{fffd}\u{fffd}".to_owned()))
        );
        assert!(resolve("a".into(), false, Tag::Binary).is_err());
    }
}
