//! Where one body goes, and the proof that it arrived whole.

use std::fmt;

use crate::oci::{Descriptor, Digest, Digester};
use crate::time::Duration;

/// Takes the bytes of one body as they come. Owned by whoever reads the socket; hashing runs there.
///
/// Before the first `write` the host cuts what it stores to [`Receiver::offset`] bytes; it stores just the bytes for which
/// `write` answered true.
///
/// ```
/// use chartoci::exchange::{Config, Exchange, Output, Session};
/// use chartoci::http::{Headers, Receiver, ResponseHead};
/// use chartoci::{Descriptor, oci::Repository, time::Instant};
/// let blob = Descriptor::of("text/plain", b"hello");
/// let repository = Repository::parse("reg.example/web")?;
/// let mut exchange = Exchange::fetch(&Session::new(Config::default()), repository, blob.clone());
/// let Output::Send(request) = exchange.poll(Instant::default()) else { panic!() };
/// let head = ResponseHead { status: 200, headers: Headers::new(), url: None };
/// let mut receiver: Receiver = exchange.handle_response(request.id, head);
/// assert_eq!((receiver.stores(), receiver.offset(), receiver.patience()), (true, 0, None));
/// assert_eq!((receiver.expected(), receiver.digest()), (Some(5), Some(&blob.digest)));
/// assert!(receiver.write(b"hel") && !receiver.write(b"lo, world"), "more than the descriptor says");
/// assert_eq!(receiver.seen(), 12);
/// # Ok::<(), chartoci::Error>(())
/// ```
pub struct Receiver {
    purpose: Purpose,
    /// Bytes of the sink that were good before this body.
    offset: u64,
    /// Bytes taken, those before `offset` included.
    seen: u64,
    /// More bytes came than there may be.
    overflowed: bool,
    /// Silence that is allowed while the body arrives.
    silence: Option<Duration>,
}

enum Purpose {
    /// Nobody wants it; a little is read, in so many pieces more, so that the connection can be used again.
    Discard { pieces: u8 },
    /// Kept here, up to a limit.
    Collect { data: Vec<u8>, limit: u64 },
    /// Stored by the host while it is hashed.
    Store { digester: Box<Digester>, digest: Option<Digest>, size: Option<u64>, limit: u64 },
}

/// What is read of a body that nobody wants, in bytes: less than a new connection costs.
const DISCARDED: u64 = 16 << 10;
/// What a body may take that is small by nature.
const SMALL: Duration = Duration::from_secs(30);
/// In how many pieces: what comes by drops is not waited for.
const DISCARDED_PIECES: u8 = 8;

impl Receiver {
    /// Takes a little and keeps nothing.
    pub(crate) fn discard() -> Receiver {
        Receiver::new(Purpose::Discard { pieces: DISCARDED_PIECES }, 0)
    }

    /// Takes nothing: the host hands it back at the first byte.
    pub(crate) fn refuse() -> Receiver {
        Receiver { seen: DISCARDED, ..Receiver::discard() }
    }

    /// Keeps up to `limit` bytes in memory.
    pub(crate) fn collect(limit: u64) -> Receiver {
        Receiver::new(Purpose::Collect { data: Vec::new(), limit }, 0)
    }

    /// Checks a blob against its descriptor while the host stores it.
    pub(crate) fn verify(expected: &Descriptor) -> Receiver {
        let purpose = Purpose::Store {
            digester: Box::new(Digester::new(expected.digest.algorithm())),
            digest: Some(expected.digest.clone()),
            size: Some(expected.size),
            limit: expected.size,
        };
        Receiver::new(purpose, 0)
    }

    /// Takes a part of a blob, from `start` to `end`, of which nothing but the length can be checked.
    pub(crate) fn part(blob: &Descriptor, start: u64, end: u64) -> Receiver {
        let digester = Box::new(Digester::new(blob.digest.algorithm()));
        Receiver::new(Purpose::Store { digester, digest: None, size: Some(end), limit: end }, start)
    }

    /// Hashes what the host stores, from `offset` on and up to `limit` bytes in all; what it should be is not known.
    pub(crate) fn store(digester: Digester, offset: u64, limit: u64) -> Receiver {
        Receiver::new(Purpose::Store { digester: Box::new(digester), digest: None, size: None, limit }, offset)
    }

    fn new(purpose: Purpose, offset: u64) -> Receiver {
        Receiver { purpose, offset, seen: offset, overflowed: false, silence: None }
    }

    /// Allows so much silence while the body arrives, or any.
    pub(crate) fn allowing(self, silence: Option<Duration>) -> Receiver {
        Receiver { silence, ..self }
    }

    /// Takes the next bytes. False: they are too many, store them nowhere, read no further, hand the receiver back.
    pub fn write(&mut self, chunk: &[u8]) -> bool {
        if chunk.is_empty() || self.overflowed {
            return !self.overflowed;
        }
        let length = chunk.len() as u64;
        let limit = match &self.purpose {
            Purpose::Discard { pieces: 0 } => 0,
            Purpose::Discard { .. } => DISCARDED,
            Purpose::Collect { limit, .. } | Purpose::Store { limit, .. } => *limit,
        };
        let room = limit.saturating_sub(self.seen);
        self.overflowed = length > room;
        match &mut self.purpose {
            Purpose::Discard { pieces } => *pieces = pieces.saturating_sub(1),
            // What fits is kept: the beginning of an error's body says enough.
            Purpose::Collect { data, .. } => data.extend_from_slice(&chunk[..length.min(room) as usize]),
            Purpose::Store { digester, .. } if !self.overflowed => digester.update(chunk),
            Purpose::Store { .. } => {}
        }
        self.seen = self.seen.saturating_add(length);
        !self.overflowed
    }

