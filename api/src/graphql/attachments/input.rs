//! What senders refer to.

use crate::graphql::problem::Refused;
use async_graphql::{ID, InputObject};
use domain::values::{Attachment, AttachmentId, Content};

/// A file that was uploaded before.
#[derive(InputObject)]
pub struct AttachmentInput {
    /// What its upload answered.
    id: ID,
    /// What it is called where it arrives, such as `invoice.pdf`.
    file_name: String,
    /// What it is, such as `application/pdf`.
    content_type: String,
}

/// A content with its files. How large they are is found out when it is accepted.
pub fn attached(content: Content, files: Option<Vec<AttachmentInput>>) -> Result<Content, Refused> {
    let files = files.unwrap_or_default().into_iter().map(|file| {
        let id = AttachmentId::new(&file.id).map_err(|error| Refused::at("attachments", "ATTACHMENT_NOT_FOUND", error.to_string()))?;
        Ok::<_, Refused>(Attachment { id, name: file.file_name, kind: file.content_type, bytes: 0 })
    });
    Ok(Content { attachments: files.collect::<Result<_, _>>()?, ..content })
}
