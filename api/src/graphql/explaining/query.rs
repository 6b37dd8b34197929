//! Asking why: for senders about what they sent, and for administrators about everything.
//!
//! Recipients are left out, as they are of `Notification.events`: an explanation holds providers'
//! answers and operators' words. They see deliveries, status and their own preferences.

use super::object::{AbsenceExplanation, Explanation};
use crate::auth::Caller;
use crate::graphql::context::{principal, services, staff, subject};
use crate::graphql::error::{failure, log_error, read_error};
use crate::graphql::notifications::may_see;
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use commands::log::{LogReader, Recorded};
use domain::aggregate::Aggregate;
use domain::notification::Notification;
use domain::values::{CategoryKey, Millis, NotificationId};
use domain::{AggregateKind, StreamId};
use projections::explain::{self, Asked, Library, own_events};
use projections::notifications::RequestedIn;
use std::sync::Arc;

/// How far absence is explained where nobody says (ms): most who ask have waited for days, not months.
const LOOK_BACK: Millis = 7 * 86_400_000;

/// Queries of those who ask why.
#[derive(Default)]
pub struct ExplainQuery;

async fn events_of(log: &dyn LogReader, id: NotificationId) -> Result<Vec<Arc<Recorded>>> {
    // Personal parts stay sealed: an explanation shows none.
    log.read_stream(StreamId::new(AggregateKind::Notification, id.0), 0, false).await.map_err(log_error)
}

#[Object]
impl ExplainQuery {
    /// Why a notification came, or did not: which rule, on which facts, and what its providers
    /// answered. For its sender and administrators. Read from the log itself, so it is always
    /// current; none where there is no such notification.
    #[graphql(complexity = "10 + child_complexity")]
    async fn explain(&self, ctx: &Context<'_>, #[graphql(desc = "The notification.")] notification_id: ID) -> Result<Option<Explanation>> {
        staff(ctx)?;
        let Ok(id) = notification_id.parse::<NotificationId>() else { return Ok(None) };
        let log = services(ctx)?.engine.log.as_ref();
        let events = events_of(log, id).await?;
        let state = Notification::replay(own_events(&events).map(|(_, event)| event));
        if !may_see(principal(ctx)?.caller.as_ref(), &state) {
            return Ok(None);
        }
        let mut library = Library::new(matches!(principal(ctx)?.caller.as_ref(), Caller::Administrator { .. }));
        library.learn(log, &events).await.map_err(log_error)?;
        Ok(Some(explain::explain(&events, &library).into()))
    }

    /// Why a recipient heard nothing, or nothing but this, between two moments: every notification
    /// that was asked for with its reason, and whatever else explains silence. For administrators,
    /// and for senders about what they sent themselves. Answers for the moment of asking: it waits
    /// until its read model has come that far.
    #[graphql(complexity = "20 + first.max(1) as usize * child_complexity / 10")]
    async fn explain_absence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your id of the recipient.")] recipient_id: String,
        #[graphql(desc = "Key of the category; all where left out.")] category: Option<String>,
        #[graphql(desc = "Seven days before `to` where left out; the answer says from when.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Now where left out.")] to: Option<DateTime<Utc>>,
        #[graphql(default = 50, desc = "Notifications that are listed at most, the newest.")] first: i32,
    ) -> Result<AbsenceExplanation> {
        staff(ctx)?;
        let services = services(ctx)?;
        let recipient = subject(ctx, Some(&recipient_id))?;
        let category = category.map(|key| CategoryKey::new(&key)).transpose().map_err(|error| failure("BAD_USER_INPUT", error.to_string()))?;
        let now = services.engine.clock.now();
        let to = to.map_or(now, |to| to.timestamp_millis());
        let from = from.map_or(to.saturating_sub(LOOK_BACK), |from| from.timestamp_millis());
        if from >= to {
            return Err(failure("BAD_USER_INPUT", "`from` comes before `to`; without `to` it is now."));
        }
        let first = usize::try_from(first).ok().filter(|first| (1..=services.page_size).contains(first));
        let first = first.ok_or_else(|| failure("BAD_USER_INPUT", format!("`first` is between 1 and {}.", services.page_size)))?;
        let log = services.engine.log.as_ref();
        let head = log.head().await.map_err(log_error)?;
        at_least(services.notifications.projection(), Some(Position(head))).await?;
        let sender = match principal(ctx)?.caller.as_ref() {
            Caller::Sender { sender, sandbox, .. } => Some((sender.clone(), *sandbox)),
            Caller::Administrator { .. } | Caller::Recipient { .. } => None,
        };
        let wanted = RequestedIn { from, to, category: category.clone(), sender, first: first + 1 };
        let mut rows = services.notifications.requested(recipient, wanted).await.map_err(read_error)?;
        let more = rows.len() > first;
        rows.truncate(first);
        let mut library = Library::new(matches!(principal(ctx)?.caller.as_ref(), Caller::Administrator { .. }));
        library.learn_recipient(log, recipient, category.as_ref()).await.map_err(log_error)?;
        let mut explained = Vec::with_capacity(rows.len());
        for row in rows {
            let events = events_of(log, row.id).await?;
            library.learn(log, &events).await.map_err(log_error)?;
            explained.push((row.requested_at, row.category, explain::explain(&events, &library)));
        }
        let asked = Asked { recipient, category, from, to };
        Ok(AbsenceExplanation::of(&asked, explain::explain_absence(&asked, &explained, &library), more))
    }
}
