//! Chart archives (Helm 4.3, `pkg/chart/loader/archive` and `pkg/chart/v2/loader`): every entry is looked at before
//! anything is believed.
//!
//! Helm's rules decide what is a chart. Stricter on purpose, since readers of tar disagree there or a program is misled:
//! links, devices and files with holes, two entries for one path, two top folders, names that are not UTF-8 or start with
//! a drive's letter, and a wrong checksum are refused.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::gzip::{Bring, Brought, Packed, changed};
use super::walk::{Budget, Found, Keep, Walk};
use super::{Lock, Metadata};
use crate::diagnostic::{Report, Span};
use crate::error::{Code, Error, clip};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::order;
use crate::yaml::{self, Data, Node};

/// What a full pass over an archive found: the same verdict as [`Archive::read`], without keeping the files.
#[derive(Clone, Debug)]
pub struct Scan {
    /// From Chart.yaml, validated.
    pub metadata: Metadata,
    /// Of the packed bytes; of a chart vendored as a folder, those of the archive that it came in.
    pub digest: Digest,
    /// Packed bytes.
    pub size: u64,
    /// Digest and size are its own: there is an archive of this very chart. Not so of a directory, and of a chart vendored as a
    /// folder.
    pub is_packed: bool,
    /// Unpacked bytes of all files, those of nested archives included.
    pub unpacked: u64,
    /// Warnings that did not stop it.
    pub report: Report,
}

impl Scan {
    /// Looks at every entry of a packed archive. Beside `data` it needs memory for the largest document that is judged,
    /// not for the whole.
    ///
    /// ```
    /// use chartoci::chart::{Scan, package::Options, package_in_memory};
    /// use chartoci::{Digest, Limits, files::Memory};
    /// let mut files = Memory::from_iter([("Chart.yaml", "name: web\nversion: 1.0.0"), ("values.yaml", "a: 1")]);
    /// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
    /// let scan = Scan::read(&data, &Limits::default())?;
    /// assert_eq!((scan.metadata.name.as_str(), scan.digest), ("web", Digest::of(&data)));
    /// let cut_off = Scan::read(&data[..data.len() / 2], &Limits::default()).unwrap_err();
    /// assert_eq!(cut_off.code().name(), "archive.truncated");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// `archive.*`, `chart.*`, `yaml.*`, `limit.*`; always with the entry's name.
    pub fn read(data: &[u8], limits: &Limits) -> Result<Scan, Error> {
        Scanning::new(data, limits)?.finish()
    }
}

/// A [`Scan`] that stops once on its way, to say what the archive promises to be.
///
/// ```
/// # use chartoci::chart::{package::Options, package_in_memory};
/// # use chartoci::files::Memory;
/// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// # let limits = chartoci::Limits::default();
/// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
/// let mut scanning = chartoci::chart::Scanning::new(&data, &limits)?;
/// let promised = scanning.promised()?.unwrap();
/// // What has no tag yet can go up meanwhile.
/// let scan = scanning.finish()?;
/// assert_eq!((scan.metadata, scan.digest), (promised.metadata, promised.digest));
/// # Ok::<(), chartoci::Error>(())
/// ```
pub struct Scanning<'a> {
    walk: Walk<'a>,
    loader: Loader,
    budget: Budget,
    /// All of the packed bytes; none of a file.
    data: &'a [u8],
    size: u64,
    digest: Option<Digest>,
}

