//! Whether, when and where: pure functions over states and the time that is handed in.

pub mod deciding;
pub mod last_check;
pub mod plan;
pub mod retry;
pub mod routing;
pub mod sent_from;
pub mod timers;
