//! The simulators' administration: faults in, ledger out.

use crate::api::Addresses;
use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;

/// Entries of the ledger fetched at once.
const PAGE: usize = 50_000;

/// The administration of running simulators.
#[derive(Debug, Clone)]
pub struct Simulators {
    http: reqwest::Client,
    base: String,
}

impl Simulators {
    /// Of these addresses.
    pub fn new(addresses: &Addresses) -> Result<Self> {
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, base: format!("http://{}/_sim", addresses.admin) })
    }

    /// The secret with which webhooks are signed.
    pub async fn webhook_secret(&self) -> Result<String> {
        let answer: Value = self.http.get(format!("{}/credentials", self.base)).send().await?.error_for_status()?.json().await?;
        answer["webhook_secret"].as_str().map(ToOwned::to_owned).ok_or_else(|| anyhow!("the simulators name no webhook secret"))
    }

    /// Every provider fails a few times in a hundred: unavailable, throttling, and, the hard
    /// case, taking the message and losing the answer. Throttling holds a provider for a minute,
    /// so it is asked for separately.
    pub async fn misbehave(&self, throttling: bool) -> Result<()> {
        let error = |provider: &str, status: u16, reason: &str, percent: f64| json!({ "provider": provider, "percent": percent, "action": { "error": { "status": status, "reason": reason } } });
        let mut rules = vec![
            error("fcm", 503, "UNAVAILABLE", 2.0),
            error("apns", 503, "ServiceUnavailable", 2.0),
            error("smtp", 451, "4.3.0 Temporary failure", 2.0),
            error("webhook", 503, "unavailable", 2.0),
        ];
        if throttling {
            rules.push(error("fcm", 429, "QUOTA_EXCEEDED", 0.3));
            rules.push(error("apns", 429, "TooManyRequests", 0.5));
            rules.push(error("webhook", 429, "too many requests", 0.5));
        }
        for provider in ["fcm", "apns", "smtp", "webhook"] {
            rules.push(json!({ "provider": provider, "percent": 2.0, "action": "accept_then_drop" }));
        }
        self.rule(&rules).await
    }

    /// Adds rules after those in force; the first that matches decides.
    pub async fn rule(&self, rules: &[Value]) -> Result<()> {
        let answer = self.http.post(format!("{}/rules", self.base)).json(rules).send().await?;
        if !answer.status().is_success() {
            return Err(anyhow!("the simulators refused the rules: {}", answer.text().await?));
        }
        Ok(())
    }

    /// No more faults.
    pub async fn behave(&self) -> Result<()> {
        self.http.delete(format!("{}/rules", self.base)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Writes everything that arrived, one line each; gives the number of arrivals.
    pub async fn write_ledger(&self, path: &Path) -> Result<usize> {
        Ok(self.write_ledger_after(path, 0).await?.0)
    }

    /// The same for what arrived after the entry of this number; also gives the number of the last entry.
    pub async fn write_ledger_after(&self, path: &Path, after: u64) -> Result<(usize, u64)> {
        let mut file = std::fs::File::create(path)?;
        let (mut after, mut count) = (after, 0);
        loop {
            let page = self.http.get(format!("{}/ledger?after={after}&limit={PAGE}", self.base)).send().await?.error_for_status()?.text().await?;
            let Some(last) = page.lines().last() else { break };
            after = serde_json::from_str::<Value>(last)?["seq"].as_u64().context("an entry of the ledger without number")?;
            count += page.lines().count();
            file.write_all(page.as_bytes())?;
        }
        file.sync_all()?;
        Ok((count, after))
    }
}
