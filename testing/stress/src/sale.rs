//! The calls of a sale, as bytes: sessions, holds on named seats, orders, tickets, scans.

use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;
use voelgoed_domain::time::Timestamp;

use crate::client::{Answer, Connection, get, request};
use crate::crowd::Crowd;
use crate::shop::Shop;

/// The concert hall with the gate and its 1,900 seats.
pub const CONCERT: usize = 0;
/// The festival of 25,000 places without numbers.
pub const FESTIVAL: usize = 1;
/// The stadium of 60,000 seats.
pub const STADIUM: usize = 2;
/// Seats of one order, at most.
pub const MOST_SEATS: usize = 10;

/// An event with seats, as a client needs it.
pub struct Show {
    /// `evt_…`
    pub event: String,
    ticket_type: String,
    areas: Vec<String>,
    /// Every numbered place that is sold without asking: no wheelchair space.
    pub seats: Vec<u32>,
}

/// Who holds what.
#[derive(Debug, Clone)]
pub struct Held {
    id: String,
    token: String,
}

/// An order that was placed.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// `ord_…`
    pub id: String,
    token: String,
}

impl Show {
    /// Reads the event at this place of the demo's card.
    ///
    /// # Errors
    /// It is not there, or not as the contract says.
    pub async fn of(shop: &Shop, at: usize) -> anyhow::Result<Self> {
        Self::at(&shop.address, &shop.card, at).await
    }

    /// The same, of any shop that serves at `address` and gave this card.
    ///
    /// # Errors
    /// As [`Show::of`].
    pub async fn at(address: &str, card: &Value, at: usize) -> anyhow::Result<Self> {
        let event = card["events"][at]["id"].as_str().context("the demo has the event")?.to_owned();
        let mut connection = Connection::open(address).await?;
        let about = connection.send(&get(&format!("/api/v1/events/{event}"))).await?.expect(200)?.json()?;
        let ticket_type = about["ticket_types"][0]["id"].as_str().context("an event has ticket types")?.to_owned();
        let areas = about["areas"].as_array().into_iter().flatten().filter_map(|area| area["id"].as_str());
        let areas = areas.map(str::to_owned).collect();
        let map = connection.send(&get(&format!("/api/v1/events/{event}/map"))).await?.expect(200)?.json()?;
        let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let rows = items(&map["areas"]).into_iter().flat_map(|area| items(&area["rows"]));
        let is_kept = |seat: &Value| items(&seat["flags"]).contains(&json!("accessible"));
        let seats = rows.flat_map(|row| items(&row["seats"])).filter(|seat| !is_kept(seat));
        let seats = seats.filter_map(|seat| seat["place"].as_u64());
        Ok(Self { event, ticket_type, areas, seats: seats.filter_map(|place| u32::try_from(place).ok()).collect() })
    }

    /// Takes these seats.
    #[must_use]
    pub fn hold(&self, seats: &[u32], session: &str) -> Vec<u8> {
        let items: Vec<Value> =
            seats.iter().map(|place| json!({ "place": place, "ticket_type": self.ticket_type })).collect();
        let body = json!({ "items": items }).to_string();
        request("POST", &format!("/api/v1/events/{}/holds", self.event), &[("X-Session", session)], Some(&body))
    }

    /// Takes any place of the area with this number.
    #[must_use]
    pub fn hold_any(&self, area: usize, session: &str) -> Vec<u8> {
        let item = json!({ "area": self.areas.get(area), "quantity": 1, "ticket_type": self.ticket_type });
        let body = json!({ "items": [item] }).to_string();
        request("POST", &format!("/api/v1/events/{}/holds", self.event), &[("X-Session", session)], Some(&body))
    }

    /// So many sessions, each given out by the server.
    ///
    /// # Errors
    /// The server gives none.
    pub async fn sessions(&self, crowd: &mut Crowd, count: usize) -> anyhow::Result<Vec<String>> {
        let first_contact = vec![get(&format!("/api/v1/events/{}", self.event)); count];
        let answers = crowd.send(&first_contact, 200).await?.answers;
        let session =
            |answer: &Answer| answer.header("x-session").map(str::to_owned).context("a first contact gives a session");
        answers.iter().map(session).collect()
    }
}

fn named(answer: &Answer) -> anyhow::Result<(String, String)> {
    let json = answer.json()?;
    let text = |name: &str| json[name].as_str().map(str::to_owned).with_context(|| format!("the answer has {name}"));
    Ok((text("id")?, text("token")?))
}

