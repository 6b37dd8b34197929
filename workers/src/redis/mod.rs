//! How Redis is reached: one server, a Redis Cluster, or a master that sentinels know.
//!
//! Everything kept there is disposable, so whoever asks is told soon that there is no answer, and goes on
//! without. Rejected: one connection for all that is kept there, where a long script of the queue would
//! hold up whatever else is asked.

mod inspection;
mod link;
mod place;
mod script;

pub use inspection::{OLDEST, RedisServer, inspect};
pub use link::{Link, NoAnswer};
pub use place::{RedisPlace, RedisPlaceError};
pub use script::Script;
