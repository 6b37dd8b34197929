#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::calendar::{LocalTime, Weekday, WeeklyWindow, WeeklyWindows};
use crate::category::Category;
use crate::event::{EventBody, Personal};
use crate::values::{AddressId, CategoryKey, Channel, DAY_MS, RecipientId, Rule, TopicKey};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

type Test = TestFramework<Subscription>;

const RECIPIENT: RecipientId = RecipientId(Uuid::from_u128(1));

fn orders() -> CategoryKey {
    CategoryKey::new("orders").unwrap()
}

fn command(scope: Scope, subscribed: bool) -> SetSubscription {
    let (by, source, evidence) = (ChangedBy::Recipient, Source::Api, Evidence::default());
    SetSubscription { recipient: RECIPIENT, scope, subscribed, by, source, evidence, required: false }
}

fn set(scope: Scope, subscribed: bool) -> SubscriptionCommand {
    command(scope, subscribed).into()
}

fn off(scope: Scope) -> SubscriptionEvent {
    let (by, source, personal) = (ChangedBy::Recipient, Source::Api, Personal::Erased);
    SubscriptionEvent::Unsubscribed(Unsubscribed { recipient: Some(RECIPIENT), scope, by, source, personal })
}

fn on(scope: Scope) -> SubscriptionEvent {
    let (by, source, personal) = (ChangedBy::Recipient, Source::Api, Personal::Erased);
    SubscriptionEvent::Resubscribed(Resubscribed { recipient: Some(RECIPIENT), scope, by, source, personal })
}

fn category(required: bool, subscribed_by_default: bool) -> Category {
    Category { exists: true, required, subscribed_by_default, ..Category::default() }
}

fn on_email(scope_channel: Channel) -> Scope {
    Scope::CategoryChannel { category: orders(), channel: scope_channel }
}

#[test]
fn switching_off_is_recorded_once() {
    let scope = Scope::Channel(Channel::Email);
    Test::with(()).given_no_previous_events().when(set(scope.clone(), false)).then_expect_events(vec![off(scope.clone())]);
    Test::with(()).given(vec![off(scope.clone())]).when(set(scope, false)).then_expect_events(vec![]);
}

#[test]
fn switching_on_is_news_only_where_it_may_be_consent() {
    Test::with(()).given_no_previous_events().when(set(Scope::All, true)).then_expect_events(vec![]);
    let scope = Scope::Category(orders());
    Test::with(()).given_no_previous_events().when(set(scope.clone(), true)).then_expect_events(vec![on(scope.clone())]);
    Test::with(()).given(vec![on(scope.clone())]).when(set(scope, true)).then_expect_events(vec![]);
    Test::with(()).given(vec![off(Scope::All)]).when(set(Scope::All, true)).then_expect_events(vec![on(Scope::All)]);
}

#[test]
fn whoever_leaves_a_category_leaves_it_on_every_channel() {
    let (category_off, email) = (off(Scope::Category(orders())), on(on_email(Channel::Email)));
    let elsewhere = on(Scope::CategoryChannel { category: CategoryKey::new("news").unwrap(), channel: Channel::Email });
    let off_email = off(on_email(Channel::Email));
    Test::with(())
        .given(vec![email.clone(), off(on_email(Channel::Webhook)), elsewhere])
        .when(set(Scope::Category(orders()), false))
        .then_expect_events(vec![category_off.clone(), off_email.clone()]);
    // Also where the category itself was off already.
    let given = vec![category_off, email];
    Test::with(()).given(given.clone()).when(set(Scope::Category(orders()), false)).then_expect_events(vec![off_email.clone()]);
    let state = Subscription::replay(given.iter().chain([&off_email]));
    assert_eq!(state.verdict(&orders(), &category(false, true), Channel::Email, None), Verdict::Forbidden(Rule::OptedOutOfCategoryChannel));
}

