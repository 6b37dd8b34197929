//! A notification with its deliveries, content and events, read from the log when asked for.

use crate::auth::Caller;
use crate::graphql::attachments::{AttachmentObject, of_notification};
use crate::graphql::context::{principal, services};
use crate::graphql::error::{failure, log_error};
use crate::graphql::names::{Channel, Priority, rule_name};
use crate::graphql::position::Position;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::log::Recorded;
use commands::templates::placeholders;
use domain::aggregate::Aggregate;
use domain::notification::{DeliveryState, Notification, NotificationEvent, Requested};
use domain::recipient::Recipient;
use domain::template::TemplateUse;
use domain::values::{Content, NotificationId, Rule};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// One notification to one recipient.
pub struct NotificationObject {
    id: NotificationId,
    visible: Option<u64>,
    loaded: OnceCell<Option<Arc<Loaded>>>,
}

struct Loaded {
    state: Notification,
    events: Vec<Arc<Recorded>>,
}

impl Loaded {
    fn requested(&self) -> Option<&Requested> {
        self.events.iter().find_map(|event| match &event.fact {
            Fact::Notification(NotificationEvent::Requested(requested)) => Some(requested),
            _ => None,
        })
    }
}

/// What is told.
#[derive(SimpleObject)]
pub struct ContentObject {
    title: Option<String>,
    body: String,
    html: Option<String>,
    /// The JSON object for the app, as text.
    data: Option<String>,
    collapse_key: Option<String>,
}

impl From<&Content> for ContentObject {
    fn from(content: &Content) -> Self {
        let Content { title, body, html, data, collapse_key, .. } = content.clone();
        Self { title, body, html, data, collapse_key }
    }
}

/// A template in the version that a notification is made from.
#[derive(SimpleObject)]
pub struct UsedTemplate {
    key: String,
    version: i32,
    /// The recipient's language then.
    locale: Option<String>,
    /// The recipient's zone then.
    time_zone: Option<String>,
    /// The experiment that its recipient took part in.
    experiment: Option<String>,
    /// The variant that they were assigned; `control`: the template as it is.
    variant: Option<String>,
}

impl From<&TemplateUse> for UsedTemplate {
    fn from(used: &TemplateUse) -> Self {
        Self {
            key: used.key.to_string(),
            version: i32::try_from(used.version).unwrap_or(i32::MAX),
            locale: used.locale.as_ref().map(ToString::to_string),
            time_zone: used.zone.map(|zone| zone.name().to_owned()),
            experiment: used.assigned.as_ref().map(|assigned| assigned.experiment.clone()),
            variant: used.assigned.as_ref().map(|assigned| assigned.variant.clone()),
        }
    }
}

/// The notification on one channel to one address.
#[derive(SimpleObject)]
pub struct DeliveryObject {
    /// Number within the notification.
    number: i32,
    channel: Channel,
    /// Id of the device or address.
    address: Option<ID>,
    /// `queued`, `waiting`, `in_flight`, `sent`, `failed`, `cancelled`, `expired`, `suppressed`,
    /// `dead_lettered`, `discarded`, `delivered` or `bounced` (as its provider reports).
    status: &'static str,
    /// Calls of the provider so far.
    attempts: i32,
    /// When the next attempt is due.
    due_at: Option<DateTime<Utc>>,
}

/// A channel that was decided against at acceptance; without one: the whole notification.
#[derive(SimpleObject)]
pub struct SuppressionObject {
    channel: Option<Channel>,
    /// The rule, e.g. `opted_out_of_category`.
    rule: String,
}

/// A fact in the life of the notification.
#[derive(SimpleObject)]
pub struct EventObject {
    /// Its place in the log.
    position: Position,
    /// Its place in the notification's own story, from 1.
    sequence: i32,
    /// Its name, e.g. `AttemptStarted`: see the catalogue of events.
    #[graphql(name = "type")]
    kind: &'static str,
    version: i32,
    at: DateTime<Utc>,
    /// Who caused it.
    actor: String,
    /// The event as JSON, without what is sealed.
    payload: String,
}

/// Whether somebody may see a notification: its sender, its recipient once it is visible, and
/// administrators.
pub(in crate::graphql) fn may_see(caller: &Caller, state: &Notification) -> bool {
    state.exists
        && match caller {
            Caller::Administrator { .. } => true,
            Caller::Sender { sender, sandbox, .. } => state.sender == *sender && state.sandbox == *sandbox,
            Caller::Recipient { id } => state.recipient == *id && state.is_visible(),
        }
}

