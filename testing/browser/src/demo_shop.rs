//! Reads the card of the running demo, and calls its API.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};

/// The demo under test.
#[derive(Debug, Clone)]
pub struct DemoShop {
    /// The card that the demo printed.
    pub card: Value,
    client: ApiClient,
}

impl DemoShop {
    /// The demo that the suite has started.
    pub fn of_suite() -> anyhow::Result<Self> {
        let card = std::env::var("VOELGOED_CARD").context("start this suite by `cargo xtask test --only browser`")?;
        let card: Value = serde_json::from_str(&card)?;
        let client = ApiClient::new(card["url"].as_str().context("the card has a URL")?)?;
        Ok(Self { card, client })
    }

    /// The folder for screenshots; those of a platform of many nodes have one of their own.
    pub fn screenshots(&self) -> anyhow::Result<PathBuf> {
        let folder = if self.card["nodes"].is_array() { "screenshots/cluster" } else { "screenshots" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(folder);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        self.client.url(path)
    }

    /// The id of an event: 0 the hall, 1 the festival, 2 the stadium.
    pub fn event(&self, at: usize) -> &str {
        self.card["events"][at]["id"].as_str().unwrap_or_default()
    }

    /// `GET` of an API path without credentials.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let response = self.client.call(Method::GET, path, ApiCall::default()).await?;
        ensure!(response.is_success(), "GET {path}: {} {}", response.status, response.body);
        Ok(response.json())
    }

    /// `POST` to an API path, with a bearer's key of the card if one is named (`api_key`, `device_key`).
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let bearer = key.map(|key| self.card[key].as_str().unwrap_or_default());
        let call = ApiCall { bearer, body: Some(body), ..ApiCall::default() };
        let response = self.client.call(Method::POST, path, call).await?;
        ensure!(response.is_success(), "POST {path}: {} {}", response.status, response.body);
        Ok(response.json())
    }

    /// Scans a ticket's code at the gate.
    pub async fn scan(&self, code: &str) -> anyhow::Result<Value> {
        let now = self.get(&format!("/api/v1/events/{}", self.event(0))).await?["now"].clone();
        let scan = json!({"id": uuid::Uuid::now_v7(), "code": code, "gate": self.card["gate"], "direction": "entry", "scanned_at": now});
        self.post("/api/v1/scans", Some("device_key"), &scan).await
    }
}
