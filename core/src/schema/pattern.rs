//! Patterns as Helm reads them, by Go's `regexp`, written as this crate's engines read them.

use serde_json::{Map, Value};

use crate::error::clip;
use crate::json::{hexadecimal, pointer_token};

/// What became of a schema's patterns.
#[derive(Default)]
pub(super) struct Translated {
    /// Where a pattern stands that Go refuses, and why.
    pub(super) refused: Vec<(String, String)>,
    /// Names in `patternProperties` as pointers have them: as they are written now, and as they were.
    renamed: Vec<(String, String)>,
}

impl Translated {
    /// A pointer into the schema as it was.
    pub(super) fn original(&self, pointer: &str) -> String {
        if self.renamed.is_empty() {
            return pointer.to_owned();
        }
        let was = |token| self.renamed.iter().find(|(new, _)| new == token).map_or(token, |(_, old)| old.as_str());
        pointer.split('/').map(was).collect::<Vec<_>>().join("/")
    }
}

/// Writes all patterns of a schema anew; one that Go refuses stays as it is.
pub(super) fn translate(schema: &mut Value) -> Translated {
    let mut translated = Translated::default();
    schema_at(schema, "", &mut translated);
    translated
}

fn schema_at(schema: &mut Value, path: &str, translated: &mut Translated) {
    let Value::Object(members) = schema else { return };
    for (name, value) in members {
        let path = format!("{path}/{}", pointer_token(name));
        match (name.as_str(), value) {
            ("pattern", Value::String(pattern)) => {
                if let Some(new) = rewritten(pattern, &path, translated) {
                    *pattern = new;
                }
            }
            ("patternProperties", Value::Object(patterns)) => {
                let mut all = Map::new();
                for (pattern, mut schema) in std::mem::take(patterns) {
                    let path = format!("{path}/{}", pointer_token(&pattern));
                    schema_at(&mut schema, &path, translated);
                    let new = rewritten(&pattern, &path, translated).unwrap_or_else(|| pattern.clone());
                    if new != pattern {
                        translated.renamed.push((pointer_token(&new), pointer_token(&pattern)));
                    }
                    all.insert(new, schema);
                }
                *patterns = all;
            }
            ("properties" | "definitions" | "$defs" | "dependentSchemas" | "dependencies", Value::Object(members)) => {
                for (name, schema) in members {
                    schema_at(schema, &format!("{path}/{}", pointer_token(name)), translated);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(items)) => {
                for (at, schema) in items.iter_mut().enumerate() {
                    schema_at(schema, &format!("{path}/{at}"), translated);
                }
            }
            (
                "not"
                | "if"
                | "then"
                | "else"
                | "items"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "contentSchema",
                schema,
            ) => schema_at(schema, &path, translated),
            _ => {}
        }
    }
}

fn rewritten(pattern: &str, path: &str, translated: &mut Translated) -> Option<String> {
    let mut reader = Reader::new(pattern);
    match reader.pattern() {
        Ok(()) => Some(reader.out).filter(|new| new != pattern),
        Err(why) => {
            let message = format!("{}: the pattern {:?} is none of Go's: {why}", clip(path), clip(pattern));
            translated.refused.push((path.to_owned(), message));
            None
        }
    }
}

/// Through a pattern, as `regexp/syntax` of Go goes through one with Perl's flags. What both engines refuse is left to
/// the engine.
struct Reader<'a> {
    rest: &'a str,
    out: String,
    /// How much is left where the last `:]` stands: behind it none is looked for.
    last_class: usize,
}

/// Go's largest count of a repetition.
const MOST_REPEATS: u32 = 1000;

