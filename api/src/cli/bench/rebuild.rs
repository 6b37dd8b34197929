//! How fast read models are built anew from the log.

use super::super::exit::CliError;
use super::load::Load;
use serde_json::json;
use std::time::Instant;

const READ_MODELS: [&str; 3] = ["notifications", "dead_letters", "directory"];

/// Builds each anew, beside the one that serves; names with events a second.
pub(super) async fn measure(load: &Load, admin_key: &str) -> Result<Vec<(&'static str, f64)>, CliError> {
    let admin = load.with_key(admin_key);
    let mut rebuilt = Vec::new();
    for name in READ_MODELS {
        let events = admin.query("{status{events}}", json!({})).await?["status"]["events"].as_f64().unwrap_or(0.0);
        let began = Instant::now();
        admin.query("mutation($i:RebuildProjectionInput!){rebuildProjection(input:$i){position}}", json!({ "i": { "name": name } })).await?;
        rebuilt.push((name, events / began.elapsed().as_secs_f64()));
    }
    Ok(rebuilt)
}
