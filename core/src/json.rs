//! JSON as Go writes it.
