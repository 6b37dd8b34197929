//! `bongsu projection rebuild`: here, if nobody uses the folder; otherwise by the server that does.

use super::Rebuild;
use crate::app::data_dir::{DataDir, DataDirError};
use crate::cli::exit::{CliError, Exit};
use crate::cli::folder::closed;
use crate::cli::output::{Output, Progress};
use crate::cli::remote::operations;
use commands::log::{LogReader, Tail};
use commands::ports::SystemClock;
use projections::store::{ReadModels, RebuildError, Sources};
use serde_json::json;
use std::io::IsTerminal;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) async fn run(command: Rebuild, out: Output) -> Result<(), CliError> {
    let known: Vec<&str> = projections::registry::all().iter().map(|registration| registration.name).collect();
    if !known.contains(&command.name.as_str()) {
        return Err(CliError::not_found(format!("there is no read model {:?}; there are {}", command.name, known.join(", "))));
    }
    // Without a folder here the server must be elsewhere.
    if DataDir::existing(&command.remote.data).is_err() {
        return by_server(&command, out).await;
    }
    match DataDir::lock(&command.remote.data) {
        Ok(data) => here(&command.name, &data, out).await,
        Err(DataDirError::Locked { .. }) => by_server(&command, out).await,
        Err(error) => Err(error.into()),
    }
}

async fn by_server(command: &Rebuild, out: Output) -> Result<(), CliError> {
    let client = command.remote.client()?;
    out.note(format_args!("The server at {} rebuilds {}; it goes on serving meanwhile.", command.remote.server, command.name));
    let data = client.run_long(operations::REBUILD_PROJECTION, json!({ "input": { "name": command.name } })).await?;
    let rebuilt = &data["rebuildProjection"];
    if out.json {
        return out.json_value(rebuilt);
    }
    out.line(format_args!("{} is rebuilt up to position {}.", command.name, rebuilt["position"]))
}

async fn here(name: &str, data: &DataDir, out: Output) -> Result<(), CliError> {
    let models = ReadModels::open(&data.views()).map_err(CliError::failure)?;
    let model = models.find(name).ok_or_else(|| CliError::not_found(format!("there is no read model {name}")))?;
    let log = closed(&data.log())?;
    let head = log.head().await?;
    let sources = Sources { log: Arc::new(log), tail: Arc::new(Tail::at(head)), clock: Arc::new(SystemClock::default()) };
    let stop = CancellationToken::new();
    let mut progress = Progress::new("events", std::io::stderr().is_terminal());
    let rebuild = model.rebuild(&sources, &stop, |at| {
        progress.at(at.position, at.head, Some(at.events_per_s));
    });
    // Ctrl-C ends it in good order: what serves goes on serving.
    let rebuilt = tokio::select! {
        rebuilt = rebuild => rebuilt,
        _ = tokio::signal::ctrl_c() => Err(RebuildError::Stopped),
    };
    let rebuilt = rebuilt.map_err(|error| {
        let exit = match &error {
            RebuildError::Already => Exit::Conflict,
            _ => Exit::Failure,
        };
        CliError::new(exit, error)
    })?;
    progress.finish();
    if out.json {
        return out.json_value(&json!({
            "name": name,
            "position": rebuilt.position,
            "generation": rebuilt.generation,
            "parked": rebuilt.parked,
            "took_ms": u64::try_from(rebuilt.took.as_millis()).unwrap_or(u64::MAX),
        }));
    }
    out.line(format_args!(
        "{name} is rebuilt up to position {} in {:.1} s; {} events are parked.",
        rebuilt.position,
        rebuilt.took.as_secs_f64(),
        rebuilt.parked
    ))
}
