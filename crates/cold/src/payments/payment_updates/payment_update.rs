//! Decides the new states of an attempt and its order from one observation, before anything is written.

use voelgoed_app::checkout::ports::Order;
use voelgoed_app::payments::ports::{Attempt, PaymentObservation};
use voelgoed_domain::checkout::order::{OrderState, OrderTransition};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Observation, OrderInputs, PaymentDecision, decide};
use voelgoed_domain::state_machine::StateMachine;

use super::super::attempts::AttemptRow;
use crate::checkout::order_row::OrderRow;
use crate::db::{DbError, DbResult};

/// An observation with its decision and the resulting states.
pub(super) struct PaymentUpdate<'a> {
    pub(super) observed: &'a PaymentObservation,
    pub(super) attempt: Attempt,
    pub(super) order: Order,
    pub(super) decision: PaymentDecision,
    pub(super) attempt_to: AttemptState,
    pub(super) order_to: OrderState,
}

impl<'a> PaymentUpdate<'a> {
    pub(super) fn decide(
        observed: &'a PaymentObservation,
        row: &AttemptRow,
        order: Option<&OrderRow>,
    ) -> DbResult<Self> {
        let locked = order.ok_or_else(|| DbError::internal("an attempt without its order"))?;
        let (inputs, attempt) = (row.inputs()?, row.clone().attempt()?);
        let (order, cancel_requested) = (locked.clone().order()?, locked.cancel_requested);
        let order_inputs = OrderInputs { state: order.state, total: order.total, pay_by: order.pay_by };
        let decision = decide(&order_inputs, &inputs, &observed.observation, observed.at);
        let attempt_to = match decision.attempt_transition() {
            Some(event) => attempt.state.after(event).map_err(DbError::internal)?,
            None => attempt.state,
        };
        let order_to = match decision.order_transition() {
            // Buyer or organizer has requested the cancellation: the order ends as cancelled instead of expired.
            Some(OrderTransition::Expire) if cancel_requested => {
                order.state.after(OrderTransition::Cancel).map_err(DbError::internal)?
            }
            Some(event) => order.state.after(event).map_err(DbError::internal)?,
            None => order.state,
        };
        Ok(Self { observed, attempt, order, decision, attempt_to, order_to })
    }

    pub(super) fn issues(&self) -> bool {
        self.decision == PaymentDecision::Issue
    }

    /// True where the order's places are freed.
    pub(super) fn frees(&self) -> bool {
        matches!(self.decision, PaymentDecision::Void { expire_order: true })
    }

    /// The captured amount and the provider's reference, where the observation contains them.
    pub(super) fn captured(&self) -> Option<(Money, &str)> {
        match &self.observed.observation {
            Observation::Captured { amount, provider_ref } | Observation::Claimed { amount, provider_ref } => {
                Some((*amount, provider_ref))
            }
            _ => None,
        }
    }

    /// The reason of a failure or of an unmatched capture, stored with the attempt.
    pub(super) fn reason(&self) -> Option<&str> {
        match &self.decision {
            PaymentDecision::Fail { reason } => Some(reason),
            PaymentDecision::CapturedUnmatched { why } => Some(why.as_str()),
            _ => None,
        }
    }
}
