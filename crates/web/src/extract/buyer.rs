//! Extracts a buyer: the anonymous session that write limits count by, and the token that proves a hold or an order. Buyers do not log in.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_domain::ids::SessionId;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ClientAddress;
use super::session::IssuedSession;
use crate::problem::Failure;
use crate::state::Web;

/// The session of a buyer's request.
#[derive(Debug, Clone, Copy)]
pub struct BuyerSession {
    /// Its identifier.
    pub session: SessionId,
    /// The client's address, as limits count it.
    pub address: std::net::IpAddr,
    /// True where this request created the session, so that it has no holds yet.
    pub is_new: bool,
}

impl FromRequestParts<Web> for BuyerSession {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        let session = parts.extensions.get::<SessionId>().copied();
        let session =
            session.ok_or_else(|| voelgoed_app::error::Fault::internal("a buyer's route without its session layer"))?;
        let issued = parts.extensions.get::<IssuedSession>();
        issued.inspect(|issued| issued.mark_used());
        Ok(Self { session, address, is_new: issued.is_some() })
    }
}

/// The session that the client sent, if any. Extracting it sets no cookie.
#[derive(Debug, Clone, Copy)]
pub struct KnownSession(pub Option<SessionId>);

impl FromRequestParts<Web> for KnownSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Infallible> {
        let is_new = parts.extensions.get::<IssuedSession>().is_some();
        Ok(Self(parts.extensions.get::<SessionId>().copied().filter(|_| !is_new)))
    }
}

impl BuyerSession {
    /// Counts a write against the limits of session and address.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub async fn check_write_limits(&self, web: &Web) -> Result<(), Refusal> {
        let refusal = |limited: voelgoed_resilience::rate_limit::RateLimited| {
            let seconds = limited.retry_after.as_seconds();
            let refused = Refusal::new(Code::RateLimited, "Too many requests. Wait a moment.");
            refused.with(|evidence| evidence.retry_after = Some(seconds))
        };
        // The address first: a client can have a new session per request, and must not fill the memory of the other limiter.
        web.address_limiter.check_local(&self.address).map_err(refusal)?;
        web.session_limiter.check_local(&self.session).map_err(refusal)?;
        // The counts that the nodes share are read for both at once.
        let (address, session) = futures::join!(
            web.address_limiter.check_shared(&self.address),
            web.session_limiter.check_shared(&self.session)
        );
        address.and(session).map_err(refusal)
    }
}

/// The token of a hold, an order or a ticket: `X-Token`, or `?token=` for pages, images and streams.
#[derive(Debug, Clone)]
pub struct BuyerToken(pub String);

impl FromRequestParts<Web> for BuyerToken {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Failure> {
        presented_token(parts).map(Self).ok_or_else(|| Refusal::not_found().into())
    }
}

/// The token in the header or the query of a request.
#[must_use]
pub fn presented_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-token").and_then(|value| value.to_str().ok());
    let query = || parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
    header.or_else(query).map(str::to_owned)
}
