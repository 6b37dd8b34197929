//! What the queue in Redis is told.

use crate::redis::RedisPlace;
use std::time::Duration;

/// Bounds and times.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// Where it is.
    pub place: RedisPlace,
    /// What the names of all keys begin with: installations that share a Redis differ in it.
    pub prefix: String,
    /// Items ready in one lane.
    pub lane: usize,
    /// Items of one route that wait for their moment.
    pub timers: usize,
    /// How long what was taken is not handed out to others, by Redis's clock.
    pub lease: Duration,
    /// How long it is remembered what was settled: longer than the table is behind.
    pub remember: Duration,
    /// How often a waiting worker looks for what other processes have put there.
    pub poll: Duration,
    /// How long Redis may take for an answer, and for a connection.
    pub timeout: Duration,
    /// How long what nobody uses is kept.
    pub keep: Duration,
}

impl RedisSettings {
    /// The usual bounds and times.
    pub fn at(place: RedisPlace) -> Self {
        Self {
            place,
            prefix: "bongsu".to_owned(),
            lane: 4_000,
            timers: 40_000,
            lease: Duration::from_secs(3),
            remember: Duration::from_secs(3),
            poll: Duration::from_millis(25),
            timeout: Duration::from_secs(1),
            keep: Duration::from_secs(3_600),
        }
    }
}
