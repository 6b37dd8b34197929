//! What the connections of one provider carry: `cargo bench -p bongsu --bench providers [-- MESSAGES]`.
//!
//! The simulators run as a process of their own, as `bongsu simulate` does, and the providers are set up by the
//! server's own wiring from the configuration that it writes, with the default of everything else. Of each provider
//! as many calls are under way as its default concurrency allows; a tenth as many go before what is measured. A
//! message that is not accepted, or that did not arrive exactly once, ends the bench with status 1. No test, as no
//! test asserts a time. Rejected: simulators in this process, whose CPU could not be told from the provider's.

#![allow(clippy::disallowed_methods, reason = "a bench measures, and nothing depends on it")]

use anyhow::{Context as _, Result, ensure};
use bongsu::app::providers;
use bongsu::config::{Config, Sources};
use commands::ports::{Clock, SystemClock};
use domain::recipient::AddressDetails;
use domain::values::{Content, NotificationId, Outcome, Priority};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use workers::providers::{Message, Provider};

// The server's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Of each provider, where nothing else is said.
const MESSAGES: u64 = 10_000;

/// The length of a text message of one segment that is nearly full.
const BODY: &str = "Your order A-1042 of two lamps and a table has left our house in Busan and is with you on Tuesday before noon. See you soon.";

/// Ticks a second in `/proc/PID/stat`: fixed for user space on Linux (`USER_HZ`).
const TICKS: u64 = 100;

/// The simulators, and what a client has to know of them.
struct Simulators {
    process: Child,
    addresses: Value,
    credentials: Value,
    http: reqwest::Client,
}

impl Simulators {
    async fn start(folder: &Path) -> Result<Self> {
        let ready = folder.join("ready.json");
        let mut process = Command::new(env!("CARGO_BIN_EXE_bongsu"))
            .args(["simulate", "--json", "--state"])
            .arg(folder)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let addresses = loop {
            if let Some(addresses) = std::fs::read(&ready).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok()) {
                break addresses;
            }
            ensure!(process.try_wait()?.is_none(), "the simulators did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let mut simulators = Self { process, addresses, credentials: Value::Null, http: reqwest::Client::builder().no_proxy().build()? };
        simulators.credentials = simulators.ask("credentials").await?;
        Ok(simulators)
    }

    async fn ask(&self, what: &str) -> Result<Value> {
        Ok(self.http.get(format!("http://{}/_sim/{what}", self.at("admin"))).send().await?.json().await?)
    }

    fn at(&self, name: &str) -> &str {
        self.addresses[name].as_str().unwrap_or_default()
    }

    fn credential(&self, name: &str) -> &str {
        self.credentials[name].as_str().unwrap_or_default()
    }

    /// Messages of a provider that were delivered so far, and those of them that had been before.
    async fn delivered(&self, provider: &str) -> Result<(u64, u64)> {
        let counters = self.ask("counters").await?;
        let of = |name: &str| counters[provider][name].as_u64().with_context(|| format!("the simulators do not count {name} of {provider}"));
        Ok((of("delivered")?, of("duplicates")?))
    }

    /// The server's configuration: all providers on, FCM by HTTP/2 over TLS as the real one.
    fn config(&self, folder: &Path) -> Result<Config> {
        let set = |name: &str, value: String| (format!("BONGSU_PROVIDERS__{name}"), value);
        let mut environment =
            vec![set("FCM__ENDPOINT", format!("https://{}", self.at("fcm"))), set("FCM__CA_FILE", folder.join("ca.pem").display().to_string())];
        environment.extend(["VONAGE", "SENDGRID", "MAILGUN"].map(|name| set(&format!("{name}__ENABLED"), "true".to_owned())));
        let sources = Sources { flags: Vec::new(), environment, file: Some(folder.join("bongsu.toml")) };
        Ok(Config::load(&sources)?.0)
    }

    /// An address of the provider's that asks for no misbehaviour.
    fn address(&self, provider: &str, person: u64) -> AddressDetails {
        let (value, secret) = match provider {
            "fcm" => (format!("good-{person}"), None),
            "apns" => (format!("ab{person:062x}"), None),
            "web_push" => {
                let keys = format!("{}.{}", self.credential("browser_p256dh"), self.credential("browser_auth"));
                (format!("http://{}/push/n{person}", self.at(provider)), Some(keys))
            }
            "webhook" => (format!("http://{}/hooks/{person}", self.at(provider)), Some(self.credential("webhook_secret").to_owned())),
            "slack" => (format!("http://{}/services/T0/B0/n{person}", self.at(provider)), None),
            "smtp" | "sendgrid" | "mailgun" => (format!("user{person}@example.org"), None),
            // A mobile number in Korea: 8 digits behind 010.
            _ => (format!("+8210{:08}", person % 100_000_000), None),
        };
        AddressDetails { value, secret }
    }
}

/// User and system time of a process.
fn cpu_of(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the processor time cannot be read; the bench needs Linux")?;
    // The name in parentheses may hold spaces; fields 14 and 15 are counted from behind it.
    let (_, fields) = stat.rsplit_once(')').context("an unknown form of /proc/PID/stat")?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// Established connections of this machine to an address.
fn connections_to(address: &str) -> usize {
    let port = address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or_default();
    let (remote, table) = (format!(":{port:04X}"), std::fs::read_to_string("/proc/net/tcp").unwrap_or_default());
    let established = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().take(4).collect();
        matches!(fields[..], [_, _, to, "01"] if to.ends_with(&remote))
    };
    table.lines().filter(established).count()
}

/// What came of one run.
#[derive(Default)]
struct Run {
    times: Vec<Duration>,
    /// Outcomes that were not «accepted».
    others: Vec<String>,
    /// Halfway through.
    connections: usize,
}

/// Sends the messages of these numbers, as many at once as the provider allows.
async fn send(simulators: &Arc<Simulators>, provider: &Arc<dyn Provider>, numbers: std::ops::Range<u64>, requested_at: i64) -> Result<Run> {
    let content = Arc::new(Content { title: Some("On its way".to_owned()), body: BODY.to_owned(), ..Content::default() });
    let (next, halfway) = (Arc::new(AtomicU64::new(numbers.start)), u64::midpoint(numbers.start, numbers.end));
    let calls = (0..provider.concurrency()).map(|_| {
        let (simulators, provider, next, content) = (Arc::clone(simulators), Arc::clone(provider), Arc::clone(&next), Arc::clone(&content));
        tokio::spawn(async move {
            let mut run = Run::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return run;
                }
                if number == halfway {
                    run.connections = connections_to(simulators.at(provider.name()));
                }
                let message = Message {
                    notification: NotificationId(uuid::Uuid::from_u128(u128::from(number))),
                    delivery: 1,
                    attempt: 1,
                    priority: Priority::High,
                    content: Arc::clone(&content),
                    address: simulators.address(provider.name(), number),
                    from: None,
                    files: Vec::new(),
                    unsubscribe: None,
                    expires_at: None,
                    requested_at,
                    after_unknown: false,
                };
                let began = Instant::now();
                let outcome = provider.send(&message).await;
                run.times.push(began.elapsed());
                if !matches!(outcome, Outcome::Accepted { .. }) {
                    run.others.push(format!("{outcome:?}"));
                }
            }
        })
    });
    let mut all = Run::default();
    for call in calls.collect::<Vec<_>>() {
        let run = call.await?;
        all.times.extend(run.times);
        all.others.extend(run.others);
        all.connections += run.connections;
    }
    all.times.sort_unstable();
    Ok(all)
}

