//! The quota's event, state and decision.

use crate::aggregate::Aggregate;
use crate::values::{Channel, Millis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Attempts were drawn from what an hour allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotaDrawn {
    /// Over which channel.
    pub channel: Channel,
    /// To which country (ISO 3166-1 alpha-2); absent where the numbers belong to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The beginning of the hour (ms since the epoch).
    pub hour: Millis,
    /// How many.
    pub attempts: u32,
}

crate::plain_bodies!(QuotaDrawn);
crate::events! {
    /// What can have happened to a quota.
    QuotaEvent of Quota { QuotaDrawn = 1 }
}

/// What has been drawn, as the events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Attempts.
    pub drawn: u32,
}

/// Draw up to so many attempts.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Over which channel.
    pub channel: Channel,
    /// To which country.
    pub country: Option<String>,
    /// The beginning of the hour.
    pub hour: Millis,
    /// How many are wanted; fewer are drawn where fewer are left.
    pub attempts: u32,
    /// How many there are in all.
    pub cap: u32,
}

/// Why nothing is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuotaRefusal {
    /// Nothing is left of this hour.
    #[error("as many as are allowed in this hour were sent; wait for the next one, or raise the cap")]
    Spent,
}

impl Aggregate for Quota {
    type Command = Draw;
    type Event = QuotaEvent;
    type Refusal = QuotaRefusal;

    fn decide(&self, draw: Draw) -> Result<Vec<QuotaEvent>, QuotaRefusal> {
        let Draw { channel, country, hour, attempts, cap } = draw;
        let attempts = attempts.min(cap.saturating_sub(self.drawn));
        if attempts == 0 {
            return Err(QuotaRefusal::Spent);
        }
        Ok(vec![QuotaEvent::QuotaDrawn(QuotaDrawn { channel, country, hour, attempts })])
    }

    fn evolve(&mut self, QuotaEvent::QuotaDrawn(e): &QuotaEvent) {
        self.drawn = self.drawn.saturating_add(e.attempts);
    }
}
