//! Constraints: `^1.2 || ~3`, with Masterminds' meaning.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::Version;
use super::version::read;
use crate::error::{Code, Error, clip};

/// The longest constraint, in bytes (Masterminds/semver 3.5, `MaxConstraintLen`).
const LENGTH: usize = 512;
/// The most alternatives (Masterminds/semver 3.5, `MaxConstraintGroups`).
const GROUPS: usize = 32;

/// Which versions are wanted.
///
/// `||` divides alternatives; within one, conditions are divided by blanks or commas, and all must hold. Operators are `=`
/// (or none), `!=`, `>`, `<`, `>=`, `<=`, `~` and `^`; `a - b` means `>= a, <= b`; a part of a version may be missing or `x`,
/// `X` or `*`.
///
/// ```
/// use chartoci::{Constraint, Version};
/// let constraint = Constraint::parse(">=1.2 <2 || ~3.1")?;
/// assert!(constraint.matches(&Version::parse("1.9.0")?));
/// assert!(!constraint.matches(&Version::parse("1.9.0-rc.1")?), "no condition names a pre-release");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Constraint {
    text: String,
    groups: Vec<Group>,
}

/// Conditions that must all hold.
#[derive(Clone, Debug)]
struct Group {
    conditions: Vec<Condition>,
    /// One of them carries a pre-release: then, and only then, pre-releases can match.
    prerelease: bool,
}

#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    /// What is not known is 0.
    version: semver::Version,
    /// Numbers before the first that is missing or a wildcard.
    known: u8,
}

/// Where the versions begin or end that a condition takes.
struct Bound {
    version: semver::Version,
    is_taken: bool,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Two letters before one: the first that fits is the operator.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads a constraint as Masterminds/semver 3.5 does: at most 512 bytes and 32 alternatives.
    ///
    /// # Errors
    /// [`Code::VERSION_CONSTRAINT`](crate::Code::VERSION_CONSTRAINT).
    pub fn parse(text: &str) -> Result<Constraint, Error> {
        let refused = |why: &str| {
            Error::new(Code::VERSION_CONSTRAINT, format!("{:?} is no version constraint: {why}", clip(text)))
                .with("constraint", clip(text))
        };
        if text.len() > LENGTH {
            return Err(refused("it has more than 512 characters"));
        }
        let expanded = expand_ranges(text);
        if expanded.split("||").count() > GROUPS {
            return Err(refused("it has more than 32 alternatives"));
        }
        let groups = expanded.split("||").map(Group::parse).collect::<Result<_, _>>().map_err(refused)?;
        Ok(Constraint { text: text.to_owned(), groups })
    }

    /// The version satisfies it. A pre-release can do so only by an alternative that names a pre-release itself.
    pub fn matches(&self, version: &Version) -> bool {
        self.admits(version, false)
    }

    /// As [`Constraint::matches`], and with `prerelease` a pre-release can satisfy every alternative.
    ///
    /// ```
    /// use chartoci::{Constraint, Version};
    /// let (constraint, candidate) = (Constraint::parse("^1.2")?, Version::parse("1.3.0-rc.1")?);
    /// assert!(!constraint.matches(&candidate) && constraint.admits(&candidate, true));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn admits(&self, version: &Version, prerelease: bool) -> bool {
        let version = version.parsed();
        self.groups.iter().any(|group| {
            (version.pre.is_empty() || prerelease || group.prerelease)
                && group.conditions.iter().all(|condition| condition.holds(version))
        })
    }

    /// The highest of those that satisfy it; of equal ones the first.
    ///
    /// ```
    /// use chartoci::{Constraint, Version};
    /// let constraint = Constraint::parse("~1.2 || ^3")?;
    /// let versions = ["1.2.9", "2.0.0", "1.2.10", "4.0.0"].map(|text| Version::parse(text).unwrap());
    /// assert_eq!(constraint.pick(&versions).map(Version::as_str), Some("1.2.10"));
    /// assert_eq!(constraint.as_str(), "~1.2 || ^3");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn pick<'a>(&self, versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
        versions.into_iter().filter(|version| self.matches(version)).reduce(|best, next| match next > best {
            true => next,
            false => best,
        })
    }

    /// In every alternative two bounds cross, so that no version at all satisfies it. What else may shut all versions out,
    /// such as `!=`, is not looked at.
    pub(crate) fn is_void(&self) -> bool {
        self.groups.iter().all(|group| {
            let highest: Vec<Bound> = group.conditions.iter().filter_map(Condition::highest).collect();
            let lowest = group.conditions.iter().filter_map(Condition::lowest);
            { lowest }.any(|low| highest.iter().any(|high| low.lies_above(high)))
        })
    }

    /// The text that was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Constraint) -> bool {
        self.text == other.text
    }
}

