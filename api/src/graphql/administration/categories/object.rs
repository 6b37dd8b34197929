//! A category as everybody sees it.

use super::rules::{DigestObject, LimitObject, OverLimit, QuietBehaviour, TrackingObject};
use crate::graphql::administration::sent_from::SentFromObject;
use crate::graphql::names::{Channel, Priority};
use crate::graphql::plan::PlanObject;
use async_graphql::SimpleObject;
use domain::category::Category;

/// A kind of notification that a person can switch off.
#[derive(SimpleObject)]
#[graphql(name = "Category")]
pub struct CategoryObject {
    /// Its key; also the cursor in `categories`.
    key: String,
    name: String,
    description: String,
    /// Cannot be switched off.
    required: bool,
    /// How many times it was defined; a notification is decided under the version current when it is accepted.
    version: i32,
    default_channels: Vec<Channel>,
    priority: Priority,
    /// Whether it reaches who has said nothing about it.
    subscribed_by_default: bool,
    plan: Option<PlanObject>,
    /// For so long the same content is not told twice to the same recipient.
    dedup_window_seconds: Option<i64>,
    limits: Vec<LimitObject>,
    over_limit: OverLimit,
    quiet_hours: QuietBehaviour,
    digest: Option<DigestObject>,
    /// For so long it is worth sending, where a request does not say.
    time_to_live_seconds: Option<i64>,
    /// Whether what becomes of its e-mails is watched.
    tracking: TrackingObject,
    /// Whom its messages come from.
    from: SentFromObject,
}

impl From<&Category> for CategoryObject {
    fn from(state: &Category) -> Self {
        Self {
            key: state.key.to_string(),
            name: state.name.clone(),
            description: state.description.clone(),
            required: state.required,
            version: i32::try_from(state.version).unwrap_or(i32::MAX),
            default_channels: state.default_channels.iter().map(|channel| (*channel).into()).collect(),
            priority: state.priority.into(),
            subscribed_by_default: state.subscribed_by_default,
            plan: state.plan.as_ref().map(Into::into),
            dedup_window_seconds: state.dedup_window.map(|window| window / 1_000),
            limits: state.limits.iter().map(Into::into).collect(),
            over_limit: state.over_limit.into(),
            quiet_hours: state.quiet_hours.into(),
            digest: state.digest.as_ref().map(Into::into),
            time_to_live_seconds: state.time_to_live.map(|life| life / 1_000),
            tracking: state.tracking.into(),
            from: (&state.from).into(),
        }
    }
}
