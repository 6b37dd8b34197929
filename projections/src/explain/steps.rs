//! Every event of a notification as a step: its rule, what it saw, and a sentence.

use super::facts::{self, Decided};
use super::library::{Library, own_events, schedule_stream, versions};
use super::types::{ExplainedDelivery, ExplainedFact, ExplainedStep};
use super::words::{self, length, moment};
use commands::log::Recorded;
use domain::event::EventBody;
use domain::notification::{ComplaintKind, Delivery, DeliveryState, FailureClass, HoldReason, Notification, NotificationEvent as E, Requested, Stood};
use domain::schedule::{ScheduleEvent, Trigger};
use domain::values::{AddressId, Channel, DeliveryNo, Limit, Millis, Origin, Rule};
use domain::{AggregateKind, Fact};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The steps and the deliveries that they come to.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) steps: Vec<ExplainedStep>,
    pub(super) deliveries: Vec<ExplainedDelivery>,
}

/// What is known of a delivery on the way.
#[derive(Debug, Clone, Default)]
struct Course {
    channel: Option<Channel>,
    address: Option<AddressId>,
    provider: Option<String>,
    started: Option<Millis>,
    code: Option<String>,
    ended: Millis,
    why: String,
}

/// Tells every event.
pub(super) fn tell(events: &[Arc<Recorded>], state: &Notification, library: &Library) -> Told {
    let mut courses: BTreeMap<DeliveryNo, Course> = BTreeMap::new();
    let mut steps = Vec::with_capacity(events.len());
    for (recorded, event) in own_events(events) {
        let number = event.delivery();
        if let E::Queued(queued) = event {
            let course = Course { channel: Some(queued.channel), address: queued.address, ..Course::default() };
            courses.insert(queued.delivery, course);
        }
        let course = number.and_then(|number| courses.get(&number)).cloned().unwrap_or_default();
        let channel = of_event(event).or(course.channel);
        let facts = seen(library, state, recorded, event, &course);
        let sentence = sentence(event, &course, channel, recorded.at, &facts);
        if let Some(course) = number.and_then(|number| courses.get_mut(&number)) {
            follow(course, event, recorded.at, &sentence);
        }
        let mut detail = Vec::new();
        event.encode(&mut detail);
        steps.push(ExplainedStep {
            sequence: recorded.sequence,
            at: recorded.at,
            event: event.name(),
            delivery: number,
            channel,
            rule: rule_of(event),
            rules_version: rules_of(event),
            facts,
            detail: String::from_utf8(detail).unwrap_or_default(),
            sentence,
        });
    }
    let deliveries = state.deliveries.iter().map(|delivery| course_of(delivery, courses.get(&delivery.number).cloned().unwrap_or_default())).collect();
    Told { steps, deliveries }
}

fn follow(course: &mut Course, event: &E, at: Millis, sentence: &str) {
    match event {
        E::AttemptStarted(e) => {
            course.provider = Some(e.provider.clone());
            course.started = Some(at);
        }
        E::AttemptFailed(e) => course.code = Some(e.code.clone()),
        E::AttemptUnknown(e) => course.code = Some(e.code.clone()),
        E::Held(e) => course.code = Some(e.code.clone()),
        E::Failed(e) => course.code = Some(e.code.clone()),
        E::DeadLettered(e) => course.code = Some(e.code.clone()),
        E::Bounced(e) => course.code = Some(e.code.clone()),
        E::Sent(_) | E::Delivered(_) => course.code = None,
        _ => {}
    }
    course.ended = at;
    sentence.clone_into(&mut course.why);
}

