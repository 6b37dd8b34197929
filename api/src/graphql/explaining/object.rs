//! Explanations as the API shows them.

use crate::graphql::context::{principal, services};
use crate::graphql::error::log_error;
use crate::graphql::names::Channel;
use crate::graphql::notifications::may_see;
use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::aggregate::Aggregate;
use domain::notification::Notification;
use domain::values::{Millis, NotificationId, Rule};
use domain::{AggregateKind, StreamId};
use projections::explain::{self, own_events};

/// Why a notification came, or did not: in words and as data. Nothing personal is in it, so that it
/// reads the same after its recipient was erased.
#[derive(SimpleObject)]
pub struct Explanation {
    /// The notification.
    notification: ID,
    /// What became of it: `pending`, `deferred` (waits for a time), `held` (waits for a place under a
    /// limit), `digested`, `deduplicated` (the same was told lately), `suppressed`, `sent`,
    /// `partly_sent`, `failed`, `dead_lettered`, `discarded`, `expired` or `cancelled`.
    outcome: &'static str,
    /// The same in a sentence, with its reason.
    sentence: String,
    /// Nothing more happens by itself.
    over: bool,
    /// The recipient was erased: what was personal can no longer be read by anybody.
    erased: bool,
    /// Every fact of its life, in order, with what decided it.
    steps: Vec<ExplainedStep>,
    /// The notification on each channel and address.
    deliveries: Vec<ExplainedDelivery>,
}

/// An event of the notification, and why it came about.
#[derive(SimpleObject)]
pub struct ExplainedStep {
    /// Its place in the notification's story, from 1.
    sequence: i32,
    at: DateTime<Utc>,
    /// The event's name: see the catalogue of events.
    #[graphql(name = "type")]
    kind: &'static str,
    /// The delivery that it is about.
    delivery: Option<i32>,
    channel: Option<Channel>,
    /// The rule that decided, e.g. `opted_out_of_category`.
    rule: Option<String>,
    /// Version of the rules as a whole.
    rules_version: Option<i32>,
    /// What the decision saw, rebuilt at the very state that it was made on; the decisive one first.
    facts: Vec<ExplainedFact>,
    /// In words.
    sentence: String,
    /// The event as JSON, without what is sealed: its inputs and the provider's answer.
    payload: String,
}

/// A fact that a decision saw.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ExplainedFact {
    /// Of what: `recipient`, `subscription`, `category`, `frequency`, `digest`, `schedule` or `address`.
    of: &'static str,
    /// How far the decision had read that object's events; 0: it did not exist.
    sequence: f64,
    /// Since when it was so.
    at: Option<DateTime<Utc>>,
    /// Who said so: `recipient`, `sender`, `administrator`, `import` or `system`.
    by: Option<&'static str>,
    /// By which way: `api`, `unsubscribe_link`, `one_click`, `preference_page`, `sms_stop`,
    /// `complaint` or `import`.
    source: Option<String>,
    /// In words.
    sentence: String,
    #[graphql(skip)]
    related: Option<NotificationId>,
}

/// A notification that a fact is about is shown to whoever may see it.
#[ComplexObject]
impl ExplainedFact {
    /// Another notification that it is about: an earlier one of the same content, a digest's summary.
    /// Absent where it is another sender's.
    async fn notification(&self, ctx: &Context<'_>) -> Result<Option<ID>> {
        let Some(id) = self.related else { return Ok(None) };
        let stream = StreamId::new(AggregateKind::Notification, id.0);
        let events = services(ctx)?.engine.log.read_stream(stream, 0, false).await.map_err(log_error)?;
        let state = Notification::replay(own_events(&events).map(|(_, event)| event));
        Ok(may_see(principal(ctx)?.caller.as_ref(), &state).then(|| ID(id.to_string())))
    }
}

/// The notification on one channel to one address.
#[derive(SimpleObject)]
pub struct ExplainedDelivery {
    /// Number within the notification.
    number: i32,
    channel: Channel,
    /// Id of the device or address, never the address itself.
    address: Option<ID>,
    /// As in `Delivery`.
    status: &'static str,
    /// The provider that was called last.
    provider: Option<String>,
    /// Calls so far.
    attempts: i32,
    /// The provider's last answer as a short stable code; absent where it took it.
    code: Option<String>,
    /// In words.
    sentence: String,
}

