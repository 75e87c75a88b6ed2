//! Real charts' defaults fit their schemas as Helm says: all of them were linted when they were published.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use chartoci::Limits;
use chartoci::check::{Document, Question, check_asking};
use chartoci::schema::validate;

#[test]
fn defaults_of_real_charts_are_judged() {
    let folder = std::env::var("CHARTOCI_CHARTS").unwrap_or_else(|_| "../../shared/charts".to_owned());
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIP there are no real charts in {folder}");
        return;
    };
    let limits = Limits::default();
    let (mut asked, mut found) = (0, Vec::new());
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "tgz")) {
        let (report, questions) =
            check_asking(&std::fs::read(&path).unwrap(), Some(Document::Chart), None, &limits).unwrap();
        asked += questions.len();
        found
            .extend(report.iter().filter(|finding| finding.code.name().starts_with("limit.")).map(ToString::to_string));
        let answer = |question: &Question| question.answer(validate(&question.schema(), &question.values(), &limits));
        for finding in questions.iter().flat_map(|question| answer(question).iter().cloned().collect::<Vec<_>>()) {
            found.push(format!("{}: {finding}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    println!("NOTE {asked} schemas of real charts were asked");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
