//! Plans a refund of a paid order, by tickets or by amount, and the transition of the order that follows.
//!
//! The sum of all refunds stays within the payment (P5). A used ticket is refunded only if forced (P6). Refunding a paid order and cancelling an unpaid one
//! are separate commands. To add a way to select: a variant of [`RefundSelection`], and its rows in the tests.

use std::collections::BTreeSet;

use crate::checkout::order::{OrderState, OrderTransition};
use crate::ids::TicketId;
use crate::money::Money;
use crate::refusal::{Code, Refusal};
use crate::scanning::ticket::TicketState;

/// A ticket, as input of the refund rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketInputs {
    /// The ticket's identifier.
    pub id: TicketId,
    /// The ticket's state.
    pub state: TicketState,
    /// The amount paid for the ticket, fee and tax included, in minor units.
    pub paid: i64,
}

/// A paid order, as input of the refund rule.
#[derive(Debug, Clone, Copy)]
pub struct RefundInputs<'a> {
    /// The order's state.
    pub state: OrderState,
    /// The amount paid for the order.
    pub total: Money,
    /// The sum of pending, unknown and done refunds, in minor units; failed refunds and unmatched captures do not count.
    pub returned: i64,
    /// All tickets of the order.
    pub tickets: &'a [TicketInputs],
}

/// What a refund request selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundSelection {
    /// These tickets are revoked, and the amount paid for them is refunded.
    Tickets(Vec<TicketId>),
    /// An amount; where it is all that is left of the order, its tickets are revoked unless the request keeps them.
    Amount(Money),
}

/// What a refund returns and revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPlan {
    /// The refunded amount; zero only for tickets without value, and then no provider is called.
    pub amount: Money,
    /// The tickets to revoke, in the order of their ids.
    pub tickets: Vec<TicketId>,
    /// The transition of the order after the refund.
    pub order_transition: OrderTransition,
}

/// Plans a refund. The last tickets of an order take the remaining amount, so that they stay refundable after an earlier refund of an amount.
///
/// | selection | `revoke` | revoked tickets |
/// |---|---|---|
/// | tickets | none or `true` | the selected ones; used ones only where `forced` |
/// | tickets | `false` | none |
/// | all of the rest | none | all unused ones; used ones too where `forced` |
/// | all of the rest | `true` | the same; refused where one is used and not `forced` |
/// | all of the rest | `false` | none |
/// | a part of the rest | none or `false` | none |
/// | a part of the rest | `true` | refused |
///
/// # Errors
/// [`Code::WrongState`], [`Code::TicketUsed`] unless `forced`, [`Code::RefundTooLarge`], [`Code::NotFound`] for a ticket of another order,
/// [`Code::InvalidRequest`] with its field.
pub fn plan_refund(
    inputs: &RefundInputs<'_>,
    request: &RefundSelection,
    revoke: Option<bool>,
    forced: bool,
) -> Result<RefundPlan, Refusal> {
    if !inputs.state.was_paid() {
        return Err(Refusal::new(Code::WrongState, "Only a paid order can be refunded. Nothing was changed."));
    }
    let left = inputs.total.amount.saturating_sub(inputs.returned).max(0);
    let (amount, tickets) = match request {
        RefundSelection::Amount(money) => {
            let amount = plain_amount(inputs, *money, left)?;
            (amount, tickets_of_amount(inputs, amount == left, revoke, forced)?)
        }
        RefundSelection::Tickets(ids) if revoke == Some(false) => {
            let (amount, _) = ticket_amount(inputs, ids, left, true)?;
            if amount == 0 {
                return Err(Refusal::invalid(
                    "revoke",
                    "These tickets have no amount left to refund. Nothing was changed; revoke them instead.",
                ));
            }
            (amount, BTreeSet::new())
        }
        RefundSelection::Tickets(ids) => ticket_amount(inputs, ids, left, forced)?,
    };
    let returned = inputs.returned.saturating_add(amount);
    let remaining = inputs.tickets.iter().filter(|ticket| is_live(ticket) && !tickets.contains(&ticket.id)).count();
    Ok(RefundPlan {
        amount: Money::new(amount, inputs.total.currency),
        tickets: tickets.into_iter().collect(),
        order_transition: refund_transition(inputs.total.amount, returned, remaining),
    })
}

