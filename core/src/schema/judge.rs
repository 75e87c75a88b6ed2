//! Judging by `boon`.

use boon::{CompileError, Compiler, Draft, ErrorKind, Format, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

use super::{MOST_OF_REPORT, Violation, pattern, work};
use crate::diagnostic::{Diagnostic, Report};
use crate::error::{Code, Error, clip};
use crate::http::net_url::{Parsed, has_scheme, parse};
use crate::json;
use crate::limits::Limits;
use crate::version::Version;

/// Judges JSON values by a JSON Schema. The violations are in the order of the values; those behind the first hundred
/// are dropped.
///
/// ```
/// let schema = br#"{"properties": {"replicas": {"type": "integer"}}}"#;
/// let violations = chartoci::schema::validate(schema, br#"{"replicas": "two"}"#, &chartoci::Limits::default())?;
/// assert_eq!(violations[0].pointer, "/replicas");
/// assert_eq!(violations[0].message, "want integer, but got string");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// [`Code::JSON_SYNTAX`] and [`Code::LIMIT_DOCUMENT`]; [`Code::SCHEMA_INVALID`], with a `pointer` into the schema where
/// one is known, and all that is wrong with the schema in its report; [`Code::SCHEMA_REMOTE`]; [`Code::LIMIT_SCHEMA`].
pub fn validate(schema: &[u8], values: &[u8], limits: &Limits) -> Result<Vec<Violation>, Error> {
    validate_within(schema, values, limits, &mut MOST_OF_REPORT.clone())
}

/// As [`validate`]; `left` is the work that may still be done, of which it takes its own.
pub(crate) fn validate_within(
    schema: &[u8],
    values: &[u8],
    limits: &Limits,
    left: &mut f64,
) -> Result<Vec<Violation>, Error> {
    let text = schema;
    let original = json::parse_lenient(text, limits.document)?.value;
    let values = json::parse(values, u64::MAX)?.value;
    let before = *left;
    work::check(&original, &values, left)?;
    // It is tried as often as that is no more work than the report may take.
    let rounds = (MOST_OF_REPORT / (before - *left).max(1.0)) as usize;
    let mut schema = original.clone();
    let translated = pattern::translate(&mut schema);
    if !translated.refused.is_empty() {
        return Err(refused(text, rounds, None));
    }
    let mut schemas = Schemas::new();
    let index = compiled(schema, &mut schemas).map_err(|error| refused(text, rounds, Some(error)))?;
    let mut violations = Vec::new();
    if let Err(error) = schemas.validate(&values, index) {
        leaves(&error, &values, &mut |mut violation| {
            violation.rule = translated.original(&violation.rule);
            // As it is written, not as it was translated.
            let written = original.pointer(&violation.rule).and_then(|part| part.get("pattern")?.as_str());
            if let Some(((got, _), written)) = violation.message.rsplit_once(PATTERN).zip(written) {
                violation.message = format!("{got}{PATTERN}'{}'", clip(written));
            }
            if violation.message.len() > LONGEST {
                violation.message = clip(&violation.message);
            }
            violations.push(violation);
        });
    }
    violations.dedup();
    Ok(violations)
}

/// As Helm calls the schema; relative references are relative to this.
const PLACE: &str = "file:///values.schema.json";
/// Stands before a pattern in `boon`'s message.
const PATTERN: &str = " does not match pattern ";
/// More violations help nobody.
const MOST: usize = 100;
/// Longer messages are cut, and what has a longer pointer is said of the whole: nobody reads them.
const LONGEST: usize = 4096;
/// How often a schema is tried without what was found in it; one of more bytes once.
const MOST_ROUNDS: usize = 20;
const BIG: usize = 1 << 20;
/// Values that are looked at to find where names stand.
const MOST_STEPS: usize = 100_000;

/// What is not in the schema itself is not there.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        // Helm takes anything where a URN stands.
        if url.starts_with("urn:") { Ok(Value::Bool(true)) } else { Err(format!("{url} is not fetched").into()) }
    }
}

fn compiled(schema: Value, schemas: &mut Schemas) -> Result<SchemaIndex, Box<CompileError>> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nothing));
    FORMATS.into_iter().for_each(|format| compiler.register_format(format));
    compiler.add_resource(PLACE, schema)?;
    Ok(compiler.compile(PLACE, schemas)?)
}

