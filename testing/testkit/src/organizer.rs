//! An organizer with an API key: makes events, reads the books, gives money back.

use anyhow::{Context, ensure};
use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Call, Client};

/// The price of every ticket of [`Organizer::make_event`], in cents.
pub const PRICE: i64 = 10_000;
/// The most items of a page.
const PAGE: usize = 200;

/// An organizer.
#[derive(Debug, Clone)]
pub struct Organizer {
    /// Its connection.
    pub client: Client,
    /// `vgk_…`
    pub key: String,
}

/// An event on sale.
#[derive(Debug, Clone)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// `tt_…`
    pub ticket_type: String,
    /// The seated area's `ar_…`, and how many seats it has; they are the first places.
    pub seated: (String, u32),
    /// The general-admission area's `ar_…`, and how many places it has.
    pub general: (String, u32),
}

/// Where an event's places stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// On sale.
    pub free: u64,
    /// In somebody's hold or unpaid order.
    pub held: u64,
    /// Sold.
    pub sold: u64,
    /// Kept back.
    pub blocked: u64,
}

impl Counts {
    /// All places.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.free + self.held + self.sold + self.blocked
    }
}

/// What the journal says of one order: the money that is with the provider by its entries, in cents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `ord_…`
    pub order: String,
    /// `sale`, `refund`, …
    pub kind: String,
    /// The change of the provider's account.
    pub clearing: i64,
}

impl Organizer {
    /// The demo's organizer.
    ///
    /// # Errors
    /// Where the card has no key.
    pub fn of(url: &str, card: &Value) -> anyhow::Result<Self> {
        let key = card["api_key"].as_str().context("the card has an API key")?.to_owned();
        Ok(Self { client: Client::new(url)?, key })
    }

    /// Any call with the key.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        self.client.call(method, path, Call { bearer: Some(&self.key), key, body, ..Call::default() }).await
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, None, Some(&body)).await?.must(201).with_context(|| format!("POST {path}"))
    }

    /// Makes and publishes an event with a seated and a general-admission area, on sale now, its gate open now.
    ///
    /// # Errors
    /// Where any step is refused.
    pub async fn make_event(&self, name: &str, seats: u32, general: u32) -> anyhow::Result<Event> {
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
        Ok(Event {
            ticket_type: text(&ticket_type, "id")?,
            seated: (area(0)?, seats),
            general: (area(1)?, general),
            id,
        })
    }

    /// Where the event's places stand.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn counts(&self, event: &str) -> anyhow::Result<Counts> {
        let body = self.client.get(&format!("/api/v1/events/{event}/availability"), Call::default()).await?;
        let areas = body["areas"].as_array().context("areas")?;
        let sum = |what: &str| areas.iter().filter_map(|area| area[what].as_u64()).sum();
        Ok(Counts { free: sum("free"), held: sum("held"), sold: sum("sold"), blocked: sum("blocked") })
    }

    /// The state of each place: 0 free, 1 held, 2 sold, 3 blocked.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn places(&self, event: &str) -> anyhow::Result<Vec<u8>> {
        use base64::Engine;
        let body = self.client.get(&format!("/api/v1/events/{event}/availability"), Call::default()).await?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text(&body, "places")?)?;
        Ok(bytes.iter().flat_map(|byte| (0..4).map(move |place| (byte >> (2 * place)) & 3)).collect())
    }

    /// Every item of a list.
    ///
    /// # Errors
    /// Where a page cannot be read.
    pub async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = format!("{path}{join}limit={PAGE}{after}");
            let body = self.client.get(&page, Call { bearer: Some(&self.key), ..Call::default() }).await?;
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
    /// Where they cannot be read.
    pub async fn orders(&self, event: &str) -> anyhow::Result<Vec<Value>> {
        self.all(&format!("/api/v1/orders?event={event}")).await
    }

    /// One order, whole.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn order(&self, order: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/orders/{order}");
        self.client.get(&path, Call { bearer: Some(&self.key), ..Call::default() }).await
    }

    /// Asks for tickets to be refunded.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn refund(&self, order: &str, tickets: &[&str], key: &str) -> anyhow::Result<Answer> {
        let body = json!({"tickets": tickets, "reason": "asked for"});
        self.call(Method::POST, &format!("/api/v1/orders/{order}/refunds"), Some(key), Some(&body)).await
    }

    /// The whole journal, after checking that each entry and all accounts together sum to zero.
    ///
    /// # Errors
    /// Where they do not.
    pub async fn balanced_journal(&self) -> anyhow::Result<Vec<Entry>> {
        let accounts =
            self.client.get("/api/v1/ledger/accounts", Call { bearer: Some(&self.key), ..Call::default() }).await?;
        let balances = accounts["items"].as_array().context("items")?;
        let sum: i64 = balances.iter().filter_map(|item| item["balance"]["amount"].as_i64()).sum();
        ensure!(sum == 0, "the accounts sum to {sum}: {accounts}");
        let mut journal = Vec::new();
        for entry in self.all("/api/v1/ledger/entries").await? {
            let postings = entry["postings"].as_array().context("postings")?;
            let amount = |posting: &Value| posting["amount"]["amount"].as_i64().unwrap_or(0);
            let sum: i64 = postings.iter().map(amount).sum();
            ensure!(sum == 0, "an entry sums to {sum}: {entry}");
            let at_provider = |posting: &&Value| {
                posting["account"].as_str().is_some_and(|name| name.starts_with("provider_clearing:"))
            };
            let clearing = postings.iter().filter(at_provider).map(amount).sum();
            journal.push(Entry { order: text(&entry, "order")?, kind: text(&entry, "kind")?, clearing });
        }
        Ok(journal)
    }
}

/// A text of a JSON object.
///
/// # Errors
/// Where it has none of that name.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("no `{name}` in {value}"))
}
