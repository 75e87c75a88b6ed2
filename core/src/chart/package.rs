//! Packing a directory (Helm 4.3, `helm package`), deterministically. A file machine.
//!
//! Differences from Helm, so that the same directory gives the same bytes everywhere: vendored charts are written in the
//! order of their names (Helm's order changes from run to run), and deflate is zlib's at level 6 in blocks, not Go's.

use std::collections::BTreeSet;

use super::archive::{File, Place, place};
use super::packing::{Packing, Tar};
use super::{Archive, Directory, Metadata};
use crate::error::{Code, Error, clip};
use crate::files::{Answer, Memory, Step};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::printable::sanitise;
use crate::time::Timestamp;
use crate::version::Version;

/// What may be set while packing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Replaces Chart.yaml's version; an empty one does not, as in Helm.
    pub version: Option<String>,
    /// Replaces Chart.yaml's appVersion, sanitised as that is; an empty one does not.
    pub app_version: Option<String>,
    /// Time of every entry; without it each file's own time is used, as Helm 4 does.
    pub created: Option<Timestamp>,
}

/// A packed chart.
///
/// ```
/// use chartoci::chart::{Packaged, package::Options, package_in_memory};
/// use chartoci::{Digest, Limits, files::Memory};
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let packaged = package_in_memory(&mut files, Options::default(), &Limits::default())?;
/// let Packaged { filename, data, digest, .. } = packaged;
/// assert_eq!((filename.as_str(), digest), ("web-1.0.0.tgz", Digest::of(&data)));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Packaged {
    /// `NAME-VERSION.tgz`.
    pub filename: String,
    /// The archive.
    pub data: Vec<u8>,
    /// Of the archive.
    pub digest: Digest,
    /// As the archive says it: Chart.yaml, and for apiVersion v1 requirements.yaml.
    pub metadata: Metadata,
}

/// Reads a chart's directory (the root of its verbs) and packs it.
///
/// ```
/// use chartoci::chart::{Package, package::Options};
/// use chartoci::files::{Memory, Step};
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0 # soon 1.1")]);
/// let mut package = Package::new(Options::default(), &chartoci::Limits::default());
/// let packaged = loop {
///     match package.poll() {
///         Step::Do(verb) => package.handle(files.execute(verb)),
///         Step::Done(result) => break result?,
///     }
/// };
/// assert_eq!(packaged.filename, "web-1.0.0.tgz");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct Package {
    options: Options,
    limits: Limits,
    directory: Directory,
}

impl Package {
    /// Starts.
    pub fn new(options: Options, limits: &Limits) -> Package {
        Package { options, limits: limits.clone(), directory: Directory::undigested(limits) }
    }

    /// Lets errors call the directory by that path.
    ///
    /// ```
    /// use chartoci::chart::{Package, package::Options};
    /// use chartoci::files::{Memory, Step};
    /// let mut package = Package::new(Options::default(), &chartoci::Limits::default()).called("charts/web");
    /// let error = loop {
    ///     match package.poll() {
    ///         Step::Do(verb) => package.handle(Memory::new().execute(verb)),
    ///         Step::Done(result) => break result.unwrap_err(),
    ///     }
    /// };
    /// assert!(error.message().contains("charts/web"), "{error}");
    /// ```
    #[must_use]
    pub fn called(self, path: &str) -> Package {
        Package { directory: self.directory.called(path), ..self }
    }

    /// What to do next; at the end the archive.
    ///
    /// # Errors
    /// As [`Directory::poll`], and [`Code::VERSION_SYNTAX`], [`Code::CHART_API_VERSION`],
    /// [`Code::CHART_DEPENDENCIES_MISSING`], [`Code::CHART_NAME`] and [`Code::JSON_SYNTAX`].
    pub fn poll(&mut self) -> Step<Packaged> {
        match self.poll_packing() {
            Step::Do(verb) => Step::Do(verb),
            Step::Done(packing) => Step::Done(packing.map(Packing::finish)),
        }
    }

