//! One row per request with its exact plan or refusal; then any run of refunds against what must always hold.

use proptest::prelude::*;
use uuid::Uuid;

use super::{RefundFacts, RefundRequest, TicketFacts, plan_refund, refund_event};
use crate::checkout::order::{OrderEvent, OrderState};
use crate::ids::TicketId;
use crate::machine::Machine;
use crate::money::{Currency, Money};
use crate::payments::facts::eur;
use crate::scanning::ticket::TicketState::{self, Revoked, Revoking, Used, Valid};

fn id(number: usize) -> TicketId {
    TicketId::from_uuid(Uuid::from_u128(number as u128))
}

/// Tickets numbered from 1.
fn tickets(of: &[(TicketState, i64)]) -> Vec<TicketFacts> {
    (1..).zip(of).map(|(number, (state, paid))| TicketFacts { id: id(number), state: *state, paid: *paid }).collect()
}

fn these(numbers: &[usize]) -> RefundRequest {
    RefundRequest::Tickets(numbers.iter().map(|number| id(*number)).collect())
}

fn cents(amount: i64) -> RefundRequest {
    RefundRequest::Amount(eur(amount))
}

/// `amount [tickets] event`, or the refusal's code with its field.
fn shown(facts: &RefundFacts<'_>, request: &RefundRequest, forced: bool) -> String {
    chosen(facts, request, None, forced)
}

/// The same where the organizer chooses what becomes of the tickets.
fn chosen(facts: &RefundFacts<'_>, request: &RefundRequest, revoke: Option<bool>, forced: bool) -> String {
    match plan_refund(facts, request, revoke, forced) {
        Ok(plan) => {
            let tickets: Vec<_> = plan.tickets.iter().map(|ticket| ticket.uuid().as_u128()).collect();
            let event = OrderState::event_text(plan.order_event);
            format!("{} {tickets:?} {event}", plan.amount.amount)
        }
        Err(refusal) => {
            let field = refusal.evidence.field.map(|field| format!(" {field}")).unwrap_or_default();
            format!("{}{field}", refusal.code.as_str())
        }
    }
}

