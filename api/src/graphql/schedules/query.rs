//! Looking schedules up: the read model finds them, the log says what they are.

use super::object::{ScheduleObject, stream_of};
use crate::auth::Caller;
use crate::graphql::context::{principal, services, staff};
use crate::graphql::error::{bus_error, failure, log_error, read_error};
use crate::graphql::position::Position;
use crate::graphql::wait::at_least;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use commands::accept::recipient_stream;
use domain::aggregate::Aggregate as _;
use domain::recipient::Recipient;
use domain::schedule::{Schedule, Standing};
use domain::values::{RecipientId, ScheduleId, SenderKey};
use domain::{Fact, StreamId};
use projections::schedules::{ScheduleFilter, ScheduleRow};
use std::collections::{HashMap, HashSet};

/// A schedule with its cursor.
#[derive(SimpleObject)]
pub struct ScheduleEdge {
    /// Hand it to `after`.
    cursor: Position,
    node: ScheduleObject,
}

/// A page of schedules.
#[derive(SimpleObject)]
pub struct ScheduleConnection {
    edges: Vec<ScheduleEdge>,
    /// There are more after these.
    has_next_page: bool,
}

/// Whether the caller may see a schedule, which exists then.
pub(super) fn may_see(ctx: &Context<'_>, state: &Schedule) -> Result<bool> {
    let Some(terms) = state.terms.as_ref().filter(|_| state.standing != Standing::Unknown) else { return Ok(false) };
    Ok(match principal(ctx)?.caller.as_ref() {
        Caller::Administrator { .. } => true,
        Caller::Sender { sender, sandbox, .. } => terms.sender == *sender && terms.sandbox == *sandbox,
        Caller::Recipient { .. } => false,
    })
}

/// Schedules of some rows as they stand, in their order.
async fn objects(ctx: &Context<'_>, rows: &[ScheduleRow]) -> Result<Vec<ScheduleEdge>> {
    let engine = &services(ctx)?.engine;
    let (mut schedules, mut people): (HashMap<StreamId, Schedule>, HashMap<RecipientId, Recipient>) = (HashMap::new(), HashMap::new());
    // Their contents stay sealed; the recipients' names have to be read.
    for event in engine.log.bare_streams(rows.iter().map(|row| stream_of(row.id)).collect(), false).await.map_err(log_error)? {
        if let Fact::Schedule(fact) = &event.fact {
            schedules.entry(event.stream).or_default().evolve(fact);
        }
    }
    let recipients: HashSet<StreamId> = rows.iter().map(|row| recipient_stream(row.recipient)).collect();
    for event in engine.log.bare_streams(recipients.into_iter().collect(), true).await.map_err(log_error)? {
        if let Fact::Recipient(fact) = &event.fact {
            people.entry(RecipientId(event.stream.id)).or_default().evolve(fact);
        }
    }
    let (now, nobody) = (engine.clock.now(), Recipient::default());
    let edge = |row: &ScheduleRow| {
        let node = ScheduleObject::new(schedules.get(&stream_of(row.id))?, people.get(&row.recipient).unwrap_or(&nobody), now)?;
        Some(ScheduleEdge { cursor: Position(row.defined_position), node })
    };
    Ok(rows.iter().filter_map(edge).collect())
}

/// Queries on schedules.
#[derive(Default)]
pub struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// A schedule by id: for its sender and administrators. Read from the log itself.
    async fn schedule(&self, ctx: &Context<'_>, id: ID) -> Result<Option<ScheduleObject>> {
        staff(ctx)?;
        let Ok(id) = id.parse::<ScheduleId>() else { return Ok(None) };
        let engine = &services(ctx)?.engine;
        let state = engine.bus.load::<Schedule>(stream_of(id)).await.map_err(bus_error)?.state;
        if !may_see(ctx, &state)? {
            return Ok(None);
        }
        let recipient = engine.bus.load::<Recipient>(recipient_stream(state.recipient)).await.map_err(bus_error)?.state;
        Ok(ScheduleObject::new(&state, &recipient, engine.clock.now()))
    }

    /// Schedules in the order in which they were set up: a sender's own; all of them for administrators.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those for this recipient, by your id.")] recipient: Option<String>,
        #[graphql(desc = "Only those of this sender, by its key.")] sender: Option<String>,
        #[graphql(default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last one seen.")] after: Option<Position>,
        at_least_position: Option<Position>,
    ) -> Result<ScheduleConnection> {
        staff(ctx)?;
        let services = services(ctx)?;
        let first = usize::try_from(first).ok().filter(|first| (1..=services.page_size).contains(first));
        let first = first.ok_or_else(|| failure("BAD_USER_INPUT", format!("`first` is between 1 and {}.", services.page_size)))?;
        let mut filter = ScheduleFilter { recipient: recipient.as_deref().map(|name| services.engine.hashing.recipient(name)), ..ScheduleFilter::default() };
        let nothing = ScheduleConnection { edges: Vec::new(), has_next_page: false };
        if let Some(named) = &sender {
            let Ok(key) = SenderKey::new(named) else { return Ok(nothing) };
            filter.sender = Some(key);
        }
        if let Caller::Sender { sender, sandbox, .. } = principal(ctx)?.caller.as_ref() {
            if filter.sender.as_ref().is_some_and(|named| named != sender) {
                return Ok(nothing);
            }
            filter.sender = Some(sender.clone());
            filter.sandbox = Some(*sandbox);
        }
        at_least(services.schedules.projection(), at_least_position).await?;
        let mut rows = services.schedules.list(filter, after.map_or(0, |after| after.0), first + 1).await.map_err(read_error)?;
        let has_next_page = rows.len() > first;
        rows.truncate(first);
        Ok(ScheduleConnection { edges: objects(ctx, &rows).await?, has_next_page })
    }
}
