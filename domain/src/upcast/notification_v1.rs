//! Version 1 of `Requested`, `Suppressed`, `Cancelled` and `Expired`: what came with version 2 can be
//! absent, and of these it always is. The payload stays as it is.

/// The events that this is about.
pub(super) const NAMES: [&str; 4] = ["Requested", "Suppressed", "Cancelled", "Expired"];

/// Version 1 to version 2.
pub(super) fn lift(payload: &[u8]) -> Vec<u8> {
    payload.to_vec()
}
