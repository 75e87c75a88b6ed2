//! A report as a compiler prints it.

use super::{Diagnostic, Report, Severity, Span};
use crate::order;
use crate::printable::is_printable;

/// Columns of a source line that are shown; of a longer one those around the place.
const WIDEST: usize = 120;
/// Bytes of it that are looked at, before the place and behind: more than so many characters of any script.
const FARTHEST: usize = 8 * WIDEST;
/// Columns that a tab takes.
const TAB: &str = "    ";

pub(super) fn write(report: &Report, color: bool) -> String {
    let mut out = Text { out: String::new(), color };
    for finding in report {
        out.finding(report, finding);
    }
    out.summary(report);
    out.out
}

struct Text {
    out: String,
    color: bool,
}

/// Select Graphic Rendition (ECMA-48).
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";
const BLUE: &str = "1;34";
const BOLD: &str = "1";

fn style(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => CYAN,
    }
}

/// A place in a source line: what to draw below it, and what to say beside it.
struct Mark<'a> {
    span: Span,
    sign: &'static str,
    says: &'a str,
}

impl Text {
    fn finding(&mut self, report: &Report, finding: &Diagnostic) {
        let severity = finding.severity.as_str();
        self.painted(style(finding.severity), &format!("{severity}[{}]", finding.code.name()));
        self.painted(BOLD, &format!(": {}", visible(&finding.message).0));
        self.out.push('\n');

        let mut marks: Vec<Mark> = Vec::new();
        marks.extend(finding.span.map(|span| Mark { span, sign: "^", says: "" }));
        marks.extend(finding.related.iter().map(|(span, says)| Mark { span: *span, sign: "-", says }));
        order::sort(&mut marks, |a, b| a.span.start < b.span.start);
        let text = report.source(&finding.document);
        let last = marks.last().map_or(0, |mark| mark.span.line);
        let margin = if text.is_some() { last.to_string().len() } else { 1 };
        let margin = " ".repeat(margin);

        self.painted(BLUE, &format!("{margin}--> "));
        let mut place = visible(&report.path_of(&finding.document)).0;
        match finding.span {
            Some(span) => place += &format!(":{}:{}", span.line, span.column),
            None if finding.pointer.is_empty() => {}
            None => place += &format!(" at {}", visible(&finding.pointer).0),
        }
        self.out += &place;
        self.out.push('\n');
        if let Some(text) = text.filter(|_| !marks.is_empty()) {
            self.excerpt(text, &marks, &margin, style(finding.severity));
        }
        let fix = finding.fix.as_ref().map(|fix| match fix.replacement.trim_end() {
            "" => "remove it".to_owned(),
            line if fix.span.start == fix.span.end => format!("insert the line {line}"),
            replacement => format!("write {replacement}"),
        });
        for (word, says) in [("help", Some(&finding.help)), ("fix", fix.as_ref())] {
            if let Some(says) = says.filter(|says| !says.is_empty()) {
                self.painted(BLUE, &format!("{margin} = "));
                self.painted(BOLD, word);
                self.out += &format!(": {}\n", visible(says).0);
            }
        }
        self.out.push('\n');
    }

    /// The lines that the marks stand in, each once, and the marks below them.
    fn excerpt(&mut self, text: &[u8], marks: &[Mark], margin: &str, style: &str) {
        self.painted(BLUE, &format!("{margin} |\n"));
        let mut shown = 0;
        for mark in marks {
            let line = Line::around(text, mark.span);
            if mark.span.line != shown {
                if shown != 0 && mark.span.line > shown + 1 {
                    self.painted(BLUE, "...\n");
                }
                let number = mark.span.line.to_string();
                self.painted(BLUE, &format!("{number:>width$} | ", width = margin.len()));
                self.out += &format!("{}\n", line.text);
                shown = mark.span.line;
            }
            self.painted(BLUE, &format!("{margin} | "));
            self.out += &" ".repeat(line.before);
            let style = if mark.sign == "^" { style } else { BLUE };
            let says = visible(mark.says).0;
            let underline = mark.sign.repeat(line.marked.max(1));
            self.painted(style, format!("{underline} {says}").trim_end());
            self.out.push('\n');
        }
        self.painted(BLUE, &format!("{margin} |\n"));
    }

