//! The port `WorkQueue`.

use crate::queues::{LANE, Queue, Queues};
use domain::notification::{Delivery, DeliveryState};
use domain::values::{AddressId, CategoryKey, Channel, NotificationId, Priority, RecipientId, SenderKey};
use services::wait::PATIENCE;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use workers::pending::{Item, Lane, Route};

pub const PUSH: Route = Route { channel: Channel::AndroidPush, sandbox: false };

pub fn item(stream: u64, sender: &str, priority: Priority) -> Item {
    Item {
        notification: NotificationId(Uuid::from_u128(u128::from(stream))),
        stream,
        sequence: 2,
        delivery: Delivery::queued(0, Channel::AndroidPush, Some(AddressId(Uuid::from_u128(7)))),
        recipient: RecipientId(Uuid::from_u128(8)),
        sender: SenderKey::new(sender).unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        topic: None,
        priority,
        sandbox: false,
        requested_position: 2 * stream,
        requested_at: 1_800_000_000_000,
        expires_at: Some(1_800_000_100_000),
        requested: None,
    }
}

pub fn normal(streams: impl IntoIterator<Item = u64>, sender: &str) -> Vec<Item> {
    streams.into_iter().map(|stream| item(stream, sender, Priority::Normal)).collect()
}

pub fn streams(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.stream).collect()
}

pub async fn take(queue: &Queue, most: usize) -> Vec<Item> {
    let taken = queue.work.take(PUSH, most).await.unwrap();
    assert!(taken.len() <= most, "{} instead of {most}", taken.len());
    taken
}

/// Takes until nothing more comes.
pub async fn take_all(queue: &Queue) -> Vec<Item> {
    let mut all = Vec::new();
    loop {
        let some = take(queue, 100).await;
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

pub async fn offer(queue: &Queue, items: Vec<Item>) {
    queue.work.offer(items).await.unwrap();
}

/// How many are ready of each priority on a route.
async fn depth(queue: &Queue, route: Route, priority: Priority) -> usize {
    let depths = queue.work.depths().await.unwrap();
    depths.into_iter().filter(|(at, of, _)| (*at, *of) == (route, priority)).map(|(_, _, depth)| depth).sum()
}

pub fn lane(sender: &str) -> Lane {
    Lane { route: PUSH, priority: Priority::Normal, sender: SenderKey::new(sender).unwrap() }
}

pub async fn what_is_taken_is_what_was_offered<Q: Queues>() {
    let queue = Q::new().open();
    let mut one = item(7, "shop", Priority::High);
    one.delivery = Delivery { number: 3, attempt: 2, counted: 1, after_unknown: true, unknown_repeats: 1, ..one.delivery };
    offer(&queue, vec![one.clone()]).await;
    let taken = take(&queue, 10).await;
    assert_eq!(format!("{taken:?}"), format!("{:?}", [one]));
}

pub async fn priorities_are_served_by_their_weights<Q: Queues>() {
    for batch in [1, 10, 170, 425] {
        let queue = Q::new().open();
        for (rank, priority) in Priority::DESCENDING.into_iter().enumerate() {
            let first = 10_000 * rank as u64;
            offer(&queue, (first..first + 900).map(|stream| item(stream, "shop", priority)).collect()).await;
        }
        let mut served: BTreeMap<u8, usize> = BTreeMap::new();
        let mut count = 0;
        while count < 850 {
            let taken = take(&queue, batch.min(850 - count)).await;
            count += taken.len();
            taken.iter().for_each(|item| *served.entry(item.priority.rank()).or_default() += 1);
        }
        assert_eq!(served.into_values().collect::<Vec<_>>(), [640, 160, 40, 10], "in batches of {batch}");
    }
}

pub async fn the_higher_goes_first_and_the_lower_takes_what_it_leaves<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, (0..200).map(|stream| item(stream, "shop", Priority::Low)).collect()).await;
    offer(&queue, (1_000..1_010).map(|stream| item(stream, "shop", Priority::Critical)).collect()).await;
    let taken = take(&queue, 100).await;
    assert_eq!(taken.len(), 100);
    assert!(taken[..10].iter().all(|item| item.priority == Priority::Critical));
    assert_eq!(streams(&taken[10..]), (0..90).collect::<Vec<_>>());
}

