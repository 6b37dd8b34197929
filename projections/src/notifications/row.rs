//! A row as queries return it.

use super::fold::{ARCHIVED, READ, SEEN};
use super::status::{DeliveryStatus, NotificationStatus};
use crate::store::ReadError;
use commands::log::{Position, StreamNo};
use domain::values::{CategoryKey, Channel, DeliveryNo, Millis, NotificationId, Priority, RecipientId, SenderKey};
use rusqlite::Row;
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
    /// Shown to the recipient.
    pub seen: bool,
    /// Read by the recipient.
    pub read: bool,
    /// Put away by the recipient.
    pub archived: bool,
    /// Position of the last event that changed this row.
    pub updated_position: Position,
}

/// The columns that [`NotificationRow::read`] wants, in order.
macro_rules! columns {
    () => {
        "number, id, recipient, sender, category, priority, sandbox, requested_position, requested_at, visible_position, deliveries, flags, updated_position"
    };
}
pub(super) use columns;

impl NotificationRow {
    /// Where it stands as a whole.
    pub fn status(&self) -> NotificationStatus {
        NotificationStatus::of(self.deliveries.iter().map(|delivery| delivery.status))
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

    pub(super) fn read(row: &Row<'_>) -> Result<Self, ReadError> {
        let sender: String = row.get(3)?;
        let category: String = row.get(4)?;
        let priority: u8 = row.get(5)?;
        let deliveries: String = row.get(10)?;
        let flags: u8 = row.get(11)?;
        let unreadable = |_| ReadError::Unreadable { model: super::NAME };
        Ok(Self {
            number: unsigned(row.get(0)?),
            id: NotificationId(Uuid::from_bytes(row.get(1)?)),
            recipient: RecipientId(Uuid::from_bytes(row.get(2)?)),
            sender: SenderKey::new(&sender).map_err(unreadable)?,
            category: CategoryKey::new(&category).map_err(unreadable)?,
            priority: Priority::from_rank(priority).ok_or(ReadError::Unreadable { model: super::NAME })?,
            sandbox: row.get(6)?,
            requested_position: unsigned(row.get(7)?),
            requested_at: row.get(8)?,
            visible_position: row.get::<_, Option<i64>>(9)?.map(unsigned),
            deliveries: parse(&deliveries).ok_or(ReadError::Unreadable { model: super::NAME })?,
            seen: flags & SEEN != 0,
            read: flags & READ != 0,
            archived: flags & ARCHIVED != 0,
            updated_position: unsigned(row.get(12)?),
        })
    }
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
