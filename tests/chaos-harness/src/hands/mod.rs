//! The hands of the nemesis, one for each part of the system.

mod clocks;
mod postgres;
mod providers;
mod redis;
mod replicas;

pub use clocks::clocks;
pub use postgres::postgres;
pub use providers::{baseline, providers};
pub use redis::redis;
pub use replicas::replicas;
