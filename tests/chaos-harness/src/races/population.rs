//! Those whose switches are raced for: people of one round, and each switch of theirs once.

use super::rig::Rig;
use crate::load::RECIPIENTS;
use anyhow::{Context as _, Result};
use crash_harness::api::{CHANNELS, Item, recipient_id};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Categories whose channels are single switches.
const CATEGORIES: [&str; 3] = ["race-0", "race-1", "race-2"];
/// And every channel as a whole.
const SWITCHES: usize = CHANNELS.len() * (CATEGORIES.len() + 1);
/// So many people at least, so that races that run at once rarely are of one person.
const LEAST: usize = 512;
/// Requests at once.
const AT_ONCE: usize = 32;

/// Defines the categories that races use.
pub async fn define(rig: &Rig) -> Result<()> {
    let administrator = rig.administrators.first().context("no replica")?;
    for key in CATEGORIES {
        administrator.define_category(json!({ "key": key, "name": key })).await?;
    }
    Ok(())
}

/// Has every replica call every provider, to people of no race: a first call fetches tokens and connects, and is no
/// measure of how late a call arrives. Returns when all have arrived.
pub async fn warm_up(rig: &Rig, within: Duration) -> Result<()> {
    Population { first: 0, people: RECIPIENTS }.create(rig).await?;
    for (replica, sender) in rig.senders.iter().enumerate() {
        let item = |recipient| Item::new(format!("warm-{replica}-{recipient}"), recipient, &CHANNELS, "NORMAL");
        sender.send_list(&(0..RECIPIENTS).map(item).collect::<Vec<Item>>()).await?;
    }
    rig.log.drained(within).await.map_err(anyhow::Error::msg)
}

/// One switch.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// Whose.
    pub recipient: usize,
    channel: &'static str,
    /// None: all that comes over the channel.
    category: Option<&'static str>,
}

impl Switch {
    /// As the schema has it.
    pub fn scope(&self) -> Value {
        match self.category {
            Some(category) => json!({ "scope": "CATEGORY_CHANNEL", "category": category, "channel": self.channel }),
            None => json!({ "scope": "CHANNEL", "channel": self.channel }),
        }
    }

    /// As the log has it.
    pub fn logged(&self) -> Value {
        let channel = self.channel.to_lowercase();
        match self.category {
            Some(category) => json!({ "category_channel": { "category": category, "channel": channel } }),
            None => json!({ "channel": channel }),
        }
    }

    /// That the opt-out was answered at this time, for the journal.
    pub fn left(&self, at: i64) -> Value {
        let (channel, category) = (self.channel.to_lowercase(), self.category.unwrap_or_default());
        json!({ "recipient": recipient_id(self.recipient), "channel": channel, "category": category, "what": "left", "at": at })
    }

    /// What the switch forbids.
    pub fn item(&self, what: &str) -> Item {
        let category = self.category.unwrap_or("general");
        let mut item = Item::new(format!("{}-{category}-{}-{what}", self.recipient, self.channel), self.recipient, &[self.channel], "NORMAL");
        item.input["category"] = json!(category);
        item
    }
}

/// See the module.
pub struct Population {
    first: usize,
    people: usize,
}

impl Population {
    /// For so many races of a round.
    pub fn new(round: u64, races: usize) -> Self {
        let most = super::ROUND.div_ceil(SWITCHES).max(LEAST);
        let first = usize::try_from(round).unwrap_or(usize::MAX).saturating_mul(most).saturating_add(RECIPIENTS);
        Self { first, people: races.div_ceil(SWITCHES).max(LEAST.min(races)) }
    }

    /// Registers them, each with an address on every channel.
    pub async fn create(&self, rig: &Rig) -> Result<()> {
        let next = Arc::new(AtomicUsize::new(self.first));
        let end = self.first + self.people;
        let secret = rig.simulators.webhook_secret().await?;
        let hands = (0..AT_ONCE).map(|hand| {
            let (next, webhook, secret) = (Arc::clone(&next), rig.webhook.clone(), secret.clone());
            let administrator = rig.administrators[hand % rig.administrators.len()].clone();
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return anyhow::Ok(());
                    }
                    administrator.create_recipient(number, &webhook, &secret).await?;
                }
            })
        });
        for hand in hands.collect::<Vec<_>>() {
            hand.await??;
        }
        Ok(())
    }

    /// So many of their switches: those of one person far apart, and whole channels, which decide more, last.
    pub fn switches(&self, count: usize) -> Vec<Switch> {
        let kinds = CATEGORIES.map(Some).into_iter().chain([None]).flat_map(|category| CHANNELS.map(|channel| (category, channel)));
        let people = self.first..self.first + self.people;
        kinds.flat_map(|(category, channel)| people.clone().map(move |recipient| Switch { recipient, channel, category })).take(count).collect()
    }
}
