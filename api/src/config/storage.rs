//! `[storage]`: the data folder, and how data are kept.

use super::section::{Reader, section};
use super::value::{Form, Value};
use std::path::{Path, PathBuf};

/// Which adapters hold the log and the read models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// One process with SQLite files in a folder.
    Embedded,
    /// Postgres.
    Cluster,
}

impl Value for Profile {
    const KIND: &'static str = "`embedded` or `cluster`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "cluster" => Ok(Self::Cluster),
            _ => Err("expected `embedded` or `cluster`".to_owned()),
        }
    }
}

section! {
    /// Where everything is kept.
    Storage at "storage" {
        /// The folder of the log, the keys and the read models. It is created at the first start,
        /// readable by its owner only. Relative paths in the file start at the file's folder.
        data_dir: PathBuf = "./bongsu-data",
        /// How data are kept: `embedded`, SQLite files in the data folder; or `cluster`, in Postgres
        /// (see `[postgres]`), and the data folder holds no more than the keys of this installation.
        profile: Profile = "embedded",
        /// A file with the master key (64 hexadecimal digits), where it is not to be kept in the
        /// data folder. The environment variable `BONGSU_MASTER_KEY` holds the key itself and wins.
        master_key_file: Option<PathBuf>,
        /// Connections that read the log at once.
        readers: usize = "4",
    }
}

impl Storage {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require((1..=256).contains(&self.readers), "storage.readers", "must be between 1 and 256");
    }
}
