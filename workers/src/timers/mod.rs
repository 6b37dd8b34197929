//! Asking again when it is time: notifications that waited, steps of plans, digests, schedules.
//!
//! One consumer keeps a table from the log: which stream wants to be asked what, and when. Whoever has
//! the turn asks for what is due; the answer is an append with the stream's sequence expected, and it
//! changes or clears the timer by way of the log. So a timer is never lost and takes effect once,
//! whoever asks, however often; and the table can be dropped and rebuilt. Deleting rows when they are
//! taken was rejected: a crash between the two loses the timer.

mod asks;
mod firing;
mod project;
mod put_off;
mod rows;
#[cfg(test)]
mod tests;

pub use asks::{Answer, Asking, Asks};
pub use firing::{Firing, FiringSettings};
pub use project::{Changed, Timers};
pub use rows::{Row, TimerRows};

/// Name of the consumer, of the turn, and of the actor of what is decided when it is time.
pub const TIMERS: &str = "timers";
