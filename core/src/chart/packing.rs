//! From files to an archive, in blocks that are compressed independently of each other: a host with threads may take several
//! at once, and the bytes are the same whoever compresses which block when.

use std::ops::Range;
use std::sync::Arc;

use super::gzip::{Deflated, Gzip, WINDOW};
use super::tar;
use super::{Metadata, Packaged};
use crate::error::Error;
use crate::slots::Slots;

/// Unpacked bytes of a block. The archive's bytes depend on it.
const BLOCK: usize = 512 << 10;

/// A tar file that is not written out: parts of what was read, and what stands between them.
#[derive(Debug, Default)]
pub(super) struct Tar {
    between: Vec<u8>,
    pieces: Vec<Piece>,
    size: usize,
}

#[derive(Debug)]
struct Piece {
    /// Where in the tar file it begins.
    start: usize,
    /// What it is a part of; none is [`Tar::between`].
    source: Option<Arc<Vec<u8>>>,
    range: Range<usize>,
}

impl Tar {
    /// Adds a file that is a part of `source`.
    pub(super) fn file(&mut self, path: &str, modified: i64, source: &Arc<Vec<u8>>, range: Range<usize>) {
        let size = range.len();
        self.write(|out| tar::open(out, path, modified, size));
        self.add(Some(Arc::clone(source)), range);
        self.write(|out| tar::close(out, size));
    }

    /// Adds a file that is not among those that were read.
    pub(super) fn document(&mut self, path: &str, modified: i64, content: &[u8]) {
        self.write(|out| {
            tar::open(out, path, modified, content.len());
            out.extend_from_slice(content);
            tar::close(out, content.len());
        });
    }

    pub(super) fn finish(&mut self) {
        self.write(tar::finish);
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.between.len();
        write(&mut self.between);
        self.add(None, start..self.between.len());
    }

    fn add(&mut self, source: Option<Arc<Vec<u8>>>, range: Range<usize>) {
        let start = self.size;
        self.size += range.len();
        match self.pieces.last_mut() {
            Some(last) if source.is_none() && last.source.is_none() => last.range.end = range.end,
            _ => self.pieces.push(Piece { start, source, range }),
        }
    }

    /// Bytes of the tar file.
    fn read(&self, range: Range<usize>) -> Vec<u8> {
        let mut out = Vec::with_capacity(range.len());
        let first = self.pieces.partition_point(|piece| piece.start + piece.range.len() <= range.start);
        for piece in self.pieces[first..].iter().take_while(|piece| piece.start < range.end) {
            let bytes = &piece.source.as_deref().unwrap_or(&self.between)[piece.range.clone()];
            out.extend_from_slice(
                &bytes[range.start.saturating_sub(piece.start)..bytes.len().min(range.end - piece.start)],
            );
        }
        out
    }
}

/// What is to be compressed. A clone is the same blocks.
///
/// ```
/// use chartoci::chart::{Package, package::Options, packing::{Block, Blocks}};
/// use chartoci::files::{Memory, Step};
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let mut package = Package::new(Options::default(), &chartoci::Limits::default());
/// let packing = loop {
///     match package.poll_packing() {
///         Step::Do(verb) => package.handle(files.execute(verb)),
///         Step::Done(result) => break result?,
///     }
/// };
/// let blocks: Blocks = packing.blocks();
/// let first: Option<Block> = blocks.compress(0);
/// assert!(first.is_some() && blocks.compress(blocks.count()).is_none());
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocks(Arc<Tar>);

impl Blocks {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.size.div_ceil(BLOCK)
    }

    /// Compresses the one of that number, counted from 0, at any time and on any thread; none if there is no such block.
    /// Meanwhile it needs about 1.5 MiB of memory.
    pub fn compress(&self, number: usize) -> Option<Block> {
        let start = number.checked_mul(BLOCK).filter(|start| *start < self.0.size)?;
        let end = self.0.size.min(start.saturating_add(BLOCK));
        let before = start.min(WINDOW);
        let bytes = self.0.read(start - before..end);
        Some(Block { number, deflated: Deflated::new(&bytes, before, end == self.0.size) })
    }
}

/// A block, compressed.
#[derive(Debug)]
pub struct Block {
    number: usize,
    deflated: Deflated,
}