impl<'a> Reader<'a> {
    fn new(pattern: &'a str) -> Reader<'a> {
        let last_class = pattern.rfind(":]").map_or(usize::MAX, |at| pattern.len() - at);
        Reader { rest: pattern, out: String::with_capacity(pattern.len()), last_class }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A character that stands for itself.
    fn literal(&mut self, literal: char) {
        if r"\.+*?()|[]{}^$#&-~".contains(literal) {
            self.out.push('\\');
        }
        self.out.push(literal);
    }

    fn pattern(&mut self) -> Result<(), String> {
        let mut is_repeated = false;
        while let Some(next) = self.next() {
            let was_repeated = std::mem::take(&mut is_repeated);
            match next {
                '*' | '+' | '?' => {
                    self.out.push(next);
                    is_repeated = true;
                }
                '{' => match self.counts()? {
                    Some(counts) => {
                        self.out += counts;
                        is_repeated = true;
                    }
                    None => self.literal('{'),
                },
                '[' => self.class()?,
                '(' => self.group()?,
                '\\' if self.take("Q") => {
                    let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                    self.rest = rest;
                    quoted.chars().for_each(|quoted| self.literal(quoted));
                }
                '\\' if self.rest.starts_with(['A', 'b', 'B', 'z']) => {
                    self.out.push('\\');
                    let next = self.next();
                    self.out.extend(next);
                }
                '\\' if self.take("C") => return Err(r"invalid escape sequence: `\C`".to_owned()),
                '\\' if self.take("s") => self.out += r"[\t\n\f\r ]",
                '\\' => self.escape()?,
                _ => self.out.push(next),
            }
            if is_repeated {
                if was_repeated {
                    return Err("one repetition stands behind another".to_owned());
                }
                if self.take("?") {
                    self.out.push('?');
                }
            }
        }
        Ok(())
    }

    /// `n}`, `n,}` or `n,m}` behind a brace, with the brace: anything else stands for itself.
    fn counts(&mut self) -> Result<Option<&'a str>, String> {
        let rest = self.rest;
        let end = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b',').count();
        let (counts, behind) = rest.split_at(end);
        let Some(behind) = behind.strip_prefix('}') else { return Ok(None) };
        let (least, most) = counts.split_once(',').map_or((counts, None), |(least, most)| (least, Some(most)));
        let is_number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
        if least.is_empty() || !is_number(least) || !most.is_none_or(is_number) {
            return Ok(None);
        }
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        let most = most.filter(|most| !most.is_empty()).map_or(number(least), number);
        if number(least).max(most) > MOST_REPEATS || most < number(least) {
            return Err(format!("invalid repeat count: `{{{}}}`", clip(counts)));
        }
        self.rest = behind;
        // A brace takes one byte, and stands before what was left.
        self.out.push('{');
        Ok(rest.get(..=counts.len()))
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if !self.take("?") {
            return Ok(());
        }
        self.out.push('?');
        if self.take("P<") || self.take("<") {
            if !self.rest.starts_with(['=', '!']) {
                self.out.push_str("P<");
                return Ok(());
            }
            return Err("there is no looking behind".to_owned());
        }
        while let Some(next) = self.next() {
            self.out.push(next);
            match next {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => return Ok(()),
                _ => return Err("no such group".to_owned()),
            }
        }
        Ok(())
    }

    /// What stands behind a backslash wherever one may.
    fn escape(&mut self) -> Result<(), String> {
        match self.next() {
            Some(kind @ ('d' | 'D' | 'w' | 'W')) => self.out.extend(['\\', kind]),
            Some('s') => self.out += r"\t\n\f\r ",
            Some('S') => self.out += r"[^\t\n\f\r ]",
            Some(kind @ ('p' | 'P')) => {
                self.out.extend(['\\', kind]);
                if self.rest.starts_with('{') {
                    let end = self.rest.find('}').map_or(self.rest.len(), |end| end + 1);
                    self.out += &self.rest[..end];
                    self.rest = &self.rest[end..];
                } else {
                    let next = self.next();
                    self.out.extend(next);
                }
            }
            Some(other) => {
                let literal = self.character(other)?;
                self.literal(literal);
            }
            None => return Err("it ends with a backslash".to_owned()),
        }
        Ok(())
    }

