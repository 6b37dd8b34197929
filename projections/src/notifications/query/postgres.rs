//! The questions in the words of Postgres.
//!
//! A recipient's notifications are ranges of the partial index, one for each box, merged by position:
//! in one statement, so that a row that moves from box to box meanwhile is in one of them. A page costs
//! the page, and the unread count touches the unread only.

use super::{HistoryPage, Order, signed};
use crate::notifications::row::{Columns, NotificationRow, columns};
use crate::notifications::totals::{self, Totals};
use crate::store::ReadError;
use commands::log::StreamNo;
use domain::values::RecipientId;
use sqlx::{PgPool, Row};

const BY_NUMBER: &str = concat!("SELECT ", columns!(), " FROM notifications WHERE number = $1");
macro_rules! range {
    ($order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM unnest($2::bigint[]) AS wanted(place) CROSS JOIN LATERAL (SELECT * FROM notifications WHERE recipient = $1 AND box = wanted.place AND visible_position > $3 AND visible_position < $4 ORDER BY visible_position ",
            $order,
            " LIMIT $5) AS found ORDER BY visible_position ",
            $order,
            " LIMIT $5"
        )
    };
}
const NEWEST: &str = range!("DESC");
const OLDEST: &str = range!("ASC");
const UNREAD: &str = "SELECT count(*) FROM notifications WHERE recipient = $1 AND box = 0 AND visible_position IS NOT NULL";

/// A page of one recipient's, from some boxes.
pub(super) async fn page(pool: PgPool, recipient: RecipientId, page: HistoryPage, boxes: &[u8]) -> Result<Vec<NotificationRow>, ReadError> {
    let (after, before) = (page.newer_than.unwrap_or(0), page.older_than.unwrap_or(u64::MAX));
    let boxes: Vec<i64> = boxes.iter().copied().map(i64::from).collect();
    let query = sqlx::query_as(match page.order {
        Order::NewestFirst => NEWEST,
        Order::OldestFirst => OLDEST,
    });
    let query = query.bind(recipient.0.into_bytes()).bind(boxes).bind(signed(after)).bind(signed(before)).bind(signed(page.first as u64));
    let rows: Vec<Columns> = query.fetch_all(&pool).await?;
    rows.into_iter().map(NotificationRow::of).collect()
}

/// How many of one recipient's were neither read nor archived.
pub(super) async fn unread(pool: PgPool, recipient: RecipientId) -> Result<u64, ReadError> {
    let count: i64 = sqlx::query_scalar(UNREAD).bind(recipient.0.into_bytes()).fetch_one(&pool).await?;
    Ok(count.unsigned_abs())
}

/// The row of a number.
pub(super) async fn by_number(pool: PgPool, number: StreamNo) -> Result<Option<NotificationRow>, ReadError> {
    let found: Option<Columns> = sqlx::query_as(BY_NUMBER).bind(signed(number)).fetch_optional(&pool).await?;
    found.map(NotificationRow::of).transpose()
}

/// Counts of everything; none before the first event.
pub(super) async fn totals(pool: PgPool) -> Result<Totals, ReadError> {
    let Some(row) = sqlx::query(totals::READ).fetch_optional(&pool).await? else { return Ok(Totals::default()) };
    let mut columns = [0; 13];
    for (place, column) in columns.iter_mut().enumerate() {
        *column = row.try_get(place)?;
    }
    Ok(Totals::of(columns))
}
