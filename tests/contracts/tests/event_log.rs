//! The suite of the event log on every store.

/// A test for each function of the suite.
macro_rules! run {
    ($store:ty: $($name:ident),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            event_log::$name::<$store>().await;
        }
    )+ };
}

macro_rules! every_store {
    ($store:ty) => {
        run!($store:
            positions_and_sequences_have_no_gaps_and_survive_reopening,
            what_is_read_is_what_was_appended_however_it_is_read,
            a_loser_leaves_no_trace_and_does_not_hurt_its_batch,
            a_number_saves_the_look_up_and_is_checked_all_the_same,
            an_append_is_refused_when_another_stream_has_moved_on,
            an_expectation_sees_what_the_same_batch_appended,
            who_counts_on_a_loser_loses_though_the_sequence_is_the_one_it_expects,
            personal_parts_are_sealed_in_the_store_and_gone_with_their_key,
            racing_writers_lose_nothing_and_nobody_sees_a_gap,
            attempts_without_an_outcome_are_found_by_whom_they_are_for,
        );
    };
}

mod sqlite {
    use contracts::event_log;
    every_store!(contracts::stores::SqliteStore);
}

mod postgres {
    use contracts::event_log;
    every_store!(contracts::stores::PostgresStore);
    run!(contracts::stores::PostgresStore:
        racing_replicas_lose_nothing_and_nobody_sees_a_gap,
        what_one_replica_appends_is_told_and_expected_by_the_others,
        keys_are_shared_and_an_erasure_is_everybodys,
        a_replica_is_told_what_it_needs_and_moves_past_the_rest,
        what_was_left_out_is_expected_all_the_same,
        who_changes_what_he_needs_misses_nothing,
    );
}
