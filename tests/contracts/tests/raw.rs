//! The suite of copying logs on every store.

use contracts::raw;
use contracts::stores::{PostgresStore, SqliteStore};

macro_rules! every_store {
    ($($module:ident: $store:ty, $other:ty;)+) => { $(
        mod $module {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_copy_is_equal_row_by_row_and_goes_on() {
                raw::a_copy_is_equal_row_by_row_and_goes_on::<$store>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pages_of_any_size_tell_the_same_events_and_whole_commits() {
                raw::pages_of_any_size_tell_the_same_events_and_whole_commits::<$store>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn what_does_not_follow_is_refused_and_leaves_nothing() {
                raw::what_does_not_follow_is_refused_and_leaves_nothing::<$store>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_copy_of_a_copy_elsewhere_is_the_same() {
                raw::a_copy_of_a_copy_elsewhere_is_the_same::<$store, $other>().await;
            }
        }
    )+ };
}

every_store! {
    sqlite: SqliteStore, PostgresStore;
    postgres: PostgresStore, SqliteStore;
}
