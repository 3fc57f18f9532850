//! Creates an organization that sells an event, and places, pays and refunds orders for the cases of several suites.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::checkout::order_limits::CountedFor;
use voelgoed_app::checkout::ports::{Buyer, NewOrder, OrderDetail, OrderLine, OrderStore, Ticket};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue};
use voelgoed_app::ledger::ports::LedgerStore;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::payments::ports::{NewAttempt, NewRefund, PaymentObservation, PaymentStore};
use voelgoed_app::scanning::ports::ScanStore;
use voelgoed_app::ticketing::ports::PlaceStore;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, EventId, OrderId, OrganizationId, PaymentId, TicketTypeId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Cancellation, Observation, PaymentDecision};
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::catalog_fixtures::stored_organization;
use crate::sut::{Sut, TestEnvironment};

/// The ports that a sale needs of the cold tier.
pub trait SalesTier:
    AccountStore + OrderStore + PaymentStore + PlaceStore + ScanStore + OutboxStore + LedgerStore + JobStore
{
}
impl<S> SalesTier for S where
    S: AccountStore + OrderStore + PaymentStore + PlaceStore + ScanStore + OutboxStore + LedgerStore + JobStore
{
}

/// How long a buyer may take to pay.
pub const PAY_WINDOW: Duration = Duration::from_secs(600);
/// The amount for each place in cents: the price with its tax, and the fee.
pub const PAID_PER_PLACE: i64 = 10_500;

/// Cents of the event's currency.
pub fn zar(cents: i64) -> Money {
    Money::new(cents, Currency::ZAR)
}

/// An organization that sells an event.
pub struct SalesFixture<S> {
    /// The adapter with its environment.
    pub sut: Sut<S>,
    /// The selling organization.
    pub organization: OrganizationId,
    /// Another organization, which must see nothing.
    pub other_organization: OrganizationId,
    /// The event on sale.
    pub event: EventId,
    /// The area of all its places.
    pub area: AreaId,
}

impl<S: SalesTier> SalesFixture<S> {
    /// Creates both organizations.
    pub async fn open(sut: Sut<S>) -> Self {
        let organization = stored_organization(&sut).await;
        let other_organization = stored_organization(&sut).await;
        let (event, area) = (new_id(&*sut.environment), new_id(&*sut.environment));
        Self { sut, organization, other_organization, event, area }
    }

    /// The adapter.
    pub fn store(&self) -> &Arc<S> {
        &self.sut.store
    }

    /// The clock and the ids.
    pub fn environment(&self) -> &TestEnvironment {
        &self.sut.environment
    }

    /// An order of places that is not yet placed.
    pub fn new_order(&self, places: &[u32]) -> NewOrder {
        let environment = self.environment();
        let (now, hold) = (environment.now(), new_id(environment));
        let ticket_type: TicketTypeId = new_id(environment);
        let line = |place: &u32| OrderLine {
            place: PlaceNumber(*place),
            area: self.area,
            label: format!("Seat {place}"),
            ticket_type,
            ticket_type_name: "Adult".into(),
            price: 10_000,
            fee: 500,
            tax: 1_370,
        };
        let count = i64::try_from(places.len()).unwrap();
        let key = IdempotencyKey { caller: format!("hold:{hold}"), key: "once".into(), request: [7; 32] };
        NewOrder {
            id: new_id(environment),
            event: self.event,
            hold,
            session: new_id(environment),
            buyer: Buyer { name: "Nandi O'Brien".into(), email: "nandi@example.org".into() },
            lines: places.iter().map(line).collect(),
            fees: zar(500 * count),
            tax: zar(1_370 * count),
            total: zar(PAID_PER_PLACE * count),
            pay_by: now.plus(PAY_WINDOW),
            at: now,
            attempt: Some(self.new_attempt(PAID_PER_PLACE * count)),
            tickets: Vec::new(),
            counted: CountedFor::default(),
            limits: Vec::new(),
            unpaid_limit: None,
            idempotency: IdempotencyRecord { key, answer: Bytes::from(format!("the order of {hold}")), at: now },
        }
    }

    /// A free order that is not yet placed.
    pub fn new_free_order(&self, places: &[u32]) -> NewOrder {
        let mut order = self.new_order(places);
        for line in &mut order.lines {
            (line.price, line.fee, line.tax) = (0, 0, 0);
        }
        let tickets = order.lines.iter().map(|_| new_id(self.environment())).collect();
        NewOrder { fees: zar(0), tax: zar(0), total: zar(0), attempt: None, tickets, ..order }
    }

    /// An attempt that is not yet stored.
    pub fn new_attempt(&self, amount: i64) -> NewAttempt {
        NewAttempt {
            id: new_id(self.environment()),
            provider: "sandbox".into(),
            method: "ok".into(),
            amount: zar(amount),
            send_before: self.environment().now().plus(PAY_WINDOW),
            cancellation: Cancellation::AtProvider,
        }
    }

    /// Places an order that must be accepted.
    pub async fn place_order(&self, order: &NewOrder) {
        let placed = self.store().place_order(self.organization, order.clone()).await.unwrap();
        assert!(matches!(placed, Ok(Created::Fresh(()))), "{placed:?}");
    }

    /// Places an order that must be refused.
    pub async fn place_refused_order(&self, order: &NewOrder) -> Refusal {
        self.store().place_order(self.organization, order.clone()).await.unwrap().unwrap_err()
    }

