//! A real browser without JavaScript: Chromium, driven over WebDriver (W3C) by `chromedriver`.
//!
//! Pages run no scripts in it; those of the tests may look at a page all the same. Its fonts are always the same
//! ([`crate::fonts`]). Both are Debian's packages, which `tests/services/install` sees to. Rejected: a WebDriver
//! client as a dependency, for a handful of calls.

use crate::fonts;
use crate::process::Guarded;
use crate::wait::until;
use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What a page is shown on.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// In CSS pixels, which are its pixels.
    pub width: u32,
    /// The same; what is longer can be scrolled to.
    pub height: u32,
    /// Whether it is a telephone's, which heeds what a page says of its width.
    pub mobile: bool,
    /// Whether its owner likes dark pages.
    pub dark: bool,
}

/// One window, of a profile of its own.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Guarded,
    _log: TempDir,
}

impl Browser {
    /// Opens a browser whose user reads these languages (as in `Accept-Language`), lets something be done
    /// with it, and closes it whatever came of that.
    ///
    /// # Errors
    /// It cannot be started, or what was done with it failed.
    pub async fn with<T>(folder: &Path, languages: &str, act: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        let browser = Self::open(folder, languages).await?;
        let done = act(&browser).await;
        let closed = browser.http.delete(&browser.session).send().await;
        let done = done?;
        closed.context("closing the browser")?;
        Ok(done)
    }

    async fn open(folder: &Path, languages: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("browser-").tempdir_in(folder)?;
        let log = folder.path().join("chromedriver.log");
        let fonts = fonts::only_ours(folder.path())?.display().to_string();
        let driver = Guarded::start("chromedriver", &["--port=0"], &[("FONTCONFIG_FILE", &fonts)], &log)
            .context("starting chromedriver; tests/services/install sees to it")?;
        let port = until("chromedriver listens", async || {
            let printed = std::fs::read_to_string(&log)?;
            let line = printed.lines().find_map(|line| line.strip_prefix("ChromeDriver was started successfully on port "));
            Ok(line.map(|port| port.trim_end_matches('.').to_owned()))
        })
        .await?;
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?;
        // Without the sandbox, which root and most containers cannot have: it opens our own pages only.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--hide-scrollbars",
            "--font-render-hinting=none",
        ];
        let preferences = json!({ "profile.managed_default_content_settings.javascript": 2, "intl.accept_languages": languages });
        let options = json!({ "args": arguments, "prefs": preferences });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let made = value(http.post(format!("http://127.0.0.1:{port}/session")).json(&wanted).send().await?).await?;
        let id = made["sessionId"].as_str().context("no session")?;
        Ok(Self { http, session: format!("http://127.0.0.1:{port}/session/{id}"), _driver: driver, _log: folder })
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        value(self.http.post(format!("{}/{path}", self.session)).json(&body).send().await?).await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        value(self.http.get(format!("{}/{path}", self.session)).send().await?).await
    }

    /// Opens an address.
    pub async fn visit(&self, url: &str) -> Result<()> {
        self.post("url", json!({ "url": url })).await.map(drop)
    }

    /// The first element that a CSS selector finds.
    pub async fn find(&self, selector: &str) -> Result<String> {
        let found = self.post("element", json!({ "using": "css selector", "value": selector })).await.with_context(|| selector.to_owned())?;
        found[ELEMENT].as_str().map(ToOwned::to_owned).context("no element")
    }

    /// Clicks it. A click that opens a page returns when that is there.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.post(&format!("element/{element}/click"), json!({})).await.map(drop)
    }

    /// Types into it.
    pub async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.post(&format!("element/{element}/value"), json!({ "text": text })).await.map(drop)
    }

    /// Its text, as it is seen.
    pub async fn text(&self, selector: &str) -> Result<String> {
        let element = self.find(selector).await?;
        self.get(&format!("element/{element}/text")).await?.as_str().map(ToOwned::to_owned).context("no text")
    }

    /// Waits until its text holds this part: a form that was sent may still be on its way, and what is found on
    /// the old page is gone in the next moment.
    pub async fn says(&self, selector: &str, part: &str) -> Result<()> {
        until(&format!("{selector} says {part}"), async || Ok(self.text(selector).await.is_ok_and(|text| text.contains(part)).then_some(()))).await
    }

    /// A property of it, such as `checked`.
    pub async fn property(&self, selector: &str, name: &str) -> Result<Value> {
        let element = self.find(selector).await?;
        self.get(&format!("element/{element}/property/{name}")).await
    }

    /// What it is called for those who do not see it.
    pub async fn label(&self, selector: &str) -> Result<String> {
        let element = self.find(selector).await?;
        self.get(&format!("element/{element}/computedlabel")).await?.as_str().map(ToOwned::to_owned).context("no label")
    }

    /// From now on pages are shown on this screen.
    pub async fn show_on(&self, screen: Screen) -> Result<()> {
        let Screen { width, height, mobile, dark } = screen;
        self.told("Emulation.setDeviceMetricsOverride", json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile })).await?;
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.told("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await.map(drop)
    }

    /// What a script (the body of a function) says of the page.
    pub async fn run(&self, script: &str) -> Result<Value> {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// A picture of the whole page, at least of the screen: a PNG.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let size =
            self.run("const { scrollWidth: width, scrollHeight: height } = document.scrollingElement; return { x: 0, y: 0, width, height, scale: 1 }").await?;
        let told = self.told("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true, "clip": size })).await?;
        Ok(STANDARD.decode(told["data"].as_str().context("no picture")?)?)
    }

    /// A command in Chromium's own protocol, for what WebDriver has none for.
    async fn told(&self, command: &str, parameters: Value) -> Result<Value> {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Makes sure that it runs no script: a test of pages without JavaScript is none otherwise.
    pub async fn runs_no_script(&self) -> Result<()> {
        self.visit("data:text/html,<p id=p>plain</p><script>document.getElementById('p').textContent='scripted'</script>").await?;
        ensure!(self.text("#p").await? == "plain", "the browser runs scripts");
        Ok(())
    }
}

async fn value(response: reqwest::Response) -> Result<Value> {
    let status = response.status();
    let body: Value = response.json().await?;
    if status.is_success() { Ok(body["value"].clone()) } else { bail!("the browser refuses: {} {}", body["value"]["error"], body["value"]["message"]) }
}
