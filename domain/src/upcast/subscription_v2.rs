//! `Unsubscribed` and `Resubscribed` version 2 had no switch for being tracked. Every scope that there
//! was means the same, so the payload stays as it is.

/// Version 2 to version 3.
pub(super) fn lift(payload: &[u8]) -> Vec<u8> {
    payload.to_vec()
}
