#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Asking, KEPT_AT_MOST, Mode, Room, SharedQueue, SwitchingQueue, TimerQueue, WorkQueue};
use crate::pending::{Item, Lane, Route};
use crate::window::{Window, WindowSettings};
use commands::replicas::Share;
use domain::notification::Delivery;
use domain::values::{CategoryKey, Channel, Millis, NotificationId, Priority, RecipientId, SenderKey};
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const ROUTE: Route = Route { channel: Channel::Webhook, sandbox: false };

/// What all replicas share, in a list.
#[derive(Default)]
struct Shared {
    items: Mutex<Vec<Item>>,
    settled: Mutex<Vec<u64>>,
}

impl WorkQueue for Shared {
    fn offer(&self, items: Vec<Item>) -> Asking<'_, ()> {
        self.items.lock().unwrap().extend(items);
        Box::pin(ready(Ok(())))
    }

    fn take(&self, _: Route, most: usize) -> Asking<'_, Vec<Item>> {
        let mut items = self.items.lock().unwrap();
        let taken = items.len().min(most);
        Box::pin(ready(Ok(items.drain(..taken).collect())))
    }

    fn give_back(&self, items: Vec<Item>) -> Asking<'_, ()> {
        self.offer(items)
    }

    fn settle(&self, items: Vec<Item>) -> Asking<'_, ()> {
        self.settled.lock().unwrap().extend(items.iter().map(|item| item.stream));
        Box::pin(ready(Ok(())))
    }

    fn room(&self, _: Vec<Lane>) -> Asking<'_, Vec<Room>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn wait(&self, _: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    fn depths(&self) -> Asking<'_, Vec<(Route, Priority, usize)>> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

impl TimerQueue for Shared {
    fn hold(&self, _: Vec<Item>) -> Asking<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    fn ripen(&self, _: Millis) -> Asking<'_, Option<Millis>> {
        Box::pin(ready(Ok(None)))
    }
}

impl SharedQueue for Shared {
    fn probe(&self) -> Asking<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    fn wait_idly(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wait(route)
    }
}

fn item(stream: u64) -> Item {
    Item {
        notification: NotificationId(Uuid::from_u128(u128::from(stream))),
        stream,
        sequence: 2,
        delivery: Delivery::queued(0, ROUTE.channel, None),
        recipient: RecipientId::default(),
        sender: SenderKey::new("shop").unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        topic: None,
        priority: Priority::Normal,
        sandbox: false,
        requested_position: 1,
        requested_at: 1_000,
        expires_at: None,
        requested: None,
    }
}

fn streams(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.stream).collect()
}

fn switching(mode: Mode, keep: bool) -> (SwitchingQueue, Arc<Shared>) {
    let (shared, window) = (Arc::<Shared>::default(), Arc::new(Window::new(WindowSettings::default())));
    window.set_share(Share::none(), keep);
    let queue = SwitchingQueue::new(Arc::<Shared>::clone(&shared), window);
    queue.mode.send_replace(mode);
    (queue, shared)
}

#[tokio::test]
async fn what_is_kept_comes_first_and_is_nobody_elses() {
    let (queue, shared) = switching(Mode::Shared, true);
    assert!(queue.keep(vec![item(1), item(2)]).is_empty());
    queue.offer(vec![item(3)]).await.unwrap();
    let taken = queue.take(ROUTE, 10).await.unwrap();
    assert_eq!(streams(&taken), [1, 2, 3]);
    queue.give_back(vec![item(2), item(3)]).await.unwrap();
    assert_eq!(streams(&shared.items.lock().unwrap()), [3]);
    queue.settle(vec![item(1), item(3)]).await.unwrap();
    assert_eq!(*shared.settled.lock().unwrap(), [3], "the shared one never heard of the other");
    assert_eq!(streams(&queue.take(ROUTE, 2).await.unwrap()), [2, 3]);
}

#[tokio::test]
async fn what_all_share_is_let_go_of_there_though_it_stands_here_too() {
    let (queue, shared) = switching(Mode::Shared, true);
    queue.offer(vec![item(1), item(2)]).await.unwrap();
    assert_eq!(streams(&queue.shared().unwrap().take(ROUTE, 2).await.unwrap()), [1, 2]);
    assert!(queue.keep(vec![item(1), item(2)]).is_empty());
    queue.settle(vec![item(1)]).await.unwrap();
    queue.give_back(vec![item(2)]).await.unwrap();
    assert_eq!((shared.settled.lock().unwrap().clone(), streams(&shared.items.lock().unwrap())), (vec![1], vec![2]));
}

#[tokio::test]
async fn what_all_share_has_its_part_however_much_is_kept() {
    let (queue, _) = switching(Mode::Shared, true);
    queue.offer((100..110).map(item).collect()).await.unwrap();
    assert!(queue.keep((1..41).map(item).collect()).is_empty());
    let mut shared = 0;
    for _ in 0..4 {
        let taken = streams(&queue.take(ROUTE, 10).await.unwrap());
        assert_eq!(taken.len(), 10);
        shared += taken.iter().filter(|stream| **stream >= 100).count();
    }
    assert_eq!(shared, 10);
}

#[tokio::test]
async fn what_nobody_takes_leaves_room_for_what_somebody_does() {
    let (queue, _) = switching(Mode::Shared, true);
    let most = u64::try_from(KEPT_AT_MOST).unwrap();
    assert!(queue.keep((0..most).map(item).collect()).is_empty());
    assert_eq!(queue.keep(vec![item(most)]).len(), 1, "all of it is young");
    queue.tick(60_000);
    let young = Item { requested_at: 59_900, ..item(most) };
    assert!(queue.keep(vec![young]).is_empty());
    assert_eq!(streams(&queue.take(ROUTE, 10).await.unwrap()), [most]);
}

#[tokio::test]
async fn who_waits_is_woken_by_what_is_kept() {
    let (queue, _) = switching(Mode::Shared, true);
    queue.keep(vec![item(1)]);
    queue.wait(ROUTE).await;
}

#[tokio::test]
async fn what_is_more_than_a_replica_keeps_or_too_old_is_left_to_all() {
    let (queue, _) = switching(Mode::Shared, true);
    let most = u64::try_from(KEPT_AT_MOST).unwrap();
    assert_eq!(streams(&queue.keep((1..most + 3).map(item).collect())), [most + 1, most + 2]);
    queue.tick(60_000);
    assert!(queue.take(ROUTE, 10).await.unwrap().is_empty(), "all of it is to come by way of the table");
}

#[tokio::test]
async fn nothing_is_kept_where_not_all_do_or_the_shared_one_is_not_used() {
    for (mode, keep) in [(Mode::Shared, false), (Mode::Local, true)] {
        let (queue, _) = switching(mode, keep);
        assert_eq!(queue.keep(vec![item(1)]).len(), 1, "{mode:?}");
    }
}
