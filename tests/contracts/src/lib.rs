//! What every adapter of a port must do: one suite a port, run on each adapter.
//!
//! A suite is a module of plain async functions over a store; `tests/` runs each function on each
//! store. Where several replicas may share a store, those functions that need several run on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod bucket;
pub mod deciding;
pub mod event_log;
pub mod limiters;
pub mod limits;
pub mod live_feed;
pub mod objects;
pub mod proxy;
pub mod queue;
pub mod queues;
pub mod raw;
pub mod stores;
pub mod timers;
pub mod waiting;
