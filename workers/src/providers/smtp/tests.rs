#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod calls;
mod mapping;
mod messages;
mod read_back;
mod silence;

use crate::providers::Message;
use domain::recipient::AddressDetails;
use domain::values::{Content, NotificationId, Priority};
use std::sync::Arc;

fn message(to: &str, content: Content) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 3,
        attempt: 2,
        priority: Priority::Normal,
        content: Arc::new(content),
        address: AddressDetails { value: to.to_owned(), secret: None },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 0,
        after_unknown: false,
    }
}
