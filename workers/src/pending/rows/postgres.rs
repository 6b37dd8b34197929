//! The questions in Postgres.

use super::{Counts, Lane, Route, limit, state_name, state_of, unsigned};
use crate::pending::Item;
use commands::log::{LogError, Position};
use commands::replicas::{Peers, ReplicaNo, SLOTS, Share};
use domain::notification::Delivery;
use domain::values::{AddressId, CategoryKey, Millis, NotificationId, Priority, RecipientId, SenderKey, TopicKey};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

macro_rules! pending {
    ($which:literal) => {
        concat!(
            "SELECT p.stream, p.delivery, p.notification, p.recipient, p.sender, p.category, p.channel, p.priority, p.sandbox, p.address, ",
            "p.requested_position, p.requested_at, p.expires_at, p.sequence, p.state, p.due, p.attempt, p.counted, p.after_unknown, p.unknown_repeats, p.topic ",
            $which
        )
    };
}

/// One index seek a lane, however many rows each has.
const LANES: &str = "WITH RECURSIVE lanes AS (
    (SELECT channel, priority, sender FROM pending_deliveries WHERE state = 0 ORDER BY channel, priority, sender LIMIT 1)
    UNION ALL
    SELECT next.* FROM lanes CROSS JOIN LATERAL (
        SELECT channel, priority, sender FROM pending_deliveries
        WHERE state = 0 AND (channel, priority, sender) > (lanes.channel, lanes.priority, lanes.sender)
        ORDER BY channel, priority, sender LIMIT 1
    ) next
) SELECT channel, priority, sender FROM lanes";
const READY: &str = pending!(
    "FROM pending_deliveries p WHERE state = 0 AND channel = $1 AND priority = $2 AND sender = $3 AND ($5::bigint[] IS NULL OR stream % 64 = ANY ($5)) AND ($6::bigint IS NULL OR requested_position <= $6 OR attempt > 0) ORDER BY stream, delivery LIMIT $4"
);
const DUE: &str = pending!(
    "FROM (SELECT subject, part, due FROM timers WHERE kind = 'retry' AND due <= $1 AND ($3::bigint[] IS NULL OR subject % 64 = ANY ($3)) ORDER BY due LIMIT $2) t JOIN pending_deliveries p ON p.stream = t.subject AND p.delivery = t.part ORDER BY t.due"
);
const IN_FLIGHT: &str =
    pending!("FROM pending_deliveries p WHERE state = 2 AND (replica = ANY ($1) OR ($2 AND replica <> ALL ($3))) ORDER BY stream, delivery LIMIT $4");
const COUNTS: &str = "SELECT channel, priority, state, count(*) FROM pending_deliveries GROUP BY channel, priority, state";

pub(super) async fn lanes(pool: &PgPool) -> Result<Vec<Lane>, LogError> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(LANES).fetch_all(pool).await?;
    let lane = |(channel, priority, sender): (i64, i64, String)| {
        let (route, priority) = place(channel, priority)?;
        Some(Lane { route, priority, sender: SenderKey::new(&sender).ok()? })
    };
    Ok(rows.into_iter().filter_map(lane).collect())
}

/// The slots of a share that is not everything.
fn slots(share: Option<&Share>) -> Option<Vec<i64>> {
    share.filter(|share| !share.is_all()).map(Share::slots)
}

pub(super) async fn ready(pool: &PgPool, lane: &Lane, most: usize, share: Option<&Share>, kept_after: Option<Position>) -> Result<Vec<Item>, LogError> {
    let query = sqlx::query(READY).bind(i64::from(lane.route.number())).bind(i64::from(lane.priority.rank()));
    query
        .bind(lane.sender.as_str())
        .bind(limit(most))
        .bind(slots(share))
        .bind(kept_after.map(u64::cast_signed))
        .fetch_all(pool)
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(super) async fn due(pool: &PgPool, until: Millis, most: usize, share: Option<&Share>) -> Result<Vec<Item>, LogError> {
    sqlx::query(DUE).bind(until).bind(limit(most)).bind(slots(share)).fetch_all(pool).await?.iter().map(read).collect()
}

pub(super) async fn in_flight(pool: &PgPool, peers: &Peers, most: usize) -> Result<Vec<Item>, LogError> {
    let numbers = |replicas: Vec<ReplicaNo>| replicas.into_iter().map(u64::cast_signed).collect::<Vec<i64>>();
    let living = numbers(peers.living.iter().map(|peer| peer.number).collect());
    sqlx::query(IN_FLIGHT)
        .bind(numbers(peers.ended.clone()))
        .bind(peers.certain)
        .bind(living)
        .bind(limit(most))
        .fetch_all(pool)
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(super) async fn counts(pool: &PgPool) -> Result<Counts, LogError> {
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(COUNTS).fetch_all(pool).await?;
    let count = |(channel, priority, state, count)| {
        let (route, priority) = place(channel, priority)?;
        Some((route, priority, state_name(state), unsigned(count)))
    };
    Ok(rows.into_iter().filter_map(count).collect())
}

fn place(channel: i64, priority: i64) -> Option<(Route, Priority)> {
    Some((Route::from_number(u8::try_from(channel).ok()?)?, Priority::from_rank(u8::try_from(priority).ok()?)?))
}

fn broken(what: &str) -> LogError {
    LogError::Unavailable { reason: format!("a row of what is owed cannot be read: {what}") }
}

fn read(row: &PgRow) -> Result<Item, LogError> {
    let number = |column: usize| row.try_get::<i64, _>(column);
    let id = |bytes: Vec<u8>| Uuid::from_slice(&bytes).map_err(|error| broken(&error.to_string()));
    let small = |column: usize| Ok::<_, LogError>(u16::try_from(number(column)?).unwrap_or(u16::MAX));
    let (route, priority) = place(number(6)?, number(7)?).ok_or_else(|| broken("no such channel or priority"))?;
    let address: Option<Vec<u8>> = row.try_get(9)?;
    Ok(Item {
        stream: unsigned(number(0)?),
        notification: NotificationId(id(row.try_get(2)?)?),
        recipient: RecipientId(id(row.try_get(3)?)?),
        sender: SenderKey::new(row.try_get(4)?).map_err(|error| broken(&error.to_string()))?,
        category: CategoryKey::new(row.try_get(5)?).map_err(|error| broken(&error.to_string()))?,
        topic: row.try_get::<Option<&str>, _>(20)?.map(TopicKey::new).transpose().map_err(|error| broken(&error.to_string()))?,
        priority,
        sandbox: number(8)? != 0,
        requested_position: unsigned(number(10)?),
        requested_at: number(11)?,
        expires_at: row.try_get(12)?,
        sequence: unsigned(number(13)?),
        delivery: Delivery {
            number: small(1)?,
            channel: route.channel,
            address: address.map(|bytes| id(bytes).map(AddressId)).transpose()?,
            state: state_of(number(14)?, number(15)?),
            attempt: small(16)?.into(),
            counted: small(17)?.into(),
            after_unknown: number(18)? != 0,
            unknown_repeats: small(19)?.into(),
        },
        requested: None,
    })
}

const _: () = assert!(SLOTS == 64, "the questions name this number");
