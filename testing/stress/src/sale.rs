//! Prepares the requests of a sale as bytes, sessions, holds, orders and scans, and reads their responses.

use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::server::TestServer;

use crate::closed_loop::ClosedLoop;
use crate::raw_client::{RawConnection, RawResponse, get, request};

/// The concert hall with the gate and its 1,900 seats.
pub const CONCERT: usize = 0;
/// The festival of 25,000 places without numbers.
pub const FESTIVAL: usize = 1;
/// The stadium of 60,000 seats.
pub const STADIUM: usize = 2;
/// The demo's limit.
pub const SEATS_PER_ORDER_MAX: usize = 10;

/// An event of the demo, as its clients need it.
pub struct SaleEvent {
    /// `evt_…`
    pub event: String,
    ticket_type: String,
    areas: Vec<String>,
    /// All seats but wheelchair spaces, which are only sold on request.
    pub seats: Vec<u32>,
}

/// A hold that was granted.
#[derive(Debug, Clone)]
pub struct HeldSeats {
    id: String,
    token: String,
}

/// An order that was acknowledged.
#[derive(Debug, Clone)]
pub struct PlacedOrder {
    /// `ord_…`
    pub id: String,
    token: String,
}

impl SaleEvent {
    /// Reads the event number `at` of a demo.
    ///
    /// # Errors
    /// There is no such event, or its description breaks the contract.
    pub async fn of(server: &TestServer, at: usize) -> anyhow::Result<Self> {
        Self::read(&server.address, &server.card, at).await
    }

    /// Reads the event number `at` of a card from the server at `address`.
    ///
    /// # Errors
    /// As [`SaleEvent::of`].
    pub async fn read(address: &str, card: &Value, at: usize) -> anyhow::Result<Self> {
        let event = card["events"][at]["id"].as_str().context("the demo has the event")?.to_owned();
        let mut connection = RawConnection::open(address).await?;
        let about = connection.send(&get(&format!("/api/v1/events/{event}"))).await?.expect(200)?.json()?;
        let ticket_type = about["ticket_types"][0]["id"].as_str().context("an event has ticket types")?.to_owned();
        let areas = about["areas"].as_array().into_iter().flatten().filter_map(|area| area["id"].as_str());
        let areas = areas.map(str::to_owned).collect();
        let map = connection.send(&get(&format!("/api/v1/events/{event}/map"))).await?.expect(200)?.json()?;
        let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let rows = items(&map["areas"]).into_iter().flat_map(|area| items(&area["rows"]));
        let is_wheelchair_space = |seat: &Value| items(&seat["flags"]).contains(&json!("accessible"));
        let seats = rows.flat_map(|row| items(&row["seats"])).filter(|seat| !is_wheelchair_space(seat));
        let seats = seats.filter_map(|seat| seat["place"].as_u64());
        Ok(Self { event, ticket_type, areas, seats: seats.filter_map(|place| u32::try_from(place).ok()).collect() })
    }

    /// The request for a hold of these seats.
    #[must_use]
    pub fn hold(&self, seats: &[u32], session: &str) -> Vec<u8> {
        let items: Vec<Value> =
            seats.iter().map(|place| json!({ "place": place, "ticket_type": self.ticket_type })).collect();
        let body = json!({ "items": items }).to_string();
        request("POST", &format!("/api/v1/events/{}/holds", self.event), &[("X-Session", session)], Some(&body))
    }

    /// The request for a hold of any place of the area number `area`.
    #[must_use]
    pub fn hold_any(&self, area: usize, session: &str) -> Vec<u8> {
        let item = json!({ "area": self.areas.get(area), "quantity": 1, "ticket_type": self.ticket_type });
        let body = json!({ "items": [item] }).to_string();
        request("POST", &format!("/api/v1/events/{}/holds", self.event), &[("X-Session", session)], Some(&body))
    }

    /// Obtains `count` sessions from the server.
    ///
    /// # Errors
    /// The server gives none.
    pub async fn sessions(&self, clients: &mut ClosedLoop, count: usize) -> anyhow::Result<Vec<String>> {
        let first_contact = vec![get(&format!("/api/v1/events/{}", self.event)); count];
        let responses = clients.send(&first_contact, 200).await?.responses;
        let session = |response: &RawResponse| {
            response.header("x-session").map(str::to_owned).context("a first contact gives a session")
        };
        responses.iter().map(session).collect()
    }
}

fn id_and_token(response: &RawResponse) -> anyhow::Result<(String, String)> {
    let json = response.json()?;
    let text = |name: &str| json[name].as_str().map(str::to_owned).with_context(|| format!("the response has {name}"));
    Ok((text("id")?, text("token")?))
}

impl HeldSeats {
    /// The hold in a response.
    ///
    /// # Errors
    /// The response has no hold.
    pub fn read(response: &RawResponse) -> anyhow::Result<Self> {
        let (id, token) = id_and_token(response)?;
        Ok(Self { id, token })
    }

    /// The request that releases the seats.
    #[must_use]
    pub fn release(&self) -> Vec<u8> {
        request("DELETE", &format!("/api/v1/holds/{}", self.id), &[("X-Token", &self.token)], None)
    }

