//! The files of an e-mail, read from the store before its call.
//!
//! Guarantee: a mail goes with all of its files or not at all. They are read before the call counts as begun, so that
//! a slow store holds up no opt-out; what was read is kept in memory, so that it is there for the next attempt.
//! Rejected: a mail without the file that could not be read, which its text announces.

use bytes::Bytes;
use commands::attachments::Attachments;
use domain::values::{Channel, Content, Outcome};

/// One file.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// What it is called.
    pub name: String,
    /// Its content type.
    pub kind: String,
    /// Its bytes.
    pub content: Bytes,
}

/// Neither what it is called nor what is in it.
impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("kind", &self.kind).field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// The files that go over a channel, or what it means that one of them is not there.
pub(crate) async fn files_of(attachments: &Attachments, channel: Channel, content: &Content) -> Result<Vec<File>, Outcome> {
    if channel != Channel::Email {
        return Ok(Vec::new());
    }
    let mut files = Vec::with_capacity(content.attachments.len());
    for file in &content.attachments {
        match attachments.open(&file.id).await {
            Ok(Some(content)) => files.push(File { name: file.name.clone(), kind: file.kind.clone(), content }),
            Ok(None) => return Err(Outcome::Permanent { code: "attachment gone".to_owned() }),
            Err(error) => {
                tracing::warn!(%error, "an attachment could not be read; the call is not made, and tried again");
                return Err(Outcome::NotMade { code: "attachment not read".to_owned() });
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(missing_docs)]

    use super::File;
    use bytes::Bytes;

    /// One whose name and bytes ask for care.
    pub(crate) fn invoice() -> File {
        let content = Bytes::from_static(b"%PDF-1.7\r\n.\r\n------bongsu\r\n\0\xff\xfe");
        File { name: "청구서 3월 a=1'.pdf".to_owned(), kind: "application/pdf".to_owned(), content }
    }
}
