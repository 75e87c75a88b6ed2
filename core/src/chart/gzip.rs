//! gzip (RFC 1952) as Go's `compress/gzip` reads it: several members are one stream; a checksum is looked at where a
//! member ends.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::tar::BLOCK;
use crate::error::{Code, Error};
use crate::oci::{Algorithm, Digest, Digester};

/// The first bytes of every archive.
pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

const HEADER_CHECKSUM: u8 = 0x02;
const EXTRA: u8 = 0x04;
const NAME: u8 = 0x08;
const COMMENT: u8 = 0x10;

/// Puts bytes of a file, from an offset on, at the start of a buffer, and says how many; fewer than there is room for only
/// where the file ends. Sizes and offsets are in bytes.
///
/// ```
/// let file = b"0123456789";
/// let mut from_memory = |offset: u64, buffer: &mut [u8]| {
///     let rest = &file[file.len().min(offset as usize)..];
///     let count = rest.len().min(buffer.len());
///     buffer[..count].copy_from_slice(&rest[..count]);
///     Ok(count)
/// };
/// let bring: chartoci::chart::Bring = &mut from_memory;
/// let mut buffer = [0; 4];
/// assert_eq!((bring(8, &mut buffer)?, &buffer[..2]), (2, &b"89"[..]));
/// # Ok::<(), chartoci::Error>(())
/// ```
pub type Bring<'a> = &'a mut dyn FnMut(u64, &mut [u8]) -> Result<usize, Error>;

/// The packed bytes: all at hand, or brought by a host as they are needed.
pub(super) enum Packed<'a> {
    /// What is left of them.
    Whole(&'a [u8]),
    /// A file's.
    Brought(Box<Brought<'a>>),
}

/// A file of which only a piece is held.
pub(super) struct Brought<'a> {
    /// None: pieces are given, when the host has them.
    bring: Option<Bring<'a>>,
    /// What failed last did so for want of a piece, and can be done again when that was given.
    is_starved: bool,
    held: Vec<u8>,
    /// How many of the held bytes are done with.
    start: usize,
    /// How much of the file was brought.
    offset: u64,
    size: u64,
    /// Of what was brought.
    digester: Digester,
}

impl<'a> Brought<'a> {
    pub(super) fn new(size: u64, bring: Option<Bring<'a>>) -> Brought<'a> {
        let digester = Digester::new(Algorithm::Sha256);
        Brought { bring, is_starved: false, held: Vec::new(), start: 0, offset: 0, size, digester }
    }

    /// Where the piece begins that is wanted, and how long it is.
    pub(super) fn wanted(&self) -> Option<(u64, u64)> {
        self.is_starved.then(|| (self.offset, length(self.offset, self.size) as u64))
    }

    /// Takes the piece that is wanted, or the beginning of it.
    pub(super) fn give(&mut self, piece: &[u8]) {
        let most = self.wanted().map_or(0, |(_, length)| length as usize);
        let piece = &piece[..piece.len().min(most)];
        self.held.extend_from_slice(piece);
        self.digester.update(piece);
        self.offset += piece.len() as u64;
        self.is_starved = false;
    }

    /// Sees to it that `count` bytes are at hand, or else all that are left.
    fn fill(&mut self, count: usize) -> Result<(), Error> {
        while self.held.len() - self.start < count && self.offset < self.size {
            self.held.drain(..self.start);
            self.start = 0;
            let before = self.held.len();
            let Some(bring) = &mut self.bring else {
                self.is_starved = true;
                return Err(changed());
            };
            self.held.resize(before + length(self.offset, self.size), 0);
            let brought = next(bring, self.offset, &mut self.held[before..], &mut self.digester)?;
            self.held.truncate(before + brought);
            self.offset += brought as u64;
        }
        Ok(())
    }

    /// The digest of the file as it is now, by a pass of its own.
    pub(super) fn promised(&mut self) -> Result<Digest, Error> {
        let mut digester = self.digester.clone();
        let (mut piece, mut offset) = (vec![0; BROUGHT], self.offset);
        while offset < self.size {
            let bring = self.bring.as_mut().ok_or_else(changed)?;
            offset += next(bring, offset, &mut piece[..length(offset, self.size)], &mut digester)? as u64;
        }
        Ok(digester.finish())
    }

    /// The digest of the very bytes that were looked at, and of those behind them, which nobody looks at.
    pub(super) fn finish(&mut self) -> Result<Digest, Error> {
        while self.offset < self.size {
            self.start = self.held.len();
            self.fill(1)?;
        }
        Ok(self.digester.clone().finish())
    }
}

/// Bytes that are brought at once.
const BROUGHT: usize = 256 << 10;

/// Of the piece of a file that begins there.
fn length(offset: u64, size: u64) -> usize {
    usize::try_from(size - offset).map_or(BROUGHT, |rest| rest.min(BROUGHT))
}

/// Brings what comes next, of a file that has not ended yet, and hashes it; says how many bytes came.
fn next(bring: &mut Bring, offset: u64, buffer: &mut [u8], digester: &mut Digester) -> Result<usize, Error> {
    let brought = bring(offset, buffer)?.min(buffer.len());
    if brought == 0 {
        return Err(changed());
    }
    digester.update(&buffer[..brought]);
    Ok(brought)
}

impl<'a> Packed<'a> {
    fn fill(&mut self, count: usize) -> Result<(), Error> {
        match self {
            Packed::Whole(_) => Ok(()),
            Packed::Brought(brought) => brought.fill(count),
        }
    }

