//! Chromium through chromedriver: the few calls of W3C WebDriver that the suite needs, as plain JSON over HTTP.
//!
//! Never: a browser that is left behind; dropping the driver ends its sessions, which end their browsers, and then itself.

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

/// Chromedriver is started at most so often.
const STARTS: usize = 5;
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
/// One call of the driver.
const ANSWER: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running chromedriver.
pub struct Driver {
    child: Child,
    address: String,
    client: reqwest::Client,
    profiles: std::path::PathBuf,
    sessions: Mutex<Vec<String>>,
}

/// The size of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// 390 × 844, touched.
    Phone,
    /// 1440 × 900.
    Desktop,
}

/// One browser with a profile of its own.
pub struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl Driver {
    /// Starts chromedriver on a free port; profiles are made below `scratch`.
    ///
    /// It takes a port of IPv4 first and then the same one of IPv6, and ends where somebody else has that one; so it is started anew.
    pub fn start(scratch: &Path) -> anyhow::Result<Self> {
        for _ in 0..STARTS {
            if let Some(driver) = Self::try_start(scratch)? {
                return Ok(driver);
            }
        }
        bail!("chromedriver named no port")
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
        // The rest is read too, so that the driver never waits for us; it ends with the driver.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let client = reqwest::Client::builder().timeout(ANSWER).build()?;
        let address = format!("127.0.0.1:{}", port.unwrap_or(0));
        let driver = Self { child, address, client, profiles, sessions: Mutex::default() };
        // Without a port its own end is waited for by the drop.
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
    pub async fn open(&self, screen: Screen) -> anyhow::Result<Browser<'_>> {
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
        Ok(Browser { driver: self, session })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Only a session that is ended takes its browser with it; chromedriver's own end does not.
        for session in self.sessions.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = end_session(&self.address, &session);
        }
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profiles);
    }
}

/// Without a runtime, since a value is dropped anywhere.
fn end_session(address: &str, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    // It answers when the browser has gone, and leaves the connection open.
    stream.read(&mut [0; 64]).map(drop)
}

impl Browser<'_> {
    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.driver.call(&format!("/session/{}{path}", self.session), Some(body)).await
    }

    /// Goes to an address.
    pub async fn go(&self, url: &str) -> anyhow::Result<()> {
        self.post("/url", json!({"url": url})).await.map(drop)
    }

    /// Has pages believe that the reader prefers dark or light colours.
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
    pub async fn wait_for(&self, expression: &str, within: Duration) -> anyhow::Result<Value> {
        let started = Instant::now();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            // A script that meets a page on its way to another one fails.
            let value = match self.script(&format!("return {expression}")).await {
                Err(error) if started.elapsed() > within => return Err(error),
                Err(_) => continue,
                Ok(value) => value,
            };
            let is_true =
                !matches!(&value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("");
            if is_true {
                return Ok(value);
            }
            if started.elapsed() > within {
                let here = self
                    .script("return location.pathname + ': ' + document.querySelector('main')?.innerText.slice(0, 400)")
                    .await?;
                bail!("`{expression}` did not come true within {} ms at {here}", within.as_millis());
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

    /// Writes what is to be seen.
    pub async fn screenshot(&self, file: &Path) -> anyhow::Result<()> {
        let picture = self.driver.call(&format!("/session/{}/screenshot", self.session), None).await?;
        std::fs::write(file, STANDARD.decode(picture.as_str().unwrap_or_default())?)?;
        Ok(())
    }

    /// What the page complained of since the last time: errors of scripts, files that are missing, breaches of the policy.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let lines = self.post("/se/log", json!({"type": "browser"})).await?;
        let severe =
            |line: &Value| (line["level"] == "SEVERE").then(|| line["message"].as_str().unwrap_or_default().to_owned());
        Ok(lines.as_array().into_iter().flatten().filter_map(severe).collect())
    }
}
