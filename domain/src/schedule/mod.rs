//! A request that is made again and again, or later: to one recipient, by the sender's terms.
//!
//! An occurrence fires with one commit: `OccurrenceFired` and the notification, whose id is derived
//! from the schedule and the occurrence. The moment of the next run stands in each event that can
//! change it, so that whoever keeps timers needs the event alone.

mod commands;
mod events;
mod runs;
mod state;
#[cfg(test)]
mod tests;

pub use commands::{Define, ScheduleCommand, ScheduleRefusal};
pub use events::*;
pub use runs::Due;
pub use state::{Schedule, Standing};

crate::cqrs_aggregate!(Schedule, "schedule");
