//! Reports as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), which code hosts show beside the lines.

use super::{Diagnostic, Report, Severity, Span};
use crate::error::Code;

const PAGE: &str = "https://github.com/chartoci/chartoci/blob/main/docs/codes.md";

/// Writes one SARIF document of all the reports: one run, with a rule for each code that occurs.
///
/// ```
/// let report = chartoci::check(b"name: web\nversion: x\n", None, None, &chartoci::Limits::default())?;
/// let sarif = chartoci::diagnostic::sarif([&report.found_in("web/Chart.yaml", false)]);
/// assert!(sarif.contains(r#""uri":"web/Chart.yaml""#) && sarif.contains(r#""ruleId":"chart.version""#));
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn sarif<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let reports: Vec<&Report> = reports.into_iter().collect();
    let mut rules: Vec<Code> = Vec::new();
    for finding in reports.iter().flat_map(|report| report.iter()) {
        if !rules.contains(&finding.code) {
            rules.push(finding.code);
        }
    }
    let mut out = Json(String::new());
    out.raw(
        r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":"#,
    );
    out.raw(r#"{"name":"chartoci","semanticVersion":"#).text(env!("CARGO_PKG_VERSION"));
    out.raw(r#","informationUri":"https://github.com/chartoci/chartoci","rules":["#);
    for (at, code) in rules.iter().enumerate() {
        out.comma(at).raw(r#"{"id":"#).text(code.name());
        out.raw(r#","shortDescription":{"text":"#).text(code.meaning());
        out.raw(r#"},"help":{"text":"#).text(code.remedy());
        out.raw(r#"},"helpUri":"#).text(&format!("{PAGE}#{}", code.name().replace('.', ""))).raw("}");
    }
    out.raw(r#"]}},"columnKind":"unicodeCodePoints","results":["#);
    let findings = reports.iter().flat_map(|report| report.iter().map(move |finding| (*report, finding)));
    for (at, (report, finding)) in findings.enumerate() {
        let rule = rules.iter().position(|code| *code == finding.code).unwrap_or_default();
        out.comma(at).result(report, finding, rule);
    }
    out.raw("]}]}\n");
    out.0
}

struct Json(String);

impl Json {
    fn raw(&mut self, text: &str) -> &mut Json {
        self.0.push_str(text);
        self
    }

    fn text(&mut self, text: &str) -> &mut Json {
        self.0 += &serde_json::to_string(text).unwrap_or_default();
        self
    }

    fn comma(&mut self, at: usize) -> &mut Json {
        self.raw(if at > 0 { "," } else { "" })
    }

    fn result(&mut self, report: &Report, finding: &Diagnostic, rule: usize) {
        // What may lie anywhere, by its name, lies in the archive.
        let steps = finding.document.trim_end_matches('/').split(['/', '\\']);
        let is_below =
            finding.document.as_bytes().get(1) != Some(&b':') && !{ steps }.any(|step| matches!(step, "" | "." | ".."));
        let uri = uri(&report.path_of(if is_below { &finding.document } else { "chart" }));
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        };
        self.raw(r#"{"ruleId":"#).text(finding.code.name());
        self.raw(&format!(r#","ruleIndex":{rule},"level":"{level}","message":{{"text":"#));
        let message = match finding.help.as_str() {
            "" => finding.message.clone(),
            help => format!("{}. {help}", finding.message),
        };
        self.text(&message).raw(r#"},"locations":[{"#).place(&uri, finding.span);
        let within = if is_below { &finding.pointer } else { &finding.document };
        if !within.is_empty() {
            self.raw(r#","logicalLocations":[{"fullyQualifiedName":"#).text(within).raw("}]");
        }
        self.raw("}]");
        if !finding.related.is_empty() {
            self.raw(r#","relatedLocations":["#);
            for (at, (span, says)) in finding.related.iter().enumerate() {
                self.comma(at).raw(r#"{"message":{"text":"#).text(says).raw("},").place(&uri, Some(*span)).raw("}");
            }
            self.raw("]");
        }
        if let Some(fix) = &finding.fix {
            self.raw(r#","fixes":[{"description":{"text":"#).text(&finding.help);
            self.raw(r#"},"artifactChanges":[{"artifactLocation":{"uri":"#).text(&uri);
            self.raw(r#"},"replacements":[{"deletedRegion":"#).region(fix.span);
            self.raw(r#","insertedContent":{"text":"#).text(&fix.replacement).raw("}}]}]}]");
        }
        // A finding stays the same where lines move.
        let fingerprint = format!("{}:{}:{}", finding.code.name(), finding.document, finding.pointer);
        self.raw(r#","partialFingerprints":{"finding/v1":"#).text(&fingerprint).raw("}}");
    }

    fn place(&mut self, uri: &str, span: Option<Span>) -> &mut Json {
        self.raw(r#""physicalLocation":{"artifactLocation":{"uri":"#).text(uri).raw(r#"},"region":"#);
        match span {
            Some(span) => self.region(span),
            // Code hosts want a line; that of a whole file is its first.
            None => self.raw(r#"{"startLine":1}"#),
        };
        self.raw("}")
    }

    fn region(&mut self, span: Span) -> &mut Json {
        let Span { start, end, line, column, end_line, end_column } = span;
        self.raw(&format!(
            r#"{{"startLine":{line},"startColumn":{column},"endLine":{end_line},"endColumn":{end_column},"byteOffset":{start},"byteLength":{}}}"#,
            end.saturating_sub(start)
        ))
    }
}

/// A path as a URI reference (RFC 3986): relative, unless the path is absolute.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./").replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    let mut out = match (path.starts_with('/'), drive) {
        (true, _) => "file://".to_owned(),
        (_, true) => "file:///".to_owned(),
        _ => String::new(),
    };
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            b':' if drive && at == 1 => out.push(':'),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Fix;
    use serde_json::Value;

    #[test]
    fn a_path_becomes_a_uri() {
        for (path, expected) in [
            ("charts/web/Chart.yaml", "charts/web/Chart.yaml"),
            ("./a b#c.yaml", "a%20b%23c.yaml"),
            ("/tmp/ä.yaml", "file:///tmp/%C3%A4.yaml"),
            ("C:\\charts\\x.yaml", "file:///C:/charts/x.yaml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn what_an_archive_says_leads_to_no_place_outside_of_it() {
        for (document, uri, within) in [
            ("web/../../x", "web.tgz", Some("web/../../x")),
            ("web\\..\\x", "web.tgz", Some("web\\..\\x")),
            ("/etc/passwd", "web.tgz", Some("/etc/passwd")),
            ("C:/x", "web.tgz", Some("C:/x")),
            ("templates/", "web.tgz/templates/", None),
            ("a\u{1b}b c", "web.tgz/a%1Bb%20c", None),
        ] {
            let odd = Diagnostic::new(Code::ARCHIVE_PARENT, document, "odd");
            let report = Report::from_iter([odd]).found_in("web.tgz", true);
            let written: Value = serde_json::from_str(&sarif([&report])).unwrap();
            let place = &written["runs"][0]["results"][0]["locations"][0];
            assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], uri);
            assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"].as_str(), within);
        }
    }

    #[test]
    fn rules_results_places_and_fixes_are_written() {
        let span = Span { start: 3, end: 7, line: 1, column: 4, end_line: 1, end_column: 8 };
        let mut odd = Diagnostic::new(Code::CHART_COERCED, "Chart.yaml", "odd \"\u{1b}").at("/a", Some(span));
        odd.fix = Some(Fix { span, replacement: "\"1.10\"".to_owned() });
        odd.related.push((span, "here".to_owned()));
        let whole = Diagnostic::new(Code::CHART_ICON, "Chart.yaml", "icon is missing");
        let report: Report = [odd, whole].into_iter().collect();
        let written: Value = serde_json::from_str(&sarif([&report.found_in("web", true), &Report::new()])).unwrap();
        let run = &written["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "chart.icon");
        let result = &run["results"][0];
        assert_eq!((&result["ruleIndex"], &result["level"]), (&Value::from(0), &Value::from("warning")));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "web/Chart.yaml");
        assert_eq!(place["region"]["endColumn"], 8);
        let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(
            (&change["deletedRegion"]["byteLength"], &change["insertedContent"]["text"]),
            (&Value::from(4), &Value::from("\"1.10\""))
        );
        assert_eq!(run["results"][1]["level"], "note");
        assert_eq!(run["results"][1]["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    }
}
