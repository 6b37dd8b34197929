//! Pages as the Relay connection specification asks.

use super::object::NotificationObject;
use crate::graphql::position::Position;
use async_graphql::SimpleObject;
use domain::values::NotificationId;

/// Where a page stands.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// There is more in the direction of the page.
    pub has_next_page: bool,
    /// Pages are taken in one direction only.
    pub has_previous_page: bool,
    /// Cursor of the first edge.
    pub start_cursor: Option<Position>,
    /// Where the page ends: hand it to `after`.
    pub end_cursor: Option<Position>,
}

/// A notification with its cursor.
#[derive(SimpleObject)]
pub struct NotificationEdge {
    /// Its place in the order of becoming visible.
    pub cursor: Position,
    /// The notification.
    pub node: NotificationObject,
}

/// A page of notifications.
#[derive(SimpleObject)]
pub struct NotificationConnection {
    /// The notifications.
    pub edges: Vec<NotificationEdge>,
    /// Where the page stands.
    pub page_info: PageInfo,
}

impl NotificationConnection {
    /// From ids and visible positions, one more than asked for where there is more.
    pub fn new(mut found: Vec<(NotificationId, u64)>, first: usize) -> Self {
        let has_next_page = found.len() > first;
        found.truncate(first);
        let page_info = PageInfo {
            has_next_page,
            has_previous_page: false,
            start_cursor: found.first().map(|found| Position(found.1)),
            end_cursor: found.last().map(|found| Position(found.1)),
        };
        let edges =
            found.into_iter().map(|(id, visible)| NotificationEdge { cursor: Position(visible), node: NotificationObject::of(id, Some(visible)) }).collect();
        Self { edges, page_info }
    }

    /// What was found before the look was broken off at a position; more may follow there.
    pub fn broken_off(found: Vec<(NotificationId, u64)>, first: usize, at: u64) -> Self {
        let mut page = Self::new(found, first);
        page.page_info.has_next_page = true;
        page.page_info.end_cursor = Some(Position(at));
        page
    }
}
