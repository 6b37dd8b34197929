//! The common stock of requests in Redis: of each caller what no replica holds.
//!
//! A key for each caller that made requests in the last seconds: what is left, and when. Its name says
//! the caller's UUID and nothing else. A caller without a key has everything saved up. Keys are spread over
//! a few slots, so a Redis Cluster spreads the work, and an exchange is one call for each.
//!
//! Rejected: a counter for each caller and window, from which others' requests are read. A replica that
//! has not served a caller of late knows nothing of the windows before, and would let everything through
//! that is saved up.

use std::time::Duration;
use uuid::Uuid;
use workers::redis::{Link, NoAnswer, RedisPlace, Script};

/// Slots that the keys are in.
pub(super) const SHARDS: usize = 8;
/// How long Redis may take for an answer: who is asked four times a second had better be quick.
const TIMEOUT: Duration = Duration::from_millis(300);
/// How long a key is kept: longer than it takes to have everything saved up again.
const KEEP: Duration = Duration::from_secs(10);

/// What is asked for one caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub caller: Uuid,
    /// Requests a second.
    pub rate: f64,
    /// The most that the stock holds.
    pub depth: f64,
    /// The most that is wanted.
    pub share: f64,
    /// What was granted before and is not spent; below 0 where more was spent.
    pub held: f64,
}

/// What comes of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grant {
    /// What the replica now holds.
    pub granted: f64,
    /// What the stock has left; below 0 where it is owed some.
    pub rest: f64,
}

/// See the module.
pub struct RedisStock {
    link: Link,
    script: Script,
    prefix: String,
    keep: Duration,
}

impl RedisStock {
    /// Connects at the first call. Installations that share a Redis differ in the prefix.
    pub fn new(place: RedisPlace, prefix: String) -> Self {
        Self { link: Link::new(place, TIMEOUT), script: Script::new(include_str!("stock.lua")), prefix, keep: KEEP }
    }

    /// Keeps keys for longer, where time is not the machine's.
    #[must_use]
    pub fn keeping(self, keep: Duration) -> Self {
        Self { keep, ..self }
    }

    /// Where a caller's key is.
    pub(super) const fn shard(caller: &Uuid) -> usize {
        // The last byte is chance in every kind of UUID that we make.
        caller.as_bytes()[15] as usize % SHARDS
    }

    /// Settles for some callers of one shard; says what comes of it for each. `now` is the milliseconds by which
    /// all replicas go.
    pub(super) async fn exchange(&self, shard: usize, asks: &[Ask], now: i64) -> Result<Vec<Grant>, NoAnswer> {
        let mut arguments = Vec::with_capacity(2 + 5 * asks.len());
        arguments.extend([now.to_string().into_bytes(), self.keep.as_millis().to_string().into_bytes()]);
        for ask in asks {
            arguments.push(ask.caller.to_string().into_bytes());
            arguments.extend([ask.rate, ask.depth, ask.share, ask.held].map(|number| format!("{number:.3}").into_bytes()));
        }
        let base = format!("bongsu:{{{}:limits:{shard}}}:", self.prefix);
        let answers: Vec<f64> = self.link.run(&self.script, &base, &arguments).await?;
        let grants: Vec<_> = answers.chunks_exact(2).map(|pair| Grant { granted: pair[0], rest: pair[1] }).collect();
        if grants.len() == asks.len() { Ok(grants) } else { Err(NoAnswer { reason: "it granted to others than were asked for".to_owned() }) }
    }
}
