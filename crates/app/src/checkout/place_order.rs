//! A hold becomes an order: its places are claimed in cold before anything can be charged (P1, P2, P3).
//!
//! pin (warm) → one cold commit → the charge is sent outside of it. A repeat with the same key gets the very same answer, whatever happened in between.

use std::net::IpAddr;

use voelgoed_domain::accounts::identity;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::checkout::order::{OrderState, check_time_to_pay};
use voelgoed_domain::ids::{AreaId, HoldId, OrderId, TicketId, TicketTypeId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Cancellation;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::hold::{HoldPhase, HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::{Bug, planted};
use voelgoed_resilience::Capability;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::{OrderEnd, order_ended, order_placed, order_refused};
use voelgoed_telemetry::metrics::resilience::capability_refused;
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::counted::{UnpaidLimit, counted_for};
use super::placed_order_keys::may_be_answered;
use super::ports::{Buyer, NewOrder, Order, OrderDetail, OrderLine, Ticket};
use super::read_order::with_token;
use crate::environment::fresh;
use crate::error::{Error, Fault, Result};
use crate::idempotency::{Created, Idempotent, replay, replay_or};
use crate::payments::ports::{Attempt, NewAttempt};
use crate::platform::Platform;
use crate::tenant_bulkheads::WorkClass;
use crate::ticketing::address_limit;
use crate::ticketing::ports::EventScope;
use crate::ticketing::rebuild::{loaded, spans};
use crate::ticketing::terms::{HoldTerms, HoldView};

/// Where cold refuses places of a general-admission area, others of the area are tried at most so often.
const MOST_SUBSTITUTIONS: usize = 3;

/// How the buyer wants to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChoice {
    /// The provider's name.
    pub provider: String,
    /// One of its methods.
    pub method: String,
}

/// What makes an order.
pub struct PlaceOrder<'a> {
    /// The event, as the hold's token names it.
    pub scope: EventScope,
    /// The hold.
    pub hold: HoldId,
    /// Who buys.
    pub buyer: Buyer,
    /// From which client address, as limits count it; none for the platform itself.
    pub address: Option<IpAddr>,
    /// How they pay; none only where the total is zero.
    pub payment: Option<PaymentChoice>,
    /// The request's key.
    pub idempotent: Idempotent<'a, OrderDetail>,
}

/// Writes the order and sets its charge off. A live hold is honoured: where the sale was paused or closed since, whoever holds may still buy.
///
/// # Errors
/// `hold_expired`, `hold_lost`, `place_taken`, `already_ordered`, `limit_reached`, `idempotency_mismatch`, `invalid_request`, `try_again`.
pub async fn place_order(platform: &Platform, mut command: PlaceOrder<'_>) -> Result<Created<OrderDetail>> {
    // What is no buyer is refused below, where a repeat is still recognised.
    if let Ok(buyer) = checked_buyer(&command.buyer) {
        command.buyer = buyer;
    }
    let watch = Stopwatch::start();
    let event = command.scope.event.uuid();
    let organization = command.scope.organization;
    let placed = platform.shares.within(WorkClass::Orders, organization, pin_and_commit(platform, &command)).await;
    let placed = match placed {
        Err(refused) => answered_or(platform, &command, refused).await,
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
        Err(Error::Refused(refusal)) => {
            order_refused(refusal.code.as_str());
            address_limit::note(command.scope, refusal);
        }
        Ok(Created::Replayed(_)) | Err(Error::Fault(_)) => {}
    }
    placed
}

async fn pin_and_commit(platform: &Platform, command: &PlaceOrder<'_>) -> Result<Created<OrderDetail>> {
    platform.capable(Capability::OrderAndPay)?;
    checked_buyer(&command.buyer)?;
    check_choice(platform, command).await?;
    let scope = command.scope;
    for _ in 0..=MOST_SUBSTITUTIONS {
        let pinned = loaded(platform, scope, || platform.inventory.pin(scope, command.hold)).await;
        let record = match pinned {
            Ok(record) if matches!(record.phase, HoldPhase::Claimed { .. }) => {
                return earlier(platform, command).await;
            }
            Ok(record) => record,
            // Cold gave places of it to others since: the same as where cold itself refuses them below.
            Err(Error::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
                let record = loaded(platform, scope, || platform.inventory.read_hold(scope, command.hold)).await?;
                if !substitute(platform, scope, &record, &refusal.evidence.places).await? {
                    return earlier_or(platform, command, refusal).await;
                }
                continue;
            }
            Err(Error::Refused(refusal)) => return earlier_or(platform, command, refusal).await,
            Err(fault) => return Err(fault),
        };
        match commit(platform, command, &record).await {
            Err(Error::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
                unpin(platform, scope, command.hold).await;
                if !substitute(platform, scope, &record, &refusal.evidence.places).await? {
                    return Err(refusal.into());
                }
            }
            // The hold is an order already: its pin stays until warm hears of the claim.
            Err(Error::Refused(refusal))
                if matches!(refusal.code, Code::AlreadyOrdered | Code::IdempotencyMismatch) =>
            {
                return Err(refusal.into());
            }
            Err(Error::Refused(refusal)) => {
                unpin(platform, scope, command.hold).await;
                return Err(refusal.into());
            }
            // A fault may hide a commit that was made, so the pin stays and lapses by itself.
            other => return other,
        }
    }
    Err(Refusal::new(Code::SoldOut, "The area has just sold out.").into())
}