    fn rest(&self) -> &[u8] {
        match self {
            Packed::Whole(rest) => rest,
            Packed::Brought(brought) => &brought.held[brought.start..],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Packed::Whole(rest) => *rest = &rest[count.min(rest.len())..],
            Packed::Brought(brought) => brought.start = brought.start.saturating_add(count).min(brought.held.len()),
        }
    }

    /// Of all of them.
    pub(super) fn size(&self) -> u64 {
        match self {
            Packed::Whole(rest) => rest.len() as u64,
            Packed::Brought(brought) => brought.size,
        }
    }

    /// The file that they are brought from.
    pub(super) fn file(&mut self) -> Option<&mut Brought<'a>> {
        match self {
            Packed::Whole(_) => None,
            Packed::Brought(brought) => Some(brought),
        }
    }

    /// The first bytes.
    pub(super) fn front(&mut self) -> Result<&[u8], Error> {
        self.fill(BLOCK)?;
        Ok(self.rest())
    }
}

pub(super) fn changed() -> Error {
    Error::new(Code::FILES_CHANGED, "the file was changed while it was read")
}

/// Inflates all members of a gzip file, piece by piece.
pub(super) struct Gunzip<'a> {
    packed: Packed<'a>,
    at: At,
    inflate: Decompress,
    /// Bytes of this member that were inflated.
    consumed: u64,
    checksum: Crc,
    members: u32,
    most_members: u32,
}

enum At {
    MemberStart,
    Data,
    MemberEnd,
    End,
}

impl<'a> Gunzip<'a> {
    /// Starts at the first byte of a file.
    pub(super) fn new(packed: Packed<'a>, most_members: u32) -> Gunzip<'a> {
        Gunzip {
            packed,
            at: At::MemberStart,
            inflate: Decompress::new(false),
            consumed: 0,
            checksum: Crc::new(),
            members: 0,
            most_members,
        }
    }

    /// Starts behind the end.
    pub(super) fn ended() -> Gunzip<'a> {
        Gunzip { at: At::End, ..Gunzip::new(Packed::Whole(&[]), 0) }
    }

