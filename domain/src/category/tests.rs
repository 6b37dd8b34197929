#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::calendar::Period;
use crate::values::{
    CategoryKey, Channel, ChannelPlan, DAY_MS, DigestError, DigestSettings, DigestWindow, Limit, LimitError, LimitWindow, NextStep, NextWhen, PlanError,
    PlanStep, Priority, SentFrom, SentFromError,
};
use cqrs_es::test::TestFramework;

type Test = TestFramework<Category>;

fn define(name: &str, channels: Vec<Channel>) -> DefineCategory {
    DefineCategory::plain(CategoryKey::new("orders").unwrap(), name.to_owned(), String::new(), false, channels, Priority::High)
}

fn defined() -> CategoryEvent {
    CategoryEvent::CategoryDefined(CategoryDefined {
        key: CategoryKey::new("orders").unwrap(),
        name: "Orders".to_owned(),
        description: String::new(),
        required: false,
        default_channels: vec![Channel::Email],
        priority: Priority::High,
        subscribed_by_default: true,
        plan: None,
        dedup_window: None,
        limits: Vec::new(),
        over_limit: OverLimit::Hold,
        quiet_hours: QuietHoursBehaviour::Defer,
        digest: None,
        time_to_live: None,
        tracking: Tracking::default(),
        from: SentFrom::default(),
    })
}

#[test]
fn defining_it_the_same_way_again_changes_nothing() {
    Test::with(()).given_no_previous_events().when(define("Orders", vec![Channel::Email, Channel::Email])).then_expect_events(vec![defined()]);
    Test::with(()).given(vec![defined()]).when(define("Orders", vec![Channel::Email])).then_expect_events(vec![]);
}

#[test]
fn a_category_without_name_or_channels_is_refused() {
    Test::with(()).given_no_previous_events().when(define(" ", vec![Channel::Email])).then_expect_error(CategoryRefusal::Text);
    Test::with(()).given_no_previous_events().when(define("Orders", vec![])).then_expect_error(CategoryRefusal::NoChannels);
}

fn refused(change: impl FnOnce(&mut DefineCategory)) -> CategoryRefusal {
    let mut command = define("Orders", vec![Channel::Email]);
    change(&mut command);
    Category::default().decide(command).unwrap_err()
}

fn step(channels: &[Channel], after: Option<i64>) -> PlanStep {
    PlanStep { channels: channels.to_vec(), next: after.map(|after| NextStep { after, when: NextWhen::NotSeen }) }
}

fn plan(steps: Vec<PlanStep>) -> CategoryRefusal {
    refused(|command| command.plan = Some(ChannelPlan { steps }))
}

#[test]
fn each_definition_is_a_version() {
    let mut state = Category::replay(&[defined()]);
    assert_eq!(state.version, 1);
    let events = state.decide(define("Your orders", vec![Channel::Email])).unwrap();
    events.iter().for_each(|event| state.evolve(event));
    assert_eq!((state.version, state.name.as_str()), (2, "Your orders"));
    assert_eq!(state.decide(define("Your orders", vec![Channel::Email])).unwrap(), vec![]);
}

#[test]
fn watching_its_mails_is_off_until_a_new_version_says_so() {
    let mut state = Category::replay(&[defined()]);
    assert!(state.tracking.is_off());
    let mut command = define("Orders", vec![Channel::Email]);
    command.tracking = Tracking { opens: true, clicks: false };
    let events = state.decide(command.clone()).unwrap();
    events.iter().for_each(|event| state.evolve(event));
    assert_eq!((state.version, state.tracking), (2, Tracking { opens: true, clicks: false }));
    assert_eq!(state.decide(command).unwrap(), vec![]);
}

#[test]
fn a_plan_that_goes_round_stops_half_way_or_leads_nowhere_is_refused() {
    use Channel::{Email, InApp, Webhook};
    assert_eq!(plan(vec![]), PlanError::Steps(0).into());
    assert_eq!(plan(vec![step(&[Email], Some(1_000)); 6]), PlanError::Steps(6).into());
    assert_eq!(plan(vec![step(&[], None)]), PlanError::EmptyStep(1).into());
    assert_eq!(plan(vec![step(&[InApp, Email], Some(60_000)), step(&[Email], None)]), PlanError::Cycle(Email).into());
    assert_eq!(plan(vec![step(&[InApp], None), step(&[Email], None)]), PlanError::NoNext(1).into());
    assert_eq!(plan(vec![step(&[InApp], Some(1_000))]), PlanError::NextOfLast.into());
    assert_eq!(plan(vec![step(&[InApp], Some(999)), step(&[Email], None)]), PlanError::Wait(1).into());
    let mut command = define("Orders", vec![Email]);
    command.plan = Some(ChannelPlan { steps: vec![step(&[InApp], Some(1_000)), step(&[Email, Webhook], None)] });
    assert_eq!(Category::default().decide(command).map(|events| events.len()), Ok(1));
}

#[test]
fn limits_of_zero_and_impossible_windows_are_refused() {
    let limits = |most, per| refused(|command| command.limits = vec![Limit { most, per }]);
    assert_eq!(limits(0, LimitWindow::Calendar(Period::Day)), LimitError::Zero.into());
    assert_eq!(limits(101, LimitWindow::Calendar(Period::Day)), LimitError::TooHigh(101).into());
    assert_eq!(limits(1, LimitWindow::Sliding(0)), LimitError::Window.into());
    assert_eq!(limits(1, LimitWindow::Sliding(32 * DAY_MS)), LimitError::Window.into());
    assert_eq!(refused(|command| command.limits = vec![Limit { most: 1, per: LimitWindow::Sliding(1_000) }; 6]), LimitError::TooMany(6).into());
    assert_eq!(refused(|command| command.dedup_window = Some(7 * DAY_MS + 1)), CategoryRefusal::DedupWindow);
    assert_eq!(refused(|command| command.time_to_live = Some(0)), CategoryRefusal::TimeToLive);
    assert_eq!(refused(|command| command.over_limit = OverLimit::Digest), CategoryRefusal::NoDigest);
    let digest = |window, max_items| refused(|command| command.digest = Some(DigestSettings { window, max_items, template: None }));
    assert_eq!(digest(DigestWindow::Fixed { millis: 0 }, 5), DigestError::Window.into());
    assert_eq!(digest(DigestWindow::Sliding { millis: 60_000, at_most: 1_000 }, 5), DigestError::AtMost.into());
    assert_eq!(digest(DigestWindow::Fixed { millis: 60_000 }, 0), DigestError::Items(0).into());
    assert_eq!(
        refused(|command| {
            command.required = true;
            command.subscribed_by_default = false;
        }),
        CategoryRefusal::RequiredOptIn
    );
}

#[test]
fn whom_its_messages_come_from_is_checked_and_recorded() {
    let from = SentFrom { sms: Some("ACME".to_owned()), ..SentFrom::default() };
    let CategoryEvent::CategoryDefined(mut recorded) = defined();
    recorded.from = from.clone();
    let mut command = define("Orders", vec![Channel::Email]);
    command.from = from;
    Test::with(()).given(vec![defined()]).when(command).then_expect_events(vec![CategoryEvent::CategoryDefined(recorded)]);
    assert_eq!(refused(|command| command.from.voice = Some("ACME".to_owned())), CategoryRefusal::From(SentFromError::Voice));
}
