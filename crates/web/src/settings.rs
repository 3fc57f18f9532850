//! Holds what handlers and layers read of the node's configuration.

use std::time::Duration;

use crate::client_address::AddressRules;

/// The settings of the HTTP API and the pages.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Of every route but those that take seating plans.
    pub body_bytes_max: usize,
    /// Of a seating plan, given or imported.
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
