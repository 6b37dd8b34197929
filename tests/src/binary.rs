//! Which binary is tried.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// The binary: `BONGSU_BIN`, else the release build, else the debug build.
pub fn path() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("BONGSU_BIN") {
        let named = PathBuf::from(named);
        // Commands run in folders of their own.
        return std::path::absolute(&named).with_context(|| format!("BONGSU_BIN: {}", named.display()));
    }
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("the test does not run from cargo's target folder")?;
    for profile in ["release", "debug"] {
        let candidate = target.join(profile).join("bongsu");
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    bail!("there is no binary to try: run `cargo build --release` first, or name one by BONGSU_BIN")
}
