//! Old shapes of events, lifted to today's on reading; the stored bytes never change.
//!
//! One file for each old version (or for several events that changed alike), with a stored sample
//! under `samples/` that is decoded by a test for ever.

mod category_defined_v1;
mod category_defined_v2;
mod category_defined_v3;
mod category_defined_v4;
mod notification_v1;
mod sender_registered_v1;
mod subscription_v1;
mod subscription_v2;
#[cfg(test)]
mod tests;

use crate::AggregateKind;
use crate::event::DecodeError;

/// Lifts a payload by as many versions as it takes; none where it is of today's shape.
pub fn lift(kind: AggregateKind, name: &str, version: u16, payload: &[u8]) -> Result<Option<(u16, Vec<u8>)>, DecodeError> {
    let lifted = match (kind, version) {
        (AggregateKind::Category, 1) if name == "CategoryDefined" => {
            category_defined_v1::lift(payload).and_then(|second| category_defined_v2::lift(&second)).map(|payload| (5, payload))
        }
        (AggregateKind::Category, 2) if name == "CategoryDefined" => category_defined_v2::lift(payload).map(|payload| (5, payload)),
        (AggregateKind::Category, 3) if name == "CategoryDefined" => Ok((5, category_defined_v4::lift(&category_defined_v3::lift(payload)))),
        (AggregateKind::Category, 4) if name == "CategoryDefined" => Ok((5, category_defined_v4::lift(payload))),
        (AggregateKind::Sender, 1) if name == "SenderRegistered" => Ok((2, sender_registered_v1::lift(payload))),
        (AggregateKind::Subscription, 1) if matches!(name, "Unsubscribed" | "Resubscribed") => subscription_v1::lift(payload).map(|payload| (3, payload)),
        (AggregateKind::Subscription, 2) if matches!(name, "Unsubscribed" | "Resubscribed") => Ok((3, subscription_v2::lift(payload))),
        (AggregateKind::Notification, 1) if notification_v1::NAMES.contains(&name) => Ok((2, notification_v1::lift(payload))),
        _ => return Ok(None),
    };
    lifted.map(Some).map_err(|error| DecodeError::Malformed { name: name.to_owned(), reason: error.to_string() })
}
