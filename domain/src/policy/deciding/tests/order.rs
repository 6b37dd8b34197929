//! The questions, one by one, and which stands before which.

use super::*;
use crate::category::{OverLimit, QuietHoursBehaviour};
use crate::policy::deciding::{Finding, FollowUp, Question, explain, plan_of};
use crate::values::{ChannelPlan, DigestSettings, DigestWindow, NextStep, NextWhen, PlanStep, TopicKey};

fn everybody() -> Vec<Step> {
    vec![to(Channel::AndroidPush, PHONE), to(Channel::AndroidPush, TABLET), to(Channel::Email, MAIL)]
}

fn plan() -> ChannelPlan {
    let step = |channel, next| PlanStep { channels: vec![channel], next };
    let next = Some(NextStep { after: 600_000, when: NextWhen::NotSeen });
    ChannelPlan { steps: vec![step(Channel::Webhook, next), step(Channel::AndroidPush, next), step(Channel::Email, None)] }
}

#[test]
fn without_rules_it_goes_to_all_addresses_of_the_default_channels() {
    assert_eq!(World::new().outcome(|_| {}), deliver(everybody()));
}

#[test]
fn erasure_and_expiry_come_before_all_else() {
    let mut world = World::new().off(Scope::All);
    assert_eq!(world.outcome(|ask| ask.expires_at = Some(NOW)), Decided::Expire);
    world.recipient.erased = true;
    assert_eq!(world.outcome(|ask| ask.expires_at = Some(NOW)), suppressed(Rule::RecipientErased));
}

#[test]
fn the_same_content_within_the_window_is_told_once() {
    let mut world = World::new();
    let content = Uuid::from_u128(77);
    world.place(None, Some(content), false);
    assert_eq!(world.outcome(|ask| ask.content = Some(content)), deliver(everybody()));
    world.category.dedup_window = Some(60_000);
    assert_eq!(world.outcome(|ask| ask.content = Some(content)), suppressed(Rule::DuplicateContent));
    assert_eq!(world.outcome(|ask| ask.content = Some(Uuid::from_u128(78))), deliver(everybody()));
    let key = key();
    let ask = Ask { content: Some(Uuid::from_u128(78)), ..Ask::plain(&key, Priority::Normal) };
    let count = world.decide(&ask, NOW).count.unwrap();
    assert_eq!((count.at, count.content), (None, Some(Uuid::from_u128(78))));
}

#[test]
fn consent_stands_before_quiet_hours_and_limits() {
    let mut world = World::new().off(Scope::All);
    world.subscription.do_not_disturb_until = Some(NOW + HOUR);
    world.category.limits = vec![limit(1, HOUR)];
    world.place(Some(NOW), None, false);
    assert!(matches!(world.outcome(|_| {}), Decided::Suppress { rule: Rule::OptedOutOfAll, .. }));
    world.subscription.switches.clear();
    assert!(matches!(world.outcome(|_| {}), Decided::Defer { rule: Rule::DoNotDisturb, .. }));
    world.subscription.do_not_disturb_until = None;
    assert!(matches!(world.outcome(|_| {}), Decided::Defer { rule: Rule::OverLimit, .. }));
}

#[test]
fn a_device_a_topic_and_a_suppressed_address_are_left_out() {
    let mut world = World::new().off(Scope::Device(TABLET));
    world.suppressed = vec![MAIL];
    let steps = vec![
        to(Channel::AndroidPush, PHONE),
        skip(Channel::AndroidPush, Some(TABLET), Rule::OptedOutOfDevice),
        skip(Channel::Email, Some(MAIL), Rule::AddressSuppressed),
    ];
    assert_eq!(world.outcome(|_| {}), deliver(steps));
    let topic = TopicKey::new("seoul").unwrap();
    let world = World::new().off(Scope::Topic(topic.clone()));
    let topic = Some(&topic);
    let key = key();
    assert_eq!(world.decide(&Ask { topic, ..Ask::plain(&key, Priority::Normal) }, NOW).rule(), Rule::OptedOutOfTopic);
    assert_eq!(world.outcome(|_| {}), deliver(everybody()));
}

