//! `bongsu check`: will it work, before it has to.

mod beside;
mod machine;
mod postgres;

use super::exit::CliError;
use super::output::Output;
use crate::config::{Config, Sources};
use clap::Args;
use commands::ports::{Clock, SystemClock};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Tries out the configuration, the data folder, the machine, the providers, and whatever else is
/// configured: Postgres, Redis, the mirror.
///
/// It sends nothing and changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu check
  bongsu check --config /etc/bongsu.toml --json
  bongsu check --offline

Exit status 1 says that something would not work.

Next: bongsu serve; bongsu config show --origin explains where a value came from")]
pub struct Check {
    /// Configuration file [default: bongsu.toml in this folder, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder [default: as configured].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Do not reach out to anything: providers, Postgres, Redis, the mirror.
    #[arg(long)]
    pub offline: bool,
}

/// Longest wait for one provider, or one look at something else.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// Fine.
    Ok,
    /// Works, and should be looked at.
    Warning,
    /// Would not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    verdict: Verdict,
    detail: String,
}

impl Finding {
    fn new(what: &str, verdict: Verdict, detail: impl std::fmt::Display) -> Self {
        Self { what: what.to_owned(), verdict, detail: detail.to_string() }
    }
}

impl Check {
    pub(super) async fn run(self, out: Output) -> Result<ExitCode, CliError> {
        let sources = Sources::of_process(self.config.clone()).flag("storage.data_dir", "--data", self.data.as_ref().map(|path| path.display().to_string()));
        let file = sources.file.clone();
        // Nothing else can be looked at without it; the error tells all of its mistakes.
        let (config, _) = Config::load(&sources)?;
        let mut findings = vec![Finding::new(
            "configuration",
            Verdict::Ok,
            file.as_ref().map_or_else(|| "defaults and environment".to_owned(), |path| path.display().to_string()),
        )];
        findings.extend(machine::findings(&config, file.as_deref()));
        findings.extend(postgres::findings(&config, self.offline).await);
        findings.extend(beside::redis(&config, self.offline).await);
        findings.extend(beside::mirror(&config, self.offline).await);
        findings.extend(providers(&config, self.offline).await);
        findings.extend(links(&config));
        findings.extend(beside::attachments(&config, self.offline).await);
        let failed = findings.iter().any(|finding| finding.verdict == Verdict::Failed);
        if out.json {
            out.json_value(&findings)?;
        } else {
            let rows: Vec<Vec<String>> = findings
                .into_iter()
                .map(|finding| {
                    let verdict = match finding.verdict {
                        Verdict::Ok => "ok",
                        Verdict::Warning => "WARNING",
                        Verdict::Failed => "FAILED",
                    };
                    vec![verdict.to_owned(), finding.what, finding.detail]
                })
                .collect();
            out.table(&["", "what", "finding"], &rows)?;
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Whether mails tell people how to get no more of them.
fn links(config: &Config) -> Option<Finding> {
    if !config.providers.has_mail() {
        return None;
    }
    Some(match &config.links.base_url {
        Some(url) => Finding::new("links", Verdict::Ok, format_args!("mails name {url} for unsubscribing")),
        None => Finding::new(
            "links",
            Verdict::Warning,
            "mails have no List-Unsubscribe, without which large mail providers refuse what is not transactional; set links.base_url to where people reach this server",
        ),
    })
}

/// What is off, and what each provider that is on says of its credentials and reachability.
async fn providers(config: &Config, offline: bool) -> Vec<Finding> {
    let configured = &config.providers;
    let mut findings: Vec<Finding> = [
        ("fcm", configured.fcm.is_some()),
        ("apns", configured.apns.is_some()),
        ("smtp", configured.smtp.is_some()),
        ("webhook", configured.webhook.is_some()),
        ("twilio", configured.twilio.is_some()),
        ("web_push", configured.web_push.is_some()),
        ("slack", configured.slack.is_some()),
        ("vonage", configured.vonage.is_some()),
        ("twilio_voice", configured.twilio_voice.is_some()),
        ("sendgrid", configured.sendgrid.is_some()),
        ("mailgun", configured.mailgun.is_some()),
        ("kakao_talk", configured.kakao_talk.is_some()),
    ]
    .into_iter()
    .filter(|(_, on)| offline || !on)
    .map(|(name, on)| Finding::new(&format!("provider {name}"), Verdict::Ok, if on { "configured, not asked" } else { "off" }))
    .collect();
    if offline {
        return findings;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let all = match crate::app::providers::build(config, &clock) {
        Ok(all) => all,
        Err(error) => {
            findings.push(Finding::new("providers", Verdict::Failed, error));
            return findings;
        }
    };
    for provider in all {
        let what = format!("provider {}", provider.name());
        findings.push(match tokio::time::timeout(PATIENCE, provider.check()).await {
            Ok(Ok(())) => Finding::new(&what, Verdict::Ok, "answers, and takes our credentials"),
            Ok(Err(reason)) => Finding::new(&what, Verdict::Failed, reason),
            Err(_) => Finding::new(&what, Verdict::Failed, "did not answer in time"),
        });
    }
    findings
}
