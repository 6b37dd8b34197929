//! What recipients and operators ask; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod search;
mod sqlite;

pub use search::{Search, SearchPage};
pub(super) use sqlite::DEFERRAL;

use super::row::NotificationRow;
use super::totals::Totals;
use crate::store::{Projection, ReadError};
use commands::log::{Position, StreamNo};
use domain::values::{CategoryKey, Millis, RecipientId, SenderKey};
use rusqlite::Connection;
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

/// What was asked for in a stretch of time, whether or not its recipient ever saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedIn {
    /// From this moment on (ms since the epoch).
    pub from: Millis,
    /// Up to and with this moment.
    pub to: Millis,
    /// Of this category only.
    pub category: Option<CategoryKey>,
    /// Of this sender only, and with its sandbox or without.
    pub sender: Option<(SenderKey, bool)>,
    /// At most so many, the newest.
    pub first: usize,
}

impl RequestedIn {
    fn holds(&self, row: &NotificationRow) -> bool {
        (self.from..=self.to).contains(&row.requested_at)
            && self.category.as_ref().is_none_or(|category| *category == row.category)
            && self.sender.as_ref().is_none_or(|(sender, sandbox)| *sender == row.sender && *sandbox == row.sandbox)
    }
}

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
        let file = move |connection: &Connection, waiting: &[StreamNo]| sqlite::page(connection, recipient, page, filter.boxes(), waiting);
        let postgres = move |pool| postgres::page(pool, recipient, page, filter.boxes());
        self.projection.read_by_key(recipient.0.into_bytes(), file, postgres).await
    }

    /// What became visible after a position, oldest first, archived or not.
    pub async fn missed(&self, recipient: RecipientId, after: Position, first: usize) -> Result<Vec<NotificationRow>, ReadError> {
        let page = HistoryPage { newer_than: Some(after), older_than: None, first, order: Order::OldestFirst };
        let filter = HistoryFilter { unread_only: false, archived: ArchivedFilter::Include };
        self.history(recipient, page, filter).await
    }

    /// How many visible notifications were neither read nor archived; exact.
    pub async fn unread_count(&self, recipient: RecipientId) -> Result<u64, ReadError> {
        let file = move |connection: &Connection, waiting: &[StreamNo]| sqlite::unread(connection, recipient, waiting);
        self.projection.read_by_key(recipient.0.into_bytes(), file, move |pool| postgres::unread(pool, recipient)).await
    }

    /// What was asked for about a recipient in a stretch of time, newest first: also what was
    /// suppressed, waits or was rehearsed, which no history shows. Costs a look at each of the
    /// recipient's notifications, for people who ask why.
    pub async fn requested(&self, recipient: RecipientId, asked: RequestedIn) -> Result<Vec<NotificationRow>, ReadError> {
        let of_file = asked.clone();
        let file = move |connection: &Connection, waiting: &[StreamNo]| sqlite::requested(connection, recipient, &of_file, waiting);
        self.projection.read_by_key(recipient.0.into_bytes(), file, move |pool| postgres::requested(pool, recipient, asked.clone())).await
    }

    /// A notification by its stream's number (`LogReader::stream_number` gives it for an id).
    pub async fn by_number(&self, number: StreamNo) -> Result<Option<NotificationRow>, ReadError> {
        self.projection.read(move |connection| sqlite::by_number(connection, number), move |pool| postgres::by_number(pool, number)).await
    }

    /// A page of what was asked for, after a number, in its order; see [`Search`].
    pub async fn search(&self, search: Search, after: StreamNo, first: usize) -> Result<SearchPage, ReadError> {
        let copy = search.clone();
        self.projection
            .read(move |connection| search::in_sqlite(connection, &search, after, first), move |pool| search::in_postgres(pool, copy.clone(), after, first))
            .await
    }

    /// Counts of everything so far.
    pub async fn totals(&self) -> Result<Totals, ReadError> {
        self.projection.read(sqlite::totals, postgres::totals).await
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
