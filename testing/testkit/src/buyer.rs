//! A buyer with a session: holds places, orders them, repeats what got lost, watches the order.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Call, Client};
use crate::organizer::{Event, text};

/// A buyer.
#[derive(Debug, Clone)]
pub struct Buyer {
    client: Client,
    session: Option<String>,
}

/// A hold in somebody's hand.
#[derive(Debug, Clone)]
pub struct Hold {
    /// `hold_…`
    pub id: String,
    /// Its token.
    pub token: String,
    /// Its places.
    pub places: Vec<u32>,
}

/// An order that is asked for; asking again with the same value asks for nothing more.
#[derive(Debug, Clone)]
pub struct OrderRequest {
    /// `Idempotency-Key`
    pub key: String,
    body: Value,
}

impl OrderRequest {
    /// An order of `hold`, paid by `method`.
    #[must_use]
    pub fn new(hold: &Hold, method: &str) -> Self {
        let key = Uuid::new_v4().to_string();
        // Each order is another person's: what one buyer may have counts over all of their orders.
        let email = format!("nandi-{key}@example.org");
        let body = json!({"hold": hold.id, "hold_token": hold.token, "buyer": {"name": "Nandi", "email": email},
            "payment": {"provider": "sandbox", "method": method}});
        Self { key, body }
    }
}

/// An order that was acknowledged.
#[derive(Debug, Clone)]
pub struct Placed {
    /// `ord_…`
    pub id: String,
    /// Its token.
    pub token: String,
}

impl Buyer {
    /// Somebody whom the server does not know yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, session: None }
    }

    /// The same buyer, who talks to another node from now on.
    #[must_use]
    pub fn at(&self, client: &Client) -> Self {
        Self { client: client.clone(), session: self.session.clone() }
    }

    async fn call(&mut self, method: Method, path: &str, call: Call<'_>) -> anyhow::Result<Answer> {
        let session = self.session.clone();
        let answer = self.client.call(method, path, Call { session: session.as_deref(), ..call }).await?;
        if answer.session.is_some() {
            self.session.clone_from(&answer.session);
        }
        Ok(answer)
    }

    /// Asks for one seat.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn hold_seat(&mut self, event: &Event, place: u32) -> anyhow::Result<Answer> {
        self.hold(event, json!([{"place": place, "ticket_type": event.ticket_type}])).await
    }

    /// Asks for places of the general-admission area.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn hold_general(&mut self, event: &Event, quantity: u32) -> anyhow::Result<Answer> {
        self.hold(event, json!([{"area": event.general.0, "quantity": quantity, "ticket_type": event.ticket_type}]))
            .await
    }

    /// Asks for another general-admission place in a hold, or gives one of its places back.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn change(&mut self, hold: &Hold, event: &Event, removed: Option<u32>) -> anyhow::Result<Answer> {
        let one_more = json!([{"area": event.general.0, "quantity": 1, "ticket_type": event.ticket_type}]);
        let body = match removed {
            Some(place) => json!({"remove": [place]}),
            None => json!({"add": one_more}),
        };
        let call = Call { token: Some(&hold.token), body: Some(&body), ..Call::default() };
        self.call(Method::PATCH, &format!("/api/v1/holds/{}", hold.id), call).await
    }

    async fn hold(&mut self, event: &Event, items: Value) -> anyhow::Result<Answer> {
        let body = json!({"items": items});
        let path = format!("/api/v1/events/{}/holds", event.id);
        self.call(Method::POST, &path, Call { body: Some(&body), ..Call::default() }).await
    }

    /// Asks for an order; the same request again gets the same order.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn order(&mut self, request: &OrderRequest) -> anyhow::Result<Answer> {
        let call = Call { key: Some(&request.key), body: Some(&request.body), ..Call::default() };
        self.call(Method::POST, "/api/v1/orders", call).await
    }

    /// Looks at an order.
    ///
    /// # Errors
    /// Where no answer came, or not the order.
    pub async fn look(&mut self, order: &Placed) -> anyhow::Result<Value> {
        let path = format!("/api/v1/orders/{}", order.id);
        self.call(Method::GET, &path, Call { token: Some(&order.token), ..Call::default() }).await?.must(200)
    }
}

/// The hold of a 201.
///
/// # Errors
/// Where the answer is another.
pub fn held(answer: Answer) -> anyhow::Result<Hold> {
    let body = answer.must(201)?;
    let place = |item: &Value| item["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let places = body["items"].as_array().into_iter().flatten().filter_map(place).collect();
    Ok(Hold { id: text(&body, "id")?, token: text(&body, "token")?, places })
}

/// The order of a 201.
///
/// # Errors
/// Where the answer is another.
pub fn placed(answer: Answer) -> anyhow::Result<Placed> {
    let body = answer.must(201)?;
    Ok(Placed { id: text(&body, "id")?, token: text(&body, "token")? })
}
