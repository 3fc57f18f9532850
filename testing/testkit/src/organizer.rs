//! Acts as an organizer with an API key: makes events, reads orders and the ledger, refunds tickets.

use anyhow::{Context, ensure};
use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use serde_json::{Value, json};

use crate::http_client::{ApiCall, ApiClient, ApiResponse};
use crate::seat_map::SeatMap;

/// The price of every ticket of [`TestOrganizer::make_event`], in cents.
pub const PRICE: i64 = 10_000;
const ITEMS_PER_PAGE: usize = 200;

/// An organizer.
#[derive(Debug, Clone)]
pub struct TestOrganizer {
    /// The client of a node.
    pub client: ApiClient,
    /// `vgk_…`
    pub key: String,
}

/// An event on sale.
#[derive(Debug, Clone)]
pub struct TestEvent {
    /// `evt_…`
    pub id: String,
    /// `tt_…`
    pub ticket_type: String,
    /// The seated area (`ar_…`) and its number of seats, which are the first places.
    pub seated: (String, u32),
    /// The general-admission area (`ar_…`) and its number of places.
    pub general: (String, u32),
}

/// Places of an event by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaceCounts {
    /// On sale.
    pub free: u64,
    /// In a hold or an unpaid order.
    pub held: u64,
    /// Sold places.
    pub sold: u64,
    /// Blocked by the organizer.
    pub blocked: u64,
}

impl PlaceCounts {
    /// All places.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.free + self.held + self.sold + self.blocked
    }
}

/// A ledger entry of one order, with its change of the provider's clearing account in cents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearingEntry {
    /// `ord_…`
    pub order: String,
    /// `sale`, `refund`, …
    pub kind: String,
    /// Cents that the provider owes more by this entry.
    pub clearing: i64,
}

impl TestOrganizer {
    /// The organizer of a demo, by its card.
    ///
    /// # Errors
    /// The card has no key.
    pub fn of_demo(url: &str, card: &Value) -> anyhow::Result<Self> {
        let key = card["api_key"].as_str().context("the card has an API key")?.to_owned();
        Ok(Self { client: ApiClient::new(url)?, key })
    }

