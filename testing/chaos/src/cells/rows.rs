//! The rows of the table as requests, and what an answer to one of them says.
//!
//! Never: an opinion; columns say what they expect. To add a row: a method of [`Scene`] that asks, and returns what can be compared.

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed};
use voelgoed_testkit::client::{Answer, Call};
use voelgoed_testkit::organizer::{Organizer, text};

use super::PATIENCE;
use super::scene::Scene;

/// Status, code, and whether a time is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told(pub u16, pub String, pub Option<u64>);

/// Done.
pub fn yes(status: u16) -> Told {
    Told(status, String::new(), None)
}

/// Refused as the table refuses.
pub fn refused(code: &str, seconds: u64) -> Told {
    Told(503, code.to_owned(), Some(seconds))
}

/// What an answer says.
pub fn told(answer: &Answer) -> Told {
    Told(answer.status, answer.code().to_owned(), answer.body["retry_after"].as_u64())
}

/// What a scan was answered: result, durable, degraded.
pub fn scanned(answer: &Value) -> (String, bool, bool) {
    let flag = |name: &str| answer[name].as_bool().unwrap_or_default();
    (answer["result"].as_str().unwrap_or_default().to_owned(), flag("durable"), flag("degraded"))
}

/// Let in, as one tier or both decide.
pub fn admitted(durable: bool, degraded: bool) -> (String, bool, bool) {
    ("admitted".to_owned(), durable, degraded)
}

/// Why a scan was refused.
pub fn reason(answer: &Value) -> String {
    answer["reason"].as_str().unwrap_or_default().to_owned()
}

/// A list: its status, whether it is marked as old, and how many items it has.
pub type Listed = (u16, bool, usize);

/// Reads on in a stream of events until it has told so.
pub async fn hear(stream: &mut reqwest::Response, heard: &mut String, wanted: &str) -> anyhow::Result<()> {
    while !heard.contains(wanted) {
        let part = tokio::time::timeout(PATIENCE, stream.chunk()).await.context("nothing is told")??;
        heard.push_str(&String::from_utf8_lossy(&part.context("the stream ended")?));
    }
    Ok(())
}

impl Scene {
    /// Browse: is the event's map shown, and is it marked as old?
    pub async fn map(&self) -> anyhow::Result<(u16, bool)> {
        let path = format!("/api/v1/events/{}/availability", self.event.id);
        let answer = self.client.call(Method::GET, &path, Call::default()).await?;
        Ok((answer.status, answer.body["stale"].as_bool().unwrap_or_default()))
    }

    /// Browse: is the event shown, and is it marked as old?
    pub async fn about(&self) -> anyhow::Result<(u16, bool)> {
        let answer =
            self.client.call(Method::GET, &format!("/api/v1/events/{}", self.event.id), Call::default()).await?;
        Ok((answer.status, answer.body["stale"].as_bool().unwrap_or_default()))
    }

    /// Browse: the list of events.
    pub async fn events(&self) -> anyhow::Result<Listed> {
        let answer = self.client.call(Method::GET, "/api/v1/events", Call::default()).await?;
        Ok(listed(&answer))
    }

    /// Dashboards and lists: what the gate's organizer and the bookkeeper look at.
    pub async fn lists(&self) -> anyhow::Result<Vec<Listed>> {
        let scans = format!("/api/v1/scans?event={}", self.event.id);
        let mut all = Vec::new();
        for path in [scans.as_str(), "/api/v1/ledger/accounts", "/api/v1/venues"] {
            all.push(listed(&self.organizer.call(Method::GET, path, None, None).await?));
        }
        Ok(all)
    }

    /// Lists: the venues of one of the organizers.
    pub async fn venues(&self, whose: &Organizer) -> anyhow::Result<Listed> {
        Ok(listed(&whose.call(Method::GET, "/api/v1/venues", None, None).await?))
    }

    /// Hold: so many places, by somebody new.
    pub async fn hold(&self, places: u32) -> anyhow::Result<Told> {
        Ok(told(&Buyer::new(self.client.clone()).hold_general(&self.event, places).await?))
    }

    /// Order.
    pub async fn order(&self, request: &OrderRequest) -> anyhow::Result<Told> {
        Ok(told(&self.buyer.clone().order(request).await?))
    }

    /// A callback whose signature is nobody's: 401 where callbacks are looked at.
    pub async fn callback(&self) -> anyhow::Result<Told> {
        let body = serde_json::json!({});
        let call = Call { body: Some(&body), ..Call::default() };
        Ok(told(&self.client.call(Method::POST, "/api/v1/providers/sandbox/callback", call).await?))
    }

    /// A refund of the first ticket of a paid order, repeatable by its key.
    pub async fn refund(&self, order: &Value, key: &str) -> anyhow::Result<Told> {
        let ticket = text(&order["tickets"][0], "id")?;
        Ok(told(&self.organizer.refund(&text(order, "id")?, &[&ticket], key).await?))
    }

    /// Another payment of an order, by the method that works.
    pub async fn pay_again(&self, order: &Placed, key: &str) -> anyhow::Result<Told> {
        let body = serde_json::json!({"provider": "sandbox", "method": "ok"});
        let call = Call { token: Some(&order.token), key: Some(key), body: Some(&body), ..Call::default() };
        Ok(told(&self.client.call(Method::POST, &format!("/api/v1/orders/{}/payments", order.id), call).await?))
    }

    /// An order, as its buyer sees it.
    pub async fn look(&self, order: &Placed) -> anyhow::Result<Value> {
        self.buyer.clone().look(order).await
    }

    /// A page as a browser without scripts gets it; its status and its text.
    pub async fn page(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let answer = http.get(format!("{}{path}", self.url())).header("accept", "text/html").send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// That a page has these words.
    pub async fn page_says(&self, path: &str, words: &str) -> anyhow::Result<()> {
        let (status, text) = self.page(path).await?;
        ensure!(text.contains(words), "{path} ({status}) does not say {words:?}");
        Ok(())
    }

    /// How a dependency is, as `/readyz` says.
    pub async fn health(&self, dependency: &str) -> anyhow::Result<String> {
        let ready = self.operator.call(Method::GET, "/readyz", Call::default()).await?.body;
        let all = ready["dependencies"].as_array().context("dependencies")?;
        let found = all.iter().find(|one| one["dependency"] == dependency).context("the dependency")?;
        text(found, "health")
    }
}

fn listed(answer: &Answer) -> Listed {
    let items = answer.body["items"].as_array().map_or(0, Vec::len);
    (answer.status, answer.body["stale"].as_bool().unwrap_or_default(), items)
}
