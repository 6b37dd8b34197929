//! `sendNotification`, `sendNotifications`.

use super::input::{SendNotificationInput, SendNotificationsInput};
use crate::auth::limits::TooMany;
use crate::graphql::context::{SenderScope, metadata, sender, services};
use crate::graphql::error::{failure, later, log_error};
use crate::graphql::notifications::NotificationObject;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, Object, Result, SimpleObject, Union};
use commands::accept::{Accepted, SendRequest};

/// It is in the log, durably.
#[derive(SimpleObject)]
pub struct SendAccepted {
    /// The notification.
    notification: NotificationObject,
    /// From here on queries can show it; the same for a repeat.
    position: Position,
    /// It had been accepted before under this key.
    duplicate: bool,
}

/// Accepted, or refused with a reason.
#[derive(Union)]
pub enum SendResult {
    /// In the log.
    Accepted(SendAccepted),
    /// Nothing was changed.
    Refused(Refused),
}

/// The answers, in the order of the items.
#[derive(SimpleObject)]
pub struct SendNotificationsPayload {
    /// One for each item.
    results: Vec<SendResult>,
}

/// Mutations of senders.
#[derive(Default)]
pub struct SendingMutation;

/// Accepts what the sender is allowed to ask for, all of it or nothing.
pub async fn accept(ctx: &Context<'_>, scope: &SenderScope<'_>, requests: Vec<SendRequest>) -> Result<Vec<Result<Accepted, commands::accept::Refusal>>> {
    let services = services(ctx)?;
    match services.senders.take(scope.sender, scope.sandbox, requests.len()) {
        Ok(()) => services.engine.acceptor.accept(&metadata(ctx)?, requests).await.map_err(log_error),
        Err(TooMany::Later(seconds)) => {
            Err(later("RATE_LIMITED", "This sender has asked for as many notifications as it may; try again later.".to_owned(), seconds))
        }
        Err(TooMany::Ever(most)) => {
            Err(failure("LIST_TOO_LONG", format!("This sender may ask for {most} notifications a minute, so a list has no more; send shorter lists.")))
        }
    }
}

fn answer(result: Result<Accepted, commands::accept::Refusal>) -> SendResult {
    match result {
        Ok(accepted) => SendResult::Accepted(SendAccepted {
            notification: NotificationObject::of(accepted.id, Some(accepted.visible_at)),
            position: Position(accepted.position),
            duplicate: accepted.duplicate,
        }),
        Err(refusal) => SendResult::Refused(refusal.into()),
    }
}

#[Object]
impl SendingMutation {
    /// Sends one notification. Answered when it is durable.
    async fn send_notification(&self, ctx: &Context<'_>, input: SendNotificationInput) -> Result<SendResult> {
        let scope = sender(ctx)?;
        let request = match input.request(&scope) {
            Ok(request) => request,
            Err(refused) => return Ok(SendResult::Refused(refused)),
        };
        let mut answers = accept(ctx, &scope, vec![request]).await?;
        answers.pop().map(answer).ok_or_else(|| failure("INTERNAL", "The server lost its own answer; ask again with the same idempotency key."))
    }

    /// Sends many notifications; each is accepted or refused on its own. Answered when all that
    /// were accepted are durable.
    #[graphql(complexity = "10 + child_complexity")]
    async fn send_notifications(&self, ctx: &Context<'_>, input: SendNotificationsInput) -> Result<SendNotificationsPayload> {
        let scope = sender(ctx)?;
        let services = services(ctx)?;
        if input.items.len() > services.list_length {
            return Err(failure("LIST_TOO_LONG", format!("A list has at most {} items; send several lists.", services.list_length)));
        }
        let mut results: Vec<Option<SendResult>> = Vec::with_capacity(input.items.len());
        let mut requests = Vec::with_capacity(input.items.len());
        for item in input.items {
            match item.request(&scope) {
                Ok(request) => {
                    requests.push(request);
                    results.push(None);
                }
                Err(refused) => results.push(Some(SendResult::Refused(refused))),
            }
        }
        let mut answers = accept(ctx, &scope, requests).await?.into_iter();
        let results = results.into_iter().filter_map(|result| result.or_else(|| answers.next().map(answer))).collect();
        Ok(SendNotificationsPayload { results })
    }
}
