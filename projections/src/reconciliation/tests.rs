#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use domain::notification::*;
use domain::values::{Channel, FactVersions, Money, NotificationId, Rule, TextCost};
use uuid::Uuid;

const DAY: Millis = 1_800_000_000_000;

fn id(number: u128) -> NotificationId {
    NotificationId(Uuid::from_u128(number))
}

struct Books(Accounts);

impl Books {
    fn new() -> Self {
        Self(Accounts::new(Scope { from: DAY, upto: DAY + 1_000, provider: None, patience: 100 }))
    }

    fn take(&mut self, number: u128, at: Millis, event: NotificationEvent) {
        self.0.take(id(number), DAY + at, &event);
    }

    fn queued(&mut self, number: u128) {
        let queued = Queued { delivery: 0, channel: Channel::Sms, address: None, rule: Rule::DefaultOptIn, rules: 1, facts: FactVersions::default() };
        self.take(number, 0, NotificationEvent::Queued(queued));
    }

    fn started(&mut self, number: u128, attempt: u32, after_unknown: bool) {
        let started = AttemptStarted { delivery: 0, attempt, provider: "twilio".to_owned(), after_unknown, from: None };
        self.take(number, 1, NotificationEvent::AttemptStarted(started));
    }

    fn sent(&mut self, number: u128, attempt: u32) {
        self.take(number, 2, NotificationEvent::Sent(Sent { delivery: 0, attempt, provider_id: Some(format!("SM{number}.{attempt}")), cost: None }));
    }

    fn unknown(&mut self, number: u128, attempt: u32) {
        self.take(number, 2, NotificationEvent::AttemptUnknown(AttemptUnknown { delivery: 0, attempt, code: "timeout".to_owned() }));
    }

    fn failed(&mut self, number: u128, attempt: u32) {
        let failed = AttemptFailed { delivery: 0, attempt, class: FailureClass::Transient, code: "503".to_owned() };
        self.take(number, 2, NotificationEvent::AttemptFailed(failed));
    }

    fn delivered(&mut self, number: u128, attempt: u32) {
        let delivered = Delivered { delivery: 0, stood: Stood::Sent, attempt: Some(attempt), provider_id: None, at: None };
        self.take(number, 3, NotificationEvent::Delivered(delivered));
    }

    fn finish(self, now: Millis, theirs: Option<&str>) -> (Reconciliation, Vec<(Kind, u128, u32)>) {
        let theirs = theirs.map(|lines| Theirs::read(lines.as_bytes(), Some("twilio")).unwrap());
        let books = self.0.finish(DAY + now, theirs.as_ref());
        let kinds = books.differences.iter().map(|one| (one.kind, one.notification.0.as_u128(), one.attempt)).collect();
        (books, kinds)
    }
}

/// Sent, and arrived.
fn plain(books: &mut Books, number: u128) {
    books.queued(number);
    books.started(number, 1, false);
    books.sent(number, 1);
    books.delivered(number, 1);
}

#[test]
fn every_attempt_of_the_time_is_counted_once() {
    let mut books = Books::new();
    plain(&mut books, 1);
    books.queued(2);
    books.started(2, 1, false);
    books.failed(2, 1);
    books.started(2, 2, false);
    books.unknown(2, 2);
    books.started(2, 3, true);
    books.sent(2, 3);
    // Before and after that time.
    for at in [-1, 1_000] {
        let started = AttemptStarted { delivery: 0, attempt: 1, provider: "twilio".to_owned(), after_unknown: false, from: None };
        books.take(3, at, NotificationEvent::AttemptStarted(started));
    }
    let (books, _) = books.finish(5, None);
    let row = Row {
        day: "2027-01-15".to_owned(),
        provider: "twilio".to_owned(),
        channel: "sms".to_owned(),
        attempts: 4,
        accepted: 2,
        refused: 1,
        unknown: 1,
        delivered: 1,
        unreported: 1,
        repeats: 1,
        ..Row::default()
    };
    assert_eq!(books.rows, [row]);
}