/// The transition of an order of `total` when `returned` of it was refunded in all and `live` tickets are neither revoked nor revoking.
#[must_use]
pub const fn refund_transition(total: i64, returned: i64, live: usize) -> OrderTransition {
    let all_money = returned >= total;
    // A free order has no money to return, so its live tickets decide.
    if all_money && (total > 0 || live == 0) { OrderTransition::RefundRest } else { OrderTransition::RefundPart }
}

/// The tickets that a refund of an amount revokes.
fn tickets_of_amount(
    inputs: &RefundInputs<'_>,
    whole: bool,
    revoke: Option<bool>,
    forced: bool,
) -> Result<BTreeSet<TicketId>, Refusal> {
    let used = inputs.tickets.iter().any(|ticket| ticket.state == TicketState::Used);
    match revoke {
        Some(false) => return Ok(BTreeSet::new()),
        Some(true) if !whole => {
            return Err(Refusal::invalid(
                "revoke",
                "A partial amount revokes no tickets. Nothing was changed; select the tickets instead.",
            ));
        }
        Some(true) if used && !forced => {
            return Err(Refusal::new(
                Code::TicketUsed,
                "A ticket was already used. Nothing was changed; force the refund to include it.",
            ));
        }
        Some(true) | None => {}
    }
    let revoked = |ticket: &&TicketInputs| ticket.state == TicketState::Valid || forced && is_live(ticket);
    Ok(inputs.tickets.iter().filter(|_| whole).filter(revoked).map(|ticket| ticket.id).collect())
}

fn plain_amount(inputs: &RefundInputs<'_>, money: Money, left: i64) -> Result<i64, Refusal> {
    if money.currency != inputs.total.currency {
        return Err(Refusal::invalid("amount.currency", "Must be the order's currency."));
    }
    if money.amount <= 0 {
        return Err(Refusal::invalid("amount", "Must be at least one minor unit."));
    }
    if money.amount > left {
        return Err(too_large(inputs, left));
    }
    Ok(money.amount)
}

fn ticket_amount(
    inputs: &RefundInputs<'_>,
    ids: &[TicketId],
    left: i64,
    forced: bool,
) -> Result<(i64, BTreeSet<TicketId>), Refusal> {
    if ids.is_empty() {
        return Err(Refusal::invalid("tickets", "Must not be empty."));
    }
    let mut chosen = BTreeSet::new();
    let mut paid = 0_i64;
    for (at, id) in ids.iter().enumerate() {
        let ticket = inputs.tickets.iter().find(|ticket| ticket.id == *id).ok_or_else(Refusal::not_found)?;
        if !chosen.insert(*id) {
            return Err(Refusal::invalid(format!("tickets[{at}]"), "This ticket is named twice."));
        }
        match ticket.state {
            TicketState::Valid => {}
            TicketState::Used if forced => {}
            TicketState::Used => {
                return Err(Refusal::new(
                    Code::TicketUsed,
                    "A ticket was already used. Nothing was changed; force the refund to include it.",
                ));
            }
            TicketState::Revoking | TicketState::Revoked => {
                return Err(Refusal::new(Code::WrongState, "A ticket is already revoked. Nothing was changed."));
            }
        }
        paid = paid.saturating_add(ticket.paid);
    }
    let last = inputs.tickets.iter().all(|ticket| !is_live(ticket) || chosen.contains(&ticket.id));
    match paid <= left {
        true => Ok((paid, chosen)),
        false if last => Ok((left, chosen)),
        false => Err(too_large(inputs, left)),
    }
}

fn too_large(inputs: &RefundInputs<'_>, left: i64) -> Refusal {
    let left = Money::new(left, inputs.total.currency);
    Refusal::new(Code::RefundTooLarge, format!("At most {left} can still be refunded. Nothing was changed."))
}

const fn is_live(ticket: &TicketInputs) -> bool {
    matches!(ticket.state, TicketState::Valid | TicketState::Used)
}

#[cfg(test)]
mod tests;
