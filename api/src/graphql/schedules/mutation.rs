//! Setting schedules up, changing, pausing and ending them. For those who may send, each its own; an
//! administrator may pause, resume and end all of them.

use super::input::{ChangeScheduleInput, CreateScheduleInput, ScheduleIdInput, ScheduleTermsInput};
use super::object::{ScheduleObject, stream_of};
use super::query::may_see;
use crate::graphql::context::{SenderScope, metadata, sender, services, staff};
use crate::graphql::error::bus_error;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, Object, Result, SimpleObject, Union};
use commands::accept::{LONGEST_KEY, Refusal, recipient_stream, usable};
use commands::bus::Refused as BusRefused;
use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::schedule::{Define, Schedule, ScheduleCommand, ScheduleRefusal};
use domain::values::{RecipientId, ScheduleId};
use std::sync::Arc;

/// Done.
#[derive(SimpleObject)]
pub struct ScheduleChanged {
    schedule: ScheduleObject,
    /// From here on queries show it.
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
#[allow(clippy::large_enum_variant, reason = "one of them a request, and it is nearly always the large one")]
pub enum ScheduleResult {
    /// Done.
    Changed(ScheduleChanged),
    /// Nothing was changed.
    Refused(Refused),
}

fn refused(refusal: ScheduleRefusal) -> Refused {
    let (field, code) = match refusal {
        ScheduleRefusal::NotFound => ("id", "NOT_FOUND"),
        ScheduleRefusal::Exists => ("idempotencyKey", "IDEMPOTENCY_CONFLICT"),
        ScheduleRefusal::Ended => ("id", "SCHEDULE_ENDED"),
        ScheduleRefusal::OtherRecipient => ("recipient", "OTHER_RECIPIENT"),
        ScheduleRefusal::NeverFires => ("terms.trigger", "NEVER_FIRES"),
        ScheduleRefusal::CatchUp => ("terms.catchUpSeconds", "CATCH_UP_INVALID"),
        ScheduleRefusal::NoChannels => ("terms.channels", "NO_CHANNELS"),
    };
    Refused::at(field, code, refusal.to_string())
}

fn not_found() -> Refused {
    refused(ScheduleRefusal::NotFound)
}

/// What is asked of a schedule, with the recipient that it is for.
async fn define(
    ctx: &Context<'_>,
    scope: &SenderScope<'_>,
    schedule: ScheduleId,
    recipient: RecipientId,
    terms: ScheduleTermsInput,
) -> Result<Result<(Define, Arc<Recipient>), Refused>> {
    let engine = &services(ctx)?.engine;
    let (terms, content) = match terms.read(scope) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused)),
    };
    let facts = engine.facts.gather::<Refusal>(&engine.bus, recipient, &terms.category).await.map_err(bus_error)?;
    let against = if !facts.recipient.state.exists {
        Some(Refusal::UnknownRecipient)
    } else if facts.recipient.state.erased {
        Some(Refusal::ErasedRecipient)
    } else {
        (!facts.category.state.exists).then_some(Refusal::UnknownCategory)
    };
    if let Some(refusal) = against {
        return Ok(Err(refusal.into()));
    }
    if let Some(key) = &content.template {
        let (_, template) = engine.facts.template::<Refusal>(&engine.bus, key).await.map_err(bus_error)?;
        if let Err(unusable) = usable(&template.state, &terms.sender, content.parameters.as_deref().unwrap_or("{}")) {
            return Ok(Err(Refusal::Template(unusable).into()));
        }
    }
    let person = facts.recipient.state;
    Ok(Ok((Define { schedule, recipient, terms, content, zone: zone_of(&person), now: engine.clock.now() }, person)))
}

async fn execute(ctx: &Context<'_>, id: ScheduleId, command: ScheduleCommand, recipient: &Recipient) -> Result<ScheduleResult> {
    let engine = &services(ctx)?.engine;
    // Only these seal anything; the schedule of who was erased can still be ended.
    let done = match &command {
        ScheduleCommand::Define(define) | ScheduleCommand::Change(define) => {
            engine.bus.execute_for::<Schedule>(define.recipient, stream_of(id), &metadata(ctx)?, vec![command]).await
        }
        _ => engine.bus.execute::<Schedule>(stream_of(id), &metadata(ctx)?, command).await,
    };
    match done {
        Ok(done) => Ok(match ScheduleObject::new(&done.state, recipient, engine.clock.now()) {
            Some(schedule) => ScheduleResult::Changed(ScheduleChanged { schedule, position: Position(done.position) }),
            None => ScheduleResult::Refused(not_found()),
        }),
        Err(BusRefused::Refusal(refusal)) => Ok(ScheduleResult::Refused(refused(refusal))),
        Err(BusRefused::Erased) => Ok(ScheduleResult::Refused(Refusal::ErasedRecipient.into())),
        Err(error) => Err(bus_error(error)),
    }
}

