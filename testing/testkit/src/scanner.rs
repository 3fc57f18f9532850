//! A device at a gate.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Call, Client};
use crate::organizer::{Event, Organizer, text};

/// A paired device.
#[derive(Debug, Clone)]
pub struct Scanner {
    client: Client,
    key: String,
    gate: String,
}

/// A scan; sending it again scans nothing more.
#[derive(Debug, Clone)]
pub struct ScanRequest(Value);

impl Scanner {
    /// Makes a gate to all areas of the event, and pairs a device there.
    ///
    /// # Errors
    /// Where any step is refused.
    pub async fn pair(organizer: &Organizer, event: &Event) -> anyhow::Result<Self> {
        let gate = json!({"event": event.id, "name": "Gate"});
        let gate = organizer.call(Method::POST, "/api/v1/gates", None, Some(&gate)).await?.must(201)?;
        let gate = text(&gate, "id")?;
        let device = json!({"event": event.id, "name": "Scanner", "gates": [gate]});
        let device = organizer.call(Method::POST, "/api/v1/devices", None, Some(&device)).await?.must(201)?;
        let code = json!({"code": device["pairing_code"]});
        let call = Call { body: Some(&code), ..Call::default() };
        let paired = organizer.client.call(Method::POST, "/api/v1/devices/pair", call).await?.must(200)?;
        Ok(Self { client: organizer.client.clone(), key: text(&paired, "key")?, gate })
    }

    /// The same device, talking through another connection.
    #[must_use]
    pub fn at(&self, client: &Client) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// A new reading of a code.
    #[must_use]
    pub fn read(&self, code: &str) -> ScanRequest {
        ScanRequest(json!({"id": Uuid::new_v4().to_string(), "code": code, "gate": self.gate, "direction": "entry",
            "scanned_at": Timestamp::now().to_string()}))
    }

    /// Asks whether it admits.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn send(&self, scan: &ScanRequest) -> anyhow::Result<Answer> {
        let call = Call { bearer: Some(&self.key), body: Some(&scan.0), ..Call::default() };
        self.client.call(Method::POST, "/api/v1/scans", call).await
    }
}
