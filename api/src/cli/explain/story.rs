//! A notification's steps, grouped by delivery.

use crate::cli::exit::CliError;
use crate::cli::output::local;
use crate::cli::remote::{Client, operations};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One step of the story.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its place in the notification's story, from 1.
    pub sequence: u64,
    /// The delivery that it is about.
    pub delivery: Option<u64>,
    /// As the server gave it.
    pub raw: Value,
    at: String,
    sentence: String,
}

impl Told {
    fn of(raw: &Value) -> Self {
        Self {
            sequence: raw["sequence"].as_u64().unwrap_or(0),
            delivery: raw["delivery"].as_u64(),
            at: moment(&raw["at"]),
            sentence: raw["sentence"].as_str().unwrap_or_default().to_owned(),
            raw: raw.clone(),
        }
    }

    /// For people, on one line.
    pub fn line(&self) -> String {
        let of = self.delivery.map_or_else(String::new, |number| format!("delivery {number}: "));
        format!("{}  {of}{}", self.at, self.sentence)
    }
}

/// Local time of what is RFC 3339.
pub(super) fn moment(at: &Value) -> String {
    let text = at.as_str().unwrap_or_default();
    chrono::DateTime::parse_from_rfc3339(text).map_or_else(|_| text.to_owned(), |at| local(at.timestamp_millis()))
}

/// A notification's whole story.
#[derive(Debug)]
pub struct Story {
    raw: Value,
    steps: Vec<Told>,
}

impl Story {
    /// Asks the server.
    pub async fn fetch(client: &Client, id: &str) -> Result<Self, CliError> {
        let mut data = client.run(operations::EXPLAIN, json!({ "id": id })).await?;
        let raw = data["explain"].take();
        if raw.is_null() {
            return Err(CliError::not_found(format!("there is no notification {id}")));
        }
        Ok(Self::of(raw))
    }

    /// Of the server's answer.
    pub fn of(raw: Value) -> Self {
        let steps = raw["steps"].as_array().map(|steps| steps.iter().map(Told::of).collect()).unwrap_or_default();
        Self { raw, steps }
    }

    /// As the server gave it.
    pub const fn raw(&self) -> &Value {
        &self.raw
    }

    /// Steps after a place in the story.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = &Told> {
        self.steps.iter().filter(move |step| step.sequence > sequence)
    }

    /// Nothing more will happen by itself.
    pub fn is_over(&self) -> bool {
        self.raw["over"] == true
    }

    /// For people: the whole in a sentence, then the notification, then each delivery.
    pub fn text(&self) -> String {
        let word = |field: &str| self.raw[field].as_str().unwrap_or_default();
        let mut text = format!("Notification {}: {}\n{}", word("notification"), word("outcome"), word("sentence"));
        if self.raw["erased"] == true {
            text.push_str("\nThe recipient was erased since: content and addresses can no longer be read by anybody.");
        }
        text.push('\n');
        let mut deliveries: BTreeMap<Option<u64>, Vec<&Told>> = BTreeMap::new();
        for step in &self.steps {
            deliveries.entry(step.delivery).or_default().push(step);
        }
        for (delivery, steps) in deliveries {
            if let Some(number) = delivery {
                let channel = steps.iter().find_map(|step| step.raw["channel"].as_str()).unwrap_or("unknown channel").to_lowercase();
                text.push_str(&format!("\n\nDelivery {number} over {channel}"));
            }
            for step in steps {
                text.push_str(&format!("\n  {}  {}", step.at, step.sentence));
                let facts = step.raw["facts"].as_array().into_iter().flatten().filter_map(|fact| fact["sentence"].as_str());
                for fact in facts.filter(|fact| !step.sentence.contains(fact)) {
                    text.push_str(&format!("\n      {fact}"));
                }
            }
        }
        text
    }
}
