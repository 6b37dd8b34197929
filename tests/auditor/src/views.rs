//! I7: the rows of the read models, to be compared before and after they were made again from the log.

use crate::postgres::connect;
use anyhow::Result;
use sqlx::Executor;
use std::collections::BTreeMap;

/// The rows of one read model, sorted, by table.
pub type Rows = BTreeMap<String, Vec<String>>;

/// What the generation that serves holds, by read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Views(pub BTreeMap<String, View>);

/// One read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// How far it is.
    pub position: i64,
    /// What it shows.
    pub rows: Rows,
}

impl Views {
    /// Reads all that serve, at one moment.
    pub async fn read(url: &str) -> Result<Self> {
        let mut connection = connect(url).await?;
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let serving: Vec<(String, i64)> = sqlx::query_as("SELECT name, serving FROM bongsu.read_models ORDER BY name").fetch_all(&mut connection).await?;
        let mut views = BTreeMap::new();
        for (name, generation) in serving {
            let schema = format!("bongsu_view_{name}_{generation}");
            let position = format!("SELECT coalesce(max(position), 0) FROM \"{schema}\".checkpoints");
            let position = sqlx::query_scalar(&position).fetch_one(&mut connection).await?;
            // How far it is says nothing of what it shows; whose turn it is, even less.
            let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND tablename <> 'checkpoints' ORDER BY 1";
            let tables: Vec<String> = sqlx::query_scalar(tables).bind(&schema).fetch_all(&mut connection).await?;
            let mut rows = Rows::new();
            for table in tables {
                let query = format!("SELECT t::text FROM \"{schema}\".\"{table}\" t ORDER BY 1");
                rows.insert(table, sqlx::query_scalar(&query).fetch_all(&mut connection).await?);
            }
            views.insert(name, View { position, rows });
        }
        Ok(Self(views))
    }

    /// Where they differ, in words.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for name in self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name))) {
            let rows = |views: &Self| views.0.get(name).map(|view| view.rows.clone()).unwrap_or_default();
            let (mine, theirs) = (rows(self), rows(other));
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
