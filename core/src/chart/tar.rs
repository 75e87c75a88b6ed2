//! tar headers as Go's `archive/tar` reads and writes them, since that is what Helm goes by: where readers of tar
//! disagree about an archive, this one sees the files that Helm sees, or refuses.

use crate::error::{Code, Error};

/// Everything in a tar file stands in blocks of this size.
pub(super) const BLOCK: usize = 512;
/// Bytes of an extension's payload: as in Go, no more than this.
pub(super) const EXTENSION: u64 = 1 << 20;

/// What a header block announces.
#[derive(Debug)]
pub(super) enum Header {
    /// Two of them end the archive.
    Zero,
    /// An entry, its name and size perhaps overridden by the extensions before it.
    Entry(Entry),
    /// The payload of `size` bytes concerns the entry that follows.
    Extension { kind: Extension, size: u64 },
}

/// What the payload of an extension is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    /// Records for the next entry.
    Pax,
    /// Records for all entries; Helm heeds none of them.
    PaxGlobal,
    /// The next entry's name.
    LongName,
    /// The next entry's link target.
    LongLink,
}

/// One entry of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it stands, in any encoding.
    pub(super) name: Vec<u8>,
    /// Bytes of its content.
    pub(super) size: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) modified: i64,
    /// What it is.
    pub(super) kind: EntryKind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// Has content.
    #[default]
    File,
    /// Has none.
    Directory,
    /// Symbolic or hard: has no content.
    Link,
    /// A device or a pipe: has no content.
    Device,
    /// Of the kind that old archives have, which does not tell files from directories.
    Legacy,
    /// A file with holes, or of a kind that tar does not define.
    Other,
}

/// What the extensions before an entry said about it.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    name: Option<Vec<u8>>,
    long_name: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
    sparse: bool,
}

impl Header {
    /// Reads a block.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Header, Error> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(Header::Zero);
        }
        if !checksum_holds(block) {
            return Err(invalid("the checksum of a tar header is another one"));
        }
        let size = number(&block[124..136])?;
        for field in [100..108, 108..116, 116..124] {
            number(&block[field])?;
        }
        let modified = number(&block[136..148])?;
        let mut name = text(&block[..100]).to_vec();
        if let Some(prefix) = prefix(block)? {
            let rest = std::mem::replace(&mut name, prefix.to_vec());
            name.push(b'/');
            name.extend(rest);
        }
        let kind = match block[156] {
            0 => EntryKind::Legacy,
            b'0' | b'7' => EntryKind::File,
            b'1' | b'2' => EntryKind::Link,
            b'3' | b'4' | b'6' => EntryKind::Device,
            b'5' => EntryKind::Directory,
            b'x' => return extension(Extension::Pax, size),
            b'g' => return extension(Extension::PaxGlobal, size),
            b'L' => return extension(Extension::LongName, size),
            b'K' => return extension(Extension::LongLink, size),
            _ => EntryKind::Other,
        };
        let size = u64::try_from(size).map_err(|_| invalid("a tar header has a negative size"))?;
        Ok(Header::Entry(Entry { name, size, modified, kind }))
    }
}

impl Entry {
    /// Bytes that follow the header: content and padding up to the next block.
    pub(super) fn stored(&self) -> u64 {
        match self.kind {
            EntryKind::File | EntryKind::Legacy | EntryKind::Other => self.size,
            EntryKind::Directory | EntryKind::Link | EntryKind::Device => 0,
        }
    }
}

impl Overrides {
    /// Takes in the payload of an extension. A later one of its kind takes the place of all that an earlier one said.
    pub(super) fn extend(&mut self, kind: Extension, payload: &[u8]) -> Result<(), Error> {
        match kind {
            Extension::Pax => {
                *self = Overrides { long_name: self.long_name.take(), ..said(payload)? };
            }
            // Go does not look at their numbers.
            Extension::PaxGlobal => records(payload).try_for_each(|record| record.map(|_| ()))?,
            Extension::LongName => self.long_name = Some(text(payload).to_vec()),
            Extension::LongLink => {}
        }
        Ok(())
    }

    /// The entry as it is meant; what was said is used up.
    pub(super) fn apply(&mut self, entry: Entry) -> Entry {
        let said = std::mem::take(self);
        let long_name = said.long_name.filter(|name| !name.is_empty());
        let name = long_name.or(said.name).unwrap_or(entry.name);
        let kind = match entry.kind {
            _ if said.sparse => EntryKind::Other,
            EntryKind::Legacy if name.ends_with(b"/") => EntryKind::Directory,
            EntryKind::Legacy => EntryKind::File,
            kind => kind,
        };
        let (size, modified) = (said.size.unwrap_or(entry.size), said.modified.unwrap_or(entry.modified));
        Entry { name, size, modified, kind }
    }
}