/// A schedule that the caller may see, with its recipient.
async fn own(ctx: &Context<'_>, id: &str) -> Result<Option<(ScheduleId, Arc<Schedule>, Arc<Recipient>)>> {
    let Ok(id) = id.parse::<ScheduleId>() else { return Ok(None) };
    let bus = &services(ctx)?.engine.bus;
    let state = bus.load::<Schedule>(stream_of(id)).await.map_err(bus_error)?.state;
    if !may_see(ctx, &state)? {
        return Ok(None);
    }
    let recipient = bus.load::<Recipient>(recipient_stream(state.recipient)).await.map_err(bus_error)?.state;
    Ok(Some((id, state, recipient)))
}

async fn command(ctx: &Context<'_>, input: &ScheduleIdInput, command: impl Fn(&Recipient) -> ScheduleCommand) -> Result<ScheduleResult> {
    staff(ctx)?;
    match own(ctx, &input.id).await? {
        Some((id, _, recipient)) => execute(ctx, id, command(&recipient), &recipient).await,
        None => Ok(ScheduleResult::Refused(not_found())),
    }
}

/// Mutations on schedules.
#[derive(Default)]
pub struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Sets a schedule up. Opt-outs, limits and expiry are looked at each time that it fires.
    async fn create_schedule(&self, ctx: &Context<'_>, input: CreateScheduleInput) -> Result<ScheduleResult> {
        let scope = sender(ctx)?;
        let engine = &services(ctx)?.engine;
        let id = match &input.idempotency_key {
            Some(key) if !(1..=LONGEST_KEY).contains(&key.len()) => return Ok(ScheduleResult::Refused(Refusal::IdempotencyKey.into())),
            Some(key) => engine.hashing.schedule(scope.sender, scope.sandbox, key),
            None => ScheduleId(engine.random.id(engine.clock.now())),
        };
        let recipient = engine.hashing.recipient(&input.recipient);
        match define(ctx, &scope, id, recipient, input.terms).await? {
            Ok((define, person)) => execute(ctx, id, ScheduleCommand::Define(Box::new(define)), &person).await,
            Err(refused) => Ok(ScheduleResult::Refused(refused)),
        }
    }

    /// Asks for something else, or at other times, from now on. What was paused stays so.
    async fn change_schedule(&self, ctx: &Context<'_>, input: ChangeScheduleInput) -> Result<ScheduleResult> {
        let scope = sender(ctx)?;
        let Some((id, state, _)) = own(ctx, &input.id).await? else { return Ok(ScheduleResult::Refused(not_found())) };
        match define(ctx, &scope, id, state.recipient, input.terms).await? {
            Ok((define, person)) => execute(ctx, id, ScheduleCommand::Change(Box::new(define)), &person).await,
            Err(refused) => Ok(ScheduleResult::Refused(refused)),
        }
    }

    /// Does not fire for the time being.
    async fn pause_schedule(&self, ctx: &Context<'_>, input: ScheduleIdInput) -> Result<ScheduleResult> {
        command(ctx, &input, |_| ScheduleCommand::Pause).await
    }

    /// Fires again. What fell due meanwhile is caught up with as after an outage.
    async fn resume_schedule(&self, ctx: &Context<'_>, input: ScheduleIdInput) -> Result<ScheduleResult> {
        command(ctx, &input, |recipient| ScheduleCommand::Resume { zone: zone_of(recipient) }).await
    }

    /// Never fires again. What it has sent is not taken back.
    async fn cancel_schedule(&self, ctx: &Context<'_>, input: ScheduleIdInput) -> Result<ScheduleResult> {
        command(ctx, &input, |_| ScheduleCommand::Cancel).await
    }
}
