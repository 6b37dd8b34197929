//! Files that go with a notification: where their bytes are, and what they are called.
//!
//! Guarantee: an id is the SHA-256 of the bytes, so that it can name nothing outside of the object store; a name
//! is one that every file system and mail program takes for a name. Rejected: the bytes within the event, which
//! would make the log as large as all that was ever attached.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Files of one notification at most.
pub const MAX_ATTACHMENTS: usize = 10;

/// Longest name of a file, in characters: what common file systems take of any script (255 bytes of UTF-8 hold 63
/// of four).
const LONGEST_NAME: usize = 60;

/// Names end so of what an operating system may run when it is opened (Windows, macOS and Linux desktops).
const RUNNABLE: [&str; 26] = [
    "exe", "com", "scr", "pif", "bat", "cmd", "msi", "msp", "dll", "cpl", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta", "ps1", "jar", "lnk", "reg", "app",
    "dmg", "pkg", "desktop", "sh",
];

/// SHA-256 of the bytes, as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttachmentId(Arc<str>);

impl AttachmentId {
    /// Checks and wraps.
    ///
    /// # Errors
    /// It is not the id of any attachment.
    pub fn new(text: &str) -> Result<Self, AttachmentError> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if is_hash { Ok(Self(text.into())) } else { Err(AttachmentError::Id) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AttachmentId {
    type Error = AttachmentError;

    fn try_from(text: String) -> Result<Self, AttachmentError> {
        Self::new(&text)
    }
}

impl From<AttachmentId> for String {
    fn from(id: AttachmentId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of a notification. Its name is personal: it is sealed with the content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where its bytes are.
    pub id: AttachmentId,
    /// What it is called, such as `invoice.pdf`.
    pub name: String,
    /// What it is (RFC 6838), such as `application/pdf`.
    pub kind: String,
    /// Its size; 0 until it is accepted.
    pub bytes: u64,
}

/// Not what it is called.
impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("kind", &self.kind).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Why an attachment was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// Not 64 digits.
    #[error("an attachment's id has 64 hexadecimal digits in lower case; give the one that the upload answered")]
    Id,
    /// The name.
    #[error(
        "a file name has 1 to {LONGEST_NAME} characters and none of / \\ : ; * ? \" < > | or control characters, and begins and ends with none of . and blank"
    )]
    Name,
    /// It could be run.
    #[error("files of this name are programs, which mail providers refuse; send a link to a page instead")]
    Runnable,
    /// The content type.
    #[error("a content type is written like application/pdf, in lower case and without parameters")]
    Kind,
    /// More than [`MAX_ATTACHMENTS`].
    #[error("a notification has at most {MAX_ATTACHMENTS} attachments")]
    TooMany,
}

impl Attachment {
    /// Checks what can be checked without the bytes.
    ///
    /// # Errors
    /// The name or the content type is none.
    pub fn check(&self) -> Result<(), AttachmentError> {
        check_file_name(&self.name)?;
        check_content_type(&self.kind)
    }
}

/// Checks a file's name: no path, nothing that turns the direction of what follows it, no program.
///
/// # Errors
/// It is no name that is taken.
pub fn check_file_name(name: &str) -> Result<(), AttachmentError> {
    let unfit =
        |c: char| c.is_control() || "/\\:;*?\"<>|".contains(c) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let edge = |c: char| c == '.' || c.is_whitespace();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.contains(unfit) || name.starts_with(edge) || name.ends_with(edge) {
        return Err(AttachmentError::Name);
    }
    let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    if RUNNABLE.contains(&ending.as_str()) { Err(AttachmentError::Runnable) } else { Ok(()) }
}

/// Checks the form of a content type (RFC 6838 section 4.2).
///
/// # Errors
/// It has another form.
pub fn check_content_type(kind: &str) -> Result<(), AttachmentError> {
    let part = |part: &str| (1..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b));
    if kind.split_once('/').is_some_and(|(of, one)| part(of) && part(one)) { Ok(()) } else { Err(AttachmentError::Kind) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_is_a_name_and_no_path_or_program() {
        for name in ["invoice.pdf", "청구서 3월.pdf", "a", "Q&A (1)'s=.txt", &"가".repeat(60)] {
            assert_eq!(check_file_name(name), Ok(()), "{name}");
        }
        let long = "가".repeat(61);
        for name in [
            "",
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "C:x",
            ".",
            "..",
            ".htaccess",
            "a.",
            " a",
            "a ",
            "a\r\nX: y",
            "a\0",
            "a\"b",
            "a;b",
            "a\u{202e}fdp.txt",
            long.as_str(),
        ] {
            assert_eq!(check_file_name(name), Err(AttachmentError::Name), "{name:?}");
        }
        for name in ["a.exe", "invoice.pdf.EXE", "x.JS", "run.sh"] {
            assert_eq!(check_file_name(name), Err(AttachmentError::Runnable), "{name}");
        }
    }

    #[test]
    fn an_id_is_a_hash_and_nothing_else() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(AttachmentId::new(&hash).unwrap().as_str(), hash);
        for text in ["", "../x", &hash[1..], &hash.to_uppercase(), &format!("{}/", &hash[1..]), &format!("{hash}0")] {
            assert_eq!(AttachmentId::new(text), Err(AttachmentError::Id), "{text}");
        }
        assert!(serde_json::from_str::<AttachmentId>("\"../../etc\"").is_err());
    }

    #[test]
    fn a_content_type_has_two_parts_and_no_more() {
        for kind in ["application/pdf", "image/svg+xml", "application/vnd.ms-excel"] {
            assert_eq!(check_content_type(kind), Ok(()), "{kind}");
        }
        for kind in ["", "pdf", "/", "text/", "text/plain; charset=utf-8", "Text/Plain", "a/b/c", "text/plain\r\nx"] {
            assert_eq!(check_content_type(kind), Err(AttachmentError::Kind), "{kind}");
        }
    }
}
