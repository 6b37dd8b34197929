//! What Bongsu decides, free of I/O.
//!
//! The map of the crate:
//! - [`aggregate`]: how an aggregate is written here (pure `decide`, pure `evolve`).
//! - [`notification`], [`recipient`], [`subscription`], [`category`], [`sender`], [`api_key`],
//!   [`address`], [`frequency`], [`digest`], [`schedule`], [`template`]: one folder an aggregate, with its state, commands, events and refusals.
//! - [`policy`]: whether, when and where; pure functions over the aggregates' states.
//! - [`rendering`]: from a template and its parameters to what is sent.
//! - [`values`]: the words that they share (ids, channels, priorities, outcomes …).
//! - [`calendar`]: civil time over every zone: quiet hours, local times, cron, periods of limits.
//! - [`fact`]: every event of every aggregate as one type, with names and versions.
//! - [`upcast`]: old shapes of events, lifted to today's on reading.
//! - [`catalogue`]: the description of all events, from which `docs/events.md` is made.
//!
//! Nothing here reads a clock, draws a random number, spawns a task or touches a file: what
//! a decision needs is handed to it. That is what makes decisions replayable and testable.

pub mod address;
pub mod aggregate;
pub mod api_key;
pub mod calendar;
pub mod catalogue;
pub mod category;
pub mod digest;
pub mod event;
pub mod fact;
pub mod frequency;
pub mod notification;
pub mod policy;
pub mod quota;
pub mod recipient;
pub mod rendering;
pub mod schedule;
pub mod sender;
pub mod subscription;
pub mod template;
pub mod upcast;
pub mod values;

pub use fact::{AggregateKind, Fact, StreamId};
