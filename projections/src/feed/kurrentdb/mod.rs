//! A mirror of the log in KurrentDB (EventStoreDB): one stream per aggregate, complete and
//! restorable. It is a copy and not a third home of the log: the server's Rust client cannot append
//! to several streams at once, so neither group commit nor the opt-out promise could hold there.
//!
//! - [`Mirror`]: the task that copies.
//! - [`Rebuild`]: the way back.
//! - [`format`]: how an event looks there.
//! - [`Target`]: which server, which streams.
//!
//! **Exactly once.** An event's id there is derived from its position and from everything it
//! consists of, and its append expects the revision before it. So whatever is repeated after a crash
//! or a lost answer is recognised, by the server or by reading back, and never stored twice. Ids
//! from positions alone were rejected: a log that was set back to an older backup gives the same
//! positions to other events, and those would have been taken for repeats.
//!
//! **Resumable.** There is no checkpoint to keep in step: what is there says how far it is. Events
//! of a page go to their streams side by side, and the next page begins when all of them are
//! stored; each event carries the position up to which everything was there before its page. The
//! last one in `$all` tells where to go on.
//!
//! **Never wrong in silence.** What this log did not write, what lies ahead of it, or what has gone
//! from the mirror stops the copying, is told at once and again, and is looked at again later, so
//! that no restart is needed once somebody has put it right. Nothing else stops for it.

mod connection;
mod copy;
mod error;
pub mod format;
mod inspection;
mod mirror;
mod rebuild;
mod target;
#[cfg(test)]
mod tests;

pub use error::MirrorError;
pub use inspection::inspect;
pub use mirror::{Mirror, MirrorSources, NAME};
pub use rebuild::{Missing, Rebuild, RebuildError, Rebuilt};
pub use target::{DEFAULT_PREFIX, Target, TargetError};
