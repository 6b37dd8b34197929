//! What decided, on which facts, at exactly the sequences that were recorded.

use super::*;
use crate::explain::Outcome;
use crate::testing::events::requested;
use commands::accept::subscription_stream;
use domain::address::{AddressEvent, AddressSuppressed, SuppressionReason};
use domain::calendar::{LocalTime, Period, Weekday, WeeklyWindow, WeeklyWindows};
use domain::category::CategoryEvent;
use domain::digest::{DigestClosed, DigestEvent, DigestItemAdded, DigestOpened, TemplateUnused};
use domain::frequency::{Counted, FrequencyEvent};
use domain::notification::*;
use domain::recipient::{Erased, RecipientEvent};
use domain::schedule::{OccurrenceFired, ScheduleDefined, ScheduleEvent, Terms, Trigger};
use domain::subscription::{QuietHoursChanged, Resubscribed};
use domain::values::{DigestId, Limit, LimitWindow, NotificationId, Origin, Rule, ScheduleId, SenderKey, TemplateKey};
use domain::{AggregateKind, StreamId};

fn suppressed(rule: Rule, channel: Option<Channel>, subscription: u64) -> NotificationEvent {
    NotificationEvent::Suppressed(Suppressed { delivery: None, channel, address: None, rule, rules: Rule::VERSION, facts: versions(subscription, 0) })
}

fn deferred(rule: Rule, until: i64, subscription: u64, frequency: u64, limit: Option<Limit>) -> NotificationEvent {
    NotificationEvent::Deferred(Deferred { until, rule, limit, rules: Rule::VERSION, facts: versions(subscription, frequency) })
}

#[test]
fn an_opt_out_is_named_with_when_by_whom_and_by_which_way() {
    let mut story = world();
    switch_off(&mut story, Scope::Category(orders()));
    story.notification(1, requested(to(), false)).notification(1, suppressed(Rule::OptedOutOfCategory, None, 1));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Suppressed);
    assert_eq!(
        told.sentence,
        "Not sent at all: the recipient switched this category off; the category orders was switched off on 2027-01-15 08:00:00 UTC by the recipient with the mail program's unsubscribe button."
    );
    let step = told.steps.last().unwrap();
    assert_eq!((step.rule, step.rules_version), (Some(Rule::OptedOutOfCategory), Some(Rule::VERSION)));
    let fact = &step.facts[0];
    assert_eq!((fact.kind, fact.sequence, fact.at), (AggregateKind::Subscription, 1, Some(START + 4)));
    assert_eq!((fact.by, fact.source.as_deref()), (Some("recipient"), Some("one_click")));
    let kinds: Vec<_> = step.facts.iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, [AggregateKind::Subscription, AggregateKind::Category, AggregateKind::Recipient]);
    assert!(step.facts[1].sentence.contains("orders stood at version 1"), "{step:#?}");
    assert!(told.over && !told.erased);
}

#[test]
fn what_changed_after_the_decision_does_not_colour_it() {
    let mut story = world();
    switch_off(&mut story, Scope::Channel(Channel::Email));
    story.notification(1, requested(to(), false)).notification(1, suppressed(Rule::OptedOutOfChannel, Some(Channel::Email), 1));
    story.notification(1, suppressed(Rule::OptedOutOfChannel, None, 1));
    let before = of(&story, 1);
    assert_eq!(before.steps.last().unwrap().sentence, "not sent at all: the recipient switched this channel off");
    let on =
        Resubscribed { recipient: Some(to()), scope: Scope::Channel(Channel::Email), by: ChangedBy::Sender, source: Source::Api, personal: Personal::Erased };
    story.add(subscription_stream(to()), SubscriptionEvent::Resubscribed(on));
    story.add(category_stream(&orders()), CategoryEvent::CategoryDefined(CategoryDefined { required: true, ..category() }));
    assert_eq!(of(&story, 1), before);
    assert!(before.sentence.contains("email was switched off on"), "{}", before.sentence);
}

