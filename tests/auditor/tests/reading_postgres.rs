//! The checker reads the tables that the migrations make: a clean history passes, planted faults are
//! caught, and read models are compared row by row.
#![allow(clippy::unwrap_used, missing_docs)]

use auditor::views::Views;
use auditor::{Report, check, postgres};
use services::Postgres;
use tempfile::TempDir;

const MIGRATIONS: [&str; 3] = [
    include_str!("../../../migrations/postgres/0001_log.sql"),
    include_str!("../../../migrations/postgres/0002_read_models.sql"),
    include_str!("../../../migrations/postgres/0004_waiting.sql"),
];
/// One notification to one mailbox, sent; and a read model of two generations.
const CLEAN: &str = "
    INSERT INTO event_types (id, kind, name, version) VALUES (1, 1, 'Requested', 1), (2, 1, 'Queued', 1), (3, 1, 'AttemptStarted', 1), (4, 1, 'Sent', 1);
    INSERT INTO streams (number, kind, id) VALUES (1, 1, 'aaaaaaaa-0000-4000-8000-000000000001');
    INSERT INTO commits (position, at, metadata) VALUES (1, 500, '{}'), (3, 600, '{}');
    INSERT INTO events (position, stream, sequence, type, payload) VALUES
        (1, 1, 1, 1, '{\"recipient\":\"bbbbbbbb-0000-4000-8000-000000000001\",\"category\":\"general\"}'),
        (2, 1, 2, 2, '{\"delivery\":0,\"channel\":\"email\"}'),
        (3, 1, 3, 3, '{\"delivery\":0,\"attempt\":1}'), (4, 1, 4, 4, '{\"delivery\":0,\"attempt\":1}');
    INSERT INTO checkpoints (consumer, position) VALUES ('delivery', 4);
    INSERT INTO read_models (name, serving, newest) VALUES ('notes', 1, 2);
    CREATE SCHEMA bongsu_view_notes_1;
    CREATE TABLE bongsu_view_notes_1.checkpoints (consumer text, position bigint);
    CREATE TABLE bongsu_view_notes_1.notes (number bigint, text text);
    INSERT INTO bongsu_view_notes_1.checkpoints VALUES ('notes', 4);
    INSERT INTO bongsu_view_notes_1.notes VALUES (2, 'b'), (1, 'a');
    CREATE SCHEMA bongsu_view_notes_2;
    CREATE TABLE bongsu_view_notes_2.checkpoints AS TABLE bongsu_view_notes_1.checkpoints;
    CREATE TABLE bongsu_view_notes_2.notes (number bigint, text text);
";
const JOURNAL: &str = r#"{"key":"k","id":"aaaaaaaa-0000-4000-8000-000000000001","position":"p1","recipient":"r1","acked":550}
{"recipient":"r2","channel":"email","what":"left","at":560}
{"key":"torn"#;
const LEDGER: &str = r#"{"seq":1,"at":"1970-01-01T00:00:00.610000Z","provider":"smtp","delivered":true,"notification":"aaaaaaaa-0000-4000-8000-000000000001","delivery":0,"attempt":1}"#;
const FAULTS: &str = r#"{"fault":"kill_replica","from":100,"to":200,"what":"replica 0"}"#;

struct Run {
    postgres: &'static Postgres,
    url: String,
    folder: TempDir,
}

impl Run {
    fn new(planted: &str) -> Self {
        let postgres = Postgres::shared().unwrap();
        let run = Self { postgres, url: postgres.database().unwrap(), folder: tempfile::tempdir().unwrap() };
        run.change(&format!("CREATE SCHEMA bongsu; SET search_path = bongsu; {} {CLEAN} {planted}", MIGRATIONS.concat()));
        for (name, text) in [("journal", JOURNAL), ("ledger", LEDGER), ("faults", FAULTS)] {
            std::fs::write(run.folder.path().join(name), text).unwrap();
        }
        run
    }

    fn change(&self, sql: &str) {
        self.postgres.sql(&self.url, sql).unwrap();
    }

    async fn report(&self) -> Report {
        let at = |name: &str| self.folder.path().join(name);
        let inputs = postgres::read(&self.url, &at("journal"), &at("ledger"), &at("faults")).await.unwrap();
        assert_eq!((inputs.switches.len(), inputs.faults.len(), inputs.answers.len()), (1, 1, 1));
        check(&inputs, true)
    }

    async fn finds(&self, invariant: &str) {
        let report = self.report().await;
        assert!(report.by_invariant.contains_key(invariant), "{report:?}");
    }
}

#[tokio::test]
async fn a_clean_database_passes() {
    let run = Run::new("");
    let report = run.report().await;
    assert_eq!((report.violations, report.accepted, report.delivered, report.lost, report.events), (0, 1, 1, 0, 4), "{report:?}");
    assert_eq!((report.latency.calm.count, report.latency.calm.max), (1, 60), "{report:?}");
    let owed = postgres::owed(&mut postgres::connect(&run.url).await.unwrap(), i64::MAX).await.unwrap();
    assert_eq!((owed.deliveries, owed.checkpoint, owed.head, owed.timers), (0, 4, 4, 0));
    assert!(!owed.is_nothing(), "the table of timers is behind: {owed:?}");
}

#[tokio::test]
async fn faults_in_the_tables_are_found() {
    Run::new("DELETE FROM events WHERE position = 2").finds("I6").await;
    Run::new("UPDATE events SET sequence = 9 WHERE position = 4").finds("I6").await;
    Run::new("DELETE FROM commits WHERE position = 1").finds("I6").await;
    Run::new("DELETE FROM events WHERE position = 4; UPDATE checkpoints SET position = 3").finds("I1").await;
    Run::new("DELETE FROM events; DELETE FROM streams; UPDATE checkpoints SET position = 0").finds("I1").await;
    Run::new("INSERT INTO parked VALUES ('delivery', 2, 1, 0, 'why')").finds("I1").await;
}

#[tokio::test]
async fn read_models_are_compared_row_by_row() {
    let run = Run::new("");
    let before = Views::read(&run.url).await.unwrap();
    assert_eq!(before.0.iter().map(|(name, view)| (name.as_str(), view.position)).collect::<Vec<_>>(), [("notes", 4)]);
    run.change("UPDATE bongsu.read_models SET serving = 2; INSERT INTO bongsu_view_notes_2.notes VALUES (1, 'a'), (2, 'b')");
    assert_eq!(before.differences(&Views::read(&run.url).await.unwrap()), Vec::<String>::new());
    run.change("UPDATE bongsu_view_notes_2.notes SET text = 'c' WHERE number = 2");
    assert_eq!(before.differences(&Views::read(&run.url).await.unwrap()).len(), 1);
    run.change("DELETE FROM bongsu_view_notes_2.notes WHERE number = 2");
    assert_eq!(before.differences(&Views::read(&run.url).await.unwrap()).len(), 1);
}
