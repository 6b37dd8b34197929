//! The envelope's sender: where mail servers send what they cannot deliver, with our ids in it.
//!
//! Guarantee: whoever returns a mail without a word of what was in it still says which one it was
//! (variable envelope return paths). The ids are no secret, so a report that has only these ends its own
//! delivery and nothing more; see `seal`.

use crate::providers::Message;
use crate::providers::callbacks::OurIds;
use domain::values::NotificationId;
use lettre::Address;
use uuid::Uuid;

/// Longest part before the `@` (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// `+`, the notification, `-`, the delivery, `-`, the attempt.
const LONGEST_IDS: usize = 1 + 32 + 1 + 5 + 1 + 10;

/// Whether our ids fit behind an address.
pub(super) fn has_room(bounces: &Address) -> bool {
    bounces.user().len() + LONGEST_IDS <= LONGEST_LOCAL && !bounces.user().contains('+') && bounces.user().is_ascii() && bounces.domain().is_ascii()
}

/// The envelope's sender of a message.
pub(super) fn of(bounces: &Address, message: &Message) -> Option<Address> {
    let (notification, delivery, attempt) = (message.notification.0.simple(), message.delivery, message.attempt);
    Address::new(format!("{}+{notification}-{delivery}-{attempt}", bounces.user()), bounces.domain()).ok()
}

/// The ids in an address, whoever's it is.
pub(super) fn read(address: &str) -> Option<OurIds> {
    let (local, _) = address.trim().trim_matches(['<', '>']).rsplit_once('@')?;
    let mut parts = local.rsplit_once('+')?.1.split('-');
    let id = parts.next().filter(|id| id.len() == 32)?;
    let ids =
        OurIds { notification: NotificationId(Uuid::try_parse(id).ok()?), delivery: parts.next()?.parse().ok()?, attempt: Some(parts.next()?.parse().ok()?) };
    parts.next().is_none().then_some(ids)
}