    /// Sends a request with the organizer's key.
    ///
    /// # Errors
    /// As [`ApiClient::call`].
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<ApiResponse> {
        self.client.call(method, path, ApiCall { bearer: Some(&self.key), key, body, ..ApiCall::default() }).await
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, None, Some(&body)).await?.must(201).with_context(|| format!("POST {path}"))
    }

    /// Makes and publishes an event with a seated and a general-admission area, on sale and admitting from now on.
    ///
    /// # Errors
    /// A step is refused.
    pub async fn make_event(&self, name: &str, seats: u32, general: u32) -> anyhow::Result<TestEvent> {
        let venue = self.post("/api/v1/venues", json!({"name": name, "address": "1 Test Road"})).await?;
        let seat = |number: u32| {
            let (row, column) = (number / 20, number % 20);
            json!({"label": format!("{}", column + 1), "x": column as f32, "y": row as f32, "category": "Seat"})
        };
        let rows: Vec<Value> = (0..seats.div_ceil(20))
            .map(|row| json!({"name": format!("R{row}"), "seats": (row * 20..seats.min(row * 20 + 20)).map(seat).collect::<Vec<_>>()}))
            .collect();
        let areas = json!([{"name": "Stalls", "rows": rows}, {"name": "Floor", "capacity": general}]);
        let layout = self.post("/api/v1/layouts", json!({"venue": venue["id"], "areas": areas})).await?;
        let now = Timestamp::now();
        let event = self
            .post(
                "/api/v1/events",
                json!({"name": name, "layout": layout["id"], "starts_at": (now + 8.hours()).to_string(), "timezone": "Africa/Johannesburg",
                    "sale": {"opens_at": (now - 1.hours()).to_string(), "closes_at": (now + 7.hours()).to_string()}, "currency": "ZAR",
                    "limits": {"places_per_hold": 10, "places_per_session": 500},
                    "fees": {"per_ticket": 500, "basis_points": 250}, "tax": {"basis_points": 1500, "included": true}}),
            )
            .await?;
        let id = text(&event, "id")?;
        let price = json!({"amount": PRICE, "currency": "ZAR"});
        let ticket_type =
            self.post("/api/v1/ticket-types", json!({"event": id, "name": "Full", "price": price})).await?;
        self.call(Method::POST, &format!("/api/v1/events/{id}/publish"), None, None).await?.must(200)?;
        let area = |at: usize| text(&layout["areas"][at], "id");
        Ok(TestEvent {
            ticket_type: text(&ticket_type, "id")?,
            seated: (area(0)?, seats),
            general: (area(1)?, general),
            id,
        })
    }

    /// Counts the event's places by state.
    ///
    /// # Errors
    /// The availability cannot be read.
    pub async fn counts(&self, event: &str) -> anyhow::Result<PlaceCounts> {
        let body = self.client.get(&format!("/api/v1/events/{event}/availability"), ApiCall::default()).await?;
        let areas = body["areas"].as_array().context("areas")?;
        let sum = |what: &str| areas.iter().filter_map(|area| area[what].as_u64()).sum();
        Ok(PlaceCounts { free: sum("free"), held: sum("held"), sold: sum("sold"), blocked: sum("blocked") })
    }

    /// The state of each place: 0 free, 1 held, 2 sold, 3 blocked.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn places(&self, event: &str) -> anyhow::Result<Vec<u8>> {
        let body = self.client.get(&format!("/api/v1/events/{event}/availability"), ApiCall::default()).await?;
        Ok(SeatMap::from_availability(&body)?.places)
    }

    /// All items of a list, page by page.
    ///
    /// # Errors
    /// A page cannot be read.
    pub async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = format!("{path}{join}limit={ITEMS_PER_PAGE}{after}");
            let body = self.client.get(&page, ApiCall { bearer: Some(&self.key), ..ApiCall::default() }).await?;
            items.extend(body["items"].as_array().context("items")?.iter().cloned());
            match body["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// The orders of an event.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn orders(&self, event: &str) -> anyhow::Result<Vec<Value>> {
        self.all(&format!("/api/v1/orders?event={event}")).await
    }

    /// One order with its payments, tickets and refunds.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn order(&self, order: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/orders/{order}");
        self.client.get(&path, ApiCall { bearer: Some(&self.key), ..ApiCall::default() }).await
    }

    /// Requests a refund of tickets.
    ///
    /// # Errors
    /// No response came.
    pub async fn refund(&self, order: &str, tickets: &[&str], key: &str) -> anyhow::Result<ApiResponse> {
        let body = json!({"tickets": tickets, "reason": "asked for"});
        self.call(Method::POST, &format!("/api/v1/orders/{order}/refunds"), Some(key), Some(&body)).await
    }

    /// All ledger entries, after checking that each entry and all accounts together sum to zero.
    ///
    /// # Errors
    /// They do not.
    pub async fn balanced_ledger(&self) -> anyhow::Result<Vec<ClearingEntry>> {
        let accounts = self
            .client
            .get("/api/v1/ledger/accounts", ApiCall { bearer: Some(&self.key), ..ApiCall::default() })
            .await?;
        let balances = accounts["items"].as_array().context("items")?;
        let sum: i64 = balances.iter().filter_map(|item| item["balance"]["amount"].as_i64()).sum();
        ensure!(sum == 0, "the accounts sum to {sum}: {accounts}");
        let mut ledger = Vec::new();
        for entry in self.all("/api/v1/ledger/entries").await? {
            let postings = entry["postings"].as_array().context("postings")?;
            let amount = |posting: &Value| posting["amount"]["amount"].as_i64().unwrap_or(0);
            let sum: i64 = postings.iter().map(amount).sum();
            ensure!(sum == 0, "an entry sums to {sum}: {entry}");
            let at_provider = |posting: &&Value| {
                posting["account"].as_str().is_some_and(|name| name.starts_with("provider_clearing:"))
            };
            let clearing = postings.iter().filter(at_provider).map(amount).sum();
            ledger.push(ClearingEntry { order: text(&entry, "order")?, kind: text(&entry, "kind")?, clearing });
        }
        Ok(ledger)
    }
}

/// A text field of a JSON object.
///
/// # Errors
/// There is no such field.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("no `{name}` in {value}"))
}
