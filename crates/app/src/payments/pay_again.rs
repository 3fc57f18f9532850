//! Writes another payment attempt of an unpaid order whose places are still claimed.

use voelgoed_domain::ids::OrderId;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::refusal::Refusal;
use voelgoed_resilience::Capability;

use super::Payments;
use super::ports::{Attempt, NewAttempt, PaymentChoice};
use crate::checkout::ports::OrderDetail;
use crate::error::{CommandResult, Fault};
use crate::idempotency::{Created, Idempotent};
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::ports::EventScope;

impl Payments {
    /// Writes the attempt, queues it, and returns the order with it.
    ///
    /// # Errors
    /// `payment_unresolved`, `not_payable`, `limit_reached`, `invalid_request`, `idempotency_mismatch`.
    pub async fn pay_again(
        &self,
        scope: EventScope,
        order: OrderId,
        choice: PaymentChoice,
        idempotent: Idempotent<'_, OrderDetail>,
    ) -> CommandResult<Created<OrderDetail>> {
        let paid = self.write_attempt(scope, order, choice, &idempotent);
        match self.context.bulkheads.run(WorkClass::Orders, scope.organization, paid).await {
            Err(refused) => self.replays.replay_or(scope.organization, &idempotent.key, refused).await,
            paid => paid,
        }
    }

    async fn write_attempt(
        &self,
        scope: EventScope,
        order: OrderId,
        choice: PaymentChoice,
        idempotent: &Idempotent<'_, OrderDetail>,
    ) -> CommandResult<Created<OrderDetail>> {
        // The places are claimed already, so the attempt needs cold alone; the warm tier may be unavailable.
        self.context.require(Capability::IssueAndRefund)?;
        let now = self.context.now();
        let gateway = self.gateway(&choice.provider)?;
        if !gateway.has_method(&choice.method) {
            return Err(Refusal::invalid("method", "The provider has no such method.").into());
        }
        let cancellation = gateway.cancellation(&choice.method);
        let mut detail = self.orders.read(scope.organization, order).await?;
        let listing = self.listings.listing(scope).await?;
        for line in &detail.lines {
            listing.check_type_still_admits(line.ticket_type, now)?;
        }
        let number = u32::try_from(detail.attempts.len()).map_err(Fault::internal)?.saturating_add(1);
        let attempt = Attempt {
            id: self.context.new_id(),
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
        let opened = self.store.open_attempt(scope.organization, order, new, Some(record)).await;
        // The buyer's next view shows the new attempt.
        self.updates.order_changed(scope.organization, order);
        match opened?? {
            Created::Replayed(answer) => Ok(Created::Replayed(answer)),
            Created::Fresh(()) => {
                self.send_queue.push(scope.organization, payment);
                Ok(Created::Fresh(detail))
            }
        }
    }
}
