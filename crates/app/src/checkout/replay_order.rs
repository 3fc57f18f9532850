//! Finds the answer to an order request that is refused now: the stored answer of the same request, or the order that the hold became (P3).

use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::metrics::resilience::capability_refused;

use super::Checkout;
use super::place_order::PlaceOrder;
use super::ports::OrderDetail;
use crate::error::{CommandError, CommandResult};
use crate::idempotency::{Created, replay};

impl Checkout {
    /// Refuses a claimed hold with the order that it became.
    pub(super) async fn already_ordered(&self, command: &PlaceOrder<'_>) -> CommandResult<Created<OrderDetail>> {
        let refusal = Refusal::new(Code::HoldLost, "This hold is over.");
        self.already_ordered_or(command, refusal).await
    }

    /// Refuses with the order that the hold became, or with `refusal` if there is none.
    pub(super) async fn already_ordered_or(
        &self,
        command: &PlaceOrder<'_>,
        refusal: Refusal,
    ) -> CommandResult<Created<OrderDetail>> {
        let organization = command.scope.organization;
        let Some(order) = self.orders.order_of_hold(organization, command.hold).await? else {
            return Err(refusal.into());
        };
        Err(Refusal::new(Code::AlreadyOrdered, "This hold has become an order already.")
            .with(|evidence| evidence.order = Some(order))
            .into())
    }

    /// Replays the stored answer of a request that is refused now: its order may be written and paid although the client lost the answer.
    pub(super) async fn replay_order_or(
        &self,
        command: &PlaceOrder<'_>,
        refused: CommandError,
    ) -> CommandResult<Created<OrderDetail>> {
        let (organization, key) = (command.scope.organization, &command.idempotent.key);
        let is_unavailable = self.context.require(Capability::OrderAndPay).is_err();
        if matches!(refused, CommandError::Refused(_)) && !is_unavailable {
            return self
                .replays
                .replay_or(organization, key, self.context.with_order_token(command.scope, refused))
                .await;
        }
        // While orders are unavailable, only keys that this node sent to cold are looked up, so that refusals stay cheap.
        if !self.may_have_stored_answer(&key.key) {
            return Err(refused);
        }
        match self.replays.find(organization, key).await? {
            Some(stored) => replay(stored, &key.request),
            None => {
                capability_refused(Capability::OrderAndPay.as_str());
                Err(refused)
            }
        }
    }
}
