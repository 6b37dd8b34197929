//! The window as a queue of one process. Leases do not end here: who took something lives as long as
//! the window does.

use super::Window;
use crate::pending::{Item, Lane, Route};
use crate::queue::{Asking, Room, TimerQueue, WorkQueue};
use domain::values::{Millis, Priority};
use std::future::Future;
use std::pin::Pin;

impl WorkQueue for Window {
    fn offer(&self, items: Vec<Item>) -> Asking<'_, ()> {
        items.into_iter().for_each(|item| Self::offer(self, item));
        Box::pin(std::future::ready(Ok(())))
    }

    fn take(&self, route: Route, most: usize) -> Asking<'_, Vec<Item>> {
        Box::pin(std::future::ready(Ok(Self::take(self, route, most))))
    }

    fn give_back(&self, items: Vec<Item>) -> Asking<'_, ()> {
        items.into_iter().for_each(|item| Self::give_back(self, item));
        Box::pin(std::future::ready(Ok(())))
    }

    fn settle(&self, items: Vec<Item>) -> Asking<'_, ()> {
        items.iter().for_each(|item| Self::forget(self, item));
        Box::pin(std::future::ready(Ok(())))
    }

    fn room(&self, lanes: Vec<Lane>) -> Asking<'_, Vec<Room>> {
        Box::pin(std::future::ready(Ok(Self::room(self, lanes))))
    }

    fn follows_log(&self) -> bool {
        true
    }

    fn wait(&self, route: Route) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Self::wait(self, route))
    }

    fn depths(&self) -> Asking<'_, Vec<(Route, Priority, usize)>> {
        Box::pin(std::future::ready(Ok(Self::depths(self))))
    }
}

impl TimerQueue for Window {
    fn hold(&self, items: Vec<Item>) -> Asking<'_, ()> {
        items.into_iter().for_each(|item| Self::offer(self, item));
        Box::pin(std::future::ready(Ok(())))
    }

    fn ripen(&self, now: Millis) -> Asking<'_, Option<Millis>> {
        Box::pin(std::future::ready(Ok(Self::ripen(self, now))))
    }
}
