//! What held at each place of the log: categories, switches, hours and time zones, folded by the
//! checker's own reading of the documented events, so that a check can ask what was true just then.

use super::text;
use crate::inputs::{Event, Inputs};
use chrono::{DateTime, Datelike as _, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use std::collections::HashMap;

/// What is to be done with what comes within quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Wait, or suppress: no call is made.
    Kept,
    /// Nothing.
    Ignored,
}

/// A category as it is defined at a moment.
#[derive(Debug, Clone)]
pub(super) struct Category {
    pub required: bool,
    pub by_default: bool,
    pub quiet: Quiet,
    /// Whether whatever is over a limit waits, and is not collected or suppressed.
    pub limits: Vec<Limit>,
}

impl Default for Category {
    fn default() -> Self {
        Self { required: false, by_default: true, quiet: Quiet::Kept, limits: Vec::new() }
    }
}

/// At most so many in such a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    pub most: usize,
    pub per: Per,
}

/// The window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Per {
    Calendar(String),
    Sliding(i64),
}

/// Hours of some days of the week, in minutes from midnight.
#[derive(Debug, Clone)]
struct Hours {
    days: Vec<String>,
    from: u32,
    to: u32,
}

/// A person's choices at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    zone: Option<Tz>,
    switches: HashMap<String, bool>,
    undisturbed_until: Option<i64>,
    quiet: Vec<Hours>,
    allowed: Vec<Hours>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct World<'a> {
    categories: HashMap<&'a str, Category>,
    people: HashMap<&'a str, Person>,
}

/// A switch's scope in one word, however the log or a journal spells it.
pub(super) fn scope(value: &Value) -> String {
    let part = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whole = ["channel", "category", "topic", "device"].into_iter().find(|name| value.get(name).is_some_and(Value::is_string));
    match (value, whole) {
        (Value::String(all), _) => all.clone(),
        (_, Some(name)) => format!("{name}:{}", part(value, name)),
        _ => {
            let both = value.get("category_channel").unwrap_or(&Value::Null);
            format!("category:{}:channel:{}", part(both, "category"), part(both, "channel"))
        }
    }
}

fn minutes(text: &str) -> u32 {
    let (hours, minutes) = text.split_once(':').unwrap_or(("0", "0"));
    hours.parse::<u32>().unwrap_or(0) * 60 + minutes.get(..2).and_then(|minutes| minutes.parse::<u32>().ok()).unwrap_or(0)
}

fn hours(value: &Value) -> Vec<Hours> {
    let one = |value: &Value| Hours {
        days: value["days"].as_array().into_iter().flatten().filter_map(|day| day.as_str().map(ToOwned::to_owned)).collect(),
        from: minutes(value["from"].as_str().unwrap_or_default()),
        to: minutes(value["to"].as_str().unwrap_or_default()),
    };
    value.as_array().into_iter().flatten().map(one).collect()
}

fn weekday(of: NaiveDateTime) -> &'static str {
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][of.weekday().num_days_from_monday() as usize]
}

impl Hours {
    fn contain(&self, local: NaiveDateTime) -> bool {
        let minute = local.hour() * 60 + local.minute();
        let on = |moment: NaiveDateTime| self.days.iter().any(|day| day == weekday(moment));
        if self.from < self.to {
            return on(local) && (self.from..self.to).contains(&minute);
        }
        (on(local) && minute >= self.from) || (minute < self.to && on(local - TimeDelta::days(1)))
    }
}

fn moment(at: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(at).single().unwrap_or_default()
}