#[test]
fn each_channel_gives_its_reason_where_none_can_be_used() {
    let mut story = world();
    switch_off(&mut story, Scope::Channel(Channel::Email));
    story.notification(1, requested(to(), false)).notification(1, suppressed(Rule::OptedOutOfChannel, Some(Channel::Email), 1));
    story.notification(1, suppressed(Rule::NoAddress, Some(Channel::Webhook), 1)).notification(1, suppressed(Rule::NoChannel, None, 1));
    let sentence = of(&story, 1).sentence;
    assert!(
        sentence.contains("Not sent over email: the recipient switched this channel off") || sentence.contains("not sent over email: the recipient switched"),
        "{sentence}"
    );
    assert!(sentence.contains("not sent over webhook: the recipient has no address there; the recipient never had an address for webhook"), "{sentence}");
}

#[test]
fn quiet_hours_are_named_with_the_clock_of_the_recipient() {
    let mut story = world();
    let time = |text| LocalTime::new(text).unwrap();
    let nights = WeeklyWindow { days: Weekday::ALL.into_iter().collect(), from: time("16:00"), to: time("19:00") };
    let quiet = QuietHoursChanged {
        quiet_hours: Some(WeeklyWindows::new(vec![nights]).unwrap()),
        allowed: None,
        by: ChangedBy::Recipient,
        source: Source::PreferencePage,
    };
    story.add(subscription_stream(to()), SubscriptionEvent::QuietHoursChanged(quiet));
    story.notification(1, requested(to(), false)).notification(1, deferred(Rule::QuietHours, START + 7_200_000, 1, 0, None));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Deferred);
    for part in [
        "Waits until 2027-01-15 10:00:00 UTC: it is within the recipient's quiet hours",
        "the quiet hours are every day 16:00–19:00, set on 2027-01-15 08:00:00 UTC by the recipient on the preference page",
        "the recipient's clock showed 2027-01-15 17:00:00 Asia/Seoul",
    ] {
        assert!(told.sentence.contains(part), "no {part:?} in {}", told.sentence);
    }
    assert!(!told.over);
    // Taken back while it waits, it says for what it waited.
    story.notification(1, NotificationEvent::Cancelled(Cancelled { delivery: None }));
    let told = of(&story, 1);
    assert_eq!((told.outcome, told.over), (Outcome::Cancelled, true));
    assert!(
        told.sentence.starts_with("Not sent: the sender took it back while it waited on") && told.sentence.contains("before that: waits until"),
        "{}",
        told.sentence
    );
}

#[test]
fn a_limit_is_named_with_the_places_that_use_it_up() {
    let mut story = world();
    let frequency = StreamId::new(AggregateKind::Frequency, to().0);
    for at in [START - 40 * 86_400_000, START - 3_600_000, START - 1_800_000] {
        let counted = Counted { notification: NotificationId::default(), category: orders(), asked_at: at, at: Some(at), alone: false, content: None };
        story.add(frequency, FrequencyEvent::Counted(counted));
    }
    let limit = Limit { most: 2, per: LimitWindow::Calendar(Period::Day) };
    story.notification(1, requested(to(), false)).notification(1, deferred(Rule::OverLimit, START + 50_000_000, 0, 3, Some(limit)));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Held);
    assert!(
        told.sentence.contains("the limit of 2 a day of the calendar was used up by places on 2027-01-15 07:00:00 UTC and 2027-01-15 07:30:00 UTC"),
        "{}",
        told.sentence
    );
}

#[test]
fn places_of_other_senders_are_not_dated_for_a_sender() {
    let mut story = world();
    let frequency = StreamId::new(AggregateKind::Frequency, to().0);
    let NotificationEvent::Requested(request) = requested(to(), false) else { panic!("no request") };
    for (number, sender, at) in [(8, request.sender.clone(), START - 3_600_000), (9, SenderKey::new("bank").unwrap(), START - 1_800_000)] {
        let counted = Counted { notification: NotificationId(stream(number).id), category: orders(), asked_at: at, at: Some(at), alone: false, content: None };
        story.add(frequency, FrequencyEvent::Counted(counted));
        story.notification(number, NotificationEvent::Requested(Requested { sender, ..request.clone() }));
    }
    let limit = Limit { most: 2, per: LimitWindow::Calendar(Period::Day) };
    story.notification(1, requested(to(), false)).notification(1, deferred(Rule::OverLimit, START + 50_000_000, 0, 2, Some(limit)));
    let own: Vec<_> = story.events.iter().filter(|event| event.stream == stream(1)).cloned().collect();
    let (sender, administrator) = (explain(&own, &Library::of(&story.events).for_a_sender()), of(&story, 1));
    assert!(sender.sentence.contains("used up by places on 2027-01-15 07:00:00 UTC and places of other senders"), "{}", sender.sentence);
    assert!(!sender.sentence.contains("07:30:00"), "{}", sender.sentence);
    assert!(administrator.sentence.contains("07:00:00 UTC and 2027-01-15 07:30:00 UTC"), "{}", administrator.sentence);
}

