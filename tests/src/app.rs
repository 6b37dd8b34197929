//! A server with simulated providers, in a folder of its own.

use crate::client::Client;
use crate::process::{self, Process};
use crate::profile::{self, Profile};
use crate::simulators::Simulators;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// Retries short enough for a test; everything else as users get it.
const QUICK_RETRIES: &str = r#"
[delivery.retry.android_push]
first = "100ms"
longest = "500ms"
[delivery.retry.ios_push]
first = "100ms"
longest = "500ms"
[delivery.retry.email]
first = "100ms"
factor = 2.0
longest = "500ms"
[delivery.retry.webhook]
first = "100ms"
factor = 2.0
longest = "500ms"
[delivery.retry.sms]
first = "100ms"
factor = 2.0
longest = "500ms"
[delivery.retry.voice]
first = "100ms"
factor = 2.0
longest = "500ms"
[delivery.retry.web_push]
first = "100ms"
longest = "500ms"
[delivery.retry.kakao_talk]
first = "100ms"
longest = "500ms"
[delivery.retry.chat]
first = "100ms"
factor = 2.0
longest = "500ms"
"#;

/// Everything that one scenario needs.
#[derive(Debug)]
pub struct App {
    root: TempDir,
    /// The providers' simulators.
    pub simulators: Simulators,
    /// A client with the administrator's key.
    pub admin: Client,
    server: Option<Process>,
    listen: String,
    environment: Vec<(String, String)>,
}

impl App {
    /// Started as a user would.
    pub async fn start() -> Result<Self> {
        Self::with("").await
    }

    /// Started with more configuration (TOML tables that the plain one does not have).
    pub async fn with(config: &str) -> Result<Self> {
        Self::with_environment(config, &[]).await
    }

    /// Started with more configuration and environment variables.
    pub async fn with_environment(config: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let mut environment: Vec<_> = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment.extend(profile::environment(profile::profile()?).await?);
        Self::prepared(config, environment).await
    }

    /// Started on a profile, whichever the scenarios run on.
    pub async fn on(profile: Profile) -> Result<Self> {
        Self::on_with(profile, "").await
    }

    /// The same, with more configuration.
    pub async fn on_with(profile: Profile, config: &str) -> Result<Self> {
        Self::prepared(config, profile::environment(profile).await?).await
    }

    /// Started on a database that the scenario disturbs.
    pub async fn on_database(url: &str) -> Result<Self> {
        Self::prepared("", profile::on_database(url)).await
    }

    /// Started on a Redis that the scenario disturbs, and a database that it does not.
    pub async fn on_redis(url: &str) -> Result<Self> {
        let mut environment = profile::environment(Profile::ClusterWithoutRedis).await?;
        environment.extend(profile::on_redis(url));
        Self::prepared("", environment).await
    }

