//! Schedules: requests that are made again and again, or later, by themselves.

mod input;
mod mutation;
mod object;
mod query;

pub use mutation::ScheduleMutation;
pub use object::stream_of;
pub use query::ScheduleQuery;
