//! Turns a hold into an order: pins the hold in warm, claims its places in one cold commit, and queues the charge after the commit (P1, P2, P3).
//!
//! Never: a charge before its places are claimed. A repeat with the same key gets the same bytes, even if the order has changed since.

use std::net::IpAddr;

use voelgoed_domain::accounts::{email, names};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{HoldId, TicketTypeId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended, order_placed, order_refused};
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::Checkout;
use super::order_limits::{UnpaidLimit, counted_for};
use super::ports::{Buyer, NewOrder, OrderDetail};
use crate::error::{CommandError, CommandResult};
use crate::idempotency::{Created, Idempotent};
use crate::payments::ports::{NewAttempt, PaymentChoice};
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::address_limit;
use crate::ticketing::hold_terms::HoldTerms;
use crate::ticketing::hold_view::HoldView;
use crate::ticketing::ports::EventScope;

/// Attempts with other places of a general-admission area after cold refused some.
const SUBSTITUTIONS_MAX: usize = 3;

/// A request to turn a hold into an order.
pub struct PlaceOrder<'a> {
    /// The event, from the hold's token.
    pub scope: EventScope,
    /// The hold.
    pub hold: HoldId,
    /// The buyer.
    pub buyer: Buyer,
    /// The client address, for limits; none for the platform's own requests.
    pub address: Option<IpAddr>,
    /// The choice of payment; none only if the total is zero.
    pub payment: Option<PaymentChoice>,
    /// The request's idempotency key.
    pub idempotent: Idempotent<'a, OrderDetail>,
}

impl Checkout {
    /// Writes the order and queues its charge. A live hold can be ordered also after the sale was paused or closed.
    ///
    /// # Errors
    /// `hold_expired`, `hold_lost`, `place_taken`, `already_ordered`, `limit_reached`, `idempotency_mismatch`, `invalid_request`, `try_again`.
    pub async fn place_order(&self, mut command: PlaceOrder<'_>) -> CommandResult<Created<OrderDetail>> {
        // An invalid buyer is refused inside `pin_and_commit`, so that a repeat still gets its stored answer.
        if let Ok(buyer) = checked_buyer(&command.buyer) {
            command.buyer = buyer;
        }
        let watch = Stopwatch::start();
        let event = command.scope.event.uuid();
        let organization = command.scope.organization;
        let placed = self.context.bulkheads.run(WorkClass::Orders, organization, self.pin_and_commit(&command)).await;
        let placed = match placed {
            Err(refused) => self.replay_order_or(&command, refused).await,
            placed => placed,
        };
        match &placed {
            Ok(Created::Fresh(detail)) => {
                order_placed(event, watch.elapsed());
                holds_ended(HoldEnd::Ordered, 1);
                if detail.order.state == OrderState::Paid {
                    order_ended(OrderEnd::Paid);
                }
            }
            Err(CommandError::Refused(refusal)) => {
                order_refused(refusal.code.as_str());
                address_limit::record_refusal(command.scope, refusal);
            }
            Ok(Created::Replayed(_)) | Err(CommandError::Fault(_)) => {}
        }
        placed
    }

    async fn pin_and_commit(&self, command: &PlaceOrder<'_>) -> CommandResult<Created<OrderDetail>> {
        self.context.require(Capability::OrderAndPay)?;
        checked_buyer(&command.buyer)?;
        self.check_payment(command).await?;
        let scope = command.scope;
        for _ in 0..=SUBSTITUTIONS_MAX {
            let pinned = self.holds.pin(scope, command.hold).await;
            let record = match pinned {
                Ok(record) if matches!(record.phase, HoldPhase::Claimed { .. }) => {
                    return self.already_ordered(command).await;
                }
                Ok(record) => record,
                // Warm has applied that cold gave some of the places to others; handled as a refusal by cold below.
                Err(CommandError::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
                    let record = self.holds.read(scope, command.hold).await?;
                    if !self.substitute_places(scope, &record, &refusal.evidence.places).await? {
                        return self.already_ordered_or(command, refusal).await;
                    }
                    continue;
                }
                Err(CommandError::Refused(refusal)) => return self.already_ordered_or(command, refusal).await,
                Err(fault) => return Err(fault),
            };
            match self.commit(command, &record).await {
                Err(CommandError::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
                    self.unpin(scope, command.hold).await;
                    if !self.substitute_places(scope, &record, &refusal.evidence.places).await? {
                        return Err(refusal.into());
                    }
                }
                // The hold is an order already; its pin stays until warm applies the claim.
                Err(CommandError::Refused(refusal))
                    if matches!(refusal.code, Code::AlreadyOrdered | Code::IdempotencyMismatch) =>
                {
                    return Err(refusal.into());
                }
                Err(CommandError::Refused(refusal)) => {
                    self.unpin(scope, command.hold).await;
                    return Err(refusal.into());
                }
                // After a fault the commit may have been made, so the pin stays and expires by itself.
                other => return other,
            }
        }
        Err(Refusal::new(Code::SoldOut, "The area has just sold out.").into())
    }

