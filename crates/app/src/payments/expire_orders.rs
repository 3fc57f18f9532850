//! Expires unpaid orders: cancels their attempts at the provider first, then frees the places (P2, P4).

use std::time::Duration;

use futures::StreamExt;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::{AttemptInputs, PAY_BY_GRACE};
use voelgoed_domain::payments::expiry::{ExpiryStep, expiry};

use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended};

use super::Payments;
use super::ports::Attempt;
use super::send_attempt::provider_key;
use crate::checkout::ports::{OrderDetail, OverdueOrder};
use crate::error::{CommandError, CommandResult, Fault};

/// Overdue orders that one round reads, to the next whole page.
pub const ORDERS_PER_ROUND_MAX: usize = 10_000;
/// Orders of one page.
const ORDERS_PER_PAGE: u32 = 200;
/// Orders that expire concurrently, so that a slow provider of one does not block the places of the others.
const ORDERS_IN_FLIGHT_MAX: usize = 16;
/// The time between two rounds.
pub const EXPIRE_INTERVAL: Duration = Duration::from_secs(1);
/// Steps of one order in one round: one per attempt, and the expiry.
const STEPS_PER_ORDER_MAX: usize = 12;

impl Payments {
    /// Runs one round; returns the number of examined orders.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn expire_orders(&self) -> CommandResult<usize> {
        let before = self.context.now().minus(PAY_BY_GRACE);
        let (mut examined, mut after) = (0, None);
        while examined < ORDERS_PER_ROUND_MAX {
            // Orders whose provider is down stay overdue; the cursor moves past them so that they cannot starve newer ones.
            let overdue = self.orders.overdue(before, after, ORDERS_PER_PAGE).await?;
            let Some(last) = overdue.last() else { break };
            let is_last_page = overdue.len() < ORDERS_PER_PAGE as usize;
            (after, examined) = (Some(*last), examined + overdue.len());
            futures::stream::iter(overdue)
            .for_each_concurrent(ORDERS_IN_FLIGHT_MAX, |OverdueOrder { organization, order, .. }| async move {
                if let Err(error) = self.expire_order(organization, order).await {
                    tracing::warn!(%organization, %order, %error, slice = "payments", "an overdue order stays open");
                }
            })
            .await;
            if is_last_page {
                break;
            }
        }
        Ok(examined)
    }

    /// Expires one order as far as its providers allow now.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn expire_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<()> {
        for _ in 0..STEPS_PER_ORDER_MAX {
            let Some(detail) = self.orders.find(organization, order).await? else {
                return Ok(());
            };
            let now = self.context.now();
            match expiry(&detail.payment_inputs(), &attempt_inputs(&detail), now) {
                ExpiryStep::Wait => return Ok(()),
                ExpiryStep::Expire => {
                    let closed = self.orders.close_unpaid(organization, order, OrderState::Expired, now).await?;
                    if closed.is_ok() {
                        order_ended(OrderEnd::Expired);
                    }
                    return closed.map_err(CommandError::Refused);
                }
                ExpiryStep::CancelAtProvider(payment) => {
                    let attempt = detail.attempts.iter().find(|attempt| attempt.id == payment);
                    let attempt =
                        attempt.ok_or_else(|| Fault::internal("the rule named an attempt of another order"))?;
                    let before = attempt.state;
                    let observation = self.gateway(&attempt.provider)?.cancel(provider_key(attempt)).await;
                    self.apply_observation(organization, payment, observation).await?;
                    let after = self.store.read_attempt(organization, payment).await?.map(|attempt| attempt.state);
                    if after == Some(before) {
                        // The provider gave no answer; the next round repeats the call.
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

fn attempt_inputs(detail: &OrderDetail) -> Vec<AttemptInputs> {
    let inputs = |attempt: &Attempt| AttemptInputs {
        cancellation: attempt.cancellation,
        ..AttemptInputs::new(attempt.id, attempt.state, attempt.amount)
    };
    detail.attempts.iter().map(inputs).collect()
}
