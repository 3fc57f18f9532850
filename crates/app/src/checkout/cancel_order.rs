//! Cancels an unpaid order: cancels its payment attempt at the provider first, then frees its places (P2).

use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended};

use super::Checkout;
use super::ports::OrderDetail;
use crate::error::CommandResult;

impl Checkout {
    /// Cancels the order; repeating the call changes nothing. While the provider is unavailable, the order stays `awaiting_payment`, and the expiry reconciler
    /// closes it later.
    ///
    /// # Errors
    /// `not_found`, `wrong_state`.
    pub async fn cancel_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<OrderDetail> {
        let now = self.context.now();
        let before = self.read_order(organization, order).await?;
        if before.order.state == OrderState::Cancelled {
            return Ok(before);
        }
        match self.orders.close_unpaid(organization, order, OrderState::Cancelled, now).await? {
            Ok(()) => order_ended(OrderEnd::Cancelled),
            Err(refusal) if refusal.code == Code::PaymentUnresolved => {
                self.orders.request_cancellation(organization, order, now).await??;
                self.payments.expire_order(organization, order).await?;
            }
            Err(refusal) => return Err(refusal.into()),
        }
        self.views.invalidate(organization, order);
        self.read_order(organization, order).await
    }
}