    fn summary(&mut self, report: &Report) {
        let count = |severity| match report.of(severity).count() {
            0 => None,
            1 => Some(format!("1 {}", severity.as_str())),
            many => Some(format!("{many} {}s", severity.as_str())),
        };
        let counts: Vec<String> = [Severity::Error, Severity::Warning].into_iter().filter_map(count).collect();
        if !report.path.is_empty() {
            self.out += &format!("{}: ", visible(&report.path).0);
        }
        self.out += &if counts.is_empty() { "no errors, no warnings".to_owned() } else { counts.join(", ") };
        self.out.push('\n');
    }

    fn painted(&mut self, style: &str, text: &str) {
        self.out += &if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() };
    }
}

/// One line of a source, as it is shown, and where the mark stands below it.
struct Line {
    text: String,
    /// Columns before the mark.
    before: usize,
    /// Columns of the mark.
    marked: usize,
}

impl Line {
    fn around(text: &[u8], span: Span) -> Line {
        let start = span.start.min(text.len());
        // What is further away does not fit anyway.
        let (near, far) = (start.saturating_sub(FARTHEST), start.saturating_add(FARTHEST).min(text.len()));
        let first = text[near..start].iter().rposition(|byte| *byte == b'\n').map_or(near, |at| near + at + 1);
        let end = text[start..far].iter().position(|byte| *byte == b'\n').map_or(far, |length| start + length);
        let end = if text[..end].ends_with(b"\r") { (end - 1).max(start) } else { end };
        let middle = span.end.clamp(start, end);
        let piece = |from: usize, to: usize| String::from_utf8_lossy(&text[from..to]).into_owned();
        let before = piece(first, start);
        let before = before.strip_prefix('\u{feff}').unwrap_or(&before);
        let (marked, after) = (piece(start, middle), piece(middle, end));

        let length = |text: &str| text.chars().count();
        let fits = length(before) + length(&marked) + length(&after) <= WIDEST;
        let skipped = if fits { 0 } else { length(before).saturating_sub(WIDEST / 2) };
        let shown_mark = if fits { usize::MAX } else { WIDEST / 2 };
        let shown_after = if fits { usize::MAX } else { (WIDEST / 2).saturating_sub(length(&marked)) };
        let take = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let mut line = Line { text: String::new(), before: 0, marked: 0 };
        if skipped > 0 {
            line.text.push('…');
            line.before = 1;
        }
        for (part, column) in [
            (before.chars().skip(skipped).collect::<String>(), Some(true)),
            (take(&marked, shown_mark), Some(false)),
            (take(&after, shown_after), None),
        ] {
            let (shown, width) = visible(&part);
            line.text += &shown;
            match column {
                Some(true) => line.before += width,
                Some(false) => line.marked += width,
                None => {}
            }
        }
        if length(&marked) > shown_mark || length(&after) > shown_after {
            line.text.push('…');
        }
        line
    }
}

/// A text of which nothing steers a terminal, and how many columns it takes there.
fn visible(text: &str) -> (String, usize) {
    let (mut out, mut columns) = (String::with_capacity(text.len()), 0);
    for c in text.chars() {
        let before = out.len();
        match c {
            ' '..='~' => out.push(c),
            '\t' => out.push_str(TAB),
            c if is_printable(c) => out.push(c),
            c => out.extend(c.escape_default()),
        }
        columns += if out.len() - before == c.len_utf8() { columns_of(c) } else { out.len() - before };
    }
    (out, columns)
}

