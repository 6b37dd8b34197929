//! `createAttachmentUpload`.

use crate::graphql::context::{sender, services};
use crate::graphql::problem::Refused;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::accept::Refusal;
use commands::links::{UPLOAD_MS, UploadGrant};
use domain::values::{ContentError, check_content_type, check_file_name};

/// A file that is to be uploaded.
#[derive(InputObject)]
pub struct CreateAttachmentUploadInput {
    /// What it is called, such as `invoice.pdf`.
    file_name: String,
    /// What it is, such as `application/pdf`.
    content_type: String,
    /// Its size, exactly.
    bytes: i32,
}

/// A header to be sent along.
#[derive(SimpleObject)]
pub struct UploadHeader {
    name: &'static str,
    value: String,
}

/// Where to put the bytes.
#[derive(SimpleObject)]
pub struct AttachmentUpload {
    /// Put the bytes there by `PUT`, as they are; the answer is JSON and names the `attachment`. Where this server does
    /// not know how it is reached (`links.base_url`), it is a path on it. Whoever has it can upload: keep it to yourself.
    upload_url: String,
    /// From then on it works no more.
    expires_at: Option<DateTime<Utc>>,
    /// Headers to send with the bytes.
    headers: Vec<UploadHeader>,
}

/// A place for the bytes, or refused with a reason.
#[derive(Union)]
pub enum AttachmentUploadResult {
    /// A place.
    Upload(AttachmentUpload),
    /// There is none.
    Refused(Refused),
}

/// Mutations for attachments.
#[derive(Default)]
pub struct AttachmentMutation;

#[Object]
impl AttachmentMutation {
    /// Makes the address of an upload, which works for an hour. Nothing is stored yet. A file that no notification
    /// refers to is removed after a day.
    async fn create_attachment_upload(&self, ctx: &Context<'_>, input: CreateAttachmentUploadInput) -> Result<AttachmentUploadResult> {
        let scope = sender(ctx)?;
        let engine = &services(ctx)?.engine;
        let refused = |refusal: Refusal| Ok(AttachmentUploadResult::Refused(refusal.into()));
        if let Err(error) = check_file_name(&input.file_name).and_then(|()| check_content_type(&input.content_type)) {
            return refused(Refusal::Content(ContentError::Attachment(error)));
        }
        let bytes = u64::try_from(input.bytes).unwrap_or(0);
        if bytes == 0 {
            return Ok(AttachmentUploadResult::Refused(Refused::at("bytes", "ATTACHMENT_EMPTY", "Give the file's size in bytes, which is at least 1.")));
        }
        if let Err(unattachable) = engine.attachments.would_take(&input.content_type, bytes) {
            return refused(Refusal::Attachment(unattachable));
        }
        let expires = engine.clock.now() + UPLOAD_MS;
        let grant = UploadGrant { sender: scope.sender.clone(), bytes, kind: input.content_type.clone(), expires };
        Ok(AttachmentUploadResult::Upload(AttachmentUpload {
            upload_url: engine.links.upload(&grant),
            expires_at: DateTime::from_timestamp_millis(expires),
            headers: vec![UploadHeader { name: "Content-Type", value: input.content_type }],
        }))
    }
}
