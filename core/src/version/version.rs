//! A version, read as loosely as Helm does.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use semver::{BuildMetadata, Prerelease};

use crate::error::{Code, Error, clip};

/// The longest version, in bytes (Masterminds/semver 3.5, `MaxVersionLen`).
const LENGTH: usize = 256;

/// A semantic version: `v1.2` is read as 1.2.0, its text is kept. Ordered by precedence, then build metadata; the text
/// plays no part in comparisons.
///
/// ```
/// use chartoci::Version;
/// let version = Version::parse("v1.2-rc.1")?;
/// assert_eq!((version.major(), version.minor(), version.patch(), version.prerelease()), (1, 2, 0, "rc.1"));
/// assert_eq!(version.to_string(), "v1.2-rc.1");
/// assert!(version < Version::parse("1.2.0")?);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parsed: semver::Version,
}

impl Version {
    /// Reads as Helm reads Chart.yaml's version: optional `v`, one to three numbers, leading zeros (Masterminds/semver 3.5,
    /// `NewVersion`). At most 256 bytes.
    ///
    /// # Errors
    /// [`Code::VERSION_SYNTAX`](crate::Code::VERSION_SYNTAX).
    pub fn parse(text: &str) -> Result<Version, Error> {
        let parsed = read(text).map_err(|why| refused(text, why))?;
        Ok(Version { text: text.to_owned(), parsed })
    }

    /// As [`Version::parse_strict`], without a word about what is none.
    pub(super) fn strict(text: String) -> Option<Version> {
        let parsed = semver::Version::parse(&text).ok().filter(|_| text.len() <= LENGTH)?;
        Some(Version { text, parsed })
    }

