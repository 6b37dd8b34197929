//! Everything the harness assumes about the binary: command lines, files, requests, answers.
//!
//! One file, so that a change of the contract shows in one place. Generating types from the
//! schema was rejected: the harness must fail where the server's words change, not follow them.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Crash points that the build with `failpoints` knows.
pub const FAILPOINTS: [&str; 10] = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"];
/// Names the crash point and the passage at which the process aborts, e.g. `C7:3`.
pub const FAILPOINT_VARIABLE: &str = "BONGSU_FAILPOINT";
/// Channels with a provider, as the schema names them.
pub const CHANNELS: [&str; 4] = ["ANDROID_PUSH", "IOS_PUSH", "EMAIL", "WEBHOOK"];
/// Priorities, as the schema names them.
pub const PRIORITIES: [&str; 4] = ["LOW", "NORMAL", "HIGH", "CRITICAL"];

/// Longest wait for one answer; a killed server is noticed at once by its closed connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Where the simulators listen.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The webhook receiver.
    pub webhook: String,
    /// Rules and ledger.
    pub admin: String,
}

impl Addresses {
    /// Reads the simulators' ready file.
    pub fn read(ready: &str) -> Result<Self> {
        let addresses: Value = serde_json::from_str(ready)?;
        let named = |name: &str| addresses[name].as_str().map(ToOwned::to_owned).ok_or_else(|| anyhow!("the ready file names no {name}"));
        Ok(Self { webhook: named("webhook")?, admin: named("admin")? })
    }
}

/// Arguments of the simulators' process.
pub fn simulate_arguments(state: &Path, ready: &Path, seed: u64) -> Vec<String> {
    ["simulate", "--state", &text(state), "--ready-file", &text(ready), "--seed", &seed.to_string()].map(ToOwned::to_owned).to_vec()
}

/// Arguments of the server's process.
pub fn serve_arguments(data: &Path, listen: &str, config: &Path, ready: &Path) -> Vec<String> {
    ["serve", "--data", &text(data), "--listen", listen, "--config", &text(config), "--ready-file", &text(ready)].map(ToOwned::to_owned).to_vec()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The configuration that the simulators wrote, with retries short enough for a test.
pub fn config(simulators: &Path) -> Result<String> {
    let path = simulators.join("bongsu.toml");
    let mut config = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    for channel in CHANNELS {
        let channel = channel.to_lowercase();
        config.push_str(&format!("\n[delivery.retry.{channel}]\nfirst = \"200ms\"\nlongest = \"1s\"\nattempts = 50\n"));
    }
    config.push_str("\n[log]\nlevel = \"warn\"\n");
    Ok(config)
}

/// The log's file in the data folder.
pub fn log_file(data: &Path) -> PathBuf {
    data.join("log.db")
}

/// The first administrator's key.
pub fn admin_key(data: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(data.join("admin.key")).context("reading the administrator's key")?.trim().to_owned())
}

/// What a client wants sent.
#[derive(Debug, Clone)]
pub struct Item {
    /// The idempotency key.
    pub key: String,
    /// The whole input.
    pub input: Value,
}

impl Item {
    /// One that asks for these channels; the same key always has the same content.
    pub fn new(key: String, recipient: usize, channels: &[&str], priority: &str) -> Self {
        let input = json!({
            "recipient": recipient_id(recipient), "category": "general", "channels": channels, "priority": priority,
            "idempotencyKey": key, "content": { "title": format!("Notice {key}"), "body": format!("This is {key}.") },
        });
        Self { key, input }
    }
}

/// An answer to one item.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Promised.
    Accepted {
        /// The notification.
        id: String,
        /// The position.
        position: String,
    },
    /// Refused, with code and message.
    Refused(String),
}

