//! Another attempt of an order whose places are still kept.

use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::refusal::Refusal;
use voelgoed_resilience::Capability;

use super::ports::{Attempt, NewAttempt};
use crate::checkout::place_order::PaymentChoice;
use crate::checkout::ports::OrderDetail;
use crate::checkout::read_order::read_order;
use crate::environment::fresh;
use crate::error::{Fault, Result};
use crate::idempotency::{Created, Idempotent, replay_or};
use crate::platform::Platform;
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::ports::EventScope;

/// Writes the attempt and sets it off; the answer is the order with it.
///
/// # Errors
/// `payment_unresolved`, `not_payable`, `limit_reached`, `invalid_request`, `idempotency_mismatch`.
pub async fn pay_again(
    platform: &Platform,
    scope: EventScope,
    order: OrderId,
    choice: PaymentChoice,
    idempotent: Idempotent<'_, OrderDetail>,
) -> Result<Created<OrderDetail>> {
    let paid = write_attempt(platform, scope, order, choice, &idempotent);
    match platform.shares.within(WorkClass::Orders, scope.organization, paid).await {
        Err(refused) => replay_or(platform, scope.organization, &idempotent.key, refused).await,
        paid => paid,
    }
}

async fn write_attempt(
    platform: &Platform,
    scope: EventScope,
    order: OrderId,
    choice: PaymentChoice,
    idempotent: &Idempotent<'_, OrderDetail>,
) -> Result<Created<OrderDetail>> {
    // Its places are claimed, so this is how an order completes: cold alone is needed, and the warm tier may be away.
    platform.capable(Capability::IssueAndRefund)?;
    let now = platform.environment.now();
    let gateway = platform.gateway(&choice.provider)?;
    if !gateway.has_method(&choice.method) {
        return Err(Refusal::invalid("method", "The provider has no such method.").into());
    }
    let cancellation = gateway.cancellation(&choice.method);
    let mut detail = read_order(platform, scope.organization, order).await?;
    let listing = platform.listings.listing(scope).await?;
    for line in &detail.lines {
        listing.check_admits(line.ticket_type, now)?;
    }
    let number = u32::try_from(detail.attempts.len()).map_err(Fault::internal)?.saturating_add(1);
    let attempt = Attempt {
        id: fresh(&*platform.environment),
        organization: scope.organization,
        event: scope.event,
        order,
        number,
        provider: choice.provider,
        method: choice.method,
        state: AttemptState::Created,
        amount: detail.order.total,
        provider_ref: None,
        reason: None,
        send_before: detail.order.pay_by,
        pay_by: detail.order.pay_by,
        cancellation,
        created_at: now,
    };
    let new = NewAttempt {
        id: attempt.id,
        provider: attempt.provider.clone(),
        method: attempt.method.clone(),
        amount: attempt.amount,
        send_before: attempt.send_before,
        cancellation,
    };
    let payment = attempt.id;
    detail.attempts.push(attempt);
    let record = idempotent.record(&detail, now)?;
    let opened = platform.payments.open_attempt(scope.organization, order, new, Some(record)).await;
    // Whoever pays again sees that at once.
    platform.order_views.forget(scope.organization, order);
    match opened?? {
        Created::Replayed(answer) => Ok(Created::Replayed(answer)),
        Created::Fresh(()) => {
            platform.dispatch.send(scope.organization, payment);
            Ok(Created::Fresh(detail))
        }
    }
}
