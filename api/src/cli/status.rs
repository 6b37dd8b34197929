//! `bongsu status`: how a running server does.

mod metrics;

use super::exit::{CliError, Exit};
use super::output::Output;
use super::remote::{Remote, operations};
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
    /// Also every figure of /metrics.
    #[arg(long)]
    pub all: bool,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Status {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        // Health needs no key, and a server may be looked at before there is one.
        let (ready, page) = self.remote.anonymous()?.page("/health/ready").await?;
        let status = match self.remote.client() {
            Ok(client) => client.run(operations::STATUS, Value::Null).await.map(|data| data["status"].clone()),
            Err(error) => Err(error),
        };
        let figures = if self.all { self.figures().await? } else { Vec::new() };
        if out.json {
            out.json_value(&json!({
                "ready": ready == 200,
                "health": serde_json::from_str::<Value>(&page).unwrap_or(Value::String(page)),
                "status": status.as_ref().ok(),
                "metrics": figures,
            }))?;
        } else {
            let word = if ready == 200 { "ready" } else { "NOT READY" };
            out.line(format_args!("Server {}: {word}", self.remote.server))?;
            match &status {
                Ok(status) => print(status, out)?,
                Err(error) => out.note(format_args!("No more can be told: {error}")),
            }
            if !figures.is_empty() {
                let rows: Vec<Vec<String>> = figures.iter().map(Sample::row).collect();
                out.line("")?;
                out.table(&["figure", "of", "value"], &rows)?;
            }
        }
        if ready == 200 { Ok(()) } else { Err(CliError::new(Exit::Unavailable, format!("the server answers, and is not ready ({ready}); its log says why"))) }
    }

    async fn figures(&self) -> Result<Vec<Sample>, CliError> {
        let (found, text) = self.remote.anonymous()?.page("/metrics").await?;
        if found != 200 {
            return Err(CliError::failure("the server gives no figures; metrics.enabled is off"));
        }
        Ok(metrics::parse(&text))
    }
}

/// The parts of the status: field, heading, columns.
const PARTS: [(&str, &str, &[&str]); 4] = [
    ("backlog", "Owed", &["channel", "priority", "state", "deliveries"]),
    ("providers", "Providers", &["name", "channel", "breaker"]),
    ("consumers", "Readers of the log", &["name", "lag", "parked"]),
    ("replicas", "Replicas", &["number", "name", "version", "roles"]),
];

fn print(status: &Value, out: Output) -> Result<(), CliError> {
    let text = |value: &Value| match value {
        Value::String(text) => text.to_lowercase(),
        // Counts may come as floating point, since GraphQL's integers end at 2^31.
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number:.0}")),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    out.line(format_args!("Version {}, {} events", text(&status["version"]), text(&status["events"])))?;
    for (field, heading, columns) in PARTS {
        let rows: Vec<Vec<String>> =
            status[field].as_array().into_iter().flatten().map(|row| columns.iter().map(|column| text(&row[*column])).collect()).collect();
        // The embedded profile has none.
        if field == "replicas" && rows.is_empty() {
            continue;
        }
        out.line(format_args!("\n{heading}"))?;
        if rows.is_empty() {
            out.line("none")?;
        } else {
            out.table(columns, &rows)?;
        }
    }
    Ok(())
}

impl Sample {
    fn row(&self) -> Vec<String> {
        let labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        vec![self.name.clone(), labels.join(" "), self.value.to_string()]
    }
}
