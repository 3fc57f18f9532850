//! Makes an organization with one of everything over the API.

use serde_json::{Value, json};
use uuid::Uuid;

use voelgoed_testkit::server::TestServer;

/// All scopes of a key.
pub const SCOPES: &[&str] = &["admin", "catalog", "sales", "finance", "integrations", "scanning", "reports"];
/// The password of every member.
pub const PASSWORD: &str = "correct horse battery";

/// An organization with one of everything.
#[derive(Debug, Clone)]
pub struct TestTenant {
    /// `org_…`
    pub organization: String,
    /// The key with every scope.
    pub key: String,
    /// A key with one scope each, in the order of [`SCOPES`].
    pub scoped: Vec<String>,
    /// The id of one of these keys.
    pub key_id: String,
    /// The email address of a member with every scope.
    pub member: String,
    /// `mem_…`
    pub member_id: String,
    /// `ven_…`
    pub venue: String,
    /// `lay_…`
    pub layout: String,
    /// The published event.
    pub event: String,
    /// An event that is still a draft.
    pub draft: String,
    /// The seated area of the event: its rows are A to D with 20 seats each.
    pub seated: String,
    /// The area of the event without seats: 1,000 places.
    pub standing: String,
    /// The event's only ticket type, which is free of charge.
    pub ticket_type: String,
    /// `gate_…`
    pub gate: String,
    /// `dev_…`
    pub device: String,
    /// The device's key.
    pub device_key: String,
    /// A live hold: id and token.
    pub hold: (String, String),
    /// A paid order: id and token.
    pub order: (String, String),
    /// The order's ticket.
    pub ticket: String,
    /// The text of the ticket's QR code.
    pub code: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl TestTenant {
    /// Makes an organization with everything in it.
    pub async fn make(server: &TestServer, slug: &str) -> anyhow::Result<Self> {
        let made = server.organization(slug).await?;
        let (organization, key) = (text(&made["id"]), text(&made["api_key"]));
        let mut scoped = Vec::new();
        let mut key_id = String::new();
        for scope in SCOPES {
            let made = server.post("/api/v1/api-keys", &key, &json!({"name": scope, "scopes": [scope]})).await?;
            scoped.push(text(&made["secret"]));
            key_id = text(&made["id"]);
        }
        let member = format!("{slug}@example.org");
        let body = json!({"name": "Mem Ber", "email": member, "password": PASSWORD, "scopes": SCOPES});
        let member_id = text(&server.post("/api/v1/members", &key, &body).await?["id"]);

        let (venue, layout) = hall(server, &key).await?;
        let (event, draft) = (event(server, &key, &layout).await?, event(server, &key, &layout).await?);
        let body = json!({"event": event, "name": "Friend", "price": {"amount": 0, "currency": "EUR"}});
        let ticket_type = text(&server.post("/api/v1/ticket-types", &key, &body).await?["id"]);
        server.post(&format!("/api/v1/events/{event}/publish"), &key, &Value::Null).await?;
        let gate = text(&server.post("/api/v1/gates", &key, &json!({"event": event, "name": "North"})).await?["id"]);
        let body = json!({"name": "Scanner", "event": event, "gates": [gate]});
        let device = server.post("/api/v1/devices", &key, &body).await?;
        let paired = server.post("/api/v1/devices/pair", "", &json!({"code": device["pairing_code"]})).await?;
        let areas = server.get(&format!("/api/v1/events/{event}"), "").await?["areas"].clone();
        let mut tenant = Self {
            organization,
            key,
            scoped,
            key_id,
            member,
            member_id,
            venue,
            layout,
            event,
            draft,
            ticket_type,
            gate,
            seated: text(&areas[0]["id"]),
            standing: text(&areas[1]["id"]),
            device: text(&device["id"]),
            device_key: text(&paired["key"]),
            hold: Default::default(),
            order: Default::default(),
            ticket: String::new(),
            code: String::new(),
        };
        tenant.hold = tenant.hold_seats(server, 1).await?;
        let order = tenant.order(server, &tenant.hold_seats(server, 1).await?).await?;
        tenant.order = (text(&order["id"]), text(&order["token"]));
        let request =
            || server.request("GET", &format!("/api/v1/orders/{}", tenant.order.0)).header("X-Token", &tenant.order.1);
        let order = server.send(request()).await?.json();
        anyhow::ensure!(
            order["tickets"].as_array().is_some_and(|tickets| tickets.len() == 1),
            "a free order has its ticket in its first response: {order}"
        );
        tenant.ticket = text(&order["tickets"][0]["id"]);
        tenant.code = text(&order["tickets"][0]["code"]);
        Ok(tenant)
    }

    /// The body of a request for a hold of the best `quantity` seats.
    #[must_use]
    pub fn seats(&self, quantity: u32) -> Value {
        json!({"items": [{"area": self.seated, "quantity": quantity, "ticket_type": self.ticket_type}], "best_available": true})
    }

    /// Holds the best `quantity` seats; returns the hold's id and token.
    pub async fn hold_seats(&self, server: &TestServer, quantity: u32) -> anyhow::Result<(String, String)> {
        let path = format!("/api/v1/events/{}/holds", self.event);
        let hold = server.post(&path, "", &self.seats(quantity)).await?;
        Ok((text(&hold["id"]), text(&hold["token"])))
    }

    /// The body of a request for an order of a hold.
    #[must_use]
    pub fn order_of(hold: &(String, String)) -> Value {
        json!({"hold": hold.0, "hold_token": hold.1, "buyer": {"name": "Ann", "email": "ann@example.org"}})
    }

    /// Orders a hold.
    pub async fn order(&self, server: &TestServer, hold: &(String, String)) -> anyhow::Result<Value> {
        let request = server.request("POST", "/api/v1/orders").header("Idempotency-Key", Uuid::now_v7().to_string());
        let response = server.send(request.json(&Self::order_of(hold))).await?;
        anyhow::ensure!(response.status == 201, "POST orders: {} {}", response.status, response.body);
        Ok(response.json())
    }

    /// The body of a scan of `code` with a new id.
    #[must_use]
    pub fn scan_of(&self, code: &str) -> Value {
        json!({"id": Uuid::now_v7(), "code": code, "gate": self.gate, "direction": "entry", "scanned_at": "2026-01-01T10:00:00Z"})
    }
}

async fn hall(server: &TestServer, key: &str) -> anyhow::Result<(String, String)> {
    let venue = text(&server.post("/api/v1/venues", key, &json!({"name": "Hall"})).await?["id"]);
    let row = |name: &str, y: u32| {
        let seats: Vec<Value> = (1..=20)
            .map(|at| json!({"label": format!("{name}{at}"), "x": at * 10, "y": y, "category": "stalls"}))
            .collect();
        json!({"name": name, "seats": seats})
    };
    let rows = [row("A", 0), row("B", 10), row("C", 20), row("D", 30)];
    let areas = json!([{"name": "Stalls", "rows": rows}, {"name": "Floor", "capacity": 1000}]);
    let layout = server.post("/api/v1/layouts", key, &json!({"venue": venue, "areas": areas})).await?;
    Ok((venue, text(&layout["id"])))
}

/// Makes an event that begins soon and is on sale until then.
async fn event(server: &TestServer, key: &str, layout: &str) -> anyhow::Result<String> {
    let at = |seconds: u64| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        voelgoed_domain::time::Timestamp::from_micros(i64::try_from((since + seconds) * 1_000_000).unwrap_or_default())
            .to_string()
    };
    let body = json!({
        "name": "Evening", "layout": layout, "starts_at": at(7200), "timezone": "Africa/Johannesburg",
        "sale": {"opens_at": at(0), "closes_at": at(7000)}, "currency": "EUR",
        "limits": {"places_per_hold": 50, "places_per_session": 500},
    });
    Ok(text(&server.post("/api/v1/events", key, &body).await?["id"]))
}
