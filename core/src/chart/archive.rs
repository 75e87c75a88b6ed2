//! Chart archives (Helm 4.3, `pkg/chart/loader/archive` and `pkg/chart/v2/loader`): every entry is looked at before
//! anything is believed.
//!
//! Helm's rules decide what is a chart. Stricter on purpose, since readers of tar disagree there or a program is misled:
//! links, devices and files with holes, two entries for one path, two top folders, names that are not UTF-8 or start with
//! a drive's letter, and a wrong checksum are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::gzip::{Gunzip, MAGIC};
use super::tar::{BLOCK, Entry, EntryKind, Header, Overrides};
use super::{Lock, Metadata};
use crate::diagnostic::Report;
use crate::error::{Code, Error, clip};
use crate::limits::Limits;
use crate::oci::Digest;
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
    /// Unpacked bytes of all files, those of nested archives included.
    pub unpacked: u64,
    /// Warnings that did not stop it.
    pub report: Report,
}

impl Scan {
    /// Looks at every entry of a packed archive. Beside `data` it needs memory for the largest document that is judged,
    /// not for the whole.
    ///
    /// # Errors
    /// `archive.*`, `chart.*`, `yaml.*`, `limit.*`; always with the entry's name.
    pub fn read(data: &[u8], limits: &Limits) -> Result<Scan, Error> {
        Ok(load(data, limits, &mut Budget::new(limits), Keep::Verdict)?.scan)
    }
}

/// A chart archive, unpacked in memory.
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

#[derive(Clone, Debug)]
struct File {
    path: String,
    range: Range<usize>,
    modified: i64,
}

impl Archive {
    /// Reads a packed archive whole.
    ///
    /// # Errors
    /// As [`Scan::read`].
    pub fn read(data: &[u8], limits: &Limits) -> Result<Archive, Error> {
        load(data, limits, &mut Budget::new(limits), Keep::Files)
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
        self.files.iter().map(|file| file.path.as_str())
    }

    /// The bytes of a file, without the byte order mark that Helm drops.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let at = self.by_path.binary_search_by(|at| self.files[*at].path.as_str().cmp(path)).ok()?;
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

    /// Path, bytes and last change (in seconds since 1970-01-01T00:00:00Z) of every file, in the archive's order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &[u8], i64)> {
        self.files.iter().map(|file| (file.path.as_str(), &self.unpacked[file.range.clone()], file.modified))
    }
}

/// Chart.yaml of an archive, as it is; reading stops there.
///
/// # Errors
/// `archive.*` and `limit.*` for what stands before it, [`Code::CHART_MISSING`] where there is none.
pub(crate) fn peek_chart_yaml(data: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut walk = Walk::new(data, limits, Keep::Verdict)?;
    let mut budget = Budget::new(limits);
    while let Some(file) = walk.next(&mut budget)? {
        if file.path == "Chart.yaml" {
            let range = walk.content(&file)?;
            return Ok(walk.window.data[range].to_vec());
        }
    }
    Err(chart_missing(""))
}

/// What a pass leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Verdict,
    Files,
}

/// What is left of the limits, for an archive and all that are nested in it.
struct Budget {
    unpacked: u64,
    used: u64,
    files: u32,
    nesting: u32,
}

impl Budget {
    fn new(limits: &Limits) -> Budget {
        Budget { unpacked: limits.unpacked, used: 0, files: limits.files, nesting: limits.nesting }
    }

    fn spend_bytes(&mut self, count: u64) -> Result<(), Error> {
        self.used = self.used.saturating_add(count);
        // As in Helm, a chart of exactly the limit is too large.
        match self.used < self.unpacked {
            true => Ok(()),
            false => {
                Err(Error::new(Code::LIMIT_UNPACKED, format!("the unpacked chart has {} bytes or more", self.unpacked))
                    .with("limit", self.unpacked))
            }
        }
    }

    fn spend_file(&mut self) -> Result<(), Error> {
        self.files = self
            .files
            .checked_sub(1)
            .ok_or_else(|| Error::new(Code::LIMIT_FILES, "the archive has more entries than the limit allows"))?;
        Ok(())
    }
}

/// Unpacked bytes that pass by, or stay.
struct Window<'a> {
    gunzip: Gunzip<'a>,
    data: Vec<u8>,
    start: usize,
    end: usize,
    keep: Keep,
}

