//! The suites of the queue's ports on every queue.

/// A test for each function of a suite.
macro_rules! run {
    ($suite:ident on $queues:ty: $($name:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            contracts::$suite::$name::<$queues>().await;
        }
    )+ };
}

macro_rules! every_queue {
    ($($name:ident: $queues:ident),+ $(,)?) => { $(
        mod $name {
            use contracts::queues::$queues;
            run!(queue on $queues:
                what_is_taken_is_what_was_offered,
                priorities_are_served_by_their_weights,
                the_higher_goes_first_and_the_lower_takes_what_it_leaves,
                one_with_a_hundred_times_the_share_does_not_delay_another,
                many_senders_all_get_their_turn,
                what_one_sender_has_is_in_the_order_of_arrival,
                offering_again_changes_nothing,
                a_lane_is_bounded_and_says_when_it_has_room,
                what_is_given_back_comes_first_in_its_newest_shape,
                what_is_given_back_waiting_waits_and_what_is_over_is_gone,
                what_is_settled_is_gone,
                routes_are_apart,
                racing_takers_never_get_the_same,
                whoever_waits_learns_of_an_offer,
            );
            run!(timers on $queues:
                nothing_fires_before_it_is_due,
                what_is_held_or_taken_is_not_held_again,
                what_fires_goes_where_its_priority_is_served,
                each_fires_once_however_many_look,
            );
        }
    )+ };
}

every_queue!(window: InWindow, redis: InRedis, cluster: InCluster, sentinel: BehindSentinel);
