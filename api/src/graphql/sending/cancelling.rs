//! Taking back, singly or by query; and the list of what was asked for, seen or not, that goes with it.

use super::finding::{NotificationFilter, found};
use crate::auth::Caller;
use crate::graphql::context::{metadata, principal, services, staff};
use crate::graphql::error::{bus_error, failure};
use crate::graphql::notifications::NotificationObject;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};
use commands::bus::Refused as BusRefused;
use commands::cancel::{Stopped, cancel};
use domain::notification::{Notification, NotificationRefusal};
use domain::values::{DeliveryNo, NotificationId};
use domain::{AggregateKind, StreamId};

/// What to take back.
#[derive(InputObject)]
pub struct CancelNotificationInput {
    /// The notification.
    pub id: ID,
}

/// What to take back.
#[derive(InputObject)]
pub struct CancelNotificationsInput {
    /// Which; at least one field.
    query: NotificationFilter,
    /// At most so many in this call, 1 to 1000.
    #[graphql(default = 100)]
    limit: i32,
    /// The cursor that the call before gave.
    after: Option<Position>,
}

/// What was taken back.
#[derive(SimpleObject)]
pub struct NotificationCancelled {
    /// The notification.
    notification: NotificationObject,
    /// From here on queries show it.
    position: Position,
    /// Numbers of the deliveries that were still stopped: nothing goes out for them any more.
    stopped: Vec<i32>,
    /// Numbers of the deliveries whose provider is being called just now: that call may still arrive, and is the
    /// last. If it fails, the delivery ends as `CANCELLED`; if it is not known whether it arrived, as `DEAD_LETTERED`.
    under_way: Vec<i32>,
    /// Numbers of the deliveries that had been handed over before.
    sent: Vec<i32>,
    /// It waited as a whole, or lay in a digest, and will not go out.
    stopped_waiting: bool,
    /// The later step of its plan that will not be taken.
    stopped_step: Option<i32>,
    /// It was too late for everything: nothing was stopped, but for what might have followed a call under way.
    too_late: bool,
}

/// Cancelled, or refused with a reason.
#[derive(Union)]
pub enum CancelResult {
    /// Done.
    Cancelled(NotificationCancelled),
    /// Nothing was changed.
    Refused(Refused),
}

/// What became of those that a query found.
#[derive(SimpleObject)]
pub struct NotificationsCancelled {
    /// How many matched and were looked at.
    looked_at: i32,
    /// How many of them were stopped, altogether or in part.
    stopped: i32,
    /// How many of them were done, under way or decided against.
    too_late: i32,
    /// What was stopped.
    notifications: Vec<NotificationObject>,
    /// Of each that was not over, delivery by delivery: what was stopped and what was on its way.
    results: Vec<NotificationCancelled>,
    /// Hand it to `after` to go on; none where all were looked at.
    cursor: Option<Position>,
    /// From here on queries show it.
    position: Position,
}

/// Notifications that were asked for.
#[derive(SimpleObject)]
pub struct NotificationPage {
    notifications: Vec<NotificationObject>,
    /// Hand it to `after` to go on, also where this page was short; none where there are no more.
    cursor: Option<Position>,
}

fn cancelled(id: NotificationId, stopped: &Stopped) -> NotificationCancelled {
    let numbers = |deliveries: &[DeliveryNo]| deliveries.iter().map(|number| i32::from(*number)).collect();
    NotificationCancelled {
        notification: NotificationObject::of(id, Some(stopped.position)),
        position: Position(stopped.position),
        stopped: numbers(&stopped.deliveries),
        under_way: numbers(&stopped.under_way),
        sent: numbers(&stopped.sent),
        stopped_waiting: stopped.whole,
        stopped_step: stopped.step.map(i32::from),
        too_late: stopped.is_nothing(),
    }
}

/// Mutations that take back.
#[derive(Default)]
pub struct CancelMutation;

