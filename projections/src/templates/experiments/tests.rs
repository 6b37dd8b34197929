#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::templates::REGISTRATION;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use commands::log::{Metadata, Recorded};
use domain::event::Personal;
use domain::notification::{Clicked, NotificationEvent, Opened, Requested};
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::template::{Assigned, TemplateUse};
use domain::values::{CategoryKey, SenderKey, TemplateKey};
use domain::{AggregateKind, StreamId};
use std::sync::Arc;

fn assigned(to: u128, variant: Option<&str>, sandbox: bool) -> NotificationEvent {
    let assigned = variant.map(|variant| Assigned { experiment: "subject".to_owned(), variant: variant.to_owned() });
    let template = TemplateUse { key: TemplateKey::new("welcome").unwrap(), version: 1, assigned, locale: None, zone: None };
    let plain = Requested::plain(SenderKey::new("shop").unwrap(), recipient(to), CategoryKey::new("news").unwrap(), Personal::Erased);
    NotificationEvent::Requested(Requested { template: Some(Box::new(template)), sandbox, ..plain })
}

fn opened(automatic: bool) -> NotificationEvent {
    NotificationEvent::Opened(Opened { delivery: 0, automatic, at: None })
}

fn clicked(automatic: bool) -> NotificationEvent {
    NotificationEvent::Clicked(Clicked { delivery: 0, link: 0, automatic, at: None })
}

on_every_store!(people_are_counted_once_and_programs_never);

async fn people_are_counted_once_and_programs_never<S: Store>() {
    let mut story = Story::default();
    story
        .notification(1, assigned(1, Some("control"), false))
        .notification(2, assigned(2, Some("warm"), false))
        .notification(3, assigned(2, Some("warm"), false))
        .notification(4, assigned(3, Some("warm"), false))
        .notification(5, assigned(4, Some("warm"), true))
        .notification(6, assigned(5, None, false))
        .notification(2, opened(false))
        .notification(3, opened(false))
        .notification(4, opened(true))
        .notification(1, clicked(false))
        .notification(4, clicked(true))
        .notification(6, clicked(false));
    let unsubscribed =
        Unsubscribed { recipient: Some(recipient(3)), scope: Scope::All, by: ChangedBy::Recipient, source: Source::OneClick, personal: Personal::Erased };
    story.add(StreamId::new(AggregateKind::Subscription, recipient(3).0), SubscriptionEvent::Unsubscribed(unsubscribed));
    if let Some(last) = story.events.last_mut() {
        let metadata = Metadata { correlation: Some(stream(4).id.to_string()), ..Metadata::of("recipient:link") };
        *last = Arc::new(Recorded { metadata: Arc::new(metadata), ..Recorded::clone(last) });
    }
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let once = view.dump().await;
    view.take(&story.events).await;
    assert_eq!(once, view.dump().await);
    let rows = Experiments::new(view.projection.clone()).of_template(&TemplateKey::new("welcome").unwrap()).await.unwrap();
    let row = |variant: &str, assigned, opened, clicked, unsubscribed| VariantRow {
        experiment: "subject".to_owned(),
        variant: variant.to_owned(),
        assigned,
        opened,
        clicked,
        unsubscribed,
    };
    assert_eq!(rows, [row("control", 1, 1, 1, 0), row("warm", 2, 1, 0, 1)]);
    let others = Experiments::new(view.projection.clone()).of_template(&TemplateKey::new("other").unwrap()).await.unwrap();
    assert!(others.is_empty());
}