/// Those that Helm's validator does not know, and those that it knows as others: a version as Semantic Versioning has it,
/// URLs as Go does.
const FORMATS: [Format; 8] = [
    Format { name: "idn-email", func: |_| Ok(()) },
    Format { name: "idn-hostname", func: |_| Ok(()) },
    Format { name: "semver", func: |value| fits(value, |text| Version::parse_strict(text).is_ok()) },
    Format { name: "uri", func: |value| fits(value, |text| has_scheme(text) && url(text).is_some()) },
    Format { name: "iri", func: |value| fits(value, |text| has_scheme(text) && url(text).is_some()) },
    Format { name: "uri-reference", func: |value| fits(value, |text| !text.contains('\\') && url(text).is_some()) },
    Format { name: "iri-reference", func: |value| fits(value, |text| !text.contains('\\') && url(text).is_some()) },
    Format {
        name: "uri-template",
        func: |value| fits(value, |text| url(text).is_some_and(|url| is_template(url.path))),
    },
];

/// Only texts can be wrong.
fn fits(value: &Value, is_good: fn(&str) -> bool) -> Result<(), Box<dyn std::error::Error>> {
    match value.as_str().map(is_good) {
        Some(false) => Err("Helm takes it for none".into()),
        _ => Ok(()),
    }
}

/// What Go takes for a URL. An IPv6 address stands in brackets, and without a zone.
fn url(text: &str) -> Option<Parsed<'_>> {
    parse(text).ok().filter(|url| match url.host.starts_with('[') {
        true => !url.host.contains('%'),
        false => url.host.matches(':').count() < 2,
    })
}

/// In each step of a path, every brace that opens is closed before the next.
fn is_template(path: &str) -> bool {
    path.split('/').all(|step| {
        let mut braces = step.matches(['{', '}']);
        std::iter::from_fn(|| braces.next().map(|open| (open, braces.next()))).all(|pair| pair == ("{", Some("}")))
    })
}

/// All that is wrong with a schema, `error` if its patterns are not: what is found is taken out of it, to see what else
/// there is.
fn refused(text: &[u8], rounds: usize, mut error: Option<Box<CompileError>>) -> Error {
    let mut schema = json::parse_lenient(text, u64::MAX).map(|parsed| parsed.value).unwrap_or_default();
    let mut report = Report::new();
    let mut found = pattern::translate(&mut schema).refused;
    let mut known = 0;
    for _ in 0..if text.len() > BIG { 1 } else { rounds.clamp(1, MOST_ROUNDS) } {
        match error.as_ref().map(|error| mistakes(error, &schema)) {
            Some(Ok(mistakes)) => found.extend(mistakes),
            Some(Err(error)) if found.is_empty() => return error,
            Some(Err(_)) => break,
            None => {}
        }
        let mut is_new = false;
        for at in known..found.len() {
            let (pointer, message) = &found[at];
            if report.iter().count() < MOST && !found[..at].contains(&found[at]) {
                is_new = true;
                let span = Some(text).filter(|text| !pointer.is_empty() && text.len() <= BIG);
                let span = span.and_then(|text| json::span(text, pointer));
                report.push(Diagnostic::new(Code::SCHEMA_INVALID, "values.schema.json", message).at(pointer, span));
                take_out(&mut schema, pointer);
            }
        }
        known = found.len();
        match compiled(schema.clone(), &mut Schemas::new()) {
            Err(next) if is_new => error = Some(next),
            _ => break,
        }
    }
    let report = report.sorted();
    let (pointer, message) =
        report.iter().next().map(|one| (one.pointer.clone(), one.message.clone())).unwrap_or_default();
    Error::new(Code::SCHEMA_INVALID, message).with("pointer", pointer).with_report(report)
}

/// Takes out the member that a pointer leads to, or that holds the item that it leads to.
fn take_out(schema: &mut Value, pointer: &str) {
    let mut pointer = pointer;
    while let Some((parent, name)) = pointer.rsplit_once('/') {
        if let Some(Value::Object(members)) = schema.pointer_mut(parent) {
            members.remove(&name.replace("~1", "/").replace("~0", "~"));
            return;
        }
        pointer = parent;
    }
}

/// Where the first `$ref` stands that names this place of the document.
fn reference_to(value: &Value, target: &str, pointer: &str) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::String(text) if name.ends_with("$ref") || name == "$dynamicRef" => {
                (text.strip_prefix('#') == Some(target)).then(|| format!("{pointer}/{name}"))
            }
            _ => reference_to(value, target, &format!("{pointer}/{}", json::pointer_token(name))),
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| reference_to(item, target, &format!("{pointer}/{at}")))
        }
        _ => None,
    }
}