fn answer(result: &Value) -> Result<Answer> {
    if let Some(code) = result["code"].as_str() {
        return Ok(Answer::Refused(format!("{code}: {}", result["message"].as_str().unwrap_or_default())));
    }
    let id = result["notification"]["id"].as_str().ok_or_else(|| anyhow!("an answer without id: {result}"))?;
    let position = match &result["position"] {
        Value::String(position) => position.clone(),
        Value::Null => bail!("an answer without position: {result}"),
        other => other.to_string(),
    };
    Ok(Answer::Accepted { id: id.to_owned(), position })
}

/// The id by which recipients are named.
pub fn recipient_id(number: usize) -> String {
    format!("r{number}")
}

/// A client of the server with one key.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Client {
    /// A client with the key.
    pub fn new(base: &str, key: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?;
        Ok(Self { http, base: base.to_owned(), key: key.to_owned() })
    }

    /// The same server with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The same key at another server, with another longest wait for one answer.
    pub fn at(&self, base: &str, within: Duration) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(within).no_proxy().build()?;
        Ok(Self { http, base: base.to_owned(), key: self.key.clone() })
    }

    /// How many events this replica has read, and whether it uses the queue that all share, if it knows one.
    pub async fn status(&self) -> Result<(i64, Option<bool>)> {
        let data = self.graphql("{ status { events sharedQueue } }", Value::Null).await?;
        let events = data["status"]["events"].as_f64().ok_or_else(|| anyhow!("no events in {data}"))?;
        #[allow(clippy::cast_possible_truncation, reason = "a count that is exact up to 2^53")]
        Ok((events as i64, data["status"]["sharedQueue"].as_bool()))
    }

    /// Makes a read model anew from the log.
    pub async fn rebuild(&self, name: &str) -> Result<()> {
        let query = "mutation($input: RebuildProjectionInput!) { rebuildProjection(input: $input) { name } }";
        self.graphql(query, json!({ "name": name })).await.map(drop)
    }

    /// Whether the server says that it serves.
    pub async fn is_ready(&self) -> bool {
        matches!(self.http.get(format!("{}/health/ready", self.base)).send().await, Ok(answer) if answer.status().is_success())
    }

    async fn graphql(&self, query: &str, input: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer = self.http.post(format!("{}/graphql", self.base)).bearer_auth(&self.key).json(&body).send().await?;
        let status = answer.status();
        let value: Value = answer.json().await.with_context(|| format!("the answer {status} is not JSON"))?;
        match value.get("errors") {
            Some(errors) => bail!("{status}: {errors}"),
            None => Ok(value["data"].clone()),
        }
    }

    /// Runs a mutation whose refusal would be a mistake of the harness.
    async fn administer(&self, field: &str, kind: &str, ask: &str, input: Value) -> Result<Value> {
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ __typename {ask} ... on Problem {{ code message }} }} }}");
        let data = self.graphql(&query, input).await?;
        match data[field]["code"].as_str() {
            Some(_) => bail!("{field} was refused: {}", data[field]),
            None => Ok(data[field].clone()),
        }
    }

    /// Registers a sender and gives a client with a key of its own.
    pub async fn create_sender(&self, sender: &str) -> Result<Self> {
        self.administer("registerSender", "RegisterSenderInput", "", json!({ "key": sender, "name": sender })).await?;
        let input = json!({ "name": "load", "role": "SENDER", "sender": sender });
        let made = self.administer("createApiKey", "CreateApiKeyInput", "... on ApiKeyCreated { secret }", input).await?;
        Ok(self.with_key(made["secret"].as_str().ok_or_else(|| anyhow!("no secret in {made}"))?))
    }

    /// Registers a recipient with an address on each channel.
    pub async fn create_recipient(&self, number: usize, webhook: &str, secret: &str) -> Result<()> {
        let id = recipient_id(number);
        let input = json!({
            "id": id, "email": format!("person{number}@example.com"),
            "webhook": { "url": format!("http://{webhook}/hooks/{number}"), "secret": secret },
        });
        self.administer("upsertRecipient", "UpsertRecipientInput", "", input).await?;
        // Spellings that the simulators attach no misbehaviour to.
        for (channel, token) in [("ANDROID_PUSH", format!("android:{number:032}")), ("IOS_PUSH", format!("aa{number:062x}"))] {
            self.administer("registerDevice", "RegisterDeviceInput", "", json!({ "recipient": id, "channel": channel, "token": token })).await?;
        }
        Ok(())
    }

    /// Turns a channel on or off for a recipient.
    pub async fn subscribe(&self, recipient: usize, channel: &str, subscribed: bool) -> Result<()> {
        let input = json!({ "recipient": recipient_id(recipient), "scope": "CHANNEL", "channel": channel, "subscribed": subscribed });
        self.administer("setSubscription", "SetSubscriptionInput", "", input).await.map(drop)
    }

    /// Turns any switch: the scope and what it names, as the schema has them.
    pub async fn switch(&self, recipient: usize, scope: &Value, subscribed: bool) -> Result<()> {
        let mut input = scope.clone();
        input["recipient"] = json!(recipient_id(recipient));
        input["subscribed"] = json!(subscribed);
        self.administer("setSubscription", "SetSubscriptionInput", "", input).await.map(drop)
    }

    /// Lets a recipient alone until a moment (RFC 3339).
    pub async fn do_not_disturb(&self, recipient: usize, until: &str) -> Result<()> {
        let input = json!({ "recipient": recipient_id(recipient), "until": until });
        self.administer("setDoNotDisturb", "SetDoNotDisturbInput", "", input).await.map(drop)
    }

    /// Defines a category.
    pub async fn define_category(&self, input: Value) -> Result<()> {
        self.administer("defineCategory", "DefineCategoryInput", "", input).await.map(drop)
    }

    /// Sets a schedule up that fires once, at a moment (RFC 3339).
    pub async fn schedule(&self, recipient: usize, key: &str, at: &str) -> Result<()> {
        let terms = json!({ "trigger": { "at": at }, "channels": ["EMAIL"], "content": { "title": "Reminder", "body": format!("This is {key}.") } });
        let input = json!({ "recipient": recipient_id(recipient), "idempotencyKey": key, "terms": terms });
        self.administer("createSchedule", "CreateScheduleInput", "", input).await.map(drop)
    }

    /// Marks a notification as seen by its recipient.
    pub async fn seen(&self, recipient: usize, id: &str) -> Result<()> {
        let made = self.administer(
            "mintRecipientToken",
            "MintRecipientTokenInput",
            "... on RecipientToken { token }",
            json!({ "recipient": recipient_id(recipient) }),
        );
        let made = made.await?;
        let person = self.with_key(made["token"].as_str().ok_or_else(|| anyhow!("no token in {made}"))?);
        person.graphql("mutation($input: MarkInput!) { markSeen(input: $input) { position } }", json!({ "ids": [id] })).await.map(drop)
    }

    /// Takes a notification back; too late is no error.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        self.administer("cancelNotification", "CancelNotificationInput", "", json!({ "id": id })).await.map(drop)
    }

    /// Sends one by the mutation for one.
    pub async fn send(&self, item: &Item) -> Result<Answer> {
        let query = "mutation($input: SendNotificationInput!) { sendNotification(input: $input) {
            ... on SendAccepted { notification { id } position duplicate } ... on Problem { code message } } }";
        answer(&self.graphql(query, item.input.clone()).await?["sendNotification"])
    }

    /// Sends several by the mutation for many; answers in their order.
    pub async fn send_list(&self, items: &[Item]) -> Result<Vec<Answer>> {
        let query = "mutation($input: SendNotificationsInput!) { sendNotifications(input: $input) { results {
            ... on SendAccepted { notification { id } position duplicate } ... on Problem { code message } } } }";
        let inputs: Vec<&Value> = items.iter().map(|item| &item.input).collect();
        let data = self.graphql(query, json!({ "items": inputs })).await?;
        let results = data["sendNotifications"]["results"].as_array().ok_or_else(|| anyhow!("no results in {data}"))?;
        if results.len() != items.len() {
            bail!("{} answers to {} items", results.len(), items.len());
        }
        results.iter().map(answer).collect()
    }
}