    async fn commit(&self, command: &PlaceOrder<'_>, record: &HoldRecord) -> CommandResult<Created<OrderDetail>> {
        let scope = command.scope;
        let now = self.context.now();
        let listing = self.listings.listing(scope).await?;
        let view = HoldView::new(scope, &listing, record.clone(), now)?;
        for priced in &view.places {
            listing.check_type_still_admits(priced.ticket_type, now)?;
        }
        let detail = self.compose_order(command, &listing, &view, now)?;
        let attempt = detail.attempts.first().map(|attempt| NewAttempt {
            id: attempt.id,
            provider: attempt.provider.clone(),
            method: attempt.method.clone(),
            amount: attempt.amount,
            send_before: attempt.send_before,
            cancellation: attempt.cancellation,
        });
        let sold: Vec<TicketTypeId> = detail.lines.iter().map(|line| line.ticket_type).collect();
        let (session, email) = (record.session, &command.buyer.email);
        let code = view.terms.terms.code.as_deref();
        let (counted, limits) = counted_for(&self.context.master, &listing, session, email, &sold, code);
        let address = command.address.filter(|_| !detail.order.total.is_zero());
        let unpaid_limit = address.map(|address| {
            UnpaidLimit::of(&self.context.master, address, self.places_per_address.of(listing.layout.place_count()))
        });
        let new = NewOrder {
            id: detail.order.id,
            event: scope.event,
            hold: command.hold,
            session: record.session,
            buyer: command.buyer.clone(),
            lines: detail.lines.clone(),
            fees: detail.order.fees,
            tax: detail.order.tax,
            total: detail.order.total,
            pay_by: detail.order.pay_by,
            at: now,
            attempt,
            tickets: detail.tickets.iter().map(|ticket| ticket.id).collect(),
            counted,
            limits,
            unpaid_limit,
            idempotency: command.idempotent.record(&detail, now)?,
        };
        self.placed_keys.insert(&command.idempotent.key.key);
        match self.orders.place_order(scope.organization, new).await?? {
            Created::Replayed(answer) => Ok(Created::Replayed(answer)),
            Created::Fresh(()) => {
                // Cached before the charge is queued, so that the cache cannot hide a newer state.
                self.views.insert(detail.clone());
                if let Some(attempt) = detail.attempts.first() {
                    self.payments.dispatch(scope.organization, attempt.id);
                }
                Ok(Created::Fresh(detail))
            }
        }
    }

    async fn unpin(&self, scope: EventScope, hold: HoldId) {
        if let Err(error) = self.holds.unpin(scope, hold).await {
            tracing::info!(%error, %hold, slice = "checkout", "a pin was not removed and expires by itself");
        }
    }

    /// Checks the payment before the pin, so that a request that cannot succeed does not change the hold.
    async fn check_payment(&self, command: &PlaceOrder<'_>) -> CommandResult<()> {
        let Some(choice) = &command.payment else {
            let (scope, hold) = (command.scope, command.hold);
            let held = self.holds.read(scope, hold).await;
            let record = match held {
                Ok(record) => record,
                Err(CommandError::Refused(refusal)) => {
                    return self.already_ordered_or(command, refusal).await.map(drop);
                }
                Err(fault) => return Err(fault),
            };
            let total = HoldTerms::of(&record)?.terms.total();
            let is_open = !matches!(record.phase, HoldPhase::Claimed { .. });
            return if is_open && !total.is_zero() { Err(no_payment().into()) } else { Ok(()) };
        };
        self.payments.method(choice)?.map(drop).ok_or_else(|| no_method().into())
    }
}

/// The buyer in the form that the order stores.
fn checked_buyer(buyer: &Buyer) -> CommandResult<Buyer> {
    let name = names::display_name("buyer.name", &buyer.name)?;
    Ok(Buyer { name, email: email::stored_address("buyer.email", &buyer.email)? })
}

pub(super) fn no_method() -> Refusal {
    Refusal::invalid("payment.method", "The provider has no such method.")
}

pub(super) fn no_payment() -> Refusal {
    Refusal::invalid("payment", "Say how you want to pay.")
}
