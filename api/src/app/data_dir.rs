//! The data folder: what lies where, who may read it, and that one server at a time uses it.
//!
//! ```text
//! bongsu-data/        0700
//!   bongsu.lock       held while a server or an offline command changes something
//!   master.key        0600; 32 random bytes in hexadecimal
//!   admin.key         0600; the first administrator's API key
//!   log.db            events, deliveries owed, timers
//!   keys.db           one key a recipient, wrapped by the master key
//!   attachments/      files that go with notifications, unless they are elsewhere
//!   views/            read models; may be deleted, they are rebuilt
//!   replica           of the cluster profile: what the others know this process by
//!   moved             says where to, once `bongsu migrate-profile` has moved what is in here
//! ```
//!
//! Rejected: a lock by process id, which a crash leaves behind; the operating system lets go of
//! this one.

use commands::log::MasterKey;
use commands::ports::Random;
use commands::replicas::Badge;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
#[path = "data_dir_tests.rs"]
mod tests;

/// Holds the master key itself, so that it need not lie on a disk.
pub const MASTER_KEY_VARIABLE: &str = "BONGSU_MASTER_KEY";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process uses it.
    #[error("the data folder {path} is in use by another bongsu; stop that server first, or use another folder with --data")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// It does not exist, and this command does not create it.
    #[error("there is no data folder at {path}; `bongsu serve` creates one, --data names another")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("{path} cannot be used: {reason}; check that the folder exists, is yours and is not full")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        reason: std::io::Error,
    },
    /// There are data, and the key that they were sealed with is gone.
    #[error("the data folder {path} has a log but no master.key; put the key back, or set BONGSU_MASTER_KEY. A new key could not read the old data")]
    MasterKeyLost {
        /// The folder.
        path: PathBuf,
    },
    /// What is in it goes on elsewhere.
    #[error(
        "what is in the data folder {path} was moved to {to}: start that one (storage.profile = \"cluster\"). \
         If `bongsu migrate-profile` was interrupted, run it again. \
         To go on here all the same, make sure that nobody uses the other one, or deliveries are made twice; then delete the file {path}/moved"
    )]
    Moved {
        /// The folder.
        path: PathBuf,
        /// The database.
        to: String,
    },
    /// The master key is not one.
    #[error("the master key in {origin} is not 64 hexadecimal digits")]
    MasterKeyMalformed {
        /// A file or a variable.
        origin: String,
    },
}

/// See the module.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    _lock: Option<File>,
}

impl DataDir {
    /// Creates the folder where it is missing and takes its lock, until the value is dropped.
    pub fn lock(root: &Path) -> Result<Self, DataDirError> {
        create_private(root)?;
        create_private(&root.join("views"))?;
        let path = root.join("bongsu.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|reason| io(&path, reason))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: Some(file) }),
            Err(std::fs::TryLockError::WouldBlock) => Err(DataDirError::Locked { path: root.to_owned() }),
            Err(std::fs::TryLockError::Error(reason)) => Err(io(&path, reason)),
        }
    }

    /// An existing folder, to read from, whoever else uses it.
    pub fn existing(root: &Path) -> Result<Self, DataDirError> {
        let folder = Self { root: root.to_owned(), _lock: None };
        if folder.log().is_file() { Ok(folder) } else { Err(DataDirError::Missing { path: root.to_owned() }) }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `log.db`.
    pub fn log(&self) -> PathBuf {
        self.root.join("log.db")
    }

    /// `keys.db`.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys.db")
    }

    /// The folder of the read models.
    pub fn views(&self) -> PathBuf {
        self.root.join("views")
    }

    /// `master.key`.
    pub fn master_key_file(&self) -> PathBuf {
        self.root.join("master.key")
    }

    /// `admin.key`.
    pub fn admin_key_file(&self) -> PathBuf {
        self.root.join("admin.key")
    }

    /// The master key: from the variable's `text`, else from the configured file, else from the
    /// folder, where it is made at the first start.
    pub fn master_key(&self, text: Option<&str>, file: Option<&Path>, random: &dyn Random) -> Result<MasterKey, DataDirError> {
        if let Some(found) = self.find_master_key(text, file)? {
            return Ok(found);
        }
        if self.log().exists() {
            return Err(DataDirError::MasterKeyLost { path: self.root.clone() });
        }
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        write_private(&self.master_key_file(), &hex(&bytes))?;
        Ok(MasterKey::new(bytes))
    }

    /// The master key where there is one already.
    pub fn find_master_key(&self, text: Option<&str>, file: Option<&Path>) -> Result<Option<MasterKey>, DataDirError> {
        find_master_key(&self.root, text, file)
    }

