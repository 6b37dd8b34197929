//! Live queries of recipients.

use super::context::{recipient, services};
use super::error::failure;
use super::notifications::NotificationObject;
use super::position::Position;
use async_graphql::{Context, Enum, Result, SimpleObject, Subscription, Union};
use futures_util::{Stream, StreamExt};
use projections::live::{ChangeKind, FollowEnd, LiveFeed, LiveItem};

/// A notification became visible.
#[derive(SimpleObject)]
pub struct NotificationArrived {
    notification: NotificationObject,
    /// Hand it to `after` when you come back.
    cursor: Position,
}

/// What was done with a notification.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// It was shown.
    Seen,
    /// It was read.
    Read,
    /// It was put away.
    Archived,
}

/// A notification was marked, on whatever device.
#[derive(SimpleObject)]
pub struct NotificationMarked {
    notification: NotificationObject,
    mark: MarkKind,
    /// Hand it to `after` when you come back.
    cursor: Position,
}

/// What happens to a recipient's notifications.
#[derive(Union)]
pub enum FeedItem {
    /// One became visible.
    Arrived(NotificationArrived),
    /// One was marked.
    Marked(NotificationMarked),
}

/// Live queries.
#[derive(Default)]
pub struct LiveQuery;

fn item(item: LiveItem) -> FeedItem {
    match item {
        LiveItem::Notification(live) => {
            FeedItem::Arrived(NotificationArrived { notification: NotificationObject::of(live.id, Some(live.position)), cursor: Position(live.position) })
        }
        LiveItem::Change(change) => FeedItem::Marked(NotificationMarked {
            notification: NotificationObject::of(change.id, None),
            mark: match change.kind {
                ChangeKind::Seen => MarkKind::Seen,
                ChangeKind::Read => MarkKind::Read,
                ChangeKind::Archived => MarkKind::Archived,
            },
            cursor: Position(change.position),
        }),
    }
}

#[Subscription]
impl LiveQuery {
    /// The recipient's notifications after a cursor and from then on: no gap and no repeat
    /// between what was missed and what is live. Without a cursor only what comes.
    async fn notification_feed(&self, ctx: &Context<'_>, after: Option<Position>) -> Result<impl Stream<Item = Result<FeedItem>> + use<>> {
        let recipient = recipient(ctx)?;
        let following = services(ctx)?.engine.live.follow(recipient, after.map(|position| position.0));
        Ok(following.map(|followed| {
            followed.map(item).map_err(|end| match end {
                FollowEnd::Lagged => failure("LAGGED", end.to_string()),
                FollowEnd::Closed | FollowEnd::Unavailable(_) => failure("UNAVAILABLE", end.to_string()),
            })
        }))
    }
}