    /// Reads as Helm reads tags: exactly three numbers, no `v`, no leading zeros (Masterminds/semver 3.5,
    /// `StrictNewVersion`; semver.org 2.0.0). At most 256 bytes.
    ///
    /// ```
    /// use chartoci::Version;
    /// assert!(Version::parse("v1.2").is_ok() && Version::parse_strict("v1.2").is_err());
    /// assert!(Version::parse_strict("1.2.0")?.is_strict() && !Version::parse("01.2.0")?.is_strict());
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::VERSION_SYNTAX`](crate::Code::VERSION_SYNTAX).
    pub fn parse_strict(text: &str) -> Result<Version, Error> {
        let version = Version::parse(text)?;
        match version.is_strict() {
            true => Ok(version),
            false => Err(refused(text, "three numbers without leading zeros are wanted, and no v before them")),
        }
    }

    /// The text is a version by the letter of semver.org 2.0.0, as [`Version::parse_strict`] wants it.
    pub fn is_strict(&self) -> bool {
        semver::Version::parse(&self.text).is_ok()
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.parsed.major
    }

    /// The second number, 0 if absent.
    pub fn minor(&self) -> u64 {
        self.parsed.minor
    }

    /// The third number, 0 if absent.
    pub fn patch(&self) -> u64 {
        self.parsed.patch
    }

    /// What follows `-`; empty if nothing does.
    pub fn prerelease(&self) -> &str {
        self.parsed.pre.as_str()
    }

    /// What follows `+`; empty if nothing does.
    pub fn build(&self) -> &str {
        self.parsed.build.as_str()
    }

    /// The text that was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The tag: `+` turned into `_`.
    ///
    /// ```
    /// use chartoci::Version;
    /// let version = Version::parse("1.2.0+b1.arm64")?;
    /// assert_eq!((version.build(), version.as_str()), ("b1.arm64", "1.2.0+b1.arm64"));
    /// assert_eq!(version.tag(), "1.2.0_b1.arm64");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn tag(&self) -> String {
        super::tag::from_version(&self.text)
    }

    /// The parts, for comparisons by precedence alone.
    pub(super) fn parsed(&self) -> &semver::Version {
        &self.parsed
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Version, Error> {
        Version::parse(text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.parsed == other.parsed
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.parsed.cmp(&other.parsed)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parsed.hash(state);
    }
}

fn refused(text: &str, why: &str) -> Error {
    Error::new(Code::VERSION_SYNTAX, format!("{:?} is no version: {why}", clip(text))).with("version", clip(text))
}

/// The parts of a loose version, or why there are none.
pub(super) fn read(text: &str) -> Result<semver::Version, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LENGTH {
        return Err("it has more than 256 characters");
    }
    // Most need no mending.
    if let Ok(version) = semver::Version::parse(text) {
        return Ok(version);
    }
    let (rest, build) = match text.split_once('+') {
        Some((rest, build)) if !build.is_empty() => (rest, build),
        Some(_) => return Err("nothing follows the +"),
        None => (text, ""),
    };
    let (numbers, pre) = match rest.split_once('-') {
        Some((numbers, pre)) if !pre.is_empty() => (numbers, pre),
        Some(_) => return Err("nothing follows the -"),
        None => (rest, ""),
    };
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let mut parts = [0; 3];
    for (index, digits) in numbers.split('.').enumerate() {
        let part = parts.get_mut(index).ok_or("it has more than three numbers")?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err("its parts before - and + are not all numbers");
        }
        *part = digits.parse().map_err(|_| "one of its numbers does not fit into 64 bits")?;
    }
    let [major, minor, patch] = parts;
    let pre = Prerelease::new(pre).map_err(
        |_| "a pre-release has parts of letters, digits and -, divided by dots; its numbers have no leading zeros",
    )?;
    let build =
        BuildMetadata::new(build).map_err(|_| "build metadata has parts of letters, digits and -, divided by dots")?;
    Ok(semver::Version { major, minor, patch, pre, build })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loose(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn what_is_missing_counts_as_zero_and_the_text_is_kept() {
        let version = loose("v01.2+b_".trim_end_matches('_'));
        assert_eq!((version.major(), version.minor(), version.patch()), (1, 2, 0));
        assert_eq!((version.build(), version.as_str(), version.tag()), ("b", "v01.2+b", "v01.2_b".to_owned()));
        assert!(!version.is_strict());
    }

    #[test]
    fn what_is_no_version_is_refused_with_its_reason() {
        for text in [
            "",
            "v",
            "V1.2.3",
            "1.2.3.4",
            "1..3",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3+a+b",
            " 1.2.3",
            "1.2.3\n",
            "1.2.x",
            "-1",
            "1.2.3-é",
            "18446744073709551616.0.0",
            "latest",
        ] {
            assert_eq!(Version::parse(text).unwrap_err().code(), Code::VERSION_SYNTAX, "{text:?}");
        }
        assert!(Version::parse(&format!("1.2.3-{}", "a".repeat(250))).is_ok());
        assert!(Version::parse(&format!("1.2.3-{}", "a".repeat(251))).is_err());
    }

    #[test]
    fn a_strict_version_has_three_numbers_and_nothing_to_mend() {
        for text in ["1.2.3", "0.0.0-a.1.-", "1.2.3+001", "18446744073709551615.0.0"] {
            assert!(Version::parse_strict(text).is_ok(), "{text}");
        }
        for text in ["1", "1.2", "v1.2.3", "01.2.3", "1.2.3-01"] {
            assert_eq!(Version::parse_strict(text).unwrap_err().code(), Code::VERSION_SYNTAX, "{text}");
        }
    }

    // semver.org 2.0.0, item 11, and build metadata after it.
    #[test]
    fn order_is_precedence_then_build_metadata() {
        let ascending = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.0+b1",
            "1.0.0+b2",
            "v1.0.1",
            "1.10",
        ];
        for pair in ascending.windows(2) {
            assert!(loose(pair[0]) < loose(pair[1]), "{pair:?}");
        }
        assert_eq!(loose("v1.2"), loose("01.2.0"));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            numbers in "v?[0-9]{1,4}(\\.[0-9]{1,4}){0,2}",
            pre in "(-[a-z-][0-9a-zA-Z-]{0,3}(\\.(0|[1-9][0-9]{0,2}))?)?",
            build in "(\\+[0-9a-zA-Z-]{1,4}(\\.[0-9]{1,3})?)?",
        ) {
            let text = format!("{numbers}{pre}{build}");
            let version = Version::parse(&text).unwrap();
            prop_assert_eq!(version.to_string(), text);
            let canonical = version.parsed().to_string();
            prop_assert_eq!(Version::parse_strict(&canonical).unwrap(), version);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9v.+x -]{0,12}|\\PC{0,12}") {
            let _ = (Version::parse(&text), Version::parse_strict(&text));
        }
    }
}