impl<'a> Scanning<'a> {
    /// Starts.
    ///
    /// # Errors
    /// `archive.*`, `limit.*`: it is no archive at all.
    pub fn new(data: &'a [u8], limits: &'a Limits) -> Result<Scanning<'a>, Error> {
        let walk = Walk::new(data, limits, Keep::Verdict)?;
        Ok(Scanning::over(walk, data, data.len() as u64, limits))
    }

    /// Starts with a file of so many bytes, however large, of which no more than a piece is held. What is promised is
    /// hashed in a pass ahead; what is found has the digest of the very bytes that were looked at, and where that is another
    /// than was promised, the file was changed meanwhile.
    ///
    /// ```
    /// # use chartoci::chart::{Scan, Scanning, package::Options, package_in_memory};
    /// # use chartoci::files::Memory;
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let limits = chartoci::Limits::default();
    /// # let file = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let mut bring = |offset: u64, buffer: &mut [u8]| {
    ///     let rest = &file[offset as usize..];
    ///     let count = rest.len().min(buffer.len());
    ///     buffer[..count].copy_from_slice(&rest[..count]);
    ///     Ok(count)
    /// };
    /// let scan = Scanning::of_file(file.len() as u64, &mut bring, &limits)?.finish()?;
    /// assert_eq!(scan.digest, Scan::read(&file, &limits)?.digest);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scanning::new`], and what `bring` fails with.
    pub fn of_file(size: u64, bring: Bring<'a>, limits: &'a Limits) -> Result<Scanning<'a>, Error> {
        let mut walk = Walk::of_file(Brought::new(size, Some(bring)), limits)?;
        walk.look()?;
        Ok(Scanning::over(walk, &[], size, limits))
    }

    fn over(walk: Walk<'a>, data: &'a [u8], size: u64, limits: &'a Limits) -> Scanning<'a> {
        let (loader, budget) = (Loader::new(limits, Keep::Verdict), Budget::of_file(limits, size));
        Scanning { walk, loader, budget, data, size, digest: None }
    }

    /// Goes on until the chart's own Chart.yaml has been read. What it says, with digest and size of the archive, is what the
    /// whole will be found to be if nothing that follows contradicts: a promise, and no verdict. `None`: it cannot be told
    /// yet, since this is a v1 chart (what it depends on stands in another file), or Chart.yaml cannot be used.
    ///
    /// # Errors
    /// As [`Scan::read`], for what stands before it.
    pub fn promised(&mut self) -> Result<Option<Scan>, Error> {
        while self.loader.chart_yaml().is_none() && step(&mut self.loader, &mut self.walk, &mut self.budget, &mut None)?
        {
        }
        let read = |chart_yaml| Metadata::load(chart_yaml, None, &self.loader.limits).ok();
        let promised = self.loader.chart_yaml().and_then(read).filter(|(metadata, _)| metadata.api_version != "v1");
        let Some((metadata, report)) = promised else { return Ok(None) };
        let digest = match self.walk.packed() {
            Packed::Whole(_) => Digest::of(self.data),
            Packed::Brought(file) => file.promised()?,
        };
        self.digest = Some(digest.clone());
        Ok(Some(Scan { metadata, digest, size: self.size, is_packed: true, unpacked: self.budget.used, report }))
    }

    /// Looks at all that is left.
    ///
    /// # Errors
    /// As [`Scan::read`]; [`Code::FILES_CHANGED`]: of a file other bytes were hashed for the promise than looked at now.
    pub fn finish(mut self) -> Result<Scan, Error> {
        while step(&mut self.loader, &mut self.walk, &mut self.budget, &mut None)? {}
        if let Some(file) = self.walk.packed().file() {
            let digest = file.finish()?;
            if self.digest.replace(digest.clone()).is_some_and(|promised| promised != digest) {
                return Err(changed());
            }
        }
        let mut digest = || self.digest.take().unwrap_or_else(|| Digest::of(self.data));
        Ok(self.loader.finish(Vec::new(), &mut digest, self.size, self.budget.used)?.scan)
    }
}

/// A chart archive, unpacked in memory.
///
/// ```
/// use chartoci::chart::{Archive, package::Options, package_in_memory};
/// use chartoci::{Limits, files::Memory};
/// let mut files = Memory::from_iter([
///     ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0"),
///     ("Chart.lock", "dependencies: []\ndigest: sha256:0\ngenerated: \"2026-01-01T00:00:00Z\""),
///     ("README.md", "# Web\n"),
///     ("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 2.0.0"),
///     ("crds/web.yaml", "kind: CustomResourceDefinition"),
///     ("templates/web.yaml", "kind: Service"),
///     ("values.schema.json", "{}"),
///     ("values.yaml", "replicas: 2"),
/// ]);
/// let data = package_in_memory(&mut files, Options::default(), &Limits::default())?.data;
///
/// let archive = Archive::read(&data, &Limits::default())?;
/// assert_eq!((archive.metadata().name.as_str(), archive.scan().size), ("web", data.len() as u64));
/// assert!(archive.paths().any(|path| path == "templates/web.yaml"));
/// assert_eq!(archive.file("crds/web.yaml"), Some(&b"kind: CustomResourceDefinition"[..]));
/// assert_eq!((archive.values_yaml(), archive.schema()), (Some(&b"replicas: 2"[..]), Some(&b"{}"[..])));
/// assert!(archive.values().get("replicas").is_some());
/// assert_eq!(archive.readme(), Some(("README.md", &b"# Web\n"[..])));
/// assert_eq!((archive.crds(), archive.templates()), (vec!["crds/web.yaml"], vec!["templates/web.yaml"]));
/// assert_eq!(archive.lock().map(|lock| lock.digest.as_str()), Some("sha256:0"));
/// assert_eq!(archive.dependencies()[0].metadata().version, "2.0.0");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Archive {
    scan: Scan,
    unpacked: Arc<Vec<u8>>,
    /// In the archive's order.
    files: Vec<File>,
    /// Indices into `files`, by path.
    by_path: Vec<usize>,
    values: OnceLock<Node>,
    lock: Option<Lock>,
    dependencies: Vec<Archive>,
    limits: Limits,
}

