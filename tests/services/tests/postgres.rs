//! The private Postgres does what its callers build on.

use anyhow::Result;
use services::postgres::{Postgres, Settings};
use services::wait::until;

#[test]
fn databases_are_separate_and_copied_on_request() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (one, other) = (postgres.database()?, postgres.database()?);
    postgres.sql(&one, "CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)")?;
    assert!(postgres.sql(&other, "SELECT number FROM kept").is_err());
    let name = one.rsplit('/').next().unwrap_or_default();
    assert_eq!(postgres.sql(&postgres.database_like(name)?, "SELECT number FROM kept")?, "7");
    assert_eq!(postgres.database_named("chosen", "template0")?, postgres.url("chosen"));
    Ok(())
}

#[test]
fn it_is_set_up_as_in_production_unless_told_otherwise() -> Result<()> {
    let postgres = Postgres::shared()?;
    let url = postgres.url("postgres");
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(postgres.sql(&url, &format!("SHOW {name}"))?, "on");
    }
    let wrong = url.replacen("postgres:", "postgres:not", 2);
    assert!(postgres.sql(&wrong, "SELECT 1").is_err(), "anybody may log in");
    let quick = Postgres::start(Settings { durable: false, ..Settings::default() }.option("application_name", "it's"))?;
    assert_eq!(quick.sql(&quick.url("postgres"), "SHOW fsync")?, "off");
    Ok(())
}

#[test]
fn killed_and_restarted_it_has_what_was_committed() -> Result<()> {
    let mut postgres = Postgres::start(Settings::default())?;
    let url = postgres.database()?;
    postgres.sql(&url, "CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)")?;
    for _ in 0..3 {
        postgres.kill()?;
        assert!(postgres.sql(&url, "SELECT 1").is_err());
        postgres.restart()?;
        assert_eq!(postgres.sql(&url, "SELECT number FROM kept")?, "7");
    }
    // One that runs is killed first.
    postgres.restart()?;
    assert_eq!(postgres.sql(&url, "SELECT number FROM kept")?, "7");
    Ok(())
}

#[test]
fn stopped_it_is_silent_and_goes_on_after() -> Result<()> {
    let mut postgres = Postgres::start(Settings::default())?;
    let url = postgres.database()?;
    postgres.stop()?;
    let impatient = format!("{url}?connect_timeout=2");
    assert!(postgres.sql(&impatient, "SELECT 1").is_err());
    postgres.cont()?;
    assert_eq!(postgres.sql(&url, "SELECT 1")?, "1");
    // Dropped or killed while it stands still, it ends all the same.
    postgres.stop()?;
    postgres.restart()?;
    postgres.stop()
}

#[test]
fn a_killed_backend_ends_all_connections_but_not_the_server() -> Result<()> {
    let mut postgres = Postgres::start(Settings::default())?;
    assert!(!postgres.kill_backend(0)?, "nobody is connected");
    let url = postgres.url("postgres");
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| std::process::Command::new("psql").args(["-X", &url, "-c", "SELECT pg_sleep(600)"]).output());
        until("somebody is connected", || Ok(postgres.kill_backend(5)?.then_some(())))?;
        let ended = asked.join().map_err(|_| anyhow::anyhow!("the client panicked"))??;
        assert!(!ended.status.success());
        Ok::<_, anyhow::Error>(())
    })?;
    // Who was connected hears of it before the log does.
    until("its end is told", || Ok(postgres.log().contains("was terminated by signal 9").then_some(())))?;
    Ok(())
}

#[test]
fn with_a_full_disk_it_refuses_and_keeps_what_it_had() -> Result<()> {
    if !services::disk::possible() {
        eprintln!("SKIPPED: only root can give it a disk of its own");
        return Ok(());
    }
    let mut postgres = Postgres::start(Settings { disk: Some(256), ..Settings::default() })?;
    let url = postgres.database()?;
    postgres.sql(&url, "CREATE TABLE kept (text text); INSERT INTO kept VALUES ('kept')")?;
    postgres.fill_disk()?;
    let more = postgres.sql(&url, "INSERT INTO kept SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
    assert!(more.is_err(), "there was room");
    postgres.free_disk()?;
    let kept = until("it answers again", || Ok(postgres.sql(&url, "SELECT text FROM kept").ok()))?;
    assert_eq!(kept, "kept");
    let folder = postgres.socket_folder().display().to_string();
    drop(postgres);
    assert!(!std::fs::read_to_string("/proc/mounts")?.contains(&folder), "it stays mounted");
    Ok(())
}
