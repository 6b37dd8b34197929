//! A read model in a folder of its own.

use crate::registry::Registration;
use crate::store::Projection;
use commands::consumer::Changes;
use commands::log::Recorded;
use rusqlite::types::Value;
use std::sync::Arc;
use tempfile::TempDir;

pub struct View {
    pub projection: Arc<Projection>,
    registration: Registration,
    _folder: TempDir,
}

impl View {
    pub fn new(registration: Registration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { projection: Arc::new(Projection::open(folder.path(), registration).unwrap()), registration, _folder: folder }
    }

    /// Takes one batch in, as the runner does.
    pub async fn take(&self, events: &[Arc<Recorded>]) {
        let mut changes = Changes::default();
        (self.registration.consumer)().handle(events, &mut changes).unwrap();
        let checkpoint = events.last().map_or(0, |event| event.position);
        self.projection.serving().rows().apply(self.registration.name, changes, checkpoint).await.unwrap();
    }

    /// Every row of every table, in order.
    pub async fn dump(&self) -> Vec<(String, Vec<Vec<Value>>)> {
        self.projection
            .read(|connection| {
                let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
                let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                let mut all = Vec::new();
                for name in names {
                    let mut statement = connection.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2"))?;
                    let columns = statement.column_count();
                    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?.collect::<Result<Vec<Vec<Value>>, _>>()?;
                    all.push((name, rows));
                }
                Ok(all)
            })
            .await
            .unwrap()
    }
}
