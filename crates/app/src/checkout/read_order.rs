//! A buyer, or the organizer, looks at an order with its payments, refunds and tickets.

use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::ports::OrderDetail;
use super::view_order::view_order;
use crate::error::{Error, Result};
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

/// The scope that a token names: of the order itself, or of the hold that the order was made from.
///
/// # Errors
/// `not_found` where the token is not ours, or of another order; `link_expired` long after the event.
pub async fn scope_of_token(platform: &Platform, order: OrderId, token: &str) -> Result<EventScope> {
    if let Some(claims) = platform.tokens.read(TokenKind::Order, token) {
        if claims.id != order.uuid() {
            return Err(Refusal::not_found().into());
        }
        check_link(platform, claims.scope).await?;
        return Ok(claims.scope);
    }
    let claims = platform.tokens.read(TokenKind::Hold, token).ok_or_else(Refusal::not_found)?;
    let found = view_order(platform, claims.scope.organization, order).await?.order.clone();
    let is_same = found.hold.uuid() == claims.id && found.event == claims.scope.event;
    if !is_same {
        return Err(Refusal::not_found().into());
    }
    check_link(platform, claims.scope).await?;
    Ok(claims.scope)
}

/// Whether links to orders of an event still open them: until `order_link_lifetime` after the last moment at which any of its tickets admits.
///
/// # Errors
/// `link_expired`.
pub async fn check_link(platform: &Platform, scope: EventScope) -> Result<()> {
    // Where the listing cannot be read, nothing is known to be over.
    let Ok(listing) = platform.listings.listing(scope).await else { return Ok(()) };
    let ends = listing.admissions().widest().until.plus(platform.times.order_link_lifetime);
    if platform.environment.now() < ends {
        return Ok(());
    }
    let detail =
        format!("Links to orders of this event worked until {ends}. Ask the organizer for what you need of the order.");
    Err(Refusal::new(Code::LinkExpired, detail).into())
}

/// `already_ordered` with the token of the order that it names: whoever proved that the hold is theirs may see what became of it.
#[must_use]
pub fn with_token(platform: &Platform, scope: EventScope, refused: Error) -> Error {
    let Error::Refused(refusal) = refused else { return refused };
    let Some(order) = refusal.evidence.order else { return refusal.into() };
    let token = platform.tokens.mint(TokenKind::Order, scope, order);
    refusal.with(|evidence| evidence.token = Some(token)).into()
}
