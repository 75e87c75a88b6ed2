//! WebAssembly bindings: they convert.
