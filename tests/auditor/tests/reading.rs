//! The checker reads the file that the migrations make: a clean one passes, planted faults in
//! the tables themselves are caught.
#![allow(clippy::unwrap_used, missing_docs)]

use auditor::{Inputs, Report, check};
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

const MIGRATION: &str = include_str!("../../../migrations/sqlite/0001_log.sql");
const ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// One notification to one mailbox: throttled once, failed once, then sent; the recipient opted
/// out of the same channel, and in again, before.
const CLEAN: &str = "
    INSERT INTO event_types (id, kind, name, version) VALUES
        (1, 1, 'Requested', 1), (2, 1, 'Queued', 1), (3, 1, 'AttemptStarted', 1), (4, 1, 'AttemptFailed', 1),
        (5, 1, 'RetryScheduled', 1), (6, 1, 'Sent', 1), (7, 3, 'Unsubscribed', 1), (8, 3, 'Resubscribed', 1), (9, 1, 'Held', 1);
    INSERT INTO streams (number, kind, id) VALUES
        (1, 3, x'bbbbbbbb000040008000000000000001'), (2, 1, x'aaaaaaaa000040008000000000000001');
    INSERT INTO commits (position, at, metadata) VALUES (1, 500, '{}'), (3, 1000, '{}'), (6, 1100, '{}'), (7, 2000, '{}'), (10, 3000, '{}'), (11, 3001, '{}');
    INSERT INTO events (position, stream, sequence, type, payload) VALUES
        (1, 1, 1, 7, '{\"scope\":{\"channel\":\"email\"},\"by\":\"sender\"}'),
        (2, 1, 2, 8, '{\"scope\":{\"channel\":\"email\"},\"by\":\"sender\"}'),
        (3, 2, 1, 1, '{\"recipient\":\"bbbbbbbb-0000-4000-8000-000000000001\",\"category\":\"general\"}'),
        (4, 2, 2, 2, '{\"delivery\":0,\"channel\":\"email\"}'),
        (5, 2, 3, 3, '{\"delivery\":0,\"attempt\":1,\"provider\":\"smtp\"}'),
        (6, 2, 4, 9, '{\"delivery\":0,\"attempt\":1,\"reason\":\"throttled\",\"code\":\"450\",\"until\":1900}'),
        (7, 2, 5, 3, '{\"delivery\":0,\"attempt\":2,\"provider\":\"smtp\"}'),
        (8, 2, 6, 4, '{\"delivery\":0,\"attempt\":2,\"class\":\"transient\",\"code\":\"451\"}'),
        (9, 2, 7, 5, '{\"delivery\":0,\"due\":2990}'),
        (10, 2, 8, 3, '{\"delivery\":0,\"attempt\":3,\"provider\":\"smtp\"}'),
        (11, 2, 9, 6, '{\"delivery\":0,\"attempt\":3}');
    INSERT INTO checkpoints (consumer, position) VALUES ('delivery', 11);
";

struct Run {
    folder: TempDir,
}

impl Run {
    /// A clean history, changed by `planted`.
    fn new(planted: &str) -> Self {
        let run = Self { folder: tempfile::tempdir().unwrap() };
        let log = Connection::open(run.path("log.db")).unwrap();
        log.execute_batch(MIGRATION).unwrap();
        log.execute_batch(CLEAN).unwrap();
        log.execute_batch(planted).unwrap();
        run.journal(&format!("{{\"key\":\"k\",\"id\":\"{ID}\",\"position\":\"p3\"}}\n{{\"key\":\"torn"));
        run.ledger(&[3]);
        run
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn journal(&self, text: &str) {
        std::fs::write(self.path("journal"), text).unwrap();
    }

    fn ledger(&self, delivered: &[u32]) {
        let lines: Vec<String> = delivered
            .iter()
            .map(|attempt| {
                format!(
                    "{{\"seq\":1,\"at\":\"2026-01-01T00:00:00Z\",\"provider\":\"smtp\",\"verdict\":\"accepted\",\"delivered\":true,\"status\":250,\
                     \"reason\":null,\"notification\":\"{ID}\",\"delivery\":0,\"attempt\":{attempt},\"provider_id\":\"SIM1\",\"duplicate\":false}}"
                )
            })
            .collect();
        std::fs::write(self.path("ledger"), lines.join("\n")).unwrap();
    }

    fn report(&self) -> Report {
        check(&Inputs::read(&self.path("log.db"), &self.path("journal"), &self.path("ledger")).unwrap(), true)
    }

    fn finds(&self, invariant: &str) {
        let report = self.report();
        assert!(report.by_invariant.contains_key(invariant), "{report:?}");
    }
}

#[test]
fn a_clean_file_passes_and_a_torn_last_answer_does_not_count() {
    let report = Run::new("").report();
    assert_eq!((report.violations, report.accepted, report.delivered, report.lost, report.events), (0, 1, 1, 0, 11), "{report:?}");
}

#[test]
fn a_removed_event_is_found() {
    Run::new("DELETE FROM events WHERE position = 6").finds("I6");
    Run::new("UPDATE events SET sequence = 20 WHERE position = 11").finds("I6");
}

#[test]
fn events_without_their_commit_are_found() {
    Run::new("DELETE FROM commits WHERE position = 1").finds("I6");
    Run::new("INSERT INTO commits (position, at, metadata) VALUES (12, 3002, '{}')").finds("I6");
}

#[test]
fn an_event_of_a_stream_or_type_that_is_not_there_is_found() {
    Run::new("DELETE FROM streams WHERE number = 1").finds("I6");
    Run::new("DELETE FROM event_types WHERE id = 9").finds("I6");
}

#[test]
fn an_attempt_before_its_moment_is_found() {
    Run::new("UPDATE commits SET at = 2900 WHERE position = 10").finds("I8");
    Run::new("UPDATE commits SET at = 1200 WHERE position = 7").finds("I8");
}

#[test]
fn an_attempt_without_the_consent_given_back_is_found() {
    Run::new("UPDATE events SET payload = '{\"scope\":{\"channel\":\"webhook\"}}' WHERE position = 2").finds("I4");
}

#[test]
fn what_is_owed_must_agree_with_the_log() {
    let row =
        "INSERT INTO pending_deliveries (stream, delivery, notification, recipient, sender, category, channel, priority, sandbox, address, requested_position,
        requested_at, expires_at, sequence, state, due, attempt, counted, after_unknown, unknown_repeats)
        VALUES (2, 0, x'00', x'00', 's', 'general', 3, 2, 0, NULL, 3, 1000, NULL, 8, 2, 0, 2, 1, 0, 0)";
    Run::new(row).finds("I1");
    Run::new("DELETE FROM events WHERE position = 11; UPDATE checkpoints SET position = 10").finds("I1");
}

#[test]
fn a_lost_answer_and_a_lost_message_are_found() {
    let run = Run::new("");
    run.journal("{\"key\":\"k\",\"id\":\"cccccccc-0000-4000-8000-000000000001\",\"position\":\"p3\"}\n");
    assert_eq!(run.report().lost, 1);
    let run = Run::new("");
    run.ledger(&[]);
    assert_eq!(run.report().lost, 1);
}

#[test]
fn arrivals_must_be_recorded_attempts_and_repeats_explained() {
    let run = Run::new("");
    run.ledger(&[3, 4]);
    run.finds("I2");
    run.ledger(&[2, 3]);
    run.finds("I3");
    assert_eq!(run.report().repeated_unexplained, 1);
}
