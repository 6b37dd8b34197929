#![allow(clippy::panic, missing_docs)]

use crate::category::CategoryEvent;
use crate::notification::NotificationEvent as N;
use crate::sender::SenderEvent;
use crate::subscription::{ChangedBy, Scope, Source, SubscriptionEvent};
use crate::values::{Channel, Priority, Rule};
use crate::{AggregateKind, Fact};

#[test]
fn a_stored_category_of_version_1_reaches_every_channel() {
    let stored = include_bytes!("samples/category_defined_v1.json");
    let Ok(Fact::Category(CategoryEvent::CategoryDefined(defined))) = Fact::decode(AggregateKind::Category, "CategoryDefined", 1, stored, None) else {
        unreachable!("the sample decodes");
    };
    assert_eq!(defined.key.as_str(), "orders");
    assert_eq!(defined.default_channels, Channel::UNNAMED.to_vec());
    assert_eq!(defined.priority, Priority::Normal);
}

#[test]
fn an_event_of_a_newer_build_is_refused_not_skipped() {
    let refused = Fact::decode(AggregateKind::Category, "CategoryDefined", 6, b"{}", None);
    assert!(matches!(refused, Err(crate::event::DecodeError::Unknown { version: 6, .. })));
}

#[test]
fn a_stored_category_of_version_2_sends_at_once_to_all_who_have_not_opted_out() {
    let stored = include_bytes!("samples/category_defined_v2.json");
    let Ok(Fact::Category(CategoryEvent::CategoryDefined(defined))) = Fact::decode(AggregateKind::Category, "CategoryDefined", 2, stored, None) else {
        panic!("the sample decodes");
    };
    assert_eq!(defined.default_channels, vec![Channel::Email, Channel::InApp]);
    assert!(defined.subscribed_by_default && defined.limits.is_empty() && defined.plan.is_none() && defined.digest.is_none());
}

#[test]
fn stored_switches_of_version_1_were_turned_by_the_api() {
    let (off, on) = (include_bytes!("samples/unsubscribed_v1.json"), include_bytes!("samples/resubscribed_v1.json"));
    match Fact::decode(AggregateKind::Subscription, "Unsubscribed", 1, off, None) {
        Ok(Fact::Subscription(SubscriptionEvent::Unsubscribed(e))) => {
            assert!(matches!(e.scope, Scope::Category(key) if key.as_str() == "orders"));
            assert_eq!((e.by, e.source, e.recipient), (ChangedBy::Recipient, Source::Api, None));
        }
        other => panic!("{other:?}"),
    }
    match Fact::decode(AggregateKind::Subscription, "Resubscribed", 1, on, None) {
        Ok(Fact::Subscription(SubscriptionEvent::Resubscribed(e))) => assert_eq!((e.scope, e.by), (Scope::All, ChangedBy::Sender)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stored_notifications_of_version_1_say_the_same_as_ever() {
    let read = |name, payload: &[u8]| Fact::decode(AggregateKind::Notification, name, 1, payload, None);
    match read("Requested", include_bytes!("samples/requested_v1.json")) {
        Ok(Fact::Notification(N::Requested(e))) => {
            assert_eq!((e.fingerprint.as_str(), e.expires_at, e.sandbox), ("f", Some(7), true));
            assert!(e.plan.is_none() && e.not_before.is_none() && e.origin.is_none());
        }
        other => panic!("{other:?}"),
    }
    match read("Suppressed", include_bytes!("samples/suppressed_v1.json")) {
        Ok(Fact::Notification(N::Suppressed(e))) => assert_eq!((e.channel, e.address, e.rule), (Some(Channel::Email), None, Rule::OptedOutOfChannel)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(read("Cancelled", include_bytes!("samples/cancelled_v1.json")), Ok(Fact::Notification(N::Cancelled(e))) if e.delivery == Some(1)));
    assert!(matches!(read("Expired", include_bytes!("samples/expired_v1.json")), Ok(Fact::Notification(N::Expired(e))) if e.delivery == Some(0)));
}

#[test]
fn a_stored_category_of_version_3_keeps_its_rules_and_watches_nobody() {
    let stored = include_bytes!("samples/category_defined_v3.json");
    let Ok(Fact::Category(CategoryEvent::CategoryDefined(defined))) = Fact::decode(AggregateKind::Category, "CategoryDefined", 3, stored, None) else {
        panic!("the sample decodes");
    };
    assert_eq!((defined.limits.len(), defined.time_to_live, defined.subscribed_by_default), (1, Some(60_000), false));
    assert!(defined.tracking.is_off());
}

#[test]
fn stored_switches_of_version_2_mean_the_same_as_ever() {
    let (off, on) = (include_bytes!("samples/unsubscribed_v2.json"), include_bytes!("samples/resubscribed_v2.json"));
    match Fact::decode(AggregateKind::Subscription, "Unsubscribed", 2, off, None) {
        Ok(Fact::Subscription(SubscriptionEvent::Unsubscribed(e))) => {
            assert!(matches!(e.scope, Scope::CategoryChannel { channel: Channel::Email, .. }));
            assert!(e.source == Source::PreferencePage && e.recipient.is_some());
        }
        other => panic!("{other:?}"),
    }
    match Fact::decode(AggregateKind::Subscription, "Resubscribed", 2, on, None) {
        Ok(Fact::Subscription(SubscriptionEvent::Resubscribed(e))) => assert_eq!((e.scope, e.source), (Scope::All, Source::OneClick)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_stored_before_senders_could_be_named_comes_from_where_the_provider_sends() {
    let category = include_bytes!("samples/category_defined_v4.json");
    match Fact::decode(AggregateKind::Category, "CategoryDefined", 4, category, None) {
        Ok(Fact::Category(CategoryEvent::CategoryDefined(defined))) => {
            assert!(defined.from.is_default() && defined.tracking.opens && !defined.tracking.clicks);
        }
        other => panic!("{other:?}"),
    }
    let sender = include_bytes!("samples/sender_registered_v1.json");
    match Fact::decode(AggregateKind::Sender, "SenderRegistered", 1, sender, None) {
        Ok(Fact::Sender(SenderEvent::SenderRegistered(registered))) => {
            assert_eq!((registered.name.as_str(), registered.from.is_default()), ("Shop", true));
        }
        other => panic!("{other:?}"),
    }
}
