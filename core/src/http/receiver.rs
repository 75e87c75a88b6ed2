//! Where one body goes, and the proof that it arrived whole.

use crate::oci::Digest;

/// Takes the bytes of one body as they come. Owned by whoever reads the socket; hashing runs there.
///
/// Before the first `write` the host cuts what it stores to [`Receiver::offset`] bytes; it stores just the bytes that it
/// wrote here.
#[derive(Debug)]
pub struct Receiver {
    _private: (),
}

impl Receiver {
    /// Takes the next bytes. False: read no further, hand the receiver back.
    pub fn write(&mut self, chunk: &[u8]) -> bool {
        let _ = chunk;
        todo!()
    }
    /// How many bytes of the sink are good already: cut it to that before storing more.
    pub fn offset(&self) -> u64 {
        todo!()
    }
    /// The host stores this body in the request's sink (it is a 200 or 206 of a blob).
    pub fn stores(&self) -> bool {
        todo!()
    }
    /// Bytes taken so far, those before `offset` included.
    pub fn seen(&self) -> u64 {
        todo!()
    }
    /// What is expected in all, if it is known.
    pub fn expected(&self) -> Option<u64> {
        todo!()
    }
    /// The digest that is expected, if any.
    pub fn digest(&self) -> Option<&Digest> {
        todo!()
    }
}
