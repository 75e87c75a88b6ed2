//! Numbers of floating point and their decimal texts, exactly, in both directions.
//!
//! The standard library does it faster, by tables; here they would be a tenth of the wasm module, and a chart has a handful
//! of such numbers. Integers of any length do the same work in a page.

use std::cmp::Ordering;

/// The number closest to a decimal text; of two that are equally close the even one (IEEE 754). The text is `1`, `-1.5`,
/// `+.5e-3`: what else it holds is the caller's concern. Infinite where it is too large.
pub(crate) fn parse(text: &str) -> f64 {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(end);
    let mut power = whole(exponent.get(1..).unwrap_or_default());
    let mut digits: Vec<u8> = Vec::new();
    let (mut fraction, mut is_more) = (false, false);
    for byte in mantissa {
        match byte {
            b'.' => fraction = true,
            b'0' if digits.is_empty() => power -= i64::from(fraction),
            _ if digits.len() < MOST_DIGITS => {
                digits.push(byte - b'0');
                power -= i64::from(fraction);
            }
            _ => {
                is_more |= *byte != b'0';
                power += i64::from(!fraction);
            }
        }
    }
    if is_more {
        digits.push(1);
        power -= 1;
    }
    let size = magnitude(&digits, power);
    if negative { -size } else { size }
}

/// No number halfway between two others has more digits: what follows decides only whether it is above.
const MOST_DIGITS: usize = 800;

/// A whole number with a sign, clipped to what can make a difference.
fn whole(text: &[u8]) -> i64 {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let most = 1_i64 << 40;
    sign * digits.iter().fold(0, |value: i64, digit| (value * 10 + i64::from(digit.wrapping_sub(b'0'))).min(most))
}

/// The number closest to `digits` × 10^`power`.
fn magnitude(digits: &[u8], power: i64) -> f64 {
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    // Above 10^309 all is infinite, below 10^-325 all is zero.
    if digits.is_empty() || length + power < -325 {
        return 0.0;
    }
    if length + power > 310 {
        return f64::INFINITY;
    }
    let tens = usize::try_from(power.unsigned_abs()).unwrap_or(0);
    if digits.len() <= 15 && tens <= 22 {
        // Both are exact, so what is made of them is rounded once.
        let value = digits.iter().fold(0.0, |value, digit| value * 10.0 + f64::from(*digit));
        let scale = (0..tens).fold(1.0, |scale, _| scale * 10.0);
        return if power < 0 { value / scale } else { value * scale };
    }
    let (mut above, mut below) = (Natural::of(0), Natural::of(1));
    for digit in digits {
        above.scale(10, u32::from(*digit));
    }
    for _ in 0..tens {
        if power < 0 { &mut below } else { &mut above }.scale(10, 0);
    }
    // above / below lies from 2^exponent up to twice that.
    let mut exponent = above.bits() - below.bits();
    if exponent < 0 {
        above.shift(exponent.unsigned_abs())
    } else {
        below.shift(exponent.unsigned_abs())
    }
    if above.compare(&below) == Ordering::Less {
        above.shift(1);
        exponent -= 1;
    }
    match exponent {
        1024.. => return f64::INFINITY,
        ..-1075 => return 0.0,
        _ => {}
    }
    // Close to zero there are fewer bits.
    let mut mantissa = 0_u64;
    for _ in 0..(exponent + 1075).min(53) {
        let fits = above.compare(&below) != Ordering::Less;
        if fits {
            above.subtract(&below);
        }
        above.shift(1);
        mantissa = mantissa << 1 | u64::from(fits);
    }
    mantissa += match above.compare(&below) {
        Ordering::Less => 0,
        Ordering::Equal => mantissa & 1,
        Ordering::Greater => 1,
    };
    // The mantissa's first bit is not written, it is added to the exponent; so is a carry.
    let normal = u64::try_from(exponent + 1022).unwrap_or(0);
    f64::from_bits((normal << 52) + mantissa)
}

/// The fewest digits that tell a number of 64 bits from its neighbours, in the form `1.5e-3`: of several such numbers the
/// closest, and the even one of two that are equally close. (Go, `strconv`.)
pub(crate) fn shortest(value: f64) -> String {
    let bits = value.to_bits();
    digits(value.is_sign_negative(), bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32, 52, 1023)
}

