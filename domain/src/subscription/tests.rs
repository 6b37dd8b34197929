#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Channel, Rule};
use cqrs_es::test::TestFramework;

type Test = TestFramework<Subscription>;

fn orders() -> CategoryKey {
    CategoryKey::new("orders").unwrap()
}

fn set(scope: Scope, subscribed: bool) -> SetSubscription {
    SetSubscription { scope, subscribed, by: ChangedBy::Recipient, required: false }
}

fn off(scope: Scope) -> SubscriptionEvent {
    SubscriptionEvent::Unsubscribed(Unsubscribed { scope, by: ChangedBy::Recipient })
}

#[test]
fn switching_off_is_recorded_once() {
    let scope = Scope::Channel(Channel::Email);
    Test::with(()).given_no_previous_events().when(set(scope.clone(), false)).then_expect_events(vec![off(scope.clone())]);
    Test::with(()).given(vec![off(scope.clone())]).when(set(scope, false)).then_expect_events(vec![]);
}

#[test]
fn switching_on_what_is_on_changes_nothing() {
    Test::with(()).given_no_previous_events().when(set(Scope::All, true)).then_expect_events(vec![]);
}

#[test]
fn a_required_category_cannot_be_switched_off() {
    let command = SetSubscription { required: true, ..set(Scope::Category(orders()), false) };
    Test::with(()).given_no_previous_events().when(command).then_expect_error(SubscriptionRefusal::RequiredCategory);
}

#[test]
fn the_narrowest_rule_that_forbids_is_named() {
    let verdict = |events: &[SubscriptionEvent], required| Subscription::replay(events).verdict(&orders(), required, Channel::Email);
    assert_eq!(verdict(&[], false), Verdict::Allowed(Rule::DefaultOptIn));
    assert_eq!(verdict(&[off(Scope::Category(orders()))], false), Verdict::Forbidden(Rule::OptedOutOfCategory));
    assert_eq!(verdict(&[off(Scope::Channel(Channel::Email))], false), Verdict::Forbidden(Rule::OptedOutOfChannel));
    assert_eq!(verdict(&[off(Scope::Channel(Channel::Webhook))], false), Verdict::Allowed(Rule::DefaultOptIn));
    assert_eq!(verdict(&[off(Scope::All)], false), Verdict::Forbidden(Rule::OptedOutOfAll));
}

#[test]
fn a_required_category_passes_every_switch_but_the_channels() {
    let verdict = |scope| Subscription::replay(&[off(scope)]).verdict(&orders(), true, Channel::Email);
    assert_eq!(verdict(Scope::All), Verdict::Allowed(Rule::RequiredCategory));
    assert_eq!(verdict(Scope::Channel(Channel::Email)), Verdict::Forbidden(Rule::OptedOutOfChannel));
}
