//! The books with each provider, for administrators. Computed from the log when asked for.

use super::context::{administrator, services};
use super::error::{failure, log_error};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use projections::reconciliation::{self, Kind, ScanError, Scope, scan};

/// A report may take so long before it is missed (ms).
const PATIENCE: i64 = 60 * 60 * 1_000;

/// Attempts that are looked at in answer to one query.
const MOST: usize = 100_000;

/// How our books and a provider's differ.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub enum ReconciliationKind {
    /// Nobody knows whether it was taken.
    Unknown,
    /// We did not know, and it arrived.
    ArrivedThoughUnknown,
    /// It was refused or put off, and arrived all the same.
    ArrivedThoughRefused,
    /// The same delivery arrived by more than one attempt.
    ArrivedTwice,
    /// It was taken, the provider reports others, and not this one.
    Unreported,
    /// It was taken, and is not in the provider's list.
    NotInTheirs,
    /// It is in the provider's list, and we do not know that it was taken.
    TheirsOnly,
    /// It is in the provider's list more than once.
    TheirsTwice,
    /// It is in the provider's list, and we never sent it.
    NeverSent,
}

/// One provider over one channel.
#[derive(SimpleObject)]
pub struct ReconciliationRow {
    provider: String,
    channel: String,
    /// Calls that we recorded before we made them.
    attempts: u64,
    /// It took responsibility.
    accepted: u64,
    /// It refused, or asked to come later; or the call was not made.
    refused: u64,
    /// Nobody knows whether it took it, and it has not reported since.
    unknown: u64,
    /// Under way.
    under_way: u64,
    /// It reported that it arrived.
    delivered: u64,
    /// It reported that it did not arrive.
    bounced: u64,
    /// It took it, and has reported neither.
    unreported: u64,
    /// Repeats after an attempt of unknown outcome.
    repeats: u64,
    /// Segments of text messages that it took with an answer.
    segments: u64,
    /// What those cost of which a price was configured when they were sent, by currency.
    costs: Vec<MoneyObject>,
}

/// An amount in a currency.
#[derive(SimpleObject)]
#[graphql(name = "Money")]
pub struct MoneyObject {
    /// The number, exact, such as `0.0237`.
    amount: String,
    /// The currency's three letters (ISO 4217).
    currency: String,
}

/// One attempt of which our books and the provider's differ.
#[derive(SimpleObject)]
pub struct ReconciliationDifference {
    kind: ReconciliationKind,
    /// What it comes to.
    sentence: &'static str,
    provider: String,
    notification: ID,
    delivery: u32,
    attempt: u32,
    /// When the attempt began.
    at: Option<DateTime<Utc>>,
    /// What we recorded of it.
    ours: String,
    /// The provider's id for the message.
    provider_id: Option<String>,
}

/// The books of a day.
#[derive(SimpleObject)]
pub struct Reconciliation {
    rows: Vec<ReconciliationRow>,
    /// The first of the differences, by time.
    differences: Vec<ReconciliationDifference>,
    /// How many there are beyond those.
    more: u64,
}

/// Asking for the books.
#[derive(Default)]
pub struct ReconciliationQuery;

#[Object]
impl ReconciliationQuery {
    /// What was sent, taken, delivered and unknown on a day (UTC), by provider and channel, with the
    /// differences. Read from the log: a day of more than 100,000 attempts is for `bongsu reconcile`,
    /// which also compares with a provider's own list.
    #[graphql(complexity = "500 + first.max(1) as usize * child_complexity / 10")]
    async fn reconciliation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day, such as `2026-11-22`.")] day: NaiveDate,
        #[graphql(desc = "Only this provider, by its configured name.")] provider: Option<String>,
        #[graphql(desc = "Differences that are listed at most.", default = 100)] first: i32,
    ) -> Result<Reconciliation> {
        administrator(ctx)?;
        let services = services(ctx)?;
        let first = usize::try_from(first).ok().filter(|first| (1..=1_000).contains(first));
        let first = first.ok_or_else(|| failure("BAD_USER_INPUT", "`first` is between 1 and 1000."))?;
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let next = day.succ_opt().ok_or_else(|| failure("BAD_USER_INPUT", "`day` is beyond the calendar."))?;
        let scope = Scope { from: midnight(day), upto: midnight(next), provider, patience: PATIENCE };
        let engine = &services.engine;
        let books = scan(engine.log.as_ref(), scope, None, engine.clock.now(), MOST, |_, _| {}).await;
        let books = books.map_err(|error| match error {
            ScanError::Log(error) => log_error(error),
            ScanError::TooMany(most) => {
                failure("BAD_USER_INPUT", format!("More than {most} attempts began on that day; name a provider, or use `bongsu reconcile`."))
            }
        })?;
        Ok(books_of(books, first))
    }
}

fn books_of(books: reconciliation::Reconciliation, first: usize) -> Reconciliation {
    let more = books.more + u64::try_from(books.differences.len().saturating_sub(first)).unwrap_or(0);
    let row = |row: reconciliation::Row| ReconciliationRow {
        provider: row.provider,
        channel: row.channel,
        attempts: row.attempts,
        accepted: row.accepted,
        refused: row.refused,
        unknown: row.unknown,
        under_way: row.under_way,
        delivered: row.delivered,
        bounced: row.bounced,
        unreported: row.unreported,
        repeats: row.repeats,
        segments: row.segments,
        costs: row.costs.into_iter().map(|sum| MoneyObject { amount: sum.amount(), currency: sum.currency }).collect(),
    };
    let difference = |one: reconciliation::Difference| ReconciliationDifference {
        kind: one.kind.into(),
        sentence: one.words,
        provider: one.provider,
        notification: ID(one.notification.to_string()),
        delivery: one.delivery.into(),
        attempt: one.attempt,
        at: DateTime::from_timestamp_millis(one.at).filter(|_| one.at > 0),
        ours: one.ours,
        provider_id: one.provider_id,
    };
    Reconciliation { rows: books.rows.into_iter().map(row).collect(), differences: books.differences.into_iter().take(first).map(difference).collect(), more }
}