    /// The same, but at the end the compressing is left to the host, which may do it on several threads.
    ///
    /// ```
    /// use chartoci::chart::{Package, package::Options};
    /// use chartoci::files::{Memory, Step};
    /// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// let mut package = Package::new(Options::default(), &chartoci::Limits::default());
    /// let packing = loop {
    ///     match package.poll_packing() {
    ///         Step::Do(verb) => package.handle(files.execute(verb)),
    ///         Step::Done(result) => break result?,
    ///     }
    /// };
    /// assert_eq!(packing.finish().filename, "web-1.0.0.tgz");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Package::poll`].
    pub fn poll_packing(&mut self) -> Step<Packing> {
        match self.directory.poll() {
            Step::Do(verb) => Step::Do(verb),
            Step::Done(archive) => Step::Done(archive.and_then(|archive| {
                pack(&archive, &self.options, &self.limits).map_err(|error| self.directory.named(error))
            })),
        }
    }

    /// What came of it.
    pub fn handle(&mut self, answer: Answer) {
        self.directory.handle(answer);
    }
}

/// Packs a chart's directory that is in memory: the smallest host there is. For tests and browsers.
///
/// ```
/// use chartoci::chart::{package::Options, package_in_memory};
/// use chartoci::files::Memory;
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let options = Options { version: Some("1.1.0+b1".to_owned()), ..Options::default() };
/// let packaged = package_in_memory(&mut files, options, &chartoci::Limits::default())?;
/// assert_eq!((packaged.filename.as_str(), packaged.metadata.version.as_str()), ("web-1.1.0+b1.tgz", "1.1.0+b1"));
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// # Errors
/// As [`Package::poll`].
pub fn package_in_memory(files: &mut Memory, options: Options, limits: &Limits) -> Result<Packaged, Error> {
    let mut package = Package::new(options, limits);
    loop {
        match package.poll() {
            Step::Do(verb) => package.handle(files.execute(verb)),
            Step::Done(result) => return result,
        }
    }
}

fn pack(archive: &Archive, options: &Options, limits: &Limits) -> Result<Packing, Error> {
    let mut metadata = archive.metadata().clone();
    let given = |option: &Option<String>| option.clone().filter(|text| !text.is_empty());
    if let Some(version) = given(&options.version) {
        Version::parse(&version)?;
        metadata.version = version;
    }
    if let Some(mut app_version) = given(&options.app_version) {
        sanitise(&mut app_version);
        metadata.app_version = app_version;
    }
    if !matches!(metadata.api_version.as_str(), "v1" | "v2") {
        let message = format!("apiVersion {:?} is neither v1 nor v2", clip(&metadata.api_version));
        return Err(Error::new(Code::CHART_API_VERSION, message));
    }
    check_dependencies(archive)?;
    let mut writer = Writer { tar: Tar::default(), created: options.created };
    let written = writer.chart(archive, &metadata, "")?;
    writer.tar.finish();
    if metadata.api_version == "v1" {
        let requirements = archive.file("requirements.yaml");
        metadata.dependencies = Metadata::load(written.as_bytes(), requirements, limits)?.0.dependencies;
    }
    Packing::new(writer.tar, metadata)
}

/// What Chart.yaml declares has to be in `charts/`, by its name alone.
fn check_dependencies(archive: &Archive) -> Result<(), Error> {
    let vendored = |name: &str| archive.dependencies().iter().any(|chart| chart.metadata().name == name);
    let declared = archive.metadata().dependencies.iter().map(|dependency| dependency.name.as_str());
    let missing: Vec<String> = declared.filter(|name| !vendored(name)).map(clip).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => {
            let missing = missing.join(", ");
            let message = format!("found in Chart.yaml, but missing in charts/ directory: {missing}");
            Err(Error::new(Code::CHART_DEPENDENCIES_MISSING, message).with("missing", missing))
        }
    }
}

/// A time of RFC 3339, rounded as Go rounds it for a tar header; 0 if it is none.
fn nearest_second(time: &str) -> i64 {
    let past_half = time.split_once('.').is_some_and(|(_, fraction)| fraction.starts_with(['5', '6', '7', '8', '9']));
    Timestamp::parse_rfc3339(time).map_or(0, |time| time.as_unix() + i64::from(past_half))
}

/// Writes entries in Helm's order.
struct Writer {
    tar: Tar,
    created: Option<Timestamp>,
}

