//! Tests the refund plan of each selection as a table, and the invariants of any run of refunds as a property.

use proptest::prelude::*;
use uuid::Uuid;

use super::{RefundInputs, RefundSelection, TicketInputs, plan_refund, refund_transition};
use crate::checkout::order::{OrderState, OrderTransition};
use crate::ids::TicketId;
use crate::money::{Currency, Money};
use crate::payments::fixtures::eur;
use crate::scanning::ticket::TicketState::{self, Revoked, Revoking, Used, Valid};
use crate::state_machine::StateMachine;

fn id(number: usize) -> TicketId {
    TicketId::from_uuid(Uuid::from_u128(number as u128))
}

/// Tickets numbered from 1.
fn tickets(of: &[(TicketState, i64)]) -> Vec<TicketInputs> {
    (1..).zip(of).map(|(number, (state, paid))| TicketInputs { id: id(number), state: *state, paid: *paid }).collect()
}

fn these(numbers: &[usize]) -> RefundSelection {
    RefundSelection::Tickets(numbers.iter().map(|number| id(*number)).collect())
}

fn cents(amount: i64) -> RefundSelection {
    RefundSelection::Amount(eur(amount))
}

/// `amount [tickets] transition`, or the refusal's code with its field.
fn describe(inputs: &RefundInputs<'_>, request: &RefundSelection, forced: bool) -> String {
    describe_with(inputs, request, None, forced)
}

/// The same, where the organizer chooses whether tickets are revoked.
fn describe_with(inputs: &RefundInputs<'_>, request: &RefundSelection, revoke: Option<bool>, forced: bool) -> String {
    match plan_refund(inputs, request, revoke, forced) {
        Ok(plan) => {
            let tickets: Vec<_> = plan.tickets.iter().map(|ticket| ticket.uuid().as_u128()).collect();
            let transition = OrderState::transition_text(plan.order_transition);
            format!("{} {tickets:?} {transition}", plan.amount.amount)
        }
        Err(refusal) => {
            let field = refusal.evidence.field.map(|field| format!(" {field}")).unwrap_or_default();
            format!("{}{field}", refusal.code.as_str())
        }
    }
}

