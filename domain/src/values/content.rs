//! What is to be told: inline content, given by the sender.

use super::TemplateKey;
use super::attachment::{Attachment, AttachmentError, MAX_ATTACHMENTS};
use super::json::{MAX_JSON_LEVELS, json_levels};
use serde::{Deserialize, Serialize};

/// Largest notification that is accepted, in bytes of its content and metadata (requirement A4).
pub const MAX_NOTIFICATION_BYTES: usize = 1_000_000;

/// Inline content. Personal: it is stored sealed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Title of a push, subject of an e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// HTML part of an e-mail; other channels ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// JSON object for the receiving app or endpoint, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Later notifications with this key replace earlier ones on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse_key: Option<String>,
    /// The sender's own notes, returned in queries, never delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The template that it is made from, until it is bound to one of its versions: the notification's event
    /// says which then, and this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateKey>,
    /// Of a template: the JSON object of its parameters, in place of all that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// Files that go with it: within e-mails, elsewhere as links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// Its size only: what people are told belongs in no trace.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("bytes", &self.size()).finish_non_exhaustive()
    }
}

/// Why content was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Nothing to show.
    #[error("content.body is empty; give the text to show")]
    EmptyBody,
    /// Over [`MAX_NOTIFICATION_BYTES`].
    #[error("the notification has {bytes} bytes, {MAX_NOTIFICATION_BYTES} is the most; link to large content instead")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A control character that could forge a header.
    #[error("content.title holds a line break or control character; remove it")]
    ControlInTitle,
    /// A NUL anywhere.
    #[error("content.{field} holds a NUL character; remove it")]
    Nul {
        /// Which field.
        field: &'static str,
    },
    /// Too long for any provider.
    #[error("content.collapseKey has 1 to 64 printable ASCII characters")]
    CollapseKey,
    /// `data` or `metadata` is not an object.
    #[error("content.{field} must be a JSON object")]
    NotAnObject {
        /// Which field.
        field: &'static str,
    },
    /// `data` or `metadata` has more than [`MAX_JSON_LEVELS`].
    #[error("content.{field} nests more than {MAX_JSON_LEVELS} levels; make it flatter")]
    TooDeep {
        /// Which field.
        field: &'static str,
    },
    /// A file.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
}

impl Content {
    /// Bytes of everything in it.
    pub fn size(&self) -> usize {
        let optional = [&self.title, &self.html, &self.data, &self.collapse_key, &self.metadata, &self.parameters];
        self.body.len() + optional.iter().filter_map(|text| text.as_ref().map(String::len)).sum::<usize>()
    }

    /// Checks what no channel could deliver or what would be dangerous in one.
    pub fn check(&self) -> Result<(), ContentError> {
        let bytes = self.size();
        if bytes > MAX_NOTIFICATION_BYTES {
            return Err(ContentError::TooLarge { bytes });
        }
        if self.parameters.is_none() && self.body.trim().is_empty() {
            return Err(ContentError::EmptyBody);
        }
        if self.title.as_ref().is_some_and(|title| title.chars().any(char::is_control)) {
            return Err(ContentError::ControlInTitle);
        }
        for (field, text) in [("body", Some(&self.body)), ("html", self.html.as_ref())] {
            if text.is_some_and(|text| text.contains('\0')) {
                return Err(ContentError::Nul { field });
            }
        }
        if let Some(key) = &self.collapse_key
            && !((1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(ContentError::CollapseKey);
        }
        for (field, text) in [("data", &self.data), ("metadata", &self.metadata), ("parameters", &self.parameters)] {
            if text.as_ref().is_some_and(|text| !serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok_and(|_| text.trim_start().starts_with('{'))) {
                return Err(ContentError::NotAnObject { field });
            }
            if text.as_ref().is_some_and(|text| json_levels(text) > MAX_JSON_LEVELS) {
                return Err(ContentError::TooDeep { field });
            }
        }
        if self.attachments.len() > MAX_ATTACHMENTS {
            return Err(AttachmentError::TooMany.into());
        }
        self.attachments.iter().try_for_each(Attachment::check).map_err(ContentError::from)
    }
}
