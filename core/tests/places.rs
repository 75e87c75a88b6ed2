//! Every place that a finding names lies in the text, and its lines and columns agree with its bytes: for all kinds of
//! documents, broken in the ways in which people and machines break them.

#![allow(clippy::unwrap_used)]

use chartoci::check::Document;
use chartoci::diagnostic::Span;
use chartoci::{Limits, check};
use serde_json::Value;

/// Line and column of a byte: lines end with a line feed, columns are characters, and a byte order mark takes none.
fn position(text: &[u8], at: usize) -> (u32, u32) {
    let before = text[..at].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text[..at]);
    let rows: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    let column = String::from_utf8_lossy(rows.last().unwrap()).chars().count() + 1;
    (rows.len() as u32, column as u32)
}

fn is_in_the_text(text: &[u8], span: Span) -> bool {
    span.start <= span.end
        && span.end <= text.len()
        && (span.line, span.column) == position(text, span.start)
        && (span.end_line, span.end_column) == position(text, span.end)
        && std::str::from_utf8(text)
            .map_or(true, |text| text.is_char_boundary(span.start) && text.is_char_boundary(span.end))
}

/// All places in all findings; how many there were.
fn look(text: &[u8], kind: Document) -> usize {
    let report = check(text, Some(kind), None, &Limits::default()).unwrap();
    let mut count = 0;
    for finding in &report {
        let related = finding.related.iter().map(|(span, _)| *span);
        let all = finding.span.into_iter().chain(related).chain(finding.fix.iter().map(|fix| fix.span));
        for span in all {
            count += 1;
            assert!(
                is_in_the_text(text, span),
                "{span:?} of {finding} in {:?} ({} bytes)",
                String::from_utf8_lossy(text),
                text.len()
            );
        }
    }
    drop(report.to_text(true));
    count
}

/// The documents of the vectors.
fn documents() -> Vec<(Document, String)> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../tests/vectors/check.json")).unwrap();
    let document = |vector: &Value| {
        let input = &vector["input"];
        Some((Document::parse(input["kind"].as_str()?).unwrap(), input["text"].as_str()?.to_owned()))
    };
    vectors.iter().filter_map(document).collect()
}

/// What slips into documents, and what gets lost in them.
const SLIPS: [&str; 27] = [
    "\t", "\r\n", "\r", "\n", " ", ":", "\"", "'", "[", "]", "{", "}", ",", "- ", "#", "&a ", "*a", "!!int ", "|\n",
    "---\n", "é", "日", "\u{2028}", "\u{85}", "\u{feff}", "\u{7}", "<<: ",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }

    fn broken(&mut self, text: &str) -> Vec<u8> {
        let mut text = text.as_bytes().to_vec();
        for _ in 0..=self.below(2) {
            let at = self.below(text.len() + 1);
            let end = (at + self.below(4)).min(text.len());
            match self.below(6) {
                0 => text.truncate(at),
                1 => drop(text.drain(at..end)),
                2 => text.insert(at, 0x80 | self.below(0x80) as u8),
                3 => {
                    let line: Vec<u8> = text[at..].iter().take(20).copied().collect();
                    drop(text.splice(at..at, line));
                }
                _ => drop(text.splice(at..end, SLIPS[self.below(SLIPS.len())].bytes())),
            }
        }
        text
    }
}

#[test]
fn every_place_lies_in_the_text() {
    let rounds = 2000;
    let documents = documents();
    let (mut dice, mut places) = (Dice(7), 0);
    for (kind, text) in &documents {
        places += look(text.as_bytes(), *kind);
        places += look(format!("\u{feff}{text}").as_bytes(), *kind);
        places += look(text.replace('\n', "\r\n").as_bytes(), *kind);
        places += look(text.trim_end().as_bytes(), *kind);
    }
    for _ in 0..rounds {
        let (kind, text) = &documents[dice.below(documents.len())];
        places += look(&dice.broken(text), *kind);
    }
    assert!(places > rounds, "{places}");
}