fn course_of(delivery: &Delivery, course: Course) -> ExplainedDelivery {
    let Course { provider, code, ended, why, .. } = course;
    let channel = words::channel(delivery.channel);
    let by = provider.as_ref().map_or_else(String::new, |provider| format!(" by {provider}"));
    let at = moment(ended);
    let attempts = delivery.attempt;
    let sentence = match delivery.state {
        DeliveryState::Sent if attempts == 0 => format!("shown in {channel} on {at}"),
        DeliveryState::Sent if attempts == 1 => format!("sent over {channel}{by} on {at}"),
        DeliveryState::Sent => format!("sent over {channel}{by} on {at} with attempt {attempts}"),
        DeliveryState::Delivered => format!("arrived over {channel}{by}, as it reported on {at}"),
        DeliveryState::Bounced => format!("taken by the provider{by} for {channel} and not delivered: {why}"),
        DeliveryState::Ready => format!("waits for a worker to send it over {channel}"),
        DeliveryState::InFlight => format!("is with the provider{by} for {channel}"),
        DeliveryState::Waiting { due } => format!("waits until {} to go over {channel} ({why})", moment(due)),
        DeliveryState::Failed | DeliveryState::DeadLettered | DeliveryState::Discarded | DeliveryState::Suppressed => {
            format!("not sent over {channel}{by}: {why}")
        }
        DeliveryState::Cancelled | DeliveryState::Expired => format!("not sent over {channel}: {why} on {at}"),
    };
    ExplainedDelivery {
        number: delivery.number,
        channel: delivery.channel,
        address: delivery.address,
        state: delivery.state,
        provider,
        attempts,
        code,
        sentence,
    }
}

const fn of_event(event: &E) -> Option<Channel> {
    match event {
        E::Queued(e) => Some(e.channel),
        E::Suppressed(e) => e.channel,
        _ => None,
    }
}

const fn rule_of(event: &E) -> Option<Rule> {
    match event {
        E::Queued(e) => Some(e.rule),
        E::Suppressed(e) => Some(e.rule),
        E::Deferred(e) => Some(e.rule),
        E::Digested(e) => Some(e.rule),
        E::Postponed(e) => Some(e.rule),
        E::StepSkipped(e) => Some(e.rule),
        E::StepScheduled(e) => e.rule,
        E::Cancelled(_) | E::CancelRequested(_) => Some(Rule::Cancelled),
        E::Expired(_) => Some(Rule::Expired),
        _ => None,
    }
}

const fn rules_of(event: &E) -> Option<u16> {
    match event {
        E::Queued(e) => Some(e.rules),
        E::Suppressed(e) => Some(e.rules),
        E::Deferred(e) => Some(e.rules),
        E::Digested(e) => Some(e.rules),
        E::Postponed(e) => Some(e.rules),
        _ => None,
    }
}

fn seen(library: &Library, state: &Notification, recorded: &Recorded, event: &E, course: &Course) -> Vec<ExplainedFact> {
    if let E::Requested(requested) = event {
        return origin(library, requested);
    }
    let Some(versions) = versions(event) else { return Vec::new() };
    let limit: Option<Limit> = if let E::Deferred(deferred) = event { deferred.limit } else { None };
    let address = match event {
        E::Queued(e) => e.address,
        E::Suppressed(e) => e.address.or(course.address),
        _ => course.address,
    };
    let digest = if let E::Digested(e) = event { Some((e.digest, e.window)) } else { None };
    let decided = Decided {
        rule: rule_of(event),
        versions,
        at: recorded.at,
        position: recorded.position,
        channel: of_event(event).or(course.channel),
        address,
        limit,
        digest,
    };
    facts::of(library, state, &decided)
}

