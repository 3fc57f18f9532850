//! Declares the order store and the ports of ticketing and payments that checkout calls.
//!
//! `place_order` is one commit: order, lines, claimed places, payment attempt, jobs, outbox, idempotency record. Never: a charge before the claim (P1, P2).

use std::collections::BTreeMap;

use async_trait::async_trait;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{
    AreaId, EventId, HoldId, OrderId, OrganizationId, PaymentId, SessionId, TicketId, TicketTypeId,
};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::{Cancellation, OrderInputs};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::order_limits::{CountLimit, CountedFor, UnpaidLimit};
use crate::error::{CommandResult, StoreResult};
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};
use crate::payments::ports::{Attempt, NewAttempt, PaymentChoice, Refund};
use crate::ticketing::ports::EventScope;

/// The buyer of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The name on the ticket.
    pub name: String,
    /// The e-mail address that receives the tickets.
    pub email: String,
}

/// One place of an order with its price, in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The place.
    pub place: PlaceNumber,
    /// The place's area, which gates check.
    pub area: AreaId,
    /// The displayed name of the place.
    pub label: String,
    /// The ticket type.
    pub ticket_type: TicketTypeId,
    /// The displayed name of the ticket type.
    pub ticket_type_name: String,
    /// The ticket's price.
    pub price: i64,
    /// The fee on the price.
    pub fee: i64,
    /// The tax on price and fee.
    pub tax: i64,
}

/// An order to write.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its identifier.
    pub id: OrderId,
    /// The event.
    pub event: EventId,
    /// The hold that becomes the order; a hold becomes one order at most.
    pub hold: HoldId,
    /// The session of the hold; its page lists the order.
    pub session: SessionId,
    /// The buyer.
    pub buyer: Buyer,
    /// The places with their prices, never empty.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines' fees.
    pub fees: Money,
    /// The sum of the lines' taxes.
    pub tax: Money,
    /// The amount to pay.
    pub total: Money,
    /// The deadline of the payment.
    pub pay_by: Timestamp,
    /// The time of the order.
    pub at: Timestamp,
    /// The first payment attempt; none if the total is zero and the order is paid at once.
    pub attempt: Option<NewAttempt>,
    /// The identifiers of the tickets, one per line, if the order is paid at once; else empty.
    pub tickets: Vec<TicketId>,
    /// The counts that the order adds to.
    pub counted: CountedFor,
    /// The limits of those counts.
    pub limits: Vec<CountLimit>,
    /// The limit of the client address, if the order is paid later; none for the platform's own orders.
    pub unpaid_limit: Option<UnpaidLimit>,
    /// The idempotency record of the request.
    pub idempotency: IdempotencyRecord,
}

/// A stored order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its identifier.
    pub id: OrderId,
    /// The organization.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// The hold that became the order.
    pub hold: HoldId,
    /// The state.
    pub state: OrderState,
    /// The buyer.
    pub buyer: Buyer,
    /// The sum of the lines' fees.
    pub fees: Money,
    /// The sum of the lines' taxes.
    pub tax: Money,
    /// The amount to pay.
    pub total: Money,
    /// The deadline of the payment.
    pub pay_by: Timestamp,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of payment; none for an unpaid order.
    pub paid_at: Option<Timestamp>,
    /// The number of its changes.
    pub version: u32,
}

/// A stored ticket; its code is derived (`scanning::ticket_codes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its identifier.
    pub id: TicketId,
    /// The organization.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// The order.
    pub order: OrderId,
    /// The place.
    pub place: PlaceNumber,
    /// The place's area.
    pub area: AreaId,
    /// The displayed name of the place.
    pub label: String,
    /// The displayed name of the ticket type.
    pub ticket_type_name: String,
    /// The state.
    pub state: TicketState,
}

/// An order with its lines, payments, refunds and tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub order: Order,
    /// The places with their prices.
    pub lines: Vec<OrderLine>,
    /// The payment attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// The tickets; empty before the payment.
    pub tickets: Vec<Ticket>,
}

