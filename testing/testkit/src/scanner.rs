//! Acts as a paired device at a gate: scans ticket codes and repeats a scan under its own id.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http_client::{ApiCall, ApiClient, ApiResponse};
use crate::organizer::{TestEvent, TestOrganizer, text};

/// A paired device.
#[derive(Debug, Clone)]
pub struct TestScanner {
    client: ApiClient,
    key: String,
    gate: String,
}

/// A scan with its id; sending the same value again repeats it.
#[derive(Debug, Clone)]
pub struct ScanRequest(Value);

impl TestScanner {
    /// Makes a gate to all areas of the event, and pairs a device there.
    ///
    /// # Errors
    /// A step is refused.
    pub async fn pair(organizer: &TestOrganizer, event: &TestEvent) -> anyhow::Result<Self> {
        let gate = json!({"event": event.id, "name": "Gate"});
        let gate = organizer.call(Method::POST, "/api/v1/gates", None, Some(&gate)).await?.must(201)?;
        let gate = text(&gate, "id")?;
        let device = json!({"event": event.id, "name": "Scanner", "gates": [gate]});
        let device = organizer.call(Method::POST, "/api/v1/devices", None, Some(&device)).await?.must(201)?;
        let code = json!({"code": device["pairing_code"]});
        let call = ApiCall { body: Some(&code), ..ApiCall::default() };
        let paired = organizer.client.call(Method::POST, "/api/v1/devices/pair", call).await?.must(200)?;
        Ok(Self { client: organizer.client.clone(), key: text(&paired, "key")?, gate })
    }

    /// The same device as a client of another node.
    #[must_use]
    pub fn at(&self, client: &ApiClient) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// A new scan of a code.
    #[must_use]
    pub fn scan_of(&self, code: &str) -> ScanRequest {
        ScanRequest(json!({"id": Uuid::new_v4().to_string(), "code": code, "gate": self.gate, "direction": "entry",
            "scanned_at": Timestamp::now().to_string()}))
    }

    /// Sends a scan.
    ///
    /// # Errors
    /// No response came.
    pub async fn send(&self, scan: &ScanRequest) -> anyhow::Result<ApiResponse> {
        let call = ApiCall { bearer: Some(&self.key), body: Some(&scan.0), ..ApiCall::default() };
        self.client.call(Method::POST, "/api/v1/scans", call).await
    }
}

/// `admitted`, or the reason of a refusal.
#[must_use]
pub fn scan_outcome(scan: &Value) -> String {
    if scan["result"] == "admitted" { "admitted" } else { scan["reason"].as_str().unwrap_or("?") }.to_owned()
}
