//! From a command to durable events, and from the log to whoever reads it.
//!
//! - [`log`]: the port to the event log, group commit, sealing, the tail that readers follow.
//! - [`bus`]: load, decide, append; reload on a conflict.
//! - [`accept`]: accepting a notification: gather the facts, decide once, commit.
//! - [`addresses`]: the suppression list.
//! - [`attachments`]: files that go with notifications, in an object store.
//! - [`consents`]: consents given elsewhere, brought in in bulk.
//! - [`cancel`]: taking a notification back.
//! - [`due`]: what is done when something that waited comes due.
//! - [`recipients`]: recipients, devices and their erasure, across several streams at once.
//! - [`links`]: signed links that act for a person without a login.
//! - [`consumer`]: the one mechanism from the log to projections and process managers.
//! - [`database`]: SQLite connections, migrations and the execution of [`consumer::Changes`].
//! - [`templates`]: templates at work, and their publishing.
//! - [`replicas`]: the processes that share a log, and who of them does what.
//! - [`ports`]: time and chance.

pub mod accept;
pub mod addresses;
pub mod attachments;
pub mod bus;
pub mod cancel;
pub mod consents;
pub mod consumer;
pub mod database;
pub mod due;
pub mod failpoint;
pub mod links;
pub mod log;
pub mod ports;
pub mod receipts;
pub mod recent;
pub mod recipients;
pub mod replicas;
pub mod templates;