impl Window<'_> {
    const STEP: usize = 256 << 10;

    /// Sees to it that `count` bytes stand at `start`; false if there are fewer left.
    fn fill(&mut self, count: usize) -> Result<bool, Error> {
        if self.keep == Keep::Verdict && self.end - self.start < count {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if count <= Window::STEP && self.data.len() > 2 * Window::STEP {
                self.data.truncate(self.end.max(Window::STEP));
                self.data.shrink_to_fit();
            }
        }
        while self.end - self.start < count {
            if self.end == self.data.len() {
                let step = Window::STEP.max(self.end / 2);
                if self.data.capacity() - self.end < Window::STEP {
                    self.data.reserve_exact(step);
                }
                self.data.resize(self.end + Window::STEP, 0);
            }
            match self.gunzip.read(&mut self.data[self.end..])? {
                0 => return Ok(false),
                read => self.end += read,
            }
        }
        Ok(true)
    }

    /// The next `count` bytes, as a range of `data`.
    fn take(&mut self, count: u64) -> Result<Range<usize>, Error> {
        let count = usize::try_from(count).map_err(|_| truncated())?;
        if !self.fill(count)? {
            return Err(truncated());
        }
        let range = self.start..self.start + count;
        self.start = range.end;
        Ok(range)
    }

    fn skip(&mut self, mut count: u64) -> Result<(), Error> {
        while count > 0 {
            let at_hand = if self.start < self.end { self.end - self.start } else { Window::STEP };
            let piece = count.min(at_hand as u64);
            self.take(piece)?;
            count -= piece;
        }
        Ok(())
    }

    /// The next block; none at the end.
    fn block(&mut self) -> Result<Option<&[u8; BLOCK]>, Error> {
        if !self.fill(BLOCK)? {
            return if self.end == self.start { Ok(None) } else { Err(truncated()) };
        }
        self.start += BLOCK;
        Ok(self.data[..self.start].last_chunk())
    }

    /// Goes on to the end of the compressed data, for its checksum; what is written behind a tar is not looked at, and
    /// of that only a mebibyte is unpacked.
    fn drain(&mut self) -> Result<(), Error> {
        let mut piece = vec![0; 64 << 10];
        for _ in 0..16 {
            match self.gunzip.read(&mut piece) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.code() == Code::ARCHIVE_CHECKSUM => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }
}

/// The files of an archive, one after the other, by Helm's rules for entries.
struct Walk<'a> {
    window: Window<'a>,
    overrides: Overrides,
    /// What is left of the entry before: its content if nobody took it, and padding.
    unread: u64,
    top_folder: Option<Vec<u8>>,
    limits: &'a Limits,
}

/// A file of an archive, before its content was read.
struct Found {
    /// As the entry has it.
    name: String,
    /// Below the chart's root, cleaned.
    path: String,
    size: u64,
    modified: i64,
}