#[test]
fn what_is_given_back() {
    const FRESH: &[(TicketState, i64)] = &[(Valid, 600), (Valid, 400)];
    const USED: &[(TicketState, i64)] = &[(Used, 600), (Valid, 400)];
    const GOING: &[(TicketState, i64)] = &[(Revoking, 600), (Valid, 400)];
    const GONE: &[(TicketState, i64)] = &[(Revoked, 600), (Valid, 400)];
    type Row = (&'static [(TicketState, i64)], i64, RefundRequest, &'static str, &'static str);
    let table: Vec<Row> = vec![
        // tickets, returned before, request, as asked, as forced
        (FRESH, 0, these(&[1]), "600 [1] refund_part", "600 [1] refund_part"),
        (FRESH, 0, these(&[2, 1]), "1000 [1, 2] refund_rest", "1000 [1, 2] refund_rest"),
        (FRESH, 0, cents(1), "1 [] refund_part", "1 [] refund_part"),
        (FRESH, 0, cents(999), "999 [] refund_part", "999 [] refund_part"),
        (FRESH, 0, cents(1_000), "1000 [1, 2] refund_rest", "1000 [1, 2] refund_rest"),
        (FRESH, 0, cents(1_001), "refund_too_large", "refund_too_large"),
        (FRESH, 0, cents(0), "invalid_request amount", "invalid_request amount"),
        (FRESH, 0, cents(-1), "invalid_request amount", "invalid_request amount"),
        (FRESH, 0, cents(i64::MIN), "invalid_request amount", "invalid_request amount"),
        (FRESH, 0, these(&[]), "invalid_request tickets", "invalid_request tickets"),
        (FRESH, 0, these(&[1, 1]), "invalid_request tickets[1]", "invalid_request tickets[1]"),
        (FRESH, 0, these(&[3]), "not_found", "not_found"),
        (FRESH, 0, these(&[1, 3]), "not_found", "not_found"),
        // An amount went before: one ticket may be too dear, the last ones take what is left.
        (FRESH, 300, these(&[1]), "600 [1] refund_part", "600 [1] refund_part"),
        (FRESH, 400, these(&[1]), "600 [1] refund_rest", "600 [1] refund_rest"),
        (FRESH, 500, these(&[1]), "refund_too_large", "refund_too_large"),
        (FRESH, 500, these(&[2]), "400 [2] refund_part", "400 [2] refund_part"),
        (FRESH, 500, these(&[1, 2]), "500 [1, 2] refund_rest", "500 [1, 2] refund_rest"),
        (FRESH, 999, cents(1), "1 [1, 2] refund_rest", "1 [1, 2] refund_rest"),
        (FRESH, 999, cents(2), "refund_too_large", "refund_too_large"),
        (FRESH, 1_000, these(&[1, 2]), "0 [1, 2] refund_rest", "0 [1, 2] refund_rest"),
        (FRESH, 1_000, these(&[1]), "refund_too_large", "refund_too_large"),
        (FRESH, 1_000, cents(1), "refund_too_large", "refund_too_large"),
        // Used is used.
        (USED, 0, these(&[1]), "ticket_used", "600 [1] refund_part"),
        (USED, 0, these(&[2, 1]), "ticket_used", "1000 [1, 2] refund_rest"),
        (USED, 0, these(&[2]), "400 [2] refund_part", "400 [2] refund_part"),
        (USED, 0, cents(1_000), "1000 [2] refund_rest", "1000 [1, 2] refund_rest"),
        // Taken back once.
        (GOING, 600, these(&[1]), "wrong_state", "wrong_state"),
        (GOING, 600, these(&[2]), "400 [2] refund_rest", "400 [2] refund_rest"),
        (GONE, 600, these(&[1, 2]), "wrong_state", "wrong_state"),
        (GONE, 600, these(&[2]), "400 [2] refund_rest", "400 [2] refund_rest"),
        (GONE, 700, these(&[2]), "300 [2] refund_rest", "300 [2] refund_rest"),
        (GONE, 600, cents(400), "400 [2] refund_rest", "400 [2] refund_rest"),
        (GOING, 600, cents(400), "400 [2] refund_rest", "400 [2] refund_rest"),
        (GONE, 600, cents(401), "refund_too_large", "refund_too_large"),
    ];
    for (of, returned, request, asked, forced) in table {
        let tickets = tickets(of);
        let facts = RefundFacts { state: OrderState::Paid, total: eur(1_000), returned, tickets: &tickets };
        assert_eq!(shown(&facts, &request, false), asked, "{of:?} {returned} {request:?}");
        assert_eq!(shown(&facts, &request, true), forced, "{of:?} {returned} {request:?} forced");
    }
}

#[test]
fn organizer_chooses_whether_tickets_are_revoked() {
    const FRESH: &[(TicketState, i64)] = &[(Valid, 600), (Valid, 400)];
    const USED: &[(TicketState, i64)] = &[(Used, 600), (Valid, 400)];
    type Row = (&'static [(TicketState, i64)], i64, RefundRequest, bool, &'static str);
    let table: Vec<Row> = vec![
        (FRESH, 0, cents(1_000), true, "1000 [1, 2] refund_rest"),
        (FRESH, 0, cents(1_000), false, "1000 [] refund_rest"),
        (FRESH, 400, cents(600), true, "600 [1, 2] refund_rest"),
        (FRESH, 400, cents(600), false, "600 [] refund_rest"),
        (FRESH, 400, cents(599), true, "invalid_request revoke"),
        (FRESH, 400, cents(599), false, "599 [] refund_part"),
        (FRESH, 0, these(&[1]), true, "600 [1] refund_part"),
        (FRESH, 0, these(&[1]), false, "600 [] refund_part"),
        (FRESH, 0, these(&[1, 2]), false, "1000 [] refund_rest"),
        (FRESH, 1_000, these(&[1, 2]), false, "invalid_request revoke"),
        (FRESH, 1_000, these(&[1, 2]), true, "0 [1, 2] refund_rest"),
        (USED, 0, cents(1_000), true, "ticket_used"),
        (USED, 0, cents(1_000), false, "1000 [] refund_rest"),
        (USED, 0, these(&[1]), false, "600 [] refund_part"),
    ];
    for (of, returned, request, revoke, expected) in table {
        let tickets = tickets(of);
        let facts = RefundFacts { state: OrderState::Paid, total: eur(1_000), returned, tickets: &tickets };
        assert_eq!(chosen(&facts, &request, Some(revoke), false), expected, "{of:?} {returned} {request:?} {revoke}");
    }
}

#[test]
fn only_what_was_paid_can_be_refunded() {
    let tickets = tickets(&[(Valid, 1_000)]);
    for state in OrderState::ALL {
        let facts = RefundFacts { state: *state, total: eur(1_000), returned: 0, tickets: &tickets };
        let expected = match state {
            OrderState::Paid | OrderState::PartiallyRefunded | OrderState::Refunded => "1000 [1] refund_rest",
            _ => "wrong_state",
        };
        assert_eq!(shown(&facts, &these(&[1]), true), expected, "{state}");
    }
}

#[test]
fn another_currency_is_refused() {
    let tickets = tickets(&[(Valid, 1_000)]);
    let facts = RefundFacts { state: OrderState::Paid, total: eur(1_000), returned: 0, tickets: &tickets };
    let request = RefundRequest::Amount(Money::new(10, Currency::USD));
    assert_eq!(shown(&facts, &request, false), "invalid_request amount.currency");
}

#[test]
fn tickets_that_cost_nothing_can_be_taken_back() {
    let both = tickets(&[(Valid, 0), (Valid, 0)]);
    let free = RefundFacts { state: OrderState::Paid, total: eur(0), returned: 0, tickets: &both };
    assert_eq!(shown(&free, &these(&[1]), false), "0 [1] refund_part");
    assert_eq!(shown(&free, &these(&[1, 2]), false), "0 [1, 2] refund_rest");
    assert_eq!(shown(&free, &cents(1), false), "refund_too_large");
    let one_left = tickets(&[(Revoked, 0), (Valid, 0)]);
    let free = RefundFacts { state: OrderState::PartiallyRefunded, tickets: &one_left, ..free };
    assert_eq!(shown(&free, &these(&[2]), false), "0 [2] refund_rest");
}

#[test]
fn what_happens_to_the_order() {
    use OrderEvent::{RefundPart, RefundRest};
    for (total, returned, live, expected) in [
        (100, 99, 0, RefundPart),
        (100, 100, 0, RefundRest),
        (100, 100, 3, RefundRest),
        (0, 0, 1, RefundPart),
        (0, 0, 0, RefundRest),
    ] {
        assert_eq!(refund_event(total, returned, live), expected, "{total} {returned} {live}");
    }
}

proptest! {
    #[test]
    fn any_run_of_refunds_stays_within_what_was_paid(
        prices in prop::collection::vec(0..500_i64, 1..8),
        asks in prop::collection::vec((any::<bool>(), prop::collection::vec(1..9_usize, 0..4), -5..900_i64, any::<Option<bool>>(), any::<bool>()), 0..12),
    ) {
        let start: Vec<_> = prices.iter().map(|price| (Valid, *price)).collect();
        let mut now = tickets(&start);
        let total = prices.iter().sum::<i64>();
        let (mut state, mut returned) = (OrderState::Paid, 0_i64);
        for (by_ticket, numbers, amount, revoke, forced) in asks {
            let facts = RefundFacts { state, total: eur(total), returned, tickets: &now };
            let request = if by_ticket { these(&numbers) } else { cents(amount) };
            let Ok(plan) = plan_refund(&facts, &request, revoke, forced) else { continue };
            returned += plan.amount.amount;
            prop_assert!(plan.amount.amount >= 0 && returned <= total);
            state = state.after(plan.order_event).expect("the order allows what the plan says");
            for ticket in now.iter_mut().filter(|ticket| plan.tickets.contains(&ticket.id)) {
                prop_assert_eq!(ticket.state, Valid, "a ticket is taken back once");
                ticket.state = Revoking;
            }
            if total > 0 {
                prop_assert_eq!(state == OrderState::Refunded, returned == total);
            }
        }
        // Whatever happened, all that is left can be taken back at once.
        let live: Vec<_> = now.iter().filter(|ticket| ticket.state == Valid).map(|ticket| ticket.id).collect();
        if !live.is_empty() {
            let facts = RefundFacts { state, total: eur(total), returned, tickets: &now };
            let plan = plan_refund(&facts, &RefundRequest::Tickets(live.clone()), None, false).expect("nothing locks the last tickets");
            prop_assert_eq!(plan.tickets, live);
        }
    }
}
