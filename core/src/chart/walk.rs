//! The entries of a packed archive, by Helm's rules (Helm 4.3, `pkg/chart/loader/archive`), with limits before memory.

use std::ops::Range;

use super::gzip::{Brought, Gunzip, MAGIC, Packed};
use super::tar::{BLOCK, Entry, EntryKind, Extension, Header, Overrides};
use crate::error::{Code, Error, clip};
use crate::limits::Limits;

/// What a pass leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing but what judging needs, and that no longer than it is needed.
    Verdict,
    /// Everything.
    Files,
}

/// What is left of the limits, for an archive and all that are nested in it.
pub(crate) struct Budget {
    unpacked: u64,
    /// What the ratio allows for the packed bytes.
    inflated: u64,
    pub(super) used: u64,
    files: u32,
    pub(crate) nesting: u32,
}

impl Budget {
    /// For an archive of so many bytes.
    pub(crate) fn packed(limits: &Limits, packed: usize) -> Budget {
        Budget::of_file(limits, packed as u64)
    }

    /// The same of a file.
    pub(crate) fn of_file(limits: &Limits, size: u64) -> Budget {
        Budget { inflated: u64::from(limits.ratio).saturating_mul(size), ..Budget::unpacked(limits) }
    }

    /// For files that are not packed.
    pub(crate) fn unpacked(limits: &Limits) -> Budget {
        let Limits { unpacked, files, nesting, .. } = *limits;
        Budget { unpacked, inflated: u64::MAX, used: 0, files, nesting }
    }

    pub(crate) fn spend_bytes(&mut self, count: u64) -> Result<(), Error> {
        self.used = self.used.saturating_add(count);
        if self.used > self.inflated {
            let message =
                format!("the archive unpacks to more than {} bytes, out of proportion to its size", self.inflated);
            return Err(Error::new(Code::LIMIT_RATIO, message).with("limit", self.inflated));
        }
        // As in Helm, a chart of exactly the limit is too large.
        match self.used < self.unpacked {
            true => Ok(()),
            false => {
                Err(Error::new(Code::LIMIT_UNPACKED, format!("the unpacked chart has {} bytes or more", self.unpacked))
                    .with("limit", self.unpacked))
            }
        }
    }

    pub(super) fn spend_file(&mut self) -> Result<(), Error> {
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
    /// A block was taken.
    began: bool,
    keep: Keep,
    /// Pieces that were read of what stands behind the tar.
    drained: u8,
}

impl Window<'_> {
    const STEP: usize = 256 << 10;

