//! Exchanges against a scripted registry, in virtual time.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod ahead;
mod chaos;
mod faults;
mod floor;
mod heads;
mod peer;
mod together;
mod uploads;
mod verbs;
mod versions;