#[test]
fn who_comes_back_gets_what_the_page_speaks_of() {
    let back = |source| SetSubscription { source, ..command(Scope::Category(orders()), true) };
    let given = [on(on_email(Channel::Email)), off(Scope::Category(orders())), off(on_email(Channel::Email)), off(on_email(Channel::Webhook))];
    let after = |source| {
        let mut state = Subscription::replay(&given);
        state.decide(back(source).into()).unwrap().iter().for_each(|event| state.evolve(event));
        [Channel::Email, Channel::Webhook].map(|channel| state.verdict(&orders(), &category(false, true), channel, None))
    };
    let allowed = Verdict::Allowed(Rule::OptedIn);
    let webhook = Verdict::Forbidden(Rule::OptedOutOfCategoryChannel);
    assert_eq!(after(Source::UnsubscribeLink), [allowed, webhook]);
    assert_eq!(after(Source::PreferencePage), [allowed, allowed], "it shows categories whole");
    assert_eq!(after(Source::Api), [webhook, webhook], "it has a switch for each");
}

#[test]
fn a_required_category_cannot_be_switched_off() {
    for scope in [Scope::Category(orders()), on_email(Channel::Email)] {
        let command = SetSubscription { required: true, ..command(scope, false) };
        Test::with(()).given_no_previous_events().when(command.into()).then_expect_error(SubscriptionRefusal::RequiredCategory);
    }
}

#[test]
fn the_strongest_choice_decides() {
    let topic = TopicKey::new("seoul").unwrap();
    let verdict =
        |events: &[SubscriptionEvent], by_default| Subscription::replay(events).verdict(&orders(), &category(false, by_default), Channel::Email, Some(&topic));
    let category = || Scope::Category(orders());
    assert_eq!(verdict(&[], true), Verdict::Allowed(Rule::DefaultOptIn));
    assert_eq!(verdict(&[], false), Verdict::Forbidden(Rule::NotOptedIn));
    assert_eq!(verdict(&[off(category())], true), Verdict::Forbidden(Rule::OptedOutOfCategory));
    assert_eq!(verdict(&[off(Scope::Channel(Channel::Email))], true), Verdict::Forbidden(Rule::OptedOutOfChannel));
    assert_eq!(verdict(&[off(Scope::Channel(Channel::Webhook))], true), Verdict::Allowed(Rule::DefaultOptIn));
    assert_eq!(verdict(&[on(category()), off(Scope::All)], true), Verdict::Forbidden(Rule::OptedOutOfAll));
    assert_eq!(verdict(&[on(category()), off(Scope::All), on(Scope::All)], false), Verdict::Allowed(Rule::OptedIn));
    assert_eq!(verdict(&[off(Scope::All), on(Scope::All)], false), Verdict::Forbidden(Rule::NotOptedIn));
    assert_eq!(verdict(&[on(category()), off(on_email(Channel::Email))], true), Verdict::Forbidden(Rule::OptedOutOfCategoryChannel));
    assert_eq!(verdict(&[off(category()), on(on_email(Channel::Email))], false), Verdict::Allowed(Rule::OptedIn));
    assert_eq!(verdict(&[off(category()), on(on_email(Channel::Webhook))], true), Verdict::Forbidden(Rule::OptedOutOfCategory));
    assert_eq!(verdict(&[on(category()), off(Scope::Topic(topic.clone()))], true), Verdict::Forbidden(Rule::OptedOutOfTopic));
}

#[test]
fn a_required_category_passes_every_switch_but_the_channels() {
    let verdict = |scope| Subscription::replay(&[off(scope)]).verdict(&orders(), &category(true, true), Channel::Email, None);
    for scope in [Scope::All, Scope::Category(orders()), on_email(Channel::Email)] {
        assert_eq!(verdict(scope), Verdict::Allowed(Rule::RequiredCategory));
    }
    assert_eq!(verdict(Scope::Channel(Channel::Email)), Verdict::Forbidden(Rule::OptedOutOfChannel));
}

#[test]
fn a_device_is_on_until_it_is_switched_off() {
    let (this, other) = (AddressId(Uuid::from_u128(7)), AddressId(Uuid::from_u128(8)));
    let state = Subscription::replay(&[off(Scope::Device(this))]);
    assert!(!state.device_allowed(this) && state.device_allowed(other));
    assert!(Subscription::replay(&[off(Scope::Device(this)), on(Scope::Device(this))]).device_allowed(this));
}

