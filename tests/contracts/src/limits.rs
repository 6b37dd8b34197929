//! The port `Limits`: what all replicas together let through.

use crate::limiters::{Limiters, RATE, SLOW, hammer, key, recipient};

const QUARTER_RATE: usize = RATE as usize / 4;

/// In no stretch of time, counted in quarters of a second, was more let through than is promised.
fn within(quarters: &[usize], replicas: usize) {
    for start in 0..quarters.len() {
        for end in start + 1..=quarters.len() {
            let (all, time) = (quarters[start..end].iter().sum::<usize>(), (end - start - 1) * QUARTER_RATE);
            let promised = 2 * RATE as usize + time + QUARTER_RATE * (replicas - 1);
            assert!(all <= promised, "{all} instead of {promised} from quarter {start} to {end}: {quarters:?}");
        }
    }
}

pub async fn a_burst_is_allowed_and_then_the_rate<L: Limiters>() {
    let limiters = L::new(3).await;
    let one = limiters.each()[0];
    let mut quarters = Vec::new();
    for _ in 0..24 {
        quarters.push(hammer(one, &key(1), limiters.clock()));
        limiters.quarter().await;
    }
    within(&quarters, limiters.each().len());
    assert!(quarters[0] >= QUARTER_RATE, "at once: {quarters:?}");
    assert!(quarters[..8].iter().sum::<usize>() > 9 * QUARTER_RATE, "what was saved up: {quarters:?}");
    let then: usize = quarters[16..].iter().sum();
    assert!((8 * QUARTER_RATE - 2..=8 * QUARTER_RATE + 2).contains(&then), "the rate: {quarters:?}");
}

pub async fn what_was_used_up_comes_back_with_time<L: Limiters>() {
    let limiters = L::new(2).await;
    let hammer_all = || limiters.each().into_iter().map(|one| hammer(one, &key(1), limiters.clock())).sum::<usize>();
    for _ in 0..12 {
        hammer_all();
        limiters.quarter().await;
    }
    hammer_all();
    assert_eq!(hammer_all(), 0, "used up");
    for _ in 0..12 {
        limiters.quarter().await;
    }
    let mut again = hammer_all();
    for _ in 0..4 {
        limiters.quarter().await;
        again += hammer_all();
    }
    let time = 4 * QUARTER_RATE;
    assert!(again > time + RATE as usize, "it was saved up again: {again}");
    assert!(again <= 2 * RATE as usize + time + QUARTER_RATE, "and no more than that: {again}");
}

pub async fn all_replicas_together_keep_to_it<L: Limiters>() {
    let limiters = L::new(3).await;
    let mut quarters = Vec::new();
    for _ in 0..24 {
        quarters.push(limiters.each().into_iter().map(|one| hammer(one, &key(1), limiters.clock())).sum());
        limiters.quarter().await;
    }
    within(&quarters, limiters.each().len());
    assert!(quarters[16..].iter().sum::<usize>() >= 8 * QUARTER_RATE - 3, "all of it is used: {quarters:?}");
}

/// One that was not asked for long has everything to learn.
pub async fn whoever_moves_from_one_to_the_next_gains_nothing<L: Limiters>() {
    let limiters = L::new(3).await;
    let mut quarters = Vec::new();
    for quarter in 0..36 {
        let each = limiters.each();
        quarters.push(hammer(each[quarter / 6 % each.len()], &key(1), limiters.clock()));
        limiters.quarter().await;
    }
    within(&quarters, limiters.each().len());
}

pub async fn callers_do_not_affect_each_other<L: Limiters>() {
    let limiters = L::new(2).await;
    let slow = hammer(limiters.each()[0], &recipient(3), limiters.clock());
    assert!((SLOW as usize / 4..=2 * SLOW as usize).contains(&slow), "recipients have a rate of their own: {slow}");
    for _ in 0..8 {
        limiters.each().into_iter().for_each(|one| {
            hammer(one, &key(1), limiters.clock());
        });
        limiters.quarter().await;
    }
    limiters.each().into_iter().for_each(|one| {
        hammer(one, &key(1), limiters.clock());
    });
    for one in limiters.each() {
        assert_eq!(hammer(one, &key(1), limiters.clock()), 0, "used up");
        assert!(one.take(&key(2), commands::ports::Clock::monotonic(limiters.clock())), "that of another is not");
    }
}

/// Nobody who asks for little is refused, in whatever moment the replicas settle.
pub async fn whoever_keeps_to_the_rate_is_never_refused<L: Limiters>() {
    let limiters = L::new(3).await;
    let mut refused = 0;
    for _ in 0..40 {
        for one in limiters.each() {
            refused += (0..QUARTER_RATE / 4).filter(|_| !one.take(&key(1), commands::ports::Clock::monotonic(limiters.clock()))).count();
        }
        limiters.quarter().await;
    }
    assert_eq!(refused, 0);
}
