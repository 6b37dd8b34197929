//! A schedule as its sender and administrators see it.

use crate::graphql::context::services;
use crate::graphql::error::bus_error;
use crate::graphql::names::{Channel, Priority};
use crate::graphql::notifications::ContentObject;
use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::schedule::{Schedule, Standing, Trigger};
use domain::values::{Millis, ScheduleId};
use domain::{AggregateKind, StreamId};

/// Runs that are shown ahead.
const AHEAD: usize = 5;

/// Whether a schedule fires.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleStatus {
    /// It fires.
    Active,
    /// Not for the time being.
    Paused,
    /// Never again.
    Ended,
}

/// A request that is made later, or again and again, by itself.
#[derive(SimpleObject)]
#[graphql(name = "Schedule", complex)]
pub struct ScheduleObject {
    id: ID,
    /// The sender's id of the recipient; none once the recipient is erased.
    recipient: Option<String>,
    /// Who asks.
    sender: String,
    /// Key of the category.
    category: String,
    /// Over which channels; none: the category's.
    channels: Option<Vec<Channel>>,
    /// How urgent; none: as the category says then.
    priority: Option<Priority>,
    topic: Option<String>,
    /// Once, at this moment.
    at: Option<DateTime<Utc>>,
    /// Once, when the recipient's clock shows this.
    local_time: Option<String>,
    /// Again and again.
    cron: Option<String>,
    /// The zone of `cron`; none: the recipient's.
    time_zone: Option<&'static str>,
    starts: Option<DateTime<Utc>>,
    ends: Option<DateTime<Utc>>,
    catch_up_seconds: i64,
    /// Asked with a sandbox key.
    sandbox: bool,
    status: ScheduleStatus,
    /// The next five runs, as things stand: what opt-outs and limits make of them is decided when they come.
    next_runs: Vec<DateTime<Utc>>,
    /// The last occurrence that was fired or missed.
    last_run: Option<DateTime<Utc>>,
    #[graphql(skip)]
    key: ScheduleId,
}

fn time(at: Millis) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

/// A schedule's stream.
pub const fn stream_of(id: ScheduleId) -> StreamId {
    StreamId::new(AggregateKind::Schedule, id.0)
}

impl ScheduleObject {
    /// As it stands at a moment; none where it was never defined.
    pub fn new(state: &Schedule, recipient: &Recipient, now: Millis) -> Option<Self> {
        let terms = state.terms.as_ref()?;
        let mut object = Self {
            id: ID(state.id.to_string()),
            recipient: recipient.details.known().map(|details| details.external_id.clone()),
            sender: terms.sender.to_string(),
            category: terms.category.to_string(),
            channels: terms.channels.as_ref().map(|channels| channels.iter().map(|channel| (*channel).into()).collect()),
            priority: terms.priority.map(Into::into),
            topic: terms.topic.as_ref().map(ToString::to_string),
            at: None,
            local_time: None,
            cron: None,
            time_zone: None,
            starts: terms.starts.and_then(time),
            ends: terms.ends.and_then(time),
            catch_up_seconds: terms.catch_up / 1_000,
            sandbox: terms.sandbox,
            status: match state.standing {
                Standing::Active => ScheduleStatus::Active,
                Standing::Paused => ScheduleStatus::Paused,
                Standing::Ended | Standing::Unknown => ScheduleStatus::Ended,
            },
            next_runs: state.upcoming(zone_of(recipient), now, AHEAD).into_iter().filter_map(time).collect(),
            last_run: state.last.and_then(time),
            key: state.id,
        };
        match &terms.trigger {
            Trigger::Once { at } => object.at = time(*at),
            Trigger::OnceLocal { at } => object.local_time = Some(at.to_string()),
            Trigger::Recurring { cron, zone } => {
                object.cron = Some(cron.as_str().to_owned());
                object.time_zone = zone.map(|zone| zone.name());
            }
        }
        Some(object)
    }
}

#[ComplexObject]
impl ScheduleObject {
    /// What is to be told; none once the recipient is erased.
    async fn content(&self, ctx: &Context<'_>) -> Result<Option<ContentObject>> {
        let loaded = services(ctx)?.engine.bus.load::<Schedule>(stream_of(self.key)).await.map_err(bus_error)?;
        Ok(loaded.state.content.known().filter(|content| content.template.is_none()).map(Into::into))
    }

    /// The key of the template that says it; its version that is current at each run counts.
    async fn template(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let loaded = services(ctx)?.engine.bus.load::<Schedule>(stream_of(self.key)).await.map_err(bus_error)?;
        Ok(loaded.state.content.known().and_then(|content| content.template.as_ref()).map(ToString::to_string))
    }
}