    /// What the last process in this folder was known by to other replicas. It has ended: the lock is ours.
    pub fn badge(&self) -> Option<Badge> {
        let text = std::fs::read_to_string(self.root.join("replica")).ok()?;
        let (number, token) = text.trim().split_once(' ')?;
        Some(Badge { number: number.parse().ok()?, token: token.parse().ok()? })
    }

    /// Keeps what this process is known by.
    pub fn save_badge(&self, badge: Badge) -> Result<(), DataDirError> {
        write_private(&self.root.join("replica"), &format!("{} {}", badge.number, badge.token))
    }

    /// Where what is in the folder was moved to, if it was.
    pub fn moved(&self) -> Option<String> {
        std::fs::read_to_string(self.root.join("moved")).ok().map(|to| to.trim().to_owned())
    }

    /// Says that what is in the folder goes on elsewhere: a server of the embedded profile refuses it.
    pub fn mark_moved(&self, to: &str) -> Result<(), DataDirError> {
        write_private(&self.root.join("moved"), to)
    }

    /// An error if what is in the folder goes on elsewhere.
    pub fn not_moved(&self) -> Result<(), DataDirError> {
        self.moved().map_or(Ok(()), |to| Err(DataDirError::Moved { path: self.root.clone(), to }))
    }

    /// Keeps the first administrator's API key for the commands of this machine.
    pub fn save_admin_key(&self, key: &str) -> Result<(), DataDirError> {
        write_private(&self.admin_key_file(), key)
    }

    /// Removes it, where it opens nothing.
    pub fn forget_admin_key(&self) -> Result<(), DataDirError> {
        let path = self.admin_key_file();
        match std::fs::remove_file(&path) {
            Err(reason) if reason.kind() != ErrorKind::NotFound => Err(io(&path, reason)),
            _ => Ok(()),
        }
    }
}

/// The master key where there is one already, of a folder that need not exist.
pub fn find_master_key(root: &Path, text: Option<&str>, file: Option<&Path>) -> Result<Option<MasterKey>, DataDirError> {
    if let Some(text) = text {
        return parse(text, MASTER_KEY_VARIABLE).map(Some);
    }
    let path = file.map_or_else(|| root.join("master.key"), Path::to_owned);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path.display().to_string()).map(Some),
        Err(reason) if reason.kind() == ErrorKind::NotFound && file.is_none() => Ok(None),
        Err(reason) => Err(io(&path, reason)),
    }
}

/// The administrator's key of a data folder, if it holds one.
pub fn admin_key(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("admin.key")).ok()?;
    let key = text.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

/// The text of [`MASTER_KEY_VARIABLE`], if it is set.
pub fn master_key_variable() -> Option<String> {
    std::env::var(MASTER_KEY_VARIABLE).ok().filter(|text| !text.is_empty())
}

/// Creates a folder that only its owner may enter, durably; one that exists is left as it is.
///
/// A new folder lasts once the one that holds it is synced: else a power loss may take it away
/// with everything that was synced inside. One that exists may have been made by a process that
/// was killed before it did that, so that is done again.
pub fn create_private(path: &Path) -> Result<(), DataDirError> {
    let made: Vec<&Path> = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|reason| io(path, reason))?;
    if commands::failpoint::planted("folder-unsynced") {
        return Ok(());
    }
    for folder in &made {
        sync_name(folder).map_err(|reason| io(folder, reason))?;
    }
    match sync_name(path) {
        // Of a folder that somebody else made; whoever may not read what holds it did not make it.
        Err(error) if made.is_empty() && error.kind() == ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(|reason| io(path, reason)),
    }
}

/// Makes a name last: syncs the folder that it is in.
fn sync_name(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) => File::open(".")?.sync_all(),
        // The root of everything has no name.
        None => Ok(()),
    }
}

/// Writes a file that only its owner may read, whole or not at all, durably.
pub fn write_private(path: &Path, text: &str) -> Result<(), DataDirError> {
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        // A leftover of a crash may have other permissions.
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        sync_name(path)
    };
    write().map_err(|reason| io(path, reason))
}

fn io(path: &Path, reason: std::io::Error) -> DataDirError {
    DataDirError::Io { path: path.to_owned(), reason }
}

fn parse(text: &str, origin: &str) -> Result<MasterKey, DataDirError> {
    let malformed = || DataDirError::MasterKeyMalformed { origin: origin.to_owned() };
    let digits = text.trim().as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(malformed());
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
    }
    Ok(MasterKey::new(bytes))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
