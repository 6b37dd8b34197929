//! Short commands (`initdb`, `psql`, `redis-cli`): bounded in time, deaf to this test's environment.

use crate::wait::PATIENCE;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Gives a command only what is named: variables like `PGOPTIONS` would change what is tested.
pub(crate) fn bare(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("LC_ALL", "C").stdin(Stdio::null())
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn run<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[A], environment: &[(&str, &str)]) -> Result<String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let mut command = Command::new("timeout");
    bare(&mut command).args(["--kill-after=5", &PATIENCE.as_secs().to_string()]);
    let output = command.arg(program).args(arguments).envs(environment.iter().copied()).output().context("running timeout (coreutils)")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Some(124 | 137) => bail!("{name} did not end within {PATIENCE:?}: {errors}"),
        Some(127) => bail!("{name} is not installed; tests/services/install does that"),
        _ => bail!("{name} failed ({}): {errors}{}", output.status, String::from_utf8_lossy(&output.stdout)),
    }
}

/// Where a program is, looked for like a shell does.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| file.is_file())
}
