//! A buyer, or the organizer, looks at an order with its payments, refunds and tickets.

use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use super::ports::OrderDetail;
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::token::TokenKind;

/// The order with everything that belongs to it.
///
/// # Errors
/// `not_found`.
pub async fn read_order(platform: &Platform, organization: OrganizationId, order: OrderId) -> Result<OrderDetail> {
    platform.orders.read_order(organization, order).await?.ok_or_else(|| Refusal::not_found().into())
}

/// The scope that an order's token names.
///
/// # Errors
/// `not_found` where the token is not ours, or of another order.
pub fn scope_of_token(platform: &Platform, order: OrderId, token: &str) -> Result<EventScope> {
    let claims = platform.tokens.read(TokenKind::Order, token).filter(|claims| claims.id == order.uuid());
    Ok(claims.ok_or_else(Refusal::not_found)?.scope)
}
