//! Read-only connections to one file.

use super::threads::Threads;
use super::{DatabaseError, open_reader};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Readers {
    path: Arc<PathBuf>,
    threads: Threads<Connection>,
}

impl Readers {
    /// Over a file that exists; at most so many read at once.
    pub fn new(path: PathBuf, most: usize) -> Self {
        let name = path.file_stem().map_or_else(|| "reader".to_owned(), |stem| format!("read {}", stem.to_string_lossy()));
        Self { path: Arc::new(path), threads: Threads::new(name, most) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a read where it may block. After a failure the connection is not used again.
    pub async fn read<T, E>(&self, read: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let path = Arc::clone(&self.path);
        let done = self.threads.run(move |own| {
            let connection = match own.take() {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            let result = read(&connection);
            *own = result.is_ok().then_some(connection);
            result
        });
        done.await.map_err(E::from)?
    }
}
