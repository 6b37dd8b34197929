//! Reading the log back over a pool. Rows are understood on threads of their own, which may wait for
//! keys; single streams come through `postgres-es`.

use super::rows::{AT, Decoder, RawPage, Row, events, read_at};
use super::signed;
use super::unsigned;
use crate::database::Threads;
use crate::log::append::LogError;
use crate::log::attempts;
use crate::log::reader::{LogReader, Reading};
use crate::log::recorded::{Bare, Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::log::stored::{EventType, Stored, subject};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use domain::values::{Millis, RecipientId};
use domain::{AggregateKind, StreamId};
use postgres_es::PostgresEventRepository;
use serde::Deserialize;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgPool, Postgres};
use std::sync::Arc;

/// The inner query looks each stream up through its index, whatever the planner thinks of the table.
const OF_STREAMS: &str = events!(
    "WHERE e.stream = ANY (ARRAY(SELECT (SELECT known.number FROM streams known WHERE known.kind = k.kind AND known.id = k.id)
        FROM unnest($1::smallint[], $2::text[]) AS k(kind, id))) ORDER BY e.stream, e.sequence"
);
const TAIL: &str =
    events!("WHERE e.stream = (SELECT known.number FROM streams known WHERE known.kind = $1 AND known.id = $2) ORDER BY e.sequence DESC LIMIT $3");
const OF_NUMBERS: &str = events!("WHERE e.stream = ANY($1) ORDER BY e.stream, e.sequence");
/// Notifications of some recipients, of which an attempt was recorded between two positions. Begun at
/// the attempts, since there is no index by recipient; each looks at one row more. One whose recipient is not
/// found may be anybody's.
const ATTEMPTED: &str = "SELECT DISTINCT a.stream
    FROM (SELECT stream FROM events WHERE position > $1 AND position <= $2
        AND type IN (SELECT id FROM event_types WHERE kind = $3 AND name = 'AttemptStarted') ORDER BY position LIMIT $4) a
    CROSS JOIN LATERAL (SELECT payload FROM events WHERE events.stream = a.stream AND events.sequence = 1 LIMIT 1) r
    WHERE coalesce(substring(r.payload FROM '\"recipient\":\"([^\"]*)\"') IN (SELECT unnest($5::text[])), true)";
/// The view with the column names of `postgres-es`.
const VIEW: &str = "stream_events";
/// Pages that are understood at once.
const THREADS: usize = 2;

/// See the module. Clones share the pool.
#[derive(Clone)]
pub struct PostgresReader {
    pool: PgPool,
    decoder: Decoder,
    threads: Threads<()>,
}

impl std::fmt::Debug for PostgresReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresReader")
    }
}

impl PostgresReader {
    /// Over a schema that is migrated.
    pub fn new(pool: PgPool, sealer: Sealer) -> Self {
        Self { pool, decoder: Decoder::new(sealer), threads: Threads::new("decode".to_owned(), THREADS) }
    }

    /// The pool, for reading other tables of the same schema.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    async fn understand(&self, page: RawPage, open: bool) -> Result<Vec<Arc<Recorded>>, LogError> {
        if page.events.is_empty() {
            return Ok(Vec::new());
        }
        let decoder = self.decoder.clone();
        let (events, unread) = self.threads.run(move |_| decoder.decode(&page, open)).await?;
        unread.map_or(Ok(events), Err)
    }

    async fn after(&self, after: Position, limit: usize, open: bool) -> Result<Vec<Arc<Recorded>>, LogError> {
        let mut connection = self.pool.acquire().await?;
        let page = RawPage::after(&mut connection, after, limit).await?;
        self.decoder.learn(&mut connection, &page.events).await?;
        drop(connection);
        self.understand(page, open).await
    }

    async fn at(&self, positions: Vec<Position>, open: bool) -> Result<Vec<Arc<Recorded>>, LogError> {
        let mut connection = self.pool.acquire().await?;
        let positions: Vec<i64> = positions.into_iter().map(signed).collect();
        let events = read_at(&mut connection, positions).await?;
        let page = RawPage::scattered(&mut connection, events).await?;
        self.decoder.learn(&mut connection, &page.events).await?;
        drop(connection);
        self.understand(page, open).await
    }

    async fn bare(&self, query: Query<'_, Postgres, PgArguments>, open: bool) -> Result<Vec<Bare>, LogError> {
        let mut connection = self.pool.acquire().await?;
        let rows: Vec<Row> = query.fetch_all(&mut *connection).await?.iter().map(Row::read).collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.decoder.learn(&mut connection, &rows).await?;
        drop(connection);
        let decoder = self.decoder.clone();
        let (events, unread) = self.threads.run(move |_| decoder.bare(&rows, open)).await?;
        unread.map_or(Ok(events), Err)
    }

    async fn stream(&self, stream: StreamId, after: Sequence, open: bool) -> Result<Vec<Arc<Recorded>>, LogError> {
        let repository = PostgresEventRepository::new(self.pool.clone()).with_tables(VIEW, VIEW);
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        let found = serialized(&repository, stream, after).await.map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
        let sealer = self.decoder.sealer().clone();
        let read = move |_: &mut Option<()>| found.into_iter().map(|event| from_view(event, stream, &sealer, open)).collect();
        self.threads.run(read).await?
    }
}

