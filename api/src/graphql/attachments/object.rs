//! The files of a notification.

use crate::app::engine::Engine;
use async_graphql::{ID, SimpleObject};
use domain::notification::Requested;
use domain::values::NotificationId;

/// A file that goes with a notification.
#[derive(SimpleObject)]
pub struct AttachmentObject {
    /// SHA-256 of its bytes.
    id: ID,
    file_name: String,
    content_type: String,
    /// Its size.
    bytes: i32,
    /// Where it can be got without a login, for some days from now; whoever has it gets the file. None where this
    /// server does not know where people reach it (`links.base_url`).
    url: Option<String>,
}

/// Those of a notification; none once its recipient is erased.
pub fn of_notification(engine: &Engine, id: NotificationId, requested: &Requested) -> Vec<AttachmentObject> {
    let files = requested.personal.known().map(|content| content.attachments.as_slice()).unwrap_or_default();
    let now = engine.clock.now();
    let shown = (0..).zip(files).map(|(number, file)| AttachmentObject {
        id: ID(file.id.to_string()),
        file_name: file.name.clone(),
        content_type: file.kind.clone(),
        bytes: i32::try_from(file.bytes).unwrap_or(i32::MAX),
        url: engine.links.attachment(requested.recipient, id, number, now),
    });
    shown.collect()
}
