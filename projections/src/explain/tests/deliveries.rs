//! Attempts: who was called, what came back, what it means, and how long it took.

use super::*;
use crate::explain::Outcome;
use crate::testing::events::{archived, queued, read, requested, seen, started};
use domain::notification::*;
use domain::values::{NextWhen, Rule};

/// One of each event.
pub fn everything(facts: FactVersions) -> Vec<NotificationEvent> {
    use NotificationEvent as E;
    let (rule, rules, until) = (Rule::QuietHours, Rule::VERSION, START + 60_000);
    vec![
        requested(to(), false),
        E::Deduplicated(Deduplicated { repeats: 1 }),
        E::Deferred(Deferred { until, rule, limit: None, rules, facts }),
        E::Released(Released {}),
        E::Digested(Digested { digest: domain::values::DigestId::default(), window: 1, rule: Rule::Digested, rules, facts }),
        queued(0, Channel::Email),
        E::StepScheduled(StepScheduled { step: 1, due: until, when: NextWhen::NotSeen, rule: None }),
        E::Postponed(Postponed { delivery: 0, until, rule, rules, facts }),
        started(0),
        E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "450".to_owned() }),
        E::RetryScheduled(RetryScheduled { delivery: 0, due: until, after_unknown: false }),
        E::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code: "connection broken".to_owned() }),
        E::Held(Held { delivery: 0, attempt: 1, reason: HoldReason::Throttled, code: "421".to_owned(), until }),
        E::DeadLettered(DeadLettered { delivery: 0, attempts: 3, code: "450".to_owned(), unknown: true }),
        E::Redriven(Redriven { delivery: 0 }),
        E::Sent(Sent { delivery: 0, attempt: 2, provider_id: Some("p-1".to_owned()), cost: None }),
        E::Opened(Opened { delivery: 0, automatic: false, at: None }),
        E::Clicked(Clicked { delivery: 0, link: 2, automatic: true, at: Some(START) }),
        E::Delivered(Delivered { delivery: 0, stood: Stood::Sent, attempt: Some(2), provider_id: None, at: None }),
        E::Bounced(Bounced {
            delivery: 0,
            stood: Stood::Over,
            attempt: Some(2),
            class: FailureClass::BadAddress,
            code: "5.1.1".to_owned(),
            address_dead: true,
            at: None,
        }),
        E::Complained(Complained { delivery: 0, kind: ComplaintKind::Spam, at: None }),
        E::Failed(Failed { delivery: 0, class: FailureClass::Permanent, code: "554".to_owned(), as_of: None, address_dead: true }),
        E::Discarded(Discarded { delivery: 0, reason: "of no use".to_owned() }),
        E::Suppressed(Suppressed { delivery: Some(0), channel: None, address: None, rule: Rule::AddressRemoved, rules, facts }),
        E::StepTaken(StepTaken { step: 1, facts }),
        E::StepSkipped(StepSkipped { step: 2, rule: Rule::AlreadySeen }),
        E::CancelRequested(CancelRequested { delivery: 0 }),
        E::Cancelled(Cancelled { delivery: None }),
        E::Expired(Expired { delivery: None }),
        seen(),
        read(),
        archived(),
    ]
}

