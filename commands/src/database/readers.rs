//! A pool of read-only connections, used on the runtime's blocking threads.

use super::{DatabaseError, open_reader};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections kept; more are opened under load and closed again.
const KEPT: usize = 8;

/// See the module. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<tokio::sync::Semaphore>,
}

impl Readers {
    /// Over a file that exists.
    pub fn new(path: PathBuf, most: usize) -> Self {
        Self { path: Arc::new(path), idle: Arc::default(), permits: Arc::new(tokio::sync::Semaphore::new(most)) }
    }

    /// Runs a read where it may block.
    pub async fn read<T, E>(&self, read: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pool.read_blocking(read)
        })
        .await;
        match done {
            Ok(result) => result,
            Err(failed) => Err(E::from(DatabaseError::BrokenOff(failed.to_string()))),
        }
    }

    /// Runs a read on this thread.
    pub fn read_blocking<T, E: From<DatabaseError>>(&self, read: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if result.is_ok() && idle.len() < KEPT {
            idle.push(connection);
        }
        result
    }
}
