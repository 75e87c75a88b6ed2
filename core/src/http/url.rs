//! URLs: parsing, joining, origins.