/// What is wrong with a schema, as far as one try shows: where, and how it is said; or another error than that.
fn mistakes(error: &CompileError, schema: &Value) -> Result<Vec<(String, String)>, Error> {
    let fragment = |url: &str| url.split_once('#').map(|(_, pointer)| pointer.to_owned()).unwrap_or_default();
    let said = |pointer: String, message: &str| {
        // A parser of patterns draws what it means over several lines.
        let message = message.rsplit_once("\nerror: ").map_or(message, |(_, why)| why);
        let place = if pointer.is_empty() { "the schema" } else { &pointer };
        let message = format!("{}: {}", clip(place), clip(message));
        vec![(pointer, message)]
    };
    Ok(match error {
        CompileError::LoadUrlError { url, .. }
        | CompileError::UnsupportedUrlScheme { url }
        | CompileError::UnsupportedDraft { url }
        | CompileError::InvalidMetaSchemaUrl { url, .. } => {
            let message = format!("the schema refers to {}, which is never fetched", clip(url));
            return Err(Error::new(Code::SCHEMA_REMOTE, message).with("url", clip(url)));
        }
        CompileError::ValidationError { src, .. } => {
            let mut found = Vec::new();
            leaves(src, schema, &mut |violation| found.extend(said(violation.pointer, &violation.message)));
            found
        }
        CompileError::InvalidRegex { url, regex, src } => {
            let place = fragment(url);
            // Of the names in patternProperties, the one that is meant.
            let name = format!("{place}/{}", json::pointer_token(regex));
            let place = if schema.pointer(&name).is_some() { name } else { place };
            said(place, &format!("the pattern {:?} cannot be used: {}", clip(regex), clip(&src.to_string())))
        }
        CompileError::JsonPointerNotFound(url) | CompileError::AnchorNotFound { reference: url, .. } => {
            let target = fragment(url);
            let place = reference_to(schema, &target, "").unwrap_or_default();
            said(place, &format!("there is no #{} in the schema", clip(&target)))
        }
        CompileError::Bug(why) => said(String::new(), &format!("a pattern cannot be used: {why}")),
        other => said(String::new(), &other.to_string().replace(PLACE, "")),
    })
}

/// The violations at the ends of the tree: what stands above them says no more than that something below is wrong. Of
/// alternatives none of which fits the choice itself is said, unless it is between one.
fn leaves(error: &ValidationError, judged: &Value, say: &mut dyn FnMut(Violation)) {
    Walk { judged, left: MOST, steps: MOST_STEPS, say }.down(error, None);
}

/// Through the tree of what does not fit.
struct Walk<'a> {
    judged: &'a Value,
    /// Violations that may still be said.
    left: usize,
    /// Values that may still be looked at to find where a name stands.
    steps: usize,
    say: &'a mut dyn FnMut(Violation),
}

