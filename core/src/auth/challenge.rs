//! Challenges: the value of `WWW-Authenticate` (RFC 9110, 11.6.1).

/// One challenge.
///
/// ```
/// use chartoci::auth::challenge::parse;
/// let challenges = parse(["BEARER Realm=\"https://auth.example/t\", service=reg, Basic realm=\"a \\\"b\\\"\""]);
/// assert_eq!(challenges.len(), 2);
/// assert!(challenges[0].is("bearer"));
/// assert_eq!(challenges[0].parameter("realm"), Some("https://auth.example/t"));
/// assert_eq!(challenges[0].parameter("service"), Some("reg"));
/// assert_eq!(challenges[1].parameter("realm"), Some("a \"b\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case.
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// It is of that scheme (given in lower case).
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme == scheme
    }

    /// The first parameter of that name (given in lower case).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads all challenges of all fields. What cannot be understood ends the field it is in, never the reading of others.
///
/// ```
/// use chartoci::auth::challenge::{Challenge, parse};
/// let fields = ["Negotiate, Basic realm=\"reg\"", "Bearer realm=\"https://auth.example/\""];
/// let challenges: Vec<Challenge> = parse(fields);
/// assert_eq!(challenges.iter().filter(|challenge| challenge.parameter("realm").is_some()).count(), 2);
/// ```
pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for value in values {
        let mut cursor = Cursor(value);
        while cursor.challenge(&mut challenges).is_some() {}
    }
    challenges
}

struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// Reads one challenge with its parameters; `None` at the end, or where nothing can be understood any more.
    fn challenge(&mut self, challenges: &mut Vec<Challenge>) -> Option<()> {
        self.separators();
        let scheme = self.token()?.to_ascii_lowercase();
        let blank = self.0.starts_with([' ', '\t']);
        self.blanks();
        let mut challenge = Challenge { scheme, parameters: Vec::new() };
        if blank && !self.parameter_follows() {
            // A token68, as Negotiate has it, is no business of ours; but a new scheme's name may stand here as well.
            let after = self.0.trim_start_matches(|c: char| is_token(c) || c == '/' || c == '=');
            if after.is_empty() || after.starts_with(',') {
                self.0 = after;
            }
        }
        while self.parameter_follows() {
            let name = self.token()?.to_ascii_lowercase();
            self.blanks();
            self.0 = self.0.strip_prefix('=')?;
            self.blanks();
            let value = if self.0.starts_with('"') { self.quoted() } else { self.bare() };
            challenge.parameters.push((name, value));
            self.separators();
        }
        challenges.push(challenge);
        Some(())
    }

    /// `name =` comes next, and not the name of another scheme.
    fn parameter_follows(&self) -> bool {
        let mut ahead = Cursor(self.0);
        ahead.token().is_some() && {
            ahead.blanks();
            ahead.0.starts_with('=')
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let (token, rest) = self.0.split_at(self.0.find(|c| !is_token(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A bare value: some servers leave the quotes out around URLs and lists of scopes.
    fn bare(&mut self) -> String {
        let (value, rest) = self.0.split_at(self.0.find([',', ' ', '\t', '"']).unwrap_or(self.0.len()));
        self.0 = rest;
        value.to_owned()
    }

    fn quoted(&mut self) -> String {
        let mut value = String::new();
        let mut characters = self.0.chars();
        characters.next();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => value.extend(characters.next()),
                _ => value.push(character),
            }
        }
        self.0 = characters.as_str();
        value
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn separators(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', ',']);
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let challenges = parse([value]);
        let each = challenges.iter().map(|challenge| {
            let parameters = challenge.parameters.iter().map(|(name, value)| format!(" {name}=<{value}>"));
            format!("{}{}", challenge.scheme, parameters.collect::<String>())
        });
        each.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn challenges_are_read_as_servers_write_them() {
        for (value, expected) in [
            ("Basic realm=\"x\"", "basic realm=<x>"),
            ("BASIC realm=\"Sonatype Nexus\"", "basic realm=<Sonatype Nexus>"),
            (
                "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a:pull repository:b:pull,push\"",
                "bearer realm=<https://a/t> service=<s> scope=<repository:a:pull repository:b:pull,push>",
            ),
            ("bearer realm=https://host/path?x=1&y=2", "bearer realm=<https://host/path?x=1&y=2>"),
            ("Bearer realm = \"x\" , service = y", "bearer realm=<x> service=<y>"),
            ("Bearer realm=\"a\\\"b\\\\c\"", "bearer realm=<a\"b\\c>"),
            ("Negotiate, Basic realm=\"x\"", "negotiate; basic realm=<x>"),
            ("Negotiate YWJj/+==, Basic realm=\"x\"", "negotiate; basic realm=<x>"),
            ("Basic", "basic"),
            ("Bearer realm=\"x\", Basic realm=\"y\"", "bearer realm=<x>; basic realm=<y>"),
            ("Bearer realm=\"x\" service=\"y\"", "bearer realm=<x> service=<y>"),
            ("Bearer realm=\"x", "bearer realm=<x>"),
            ("Bearer realm=\"\"", "bearer realm=<>"),
            (",, Basic realm=x,,", "basic realm=<x>"),
            ("", ""),
            ("=", ""),
            ("\u{fc}", ""),
        ] {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    #[test]
    fn every_field_counts() {
        let challenges = parse(["Basic realm=\"x\"", "\u{1}", "Bearer realm=\"y\""]);
        assert!(challenges[0].is("basic") && challenges[1].is("bearer") && challenges.len() == 2);
    }
}
