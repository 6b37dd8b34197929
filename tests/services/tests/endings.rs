//! However a test ends, nothing of its servers stays: the guarantee of this package.
//!
//! The test program runs itself: the inner run starts servers, tells their folders and ends as told.

use anyhow::{Context, Result, bail};
use services::postgres::{self, Postgres};
use services::redis::{self, Redis};
use services::wait::until;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const MARK: &str = "FOLDER ";
const HOW: &str = "SERVICES_TEST_ENDING";

/// Whether a process has the folder in its command line or works in it.
fn is_used(folder: &str) -> Result<bool> {
    for entry in std::fs::read_dir("/proc")?.filter_map(Result::ok) {
        let told = std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(folder));
        let within = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|at| at.starts_with(folder));
        if told || within {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits for that: the keepers of a test that is over work on their own.
fn nothing_stays(folders: &[String]) -> Result<()> {
    assert_eq!(folders.len(), 2);
    for folder in folders {
        until(&format!("{folder} is gone and unused"), || Ok((!Path::new(folder).exists() && !is_used(folder)?).then_some(())))?;
    }
    Ok(())
}

fn folder_of(redis: &Redis) -> Result<String> {
    Ok(redis.ask(&["CONFIG", "GET", "dir"])?.lines().last().context("no folder")?.to_owned())
}

/// Not a test by itself: the inner run. In a thread of the test runner, as all tests are.
#[test]
fn inner() -> Result<()> {
    let Ok(how) = std::env::var(HOW) else { return Ok(()) };
    let tell = |postgres: &Postgres, redis: &Redis| -> Result<()> {
        println!("{MARK}{}\n{MARK}{}", postgres.socket_folder().display(), folder_of(redis)?);
        Ok(())
    };
    match how.as_str() {
        "shared" => tell(Postgres::shared()?, Redis::shared()?),
        "panic" => {
            let (postgres, redis) = (Postgres::start(postgres::Settings::default())?, Redis::start(&redis::Settings::default())?);
            tell(&postgres, &redis)?;
            panic!("as told");
        }
        "killed" => {
            let (mut postgres, redis) = (Postgres::start(postgres::Settings::default())?, Redis::start(&redis::Settings::default())?);
            tell(&postgres, &redis)?;
            postgres.stop()?;
            println!("{MARK}");
            loop {
                std::thread::park();
            }
        }
        other => bail!("not an ending: {other}"),
    }
}

fn run(how: &str) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    Ok(command.args(["--exact", "inner", "--nocapture"]).env(HOW, how).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

fn folders(lines: impl Iterator<Item = String>) -> Vec<String> {
    lines.filter_map(|line| line.split_once(MARK).map(|(_, folder)| folder.to_owned())).take_while(|folder| !folder.is_empty()).collect()
}

fn ended(how: &str) -> Result<(bool, Vec<String>)> {
    let mut child = run(how)?;
    let mut text = String::new();
    child.stdout.take().context("no output")?.read_to_string(&mut text)?;
    Ok((child.wait()?.success(), folders(text.lines().map(str::to_owned))))
}

#[test]
fn after_a_drop() -> Result<()> {
    let (postgres, redis) = (Postgres::start(postgres::Settings::default())?, Redis::start(&redis::Settings::default())?);
    let folders = [postgres.socket_folder().display().to_string(), folder_of(&redis)?];
    for folder in &folders {
        assert!(Path::new(folder).exists() && is_used(folder)?);
    }
    drop((postgres, redis));
    for folder in &folders {
        assert!(!Path::new(folder).exists() && !is_used(folder)?, "{folder} stays");
    }
    Ok(())
}

#[test]
fn after_the_end_of_a_process_that_shared_them() -> Result<()> {
    let (well, folders) = ended("shared")?;
    assert!(well);
    nothing_stays(&folders)
}

#[test]
fn after_a_panic() -> Result<()> {
    let (well, folders) = ended("panic")?;
    assert!(!well);
    nothing_stays(&folders)
}

#[test]
fn after_the_test_was_killed_with_a_server_standing_still() -> Result<()> {
    let mut child = run("killed")?;
    let output = BufReader::new(child.stdout.take().context("no output")?);
    let folders = folders(output.lines().map_while(Result::ok));
    child.kill()?;
    child.wait()?;
    nothing_stays(&folders)
}

#[test]
fn after_the_keeper_was_killed() -> Result<()> {
    let redis = Redis::start(&redis::Settings::default())?;
    let server = redis.ask(&["INFO", "server"])?;
    let server = server.lines().find_map(|line| line.trim_end().strip_prefix("process_id:")).context("no process")?.to_owned();
    let status = std::fs::read_to_string(format!("/proc/{server}/status"))?;
    let keeper = status.lines().find_map(|line| line.strip_prefix("PPid:")).context("no parent")?.trim().to_owned();
    let folder = folder_of(&redis)?;
    assert!(Command::new("kill").args(["-KILL", &keeper]).status()?.success());
    // The kernel ends the server; the drop removes the folder.
    drop(redis);
    assert!(!Path::new(&folder).exists());
    assert!(!is_used(&folder)?);
    Ok(())
}
