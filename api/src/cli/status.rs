//! `bongsu status`: how a running server does.

mod metrics;

use super::exit::{CliError, Exit};
use super::output::Output;
use super::remote::Remote;
use clap::Args;
use metrics::Sample;
use serde_json::{Value, json};

/// Shows how a running server does: whether it is ready, what waits by channel and priority,
/// providers, and how far the read models are behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu status
  bongsu status --server http://127.0.0.1:9000 --json

Exit status 5 says that the server cannot be reached or is not ready.

Next: bongsu dlq list where deliveries have failed, bongsu projection list where something lags")]
pub struct Status {
    /// Every figure that the server gives.
    #[arg(long)]
    pub all: bool,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Prefixes of the names of figures, and the headings under which people find them.
const PARTS: [(&str, &str); 5] = [
    ("bongsu_pending", "Waiting"),
    ("bongsu_backlog", "Waiting"),
    ("bongsu_provider", "Providers"),
    ("bongsu_projection", "Read models"),
    ("bongsu_consumer", "Read models"),
];

impl Status {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        // Health and figures need no key, and a server may be looked at before there is one.
        let client = self.remote.anonymous()?;
        let (ready, page) = client.page("/readyz").await?;
        let (found, text) = client.page("/metrics").await?;
        let samples = if found == 200 { metrics::parse(&text) } else { Vec::new() };
        if out.json {
            out.json_value(&json!({
                "ready": ready == 200,
                "health": serde_json::from_str::<Value>(&page).unwrap_or(Value::String(page)),
                "metrics": samples,
            }))?;
        } else {
            self.print(ready, found, &samples, out)?;
        }
        if ready == 200 { Ok(()) } else { Err(CliError::new(Exit::Unavailable, format!("the server answers, and is not ready ({ready}); its log says why"))) }
    }

    fn print(&self, ready: u16, found: u16, samples: &[Sample], out: Output) -> Result<(), CliError> {
        let word = if ready == 200 { "ready" } else { "NOT READY" };
        out.line(format_args!("Server {}: {word}", self.remote.server))?;
        if found != 200 {
            out.note("It gives no figures: metrics.enabled is off.");
            return Ok(());
        }
        for heading in ["Waiting", "Providers", "Read models"] {
            let rows: Vec<Vec<String>> =
                samples.iter().filter(|sample| sample.heading() == Some(heading) && !sample.is_part_of_histogram()).map(Sample::row).collect();
            if !rows.is_empty() {
                out.line(format_args!("\n{heading}"))?;
                out.table(&["figure", "of", "value"], &rows)?;
            }
        }
        if self.all {
            out.line("\nEverything")?;
            let rows: Vec<Vec<String>> = samples.iter().map(Sample::row).collect();
            out.table(&["figure", "of", "value"], &rows)?;
        }
        Ok(())
    }
}

impl Sample {
    fn heading(&self) -> Option<&'static str> {
        PARTS.iter().find(|(prefix, _)| self.name.starts_with(prefix)).map(|(_, heading)| *heading)
    }

    fn row(&self) -> Vec<String> {
        let labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        vec![self.name.clone(), labels.join(" "), self.value.to_string()]
    }
}