#[test]
fn who_can_be_reached_nowhere_is_told_why() {
    let mut world = World::new();
    assert_eq!(world.outcome(|ask| ask.channels = Some(&[Channel::Webhook])), {
        Decided::Suppress { rule: Rule::NoAddress, steps: vec![skip(Channel::Webhook, None, Rule::NoAddress)] }
    });
    world.recipient.addresses.clear();
    assert_eq!(world.outcome(|_| {}), suppressed(Rule::NoAddress));
    let world = World::new().off(Scope::Channel(Channel::Email)).off(Scope::Device(PHONE)).off(Scope::Device(TABLET));
    assert!(matches!(world.outcome(|_| {}), Decided::Suppress { rule: Rule::NoChannel, steps } if steps.len() == 3));
}

#[test]
fn preferred_channels_narrow_what_the_sender_left_open() {
    let mut world = World::new();
    world.subscription.preferred_channels = vec![Channel::Email];
    assert_eq!(world.outcome(|_| {}), deliver(vec![to(Channel::Email, MAIL)]));
    assert_eq!(
        world.outcome(|ask| ask.channels = Some(&[Channel::AndroidPush])),
        deliver(vec![to(Channel::AndroidPush, PHONE), to(Channel::AndroidPush, TABLET)])
    );
    world.subscription.preferred_channels = vec![Channel::Webhook];
    assert_eq!(world.outcome(|_| {}), deliver(everybody()));
}

#[test]
fn a_plan_begins_with_the_first_step_that_reaches_somebody() {
    let (world, plan) = (World::new(), plan());
    let next = |step| Some(FollowUp { step, due: NOW + 600_000, when: NextWhen::NotSeen });
    let push = vec![to(Channel::AndroidPush, PHONE), to(Channel::AndroidPush, TABLET)];
    let first = [vec![skip(Channel::Webhook, None, Rule::NoAddress)], push.clone()].concat();
    let key = key();
    let ask = |step| Ask { plan: Some(&plan), step, ..Ask::plain(&key, Priority::Normal) };
    assert_eq!(world.decide(&ask(None), NOW).outcome, Decided::Deliver { steps: first, taken: 1, next: next(2) });
    assert_eq!(world.decide(&ask(Some(1)), NOW).outcome, Decided::Deliver { steps: push, taken: 1, next: next(2) });
    let last = Decided::Deliver { steps: vec![to(Channel::Email, MAIL)], taken: 2, next: None };
    assert_eq!(world.decide(&ask(Some(2)), NOW).outcome, last);
    let world = world.off(Scope::Channel(Channel::Email));
    assert_eq!(world.decide(&ask(Some(2)), NOW).rule(), Rule::OptedOutOfChannel);
    assert_eq!(world.decide(&ask(Some(3)), NOW).rule(), Rule::NoAddress);
}

#[test]
fn a_plan_is_the_requests_own_or_the_categorys_unless_channels_were_named() {
    let category = Category { plan: Some(plan()), ..Category::default() };
    let own = ChannelPlan::default();
    assert_eq!(plan_of(Some(&own), false, &category), Some(&own));
    assert_eq!(plan_of(None, false, &category), category.plan.as_ref());
    assert_eq!(plan_of(None, true, &category), None);
}

