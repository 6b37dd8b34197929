#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use domain::address::{AddressEvent, AddressReinstated, AddressSuppressed, SuppressionReason};
use domain::event::Personal;
use domain::recipient::{AddressChanged, DeviceRegistered, DeviceRemoved, Erased, RecipientEvent, RemovalReason};
use domain::values::{AddressId, Channel};
use domain::{AggregateKind, StreamId};
use uuid::Uuid;

fn address(number: u128) -> AddressId {
    AddressId(Uuid::from_u128(0xdddd_0000 + number))
}

fn suppressed(number: u128, reason: SuppressionReason) -> (StreamId, AddressEvent) {
    let event = AddressSuppressed { address: address(number), reason, note: (number == 1).then(|| "5.1.1".to_owned()) };
    (StreamId::new(AggregateKind::Address, address(number).0), AddressEvent::AddressSuppressed(event))
}

on_every_store!(the_list_holds_what_is_suppressed_and_who_has_it);

async fn the_list_holds_what_is_suppressed_and_who_has_it<S: Store>() {
    let of = |number| StreamId::new(AggregateKind::Recipient, recipient(number).0);
    let mail = |number: u128, to: u128| {
        RecipientEvent::AddressChanged(AddressChanged {
            recipient: recipient(number),
            channel: Channel::Email,
            address: address(to),
            registered_at: START,
            personal: Personal::Erased,
        })
    };
    let phone = RecipientEvent::DeviceRegistered(DeviceRegistered {
        recipient: recipient(1),
        channel: Channel::IosPush,
        address: address(2),
        registered_at: START,
        personal: Personal::Erased,
    });
    let mut story = Story::default();
    story.add(of(1), mail(1, 1)).add(of(1), phone).add(of(2), mail(2, 1));
    for (stream, event) in [suppressed(1, SuppressionReason::HardBounce), suppressed(2, SuppressionReason::Manual), suppressed(3, SuppressionReason::Stop)] {
        story.add(stream, event);
    }
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let list = Suppressions::new(view.projection.clone());
    let rows = list.list(None, 0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.address).collect::<Vec<_>>(), [address(1), address(2), address(3)]);
    assert_eq!(rows[0].holders, [(recipient(1), Channel::Email), (recipient(2), Channel::Email)]);
    assert_eq!((rows[0].note.as_deref(), rows[0].reason, rows[0].at), (Some("5.1.1"), SuppressionReason::HardBounce, START + 4));
    assert_eq!(rows[1].holders, [(recipient(1), Channel::IosPush)]);
    assert!(rows[2].holders.is_empty());
    assert_eq!(list.list(Some(SuppressionReason::Manual), 0, 10).await.unwrap(), [rows[1].clone()]);
    assert_eq!(list.list(None, rows[0].position, 1).await.unwrap(), [rows[1].clone()]);

    let before = story.events.len();
    story
        .add(of(1), RecipientEvent::DeviceRemoved(DeviceRemoved { channel: Channel::IosPush, address: address(2), reason: RemovalReason::Requested }))
        .add(of(2), RecipientEvent::Erased(Erased { recipient: recipient(2) }))
        .add(
            StreamId::new(AggregateKind::Address, address(3).0),
            AddressEvent::AddressReinstated(AddressReinstated { address: address(3), reason: "a mistake".to_owned() }),
        );
    view.take(&story.events[before..]).await;
    let once = view.dump().await;
    view.take(&story.events[before..]).await;
    assert_eq!(once, view.dump().await);
    let rows = list.list(None, 0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.address, row.holders.len())).collect::<Vec<_>>(), [(address(1), 1), (address(2), 0)]);
}