#[test]
fn the_same_content_names_the_one_that_told_it() {
    let mut story = world();
    let earlier = NotificationId(stream(9).id);
    let counted = Counted { notification: earlier, category: orders(), asked_at: START, at: None, alone: false, content: Some(Uuid::from_u128(1)) };
    story.add(StreamId::new(AggregateKind::Frequency, to().0), FrequencyEvent::Counted(counted));
    let duplicate = Suppressed { delivery: None, channel: None, address: None, rule: Rule::DuplicateContent, rules: Rule::VERSION, facts: versions(0, 1) };
    story.notification(1, requested(to(), false)).notification(1, NotificationEvent::Suppressed(duplicate));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Deduplicated);
    assert_eq!(told.steps[1].facts[0].notification, Some(earlier));
    assert!(told.sentence.contains("within the 10 minutes before"), "{}", told.sentence);
}

#[test]
fn another_senders_notification_is_neither_named_nor_dated_for_a_sender() {
    let mut story = world();
    let earlier = NotificationId(stream(9).id);
    let NotificationEvent::Requested(other) = requested(to(), false) else { panic!("no request") };
    let counted = Counted { notification: earlier, category: orders(), asked_at: START, at: None, alone: false, content: Some(Uuid::from_u128(1)) };
    story.add(StreamId::new(AggregateKind::Frequency, to().0), FrequencyEvent::Counted(counted));
    story.notification(9, NotificationEvent::Requested(Requested { sender: SenderKey::new("bank").unwrap(), ..other }));
    let duplicate = Suppressed { delivery: None, channel: None, address: None, rule: Rule::DuplicateContent, rules: Rule::VERSION, facts: versions(0, 1) };
    story.notification(1, requested(to(), false)).notification(1, NotificationEvent::Suppressed(duplicate));
    let own: Vec<_> = story.events.iter().filter(|event| event.stream == stream(1)).cloned().collect();
    let (sender, administrator) = (explain(&own, &Library::of(&story.events).for_a_sender()), of(&story, 1));
    let fact = &sender.steps[1].facts[0];
    assert_eq!((fact.notification, fact.at, fact.decisive), (None, None, true));
    assert!(sender.sentence.contains("by another sender within the 10 minutes before"), "{}", sender.sentence);
    assert_eq!(administrator.steps[1].facts[0].notification, Some(earlier));
}

#[test]
fn a_digest_says_until_when_it_collects_and_then_what_became_of_its_summary() {
    let mut story = world();
    let (digest, summary) = (DigestId(Uuid::from_u128(0xd1)), NotificationId(stream(7).id));
    let own = StreamId::new(AggregateKind::Digest, digest.0);
    let opened = DigestOpened {
        recipient: to(),
        category: orders(),
        sender: SenderKey::new("shop").unwrap(),
        sandbox: false,
        window: 1,
        opened_at: START,
        closes_at: START + 3_600_000,
        latest: None,
        max_items: 10,
    };
    story.add(own, DigestEvent::DigestOpened(opened));
    story.add(own, DigestEvent::DigestItemAdded(DigestItemAdded { window: 1, notification: NotificationId(stream(1).id), closes_at: None }));
    let digested = Digested { digest, window: 1, rule: Rule::Digested, rules: Rule::VERSION, facts: versions(0, 0) };
    story.notification(1, requested(to(), false)).notification(1, NotificationEvent::Digested(digested));
    let told = of(&story, 1);
    assert_eq!((told.outcome, told.over), (Outcome::Digested, false));
    assert!(told.sentence.contains("holds 1 item now, and closes on 2027-01-15 09:00:00 UTC"), "{}", told.sentence);
    let unused = TemplateUnused { key: TemplateKey::new("weekly").unwrap(), code: "TEMPLATE_ARCHIVED".to_owned() };
    let closed = DigestClosed { window: 1, summary: Some(summary), items: vec![NotificationId(stream(1).id)], more: 0, template_unused: Some(unused) };
    story.add(own, DigestEvent::DigestClosed(closed));
    let NotificationEvent::Requested(mut asked) = requested(to(), false) else { unreachable!() };
    asked.origin = Some(Origin::Digest { digest, window: 1 });
    story.notification(7, NotificationEvent::Requested(asked)).notification(7, suppressed(Rule::OptedOutOfAll, None, 0));
    let told = of(&story, 1);
    assert!(told.over && told.sentence.contains(&format!("its summary is notification {summary}, which is not sent")), "{}", told.sentence);
    assert!(told.sentence.contains("; template weekly could not say it: it was archived; it is in words of Bongsu's own"), "{}", told.sentence);
    assert_eq!(told.steps[1].facts[0].notification, Some(summary));
    assert!(said(&of(&story, 7), "Requested").contains("the digest collected since"));
}