/// The same of 32 bits.
pub(crate) fn shortest_single(value: f32) -> String {
    let bits = value.to_bits();
    digits(value.is_sign_negative(), u64::from(bits & ((1 << 23) - 1)), (bits >> 23 & 0xff) as i32, 23, 127)
}

/// Burger and Dybvig, "Printing Floating-Point Numbers Quickly and Accurately": the digits of `rest / unit`, until what is
/// left is nearer than half the way to the neighbour below or above.
fn digits(negative: bool, fraction: u64, biased: i32, width: i32, bias: i32) -> String {
    let mut text = if negative { "-".to_owned() } else { String::new() };
    if fraction == 0 && biased == 0 {
        return text + "0e0";
    }
    let mantissa = if biased == 0 { fraction } else { fraction | 1 << width };
    let exponent = biased.max(1) - bias - width;
    // The neighbour below a power of two is half as far away.
    let uneven = fraction == 0 && biased > 1;
    let includes_ends = mantissa & 1 == 0;
    let (mut rest, mut unit) = (Natural::of(mantissa), Natural::of(1));
    let (mut below, mut above) = (Natural::of(1), Natural::of(1));
    rest.shift(1 + u32::from(uneven));
    unit.shift(1 + u32::from(uneven));
    above.shift(u32::from(uneven));
    if exponent < 0 {
        unit.shift(exponent.unsigned_abs());
    } else {
        for number in [&mut rest, &mut below, &mut above] {
            number.shift(exponent.unsigned_abs());
        }
    }
    // The power of ten, or one less than that.
    let log2 = exponent + 63 - mantissa.leading_zeros() as i32;
    let mut power = (f64::from(log2) * std::f64::consts::LOG10_2 - 1e-10).ceil() as i32;
    for _ in 0..power.unsigned_abs() {
        if power > 0 {
            unit.scale(10, 0);
            continue;
        }
        for number in [&mut rest, &mut below, &mut above] {
            number.scale(10, 0);
        }
    }
    let reaches = |rest: &Natural, above: &Natural, unit: &Natural| {
        let mut sum = rest.clone();
        sum.add(above);
        let order = sum.compare(unit);
        order == Ordering::Greater || (includes_ends && order == Ordering::Equal)
    };
    if reaches(&rest, &above, &unit) {
        unit.scale(10, 0);
        power += 1;
    }
    let mut count = 0;
    loop {
        for number in [&mut rest, &mut below, &mut above] {
            number.scale(10, 0);
        }
        let mut digit = 0;
        while rest.compare(&unit) != Ordering::Less {
            rest.subtract(&unit);
            digit += 1;
        }
        let order = rest.compare(&below);
        let is_low = order == Ordering::Less || (includes_ends && order == Ordering::Equal);
        let is_high = reaches(&rest, &above, &unit);
        if is_high {
            let mut twice = rest.clone();
            twice.shift(1);
            let half = twice.compare(&unit);
            digit += u8::from(!is_low || half == Ordering::Greater || (half == Ordering::Equal && digit % 2 == 1));
        }
        if count == 1 {
            text.push('.');
        }
        text.push(char::from(b'0' + digit));
        count += 1;
        if is_low || is_high {
            return format!("{text}e{}", power - 1);
        }
    }
}

/// `1.5e-3` without its exponent: `0.0015`.
pub(crate) fn plain(scientific: &str) -> String {
    let (sign, unsigned) = if let Some(rest) = scientific.strip_prefix('-') { ("-", rest) } else { ("", scientific) };
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let Ok(whole) = usize::try_from(exponent + 1) else {
        return format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    };
    match digits.split_at_checked(whole) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some(("", fraction)) => format!("{sign}0.{fraction}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// A text is what [`plain`] makes of the number that it was read as.
pub(crate) fn is_plain(text: &str, value: f64) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return false;
    }
    match unsigned.split_once('.') {
        // No two of these with up to 15 digits are the same number, so none has to be written to know.
        Some((whole, fraction)) if unsigned.len() <= 16 => {
            let is_whole = whole == "0" || !whole.is_empty() && !whole.starts_with('0');
            is_whole && !fraction.is_empty() && !fraction.ends_with('0')
        }
        _ => text == plain(&shortest(value)),
    }
}

