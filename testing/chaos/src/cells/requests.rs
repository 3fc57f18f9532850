//! Sends the request of each row of the table, and returns its response as a comparable value.
//!
//! Never: an expectation; the columns have them. To add a row: a method of [`CellsFixture`] that sends a request and returns a comparable value.

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer};
use voelgoed_testkit::http_client::ApiCall;
use voelgoed_testkit::organizer::{TestOrganizer, text};

use super::fixture::CellsFixture;
use super::response_values::{ApiOutcome, ListState, list_state, outcome};

impl CellsFixture {
    /// Browse: the status of the event's map, and whether it is marked as stale.
    pub async fn map(&self) -> anyhow::Result<(u16, bool)> {
        let path = format!("/api/v1/events/{}/availability", self.event.id);
        let response = self.client.call(Method::GET, &path, ApiCall::default()).await?;
        Ok((response.status, response.json()["stale"].as_bool().unwrap_or_default()))
    }

    /// Browse: the status of the event, and whether it is marked as stale.
    pub async fn about(&self) -> anyhow::Result<(u16, bool)> {
        let response =
            self.client.call(Method::GET, &format!("/api/v1/events/{}", self.event.id), ApiCall::default()).await?;
        Ok((response.status, response.json()["stale"].as_bool().unwrap_or_default()))
    }

    /// Browse: the list of events.
    pub async fn events(&self) -> anyhow::Result<ListState> {
        let response = self.client.call(Method::GET, "/api/v1/events", ApiCall::default()).await?;
        Ok(list_state(&response))
    }

    /// Dashboards and lists: scans, ledger accounts and venues.
    pub async fn lists(&self) -> anyhow::Result<Vec<ListState>> {
        let scans = format!("/api/v1/scans?event={}", self.event.id);
        let mut all = Vec::new();
        for path in [scans.as_str(), "/api/v1/ledger/accounts", "/api/v1/venues"] {
            all.push(list_state(&self.organizer.call(Method::GET, path, None, None).await?));
        }
        Ok(all)
    }

    /// Lists: the venues of one of the organizers.
    pub async fn venues(&self, organizer: &TestOrganizer) -> anyhow::Result<ListState> {
        Ok(list_state(&organizer.call(Method::GET, "/api/v1/venues", None, None).await?))
    }

    /// Holds general-admission places for a new buyer.
    pub async fn hold(&self, places: u32) -> anyhow::Result<ApiOutcome> {
        Ok(outcome(&TestBuyer::new(self.client.clone()).hold_general(&self.event, places).await?))
    }

    /// Places an order.
    pub async fn order(&self, request: &OrderRequest) -> anyhow::Result<ApiOutcome> {
        Ok(outcome(&self.buyer.clone().order(request).await?))
    }

    /// A callback without a valid signature: 401 where callbacks are processed.
    pub async fn callback(&self) -> anyhow::Result<ApiOutcome> {
        let body = serde_json::json!({});
        let call = ApiCall { body: Some(&body), ..ApiCall::default() };
        Ok(outcome(&self.client.call(Method::POST, "/api/v1/providers/sandbox/callback", call).await?))
    }

    /// A refund of the first ticket of a paid order, repeatable by its key.
    pub async fn refund(&self, order: &Value, key: &str) -> anyhow::Result<ApiOutcome> {
        let ticket = text(&order["tickets"][0], "id")?;
        Ok(outcome(&self.organizer.refund(&text(order, "id")?, &[&ticket], key).await?))
    }

    /// Another payment of an order, by the method that works.
    pub async fn pay_again(&self, order: &AcknowledgedOrder, key: &str) -> anyhow::Result<ApiOutcome> {
        let body = serde_json::json!({"provider": "sandbox", "method": "ok"});
        let call = ApiCall { token: Some(&order.token), key: Some(key), body: Some(&body), ..ApiCall::default() };
        Ok(outcome(&self.client.call(Method::POST, &format!("/api/v1/orders/{}/payments", order.id), call).await?))
    }

    /// An order, as its buyer sees it.
    pub async fn read_order(&self, order: &AcknowledgedOrder) -> anyhow::Result<Value> {
        self.buyer.clone().read_order(order).await
    }

    /// The status and text of a page, as a browser without scripts requests it.
    pub async fn page(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = self.client.send(self.client.request("GET", path).header("accept", "text/html")).await?;
        Ok((response.status, response.body))
    }

    /// Checks that a page contains these words.
    pub async fn page_says(&self, path: &str, words: &str) -> anyhow::Result<()> {
        let (status, text) = self.page(path).await?;
        ensure!(text.contains(words), "{path} ({status}) does not say {words:?}");
        Ok(())
    }

    /// The health of a dependency, as `/readyz` reports it.
    pub async fn health(&self, dependency: &str) -> anyhow::Result<String> {
        self.node.dependency_health(dependency).await
    }
}