impl Person {
    /// Whether the documented order of the switches forbids it: a channel that is off, then nothing
    /// else for a required category, then everything, the category on the channel, the category, the
    /// topic, and last the default. A device that is off is off for all.
    pub fn forbids(&self, category: &Category, key: &str, channel: &str, topic: &str, address: &str) -> Option<&'static str> {
        let choice = |scope: String| self.switches.get(&scope).copied();
        if choice(format!("channel:{channel}")) == Some(false) {
            return Some("the channel");
        }
        if !address.is_empty() && choice(format!("device:{address}")) == Some(false) {
            return Some("the device");
        }
        if category.required {
            return None;
        }
        if choice("all".to_owned()) == Some(false) {
            return Some("everything");
        }
        let narrow = choice(format!("category:{key}:channel:{channel}"));
        let explicit = narrow.or_else(|| choice(format!("category:{key}")));
        match explicit {
            Some(false) if narrow == Some(false) => return Some("the category on the channel"),
            Some(false) => return Some("the category"),
            _ => {}
        }
        if !topic.is_empty() && choice(format!("topic:{topic}")) == Some(false) {
            return Some("the topic");
        }
        (explicit.is_none() && !category.by_default).then_some("a category that nobody asked for")
    }

    /// Whether they are not to be disturbed at a moment.
    pub fn undisturbed(&self, at: i64) -> bool {
        let local = self.local(at).0;
        self.undisturbed_until.is_some_and(|until| until > at)
            || self.quiet.iter().any(|hours| hours.contain(local))
            || (!self.allowed.is_empty() && !self.allowed.iter().any(|hours| hours.contain(local)))
    }

    fn local(&self, at: i64) -> (NaiveDateTime, i32) {
        let there = moment(at).with_timezone(&self.zone.unwrap_or(Tz::UTC));
        (there.naive_local(), there.offset().fix().local_minus_utc())
    }

    /// The stretch of the calendar that a moment lies in, by the person's wall clock.
    pub fn period(&self, period: &str, at: i64) -> String {
        let (local, offset) = self.local(at);
        match period {
            "hour" => format!("{} {}h {offset}", local.date(), local.hour()),
            "day" => local.date().to_string(),
            "week" => format!("{:?}", local.iso_week()),
            _ => format!("{}-{}", local.year(), local.month()),
        }
    }
}

impl<'a> World<'a> {
    /// As it was when the part of the log begins that is judged.
    pub fn before(inputs: &'a Inputs) -> Self {
        let mut world = Self::default();
        inputs.before.iter().for_each(|event| world.see(event));
        world
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &'a Event) {
        let payload = &event.payload;
        let truth = |field: &str, default: bool| payload.get(field).and_then(Value::as_bool).unwrap_or(default);
        match (event.kind, event.name.as_str()) {
            (2, "ProfileChanged") => self.person(event).zone = text(event, "time_zone").parse().ok(),
            (3, "Unsubscribed") => drop(self.person(event).switches.insert(scope(&payload["scope"]), false)),
            (3, "Resubscribed") => drop(self.person(event).switches.insert(scope(&payload["scope"]), true)),
            (3, "DoNotDisturbChanged") => self.person(event).undisturbed_until = payload.get("until").and_then(Value::as_i64),
            (3, "QuietHoursChanged") => {
                let (quiet, allowed) = (hours(&payload["quiet_hours"]), hours(&payload["allowed"]));
                let person = self.person(event);
                (person.quiet, person.allowed) = (quiet, allowed);
            }
            (4, "CategoryDefined") => {
                let category = Category {
                    required: truth("required", false),
                    by_default: truth("subscribed_by_default", true),
                    quiet: if text(event, "quiet_hours") == "ignore" { Quiet::Ignored } else { Quiet::Kept },
                    limits: payload["limits"].as_array().into_iter().flatten().map(limit).collect(),
                };
                self.categories.insert(text(event, "key"), category);
            }
            _ => {}
        }
    }

    fn person(&mut self, event: &'a Event) -> &mut Person {
        self.people.entry(&event.id).or_default()
    }

    /// A category; as one is that is defined by nothing but its key, where it is not known.
    pub fn category(&self, key: &str) -> Category {
        self.categories.get(key).cloned().unwrap_or_default()
    }

    /// Somebody's choices.
    pub fn choices(&self, recipient: &str) -> Option<&Person> {
        self.people.get(recipient)
    }
}

fn limit(value: &Value) -> Limit {
    let per = &value["per"];
    let per = per["sliding"].as_i64().map_or_else(|| Per::Calendar(per["calendar"].as_str().unwrap_or_default().to_owned()), Per::Sliding);
    Limit { most: value["most"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX), per }
}