impl Eq for Constraint {}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Constraint, Error> {
        Constraint::parse(text)
    }
}

impl Group {
    fn parse(text: &str) -> Result<Group, &'static str> {
        let mut rest = skip_blanks(text);
        if rest.is_empty() {
            return Err("an alternative is empty");
        }
        let mut conditions = Vec::new();
        loop {
            let (condition, after) = Condition::parse(rest)?;
            conditions.push(condition);
            rest = skip_blanks(after);
            if rest.is_empty() {
                let prerelease = conditions.iter().any(|condition| !condition.version.pre.is_empty());
                return Ok(Group { conditions, prerelease });
            }
            rest = match rest.strip_prefix(',') {
                Some(next) => skip_blanks(next),
                None if rest.len() < after.len() => rest,
                None => return Err("a blank or a comma is wanted between conditions"),
            };
        }
    }
}

impl Condition {
    /// Reads one, and gives back what follows it.
    fn parse(text: &str) -> Result<(Condition, &str), &'static str> {
        let (operator, rest) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest)))
            .unwrap_or((Operator::Equal, text));
        let rest = skip_blanks(rest);
        let length = version_length(rest)
            .ok_or("a version is wanted, with one of the operators = != > < >= <= ~ ^ before it")?;
        let (version, after) = rest.split_at(length);
        let numbers = version.strip_prefix('v').unwrap_or(version);
        let end = numbers.find(['-', '+']).unwrap_or(numbers.len());
        let (numbers, extra) = numbers.split_at(end);
        let mut parts: Vec<&str> = numbers.split('.').take_while(|part| !matches!(*part, "x" | "X" | "*")).collect();
        let known = parts.len() as u8;
        parts.resize(3, "0");
        let prerelease = extra.split('+').next().unwrap_or_default();
        // Build metadata plays no part in comparisons, and must be right all the same where no number is left open.
        let version = if known == 3 { read(version) } else { read(&format!("{}{prerelease}", parts.join("."))) }?;
        Ok((Condition { operator, version, known }, after))
    }

    fn holds(&self, version: &semver::Version) -> bool {
        let wanted = &self.version;
        let order = version.cmp_precedence(wanted);
        let major = version.major.cmp(&wanted.major);
        let minor = version.minor.cmp(&wanted.minor);
        match (self.operator, self.known) {
            (Operator::Equal, 3) => order == Ordering::Equal,
            (Operator::Equal | Operator::Tilde, _) => {
                let anything = (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0) && matches!(self.known, 0 | 3);
                order != Ordering::Less
                    && (anything || major == Ordering::Equal && (self.known == 1 || minor == Ordering::Equal))
            }
            (Operator::NotEqual, 1) => major != Ordering::Equal,
            (Operator::NotEqual, 2) => {
                major.then(minor) != Ordering::Equal || version.pre.cmp(&wanted.pre) != Ordering::Equal
            }
            (Operator::NotEqual, _) => order != Ordering::Equal,
            (Operator::Greater, 1) => major == Ordering::Greater,
            (Operator::Greater, 2) => major.then(minor) == Ordering::Greater,
            (Operator::Greater, _) => order == Ordering::Greater,
            (Operator::Less, _) => order == Ordering::Less,
            (Operator::GreaterOrEqual, _) => order != Ordering::Less,
            (Operator::LessOrEqual, 3) => order != Ordering::Greater,
            (Operator::LessOrEqual, 1) => major != Ordering::Greater,
            (Operator::LessOrEqual, _) => major.then(minor) != Ordering::Greater,
            (Operator::Caret, _) => {
                order != Ordering::Less
                    && major == Ordering::Equal
                    && (wanted.major > 0
                        || self.known == 1
                        || minor == Ordering::Equal
                            && (wanted.minor > 0 || self.known == 2 || version.patch == wanted.patch))
            }
        }
    }
}

impl Condition {
    /// No version below this holds, as [`Condition::holds`] has it.
    fn lowest(&self) -> Option<Bound> {
        let here = |is_taken| Some(Bound { version: self.version.clone(), is_taken });
        match (self.operator, self.known) {
            (Operator::NotEqual | Operator::Less | Operator::LessOrEqual, _) => None,
            (Operator::Greater, known @ (1 | 2)) => self.next(known).map(|bound| Bound { is_taken: true, ..bound }),
            (Operator::Greater, _) => here(false),
            _ => here(true),
        }
    }