async fn commit(platform: &Platform, command: &PlaceOrder<'_>, record: &HoldRecord) -> Result<Created<OrderDetail>> {
    let scope = command.scope;
    let now = platform.environment.now();
    let listing = platform.listings.listing(scope).await?;
    let view = HoldView::new(scope, &listing, record.clone(), now)?;
    for priced in &view.places {
        listing.check_admits(priced.ticket_type, now)?;
    }
    let detail = compose(platform, command, &listing, &view, now)?;
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
    let (counted, limits) = counted_for(platform, &listing, session, email, &sold, code);
    let address = command.address.filter(|_| !detail.order.total.is_zero());
    let unpaid_at = address.map(|address| UnpaidLimit::of(platform, address, listing.layout.place_count()));
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
        unpaid_at,
        idempotency: command.idempotent.record(&detail, now)?,
    };
    if let Some(attempt) = detail.attempts.first().filter(|_| planted(Bug::ChargedBeforeClaim)) {
        platform.dispatch.send(scope.organization, attempt.id);
    }
    platform.taken_orders.note(&command.idempotent.key.key);
    match platform.orders.place_order(scope.organization, new).await?? {
        Created::Replayed(answer) => Ok(Created::Replayed(answer)),
        Created::Fresh(()) => {
            // Before its payment begins, so that nothing newer is hidden.
            platform.order_views.keep(detail.clone());
            if let Some(attempt) = detail.attempts.first() {
                platform.dispatch.send(scope.organization, attempt.id);
            }
            Ok(Created::Fresh(detail))
        }
    }
}

