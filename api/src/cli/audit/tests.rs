#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::audit;
use super::report::Report;
use commands::log::{LogError, LogReader, Metadata, Position, Recorded, Sequence, StreamNo};
use domain::event::Personal;
use domain::notification::*;
use domain::values::*;
use domain::{AggregateKind, StreamId};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use uuid::Uuid;

type Reading<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

/// A log in memory.
#[derive(Default)]
struct Log(Vec<Arc<Recorded>>);

fn stream(number: u64) -> StreamId {
    StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(number)))
}

impl Log {
    fn add(&mut self, number: StreamNo, event: NotificationEvent) -> &mut Self {
        let sequence = 1 + self.0.iter().filter(|e| e.number == number).count() as u64;
        self.0.push(Arc::new(Recorded {
            position: self.0.len() as u64 + 1,
            stream: stream(number),
            number,
            sequence,
            at: 0,
            fact: event.into(),
            metadata: Arc::new(Metadata::of("test")),
        }));
        self
    }

    fn accepted(&mut self, number: StreamNo, channels: &[Channel]) -> &mut Self {
        self.add(
            number,
            NotificationEvent::Requested(Requested::plain(SenderKey::default(), RecipientId::default(), CategoryKey::default(), Personal::Erased)),
        );
        for (delivery, channel) in channels.iter().enumerate() {
            self.add(
                number,
                NotificationEvent::Queued(Queued {
                    delivery: delivery as u16,
                    channel: *channel,
                    address: None,
                    rule: Rule::DefaultOptIn,
                    rules: 1,
                    facts: FactVersions::default(),
                }),
            );
            if !channel.has_provider() {
                self.add(number, sent(delivery as u16, 0));
            }
        }
        self
    }

    async fn report(&self) -> Report {
        audit(self, |_, _| {}).await.unwrap()
    }
}

impl LogReader for Log {
    fn read_after(&self, after: Position, limit: usize, _open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let page = self
            .0
            .iter()
            .filter(|event| event.position > after)
            // Tiny pages, so that acceptances are split over them.
            .take(limit.min(2))
            .cloned()
            .collect();
        Box::pin(async move { Ok(page) })
    }

    fn read_stream(&self, stream: StreamId, after: Sequence, _open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let events = self.0.iter().filter(|event| event.stream == stream && event.sequence > after).cloned().collect();
        Box::pin(async move { Ok(events) })
    }

    fn read_at(&self, positions: Vec<Position>, _open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let events = self.0.iter().filter(|event| positions.contains(&event.position)).cloned().collect();
        Box::pin(async move { Ok(events) })
    }

    fn stream_number(&self, _stream: StreamId) -> Reading<'_, Option<StreamNo>> {
        Box::pin(async { Ok(None) })
    }

    fn head(&self) -> Reading<'_, Position> {
        let head = self.0.last().map_or(0, |event| event.position);
        Box::pin(async move { Ok(head) })
    }
}

fn started(delivery: u16, attempt: u32, after_unknown: bool) -> NotificationEvent {
    NotificationEvent::AttemptStarted(AttemptStarted { delivery, attempt, provider: "fcm".to_owned(), after_unknown, from: None })
}

fn sent(delivery: u16, attempt: u32) -> NotificationEvent {
    NotificationEvent::Sent(Sent { delivery, attempt, provider_id: None, cost: None })
}

fn failed(delivery: u16, attempt: u32) -> NotificationEvent {
    NotificationEvent::AttemptFailed(AttemptFailed { delivery, attempt, class: FailureClass::Transient, code: "503".to_owned() })
}

fn retry(delivery: u16, after_unknown: bool) -> NotificationEvent {
    NotificationEvent::RetryScheduled(RetryScheduled { delivery, due: 5, after_unknown })
}

fn dead(delivery: u16) -> NotificationEvent {
    NotificationEvent::DeadLettered(DeadLettered { delivery, attempts: 1, code: "503".to_owned(), unknown: false })
}