pub async fn one_with_a_hundred_times_the_share_does_not_delay_another<Q: Queues>() {
    for batch in [1, 3, 20] {
        let queue = Q::new().open();
        offer(&queue, normal(0..1_000, "flood")).await;
        offer(&queue, normal(5_000..5_010, "quiet")).await;
        let mut taken = Vec::new();
        while taken.len() < 20 {
            taken.extend(take(&queue, batch.min(20 - taken.len())).await);
        }
        let quiet = taken.iter().filter(|item| item.stream >= 5_000).count();
        assert_eq!(quiet, 10, "in batches of {batch}");
    }
}

pub async fn many_senders_all_get_their_turn<Q: Queues>() {
    let queue = Q::new().open();
    for sender in 0..50 {
        offer(&queue, normal((0..20).map(|n| 1_000 * sender + n), &format!("sender{sender}"))).await;
    }
    // Fewer at once than there are senders, and no whole part of them.
    for round in 1..=3_u32 {
        let mut taken = Vec::new();
        while taken.len() < 50 {
            taken.extend(take(&queue, 7.min(50 - taken.len())).await);
        }
        let senders: BTreeSet<_> = taken.iter().map(|item| item.sender.clone()).collect();
        assert_eq!(senders.len(), 50, "in round {round}");
    }
}

pub async fn what_one_sender_has_is_in_the_order_of_arrival<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, normal(100..150, "shop")).await;
    offer(&queue, normal(150..400, "shop")).await;
    let mut taken = Vec::new();
    for batch in [1, 7, 100, 3, 1_000] {
        taken.extend(take(&queue, batch).await);
    }
    assert_eq!(streams(&taken), (100..400).collect::<Vec<_>>());
}

pub async fn offering_again_changes_nothing<Q: Queues>() {
    let store = Q::new();
    let (queue, other) = (store.open(), store.open());
    offer(&queue, normal(0..300, "shop")).await;
    offer(&other, normal(0..300, "shop")).await;
    assert_eq!(depth(&other, PUSH, Priority::Normal).await, 300);
    let taken = take(&queue, 100).await;
    offer(&other, normal(0..300, "shop")).await;
    assert_eq!(streams(&take_all(&other).await), (100..300).collect::<Vec<_>>(), "the first hundred are somebody's");
    let mut anew = taken[0].clone();
    queue.work.settle(taken).await.unwrap();
    anew.sequence += 1;
    offer(&other, vec![anew]).await;
    assert_eq!(streams(&take_all(&other).await), [0], "settled, it may be owed anew");
}

pub async fn a_lane_is_bounded_and_says_when_it_has_room<Q: Queues>() {
    let queue = Q::new().open();
    let bound = LANE as u64;
    offer(&queue, normal(0..bound + 700, "shop")).await;
    offer(&queue, normal(10_000..10_001, "other")).await;
    assert_eq!(depth(&queue, PUSH, Priority::Normal).await, LANE + 1, "another sender's lane has room");
    let lanes = || vec![lane("shop"), lane("other"), lane("nobody")];
    let room = |rooms: Vec<(Lane, usize)>| rooms.into_iter().map(|(lane, room)| (lane.sender.as_str().to_owned(), room)).collect::<BTreeMap<_, _>>();
    let found = room(queue.work.room(lanes()).await.unwrap());
    assert_eq!(found, BTreeMap::from([("other".to_owned(), LANE - 1), ("nobody".to_owned(), LANE)]));
    let mut taken = Vec::new();
    while taken.len() < LANE * 3 / 4 + 1 {
        taken.extend(take(&queue, (LANE * 3 / 4 + 1 - taken.len()).min(100)).await);
    }
    let found = room(queue.work.room(lanes()).await.unwrap());
    assert_eq!(found.get("shop"), Some(&(LANE * 3 / 4)), "a quarter is left of it");
    offer(&queue, normal(bound..bound + 700, "shop")).await;
    let rest = streams(&take_all(&queue).await);
    assert_eq!(rest, (LANE as u64 * 3 / 4..bound + 700).collect::<Vec<_>>(), "what had found no room is in order behind the rest");
}

