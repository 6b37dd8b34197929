//! What a recording led to: the log as it was in the end, row by row, and what was promised when.
//!
//! The log only grows, and no row of its history is ever changed. So whatever a power loss left
//! must be a beginning of this one, byte for byte. The rows are read by SQL of its own, and the
//! whole of it is judged by the auditor before anything is compared with it.

use anyhow::{Context, Result};
use auditor::{Answer, Arrival};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Tables of `log.db` to which rows are only added, with their order.
pub const GROWING: [(&str, &str); 4] = [
    ("event_types", "SELECT id, kind, name, version FROM event_types ORDER BY id"),
    ("streams", "SELECT number, kind, id FROM streams ORDER BY number"),
    ("commits", "SELECT position, at, metadata FROM commits ORDER BY position"),
    ("events", "SELECT position, stream, sequence, type, payload, sealed FROM events ORDER BY position"),
];

/// An answer, and how long the record was when it came.
#[derive(Debug, Clone)]
pub struct Promise {
    /// What the auditor reads.
    pub answer: Answer,
    /// Bytes recorded before it came.
    pub recorded: u64,
    /// Where its `Requested` stands; none where the log lacks it.
    pub position: Option<u64>,
}

/// An arrival at a provider.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// What the auditor reads.
    pub arrival: Arrival,
    /// When it had certainly arrived (ns since the epoch).
    pub by: u64,
    /// Where its `AttemptStarted` stands.
    pub position: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Reference {
    /// Hash of each row of each growing table.
    pub rows: HashMap<&'static str, Vec<u64>>,
    /// Positions of all `Requested`, in order.
    pub requested: Vec<u64>,
    /// Where each key is first needed, in order.
    pub sealed: Vec<(u64, Vec<u8>)>,
    /// The wrapped keys.
    pub keys: HashMap<Vec<u8>, Vec<u8>>,
    /// In order of the record.
    pub promises: Vec<Promise>,
    /// In order of time.
    pub arrivals: Vec<Arrived>,
    /// Where an administrator's key was issued.
    pub administrator: Option<u64>,
    /// `master.key`.
    pub master: String,
}

#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    answer: Answer,
    recorded: u64,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(flatten)]
    arrival: Arrival,
    at: String,
}

/// A row's hash: the same for the same values of the same types only. Nobody chooses the values to
/// deceive it, and each image has tens of thousands of rows: a cryptographic one was most of the work.
pub fn hash(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<u64> {
    let mut hash = Mixed(0);
    for column in 0..columns {
        match row.get_ref(column)? {
            ValueRef::Null => hash.add(0),
            ValueRef::Integer(value) => {
                hash.add(1);
                hash.add(value.cast_unsigned());
            }
            ValueRef::Real(value) => {
                hash.add(2);
                hash.add(value.to_bits());
            }
            ValueRef::Text(bytes) => hash.add_bytes(3, bytes),
            ValueRef::Blob(bytes) => hash.add_bytes(4, bytes),
        }
    }
    Ok(hash.0)
}

/// A multiplicative hash over words.
struct Mixed(u64);

impl Mixed {
    const fn add(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn add_bytes(&mut self, kind: u64, bytes: &[u8]) {
        self.add(kind | (bytes.len() as u64) << 8);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }
}

fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase()
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("in {}: {line}", path.display()))).collect()
}

/// Attempts by notification, delivery and number.
type Attempts = HashMap<(String, u16, u32), u64>;

impl Reference {
    /// From a data folder that nothing uses, the journal and the ledger.
    pub fn read(data: &Path, journal: &Path, ledger: &Path, inputs: &auditor::Inputs) -> Result<Self> {
        let log = Connection::open_with_flags(data.join("log.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut rows = HashMap::new();
        for (table, sql) in GROWING {
            let mut statement = log.prepare(sql)?;
            let columns = statement.column_count();
            rows.insert(table, statement.query_map([], |row| hash(row, columns))?.collect::<Result<Vec<_>, _>>()?);
        }
        let mut first_needed = BTreeMap::new();
        let mut statement = log.prepare("SELECT position, substr(sealed, 1, 16) FROM events WHERE sealed IS NOT NULL ORDER BY position DESC")?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            first_needed.insert(row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(0)?.unsigned_abs());
        }
        let mut sealed: Vec<(u64, Vec<u8>)> = first_needed.into_iter().map(|(subject, position)| (position, subject)).collect();
        sealed.sort();
        let keys = Connection::open_with_flags(data.join("keys.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let keys = keys.prepare("SELECT subject, wrapped FROM keys")?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;

        let mut requests: HashMap<&str, u64> = HashMap::new();
        let mut attempts = Attempts::new();
        let mut administrator = None;
        for event in &inputs.events {
            match event.name.as_str() {
                "Requested" => drop(requests.insert(&event.id, event.position)),
                "AttemptStarted" => {
                    let number = |field: &str| event.payload[field].as_u64().unwrap_or_default();
                    let key = (event.id.clone(), u16::try_from(number("delivery"))?, u32::try_from(number("attempt"))?);
                    attempts.insert(key, event.position);
                }
                "ApiKeyIssued" if administrator.is_none() && event.payload["role"].to_string().to_lowercase().contains("administrator") => {
                    administrator = Some(event.position)
                }
                _ => {}
            }
        }
        let promises = lines::<Line>(journal)?.into_iter().map(|line| Promise {
            position: requests.get(plain(&line.answer.id).as_str()).copied(),
            recorded: line.recorded,
            answer: line.answer,
        });
        let mut promises: Vec<Promise> = promises.collect();
        promises.sort_by_key(|promise| promise.recorded);
        Ok(Self {
            rows,
            requested: inputs.events.iter().filter(|event| event.name == "Requested").map(|event| event.position).collect(),
            sealed,
            keys,
            promises,
            arrivals: arrivals(ledger, &attempts)?,
            administrator,
            master: std::fs::read_to_string(data.join("master.key"))?,
        })
    }

    /// What had been promised when so much was recorded.
    pub fn promised(&self, recorded: u64) -> &[Promise] {
        &self.promises[..self.promises.partition_point(|promise| promise.recorded <= recorded)]
    }

    /// What had arrived before a moment.
    pub fn arrived(&self, before: u64) -> &[Arrived] {
        &self.arrivals[..self.arrivals.partition_point(|arrived| arrived.by <= before)]
    }
}

fn arrivals(ledger: &Path, attempts: &Attempts) -> Result<Vec<Arrived>> {
    let mut arrivals = Vec::new();
    for entry in lines::<Entry>(ledger)? {
        let at = chrono::DateTime::parse_from_rfc3339(&entry.at)?.timestamp_micros();
        let arrival = entry.arrival;
        let position = match (&arrival.notification, arrival.delivery, arrival.attempt) {
            (Some(id), Some(delivery), Some(attempt)) => attempts.get(&(plain(id), delivery, attempt)).copied(),
            _ => None,
        };
        // The ledger's times are rounded down to microseconds.
        let by = u64::try_from(at + 1)?.saturating_mul(1_000);
        arrivals.push(Arrived { arrival, by, position });
    }
    arrivals.sort_by_key(|arrived| arrived.by);
    Ok(arrivals)
}
