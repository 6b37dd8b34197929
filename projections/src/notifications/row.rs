//! A row as queries return it.

use super::fold::{ARCHIVED, CANCELLED, DEFERRED, DIGESTED, EXPIRED, HELD, READ, SEEN};
use super::status::{DeliveryStatus, NotificationStatus};
use crate::store::ReadError;
use commands::log::{Position, StreamNo};
use domain::values::{CategoryKey, Channel, DeliveryNo, Millis, NotificationId, Priority, RecipientId, SenderKey};
use uuid::Uuid;

/// One delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number within the notification.
    pub number: DeliveryNo,
    /// Its channel.
    pub channel: Channel,
    /// Where it stands.
    pub status: DeliveryStatus,
}

/// One notification, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRow {
    /// Its stream's number.
    pub number: StreamNo,
    /// Its id.
    pub id: NotificationId,
    /// For whom.
    pub recipient: RecipientId,
    /// Who asked.
    pub sender: SenderKey,
    /// Which kind.
    pub category: CategoryKey,
    /// How urgent.
    pub priority: Priority,
    /// Asked with a sandbox key.
    pub sandbox: bool,
    /// Position of its `Requested` event, where the content is.
    pub requested_position: Position,
    /// When it was accepted (ms since the epoch).
    pub requested_at: Millis,
    /// Its place in the recipient's history, and the cursor; absent where it is not in it.
    pub visible_position: Option<Position>,
    /// Its deliveries, by number.
    pub deliveries: Vec<DeliveryRow>,
    /// Where it stands as a whole, where its deliveries do not say: it waits, lies in a digest, or was
    /// over before there was any.
    pub whole: Option<NotificationStatus>,
    /// Shown to the recipient.
    pub seen: bool,
    /// Read by the recipient.
    pub read: bool,
    /// Put away by the recipient.
    pub archived: bool,
    /// Position of the last event that changed this row.
    pub updated_position: Position,
}

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

/// The columns that [`NotificationRow::of`] wants, in order.
macro_rules! columns {
    () => {
        "number, id, recipient, sender, category, priority, sandbox, requested_position, requested_at, visible_position, deliveries, flags, updated_position"
    };
}
pub(super) use columns;

/// These columns as both stores give them.
pub(super) type Columns = (i64, [u8; 16], [u8; 16], String, String, i64, i64, i64, Millis, Option<i64>, String, i64, i64);

impl NotificationRow {
    /// Where it stands as a whole.
    pub fn status(&self) -> NotificationStatus {
        if let Some(whole) = self.whole {
            return whole;
        }
        NotificationStatus::of(self.deliveries.iter().map(|delivery| delivery.status))
    }

    /// Whether nothing can come of it any more, whatever its plan was. What became of its deliveries does
    /// not say so: after those of a step, however they ended, there may be another step.
    pub fn is_over(&self) -> bool {
        match self.whole {
            Some(whole) => matches!(whole, NotificationStatus::Cancelled | NotificationStatus::Expired),
            None => self.deliveries.is_empty(),
        }
    }

    /// Its column `box`.
    pub(super) const fn place(&self) -> u8 {
        if self.archived {
            2
        } else if self.read {
            1
        } else {
            0
        }
    }

    pub(super) fn of(columns: Columns) -> Result<Self, ReadError> {
        let (number, id, recipient, sender, category, priority, sandbox, requested_position, requested_at, visible, deliveries, flags, updated) = columns;
        let unreadable = |_| UNREADABLE;
        let flags = u8::try_from(flags).map_err(|_| UNREADABLE)?;
        Ok(Self {
            number: unsigned(number),
            id: NotificationId(Uuid::from_bytes(id)),
            recipient: RecipientId(Uuid::from_bytes(recipient)),
            sender: SenderKey::new(&sender).map_err(unreadable)?,
            category: CategoryKey::new(&category).map_err(unreadable)?,
            priority: u8::try_from(priority).ok().and_then(Priority::from_rank).ok_or(UNREADABLE)?,
            sandbox: sandbox != 0,
            requested_position: unsigned(requested_position),
            requested_at,
            visible_position: visible.map(unsigned),
            deliveries: parse(&deliveries).ok_or(UNREADABLE)?,
            whole: whole(flags),
            seen: flags & SEEN != 0,
            read: flags & READ != 0,
            archived: flags & ARCHIVED != 0,
            updated_position: unsigned(updated),
        })
    }
}

const fn whole(flags: u8) -> Option<NotificationStatus> {
    Some(match flags & (DEFERRED | HELD | DIGESTED | CANCELLED | EXPIRED) {
        DEFERRED => NotificationStatus::Deferred,
        HELD => NotificationStatus::Held,
        DIGESTED => NotificationStatus::Digested,
        CANCELLED => NotificationStatus::Cancelled,
        EXPIRED => NotificationStatus::Expired,
        _ => return None,
    })
}

fn parse(text: &str) -> Option<Vec<DeliveryRow>> {
    let mut letters = text.chars();
    let mut deliveries = Vec::with_capacity(text.len() / 2);
    let mut number = 0;
    while let Some(channel) = letters.next() {
        let status = letters.next()?;
        deliveries.push(DeliveryRow {
            number,
            channel: Channel::from_number(u8::try_from(channel.to_digit(36)?).ok()?)?,
            status: DeliveryStatus::from_letter(status)?,
        });
        number += 1;
    }
    Some(deliveries)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
