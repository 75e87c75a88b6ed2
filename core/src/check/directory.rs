//! `check` of a chart's directory, as it is. A file machine.

use super::{Document, Question};
use crate::chart::Directory;
use crate::diagnostic::Report;
use crate::error::{Error, Kind};
use crate::files::{Answer, Step};
use crate::limits::Limits;

/// Reads a chart's directory (the root of its verbs) and lists all that is wrong with it, its files as they are. It need
/// not be fit to be packed.
///
/// ```
/// use chartoci::check::CheckDirectory;
/// use chartoci::files::{Memory, Step};
/// let mut files = Memory::from_iter([("Chart.yaml", "name: web\nversion: x\n"), ("values.yaml", "a: 1\na: 2\n")]);
/// let mut check = CheckDirectory::new("charts/web", &chartoci::Limits::default());
/// let report = loop {
///     match check.poll() {
///         Step::Do(verb) => check.handle(files.execute(verb)),
///         Step::Done(report) => break report?,
///     }
/// };
/// assert!(report.iter().any(|finding| finding.document == "values.yaml"));
/// assert!(!report.is_ok());
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct CheckDirectory {
    path: String,
    directory: Directory,
    limits: Limits,
    questions: Vec<Question>,
}

impl CheckDirectory {
    /// Starts; the report calls the directory by that path.
    pub fn new(path: &str, limits: &Limits) -> CheckDirectory {
        CheckDirectory {
            path: path.to_owned(),
            directory: Directory::lenient(limits),
            limits: limits.clone(),
            questions: Vec::new(),
        }
    }

    /// What to do next; at the end the report, unless the host could not read the directory.
    ///
    /// # Errors
    /// `files.*` of a kind other than [`Kind::Invalid`].
    pub fn poll(&mut self) -> Step<Report> {
        if let Some(verb) = self.directory.verb() {
            return Step::Do(verb);
        }
        let (bytes, files, refused) = self.directory.take();
        if let Some(error) = refused.iter().find(|error| !is_finding(error)) {
            return Step::Done(Err(error.clone()));
        }
        let (report, questions) =
            super::chart::unpacked(&bytes, &files, &refused, self.directory.ignored(), &self.limits);
        self.questions = questions;
        Step::Done(Ok(report.sorted().found_in(&self.path, true).judged_as(Document::Chart.name())))
    }

    /// After the report: what a validator of JSON Schema has to be asked, as of [`check_asking`](super::check_asking).
    ///
    /// ```
    /// use chartoci::check::CheckDirectory;
    /// use chartoci::files::{Memory, Step};
    /// let mut files = Memory::from_iter([
    ///     ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0"),
    ///     ("values.schema.json", r#"{"required": ["replicas"]}"#),
    /// ]);
    /// let mut check = CheckDirectory::new("web", &chartoci::Limits::default());
    /// while let Step::Do(verb) = check.poll() {
    ///     check.handle(files.execute(verb));
    /// }
    /// assert_eq!(check.questions()[0].schema(), br#"{"required": ["replicas"]}"#.as_slice());
    /// ```
    pub fn questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        self.directory.handle(answer);
    }
}

/// It says something about the chart, not about the system that it lies on.
fn is_finding(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::files::{Entry, EntryKind, FileFailure, Memory};

    fn check(files: &[(&str, &str)]) -> Result<Report, Error> {
        let mut files = Memory::from_iter(files.iter().copied());
        let mut check = CheckDirectory::new("web", &Limits::default());
        loop {
            match check.poll() {
                Step::Do(verb) => check.handle(files.execute(verb)),
                Step::Done(report) => return report,
            }
        }
    }

    #[test]
    fn the_files_are_checked_as_they_stand_there() {
        let chart = "# ours\napiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10 # soon\n";
        let report = check(&[("Chart.yaml", chart), ("values.yaml", "a: 1\n")]).unwrap();
        let fixed = report.fixed(None).unwrap();
        assert_eq!(fixed, chart.replace("1.10", "\"1.10\"").as_bytes());
    }

    #[test]
    fn a_chart_that_cannot_be_read_has_findings_in_all_its_documents() {
        let report =
            check(&[("Chart.yaml", "apiVersion: v2\nname: web\nversion: x\n"), ("values.yaml", "a: [1\n")]).unwrap();
        let found: Vec<_> = report.errors().map(|finding| (finding.document.as_str(), finding.code)).collect();
        assert_eq!(found, [("Chart.yaml", Code::CHART_VERSION), ("values.yaml", Code::YAML_SYNTAX)]);
        assert_eq!(report.documents().collect::<Vec<_>>(), ["Chart.yaml", "values.yaml"]);
    }

    #[test]
    fn a_pattern_that_leaves_out_a_template_or_a_definition_is_told_with_the_file() {
        let ignore = "*.yml\nsvc.*\n*.bak\ncrds/b.json\n*.json\n";
        let files = ["templates/app.yml", "templates/svc.tpl", "templates/a.bak", "templates/.b.yml", "crds/b.json"];
        let files: Vec<_> =
            files.iter().map(|path| (*path, "")).chain([(".helmignore", ignore), ("c.json", "")]).collect();
        let report =
            check(&[&[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")], &*files].concat()).unwrap();
        let found = report.iter().filter(|finding| finding.code == Code::IGNORE_SWALLOWS);
        let found: Vec<_> = found.map(|finding| (finding.span.unwrap().line, finding.message.as_str())).collect();
        let crd = |line, pattern| (line, format!("\"{pattern}\" leaves out crds/b.json"));
        let template = |line, pattern, name| (line, format!("\"{pattern}\" leaves out templates/{name}"));
        let expected =
            [template(1, "*.yml", "app.yml"), template(2, "svc.*", "svc.tpl"), crd(4, "crds/b.json"), crd(5, "*.json")];
        assert_eq!(found, expected.each_ref().map(|(line, message)| (*line, message.as_str())));
    }

    #[test]
    fn what_is_no_chart_is_a_finding_and_what_is_not_there_is_an_error() {
        let report = check(&[("a", "")]).unwrap();
        assert_eq!(report.errors().next().map(|finding| finding.code), Some(Code::CHART_MISSING));
        for (failure, code) in
            [(FileFailure::NotFound, Code::FILES_NOT_FOUND), (FileFailure::Denied, Code::FILES_DENIED)]
        {
            let mut check = CheckDirectory::new("web", &Limits::default());
            check.poll();
            check.handle(Answer::Failed(failure));
            assert!(matches!(check.poll(), Step::Done(Err(error)) if error.code() == code));
        }
    }

    #[test]
    fn patterns_are_not_held_against_files_without_end() {
        let (pattern, names) = ("x".repeat(1 << 24), (0..40).map(|at| format!("f{at}")).collect::<Vec<_>>());
        let mut files: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
        files.push((".helmignore", &pattern));
        let report = check(&files).unwrap();
        assert!(report.errors().any(|finding| finding.code == Code::LIMIT_FILES));
    }

    #[test]
    fn a_pipe_in_the_directory_is_a_finding() {
        let mut check = CheckDirectory::new("web", &Limits::default());
        check.poll();
        let pipe = Entry { name: "pipe".to_owned(), kind: EntryKind::Other, size: 0, modified: 0 };
        check.handle(Answer::Entries(vec![pipe]));
        let Step::Done(Ok(report)) = check.poll() else { panic!() };
        assert_eq!(report.iter().next().map(|finding| finding.code), Some(Code::FILES_IRREGULAR));
    }
}