    /// No version above this holds.
    fn highest(&self) -> Option<Bound> {
        let here = |is_taken| Some(Bound { version: self.version.clone(), is_taken });
        let wanted = &self.version;
        match (self.operator, self.known) {
            (Operator::NotEqual | Operator::Greater | Operator::GreaterOrEqual, _) => None,
            (Operator::Less, _) => here(false),
            (Operator::Equal | Operator::LessOrEqual, 3) => here(true),
            (Operator::LessOrEqual, 1) => self.next(1),
            (Operator::LessOrEqual, _) => self.next(2),
            (Operator::Equal | Operator::Tilde, known) => match (wanted.major, wanted.minor, wanted.patch) {
                (0, 0, 0) if matches!(known, 0 | 3) => None,
                _ if known == 1 => self.next(1),
                _ => self.next(2),
            },
            (Operator::Caret, known) if wanted.major > 0 || known == 1 => self.next(1),
            (Operator::Caret, known) if wanted.minor > 0 || known == 2 => self.next(2),
            (Operator::Caret, _) => self.next(3),
        }
    }

    /// The first version, pre-releases included, in which one of so many numbers is greater; it is not taken.
    fn next(&self, numbers: u8) -> Option<Bound> {
        let (major, minor, patch) = (self.version.major, self.version.minor, self.version.patch);
        let mut version = match numbers {
            1 => semver::Version::new(major.checked_add(1)?, 0, 0),
            2 => semver::Version::new(major, minor.checked_add(1)?, 0),
            _ => semver::Version::new(major, minor, patch.checked_add(1)?),
        };
        version.pre = semver::Prerelease::new("0").ok()?;
        Some(Bound { version, is_taken: false })
    }
}

impl Bound {
    fn lies_above(&self, highest: &Bound) -> bool {
        match self.version.cmp_precedence(&highest.version) {
            Ordering::Greater => true,
            Ordering::Equal => !(self.is_taken && highest.is_taken),
            Ordering::Less => false,
        }
    }
}

/// The blanks that Go's `\s` knows.
fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}'])
}

/// How many bytes at the start of the text look like a version, wildcards included. Masterminds takes `|` for a part of a
/// number here (and refuses it later); that shows where a range stands right before `||`.
fn version_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let run = |from: usize, fits: fn(u8) -> bool| bytes.iter().skip(from).take_while(|b| fits(**b)).count();
    let number = |from: usize| run(from, |b| b.is_ascii_digit() || b"xX*|".contains(&b));
    let word = |from: usize| run(from, |b| b.is_ascii_alphanumeric() || b == b'-');
    let mut end = usize::from(bytes.first() == Some(&b'v'));
    end += match number(end) {
        0 => return None,
        length => length,
    };
    for _ in 0..2 {
        if bytes.get(end) == Some(&b'.') && number(end + 1) > 0 {
            end += 1 + number(end + 1);
        }
    }
    for sign in [b'-', b'+'] {
        if bytes.get(end) == Some(&sign) && word(end + 1) > 0 {
            end += 1 + word(end + 1);
            while bytes.get(end) == Some(&b'.') && word(end + 1) > 0 {
                end += 1 + word(end + 1);
            }
        }
    }
    Some(end)
}

/// Rewrites `a - b` as `>= a, <= b `, wherever it stands.
fn expand_ranges(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        match range(rest) {
            Some((low, high, after)) => {
                out.push_str(&format!(">= {low}, <= {high} "));
                rest = after;
            }
            None => {
                let first = rest.chars().next().map_or(rest.len(), char::len_utf8);
                out.push_str(&rest[..first]);
                rest = &rest[first..];
            }
        }
    }
    out
}

