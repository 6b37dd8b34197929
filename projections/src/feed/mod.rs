//! The log for others: copies outside, kept up to date.
//!
//! - [`kurrentdb`]: a mirror in KurrentDB, whole, from which a log can be rebuilt.

pub mod kurrentdb;
