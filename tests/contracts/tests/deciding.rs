//! Decisions against the reference model, on every store, and of both stores against each other.

use contracts::deciding;
use contracts::stores::{PostgresStore, SqliteStore};

#[test]
fn on_sqlite_what_becomes_of_each_is_what_the_model_says() {
    deciding::what_becomes_of_each_is_what_the_model_says::<SqliteStore>(200);
}

#[test]
fn on_postgres_what_becomes_of_each_is_what_the_model_says() {
    deciding::what_becomes_of_each_is_what_the_model_says::<PostgresStore>(80);
}

#[test]
fn both_stores_hold_the_same_events_after_the_same_steps() {
    deciding::both_stores_hold_the_same_events_after_the_same_steps(40);
}