impl Walk<'_> {
    /// `judged`: the name that is judged, if it is one, and where it stands: the tree does not know.
    fn down(&mut self, error: &ValidationError, judged: Option<(&str, &str)>) {
        if !is_true(error) {
            return;
        }
        let is_choice = matches!(error.kind, ErrorKind::AnyOf | ErrorKind::OneOf(_)) && error.causes.len() != 1;
        if error.causes.is_empty() || is_choice {
            let mut violation = violation_of(error);
            if let Some((name, place)) = judged {
                place.clone_into(&mut violation.pointer);
                violation.message = format!("the name {:?}: {}", clip(name), violation.message);
            }
            let ErrorKind::AdditionalProperties { got } = &error.kind else { return self.say(violation) };
            for name in got.iter().take(self.left) {
                let pointer = format!("{}/{}", violation.pointer, json::pointer_token(name));
                let message = format!("the schema allows no {:?} here", clip(name));
                let rule = format!("{}/additionalProperties", violation.rule);
                self.say(Violation { pointer, message, rule });
            }
            return;
        }
        // What judges a name does not know where it stands: it does where the name stands once.
        let mut places = Vec::new();
        let mut judged = judged;
        if let ErrorKind::PropertyName { prop } = &error.kind {
            self.places_of(self.judged, prop, &mut String::new(), &mut places);
            judged = Some((prop, if let [place] = &places[..] { place } else { "" }));
        }
        for cause in &error.causes {
            if self.left > 0 {
                self.down(cause, judged);
            }
        }
    }

    fn say(&mut self, violation: Violation) {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            (self.say)(violation);
        }
    }

    /// The first two places of a name.
    fn places_of(&mut self, value: &Value, wanted: &str, path: &mut String, found: &mut Vec<String>) {
        let Some(steps) = self.steps.checked_sub(1).filter(|_| found.len() < 2) else { return };
        self.steps = steps;
        let length = path.len();
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push_str(&format!("/{at}"));
                    self.places_of(item, wanted, path, found);
                    path.truncate(length);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    path.push('/');
                    path.push_str(&json::pointer_token(name));
                    found.extend((name == wanted).then(|| path.clone()));
                    self.places_of(value, wanted, path, found);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// `boon` divides binary fractions, and finds that 0.07 is no multiple of 0.01. Of alternatives all must be wrong.
fn is_true(error: &ValidationError) -> bool {
    match &error.kind {
        ErrorKind::MultipleOf { got, want } => !is_multiple(&got.to_string(), &want.to_string()).unwrap_or(false),
        ErrorKind::AnyOf | ErrorKind::OneOf(None) | ErrorKind::Contains => error.causes.iter().all(is_wrong),
        _ => true,
    }
}

/// As [`is_true`], with all that it stands on.
fn is_wrong(error: &ValidationError) -> bool {
    is_true(error) && (error.causes.is_empty() || error.causes.iter().any(is_wrong))
}

/// Exactly, as decimals; nothing for what is no decimal of some 20 digits.
fn is_multiple(number: &str, of: &str) -> Option<bool> {
    let decimal = |text: &str| {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa, ""));
        let digits: u128 = format!("{}{fraction}", whole.trim_start_matches('-')).parse().ok()?;
        Some((digits, exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?))
    };
    let ((number, power), (of, of_power)) = (decimal(number)?, decimal(of)?);
    if number == 0 || of == 0 {
        return Some(number == 0);
    }
    let apart = power.checked_sub(of_power)?;
    if apart < 0 {
        // What is too large to be written is larger than the number.
        let of = 10_u128.checked_pow(apart.unsigned_abs()).and_then(|ten| of.checked_mul(ten));
        return Some(of.is_some_and(|of| number % of == 0));
    }
    let mut rest = number % of;
    for _ in 0..apart {
        rest = rest.checked_mul(10)? % of;
    }
    Some(rest == 0)
}

/// `%41` as the byte that it stands for.
pub(super) fn unescaped(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(json::hexadecimal);
        bytes.push(code.map_or(*first, |code| code as u8));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| pointer.to_owned())
}