    /// The request for an order of the seats, paid by the sandbox's `ok`.
    #[must_use]
    pub fn order(&self) -> Vec<u8> {
        self.order_by(&self.id)
    }

    /// The same order under a new idempotency key, which no server has seen.
    #[must_use]
    pub fn order_with_new_key(&self) -> Vec<u8> {
        self.order_by(&format!("new-{}", self.id))
    }

    fn order_by(&self, key: &str) -> Vec<u8> {
        let body = json!({
            "hold": self.id, "hold_token": self.token,
            "buyer": { "name": "Nandi", "email": format!("nandi-{}@example.org", self.id) },
            "payment": { "provider": "sandbox", "method": "ok" },
        });
        request("POST", "/api/v1/orders", &[("Idempotency-Key", key)], Some(&body.to_string()))
    }
}

impl PlacedOrder {
    /// The order in a response.
    ///
    /// # Errors
    /// The response has no order.
    pub fn read(response: &RawResponse) -> anyhow::Result<Self> {
        let (id, token) = id_and_token(response)?;
        Ok(Self { id, token })
    }

    /// Reads the order as its page does: at once, then its stream until it is paid, then once more for the tickets.
    ///
    /// # Errors
    /// The order was not paid, or a connection ended.
    pub async fn watch_until_paid(&self, address: &str, connection: &mut RawConnection) -> anyhow::Result<()> {
        let read = request("GET", &format!("/api/v1/orders/{}", self.id), &[("X-Token", &self.token)], None);
        connection.send(&read).await?.expect(200)?;
        let stream = format!("/api/v1/orders/{}/stream?token={}", self.id, self.token);
        let is_settled = |order: &str| !order.contains(r#""state":"awaiting_payment""#);
        RawConnection::open(address).await?.follow(&get(&stream), is_settled).await?;
        let order = connection.send(&read).await?.expect(200)?.json()?;
        anyhow::ensure!(order["state"] == "paid", "the order is {}", order["state"]);
        Ok(())
    }

    /// Polls until the order is paid, and returns the codes of its tickets.
    ///
    /// # Errors
    /// The order was not paid, or the connection ended.
    pub async fn codes(&self, connection: &mut RawConnection) -> anyhow::Result<Vec<String>> {
        let read = request("GET", &format!("/api/v1/orders/{}", self.id), &[("X-Token", &self.token)], None);
        loop {
            let order = connection.send(&read).await?.expect(200)?.json()?;
            match order["state"].as_str() {
                Some("paid") => {
                    let tickets = order["tickets"].as_array().cloned().unwrap_or_default();
                    return Ok(tickets
                        .iter()
                        .filter_map(|ticket| ticket["code"].as_str().map(str::to_owned))
                        .collect());
                }
                Some("awaiting_payment") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                other => anyhow::bail!("the order is {other:?}"),
            }
        }
    }
}

/// Holds the seats of each party, spread over `sessions`.
///
/// # Errors
/// A hold is refused.
pub async fn hold_all(
    event: &SaleEvent,
    clients: &mut ClosedLoop,
    parties: &[&[u32]],
    sessions: &[String],
) -> anyhow::Result<Vec<HeldSeats>> {
    let requests: Vec<_> =
        parties.iter().zip(sessions.iter().cycle()).map(|(seats, session)| event.hold(seats, session)).collect();
    clients.send(&requests, 201).await?.responses.iter().map(HeldSeats::read).collect()
}

/// Buys all of these seats and returns the codes of their tickets.
///
/// # Errors
/// A seat could not be bought.
pub async fn buy_all(
    server: &TestServer,
    event: &SaleEvent,
    clients: &mut ClosedLoop,
    seats: &[u32],
) -> anyhow::Result<Vec<String>> {
    let parties: Vec<&[u32]> = seats.chunks(SEATS_PER_ORDER_MAX).collect();
    let sessions = event.sessions(clients, parties.len()).await?;
    let orders: Vec<_> = hold_all(event, clients, &parties, &sessions).await?.iter().map(HeldSeats::order).collect();
    let mut connection = RawConnection::open(&server.address).await?;
    let mut codes = Vec::with_capacity(seats.len());
    for response in clients.send(&orders, 201).await?.responses {
        codes.extend(PlacedOrder::read(&response)?.codes(&mut connection).await?);
    }
    Ok(codes)
}

/// The request for a scan of a ticket at the demo's gate, `entry` or `exit`.
#[must_use]
pub fn scan(server: &TestServer, code: &str, direction: &str) -> Vec<u8> {
    let micros = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
    let now = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).to_string();
    let body = json!({ "id": Uuid::now_v7(), "code": code, "gate": server.card_text("gate"), "direction": direction, "scanned_at": now });
    let key = format!("Bearer {}", server.card_text("device_key"));
    request("POST", "/api/v1/scans", &[("Authorization", &key)], Some(&body.to_string()))
}

/// Checks that every one of these scans was admitted.
///
/// # Errors
/// A scan was refused; with its response.
pub fn check_all_admitted<'a>(responses: impl IntoIterator<Item = &'a RawResponse>) -> anyhow::Result<()> {
    for response in responses {
        let scanned = response.json()?;
        anyhow::ensure!(scanned["result"] == "admitted", "a scan was refused: {scanned}");
    }
    Ok(())
}
