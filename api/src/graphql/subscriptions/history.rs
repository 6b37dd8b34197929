//! The history of a recipient's choices: who said what, when, by which way, and what proves it.
//!
//! Evidence is for the person, for administrators, and for the sender that handed it in: what one
//! sender noted about a person is nothing for another.

use super::hours::{self, HoursObject};
use super::scope::SwitchObject;
use crate::auth::Caller;
use crate::graphql::context::{principal, services, subject};
use crate::graphql::error::{failure, log_error};
use crate::graphql::names::Channel;
use crate::graphql::position::Position;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::accept::subscription_stream;
use commands::log::Recorded;
use domain::Fact;
use domain::event::Personal;
use domain::subscription::{self, Evidence, SubscriptionEvent};

/// Who changed a preference.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "subscription::ChangedBy")]
pub enum ChangedBy {
    /// The person.
    Recipient,
    /// A sender, on the person's behalf.
    Sender,
    /// An administrator.
    Administrator,
    /// A bulk import of consents given elsewhere.
    Import,
}

/// By which way it was said.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "subscription::Source")]
pub enum ConsentSource {
    /// The API.
    Api,
    /// The page behind a link in a notification.
    UnsubscribeLink,
    /// The mail program's own button (RFC 8058).
    OneClick,
    /// The preference page.
    PreferencePage,
    /// `STOP` or `START` by SMS.
    SmsStop,
    /// A complaint to the mail provider.
    Complaint,
    /// A bulk import.
    Import,
}

/// What proves a change.
#[derive(SimpleObject)]
pub struct ConsentEvidence {
    text: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

/// One change of a recipient's choices.
#[derive(SimpleObject)]
pub struct ConsentChange {
    /// Hand it to `after`.
    cursor: Position,
    /// When it was recorded.
    at: Option<DateTime<Utc>>,
    /// When it was said, where that was before: of imports.
    given_at: Option<DateTime<Utc>>,
    by: ChangedBy,
    source: ConsentSource,
    /// The credential that it was made with; not for recipients.
    actor: Option<String>,
    /// What proves it, for those who may see it; none once the recipient is erased.
    evidence: Option<ConsentEvidence>,
    /// The switch that was turned, where it was one.
    switched: Option<SwitchObject>,
    /// The quiet hours from then on, where hours were changed.
    quiet_hours: Option<Vec<HoursObject>>,
    /// The allowed hours from then on, where hours were changed.
    allowed: Option<Vec<HoursObject>>,
    /// Whether do-not-disturb was changed.
    do_not_disturb_changed: bool,
    /// Until when from then on, where it was changed and not ended.
    do_not_disturb_until: Option<DateTime<Utc>>,
    /// The preferred channels from then on, where they were changed.
    preferred_channels: Option<Vec<Channel>>,
}

fn time(at: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

fn may_see_evidence(caller: &Caller, actor: &str) -> bool {
    match caller {
        Caller::Administrator { .. } | Caller::Recipient { .. } => true,
        Caller::Sender { sender, sandbox, .. } => !sandbox && actor.strip_prefix("sender:").and_then(|rest| rest.split(':').next()) == Some(sender.as_str()),
    }
}

fn change(caller: &Caller, recorded: &Recorded) -> Option<ConsentChange> {
    let Fact::Subscription(event) = &recorded.fact else { return None };
    let (by, source) = match event {
        SubscriptionEvent::Unsubscribed(e) => (e.by, e.source),
        SubscriptionEvent::Resubscribed(e) => (e.by, e.source),
        SubscriptionEvent::QuietHoursChanged(e) => (e.by, e.source),
        SubscriptionEvent::DoNotDisturbChanged(e) => (e.by, e.source),
        SubscriptionEvent::PreferredChannelsChanged(e) => (e.by, e.source),
    };
    let actor = &recorded.metadata.actor;
    let mut object = ConsentChange {
        cursor: Position(recorded.position),
        at: time(recorded.at),
        given_at: None,
        by: by.into(),
        source: source.into(),
        actor: (!matches!(caller, Caller::Recipient { .. })).then(|| actor.clone()),
        evidence: None,
        switched: None,
        quiet_hours: None,
        allowed: None,
        do_not_disturb_changed: false,
        do_not_disturb_until: None,
        preferred_channels: None,
    };
    let mut switched = |scope, subscribed, personal: &Personal<Evidence>| {
        object.switched = Some(SwitchObject::new(scope, subscribed));
        if let Personal::Known(evidence) = personal {
            object.given_at = evidence.at.and_then(time);
            object.evidence = may_see_evidence(caller, actor).then(|| ConsentEvidence {
                text: evidence.text.clone(),
                ip: evidence.ip.clone(),
                user_agent: evidence.user_agent.clone(),
            });
        }
    };
    match event {
        SubscriptionEvent::Unsubscribed(e) => switched(&e.scope, false, &e.personal),
        SubscriptionEvent::Resubscribed(e) => switched(&e.scope, true, &e.personal),
        SubscriptionEvent::QuietHoursChanged(e) => {
            object.quiet_hours = Some(hours::shown(e.quiet_hours.as_ref()));
            object.allowed = Some(hours::shown(e.allowed.as_ref()));
        }
        SubscriptionEvent::DoNotDisturbChanged(e) => {
            object.do_not_disturb_changed = true;
            object.do_not_disturb_until = e.until.and_then(time);
        }
        SubscriptionEvent::PreferredChannelsChanged(e) => object.preferred_channels = Some(e.channels.iter().map(|channel| (*channel).into()).collect()),
    }
    Some(object)
}

/// Queries on consents.
#[derive(Default)]
pub struct ConsentQuery;

#[Object]
impl ConsentQuery {
    /// Every change of a recipient's choices, newest first, read from the log itself.
    #[graphql(complexity = "5 + first.max(1) as usize * child_complexity / 10")]
    async fn consent_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your id of the recipient; not needed with a recipient's token.")] recipient: Option<String>,
        #[graphql(default = 50)] first: i32,
        #[graphql(desc = "Cursor of the last one seen; older ones follow.")] after: Option<Position>,
    ) -> Result<Vec<ConsentChange>> {
        let recipient = subject(ctx, recipient.as_deref())?;
        let first = usize::try_from(first).ok().filter(|first| (1..=1_000).contains(first));
        let first = first.ok_or_else(|| failure("BAD_USER_INPUT", "`first` is between 1 and 1000."))?;
        let caller = principal(ctx)?.caller.as_ref();
        let events = services(ctx)?.engine.log.read_stream(subscription_stream(recipient), 0, true).await.map_err(log_error)?;
        let older = events.iter().rev().filter(|event| after.is_none_or(|after| event.position < after.0));
        Ok(older.filter_map(|event| change(caller, event)).take(first).collect())
    }
}
