//! What only the log in Postgres can meet: lost answers, and readers that a sequence would mislead.

#![allow(clippy::unwrap_used, clippy::panic)]

use commands::log::{Lane, LogError, LogReader, Metadata, Position, Recorded, Sequence, StreamNo};
use contracts::event_log::{append, commit, follow, off, recorded, subscription};
use contracts::proxy::{Cut, Proxy};
use contracts::stores::{PostgresStore, Store};
use domain::StreamId;
use domain::values::Channel;
use services::postgres::Postgres;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_takes_effect_once_wherever_its_connection_is_cut() {
    let direct = PostgresStore::new().await;
    let port = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().port()).await.unwrap();
    let proxy = Proxy::to(port).await;
    let log = direct.by(proxy.url(direct.url(), port)).open().await;
    append(&log, vec![commit(subscription(1), 0, vec![off(Channel::Email)])]).await;
    for round in 0..6_u64 {
        let stream = subscription(u128::from(2 + round));
        let cut = if round % 2 == 0 { Cut::After } else { Cut::Before };
        proxy.cut(cut);
        let answer = log.committer.commit(Lane::Request, vec![commit(stream, 0, vec![off(Channel::Email)])]).await;
        assert_eq!(proxy.cuts(), usize::try_from(round + 1).unwrap());
        let there = log.reader.read_stream(stream, 0, false).await.unwrap().len();
        match cut {
            Cut::After => assert_eq!((recorded(&answer.unwrap()[0]).len(), there), (1, 1), "it was found out that it is durable"),
            _ => assert!(matches!(answer, Err(LogError::Unavailable { .. })) && there == 0, "it was found out that it is not: {answer:?}"),
        }
        // Whatever was answered, the next one goes on without a gap.
        append(&log, vec![commit(stream, u64::try_from(there).unwrap(), vec![off(Channel::Webhook)])]).await;
    }
    let head = log.reader.head().await.unwrap();
    let all = log.reader.read_after(0, 100, false).await.unwrap();
    assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
    assert_eq!(log.tail.head(), head);
    assert_eq!(log.tail.read_after(0, 100).unwrap().len(), all.len(), "told once each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_in_its_turn_does_not_hold_up_the_others() {
    let direct = PostgresStore::new().await;
    let port = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().port()).await.unwrap();
    let proxy = Proxy::to(port).await;
    let (stopping, other) = (direct.by(proxy.url(direct.url(), port)).open().await, direct.open().await);
    proxy.cut(Cut::Hang);
    let stopped = tokio::spawn(async move { stopping.committer.commit(Lane::Request, vec![commit(subscription(1), 0, vec![off(Channel::Email)])]).await });
    while proxy.cuts() == 0 {
        tokio::task::yield_now().await;
    }
    // It holds the head now. Requests that are refused meanwhile are repeated, as clients do.
    let mut refusals = 0;
    loop {
        match other.committer.commit(Lane::Request, vec![commit(subscription(2), 0, vec![off(Channel::Email)])]).await {
            Ok(outcomes) => break assert_eq!(recorded(&outcomes[0])[0].position, 1),
            Err(error) => {
                refusals += 1;
                assert!(refusals < 5, "the others never get their turn: {error:?}");
            }
        }
    }
    assert!(matches!(stopped.await.unwrap(), Err(LogError::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_says_so_when_the_history_went_backwards() {
    let store = PostgresStore::new().await;
    let log = store.open().await;
    append(&log, vec![commit(subscription(1), 0, vec![off(Channel::Email), off(Channel::Webhook)])]).await;
    // As after a failover to a standby that lacks a commit.
    let mut connection = PgConnection::connect_with(store.place().options()).await.unwrap();
    connection.execute("DELETE FROM events WHERE position = 2").await.unwrap();
    connection.execute("UPDATE log_head SET position = 1").await.unwrap();
    let refused = log.committer.commit(Lane::Request, vec![commit(subscription(2), 0, vec![off(Channel::Email)])]).await;
    assert!(matches!(refused, Err(LogError::Unavailable { reason }) if reason.contains("backwards")));
    assert_eq!(log.reader.head().await.unwrap(), 1, "and nothing was appended");
}

/// What a reader over a plain sequence would be.
struct Naive(PgPool);

impl LogReader for Naive {
    fn read_after(&self, after: Position, limit: usize, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(async move {
            let find = "SELECT position FROM naive WHERE position > $1 ORDER BY position LIMIT $2";
            let limit = i64::try_from(limit).unwrap();
            let rows: Vec<i64> = sqlx::query_scalar(find).bind(after.cast_signed()).bind(limit).fetch_all(&self.0).await?;
            let event = |position: i64| Recorded {
                position: position.cast_unsigned(),
                stream: subscription(1),
                number: 1,
                sequence: 1,
                at: 0,
                fact: off(Channel::Email),
                metadata: Arc::new(Metadata::of("naive")),
            };
            Ok(rows.into_iter().map(|position| Arc::new(event(position))).collect())
        })
    }
    fn read_stream(&self, _: StreamId, _: Sequence, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn read_at(&self, _: Vec<Position>, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn stream_number(&self, _: StreamId) -> Reading<'_, Option<StreamNo>> {
        Box::pin(async { Ok(None) })
    }
    fn head(&self) -> Reading<'_, Position> {
        Box::pin(async { Ok(0) })
    }
}

/// The check of the races finds what a plain sequence does to readers: without that it would prove
/// nothing of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_naive_reader_over_a_sequence_is_caught() {
    let store = PostgresStore::new().await;
    let pool = store.open().await;
    drop(pool);
    let pool = store.place().pool(3);
    pool.execute("CREATE TABLE naive (position bigserial PRIMARY KEY)").await.unwrap();
    // One that commits late, and one that is faster.
    let mut slow = pool.begin().await.unwrap();
    slow.execute("INSERT INTO naive DEFAULT VALUES").await.unwrap();
    pool.execute("INSERT INTO naive DEFAULT VALUES").await.unwrap();
    let following = tokio::spawn(follow(Arc::new(Naive(pool.clone())), 2));
    assert!(following.await.is_err_and(|error| error.is_panic()), "the check lets a reader pass that misses an event for ever");
    slow.commit().await.unwrap();
}