#[test]
fn a_retry_tells_the_answer_its_meaning_and_the_time_between() {
    use NotificationEvent as E;
    let mut story = world();
    story.notification(1, requested(to(), false)).notification(1, queued(0, Channel::AndroidPush)).notification(1, started(0));
    let code = "503 UNAVAILABLE".to_owned();
    story.notification(1, E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code }));
    story.notification(1, E::RetryScheduled(RetryScheduled { delivery: 0, due: START + 10_000, after_unknown: false }));
    let waiting = of(&story, 1);
    assert_eq!((waiting.outcome, waiting.over), (Outcome::Pending, false));
    assert!(waiting.sentence.starts_with("Waits until 2027-01-15 08:00:10 UTC to go over Android push"), "{}", waiting.sentence);
    story.notification(1, E::AttemptStarted(AttemptStarted { delivery: 0, attempt: 2, provider: "fcm".to_owned(), after_unknown: false, from: None }));
    story.notification(1, E::Sent(Sent { delivery: 0, attempt: 2, provider_id: Some("m-1".to_owned()), cost: None }));
    let told = of(&story, 1);
    assert_eq!((told.outcome, told.over), (Outcome::Sent, true));
    assert_eq!(said(&told, "AttemptFailed"), "attempt 1 failed: 503 UNAVAILABLE (the provider is unavailable for now) after 1 millisecond; may work later");
    assert_eq!(said(&told, "AttemptStarted"), "attempt 2 by fcm, 3 milliseconds after the one before");
    assert_eq!(said(&told, "Sent"), "sent: the provider took it as m-1 after 1 millisecond");
    assert_eq!(told.sentence, "Sent over Android push by fcm on 2027-01-15 08:00:00 UTC with attempt 2.");
    let delivery = &told.deliveries[0];
    assert_eq!((delivery.provider.as_deref(), delivery.attempts, delivery.code.as_deref()), (Some("fcm"), 2, None));
}

#[test]
fn a_failure_at_the_provider_is_told_by_its_code() {
    use NotificationEvent as E;
    let mut story = world();
    story.notification(1, requested(to(), false)).notification(1, queued(0, Channel::Email)).notification(1, started(0));
    let code = || "550 5.1.1".to_owned();
    story.notification(1, E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::BadAddress, code: code() }));
    story.notification(1, E::Failed(Failed { delivery: 0, class: FailureClass::BadAddress, code: code(), as_of: None, address_dead: true }));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Failed);
    assert!(
        told.sentence.contains("Not sent over email by fcm: failed for good: 550 5.1.1 (the mailbox does not exist); the address is dead"),
        "{}",
        told.sentence
    );
    assert_eq!(told.deliveries[0].code.as_deref(), Some("550 5.1.1"));
}

#[test]
fn a_channel_that_was_left_out_is_told_beside_what_was_sent() {
    let mut story = world();
    switch_off(&mut story, Scope::Channel(Channel::Email));
    let skipped =
        Suppressed { delivery: None, channel: Some(Channel::Email), address: None, rule: Rule::OptedOutOfChannel, rules: Rule::VERSION, facts: versions(1, 0) };
    story.notification(1, requested(to(), false)).notification(1, queued(0, Channel::InApp));
    story.notification(1, NotificationEvent::Sent(Sent { delivery: 0, attempt: 0, provider_id: None, cost: None }));
    story.notification(1, NotificationEvent::Suppressed(skipped));
    let told = of(&story, 1);
    assert_eq!(told.outcome, Outcome::Sent);
    assert!(told.sentence.starts_with("Shown in the app's inbox on"), "{}", told.sentence);
    assert!(told.sentence.contains("; not sent over email: the recipient switched this channel off; email was switched off on"), "{}", told.sentence);
}

#[test]
fn a_step_of_the_plan_that_is_to_come_is_told() {
    let mut story = world();
    story.notification(1, requested(to(), false)).notification(1, queued(0, Channel::InApp));
    story.notification(1, NotificationEvent::Sent(Sent { delivery: 0, attempt: 0, provider_id: None, cost: None }));
    story.notification(1, NotificationEvent::StepScheduled(StepScheduled { step: 1, due: START + 600_000, when: NextWhen::NotSeen, rule: None }));
    let told = of(&story, 1);
    assert!(
        !told.over && told.sentence.contains("step 2 of the channel plan is due on 2027-01-15 08:10:00 UTC if it has not been seen then"),
        "{}",
        told.sentence
    );
    story.notification(1, NotificationEvent::StepSkipped(StepSkipped { step: 1, rule: Rule::AlreadySeen }));
    let told = of(&story, 1);
    assert!(told.over);
    assert_eq!(said(&told, "StepSkipped"), "step 2 of the channel plan was not taken: it had been seen");
}
