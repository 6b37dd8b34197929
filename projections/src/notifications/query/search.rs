//! What was asked for, whatever became of it: for senders and operators, who ask seldom.
//!
//! Read along the table in its own order, a bounded stretch a page, so that no index has to be kept
//! for it that every notification would pay for. A page may be short, or empty, with more to come.

use super::signed;
use crate::notifications::row::{NotificationRow, columns};
use crate::store::ReadError;
use commands::log::StreamNo;
use domain::values::{CategoryKey, Millis, RecipientId, SenderKey, TemplateKey};
use rusqlite::{Connection, params};
use sqlx::PgPool;

/// Numbers that one page looks through.
const STRETCH: u64 = 200_000;

/// Which are wanted; what is absent makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// For whom.
    pub recipient: Option<RecipientId>,
    /// Who asked.
    pub sender: Option<SenderKey>,
    /// Which kind.
    pub category: Option<CategoryKey>,
    /// The template that it is made from.
    pub template: Option<TemplateKey>,
    /// Asked with a sandbox key, or not.
    pub sandbox: Option<bool>,
    /// Accepted then or later (ms since the epoch).
    pub requested_from: Option<Millis>,
    /// Accepted before (ms since the epoch).
    pub requested_before: Option<Millis>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// In the order of their numbers.
    pub rows: Vec<NotificationRow>,
    /// After which number to go on; none where everything was looked at.
    pub next: Option<StreamNo>,
}

impl SearchPage {
    fn new(rows: Vec<NotificationRow>, first: usize, end: u64, last: i64) -> Self {
        let next = match rows.last() {
            Some(row) if rows.len() >= first => Some(row.number),
            _ => (signed(end) < last).then_some(end),
        };
        Self { rows, next }
    }
}

macro_rules! found {
    ($bytes:literal, $text:literal, $number:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM notifications WHERE number > $1 AND number <= $2 AND ($3",
            $bytes,
            " IS NULL OR recipient = $3) AND ($4",
            $text,
            " IS NULL OR sender = $4) AND ($5",
            $text,
            " IS NULL OR category = $5) AND ($6",
            $number,
            " IS NULL OR sandbox = $6) AND ($7",
            $number,
            " IS NULL OR requested_at >= $7) AND ($8",
            $number,
            " IS NULL OR requested_at < $8) AND ($9",
            $text,
            " IS NULL OR template = $9) ORDER BY number LIMIT $10"
        )
    };
}
const FOUND: &str = found!("", "", "");
const FOUND_POSTGRES: &str = found!("::bytea", "::text", "::bigint");
const LAST: &str = "SELECT coalesce(max(number), 0) FROM notifications";

pub(super) fn in_sqlite(connection: &Connection, search: &Search, after: StreamNo, first: usize) -> Result<SearchPage, ReadError> {
    let end = after.saturating_add(STRETCH);
    let mut statement = connection.prepare_cached(FOUND)?;
    let mut rows = statement.query(params![
        signed(after),
        signed(end),
        search.recipient.map(|id| id.0.into_bytes()),
        search.sender.as_ref().map(SenderKey::as_str),
        search.category.as_ref().map(CategoryKey::as_str),
        search.sandbox.map(i64::from),
        search.requested_from,
        search.requested_before,
        search.template.as_ref().map(TemplateKey::as_str),
        signed(first as u64)
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(NotificationRow::of(row.try_into()?)?);
    }
    let last = connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
    Ok(SearchPage::new(found, first, end, last))
}

pub(super) async fn in_postgres(pool: PgPool, search: Search, after: StreamNo, first: usize) -> Result<SearchPage, ReadError> {
    let end = after.saturating_add(STRETCH);
    let query = sqlx::query_as(FOUND_POSTGRES)
        .bind(signed(after))
        .bind(signed(end))
        .bind(search.recipient.map(|id| id.0.into_bytes()))
        .bind(search.sender.as_ref().map(SenderKey::as_str))
        .bind(search.category.as_ref().map(CategoryKey::as_str))
        .bind(search.sandbox.map(i64::from))
        .bind(search.requested_from)
        .bind(search.requested_before)
        .bind(search.template.as_ref().map(TemplateKey::as_str))
        .bind(signed(first as u64));
    let found = query.fetch_all(&pool).await?.into_iter().map(NotificationRow::of).collect::<Result<_, _>>()?;
    let last = sqlx::query_scalar(LAST).fetch_one(&pool).await?;
    Ok(SearchPage::new(found, first, end, last))
}