    async fn prepared(config: &str, environment: Vec<(String, String)>) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("bongsu-scenario-").tempdir()?;
        let simulators = Simulators::start(root.path()).await?;
        let retries = if config.contains("[delivery.retry.") { "" } else { QUICK_RETRIES };
        std::fs::write(root.path().join("bongsu.toml"), format!("{}{retries}{config}", simulators.config()?))?;
        // The server chooses a port, and keeps it when it is started again.
        let listen = "127.0.0.1:0".to_owned();
        let admin = Client::new("", "")?;
        let mut app = Self { root, simulators, admin, server: None, listen, environment };
        app.start_server().await?;
        let key = std::fs::read_to_string(app.data().join("admin.key")).context("reading the administrator's key")?;
        app.admin = Client::new(&format!("http://{}", app.listen), key.trim())?;
        Ok(app)
    }

    /// The folder of this scenario.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The server's data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.path().join("bongsu.toml")
    }

    /// Starts the server (again) and waits until it serves.
    pub async fn start_server(&mut self) -> Result<()> {
        let ready = self.root().join("server.ready");
        let _ = std::fs::remove_file(&ready);
        let (data, config) = (self.data().display().to_string(), self.config().display().to_string());
        let arguments = ["serve", "--data", &data, "--listen", &self.listen, "--config", &config, "--ready-file", &ready.display().to_string()];
        let mut process = Process::start(&arguments, self.root(), &self.variables(), &self.root().join("server.log"))?;
        let told: serde_json::Value = serde_json::from_str(&process.ready(&ready).await?)?;
        self.listen = told["listen"].as_str().with_context(|| format!("the ready file names no address: {told}"))?.to_owned();
        self.server = Some(process);
        Ok(())
    }

    /// From the next start on: the cluster profile on this database, or the embedded one.
    pub fn use_database(&mut self, url: Option<&str>) {
        self.environment = url.map(profile::on_database).unwrap_or_default();
    }

    /// From the next start on: the recipients' keys in a database of their own.
    pub fn use_keys_database(&mut self, url: &str) {
        self.environment.push(("BONGSU_POSTGRES__KEYS_URL".to_owned(), url.to_owned()));
    }

    /// From the next start on: another variable in the server's environment.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The server's process.
    pub fn server(&self) -> Result<&Process> {
        self.server.as_ref().context("the server does not run")
    }

    /// Kills the server as a power cut would.
    pub async fn kill(&mut self) -> Result<()> {
        let mut server = self.server.take().context("the server does not run")?;
        server.signal("KILL").await?;
        server.ended().await.map(drop)
    }

    /// Stops the server as an operator would; it must end well.
    pub async fn stop(&mut self) -> Result<()> {
        let mut server = self.server.take().context("the server does not run")?;
        server.signal("TERM").await?;
        let status = server.ended().await?;
        if !status.success() {
            bail!("the server ended with {status}\n{}", server.printed()?);
        }
        Ok(())
    }

    /// What the server printed so far.
    pub fn printed(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.root().join("server.log"))?)
    }

    /// The server's environment.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Variables that tell a process of the binary where this server's stores are.
    pub fn stores(&self) -> Vec<(&str, &str)> {
        let ours = self
            .environment
            .iter()
            .filter(|(name, _)| ["BONGSU_STORAGE__PROFILE", "BONGSU_POSTGRES__", "BONGSU_REDIS__"].iter().any(|ours| name.starts_with(ours)));
        ours.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Runs a command of the binary against this server, with the administrator's key.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let (key, server, data) = (self.admin.credential(), self.admin.base(), self.data().display().to_string());
        let mut environment = vec![("BONGSU_KEY", key), ("BONGSU_SERVER", server), ("BONGSU_STORAGE__DATA_DIR", data.as_str())];
        environment.extend(self.stores());
        process::run(arguments, self.root(), &environment).await
    }

    /// A registered sender with a key of its own.
    pub async fn sender(&self, key: &str) -> Result<Client> {
        self.admin.mutate("registerSender", "RegisterSenderInput", "", json!({ "key": key, "name": key })).await?;
        self.key(json!({ "name": "scenario", "role": "SENDER", "sender": key })).await
    }

    /// A client with a new API key.
    pub async fn key(&self, input: serde_json::Value) -> Result<Client> {
        let made = self.admin.mutate("createApiKey", "CreateApiKeyInput", "... on ApiKeyCreated { secret }", input).await?;
        Ok(self.admin.with(made["secret"].as_str().with_context(|| format!("no secret in {made}"))?))
    }

    /// A recipient with one well-behaved address on every channel.
    pub async fn recipient(&self, by: &Client, id: &str) -> Result<()> {
        let webhook = json!({ "url": self.simulators.webhook(&format!("hooks/{id}"))?, "secret": self.simulators.webhook_secret().await? });
        by.upsert_recipient(json!({ "id": id, "email": format!("{id}@example.com"), "webhook": webhook })).await?;
        by.register_device(id, "ANDROID_PUSH", &format!("android:{id}")).await?;
        // Apple's tokens are hexadecimal.
        let hex: String = id.bytes().map(|byte| format!("{byte:02x}")).collect();
        by.register_device(id, "IOS_PUSH", &format!("aa{hex:0<62}")).await
    }
}
