//! The processes that share a log: who they are, and which of them does what must be done once.
//!
//! - [`Turn`]: a process's right to do something that one at a time does; in the embedded profile it
//!   is always ours.
//! - [`Membership`]: says every half second that this process lives, sees who else does, and takes the
//!   turns that are free.
//! - [`Share`]: which part of what is owed each process takes.

mod membership;
mod share;
#[cfg(test)]
mod tests;
mod turn;

pub use membership::{Badge, Introduction, Membership, MembershipSettings, Peer, Peers};
pub use share::{SLOTS, Share};
pub use turn::{Turn, TurnKeeper};

/// A process, from its start until it ends or was taken for dead; 0 where there is only one.
pub type ReplicaNo = u64;

/// Grows with every change of hands of a turn; 0 where there is only one process.
pub type Epoch = u64;