#[test]
fn selection_determines_amount_tickets_and_transition() {
    const UNUSED: &[(TicketState, i64)] = &[(Valid, 600), (Valid, 400)];
    const USED: &[(TicketState, i64)] = &[(Used, 600), (Valid, 400)];
    const REVOKING: &[(TicketState, i64)] = &[(Revoking, 600), (Valid, 400)];
    const REVOKED: &[(TicketState, i64)] = &[(Revoked, 600), (Valid, 400)];
    type Row = (&'static [(TicketState, i64)], i64, RefundSelection, &'static str, &'static str);
    let table: Vec<Row> = vec![
        // tickets, returned before, request, without force, with force
        (UNUSED, 0, these(&[1]), "600 [1] refund_part", "600 [1] refund_part"),
        (UNUSED, 0, these(&[2, 1]), "1000 [1, 2] refund_rest", "1000 [1, 2] refund_rest"),
        (UNUSED, 0, cents(1), "1 [] refund_part", "1 [] refund_part"),
        (UNUSED, 0, cents(999), "999 [] refund_part", "999 [] refund_part"),
        (UNUSED, 0, cents(1_000), "1000 [1, 2] refund_rest", "1000 [1, 2] refund_rest"),
        (UNUSED, 0, cents(1_001), "refund_too_large", "refund_too_large"),
        (UNUSED, 0, cents(0), "invalid_request amount", "invalid_request amount"),
        (UNUSED, 0, cents(-1), "invalid_request amount", "invalid_request amount"),
        (UNUSED, 0, cents(i64::MIN), "invalid_request amount", "invalid_request amount"),
        (UNUSED, 0, these(&[]), "invalid_request tickets", "invalid_request tickets"),
        (UNUSED, 0, these(&[1, 1]), "invalid_request tickets[1]", "invalid_request tickets[1]"),
        (UNUSED, 0, these(&[3]), "not_found", "not_found"),
        (UNUSED, 0, these(&[1, 3]), "not_found", "not_found"),
        // After a refund of an amount one ticket may cost more than what is left; the last tickets take what is left.
        (UNUSED, 300, these(&[1]), "600 [1] refund_part", "600 [1] refund_part"),
        (UNUSED, 400, these(&[1]), "600 [1] refund_rest", "600 [1] refund_rest"),
        (UNUSED, 500, these(&[1]), "refund_too_large", "refund_too_large"),
        (UNUSED, 500, these(&[2]), "400 [2] refund_part", "400 [2] refund_part"),
        (UNUSED, 500, these(&[1, 2]), "500 [1, 2] refund_rest", "500 [1, 2] refund_rest"),
        (UNUSED, 999, cents(1), "1 [1, 2] refund_rest", "1 [1, 2] refund_rest"),
        (UNUSED, 999, cents(2), "refund_too_large", "refund_too_large"),
        (UNUSED, 1_000, these(&[1, 2]), "0 [1, 2] refund_rest", "0 [1, 2] refund_rest"),
        (UNUSED, 1_000, these(&[1]), "refund_too_large", "refund_too_large"),
        (UNUSED, 1_000, cents(1), "refund_too_large", "refund_too_large"),
        // Used tickets need force.
        (USED, 0, these(&[1]), "ticket_used", "600 [1] refund_part"),
        (USED, 0, these(&[2, 1]), "ticket_used", "1000 [1, 2] refund_rest"),
        (USED, 0, these(&[2]), "400 [2] refund_part", "400 [2] refund_part"),
        (USED, 0, cents(1_000), "1000 [2] refund_rest", "1000 [1, 2] refund_rest"),
        // A ticket is revoked once.
        (REVOKING, 600, these(&[1]), "wrong_state", "wrong_state"),
        (REVOKING, 600, these(&[2]), "400 [2] refund_rest", "400 [2] refund_rest"),
        (REVOKED, 600, these(&[1, 2]), "wrong_state", "wrong_state"),
        (REVOKED, 600, these(&[2]), "400 [2] refund_rest", "400 [2] refund_rest"),
        (REVOKED, 700, these(&[2]), "300 [2] refund_rest", "300 [2] refund_rest"),
        (REVOKED, 600, cents(400), "400 [2] refund_rest", "400 [2] refund_rest"),
        (REVOKING, 600, cents(400), "400 [2] refund_rest", "400 [2] refund_rest"),
        (REVOKED, 600, cents(401), "refund_too_large", "refund_too_large"),
    ];
    for (of, returned, request, unforced, forced) in table {
        let tickets = tickets(of);
        let inputs = RefundInputs { state: OrderState::Paid, total: eur(1_000), returned, tickets: &tickets };
        assert_eq!(describe(&inputs, &request, false), unforced, "{of:?} {returned} {request:?}");
        assert_eq!(describe(&inputs, &request, true), forced, "{of:?} {returned} {request:?} forced");
    }
}

#[test]
fn organizer_chooses_whether_tickets_are_revoked() {
    const UNUSED: &[(TicketState, i64)] = &[(Valid, 600), (Valid, 400)];
    const USED: &[(TicketState, i64)] = &[(Used, 600), (Valid, 400)];
    type Row = (&'static [(TicketState, i64)], i64, RefundSelection, bool, &'static str);
    let table: Vec<Row> = vec![
        (UNUSED, 0, cents(1_000), true, "1000 [1, 2] refund_rest"),
        (UNUSED, 0, cents(1_000), false, "1000 [] refund_rest"),
        (UNUSED, 400, cents(600), true, "600 [1, 2] refund_rest"),
        (UNUSED, 400, cents(600), false, "600 [] refund_rest"),
        (UNUSED, 400, cents(599), true, "invalid_request revoke"),
        (UNUSED, 400, cents(599), false, "599 [] refund_part"),
        (UNUSED, 0, these(&[1]), true, "600 [1] refund_part"),
        (UNUSED, 0, these(&[1]), false, "600 [] refund_part"),
        (UNUSED, 0, these(&[1, 2]), false, "1000 [] refund_rest"),
        (UNUSED, 1_000, these(&[1, 2]), false, "invalid_request revoke"),
        (UNUSED, 1_000, these(&[1, 2]), true, "0 [1, 2] refund_rest"),
        (USED, 0, cents(1_000), true, "ticket_used"),
        (USED, 0, cents(1_000), false, "1000 [] refund_rest"),
        (USED, 0, these(&[1]), false, "600 [] refund_part"),
    ];
    for (of, returned, request, revoke, expected) in table {
        let tickets = tickets(of);
        let inputs = RefundInputs { state: OrderState::Paid, total: eur(1_000), returned, tickets: &tickets };
        assert_eq!(
            describe_with(&inputs, &request, Some(revoke), false),
            expected,
            "{of:?} {returned} {request:?} {revoke}"
        );
    }
}

#[test]
fn only_a_paid_order_is_refunded() {
    let tickets = tickets(&[(Valid, 1_000)]);
    for state in OrderState::ALL {
        let inputs = RefundInputs { state: *state, total: eur(1_000), returned: 0, tickets: &tickets };
        let expected = match state {
            OrderState::Paid | OrderState::PartiallyRefunded | OrderState::Refunded => "1000 [1] refund_rest",
            _ => "wrong_state",
        };
        assert_eq!(describe(&inputs, &these(&[1]), true), expected, "{state}");
    }
}

#[test]
fn refund_in_another_currency_is_refused() {
    let tickets = tickets(&[(Valid, 1_000)]);
    let inputs = RefundInputs { state: OrderState::Paid, total: eur(1_000), returned: 0, tickets: &tickets };
    let request = RefundSelection::Amount(Money::new(10, Currency::USD));
    assert_eq!(describe(&inputs, &request, false), "invalid_request amount.currency");
}

#[test]
fn free_tickets_can_be_revoked() {
    let both = tickets(&[(Valid, 0), (Valid, 0)]);
    let free = RefundInputs { state: OrderState::Paid, total: eur(0), returned: 0, tickets: &both };
    assert_eq!(describe(&free, &these(&[1]), false), "0 [1] refund_part");
    assert_eq!(describe(&free, &these(&[1, 2]), false), "0 [1, 2] refund_rest");
    assert_eq!(describe(&free, &cents(1), false), "refund_too_large");
    let one_left = tickets(&[(Revoked, 0), (Valid, 0)]);
    let free = RefundInputs { state: OrderState::PartiallyRefunded, tickets: &one_left, ..free };
    assert_eq!(describe(&free, &these(&[2]), false), "0 [2] refund_rest");
}

#[test]
fn order_is_refunded_once_all_money_is_returned_and_all_free_tickets_are_revoked() {
    use OrderTransition::{RefundPart, RefundRest};
    for (total, returned, live, expected) in [
        (100, 99, 0, RefundPart),
        (100, 100, 0, RefundRest),
        (100, 100, 3, RefundRest),
        (0, 0, 1, RefundPart),
        (0, 0, 0, RefundRest),
    ] {
        assert_eq!(refund_transition(total, returned, live), expected, "{total} {returned} {live}");
    }
}

proptest! {
    #[test]
    fn refunds_never_exceed_what_was_paid(
        prices in prop::collection::vec(0..500_i64, 1..8),
        asks in prop::collection::vec((any::<bool>(), prop::collection::vec(1..9_usize, 0..4), -5..900_i64, any::<Option<bool>>(), any::<bool>()), 0..12),
    ) {
        let start: Vec<_> = prices.iter().map(|price| (Valid, *price)).collect();
        let mut now = tickets(&start);
        let total = prices.iter().sum::<i64>();
        let (mut state, mut returned) = (OrderState::Paid, 0_i64);
        for (by_ticket, numbers, amount, revoke, forced) in asks {
            let inputs = RefundInputs { state, total: eur(total), returned, tickets: &now };
            let request = if by_ticket { these(&numbers) } else { cents(amount) };
            let Ok(plan) = plan_refund(&inputs, &request, revoke, forced) else { continue };
            returned += plan.amount.amount;
            prop_assert!(plan.amount.amount >= 0 && returned <= total);
            state = state.after(plan.order_transition).expect("the order allows what the plan says");
            for ticket in now.iter_mut().filter(|ticket| plan.tickets.contains(&ticket.id)) {
                prop_assert_eq!(ticket.state, Valid, "a ticket is revoked once");
                ticket.state = Revoking;
            }
            if total > 0 {
                prop_assert_eq!(state == OrderState::Refunded, returned == total);
            }
        }
        // After any run of refunds all live tickets can be revoked at once.
        let live: Vec<_> = now.iter().filter(|ticket| ticket.state == Valid).map(|ticket| ticket.id).collect();
        if !live.is_empty() {
            let inputs = RefundInputs { state, total: eur(total), returned, tickets: &now };
            let plan = plan_refund(&inputs, &RefundSelection::Tickets(live.clone()), None, false).expect("no earlier refund locks the last tickets");
            prop_assert_eq!(plan.tickets, live);
        }
    }
}
