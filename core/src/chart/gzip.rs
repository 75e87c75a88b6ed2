//! gzip (RFC 1952) as Go's `compress/gzip` reads it: several members are one stream; a checksum is looked at where a
//! member ends.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::{Code, Error};

/// The first bytes of every archive.
pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

const HEADER_CHECKSUM: u8 = 0x02;
const EXTRA: u8 = 0x04;
const NAME: u8 = 0x08;
const COMMENT: u8 = 0x10;

/// Inflates all members of a gzip file, piece by piece.
pub(super) struct Gunzip<'a> {
    rest: &'a [u8],
    at: At,
    inflate: Decompress,
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
    pub(super) fn new(data: &'a [u8], most_members: u32) -> Gunzip<'a> {
        Gunzip {
            rest: data,
            at: At::MemberStart,
            inflate: Decompress::new(false),
            checksum: Crc::new(),
            members: 0,
            most_members,
        }
    }

    /// Puts bytes into `out` and says how many; 0 is the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.at {
                At::MemberStart => self.open_member()?,
                At::MemberEnd => self.close_member()?,
                At::End => return Ok(0),
                At::Data => match self.inflate(out)? {
                    0 => {}
                    count => return Ok(count),
                },
            }
        }
    }

    fn inflate(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let (consumed, produced) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(self.rest, out, FlushDecompress::None)
            .map_err(|_| Error::new(Code::ARCHIVE_GZIP, "the compressed data is damaged"))?;
        self.rest = advance(self.rest, self.inflate.total_in().saturating_sub(consumed));
        let count = usize::try_from(self.inflate.total_out().saturating_sub(produced)).unwrap_or(0).min(out.len());
        self.checksum.update(&out[..count]);
        match status {
            Status::StreamEnd => self.at = At::MemberEnd,
            _ if count == 0 => return Err(truncated()),
            _ => {}
        }
        Ok(count)
    }

    fn open_member(&mut self) -> Result<(), Error> {
        if self.members == self.most_members {
            return Err(Error::new(Code::LIMIT_FILES, format!("more than {} gzip members", self.most_members)));
        }
        self.members += 1;
        self.rest = &self.rest[header_length(self.rest)?..];
        self.inflate.reset(false);
        self.checksum.reset();
        self.at = At::Data;
        Ok(())
    }

    fn close_member(&mut self) -> Result<(), Error> {
        let (trailer, rest) = self.rest.split_at_checked(8).ok_or_else(truncated)?;
        let (sum, size) = (little_endian(&trailer[..4]), little_endian(&trailer[4..]));
        if sum != self.checksum.sum() || size != self.checksum.amount() {
            return Err(Error::new(Code::ARCHIVE_CHECKSUM, "the checksum of the unpacked data is another one"));
        }
        self.rest = rest;
        self.at = if rest.is_empty() { At::End } else { At::MemberStart };
        Ok(())
    }
}

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

/// Packs bytes, the same way on every platform: zlib's algorithm at level 6, pieces as they come. The header is the one
/// that Helm 4.2.4 and later write: an extra field `rr` and the comment `Helm`.
pub(super) struct Gzip {
    out: Vec<u8>,
    piece: Vec<u8>,
    deflate: Compress,
    checksum: Crc,
}

impl Gzip {
    pub(super) fn new() -> Gzip {
        const SIGNATURE: &[u8; 40] = b"aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&[EXTRA | COMMENT, 0, 0, 0, 0, 0, 255]);
        out.extend_from_slice(&[44, 0, b'r', b'r', 40, 0]);
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(b"Helm\0");
        Gzip { out, piece: vec![0; 64 << 10], deflate: Compress::new(Compression::new(6), false), checksum: Crc::new() }
    }

    pub(super) fn write(&mut self, data: &[u8]) {
        self.checksum.update(data);
        self.deflate(data, FlushCompress::None);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.deflate(&[], FlushCompress::Finish);
        self.out.extend_from_slice(&self.checksum.sum().to_le_bytes());
        self.out.extend_from_slice(&self.checksum.amount().to_le_bytes());
        self.out
    }

    fn deflate(&mut self, mut data: &[u8], flush: FlushCompress) {
        loop {
            let (consumed, produced) = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(data, &mut self.piece, flush);
            data = advance(data, self.deflate.total_in().saturating_sub(consumed));
            let count = usize::try_from(self.deflate.total_out().saturating_sub(produced)).unwrap_or(0);
            self.out.extend_from_slice(&self.piece[..count]);
            // Memory into memory: the only thing that can be wrong is that nothing is left to do.
            let is_full = count == self.piece.len();
            if !matches!(status, Ok(Status::Ok)) || (data.is_empty() && !is_full) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut gzip = Gzip::new();
        gzip.write(data);
        gzip.finish()
    }

    fn gunzip(data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut gunzip = Gunzip::new(data, 1000);
        let (mut out, mut piece) = (Vec::new(), [0; 7]);
        loop {
            match gunzip.read(&mut piece)? {
                0 => return Ok(out),
                count => out.extend_from_slice(&piece[..count]),
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
    fn members_are_counted() {
        let data = gzip(b"").repeat(1001);
        assert_eq!(gunzip(&data).unwrap_err().code(), Code::LIMIT_FILES);
    }
}