/// Where it comes from, if no sender asked for it in so many words.
fn origin(library: &Library, requested: &Requested) -> Vec<ExplainedFact> {
    match requested.origin {
        None => Vec::new(),
        Some(Origin::Digest { digest, window }) => vec![facts::collected(library, digest, window)],
        Some(Origin::Schedule { schedule, occurrence }) => {
            let stream = library.all(schedule_stream(schedule));
            let fired = |event: &&Arc<Recorded>| matches!(&event.fact, Fact::Schedule(ScheduleEvent::OccurrenceFired(e)) if e.occurrence == occurrence);
            let until = stream.iter().find(fired).map_or(u64::MAX, |event| event.sequence);
            let set = stream.iter().take_while(|event| event.sequence <= until).filter_map(|event| match &event.fact {
                Fact::Schedule(ScheduleEvent::ScheduleDefined(e)) => Some((event, &e.terms)),
                Fact::Schedule(ScheduleEvent::ScheduleChanged(e)) => Some((event, &e.terms)),
                _ => None,
            });
            let planned = format!("it is the occurrence of {} of schedule {schedule}", moment(occurrence));
            let Some((event, terms)) = set.last() else { return vec![ExplainedFact::new(AggregateKind::Schedule, 0, planned)] };
            let when = match &terms.trigger {
                Trigger::Once { at } => format!("once on {}", moment(*at)),
                Trigger::OnceLocal { at } => format!("once at {} on the recipient's clock", at.to_string().replace('T', " ")),
                Trigger::Recurring { cron, zone: Some(zone) } => format!("again and again, by cron {cron} in {zone}"),
                Trigger::Recurring { cron, zone: None } => format!("again and again, by cron {cron} on the recipient's clock"),
            };
            let (by, who) = facts::actor(&event.metadata.actor);
            let sentence = format!("{planned}, which was set on {} {who} to fire {when}", moment(event.at));
            vec![ExplainedFact { at: Some(event.at), by: Some(by), ..ExplainedFact::new(AggregateKind::Schedule, event.sequence, sentence) }]
        }
    }
}

fn because(rule: Rule, facts: &[ExplainedFact]) -> String {
    let clause = words::rule(rule);
    // What speaks for itself needs no fact; what speaks against it names what it was.
    let decisive = match rule {
        Rule::DefaultOptIn | Rule::RequiredCategory | Rule::NoChannel => None,
        Rule::QuietHours | Rule::OutsideAllowedWindow => {
            let both: Vec<&str> = facts.iter().filter(|fact| fact.decisive).map(|fact| fact.sentence.as_str()).collect();
            return if both.is_empty() { clause.to_owned() } else { format!("{clause}; {}", both.join(", ")) };
        }
        // Of a notification as a whole, the channels that were looked at have it.
        _ => facts.first().filter(|fact| fact.decisive),
    };
    decisive.map_or_else(|| clause.to_owned(), |fact| format!("{clause}; {}", fact.sentence))
}

fn answered(channel: Option<Channel>, code: &str, after: Option<Millis>) -> String {
    let meaning = words::answer(channel, code).map_or_else(String::new, |meaning| format!(" ({meaning})"));
    let after = after.map_or_else(String::new, |after| format!(" after {}", length(after)));
    format!("{code}{meaning}{after}")
}

