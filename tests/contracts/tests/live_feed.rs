//! The suite of the live feed over every log.

macro_rules! run {
    ($store:ty: $($name:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            contracts::live_feed::$name::<$store>().await;
        }
    )+ };
}

mod sqlite {
    run!(contracts::stores::SqliteStore:
        everything_comes_once_and_in_order,
        what_the_tail_has_forgotten_comes_from_the_log,
    );
}

mod postgres {
    run!(contracts::stores::PostgresStore:
        everything_comes_once_and_in_order,
        what_the_tail_has_forgotten_comes_from_the_log,
        everything_comes_once_and_in_order_whoever_accepted_it,
        what_is_done_on_one_replica_is_told_on_the_other,
    );
}
