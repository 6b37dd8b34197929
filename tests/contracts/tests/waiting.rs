//! The suite of what waits, on every store.

/// A test for each function of the suite.
macro_rules! every_store {
    ($($name:ident),+ $(,)?) => {
        mod sqlite { every_store!(@contracts::stores::SqliteStore: $($name),+); }
        mod postgres { every_store!(@contracts::stores::PostgresStore: $($name),+); }
    };
    (@$store:ty: $($name:ident),+) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            contracts::waiting::$name::<$store>().await;
        }
    )+ };
}

every_store!(what_waited_is_owed_as_its_request_said, timers_come_in_order_and_go_with_their_reason, what_was_set_before_a_restart_fires_once_after_it,);
