//! The reconciler of orders that nobody paid: cancels at the provider, then frees the places; never the other way round (P2, P4).

use std::time::Duration;

use futures::StreamExt;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::payments::decide::{AttemptFacts, PAY_BY_GRACE};
use voelgoed_domain::payments::expiry::{ExpiryStep, expiry};

use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended};

use super::learn::learn;
use super::ports::Attempt;
use super::send::provider_key;
use crate::checkout::ports::{OrderDetail, OverdueOrder};
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;

/// One round looks at no more orders than about this.
pub const MOST_PER_ROUND: usize = 10_000;
/// So many are looked at in one go.
const PAGE: u32 = 200;
/// Orders under way to their end at once: a provider that is slow or silent for one must not keep the others' places.
const AT_ONCE: usize = 16;
/// How often it runs.
pub const EVERY: Duration = Duration::from_secs(1);
/// An order takes at most so many steps in one round: one per attempt, and the end.
const MOST_STEPS: usize = 12;

/// One round; returns how many orders were looked at.
///
/// # Errors
/// A fault of the cold tier.
pub async fn expire(platform: &Platform) -> Result<usize> {
    let before = platform.environment.now().minus(PAY_BY_GRACE);
    let (mut looked_at, mut after) = (0, None);
    while looked_at < MOST_PER_ROUND {
        // Orders whose provider is down stay overdue; the cursor moves past them so that they cannot starve newer ones.
        let overdue = platform.orders.overdue(before, after, PAGE).await?;
        let Some(last) = overdue.last() else { break };
        let is_last_page = overdue.len() < PAGE as usize;
        (after, looked_at) = (Some(*last), looked_at + overdue.len());
        futures::stream::iter(overdue)
            .for_each_concurrent(AT_ONCE, |OverdueOrder { organization, order, .. }| async move {
                if let Err(error) = step(platform, organization, order).await {
                    tracing::warn!(%organization, %order, %error, slice = "payments", "an overdue order stays open");
                }
            })
            .await;
        if is_last_page {
            break;
        }
    }
    Ok(looked_at)
}

/// Brings one order as near to its end as its providers allow now.
///
/// # Errors
/// A fault of the cold tier.
pub async fn step(platform: &Platform, organization: OrganizationId, order: OrderId) -> Result<()> {
    for _ in 0..MOST_STEPS {
        let Some(detail) = platform.orders.read_order(organization, order).await? else {
            return Ok(());
        };
        let now = platform.environment.now();
        match expiry(&detail.facts(), &attempt_facts(&detail), now) {
            ExpiryStep::Wait => return Ok(()),
            ExpiryStep::Expire => {
                let closed = platform.orders.close_unpaid(organization, order, OrderState::Expired, now).await?;
                if closed.is_ok() {
                    order_ended(OrderEnd::Expired);
                }
                return closed.map_err(Error::Refused);
            }
            ExpiryStep::CancelAtProvider(payment) => {
                let attempt = detail.attempts.iter().find(|attempt| attempt.id == payment);
                let attempt = attempt.ok_or_else(|| Fault::internal("the rule named a foreign attempt"))?;
                let before = attempt.state;
                let observation = platform.gateway(&attempt.provider)?.cancel(provider_key(attempt)).await;
                learn(platform, organization, payment, observation).await?;
                let after = platform.payments.read_attempt(organization, payment).await?.map(|attempt| attempt.state);
                if after == Some(before) {
                    // The provider did not say; the next round asks again.
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn attempt_facts(detail: &OrderDetail) -> Vec<AttemptFacts> {
    let facts = |attempt: &Attempt| AttemptFacts {
        cancellation: attempt.cancellation,
        ..AttemptFacts::new(attempt.id, attempt.state, attempt.amount)
    };
    detail.attempts.iter().map(facts).collect()
}