fn extension(kind: Extension, size: i64) -> Result<Header, Error> {
    let size = u64::try_from(size).map_err(|_| invalid("a tar header has a negative size"))?;
    match size <= EXTENSION {
        true => Ok(Header::Extension { kind, size }),
        false => Err(invalid("an extension of a tar header is larger than 1 MiB")),
    }
}

/// POSIX sums bytes without a sign, old Sun tars with one; both count.
fn checksum_holds(block: &[u8; BLOCK]) -> bool {
    let Ok(expected) = octal(&block[148..156]) else { return false };
    let mut block = *block;
    block[148..156].fill(b' ');
    let unsigned = block.iter().fold(0_i32, |sum, byte| sum.wrapping_add(i32::from(*byte)));
    let signed = || block.iter().fold(0_i32, |sum, byte| sum.wrapping_add(i32::from(*byte as i8)));
    expected == i64::from(unsigned) || expected == i64::from(signed())
}

/// The first part of a long name, where the header's format has one.
fn prefix(block: &[u8; BLOCK]) -> Result<Option<&[u8]>, Error> {
    let magic = &block[257..263];
    let prefix = if magic == b"ustar\0" {
        for field in [329..337, 337..345] {
            number(&block[field])?;
        }
        if block[508..] == *b"tar\0" {
            number(&block[476..488])?;
            number(&block[488..500])?;
            text(&block[345..476])
        } else {
            text(&block[345..500])
        }
    } else if magic == b"ustar " && block[263..265] == *b" \0" {
        for field in [329..337, 337..345] {
            number(&block[field])?;
        }
        // GNU has times here. Archives by Go before 1.8 may have a prefix all the same: it is one if it is no time.
        let is_time = |field: &[u8]| field[0] == 0 || number(field).is_ok();
        let text = text(&block[345..500]);
        if (is_time(&block[345..357]) && is_time(&block[357..369])) || !text.is_ascii() { &[] } else { text }
    } else {
        &[]
    };
    Ok(Some(prefix).filter(|prefix| !prefix.is_empty()))
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// Octal digits, or GNU's binary form, which the first bit announces.
fn number(field: &[u8]) -> Result<i64, Error> {
    let overflow = || invalid("a number in a tar header is too large");
    let Some((first, rest)) = field.split_first().filter(|(first, _)| *first & 0x80 != 0) else {
        return octal(field);
    };
    let mask = if first & 0x40 != 0 { 0xff } else { 0 };
    let mut value = i64::from((first ^ mask) & 0x7f);
    for byte in rest {
        value = value.checked_mul(256).ok_or_else(overflow)? | i64::from(byte ^ mask);
    }
    Ok(if mask == 0 { value } else { !value })
}

fn octal(field: &[u8]) -> Result<i64, Error> {
    let padding = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !padding(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !padding(byte)).map_or(start, |last| last + 1);
    text(&field[start..end]).iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'7' => Ok(value << 3 | i64::from(digit - b'0')),
        _ => Err(invalid("a number in a tar header is not octal")),
    })
}

/// The records of a PAX extension, each `LENGTH KEY=VALUE` and a line feed; an error for the first that is not.
fn records(mut payload: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8]), Error>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let Some((key, value, rest)) = record(payload) else {
            payload = &[];
            return Some(Err(invalid("a PAX record is malformed")));
        };
        payload = rest;
        Some(Ok((key, value)))
    })
}

/// What records say of the next entry.
fn said(payload: &[u8]) -> Result<Overrides, Error> {
    let mut overrides = Overrides::default();
    for record in records(payload) {
        let (key, value) = record?;
        if key.starts_with(b"GNU.sparse.") {
            overrides.sparse = true;
        }
        // An empty value leaves the header's own, and takes back an earlier record's.
        let value = Some(value).filter(|value| !value.is_empty());
        match key {
            b"path" => overrides.name = value.map(<[u8]>::to_vec),
            b"size" => overrides.size = value.map(decimal).transpose()?,
            b"mtime" => overrides.modified = value.map(seconds).transpose()?,
            b"uid" | b"gid" => {
                value.map(signed).transpose()?;
            }
            b"atime" | b"ctime" => {
                value.map(seconds).transpose()?;
            }
            _ => {}
        }
    }
    Ok(overrides)
}

fn record(payload: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = payload.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&payload[..blank]).ok()?).ok().filter(|length| *length >= 5)?;
    let (whole, rest) = payload.split_at_checked(length)?;
    let (newline, body) = whole.get(blank + 1..)?.split_last()?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&body[..equals], &body[equals + 1..]);
    let is_text = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
    let no_nul = !if is_text { value } else { key }.contains(&0);
    (*newline == b'\n' && !key.is_empty() && no_nul).then_some((key, value, rest))
}

fn decimal(digits: &[u8]) -> Result<u64, Error> {
    u64::try_from(signed(digits)?).map_err(|_| invalid("a number in a PAX record is negative"))
}