/// A whole number from 0 on, of any length: its digits in base 2^32, the lowest first, none that is zero at the end.
#[derive(Clone)]
struct Natural(Vec<u32>);

impl Natural {
    fn of(value: u64) -> Natural {
        let mut number = Natural(vec![value as u32, (value >> 32) as u32]);
        number.trim();
        number
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// The number's length in bits.
    fn bits(&self) -> i32 {
        self.0.last().map_or(0, |last| self.0.len() as i32 * 32 - last.leading_zeros() as i32)
    }

    /// self × factor + more
    fn scale(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// self × 2^bits
    fn shift(&mut self, bits: u32) {
        self.scale(1 << (bits % 32), 0);
        if !self.0.is_empty() {
            self.0.splice(0..0, (0..bits / 32).map(|_| 0));
        }
    }

    fn add(&mut self, other: &Natural) {
        let mut carry = 0;
        self.0.resize(self.0.len().max(other.0.len()) + 1, 0);
        for (at, digit) in self.0.iter_mut().enumerate() {
            carry += u64::from(*digit) + u64::from(other.0.get(at).copied().unwrap_or(0));
            *digit = carry as u32;
            carry >>= 32;
        }
        self.trim();
    }

    /// self − other, which is not larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        for (at, digit) in self.0.iter_mut().enumerate() {
            let (less, first) = digit.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            (*digit, borrow) = (less, first || second);
        }
        self.trim();
    }

    fn compare(&self, other: &Natural) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[allow(clippy::excessive_precision, reason = "the digit that decides the rounding")]
    fn of_two_texts_that_are_equally_close_the_even_one_is_written_as_go_does() {
        assert_eq!(shortest(862_833_728_999_156.25), "8.628337289991562e14");
        assert_eq!(shortest_single(2_097_152.25), "2.0971522e6");
    }

    #[test]
    fn the_ends_of_the_range_are_exact() {
        for text in [
            "0",
            "0e5",
            ".0",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2e-324",
            "1e-400",
            "1e400",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "9007199254740993",
            "9007199254740992.999999999999999999999999999",
            "9007199254740993.0000000000000000000000000001",
            "1e99999999999999999999",
            "1e-99999999999999999999",
        ] {
            assert_eq!(parse(text).to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        // Halfway between two numbers but for a digit that stands far behind.
        let halfway = format!("9007199254740993.{}1", "0".repeat(2000));
        assert_eq!(parse(&halfway), 9_007_199_254_740_994.0);
        let zeros = "0".repeat(2000);
        assert_eq!((parse(&format!("1{zeros}e-2000")), parse(&format!("0.{zeros}1e2001"))), (1.0, 1.0));
    }

    proptest! {
        #[test]
        fn a_text_is_plain_that_would_be_written_so(
            text in "-?[0-9]{1,3}([.][0-9]{0,4})?|[0-9.e]{1,4}|0?[0-9]{7}[.][0-9]{5,12}",
        ) {
            if let Ok(value) = text.parse::<f64>() {
                prop_assert_eq!(is_plain(&text, value), text == plain(&shortest(value)));
            }
        }

        // The standard library is right about both; it only rounds up where two texts are equally close.
        #[test]
        fn every_number_is_written_as_short_as_can_be_and_read_back(bits: u64, few in 0_u32..64) {
            let value = f64::from_bits(bits >> few << few);
            if value.is_finite() {
                let text = shortest(value);
                prop_assert_eq!(text.len(), format!("{value:e}").len());
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
                prop_assert_eq!(parse(&text).to_bits(), value.to_bits());
                prop_assert_eq!(plain(&text).parse::<f64>().unwrap().to_bits(), value.to_bits());
            }
            let value = f32::from_bits((bits >> few) as u32);
            if value.is_finite() {
                let text = shortest_single(value);
                prop_assert_eq!(text.len(), format!("{value:e}").len());
                prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), value.to_bits());
            }
        }

        #[test]
        fn every_text_is_read_as_the_standard_library_reads_it(text in "[-+]?[0-9]{1,30}(\\.[0-9]{0,30})?([eE][-+]?[0-9]{1,3})?") {
            prop_assert_eq!(parse(&text).to_bits(), text.parse::<f64>().unwrap().to_bits());
        }
    }
}
