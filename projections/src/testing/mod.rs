//! Builders for tests: a log written by hand, and a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod events;
pub mod log;
pub mod running;
pub mod stores;
pub mod views;
