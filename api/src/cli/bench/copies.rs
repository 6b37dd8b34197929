//! Fills a store by copying what it holds, inside Postgres: ten million notifications through the front door
//! would take an hour.
//!
//! A copy is what the server would have written: new streams with new ids, the next numbers and positions
//! without gaps, commits, the history, and consumers that have read all of it. Rows are inserted into tables that
//! have their indexes, so those grow as they would. Two things are not as if sent: copies belong to recipients who
//! have no stream of their own, so that the measured ones keep a history that can be read, and their contents cannot
//! be opened, since sealing binds them to the streams that they were copied from. Taking the indexes off
//! meanwhile was rejected: freshly made ones are full, and the first to insert would pay for splitting their pages.

use super::super::exit::CliError;
use domain::AggregateKind;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

/// Between two words about progress.
const PART: u64 = 10;

/// What is copied, each row with its place among its like.
const SOURCE: [&str; 4] = [
    "CREATE TEMP TABLE source_streams AS SELECT row_number() OVER (ORDER BY s.number) AS k, s.number, s.kind, encode(n.recipient, 'hex')::uuid::text AS recipient
        FROM bongsu.streams s JOIN {view}.notifications n ON n.number = s.number WHERE s.kind = {kind}",
    "CREATE TEMP TABLE source_events AS SELECT row_number() OVER (ORDER BY e.position) AS n, s.k, e.position, e.sequence, e.type, e.payload, e.sealed,
        CASE WHEN e.sequence = 1 THEN s.recipient END AS recipient
        FROM bongsu.events e JOIN source_streams s ON s.number = e.stream",
    "CREATE TEMP TABLE source_commits AS SELECT min(e.n) AS n, c.at, c.metadata FROM source_events e
        CROSS JOIN LATERAL (SELECT * FROM bongsu.commits WHERE commits.position <= e.position ORDER BY commits.position DESC LIMIT 1) c
        GROUP BY c.position, c.at, c.metadata",
    "CREATE TEMP TABLE source_rows AS SELECT s.k, s.recipient AS old_recipient, n.*, r.n AS requested_n, v.n AS visible_n, u.n AS updated_n
        FROM source_streams s JOIN {view}.notifications n ON n.number = s.number
        JOIN source_events r ON r.position = n.requested_position
        LEFT JOIN source_events v ON v.position = n.visible_position
        JOIN source_events u ON u.position = n.updated_position",
];

/// One copy, behind the head.
const COPY: [&str; 5] = [
    "INSERT INTO bongsu.streams (number, kind, id) SELECT {stream} + k, kind, gen_random_uuid()::text FROM source_streams ORDER BY k",
    "INSERT INTO bongsu.commits (position, at, metadata) SELECT {position} + n, at, metadata FROM source_commits ORDER BY n",
    "INSERT INTO bongsu.events (position, stream, sequence, type, payload, sealed)
        SELECT {position} + n, {stream} + k, sequence, type,
            CASE WHEN recipient IS NULL THEN payload ELSE replace(payload, recipient, md5(recipient || {copy})::uuid::text) END, sealed
        FROM source_events ORDER BY n",
    "INSERT INTO {view}.notifications (number, id, recipient, sender, category, priority, sandbox, requested_position, requested_at,
            visible_position, deliveries, flags, box, updated_position)
        SELECT {stream} + r.k, decode(replace(s.id, '-', ''), 'hex'), decode(md5(r.old_recipient || {copy}), 'hex'), r.sender, r.category, r.priority, r.sandbox,
            {position} + r.requested_n, r.requested_at, {position} + r.visible_n, r.deliveries, r.flags, r.box, {position} + r.updated_n
        FROM source_rows r JOIN bongsu.streams s ON s.number = {stream} + r.k ORDER BY r.k",
    "UPDATE bongsu.log_head SET position = {position} + (SELECT count(*) FROM source_events), stream = {stream} + (SELECT count(*) FROM source_streams)",
];

