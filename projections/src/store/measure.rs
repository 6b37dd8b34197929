#![allow(clippy::all, clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]
use super::*;
use crate::testing::events::*;
use crate::testing::log::TestLog;
use crate::testing::views::View;
use commands::log::{Commit, Lane, Metadata, StreamAppend};
use domain::Fact;
use domain::values::{Channel, RecipientId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
fn random(n: u128) -> u128 {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &n.to_le_bytes()).as_u128()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore]
async fn measure() {
    let n: u128 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(250_000);
    let recipients: u128 = std::env::var("R").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    // hot path
    for (name, whole) in [("folded", true), ("sent later", false)].into_iter().take(std::env::var("HOT").map_or(2, |h| h.parse().unwrap())) {
        let view = View::new(crate::notifications::REGISTRATION);
        let mut story = Story::default();
        let per = 1_250;
        for block in 0..(n / per) {
            let range = block * per..(block + 1) * per;
            for i in range.clone() {
                let s = domain::StreamId::new(domain::AggregateKind::Notification, Uuid::from_u128(random(i)));
                story.add(s, requested(RecipientId(Uuid::from_u128(random(i * 7919 % recipients))), false));
                story.add(s, queued(0, Channel::AndroidPush));
                if whole {
                    story.add(s, started(0));
                    story.add(s, sent(0));
                }
            }
            if !whole {
                for i in range {
                    let s = domain::StreamId::new(domain::AggregateKind::Notification, Uuid::from_u128(random(i)));
                    story.add(s, started(0));
                    story.add(s, sent(0));
                }
            }
        }
        let start = cpu();
        let wall = std::time::Instant::now();
        let size = if whole { 5_000 } else { 2_500 };
        for batch in story.events.chunks(size) {
            view.take(batch).await;
        }
        let used = cpu() - start;
        view.projection
            .read(|c| {
                let _: i64 = c.query_row("PRAGMA user_version", [], |r| r.get(0))?;
                Ok(())
            })
            .await
            .unwrap();
        let bytes = view
            .projection
            .read(|c| Ok(c.query_row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", [], |r| r.get::<_, i64>(0))?))
            .await
            .unwrap();
        println!(
            "{name}: {:.2} us cpu/notification, wall {:.2}, {:.1} bytes/notification",
            used * 1e6 / n as f64,
            wall.elapsed().as_micros() as f64 / n as f64,
            bytes as f64 / n as f64
        );
        let notifications = crate::notifications::Notifications::new(view.projection.clone());
        let wall = std::time::Instant::now();
        for i in 0..200 {
            let page = crate::notifications::HistoryPage { newer_than: None, older_than: None, first: 50, order: crate::notifications::Order::NewestFirst };
            notifications.history(RecipientId(Uuid::from_u128(random(i * 331))), page, Default::default()).await.unwrap();
        }
        println!("history {} us", wall.elapsed().as_micros() / 200);
    }
    if std::env::var("HOT").is_ok() { return; }
    let log = TestLog::new();
    for block in 0..(n / 500) {
        let mut commits = Vec::new();
        for i in block * 500..(block + 1) * 500 {
            let s = domain::StreamId::new(domain::AggregateKind::Notification, Uuid::from_u128(random(i)));
            commits.push(Commit {
                metadata: Arc::new(Metadata::of("key:1")),
                expectations: vec![],
                appends: vec![StreamAppend {
                    stream: s,
                    number: None,
                    expected: 0,
                    events: vec![requested(RecipientId(Uuid::from_u128(random(i * 7919 % recipients))), false), queued(0, Channel::AndroidPush)]
                        .into_iter()
                        .map(Fact::from)
                        .collect(),
                }],
            });
        }
        log.committer.commit(Lane::Internal, commits).await.unwrap();
        let mut commits = Vec::new();
        for i in block * 500..(block + 1) * 500 {
            let s = domain::StreamId::new(domain::AggregateKind::Notification, Uuid::from_u128(random(i)));
            commits.push(Commit {
                metadata: Arc::new(Metadata::of("delivery")),
                expectations: vec![],
                appends: vec![StreamAppend { stream: s, number: None, expected: 2, events: vec![started(0), sent(0)].into_iter().map(Fact::from).collect() }],
            });
        }
        log.committer.commit(Lane::Internal, commits).await.unwrap();
    }
    let events = n as f64 * 4.0;
    let start = cpu();
    let wall = std::time::Instant::now();
    let mut at = 0;
    while let Some(last) = log.sources.log.read_after(at, 20_000, false).await.unwrap().last() {
        at = last.position;
    }
    println!("read only: {:.0} events/s wall, cpu {:.2} us/event", events / wall.elapsed().as_secs_f64(), (cpu() - start) * 1e6 / events);
    let models = ReadModels::open(&log.folder().join("views")).unwrap();
    for model in models.all() {
        let start = cpu();
        let wall = std::time::Instant::now();
        model.rebuild(&log.sources, &CancellationToken::new(), |_| {}).await.unwrap();
        println!(
            "rebuild {}: {:.0} events/s wall, cpu {:.2} us/event, {} bytes",
            model.name(),
            events / wall.elapsed().as_secs_f64(),
            (cpu() - start) * 1e6 / events,
            model.serving().bytes()
        );
    }
}
