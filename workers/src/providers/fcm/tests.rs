#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod calls;
mod mapping;
mod payloads;
mod script;
mod tokens;

use crate::providers::Message;
use domain::recipient::AddressDetails;
use domain::values::{Content, NotificationId, Priority};
use std::sync::Arc;

fn message(token: &str) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 3,
        attempt: 2,
        priority: Priority::High,
        content: Arc::new(Content {
            title: Some("Paid".to_owned()),
            body: "Order 42".to_owned(),
            data: Some(r#"{"order":42}"#.to_owned()),
            ..Content::default()
        }),
        address: AddressDetails { value: token.to_owned(), secret: None },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 0,
        after_unknown: false,
    }
}