/// Measures one provider and prints its row; false where not every message was accepted and arrived once.
async fn measure(simulators: &Arc<Simulators>, provider: &Arc<dyn Provider>, numbers: std::ops::Range<u64>, requested_at: i64) -> Result<bool> {
    let name = provider.name().to_owned();
    let process = simulators.process.id().context("the simulators have ended")?;
    let cpu = || Ok::<_, anyhow::Error>((cpu_of(std::process::id())?, cpu_of(process)?));
    let count = numbers.end - numbers.start;
    let first = numbers.start + count / 11;
    let warm_up = send(simulators, provider, numbers.start..first, requested_at).await?;

    let (own, theirs) = cpu()?;
    let began = Instant::now();
    let run = send(simulators, provider, first..numbers.end, requested_at).await?;
    let seconds = began.elapsed().as_secs_f64();
    let (own, theirs) = cpu().map(|(own_now, theirs_now)| (own_now.saturating_sub(own), theirs_now.saturating_sub(theirs)))?;

    let (sent, others) = (run.times.len(), [warm_up.others, run.others].concat());
    let at = |share: usize| run.times.get(sent * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / sent as f64;
    let (at_once, connections, failed) = (provider.concurrency(), run.connections, others.len());
    let (rate, p50, p99, own, theirs) = (sent as f64 / seconds, at(50), at(99), each(own), each(theirs));
    println!("| {name} | {at_once} | {connections} | {rate:.0} | {p50:.1} / {p99:.1} ms | {own:.0} µs | {theirs:.0} µs | {failed} |");

    if let Some(first) = others.first() {
        eprintln!("{name}: {failed} of {count} were not accepted; the first: {first}");
    }
    let (delivered, repeated) = simulators.delivered(&name).await?;
    if (delivered, repeated) != (count, 0) {
        eprintln!("{name}: the simulator received {delivered} of {count}, {repeated} of them again");
    }
    Ok(others.is_empty() && (delivered, repeated) == (count, 0))
}

#[tokio::main]
async fn main() -> Result<()> {
    // Before anything opens a TLS connection; an error only says that it is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Cargo adds `--bench`.
    let messages = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(MESSAGES).max(10);
    let folder = tempfile::tempdir()?;
    let simulators = Arc::new(Simulators::start(folder.path()).await?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let providers = providers::build(&simulators.config(folder.path())?, &clock)?;

    println!("{messages} messages to each provider, after a tenth as many.\n");
    println!("| provider | at once | connections | calls a second | a call, p50 / p99 | CPU a call, client | simulator | not accepted |");
    println!("|---|---|---|---|---|---|---|---|");
    let (mut start, mut well) = (1, true);
    for provider in &providers {
        let end = start + messages + messages / 10;
        well &= measure(&simulators, provider, start..end, clock.now()).await?;
        start = end;
    }
    ensure!(well, "not every message was accepted and arrived once; the lines above say which");
    Ok(())
}
