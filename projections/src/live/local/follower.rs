//! One follower's way from its cursor to the present: it takes a seat in the hub, reads what it
//! has missed up to where the seat begins, then takes what comes by the seat. Where it has missed
//! more than a page, it gives the seat up until the page is handed over, so that a long backlog
//! does not count as lagging.

use super::super::{FollowEnd, Following, LiveItem, LiveNotification};
use super::hub::{Hub, Seated};
use crate::notifications::{NotificationRow, Notifications};
use commands::log::Position;
use domain::values::RecipientId;
use futures_util::stream;
use std::collections::VecDeque;
use std::sync::Arc;

/// Notifications read from the backlog at once.
const PAGE: usize = 100;

/// See the module.
pub(super) struct Follower {
    hub: Arc<Hub>,
    notifications: Notifications,
    recipient: RecipientId,
    /// Changes up to here are none of its business.
    since: Position,
    /// The last position handed over, or the one it came with.
    cursor: Position,
    waiting: VecDeque<LiveItem>,
    stage: Stage,
}

enum Stage {
    /// Has to read what it has missed.
    Backlog,
    /// Everything comes by the seat.
    Live(Seated),
    /// There was no seat to be had.
    Refused,
    /// Over.
    Ended,
}

impl Follower {
    /// Begins behind a cursor.
    pub(super) const fn after(hub: Arc<Hub>, notifications: Notifications, recipient: RecipientId, cursor: Position) -> Self {
        Self { hub, notifications, recipient, since: 0, cursor, waiting: VecDeque::new(), stage: Stage::Backlog }
    }

    /// Begins behind the log's head. The seat is taken here, not when the stream is first asked;
    /// it may begin earlier, where the dispatcher has not come to the head yet.
    pub(super) fn from_now(hub: Arc<Hub>, notifications: Notifications, recipient: RecipientId, head: Position) -> Self {
        let stage = hub.join(recipient).map_or(Stage::Refused, Stage::Live);
        Self { hub, notifications, recipient, since: head, cursor: head, waiting: VecDeque::new(), stage }
    }

    pub(super) fn stream(self) -> Following {
        // The stream keeps the future of an item that is being waited for, so dropping the
        // caller's wait loses nothing.
        Box::pin(stream::unfold(self, |mut follower| async move {
            let item = follower.next().await?;
            Some((item, follower))
        }))
    }

    async fn next(&mut self) -> Option<Result<LiveItem, FollowEnd>> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                self.cursor = self.cursor.max(item.position());
                return Some(Ok(item));
            }
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Backlog => match self.catch_up().await {
                    Ok(stage) => self.stage = stage,
                    Err(end) => return Some(Err(end)),
                },
                Stage::Live(mut seated) => match seated.items.recv().await {
                    Some(item) => {
                        self.stage = Stage::Live(seated);
                        // The backlog may have been ahead of the seat: a notification of it is
                        // no news. A change is, since an earlier page could not know it.
                        let news = match &item {
                            LiveItem::Notification(item) => item.position > self.cursor,
                            LiveItem::Change(change) => change.position > self.since,
                        };
                        if news {
                            self.cursor = self.cursor.max(item.position());
                            return Some(Ok(item));
                        }
                    }
                    None if seated.lagged() => return Some(Err(FollowEnd::Lagged)),
                    None => return Some(Err(FollowEnd::Closed)),
                },
                Stage::Refused => return Some(Err(FollowEnd::Closed)),
                Stage::Ended => return None,
            }
        }
    }

    /// Reads a page of what was missed, or all of it together with a seat for what follows.
    async fn catch_up(&mut self) -> Result<Stage, FollowEnd> {
        let seated = self.hub.join(self.recipient).ok_or(FollowEnd::Closed)?;
        tokio::select! {
            () = self.notifications.projection().reached(seated.from) => {}
            () = self.hub.closed() => return Err(FollowEnd::Closed),
        }
        let rows = self.notifications.missed(self.recipient, self.cursor, PAGE).await?;
        let full = rows.len() == PAGE;
        // What is newer than the seat comes by the seat.
        let from = if full { Position::MAX } else { seated.from };
        self.waiting.extend(rows.iter().filter_map(shown).filter(|item| item.position() <= from));
        Ok(if full { Stage::Backlog } else { Stage::Live(seated) })
    }
}

fn shown(row: &NotificationRow) -> Option<LiveItem> {
    Some(LiveItem::Notification(LiveNotification {
        id: row.id,
        number: row.number,
        position: row.visible_position?,
        at: row.requested_at,
        requested_position: row.requested_position,
        requested: None,
        seen: row.seen,
        read: row.read,
        archived: row.archived,
    }))
}