#[test]
fn differences_are_found_by_reports_alone() {
    let mut books = Books::new();
    plain(&mut books, 1);
    books.started(2, 1, false);
    books.unknown(2, 1);
    books.started(3, 1, false);
    books.unknown(3, 1);
    books.delivered(3, 1);
    books.started(4, 1, false);
    books.failed(4, 1);
    books.started(4, 2, false);
    books.sent(4, 2);
    books.delivered(4, 2);
    books.delivered(4, 1);
    books.started(5, 1, false);
    books.sent(5, 1);
    let before = Books(books.0.clone());
    assert!(!before.finish(50, None).1.contains(&(Kind::Unreported, 5, 1)), "there is time yet");
    let (_, kinds) = books.finish(500, None);
    let expected =
        [(Kind::Unknown, 2, 1), (Kind::ArrivedThoughUnknown, 3, 1), (Kind::ArrivedThoughRefused, 4, 1), (Kind::ArrivedTwice, 4, 2), (Kind::Unreported, 5, 1)];
    assert_eq!(kinds, expected);
}

#[test]
fn differences_to_the_providers_list_are_found() {
    let mut books = Books::new();
    for number in [1, 2, 6] {
        plain(&mut books, number);
    }
    books.started(3, 1, false);
    books.unknown(3, 1);
    books.started(4, 1, false);
    books.failed(4, 1);
    books.started(5, 1, false);
    books.unknown(5, 1);
    let line = |number: u128| format!("{{\"notification\":\"{}\",\"delivery\":0,\"attempt\":1}}\n", id(number).0);
    let other = format!("{{\"provider\":\"vonage\",\"notification\":\"{}\",\"delivery\":0,\"attempt\":1}}\n", id(9).0);
    let lost = format!("{{\"notification\":\"{}\",\"delivery\":0,\"attempt\":1,\"delivered\":false}}\n", id(2).0);
    let by_id = "{\"sid\":\"SM6.1\"}\n";
    let theirs = [line(1).as_str(), &line(1), &line(3), &line(4), &line(7), &other, &lost, by_id, "\n"].concat();
    let (_, kinds) = books.finish(5, Some(&theirs));
    let mut kinds = kinds;
    kinds.sort();
    let mut expected = vec![
        (Kind::TheirsTwice, 1, 1),
        (Kind::NotInTheirs, 2, 1),
        (Kind::TheirsOnly, 3, 1),
        (Kind::TheirsOnly, 4, 1),
        (Kind::Unknown, 5, 1),
        (Kind::NeverSent, 7, 1),
    ];
    expected.sort();
    assert_eq!(kinds, expected);
}

#[test]
fn a_line_that_names_nothing_is_told() {
    for (lines, number) in [("{}", 1), ("\n{\"sid\":\"a\"}\nnonsense", 3), ("[]", 1)] {
        match Theirs::read(lines.as_bytes(), None) {
            Err(TheirsError::Line(line)) => assert_eq!(line, number, "{lines}"),
            other => assert!(other.is_err(), "{lines}"),
        }
    }
}

#[test]
fn segments_and_what_they_cost_are_summed_by_currency() {
    let mut books = Books::new();
    for (number, price) in [(1, Some("0.0079 USD")), (2, Some("9.9 KRW")), (3, Some("0.0158 USD")), (4, None)] {
        books.queued(number);
        books.started(number, 1, false);
        let price = price.map(|price| Money::parse(price).unwrap());
        let cost = Some(TextCost { segments: 2, price });
        books.take(number, 2, NotificationEvent::Sent(Sent { delivery: 0, attempt: 1, provider_id: None, cost }));
    }
    let (books, _) = books.finish(50, None);
    assert_eq!(books.rows[0].segments, 8);
    assert_eq!(books.rows[0].costs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["9.9 KRW", "0.0237 USD"]);
}
