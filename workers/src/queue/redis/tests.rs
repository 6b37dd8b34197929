#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::codec::{decode, encode, id, id_in};
use crate::pending::Item;
use domain::notification::{Delivery, DeliveryState};
use domain::values::{AddressId, CategoryKey, Channel, NotificationId, Priority, RecipientId, SenderKey, TopicKey};
use proptest::prelude::*;
use uuid::Uuid;

fn state() -> impl Strategy<Value = DeliveryState> {
    prop_oneof![
        Just(DeliveryState::Ready),
        any::<i64>().prop_map(|due| DeliveryState::Waiting { due }),
        Just(DeliveryState::InFlight),
        Just(DeliveryState::Sent),
        Just(DeliveryState::Failed),
        Just(DeliveryState::Cancelled),
        Just(DeliveryState::Expired),
        Just(DeliveryState::Suppressed),
        Just(DeliveryState::DeadLettered),
        Just(DeliveryState::Discarded),
    ]
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

prop_compose! {
    fn delivery()(
        number in any::<u16>(),
        channel in proptest::sample::select(Channel::ALL.to_vec()),
        address in proptest::option::of(uuid()),
        state in state(),
        attempt in any::<u32>(),
        counted in any::<u32>(),
        after_unknown in any::<bool>(),
        unknown_repeats in any::<u32>(),
    ) -> Delivery {
        Delivery { number, channel, address: address.map(AddressId), state, attempt, counted, after_unknown, unknown_repeats }
    }
}

prop_compose! {
    fn item()(
        delivery in delivery(),
        ids in (uuid(), uuid()),
        numbers in (any::<u64>(), any::<u64>(), any::<u64>()),
        keys in ("[a-z0-9][a-z0-9_.-]{0,63}", "[a-z0-9][a-z0-9_.-]{0,63}"),
        priority in proptest::sample::select(Priority::DESCENDING.to_vec()),
        sandbox in any::<bool>(),
        requested_at in any::<i64>(),
        expires_at in proptest::option::of(any::<i64>()),
        topic in proptest::option::of("[a-z0-9][a-z0-9_.-]{0,63}"),
    ) -> Item {
        Item {
            notification: NotificationId(ids.0),
            stream: numbers.0,
            sequence: numbers.1,
            delivery,
            recipient: RecipientId(ids.1),
            sender: SenderKey::new(&keys.0).unwrap(),
            category: CategoryKey::new(&keys.1).unwrap(),
            priority,
            sandbox,
            requested_position: numbers.2,
            requested_at,
            expires_at,
            topic: topic.map(|key| TopicKey::new(&key).unwrap()),
            requested: None,
        }
    }
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(item in item()) {
        let bytes = encode(&item);
        let read = decode(&bytes).unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{item:?}"));
        prop_assert_eq!(encode(&read), bytes.clone());
        prop_assert_eq!(id_in(&bytes), id(&item));
    }

    #[test]
    fn garbage_is_no_item_and_no_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = id_in(&bytes);
        let _ = decode(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let _ = decode(&bytes);
    }

    #[test]
    fn a_part_or_more_than_an_item_is_none(item in item(), cut in any::<proptest::sample::Index>()) {
        let mut bytes = encode(&item);
        prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_none());
        bytes.push(0);
        prop_assert!(decode(&bytes).is_none());
    }

    #[test]
    fn another_version_is_none(item in item(), version in 2..=u8::MAX) {
        let mut bytes = encode(&item);
        bytes[0] = version;
        prop_assert!(decode(&bytes).is_none());
    }
}

#[test]
fn an_item_is_small_and_the_newer_shape_sorts_behind_the_older() {
    let item = Item {
        notification: NotificationId::default(),
        stream: 5,
        sequence: 2,
        delivery: Delivery::queued(0, Channel::AndroidPush, Some(AddressId::default())),
        recipient: RecipientId::default(),
        sender: SenderKey::new("shop").unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        topic: None,
        priority: Priority::Normal,
        sandbox: false,
        requested_position: 1_000_000,
        requested_at: 1_800_000_000_000,
        expires_at: None,
        requested: None,
    };
    assert!(encode(&item).len() < 110, "{}", encode(&item).len());
    assert!(encode(&Item { sequence: 300, ..item.clone() }) > encode(&item));
}
