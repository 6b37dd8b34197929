//! Private Postgres and Redis for trying things out: prints where they are, as the server wants to be
//! told, and removes them when its input ends. Arguments are settings of Postgres.
//!
//!     cargo run -p services --example up -- shared_buffers=1GB

use anyhow::Result;
use services::{Postgres, Redis};
use std::io::Read as _;

fn main() -> Result<()> {
    let settings = std::env::args().skip(1).fold(services::postgres::Settings::default(), |settings, argument| match argument.split_once('=') {
        Some((name, value)) => settings.option(name, value),
        None => settings,
    });
    let postgres = Postgres::start(settings)?;
    let redis = Redis::start(&services::redis::Settings::default())?;
    println!("export BONGSU_STORAGE__PROFILE=cluster");
    println!("export BONGSU_POSTGRES__URL={}", postgres.database()?);
    println!("export BONGSU_REDIS__URL={}", redis.url());
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    Ok(())
}