impl Held {
    /// What a hold was answered.
    ///
    /// # Errors
    /// It is not as the contract says.
    pub fn of(answer: &Answer) -> anyhow::Result<Self> {
        let (id, token) = named(answer)?;
        Ok(Self { id, token })
    }

    /// Gives the places back.
    #[must_use]
    pub fn release(&self) -> Vec<u8> {
        request("DELETE", &format!("/api/v1/holds/{}", self.id), &[("X-Token", &self.token)], None)
    }

    /// Orders them, paid by the sandbox's `ok`.
    #[must_use]
    pub fn order(&self) -> Vec<u8> {
        self.order_by(&self.id)
    }

    /// The same as a request that was never sent before: with another key.
    #[must_use]
    pub fn order_anew(&self) -> Vec<u8> {
        self.order_by(&format!("anew-{}", self.id))
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

impl Ordered {
    /// What an order was answered.
    ///
    /// # Errors
    /// It is not as the contract says.
    pub fn of(answer: &Answer) -> anyhow::Result<Self> {
        let (id, token) = named(answer)?;
        Ok(Self { id, token })
    }

    /// Looks at the order as its page does: at once, then by its stream until it is paid, then once more for the tickets.
    ///
    /// # Errors
    /// The order ended otherwise, or a connection did.
    pub async fn watch_until_paid(&self, address: &str, connection: &mut Connection) -> anyhow::Result<()> {
        let look = request("GET", &format!("/api/v1/orders/{}", self.id), &[("X-Token", &self.token)], None);
        connection.send(&look).await?.expect(200)?;
        let stream = format!("/api/v1/orders/{}/stream?token={}", self.id, self.token);
        let is_settled = |order: &str| !order.contains(r#""state":"awaiting_payment""#);
        Connection::open(address).await?.follow(&get(&stream), is_settled).await?;
        let order = connection.send(&look).await?.expect(200)?.json()?;
        anyhow::ensure!(order["state"] == "paid", "the order is {}", order["state"]);
        Ok(())
    }

    /// The codes of its tickets, once it is paid; polls until then.
    ///
    /// # Errors
    /// The order ended otherwise, or the connection did.
    pub async fn codes(&self, connection: &mut Connection) -> anyhow::Result<Vec<String>> {
        let look = request("GET", &format!("/api/v1/orders/{}", self.id), &[("X-Token", &self.token)], None);
        loop {
            let order = connection.send(&look).await?.expect(200)?.json()?;
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

/// Holds, in a crowd, one of each of the `parties`, spread over `sessions`.
///
/// # Errors
/// One of them is refused.
pub async fn hold_all(
    show: &Show,
    crowd: &mut Crowd,
    parties: &[&[u32]],
    sessions: &[String],
) -> anyhow::Result<Vec<Held>> {
    let requests: Vec<_> =
        parties.iter().zip(sessions.iter().cycle()).map(|(seats, who)| show.hold(seats, who)).collect();
    crowd.send(&requests, 201).await?.answers.iter().map(Held::of).collect()
}

/// Buys all of these seats and returns the codes of their tickets.
///
/// # Errors
/// A seat could not be bought.
pub async fn buy_all(shop: &Shop, show: &Show, crowd: &mut Crowd, seats: &[u32]) -> anyhow::Result<Vec<String>> {
    let parties: Vec<&[u32]> = seats.chunks(MOST_SEATS).collect();
    let sessions = show.sessions(crowd, parties.len()).await?;
    let orders: Vec<_> = hold_all(show, crowd, &parties, &sessions).await?.iter().map(Held::order).collect();
    let mut connection = Connection::open(&shop.address).await?;
    let mut codes = Vec::with_capacity(seats.len());
    for answer in crowd.send(&orders, 201).await?.answers {
        codes.extend(Ordered::of(&answer)?.codes(&mut connection).await?);
    }
    Ok(codes)
}

/// A ticket at the demo's gate: in, or out again.
#[must_use]
pub fn scan(shop: &Shop, code: &str, direction: &str) -> Vec<u8> {
    let micros = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
    let now = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).to_string();
    let body = json!({ "id": Uuid::now_v7(), "code": code, "gate": shop.said("gate"), "direction": direction, "scanned_at": now });
    let key = format!("Bearer {}", shop.said("device_key"));
    request("POST", "/api/v1/scans", &[("Authorization", &key)], Some(&body.to_string()))
}

/// That every one of these scans was admitted.
///
/// # Errors
/// One was refused; with its answer.
pub fn all_admitted<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> anyhow::Result<()> {
    for answer in answers {
        let scanned = answer.json()?;
        anyhow::ensure!(scanned["result"] == "admitted", "a scan was refused: {scanned}");
    }
    Ok(())
}
