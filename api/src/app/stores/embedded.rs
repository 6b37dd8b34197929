//! The embedded profile: SQLite files in the data folder.

use super::{Beside, Opened, Stores};
use crate::app::data_dir::DataDir;
use commands::database::Readers;
use commands::log::sqlite::{SqliteReader, SqliteWriter};
use commands::log::{KeyStore, MasterKey, Sealer};
use commands::ports::Random;
use projections::store::ReadModels;
use std::sync::Arc;
use workers::pending::PendingRows;

impl Stores {
    /// Opens or creates the files; `readers` read the log at once.
    pub fn embedded(data: &DataDir, master: &MasterKey, readers: usize, random: &Arc<dyn Random>) -> Opened {
        let keys = Arc::new(KeyStore::open(&data.keys(), master.clone(), Arc::clone(random))?);
        let sealer = Sealer::new(Arc::clone(&keys), Arc::clone(random));
        let writer = SqliteWriter::open(data.log(), sealer.clone())?;
        let directory = Arc::clone(writer.directory());
        let readers = Readers::new(data.log(), readers);
        let reader = SqliteReader::new(readers.clone(), sealer).beside(directory);
        Ok(Self {
            keys,
            writer: Box::new(writer),
            log: Arc::new(reader.clone()),
            raw: Arc::new(reader),
            pending: PendingRows::File(readers.clone()),
            read_models: ReadModels::open(&data.views())?,
            shared: None,
            beside: Beside::Log(readers),
        })
    }
}