    /// A placed order of places, with its attempt.
    pub async fn placed_order(&self, places: &[u32]) -> (OrderId, PaymentId) {
        let order = self.new_order(places);
        self.place_order(&order).await;
        (order.id, order.attempt.unwrap().id)
    }

    /// A paid order of places, with its attempt and tickets.
    pub async fn paid_order(&self, places: &[u32]) -> (OrderId, PaymentId, Vec<Ticket>) {
        let (order, payment) = self.placed_order(places).await;
        let total = PAID_PER_PLACE * i64::try_from(places.len()).unwrap();
        assert_eq!(self.capture(payment, total).await, PaymentDecision::Issue);
        (order, payment, self.read_order(order).await.tickets)
    }

    /// An observation of an attempt at the present time.
    pub fn payment_observation(&self, payment: PaymentId, observation: Observation) -> PaymentObservation {
        let job = NewJob {
            id: new_id(self.environment()),
            organization: Some(self.organization),
            kind: "test.late",
            queue: Queue::Payments,
            payload: serde_json::json!({ "payment": payment }),
            run_at: self.environment().now(),
            unique_key: Some(format!("late:{payment}")),
            max_attempts: 3,
        };
        PaymentObservation { payment, observation, at: self.environment().now(), unmatched_capture_job: Some(job) }
    }

    /// Applies an observation; panics on a fault.
    pub async fn apply_observation(&self, payment: PaymentId, observation: Observation) -> PaymentDecision {
        self.store().apply_observation(self.organization, self.payment_observation(payment, observation)).await.unwrap()
    }

    /// Applies a capture by the provider.
    pub async fn capture(&self, payment: PaymentId, amount: i64) -> PaymentDecision {
        self.apply_observation(payment, Observation::Captured { amount: zar(amount), provider_ref: "ref 1".into() })
            .await
    }

    /// The stored order.
    pub async fn read_order(&self, order: OrderId) -> OrderDetail {
        self.store().read_order(self.organization, order).await.unwrap().unwrap()
    }

    /// The states of an order and its attempts.
    pub async fn states(&self, order: OrderId) -> (OrderState, Vec<AttemptState>) {
        let detail = self.read_order(order).await;
        (detail.order.state, detail.attempts.iter().map(|attempt| attempt.state).collect())
    }

    /// A refund that is not yet stored.
    pub fn new_refund(
        &self,
        order: OrderId,
        payment: impl Into<Option<PaymentId>>,
        amount: i64,
        tickets: &[Ticket],
    ) -> NewRefund {
        let id = new_id(self.environment());
        let job = NewJob {
            id: new_id(self.environment()),
            organization: Some(self.organization),
            kind: "test.refund",
            queue: Queue::Payments,
            payload: serde_json::Value::Null,
            run_at: self.environment().now(),
            unique_key: None,
            max_attempts: 3,
        };
        let ids: Vec<_> = tickets.iter().map(|ticket| ticket.id).collect();
        let selection =
            if ids.is_empty() { RefundSelection::Amount(zar(amount)) } else { RefundSelection::Tickets(ids) };
        NewRefund {
            selection,
            // A refund by amount revokes no ticket here.
            revoke: tickets.is_empty().then_some(false),
            id,
            order,
            payment: payment.into(),
            amount: zar(amount),
            tickets: tickets.iter().map(|ticket| ticket.id).collect(),
            reason: "rain".into(),
            forced: false,
            actor: "mem_1".into(),
            at: self.environment().now(),
            job,
        }
    }

    /// State and version of places, as text.
    pub async fn place_states(&self, places: &[u32]) -> String {
        let numbers: Vec<PlaceNumber> = places.iter().map(|place| PlaceNumber(*place)).collect();
        let effects = self.store().read_places(self.organization, self.event, &numbers).await.unwrap();
        let texts = effects.iter().map(|effect| {
            assert_eq!(effect.owner.is_none(), effect.state == PlaceState::Free, "{effect:?}");
            format!("{}:{}.{}", effect.place.0, effect.state, effect.version.0)
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    /// Takes and acknowledges all outbox events.
    pub async fn take_events(&self) -> Vec<OutboxEvent> {
        let (now, lease) = (self.environment().now(), Duration::from_secs(30));
        let mut events = Vec::new();
        loop {
            let rows = self.store().take(500, now, lease).await.unwrap().rows;
            if rows.is_empty() {
                return events;
            }
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            assert!(rows.iter().all(|row| row.organization == self.organization));
            self.store().delivered(&ids, now).await.unwrap();
            events.extend(rows.into_iter().map(|row| row.outbox_event));
        }
    }

    /// The balances that are not zero; asserts that the journal balances.
    pub async fn balances(&self) -> BTreeMap<String, i64> {
        assert_eq!(self.store().unbalanced().await.unwrap(), [], "every entry sums to zero");
        let balances = self.store().balances(self.organization).await.unwrap();
        assert_eq!(balances.iter().map(|balance| balance.amount).sum::<i64>(), 0, "the journal sums to zero");
        let moved = balances.into_iter().filter(|balance| balance.amount != 0);
        moved.map(|balance| (balance.account, balance.amount)).collect()
    }
}

/// Asserts the code of a refusal.
pub fn assert_code<T: std::fmt::Debug>(refused: Result<T, Refusal>, code: Code) {
    assert_eq!(refused.unwrap_err().code, code);
}
