//! Whether, when and where: pure functions over states and the time that is handed in.

pub mod delivery_plan;
pub mod last_check;
pub mod retry;