    /// Appends bytes to `out`, which has room for some, and says how many; 0 is the end. Never more than there is room for.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) -> Result<usize, Error> {
        while self.goes_on()? {
            let start = out.len();
            let piece = piece(&mut self.packed, self.consumed)?;
            let status = self.inflate.decompress_vec(piece, out, FlushDecompress::None);
            let count = self.account(status.ok(), &out[start..])?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    /// Puts bytes at the start of `out` and says how many; 0 is the end.
    pub(super) fn read_into(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        while self.goes_on()? {
            let before = self.inflate.total_out();
            let piece = piece(&mut self.packed, self.consumed)?;
            let status = self.inflate.decompress(piece, out, FlushDecompress::None);
            let count = usize::try_from(self.inflate.total_out().saturating_sub(before)).unwrap_or(0);
            let count = self.account(status.ok(), &out[..count.min(out.len())])?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    /// Goes to where there is something to inflate, past the ends of members; false at the end of them all.
    fn goes_on(&mut self) -> Result<bool, Error> {
        loop {
            match self.at {
                At::MemberStart => self.open_member()?,
                At::MemberEnd => self.close_member()?,
                At::End => return Ok(false),
                At::Data => return Ok(true),
            }
        }
    }

    /// After some was inflated; no status is damage.
    fn account(&mut self, status: Option<Status>, unpacked: &[u8]) -> Result<usize, Error> {
        let consumed = self.inflate.total_in().saturating_sub(self.consumed);
        self.consumed = self.inflate.total_in();
        self.packed.advance(usize::try_from(consumed).unwrap_or(usize::MAX));
        self.checksum.update(unpacked);
        match status {
            Some(Status::StreamEnd) => self.at = At::MemberEnd,
            // What stands before the damage counts first; the next call finds the damage again.
            _ if !unpacked.is_empty() => {}
            None => return Err(Error::new(Code::ARCHIVE_GZIP, "the compressed data is damaged")),
            Some(_) if consumed == 0 => return Err(truncated()),
            Some(_) => {}
        }
        Ok(unpacked.len())
    }

    fn open_member(&mut self) -> Result<(), Error> {
        if self.members == self.most_members {
            return Err(Error::new(Code::LIMIT_FILES, format!("more than {} gzip members", self.most_members)));
        }
        self.packed.fill(MOST_HEADER)?;
        self.members += 1;
        let header = header_length(self.packed.rest())?;
        self.packed.advance(header);
        self.inflate.reset(false);
        self.consumed = 0;
        self.checksum.reset();
        self.at = At::Data;
        Ok(())
    }

    fn close_member(&mut self) -> Result<(), Error> {
        self.packed.fill(9)?;
        let (trailer, rest) = self.packed.rest().split_at_checked(8).ok_or_else(truncated)?;
        let (sum, size) = (little_endian(&trailer[..4]), little_endian(&trailer[4..]));
        if sum != self.checksum.sum() || size != self.checksum.amount() {
            return Err(Error::new(Code::ARCHIVE_CHECKSUM, "the checksum of the unpacked data is another one"));
        }
        self.at = if rest.is_empty() { At::End } else { At::MemberStart };
        self.packed.advance(8);
        Ok(())
    }

    /// The packed bytes.
    pub(super) fn packed(&mut self) -> &mut Packed<'a> {
        &mut self.packed
    }
}

/// What is inflated next: little enough that what it becomes is still in the processor's cache for its checksum. In front
/// stands Chart.yaml, and that may be all that is wanted.
fn piece<'p>(packed: &'p mut Packed, consumed: u64) -> Result<&'p [u8], Error> {
    const FRONT: usize = 2 << 10;
    const PIECE: usize = 32 << 10;
    let most = if consumed == 0 { FRONT } else { PIECE };
    packed.fill(most)?;
    let rest = packed.rest();
    Ok(&rest[..rest.len().min(most)])
}

/// More than a member's header can have: an extra field, and two texts of 512 bytes.
const MOST_HEADER: usize = 68 << 10;

/// Bytes of the header that a member starts with.
fn header_length(data: &[u8]) -> Result<usize, Error> {
    let fixed = data.get(..10).ok_or_else(truncated)?;
    if fixed[..3] != MAGIC {
        return Err(Error::new(Code::ARCHIVE_GZIP, "a gzip header is not valid"));
    }
    let flags = fixed[3];
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = data.get(at..at + 2).ok_or_else(truncated)?;
        at += 2 + usize::from(length[0]) + (usize::from(length[1]) << 8);
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let length = data.get(at..).and_then(|rest| rest.iter().take(512).position(|byte| *byte == 0));
            at += 1 + length.ok_or_else(|| Error::new(Code::ARCHIVE_GZIP, "a text of the gzip header has no end"))?;
        }
    }
    let head = data.get(..at).ok_or_else(truncated)?;
    if flags & HEADER_CHECKSUM == 0 {
        return Ok(at);
    }
    let mut checksum = Crc::new();
    checksum.update(head);
    let sum = data.get(at..at + 2).ok_or_else(truncated)?;
    match (checksum.sum() & 0xffff).to_le_bytes()[..2] == *sum {
        true => Ok(at + 2),
        false => Err(Error::new(Code::ARCHIVE_GZIP, "the checksum of the gzip header is another one")),
    }
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn advance(data: &[u8], count: u64) -> &[u8] {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(data.len());
    &data[count..]
}