fn a_good_log() -> Log {
    let mut log = Log::default();
    log.accepted(1, &[Channel::InApp, Channel::AndroidPush, Channel::Email]);
    log.add(1, started(1, 1, false)).add(1, failed(1, 1));
    log.add(1, retry(1, false)).add(1, started(1, 2, false));
    log.add(1, sent(1, 2));
    log.accepted(2, &[Channel::Webhook]);
    log.add(2, started(0, 1, false));
    log.add(2, NotificationEvent::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code: "timeout".to_owned() }));
    log.add(2, retry(0, true)).add(2, started(0, 2, true));
    // A dead letter that a person tries again after everything had seemed over.
    log.accepted(3, &[Channel::AndroidPush]);
    log.add(3, started(0, 1, false)).add(3, failed(0, 1));
    log.add(3, dead(0));
    log.add(3, NotificationEvent::Seen(Seen {}));
    log.add(3, NotificationEvent::Redriven(Redriven { delivery: 0 }));
    log.add(3, started(0, 2, false)).add(3, sent(0, 2));
    log
}

#[tokio::test]
async fn the_law_holds_for_lives_that_are_allowed() {
    let report = a_good_log().report().await;
    assert!(report.holds, "{}", report.text());
    assert_eq!(report.accepted, 3);
    let all = &report.deliveries;
    assert_eq!((all.queued, all.accounted()), (5, 5));
    assert_eq!((all.sent, all.pending, all.unknown), (3, 1, 1));
    assert_eq!((all.dead_lettered, all.attempts), (0, 6));
    assert_eq!((all.unknown_outcomes, all.repeats_after_unknown), (1, 1));
    assert!(report.text().contains("The law holds"));
}

async fn the_one_violation(log: &Log) -> String {
    let report = log.report().await;
    assert!(!report.holds);
    assert!(report.text().contains("BROKEN"));
    report.first_violations[0].rule.clone()
}

#[tokio::test]
async fn sent_twice_is_found_even_after_all_seemed_over() {
    let mut log = a_good_log();
    log.add(3, sent(0, 2));
    let rule = the_one_violation(&log).await;
    assert!(rule.contains("it was sent already"), "{rule}");
}

#[tokio::test]
async fn a_call_that_was_not_recorded_first_is_found() {
    let mut log = Log::default();
    log.accepted(1, &[Channel::Email]).add(1, sent(0, 1));
    let rule = the_one_violation(&log).await;
    assert!(rule.contains("not in flight"), "{rule}");
}

#[tokio::test]
async fn a_repeat_that_hides_an_unknown_outcome_is_found() {
    let mut log = Log::default();
    log.accepted(1, &[Channel::Email]).add(1, started(0, 1, false));
    log.add(1, NotificationEvent::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code: "timeout".to_owned() }));
    log.add(1, retry(0, true)).add(1, started(0, 2, false));
    let rule = the_one_violation(&log).await;
    assert!(rule.contains("unknown outcome"), "{rule}");
}

#[tokio::test]
async fn lost_events_are_found() {
    let mut log = a_good_log();
    log.0.remove(7);
    let report = log.report().await;
    assert!(!report.holds);
    let text = report.text();
    assert!(text.contains("positions 8 to 8 are missing"), "{text}");
    assert!(text.contains("in its stream"), "{text}");
}

#[tokio::test]
async fn what_was_accepted_must_have_been_decided() {
    let mut log = Log::default();
    log.accepted(1, &[]);
    let rule = the_one_violation(&log).await;
    assert!(rule.contains("nothing was decided"), "{rule}");
}

#[tokio::test]
async fn deliveries_that_nobody_queued_are_found() {
    let mut log = Log::default();
    log.accepted(1, &[Channel::Email]).add(1, started(4, 1, false));
    let rule = the_one_violation(&log).await;
    assert!(rule.contains("never queued"), "{rule}");
}
