//! One follower's way from its cursor to the present: pages of the backlog, then a seat in the
//! hub, then the rest of the backlog up to where the seat begins, then live. The seat is taken
//! late, so that a long backlog does not count as lagging.

use super::super::{FollowEnd, Following, LiveItem, LiveNotification};
use super::hub::{Hub, Seated};
use crate::notifications::{NotificationRow, Notifications};
use crate::store::ReadError;
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
    /// The last position handed over, or the one it came with.
    cursor: Position,
    waiting: VecDeque<LiveItem>,
    stage: Stage,
}

enum Stage {
    /// Reads what it has missed; no seat yet.
    Backlog,
    /// Has the seat; reads what lies between its cursor and the seat's beginning.
    Between(Seated),
    /// Everything comes by the seat.
    Live(Seated),
    /// Over.
    Ended,
}

impl Follower {
    pub(super) fn new(
        hub: Arc<Hub>,
        notifications: Notifications,
        recipient: RecipientId,
        after: Option<Position>,
    ) -> Self {
        let (cursor, stage) = match after {
            Some(after) => (after, Stage::Backlog),
            // The seat is taken now, not when the stream is first asked: now is now.
            None => match hub.join(recipient) {
                Some(seated) => (seated.from, Stage::Live(seated)),
                None => (0, Stage::Backlog),
            },
        };
        Self {
            hub,
            notifications,
            recipient,
            cursor,
            waiting: VecDeque::new(),
            stage,
        }
    }

    pub(super) fn stream(self) -> Following {
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
            // Whoever drops the future here has a follower that is over, not one that skips.
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Backlog => match self.missed(Position::MAX).await {
                    Ok(full) => {
                        self.stage = if full {
                            Stage::Backlog
                        } else {
                            match self.join().await {
                                Ok(seated) => Stage::Between(seated),
                                Err(end) => return Some(Err(end)),
                            }
                        };
                    }
                    Err(error) => return Some(Err(error.into())),
                },
                Stage::Between(seated) => match self.missed(seated.from).await {
                    Ok(true) => self.stage = Stage::Between(seated),
                    Ok(false) => self.stage = Stage::Live(seated),
                    Err(error) => return Some(Err(error.into())),
                },
                Stage::Live(mut seated) => match seated.items.recv().await {
                    Some(item) => {
                        self.stage = Stage::Live(seated);
                        // A cursor from the future: nothing up to it is news.
                        if item.position() > self.cursor {
                            self.cursor = item.position();
                            return Some(Ok(item));
                        }
                    }
                    None if seated.lagged() => return Some(Err(FollowEnd::Lagged)),
                    None => return Some(Err(FollowEnd::Closed)),
                },
                Stage::Ended => return None,
            }
        }
    }

    /// Takes a seat and waits until the read model knows everything before it.
    async fn join(&self) -> Result<Seated, FollowEnd> {
        let seated = self.hub.join(self.recipient).ok_or(FollowEnd::Closed)?;
        tokio::select! {
            () = self.notifications.projection().reached(seated.from) => Ok(seated),
            () = self.hub.closed() => Err(FollowEnd::Closed),
        }
    }

    /// Reads a page of the backlog up to a position; says whether there may be more.
    async fn missed(&mut self, until: Position) -> Result<bool, ReadError> {
        // Behind what still waits to be handed over, or it would be read twice.
        let cursor = self
            .waiting
            .back()
            .map_or(self.cursor, |item| item.position().max(self.cursor));
        let rows = self
            .notifications
            .missed(self.recipient, cursor, PAGE)
            .await?;
        let full = rows.len() == PAGE;
        let before = self.waiting.len();
        self.waiting.extend(
            rows.iter()
                .filter_map(shown)
                .filter(|item| item.position() <= until),
        );
        Ok(full && self.waiting.len() == before + PAGE)
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