pub async fn what_is_given_back_comes_first_in_its_newest_shape<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, normal(0..10, "shop")).await;
    let mut taken = take(&queue, 3).await;
    taken.iter_mut().for_each(|item| item.sequence = 9);
    queue.work.give_back(taken).await.unwrap();
    let mut taken = take_all(&queue).await;
    // Which of those given back together comes first is the queue's to choose.
    taken[..3].sort_by_key(|item| item.stream);
    assert_eq!(streams(&taken), (0..10).collect::<Vec<_>>());
    assert_eq!(taken.iter().map(|item| item.sequence).collect::<Vec<_>>(), [9, 9, 9, 2, 2, 2, 2, 2, 2, 2]);
}

pub async fn what_is_given_back_waiting_waits_and_what_is_over_is_gone<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, normal(0..3, "shop")).await;
    let mut taken = take(&queue, 3).await;
    taken[0].delivery.state = DeliveryState::Waiting { due: 500 };
    taken[1].delivery.state = DeliveryState::Sent;
    queue.work.give_back(taken).await.unwrap();
    assert_eq!(streams(&take_all(&queue).await), [2]);
    assert_eq!(queue.timers.ripen(499).await.unwrap(), Some(500));
    assert!(take_all(&queue).await.is_empty());
    queue.timers.ripen(500).await.unwrap();
    let taken = take_all(&queue).await;
    assert_eq!(streams(&taken), [0]);
    assert_eq!(taken[0].delivery.state, DeliveryState::Waiting { due: 500 });
}

pub async fn what_is_settled_is_gone<Q: Queues>() {
    let queue = Q::new().open();
    offer(&queue, normal(0..50, "shop")).await;
    let mut taken = take(&queue, 50).await;
    // In another shape than it was taken in.
    taken.iter_mut().for_each(|item| item.delivery.attempt = 1);
    queue.work.settle(taken).await.unwrap();
    assert_eq!(depth(&queue, PUSH, Priority::Normal).await, 0);
    assert!(take_all(&queue).await.is_empty());
}

pub async fn routes_are_apart<Q: Queues>() {
    let queue = Q::new().open();
    let routes: Vec<Route> = Route::all().collect();
    let items = routes.iter().zip(1..).map(|(route, stream)| {
        let mut one = item(stream, "shop", Priority::High);
        one.delivery.channel = route.channel;
        one.sandbox = route.sandbox;
        one
    });
    offer(&queue, items.collect()).await;
    for (route, stream) in routes.into_iter().zip(1..) {
        assert_eq!(depth(&queue, route, Priority::High).await, 1, "{route:?}");
        let taken = queue.work.take(route, 10).await.unwrap();
        assert_eq!(streams(&taken), [stream], "{route:?}");
        assert_eq!(depth(&queue, route, Priority::High).await, 0, "{route:?}");
    }
}

pub async fn racing_takers_never_get_the_same<Q: Queues>() {
    const ALL: u64 = 3_000;
    let store = Q::new();
    let mut takers = tokio::task::JoinSet::new();
    for taker in 0..6 {
        let queue = store.open();
        takers.spawn(async move {
            // The items come from all of them too, each from several.
            let (from, sender) = (1_000 * (taker % 3), ["a", "b", "c"][taker as usize % 3]);
            let mut mine = Vec::new();
            for start in (from..from + 1_000).step_by(100) {
                offer(&queue, normal(start..start + 100, sender)).await;
                let taken = take(&queue, 10 + 7 * taker as usize).await;
                mine.extend(streams(&taken));
                // Half stay taken, and half go back once.
                let (kept, back) = taken.split_at(taken.len() / 2);
                mine.truncate(mine.len() - back.len());
                assert!(kept.iter().all(|item| mine.contains(&item.stream)));
                queue.work.give_back(back.to_vec()).await.unwrap();
            }
            mine
        });
    }
    let mut all: Vec<u64> = takers.join_all().await.into_iter().flatten().collect();
    all.extend(streams(&take_all(&store.open()).await));
    all.sort_unstable();
    assert_eq!(all, (0..ALL).collect::<Vec<_>>());
}

pub async fn whoever_waits_learns_of_an_offer<Q: Queues>() {
    let store = Q::new();
    let (queue, other) = (store.open(), store.open());
    let waiting = tokio::spawn(async move {
        loop {
            let taken = take(&queue, 10).await;
            if !taken.is_empty() {
                return streams(&taken);
            }
            queue.work.wait(PUSH).await;
        }
    });
    offer(&other, normal(5..6, "shop")).await;
    assert_eq!(tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap(), [5]);
}
