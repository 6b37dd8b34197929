//! Commands whose reader has seen enough (`| head -1`) end quietly and well.

use anyhow::{Context, Result};
use std::process::{Command, Stdio};
use tests::{App, binary};

/// Runs a command whose stdout is closed before it prints; gives its status and what it complains.
fn cut_off(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let mut child = Command::new(binary::path()?).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    drop(child.stdout.take().context("no stdout")?);
    let output = child.wait_with_output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_a_command_quietly() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let data = app.data().display().to_string();
    let commands: [&[&str]; 7] = [
        &["events", "read", "--data", &data],
        &["events", "read", "--json", "--data", &data],
        &["events", "catalogue"],
        &["projection", "list", "--data", &data],
        &["config", "reference"],
        &["completions", "bash"],
        &["--help"],
    ];
    for arguments in commands {
        assert_eq!(cut_off(arguments)?, (Some(0), String::new()), "bongsu {}", arguments.join(" "));
    }
    Ok(())
}
