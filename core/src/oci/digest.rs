//! Digests (image-spec, descriptor.md, "Digests").

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Code, Error, clip};

/// The registered algorithms.
///
/// ```
/// use chartoci::oci::{Algorithm, Digest, Digester};
/// assert_eq!(Algorithm::parse("sha512"), Some(Algorithm::Sha512));
/// assert_eq!((Algorithm::parse("md5"), Algorithm::Sha256.as_str()), (None, "sha256"));
/// assert_eq!(Digester::new(Algorithm::Sha512).algorithm(), Algorithm::Sha512);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The algorithm of that name.
    pub fn parse(text: &str) -> Option<Algorithm> {
        [Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// Hexadecimal digits after the colon.
    fn digits(self) -> usize {
        match self {
            Algorithm::Sha256 => 64,
            Algorithm::Sha512 => 128,
        }
    }
}

/// The name of some bytes: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
///
/// ```
/// use chartoci::Digest;
/// let digest = Digest::of(b"{}");
/// assert_eq!(digest.as_str(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
/// assert_eq!(Digest::parse(digest.as_str())?, digest);
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    text: String,
    algorithm: Algorithm,
}

impl Digest {
    /// Reads a digest of a registered algorithm.
    ///
    /// # Errors
    /// [`Code::REFERENCE_DIGEST`]: another algorithm, another length, or other characters than `0-9a-f`.
    pub fn parse(text: &str) -> Result<Digest, Error> {
        let refused = |why: &str| {
            Error::new(Code::REFERENCE_DIGEST, format!("invalid digest {:?}: {why}", clip(text)))
                .with("digest", clip(text))
        };
        let (name, hex) = text.split_once(':').ok_or_else(|| refused("no algorithm before a colon"))?;
        let algorithm = Algorithm::parse(name).ok_or_else(|| refused("the algorithm is neither sha256 nor sha512"))?;
        if hex.len() != algorithm.digits() {
            return Err(refused(&format!("{name} has {} hexadecimal digits", algorithm.digits())));
        }
        if !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(refused("only 0-9 and a-f may follow the colon"));
        }
        Ok(Digest { text: text.to_owned(), algorithm })
    }

    /// The SHA-256 of some bytes.
    pub fn of(data: &[u8]) -> Digest {
        Digest::with(Algorithm::Sha256, data)
    }

    /// The digest of some bytes by that algorithm.
    ///
    /// ```
    /// use chartoci::oci::{Algorithm, Digest};
    /// let digest = Digest::with(Algorithm::Sha512, b"");
    /// assert_eq!((digest.algorithm(), digest.hex().len()), (Algorithm::Sha512, 128));
    /// assert!(digest.hex().starts_with("cf83e1357eefb8bd"), "FIPS 180-4, of nothing");
    /// ```
    pub fn with(algorithm: Algorithm, data: &[u8]) -> Digest {
        let mut digester = Digester::new(algorithm);
        digester.update(data);
        digester.finish()
    }

    /// By which algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits after the colon.
    pub fn hex(&self) -> &str {
        &self.text[self.algorithm.as_str().len() + 1..]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest, Error> {
        Digest::parse(text)
    }
}

/// Hashes bytes as they come.
///
/// ```
/// use chartoci::oci::{Algorithm, Digest, Digester};
/// let mut digester = Digester::new(Algorithm::Sha256);
/// digester.update(b"{");
/// digester.update(b"}");
/// assert_eq!(digester.finish(), Digest::of(b"{}"));
/// ```
#[derive(Clone)]
pub struct Digester(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// Nothing hashed yet.
    pub fn new(algorithm: Algorithm) -> Digester {
        Digester(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// By which algorithm it hashes.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Hashes some more.
    pub fn update(&mut self, data: &[u8]) {
        // WebAssembly engines put a faster version of a function in its place between two calls, never during one.
        for piece in data.chunks(1 << 16) {
            match &mut self.0 {
                State::Sha256(hash) => hash.update(piece),
                State::Sha512(hash) => hash.update(piece),
            }
        }
    }

    /// The digest of all that was hashed.
    pub fn finish(self) -> Digest {
        let (algorithm, bytes) = match self.0 {
            State::Sha256(hash) => (Algorithm::Sha256, hash.finalize().to_vec()),
            State::Sha512(hash) => (Algorithm::Sha512, hash.finalize().to_vec()),
        };
        let mut text = String::with_capacity(7 + 2 * bytes.len());
        text.push_str(algorithm.as_str());
        text.push(':');
        for byte in bytes {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        Digest { text, algorithm }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // NIST, FIPS 180-4: the digests of `abc`.
    #[test]
    fn known_bytes_have_known_digests() {
        assert_eq!(Digest::of(b"abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let sha512 = Digest::with(Algorithm::Sha512, b"abc");
        assert!(sha512.hex().starts_with("ddaf35a193617abacc417349ae204131"));
        assert_eq!((sha512.algorithm(), sha512.hex().len()), (Algorithm::Sha512, 128));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let good = Digest::of(b"abc").to_string();
        for text in
            ["", "sha256", "sha256:", &good[1..], &good[..70], &good.to_uppercase(), &good.replace("256", "512")]
        {
            assert_eq!(Digest::parse(text).unwrap_err().code(), Code::REFERENCE_DIGEST, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(data in proptest::collection::vec(any::<u8>(), 0..64), long: bool) {
            let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let digest = Digest::with(algorithm, &data);
            prop_assert_eq!(Digest::parse(&digest.to_string()).unwrap(), digest);
        }

        #[test]
        fn parts_are_hashed_as_the_whole(data in proptest::collection::vec(any::<u8>(), 0..64), cut in 0_usize..64) {
            let (head, tail) = data.split_at(cut.min(data.len()));
            let mut digester = Digester::new(Algorithm::Sha256);
            digester.update(head);
            digester.update(tail);
            prop_assert_eq!(digester.finish(), Digest::of(&data));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(sha256|sha512|\\PC{0,4}):?\\PC{0,70}") {
            let _ = Digest::parse(&text);
        }
    }
}