    /// The character that is meant by what stands behind a backslash.
    fn character(&mut self, first: char) -> Result<char, String> {
        let invalid = || Err(format!("invalid escape sequence: `\\{first}`"));
        Ok(match first {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0'..='7' if first == '0' || self.rest.starts_with(|next: char| next.is_digit(8)) => {
                let more = self.rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let mut code = first.to_digit(8).unwrap_or_default();
                for _ in 0..more {
                    code = code * 8 + self.next().and_then(|next| next.to_digit(8)).unwrap_or_default();
                }
                char::from_u32(code).unwrap_or_default()
            }
            'x' => {
                let digits = match self.take("{") {
                    true => {
                        let Some((digits, rest)) = self.rest.split_once('}') else { return invalid() };
                        self.rest = rest;
                        digits
                    }
                    false => {
                        let Some((digits, rest)) = self.rest.split_at_checked(2) else { return invalid() };
                        self.rest = rest;
                        digits
                    }
                };
                match hexadecimal(digits.as_bytes()).and_then(char::from_u32) {
                    Some(found) => found,
                    None => return invalid(),
                }
            }
            _ if first.is_ascii_punctuation() || first.is_ascii() && !first.is_ascii_alphanumeric() => first,
            _ => return invalid(),
        })
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if let Some(rest) = self.rest.strip_prefix("[:").filter(|rest| rest.len() >= self.last_class)
                && let Some((name, behind)) = rest.split_once(":]")
            {
                if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'^') {
                    return Err(format!("invalid character class range: `[:{}:]`", clip(name)));
                }
                self.out.extend(["[:", name, ":]"]);
                self.rest = behind;
                continue;
            }
            let low = match self.next() {
                None => return Err("a bracket is not closed".to_owned()),
                Some('\\') if self.rest.starts_with(['d', 'D', 's', 'S', 'w', 'W', 'p', 'P']) => {
                    self.escape()?;
                    continue;
                }
                Some('\\') => self.escaped()?,
                Some(other) => other,
            };
            self.literal(low);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.take("-");
                let high = match self.next() {
                    Some('\\') => self.escaped()?,
                    other => other.unwrap_or_default(),
                };
                if high < low {
                    return Err(format!("invalid character class range: `{low}-{high}`"));
                }
                self.out.push('-');
                self.literal(high);
            }
        }
        self.take("]");
        self.out.push(']');
        Ok(())
    }

    fn escaped(&mut self) -> Result<char, String> {
        match self.next() {
            Some(first) => self.character(first),
            None => Err("it ends with a backslash".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(pattern: &str) -> Result<String, String> {
        let mut reader = Reader::new(pattern);
        reader.pattern().map(|()| reader.out)
    }

    // What Helm 4.3.1 said of a schema with this pattern.
    #[test]
    fn what_go_reads_otherwise_is_written_out() {
        for (pattern, expected) in [
            (r"^\w+$", r"^\w+$"),
            ("[[]", r"[\[]"),
            ("a{", r"a\{"),
            ("x{,3}", r"x\{,3}"),
            ("a{,}", r"a\{,}"),
            ("a{2,3}?b{4}c{5,}", "a{2,3}?b{4}c{5,}"),
            ("[a-z&&[^b]]", r"[a-z\&\&\[\^b]]"),
            (r"\Qa.b\E", r"a\.b"),
            (r"^\s$", r"^[\t\n\f\r ]$"),
            (r"[\s\d]", r"[\t\n\f\r \d]"),
            ("[]a]", r"[\]a]"),
            ("[^]a]", r"[^\]a]"),
            ("[[:word:]-]", r"[[:word:]\-]"),
            ("[[:]", r"[\[:]"),
            ("[[:a]", r"[\[:a]"),
            (r"\<\-\_\@\/", r"<\-_@/"),
            (r"\101\07\x41\x{42}", "A\u{7}AB"),
            (r"\b{start}", r"\b\{start}"),
            ("(?i)a(?:b)(?P<n>c)(?<m>d)", "(?i)a(?:b)(?P<n>c)(?P<m>d)"),
            (r"\pL\p{Greek}", r"\pL\p{Greek}"),
            ("}]", "}]"),
        ] {
            assert_eq!(rewritten(pattern).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            r"\u0041",
            r"\u{41}",
            r"\U00000041",
            "a{1001}",
            "a{2,1}",
            "a**",
            "a{2}{3}",
            "a++",
            r"\Z",
            r"\C",
            r"\h",
            r"\é",
            r"\cA",
            r"\1",
            r"\e",
            r"[\b]",
            "(?x)a b",
            "(?R)a",
            "(?u)a",
            "(?=a)",
            "(?<=a)",
            "[a--b]",
            "[z-a]",
            "[[:x]y:]",
            "[]",
            "[",
            r"[a-\d]",
            r"a\",
            r"\x{110000}",
            r"\x4",
        ] {
            assert!(rewritten(pattern).is_err(), "{pattern}");
        }
    }
}