fn violation_of(error: &ValidationError) -> Violation {
    let rule = error.schema_url.split_once('#').map_or("", |(_, pointer)| pointer);
    let mut message = error.kind.to_string();
    if let ErrorKind::AnyOf | ErrorKind::OneOf(None) = error.kind {
        let mut tries = Vec::new();
        for cause in error.causes.iter().take(4) {
            let mut say = |violation: Violation| tries.push(violation.message);
            Walk { judged: &Value::Null, left: 1, steps: 0, say: &mut say }.down(cause, None);
        }
        message = format!("fits none of the alternatives: {}", tries.join("; "));
    }
    let mut pointer = error.instance_location.to_string();
    if pointer.len() > LONGEST {
        pointer = String::new();
    }
    Violation { pointer, rule: unescaped(rule), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each asked of Helm 4.3.1.
    #[test]
    fn formats_are_those_that_helm_knows() {
        let fits = |format: &str, value: &str| {
            let schema = format!(r#"{{"$schema": "http://json-schema.org/draft-07/schema#", "format": "{format}"}}"#);
            validate(schema.as_bytes(), format!("{value:?}").as_bytes(), &Limits::default()).unwrap().is_empty()
        };
        assert!(fits("idn-email", "é@b.c") && fits("idn-hostname", "é.b") && fits("semver", "1.2.3-a+b"));
        assert!(!fits("semver", "v1.2") && !fits("semver", "1.2") && !fits("hostname", "a_b"));
        for (text, uri, reference, template) in [
            ("http://é", true, true, true),
            ("http://a/{{ x }}", true, true, false),
            ("http://a/{x}/{y}?{", true, true, true),
            ("http://a/{x", true, true, false),
            ("http://a:99999", true, true, true),
            ("http://", true, true, true),
            ("c:\\x", true, false, true),
            ("a", false, true, true),
            ("a%", false, false, false),
            ("{a:b}", false, false, false),
            ("http://a/%zz", false, false, false),
            ("http://%41", false, false, false),
            ("http://[::1]:80", true, true, true),
            ("http://[fe80::1%25e]", false, false, false),
            ("x://a:b:80", false, false, false),
        ] {
            for (format, expected) in [
                ("uri", uri),
                ("iri", uri),
                ("uri-reference", reference),
                ("iri-reference", reference),
                ("uri-template", template),
            ] {
                assert_eq!(fits(format, text), expected, "{format} {text}");
            }
        }
    }

    fn judged(schema: &str, values: &str) -> Result<Vec<(String, String)>, Code> {
        let judged = validate(schema.as_bytes(), values.as_bytes(), &Limits::default());
        let plain = |violation: Violation| (violation.pointer, violation.message);
        judged.map(|all| all.into_iter().map(plain).collect()).map_err(|error| error.code())
    }

    fn violated(schema: &str, values: &str) -> Vec<(String, String)> {
        judged(schema, values).unwrap()
    }

    #[test]
    fn every_violation_is_said_with_its_place() {
        let schema = r#"{"$schema": "http://json-schema.org/draft-07/schema#", "required": ["image"],
            "properties": {"replicas": {"type": "integer", "minimum": 1}, "a/b": {"items": {"type": "string"}}}}"#;
        let found = violated(schema, r#"{"replicas": 0, "a/b": ["x", 1]}"#);
        let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(found.len(), 3);
        assert!(
            pointers.contains(&"") && pointers.contains(&"/replicas") && pointers.contains(&"/a~1b/1"),
            "{found:?}"
        );
    }

    #[test]
    fn of_a_name_it_is_said_that_the_name_is_wrong() {
        let found = violated(r#"{"propertyNames": {"maxLength": 2}}"#, r#"{"abc": 1}"#);
        let message = "the name \"abc\": length must be <=2, but got 3";
        assert_eq!(found, [("/abc".to_owned(), message.to_owned())]);
    }

    #[test]
    fn of_alternatives_the_choice_is_said() {
        let found = violated(r#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, "[]");
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("want string") && found[0].1.contains("want integer"), "{found:?}");
    }

    #[test]
    fn a_schema_is_judged_by_its_own_draft() {
        assert_eq!(judged(r#"{"type": "strin"}"#, "{}"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged(r#"{"type": ["string", 3]}"#, "{}"), Err(Code::SCHEMA_INVALID));
        // exclusiveMinimum is a boolean in draft 4 alone.
        let draft4 =
            r#"{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}"#;
        assert_eq!(violated(draft4, "1").len(), 1);
        assert_eq!(judged(&draft4.replace("draft-04", "draft-07"), "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged(r#"{"pattern": "("}"#, "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged("[]", "1"), Err(Code::SCHEMA_INVALID));
        assert_eq!(judged("true", "1"), Ok(Vec::new()));
    }

    #[test]
    fn all_that_is_wrong_with_a_schema_is_said_at_once_each_at_its_place() {
        let schema = r##"{"type": "strin", "required": [1],
            "properties": {"a": {"type": "x"}, "b": {"minimum": "1", "pattern": "("}, "c": {"$ref": "#/$defs/no"}},
            "patternProperties": {"[": true, "]": {"pattern": "*"}}, "items": {"$ref": "#/$defs/none"}}"##;
        let error = validate(schema.as_bytes(), b"{}", &Limits::default()).unwrap_err();
        let report = error.report().unwrap();
        let found = report.iter().map(|one| (one.pointer.as_str(), one.span.map(|span| &schema[span.start..span.end])));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("/type", Some("\"strin\"")),
                ("/required/0", Some("1")),
                ("/properties/a/type", Some("\"x\"")),
                ("/properties/b/minimum", Some("\"1\"")),
                ("/properties/b/pattern", Some("\"(\"")),
                ("/properties/c/$ref", Some("\"#/$defs/no\"")),
                ("/patternProperties/[", Some("true")),
                ("/patternProperties/]/pattern", Some("\"*\"")),
                ("/items/$ref", Some("\"#/$defs/none\"")),
            ]
        );
        assert_eq!(error.context(), [("pointer", "/type".to_owned())]);
        assert!(report.iter().nth(5).unwrap().message.ends_with("there is no #/$defs/no in the schema"), "{report}");
    }

    #[test]
    fn a_property_that_is_not_allowed_is_named_by_its_own_pointer() {
        let found =
            violated(r#"{"additionalProperties": false, "properties": {"a": true}}"#, r#"{"a": 1, "b": 2, "c/d": 3}"#);
        let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/b", "/c~1d"]);
        let one = validate(br#"{"additionalProperties": false}"#, br#"{"b": 2}"#, &Limits::default()).unwrap();
        assert_eq!(one[0].rule, "/additionalProperties", "so the key is marked, not its value");
    }

    #[test]
    fn of_many_names_that_are_not_allowed_some_are_said_in_time() {
        let names: Vec<String> = (0..50_000).map(|at| format!("\"{at}\": 1")).collect();
        let values = format!("{{{}}}", names.join(","));
        assert_eq!(violated(r#"{"propertyNames": {"pattern": "[a-z]"}}"#, &values).len(), MOST);
        assert_eq!(violated(r#"{"additionalProperties": false}"#, &values).len(), MOST);
    }

    // Each asked of Helm 4.3.1.
    #[test]
    fn multiples_are_those_of_decimals() {
        for (of, number, is_multiple) in [
            ("0.01", "0.07", true),
            ("0.1", "0.3", true),
            ("0.1", "0.35", false),
            ("0.1", "-0.3", true),
            ("1e-10", "1e20", true),
            ("1e-300", "1e300", true),
            ("0.5", "0", true),
            ("3", "1e10", false),
        ] {
            let schema = format!(r#"{{"multipleOf": {of}}}"#);
            assert_eq!(violated(&schema, number).is_empty(), is_multiple, "{number} {of}");
            let any = format!(r#"{{"anyOf": [{schema}, {{"type": "string"}}]}}"#);
            assert_eq!(violated(&any, number).is_empty(), is_multiple, "{number} {of}");
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        let found = violated(r#"{"patternProperties": {"^\\w[[]?$": {"pattern": "^\\w+$"}}}"#, r#"{"a": "-"}"#);
        assert_eq!(found[0].1, r"'-' does not match pattern '^\w+$'");
        let schema = br#"{"patternProperties": {"^[[]?\\s?a$": {"pattern": "[[]{"}}}"#;
        let [violation] = &validate(schema, br#"{"a": "-"}"#, &Limits::default()).unwrap()[..] else { panic!() };
        assert_eq!(
            (&*violation.rule, &*violation.message),
            (r"/patternProperties/^[[]?\s?a$", "'-' does not match pattern '[[]{'")
        );
        assert_eq!(violated(r#"{"pattern": "^\\s$"}"#, r#""\u000b""#).len(), 1);
    }

    #[test]
    fn patterns_that_go_refuses_are_mistakes_of_the_schema() {
        let schema = r#"{"pattern": "a{1001}", "properties": {"b": {"pattern": "\\u0041"}, "c": {"type": "x"}}}"#;
        let error = validate(schema.as_bytes(), b"1", &Limits::default()).unwrap_err();
        let report = error.report().unwrap();
        let found: Vec<_> = report.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(found, ["/pattern", "/properties/b/pattern", "/properties/c/type"]);
    }

    #[test]
    fn nothing_is_fetched() {
        for url in [
            "http://127.0.0.1:1/x.json",
            "https://registry.example/x.json",
            "file:///dev/zero",
            "file:///etc/passwd",
            "other.json",
            "ftp://x/y",
        ] {
            let schema = format!(r#"{{"$ref": "{url}"}}"#);
            assert_eq!(judged(&schema, "{}"), Err(Code::SCHEMA_REMOTE), "{url}");
            let schema = format!(r#"{{"$schema": "{url}"}}"#);
            assert!(judged(&schema, "{}").is_err(), "{url}");
        }
        assert_eq!(judged(r#"{"$ref": "urn:example:x"}"#, "{}"), Ok(Vec::new()));
    }

    #[test]
    fn a_pattern_that_is_meant_to_take_for_ever_does_not() {
        let values = format!("\"{}!\"", "a".repeat(50_000));
        assert_eq!(violated(r#"{"pattern": "^(a+)+$"}"#, &values).len(), 1);
        let huge = r#"{"pattern": "((a{1,1000}){1,1000}){1,1000}"}"#;
        assert_eq!(judged(huge, "\"a\""), Err(Code::SCHEMA_INVALID));
    }
}
