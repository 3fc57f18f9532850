//! The running demo, as its card describes it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

/// The shop under test.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its first line on stdout.
    pub card: Value,
    client: reqwest::Client,
}

impl Shop {
    /// The shop that the suite has started.
    pub fn of_suite() -> anyhow::Result<Self> {
        let card = std::env::var("VOELGOED_CARD").context("start this suite by `cargo xtask test --only browser`")?;
        Ok(Self { card: serde_json::from_str(&card)?, client: reqwest::Client::new() })
    }

    /// Where screenshots of it go: those of a platform of many nodes have a folder of their own.
    pub fn screenshots(&self) -> anyhow::Result<PathBuf> {
        let folder = if self.card["nodes"].is_array() { "screenshots/cluster" } else { "screenshots" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(folder);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Where it serves.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.card["url"].as_str().unwrap_or_default())
    }

    /// The identifier of one of its events: 0 the hall, 1 the festival, 2 the stadium.
    pub fn event(&self, at: usize) -> &str {
        self.card["events"][at]["id"].as_str().unwrap_or_default()
    }

    /// `GET` of an API path, as anybody.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.client.get(self.url(path)).send().await?.error_for_status()?.json().await?)
    }

    /// `POST` to an API path, with a bearer's key where one is named (`api_key`, `device_key`).
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.client.post(self.url(path)).json(body);
        if let Some(key) = key {
            request = request.bearer_auth(self.card[key].as_str().unwrap_or_default());
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        anyhow::ensure!(status.is_success(), "POST {path}: {status} {body}");
        Ok(body)
    }

    /// Reads a ticket's code at the gate.
    pub async fn scan(&self, code: &str) -> anyhow::Result<Value> {
        let now = self.get(&format!("/api/v1/events/{}", self.event(0))).await?["now"].clone();
        let scan = json!({"id": uuid::Uuid::now_v7(), "code": code, "gate": self.card["gate"], "direction": "entry", "scanned_at": now});
        self.post("/api/v1/scans", Some("device_key"), &scan).await
    }
}
