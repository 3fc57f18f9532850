//! Controls Chromium through chromedriver with the few W3C WebDriver calls that the suite needs, as JSON over HTTP. Its HTTP client is not the testkit's,
//! which speaks the shop's API.
//!
//! Ours instead of `thirtyfour`, which turns on `serde_json/preserve_order` for all tests of the workspace, and `fantoccini`, which adds 22 crates and reads no
//! browser log (docs/adr/0020). Never: a browser that outlives the driver; dropping the driver ends its sessions, which end their browsers, and then chromedriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const STARTS_MAX: usize = 5;
/// Chromium without screen, sound, updates or anything beyond loopback.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running chromedriver.
pub struct ChromeDriver {
    child: Child,
    address: String,
    client: reqwest::Client,
    profiles: std::path::PathBuf,
    sessions: Mutex<Vec<String>>,
}

/// The size of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// 390 × 844 with touch.
    Phone,
    /// 1440 × 900.
    Desktop,
}

/// A browser with a profile of its own.
pub struct ChromeBrowser<'a> {
    driver: &'a ChromeDriver,
    session: String,
}

impl ChromeDriver {
    /// Starts chromedriver on a free port; profiles are made below `scratch`.
    ///
    /// Chromedriver binds a port of IPv4 and then the same port of IPv6, and ends where that one is taken; then it is started again.
    pub fn start(scratch: &Path) -> anyhow::Result<Self> {
        for _ in 0..STARTS_MAX {
            if let Some(driver) = Self::try_start(scratch)? {
                return Ok(driver);
            }
        }
        bail!("chromedriver printed no port")
    }

    fn try_start(scratch: &Path) -> anyhow::Result<Option<Self>> {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let profiles = scratch.canonicalize()?.join(format!("profiles-{}", child.id()));
        let mut lines = BufReader::new(stdout).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        // Later lines are read too, so that a full pipe never stops chromedriver.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let client = reqwest::Client::builder().timeout(CALL_TIMEOUT).build()?;
        let address = format!("127.0.0.1:{}", port.unwrap_or(0));
        let driver = Self { child, address, client, profiles, sessions: Mutex::default() };
        // Without a port the drop waits for the end of chromedriver.
        Ok(port.map(|_| driver))
    }

    async fn call(&self, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("http://{}{path}", self.address);
        let request = match body {
            Some(body) => self.client.post(url).json(&body),
            None => self.client.get(url),
        };
        let mut answer: Value = request.send().await?.json().await?;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            bail!("webdriver {path}: {error}: {}", value["message"].as_str().unwrap_or_default());
        }
        Ok(value)
    }

    /// Opens a browser.
    pub async fn open(&self, screen: Screen) -> anyhow::Result<ChromeBrowser<'_>> {
        let opened = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).len();
        let profile = self.profiles.join(opened.to_string());
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|text| (*text).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let mut options = json!({"binary": "/usr/bin/chromium"});
        match screen {
            Screen::Phone => {
                options["mobileEmulation"] =
                    json!({"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2, "touch": true}});
            }
            // The window's frame takes 143 of its height.
            Screen::Desktop => arguments.push("--window-size=1440,1043".to_owned()),
        }
        options["args"] = json!(arguments);
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}});
        let session = self.call("/session", Some(wanted)).await?;
        let session = session["sessionId"].as_str().context("a session has an id")?.to_owned();
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).push(session.clone());
        Ok(ChromeBrowser { driver: self, session })
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        // Only the end of a session ends its browser; the end of chromedriver does not.
        for session in self.sessions.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = end_session(&self.address, &session);
        }
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profiles);
    }
}

/// Synchronous, since a value may be dropped outside a runtime.
fn end_session(address: &str, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(CALL_TIMEOUT))?;
    write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    // Chromedriver answers once the browser has ended, and leaves the connection open.
    stream.read(&mut [0; 64]).map(drop)
}

impl ChromeBrowser<'_> {
    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.driver.call(&format!("/session/{}{path}", self.session), Some(body)).await
    }

    /// Opens a URL.
    pub async fn go(&self, url: &str) -> anyhow::Result<()> {
        self.post("/url", json!({"url": url})).await.map(drop)
    }

    /// Emulates a preference for dark or light colours.
    pub async fn prefer(&self, scheme: &str) -> anyhow::Result<()> {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.post("/goog/cdp/execute", command).await.map(drop)
    }

    /// Runs a script and returns what it returns.
    pub async fn script(&self, script: &str) -> anyhow::Result<Value> {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Waits until an expression is true, and returns its value.
    pub async fn wait_for(&self, expression: &str, timeout: Duration) -> anyhow::Result<Value> {
        let started = Instant::now();
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            // A script fails while the page navigates.
            let value = match self.script(&format!("return {expression}")).await {
                Err(error) if started.elapsed() > timeout => return Err(error),
                Err(_) => continue,
                Ok(value) => value,
            };
            let is_true =
                !matches!(&value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("");
            if is_true {
                return Ok(value);
            }
            if started.elapsed() > timeout {
                let here = self
                    .script("return location.pathname + ': ' + document.querySelector('main')?.innerText.slice(0, 400)")
                    .await?;
                bail!("`{expression}` did not come true within {} ms at {here}", timeout.as_millis());
            }
        }
    }

    async fn element(&self, css: &str) -> anyhow::Result<String> {
        let found = self
            .post("/element", json!({"using": "css selector", "value": css}))
            .await
            .with_context(|| css.to_owned())?;
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        Ok(id.context("an element has an id")?.to_owned())
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        self.post(&format!("/element/{element}/click"), json!({})).await.map(drop)
    }

    /// Types into an element.
    pub async fn type_into(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        self.post(&format!("/element/{element}/value"), json!({"text": text})).await.map(drop)
    }

    /// Clicks a point of the page's visible part, with a mouse.
    pub async fn click_at(&self, x: f64, y: f64) -> anyhow::Result<()> {
        let moved = json!({"type": "pointerMove", "duration": 0, "x": x.round() as i64, "y": y.round() as i64});
        let actions = [moved, json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0})];
        let mouse =
            json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions});
        self.post("/actions", json!({"actions": [mouse]})).await.map(drop)
    }

    /// Saves a screenshot.
    pub async fn screenshot(&self, file: &Path) -> anyhow::Result<()> {
        let picture = self.driver.call(&format!("/session/{}/screenshot", self.session), None).await?;
        std::fs::write(file, STANDARD.decode(picture.as_str().unwrap_or_default())?)?;
        Ok(())
    }

    /// Severe browser log entries since the last call: script errors, missing files, policy violations.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let lines = self.post("/se/log", json!({"type": "browser"})).await?;
        let severe =
            |line: &Value| (line["level"] == "SEVERE").then(|| line["message"].as_str().unwrap_or_default().to_owned());
        Ok(lines.as_array().into_iter().flatten().filter_map(severe).collect())
    }
}
