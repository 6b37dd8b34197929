//! What the tests of providers share.
#![allow(clippy::unwrap_used, missing_docs)]

use super::{Message, Provider};
use domain::recipient::AddressDetails;
use domain::values::{Content, NotificationId, Outcome, Priority};
use std::sync::Arc;

/// Notification 0x77, delivery 3, attempt 2.
pub(super) fn message(value: &str, secret: Option<String>) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 3,
        attempt: 2,
        priority: Priority::High,
        content: Arc::new(Content { title: Some("Paid".to_owned()), body: "Order 42".to_owned(), ..Content::default() }),
        address: AddressDetails { value: value.to_owned(), secret },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 1_700_000_000_000,
        after_unknown: false,
    }
}

/// The kind of an outcome with its code.
pub(super) fn told(outcome: &Outcome) -> (&'static str, String) {
    let (kind, code) = match outcome {
        Outcome::Accepted { .. } => return ("accepted", String::new()),
        Outcome::Retry { code, .. } => ("retry", code),
        Outcome::Throttled { code, .. } => ("throttled", code),
        Outcome::BadAddress { code, .. } => ("bad address", code),
        Outcome::Permanent { code } => ("permanent", code),
        Outcome::Misconfigured { code, .. } => ("misconfigured", code),
        Outcome::Unknown { code } => ("unknown", code),
        Outcome::NotMade { code } => ("not made", code),
    };
    (kind, code.clone())
}

/// Sends each and compares.
pub(super) async fn expect(provider: &dyn Provider, cases: &[(Message, &'static str, &str)]) {
    for (message, kind, code) in cases {
        assert_eq!(told(&provider.send(message).await), (*kind, (*code).to_owned()), "{}", message.address.value);
    }
}

/// Every way in which an e-mail provider of HTTP gives no verdict; `other` is the code of an answer that is
/// none of its own.
pub(super) async fn nobody_knows(provider: &dyn Provider, to: impl Fn(&str) -> Message, other: &str) {
    let cases = [("drop", "connection broken"), ("ghost", "503"), ("reset", "connection broken"), ("garbage", other), ("empty", other)];
    let cases = cases.map(|(who, code)| (to(&format!("{who}@example.org")), "unknown", code));
    expect(provider, &cases).await;
}