fn time(at: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

fn event(recorded: &Recorded) -> EventObject {
    let mut payload = Vec::new();
    recorded.fact.body().encode(&mut payload);
    EventObject {
        position: Position(recorded.position),
        sequence: i32::try_from(recorded.sequence).unwrap_or(i32::MAX),
        kind: recorded.fact.name(),
        version: i32::from(recorded.fact.body().version()),
        at: time(recorded.at).unwrap_or_default(),
        actor: recorded.metadata.actor.clone(),
        payload: String::from_utf8(payload).unwrap_or_default(),
    }
}

impl NotificationObject {
    /// By id; nothing is read yet.
    pub fn of(id: NotificationId, visible: Option<u64>) -> Self {
        Self { id, visible, loaded: OnceCell::new() }
    }

    async fn load(&self, ctx: &Context<'_>) -> Result<Option<&Arc<Loaded>>> {
        let loaded = self
            .loaded
            .get_or_try_init(|| async {
                let events = services(ctx)?.engine.log.read_stream(StreamId::new(AggregateKind::Notification, self.id.0), 0, true).await.map_err(log_error)?;
                let state = Notification::replay(events.iter().filter_map(|event| match &event.fact {
                    Fact::Notification(event) => Some(event),
                    _ => None,
                }));
                let visible = may_see(principal(ctx)?.caller.as_ref(), &state);
                Ok::<_, async_graphql::Error>(visible.then(|| Arc::new(Loaded { state, events })))
            })
            .await?;
        Ok(loaded.as_ref())
    }

    async fn existing(&self, ctx: &Context<'_>) -> Result<&Arc<Loaded>> {
        self.load(ctx).await?.ok_or_else(|| failure("NOT_FOUND", "There is no notification of this id."))
    }
}

/// One notification to one recipient.
#[Object(name = "Notification")]
impl NotificationObject {
    /// Its id; the same in pushes (`nid`), so that an app can tell a push from what it pulled.
    async fn id(&self) -> ID {
        ID(self.id.to_string())
    }

    /// Who sent it.
    async fn sender(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(self.existing(ctx).await?.state.sender.to_string())
    }

    /// The sender's id of the recipient; none once the recipient is erased.
    async fn recipient(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let id = self.existing(ctx).await?.state.recipient;
        let recipient = services(ctx)?.engine.bus.load::<Recipient>(commands::accept::recipient_stream(id)).await.map_err(crate::graphql::error::bus_error)?;
        Ok(recipient.state.details.known().map(|details| details.external_id.clone()))
    }

    /// Key of the category.
    async fn category(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(self.existing(ctx).await?.state.category.to_string())
    }

    /// How urgent.
    async fn priority(&self, ctx: &Context<'_>) -> Result<Priority> {
        Ok(self.existing(ctx).await?.state.priority.into())
    }

    /// All deliveries together: `pending`, `sent` (to one address at least), `suppressed`,
    /// `dead_lettered`, `failed`, `bounced`, `cancelled`, `expired` or `discarded`; before there are any, `deferred`
    /// (for its time, or the end of quiet hours), `held` (for a place under a limit) or `digested`.
    async fn status(&self, ctx: &Context<'_>) -> Result<&'static str> {
        Ok(status(&self.existing(ctx).await?.state))
    }

    /// Until when it is deferred or held; then it is decided anew.
    async fn waits_until(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.existing(ctx).await?.state.waiting.and_then(|waiting| time(waiting.until)))
    }

    /// The rule by which it is deferred, held or digested, e.g. `quiet_hours`.
    async fn waits_by(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let loaded = self.existing(ctx).await?;
        if let Some(waiting) = loaded.state.waiting {
            return Ok(Some(rule_name(waiting.rule)));
        }
        Ok(loaded.state.digested.and_then(|_| {
            loaded.events.iter().rev().find_map(|event| match &event.fact {
                Fact::Notification(NotificationEvent::Digested(digested)) => Some(rule_name(digested.rule)),
                _ => None,
            })
        }))
    }

    /// When the next step of its channel plan is due, unless it is no longer needed then.
    async fn next_step_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.existing(ctx).await?.state.step.and_then(|step| time(step.due)))
    }

    /// Its topic.
    async fn topic(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.existing(ctx).await?.state.topic.as_ref().map(ToString::to_string))
    }

    /// When it was accepted.
    async fn requested_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.existing(ctx).await?.events.first().and_then(|event| time(event.at)))
    }

    /// Worth nothing after this.
    async fn expires_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.existing(ctx).await?.state.expires_at.and_then(time))
    }

    /// Asked for with a sandbox key.
    async fn sandbox(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.existing(ctx).await?.state.sandbox)
    }

    /// What is told; none once the recipient is erased. What is made from a template is shown as it is in the app, or
    /// as on the channel that it went over.
    async fn content(&self, ctx: &Context<'_>, #[graphql(desc = "As it is on this channel.")] channel: Option<Channel>) -> Result<Option<ContentObject>> {
        let loaded = self.existing(ctx).await?;
        let Some(requested) = loaded.requested() else { return Ok(None) };
        let templates = &services(ctx)?.engine.templates;
        let told = match channel {
            Some(channel) => templates.content(requested, channel.into(), placeholders(false)).await,
            None => templates.shown(requested, loaded.state.deliveries.iter().map(|delivery| delivery.channel)).await,
        };
        Ok(told.map_err(log_error)?.and_then(std::result::Result::ok).as_ref().map(Into::into))
    }

    /// Files that go with it, in the order in which they were named; none once the recipient is erased.
    async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<AttachmentObject>> {
        let (loaded, engine) = (self.existing(ctx).await?, &services(ctx)?.engine);
        Ok(loaded.requested().map(|requested| of_notification(engine, self.id, requested)).unwrap_or_default())
    }

    /// The template that it is made from, in the version that was current when it was accepted.
    async fn template(&self, ctx: &Context<'_>) -> Result<Option<UsedTemplate>> {
        Ok(self.existing(ctx).await?.requested().and_then(|requested| requested.template.as_deref()).map(Into::into))
    }

    /// The sender's own notes; for its sender and administrators.
    async fn metadata(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if matches!(principal(ctx)?.caller.as_ref(), Caller::Recipient { .. }) {
            return Ok(None);
        }
        let loaded = self.existing(ctx).await?;
        Ok(loaded.requested().and_then(|requested| requested.personal.known()).and_then(|content| content.metadata.clone()))
    }

    /// The notification on each channel and address.
    async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<DeliveryObject>> {
        Ok(self
            .existing(ctx)
            .await?
            .state
            .deliveries
            .iter()
            .map(|delivery| DeliveryObject {
                number: i32::from(delivery.number),
                channel: delivery.channel.into(),
                address: delivery.address.map(|address| ID(address.to_string())),
                status: delivery.state.name(),
                attempts: i32::try_from(delivery.attempt).unwrap_or(i32::MAX),
                due_at: match delivery.state {
                    DeliveryState::Waiting { due } => time(due),
                    _ => None,
                },
            })
            .collect())
    }

    /// What was decided against at acceptance, and by which rule.
    async fn suppressions(&self, ctx: &Context<'_>) -> Result<Vec<SuppressionObject>> {
        Ok(self
            .existing(ctx)
            .await?
            .state
            .suppressed
            .iter()
            .map(|(channel, rule)| SuppressionObject { channel: channel.map(Into::into), rule: rule_name(*rule) })
            .collect())
    }

    /// Every fact of its life, in order. For its sender and administrators.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<EventObject>> {
        if matches!(principal(ctx)?.caller.as_ref(), Caller::Recipient { .. }) {
            return Err(failure("FORBIDDEN", "The events are for the sender; ask for `deliveries` and `status`."));
        }
        Ok(self.existing(ctx).await?.events.iter().map(|recorded| event(recorded)).collect())
    }

    /// Shown to the recipient.
    async fn seen(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.existing(ctx).await?.state.seen)
    }

    /// Read by the recipient.
    async fn read(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.existing(ctx).await?.state.read)
    }

    /// Put away by the recipient.
    async fn archived(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.existing(ctx).await?.state.archived)
    }

    /// The cursor for `after`, where it came from a list or a live feed.
    async fn cursor(&self) -> Option<Position> {
        self.visible.map(Position)
    }
}

