//! Why nothing came.

use super::*;
use crate::explain::{Absence, Asked, explain_absence};
use crate::testing::events::requested;
use commands::accept::subscription_stream;
use domain::notification::{Deferred, NotificationEvent};
use domain::recipient::{Erased, RecipientEvent};
use domain::subscription::{DoNotDisturbChanged, Resubscribed};
use domain::values::Rule;

fn asked(category: &str) -> Asked {
    Asked { recipient: to(), category: Some(CategoryKey::new(category).unwrap()), from: START, to: START + 3_600_000 }
}

fn answer(story: &Story, asked: &Asked, numbers: &[u128]) -> Absence {
    let explained: Vec<_> = numbers.iter().map(|number| (START + 1, orders(), of(story, *number))).collect();
    explain_absence(asked, &explained, &Library::of(&story.events))
}

fn kinds(absence: &Absence) -> Vec<&str> {
    absence.reasons.iter().map(|reason| reason.kind).collect()
}

#[test]
fn what_was_never_requested_is_said_so() {
    let story = world();
    let told = answer(&story, &asked("orders"), &[]);
    assert!(told.sentence.starts_with("Nothing of category orders was requested for this recipient between 2027-01-15 08:00:00 UTC and"), "{}", told.sentence);
    assert_eq!(kinds(&told), ["none_requested", "refusals_not_recorded", "unknown_recipient"]);
    assert!(told.reasons[2].sentence.contains("became known on"), "{told:#?}");
    assert_eq!(kinds(&answer(&story, &asked("missing"), &[]))[3..], ["unknown_category"]);
    assert_eq!(kinds(&answer(&Story::default(), &asked("orders"), &[])), ["none_requested", "refusals_not_recorded", "unknown_recipient"]);
}

#[test]
fn an_opt_out_is_said_for_as_long_as_it_lasted() {
    let mut story = world();
    switch_off(&mut story, Scope::Category(orders()));
    switch_off(&mut story, Scope::Category(CategoryKey::new("other").unwrap()));
    let told = answer(&story, &asked("orders"), &[]);
    let reason = told.reasons.iter().find(|reason| reason.kind == "opted_out").unwrap();
    assert!(reason.sentence.contains("The category orders was switched off on") && reason.sentence.contains("by the recipient"), "{reason:#?}");
    assert_eq!(told.reasons.iter().filter(|reason| reason.kind == "opted_out").count(), 1);
    assert_eq!(reason.fact.as_ref().unwrap().source.as_deref(), Some("one_click"));
    // On again, and before the time that is asked about: it explains nothing there.
    let on =
        Resubscribed { recipient: Some(to()), scope: Scope::Category(orders()), by: ChangedBy::Recipient, source: Source::Api, personal: Personal::Erased };
    story.add(subscription_stream(to()), SubscriptionEvent::Resubscribed(on));
    let told = answer(&story, &asked("orders"), &[]);
    assert!(told.reasons.iter().any(|reason| reason.sentence.contains("and on again on")), "{told:#?}");
    let later = Asked { from: START + 1_000, ..asked("orders") };
    assert!(!kinds(&answer(&story, &later, &[])).contains(&"opted_out"));
}

#[test]
fn what_waits_and_do_not_disturb_are_said() {
    let mut story = world();
    let until = START + 7_200_000;
    let quiet = DoNotDisturbChanged { until: Some(until), by: ChangedBy::Recipient, source: Source::Api };
    story.add(subscription_stream(to()), SubscriptionEvent::DoNotDisturbChanged(quiet));
    let waits = Deferred { until, rule: Rule::DoNotDisturb, limit: None, rules: Rule::VERSION, facts: versions(1, 0) };
    story.notification(1, requested(to(), false)).notification(1, NotificationEvent::Deferred(waits));
    let told = answer(&story, &asked("orders"), &[1]);
    assert_eq!(kinds(&told), ["unknown_recipient", "do_not_disturb", "waits"]);
    assert!(
        told.sentence.contains("1 notification of category orders was requested") && told.sentence.ends_with("1 waiting for its time."),
        "{}",
        told.sentence
    );
    assert!(told.reasons[2].sentence.contains("do not disturb until 2027-01-15 10:00:00 UTC"), "{told:#?}");
}

#[test]
fn an_erased_recipient_ends_the_matter() {
    let mut story = world();
    story.add(recipient_stream(to()), RecipientEvent::Erased(Erased { recipient: to() }));
    assert_eq!(kinds(&answer(&story, &asked("orders"), &[]))[2..], ["erased_recipient"]);
}

#[test]
fn a_category_that_was_never_asked_for_is_said() {
    let mut story = Story::default();
    story.add(category_stream(&orders()), CategoryEvent::CategoryDefined(CategoryDefined { subscribed_by_default: false, ..category() }));
    let profile = ProfileChanged { recipient: to(), time_zone: None, locale: None, personal: Personal::Erased };
    story.add(recipient_stream(to()), RecipientEvent::ProfileChanged(profile));
    let later = Asked { from: START + 1_000, ..asked("orders") };
    assert_eq!(kinds(&answer(&story, &later, &[]))[2..], ["no_address", "not_opted_in"]);
}
