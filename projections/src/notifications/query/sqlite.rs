//! The questions in the words of SQLite.
//!
//! A recipient's notifications are ranges of the table `history`, and the few rows that are not in it
//! yet ([`commands::database::DeferredIndex`]). Unread, read and archived ones are ranges of their
//! own, merged by position where more than one is wanted, so that a page costs the page and the
//! unread count touches the unread only.

use super::{HistoryPage, Order, RequestedIn, signed};
use crate::notifications::row::{NotificationRow, columns};
use crate::notifications::totals::{self, Totals};
use crate::store::ReadError;
use commands::database::Deferral;
use commands::log::StreamNo;
use domain::values::RecipientId;
use rusqlite::{Connection, OptionalExtension, params};
use std::cmp::Reverse;

/// How rows get into it. 10 MB of waiting entries; with a million rows in the table a dozen share
/// the page that they dirty.
pub(in crate::notifications) const DEFERRAL: Deferral = Deferral {
    enter: "INSERT OR IGNORE INTO history (recipient, box, visible_position, number) SELECT recipient, box, visible_position, number FROM notifications WHERE number = ?1 AND visible_position IS NOT NULL",
    entered: "UPDATE history_end SET through = max(through, ?1)",
    waiting: 131_072,
};

const BY_NUMBER: &str = concat!("SELECT ", columns!(), " FROM notifications WHERE number = ?1");
macro_rules! range {
    ($order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM notifications WHERE number IN (SELECT number FROM history WHERE recipient = ?1 AND box = ?2 AND visible_position > ?3 AND visible_position < ?4 ORDER BY visible_position ",
            $order,
            " LIMIT ?5)"
        )
    };
}
const NEWEST: &str = range!("DESC");
const OLDEST: &str = range!("ASC");
const UNREAD: &str = "SELECT count(*) FROM history WHERE recipient = ?1 AND box = 0";
const UNREAD_WAITING: &str = "SELECT count(*) FROM notifications WHERE number = ?1 AND recipient = ?2 AND box = 0 AND visible_position IS NOT NULL AND NOT EXISTS (SELECT 1 FROM history WHERE history.recipient = ?2 AND history.box = 0 AND history.visible_position = notifications.visible_position)";

// What a recipient sees is in `history`; what it does not see has an index of its own.
const REQUESTED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notifications WHERE number IN (SELECT number FROM history WHERE recipient = ?1 UNION ALL SELECT number FROM notifications WHERE recipient = ?1 AND visible_position IS NULL AND requested_at BETWEEN ?2 AND ?3) AND requested_at BETWEEN ?2 AND ?3 ORDER BY number DESC"
);

/// A page of one recipient's, from some boxes; `waiting` are the numbers that may not be in the table.
pub(super) fn page(
    connection: &Connection,
    recipient: RecipientId,
    page: HistoryPage,
    boxes: &[u8],
    waiting: &[StreamNo],
) -> Result<Vec<NotificationRow>, ReadError> {
    let (after, before) = (page.newer_than.unwrap_or(0), page.older_than.unwrap_or(u64::MAX));
    let mut statement = connection.prepare_cached(match page.order {
        Order::NewestFirst => NEWEST,
        Order::OldestFirst => OLDEST,
    })?;
    let mut found = Vec::new();
    for wanted in boxes {
        let mut rows = statement.query(params![recipient.0.as_bytes().as_slice(), wanted, signed(after), signed(before), signed(page.first as u64)])?;
        while let Some(row) = rows.next()? {
            found.push(NotificationRow::of(row.try_into()?)?);
        }
    }
    for number in waiting {
        let row = by_number(connection, *number)?.filter(|row| row.recipient == recipient && boxes.contains(&row.place()));
        found.extend(row.filter(|row| row.visible_position.is_some_and(|position| after < position && position < before)));
    }
    match page.order {
        Order::NewestFirst => found.sort_unstable_by_key(|row| Reverse(row.visible_position)),
        Order::OldestFirst => found.sort_unstable_by_key(|row| row.visible_position),
    }
    // What waits may be in the table all the same.
    found.dedup_by_key(|row| row.number);
    found.truncate(page.first);
    Ok(found)
}

/// What was asked for about one recipient in a stretch of time; `waiting` as in [`page`].
pub(super) fn requested(connection: &Connection, recipient: RecipientId, asked: &RequestedIn, waiting: &[StreamNo]) -> Result<Vec<NotificationRow>, ReadError> {
    let mut found = Vec::new();
    for number in waiting {
        found.extend(by_number(connection, *number)?.filter(|row| row.recipient == recipient && asked.holds(row)));
    }
    let most = found.len() + asked.first;
    let mut statement = connection.prepare_cached(REQUESTED)?;
    let mut rows = statement.query(params![recipient.0.as_bytes().as_slice(), asked.from, asked.to])?;
    while let Some(row) = rows.next()? {
        found.extend(Some(NotificationRow::of(row.try_into()?)?).filter(|row| asked.holds(row)));
        if found.len() >= most + waiting.len() {
            break;
        }
    }
    found.sort_unstable_by_key(|row| Reverse(row.number));
    found.dedup_by_key(|row| row.number);
    found.truncate(asked.first);
    Ok(found)
}

/// How many of one recipient's were neither read nor archived.
pub(super) fn unread(connection: &Connection, recipient: RecipientId, waiting: &[StreamNo]) -> Result<u64, ReadError> {
    let mut count: i64 = connection.prepare_cached(UNREAD)?.query_row([recipient.0.as_bytes().as_slice()], |row| row.get(0))?;
    let mut more = connection.prepare_cached(UNREAD_WAITING)?;
    for number in waiting {
        count += more.query_row(params![signed(*number), recipient.0.as_bytes().as_slice()], |row| row.get::<_, i64>(0))?;
    }
    Ok(count.unsigned_abs())
}

/// The row of a number.
pub(super) fn by_number(connection: &Connection, number: StreamNo) -> Result<Option<NotificationRow>, ReadError> {
    let mut statement = connection.prepare_cached(BY_NUMBER)?;
    let found = statement.query_row([signed(number)], |row| row.try_into()).optional()?;
    found.map(NotificationRow::of).transpose()
}

/// Counts of everything; none before the first event.
pub(super) fn totals(connection: &Connection) -> Result<Totals, ReadError> {
    let columns = |row: &rusqlite::Row<'_>| {
        let mut columns = [0; 13];
        for (place, column) in columns.iter_mut().enumerate() {
            *column = row.get(place)?;
        }
        Ok(columns)
    };
    let found = connection.prepare_cached(totals::READ)?.query_row([], columns).optional()?;
    Ok(found.map_or_else(Totals::default, Totals::of))
}