/// One event in words.
fn sentence(event: &E, course: &Course, channel: Option<Channel>, at: Millis, facts: &[ExplainedFact]) -> String {
    let took = course.started.map(|started| at.saturating_sub(started)).filter(|took| *took > 0);
    let over = channel.map_or_else(String::new, |channel| format!(" over {}", words::channel(channel)));
    let if_so = |flag: bool, words: &'static str| if flag { words } else { "" };
    match event {
        E::Requested(e) => requested(e, facts),
        E::Deduplicated(e) => format!("requested again with the same idempotency key and recognised (repeat {}); nothing is sent twice", e.repeats),
        E::Queued(e) => format!("queued{over}: {}", because(e.rule, facts)),
        E::Suppressed(e) if e.delivery.is_some() => format!("stopped before the call{over}: {}", because(e.rule, facts)),
        E::Suppressed(e) if e.channel.is_some() && e.address.is_some() => format!("not sent to this address{over}: {}", because(e.rule, facts)),
        E::Suppressed(e) if e.channel.is_some() => format!("not sent{over}: {}", because(e.rule, facts)),
        E::Suppressed(e) => format!("not sent at all: {}", because(e.rule, facts)),
        E::AttemptStarted(e) => {
            let pause = course.started.map_or_else(String::new, |before| format!(", {} after the one before", length(at.saturating_sub(before))));
            let repeat = if_so(e.after_unknown, "; a repeat after an unknown outcome, so that it may arrive twice");
            let from = e.from.as_ref().map_or_else(String::new, |from| format!(" as {from}"));
            format!("attempt {} by {}{from}{pause}{repeat}", e.attempt, e.provider)
        }
        E::Sent(e) if e.attempt == 0 => "sent: shown in the app's inbox, which needs no provider".to_owned(),
        E::Sent(e) => {
            let known = e.provider_id.as_ref().map_or_else(String::new, |id| format!(" as {id}"));
            let took = took.map_or_else(String::new, |took| format!(" after {}", length(took)));
            let cost = e.cost.as_ref().map_or_else(String::new, |cost| format!("; {}", words::cost(cost)));
            format!("sent: the provider took it{known}{took}{cost}")
        }
        E::AttemptFailed(e) => {
            let class = match e.class {
                FailureClass::Transient => "may work later",
                FailureClass::BadAddress => "the address does not work",
                FailureClass::Permanent => "never works as it is",
            };
            format!("attempt {} failed: {}; {class}", e.attempt, answered(channel, &e.code, took))
        }
        E::AttemptUnknown(e) => {
            format!("attempt {} has an unknown outcome: {}; it may have been delivered", e.attempt, answered(channel, &e.code, took))
        }
        E::Held(e) => {
            let why = match e.reason {
                HoldReason::Throttled => "the provider asked to slow down",
                HoldReason::Misconfigured => "our credentials or settings are wrong, and the provider is paused until they work",
                HoldReason::NotMade => "the call was not begun in time",
            };
            format!("held until {}: {why} ({}); attempt {} does not count", moment(e.until), answered(channel, &e.code, None), e.attempt)
        }
        E::RetryScheduled(e) => {
            format!(
                "to be tried again on {}, in {}{}",
                moment(e.due),
                length(e.due.saturating_sub(at)),
                if_so(e.after_unknown, "; the outcome before is unknown")
            )
        }
        E::Delivered(e) => {
            let doubt = if_so(e.stood != Stood::Sent, "; until then nobody knew what had become of it");
            format!("arrived: its provider reports it{}{doubt}", reported(e.at, at))
        }
        E::Bounced(e) => {
            let dead = if_so(e.address_dead, "; the address does not exist");
            format!("did not arrive: its provider reports {}{}{dead}", answered(channel, &e.code, None), reported(e.at, at))
        }
        E::Complained(e) => match e.kind {
            ComplaintKind::Spam => format!("called spam{}; nothing goes to this address any more", reported(e.at, at)),
            ComplaintKind::Unsubscribed => format!("unsubscribed at the provider{}; nothing goes to this address any more", reported(e.at, at)),
        },
        E::Opened(e) => format!("opened by {}{}", follower(e.automatic), reported(e.at, at)),
        E::Clicked(e) => format!("link {} followed by {}{}", e.link + 1, follower(e.automatic), reported(e.at, at)),
        E::Failed(e) => {
            let dead = if_so(e.address_dead, "; the address is dead and was dropped from the recipient");
            format!("failed for good: {}{dead}", answered(channel, &e.code, None))
        }
        E::DeadLettered(e) => {
            let maybe = if_so(e.unknown, "; it may have been delivered");
            format!("a dead letter after {} attempts: {}{maybe}; a person decides whether it is tried again", e.attempts, answered(channel, &e.code, None))
        }
        E::Redriven(_) => "tried again by a person".to_owned(),
        E::Discarded(e) => format!("given up by a person: {}", e.reason),
        E::Cancelled(e) if e.delivery.is_some() && course.started.is_some() => "the sender took it back; no further call is made".to_owned(),
        E::Cancelled(e) if e.delivery.is_some() => "the sender took it back before the call".to_owned(),
        E::CancelRequested(_) => "the sender took it back while a call was under way, which is the last".to_owned(),
        E::Cancelled(_) => "the sender took it back while it waited".to_owned(),
        E::Expired(e) if e.delivery.is_some() => "it expired before the call".to_owned(),
        E::Expired(_) => "it expired before anything was queued".to_owned(),
        E::Seen(_) => "seen by the recipient".to_owned(),
        E::Read(_) => "read by the recipient".to_owned(),
        E::Archived(_) => "put away by the recipient".to_owned(),
        E::Deferred(e) if e.rule == Rule::OverLimit => {
            let limit = e.limit.map_or_else(String::new, |limit| format!(" of {}", words::limit(&limit)));
            format!("held until {} for a free place under the limit{limit}: {}", moment(e.until), because(e.rule, facts))
        }
        E::Deferred(e) => format!("waits until {}: {}", moment(e.until), because(e.rule, facts)),
        E::Released(_) => "came due and was decided anew".to_owned(),
        E::Digested(e) => {
            let collected = facts.iter().find(|fact| fact.kind == AggregateKind::Digest).map_or_else(String::new, |fact| format!("; {}", fact.sentence));
            let clause = if e.rule == Rule::OverLimit { because(e.rule, facts) } else { words::rule(e.rule).to_owned() };
            format!("collected by a digest: {clause}{collected}")
        }
        E::StepScheduled(e) => {
            let put_off = e.rule.map_or_else(String::new, |rule| format!("; put off: {}", words::rule(rule)));
            format!("step {} of the channel plan is due on {} if {} then{put_off}", e.step + 1, moment(e.due), words::next_when(e.when))
        }
        E::StepTaken(e) => format!("step {} of the channel plan was taken", e.step + 1),
        E::StepSkipped(e) => format!("step {} of the channel plan was not taken: {}", e.step + 1, words::rule(e.rule)),
        E::Postponed(e) => format!("put off{over} until {}: {}", moment(e.until), because(e.rule, facts)),
    }
}

