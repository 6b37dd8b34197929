//! What would become of requests, and why: decided like any other, and nothing is written.

use super::input::SendNotificationInput;
use crate::graphql::context::{sender, services};
use crate::graphql::error::{failure, log_error};
use crate::graphql::names::{Channel, rule_name};
use crate::graphql::problem::Refused;
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use domain::policy::deciding::{Considered, Decided, Decision, Finding, Step};
use domain::values::{Millis, Rule};
use projections::explain::rule_words;

/// Requests that are looked at in one preview.
const MOST: usize = 100;

/// What would be done.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewOutcome {
    /// It would go out at once.
    Deliver,
    /// It would wait, for its time or the end of quiet hours.
    Defer,
    /// It would wait for a place under a limit.
    Hold,
    /// A digest would collect it.
    Digest,
    /// It would not be sent.
    Suppress,
    /// It would be too late.
    Expire,
}

/// A delivery that there would be.
#[derive(SimpleObject)]
pub struct PreviewDelivery {
    channel: Channel,
    /// Id of the device or address, where the channel has one.
    address: Option<ID>,
    /// The rule that allows it.
    rule: String,
}

/// One question and what it came to.
#[derive(SimpleObject)]
pub struct PreviewStep {
    /// The question, e.g. `consent`.
    question: &'static str,
    /// Whether it was passed; else this stops it, on this channel and address or altogether.
    passes: bool,
    /// By which rule.
    rule: Option<String>,
    channel: Option<Channel>,
    /// Id of the device or address.
    address: Option<ID>,
    /// The moment that it turned on: expiry, end of quiet hours, next free place.
    moment: Option<DateTime<Utc>>,
    /// The same in words.
    words: String,
}

/// What would become of a request now.
#[derive(SimpleObject)]
pub struct Preview {
    outcome: PreviewOutcome,
    /// The rule that decides.
    rule: String,
    /// Version of the rules.
    rules_version: i32,
    /// Until when it would wait.
    until: Option<DateTime<Utc>>,
    /// The deliveries that there would be at once.
    deliveries: Vec<PreviewDelivery>,
    /// What was considered, in order.
    considered: Vec<PreviewStep>,
}

/// What would become of it, or why it would be refused.
#[derive(Union)]
pub enum PreviewResult {
    /// It would be accepted.
    Decided(Preview),
    /// It would be refused.
    Refused(Refused),
}

fn time(at: Millis) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

fn words(considered: &Considered) -> String {
    let question = match considered.question.name() {
        "erased" => "Is the recipient still there?",
        "expired" => "Is it in time?",
        "content" => "Is the content new to the recipient?",
        "not_before" => "Is it time to send it?",
        "consent" => "Does the recipient want it here?",
        "address" => "May this address be used?",
        "reach" => "Is there a way to reach the recipient?",
        "quiet" => "May the recipient be disturbed?",
        "limits" => "Is there a free place under the limits?",
        "digest" => "Does it go out on its own?",
        _ => "Does it go out?",
    };
    let answer = if considered.finding == Finding::Passes { "yes" } else { "no" };
    let mut text = format!("{question} {answer}");
    if let Some(channel) = considered.channel {
        text.push_str(&format!(", on {}", channel.name()));
    }
    if let Some(rule) = considered.rule {
        text.push_str(&format!(": {}", rule_words(rule)));
    }
    if let Some(at) = considered.moment.and_then(time) {
        text.push_str(&format!(" (until {})", at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    text
}

fn shown(decision: &Decision, considered: &[Considered]) -> Preview {
    let (outcome, until) = match &decision.outcome {
        Decided::Deliver { .. } => (PreviewOutcome::Deliver, None),
        Decided::Defer { until, rule: Rule::OverLimit, .. } => (PreviewOutcome::Hold, Some(*until)),
        Decided::Defer { until, .. } => (PreviewOutcome::Defer, Some(*until)),
        Decided::Digest { .. } => (PreviewOutcome::Digest, None),
        Decided::Suppress { .. } => (PreviewOutcome::Suppress, None),
        Decided::Expire => (PreviewOutcome::Expire, None),
    };
    let steps = if let Decided::Deliver { steps, .. } = &decision.outcome { steps.as_slice() } else { &[] };
    let delivery = |step: &Step| match step {
        Step::Deliver { channel, address, rule } => {
            Some(PreviewDelivery { channel: (*channel).into(), address: address.map(|id| ID(id.to_string())), rule: rule_name(*rule) })
        }
        Step::Skip { .. } => None,
    };
    let step = |considered: &Considered| PreviewStep {
        question: considered.question.name(),
        passes: considered.finding == Finding::Passes,
        rule: considered.rule.map(rule_name),
        channel: considered.channel.map(Into::into),
        address: considered.address.map(|id| ID(id.to_string())),
        moment: considered.moment.and_then(time),
        words: words(considered),
    };
    Preview {
        outcome,
        rule: rule_name(decision.rule()),
        rules_version: i32::from(Rule::VERSION),
        until: until.and_then(time),
        deliveries: steps.iter().filter_map(delivery).collect(),
        considered: considered.iter().map(step).collect(),
    }
}

/// Looking ahead.
#[derive(Default)]
pub struct PreviewQuery;

#[Object]
impl PreviewQuery {
    /// What would become of requests if they were sent now, and why: each as though it were the only
    /// one. Nothing is written, and idempotency keys make no difference.
    #[graphql(complexity = "10 + child_complexity")]
    async fn preview_decision(&self, ctx: &Context<'_>, #[graphql(desc = "At most 100.")] input: Vec<SendNotificationInput>) -> Result<Vec<PreviewResult>> {
        let scope = sender(ctx)?;
        if input.len() > MOST {
            return Err(failure("LIST_TOO_LONG", format!("A preview looks at {MOST} requests at most; ask about a sample of them.")));
        }
        let acceptor = &services(ctx)?.engine.acceptor;
        let mut results = Vec::with_capacity(input.len());
        for item in input {
            results.push(match item.request(&scope) {
                Err(refused) => PreviewResult::Refused(refused),
                Ok(request) => match acceptor.preview(request).await.map_err(log_error)? {
                    Ok((decision, considered)) => PreviewResult::Decided(shown(&decision, &considered)),
                    Err(refusal) => PreviewResult::Refused(refusal.into()),
                },
            });
        }
        Ok(results)
    }
}