/// The two ends of a range at the start of the text, and what follows it; blanks around it belong to it.
fn range(text: &str) -> Option<(&str, &str, &str)> {
    let text = skip_blanks(text);
    let (low, after) = text.split_at(version_length(text)?);
    let after = skip_blanks(after).strip_prefix('-').filter(|_| skip_blanks(after).len() < after.len())?;
    let high = skip_blanks(after);
    let (high, rest) = high.split_at(version_length(high).filter(|_| high.len() < after.len())?);
    Some((low, high, skip_blanks(rest)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matching(constraint: &str, versions: &[&str]) -> Vec<String> {
        let constraint = Constraint::parse(constraint).unwrap();
        versions
            .iter()
            .filter(|text| constraint.matches(&Version::parse(text).unwrap()))
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_missing_part_widens_what_an_operator_means() {
        let versions = ["0.0.0", "0.0.9", "0.9.0", "1.0.0", "1.1.0", "1.1.1", "1.2.0", "2.0.0"];
        for (constraint, expected) in [
            ("1", &["1.0.0", "1.1.0", "1.1.1", "1.2.0"][..]),
            (">1.1", &["1.2.0", "2.0.0"]),
            ("<=1.1", &["0.0.0", "0.0.9", "0.9.0", "1.0.0", "1.1.0", "1.1.1"]),
            ("!=1", &["0.0.0", "0.0.9", "0.9.0", "2.0.0"]),
            ("<1.1", &["0.0.0", "0.0.9", "0.9.0", "1.0.0"]),
            ("^0", &["0.0.0", "0.0.9", "0.9.0"]),
            ("^0.0", &["0.0.0", "0.0.9"]),
            ("~1.1.1", &["1.1.1"]),
        ] {
            assert_eq!(matching(constraint, &versions), expected, "{constraint}");
        }
    }

    #[test]
    fn a_pre_release_matches_only_an_alternative_that_names_one() {
        assert_eq!(matching(">=1.0.0-0", &["1.1.0-a"]), ["1.1.0-a"]);
        assert!(matching(">=1.0.0", &["1.1.0-a"]).is_empty());
        assert!(matching(">=1.0.0 || <0.1.0-0", &["1.1.0-a"]).is_empty());
        assert!(Constraint::parse(">=1").unwrap().admits(&Version::parse("1.1.0-a").unwrap(), true));
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for text in
            ["", " ", "||", "^1 ||", "==1", "abc", ">=abc", "1,", ",1", "1,,2", "1.2.3.4", "1.2.3-01", "1x", "> =1"]
        {
            assert_eq!(Constraint::parse(text).unwrap_err().code(), Code::VERSION_CONSTRAINT, "{text:?}");
        }
        assert!(Constraint::parse(&"1".repeat(513)).is_err());
        assert!(Constraint::parse(&vec!["1"; 33].join("||")).is_err());
        assert!(Constraint::parse(&vec!["1"; 32].join("||")).is_ok());
    }

    #[test]
    fn the_highest_is_picked() {
        let versions: Vec<Version> =
            ["1.0.0", "1.2.0+b2", "1.2.0+b1", "2.0.0"].iter().map(|text| Version::parse(text).unwrap()).collect();
        let picked = Constraint::parse("^1").unwrap().pick(&versions).map(Version::as_str);
        assert_eq!(picked, Some("1.2.0+b2"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9vxX*|.,<>=!~^+ a-]{0,24}|\\PC{0,16}") {
            if let Ok(constraint) = Constraint::parse(&text) {
                prop_assert_eq!(constraint.to_string(), text);
                let _ = constraint.matches(&Version::parse("1.2.3-a").unwrap());
            }
        }
    }

    #[test]
    fn crossing_bounds_leave_no_version() {
        for text in
            [">=2 <1", ">2, <2.5.1", "<1.2 ^1.3", "1.x 2.x", "~1.2 >1.2", "=1.0.0 =1.0.1", ">1 <1 || >3 <2", "2 - 1"]
        {
            assert!(Constraint::parse(text).unwrap().is_void(), "{text}");
        }
        for text in [">=1 <2", ">=2 <1 || 3", "*", "^0 <1", ">1.2 <=1.3", "!=1", "<=1 >=1.9"] {
            assert!(!Constraint::parse(text).unwrap().is_void(), "{text}");
        }
    }

    #[test]
    fn what_no_version_is_said_to_satisfy_none_satisfies() {
        let (numbers, suffixes) = (["0", "1", "2"], ["", "-0", "-a"]);
        let mut versions = Vec::new();
        for (major, minor, patch) in (0..27).map(|at| (at / 9, at / 3 % 3, at % 3)) {
            for suffix in suffixes {
                versions.push(format!("{}.{}.{}{suffix}", numbers[major], numbers[minor], numbers[patch]));
            }
        }
        let wholes: Vec<Version> = versions.iter().map(|text| Version::parse(text).unwrap()).collect();
        let texts = versions.iter().map(String::as_str).step_by(9);
        let texts: Vec<&str> = texts.chain(["*", "0", "1", "2", "0.0", "0.1", "1.0", "1.2", "2.x-a"]).collect();
        let signs = ["=", "!=", ">", "<", ">=", "<=", "~", "^"];
        let all = || signs.iter().flat_map(|sign| texts.iter().map(move |text| format!("{sign}{text}")));
        for one in all() {
            for other in all() {
                let text = format!("{one} {other}");
                let constraint = Constraint::parse(&text).unwrap();
                if constraint.is_void() {
                    let found = wholes.iter().find(|version| constraint.admits(version, true));
                    assert!(found.is_none(), "{text} takes {}", found.unwrap());
                }
            }
        }
    }
}