fn truncated() -> Error {
    Error::new(Code::ARCHIVE_TRUNCATED, "the archive ends too early")
}

/// Bytes that deflate looks back.
pub(super) const WINDOW: usize = 32 << 10;

/// A part of a gzip file, compressed by itself, the same way on every platform: zlib's algorithm at level 6.
#[derive(Debug)]
pub(super) struct Deflated {
    data: Vec<u8>,
    checksum: Crc,
}

impl Deflated {
    /// Compresses what stands behind the first `before` bytes, which are the end of the part before it. Unless it is the
    /// last one, it ends with a byte, so that another part can follow.
    pub(super) fn new(bytes: &[u8], before: usize, is_last: bool) -> Deflated {
        let (before, content) = bytes.split_at(before.min(bytes.len()));
        let mut checksum = Crc::new();
        checksum.update(content);
        let data = if is_noise(content) { store(content, is_last) } else { deflate(before, content, is_last) };
        Deflated { data, checksum }
    }
}

fn deflate(before: &[u8], mut content: &[u8], is_last: bool) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::new(6), false);
    if !before.is_empty() {
        // A stream that has not begun takes any.
        let _ = deflate.set_dictionary(before);
    }
    let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut out = Vec::new();
    loop {
        out.reserve(content.len() + content.len() / 64 + 64);
        let consumed = deflate.total_in();
        // Memory into memory: the only thing that can be wrong is that nothing is left to do.
        let _ = deflate.compress_vec(content, &mut out, flush);
        content = advance(content, deflate.total_in().saturating_sub(consumed));
        if out.len() < out.capacity() {
            return out;
        }
    }
}

/// Bytes that are packed or encrypted already: deflate would look long and find nothing. That is so where all bytes are
/// equally frequent, and a sample twice as long as deflate looks back does not get smaller.
fn is_noise(content: &[u8]) -> bool {
    let mut counts = [0_u64; 256];
    for byte in content.iter().step_by(7) {
        counts[usize::from(*byte)] += 1;
    }
    let (count, squares) = counts.iter().fold((0, 0), |(sum, squares), count| (sum + count, squares + count * count));
    // Chance alone makes it 1 + 256 / count.
    let is_even = squares * 256 * 100 <= count * count * 101;
    let sample = content.get(content.len() / 2..).and_then(|rest| rest.get(..2 * WINDOW)).filter(|_| is_even);
    sample.is_some_and(|sample| deflate(&[], sample, true).len() >= sample.len())
}

/// Blocks of deflate that hold bytes as they are.
fn store(content: &[u8], is_last: bool) -> Vec<u8> {
    const MOST: usize = 0xffff;
    let mut out = Vec::with_capacity(content.len() + content.len() / 1024 + 64);
    let mut chunks = content.chunks(MOST).peekable();
    while let Some(chunk) = chunks.next() {
        let [low, high, ..] = chunk.len().to_le_bytes();
        out.extend_from_slice(&[u8::from(is_last && chunks.peek().is_none()), low, high, !low, !high]);
        out.extend_from_slice(chunk);
    }
    out
}

/// Puts compressed parts together. The header is the one that Helm 4.2.4 and later write: an extra field `rr` and the
/// comment `Helm`.
#[derive(Debug)]
pub(super) struct Gzip {
    out: Vec<u8>,
    /// Of what `out` holds.
    digester: Digester,
    checksum: Crc,
}

impl Gzip {
    pub(super) fn new() -> Gzip {
        const SIGNATURE: &[u8; 40] = b"aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
        let mut gzip = Gzip { out: Vec::new(), digester: Digester::new(Algorithm::Sha256), checksum: Crc::new() };
        for part in [&MAGIC[..], &[EXTRA | COMMENT, 0, 0, 0, 0, 0, 255, 44, 0, b'r', b'r', 40, 0], SIGNATURE, b"Helm\0"]
        {
            gzip.write(part);
        }
        gzip
    }

