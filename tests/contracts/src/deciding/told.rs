//! What the log can say of a notification or a digest, in words that the model uses too.

use domain::values::{Channel, Millis, Priority, Rule};
use std::collections::BTreeMap;

/// Of what something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The notification of a request, by its number.
    Request(usize),
    /// The digest of a person and a category.
    Digest(usize, usize),
    /// The summary of one of its windows.
    Summary(usize, usize, u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Requested {
        priority: Priority,
        not_before: Option<Millis>,
        expires: Option<Millis>,
    },
    Repeated(u32),
    /// `place`: it was given the place at that moment.
    Waits {
        until: Millis,
        rule: Rule,
        place: bool,
    },
    Released,
    Collected {
        window: u32,
        rule: Rule,
    },
    Queued {
        delivery: u16,
        channel: Channel,
        address: Option<usize>,
        rule: Rule,
    },
    Sent(u16),
    Skipped {
        channel: Channel,
        address: Option<usize>,
        rule: Rule,
    },
    Suppressed(Rule),
    Expired,
    TakenBack,
    Stopped(u16),
    Opened {
        window: u32,
        closes_at: Millis,
    },
    Item {
        window: u32,
        item: Subject,
    },
    LetGo {
        window: u32,
        item: Subject,
    },
    Closed {
        window: u32,
        summary: bool,
        items: Vec<Subject>,
        more: u32,
    },
}

/// What is new, in order.
pub type News = BTreeMap<Subject, Vec<Told>>;