impl<'a> Walk<'a> {
    fn new(data: &'a [u8], limits: &'a Limits, keep: Keep) -> Result<Walk<'a>, Error> {
        if data.len() as u64 > limits.archive {
            let message = format!("the archive has {} bytes, the limit is {}", data.len(), limits.archive);
            return Err(Error::new(Code::LIMIT_ARCHIVE, message).with("limit", limits.archive));
        }
        if !data.starts_with(&MAGIC) {
            return Err(not_an_archive(data));
        }
        let window = Window { gunzip: Gunzip::new(data, limits.files), data: Vec::new(), start: 0, end: 0, keep };
        Ok(Walk { window, overrides: Overrides::default(), unread: 0, top_folder: None, limits })
    }

    /// The next file. Directories and extensions are passed over.
    fn next(&mut self, budget: &mut Budget) -> Result<Option<Found>, Error> {
        loop {
            let unread = std::mem::take(&mut self.unread);
            self.window.skip(unread)?;
            let Some(entry) = self.next_entry(budget)? else { return Ok(None) };
            budget.spend_file()?;
            self.unread = padded(entry.stored());
            let named = |error: Error| error.within("entry", shown(&entry.name));
            match entry.kind {
                EntryKind::Directory => continue,
                EntryKind::File => {}
                EntryKind::Legacy | EntryKind::Other => return Err(refused(Code::ARCHIVE_ENTRY_KIND, &entry.name)),
                EntryKind::Link | EntryKind::Device => return Err(refused(Code::ARCHIVE_LINK, &entry.name)),
            }
            let (name, path) = self.path(&entry)?;
            if entry.size > self.limits.file {
                let message = format!("the file has {} bytes, the limit is {}", entry.size, self.limits.file);
                return Err(named(Error::new(Code::LIMIT_FILE, message).with("limit", self.limits.file)));
            }
            budget.spend_bytes(entry.size).map_err(named)?;
            return Ok(Some(Found { name, path, size: entry.size, modified: entry.modified }));
        }
    }

    /// The next entry of any kind, its extensions applied.
    fn next_entry(&mut self, budget: &mut Budget) -> Result<Option<Entry>, Error> {
        loop {
            let Some(block) = self.window.block()? else { return Ok(None) };
            match Header::parse(block)? {
                Header::Entry(entry) => return Ok(Some(self.overrides.apply(entry))),
                Header::Extension { kind, size } => {
                    budget.spend_bytes(BLOCK as u64 + size)?;
                    let range = self.window.take(size)?;
                    self.overrides.extend(kind, &self.window.data[range])?;
                    self.window.skip(padded(size) - size)?;
                }
                Header::Zero => {
                    return match self.window.block()?.map(Header::parse) {
                        None => Ok(None),
                        Some(Ok(Header::Zero)) => self.window.drain().map(|()| None),
                        Some(_) => Err(Error::new(Code::ARCHIVE_TAR, "one block of zeros stands between entries")),
                    };
                }
            }
        }
    }

    /// The content of the file that was found last.
    fn content(&mut self, file: &Found) -> Result<Range<usize>, Error> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let named = |error: Error| error.within("entry", clip(&file.name));
        self.unread = padded(file.size) - file.size;
        let mut range = self.window.take(file.size).map_err(named)?;
        if self.window.data[range.clone()].starts_with(BYTE_ORDER_MARK) {
            range.start += BYTE_ORDER_MARK.len();
        }
        Ok(range)
    }

    /// Name and path below the chart's root, by Helm's rules in Helm's order.
    fn path(&mut self, entry: &Entry) -> Result<(String, String), Error> {
        let no = |code| refused(code, &entry.name);
        let name = std::str::from_utf8(&entry.name).map_err(|_| no(Code::ARCHIVE_NAME))?;
        if name.contains('\0') {
            return Err(no(Code::ARCHIVE_NAME));
        }
        let delimiter = if name.contains('\\') { '\\' } else { '/' };
        let (top, rest) = name.split_once(delimiter).ok_or_else(|| no(Code::ARCHIVE_OUTSIDE))?;
        let rest = rest.replace('\\', "/");
        if rest.starts_with('/') {
            return Err(no(Code::ARCHIVE_ABSOLUTE));
        }
        let path = clean(&rest);
        if path == "." {
            return Err(no(Code::ARCHIVE_OUTSIDE));
        }
        if path.starts_with("..") {
            return Err(no(Code::ARCHIVE_PARENT));
        }
        if let [letter, b':', ..] = path.as_bytes()
            && letter.is_ascii_alphabetic()
        {
            return Err(no(Code::ARCHIVE_NAME));
        }
        if top == "Chart.yaml" {
            return Err(no(Code::ARCHIVE_OUTSIDE));
        }
        match &self.top_folder {
            None => self.top_folder = Some(top.as_bytes().to_vec()),
            Some(known) if known == top.as_bytes() => {}
            Some(_) => return Err(no(Code::ARCHIVE_TOP_FOLDER)),
        }
        Ok((name.to_owned(), path))
    }
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
            _ => self.lock = Some(Lock::parse(text, limits)?),
        }
        Ok(())
    }
}

/// Where Helm's loader puts a file.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    /// Into the chart whose root this is; `path` is below it.
    File { root: &'a str, path: &'a str },
    /// A packed chart, vendored in the chart whose root this is.
    Archive { root: &'a str },
    /// Nowhere: names in `charts/` that start with `_` or `.`.
    Nowhere,
    /// Nowhere, and that is a mistake: a folder called `….tgz`.
    Mistake,
}

fn place(path: &str) -> Place<'_> {
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

