//! The questions in the words of Postgres.
//!
//! A recipient's notifications are ranges of the partial index, one for each box, merged by position:
//! in one statement, so that a row that moves from box to box meanwhile is in one of them. A page costs
//! the page, and the unread count touches the unread only.

use super::{HistoryPage, Order, RequestedIn, signed};
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

// What a recipient sees is in one index, what it does not see in another.
const REQUESTED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM (SELECT * FROM notifications WHERE recipient = $1 AND visible_position IS NOT NULL UNION ALL SELECT * FROM notifications WHERE recipient = $1 AND visible_position IS NULL) AS found WHERE requested_at BETWEEN $2 AND $3 AND ($4::text IS NULL OR category = $4) AND ($5::text IS NULL OR (sender = $5 AND sandbox = $6)) ORDER BY number DESC LIMIT $7"
);

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

/// What was asked for about one recipient in a stretch of time.
pub(super) async fn requested(pool: PgPool, recipient: RecipientId, asked: RequestedIn) -> Result<Vec<NotificationRow>, ReadError> {
    let (sender, sandbox) = asked.sender.as_ref().map_or((None, false), |(sender, sandbox)| (Some(sender.as_str()), *sandbox));
    let query = sqlx::query_as(REQUESTED).bind(recipient.0.into_bytes()).bind(asked.from).bind(asked.to);
    let query = query.bind(asked.category.as_ref().map(|category| category.as_str())).bind(sender).bind(i64::from(sandbox)).bind(signed(asked.first as u64));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{NEWEST, OLDEST, REQUESTED, UNREAD};
    use crate::notifications::REGISTRATION;
    use crate::store::ReadError;
    use crate::testing::events::recipient;
    use crate::testing::stores::{InPostgres, Store};

    /// Neither part looks at other recipients' rows.
    #[tokio::test]
    async fn what_was_requested_is_read_from_both_indexes() {
        let projection = InPostgres::new().await.open(REGISTRATION).await;
        let explain = |pool: sqlx::PgPool| async move {
            let mut connection = pool.acquire().await?;
            sqlx::query("SET enable_seqscan = off").execute(&mut *connection).await?;
            let explain = format!("EXPLAIN {REQUESTED}");
            let query = sqlx::query_scalar(&explain).bind(recipient(1).0.into_bytes()).bind(5_i64).bind(9_i64);
            let lines: Vec<String> = query.bind(None::<String>).bind(None::<String>).bind(0_i64).bind(3_i64).fetch_all(&mut *connection).await?;
            Ok::<_, ReadError>(lines.join("\n"))
        };
        let plan = projection.read(|_| Ok(String::new()), explain).await.unwrap();
        assert!(plan.contains("notifications_history") && plan.contains("notifications_hidden"), "{plan}");
    }

    /// Entries of the index are in the order of the page, so that it ends when the page is full.
    #[tokio::test]
    async fn pages_and_counts_are_read_from_the_index() {
        let projection = InPostgres::new().await.open(REGISTRATION).await;
        let explain = |pool: sqlx::PgPool| async move {
            let mut plans = Vec::new();
            let mut connection = pool.acquire().await?;
            // A table of no rows is never worth an index.
            sqlx::query("SET enable_seqscan = off").execute(&mut *connection).await?;
            sqlx::query("SET enable_bitmapscan = off").execute(&mut *connection).await?;
            for sql in [NEWEST, OLDEST, UNREAD] {
                let explain = format!("EXPLAIN {sql}");
                let query = sqlx::query_scalar(&explain).bind(recipient(1).0.into_bytes());
                let query = if sql == UNREAD { query } else { query.bind(vec![0_i64, 1]).bind(5_i64).bind(9_i64).bind(3_i64) };
                let lines: Vec<String> = query.fetch_all(&mut *connection).await?;
                plans.push(lines.join("\n"));
            }
            Ok::<_, ReadError>(plans)
        };
        for plan in projection.read(|_| Ok(Vec::new()), explain).await.unwrap() {
            let (before, scan) = plan.rsplit_once("using notifications_history").unwrap_or_else(|| unreachable!("{plan}"));
            assert!(scan.contains("recipient = ") && scan.contains("box = "), "{plan}");
            // At most of the few that the boxes have given.
            assert!(before.matches("Sort").count() <= 2, "{plan}");
        }
    }
}
