//! Python bindings: they convert.