impl Writer {
    /// Writes a chart below `above`, which is empty or ends with a slash; gives its Chart.yaml. For apiVersion v1 the
    /// dependencies are taken out of the metadata: they stand in requirements.yaml, or are lost, as with Helm.
    fn chart(&mut self, chart: &Archive, metadata: &Metadata, above: &str) -> Result<String, Error> {
        if metadata.name.contains(|character: char| character == '\\' || character.is_control()) {
            let message = format!("the name {:?} cannot be a directory's everywhere", clip(&metadata.name));
            return Err(Error::new(Code::CHART_NAME, message));
        }
        let base = format!("{above}{}/", metadata.name);
        let modified = chart.files().iter().find(|file| file.path() == "Chart.yaml").map_or(0, File::modified);
        let is_v1 = metadata.api_version == "v1";
        let mut written = metadata.clone();
        if is_v1 {
            written.dependencies.clear();
        }
        let chart_yaml = written.to_yaml();
        self.document(&format!("{base}Chart.yaml"), modified, &chart_yaml);
        if let Some(lock) = chart.lock().filter(|_| metadata.api_version == "v2") {
            self.document(&format!("{base}Chart.lock"), nearest_second(&lock.generated), &lock.to_yaml());
        }
        if let Some(schema) = chart.schema() {
            serde_json::from_slice::<serde::de::IgnoredAny>(schema).map_err(|error| {
                Error::new(Code::JSON_SYNTAX, "this is no valid JSON")
                    .with("line", error.line())
                    .with("column", error.column().max(1))
                    .within(
                        "path",
                        format!("{}values.schema.json", base.split_once('/').map_or("", |(_, below)| below)),
                    )
            })?;
        }
        let is_own = |file: &&File| place(file.path()) == Place::File { root: "", path: file.path() };
        let own: Vec<&File> = chart.files().iter().filter(is_own).collect();
        let documents = ["values.yaml", "values.schema.json"];
        for document in documents {
            for file in own.iter().filter(|file| file.path() == document) {
                self.file(&base, chart, file);
            }
        }
        for templates in [true, false] {
            for file in own.iter().filter(|file| file.path().starts_with("templates/") == templates) {
                let is_kept = match file.path() {
                    "Chart.yaml" | "Chart.lock" => false,
                    "requirements.yaml" | "requirements.lock" => is_v1,
                    path => !documents.contains(&path),
                };
                if is_kept {
                    self.file(&base, chart, file);
                }
            }
        }
        let mut names = BTreeSet::new();
        for vendored in chart.dependencies() {
            let metadata = vendored.metadata();
            if !names.insert(metadata.name.clone()) {
                let message = format!("two charts in {base}charts are called {:?}", clip(&metadata.name));
                return Err(Error::new(Code::ARCHIVE_DUPLICATE, message));
            }
            self.chart(vendored, metadata, &format!("{base}charts/"))?;
        }
        Ok(chart_yaml)
    }

    /// One of the chart's files.
    fn file(&mut self, base: &str, chart: &Archive, file: &File) {
        let modified = self.created.map_or(file.modified(), Timestamp::as_unix);
        self.tar.file(&format!("{base}{}", file.path()), modified, chart.unpacked(), file.range());
    }

