//! `CategoryDefined` version 2 had switches only: everything went out at once, to all who had not
//! opted out. So it goes on, but that quiet hours, which nobody had then, are observed.

use crate::category::{CategoryDefined, OverLimit, QuietHoursBehaviour, Tracking};
use crate::values::{CategoryKey, Channel, Priority, SentFrom};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct V2 {
    pub(super) key: CategoryKey,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) required: bool,
    pub(super) default_channels: Vec<Channel>,
    pub(super) priority: Priority,
}

/// Version 2 to version 5: what came with versions 4 and 5 can be absent.
pub fn lift(payload: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let V2 { key, name, description, required, default_channels, priority } = serde_json::from_slice(payload)?;
    serde_json::to_vec(&CategoryDefined {
        key,
        name,
        description,
        required,
        default_channels,
        priority,
        subscribed_by_default: true,
        plan: None,
        dedup_window: None,
        limits: Vec::new(),
        over_limit: OverLimit::Hold,
        quiet_hours: QuietHoursBehaviour::Defer,
        digest: None,
        time_to_live: None,
        tracking: Tracking::default(),
        from: SentFrom::default(),
    })
}
