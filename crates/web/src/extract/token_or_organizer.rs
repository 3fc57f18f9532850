//! Extracts the reader of an order: a client with its token, or the organization that sold it.
//!
//! Never: a key or a login preferred to a token. An organizer who follows a buyer's link sees what the buyer sees.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use voelgoed_domain::refusal::Refusal;

use super::buyer::BuyerToken;
use super::organizer::{LOGIN_COOKIE, Organizer};
use crate::cookies::cookie;
use crate::problem::Failure;
use crate::state::Web;

/// The reader of an order.
#[derive(Debug, Clone)]
pub enum TokenOrOrganizer {
    /// A token, not checked yet.
    Token(BuyerToken),
    /// A member or a key, whose scope is not checked yet.
    Organizer(Organizer),
}

impl FromRequestParts<Web> for TokenOrOrganizer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        if let Ok(token) = BuyerToken::from_request_parts(parts, web).await {
            return Ok(Self::Token(token));
        }
        if !parts.headers.contains_key(header::AUTHORIZATION)
            && cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings)).is_none()
        {
            return Err(Refusal::not_found().into());
        }
        Organizer::authenticate(parts, web).await.map(Self::Organizer)
    }
}