impl OrderDetail {
    /// The inputs of the payment rules.
    #[must_use]
    pub const fn payment_inputs(&self) -> OrderInputs {
        OrderInputs { state: self.order.state, total: self.order.total, pay_by: self.order.pay_by }
    }
}

/// An unpaid order after its payment deadline; also the cursor of the list of overdue orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdueOrder {
    /// The organization.
    pub organization: OrganizationId,
    /// The order.
    pub order: OrderId,
    /// The payment deadline.
    pub pay_by: Timestamp,
}

/// Orders in the cold tier.
#[async_trait]
pub trait OrderStore: Send + Sync + 'static {
    /// Writes an order and claims its places, all or nothing. Refused: `place_taken` with the places, `already_ordered` with the order, `limit_reached`,
    /// `idempotency_mismatch`.
    async fn place_order(
        &self,
        organization: OrganizationId,
        order: NewOrder,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// One order with its lines, payments, refunds and tickets.
    async fn read_order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>>;

    /// The order that a hold became, if there is one.
    async fn order_of_hold(&self, organization: OrganizationId, hold: HoldId) -> StoreResult<Option<OrderId>>;

    /// Counts that an event's orders add to, by key; a key without orders is absent.
    async fn counts(
        &self,
        organization: OrganizationId,
        event: EventId,
        keys: Vec<String>,
    ) -> StoreResult<BTreeMap<String, u64>>;

    /// The newest orders of a buyer's session at all organizations, newest first (system role: the session proves ownership).
    async fn orders_of_session(&self, session: SessionId, limit: u32) -> StoreResult<Vec<Order>>;

    /// An organization's orders, of one event if one is given.
    async fn orders(
        &self,
        organization: OrganizationId,
        event: Option<EventId>,
        page: PageRequest,
    ) -> StoreResult<Page<Order>>;

    /// One ticket.
    async fn read_ticket(&self, organization: OrganizationId, ticket: TicketId) -> StoreResult<Option<Ticket>>;

    /// Unpaid orders of all organizations with a `pay_by` before `before`, oldest first, after the cursor `after` (system role).
    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>>;

    /// Closes an unpaid order as `cancelled` or `expired` and frees its places. Refused: `payment_unresolved` while an attempt could still capture,
    /// `wrong_state`.
    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;

    /// Marks an order whose cancellation was requested; the expiry reconciler closes it. Refused: `wrong_state`.
    async fn request_cancellation(
        &self,
        organization: OrganizationId,
        order: OrderId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
}

/// Pins the holds that become orders; ticketing implements it.
#[async_trait]
pub trait HoldPins: Send + Sync + 'static {
    /// The hold, if it has not ended.
    async fn read(&self, scope: EventScope, hold: HoldId) -> CommandResult<HoldRecord>;
    /// Keeps an active hold from expiring while its order is written. Idempotent; the pin expires after 60 s.
    async fn pin(&self, scope: EventScope, hold: HoldId) -> CommandResult<HoldRecord>;
    /// Removes a pin, because the order was not written.
    async fn unpin(&self, scope: EventScope, hold: HoldId) -> CommandResult<()>;
    /// Replaces an active hold's content, all or nothing.
    async fn replace(&self, scope: EventScope, request: HoldRequest) -> CommandResult<()>;
    /// Applies the cold state of places to the warm tier.
    async fn refresh_from_cold(&self, scope: EventScope, places: &[PlaceNumber]) -> CommandResult<()>;
}

/// Charges orders and cancels their attempts; payments implements it.
#[async_trait]
pub trait OrderPayments: Send + Sync + 'static {
    /// How a charge by this method can be cancelled; none if the provider has no such method.
    ///
    /// # Errors
    /// `invalid_request` if there is no such provider.
    fn method(&self, choice: &PaymentChoice) -> CommandResult<Option<Cancellation>>;
    /// Queues a written attempt for its provider.
    fn dispatch(&self, organization: OrganizationId, payment: PaymentId);
    /// Expires an unpaid order as far as its providers allow now.
    async fn expire_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<()>;
}
