//! Unpacking an archive into memory that a host prepares meanwhile.

use super::gzip::{Gunzip, Packed};
use super::walk;
use crate::limits::Limits;

/// Unpacks an archive into pieces of memory, one behind the other, for [`Archive::read_unpacked`]: a host with threads gets
/// them from the system on another one, which takes as long as unpacking does.
///
/// ```
/// use chartoci::chart::{Archive, Unpacking};
/// # use chartoci::chart::{package::Options, package_in_memory};
/// # use chartoci::files::Memory;
/// # let mut files = Memory::from_iter([("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0")]);
/// let limits = chartoci::Limits::default();
/// # let data = package_in_memory(&mut files, Options::default(), &limits)?.data;
/// let mut unpacked = Vec::new();
/// if let Some(mut unpacking) = Unpacking::new(&data, &limits) {
///     unpacked.resize(unpacking.size(), 0);
///     if !unpacked.chunks_mut(1 << 20).all(|piece| unpacking.fill(piece)) || !unpacking.is_whole() {
///         unpacked.clear();
///     }
/// }
/// let archive = Archive::read_unpacked(&data, &limits, unpacked, || chartoci::Digest::of(&data))?;
/// assert_eq!(archive.metadata().name, "web");
/// # Ok::<(), chartoci::Error>(())
/// ```
///
/// [`Archive::read_unpacked`]: super::Archive::read_unpacked
pub struct Unpacking<'a> {
    gunzip: Gunzip<'a>,
    size: usize,
}

impl<'a> Unpacking<'a> {
    /// Starts; none if the archive says of itself that it becomes more than the limits allow, or many times its size.
    pub fn new(data: &'a [u8], limits: &Limits) -> Option<Unpacking<'a>> {
        let size = walk::promised(data);
        let is_likely = data.len() as u64 <= limits.archive && size <= walk::most_room(data, limits);
        is_likely.then(|| Unpacking { gunzip: Gunzip::new(Packed::Whole(data), limits.files), size })
    }

    /// Bytes that the archive says it becomes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Puts the next bytes there; false if there are fewer, or the rest is damaged.
    pub fn fill(&mut self, mut piece: &mut [u8]) -> bool {
        while !piece.is_empty() {
            match self.gunzip.read_into(piece) {
                Ok(count) if count > 0 => piece = &mut piece[count..],
                _ => return false,
            }
        }
        true
    }

    /// That was all, and its checksums are right.
    pub fn is_whole(mut self) -> bool {
        matches!(self.gunzip.read_into(&mut [0]), Ok(0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Archive;
    use super::super::archive::tests::{CHART, packed};
    use super::*;
    use crate::error::Code;
    use crate::oci::Digest;

    fn noise(size: u32) -> Vec<u8> {
        (0..size).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn unpacked(data: &[u8], piece: usize) -> Option<Vec<u8>> {
        let mut unpacking = Unpacking::new(data, &Limits::default())?;
        let mut unpacked = vec![0; unpacking.size()];
        (unpacked.chunks_mut(piece).all(|piece| unpacking.fill(piece)) && unpacking.is_whole()).then_some(unpacked)
    }

    #[test]
    fn an_archive_reads_the_same_from_memory_that_was_prepared() {
        let data = packed(&[("web/Chart.yaml", CHART), ("web/a", &noise(10_000))]);
        let expected = Archive::read(&data, &Limits::default()).unwrap();
        for piece in [1, 512, 5000, 1 << 20] {
            let unpacked = unpacked(&data, piece).unwrap();
            let archive = Archive::read_unpacked(&data, &Limits::default(), unpacked, || Digest::of(&data)).unwrap();
            assert_eq!(archive.paths().collect::<Vec<_>>(), expected.paths().collect::<Vec<_>>());
            assert_eq!(archive.file("a"), expected.file("a"));
            assert_eq!(archive.scan().digest, expected.scan().digest);
        }
    }

    #[test]
    fn what_is_damaged_or_longer_or_shorter_than_it_says_is_left_to_the_ordinary_way() {
        let data = packed(&[("web/Chart.yaml", CHART)]);
        let end = data.len();
        for (at, change) in [(end - 1, 255), (end - 4, 1), (end - 3, 2), (end - 8, 1), (60, 1)] {
            let mut data = data.clone();
            data[at] ^= change;
            assert_eq!(unpacked(&data, 512), None, "{at}");
            let expected = Archive::read(&data, &Limits::default()).err();
            let found = Archive::read_unpacked(&data, &Limits::default(), Vec::new(), || Digest::of(&data)).err();
            assert_eq!(found, expected, "{at}");
        }
        assert_eq!(unpacked(&data[..end - 9], 512), None);
    }

    #[test]
    fn limits_hold_for_what_was_unpacked_elsewhere() {
        let data = packed(&[("web/Chart.yaml", CHART), ("web/a", &noise(600))]);
        let limits = Limits { file: 599, ..Limits::default() };
        let read = Archive::read_unpacked(&data, &limits, unpacked(&data, 512).unwrap(), || Digest::of(&data));
        assert_eq!(read.unwrap_err().code(), Code::LIMIT_FILE);
    }
}