/// 2 for the wide characters of East Asia and pictures, 0 for marks that stand on another character, else 1.
fn columns_of(c: char) -> usize {
    match c {
        ' '..='~' => 1,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        // At the start of a text the standard library escapes a mark.
        c => usize::from(c.escape_debug().len() == 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn span(text: &str, marked: &str) -> Span {
        let start = text.find(marked).unwrap();
        let line = text[..start].matches('\n').count() as u32 + 1;
        let column = text[..start].rsplit('\n').next().unwrap().chars().count() as u32 + 1;
        Span { start, end: start + marked.len(), line, column, end_line: line, end_column: column }
    }

    fn shown(text: &str, finding: Diagnostic) -> String {
        let report: Report = [finding].into_iter().collect();
        report.with_sources(|_| Some(text.as_bytes())).to_text(false)
    }

    fn finding(text: &str, marked: &str) -> Diagnostic {
        Diagnostic::new(Code::CHART_COERCED, "Chart.yaml", "odd").at("/x", Some(span(text, marked)))
    }

    #[test]
    fn a_finding_shows_its_line_its_second_place_its_help_and_its_fix() {
        let text = "name: web\nappVersion: 1.10\nb: 1\nc: 2\n";
        let mut odd = finding(text, "1.10");
        odd.related.push((span(text, "c: 2"), "this one counts".to_owned()));
        odd.fix = Some(super::super::Fix { span: odd.span.unwrap(), replacement: "\"1.10\"".to_owned() });
        let report: Report = [odd].into_iter().collect();
        let report = report.with_sources(|_| Some(text.as_bytes())).found_in("charts/web", true);
        let expected = "\
warning[chart.coerced]: odd
 --> charts/web/Chart.yaml:2:13
  |
2 | appVersion: 1.10
  |             ^^^^
...
4 | c: 2
  | ---- this one counts
  |
  = help: Put it in quotes.
  = fix: write \"1.10\"

charts/web: 1 warning
";
        assert_eq!(report.to_text(false), expected);
        let colored = report.to_text(true);
        assert!(colored.contains("\x1b[1;33mwarning[chart.coerced]\x1b[0m"), "{colored}");
        assert!(colored.contains("\x1b[1;33m^^^^\x1b[0m"), "{colored}");
    }

    #[test]
    fn a_fix_is_told_without_the_lines_end() {
        let text = "name: web\n";
        for (marked, replacement, says) in [
            ("", "apiVersion: v2\r\n", "insert the line apiVersion: v2"),
            ("name", "Name\n", "write Name"),
            ("name", "\n", "remove it"),
        ] {
            let mut odd = finding(text, marked);
            odd.fix = Some(super::super::Fix { span: span(text, marked), replacement: replacement.to_owned() });
            assert!(shown(text, odd).contains(&format!(" = fix: {says}\n")), "{replacement:?}");
        }
    }

    #[test]
    fn carets_stand_below_their_characters_whatever_stands_before() {
        for (text, line, caret) in [
            ("\ta: x", "    a: x", "       ^"),
            ("日本: x", "日本: x", "      ^"),
            ("e\u{301}: x", "e\u{301}: x", "   ^"),
            ("\u{feff}a: x", "a: x", "   ^"),
            ("a: x\r\nb", "a: x", "   ^"),
        ] {
            let shown = shown(text, finding(text, "x"));
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines[3].strip_prefix("1 | "), Some(line), "{shown}");
            assert_eq!(lines[4].strip_prefix("  | "), Some(caret), "{shown}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let text = "a: \x1b[2J\u{202e}x\u{7}\n";
        let mut odd = finding(text, "x");
        odd.message = "a\nb\x1b]0;t\x07".to_owned();
        odd.pointer = "/\x1b".to_owned();
        let shown = shown(text, odd);
        assert!(shown.chars().all(|c| c == '\n' || is_printable(c)), "{shown:?}");
        assert!(shown.contains("a: \\u{1b}[2J\\u{202e}x\\u{7}"), "{shown}");
        assert!(shown.contains("a\\nb\\u{1b}]0;t"), "{shown}");
    }

    #[test]
    fn of_a_long_line_the_surroundings_are_shown() {
        let text = format!("{}x{}", "a".repeat(100_000), "b".repeat(100_000));
        let shown = shown(&text, finding(&text, "x"));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[3], format!("1 | …{}x{}…", "a".repeat(60), "b".repeat(59)));
        assert_eq!(lines[4].find('^'), Some(4 + 61));
    }

    #[test]
    fn a_place_that_is_not_in_the_text_is_no_accident() {
        let text = "a\n";
        let mut odd = finding(text, "a");
        odd.span = Some(Span { start: 900, end: 7, line: 9, column: 9, end_line: 9, end_column: 9 });
        assert!(shown(text, odd).contains("Chart.yaml:9:9"));
    }
}
