//! The bytes of a link, and their text: URL-safe base64 without padding (RFC 4648 section 5).
//!
//! `key version (1) ‖ purpose (1) ‖ issued (2) ‖ expires (2) ‖ recipient (16) ‖ notification or zeros
//! (16) ‖ what it is about ‖ MAC (16)`; numbers begin with their high byte. What it is about is the key of a
//! category (0 bytes or more), or of a tracked mail the delivery (2) and the number of its link (2), of a file 0 and its
//! number. The MAC is
//! HMAC-SHA-256 over all before it, its first half (RFC 2104 section 5). Nothing in it is personal in the
//! clear: the recipient's id is a keyed hash, and a category's key is the sender's word.

use super::{Link, Place};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::values::{CategoryKey, NotificationId, RecipientId};
use uuid::Uuid;

/// Version of the key and of the layout.
pub(super) const KEY_VERSION: u8 = 1;
const HEAD: usize = 38;
pub(super) const MAC: usize = 16;
/// Longer than any link that was made here; looked at before it is decoded.
pub(super) const LONGEST: usize = 512;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Unsubscribing, and taking that back.
    Unsubscribe,
    /// Seeing and changing all preferences.
    Preferences,
    /// Following a link of a mail.
    Click,
    /// Opening a mail.
    Open,
    /// Getting a file of a notification.
    Attachment,
}

impl Purpose {
    /// The first segment of its URL's path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Unsubscribe => "u",
            Self::Preferences => "p",
            Self::Click => "c",
            Self::Open => "o",
            Self::Attachment => "attachments",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Unsubscribe => 1,
            Self::Preferences => 2,
            Self::Click => 3,
            Self::Open => 4,
            Self::Attachment => 5,
        }
    }

    /// Whether it says a place within a notification.
    const fn has_place(self) -> bool {
        matches!(self, Self::Click | Self::Open | Self::Attachment)
    }

    const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Unsubscribe),
            2 => Some(Self::Preferences),
            3 => Some(Self::Click),
            4 => Some(Self::Open),
            5 => Some(Self::Attachment),
            _ => None,
        }
    }
}

/// Why a link is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not made here, or changed since.
    #[error("this link was not made here, or is not whole; open it again from the message")]
    Invalid,
    /// Made for something else.
    #[error("this link is for another page; open it again from the message")]
    OtherPurpose,
    /// Its time is over.
    #[error("this link has expired; use the one in a newer message")]
    Expired,
}

pub(super) fn write(link: &Link, key: &hmac::Key) -> String {
    let about = match link.place {
        Some(Place { delivery, link }) => [delivery.to_be_bytes(), link.to_be_bytes()].concat(),
        None => link.category.as_ref().map_or("", CategoryKey::as_str).as_bytes().to_vec(),
    };
    let mut bytes = Vec::with_capacity(HEAD + about.len() + MAC);
    bytes.extend([KEY_VERSION, link.purpose.number()]);
    bytes.extend(link.issued.to_be_bytes());
    bytes.extend(link.expires.to_be_bytes());
    bytes.extend(link.recipient.0.as_bytes());
    bytes.extend(link.notification.map_or(Uuid::nil(), |notification| notification.0).as_bytes());
    bytes.extend(about);
    let mac = hmac::sign(key, &bytes);
    bytes.extend(&mac.as_ref()[..MAC]);
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn read(token: &str, key: &hmac::Key) -> Result<Link, LinkError> {
    if token.len() > LONGEST {
        return Err(LinkError::Invalid);
    }
    // One text for one link: the decoder takes no padding and no stray bits.
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkError::Invalid)?;
    let (signed, mac) = bytes.split_last_chunk::<MAC>().ok_or(LinkError::Invalid)?;
    let expected = hmac::sign(key, signed);
    verify_slices_are_equal(mac, &expected.as_ref()[..MAC]).map_err(|_| LinkError::Invalid)?;
    parse(signed).ok_or(LinkError::Invalid)
}

fn parse(signed: &[u8]) -> Option<Link> {
    let (head, about) = signed.split_first_chunk::<HEAD>()?;
    let [version, purpose, i0, i1, e0, e1, ids @ ..] = head;
    if *version != KEY_VERSION {
        return None;
    }
    let (recipient, notification) = ids.split_at_checked(16)?;
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).ok();
    let purpose = Purpose::from_number(*purpose)?;
    let (category, place) = if purpose.has_place() {
        let [d0, d1, l0, l1] = about.try_into().ok()?;
        (None, Some(Place { delivery: u16::from_be_bytes([d0, d1]), link: u16::from_be_bytes([l0, l1]) }))
    } else if about.is_empty() {
        (None, None)
    } else {
        (Some(CategoryKey::new(std::str::from_utf8(about).ok()?).ok()?), None)
    };
    Some(Link {
        purpose,
        recipient: RecipientId(id(recipient)?),
        category,
        place,
        notification: id(notification).filter(|id| !id.is_nil()).map(NotificationId),
        issued: u16::from_be_bytes([*i0, *i1]),
        expires: u16::from_be_bytes([*e0, *e1]),
    })
}
