//! Loading a real server from outside, and what is promised meanwhile: processes, clients, journal,
//! simulators. The crash test (`main.rs`) and the power-loss test (`tests/power-loss-harness`) use it.

#![allow(clippy::disallowed_methods, reason = "for programs that wait for real processes: the machine's clock is what they measure")]

pub mod api;
pub mod crashes;
pub mod journal;
pub mod load;
pub mod quiet;
pub mod server;
pub mod simulators;
