//! A recipient's own history and what it missed.
//!
//! A recipient and administrators see all of it, a sender only what it sent itself: not even the
//! ids of another sender's notifications leave. The read model lists by recipient, so for a
//! sender the rows of others are passed over here, a bounded number for each page. An index by
//! recipient and sender was rejected: every notification would pay for what few ask.

use super::connection::NotificationConnection;
use crate::auth::Caller;
use crate::graphql::context::{principal, services, subject, subject_of_all_senders};
use crate::graphql::error::{failure, read_error};
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, Object, Result};
use domain::values::{NotificationId, RecipientId, SenderKey};
use projections::notifications::{ArchivedFilter, HistoryFilter, HistoryPage, NotificationRow, Order};

/// Rows looked at in one go once the first page of them had too few of the sender's own.
const STRIDE: usize = 500;
/// How often that is done for one page.
const STRIDES: usize = 8;

/// Queries of recipients.
#[derive(Default)]
pub struct HistoryQuery;

fn page(ctx: &Context<'_>, first: i32) -> Result<usize> {
    let most = services(ctx)?.page_size;
    match usize::try_from(first) {
        Ok(first) if (1..=most).contains(&first) => Ok(first),
        _ => Err(failure("BAD_USER_INPUT", format!("`first` is between 1 and {most}."))),
    }
}

fn listed(row: &NotificationRow) -> Option<(NotificationId, u64)> {
    Some((row.id, row.visible_position?))
}

/// A page of what this caller may see of a recipient's notifications.
async fn list(
    ctx: &Context<'_>,
    recipient: RecipientId,
    filter: HistoryFilter,
    order: Order,
    after: Option<u64>,
    first: usize,
) -> Result<NotificationConnection> {
    match principal(ctx)?.caller.as_ref() {
        // Rehearsals reach nobody and are in no history.
        Caller::Sender { sandbox: true, .. } => Ok(NotificationConnection::new(Vec::new(), first)),
        Caller::Sender { sender, .. } => list_of_sender(ctx, recipient, sender, filter, order, after, first).await,
        Caller::Administrator { .. } | Caller::Recipient { .. } => {
            let rows = services(ctx)?.notifications.history(recipient, from(after, order, first + 1), filter).await.map_err(read_error)?;
            Ok(NotificationConnection::new(rows.iter().filter_map(listed).collect(), first))
        }
    }
}

const fn from(after: Option<u64>, order: Order, first: usize) -> HistoryPage {
    match order {
        Order::NewestFirst => HistoryPage { newer_than: None, older_than: after, first, order },
        Order::OldestFirst => HistoryPage { newer_than: after, older_than: None, first, order },
    }
}

async fn list_of_sender(
    ctx: &Context<'_>,
    recipient: RecipientId,
    sender: &SenderKey,
    filter: HistoryFilter,
    order: Order,
    mut after: Option<u64>,
    first: usize,
) -> Result<NotificationConnection> {
    let notifications = &services(ctx)?.notifications;
    let mut found = Vec::with_capacity(first + 1);
    // Most recipients hear of one sender: then the first look is the only one.
    for wanted in std::iter::once(first + 1).chain(std::iter::repeat_n(STRIDE, STRIDES)) {
        let rows = notifications.history(recipient, from(after, order, wanted), filter).await.map_err(read_error)?;
        found.extend(rows.iter().filter(|row| row.sender == *sender).filter_map(listed));
        if found.len() > first || rows.len() < wanted {
            return Ok(NotificationConnection::new(found, first));
        }
        after = rows.last().and_then(|row| row.visible_position).or(after);
    }
    Ok(NotificationConnection::broken_off(found, first, after.unwrap_or_default()))
}

#[Object]
impl HistoryQuery {
    /// The history of the recipient, newest first. With an API key, of the recipient named; a
    /// sender sees what it sent itself, on pages that may be short while `hasNextPage` holds.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    #[allow(clippy::too_many_arguments, reason = "the arguments of a GraphQL field")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your id of the recipient; not needed with a recipient's token.")] recipient: Option<String>,
        #[graphql(default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last one seen; older ones follow.")] after: Option<Position>,
        #[graphql(default = false)] unread_only: bool,
        #[graphql(default = false)] include_archived: bool,
        at_least_position: Option<Position>,
    ) -> Result<NotificationConnection> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let first = page(ctx, first)?;
        at_least(services(ctx)?.notifications.projection(), at_least_position).await?;
        let filter = HistoryFilter { unread_only, archived: if include_archived { ArchivedFilter::Include } else { ArchivedFilter::Exclude } };
        list(ctx, recipient, filter, Order::NewestFirst, after.map(|position| position.0), first).await
    }

    /// What became visible after a cursor, oldest first, each once: for clients that were away.
    /// With a sender's key as `notifications`.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    async fn missed_notifications(
        &self,
        ctx: &Context<'_>,
        recipient: Option<String>,
        #[graphql(default = 50)] first: i32,
        #[graphql(desc = "Cursor of the last one that the client has; leave out for all.")] after: Option<Position>,
        at_least_position: Option<Position>,
    ) -> Result<NotificationConnection> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let first = page(ctx, first)?;
        at_least(services(ctx)?.notifications.projection(), at_least_position).await?;
        let filter = HistoryFilter { unread_only: false, archived: ArchivedFilter::Include };
        list(ctx, recipient, filter, Order::OldestFirst, after.map(|position| position.0), first).await
    }

    /// How many visible notifications are neither read nor archived, of all senders together:
    /// for the recipient and administrators.
    async fn unread_count(&self, ctx: &Context<'_>, recipient: Option<String>, at_least_position: Option<Position>) -> Result<i32> {
        let recipient = subject_of_all_senders(ctx, recipient.as_deref())?;
        let notifications = &services(ctx)?.notifications;
        at_least(notifications.projection(), at_least_position).await?;
        let count = notifications.unread_count(recipient).await.map_err(read_error)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
