//! End-to-end scenarios: the built binary, real processes, real requests.
//!
//! This library holds what the scenarios share: an [`App`] (server and simulators, started and
//! stopped as a user would), a [`Client`] of its API, a [`live::Live`] subscription, and waiting
//! for conditions. Calling the server's code in the test's own process was rejected: what starts
//! up, shuts down and crosses the wire is what breaks.
//!
//! The binary is `target/release/bongsu` or, where there is none, `target/debug/bongsu`; the
//! environment variable `BONGSU_BIN` names another.

pub mod app;
pub mod binary;
pub mod browser;
pub mod client;
pub mod firefox;
pub mod fonts;
pub mod live;
pub mod process;
pub mod profile;
pub mod replica;
pub mod simulators;
pub mod wait;

pub use app::App;
pub use browser::Browser;
pub use client::{Answer, Client};
pub use firefox::Firefox;
pub use replica::Replica;
pub use wait::until;
