#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use domain::api_key::{ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked, Role};
use domain::category::{CategoryDefined, CategoryEvent, OverLimit, QuietHoursBehaviour};
use domain::sender::{SenderEvent, SenderRegistered};
use domain::values::{CategoryKey, Channel, KeyId, Priority, SenderKey, SentFrom};
use domain::{AggregateKind, StreamId};
use uuid::Uuid;

fn category(name: &str, channels: &[Channel]) -> CategoryEvent {
    CategoryEvent::CategoryDefined(CategoryDefined {
        key: CategoryKey::new("orders").unwrap(),
        name: name.to_owned(),
        description: "What you ordered".to_owned(),
        required: true,
        default_channels: channels.to_vec(),
        priority: Priority::Critical,
        subscribed_by_default: true,
        plan: None,
        dedup_window: None,
        limits: Vec::new(),
        over_limit: OverLimit::Hold,
        quiet_hours: QuietHoursBehaviour::Defer,
        digest: None,
        time_to_live: None,
        tracking: domain::category::Tracking::default(),
        from: SentFrom::default(),
    })
}

fn sender(name: &str) -> SenderEvent {
    SenderEvent::SenderRegistered(SenderRegistered { key: SenderKey::new("shop").unwrap(), name: name.to_owned(), from: SentFrom::default() })
}

on_every_store!(the_directory_is_what_was_set_up_last, categories_are_found_by_what_people_call_them);

async fn categories_are_found_by_what_people_call_them<S: Store>() {
    let mut story = Story::default();
    for (key, name, about) in [("billing", "결제 알림", "카드와 청구서"), ("orders", "ÉTAT of orders", "Parcels"), ("news", "News", "From the Shop_1%")]
    {
        let CategoryEvent::CategoryDefined(mut defined) = category(name, &[Channel::InApp]);
        defined.key = CategoryKey::new(key).unwrap();
        defined.description = about.to_owned();
        story.add(StreamId::of_key(AggregateKind::Category, key), CategoryEvent::CategoryDefined(defined));
    }
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let directory = Directory::new(view.projection.clone());
    for (text, after, first, found) in [
        ("", None, 10, &["billing", "news", "orders"][..]),
        ("", Some("billing"), 1, &["news"]),
        ("청구", None, 10, &["billing"]),
        ("알림", None, 10, &["billing"]),
        ("état", None, 10, &["orders"]),
        ("SHOP_1%", None, 10, &["news"]),
        ("BILL", None, 10, &["billing"]),
        ("%", Some("news"), 10, &[]),
    ] {
        let keys = directory.search_categories(text, after, first).await.unwrap();
        assert_eq!(keys.iter().map(CategoryKey::as_str).collect::<Vec<_>>(), found, "{text:?} after {after:?}");
    }
}

async fn the_directory_is_what_was_set_up_last<S: Store>() {
    let key = KeyId(Uuid::from_u128(9));
    let role = Role::Sender { sender: SenderKey::new("shop").unwrap(), categories: vec![CategoryKey::new("orders").unwrap()], sandbox: true };
    let issued = ApiKeyEvent::ApiKeyIssued(ApiKeyIssued {
        key,
        name: "Shop".to_owned(),
        prefix: "bgs_abcd".to_owned(),
        hash: "ff00".to_owned(),
        role: role.clone(),
        expires_at: Some(START),
    });
    let of = |kind, key: &str| StreamId::of_key(kind, key);
    let orders = of(AggregateKind::Category, "orders");
    let shop = of(AggregateKind::Sender, "shop");
    let keys = StreamId::new(AggregateKind::ApiKey, key.0);
    let mut story = Story::default();
    story
        .add(orders, category("Orders", &[Channel::InApp]))
        .add(shop, sender("Shop"))
        .add(keys, issued)
        .add(orders, category("Purchases", &[Channel::Email, Channel::Webhook]))
        .add(shop, sender("The shop"));
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let directory = Directory::new(view.projection.clone());

    let category = directory.category(CategoryKey::new("orders").unwrap()).await.unwrap().unwrap();
    assert_eq!(category.name, "Purchases");
    assert_eq!(category.default_channels, [Channel::Email, Channel::Webhook]);
    assert_eq!((category.required, category.priority), (true, Priority::Critical));
    assert_eq!((category.defined_at, category.updated_position), (START + 1, 4));
    assert_eq!(directory.categories().await.unwrap(), [category]);

    let sender = directory.sender(SenderKey::new("shop").unwrap()).await.unwrap().unwrap();
    assert_eq!((sender.name.as_str(), sender.registered_at), ("The shop", START + 2));
    assert_eq!(directory.senders().await.unwrap(), [sender]);

    let found = directory.api_keys_of_prefix("bgs_abcd".to_owned()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].hash.as_str(), &found[0].role), ("ff00", &role));
    assert_eq!((found[0].expires_at, found[0].revoked_at), (Some(START), None));

    let before = story.events.len();
    story.add(keys, ApiKeyEvent::ApiKeyRevoked(ApiKeyRevoked { key }));
    view.take(&story.events[before..]).await;
    let once = view.dump().await;
    view.take(&story.events[before..]).await;
    assert_eq!(once, view.dump().await);
    let revoked = directory.api_key(key).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(START + 6));
    assert_eq!(directory.api_keys().await.unwrap(), [revoked]);
}
