//! The suite of the limits of requests on every adapter.

macro_rules! every_adapter {
    ($($name:ident: $limiters:ident),+ $(,)?) => { $(
        mod $name {
            every_adapter!(@ $limiters:
                a_burst_is_allowed_and_then_the_rate,
                what_was_used_up_comes_back_with_time,
                all_replicas_together_keep_to_it,
                whoever_moves_from_one_to_the_next_gains_nothing,
                coming_now_and_then_is_worth_no_more_than_coming_all_the_time,
                callers_do_not_affect_each_other,
                whoever_keeps_to_the_rate_is_never_refused,
            );
        }
    )+ };
    (@ $limiters:ident: $($name:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            contracts::limits::$name::<contracts::limiters::$limiters>().await;
        }
    )+ };
}

every_adapter!(memory: Alone, redis: ByRedis, cluster: ByCluster);