fn signed(digits: &[u8]) -> Result<i64, Error> {
    let value = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    value.ok_or_else(|| invalid("a number in a PAX record is malformed"))
}

/// Whole seconds of a time, rounded down.
fn seconds(time: &[u8]) -> Result<i64, Error> {
    let dot = time.iter().position(|byte| *byte == b'.').unwrap_or(time.len());
    let (whole, fraction) = (&time[..dot], time.get(dot + 1..).unwrap_or_default());
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(invalid("a time in a PAX record is malformed"));
    }
    let seconds = signed(whole)?;
    let below = whole.starts_with(b"-") && fraction.iter().any(|byte| *byte != b'0');
    Ok(if below { seconds.saturating_sub(1) } else { seconds })
}

fn invalid(why: &str) -> Error {
    Error::new(Code::ARCHIVE_TAR, why)
}

/// Appends what stands before a file's content, as Go's writer does: a USTAR header, and PAX records before it where the
/// name asks for them.
pub(super) fn open(out: &mut Vec<u8>, name: &str, modified: i64, size: usize) {
    let modified = modified.max(0);
    match split(name).filter(|_| name.is_ascii() && modified < 1 << 33) {
        Some((prefix, rest)) => header(out, prefix, rest, b'0', modified, size),
        None => {
            let mut records = Vec::new();
            if modified >= 1 << 33 {
                pax_record(&mut records, "mtime", &modified.to_string());
            }
            if name.len() > 100 || !name.is_ascii() {
                pax_record(&mut records, "path", name);
            }
            let (directory, file) = name.rsplit_once('/').unwrap_or((".", name));
            let beside = ascii(&format!("{directory}/PaxHeaders.0/{file}"));
            let beside = &beside[..beside.len().min(100)];
            header(out, "", beside.trim_end_matches('/'), b'x', 0, records.len());
            out.extend_from_slice(&records);
            close(out, records.len());
            header(out, "", &plain(name), b'0', if modified < 1 << 33 { modified } else { 0 }, size);
        }
    }
}

/// Appends what stands behind a content of so many bytes: zeros up to the next block.
pub(super) fn close(out: &mut Vec<u8>, size: usize) {
    out.extend_from_slice(&[0; BLOCK][..size.next_multiple_of(BLOCK) - size]);
}

/// The two blocks that end an archive.
pub(super) fn finish(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

fn pax_record(out: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    out.extend(format!("{length} {key}={value}\n").bytes());
}

/// What readers without PAX see: of a name that is cut behind a slash, no directory's.
fn plain(name: &str) -> String {
    let whole = ascii(name);
    let mut plain = whole[..whole.len().min(100)].to_owned();
    if whole.len() > 100 && plain.ends_with('/') {
        let end = plain.trim_end_matches('/').len();
        plain.replace_range(end..=end, "\0");
    }
    plain
}

fn ascii(name: &str) -> String {
    name.chars().filter(char::is_ascii).collect()
}

/// Prefix and name of a USTAR header, split as late as both fit.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= 100 {
        return Some(("", name));
    }
    let end = name.len().min(156);
    let slash = name.as_bytes()[..end].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, rest) = (name.get(..slash)?, name.get(slash + 1..)?);
    (!prefix.is_empty() && !rest.is_empty() && rest.len() <= 100 && prefix.len() <= 155).then_some((prefix, rest))
}

fn header(out: &mut Vec<u8>, prefix: &str, name: &str, kind: u8, modified: i64, size: usize) {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, if kind == b'x' { "0000000" } else { "0000644" });
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{modified:011o}"));
    put(148, "        ");
    put(257, "ustar\x0000");
    if kind != b'x' {
        put(329, "0000000");
        put(337, "0000000");
    }
    put(345, prefix);
    block[156] = kind;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

