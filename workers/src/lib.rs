//! Delivery: from what is owed to the providers and back into the log.
//!
//! - [`pending`]: the durable table of what is owed, kept by a consumer.
//! - [`queue`]: ports of the disposable queue in front of it.
//! - [`redis`]: how Redis is reached, for the queue and for whatever else replicas share.
//! - [`window`]: the bounded part of it in memory, in the order in which it is drained.
//! - [`timers`]: asking again when it is time, of what waits.
//! - [`tracking`]: whether e-mails are opened and their links followed, where that is asked for.
//! - [`channels`]: the workers: last check, record, call, outcome.
//! - [`providers`]: the third parties; [`simulators`]: their imitations, for running and testing
//!   without credentials.

pub mod channels;
pub mod pending;
pub mod providers;
pub mod queue;
pub mod redis;
pub mod simulators;
pub mod timers;
pub mod tracking;
pub mod window;