/// Why a recipient heard nothing, or nothing but this, in a stretch of time.
#[derive(SimpleObject)]
pub struct AbsenceExplanation {
    /// The whole in a sentence.
    sentence: String,
    /// From this moment on.
    from: DateTime<Utc>,
    /// Up to this moment.
    to: DateTime<Utc>,
    /// What else explains it.
    reasons: Vec<AbsenceReason>,
    /// What was asked for in that time, newest first; a sender sees its own.
    notifications: Vec<AbsentNotification>,
    /// There were more of that time than `first`.
    more: bool,
}

/// Something that explains silence.
#[derive(SimpleObject)]
pub struct AbsenceReason {
    /// `none_requested`, `refusals_not_recorded`, `unknown_recipient`, `erased_recipient`, `no_address`,
    /// `unknown_category`, `opted_out`, `not_opted_in`, `do_not_disturb`, `quiet_hours`,
    /// `allowed_hours`, `waits` or `in_digest`.
    kind: &'static str,
    /// The fact behind it.
    fact: Option<ExplainedFact>,
    /// In words.
    sentence: String,
}

/// A notification of that time.
#[derive(SimpleObject)]
pub struct AbsentNotification {
    /// Its id: `explain` tells all of it.
    id: ID,
    requested_at: DateTime<Utc>,
    category: String,
    /// As in `Explanation`.
    outcome: &'static str,
    /// In a sentence.
    sentence: String,
}

fn time(at: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at).unwrap_or_default()
}

fn word(rule: Rule) -> String {
    serde_json::to_value(rule).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl From<explain::Explanation> for Explanation {
    fn from(of: explain::Explanation) -> Self {
        Self {
            notification: ID(of.id.to_string()),
            outcome: of.outcome.name(),
            sentence: of.sentence,
            over: of.over,
            erased: of.erased,
            steps: of.steps.into_iter().map(Into::into).collect(),
            deliveries: of.deliveries.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<explain::ExplainedStep> for ExplainedStep {
    fn from(of: explain::ExplainedStep) -> Self {
        Self {
            sequence: i32::try_from(of.sequence).unwrap_or(i32::MAX),
            at: time(of.at),
            kind: of.event,
            delivery: of.delivery.map(i32::from),
            channel: of.channel.map(Into::into),
            rule: of.rule.map(word),
            rules_version: of.rules_version.map(i32::from),
            facts: of.facts.into_iter().map(Into::into).collect(),
            sentence: of.sentence,
            payload: of.detail,
        }
    }
}

impl From<explain::ExplainedFact> for ExplainedFact {
    #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53 events of one object")]
    fn from(of: explain::ExplainedFact) -> Self {
        Self {
            of: of.kind.name(),
            sequence: of.sequence as f64,
            at: of.at.map(time),
            by: of.by,
            source: of.source,
            sentence: of.sentence,
            related: of.notification,
        }
    }
}

impl From<explain::ExplainedDelivery> for ExplainedDelivery {
    fn from(of: explain::ExplainedDelivery) -> Self {
        Self {
            number: i32::from(of.number),
            channel: of.channel.into(),
            address: of.address.map(|address| ID(address.to_string())),
            status: of.state.name(),
            provider: of.provider,
            attempts: i32::try_from(of.attempts).unwrap_or(i32::MAX),
            code: of.code,
            sentence: of.sentence,
        }
    }
}

impl AbsenceExplanation {
    pub(super) fn of(asked: &explain::Asked, absence: explain::Absence, more: bool) -> Self {
        let reason = |of: explain::AbsenceReason| AbsenceReason { kind: of.kind, fact: of.fact.map(Into::into), sentence: of.sentence };
        let notification = |of: explain::AbsentNotification| AbsentNotification {
            id: ID(of.id.to_string()),
            requested_at: time(of.requested_at),
            category: of.category.to_string(),
            outcome: of.outcome.name(),
            sentence: of.sentence,
        };
        Self {
            sentence: absence.sentence,
            from: time(asked.from),
            to: time(asked.to),
            reasons: absence.reasons.into_iter().map(reason).collect(),
            notifications: absence.notifications.into_iter().map(notification).collect(),
            more,
        }
    }
}
