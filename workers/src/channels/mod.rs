//! Channel workers: take what is owed, check at the last moment, record the attempt, call the
//! provider, record what became of it.

mod attempts;
mod barrier;
mod breaker;
mod concluding;
mod doubt;
#[cfg(test)]
mod tests;
mod worker;

pub use barrier::OptOutBarrier;
pub use breaker::{Breaker, BreakerSettings, BreakerState};
pub use worker::{ChannelWorker, Shared, recover};
