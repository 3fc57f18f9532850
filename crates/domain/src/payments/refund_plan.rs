//! What may be given back of a paid order: some of its tickets, or an amount; and what the order is afterwards.
//!
//! Never: more than what was paid and is not yet on its way back, or a used ticket unless forced (P5, P6). Giving money back and giving up an
//! unpaid order are separate acts. To add a way to ask: a variant of [`RefundRequest`], its rows in the tests.

use std::collections::BTreeSet;

use crate::checkout::order::{OrderEvent, OrderState};
use crate::ids::TicketId;
use crate::money::Money;
use crate::refusal::{Code, Refusal};
use crate::scanning::ticket::TicketState;

/// What the rule needs to know of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketFacts {
    /// Which one.
    pub id: TicketId,
    /// Where it stands.
    pub state: TicketState,
    /// What the buyer paid for it, fee and tax included, in minor units.
    pub paid: i64,
}

/// What the rule needs to know of an order.
#[derive(Debug, Clone, Copy)]
pub struct RefundFacts<'a> {
    /// Where it stands.
    pub state: OrderState,
    /// What was paid for it.
    pub total: Money,
    /// What of it is given back or on its way (pending, unknown, done), in minor units; failed refunds and late captures do not count.
    pub returned: i64,
    /// All its tickets.
    pub tickets: &'a [TicketFacts],
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundRequest {
    /// These tickets are taken back, for what was paid for them.
    Tickets(Vec<TicketId>),
    /// Money; where it is all that is left of the order, its tickets are taken back unless they are to be kept.
    Amount(Money),
}

/// What is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPlan {
    /// How much; zero only for tickets that cost nothing (any more), and then no provider is asked.
    pub amount: Money,
    /// The tickets taken back with it, in the order of their ids.
    pub tickets: Vec<TicketId>,
    /// What happens to the order once the money went.
    pub order_event: OrderEvent,
}

/// What a request gives back. `revoke` chooses whether tickets are taken back: named ones are unless it is `false`; an amount that gives back all
/// that is left takes the unused ones unless it is `false`, and used ones too where `forced`. The last tickets of an order take what is left, so that an amount given back before does not lock them.
///
/// # Errors
/// [`Code::WrongState`], [`Code::TicketUsed`] unless `forced`, [`Code::RefundTooLarge`], [`Code::NotFound`] for a foreign ticket,
/// [`Code::InvalidRequest`] with its field.
pub fn plan_refund(
    facts: &RefundFacts<'_>,
    request: &RefundRequest,
    revoke: Option<bool>,
    forced: bool,
) -> Result<RefundPlan, Refusal> {
    if !facts.state.was_paid() {
        return Err(Refusal::new(Code::WrongState, "Only a paid order can be refunded."));
    }
    let left = facts.total.amount.saturating_sub(facts.returned).max(0);
    let (amount, tickets) = match request {
        RefundRequest::Amount(money) => {
            let amount = plain_amount(facts, *money, left)?;
            (amount, tickets_of_amount(facts, amount == left, revoke, forced)?)
        }
        RefundRequest::Tickets(ids) if revoke == Some(false) => {
            let (amount, _) = ticket_amount(facts, ids, left, true)?;
            if amount == 0 {
                return Err(Refusal::invalid(
                    "revoke",
                    "These tickets cost nothing: there is only the ticket to take back.",
                ));
            }
            (amount, BTreeSet::new())
        }
        RefundRequest::Tickets(ids) => ticket_amount(facts, ids, left, forced)?,
    };
    let returned = facts.returned.saturating_add(amount);
    let remaining = facts.tickets.iter().filter(|ticket| is_live(ticket) && !tickets.contains(&ticket.id)).count();
    Ok(RefundPlan {
        amount: Money::new(amount, facts.total.currency),
        tickets: tickets.into_iter().collect(),
        order_event: refund_event(facts.total.amount, returned, remaining),
    })
}

/// What happens to an order of `total` when `returned` of it went back in all and `live` tickets still admit.
#[must_use]
pub const fn refund_event(total: i64, returned: i64, live: usize) -> OrderEvent {
    let all_money = returned >= total;
    // Nothing was paid for a free order, so its tickets tell how much of it is left.
    if all_money && (total > 0 || live == 0) { OrderEvent::RefundRest } else { OrderEvent::RefundPart }
}

/// The tickets that an amount takes back.
fn tickets_of_amount(
    facts: &RefundFacts<'_>,
    whole: bool,
    revoke: Option<bool>,
    forced: bool,
) -> Result<BTreeSet<TicketId>, Refusal> {
    let used = facts.tickets.iter().any(|ticket| ticket.state == TicketState::Used);
    match revoke {
        Some(false) => return Ok(BTreeSet::new()),
        Some(true) if !whole => {
            return Err(Refusal::invalid("revoke", "A part of the money takes no ticket back: name the tickets."));
        }
        Some(true) if used && !forced => {
            return Err(Refusal::new(Code::TicketUsed, "A ticket was used; force it if it must be."));
        }
        Some(true) | None => {}
    }
    let taken = |ticket: &&TicketFacts| ticket.state == TicketState::Valid || forced && is_live(ticket);
    Ok(facts.tickets.iter().filter(|_| whole).filter(taken).map(|ticket| ticket.id).collect())
}

fn plain_amount(facts: &RefundFacts<'_>, money: Money, left: i64) -> Result<i64, Refusal> {
    if money.currency != facts.total.currency {
        return Err(Refusal::invalid("amount.currency", "Must be the order's currency."));
    }
    if money.amount <= 0 {
        return Err(Refusal::invalid("amount", "Must be at least one minor unit."));
    }
    if money.amount > left {
        return Err(too_large(facts, left));
    }
    Ok(money.amount)
}

fn ticket_amount(
    facts: &RefundFacts<'_>,
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
        let ticket = facts.tickets.iter().find(|ticket| ticket.id == *id).ok_or_else(Refusal::not_found)?;
        if !chosen.insert(*id) {
            return Err(Refusal::invalid(format!("tickets[{at}]"), "This ticket is named twice."));
        }
        match ticket.state {
            TicketState::Valid => {}
            TicketState::Used if forced => {}
            TicketState::Used => {
                return Err(Refusal::new(Code::TicketUsed, "A ticket was used; force it if it must be."));
            }
            TicketState::Revoking | TicketState::Revoked => {
                return Err(Refusal::new(Code::WrongState, "A ticket is taken back already."));
            }
        }
        paid = paid.saturating_add(ticket.paid);
    }
    let last = facts.tickets.iter().all(|ticket| !is_live(ticket) || chosen.contains(&ticket.id));
    match paid <= left {
        true => Ok((paid, chosen)),
        false if last => Ok((left, chosen)),
        false => Err(too_large(facts, left)),
    }
}

fn too_large(facts: &RefundFacts<'_>, left: i64) -> Refusal {
    let left = Money::new(left, facts.total.currency);
    Refusal::new(Code::RefundTooLarge, format!("At most {left} can still be given back."))
}

const fn is_live(ticket: &TicketFacts) -> bool {
    matches!(ticket.state, TicketState::Valid | TicketState::Used)
}

#[cfg(test)]
mod tests;