#[test]
fn an_occurrence_names_its_schedule() {
    let mut story = world();
    let schedule = ScheduleId(Uuid::from_u128(0x5c));
    let own = StreamId::new(AggregateKind::Schedule, schedule.0);
    let terms = Terms {
        sender: SenderKey::new("shop").unwrap(),
        category: orders(),
        channels: None,
        priority: None,
        topic: None,
        trigger: Trigger::Once { at: START },
        starts: None,
        ends: None,
        catch_up: 0,
        sandbox: false,
    };
    story.add(
        own,
        ScheduleEvent::ScheduleDefined(ScheduleDefined { schedule, recipient: to(), terms, since: 0, next: Some(START), personal: Personal::Erased }),
    );
    story.add(own, ScheduleEvent::OccurrenceFired(OccurrenceFired { occurrence: START, notification: NotificationId(stream(1).id), next: None }));
    let NotificationEvent::Requested(mut asked) = requested(to(), false) else { unreachable!() };
    asked.origin = Some(Origin::Schedule { schedule, occurrence: START });
    story.notification(1, NotificationEvent::Requested(asked));
    let told = of(&story, 1);
    let sentence = said(&told, "Requested");
    assert!(sentence.contains("it is the occurrence of 2027-01-15 08:00:00 UTC of schedule") && sentence.contains("to fire once on"), "{sentence}");
}

#[test]
fn a_suppressed_address_says_why_as_it_was_then() {
    let mut story = world();
    let own = StreamId::new(AggregateKind::Address, address().0);
    let on_list = |reason, note: &str| AddressEvent::AddressSuppressed(AddressSuppressed { address: address(), reason, note: Some(note.to_owned()) });
    story.add(own, on_list(SuppressionReason::HardBounce, "550 5.1.1"));
    story.notification(1, requested(to(), false));
    let stopped = |channel| Suppressed {
        delivery: None,
        channel,
        address: channel.map(|_| address()),
        rule: Rule::AddressSuppressed,
        rules: Rule::VERSION,
        facts: versions(0, 0),
    };
    story.notification(1, NotificationEvent::Suppressed(stopped(Some(Channel::Email))));
    story.notification(1, NotificationEvent::Suppressed(stopped(None)));
    story.add(own, on_list(SuppressionReason::Complaint, "later"));
    let sentence = of(&story, 1).sentence;
    assert!(sentence.contains("because its provider said that it does not exist (550 5.1.1)"), "{sentence}");
}

#[test]
fn an_erased_recipient_is_said_and_nothing_personal_is_shown() {
    let mut story = world();
    story.notification(1, requested(to(), false)).notification(1, suppressed(Rule::RecipientErased, None, 0));
    story.add(recipient_stream(to()), RecipientEvent::Erased(Erased { recipient: to() }));
    let told = of(&story, 1);
    assert!(told.erased);
    assert!(!format!("{told:?}").contains("secret"));
}

#[test]
fn every_event_has_a_sentence_that_says_more_than_its_name() {
    // One life in which everything happens, in whatever order.
    let mut story = world();
    let facts = versions(0, 0);
    let all = super::deliveries::everything(facts);
    let names: std::collections::BTreeSet<&str> = all.iter().map(domain::event::EventBody::name).collect();
    let known: std::collections::BTreeSet<&str> = NotificationEvent::catalogue().iter().map(|entry| entry.name).collect();
    assert_eq!(names, known);
    for event in all {
        story.notification(1, event);
    }
    for step in of(&story, 1).steps {
        assert!(step.sentence.len() > 10 && !step.sentence.contains(step.event), "{}: {}", step.event, step.sentence);
        assert!(step.detail.starts_with('{'), "{}", step.detail);
    }
}
