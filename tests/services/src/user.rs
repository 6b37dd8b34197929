//! Whom the servers run as: this user, or when that is root, one without rights, because Postgres
//! refuses root and nothing here needs it.

use crate::tools::run;
use anyhow::{Context, Result};
use std::path::Path;

/// Tried in this order.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// A user of this machine, by numbers; `None` inside is the present one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User(Option<(u32, u32)>);

impl User {
    /// The one to run servers as.
    pub(crate) fn without_rights() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let number = |option: &str, name: &str| -> Result<u32> { Ok(run("id", &[option, name], &[])?.trim().parse()?) };
        let found = CANDIDATES.iter().find_map(|name| Some((number("-u", name).ok()?, number("-g", name).ok()?)));
        found.map(|ids| Self(Some(ids))).context("this is root, and there is neither a user postgres nor a user nobody to run servers as")
    }

    /// The command line that runs what follows it as this user, and kills it when its parent dies.
    pub(crate) fn prefix(self) -> Vec<String> {
        let mut prefix: Vec<String> = ["setpriv", "--pdeathsig", "KILL"].map(str::to_owned).into();
        if let Self(Some((user, group))) = self {
            prefix.extend([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
        }
        prefix
    }

    /// Its number and its group's, where it is not the present one.
    pub(crate) const fn numbers(self) -> Option<(u32, u32)> {
        self.0
    }

    /// Makes the user own a file or folder.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        if let Self(Some((user, group))) = self {
            std::os::unix::fs::chown(path, Some(user), Some(group)).with_context(|| format!("giving {} away", path.display()))?;
        }
        Ok(())
    }
}
