//! Tracing to stderr. Where stderr cannot be written (a file on a full disk) the trace is lost,
//! and only that: reporting the failure there too would panic.

use super::output::colours;
use crate::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// For the server, as configured.
pub(super) fn for_server(log: &Log, no_color: bool) {
    // The level was checked with the configuration; this is for the type.
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    match log.format {
        // An error says that tests have one already.
        LogFormat::Text => drop(builder.with_ansi(colours(no_color)).try_init()),
        LogFormat::Json => drop(builder.json().flatten_event(true).try_init()),
    }
}

/// For commands: warnings only.
pub(super) fn for_commands(no_color: bool) {
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("warn"))
            .with_writer(std::io::stderr)
            .log_internal_errors(false)
            .with_ansi(colours(no_color))
            .without_time()
            .try_init(),
    );
}
