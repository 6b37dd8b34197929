#![allow(clippy::unwrap_used, missing_docs)]

use super::{Recorded, notification_stream, record};
use crate::accept::address_stream;
use crate::accept::tests::{fixture, meta};
use crate::bus::Bus;
use crate::log::{Commit, Lane, StreamAppend};
use domain::Fact;
use domain::address::{AddressOwnership, SuppressionReason};
use domain::event::Personal;
use domain::notification::{AttemptStarted, DeliveryState, FailureClass, Notification, NotificationEvent as E, Queued, Receipt, Requested, Said, Sent};
use domain::values::{AddressId, CategoryKey, Channel, Content, FactVersions, NotificationId, RecipientId, Rule, SenderKey};
use uuid::Uuid;

fn id(number: u128) -> NotificationId {
    NotificationId(Uuid::from_u128(number))
}

const ADDRESS: AddressId = AddressId(Uuid::from_u128(9));

/// A text that Twilio took.
async fn sent(bus: &Bus, notification: NotificationId) {
    let requested = Requested::plain(
        SenderKey::new("shop").unwrap(),
        RecipientId(Uuid::from_u128(1)),
        CategoryKey::new("orders").unwrap(),
        Personal::from(Content { body: "Paid".to_owned(), ..Content::default() }),
    );
    let queued = Queued { delivery: 0, channel: Channel::Sms, address: Some(ADDRESS), rule: Rule::DefaultOptIn, rules: 1, facts: FactVersions::default() };
    let started = AttemptStarted { delivery: 0, attempt: 1, provider: "twilio".to_owned(), after_unknown: false, from: None };
    let events =
        [E::Requested(requested), E::Queued(queued), E::AttemptStarted(started), E::Sent(Sent { delivery: 0, attempt: 1, provider_id: None, cost: None })];
    let append = StreamAppend { stream: notification_stream(notification), number: None, expected: 0, events: events.into_iter().map(Fact::from).collect() };
    bus.committer().commit(Lane::Internal, vec![Commit { metadata: meta(), appends: vec![append], expectations: Vec::new() }]).await.unwrap();
}

fn bounced() -> Receipt {
    let said = Said::Bounced { class: FailureClass::BadAddress, dead: true, code: "30005".to_owned() };
    Receipt { delivery: 0, attempt: Some(1), provider_id: None, at: None, said }
}

#[tokio::test]
async fn a_report_counts_once_and_takes_its_address_along() {
    let fixture = fixture().await;
    let bus = &fixture.bus;
    sent(bus, id(1)).await;
    sent(bus, id(2)).await;
    // Both are to the same address, which is suppressed once.
    let both = vec![(id(1), bounced()), (id(2), bounced()), (id(1), bounced())];
    assert_eq!(record(bus, &meta(), "twilio", both.clone()).await.unwrap(), Recorded { events: 2, known: 1, strange: 0 });
    assert_eq!(record(bus, &meta(), "twilio", both).await.unwrap(), Recorded { events: 0, known: 3, strange: 0 });
    let address = bus.load::<AddressOwnership>(address_stream(ADDRESS)).await.unwrap();
    assert_eq!((address.state.suppressed, address.sequence), (Some(SuppressionReason::HardBounce), 1));
    let state = bus.load::<Notification>(notification_stream(id(1))).await.unwrap().state;
    assert_eq!(state.deliveries[0].state, DeliveryState::Bounced);
}

#[tokio::test]
async fn a_provider_says_nothing_of_anothers_calls() {
    let fixture = fixture().await;
    let bus = &fixture.bus;
    sent(bus, id(1)).await;
    let other_attempt = Receipt { attempt: Some(2), ..bounced() };
    for (provider, notification, receipt) in [("sendgrid", id(1), bounced()), ("twilio", id(7), bounced()), ("twilio", id(1), other_attempt)] {
        let told = record(bus, &meta(), provider, vec![(notification, receipt)]).await.unwrap();
        assert_eq!(told, Recorded { events: 0, known: 0, strange: 1 }, "{provider}");
    }
    let address = bus.load::<AddressOwnership>(address_stream(ADDRESS)).await.unwrap();
    assert_eq!(address.state.suppressed, None);
}
