//! .helmignore (Helm 4.3, `pkg/ignore`), quirks included.

use crate::error::{Code, Error, clip};

/// Which files do not belong to a chart.
///
/// ```
/// use chartoci::chart::Ignore;
/// let ignore = Ignore::parse("*.tmp\n/secret\nbuild/\n")?;
/// assert!(ignore.matches("a/b.tmp", false));
/// assert!(ignore.matches("secret", false) && !ignore.matches("a/secret", false));
/// assert!(ignore.matches("build", true) && !ignore.matches("build", false));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// Turns the rule round: what does **not** match is ignored.
    negated: bool,
    directories_only: bool,
    /// The whole path has to match, not the name alone.
    whole_path: bool,
    /// Of Go's `filepath.Match`.
    pattern: String,
}

impl Ignore {
    /// Reads the patterns; the built-in `templates/.?*` is added.
    ///
    /// # Errors
    /// [`Code::IGNORE_PATTERN`]: `**`, or a pattern that is malformed. Helm does not load the chart then.
    pub fn parse(text: &str) -> Result<Ignore, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (number, line) in text.lines().chain(["templates/.?*"]).enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            rules.push(Rule::parse(line).map_err(|why| {
                let message = format!("pattern {:?} in .helmignore: {why}", clip(line));
                Error::new(Code::IGNORE_PATTERN, message).with("line", number + 1)
            })?);
        }
        Ok(Ignore { rules })
    }

    /// How many patterns there are, the built-in one included.
    ///
    /// ```
    /// let ignore = chartoci::chart::Ignore::parse("# editors\n*.swp\n\n*.bak\n")?;
    /// assert_eq!(ignore.patterns(), 3);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    #[must_use]
    pub fn patterns(&self) -> usize {
        self.rules.len()
    }

    /// Bytes that are looked at, at least, to see whether one path is ignored.
    pub(super) fn weight(&self) -> u64 {
        self.rules.iter().map(|rule| rule.pattern.len() as u64 + 1).sum()
    }

    /// The path (below the chart's root) is ignored; a directory with all that is in it.
    pub fn matches(&self, path: &str, is_dir: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        self.rules.iter().any(|rule| rule.ignores(path, is_dir))
    }
}

impl Rule {
    /// As Helm, tries the whole line on one name: a fault that this does not meet only keeps the rule from matching, later.
    fn parse(line: &str) -> Result<Rule, &'static str> {
        if line.contains("**") {
            return Err("`**` is not supported");
        }
        if glob(line.as_bytes(), b"abc").is_err() {
            return Err("a bracket or a backslash is not complete");
        }
        let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directories_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let pattern = line.strip_prefix('/').unwrap_or(line).to_owned();
        Ok(Rule { negated, directories_only, whole_path: line.contains('/'), pattern })
    }

    fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let name = match self.whole_path {
            true => path,
            false => path.trim_end_matches('/').rsplit('/').next().unwrap_or(path),
        };
        let applies = is_dir || !self.directories_only;
        (applies && glob(self.pattern.as_bytes(), name.as_bytes()) == Ok(true)) != self.negated
    }
}

/// A pattern that is not complete, met on the way.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

/// Go's `filepath.Match` (1.27) on paths divided by `/`: what stands behind the first difference is not looked at, so a
/// malformed pattern may well give an answer.
fn glob(mut pattern: &[u8], mut name: &[u8]) -> Result<bool, Malformed> {
    while !pattern.is_empty() {
        let (after_star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if after_star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        // A star takes as few bytes as it can, and no slash; only the last chunk has to reach the end.
        let most = if after_star { name.iter().take_while(|byte| **byte != b'/').count() } else { 0 };
        let mut found = None;
        for skipped in 0..=most {
            found = strip(chunk, &name[skipped..])?.filter(|left| left.is_empty() || !pattern.is_empty());
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(left) => name = left,
            None => return Ok(false),
        }
    }
    Ok(name.is_empty())
}

/// Whether stars begin a pattern, what follows them up to the next star, and the rest.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = &pattern[stars..];
    let (mut at, mut in_class) = (0, false);
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let (chunk, rest) = pattern.split_at(at.min(pattern.len()));
    (stars > 0, chunk, rest)
}