/// A file, its content a range of the unpacked bytes.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Below the archive's root.
    path: Arc<str>,
    /// Bytes of the path that lead to the chart.
    above: usize,
    range: Range<usize>,
    modified: i64,
}

impl File {
    pub(super) fn new(path: &str, range: Range<usize>, modified: i64) -> File {
        File { path: path.into(), above: 0, range, modified }
    }

    /// Below the chart's root.
    pub(crate) fn path(&self) -> &str {
        &self.path[self.above..]
    }

    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// In seconds since 1970-01-01T00:00:00Z.
    pub(super) fn modified(&self) -> i64 {
        self.modified
    }
}

impl Archive {
    /// Reads a packed archive whole.
    ///
    /// # Errors
    /// As [`Scan::read`].
    pub fn read(data: &[u8], limits: &Limits) -> Result<Archive, Error> {
        Archive::read_unpacked(data, limits, Vec::new(), || Digest::of(data))
    }

    /// The same with the help of a host that has threads: `unpacked` is all that an [`Unpacking`](super::Unpacking) made of
    /// `data`, or empty, and then it is unpacked here; `digest` is that of `data`, and is asked for when the rest is done.
    ///
    /// ```
    /// # use chartoci::chart::{Archive, package::Options, package_in_memory};
    /// # use chartoci::{Digest, files::Memory};
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let limits = chartoci::Limits::default();
    /// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let archive = Archive::read_unpacked(&data, &limits, Vec::new(), || Digest::of(&data))?;
    /// assert_eq!(archive.scan().digest, Archive::read(&data, &limits)?.scan().digest);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scan::read`].
    pub fn read_unpacked(
        data: &[u8],
        limits: &Limits,
        unpacked: Vec<u8>,
        mut digest: impl FnMut() -> Digest,
    ) -> Result<Archive, Error> {
        let mut walk = Walk::new(data, limits, Keep::Files)?;
        if !unpacked.is_empty() {
            walk = walk.unpacked(unpacked);
        }
        load(walk, data, limits, &mut Budget::packed(limits, data.len()), &mut digest)
    }

    /// Takes that for the digest of the packed bytes, in the charts that are vendored as folders, too: for a host that has
    /// hashed them by itself.
    ///
    /// ```
    /// # use chartoci::chart::{Archive, package::Options, package_in_memory};
    /// # use chartoci::{Digest, files::Memory};
    /// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
    /// # let limits = chartoci::Limits::default();
    /// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
    /// let placeholder = Digest::of(b"");
    /// let mut archive = Archive::read_unpacked(&data, &limits, Vec::new(), || placeholder.clone())?;
    /// archive.set_digest(&Digest::of(&data));
    /// assert_eq!(archive.scan().digest, Digest::of(&data));
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    pub fn set_digest(&mut self, digest: &Digest) {
        self.scan.digest = digest.clone();
        for vendored in &mut self.dependencies {
            if Arc::ptr_eq(&vendored.unpacked, &self.unpacked) {
                vendored.set_digest(digest);
            }
        }
    }

    /// The same, of files that were never packed.
    pub(super) fn of_directory(mut self) -> Archive {
        self.scan.is_packed = false;
        self
    }

    /// The verdict on the whole.
    pub fn scan(&self) -> &Scan {
        &self.scan
    }

    /// From Chart.yaml.
    pub fn metadata(&self) -> &Metadata {
        &self.scan.metadata
    }

