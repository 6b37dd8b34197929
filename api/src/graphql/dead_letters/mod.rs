//! Dead letters: list, redrive, discard.

use super::context::{administrator, metadata, services};
use super::error::{bus_error, failure, read_error};
use super::notifications::NotificationObject;
use super::position::Position;
use super::wait::at_least;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::bus::Refused;
use domain::notification::{Notification, NotificationCommand};
use domain::values::{DeliveryNo, NotificationId};
use domain::{AggregateKind, StreamId};

/// A delivery that exhausted its attempts.
#[derive(SimpleObject)]
pub struct DeadLetter {
    /// `<notification>.<delivery>`: names it in the mutations.
    id: String,
    notification: NotificationObject,
    /// The delivery within it.
    delivery: i32,
    /// The last answer, as a short code.
    code: String,
    /// The last outcome is unknown: it may have arrived.
    unknown: bool,
    attempts: i32,
    at: Option<DateTime<Utc>>,
    /// For `after`.
    cursor: Position,
}

/// Which dead letters: those of the ids, or all of a code, or, with neither, all; the oldest
/// first, at most `limit`. More ids than `limit` are refused.
#[derive(InputObject)]
pub struct RedriveDeadLettersInput {
    ids: Option<Vec<String>>,
    code: Option<String>,
    #[graphql(default = 100)]
    limit: i32,
}

/// Which dead letters to give up; chosen as for `redriveDeadLetters`.
#[derive(InputObject)]
pub struct DiscardDeadLettersInput {
    ids: Option<Vec<String>>,
    code: Option<String>,
    #[graphql(default = 100)]
    limit: i32,
    /// Why, for those who ask later. No personal data.
    reason: String,
}

/// How many were dealt with; those that were no dead letters any more are not counted.
#[derive(SimpleObject)]
pub struct DeadLettersPayload {
    count: i32,
    position: Position,
}

/// Queries on dead letters.
#[derive(Default)]
pub struct DeadLetterQuery;

fn limit(limit: i32) -> Result<usize> {
    usize::try_from(limit).ok().filter(|limit| (1..=1_000).contains(limit)).ok_or_else(|| failure("BAD_USER_INPUT", "The limit is between 1 and 1000."))
}

#[Object]
impl DeadLetterQuery {
    /// Deliveries that await a person, oldest first.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50)] first: i32,
        after: Option<Position>,
        code: Option<String>,
        at_least_position: Option<Position>,
    ) -> Result<Vec<DeadLetter>> {
        administrator(ctx)?;
        let dead_letters = &services(ctx)?.dead_letters;
        at_least(dead_letters.projection(), at_least_position).await?;
        let rows = dead_letters.list(after.map_or(0, |position| position.0), limit(first)?, code).await.map_err(read_error)?;
        Ok(rows
            .into_iter()
            .map(|row| DeadLetter {
                id: format!("{}.{}", row.id, row.delivery),
                notification: NotificationObject::of(row.id, None),
                delivery: i32::from(row.delivery),
                code: row.code,
                unknown: row.unknown,
                attempts: i32::try_from(row.attempts).unwrap_or(i32::MAX),
                at: DateTime::from_timestamp_millis(row.at),
                cursor: Position(row.position),
            })
            .collect())
    }
}

async fn chosen(ctx: &Context<'_>, ids: Option<Vec<String>>, code: Option<String>, most: i32) -> Result<Vec<(NotificationId, DeliveryNo)>> {
    let most = limit(most)?;
    if let Some(ids) = ids {
        let read = |id: &String| {
            let (notification, delivery) = id.split_once('.')?;
            Some((notification.parse().ok()?, delivery.parse().ok()?))
        };
        // Cut silently, the rest would be believed to be dealt with.
        if ids.len() > most {
            return Err(failure("LIST_TOO_LONG", format!("These are {} ids and `limit` is {most}; raise it (1000 is the most) or name fewer.", ids.len())));
        }
        return ids.iter().map(|id| read(id).ok_or_else(|| failure("BAD_USER_INPUT", "An id of a dead letter is `<notification>.<delivery>`."))).collect();
    }
    let rows = services(ctx)?.dead_letters.list(0, most, code).await.map_err(read_error)?;
    Ok(rows.into_iter().map(|row| (row.id, row.delivery)).collect())
}

async fn each(ctx: &Context<'_>, chosen: Vec<(NotificationId, DeliveryNo)>, command: impl Fn(DeliveryNo) -> NotificationCommand) -> Result<DeadLettersPayload> {
    let bus = &services(ctx)?.engine.bus;
    let metadata = metadata(ctx)?;
    let mut payload = DeadLettersPayload { count: 0, position: Position(0) };
    for (id, delivery) in chosen {
        match bus.execute::<Notification>(StreamId::new(AggregateKind::Notification, id.0), &metadata, command(delivery)).await {
            Ok(done) => {
                payload.count += 1;
                payload.position = payload.position.max(Position(done.position));
            }
            Err(Refused::Refusal(_)) => {}
            Err(error) => return Err(bus_error(error)),
        }
    }
    Ok(payload)
}

/// Mutations on dead letters.
#[derive(Default)]
pub struct DeadLetterMutation;

#[Object]
impl DeadLetterMutation {
    /// Tries dead letters again, with fresh attempts.
    async fn redrive_dead_letters(&self, ctx: &Context<'_>, input: RedriveDeadLettersInput) -> Result<DeadLettersPayload> {
        administrator(ctx)?;
        let chosen = chosen(ctx, input.ids, input.code, input.limit).await?;
        each(ctx, chosen, |delivery| NotificationCommand::Redrive { delivery }).await
    }

    /// Gives dead letters up.
    async fn discard_dead_letters(&self, ctx: &Context<'_>, input: DiscardDeadLettersInput) -> Result<DeadLettersPayload> {
        administrator(ctx)?;
        if input.reason.trim().is_empty() || input.reason.len() > 500 || input.reason.chars().any(char::is_control) {
            return Err(failure("BAD_USER_INPUT", "Give a reason of at most 500 bytes."));
        }
        let chosen = chosen(ctx, input.ids, input.code, input.limit).await?;
        each(ctx, chosen, |delivery| NotificationCommand::Discard { delivery, reason: input.reason.clone() }).await
    }
}
