//! What recipients and operators ask. Every list is a range of one index; unread, read and
//! archived notifications are ranges of their own, merged by position where more than one is
//! wanted, so that a page costs the page and the unread count touches the unread only.

use super::row::{NotificationRow, columns};
use super::totals::Totals;
use crate::store::{Projection, ReadError};
use commands::log::{Position, StreamNo};
use domain::values::RecipientId;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// Which archived notifications are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArchivedFilter {
    /// None of them.
    #[default]
    Exclude,
    /// Them too.
    Include,
    /// Only them.
    Only,
}

/// Which notifications are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryFilter {
    /// Only what was neither read nor archived; outweighs `archived`.
    pub unread_only: bool,
    /// Archived ones.
    pub archived: ArchivedFilter,
}

impl HistoryFilter {
    const fn boxes(self) -> &'static [u8] {
        match (self.unread_only, self.archived) {
            (true, _) => &[0],
            (false, ArchivedFilter::Exclude) => &[0, 1],
            (false, ArchivedFilter::Include) => &[0, 1, 2],
            (false, ArchivedFilter::Only) => &[2],
        }
    }
}

/// From which end a page is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest come first.
    #[default]
    NewestFirst,
    /// The oldest come first.
    OldestFirst,
}

/// A page of a history. Positions are `visible_position`s, excluded themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage {
    /// Only what became visible after this.
    pub newer_than: Option<Position>,
    /// Only what became visible before this.
    pub older_than: Option<Position>,
    /// At most so many.
    pub first: usize,
    /// From which end.
    pub order: Order,
}

const NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notifications WHERE recipient = ?1 AND box = ?2 AND visible_position > ?3 AND visible_position < ?4 ORDER BY visible_position DESC LIMIT ?5"
);
const OLDEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notifications WHERE recipient = ?1 AND box = ?2 AND visible_position > ?3 AND visible_position < ?4 ORDER BY visible_position LIMIT ?5"
);
const UNREAD: &str = "SELECT count(*) FROM notifications WHERE recipient = ?1 AND box = 0 AND visible_position IS NOT NULL";
const BY_NUMBER: &str = concat!("SELECT ", columns!(), " FROM notifications WHERE number = ?1");

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Notifications {
    projection: Arc<Projection>,
}

impl Notifications {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// A page of what a recipient sees.
    pub async fn history(&self, recipient: RecipientId, page: HistoryPage, filter: HistoryFilter) -> Result<Vec<NotificationRow>, ReadError> {
        self.projection.read(move |connection| list(connection, recipient, page, filter.boxes())).await
    }

    /// What became visible after a position, oldest first, archived or not.
    pub async fn missed(&self, recipient: RecipientId, after: Position, first: usize) -> Result<Vec<NotificationRow>, ReadError> {
        let page = HistoryPage { newer_than: Some(after), older_than: None, first, order: Order::OldestFirst };
        let filter = HistoryFilter { unread_only: false, archived: ArchivedFilter::Include };
        self.history(recipient, page, filter).await
    }

    /// How many visible notifications were neither read nor archived; exact.
    pub async fn unread_count(&self, recipient: RecipientId) -> Result<u64, ReadError> {
        self.projection
            .read(move |connection| {
                let count: i64 = connection.prepare_cached(UNREAD)?.query_row([recipient.0.as_bytes().as_slice()], |row| row.get(0))?;
                Ok(u64::try_from(count).unwrap_or(0))
            })
            .await
    }

    /// A notification by its stream's number (`LogReader::stream_number` gives it for an id).
    pub async fn by_number(&self, number: StreamNo) -> Result<Option<NotificationRow>, ReadError> {
        self.projection
            .read(move |connection| {
                let mut statement = connection.prepare_cached(BY_NUMBER)?;
                let found = statement.query_row([signed(number)], |row| Ok(NotificationRow::read(row))).optional()?;
                found.transpose()
            })
            .await
    }

    /// Counts of everything so far.
    pub async fn totals(&self) -> Result<Totals, ReadError> {
        self.projection.read(|connection| Ok(Totals::read(connection)?)).await
    }
}

fn list(connection: &Connection, recipient: RecipientId, page: HistoryPage, boxes: &[u8]) -> Result<Vec<NotificationRow>, ReadError> {
    let sql = match page.order {
        Order::NewestFirst => NEWEST,
        Order::OldestFirst => OLDEST,
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for wanted in boxes {
        let mut rows = statement.query(params![
            recipient.0.as_bytes().as_slice(),
            wanted,
            page.newer_than.map_or(0, signed),
            page.older_than.map_or(i64::MAX, signed),
            signed(page.first as u64),
        ])?;
        while let Some(row) = rows.next()? {
            found.push(NotificationRow::read(row)?);
        }
    }
    match page.order {
        Order::NewestFirst => {
            found.sort_unstable_by_key(|row| std::cmp::Reverse(row.visible_position));
        }
        Order::OldestFirst => found.sort_unstable_by_key(|row| row.visible_position),
    }
    found.truncate(page.first);
    Ok(found)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