/// The provider's own moment, where it is not that of the record.
fn reported(at: Option<Millis>, recorded: Millis) -> String {
    let own = at.filter(|at| recorded.abs_diff(*at) >= 2_000);
    own.map_or_else(String::new, |at| format!(", for {}", moment(at)))
}

const fn follower(automatic: bool) -> &'static str {
    if automatic { "a program, as it seems" } else { "the recipient" }
}

fn requested(e: &Requested, facts: &[ExplainedFact]) -> String {
    let mut sentence = format!("requested by {} in category {}, {} priority", e.sender, e.category, e.priority.name());
    if let Some(channels) = &e.channels {
        let named: Vec<String> = channels.iter().map(|channel| words::channel(*channel).to_owned()).collect();
        sentence.push_str(&format!(", over {}", words::list(&named)));
    }
    if let Some(used) = &e.template {
        sentence.push_str(&format!(", from version {} of template {}", used.version, used.key));
        if let Some(locale) = &used.locale {
            sentence.push_str(&format!(" for readers of {locale}"));
        }
        if let Some(assigned) = &used.assigned {
            sentence.push_str(&format!(", variant {} of experiment {}", assigned.variant, assigned.experiment));
        }
    }
    if let Some(topic) = &e.topic {
        sentence.push_str(&format!(", about topic {topic}"));
    }
    if let Some(at) = e.not_before {
        sentence.push_str(&format!(", not before {}", moment(at)));
    }
    if let Some(at) = e.expires_at {
        sentence.push_str(&format!(", worth nothing after {}", moment(at)));
    }
    if e.sandbox {
        sentence.push_str(", in the sandbox: no provider is called");
    }
    facts.first().map_or_else(|| sentence.clone(), |fact| format!("{sentence}; {}", fact.sentence))
}
