//! Holds the section `[server]`: addresses, connection limits, timeouts of a stop, and the proxies in front.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use voelgoed_web::client_address::{ForwardingHeader, TrustedProxies};

use super::deserialize::{duration, parsed, trusted_proxies};

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    pub internal_listen: SocketAddr,
    pub internal_connections_max: usize,
    pub most_connections: usize,
    pub connections_per_address_max: usize,
    #[serde(deserialize_with = "duration")]
    pub write_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub lame_duck: Duration,
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    #[serde(deserialize_with = "duration")]
    pub request_deadline: Duration,
    pub most_in_flight: usize,
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: TrustedProxies,
    #[serde(deserialize_with = "parsed")]
    pub client_address_header: ForwardingHeader,
    pub secure_cookies: bool,
    pub public_url: String,
}
