#![allow(missing_docs)]

use super::*;
use crate::digest::{DigestClosed, DigestItemAdded};
use crate::notification::{DeadLettered, Deferred, Failed, FailureClass, Queued, Released, StepScheduled, StepSkipped, Suppressed};
use crate::schedule::{NextRunMoved, SchedulePaused};
use crate::values::{Channel, FactVersions, NextWhen, NotificationId, Rule};

fn set(name: TimerName, due: Millis) -> Option<TimerChange> {
    Some(TimerChange::Set { name, due })
}

fn of(event: NotificationEvent) -> Option<TimerChange> {
    timers_of(&event.into())
}

#[test]
fn what_waits_sets_its_timer_and_what_goes_on_clears_it() {
    use NotificationEvent as E;
    let facts = FactVersions::default();
    let deferred = Deferred { until: 5, rule: Rule::NotBefore, limit: None, rules: 2, facts };
    assert_eq!(of(E::Deferred(deferred)), set(TimerName::Release, 5));
    assert_eq!(of(E::Released(Released {})), Some(TimerChange::Clear { name: TimerName::Release }));
    let step = StepScheduled { step: 1, due: 7, when: NextWhen::Failed, rule: None };
    assert_eq!(of(E::StepScheduled(step)), set(TimerName::Step, 7));
    assert_eq!(of(E::StepSkipped(StepSkipped { step: 1, rule: Rule::AlreadySeen })), Some(TimerChange::Clear { name: TimerName::Step }));
    assert_eq!(of(E::Cancelled(Cancelled { delivery: None })), Some(TimerChange::ClearAll));
    assert_eq!(of(E::Cancelled(Cancelled { delivery: Some(0) })), None);
    let queued = Queued { delivery: 0, channel: Channel::Email, address: None, rule: Rule::DefaultOptIn, rules: 2, facts };
    assert_eq!(of(E::Queued(queued)), None);
}

#[test]
fn the_next_step_is_asked_for_when_a_delivery_of_the_last_one_ended_without_success() {
    use NotificationEvent as E;
    let now = Some(TimerChange::Now { name: TimerName::Step });
    let failed = Failed { delivery: 0, class: FailureClass::Permanent, code: "c".to_owned(), as_of: None, address_dead: false };
    assert_eq!(of(E::Failed(failed)), now);
    assert_eq!(of(E::DeadLettered(DeadLettered { delivery: 0, attempts: 3, code: "c".to_owned(), unknown: false })), now);
    let suppressed =
        |delivery| Suppressed { delivery, channel: Some(Channel::Email), address: None, rule: Rule::OptedOutOfAll, rules: 2, facts: FactVersions::default() };
    assert_eq!(of(E::Suppressed(suppressed(Some(0)))), now);
    // Of a channel that was decided against when its step was: that is no end of a delivery.
    assert_eq!(of(E::Suppressed(suppressed(None))), None);
}

#[test]
fn a_digest_and_a_schedule_are_asked_at_the_moment_that_the_last_event_names() {
    let added = |closes_at| DigestEvent::DigestItemAdded(DigestItemAdded { window: 1, notification: NotificationId::default(), closes_at });
    assert_eq!(timers_of(&added(Some(9)).into()), set(TimerName::Close, 9));
    assert_eq!(timers_of(&added(None).into()), None);
    let closed = DigestEvent::DigestClosed(DigestClosed { window: 1, summary: None, items: Vec::new(), more: 0, template_unused: None });
    assert_eq!(timers_of(&closed.into()), Some(TimerChange::ClearAll));
    assert_eq!(timers_of(&ScheduleEvent::NextRunMoved(NextRunMoved { next: Some(3) }).into()), set(TimerName::Run, 3));
    assert_eq!(timers_of(&ScheduleEvent::SchedulePaused(SchedulePaused {}).into()), Some(TimerChange::ClearAll));
    for name in [TimerName::Release, TimerName::Step, TimerName::Close, TimerName::Run] {
        assert_eq!(TimerName::from_name(name.name()), Some(name));
    }
}