/// The order as it will be written; a free one with the tickets that it gets in the same commit.
fn compose(
    platform: &Platform,
    command: &PlaceOrder<'_>,
    listing: &Listing,
    view: &HoldView,
    now: Timestamp,
) -> Result<OrderDetail> {
    let total = view.terms.terms.total();
    let (scope, id) = (command.scope, fresh(&*platform.environment));
    // The order's own time: the hold itself is not extended, so that a refused order leaves it as it was.
    let pay_by = view.record.expires_at.plus(platform.times.extension);
    let attempts = match (&command.payment, total.is_zero()) {
        (_, true) => Vec::new(),
        (None, false) => return Err(no_payment().into()),
        (Some(choice), false) => {
            check_time_to_pay(pay_by, now)?;
            let gateway = platform.gateway(&choice.provider)?;
            let cancellation = gateway.cancellation(&choice.method);
            let attempt = first_attempt(platform, scope, id, choice, total, pay_by, now);
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
        .collect::<Result<Vec<_>>>()?;
    let tickets = if total.is_zero() { tickets(platform, scope, id, &lines) } else { Vec::new() };
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

/// A ticket per line, under identifiers that are made here so that the answer can show them.
fn tickets(platform: &Platform, scope: EventScope, order: OrderId, lines: &[OrderLine]) -> Vec<Ticket> {
    // Read back they come in the order of their identifiers.
    let mut ids: Vec<TicketId> = lines.iter().map(|_| fresh(&*platform.environment)).collect();
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

fn area_of(listing: &Listing, place: PlaceNumber) -> Result<AreaId> {
    let area =
        listing.layout.area_of(place).ok_or_else(|| Fault::internal("a held place lies outside of the layout"))?;
    Ok(area.id)
}

fn first_attempt(
    platform: &Platform,
    scope: EventScope,
    order: OrderId,
    choice: &PaymentChoice,
    amount: Money,
    pay_by: Timestamp,
    now: Timestamp,
) -> Attempt {
    Attempt {
        id: fresh(&*platform.environment),
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

/// The hold was ordered before: the order and its token are named.
async fn earlier(platform: &Platform, command: &PlaceOrder<'_>) -> Result<Created<OrderDetail>> {
    let refusal = Refusal::new(Code::HoldLost, "This hold is over.");
    earlier_or(platform, command, refusal).await
}

async fn earlier_or(platform: &Platform, command: &PlaceOrder<'_>, refusal: Refusal) -> Result<Created<OrderDetail>> {
    let organization = command.scope.organization;
    let Some(order) = platform.orders.order_of_hold(organization, command.hold).await? else {
        return Err(refusal.into());
    };
    Err(Refusal::new(Code::AlreadyOrdered, "This hold has become an order already.")
        .with(|evidence| evidence.order = Some(order))
        .into())
}

/// What was answered to the same request before, where it is refused now: the order may be written and paid, and its buyer not know.
async fn answered_or(platform: &Platform, command: &PlaceOrder<'_>, refused: Error) -> Result<Created<OrderDetail>> {
    let (organization, key) = (command.scope.organization, &command.idempotent.key);
    let incapable = platform.capable(Capability::OrderAndPay).is_err();
    if matches!(refused, Error::Refused(_)) && !incapable {
        return replay_or(platform, organization, key, with_token(platform, command.scope, refused)).await;
    }
    // While orders cannot be carried out, a key that this node has not seen is not looked for: a refusal stays cheap.
    if !may_be_answered(platform, &key.key) {
        return Err(refused);
    }
    match platform.idempotency.find(organization, key, platform.environment.now()).await? {
        Some(stored) => replay(stored, &key.request),
        None => {
            capability_refused(Capability::OrderAndPay.as_str());
            Err(refused)
        }
    }
}

async fn unpin(platform: &Platform, scope: EventScope, hold: HoldId) {
    if let Err(error) = loaded(platform, scope, || platform.inventory.unpin(scope, hold)).await {
        tracing::info!(%error, %hold, slice = "checkout", "a pin is left to lapse by itself");
    }
}

/// Tells the warm tier what cold knows of the refused places; where all of them are general admission, others of their area are taken instead.
async fn substitute(
    platform: &Platform,
    scope: EventScope,
    record: &HoldRecord,
    refused: &[PlaceNumber],
) -> Result<bool> {
    let effects = platform.places.read_places(scope.organization, scope.event, refused).await?;
    loaded(platform, scope, || platform.inventory.apply(scope, None, &effects)).await?;
    let listing = platform.listings.listing(scope).await?;
    let areas = spans(&listing);
    let general = |place: &PlaceNumber| areas.iter().find(|span| !span.seated && span.places.contains(&place.0));
    if refused.iter().any(|place| general(place).is_none()) {
        return Ok(false);
    }
    let picks = record
        .places
        .iter()
        .map(|places| {
            let first = places.first().ok_or_else(|| Fault::internal("a hold has a line without a place"))?;
            Ok(match general(first) {
                Some(span) => Pick::Any { range: span.places.clone(), quantity: quantity(places)? },
                None => Pick::Place(*first),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let held = HoldTerms::of(record)?;
    let terms = held.terms.clone();
    let request = HoldRequest {
        hold: record.hold,
        session: record.session,
        picks,
        terms: held.changed(record, terms, None).to_text()?,
        lasts_millis: 0,
        of_version: record.version,
        address: None,
        places_per_address: u32::MAX,
        places_per_session: listing.event.limits.places_per_session,
    };
    loaded(platform, scope, || platform.inventory.change_hold(scope, request.clone())).await?;
    Ok(true)
}

fn quantity(places: &[PlaceNumber]) -> Result<u32> {
    u32::try_from(places.len()).map_err(|_| Fault::internal("a hold has more places than an event").into())
}

/// Before the pin: a request that cannot succeed must not touch the hold.
async fn check_choice(platform: &Platform, command: &PlaceOrder<'_>) -> Result<()> {
    let Some(choice) = &command.payment else {
        let (scope, hold) = (command.scope, command.hold);
        let held = loaded(platform, scope, || platform.inventory.read_hold(scope, hold)).await;
        let record = match held {
            Ok(record) => record,
            Err(Error::Refused(refusal)) => return earlier_or(platform, command, refusal).await.map(drop),
            Err(fault) => return Err(fault),
        };
        let total = HoldTerms::of(&record)?.terms.total();
        let open = !matches!(record.phase, HoldPhase::Claimed { .. });
        return if open && !total.is_zero() { Err(no_payment().into()) } else { Ok(()) };
    };
    if !platform.gateway(&choice.provider)?.has_method(&choice.method) {
        return Err(Refusal::invalid("payment.method", "The provider has no such method.").into());
    }
    Ok(())
}

fn no_payment() -> Refusal {
    Refusal::invalid("payment", "Say how you want to pay.")
}

/// The buyer as the order stores them.
fn checked_buyer(buyer: &Buyer) -> Result<Buyer> {
    let name = identity::name("buyer.name", &buyer.name)?;
    Ok(Buyer { name, email: identity::email_address("buyer.email", &buyer.email)? })
}
