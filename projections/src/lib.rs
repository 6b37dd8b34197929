//! Read models: what the log says, in the shape in which it is asked for.
//!
//! - [`registry`]: the list of all of them; adding one is a folder, a migration and a line there.
//! - [`notifications`]: history, missed notifications and unread counts of recipients.
//! - [`dead_letters`]: deliveries that await a person.
//! - [`directory`]: categories, senders and API keys.
//! - [`schedules`]: schedules of requests, by sender and recipient.
//! - [`reconciliation`]: the books with each provider; computed when asked for.
//! - [`suppressions`]: addresses to which nothing goes.
//! - [`templates`]: templates as they are found, and what came of their experiments.
//! - [`explain`]: why a notification came, or did not, from the log itself.
//! - [`store`]: a file per read model, its consumer's life, and its rebuild beside the live one.
//! - [`live`]: what happens to a recipient's notifications, as it happens.
//! - [`feed`]: copies of the log for others.
//!
//! Nothing in here can send: this crate does not know the workers. Nothing personal is in a read
//! model: content is read from the log, where it is sealed and can be erased.

pub mod dead_letters;
pub mod directory;
pub mod explain;
pub mod feed;
pub mod live;
pub mod notifications;
pub mod reconciliation;
pub mod registry;
pub mod schedules;
pub mod store;
pub mod suppressions;
pub mod templates;
#[cfg(test)]
mod testing;