fn load(data: &[u8], limits: &Limits, budget: &mut Budget, keep: Keep) -> Result<Archive, Error> {
    const DOCUMENTS: [&str; 5] = ["Chart.yaml", "Chart.lock", "values.yaml", "requirements.yaml", "requirements.lock"];
    let spent_before = budget.used;
    let mut walk = Walk::new(data, limits, keep)?;
    let mut charts: BTreeMap<String, Chart> = BTreeMap::from([(String::new(), Chart::default())]);
    let mut paths = BTreeSet::new();
    let mut files = Vec::new();
    while let Some(found) = walk.next(budget)? {
        let place = place(&found.path);
        let wanted = match &place {
            Place::File { path, .. } => keep == Keep::Files || DOCUMENTS.contains(path),
            Place::Archive { .. } => true,
            Place::Nowhere | Place::Mistake => keep == Keep::Files,
        };
        let range = if wanted { walk.content(&found)? } else { 0..0 };
        let content = &walk.window.data[range.clone()];
        let within = |error: Error| error.within("entry", clip(&found.name));
        match place {
            Place::File { root, path } => {
                let chart = chart_at(&mut charts, root, limits).map_err(within)?;
                if DOCUMENTS.contains(&path) {
                    chart.judge(path, content, limits).map_err(within)?;
                }
            }
            Place::Archive { root } => {
                let chart = chart_at(&mut charts, root, limits).map_err(within)?;
                budget.nesting = budget.nesting.checked_sub(1).ok_or_else(nested_too_deep).map_err(within)?;
                chart.dependencies.push(load(content, limits, budget, keep).map_err(within)?);
                budget.nesting += 1;
            }
            Place::Nowhere => {}
            Place::Mistake => {
                return Err(within(Error::new(Code::CHART_MISSING, "a folder is called like an archive")));
            }
        }
        if !paths.insert(found.path.clone()) {
            return Err(refused(Code::ARCHIVE_DUPLICATE, found.name.as_bytes()));
        }
        if keep == Keep::Files {
            files.push(File { path: found.path, range, modified: found.modified });
        }
    }
    if paths.is_empty() {
        return Err(Error::new(Code::ARCHIVE_EMPTY, "there is no file in the archive"));
    }
    let mut unpacked = std::mem::take(&mut walk.window.data);
    unpacked.truncate(walk.window.end);
    let whole =
        Whole { digest: Digest::of(data), size: data.len() as u64, unpacked: Arc::new(unpacked), files, limits };
    whole.assemble(charts, budget.used - spent_before)
}

/// The chart of that root; those above it are there from then on, too.
fn chart_at<'a>(charts: &'a mut BTreeMap<String, Chart>, root: &str, limits: &Limits) -> Result<&'a mut Chart, Error> {
    if !charts.contains_key(root) {
        let mut above = parent(root);
        for _ in 0..limits.nesting {
            if charts.contains_key(above) {
                break;
            }
            charts.insert(above.to_owned(), Chart::default());
            above = parent(above);
        }
        if root.matches('/').count().div_ceil(2) > usize::try_from(limits.nesting).unwrap_or(usize::MAX) {
            return Err(nested_too_deep());
        }
    }
    Ok(charts.entry(root.to_owned()).or_default())
}

/// The root of the chart that a vendored chart stands in: without `/charts/NAME`.
fn parent(root: &str) -> &str {
    root.rsplitn(3, '/').nth(2).unwrap_or("")
}

/// An archive that was read to its end.
struct Whole<'a> {
    digest: Digest,
    size: u64,
    unpacked: Arc<Vec<u8>>,
    files: Vec<File>,
    limits: &'a Limits,
}

impl Whole<'_> {
    /// Judges each chart's metadata, and puts the vendored ones into those that they belong to.
    fn assemble(self, charts: BTreeMap<String, Chart>, unpacked: u64) -> Result<Archive, Error> {
        let mut judged = Vec::with_capacity(charts.len());
        for (root, chart) in charts {
            let chart_yaml = chart.chart_yaml.as_deref().ok_or_else(|| chart_missing(&root))?;
            let (metadata, report) = Metadata::load(chart_yaml, chart.requirements.as_deref(), self.limits)
                .map_err(|error| if root.is_empty() { error } else { error.within("entry", clip(&root)) })?;
            judged.push((root, metadata, report, chart.lock, chart.dependencies));
        }
        let mut vendored: Vec<(String, Archive)> = Vec::new();
        // The charts are in the order of their roots, so from the end on each comes after all that it contains.
        while let Some((root, metadata, report, lock, mut dependencies)) = judged.pop() {
            for (_, archive) in vendored.extract_if(.., |(folder, _)| parent(folder) == root) {
                dependencies.push(archive);
            }
            dependencies.sort_by(|a, b| a.metadata().name.cmp(&b.metadata().name));
            let files: Vec<File> = self.files.iter().filter_map(|file| file.below(&root)).collect();
            let mut by_path: Vec<usize> = (0..files.len()).collect();
            by_path.sort_by(|a, b| files[*a].path.cmp(&files[*b].path));
            let archive = Archive {
                scan: Scan { metadata, digest: self.digest.clone(), size: self.size, unpacked, report },
                unpacked: Arc::clone(&self.unpacked),
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
            vendored.push((root, archive));
        }
        Err(chart_missing(""))
    }
}