    /// Paths below the chart's root, in the archive's order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(File::path)
    }

    /// The bytes of a file, without the byte order mark that Helm drops.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let at = self.by_path.binary_search_by(|at| self.files[*at].path().cmp(path)).ok()?;
        Some(&self.unpacked[self.files[self.by_path[at]].range.clone()])
    }

    /// values.yaml, as it is.
    pub fn values_yaml(&self) -> Option<&[u8]> {
        self.file("values.yaml")
    }

    /// values.yaml, as Helm reads it (documents merged; an empty mapping if absent).
    pub fn values(&self) -> &Node {
        self.values.get_or_init(|| {
            let text = self.values_yaml().unwrap_or_default();
            merged_values(text, &self.limits).unwrap_or_else(|_| empty_mapping())
        })
    }

    /// values.schema.json, as it is.
    pub fn schema(&self) -> Option<&[u8]> {
        self.file("values.schema.json")
    }

    /// Path and bytes of the README, as Helm finds it: the first of `readme.md`, `readme.txt` and `readme` in the
    /// archive's order, in any case.
    pub fn readme(&self) -> Option<(&str, &[u8])> {
        const NAMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];
        let path = self.paths().find(|path| NAMES.iter().any(|name| path.eq_ignore_ascii_case(name)))?;
        Some((path, self.file(path)?))
    }

    /// Paths of CRDs, as Helm finds them, the chart's own: below `crds/`, with the ending of a manifest in any case.
    pub fn crds(&self) -> Vec<&str> {
        let is_manifest = |path: &&str| {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            ["yaml", "yml", "json"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        };
        self.paths().filter(|path| path.starts_with("crds/")).filter(is_manifest).collect()
    }

    /// Paths of templates: all that stands below `templates/`.
    pub fn templates(&self) -> Vec<&str> {
        self.paths().filter(|path| path.starts_with("templates/")).collect()
    }

    /// Chart.lock or requirements.lock.
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// Charts vendored in `charts/`, folders and archives, by name.
    pub fn dependencies(&self) -> &[Archive] {
        &self.dependencies
    }

    /// Path and bytes of a file, by its place in the archive's order.
    pub(super) fn entry(&self, at: usize) -> Option<(&str, &[u8])> {
        let file = self.files.get(at)?;
        Some((file.path(), &self.unpacked[file.range.clone()]))
    }

    /// Every file, in the archive's order.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// What their ranges are of.
    pub(super) fn unpacked(&self) -> &Arc<Vec<u8>> {
        &self.unpacked
    }
}

/// Chart.yaml of an archive, as it is; reading stops there.
///
/// # Errors
/// `archive.*` and `limit.*` for what stands before it, [`Code::CHART_MISSING`] where there is none.
pub(crate) fn peek_chart_yaml(data: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut walk = Walk::new(data, limits, Keep::Verdict)?;
    let mut budget = Budget::packed(limits, data.len());
    while let Some(file) = walk.next(&mut budget)? {
        if file.path == "Chart.yaml" {
            let range = walk.content(&file)?;
            return Ok(walk.bytes()[range].to_vec());
        }
    }
    Err(chart_missing(""))
}

/// What was found of one chart: the archive's own, or one vendored as a folder.
#[derive(Default)]
struct Chart {
    chart_yaml: Option<Vec<u8>>,
    requirements: Option<Vec<u8>>,
    lock: Option<Lock>,
    dependencies: Vec<Archive>,
}

impl Chart {
    /// Takes in one of the documents that decide whether this is a chart.
    fn judge(&mut self, path: &str, text: &[u8], limits: &Limits) -> Result<(), Error> {
        match path {
            "Chart.yaml" => self.chart_yaml = Some(text.to_vec()),
            "requirements.yaml" => self.requirements = Some(text.to_vec()),
            "values.yaml" => drop(merged_values(text, limits)?),
            "requirements.lock" => self.lock = Lock::load(text, "requirements.lock", limits)?,
            _ => self.lock = Lock::load(text, "Chart.lock", limits)?,
        }
        Ok(())
    }
}

/// Where Helm's loader puts a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Into the chart whose root this is; `path` is below it.
    File { root: &'a str, path: &'a str },
    /// A packed chart, vendored in the chart whose root this is.
    Archive { root: &'a str },
    /// Nowhere: names in `charts/` that start with `_` or `.`.
    Nowhere,
    /// Nowhere, and that is a mistake: a folder called `….tgz`.
    Mistake,
}

pub(crate) fn place(path: &str) -> Place<'_> {
    let (mut root, mut rest) = ("", path);
    while let Some(vendored) = rest.strip_prefix("charts/").filter(|_| !rest.ends_with(".prov")) {
        let (name, below) = vendored.split_once('/').map_or((vendored, None), |(name, below)| (name, Some(below)));
        if name.starts_with(['_', '.']) {
            return Place::Nowhere;
        }
        if name.ends_with(".tgz") {
            return if below.is_none() { Place::Archive { root } } else { Place::Mistake };
        }
        rest = below.unwrap_or_default();
        root = path[..path.len() - rest.len()].trim_end_matches('/');
    }
    Place::File { root, path: rest }
}

fn load(
    mut walk: Walk,
    data: &[u8],
    limits: &Limits,
    budget: &mut Budget,
    digest: &mut dyn FnMut() -> Digest,
) -> Result<Archive, Error> {
    let spent_before = budget.used;
    let mut loader = Loader::new(limits, walk.keep());
    while step(&mut loader, &mut walk, budget, &mut None)? {}
    loader.finish(walk.into_bytes(), digest, data.len() as u64, budget.used - spent_before)
}

