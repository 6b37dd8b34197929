//! What authors and senders ask; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod sqlite;

use crate::store::{Projection, ReadError};
use commands::log::Position;
use domain::template::Access;
use domain::values::{Millis, SenderKey, TemplateKey};
use std::sync::Arc;

/// Words of a search that count; further ones are left out.
const MOST_WORDS: usize = 6;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// Its key.
    pub key: TemplateKey,
    /// Its name, for people.
    pub name: String,
    /// How often it was written.
    pub revision: u32,
    /// The version that is sent; 0: none.
    pub version: u32,
    /// New requests are refused.
    pub archived: bool,
    /// Which senders may do what.
    pub access: Access,
    /// When it was last changed (ms since the epoch).
    pub updated_at: Millis,
    /// Of its last event.
    pub updated_position: Position,
}

/// One that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// 0 where key, name and tags have all words, else 1.
    pub rank: u8,
    /// It.
    pub row: TemplateRow,
}

/// What a statement asks: patterns of the words, and after which rank and key.
#[derive(Debug, Clone)]
struct Asked {
    patterns: [String; MOST_WORDS],
    rank: i64,
    key: String,
}

/// The columns as both stores give them.
type Columns = (i64, String, String, i64, i64, i64, String, Millis, i64);

/// The statement, with the stores' own marks of parameters: `?1` … `?8`.
const SEARCH: &str = "SELECT rank, key, name, revision, version, archived, access, updated_at, position FROM (\
    SELECT key, name, revision, version, archived, access, updated_at, position, CAST(CASE WHEN names LIKE ?1 ESCAPE '!' AND names LIKE ?2 ESCAPE '!' \
    AND names LIKE ?3 ESCAPE '!' AND names LIKE ?4 ESCAPE '!' AND names LIKE ?5 ESCAPE '!' AND names LIKE ?6 ESCAPE '!' THEN 0 ELSE 1 END AS bigint) AS rank \
    FROM templates WHERE words LIKE ?1 ESCAPE '!' AND words LIKE ?2 ESCAPE '!' AND words LIKE ?3 ESCAPE '!' AND words LIKE ?4 ESCAPE '!' \
    AND words LIKE ?5 ESCAPE '!' AND words LIKE ?6 ESCAPE '!') AS found WHERE rank > ?7 OR (rank = ?7 AND key > ?8) ORDER BY rank, key";

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

impl Found {
    fn of((rank, key, name, revision, version, archived, access, updated_at, position): Columns) -> Result<Self, ReadError> {
        let row = TemplateRow {
            key: TemplateKey::new(&key).map_err(|_| UNREADABLE)?,
            name,
            revision: u32::try_from(revision).unwrap_or(0),
            version: u32::try_from(version).unwrap_or(0),
            archived: archived != 0,
            access: serde_json::from_str(&access).map_err(|_| UNREADABLE)?,
            updated_at,
            updated_position: u64::try_from(position).unwrap_or(0),
        };
        Ok(Self { rank: u8::try_from(rank).unwrap_or(1), row })
    }
}

fn patterns(text: &str) -> [String; MOST_WORDS] {
    let lower = text.to_lowercase();
    let mut words = lower.split_whitespace();
    std::array::from_fn(|_| {
        let word = words.next().unwrap_or_default();
        let literal: String = word.chars().flat_map(|c| "!%_".contains(c).then_some('!').into_iter().chain([c])).collect();
        format!("%{literal}%")
    })
}

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Templates {
    projection: Arc<Projection>,
}

impl Templates {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// Those in which all words of a text occur, whatever their case, first those whose key, name and tags have them;
    /// then by key. After one that was found; at most so many. For a sender those that it may send, write or publish.
    pub async fn search(&self, text: &str, sender: Option<&SenderKey>, after: Option<(u8, &str)>, first: usize) -> Result<Vec<Found>, ReadError> {
        let (rank, key) = after.map_or((-1, String::new()), |(rank, key)| (i64::from(rank), key.to_owned()));
        let asked = Asked { patterns: patterns(text), rank, key };
        let copy = asked.clone();
        let mut found = self.projection.read(move |connection| sqlite::search(connection, &asked), move |pool| postgres::search(pool, copy.clone())).await?;
        if let Some(sender) = sender {
            found.retain(|found| found.row.access.concerns(sender));
        }
        found.truncate(first);
        Ok(found)
    }
}
