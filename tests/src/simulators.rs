//! The providers' simulators, as a process of their own, and their administration.

use crate::process::Process;
use crate::wait::until;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Running simulators.
#[derive(Debug)]
pub struct Simulators {
    _process: Process,
    http: reqwest::Client,
    addresses: Value,
    state: PathBuf,
}

impl Simulators {
    /// Starts them under `root`.
    pub async fn start(root: &Path) -> Result<Self> {
        let (state, ready) = (root.join("simulators"), root.join("simulators.json"));
        let arguments = ["simulate", "--state", &state.display().to_string(), "--ready-file", &ready.display().to_string(), "--seed", "1"];
        let mut process = Process::start(&arguments, root, &[], &root.join("simulators.log"))?;
        let addresses = serde_json::from_str(&process.ready(&ready).await?)?;
        Ok(Self { _process: process, http: reqwest::Client::builder().no_proxy().build()?, addresses, state })
    }

    /// The configuration by which a server uses them.
    pub fn config(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.state.join("bongsu.toml"))?)
    }

    /// Address and port of one of them: `fcm`, `apns`, `smtp`, `webhook`, `twilio`, `web_push`, `slack`,
    /// `vonage`, `twilio_voice`, `sendgrid`, `mailgun`, `kakao_talk`, `admin`.
    pub fn address(&self, name: &str) -> Result<&str> {
        self.addresses[name].as_str().with_context(|| format!("the ready file names no {name}"))
    }

    fn url(&self, path: &str) -> Result<String> {
        Ok(format!("http://{}/_sim/{path}", self.address("admin")?))
    }

    /// A receiver's URL for webhooks; the path chooses behaviour.
    pub fn webhook(&self, path: &str) -> Result<String> {
        Ok(format!("http://{}/{path}", self.address("webhook")?))
    }

    /// The secret that signs webhooks to the receiver.
    pub async fn webhook_secret(&self) -> Result<String> {
        self.credential("webhook_secret").await
    }

    /// One of the test credentials, by its name.
    pub async fn credential(&self, name: &str) -> Result<String> {
        let answer: Value = self.http.get(self.url("credentials")?).send().await?.error_for_status()?.json().await?;
        answer[name].as_str().map(ToOwned::to_owned).with_context(|| format!("no credential {name}"))
    }

    /// The subscription of a browser; the path chooses behaviour.
    pub async fn subscription(&self, path: &str) -> Result<Value> {
        let endpoint = format!("http://{}/push/{path}", self.address("web_push")?);
        Ok(json!({ "endpoint": endpoint, "p256dh": self.credential("browser_p256dh").await?, "auth": self.credential("browser_auth").await? }))
    }

    /// An incoming webhook of Slack; its last part chooses behaviour.
    pub fn slack(&self, last: &str) -> Result<String> {
        Ok(format!("http://{}/services/T01/B01/{last}", self.address("slack")?))
    }

    /// Makes a provider misbehave; see the rules in the simulators' documentation.
    pub async fn rule(&self, provider: &str, action: Value) -> Result<()> {
        self.rules(json!({ "provider": provider, "action": action })).await
    }

    /// Adds one rule or a list of rules.
    pub async fn rules(&self, rules: Value) -> Result<()> {
        let answer = self.http.post(self.url("rules")?).json(&rules).send().await?;
        if !answer.status().is_success() {
            bail!("the simulators refused the rules: {}", answer.text().await?);
        }
        Ok(())
    }

    /// No more rules.
    pub async fn behave(&self) -> Result<()> {
        self.http.delete(self.url("rules")?).send().await?.error_for_status()?;
        Ok(())
    }

    /// Shifts the providers' clock so many seconds ahead of the machine's.
    pub async fn clock(&self, seconds: u64) -> Result<()> {
        self.told("clock", &json!({ "offset_s": seconds })).await
    }

    /// How providers call back: `base`, `delay_ms`, `times`, `backwards`, `silent`.
    pub async fn callbacks(&self, plan: Value) -> Result<()> {
        self.told("callbacks", &plan).await
    }

    /// Somebody answers a text message.
    pub async fn reply(&self, provider: &str, from: &str, text: &str) -> Result<()> {
        self.told("reply", &json!({ "provider": provider, "from": from, "text": text })).await
    }

    async fn told(&self, path: &str, what: &Value) -> Result<()> {
        let answer = self.http.post(self.url(path)?).json(what).send().await?;
        if !answer.status().is_success() {
            bail!("the simulators refused: {}", answer.text().await?);
        }
        Ok(())
    }

    /// The latest messages that a provider kept, whole.
    pub async fn messages(&self, provider: &str) -> Result<Vec<Value>> {
        Ok(self.http.get(self.url(&format!("messages?provider={provider}&limit=1000"))?).send().await?.error_for_status()?.json().await?)
    }

    /// Every call that arrived, oldest first.
    pub async fn ledger(&self) -> Result<Vec<Value>> {
        let text = self.http.get(self.url("ledger?limit=100000")?).send().await?.error_for_status()?.text().await?;
        text.lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect()
    }

    /// The calls that arrived for a notification.
    pub async fn calls_for(&self, notification: &str) -> Result<Vec<Value>> {
        Ok(self.ledger().await?.into_iter().filter(|call| call["notification"] == notification).collect())
    }

    /// Waits until so many calls arrived for a notification, and gives them.
    pub async fn await_calls(&self, notification: &str, count: usize) -> Result<Vec<Value>> {
        until(&format!("{count} calls arrived for {notification}"), async || Ok(Some(self.calls_for(notification).await?).filter(|calls| calls.len() >= count)))
            .await
    }
}