impl File {
    /// The same file as a chart vendored at `root` sees it.
    fn below(&self, root: &str) -> Option<File> {
        let path = match root.is_empty() {
            true => &self.path,
            false => self.path.strip_prefix(root)?.strip_prefix('/')?,
        };
        Some(File { path: path.to_owned(), range: self.range.clone(), modified: self.modified })
    }
}

/// All documents of values.yaml as one mapping: a later one goes before an earlier one, mapping by mapping.
fn merged_values(text: &[u8], limits: &Limits) -> Result<Node, Error> {
    let mut values = empty_mapping();
    for document in yaml::parse_all(text, limits)? {
        document.check_json()?;
        match document.data {
            Data::Null => {}
            Data::Mapping(_) => values = yaml::merge(values, document),
            _ => {
                return Err(Error::new(Code::VALUES_MAPPING, format!("the values are {}", document.describe()))
                    .with("line", document.span.line)
                    .with("column", document.span.column));
            }
        }
    }
    Ok(values)
}

fn empty_mapping() -> Node {
    Node { data: Data::Mapping(yaml::Mapping::default()), ..Node::default() }
}

/// Go's `path.Clean` of a path that is not absolute.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// With the bytes that fill up the last block.
fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX)
}

fn shown(name: &[u8]) -> String {
    clip(&String::from_utf8_lossy(name))
}

fn refused(code: Code, name: &[u8]) -> Error {
    Error::new(code, code.meaning().trim_end_matches('.').to_lowercase()).within("entry", shown(name))
}

fn truncated() -> Error {
    Error::new(Code::ARCHIVE_TRUNCATED, "the archive ends too early")
}

fn nested_too_deep() -> Error {
    Error::new(Code::LIMIT_NESTING, "charts are nested deeper than the limit allows")
}

fn chart_missing(root: &str) -> Error {
    let error = Error::new(Code::CHART_MISSING, "Chart.yaml is missing");
    if root.is_empty() { error } else { error.within("entry", clip(root)) }
}

fn not_an_archive(data: &[u8]) -> Error {
    let error = Error::new(Code::ARCHIVE_GZIP, "this is no gzip file, so it is no chart archive");
    match data {
        [] => error.with_hint("The file is empty."),
        [b'P', b'K', ..] => {
            error.with_hint("This looks like a zip file; a chart archive is a gzipped tar file (.tgz).")
        }
        _ if data.get(257..262) == Some(b"ustar") => {
            error.with_hint("This looks like a tar file that is not compressed; compress it with gzip.")
        }
        [b'{' | b'<', ..] => {
            error.with_hint("This looks like an answer of a server, not like the file it should give.")
        }
        _ if std::str::from_utf8(&data[..data.len().min(64)]).is_ok() => {
            error.with_hint("This looks like text; pack the chart's directory first.")
        }
        _ => error,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{gzip, tar};
    use super::*;

    pub(in super::super) const CHART: &[u8] = b"apiVersion: v2\nname: web\nversion: 0.1.0\n";

    pub(in super::super) fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, content) in files {
            tar::append(&mut out, name, 7, content);
        }
        tar::finish(&mut out);
        gzip::gzip(&out)
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
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in [
            ("a/b", "a/b"),
            ("a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("", "."),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), expected, "{path}");
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
    fn the_rest_after_the_end_of_the_tar_is_not_read_but_its_checksum_counts() {
        let mut data = packed(&[("web/Chart.yaml", CHART)]);
        data.extend(b"garbage");
        assert!(peek_chart_yaml(&data, &Limits::default()).is_ok());
        let walk = |data: &[u8]| {
            let limits = Limits::default();
            let mut walk = Walk::new(data, &limits, Keep::Verdict)?;
            let mut budget = Budget::new(&limits);
            while walk.next(&mut budget)?.is_some() {}
            Ok::<_, Error>(())
        };
        assert_eq!(walk(&data), Ok(()));
        let sum = data.len() - 8 - "garbage".len();
        data[sum] ^= 1;
        assert_eq!(walk(&data).unwrap_err().code(), Code::ARCHIVE_CHECKSUM);
        assert_eq!(walk(&data[..sum + 3]), Ok(()));
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
    fn a_file_that_is_no_archive_is_named_for_what_it_is() {
        for (data, hint) in [(&b""[..], "empty"), (b"PK\x03\x04", "zip"), (b"<html>", "server"), (b"name: web", "text")]
        {
            let error = Scan::read(data, &Limits::default()).unwrap_err();
            assert_eq!(error.code(), Code::ARCHIVE_GZIP);
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }
}
