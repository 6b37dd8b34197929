//! A recipient's own history and what it missed.

use super::connection::NotificationConnection;
use crate::graphql::context::{services, subject};
use crate::graphql::error::{failure, read_error};
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, Object, Result};
use projections::notifications::{ArchivedFilter, HistoryFilter, HistoryPage, NotificationRow, Order};

const MOST: i32 = 100;

/// Queries of recipients.
#[derive(Default)]
pub struct HistoryQuery;

fn page(first: i32) -> Result<usize> {
    match usize::try_from(first) {
        Ok(first) if (1..=100).contains(&first) => Ok(first),
        _ => Err(failure("BAD_USER_INPUT", format!("`first` is between 1 and {MOST}."))),
    }
}

fn rows(rows: Vec<NotificationRow>, first: usize) -> NotificationConnection {
    NotificationConnection::new(rows.into_iter().filter_map(|row| Some((row.id, row.visible_position?))).collect(), first)
}

#[Object]
impl HistoryQuery {
    /// The history of the recipient, newest first. With an API key, of the recipient named.
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
        let first = page(first)?;
        let notifications = &services(ctx)?.notifications;
        at_least(notifications.projection(), at_least_position).await?;
        let wanted = HistoryPage { newer_than: None, older_than: after.map(|position| position.0), first: first + 1, order: Order::NewestFirst };
        let filter = HistoryFilter { unread_only, archived: if include_archived { ArchivedFilter::Include } else { ArchivedFilter::Exclude } };
        Ok(rows(notifications.history(recipient, wanted, filter).await.map_err(read_error)?, first))
    }

    /// What became visible after a cursor, oldest first, each once: for clients that were away.
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
        let first = page(first)?;
        let notifications = &services(ctx)?.notifications;
        at_least(notifications.projection(), at_least_position).await?;
        Ok(rows(notifications.missed(recipient, after.map_or(0, |position| position.0), first + 1).await.map_err(read_error)?, first))
    }

    /// How many visible notifications are neither read nor archived.
    async fn unread_count(&self, ctx: &Context<'_>, recipient: Option<String>, at_least_position: Option<Position>) -> Result<i32> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let notifications = &services(ctx)?.notifications;
        at_least(notifications.projection(), at_least_position).await?;
        let count = notifications.unread_count(recipient).await.map_err(read_error)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