/// Takes in the next file; false at the end. `found` is one whose content was not there yet.
pub(super) fn step(
    loader: &mut Loader,
    walk: &mut Walk,
    budget: &mut Budget,
    found: &mut Option<Found>,
) -> Result<bool, Error> {
    let Some(next) = found.take().map_or_else(|| walk.next(budget), |found| Ok(Some(found)))? else { return Ok(false) };
    let next = found.insert(next);
    let range = if loader.wants(&next.path) { walk.content(next)? } else { 0..0 };
    let Some(found) = found.take() else { return Ok(false) };
    let content = &walk.bytes()[range.clone()];
    let file = File::new(&found.path, range, found.modified);
    loader.add(file, content, budget).map_err(|error| error.within("entry", clip(&found.name)))?;
    Ok(true)
}

/// Sorts files into charts, and judges them, as Helm's loader does.
pub(super) struct Loader {
    limits: Limits,
    keep: Keep,
    charts: Vec<Chart>,
    /// Their places, by root.
    roots: BTreeMap<String, usize>,
    /// How many entries came before it, for each path.
    paths: BTreeMap<String, usize>,
    files: Vec<File>,
}

impl Loader {
    pub(super) fn new(limits: &Limits, keep: Keep) -> Loader {
        let mut roots = BTreeMap::new();
        roots.insert(String::new(), 0);
        let limits = limits.clone();
        Loader { limits, keep, charts: vec![Chart::default()], roots, paths: BTreeMap::new(), files: Vec::new() }
    }

    /// Chart.yaml of the archive's own chart.
    fn chart_yaml(&self) -> Option<&[u8]> {
        self.charts.first().and_then(|chart| chart.chart_yaml.as_deref())
    }

    /// The content of this file has to be handed to [`Loader::add`].
    fn wants(&self, path: &str) -> bool {
        match place(path) {
            Place::File { path, .. } => self.keep == Keep::Files || DOCUMENTS.contains(&path),
            Place::Archive { .. } => true,
            Place::Nowhere | Place::Mistake => self.keep == Keep::Files,
        }
    }

    /// Takes in a file.
    pub(super) fn add(&mut self, file: File, content: &[u8], budget: &mut Budget) -> Result<(), Error> {
        match place(&file.path) {
            Place::File { root, path } => {
                let place = self.chart_at(root)?;
                if DOCUMENTS.contains(&path) {
                    self.charts[place].judge(path, content, &self.limits).map_err(|error| error.in_chart(root))?;
                }
            }
            Place::Archive { root } => {
                budget.nesting = budget.nesting.checked_sub(1).ok_or_else(nested_too_deep)?;
                let walk = Walk::new(content, &self.limits, self.keep)?;
                let vendored = load(walk, content, &self.limits, budget, &mut || Digest::of(content))?;
                budget.nesting += 1;
                let place = self.chart_at(root)?;
                self.charts[place].dependencies.push(vendored);
            }
            Place::Nowhere => {}
            Place::Mistake => return Err(Error::new(Code::CHART_MISSING, "a folder is called like an archive")),
        }
        if self.paths.insert(file.path.to_string(), self.paths.len()).is_some() {
            return Err(Error::new(Code::ARCHIVE_DUPLICATE, "another entry has the same path"));
        }
        if self.keep == Keep::Files {
            self.files.push(file);
        }
        Ok(())
    }

    /// The place of the chart of that root; those above it are there from then on, too.
    fn chart_at(&mut self, root: &str) -> Result<usize, Error> {
        if !self.roots.contains_key(root) {
            if root.matches('/').count().div_ceil(2) > usize::try_from(self.limits.nesting).unwrap_or(usize::MAX) {
                return Err(nested_too_deep());
            }
            let mut missing = root;
            while !self.roots.contains_key(missing) {
                self.roots.insert(missing.to_owned(), self.charts.len());
                self.charts.push(Chart::default());
                missing = parent(missing);
            }
        }
        Ok(self.roots.get(root).copied().unwrap_or_default())
    }