/// What is left of a name that starts with a chunk. The chunk is read to its end whether the name fits or not.
fn strip<'a>(mut chunk: &[u8], mut name: &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
    let mut fits = true;
    while let Some((first, rest)) = chunk.split_first() {
        fits &= !name.is_empty();
        chunk = rest;
        match first {
            b'[' => {
                let (found, length) = if fits { character(name) } else { ('\0', 0) };
                name = &name[length..];
                let negated = chunk.first() == Some(&b'^');
                chunk = &chunk[usize::from(negated)..];
                let (mut inside, mut ranges) = (false, 0);
                while ranges == 0 || chunk.first() != Some(&b']') {
                    let low = in_class(&mut chunk)?;
                    let high = match chunk.strip_prefix(b"-") {
                        Some(rest) => {
                            chunk = rest;
                            in_class(&mut chunk)?
                        }
                        None => low,
                    };
                    inside |= (low..=high).contains(&found);
                    ranges += 1;
                }
                chunk = &chunk[1..];
                fits &= inside != negated;
            }
            b'?' if fits => {
                fits = name[0] != b'/';
                name = &name[character(name).1..];
            }
            b'?' => {}
            byte => {
                let literal = match byte {
                    b'\\' => chunk.split_off_first().ok_or(Malformed)?,
                    literal => literal,
                };
                if let Some((byte, left)) = name.split_first().filter(|_| fits) {
                    fits = byte == literal;
                    name = left;
                }
            }
        }
    }
    Ok(fits.then_some(name))
}

/// Takes a character of a class; something has to follow it.
fn in_class(chunk: &mut &[u8]) -> Result<char, Malformed> {
    match chunk.first() {
        None | Some(b'-' | b']') => return Err(Malformed),
        Some(b'\\') => *chunk = &chunk[1..],
        Some(_) => {}
    }
    let (found, length) = character(chunk);
    *chunk = chunk.get(length..).filter(|rest| !rest.is_empty()).ok_or(Malformed)?;
    Ok(found)
}

/// The first character and its bytes; U+FFFD and one where a star has cut a character apart.
fn character(text: &[u8]) -> (char, usize) {
    let decoded = |length| std::str::from_utf8(text.get(..length)?).ok()?.chars().next().map(|found| (found, length));
    (1..=4).find_map(decoded).unwrap_or((char::REPLACEMENT_CHARACTER, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each row is what Go 1.26's filepath.Match answered.
    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*/b", "abc/b", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Some(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
            ("ab[c]", "abc", Some(true)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[^c]", "abc", Some(false)),
            ("ab[^e-g]", "abc", Some(true)),
            ("a\\*b", "a*b", Some(true)),
            ("a?b", "a☺b", Some(true)),
            ("a[^a]b", "a☺b", Some(true)),
            ("a???b", "a☺b", Some(false)),
            ("a?b", "a/b", Some(false)),
            ("a[/]b", "a/b", Some(true)),
            ("[\\]a]", "]", Some(true)),
            ("[\\-x]", "-", Some(true)),
            ("[x\\-]", "z", Some(false)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[a-b-c]", "a", None),
            ("[", "a", None),
            ("[^", "a", None),
            ("a[", "x", None),
            ("a\\", "a", None),
            ("*x", "xxx", Some(true)),
            ("", "", Some(true)),
            ("", "a", Some(false)),
            ("x*[", "abc", Some(false)),
            ("x*[", "xbc", None),
            ("*[^]", "a", None),
            ("docs\\/", "docs/", Some(true)),
            ("*[^é]", "é", Some(true)),
            ("*?", "", Some(false)),
            ("[[]", "[", Some(true)),
            ("[*]*b", "*ab", Some(true)),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()).ok(), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn rules_are_those_of_helm() {
        for (rule, path, is_dir, expected) in [
            ("a.txt", "a.txt", false, true),
            ("a.txt", "x/a.txt", false, true),
            ("/a.txt", "x/a.txt", false, false),
            ("x/a.txt", "x/a.txt", false, true),
            ("x/a.txt", "y/x/a.txt", false, false),
            ("cargo/", "cargo", true, true),
            ("cargo/", "cargo", false, false),
            ("cargo/", "a/cargo", true, true),
            ("# cargo", "cargo", false, false),
            ("  a.txt \r", "a.txt", false, true),
            ("\\#a", "#a", false, true),
            ("!a.txt", "a.txt", false, false),
            ("!a.txt", "Chart.yaml", false, true),
            ("!a/", "a", false, true),
            ("", "templates/.hidden", false, true),
            ("", "templates/.x/y", false, false),
            ("", "templates/.", false, false),
            ("*", ".", true, false),
            ("docs\\/", "docs", true, false),
            ("!x*[", "xa", false, true),
        ] {
            assert_eq!(Ignore::parse(rule).unwrap().matches(path, is_dir), expected, "{rule} {path}");
        }
    }

    #[test]
    fn a_double_star_and_a_malformed_pattern_are_refused_with_their_line() {
        for text in ["a\n**/b", "a\n[", "\u{feff}a\n[]b]"] {
            let error = Ignore::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::IGNORE_PATTERN);
            assert_eq!(error.context(), [("line", "2".to_owned())]);
        }
    }
}
