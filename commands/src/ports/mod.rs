//! Ports to what is not deterministic: time and chance. Tests own both.

mod clock;
mod database_clock;
mod random;

pub use clock::{Clock, ManualClock, SystemClock};
pub use database_clock::DatabaseClock;
pub use random::{Random, SeededRandom, SystemRandom};
