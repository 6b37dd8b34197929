//! Streams and `$all`, and the rules of appending.
//!
//! The rules follow the server's own check of a commit: where the stream is further than was
//! expected, it is looked whether exactly these ids stand there already. All of them: the append is
//! answered as if it were the first. Another one, or only some: wrong expected version.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// What the server takes in one append unless it is configured otherwise.
pub const MAX_APPEND_BYTES: usize = 1 << 20;

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// Its content type.
    pub content_type: String,
    /// What it says.
    pub data: Vec<u8>,
    /// What its writer says about it.
    pub metadata: Vec<u8>,
}

/// An event that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its stream.
    pub stream: String,
    /// Its number in the stream, from 0.
    pub revision: u64,
    /// Its place in `$all`: commit and prepare position, which are the same for plain appends.
    pub position: u64,
    /// What was appended.
    pub event: NewEvent,
}

/// What the appender expects of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Any,
    /// That it is not there.
    NoStream,
    /// That it is there.
    StreamExists,
    /// That this is its newest event.
    Revision(u64),
}

/// It is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The newest of these events.
    pub revision: Option<u64>,
    /// Its place in `$all`.
    pub position: Option<u64>,
}

/// It is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The stream is elsewhere.
    WrongExpectedVersion {
        /// Its newest event.
        current: Option<u64>,
    },
    /// Too much at once.
    TooLarge,
}

/// See the module.
#[derive(Debug)]
pub struct Store {
    state: Mutex<State>,
    length: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    all: Vec<Record>,
    streams: HashMap<String, Vec<usize>>,
    end: u64,
}

impl Default for Store {
    /// With events of the server's own, such as every real one has.
    fn default() -> Self {
        let store = Self { state: Mutex::default(), length: watch::Sender::new(0) };
        for stream in ["$settings", "$stats-127.0.0.1:2113"] {
            let event = NewEvent {
                id: Uuid::from_u128(stream.len() as u128),
                event_type: "$system".to_owned(),
                content_type: json(),
                data: b"{}".to_vec(),
                metadata: Vec::new(),
            };
            // Nothing can refuse the first event of a stream.
            let _ = store.append(stream, Expected::NoStream, vec![event]);
        }
        store
    }
}

/// The content type of JSON.
pub fn json() -> String {
    "application/json".to_owned()
}

impl Store {
    /// Appends all or nothing.
    pub fn append(&self, stream: &str, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, Refused> {
        let mut state = self.lock();
        if events.iter().map(|event| event.data.len() + event.metadata.len()).sum::<usize>() > MAX_APPEND_BYTES {
            return Err(Refused::TooLarge);
        }
        let there = state.streams.get(stream).cloned().unwrap_or_default();
        let wrong = Refused::WrongExpectedVersion { current: (there.len() as u64).checked_sub(1) };
        let stored = |number: usize| there.get(number).and_then(|index| state.all.get(*index));
        // Number of the first of these events, if they are to follow what was expected.
        let first = match expected {
            Expected::NoStream => 0,
            Expected::Revision(revision) => usize::try_from(revision).unwrap_or(usize::MAX).saturating_add(1),
            Expected::StreamExists if there.is_empty() => return Err(wrong),
            Expected::Any | Expected::StreamExists => {
                let known = events.first().and_then(|event| (0..there.len()).find(|number| stored(*number).is_some_and(|record| record.event.id == event.id)));
                known.unwrap_or(there.len())
            }
        };
        if first > there.len() {
            return Err(wrong);
        }
        if first < there.len() && !events.is_empty() {
            let last = first + events.len() - 1;
            let repeated = events.iter().zip(first..).all(|(event, number)| stored(number).is_some_and(|record| record.event.id == event.id));
            return if repeated { Ok(Appended { revision: Some(last as u64), position: stored(last).map(|record| record.position) }) } else { Err(wrong) };
        }
        if first < there.len() {
            return Err(wrong);
        }
        let (mut revision, mut position) = ((there.len() as u64).checked_sub(1), None);
        for event in events {
            let number = revision.map_or(0, |revision| revision + 1);
            // As in a file: the position is where the record begins.
            let start = state.end;
            state.end += 100 + (stream.len() + event.data.len() + event.metadata.len()) as u64;
            let index = state.all.len();
            state.all.push(Record { stream: stream.to_owned(), revision: number, position: start, event });
            state.streams.entry(stream.to_owned()).or_default().push(index);
            (revision, position) = (Some(number), Some(start));
        }
        self.length.send_replace(state.all.len());
        Ok(Appended { revision, position })
    }

    /// Everything in the order of `$all`.
    pub fn all(&self) -> Vec<Record> {
        self.lock().all.clone()
    }

    /// Everything behind a place in `$all`, counted in events.
    pub(crate) fn all_from(&self, index: usize) -> Vec<Record> {
        self.lock().all.get(index..).unwrap_or_default().to_vec()
    }

    /// A stream's events; none where it does not exist.
    pub fn stream(&self, stream: &str) -> Option<Vec<Record>> {
        let state = self.lock();
        let there = state.streams.get(stream)?;
        Some(there.iter().filter_map(|index| state.all.get(*index).cloned()).collect())
    }

    /// Takes out what a test says, as if it had never been written: no server would.
    pub fn tamper(&self, mut keep: impl FnMut(&mut Record) -> bool) {
        let mut state = self.lock();
        let all = std::mem::take(&mut state.all);
        state.streams.clear();
        for mut record in all {
            if keep(&mut record) {
                let index = state.all.len();
                state.streams.entry(record.stream.clone()).or_default().push(index);
                state.all.push(record);
            }
        }
    }

    /// Wakes on every append; holds the number of events.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
