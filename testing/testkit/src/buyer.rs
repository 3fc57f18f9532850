//! Acts as a buyer with one session: holds places, orders them, repeats lost requests, and reads the order.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http_client::{ApiCall, ApiClient, ApiResponse};
use crate::organizer::{TestEvent, text};

/// A buyer; the server gives it a session with the first response.
#[derive(Debug, Clone)]
pub struct TestBuyer {
    client: ApiClient,
    session: Option<String>,
}

/// A hold that was granted.
#[derive(Debug, Clone)]
pub struct GrantedHold {
    /// `hold_…`
    pub id: String,
    /// Proves who holds the places.
    pub token: String,
    /// The numbers of the places.
    pub places: Vec<u32>,
}

/// A request for an order; sending the same value again repeats it under its idempotency key.
#[derive(Debug, Clone)]
pub struct OrderRequest {
    /// `Idempotency-Key`
    pub key: String,
    body: Value,
}

impl OrderRequest {
    /// An order of `hold`, paid by the sandbox's `method`.
    #[must_use]
    pub fn new(hold: &GrantedHold, method: &str) -> Self {
        let key = Uuid::new_v4().to_string();
        // Each order has an email address of its own, since limits per buyer count over all orders of an address.
        let email = format!("nandi-{key}@example.org");
        let body = json!({"hold": hold.id, "hold_token": hold.token, "buyer": {"name": "Nandi", "email": email},
            "payment": {"provider": "sandbox", "method": method}});
        Self { key, body }
    }
}

/// An order that the server acknowledged.
#[derive(Debug, Clone)]
pub struct AcknowledgedOrder {
    /// `ord_…`
    pub id: String,
    /// Proves who ordered.
    pub token: String,
}

impl TestBuyer {
    /// A buyer whom the server does not know yet.
    #[must_use]
    pub fn new(client: ApiClient) -> Self {
        Self { client, session: None }
    }

    /// The same buyer as a client of another node.
    #[must_use]
    pub fn at(&self, client: &ApiClient) -> Self {
        Self { client: client.clone(), session: self.session.clone() }
    }

    async fn call(&mut self, method: Method, path: &str, call: ApiCall<'_>) -> anyhow::Result<ApiResponse> {
        let session = self.session.clone();
        let response = self.client.call(method, path, ApiCall { session: session.as_deref(), ..call }).await?;
        if !response.header("x-session").is_empty() {
            self.session = Some(response.header("x-session").to_owned());
        }
        Ok(response)
    }

    /// Requests a hold of one seat.
    ///
    /// # Errors
    /// No response came.
    pub async fn hold_seat(&mut self, event: &TestEvent, place: u32) -> anyhow::Result<ApiResponse> {
        self.hold(event, json!([{"place": place, "ticket_type": event.ticket_type}])).await
    }

    /// Requests a hold of places of the general-admission area.
    ///
    /// # Errors
    /// No response came.
    pub async fn hold_general(&mut self, event: &TestEvent, quantity: u32) -> anyhow::Result<ApiResponse> {
        self.hold(event, json!([{"area": event.general.0, "quantity": quantity, "ticket_type": event.ticket_type}]))
            .await
    }

    /// Adds a general-admission place to a hold, or removes one of its places.
    ///
    /// # Errors
    /// No response came.
    pub async fn change(
        &mut self,
        hold: &GrantedHold,
        event: &TestEvent,
        removed: Option<u32>,
    ) -> anyhow::Result<ApiResponse> {
        let one_more = json!([{"area": event.general.0, "quantity": 1, "ticket_type": event.ticket_type}]);
        let body = match removed {
            Some(place) => json!({"remove": [place]}),
            None => json!({"add": one_more}),
        };
        let call = ApiCall { token: Some(&hold.token), body: Some(&body), ..ApiCall::default() };
        self.call(Method::PATCH, &format!("/api/v1/holds/{}", hold.id), call).await
    }

    async fn hold(&mut self, event: &TestEvent, items: Value) -> anyhow::Result<ApiResponse> {
        let body = json!({"items": items});
        let path = format!("/api/v1/events/{}/holds", event.id);
        self.call(Method::POST, &path, ApiCall { body: Some(&body), ..ApiCall::default() }).await
    }

    /// Requests an order; the same request again is answered with the same order.
    ///
    /// # Errors
    /// No response came.
    pub async fn order(&mut self, request: &OrderRequest) -> anyhow::Result<ApiResponse> {
        let call = ApiCall { key: Some(&request.key), body: Some(&request.body), ..ApiCall::default() };
        self.call(Method::POST, "/api/v1/orders", call).await
    }

    /// Reads an order.
    ///
    /// # Errors
    /// No response came, or the order is not found.
    pub async fn read_order(&mut self, order: &AcknowledgedOrder) -> anyhow::Result<Value> {
        let path = format!("/api/v1/orders/{}", order.id);
        self.call(Method::GET, &path, ApiCall { token: Some(&order.token), ..ApiCall::default() }).await?.must(200)
    }
}

/// The hold in a 201.
///
/// # Errors
/// Another status.
pub fn granted_hold(response: ApiResponse) -> anyhow::Result<GrantedHold> {
    let body = response.must(201)?;
    let place = |item: &Value| item["place"].as_u64().and_then(|place| u32::try_from(place).ok());
    let places = body["items"].as_array().into_iter().flatten().filter_map(place).collect();
    Ok(GrantedHold { id: text(&body, "id")?, token: text(&body, "token")?, places })
}

/// The order in a 201.
///
/// # Errors
/// Another status.
pub fn acknowledged_order(response: ApiResponse) -> anyhow::Result<AcknowledgedOrder> {
    let body = response.must(201)?;
    Ok(AcknowledgedOrder { id: text(&body, "id")?, token: text(&body, "token")? })
}
