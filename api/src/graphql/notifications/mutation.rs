//! What a recipient does with notifications; synchronised between devices by the live feed.

use super::object::NotificationObject;
use crate::graphql::context::{metadata, recipient, services};
use crate::graphql::error::{bus_error, failure};
use crate::graphql::position::Position;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::bus::Refused;
use domain::notification::{Notification, NotificationCommand};
use domain::values::NotificationId;
use domain::{AggregateKind, StreamId};

/// Which notifications.
#[derive(InputObject)]
pub struct MarkInput {
    /// At most 100.
    ids: Vec<ID>,
}

/// What was marked; ids that are not the recipient's are left out.
#[derive(SimpleObject)]
pub struct MarkPayload {
    notifications: Vec<NotificationObject>,
    /// From here on queries show it.
    position: Position,
}

/// Mutations of recipients on their notifications.
#[derive(Default)]
pub struct MarkMutation;

async fn mark(ctx: &Context<'_>, ids: Vec<ID>, command: NotificationCommand) -> Result<MarkPayload> {
    let owner = recipient(ctx)?;
    if ids.len() > 100 {
        return Err(failure("LIST_TOO_LONG", "At most 100 notifications at once."));
    }
    let bus = &services(ctx)?.engine.bus;
    let metadata = metadata(ctx)?;
    let mut notifications = Vec::with_capacity(ids.len());
    let mut position = 0;
    for id in ids.iter().filter_map(|id| id.parse::<NotificationId>().ok()) {
        let stream = StreamId::new(AggregateKind::Notification, id.0);
        let loaded = bus.load::<Notification>(stream).await.map_err(bus_error)?;
        if loaded.state.recipient != owner || !loaded.state.is_visible() {
            continue;
        }
        match bus.execute::<Notification>(stream, &metadata, command.clone()).await {
            Ok(done) => {
                position = position.max(done.position);
                notifications.push(NotificationObject::of(id, None));
            }
            Err(Refused::Refusal(_)) => {}
            Err(error) => return Err(bus_error(error)),
        }
    }
    Ok(MarkPayload { notifications, position: Position(position) })
}

#[Object]
impl MarkMutation {
    /// They were shown.
    async fn mark_seen(&self, ctx: &Context<'_>, input: MarkInput) -> Result<MarkPayload> {
        mark(ctx, input.ids, NotificationCommand::MarkSeen).await
    }

    /// They were read.
    async fn mark_read(&self, ctx: &Context<'_>, input: MarkInput) -> Result<MarkPayload> {
        mark(ctx, input.ids, NotificationCommand::MarkRead).await
    }

    /// They were put away.
    async fn archive(&self, ctx: &Context<'_>, input: MarkInput) -> Result<MarkPayload> {
        mark(ctx, input.ids, NotificationCommand::Archive).await
    }
}