    /// How many bytes of the sink are good already: cut it to that before storing more.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The host stores this body in the request's sink (it is a 200 or 206 of a blob).
    pub fn stores(&self) -> bool {
        matches!(self.purpose, Purpose::Store { .. })
    }

    /// Time that the body may take in all; then the host gives it up as [`Failure::Timeout`](super::Failure::Timeout). `None`:
    /// any. What is no blob is small by nature, and has 30 s, or the silence that is allowed if that is longer: what drips is
    /// never silent.
    pub fn patience(&self) -> Option<Duration> {
        self.silence.filter(|_| !self.stores()).map(|silence| silence.max(SMALL))
    }

    /// Bytes taken so far, those before `offset` included.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// What is expected in all, if it is known.
    pub fn expected(&self) -> Option<u64> {
        match &self.purpose {
            Purpose::Store { size, .. } => *size,
            _ => None,
        }
    }

    /// The digest that is expected, if any.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.purpose {
            Purpose::Store { digest, .. } => digest.as_ref(),
            _ => None,
        }
    }

    /// Nobody wants these bytes.
    pub(crate) fn is_unwanted(&self) -> bool {
        matches!(self.purpose, Purpose::Discard { .. })
    }

    /// More bytes came than there may be.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Goes on where an earlier body broke off.
    pub(crate) fn resumed(mut self) -> Receiver {
        self.offset = self.seen;
        self
    }

    /// The bytes that were collected; none of another purpose.
    pub(crate) fn into_data(self) -> Vec<u8> {
        match self.purpose {
            Purpose::Collect { data, .. } => data,
            _ => Vec::new(),
        }
    }

    /// The hash of what was stored, to be finished or gone on with; `None` of another purpose.
    pub(crate) fn into_digester(self) -> Option<Digester> {
        match self.purpose {
            Purpose::Store { digester, .. } => Some(*digester),
            _ => None,
        }
    }
}

impl fmt::Debug for Receiver {
    /// Without the bytes: they may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.purpose {
            Purpose::Discard { .. } => "Discard",
            Purpose::Collect { .. } => "Collect",
            Purpose::Store { .. } => "Store",
        };
        write!(f, "{purpose}({}..{})", self.offset, self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_verified_may_come_in_any_pieces_and_may_go_on_after_a_break() {
        let descriptor = Descriptor::of("text/plain", b"hello world");
        let mut receiver = Receiver::verify(&descriptor);
        assert!(receiver.stores());
        assert!(receiver.write(b"hel") && receiver.write(b"") && receiver.write(b"lo "));
        let mut receiver = receiver.resumed();
        assert_eq!((receiver.offset(), receiver.seen(), receiver.expected()), (6, 6, Some(11)));
        assert!(receiver.write(b"world"));
        assert_eq!(receiver.seen(), 11);
        assert_eq!(receiver.into_digester().unwrap().finish(), descriptor.digest);
    }

    #[test]
    fn a_byte_too_many_is_refused_and_not_hashed() {
        let mut receiver = Receiver::verify(&Descriptor::of("text/plain", b"hello"));
        assert!(receiver.write(b"hello"));
        assert!(!receiver.write(b"!"));
        assert!(receiver.overflowed() && !receiver.write(b"more"));
        assert_eq!(receiver.into_digester().unwrap().finish(), Digest::of(b"hello"));
    }

    #[test]
    fn the_beginning_of_an_overlong_body_is_kept() {
        let mut receiver = Receiver::collect(4);
        assert!(receiver.write(b"abc"));
        assert!(!receiver.write(b"def"));
        assert_eq!(receiver.into_data(), b"abcd");
    }

    #[test]
    fn a_refused_body_is_not_read() {
        assert!(!Receiver::refuse().write(b"x"));
        assert!(Receiver::discard().write(b"x"));
    }

    #[test]
    fn what_nobody_wants_is_not_waited_for_when_it_comes_by_drops() {
        let mut receiver = Receiver::discard();
        assert_eq!((0..99).filter(|_| receiver.write(b"x")).count(), usize::from(DISCARDED_PIECES));
        assert!(Receiver::discard().write(&[0; 16 << 10]) && !Receiver::discard().write(&[0; 20 << 10]));
    }

    #[test]
    fn what_is_no_blob_has_a_time_in_all_unless_silence_has_no_bound() {
        let patience = |receiver: Receiver, silence: Option<u64>| {
            receiver.allowing(silence.map(Duration::from_secs)).patience().map(|patience| patience.as_secs())
        };
        for small in [Receiver::discard, || Receiver::collect(4)] {
            assert_eq!([Some(1), Some(90), None].map(|silence| patience(small(), silence)), [Some(30), Some(90), None]);
        }
        assert_eq!(patience(Receiver::verify(&Descriptor::of("text/plain", b"")), Some(1)), None);
    }

    #[test]
    fn debug_shows_no_bytes() {
        let mut receiver = Receiver::collect(100);
        receiver.write(b"secret");
        assert_eq!(format!("{receiver:?}"), "Collect(0..6)");
    }
}
