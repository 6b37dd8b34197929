//! The independent checker: what the log, the client and the providers each recorded must agree.
//!
//! It reads the log by its own SQL, from a file or from Postgres, the client's journal of answers, and
//! the simulators' ledger of arrivals, and shares no code with the server. The invariants carry the
//! names of the failure model: I1 conservation, I2 no invention, I3 at most so often, I4 opt-outs,
//! I5 idempotency, I6 streams without gaps, I7 read models that a replay makes again, I8 no retry
//! before its time and none twice, I10 latency (told, not judged), I14 what waits, I15 limits, I16 digests,
//! I17 schedules, I18 plans, I19 quiet hours.

mod checks;
mod inputs;
pub mod postgres;
pub mod races;
pub mod views;

pub use checks::{Latency, Report, check};
pub use inputs::{Answer, Arrival, Event, Fault, Inputs, Switch, Turn};
