//! Builds an order from a hold's priced places: its lines, the first payment attempt, and the tickets of a free order.
//!
//! The answer is rendered before the commit, so every identifier is made here.

use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::checkout::order::{OrderState, check_time_to_pay};
use voelgoed_domain::ids::{AreaId, OrderId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Cancellation;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::Checkout;
use super::place_order::{PlaceOrder, no_method, no_payment};
use super::ports::{Order, OrderDetail, OrderLine, Ticket};
use crate::error::{CommandResult, Fault};
use crate::payments::ports::{Attempt, PaymentChoice};
use crate::ticketing::hold_view::HoldView;
use crate::ticketing::ports::EventScope;

impl Checkout {
    /// The order as the commit will write it; a free order includes its tickets.
    pub(super) fn compose_order(
        &self,
        command: &PlaceOrder<'_>,
        listing: &Listing,
        view: &HoldView,
        now: Timestamp,
    ) -> CommandResult<OrderDetail> {
        let total = view.terms.terms.total();
        let (scope, id) = (command.scope, self.context.new_id());
        // Only the order gets the extension; a refused order leaves the hold unchanged.
        let pay_by = view.record.expires_at.plus(self.context.times.payment_extension);
        let attempts = match (&command.payment, total.is_zero()) {
            (_, true) => Vec::new(),
            (None, false) => return Err(no_payment().into()),
            (Some(choice), false) => {
                check_time_to_pay(pay_by, now)?;
                let cancellation = self.payments.method(choice)?.ok_or_else(no_method)?;
                let attempt = self.first_attempt(scope, id, choice, total, pay_by, now);
                vec![Attempt { cancellation, ..attempt }]
            }
        };
        let lines = view
            .places
            .iter()
            .map(|priced| {
                Ok(OrderLine {
                    place: priced.place,
                    area: area_of(listing, priced.place)?,
                    label: priced.label.clone(),
                    ticket_type: priced.ticket_type,
                    ticket_type_name: priced.ticket_type_name.clone(),
                    price: priced.price.amount,
                    fee: priced.fee.amount,
                    tax: priced.tax.amount,
                })
            })
            .collect::<CommandResult<Vec<_>>>()?;
        let tickets = if total.is_zero() { self.tickets(scope, id, &lines) } else { Vec::new() };
        let order = Order {
            id,
            organization: scope.organization,
            event: scope.event,
            hold: command.hold,
            state: if total.is_zero() { OrderState::Paid } else { OrderState::AwaitingPayment },
            buyer: command.buyer.clone(),
            fees: view.terms.terms.fees(),
            tax: view.terms.terms.tax(),
            total,
            pay_by,
            created_at: now,
            paid_at: total.is_zero().then_some(now),
            version: 1,
        };
        Ok(OrderDetail { order, lines, attempts, refunds: Vec::new(), tickets })
    }

    /// One ticket per line.
    fn tickets(&self, scope: EventScope, order: OrderId, lines: &[OrderLine]) -> Vec<Ticket> {
        // Sorted, because stores return tickets in the order of their identifiers.
        let mut ids: Vec<TicketId> = lines.iter().map(|_| self.context.new_id()).collect();
        ids.sort_unstable();
        let ticket = |(id, line): (TicketId, &OrderLine)| Ticket {
            id,
            organization: scope.organization,
            event: scope.event,
            order,
            place: line.place,
            area: line.area,
            label: line.label.clone(),
            ticket_type_name: line.ticket_type_name.clone(),
            state: TicketState::Valid,
        };
        ids.into_iter().zip(lines).map(ticket).collect()
    }

    fn first_attempt(
        &self,
        scope: EventScope,
        order: OrderId,
        choice: &PaymentChoice,
        amount: Money,
        pay_by: Timestamp,
        now: Timestamp,
    ) -> Attempt {
        Attempt {
            id: self.context.new_id(),
            organization: scope.organization,
            event: scope.event,
            order,
            number: 1,
            provider: choice.provider.clone(),
            method: choice.method.clone(),
            state: AttemptState::Created,
            amount,
            provider_ref: None,
            reason: None,
            send_before: pay_by,
            pay_by,
            cancellation: Cancellation::AtProvider,
            created_at: now,
        }
    }
}

fn area_of(listing: &Listing, place: PlaceNumber) -> CommandResult<AreaId> {
    let area = listing.layout.area_of(place).ok_or_else(|| Fault::internal("a held place is outside of the layout"))?;
    Ok(area.id)
}