    /// What is written anew.
    fn document(&mut self, path: &str, modified: i64, text: &str) {
        let modified = self.created.map_or(modified, Timestamp::as_unix);
        self.tar.document(path, modified, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Entry, EntryKind, Verb};

    const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

    fn run(options: Options, mut answer: impl FnMut(Verb) -> Answer) -> Result<Packaged, Error> {
        let mut package = Package::new(options, &Limits::default());
        loop {
            match package.poll() {
                Step::Do(verb) => package.handle(answer(verb)),
                Step::Done(result) => return result,
            }
        }
    }

    fn packed(files: &[(&str, &str)], options: Options) -> Result<Packaged, Error> {
        package_in_memory(&mut Memory::from_iter(files.iter().copied()), options, &Limits::default())
    }

    fn times(packaged: &Packaged) -> Vec<(String, i64)> {
        let archive = Archive::read(&packaged.data, &Limits::default()).unwrap();
        archive.files().iter().map(|file| (file.path().to_owned(), file.modified())).collect()
    }

    #[test]
    fn chart_lock_bears_the_time_that_it_names_to_the_nearest_second() {
        let lock = "dependencies: []\ndigest: x\ngenerated: \"2021-02-03T04:05:06.789Z\"\n";
        let files = [("Chart.yaml", CHART), ("Chart.lock", lock)];
        let own = times(&packed(&files, Options::default()).unwrap());
        assert_eq!(own, [("Chart.yaml".to_owned(), 0), ("Chart.lock".to_owned(), 1_612_325_107)]);
        let created = Some(Timestamp::from_unix(1_700_000_000));
        let set = times(&packed(&files, Options { created, ..Options::default() }).unwrap());
        assert!(set.iter().all(|(_, time)| *time == 1_700_000_000));
    }

    #[test]
    fn what_is_set_anew_is_read_as_helm_reads_it() {
        let set = |version: &str, app_version: &str| {
            let (version, app_version) = (Some(version.to_owned()), Some(app_version.to_owned()));
            packed(&[("Chart.yaml", CHART)], Options { version, app_version, created: None }).unwrap().metadata
        };
        let metadata = set("", "a\nb\tc\u{200b}");
        assert_eq!((metadata.version.as_str(), metadata.app_version.as_str()), ("1.0.0", "a b c"));
        assert_eq!(set("v1.2", "").version, "v1.2");
    }

    #[test]
    fn the_metadata_of_a_package_is_that_of_its_archive() {
        let declared = "dependencies: [{name: dep}]";
        // Helm 4.3.1: what Chart.yaml of a v1 chart declares is lost.
        for (in_chart_yaml, requirements, count) in
            [("", Some(declared), 1), (declared, None, 0), (declared, Some("{}"), 0)]
        {
            let chart_yaml = format!("name: web\nversion: 1.0.0\n{in_chart_yaml}\n");
            let mut files =
                vec![("Chart.yaml", &*chart_yaml), ("charts/dep/Chart.yaml", "name: dep\nversion: 1.0.0\n")];
            files.extend(requirements.map(|text| ("requirements.yaml", text)));
            let packaged = packed(&files, Options::default()).unwrap();
            assert_eq!(packaged.metadata.dependencies.len(), count, "{files:?}");
            assert_eq!(Archive::read(&packaged.data, &Limits::default()).unwrap().metadata(), &packaged.metadata);
        }
    }

    #[test]
    fn a_link_is_refused_with_its_path_unless_it_is_ignored() {
        for (ignore, expected) in [("", Some(Code::FILES_LINK)), ("li*", None), ("link/", None)] {
            let result = run(Options::default(), |verb| match verb {
                Verb::List { .. } => Answer::Entries(
                    [("Chart.yaml", EntryKind::File), (".helmignore", EntryKind::File), ("link", EntryKind::Link)]
                        .map(|(name, kind)| Entry { name: name.to_owned(), kind, size: 100, modified: 0 })
                        .to_vec(),
                ),
                Verb::Read { path, .. } if path == "Chart.yaml" => Answer::Data(CHART.into()),
                _ => Answer::Data(ignore.into()),
            });
            assert_eq!(result.as_ref().err().map(Error::code), expected, "{ignore}");
            if let Err(error) = result {
                assert_eq!(error.context(), [("path", "link".to_owned())]);
            }
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_read_to_its_end() {
        let pieces = ["apiVersion: v2\n", "name: web\n", "version: 1.0.0\n"];
        let whole = pieces.concat();
        let result = run(Options::default(), |verb| match verb {
            Verb::Read { offset, limit, .. } => {
                let (start, limit) = (usize::try_from(offset).unwrap(), usize::try_from(limit).unwrap());
                Answer::Data(whole.as_bytes()[start..whole.len().min(start + limit)].to_vec())
            }
            _ => {
                let name = "Chart.yaml".to_owned();
                Answer::Entries(vec![Entry { name, kind: EntryKind::File, size: 3, modified: 0 }])
            }
        });
        assert_eq!(result.unwrap().metadata.name, "web");
    }

    #[test]
    fn two_vendored_charts_of_one_name_are_refused() {
        let vendored = "name: dep\nversion: 1.0.0\n";
        let files = [("Chart.yaml", CHART), ("charts/a/Chart.yaml", vendored), ("charts/b/Chart.yaml", vendored)];
        assert_eq!(packed(&files, Options::default()).unwrap_err().code(), Code::ARCHIVE_DUPLICATE);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_even_from_the_host() {
        for name in ["..", "a/b", "a\\b", "", "c:x", "a\0"] {
            let result = run(Options::default(), |_| {
                let entry = Entry { name: name.to_owned(), kind: EntryKind::File, size: 0, modified: 0 };
                Answer::Entries(vec![entry])
            });
            let code = result.unwrap_err().code();
            assert!(
                [Code::ARCHIVE_NAME, Code::ARCHIVE_PARENT, Code::ARCHIVE_OUTSIDE].contains(&code),
                "{name:?} {code}"
            );
        }
    }
}
