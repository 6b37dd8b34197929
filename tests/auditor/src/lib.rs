//! The independent checker: what the log, the client and the providers each recorded must agree.
//!
//! It reads the log by its own SQL, the client's journal of answers, and the simulators' ledger of
//! arrivals, and shares no code with the server. The invariants carry the names of the failure
//! model: I1 conservation, I2 no invention, I3 at most so often, I4 opt-outs, I5 idempotency,
//! I6 streams without gaps, I8 no retry before its time.

mod checks;
mod inputs;

pub use checks::{Report, check};
pub use inputs::{Answer, Arrival, Event, Inputs};
