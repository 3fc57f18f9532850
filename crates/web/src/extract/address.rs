//! The client's address, as rate limits count it.
//!
//! `X-Forwarded-For` is believed only from proxies that the configuration names; else anybody could be anybody.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use crate::state::Web;

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<Web> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        if !web.settings.trusted_proxies.contains(&peer) {
            return Ok(Self(peer));
        }
        // The last entry is the one that the trusted proxy itself wrote.
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let nearest = forwarded.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok());
        Ok(Self(nearest.unwrap_or(peer)))
    }
}