    /// Judges each chart's metadata, and puts the vendored ones into those that they belong to.
    pub(super) fn finish(
        mut self,
        bytes: Vec<u8>,
        digest: &mut dyn FnMut() -> Digest,
        size: u64,
        unpacked: u64,
    ) -> Result<Archive, Error> {
        if self.paths.is_empty() {
            return Err(Error::new(Code::ARCHIVE_EMPTY, "there is no file in the archive"));
        }
        let bytes = Arc::new(bytes);
        let mut judged = Vec::with_capacity(self.charts.len());
        for (root, place) in &self.roots {
            let chart = &mut self.charts[*place];
            let chart_yaml = chart.chart_yaml.as_deref().ok_or_else(|| chart_missing(root))?;
            let (metadata, report) =
                Metadata::load(chart_yaml, chart.requirements.as_deref(), &self.limits).map_err(|error| {
                    if root.is_empty() { error } else { error.in_chart(root).within("entry", clip(root)) }
                })?;
            judged.push((root, *place, metadata, report, chart.lock.take()));
        }
        let by_path = order::places(self.files.len(), &|a, b| self.files[a].path < self.files[b].path);
        let digest = digest();
        // The charts are in the order of their roots, so from the end on each comes after all that it contains.
        while let Some((root, place, metadata, report, lock)) = judged.pop() {
            let mut dependencies = std::mem::take(&mut self.charts[place].dependencies);
            order::sort(&mut dependencies, |a, b| a.metadata().name < b.metadata().name);
            let files = files_below(root, &self.files, &by_path);
            let by_path = order::places(files.len(), &|a, b| files[a].path() < files[b].path());
            let archive = Archive {
                scan: Scan { metadata, digest: digest.clone(), size, is_packed: root.is_empty(), unpacked, report },
                unpacked: Arc::clone(&bytes),
                files,
                by_path,
                values: OnceLock::new(),
                lock,
                dependencies,
                limits: self.limits.clone(),
            };
            if root.is_empty() {
                return Ok(archive);
            }
            if let Some(above) = self.roots.get(parent(root)) {
                self.charts[*above].dependencies.push(archive);
            }
        }
        Err(chart_missing(""))
    }
}

/// The documents that decide whether a folder is a chart.
pub(crate) const DOCUMENTS: [&str; 5] =
    ["Chart.yaml", "Chart.lock", "values.yaml", "requirements.yaml", "requirements.lock"];

/// The root of the chart that a vendored chart stands in: without `/charts/NAME`.
pub(crate) fn parent(root: &str) -> &str {
    root.rsplitn(3, '/').nth(2).unwrap_or("")
}

/// The files of a chart, as it sees them and in the archive's order; `by_path` has all files' indices in their order.
fn files_below(root: &str, files: &[File], by_path: &[usize]) -> Vec<File> {
    if root.is_empty() {
        return files.to_vec();
    }
    let folder = format!("{root}/");
    let start = by_path.partition_point(|at| *files[*at].path < *folder);
    let below = by_path[start..].iter().take_while(|at| files[**at].path.starts_with(&folder));
    let mut below: Vec<usize> = below.copied().collect();
    order::sort(&mut below, |a, b| a < b);
    below.into_iter().map(|at| File { above: folder.len(), ..files[at].clone() }).collect()
}

/// All documents of values.yaml as one mapping: a later one goes before an earlier one, mapping by mapping.
pub(crate) fn merged_values(text: &[u8], limits: &Limits) -> Result<Node, Error> {
    let mut documents = yaml::parse_values(text, limits)?;
    for document in &documents {
        document.check_json()?;
        match document.data {
            Data::Null | Data::Mapping(_) => {}
            _ => {
                return Err(Error::new(Code::VALUES_MAPPING, format!("the values are {}", document.describe()))
                    .with("line", document.span.line)
                    .with("column", document.span.column));
            }
        }
    }
    documents.retain(|document| document.data != Data::Null);
    Ok(match documents.is_empty() {
        true => empty_mapping(),
        false => Node { span: Span::default(), ..yaml::merge(documents) },
    })
}

fn empty_mapping() -> Node {
    Node { data: Data::Mapping(yaml::Mapping::default()), ..Node::default() }
}

pub(crate) fn nested_too_deep() -> Error {
    Error::new(Code::LIMIT_NESTING, "charts are nested deeper than the limit allows")
}

