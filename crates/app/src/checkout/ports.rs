//! What checkout needs of the cold tier.
//!
//! `place_order` is one commit: order, lines, claimed places, payment attempt, jobs, outbox, idempotency record. Places are claimed before anything can be charged (P1, P2).

use std::collections::BTreeMap;

use async_trait::async_trait;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId, TicketTypeId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::OrderFacts;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::counted::{CountLimit, CountedFor, UnpaidLimit};
use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use crate::page::{Page, PageRequest};
use crate::payments::ports::{Attempt, NewAttempt, Refund};

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// Their name, as on the ticket.
    pub name: String,
    /// Where the tickets are sent.
    pub email: String,
}

/// One place of an order with its price, in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Which place.
    pub place: PlaceNumber,
    /// In which area; the gate asks.
    pub area: AreaId,
    /// What a person calls the place.
    pub label: String,
    /// As which ticket type.
    pub ticket_type: TicketTypeId,
    /// What a person calls the ticket type.
    pub ticket_type_name: String,
    /// The ticket's price.
    pub price: i64,
    /// The fee on it.
    pub fee: i64,
    /// The tax on both.
    pub tax: i64,
}

/// An order to write.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its identifier.
    pub id: OrderId,
    /// The event.
    pub event: EventId,
    /// The hold it is made of; one order per hold.
    pub hold: HoldId,
    /// The session that held the places; its own page lists the order.
    pub session: SessionId,
    /// Who buys.
    pub buyer: Buyer,
    /// Its places with their prices, never empty.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines' fees.
    pub fees: Money,
    /// The sum of the lines' taxes.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
    /// Until when.
    pub pay_by: Timestamp,
    /// The moment.
    pub at: Timestamp,
    /// The first attempt; none where the total is zero, and the order is paid at once.
    pub attempt: Option<NewAttempt>,
    /// Where it is paid at once: its tickets' identifiers, one per line.
    pub tickets: Vec<TicketId>,
    /// Whom and which code it counts for.
    pub counted: CountedFor,
    /// The most that its counts may reach.
    pub limits: Vec<CountLimit>,
    /// From which client address it comes, where it is paid later; none for the platform itself.
    pub unpaid_at: Option<UnpaidLimit>,
    /// The record of the request.
    pub idempotency: IdempotencyRecord,
}

/// An order as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its identifier.
    pub id: OrderId,
    /// The tenant.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// The hold it was made of.
    pub hold: HoldId,
    /// Where it stands.
    pub state: OrderState,
    /// Who buys.
    pub buyer: Buyer,
    /// The sum of the lines' fees.
    pub fees: Money,
    /// The sum of the lines' taxes.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
    /// Until when.
    pub pay_by: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was paid, if it was.
    pub paid_at: Option<Timestamp>,
    /// How many times it has changed.
    pub version: u32,
}

/// A ticket as it is stored; its code is derived (`scanning::codes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its identifier.
    pub id: TicketId,
    /// The tenant.
    pub organization: OrganizationId,
    /// The event.
    pub event: EventId,
    /// Its order.
    pub order: OrderId,
    /// Its place.
    pub place: PlaceNumber,
    /// The place's area.
    pub area: AreaId,
    /// What a person calls the place.
    pub label: String,
    /// What a person calls the ticket type.
    pub ticket_type_name: String,
    /// Where it stands.
    pub state: TicketState,
}

/// An order with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub order: Order,
    /// Its places with their prices.
    pub lines: Vec<OrderLine>,
    /// Its payment attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// Its tickets, once paid.
    pub tickets: Vec<Ticket>,
}

impl OrderDetail {
    /// What the rules of payments need to know of the order.
    #[must_use]
    pub const fn facts(&self) -> OrderFacts {
        OrderFacts { state: self.order.state, total: self.order.total, pay_by: self.order.pay_by }
    }
}

/// An order past its time to pay; also the cursor of a walk over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdueOrder {
    /// The tenant.
    pub organization: OrganizationId,
    /// The order.
    pub order: OrderId,
    /// When its time to pay ended.
    pub pay_by: Timestamp,
}

/// Orders in the cold tier.
#[async_trait]
pub trait OrderStore: Send + Sync + 'static {
    /// Writes an order and claims its places, all or nothing. Refused: `place_taken` with the places, `already_ordered` with the order, `limit_reached`, `idempotency_mismatch`.
    async fn place_order(
        &self,
        organization: OrganizationId,
        order: NewOrder,
    ) -> StoreResult<Result<Created<()>, Refusal>>;

    /// One order with everything that belongs to it.
    async fn read_order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>>;

    /// The order that a hold became, if it did.
    async fn order_of_hold(&self, organization: OrganizationId, hold: HoldId) -> StoreResult<Option<OrderId>>;

    /// Some of the counts that an event's orders add to; what is not counted yet is absent.
    async fn counts(
        &self,
        organization: OrganizationId,
        event: EventId,
        keys: Vec<String>,
    ) -> StoreResult<BTreeMap<String, u64>>;

    /// The newest orders of a buyer's session, of all organizations, newest first (system role: the session proves whose they are).
    async fn orders_of_session(&self, session: SessionId, most: u32) -> StoreResult<Vec<Order>>;

    /// An organization's orders, of one event where given.
    async fn orders(
        &self,
        organization: OrganizationId,
        event: Option<EventId>,
        page: PageRequest,
    ) -> StoreResult<Page<Order>>;

    /// One ticket.
    async fn read_ticket(&self, organization: OrganizationId, ticket: TicketId) -> StoreResult<Option<Ticket>>;

    /// Orders of all organizations that still wait for payment past `before` (their `pay_by`), oldest first, after `after` (system role).
    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        most: u32,
    ) -> StoreResult<Vec<OverdueOrder>>;

    /// Closes an unpaid order to `cancelled` or `expired` and frees its places. Refused: `payment_unresolved` while an attempt could still capture, `wrong_state`.
    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;

    /// Marks the order as wished to be cancelled: the expiry reconciler closes it at the next step. Refused: `wrong_state`.
    async fn cut_short(
        &self,
        organization: OrganizationId,
        order: OrderId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
}

/// Idempotency records of commands that have no store of their own.
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// The stored record, younger than [`crate::idempotency::KEPT_FOR`].
    async fn find(
        &self,
        organization: OrganizationId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>>;
}
