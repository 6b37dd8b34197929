//! Channel workers: take what is owed, check at the last moment, record the attempt, call the
//! provider, record what became of it.

mod abroad;
mod adaptive;
mod attempts;
mod barrier;
mod breaker;
mod calling;
mod choosing;
mod concluding;
mod doubtful;
mod gate;
mod pace;
#[cfg(test)]
mod tests;
mod under_way;
mod worker;

pub use abroad::{Abroad, Allowed as AllowedAbroad};
pub use barrier::OptOutBarrier;
pub use breaker::{Breaker, BreakerSettings, BreakerState};
pub use gate::{Capacity, Serving, Watched};
pub use pace::{Pace, RampUp};
pub use under_way::UnderWay;
pub use worker::{ChannelWorker, Shared, recover};