#[test]
fn over_the_limit_it_waits_for_its_place_is_collected_or_not_sent() {
    let mut world = World::new();
    world.category.limits = vec![limit(1, HOUR)];
    let key = key();
    let ask = Ask { digest: Some(DIGEST), ..Ask::plain(&key, Priority::Normal) };
    let free = world.decide(&ask, NOW);
    assert_eq!((free.outcome, free.count.unwrap().at), (deliver(everybody()), Some(NOW)));
    world.place(Some(NOW), None, false);
    let held = world.decide(&ask, NOW + 1);
    let until = NOW + HOUR;
    assert_eq!(held.outcome, Decided::Defer { until, rule: Rule::OverLimit, limit: Some(limit(1, HOUR)) });
    assert_eq!(held.count.unwrap().at, Some(until));
    // With its place it waits no longer, and is not counted again.
    world.place(Some(until), None, false);
    let due = world.decide(&Ask { place: Some(until), ..ask }, until);
    assert_eq!((due.outcome, due.count), (deliver(everybody()), None));
    // Who will be worth nothing by then takes nobody's place.
    let late = world.decide(&Ask { expires_at: Some(until), ..ask }, NOW + 1);
    assert_eq!(late.outcome, Decided::Defer { until, rule: Rule::OverLimit, limit: None });
    assert_eq!(late.count, None);
    world.category.over_limit = OverLimit::Suppress;
    assert_eq!(world.decide(&ask, NOW + 1).outcome, suppressed(Rule::OverLimit));
    world.category.over_limit = OverLimit::Digest;
    world.category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 5, template: None });
    assert_eq!(world.decide(&ask, NOW + 1).outcome, Decided::Digest { digest: DIGEST, window: 4, rule: Rule::OverLimit });
    assert!(matches!(world.decide(&Ask { digest: None, ..ask }, NOW + 1).outcome, Decided::Defer { .. }));
}

#[test]
fn critical_ones_pass_and_required_ones_are_not_held_for_others() {
    let mut world = World::new();
    world.overall = vec![limit(1, HOUR)];
    world.place(Some(NOW), None, false);
    world.subscription.do_not_disturb_until = Some(NOW + HOUR);
    let critical = |ask: &mut Ask<'_>| {
        ask.priority = Priority::Critical;
        ask.digest = Some(DIGEST);
    };
    assert_eq!(world.outcome(critical), deliver(everybody()));
    world.subscription.do_not_disturb_until = None;
    assert!(matches!(world.outcome(|_| {}), Decided::Defer { rule: Rule::OverLimit, .. }));
    world.category.required = true;
    assert!(matches!(world.outcome(|_| {}), Decided::Deliver { .. }));
    world.category.limits = vec![limit(5, HOUR)];
    let key = key();
    assert!(world.decide(&Ask::plain(&key, Priority::Normal), NOW).count.unwrap().alone);
}

#[test]
fn a_category_that_collects_everything_takes_no_places() {
    let mut world = World::new();
    world.category.limits = vec![limit(1, HOUR)];
    world.place(Some(NOW), None, false);
    world.category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 5, template: None });
    assert_eq!(world.outcome(|ask| ask.digest = Some(DIGEST)), Decided::Digest { digest: DIGEST, window: 4, rule: Rule::Digested });
    world.subscription.do_not_disturb_until = Some(NOW + HOUR);
    assert!(matches!(world.outcome(|ask| ask.digest = Some(DIGEST)), Decided::Defer { rule: Rule::DoNotDisturb, .. }));
}

#[test]
fn quiet_hours_are_observed_as_the_category_says_and_not_in_the_app() {
    let mut world = World::new();
    world.subscription.do_not_disturb_until = Some(NOW + HOUR);
    assert!(matches!(world.outcome(|ask| ask.channels = Some(&[Channel::InApp])), Decided::Deliver { .. }));
    world.category.quiet_hours = QuietHoursBehaviour::Suppress;
    assert_eq!(world.outcome(|_| {}), suppressed(Rule::DoNotDisturb));
    world.category.quiet_hours = QuietHoursBehaviour::Ignore;
    assert_eq!(world.outcome(|_| {}), deliver(everybody()));
}

#[test]
fn an_explanation_decides_the_same_and_names_each_question() {
    let mut world = World::new().off(Scope::Device(TABLET));
    world.category.limits = vec![limit(1, HOUR)];
    world.place(Some(NOW), None, false);
    let key = key();
    let ask = Ask::plain(&key, Priority::Normal);
    let (decision, considered) = world.with(|facts| explain(&ask, facts, NOW + 1));
    assert_eq!(decision, world.decide(&ask, NOW + 1));
    let last = considered.last().unwrap();
    assert_eq!((last.question, last.finding, last.rule, last.moment), (Question::Limits, Finding::Stops, Some(Rule::OverLimit), Some(NOW + HOUR)));
    assert!(considered.iter().any(|one| one.question == Question::Address && one.address == Some(TABLET) && one.rule == Some(Rule::OptedOutOfDevice)));
}
