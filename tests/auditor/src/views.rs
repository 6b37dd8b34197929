//! I7: the rows of the read models, to be compared before and after they were made again from the log.

use crate::postgres::connect;
use anyhow::Result;
use std::collections::BTreeMap;

/// The rows of one read model, sorted, by table.
pub type Rows = BTreeMap<String, Vec<String>>;

/// What the generation that serves holds, by read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Views(pub BTreeMap<String, Rows>);

impl Views {
    /// Reads all that serve.
    pub async fn read(url: &str) -> Result<Self> {
        let mut connection = connect(url).await?;
        let serving: Vec<(String, i64)> = sqlx::query_as("SELECT name, serving FROM bongsu.read_models ORDER BY name").fetch_all(&mut connection).await?;
        let mut views = BTreeMap::new();
        for (name, generation) in serving {
            let schema = format!("bongsu_view_{name}_{generation}");
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1").bind(&schema).fetch_all(&mut connection).await?;
            let mut rows = Rows::new();
            for table in tables {
                let query = format!("SELECT t::text FROM \"{schema}\".\"{table}\" t ORDER BY 1");
                rows.insert(table, sqlx::query_scalar(&query).fetch_all(&mut connection).await?);
            }
            views.insert(name, rows);
        }
        Ok(Self(views))
    }

    /// How far each read model is, by its checkpoint's row.
    pub fn checkpoints(&self) -> impl Iterator<Item = (&str, Option<i64>)> {
        self.0.iter().map(|(name, rows)| {
            let row = rows.get("checkpoints").and_then(|rows| rows.first());
            let position = row.and_then(|row| row.trim_end_matches(')').rsplit(',').next()?.parse().ok());
            (name.as_str(), position)
        })
    }

    /// Where they differ, in words.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for name in self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name))) {
            let (mine, theirs) = (self.0.get(name).cloned().unwrap_or_default(), other.0.get(name).cloned().unwrap_or_default());
            for table in mine.keys().chain(theirs.keys().filter(|table| !mine.contains_key(*table))) {
                let (before, after) = (mine.get(table).cloned().unwrap_or_default(), theirs.get(table).cloned().unwrap_or_default());
                if before != after {
                    let example = before.iter().zip(&after).find(|(one, other)| one != other);
                    told.push(format!("{name}.{table}: {} rows before, {} after; first difference {example:?}", before.len(), after.len()));
                }
            }
        }
        told
    }
}
