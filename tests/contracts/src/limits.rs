//! The port `Limits`: what all replicas together let through.

use crate::limiters::{Limiters, RATE, SLOW, hammer, key, recipient};
use commands::ports::Clock as _;

/// Settlements within which all of a burst gets through.
const OFTEN: usize = 12;
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

/// Lets through whatever can be, however often they have to settle for it.
async fn burst<L: Limiters>(limiters: &L, replicas: usize) -> usize {
    let mut all = 0;
    for _ in 0..OFTEN {
        all += limiters.each().into_iter().take(replicas).map(|one| hammer(one, &key(1), limiters.clock())).sum::<usize>();
        limiters.settle().await;
    }
    all
}

pub async fn a_burst_is_allowed_and_then_the_rate<L: Limiters>() {
    let limiters = L::new(3).await;
    let one = limiters.each()[0];
    let at_once = hammer(one, &key(1), limiters.clock());
    assert!(at_once >= QUARTER_RATE, "{at_once}");
    let mut quarters = vec![at_once + burst(&limiters, 1).await];
    assert!(quarters[0] >= RATE as usize, "what was saved up: {quarters:?}");
    for _ in 0..16 {
        limiters.quarter().await;
        quarters.push(hammer(one, &key(1), limiters.clock()));
    }
    within(&quarters, limiters.each().len());
    let then: usize = quarters[8..16].iter().sum();
    assert!((8 * QUARTER_RATE - 2..=8 * QUARTER_RATE + 2).contains(&then), "the rate: {quarters:?}");
}

pub async fn what_was_used_up_comes_back_with_time<L: Limiters>() {
    let limiters = L::new(2).await;
    burst(&limiters, 2).await;
    assert_eq!(burst(&limiters, 2).await, 0, "used up");
    for _ in 0..12 {
        limiters.quarter().await;
    }
    let again = burst(&limiters, 2).await;
    assert!(again > RATE as usize, "it was saved up again: {again}");
    assert!(again <= 2 * RATE as usize + QUARTER_RATE, "and no more than that: {again}");
}

pub async fn all_replicas_together_keep_to_it<L: Limiters>() {
    let limiters = L::new(3).await;
    let mut quarters = vec![burst(&limiters, 3).await];
    for number in 0..24 {
        limiters.quarter().await;
        let all = limiters.each().into_iter().map(|one| hammer(one, &key(1), limiters.clock())).sum::<usize>();
        quarters.push(if number % 5 == 0 { all + burst(&limiters, 3).await } else { all });
    }
    within(&quarters, limiters.each().len());
    assert!(quarters[8..16].iter().sum::<usize>() >= 8 * QUARTER_RATE - 3, "all of it is used: {quarters:?}");
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
        for one in limiters.each() {
            hammer(one, &key(1), limiters.clock());
        }
        limiters.quarter().await;
    }
    for one in limiters.each() {
        hammer(one, &key(1), limiters.clock());
        assert_eq!(hammer(one, &key(1), limiters.clock()), 0, "used up");
        assert!(one.take(&key(2), limiters.clock().monotonic()), "that of another is not");
    }
}

/// Whoever is asked for nothing forgets; that is not a new beginning for the caller.
pub async fn coming_now_and_then_is_worth_no_more_than_coming_all_the_time<L: Limiters>() {
    for pause in 2..6 {
        let limiters = L::new(3).await;
        let mut quarters = vec![burst(&limiters, 3).await];
        for number in 0..40 {
            limiters.quarter().await;
            let each = limiters.each();
            let now = each.iter().enumerate().filter(|(replica, _)| (number + replica) % pause == 0);
            quarters.push(now.map(|(_, one)| hammer(*one, &key(1), limiters.clock())).sum());
        }
        within(&quarters, limiters.each().len());
    }
}

/// Nobody who asks for little is refused, in whatever moment the replicas settle.
pub async fn whoever_keeps_to_the_rate_is_never_refused<L: Limiters>() {
    let limiters = L::new(3).await;
    let mut refused = 0;
    for _ in 0..40 {
        for one in limiters.each() {
            refused += (0..QUARTER_RATE / 4).filter(|_| !one.take(&key(1), limiters.clock().monotonic())).count();
        }
        limiters.quarter().await;
    }
    assert_eq!(refused, 0);
}
