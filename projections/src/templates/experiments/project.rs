//! Events to rows.

use commands::consumer::{Changes, Sql};
use commands::log::Recorded;
use domain::Fact;
use domain::notification::NotificationEvent;
use domain::subscription::{Source, SubscriptionEvent};
use uuid::Uuid;

static ASSIGNED: Sql = Sql {
    text: "INSERT INTO assigned (notification, template, experiment, variant, recipient, opened, clicked, unsubscribed) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0) ON CONFLICT (notification) DO NOTHING",
    types: "btttb",
    key: 1,
};
static OPENED: Sql = Sql { text: "UPDATE assigned SET opened = 1 WHERE notification = ?1", types: "b", key: 1 };
// Whoever follows a link has opened it, whatever their mail program tells.
static CLICKED: Sql = Sql { text: "UPDATE assigned SET opened = 1, clicked = 1 WHERE notification = ?1", types: "b", key: 1 };
static UNSUBSCRIBED: Sql = Sql { text: "UPDATE assigned SET unsubscribed = 1 WHERE notification = ?1", types: "b", key: 1 };

/// The changes that an event makes.
pub(in crate::templates) fn handle(event: &Recorded, changes: &mut Changes) {
    match &event.fact {
        Fact::Notification(fact) => of_notification(event.stream.id, fact, changes),
        Fact::Subscription(SubscriptionEvent::Unsubscribed(e)) => {
            let by_link = matches!(e.source, Source::UnsubscribeLink | Source::OneClick);
            // The link's notification, as its page noted it.
            let notification = event.metadata.correlation.as_deref().filter(|_| by_link).and_then(|text| Uuid::try_parse(text).ok());
            if let Some(notification) = notification {
                changes.push(&UNSUBSCRIBED, vec![notification.into()]);
            }
        }
        _ => {}
    }
}

fn of_notification(notification: Uuid, fact: &NotificationEvent, changes: &mut Changes) {
    match fact {
        NotificationEvent::Requested(e) if !e.sandbox => {
            if let Some((used, assigned)) = e.template.as_ref().and_then(|used| Some((used, used.assigned.as_ref()?))) {
                let (experiment, variant) = (assigned.experiment.as_str(), assigned.variant.as_str());
                changes.push(&ASSIGNED, vec![notification.into(), used.key.as_str().into(), experiment.into(), variant.into(), e.recipient.0.into()]);
            }
        }
        NotificationEvent::Opened(e) if !e.automatic => changes.push(&OPENED, vec![notification.into()]),
        NotificationEvent::Clicked(e) if !e.automatic => changes.push(&CLICKED, vec![notification.into()]),
        _ => {}
    }
}
