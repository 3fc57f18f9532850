//! Reads an order with its payments, refunds and tickets for its buyer or the organizer, and checks the buyer's token.

use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};

use super::Checkout;
use super::ports::OrderDetail;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;
use crate::token::TokenKind;

impl Checkout {
    /// The order with its lines, payments, refunds and tickets.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn read_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<OrderDetail> {
        self.orders.read_order(organization, order).await?.ok_or_else(|| Refusal::not_found().into())
    }

    /// The scope of a token for the order itself or for the hold that it was made from.
    ///
    /// # Errors
    /// `not_found` if the token is invalid or of another order; `link_expired` long after the event.
    pub async fn scope_of_token(&self, order: OrderId, token: &str) -> CommandResult<EventScope> {
        if let Some(claims) = self.context.tokens.read(TokenKind::Order, token) {
            if claims.id != order.uuid() {
                return Err(Refusal::not_found().into());
            }
            self.check_link(claims.scope).await?;
            return Ok(claims.scope);
        }
        let claims = self.context.tokens.read(TokenKind::Hold, token).ok_or_else(Refusal::not_found)?;
        let found = self.view_order(claims.scope.organization, order).await?.order.clone();
        let is_same = found.hold.uuid() == claims.id && found.event == claims.scope.event;
        if !is_same {
            return Err(Refusal::not_found().into());
        }
        self.check_link(claims.scope).await?;
        Ok(claims.scope)
    }

    /// Refuses links to orders from `order_link_lifetime` after the end of the event's last admission window.
    ///
    /// # Errors
    /// `link_expired`.
    pub async fn check_link(&self, scope: EventScope) -> CommandResult<()> {
        // While the listing cannot be read, links work.
        let Ok(listing) = self.listings.listing(scope).await else { return Ok(()) };
        let ends = listing.admissions().widest().until.plus(self.context.times.order_link_lifetime);
        if self.context.now() < ends {
            return Ok(());
        }
        let detail = format!(
            "Links to orders of this event worked until {ends}. Ask the organizer for what you need of the order."
        );
        Err(Refusal::new(Code::LinkExpired, detail).into())
    }
}
