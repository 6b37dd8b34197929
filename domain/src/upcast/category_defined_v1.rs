//! `CategoryDefined` version 1 named no channels: such a category reached all there were.

use super::category_defined_v2::V2;
use crate::values::{CategoryKey, Channel, Priority};
use serde::Deserialize;

#[derive(Deserialize)]
struct V1 {
    key: CategoryKey,
    name: String,
    description: String,
    required: bool,
}

/// Version 1 to version 2.
pub fn lift(payload: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let V1 { key, name, description, required } = serde_json::from_slice(payload)?;
    serde_json::to_vec(&V2 { key, name, description, required, default_channels: Channel::UNNAMED.to_vec(), priority: Priority::Normal })
}