    /// Sees to it that `count` bytes stand at `start`; false if there are fewer left.
    fn fill(&mut self, count: usize) -> Result<bool, Error> {
        if self.keep == Keep::Verdict && self.at_hand() < count {
            self.data.drain(..self.start);
            self.start = 0;
            if count <= Window::STEP && self.data.capacity() > 2 * Window::STEP {
                self.data.shrink_to(Window::STEP);
            }
        }
        while self.at_hand() < count {
            if self.data.capacity() == self.data.len() {
                self.data.reserve_exact(Window::STEP.max(self.data.len() / 2));
            }
            if self.gunzip.read(&mut self.data)? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_starved(&mut self) -> bool {
        self.gunzip.packed().file().is_some_and(|file| file.wanted().is_some())
    }

    fn at_hand(&self) -> usize {
        self.data.len() - self.start
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

    /// Passes over `count` bytes, which is what is left of them, should it fail.
    fn skip(&mut self, count: &mut u64) -> Result<(), Error> {
        while *count > 0 {
            let at_hand = self.at_hand();
            let piece = (*count).min(if at_hand > 0 { at_hand } else { Window::STEP } as u64);
            self.take(piece)?;
            *count -= piece;
        }
        Ok(())
    }

    /// The next block; none at the end.
    fn block(&mut self) -> Result<Option<&[u8; BLOCK]>, Error> {
        if !self.fill(BLOCK)? {
            return match self.at_hand() {
                0 => Ok(None),
                _ if self.began => Err(truncated()),
                _ => Err(Error::new(Code::ARCHIVE_TAR, "what is compressed here is no tar file")),
            };
        }
        self.began = true;
        self.start += BLOCK;
        Ok(self.data[..self.start].last_chunk())
    }

    /// Goes on to the end of the compressed data, for its checksum; what is written behind a tar is not looked at, and
    /// of that only a mebibyte is unpacked.
    fn drain(&mut self) -> Result<(), Error> {
        let mut piece = Vec::with_capacity(64 << 10);
        while self.drained < 16 {
            piece.clear();
            match self.gunzip.read(&mut piece) {
                Ok(0) => break,
                Ok(_) => self.drained += 1,
                Err(error) if error.code() == Code::ARCHIVE_CHECKSUM || self.is_starved() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }
}

/// The files of an archive, one after the other, by Helm's rules for entries. What fails for want of a piece of a file changes
/// nothing, and can be asked again.
pub(crate) struct Walk<'a> {
    window: Window<'a>,
    overrides: Overrides,
    /// What is left of the entry before: its content if nobody took it, and padding.
    unread: u64,
    /// An extension whose header was read: its kind, and its bytes.
    extension: Option<(Extension, u64)>,
    /// Blocks of zeros, which end the tar.
    zeros: u8,
    top_folder: Option<Vec<u8>>,
    /// Most bytes of one file.
    most: u64,
}

/// A file of an archive, before its content was read.
pub(crate) struct Found {
    /// As the entry has it.
    pub(crate) name: String,
    /// Below the chart's root, cleaned.
    pub(crate) path: String,
    pub(crate) size: u64,
    /// In seconds since 1970-01-01T00:00:00Z.
    pub(super) modified: i64,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(data: &'a [u8], limits: &Limits, keep: Keep) -> Result<Walk<'a>, Error> {
        let room = match keep {
            // A byte more, to find that it is the end.
            Keep::Files => promised(data).saturating_add(1).min(most_room(data, limits)),
            Keep::Verdict => 0,
        };
        let mut walk = Walk::of(Packed::Whole(data), limits, keep, room)?;
        walk.look()?;
        Ok(walk)
    }

    /// A walk that keeps nothing, over a file that is brought piece by piece. [`Walk::look`] comes first.
    pub(super) fn of_file(file: Brought<'a>, limits: &Limits) -> Result<Walk<'a>, Error> {
        Walk::of(Packed::Brought(Box::new(file)), limits, Keep::Verdict, 0)
    }

    fn of(packed: Packed<'a>, limits: &Limits, keep: Keep, room: usize) -> Result<Walk<'a>, Error> {
        if packed.size() > limits.archive {
            let message = format!("the archive has {} bytes, the limit is {}", packed.size(), limits.archive);
            return Err(Error::new(Code::LIMIT_ARCHIVE, message).with("limit", limits.archive));
        }
        let gunzip = Gunzip::new(packed, limits.files);
        let window = Window { gunzip, data: Vec::with_capacity(room), start: 0, began: false, keep, drained: 0 };
        Ok(Walk {
            window,
            overrides: Overrides::default(),
            unread: 0,
            extension: None,
            zeros: 0,
            top_folder: None,
            most: limits.file,
        })
    }

    /// Before anything else: whether this is an archive at all.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let front = self.packed().front()?;
        if front.starts_with(&MAGIC) { Ok(()) } else { Err(not_an_archive(front)) }
    }

    /// Starts with all that the archive becomes, instead of unpacking it.
    pub(super) fn unpacked(mut self, unpacked: Vec<u8>) -> Walk<'a> {
        self.window = Window { gunzip: Gunzip::ended(), data: unpacked, ..self.window };
        self
    }

    /// The next file. Directories and extensions are passed over.
    pub(crate) fn next(&mut self, budget: &mut Budget) -> Result<Option<Found>, Error> {
        loop {
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
            if entry.size > self.most {
                let message = format!("the file has {} bytes, the limit is {}", entry.size, self.most);
                return Err(named(Error::new(Code::LIMIT_FILE, message).with("limit", self.most)));
            }
            budget.spend_bytes(entry.size).map_err(named)?;
            return Ok(Some(Found { name, path, size: entry.size, modified: entry.modified }));
        }
    }

    /// After an entry was refused: whether what stands behind it can still be looked at, within the budget.
    pub(crate) fn goes_on(&self, refusal: &Error, budget: &mut Budget) -> bool {
        let is_of_one_entry = [
            Code::ARCHIVE_OUTSIDE,
            Code::ARCHIVE_ABSOLUTE,
            Code::ARCHIVE_PARENT,
            Code::ARCHIVE_NAME,
            Code::ARCHIVE_TOP_FOLDER,
            Code::ARCHIVE_LINK,
            Code::ARCHIVE_ENTRY_KIND,
            Code::LIMIT_FILE,
        ]
        .contains(&refusal.code());
        is_of_one_entry && budget.spend_bytes(self.unread).is_ok()
    }

    /// The next entry of any kind, its extensions applied.
    fn next_entry(&mut self, budget: &mut Budget) -> Result<Option<Entry>, Error> {
        loop {
            self.window.skip(&mut self.unread)?;
            if let Some((kind, size)) = self.extension {
                let range = self.window.take(size)?;
                self.overrides.extend(kind, &self.window.data[range])?;
                self.unread = padded(size) - size;
                self.extension = None;
                continue;
            }
            if self.zeros == 2 {
                return self.window.drain().map(|()| None);
            }
            let Some(block) = self.window.block()? else { return Ok(None) };
            match Header::parse(block) {
                Ok(Header::Zero) => self.zeros += 1,
                _ if self.zeros > 0 => {
                    return Err(Error::new(Code::ARCHIVE_TAR, "one block of zeros stands between entries"));
                }
                Ok(Header::Entry(entry)) => return Ok(Some(self.overrides.apply(entry))),
                Ok(Header::Extension { kind, size }) => {
                    budget.spend_bytes(BLOCK as u64 + size)?;
                    self.extension = Some((kind, size));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where in [`Walk::bytes`] the content of the file lies that was found last, until the next one is asked for.
    pub(crate) fn content(&mut self, file: &Found) -> Result<Range<usize>, Error> {
        let named = |error: Error| error.within("entry", clip(&file.name));
        self.unread = padded(file.size) - file.size;
        let range = self.window.take(file.size).map_err(named)?;
        Ok(range.start + byte_order_mark(&self.window.data[range.clone()])..range.end)
    }

    pub(super) fn keep(&self) -> Keep {
        self.window.keep
    }

    /// The packed bytes.
    pub(super) fn packed(&mut self) -> &mut Packed<'a> {
        self.window.gunzip.packed()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.window.data
    }

    /// Everything that was unpacked, if it was kept.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.window.data
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
        let path = below(&rest.replace('\\', "/")).map_err(no)?;
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

/// Bytes that a gzip file says at its end it becomes.
pub(super) fn promised(data: &[u8]) -> usize {
    data.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize)
}

/// How far that can be believed.
pub(super) fn most_room(data: &[u8], limits: &Limits) -> usize {
    data.len().saturating_mul(16).min(usize::try_from(limits.unpacked).unwrap_or(usize::MAX))
}

/// How many bytes of a file Helm drops at its start.
pub(super) fn byte_order_mark(content: &[u8]) -> usize {
    if content.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// A path below the chart's root, cleaned, if it is one. A drive's letter is refused even where Helm takes it.
pub(super) fn below(path: &str) -> Result<String, Code> {
    if path.starts_with('/') {
        return Err(Code::ARCHIVE_ABSOLUTE);
    }
    let path = clean(path);
    match path.as_bytes() {
        b"." => Err(Code::ARCHIVE_OUTSIDE),
        [b'.', b'.', ..] => Err(Code::ARCHIVE_PARENT),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => Err(Code::ARCHIVE_NAME),
        _ => Ok(path),
    }
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

pub(super) fn refused(code: Code, name: &[u8]) -> Error {
    Error::new(code, code.meaning().trim_end_matches('.').to_ascii_lowercase()).within("entry", shown(name))
}

fn truncated() -> Error {
    Error::new(Code::ARCHIVE_TRUNCATED, "the archive ends too early")
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
mod tests {
    use super::super::archive::tests::{CHART, packed};
    use super::*;

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
    fn the_rest_after_the_end_of_the_tar_is_not_read_but_its_checksum_counts() {
        let mut data = packed(&[("web/Chart.yaml", CHART)]);
        data.extend(b"garbage");
        let walk = |data: &[u8]| {
            let limits = Limits::default();
            let mut walk = Walk::new(data, &limits, Keep::Verdict)?;
            let mut budget = Budget::packed(&limits, data.len());
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
    fn a_file_that_is_no_archive_is_named_for_what_it_is() {
        for (data, hint) in [(&b""[..], "empty"), (b"PK\x03\x04", "zip"), (b"<html>", "server"), (b"name: web", "text")]
        {
            let error = Walk::new(data, &Limits::default(), Keep::Verdict).err().unwrap();
            assert_eq!(error.code(), Code::ARCHIVE_GZIP);
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }
}
