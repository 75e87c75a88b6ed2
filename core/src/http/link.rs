//! `Link` headers (RFC 8288), as lists in pages use them.
