//! Enhanced status codes (RFC 3463, and the IANA registry of them) as what they mean for an address.
//!
//! Guarantee: an address counts as dead only where the code says that there is no such mailbox or domain.
//! Words are not read: every server has its own, in its own language. A full mailbox fails for good and
//! is alive; a message that is refused for what it is says nothing about the address.

use domain::notification::FailureClass;

/// `class.subject.detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(pub u16, pub u16, pub u16);

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Status {
    /// The first in a text, such as `5.1.1` or `550-5.1.1 The email account ...` or `550 5.1.1 <a@b>...`.
    pub(super) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let mut parts = word.split('.');
            let mut number = || {
                let part = parts.next()?;
                ((1..=3).contains(&part.len())).then(|| part.parse().ok())?
            };
            let found = Self(number()?, number()?, number()?);
            (matches!(found.0, 2 | 4 | 5) && parts.next().is_none()).then_some(found)
        })
    }

    /// Of the field `Status`, and of the server's own words where these say more than «other».
    pub(super) fn of(field: Option<&str>, diagnostic: Option<&str>) -> Option<Self> {
        let (field, diagnostic) = (field.and_then(Self::find), diagnostic.and_then(Self::find));
        match (field, diagnostic) {
            (Some(Self(class, 0, 0)), Some(more)) if more.0 == class => Some(more),
            (None, more) => more,
            (field, _) => field,
        }
    }

    /// What a final failure with it means: in which way, and whether the address does not exist.
    pub(super) const fn failure(self) -> (FailureClass, bool) {
        use FailureClass::{BadAddress, Permanent, Transient};
        match self {
            // Tried for days and given up: the next message may arrive.
            Self(4, ..) => (Transient, false),
            // No such mailbox, domain or syntax; moved away; takes no mail at all (RFC 7505); disabled.
            Self(5, 1, 1 | 2 | 3 | 6 | 10) | Self(5, 2, 1) => (BadAddress, true),
            // Something about the address or the mailbox, such as a full one; no route to its domain; and
            // what Exchange answers for strangers and for mailboxes that do not exist alike.
            Self(5, 1, 0 | 4) | Self(5, 2, 0 | 2) | Self(5, 4, 1 | 4 | 310) => (BadAddress, false),
            _ => (Permanent, false),
        }
    }
}
