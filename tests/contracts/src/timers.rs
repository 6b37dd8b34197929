//! The port `TimerQueue`.

use crate::queue::{item, offer, streams, take, take_all};
use crate::queues::{Queue, Queues};
use domain::notification::DeliveryState;
use domain::values::{Millis, Priority};
use workers::pending::Item;

pub fn waiting(stream: u64, due: Millis) -> Item {
    let mut one = item(stream, "shop", Priority::Normal);
    one.delivery.state = DeliveryState::Waiting { due };
    one
}

async fn hold(queue: &Queue, items: Vec<Item>) {
    queue.timers.hold(items).await.unwrap();
}

pub async fn nothing_fires_before_it_is_due<Q: Queues>() {
    let queue = Q::new().open();
    assert_eq!(queue.timers.ripen(1_000).await.unwrap(), None);
    hold(&queue, vec![waiting(1, 1_700_000_000_500), waiting(2, 1_700_000_000_300), waiting(3, 1_700_000_000_301)]).await;
    assert!(take_all(&queue).await.is_empty());
    for (now, next, fired) in [(299, Some(300), vec![]), (300, Some(301), vec![2]), (499, Some(500), vec![3]), (500, None, vec![1]), (9_999, None, vec![])] {
        let next = next.map(|next| 1_700_000_000_000 + next);
        assert_eq!(queue.timers.ripen(1_700_000_000_000 + now).await.unwrap(), next, "at {now}");
        assert_eq!(streams(&take_all(&queue).await), fired, "at {now}");
    }
}

pub async fn what_is_held_or_taken_is_not_held_again<Q: Queues>() {
    let store = Q::new();
    let (queue, other) = (store.open(), store.open());
    hold(&queue, vec![waiting(1, 500)]).await;
    hold(&other, vec![waiting(1, 500)]).await;
    queue.timers.ripen(500).await.unwrap();
    let taken = take(&queue, 10).await;
    assert_eq!(streams(&taken), [1]);
    hold(&other, vec![waiting(1, 500)]).await;
    other.timers.ripen(500).await.unwrap();
    assert!(take_all(&other).await.is_empty(), "somebody has it");
}

pub async fn what_fires_goes_where_its_priority_is_served<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, (10..20).map(|stream| item(stream, "shop", Priority::Normal)).collect()).await;
    hold(&queue, vec![Item { priority: Priority::Critical, ..waiting(30, 500) }]).await;
    queue.timers.ripen(500).await.unwrap();
    assert_eq!(take(&queue, 1).await[0].stream, 30);
}

pub async fn each_fires_once_however_many_look<Q: Queues>() {
    const ALL: u64 = 900;
    let store = Q::new();
    for stream in (0..ALL).step_by(100) {
        hold(&store.open(), (stream..stream + 100).map(|stream| waiting(stream, 1_000 + stream as i64)).collect()).await;
    }
    let mut lookers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let queue = store.open();
        lookers.spawn(async move {
            let mut mine = Vec::new();
            for now in (1_000..2_000).step_by(50) {
                queue.timers.ripen(now).await.unwrap();
                for item in take_all(&queue).await {
                    // Another looker may be further on than this one, but none beyond the end.
                    assert!(matches!(item.delivery.state, DeliveryState::Waiting { due } if due < 2_000));
                    mine.push(item.stream);
                }
            }
            mine
        });
    }
    let mut all: Vec<u64> = lookers.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..ALL).collect::<Vec<_>>());
    assert_eq!(store.open().timers.ripen(9_999).await.unwrap(), None);
}
