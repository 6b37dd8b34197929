//! A real Firefox, driven over WebDriver BiDi, which it speaks by itself.
//!
//! For what Chromium cannot be tried with on a machine of its own: web push, whose service Firefox lets a
//! preference choose. Scripts run here, and everything is asked by script. It is Debian's `firefox-esr`, which
//! `tests/services/install` sees to. Rejected: geckodriver, which Debian does not have.

use crate::process::Guarded;
use crate::wait::until;
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const LISTENS: &str = "WebDriver BiDi listening on ";

/// One browser, of a profile of its own.
#[derive(Debug)]
pub struct Firefox {
    connection: Mutex<Connection>,
    /// The tab that it opened with.
    tab: String,
    _process: Guarded,
    _folder: TempDir,
}

#[derive(Debug)]
struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    commands: u64,
}

impl Firefox {
    /// Opens a browser with these preferences, lets something be done with it, and closes it whatever came of
    /// that.
    ///
    /// # Errors
    /// It cannot be started, or what was done with it failed.
    pub async fn with<T>(folder: &Path, preferences: &[(&str, Value)], act: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        let browser = Self::open(folder, preferences).await?;
        let done = act(&browser).await;
        let closed = browser.command("browser.close", json!({})).await;
        let done = done?;
        closed.context("closing the browser")?;
        Ok(done)
    }

    async fn open(folder: &Path, preferences: &[(&str, Value)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("firefox-").tempdir_in(folder)?;
        let profile = folder.path().join("profile");
        std::fs::create_dir(&profile)?;
        let mut lines = String::new();
        for (name, value) in preferences {
            writeln!(lines, "user_pref({}, {value});", json!(name))?;
        }
        std::fs::write(profile.join("user.js"), lines)?;
        let log = folder.path().join("firefox.log");
        let (profile, home) = (profile.display().to_string(), folder.path().display().to_string());
        // The browser's own windows may be looked at too: a notification is one of them.
        let arguments = ["--headless", "--no-remote", "--profile", &profile, "--remote-debugging-port", "0", "--remote-allow-system-access"];
        let environment = [("HOME", home.as_str()), ("MOZ_CRASHREPORTER_DISABLE", "1")];
        let process = Guarded::start("firefox-esr", &arguments, &environment, &log).context("starting firefox-esr; tests/services/install sees to it")?;
        let url = until("Firefox listens", async || {
            let printed = std::fs::read_to_string(&log)?;
            Ok(printed.lines().find_map(|line| line.split_once(LISTENS)).map(|(_, url)| url.trim().to_owned()))
        })
        .await?;
        let (socket, _) = connect_async(format!("{url}/session")).await.context("connecting to Firefox")?;
        let mut browser = Self { connection: Mutex::new(Connection { socket, commands: 0 }), tab: String::new(), _process: process, _folder: folder };
        browser.command("session.new", json!({ "capabilities": {} })).await?;
        browser.tab = browser.contexts(json!({})).await?.first().and_then(|one| one["context"].as_str()).context("no tab")?.to_owned();
        Ok(browser)
    }

    async fn command(&self, method: &str, parameters: Value) -> Result<Value> {
        let mut connection = self.connection.lock().await;
        connection.commands += 1;
        let id = connection.commands;
        connection.socket.send(Message::text(json!({ "id": id, "method": method, "params": parameters }).to_string())).await?;
        loop {
            let heard = tokio::time::timeout(ANSWER_WITHIN, connection.socket.next()).await.with_context(|| format!("{method} is not answered"))?;
            let Message::Text(text) = heard.context("Firefox is gone")?? else { continue };
            let answer: Value = serde_json::from_str(&text)?;
            match answer["type"].as_str() {
                // Of another command, or an event, which nobody asked for.
                _ if answer["id"] != id => {}
                Some("success") => return Ok(answer["result"].clone()),
                _ => bail!("Firefox refuses {method}: {} {}", answer["error"], answer["message"]),
            }
        }
    }

    async fn contexts(&self, of: Value) -> Result<Vec<Value>> {
        let told = self.command("browsingContext.getTree", of).await?;
        Ok(told["contexts"].as_array().cloned().unwrap_or_default())
    }

    /// Opens an address.
    pub async fn visit(&self, url: &str) -> Result<()> {
        self.command("browsingContext.navigate", json!({ "context": self.tab, "url": url, "wait": "complete" })).await.map(drop)
    }

    /// What an expression gives in the page, as if a person had just done something there. It is waited for, and
    /// has to be something that JSON can say.
    pub async fn run(&self, expression: &str) -> Result<Value> {
        self.evaluate(&self.tab, expression).await
    }

    /// The same in the browser itself, with all that its own code may.
    pub async fn run_inside(&self, expression: &str) -> Result<Value> {
        let windows = self.contexts(json!({ "moz:scope": "chrome" })).await?;
        let window = windows.first().and_then(|one| one["context"].as_str()).context("no window")?;
        self.evaluate(window, expression).await
    }

    async fn evaluate(&self, context: &str, expression: &str) -> Result<Value> {
        let expression = format!("(async () => JSON.stringify((await ({expression})) ?? null))()");
        let asked = json!({ "expression": expression, "target": { "context": context }, "awaitPromise": true, "userActivation": true });
        let told = self.command("script.evaluate", asked).await?;
        match told["result"]["value"].as_str() {
            Some(text) => Ok(serde_json::from_str(text)?),
            None => bail!("{expression}: {}", told["exceptionDetails"]["text"]),
        }
    }

    /// Waits until an expression gives something in the page, and gives it.
    pub async fn until(&self, what: &str, expression: &str) -> Result<Value> {
        until(what, async || Ok(Some(self.run(expression).await?).filter(|told| !told.is_null() && told != false))).await
    }

    /// The addresses of all tabs.
    pub async fn addresses(&self) -> Result<Vec<String>> {
        let tabs = self.contexts(json!({ "maxDepth": 0 })).await?;
        Ok(tabs.iter().filter_map(|tab| tab["url"].as_str().map(ToOwned::to_owned)).collect())
    }
}
