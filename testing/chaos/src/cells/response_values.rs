//! Reduces responses to small values that can be compared with what the table promises.

use serde_json::Value;
use voelgoed_testkit::http_client::ApiResponse;

/// Status, problem code, and `retry_after` in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiOutcome(pub u16, pub String, pub Option<u64>);

/// A success.
pub fn accepted(status: u16) -> ApiOutcome {
    ApiOutcome(status, String::new(), None)
}

/// A refusal as the table promises it.
pub fn refused(code: &str, seconds: u64) -> ApiOutcome {
    ApiOutcome(503, code.to_owned(), Some(seconds))
}

/// The outcome in a response.
pub fn outcome(response: &ApiResponse) -> ApiOutcome {
    ApiOutcome(response.status, response.code(), response.json()["retry_after"].as_u64())
}

/// The result of a scan, and whether it is durable and degraded.
pub fn scan_state(scan: &Value) -> (String, bool, bool) {
    let flag = |name: &str| scan[name].as_bool().unwrap_or_default();
    (scan["result"].as_str().unwrap_or_default().to_owned(), flag("durable"), flag("degraded"))
}

/// An admission as decided by one tier or both.
pub fn admitted_by(durable: bool, degraded: bool) -> (String, bool, bool) {
    ("admitted".to_owned(), durable, degraded)
}

/// Why a scan was refused.
pub fn reason(scan: &Value) -> String {
    scan["reason"].as_str().unwrap_or_default().to_owned()
}

/// Of a list: its status, whether it is marked as stale, and its number of items.
pub type ListState = (u16, bool, usize);

/// The state of the list in a response.
pub fn list_state(response: &ApiResponse) -> ListState {
    let body = response.json();
    let items = body["items"].as_array().map_or(0, Vec::len);
    (response.status, body["stale"].as_bool().unwrap_or_default(), items)
}
