//! Events to rows. A notification whose events fall into one batch costs one INSERT; a later
//! outcome costs one UPDATE by number, and nothing is ever read.
//!
//! Every statement leaves the same row when it is executed again: states and flags are absolute,
//! a delivery is appended only where it is missing.

use super::fold::{Folded, box_of, matters};
use super::totals::Totals;
use commands::consumer::{Changes, Consumer, HandleError, Sql, Value};
use commands::log::Recorded;
use domain::Fact;
use domain::notification::{NotificationEvent, Requested};
use domain::values::Channel;
use std::collections::HashMap;
use std::sync::Arc;

static INSERT: Sql = Sql {
    text: "INSERT INTO notifications (number, id, recipient, sender, category, priority, sandbox, requested_position, requested_at, visible_position, deliveries, flags, box, updated_position, template) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT (number) DO NOTHING",
    types: "ibbttiiiiitiiit",
    key: 1,
};
static APPEND: Sql = Sql {
    text: "UPDATE notifications SET deliveries = deliveries || ?2, visible_position = CASE WHEN sandbox = 1 THEN NULL ELSE coalesce(visible_position, ?4) END, updated_position = ?5 WHERE number = ?1 AND length(deliveries) = ?3",
    types: "itiii",
    key: 1,
};
static STATE: Sql = Sql {
    text: "UPDATE notifications SET deliveries = substr(deliveries, 1, CAST(?2 AS integer)) || ?3 || substr(deliveries, CAST(?4 AS integer)), updated_position = ?5 WHERE number = ?1",
    types: "iitii",
    key: 1,
};
static FLAGS: Sql = Sql {
    text: "UPDATE notifications SET flags = flags | ?2, box = CASE WHEN box < ?3 THEN ?3 ELSE box END, updated_position = ?4 WHERE number = ?1",
    types: "iiii",
    key: 1,
};

static WHOLE: Sql = Sql { text: "UPDATE notifications SET flags = (flags & 7) | ?2, updated_position = ?3 WHERE number = ?1", types: "iii", key: 1 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct NotificationsProjection;

impl Consumer for NotificationsProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        let mut order: Vec<Folded<'_>> = Vec::with_capacity(events.len() / 3 + 1);
        let mut places: HashMap<u64, usize> = HashMap::with_capacity(events.len() / 3 + 1);
        for event in events {
            let Some(fact) = matters(&event.fact) else {
                continue;
            };
            let place = match order.last() {
                Some(last) if last.number == event.number => order.len() - 1,
                _ => *places.entry(event.number).or_insert_with(|| {
                    order.push(Folded::new(event.number));
                    order.len() - 1
                }),
            };
            if let Some(folded) = order.get_mut(place) {
                folded.add(event, fact);
            }
        }
        // In the order of the table, so that neighbours change together.
        order.sort_unstable_by_key(|folded| folded.number);
        for folded in &order {
            push(folded, changes);
        }
        if !events.is_empty() {
            Totals::count(events).push(changes);
        }
        Ok(())
    }
}

fn push(folded: &Folded<'_>, changes: &mut Changes) {
    if let Some(recorded) = folded.requested
        && let Fact::Notification(NotificationEvent::Requested(requested)) = &recorded.fact
    {
        changes.push(&INSERT, row(folded, recorded, requested));
        changes.enter(requested.recipient.0.into_bytes(), folded.number);
        return;
    }
    for touched in &folded.deliveries {
        let start = u64::from(touched.number) * 2;
        if let Some(channel) = touched.channel {
            let mut text = String::with_capacity(2);
            text.push(channel_letter(channel));
            text.push(touched.status.letter());
            changes.push(&APPEND, vec![folded.number.into(), text.into(), start.into(), folded.queued_at.into(), folded.updated.into()]);
        } else {
            changes.push(
                &STATE,
                vec![folded.number.into(), (start + 1).into(), touched.status.letter().to_string().into(), (start + 3).into(), folded.updated.into()],
            );
        }
    }
    if let Some(whole) = folded.whole {
        changes.push(&WHOLE, vec![folded.number.into(), whole.into(), folded.updated.into()]);
    }
    if folded.flags != 0 {
        changes.push(&FLAGS, vec![folded.number.into(), folded.flags.into(), box_of(folded.flags).into(), folded.updated.into()]);
    }
}

fn row(folded: &Folded<'_>, recorded: &Recorded, requested: &Requested) -> Vec<Value> {
    let mut deliveries = String::with_capacity(folded.deliveries.len() * 2);
    for touched in &folded.deliveries {
        if let Some(channel) = touched.channel {
            deliveries.push(channel_letter(channel));
            deliveries.push(touched.status.letter());
        }
    }
    let visible = folded.queued_at.filter(|_| !requested.sandbox);
    vec![
        folded.number.into(),
        recorded.stream.id.into(),
        requested.recipient.0.into(),
        requested.sender.as_str().into(),
        requested.category.as_str().into(),
        requested.priority.rank().into(),
        requested.sandbox.into(),
        recorded.position.into(),
        recorded.at.into(),
        visible.into(),
        deliveries.into(),
        (folded.flags | folded.whole.unwrap_or(0)).into(),
        box_of(folded.flags).into(),
        folded.updated.into(),
        requested.template.as_ref().map(|used| used.key.as_str()).into(),
    ]
}

/// A channel's letter in the column `deliveries`: its number in base 36.
fn channel_letter(channel: Channel) -> char {
    char::from_digit(u32::from(channel.number()), 36).unwrap_or('?')
}
