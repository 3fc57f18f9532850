//! An unpaid order is given up: its attempt is cancelled at the provider first, its places are freed after (P2).

use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended};

use super::ports::OrderDetail;
use super::read_order::read_order;
use crate::error::Result;
use crate::payments::expire;
use crate::platform::Platform;

/// Gives the order up; one that is cancelled already stays so, so that the call can be repeated. Where the provider cannot be asked now, the order stays `awaiting_payment` and ends by itself once it was asked.
///
/// # Errors
/// `not_found`, `wrong_state`.
pub async fn cancel_order(platform: &Platform, organization: OrganizationId, order: OrderId) -> Result<OrderDetail> {
    let now = platform.environment.now();
    let before = read_order(platform, organization, order).await?;
    if before.order.state == OrderState::Cancelled {
        return Ok(before);
    }
    match platform.orders.close_unpaid(organization, order, OrderState::Cancelled, now).await? {
        Ok(()) => order_ended(OrderEnd::Cancelled),
        Err(refusal) if refusal.code == Code::PaymentUnresolved => {
            platform.orders.cut_short(organization, order, now).await??;
            expire::step(platform, organization, order).await?;
        }
        Err(refusal) => return Err(refusal.into()),
    }
    platform.order_views.forget(organization, order);
    read_order(platform, organization, order).await
}
