//! Notifications: one with its whole story, a recipient's history, what was missed, marks.

mod connection;
mod history;
mod mutation;
mod object;

pub use history::HistoryQuery;
pub use mutation::MarkMutation;
pub(in crate::graphql) use object::may_see;
pub use object::{ContentObject, NotificationObject, NotificationQuery};
