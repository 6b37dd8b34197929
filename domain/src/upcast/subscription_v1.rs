//! `Unsubscribed` and `Resubscribed` version 1 said neither whose switch it was (the stream says
//! that) nor by which way it was turned: there was the API only.

use crate::event::Personal;
use crate::subscription::{ChangedBy, Scope, Source, Unsubscribed};
use serde::Deserialize;

#[derive(Deserialize)]
struct V1 {
    scope: Scope,
    by: ChangedBy,
}

/// Version 1 to version 3: of version 2's scopes all are the same in version 3. Both events have the same shape.
pub fn lift(payload: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let V1 { scope, by } = serde_json::from_slice(payload)?;
    serde_json::to_vec(&Unsubscribed { recipient: None, scope, by, source: Source::Api, personal: Personal::Erased })
}
