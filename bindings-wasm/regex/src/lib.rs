//! In the modules and wheels that are built here patterns are matched by `regex-lite`: in linear time as well, but without
//! classes of Unicode (`\p{L}`), whose tables weigh more than all the rest of a validator.

pub use regex_lite::{Error, Regex};