pub(crate) fn chart_missing(root: &str) -> Error {
    let error = Error::new(Code::CHART_MISSING, "Chart.yaml is missing");
    if root.is_empty() { error } else { error.within("entry", clip(root)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::{gzip::gzip, tar};
    use super::*;

    pub(in super::super) const CHART: &[u8] = b"apiVersion: v2\nname: web\nversion: 0.1.0\n";

    pub(crate) fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, content) in files {
            tar::append(&mut out, name, 7, content);
        }
        tar::finish(&mut out);
        gzip(&out)
    }

    fn refusal(files: &[(&str, &[u8])]) -> Code {
        let data = packed(files);
        let code = Archive::read(&data, &Limits::default()).unwrap_err().code();
        assert_eq!(Scan::read(&data, &Limits::default()).unwrap_err().code(), code);
        code
    }

    #[test]
    fn names_are_judged_as_helm_does_and_where_readers_disagree_more_strictly() {
        for (name, code) in [
            ("Chart.yaml", Code::ARCHIVE_OUTSIDE),
            ("web/", Code::ARCHIVE_OUTSIDE),
            ("web/.", Code::ARCHIVE_OUTSIDE),
            ("web//etc/passwd", Code::ARCHIVE_ABSOLUTE),
            ("web/../x", Code::ARCHIVE_PARENT),
            ("web/a/../../x", Code::ARCHIVE_PARENT),
            ("web/..x", Code::ARCHIVE_PARENT),
            ("web\\..\\x", Code::ARCHIVE_PARENT),
            ("web/C:/x", Code::ARCHIVE_NAME),
            ("web\\c:x", Code::ARCHIVE_NAME),
            ("Chart.yaml/x", Code::ARCHIVE_OUTSIDE),
        ] {
            assert_eq!(refusal(&[(name, b"")]), code, "{name}");
        }
        assert_eq!(refusal(&[("web/a", b""), ("other/b", b"")]), Code::ARCHIVE_TOP_FOLDER);
        assert_eq!(refusal(&[("web/a", b""), ("web/./a", b"")]), Code::ARCHIVE_DUPLICATE);
        assert_eq!(refusal(&[]), Code::ARCHIVE_EMPTY);
    }

    #[test]
    fn a_file_goes_where_helms_loader_puts_it() {
        for (path, expected) in [
            ("values.yaml", Place::File { root: "", path: "values.yaml" }),
            ("charts/a/values.yaml", Place::File { root: "charts/a", path: "values.yaml" }),
            ("charts/a/charts/b/c/d", Place::File { root: "charts/a/charts/b", path: "c/d" }),
            ("charts/README.md", Place::File { root: "charts/README.md", path: "" }),
            ("charts/a/x.prov", Place::File { root: "", path: "charts/a/x.prov" }),
            ("charts/a.tgz", Place::Archive { root: "" }),
            ("charts/a/charts/b.tgz", Place::Archive { root: "charts/a" }),
            ("charts/a.tgz/b", Place::Mistake),
            ("charts/_a/Chart.yaml", Place::Nowhere),
            ("charts/.a.tgz", Place::Nowhere),
            ("charts", Place::File { root: "", path: "charts" }),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn the_metadata_can_be_had_without_the_rest_of_the_archive() {
        let data = packed(&[("web/Chart.yaml", CHART), ("web/big", &[7; 1 << 20])]);
        let cut = &data[..data.len() - 100];
        assert_eq!(peek_chart_yaml(cut, &Limits::default()).unwrap(), CHART);
        let none = packed(&[("web/charts/a/Chart.yaml", CHART)]);
        assert_eq!(peek_chart_yaml(&none, &Limits::default()).unwrap_err().code(), Code::CHART_MISSING);
    }

    #[test]
    fn a_running_scan_tells_what_chart_yaml_promises_and_judges_the_rest_all_the_same() {
        let limits = Limits::default();
        let promised = |data: &[u8]| Scanning::new(data, &limits)?.promised();
        let data = packed(&[("web/a", b""), ("web/Chart.yaml", CHART), ("web/big", &[7; 1 << 20])]);
        let mut scanning = Scanning::new(&data, &limits).unwrap();
        let front = scanning.promised().unwrap().unwrap();
        assert!(front.unpacked < 1000, "it has read no further");
        assert_eq!(scanning.promised().unwrap().unwrap().metadata, front.metadata, "asked again");
        let scan = scanning.finish().unwrap();
        assert_eq!((&scan.metadata, &scan.digest, scan.size), (&front.metadata, &front.digest, front.size));
        assert_eq!(scan.unpacked, Scan::read(&data, &limits).unwrap().unpacked);

        let other: &[u8] = b"apiVersion: v2\nname: evil\nversion: 6.6.6\n";
        for second in ["web/Chart.yaml", "web/./Chart.yaml", "web/a/../Chart.yaml"] {
            let data = packed(&[("web/Chart.yaml", CHART), (second, other)]);
            let mut scanning = Scanning::new(&data, &limits).unwrap();
            assert_eq!(scanning.promised().unwrap().unwrap().metadata.name, "web");
            assert_eq!(scanning.finish().unwrap_err().code(), Code::ARCHIVE_DUPLICATE, "{second}");
        }
        let linked = packed(&[("web/../x", b""), ("web/Chart.yaml", CHART)]);
        assert_eq!(promised(&linked).unwrap_err(), Scan::read(&linked, &limits).unwrap_err());
        let v1: &[u8] = b"apiVersion: v1\nname: web\nversion: 1.0.0\n";
        for unknown in [&[("web/Chart.yaml", v1)][..], &[("web/Chart.yaml", b"name: [")], &[("web/a", b"")], &[]] {
            let data = packed(unknown);
            assert!(promised(&data).unwrap().is_none());
            let mut scanning = Scanning::new(&data, &limits).unwrap();
            scanning.promised().unwrap();
            let (one, other) = (scanning.finish(), Scan::read(&data, &limits));
            assert_eq!(one.map(|scan| scan.unpacked), other.map(|scan| scan.unpacked));
        }
    }

    #[test]
    fn a_digest_that_the_host_made_is_that_of_all_that_came_in_the_same_archive() {
        let packed_chart = packed(&[("b/Chart.yaml", CHART)]);
        let data = packed(&[
            ("web/Chart.yaml", CHART),
            ("web/charts/a/Chart.yaml", b"name: a\nversion: 1.0.0\n"),
            ("web/charts/web.tgz", &packed_chart),
        ]);
        let expected = Archive::read(&data, &Limits::default()).unwrap();
        let mut archive = Archive::read_unpacked(&data, &Limits::default(), Vec::new(), || Digest::of(b"")).unwrap();
        archive.set_digest(&Digest::of(&data));
        let digests = |archive: &Archive| -> Vec<Digest> {
            archive.dependencies().iter().chain([archive]).map(|chart| chart.scan().digest.clone()).collect()
        };
        assert_eq!(digests(&archive), digests(&expected));
        assert_eq!(digests(&archive), [Digest::of(&data), Digest::of(&packed_chart), Digest::of(&data)]);
    }

    #[test]
    fn limits_stop_what_is_too_much() {
        let limits = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            limits
        };
        let data = packed(&[("web/a", &[0; 600]), ("web/b", &[0; 400])]);
        let code = |limits: &Limits| Scan::read(&data, limits).unwrap_err().code();
        assert_eq!(code(&limits(|limits| limits.archive = 10)), Code::LIMIT_ARCHIVE);
        assert_eq!(code(&limits(|limits| limits.unpacked = 1000)), Code::LIMIT_UNPACKED);
        assert_eq!(code(&limits(|limits| limits.unpacked = 1001)), Code::CHART_MISSING);
        assert_eq!(code(&limits(|limits| limits.file = 599)), Code::LIMIT_FILE);
        assert_eq!(code(&limits(|limits| limits.files = 1)), Code::LIMIT_FILES);
        assert_eq!(code(&limits(|limits| limits.files = 2)), Code::CHART_MISSING);
    }

    #[test]
    fn nesting_is_counted_over_folders_and_archives() {
        let folders = format!("web/{}Chart.yaml", "charts/a/".repeat(9));
        assert_eq!(refusal(&[("web/Chart.yaml", CHART), (&folders, CHART)]), Code::LIMIT_NESTING);
        let mut data = packed(&[("web/Chart.yaml", CHART)]);
        for _ in 0..9 {
            data = packed(&[("web/charts/a.tgz", &data)]);
        }
        assert_eq!(Scan::read(&data, &Limits::default()).unwrap_err().code(), Code::LIMIT_NESTING);
    }

    #[test]
    fn a_file_that_is_brought_piece_by_piece_is_found_to_be_the_same() {
        let mut data = packed(&[("web/Chart.yaml", CHART), ("web/a", &noise()), ("web/values.yaml", b"a: 1")]);
        data.extend(b"garbage");
        let limits = Limits::default();
        let expected = Scan::read(&data, &limits).unwrap();
        for most in [1000, 1 << 20] {
            let mut bring = |offset: u64, into: &mut [u8]| {
                let most = most.min(into.len());
                Ok(copy(&data, offset, &mut into[..most]))
            };
            let mut scanning = Scanning::of_file(data.len() as u64, &mut bring, &limits).unwrap();
            let promised = scanning.promised().unwrap().unwrap();
            let found = scanning.finish().unwrap();
            assert_eq!((&promised.digest, promised.size), (&expected.digest, expected.size));
            assert_eq!((found.digest, found.size, found.unpacked), (promised.digest, promised.size, expected.unpacked));
        }
    }

    #[test]
    fn a_file_that_is_changed_or_cut_meanwhile_is_refused() {
        let data = packed(&[("web/Chart.yaml", CHART), ("web/a", &noise())]);
        let (limits, size) = (Limits::default(), data.len() as u64 + 1);
        for (first, later) in [(&b"x"[..], &b"y"[..]), (b"x", b""), (b"", b"")] {
            let end = std::cell::Cell::new(first);
            let mut bring = |offset: u64, into: &mut [u8]| Ok(copy(&[&data, end.get()].concat(), offset, into));
            let mut scanning = Scanning::of_file(size, &mut bring, &limits).unwrap();
            let promised = scanning.promised();
            end.set(later);
            let failed = promised.and_then(|_| scanning.finish()).unwrap_err();
            assert_eq!(failed.code(), Code::FILES_CHANGED);
        }
    }

    pub(in super::super) fn noise() -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..700_000).map(|_| next()).collect()
    }

    fn copy(data: &[u8], offset: u64, into: &mut [u8]) -> usize {
        let rest = data.get(offset as usize..).unwrap_or_default();
        let count = into.len().min(rest.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    }
}
