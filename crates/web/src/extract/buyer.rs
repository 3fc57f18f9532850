//! Buyers: nobody logs in. A session says who writes how much; a token proves a hold or an order.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ClientAddress;
use super::session::NewSession;
use crate::problem::Failure;
use crate::state::Web;

/// A buyer's session.
#[derive(Debug, Clone, Copy)]
pub struct Buyer {
    /// Which session.
    pub session: SessionId,
    /// From which address.
    pub address: std::net::IpAddr,
    /// True where the session was made by this request: it has nothing yet.
    pub is_new: bool,
}

impl FromRequestParts<Web> for Buyer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        let session = parts.extensions.get::<SessionId>().copied();
        let session =
            session.ok_or_else(|| voelgoed_app::error::Fault::internal("a buyer's route without its session layer"))?;
        let new = parts.extensions.get::<NewSession>();
        new.inspect(|new| new.taken());
        Ok(Self { session, address, is_new: new.is_some() })
    }
}

/// The session that the client brought, if it brought one. Reading it makes none.
#[derive(Debug, Clone, Copy)]
pub struct KnownSession(pub Option<SessionId>);

impl FromRequestParts<Web> for KnownSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Infallible> {
        let is_new = parts.extensions.get::<NewSession>().is_some();
        Ok(Self(parts.extensions.get::<SessionId>().copied().filter(|_| !is_new)))
    }
}

impl Buyer {
    /// Counts a write against the limits of session and address.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub async fn limited(&self, web: &Web) -> Result<(), Refusal> {
        let slower = |limited: voelgoed_resilience::rate_limit::RateLimited| {
            let seconds = limited.retry_after.as_seconds();
            let refusal = Refusal::new(Code::RateLimited, "Too many requests. Wait a moment.");
            refusal.with(|evidence| evidence.retry_after = Some(seconds))
        };
        // The address first: sessions cost nothing to make, and must not fill the other limiter's memory.
        web.address_limiter.check_here(&self.address).map_err(slower)?;
        web.session_limiter.check_here(&self.session).map_err(slower)?;
        // Where the other nodes must be asked, for both at once.
        let (address, session) = futures::join!(
            web.address_limiter.check_shared(&self.address),
            web.session_limiter.check_shared(&self.session)
        );
        address.and(session).map_err(slower)
    }
}

/// The token of a hold, an order or a ticket: `X-Token`, or `?token=` for pages, images and streams.
#[derive(Debug, Clone)]
pub struct BuyerToken(pub String);

impl FromRequestParts<Web> for BuyerToken {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        token_of(parts).map(Self).ok_or_else(|| Refusal::not_found().into())
    }
}

/// The token that a request carries in its head.
#[must_use]
pub fn token_of(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-token").and_then(|value| value.to_str().ok());
    let query = || parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
    header.or_else(query).map(str::to_owned)
}