/// Appends a file whole.
#[cfg(test)]
pub(super) fn append(out: &mut Vec<u8>, name: &str, modified: i64, content: &[u8]) {
    open(out, name, modified, content.len());
    out.extend_from_slice(content);
    close(out, content.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(change: impl FnOnce(&mut [u8; BLOCK])) -> [u8; BLOCK] {
        let mut out = Vec::new();
        append(&mut out, "web/Chart.yaml", 1_750_000_000, b"");
        let mut block: [u8; BLOCK] = out[..BLOCK].try_into().unwrap();
        change(&mut block);
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn entry(block: &[u8; BLOCK]) -> Entry {
        let Ok(Header::Entry(entry)) = Header::parse(block) else { panic!("{:?}", Header::parse(block)) };
        entry
    }

    fn pax(payload: &str) -> Result<Entry, Error> {
        let mut overrides = Overrides::default();
        overrides.extend(Extension::Pax, payload.as_bytes())?;
        Ok(overrides.apply(entry(&block(|block| block[124..135].copy_from_slice(b"00000000007")))))
    }

    #[test]
    fn a_written_header_is_the_one_that_go_writes() {
        let mut out = Vec::new();
        append(&mut out, "web/Chart.yaml", 1_750_000_000, b"x");
        assert_eq!(&out[100..108], b"0000644\0");
        assert_eq!(&out[124..136], b"00000000001\0");
        assert_eq!(&out[148..156], b"011732\0 ");
        assert_eq!(&out[257..265], b"ustar\x0000");
        assert_eq!(out.len(), 1024);
    }

    #[test]
    fn names_come_back_whatever_their_length_and_alphabet() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(90));
        let longer = format!("web/{}/{}", "d".repeat(170), "f".repeat(170));
        for name in ["web/a", &long, &longer, "web/été/ß", &"x".repeat(101)] {
            let mut out = Vec::new();
            append(&mut out, name, 7, b"content");
            let mut archive = tar::Archive::new(&out[..]);
            let found = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(found.path_bytes().as_ref(), name.as_bytes());
            assert_eq!((found.size(), found.header().mtime().unwrap()), (7, 7));
        }
    }

    // Go writes the whole name as soon as it writes records at all.
    #[test]
    fn a_time_that_octal_digits_cannot_say_does_not_cut_a_long_name() {
        let name = format!("web/{}/{}.yaml", "d".repeat(60), "e".repeat(50));
        let mut out = Vec::new();
        append(&mut out, &name, 1 << 33, b"");
        let mut archive = tar::Archive::new(&out[..]);
        let found = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(found.path_bytes().as_ref(), name.as_bytes());
    }

    #[test]
    fn a_slash_goes_from_what_readers_without_pax_see_only_where_the_name_is_cut() {
        assert_eq!(plain("web/文档"), "web/");
        assert_eq!(plain(&format!("{}/文/b", "w".repeat(99))), format!("{}\0", "w".repeat(99)));
    }

    #[test]
    fn numbers_for_all_entries_are_not_looked_at() {
        let mut overrides = Overrides::default();
        overrides.extend(Extension::PaxGlobal, b"8 gid=x\n11 size=-1\n").unwrap();
        assert!(overrides.extend(Extension::PaxGlobal, b"8 gid=x").is_err());
        assert_eq!(pax("11 size=+5\n").unwrap().size, 5);
    }

    #[test]
    fn numbers_are_octal_or_binary_and_never_negative_as_a_size() {
        let sized = |field: &[u8; 12]| Header::parse(&block(|block| block[124..136].copy_from_slice(field)));
        let size = |field| match sized(field) {
            Ok(Header::Entry(entry)) => Some(entry.size),
            _ => None,
        };
        assert_eq!(size(b"00000000017\0"), Some(15));
        assert_eq!(size(b"        17  "), Some(15));
        assert_eq!(size(b"\x80\0\0\0\0\0\0\0\0\0\x01\0"), Some(256));
        assert_eq!(size(b"\0\0\0\0\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(size(b"00000000018\0"), None);
        assert_eq!(size(b"-0000000017\0"), None);
        assert_eq!(size(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(size(b"\x80\0\0\x80\0\0\0\0\0\0\0\0"), None);
    }

    #[test]
    fn a_pax_size_goes_before_the_headers_size() {
        assert_eq!(pax("12 size=512\n").unwrap().size, 512);
        assert_eq!(pax("10 size=0\n").unwrap().size, 0);
        assert_eq!(pax("8 size=\n").unwrap().size, 7);
        assert_eq!(pax("10 size=5\n8 size=\n").unwrap().size, 7);
    }

    #[test]
    fn malformed_records_are_refused() {
        for payload in ["12 size=-12\n", "x", "7 path=\n", "5 =a\n", "14 path=a\0b/c\n", "99 path=a\n"] {
            assert_eq!(pax(payload).unwrap_err().code(), Code::ARCHIVE_TAR, "{payload}");
        }
    }

    #[test]
    fn the_signed_checksum_of_old_writers_counts() {
        let mut block = block(|block| block[0] = 0xe9);
        let bytes = block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
        let sum: i64 = bytes.map(|byte| i64::from(byte as i8)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(entry(&block).name[0], 0xe9);
        block[0] = 0xea;
        assert!(Header::parse(&block).is_err());
    }

    #[test]
    fn a_legacy_entry_is_a_directory_if_its_whole_name_says_so() {
        let legacy = entry(&block(|block| block[156] = 0));
        assert_eq!(Overrides::default().apply(legacy.clone()).kind, EntryKind::File);
        let mut overrides = Overrides::default();
        overrides.extend(Extension::LongName, b"web/templates/\0").unwrap();
        assert_eq!(overrides.apply(legacy).kind, EntryKind::Directory);
    }
}
