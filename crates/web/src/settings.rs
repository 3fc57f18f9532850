//! Holds the settings that handlers and layers of the HTTP server read.

use std::time::Duration;

use crate::client_address::AddressRules;

/// The settings of the HTTP API and the pages.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The largest body in bytes, except for seating plans.
    pub body_bytes_max: usize,
    /// The largest seating plan in bytes, as JSON or as an imported file.
    pub layout_bytes_max: usize,
    /// A request that takes longer is answered 503. The frames of a stream are not part of its request.
    pub request_deadline: Duration,
    /// How client addresses are found and counted.
    pub address_rules: AddressRules,
    /// True: cookies are sent over TLS only.
    pub secure_cookies: bool,
    /// SHA-256 of the operator's key; none where no tenant can be created over the network.
    pub operator_key: Option<[u8; 32]>,
}