#[Object]
impl CancelMutation {
    /// Takes a notification back, as far as no provider was called for it yet: what waits, what lies
    /// in a digest, later steps of its plan, and deliveries.
    async fn cancel_notification(&self, ctx: &Context<'_>, input: CancelNotificationInput) -> Result<CancelResult> {
        staff(ctx)?;
        let engine = &services(ctx)?.engine;
        let Ok(id) = input.id.parse::<NotificationId>() else {
            return Ok(CancelResult::Refused(Refused::at("id", "NOT_FOUND", "There is no notification of this id.")));
        };
        let loaded = engine.bus.load::<Notification>(StreamId::new(AggregateKind::Notification, id.0)).await.map_err(bus_error)?;
        let own = match principal(ctx)?.caller.as_ref() {
            Caller::Administrator { .. } => true,
            Caller::Sender { sender, sandbox, .. } => loaded.state.sender == *sender && loaded.state.sandbox == *sandbox,
            Caller::Recipient { .. } => false,
        };
        if !own || !loaded.state.exists {
            return Ok(CancelResult::Refused(Refused::at("id", "NOT_FOUND", "There is no notification of this id.")));
        }
        match cancel(&engine.bus, &engine.facts, &metadata(ctx)?, id).await {
            Ok(stopped) => Ok(CancelResult::Cancelled(cancelled(id, &stopped))),
            Err(BusRefused::Refusal(refusal)) => Ok(CancelResult::Refused(refusal.into())),
            Err(error) => Err(bus_error(error)),
        }
    }

    /// Takes back what a query finds, in pages: oldest first, as far as no provider was called for it
    /// yet. Go on with `cursor` until there is none. Each is taken back on its own: if the call fails
    /// half-way, what was stopped stays so, and the same call does the rest.
    #[graphql(complexity = "50 + input.limit.max(1) as usize * child_complexity / 10 + input.query.cost()")]
    async fn cancel_notifications(
        &self,
        ctx: &Context<'_>,
        input: CancelNotificationsInput,
        #[graphql(desc = "Wait until everything up to there can be found.")] at_least_position: Option<Position>,
    ) -> Result<NotificationsCancelled> {
        staff(ctx)?;
        let query = &input.query;
        if query.is_empty() {
            return Err(failure("BAD_USER_INPUT", "Name at least one field of `query`; for everything, `requestedBefore: \"<now>\"`."));
        }
        let services = services(ctx)?;
        at_least(services.notifications.projection(), at_least_position).await?;
        let page = found(ctx, query, input.after, input.limit, 1_000).await?;
        let metadata = metadata(ctx)?;
        let mut done = NotificationsCancelled {
            looked_at: 0,
            stopped: 0,
            too_late: 0,
            notifications: Vec::new(),
            results: Vec::new(),
            cursor: page.next.map(Position),
            position: Position(0),
        };
        for row in page.rows {
            done.looked_at += 1;
            // What is over stays so: nothing has to be read for it.
            if row.is_over() {
                done.too_late += 1;
                continue;
            }
            match cancel(&services.engine.bus, &services.engine.facts, &metadata, row.id).await {
                Ok(stopped) => {
                    done.position = done.position.max(Position(stopped.position));
                    if stopped.is_nothing() {
                        done.too_late += 1;
                    } else {
                        done.stopped += 1;
                        done.notifications.push(NotificationObject::of(row.id, Some(stopped.position)));
                    }
                    done.results.push(cancelled(row.id, &stopped));
                }
                Err(BusRefused::Refusal(NotificationRefusal::NotFound)) => done.too_late += 1,
                Err(error) => return Err(bus_error(error)),
            }
        }
        Ok(done)
    }
}

/// Looking for what was asked for.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Notifications as they were asked for, oldest first, whatever became of them: also what waits, was
    /// collected or decided against, which no recipient's history shows. For senders their own. With `status` or
    /// `titleWords` a page looks at a thousand of them, and may be short or empty while there is a `cursor`.
    #[graphql(complexity = "20 + first.max(1) as usize * child_complexity / 10 + query.cost()")]
    async fn requested_notifications(
        &self,
        ctx: &Context<'_>,
        query: NotificationFilter,
        #[graphql(default = 20)] first: i32,
        #[graphql(desc = "The cursor of the page before.")] after: Option<Position>,
        at_least_position: Option<Position>,
    ) -> Result<NotificationPage> {
        staff(ctx)?;
        let services = services(ctx)?;
        at_least(services.notifications.projection(), at_least_position).await?;
        let page = found(ctx, &query, after, first, services.page_size).await?;
        let notifications = page.rows.iter().map(|row| NotificationObject::of(row.id, row.visible_position)).collect();
        Ok(NotificationPage { notifications, cursor: page.next.map(Position) })
    }
}