    /// Goes on with that part.
    pub(super) fn append(&mut self, part: &Deflated) {
        self.write(&part.data);
        self.checksum.combine(&part.checksum);
    }

    /// The file and its digest, after the last part.
    pub(super) fn finish(mut self) -> (Vec<u8>, Digest) {
        let trailer = [self.checksum.sum(), self.checksum.amount()].map(u32::to_le_bytes);
        self.write(trailer.as_flattened());
        (self.out, self.digester.finish())
    }

    fn write(&mut self, data: &[u8]) {
        self.out.extend_from_slice(data);
        self.digester.update(data);
    }
}

/// Packs bytes as one part.
#[cfg(test)]
pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = Gzip::new();
    gzip.append(&Deflated::new(data, 0, true));
    gzip.finish().0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gunzip(data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut gunzip = Gunzip::new(Packed::Whole(data), 1000);
        let mut out = Vec::new();
        loop {
            out.reserve_exact(7);
            if gunzip.read(&mut out)? == 0 {
                return Ok(out);
            }
        }
    }

    #[test]
    fn what_was_packed_comes_back_and_members_follow_each_other() {
        let mut data = gzip(b"hello, ");
        data.extend(gzip(b""));
        data.extend(gzip(b"world of charts"));
        assert_eq!(gunzip(&data).unwrap(), b"hello, world of charts");
    }

    #[test]
    fn every_cut_of_a_member_is_refused() {
        let data = gzip(b"hello, world");
        for end in 0..data.len() {
            let code = gunzip(&data[..end]).unwrap_err().code();
            assert!([Code::ARCHIVE_TRUNCATED, Code::ARCHIVE_GZIP].contains(&code), "{end}: {code}");
        }
    }

    #[test]
    fn a_wrong_checksum_and_garbage_are_told_apart() {
        let mut data = gzip(b"hello, world");
        data.extend(b"garbage garbage");
        assert_eq!(gunzip(&data).unwrap_err().code(), Code::ARCHIVE_GZIP);
        let mut data = gzip(b"hello, world");
        let sum = data.len() - 8;
        data[sum] ^= 1;
        assert_eq!(gunzip(&data).unwrap_err().code(), Code::ARCHIVE_CHECKSUM);
    }

    #[test]
    fn what_stands_before_the_damage_is_read_first() {
        let mut data = gzip(&[]);
        let body = data.len() - 10;
        // A stored block of three bytes, then one of a kind that there is not.
        data.splice(body.., [0, 3, 0, 0xfc, 0xff, b'a', b'b', b'c', 7]);
        let (mut gunzip, mut out) = (Gunzip::new(Packed::Whole(&data), 1), Vec::with_capacity(100));
        assert_eq!(gunzip.read(&mut out), Ok(3));
        assert_eq!(gunzip.read(&mut out).unwrap_err().code(), Code::ARCHIVE_GZIP);
        assert_eq!(out, b"abc");
    }

    #[test]
    fn noise_is_stored_and_what_only_looks_like_it_is_not() {
        let mut state = 1_u64;
        let mut byte = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let noise: Vec<u8> = (0..512 << 10).map(&mut byte).collect();
        let repeated = noise[..30_000].repeat(17);
        let even: Vec<u8> = (0..=255).cycle().take(512 << 10).collect();
        let half = [&noise[..256 << 10], &vec![b'a'; 256 << 10]].concat();
        for (content, expected) in [(&noise, true), (&repeated, false), (&even, false), (&half, false)] {
            let packed = gzip(content);
            assert_eq!(packed.len() > content.len(), expected);
            assert!(packed.len() < content.len() + 200);
            assert_eq!(&gunzip(&packed).unwrap(), content);
        }
        for content in [&noise[..100_000], &even[..1792], &[]] {
            assert!(!is_noise(content));
        }
    }

    #[test]
    fn members_are_counted() {
        let data = gzip(b"").repeat(1001);
        assert_eq!(gunzip(&data).unwrap_err().code(), Code::LIMIT_FILES);
    }
}
