//! Whether channels hold each other up: the same mixed load twice, first with all providers well, then with one that
//! hangs and one that answers 429 to everything. Told is how long the pushes took from the request to their provider.

use super::super::exit::CliError;
use super::load::Load;
use super::measure;
use super::process::Processes;
use std::sync::Arc;

/// What was seen, p50 and p99 in ms.
pub(super) struct Isolation {
    pub notifications: u64,
    pub rate: u64,
    pub well: (i64, i64),
    pub faulty: (i64, i64),
}

/// Sends `count` pushes twice beginning with number `from`, each time with a fifth as many webhooks and text messages
/// beside them, `rate` pushes a second.
pub(super) async fn measure(processes: &Processes, load: &Arc<Load>, from: u64, count: u64, rate: u64) -> Result<Isolation, CliError> {
    eprintln!("{count} pushes beside webhooks and text messages, all providers well");
    let well = run(processes, load, from, count, rate).await?;
    eprintln!("the same, while the webhooks' receiver hangs and Twilio answers 429");
    processes.rule("webhook", &serde_json::json!("hang")).await?;
    processes.rule("twilio", &serde_json::json!({ "error": { "status": 429, "reason": "20429" } })).await?;
    let faulty = run(processes, load, from + count, count, rate).await;
    processes.behave().await?;
    Ok(Isolation { notifications: count, rate, well, faulty: faulty? })
}

async fn run(processes: &Processes, load: &Arc<Load>, from: u64, count: u64, rate: u64) -> Result<(i64, i64), CliError> {
    let after = processes.last_entry().await?;
    let sent = load.send_mixed(from, count, rate).await?;
    processes.wait_delivered(from + count).await?;
    Ok(measure::latency(&sent, &processes.arrivals(after).await?))
}