/// A chart that was read and judged, and is being compressed.
///
/// ```
/// use chartoci::chart::{Package, Packaged, package::Options};
/// use chartoci::files::{Memory, Step};
/// let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let mut package = Package::new(Options::default(), &chartoci::Limits::default());
/// let mut packing = loop {
///     match package.poll_packing() {
///         Step::Do(verb) => package.handle(files.execute(verb)),
///         Step::Done(result) => break result?,
///     }
/// };
/// let blocks = packing.blocks();
/// // Each of these could go to a thread of its own.
/// for block in (0..blocks.count()).rev().filter_map(|number| blocks.compress(number)) {
///     packing.add(block);
/// }
/// assert_eq!(packing.finish().filename, "web-1.0.0.tgz");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Debug)]
pub struct Packing {
    blocks: Blocks,
    metadata: Metadata,
    filename: String,
    gzip: Gzip,
    /// The block that the archive goes on with.
    next: usize,
    /// Those that come after it.
    waiting: Slots<usize, Deflated>,
}

impl Packing {
    pub(super) fn new(tar: Tar, metadata: Metadata) -> Result<Packing, Error> {
        let (blocks, filename) = (Blocks(Arc::new(tar)), metadata.filename()?);
        Ok(Packing { blocks, metadata, filename, gzip: Gzip::new(), next: 0, waiting: Slots::new() })
    }

    /// What is to be compressed.
    pub fn blocks(&self) -> Blocks {
        self.blocks.clone()
    }

    /// Takes in one of these blocks, in any order.
    pub fn add(&mut self, block: Block) {
        if block.number >= self.next {
            self.waiting.insert(block.number, block.deflated);
        }
        while let Some(deflated) = self.waiting.remove(&self.next) {
            self.gzip.append(&deflated);
            self.next += 1;
        }
    }

    /// The archive. Blocks that were not added are compressed now, one after the other.
    pub fn finish(mut self) -> Packaged {
        while let Some(block) = self.blocks.compress(self.next) {
            self.add(block);
        }
        let (data, digest) = self.gzip.finish();
        Packaged { filename: self.filename, data, digest, metadata: self.metadata }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::gzip::{Gunzip, Packed};
    use super::*;

    fn noise(size: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let byte = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & 15
        };
        (0..size).map(byte).collect()
    }

    fn packing(files: &[(&str, &[u8])]) -> Packing {
        let source = Arc::new(files.iter().flat_map(|(_, content)| content.iter().copied()).collect());
        let (mut tar, mut start) = (Tar::default(), 0);
        for (path, content) in files {
            tar.file(path, 7, &source, start..start + content.len());
            start += content.len();
        }
        tar.document("web/new", 8, b"new");
        tar.finish();
        Packing::new(tar, Metadata::default()).unwrap()
    }

    fn unpacked(data: &[u8]) -> Vec<u8> {
        let (mut gunzip, mut out) = (Gunzip::new(Packed::Whole(data), 1), Vec::with_capacity(4 * BLOCK));
        while gunzip.read(&mut out).unwrap() > 0 {}
        out
    }

    #[test]
    fn the_order_in_which_blocks_are_compressed_does_not_matter() {
        let big = noise(3 * BLOCK + 1);
        let files: &[(&str, &[u8])] = &[("web/a", &big), ("web/empty", b""), ("web/b", &big[..700])];
        let expected = packing(files).finish();
        assert_eq!(expected.digest, crate::Digest::of(&expected.data));
        for order in [vec![3, 2, 1, 0], vec![1, 3], vec![2, 0, 2, 0], vec![99, 0]] {
            let mut packing = packing(files);
            let blocks = packing.blocks();
            assert_eq!(blocks.count(), 4);
            for block in order.iter().filter_map(|number| blocks.compress(*number)) {
                packing.add(block);
            }
            assert_eq!(packing.finish().data, expected.data, "{order:?}");
        }
    }

    #[test]
    fn other_readers_find_the_files_that_were_packed() {
        for size in [0, BLOCK - 3072, BLOCK - 2560, BLOCK, 2 * BLOCK + 5] {
            let content = noise(size);
            let data = packing(&[("web/a", &content)]).finish().data;
            let unpacked = unpacked(&data);
            let mut archive = ::tar::Archive::new(&*unpacked);
            let files = archive.entries().unwrap().map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (entry.path().unwrap().display().to_string(), content)
            });
            let expected = [("web/a".to_owned(), content), ("web/new".to_owned(), b"new".to_vec())];
            assert_eq!(files.collect::<Vec<_>>(), expected, "{size}");
        }
    }

    #[test]
    fn a_block_repeats_what_stands_at_the_end_of_the_one_before() {
        let noise = noise(BLOCK);
        let twice = [&noise[..BLOCK - 1024], &noise[BLOCK - 20_000..BLOCK - 1024]].concat();
        let (once, twice) = (packing(&[("web/a", &noise)]).finish().data, packing(&[("web/a", &twice)]).finish().data);
        assert!(twice.len() < once.len() + 1000, "{} {}", once.len(), twice.len());
    }
}