#[test]
fn evidence_is_sealed_and_comes_back() {
    let evidence = Evidence { text: Some("I agree".to_owned()), ip: Some("192.0.2.1".to_owned()), ..Evidence::default() };
    let set = SetSubscription { evidence, ..command(Scope::Category(orders()), true) };
    let event = Subscription::default().decide(set.into()).unwrap().remove(0);
    let (mut payload, mut personal) = (Vec::new(), Vec::new());
    event.encode(&mut payload);
    assert!(event.encode_personal(&mut personal));
    assert_eq!(event.subject(), Some(RECIPIENT));
    assert!(!String::from_utf8(payload.clone()).unwrap().contains("192.0.2.1"));
    assert_eq!(SubscriptionEvent::decode("Resubscribed", 3, &payload, Some(&personal)).unwrap(), event);
    let long = Evidence { text: Some("x".repeat(4_001)), ..Evidence::default() };
    let set = SetSubscription { evidence: long, ..command(Scope::All, false) };
    Test::with(()).given_no_previous_events().when(set.into()).then_expect_error(SubscriptionRefusal::Evidence);
}

fn daily(from: &str, until: &str) -> WeeklyWindows {
    let (from, to) = (LocalTime::new(from).unwrap(), LocalTime::new(until).unwrap());
    WeeklyWindows::new(vec![WeeklyWindow { days: Weekday::ALL.into_iter().collect(), from, to }]).unwrap()
}

#[test]
fn hours_that_leave_no_moment_are_refused() {
    let hours =
        |quiet, allowed| SubscriptionCommand::SetQuietHours { quiet_hours: Some(quiet), allowed: Some(allowed), by: ChangedBy::Recipient, source: Source::Api };
    Test::with(())
        .given_no_previous_events()
        .when(hours(daily("21:00", "08:00"), daily("22:00", "07:00")))
        .then_expect_error(SubscriptionRefusal::NeverAllowed);
    let done = Subscription::default().decide(hours(daily("21:00", "08:00"), daily("07:00", "09:00"))).unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(Subscription::replay(&done).decide(hours(daily("21:00", "08:00"), daily("07:00", "09:00"))).unwrap(), vec![]);
}

#[test]
fn do_not_disturb_lies_ahead_and_ends() {
    let until = |until| SubscriptionCommand::SetDoNotDisturb { until, now: 1_000, by: ChangedBy::Recipient, source: Source::PreferencePage };
    Test::with(()).given_no_previous_events().when(until(Some(1_000))).then_expect_error(SubscriptionRefusal::PastDoNotDisturb);
    Test::with(()).given_no_previous_events().when(until(Some(400 * DAY_MS))).then_expect_error(SubscriptionRefusal::LongDoNotDisturb);
    Test::with(()).given_no_previous_events().when(until(None)).then_expect_events(vec![]);
    assert_eq!(Subscription::default().decide(until(Some(5_000))).unwrap().len(), 1);
}

#[test]
fn a_state_survives_storage() {
    let state = Subscription::replay(&[off(Scope::All), on(on_email(Channel::Email)), off(Scope::Device(AddressId(Uuid::from_u128(7))))]);
    assert_eq!(serde_json::from_str::<Subscription>(&serde_json::to_string(&state).unwrap()).unwrap(), state);
}

#[test]
fn whoever_is_not_to_be_watched_gets_the_same_and_whoever_wants_nothing_is_not_watched_either() {
    Test::with(()).given_no_previous_events().when(set(Scope::Tracking, false)).then_expect_events(vec![off(Scope::Tracking)]);
    Test::with(()).given_no_previous_events().when(set(Scope::Tracking, true)).then_expect_events(vec![]);
    let watched = |events: &[SubscriptionEvent]| Subscription::replay(events).may_be_tracked();
    assert!(watched(&[]));
    assert!(!watched(&[off(Scope::Tracking)]));
    assert!(!watched(&[off(Scope::All)]));
    assert!(watched(&[off(Scope::Tracking), on(Scope::Tracking)]));
    let state = Subscription::replay(&[off(Scope::Tracking)]);
    assert_eq!(state.verdict(&orders(), &category(false, true), Channel::Email, None), Verdict::Allowed(Rule::DefaultOptIn));
}