fn status(state: &Notification) -> &'static str {
    let any = |wanted: fn(DeliveryState) -> bool| state.deliveries.iter().any(|delivery| wanted(delivery.state));
    if let Some(waiting) = state.waiting {
        if waiting.rule == Rule::OverLimit { "held" } else { "deferred" }
    } else if state.digested.is_some() {
        "digested"
    } else if let (true, Some(over)) = (state.deliveries.is_empty(), state.over) {
        if over == Rule::Cancelled { "cancelled" } else { "expired" }
    } else if state.deliveries.is_empty() {
        "suppressed"
    } else if any(DeliveryState::is_pending) {
        "pending"
    } else if any(|state| state == DeliveryState::DeadLettered) {
        "dead_lettered"
    } else if any(DeliveryState::is_taken) {
        "sent"
    } else {
        state.deliveries.first().map_or("suppressed", |delivery| delivery.state.name())
    }
}

/// Looking one up.
#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// A notification by id: for its sender, its recipient and administrators. Read from the log
    /// itself, so it is always current.
    async fn notification(&self, ctx: &Context<'_>, id: ID) -> Result<Option<NotificationObject>> {
        principal(ctx)?;
        let Ok(id) = id.parse::<NotificationId>() else { return Ok(None) };
        let found = NotificationObject::of(id, None);
        Ok(found.load(ctx).await?.is_some().then_some(found))
    }
}
