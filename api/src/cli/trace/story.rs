//! A notification's events, grouped by delivery.

use super::words;
use crate::cli::exit::CliError;
use crate::cli::output::local;
use crate::cli::remote::{Client, operations};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One event of the story.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its place in the notification's story, from 1.
    pub sequence: u64,
    /// Its type.
    pub kind: String,
    /// The delivery that it is about.
    pub delivery: Option<u64>,
    /// As the server gave it.
    pub raw: Value,
    at: String,
    payload: Value,
}

impl Told {
    fn of(raw: &Value) -> Self {
        // The payload may come as an object or as JSON in a string.
        let payload = match &raw["payload"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            other => other.clone(),
        };
        Self {
            sequence: raw["sequence"].as_u64().unwrap_or(0),
            kind: raw["type"].as_str().unwrap_or_default().to_owned(),
            delivery: raw["delivery"].as_u64().or_else(|| payload["delivery"].as_u64()),
            at: moment(&raw["at"]),
            payload,
            raw: raw.clone(),
        }
    }

    /// For people, on one line.
    pub fn line(&self) -> String {
        let of = self.delivery.map_or_else(String::new, |number| format!("delivery {number}: "));
        format!("{}  {of}{}", self.at, self.words())
    }

    fn words(&self) -> String {
        words::of(&self.kind, &self.payload)
    }
}

/// Local time of what is RFC 3339 or milliseconds.
fn moment(at: &Value) -> String {
    match at {
        Value::String(text) => chrono::DateTime::parse_from_rfc3339(text).map_or_else(|_| text.clone(), |at| local(at.timestamp_millis())),
        other => other.as_i64().map_or_else(String::new, local),
    }
}

/// A notification's whole story.
#[derive(Debug)]
pub struct Story {
    raw: Value,
    events: Vec<Told>,
}

impl Story {
    /// Asks the server.
    pub async fn fetch(client: &Client, id: &str) -> Result<Self, CliError> {
        let mut data = client.run(operations::TRACE, json!({ "id": id })).await?;
        let raw = data["notification"].take();
        if raw.is_null() {
            return Err(CliError::not_found(format!("there is no notification {id}")));
        }
        Ok(Self::of(raw))
    }

    /// Of the server's answer.
    pub fn of(raw: Value) -> Self {
        let events = raw["events"].as_array().map(|events| events.iter().map(Told::of).collect()).unwrap_or_default();
        Self { raw, events }
    }

    /// As the server gave it.
    pub const fn raw(&self) -> &Value {
        &self.raw
    }

    /// Events after a place in the story.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = &Told> {
        self.events.iter().filter(move |event| event.sequence > sequence)
    }

    /// Nothing more will happen by itself.
    pub fn is_over(&self) -> bool {
        let mut over: BTreeMap<u64, bool> = BTreeMap::new();
        for event in &self.events {
            if let Some(number) = event.delivery {
                over.insert(number, words::ends(&event.kind));
            }
        }
        !self.events.is_empty() && over.values().all(|over| *over)
    }

    /// For people: first the notification, then each delivery.
    pub fn text(&self) -> String {
        let id = self.raw["id"].as_str().unwrap_or_default();
        let mut text = format!("Notification {id}");
        if let Some(status) = self.raw["status"].as_str() {
            text.push_str(&format!(": {}", status.to_lowercase()));
        }
        let mut deliveries: BTreeMap<Option<u64>, Vec<&Told>> = BTreeMap::new();
        for event in &self.events {
            deliveries.entry(event.delivery).or_default().push(event);
        }
        for (delivery, events) in deliveries {
            if let Some(number) = delivery {
                let channel = events.iter().find_map(|event| event.payload["channel"].as_str()).unwrap_or("unknown channel");
                text.push_str(&format!("\n\nDelivery {number} over {channel}"));
            }
            for event in events {
                text.push_str(&format!("\n  {}  {}", event.at, event.words()));
            }
        }
        text
    }
}