const COUNTS: &str = "UPDATE {view}.totals SET position = (SELECT position FROM bongsu.log_head), requested = requested * {times}, deduplicated = deduplicated * {times},
    queued = queued * {times}, skipped = skipped * {times}, suppressed = suppressed * {times}, sent = sent * {times}, failed = failed * {times}, cancelled = cancelled * {times},
    expired = expired * {times}, dead_lettered = dead_lettered * {times}, redriven = redriven * {times}, discarded = discarded * {times}";

fn failure(error: impl std::fmt::Display) -> CliError {
    CliError::failure(error.to_string())
}

type Connection = PoolConnection<Postgres>;

/// The schemas in which consumers say how far they are, that of the history first.
async fn schemas(connection: &mut Connection) -> Result<Vec<String>, CliError> {
    let serving: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, serving FROM bongsu.read_models ORDER BY name <> 'notifications'").fetch_all(&mut **connection).await.map_err(failure)?;
    Ok(serving.into_iter().map(|(name, serving)| format!("bongsu_view_{name}_{serving}")).chain(["bongsu".to_owned()]).collect())
}

/// Nobody may have been left behind: the copies are not for consumers to read.
async fn all_have_read(connection: &mut Connection, schemas: &[String]) -> Result<(), CliError> {
    for schema in schemas {
        let behind = format!("SELECT count(*) FROM {schema}.checkpoints WHERE position < (SELECT position FROM bongsu.log_head)");
        let behind: i64 = sqlx::query_scalar(&behind).fetch_one(&mut **connection).await.map_err(failure)?;
        if behind > 0 {
            return Err(failure(format!("a consumer of {schema} has not read all that was stored")));
        }
    }
    Ok(())
}

/// See the module. The servers must be stopped.
pub(super) async fn copy(pool: &PgPool, times: u64) -> Result<(), CliError> {
    if times == 0 {
        return Ok(());
    }
    let mut connection = pool.acquire().await.map_err(failure)?;
    let schemas = schemas(&mut connection).await?;
    all_have_read(&mut connection, &schemas).await?;
    let view = schemas.first().cloned().unwrap_or_default();
    let put = |text: &str| text.replace("{view}", &view).replace("{kind}", &AggregateKind::Notification.number().to_string());
    sqlx::query("SET synchronous_commit = off").execute(&mut *connection).await.map_err(failure)?;
    for statement in SOURCE {
        sqlx::query(&put(statement)).execute(&mut *connection).await.map_err(failure)?;
    }
    for table in ["source_streams", "source_events", "source_commits", "source_rows"] {
        sqlx::query(&format!("ANALYZE {table}")).execute(&mut *connection).await.map_err(failure)?;
    }
    for number in 1..=times {
        let mut transaction = sqlx::Connection::begin(&mut *connection).await.map_err(failure)?;
        let find = "SELECT position, stream FROM bongsu.log_head FOR UPDATE";
        let (position, stream): (i64, i64) = sqlx::query_as(find).fetch_one(&mut *transaction).await.map_err(failure)?;
        for statement in COPY {
            let copy =
                put(statement).replace("{position}", &position.to_string()).replace("{stream}", &stream.to_string()).replace("{copy}", &number.to_string());
            sqlx::query(&copy).execute(&mut *transaction).await.map_err(failure)?;
        }
        transaction.commit().await.map_err(failure)?;
        if number % PART == 0 || number == times {
            eprintln!("  {number} of {times} copies made");
        }
    }
    sqlx::query(&put(COUNTS).replace("{times}", &(times + 1).to_string())).execute(&mut *connection).await.map_err(failure)?;
    for schema in &schemas {
        let read = format!("UPDATE {schema}.checkpoints SET position = (SELECT position FROM bongsu.log_head)");
        sqlx::query(&read).execute(&mut *connection).await.map_err(failure)?;
    }
    // What comes of the filling is not to be paid for by what is measured.
    for statement in
        ["DISCARD TEMP".to_owned(), format!("VACUUM (ANALYZE) bongsu.events, bongsu.streams, bongsu.commits, {view}.notifications"), "CHECKPOINT".to_owned()]
    {
        sqlx::query(&statement).execute(&mut *connection).await.map_err(failure)?;
    }
    Ok(())
}