/// What `postgres-es` reads of a stream: it wants the type of the aggregate, though only its name.
async fn serialized(repository: &PostgresEventRepository, stream: StreamId, after: usize) -> Result<Vec<SerializedEvent>, cqrs_es::persist::PersistenceError> {
    macro_rules! by_kind {
        ($($kind:ident: $aggregate:ty),+ $(,)?) => {
            match stream.kind { $(AggregateKind::$kind => repository.get_last_events::<$aggregate>(&stream.id.to_string(), after).await,)+ }
        };
    }
    by_kind!(
        Notification: domain::notification::Notification,
        Recipient: domain::recipient::Recipient,
        Subscription: domain::subscription::Subscription,
        Category: domain::category::Category,
        Sender: domain::sender::Sender,
        ApiKey: domain::api_key::ApiKey,
        Address: domain::address::AddressOwnership,
        Frequency: domain::frequency::Frequency,
        Digest: domain::digest::Digest,
        Schedule: domain::schedule::Schedule,
        Quota: domain::quota::Quota,
        Template: domain::template::Template,
    )
}

/// The view's column `metadata`.
#[derive(Deserialize)]
struct ViewMetadata {
    position: Position,
    number: StreamNo,
    at: Millis,
    sealed: Option<String>,
    commit: Arc<Metadata>,
}

/// Postgres breaks its base64 into lines, and pads it.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical));

fn from_view(event: SerializedEvent, stream: StreamId, sealer: &Sealer, open: bool) -> Result<Arc<Recorded>, LogError> {
    let unreadable = |reason: String| LogError::Unavailable { reason };
    let ViewMetadata { position, number, at, sealed, commit } = serde_json::from_value(event.metadata).map_err(|error| unreadable(error.to_string()))?;
    let sealed = match sealed {
        Some(text) => {
            let text: String = text.split_ascii_whitespace().collect();
            Some(BASE64.decode(text).map_err(|error| unreadable(error.to_string()))?)
        }
        None => None,
    };
    let payload = event.payload.to_string();
    let sequence = event.sequence as u64;
    let kind = stream.kind.number();
    let stored = Stored { position, number, sequence, kind, id: stream.id.into_bytes(), payload: payload.as_bytes(), sealed: sealed.as_deref() };
    if open && let Some(subject) = stored.sealed.and_then(subject) {
        sealer.keys().load([subject]).map_err(|error| LogError::Keys { reason: error.to_string() })?;
    }
    let version = event.event_version.parse().map_err(|_| stored.poison("its version is no number".to_owned()))?;
    let of = EventType { kind, name: event.event_type, version };
    let (stream, fact) = stored.read(Some(&of), open.then_some(sealer))?;
    Ok(Arc::new(Recorded { position, stream, number, sequence, at, fact, metadata: commit }))
}

impl LogReader for PostgresReader {
    fn read_after(&self, after: Position, limit: usize, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(self.after(after, limit, open))
    }

    fn read_stream(&self, stream: StreamId, after: Sequence, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(self.stream(stream, after, open))
    }

    fn read_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(self.at(positions, open))
    }

    fn bare_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move {
            let positions: Vec<i64> = positions.into_iter().map(signed).collect();
            self.bare(sqlx::query(AT).bind(positions), open).await
        })
    }

    fn bare_streams(&self, streams: Vec<StreamId>, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move {
            let (kinds, ids): (Vec<i16>, Vec<String>) = streams.iter().map(|stream| (i16::from(stream.kind.number()), stream.id.to_string())).unzip();
            self.bare(sqlx::query(OF_STREAMS).bind(kinds).bind(ids), open).await
        })
    }

    fn bare_tail(&self, stream: StreamId, last: usize, open: bool) -> Reading<'_, Vec<Bare>> {
        Box::pin(async move {
            let last = i64::try_from(last).unwrap_or(i64::MAX);
            let find = sqlx::query(TAIL).bind(i16::from(stream.kind.number())).bind(stream.id.to_string()).bind(last);
            let mut events = self.bare(find, open).await?;
            events.reverse();
            Ok(events)
        })
    }

    fn open_attempts(&self, recipients: Vec<RecipientId>, after: Position, upto: Position) -> Reading<'_, Vec<Position>> {
        Box::pin(async move {
            let names: Vec<String> = recipients.iter().map(|recipient| recipient.0.to_string()).collect();
            let between = sqlx::query_scalar(ATTEMPTED).bind(signed(after)).bind(signed(upto)).bind(i16::from(AggregateKind::Notification.number()));
            let streams: Vec<i64> = between.bind(signed(upto.saturating_sub(after))).bind(names).fetch_all(&self.pool).await?;
            if streams.is_empty() {
                return Ok(Vec::new());
            }
            let events = self.bare(sqlx::query(OF_NUMBERS).bind(streams), false).await?;
            Ok(attempts::open(&events, &recipients, after, upto))
        })
    }

    fn stream_number(&self, stream: StreamId) -> Reading<'_, Option<StreamNo>> {
        Box::pin(async move {
            let find = "SELECT number FROM streams WHERE kind = $1 AND id = $2";
            let number: Option<i64> =
                sqlx::query_scalar(find).bind(i16::from(stream.kind.number())).bind(stream.id.to_string()).fetch_optional(&self.pool).await?;
            Ok(number.map(unsigned))
        })
    }

    fn head(&self) -> Reading<'_, Position> {
        Box::pin(async move {
            let head: i64 = sqlx::query_scalar("SELECT position FROM log_head").fetch_one(&self.pool).await?;
            Ok(unsigned(head))
        })
    }
}
