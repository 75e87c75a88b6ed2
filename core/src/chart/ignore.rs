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
    pattern: Pattern,
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
    #[must_use]
    pub fn patterns(&self) -> usize {
        self.rules.len()
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
    fn parse(line: &str) -> Result<Rule, &'static str> {
        if line.contains("**") {
            return Err("`**` is not supported");
        }
        let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directories_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let pattern = Pattern::parse(line.strip_prefix('/').unwrap_or(line))?;
        Ok(Rule { negated, directories_only, whole_path: line.contains('/'), pattern })
    }

    fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let name = match self.whole_path {
            true => path,
            false => path.trim_end_matches('/').rsplit('/').next().unwrap_or(path),
        };
        let applies = is_dir || !self.directories_only;
        (applies && self.pattern.matches(name)) != self.negated
    }
}

/// A pattern of Go's `filepath.Match`, on paths divided by `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(Vec<Chunk>);

/// Characters that follow each other, perhaps after a `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chunk {
    after_star: bool,
    characters: Vec<Character>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Character {
    Literal(char),
    /// `?`: any but `/`.
    Any,
    /// `[…]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, &'static str> {
        const MALFORMED: &str = "a bracket or a backslash is not complete";
        let mut chunks = Vec::new();
        let mut chunk = Chunk::default();
        let mut rest = text.chars().peekable();
        let escaped = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| match rest.next() {
            Some('\\') => rest.next().ok_or(MALFORMED),
            Some('-' | ']') | None => Err(MALFORMED),
            Some(character) => Ok(character),
        };
        while let Some(character) = rest.next() {
            chunk.characters.push(match character {
                '*' => {
                    chunks.push(std::mem::replace(&mut chunk, Chunk { after_star: true, characters: Vec::new() }));
                    continue;
                }
                '?' => Character::Any,
                '\\' => Character::Literal(rest.next().ok_or(MALFORMED)?),
                '[' => {
                    let negated = rest.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                        let low = escaped(&mut rest)?;
                        let high = if rest.next_if_eq(&'-').is_some() { escaped(&mut rest)? } else { low };
                        ranges.push((low, high));
                    }
                    Character::Class { negated, ranges }
                }
                literal => Character::Literal(literal),
            });
        }
        chunks.push(chunk);
        Ok(Pattern(chunks))
    }

    fn matches(&self, mut name: &str) -> bool {
        let last = self.0.len().saturating_sub(1);
        'chunks: for (at, chunk) in self.0.iter().enumerate() {
            if at == last && chunk.after_star && chunk.characters.is_empty() {
                return !name.contains('/');
            }
            // A star takes as little as it can; only the last chunk has to reach the end.
            let skipped = name.char_indices().map(|(at, character)| (at + character.len_utf8(), character));
            let starts =
                std::iter::once(0).chain(skipped.take_while(|(_, skipped)| *skipped != '/').map(|(end, _)| end));
            for start in starts.take(if chunk.after_star { usize::MAX } else { 1 }) {
                if let Some(rest) = chunk.strip(&name[start..])
                    && (rest.is_empty() || at < last)
                {
                    name = rest;
                    continue 'chunks;
                }
            }
            return false;
        }
        name.is_empty()
    }
}

impl Chunk {
    /// What is left of a name that starts with this.
    fn strip<'a>(&self, name: &'a str) -> Option<&'a str> {
        let mut rest = name.chars();
        for character in &self.characters {
            let found = rest.next()?;
            let fits = match character {
                Character::Literal(literal) => *literal == found,
                Character::Any => found != '/',
                Character::Class { negated, ranges } => {
                    ranges.iter().any(|(low, high)| (low..=high).contains(&&found)) != *negated
                }
            };
            if !fits {
                return None;
            }
        }
        Some(rest.as_str())
    }
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
        ] {
            let answer = Pattern::parse(pattern).ok().map(|parsed| parsed.matches(name));
            assert_eq!(answer, expected, "{pattern} {name}");
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
