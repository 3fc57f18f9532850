//! What follows from one lesson, decided before anything is written.

use voelgoed_app::checkout::ports::Order;
use voelgoed_app::payments::ports::{Attempt, Learned};
use voelgoed_domain::checkout::order::{OrderEvent, OrderState};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Decision, Observation, OrderFacts, decide};

use super::super::attempts::AttemptRow;
use crate::checkout::order_row::OrderRow;
use crate::db::{Error, Result};

/// One lesson with its decision and the states that it leads to.
pub(super) struct Work<'a> {
    pub(super) learned: &'a Learned,
    pub(super) attempt: Attempt,
    pub(super) order: Order,
    pub(super) decision: Decision,
    pub(super) attempt_to: AttemptState,
    pub(super) order_to: OrderState,
}

impl<'a> Work<'a> {
    pub(super) fn decide(learned: &'a Learned, row: &AttemptRow, order: Option<&OrderRow>) -> Result<Self> {
        let locked = order.ok_or_else(|| Error::internal("an attempt without its order"))?;
        let (facts, attempt) = (row.facts()?, row.clone().attempt()?);
        let (order, cut_short) = (locked.clone().order()?, locked.cut_short);
        let order_facts = OrderFacts { state: order.state, total: order.total, pay_by: order.pay_by };
        let decision = decide(&order_facts, &facts, &learned.observation, learned.at);
        let attempt_to = match decision.attempt_event() {
            Some(event) => attempt.state.after(event).map_err(Error::internal)?,
            None => attempt.state,
        };
        let order_to = match decision.order_event() {
            // Given up by buyer or organizer: the same end by another name.
            Some(OrderEvent::Expire) if cut_short => order.state.after(OrderEvent::Cancel).map_err(Error::internal)?,
            Some(event) => order.state.after(event).map_err(Error::internal)?,
            None => order.state,
        };
        Ok(Self { learned, attempt, order, decision, attempt_to, order_to })
    }

    pub(super) fn issues(&self) -> bool {
        self.decision == Decision::Issue
    }

    /// True where the order's places go back.
    pub(super) fn frees(&self) -> bool {
        matches!(self.decision, Decision::Void { expire_order: true })
    }

    /// What the provider took, and its reference, where it says so.
    pub(super) fn captured(&self) -> Option<(Money, &str)> {
        match &self.learned.observation {
            Observation::Captured { amount, provider_ref } | Observation::Claimed { amount, provider_ref } => {
                Some((*amount, provider_ref))
            }
            _ => None,
        }
    }

    /// Why the attempt stands as it does, for people.
    pub(super) fn reason(&self) -> Option<&str> {
        match &self.decision {
            Decision::Fail { reason } => Some(reason),
            Decision::CapturedLate { why } => Some(why.as_str()),
            _ => None,
        }
    }
}
