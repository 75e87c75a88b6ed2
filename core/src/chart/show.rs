//! `helm show`, to the byte (Helm 4.3, `pkg/action/show.go`).

use super::{Archive, Metadata};
use crate::error::{Code, Error, clip};

/// Which part is shown.
///
/// ```
/// use chartoci::chart::Section;
/// assert_eq!(Section::parse("crds")?, Section::Crds);
/// assert_eq!(Section::parse("notes").unwrap_err().code().name(), "misuse.argument");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Section {
    /// Everything, divided by `---`.
    All,
    /// Chart.yaml, as Helm writes it.
    Chart,
    /// values.yaml, as it is.
    Values,
    /// The README, as it is.
    Readme,
    /// The CRDs of the chart and of the charts in it.
    Crds,
}

impl Section {
    /// The section of that name: all, chart, values, readme, crds.
    ///
    /// # Errors
    /// [`Code::ARGUMENT`] for any other name.
    pub fn parse(text: &str) -> Result<Section, Error> {
        match text {
            "all" => Ok(Section::All),
            "chart" => Ok(Section::Chart),
            "values" => Ok(Section::Values),
            "readme" => Ok(Section::Readme),
            "crds" => Ok(Section::Crds),
            _ => Err(Error::new(Code::ARGUMENT, format!("a chart has no section {:?}", clip(text)))
                .with_hint("The sections are all, chart, values, readme and crds.")),
        }
    }
}

/// The bytes that `helm show` (4.3) prints. A part that the chart has not is left out.
///
/// The CRDs of vendored charts follow the chart's own by the charts' names; Helm's order changes from run to run there.
///
/// ```
/// use chartoci::chart::{Archive, Section, package::Options, package_in_memory, show};
/// use chartoci::{Limits, files::Memory};
/// let mut files = Memory::from_iter([
///     ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0"),
///     ("values.yaml", "replicas: 2 # at least\n"),
/// ]);
/// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
/// let archive = Archive::read(&data, &Limits::default())?;
/// assert_eq!(show(&archive, Section::Values), b"replicas: 2 # at least\n\n");
/// let all = "apiVersion: v2\nname: web\nversion: 1.0.0\n\n---\nreplicas: 2 # at least\n\n";
/// assert_eq!(String::from_utf8_lossy(&show(&archive, Section::All)), all);
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn show(archive: &Archive, section: Section) -> Vec<u8> {
    let mut out = Vec::new();
    let all = section == Section::All;
    if all || section == Section::Chart {
        out = show_chart(archive.metadata());
    }
    if all || section == Section::Values {
        document(&mut out, all, archive.values_yaml());
    }
    if all || section == Section::Readme {
        document(&mut out, all, archive.readme().map(|(_, text)| text));
    }
    if all || section == Section::Crds {
        crds(&mut out, archive);
    }
    out
}

/// [`Section::Chart`] of a chart that was looked at and not kept: see [`Scan`](super::Scan).
///
/// ```
/// use chartoci::{Limits, Metadata, chart::show_chart};
/// let metadata = Metadata::parse(b"version: 1.0.0\nname: web", &Limits::default())?;
/// assert_eq!(show_chart(&metadata), b"apiVersion: v1\nname: web\nversion: 1.0.0\n\n");
/// # Ok::<(), chartoci::Error>(())
/// ```
pub fn show_chart(metadata: &Metadata) -> Vec<u8> {
    let mut out = metadata.to_yaml().into_bytes();
    out.push(b'\n');
    out
}

fn document(out: &mut Vec<u8>, divided: bool, text: Option<&[u8]>) {
    let Some(text) = text else { return };
    if divided {
        line(out, b"---");
    }
    line(out, text);
}

fn crds(out: &mut Vec<u8>, archive: &Archive) {
    for path in archive.crds() {
        let text = archive.file(path).unwrap_or_default();
        document(out, !text.starts_with(b"---"), Some(text));
    }
    for vendored in archive.dependencies() {
        crds(out, vendored);
    }
}

fn line(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::{CHART, packed};
    use super::*;
    use crate::limits::Limits;

    fn shown(files: &[(&str, &[u8])], section: &str) -> String {
        let archive = Archive::read(&packed(files), &Limits::default()).unwrap();
        String::from_utf8(show(&archive, Section::parse(section).unwrap())).unwrap()
    }

    // Each expectation is what Helm 4.3.1 printed for the same files.
    #[test]
    fn parts_are_divided_as_helm_divides_them() {
        let files: &[(&str, &[u8])] = &[
            ("web/Chart.yaml", CHART),
            ("web/README.txt", b"hi"),
            ("web/readme.md", b"hello\n"),
            ("web/crds/a.yaml", b"a: 1"),
            ("web/crds/x/b.json", b"---\n{}\n"),
            ("web/crds/c.txt", b"no"),
            ("web/crds/d.YAML", b"yes"),
            ("web/charts/z/Chart.yaml", CHART),
            ("web/charts/z/crds/e.yml", b"e"),
            ("web/values.yaml", b"\xef\xbb\xbfa: 1"),
        ];
        let chart = "apiVersion: v2\nname: web\nversion: 0.1.0\n\n";
        let crds = "---\na: 1\n---\n{}\n\n---\nyes\n---\ne\n";
        assert_eq!(shown(files, "chart"), chart);
        assert_eq!(shown(files, "values"), "a: 1\n");
        assert_eq!(shown(files, "readme"), "hi\n");
        assert_eq!(shown(files, "crds"), crds);
        assert_eq!(shown(files, "all"), format!("{chart}---\na: 1\n---\nhi\n{crds}"));
    }

    #[test]
    fn a_part_that_is_absent_is_left_out_and_an_empty_one_is_a_line() {
        let absent: &[(&str, &[u8])] = &[("web/Chart.yaml", CHART)];
        assert_eq!(shown(absent, "values"), "");
        assert_eq!(shown(absent, "all"), "apiVersion: v2\nname: web\nversion: 0.1.0\n\n");
        let empty: &[(&str, &[u8])] = &[("web/Chart.yaml", CHART), ("web/values.yaml", b"")];
        assert_eq!(shown(empty, "values"), "\n");
        assert_eq!(shown(empty, "all"), "apiVersion: v2\nname: web\nversion: 0.1.0\n\n---\n\n");
    }
}
