//! What the cases of orders, payments and scans begin with: a shop with an event, an order in it, money that arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::checkout::counted::CountedFor;
use voelgoed_app::checkout::ports::{Buyer, NewOrder, OrderDetail, OrderLine, OrderStore, Ticket};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord};
use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue};
use voelgoed_app::ledger::ports::LedgerStore;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::payments::ports::{Learned, NewAttempt, NewRefund, PaymentStore};
use voelgoed_app::scanning::ports::ScanStore;
use voelgoed_app::ticketing::ports::PlaceStore;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, EventId, OrderId, OrganizationId, PaymentId, TicketTypeId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Cancellation, Decision, Observation};
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::{PlaceNumber, PlaceState};

use crate::catalogue::organization;
use crate::subject::{Subject, TestEnvironment};

/// What a sale needs of the cold tier.
pub trait Tier:
    AccountStore + OrderStore + PaymentStore + PlaceStore + ScanStore + OutboxStore + LedgerStore + JobStore
{
}
impl<S> Tier for S where
    S: AccountStore + OrderStore + PaymentStore + PlaceStore + ScanStore + OutboxStore + LedgerStore + JobStore
{
}

/// How long a buyer has to pay.
pub const TO_PAY: Duration = Duration::from_secs(600);
/// What is paid for each place: the price, with its tax within, and the fee.
pub const PAID: i64 = 10_500;

/// So many cents of the event's currency.
pub fn zar(cents: i64) -> Money {
    Money::new(cents, Currency::ZAR)
}

/// An organization that sells an event.
pub struct Shop<S> {
    /// The adapter with its environment.
    pub subject: Subject<S>,
    /// The tenant.
    pub organization: OrganizationId,
    /// Another tenant, who must see nothing.
    pub stranger: OrganizationId,
    /// What is sold.
    pub event: EventId,
    /// Where all of its places are.
    pub area: AreaId,
}

impl<S: Tier> Shop<S> {
    /// Opens a shop.
    pub async fn open(subject: Subject<S>) -> Self {
        let organization = organization(&subject).await;
        let stranger = crate::catalogue::organization(&subject).await;
        let (event, area) = (fresh(&*subject.environment), fresh(&*subject.environment));
        Self { subject, organization, stranger, event, area }
    }

    /// The adapter.
    pub fn store(&self) -> &Arc<S> {
        &self.subject.store
    }

    /// The clock and the ids.
    pub fn environment(&self) -> &TestEnvironment {
        &self.subject.environment
    }

    /// An order of some places that is not yet placed.
    pub fn an_order(&self, places: &[u32]) -> NewOrder {
        let environment = self.environment();
        let (now, hold) = (environment.now(), fresh(environment));
        let ticket_type: TicketTypeId = fresh(environment);
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
        let key = IdempotencyKey { scope: format!("hold:{hold}"), key: "once".into(), request: [7; 32] };
        NewOrder {
            id: fresh(environment),
            event: self.event,
            hold,
            session: fresh(environment),
            buyer: Buyer { name: "Nandi O'Brien".into(), email: "nandi@example.org".into() },
            lines: places.iter().map(line).collect(),
            fees: zar(500 * count),
            tax: zar(1_370 * count),
            total: zar(PAID * count),
            pay_by: now.plus(TO_PAY),
            at: now,
            attempt: Some(self.an_attempt(PAID * count)),
            tickets: Vec::new(),
            counted: CountedFor::default(),
            limits: Vec::new(),
            unpaid_at: None,
            idempotency: IdempotencyRecord { key, answer: Bytes::from(format!("the order of {hold}")), at: now },
        }
    }

    /// The same for nothing.
    pub fn a_free_order(&self, places: &[u32]) -> NewOrder {
        let mut order = self.an_order(places);
        for line in &mut order.lines {
            (line.price, line.fee, line.tax) = (0, 0, 0);
        }
        let tickets = order.lines.iter().map(|_| fresh(self.environment())).collect();
        NewOrder { fees: zar(0), tax: zar(0), total: zar(0), attempt: None, tickets, ..order }
    }

    /// An attempt that is not yet written.
    pub fn an_attempt(&self, amount: i64) -> NewAttempt {
        NewAttempt {
            id: fresh(self.environment()),
            provider: "sandbox".into(),
            method: "ok".into(),
            amount: zar(amount),
            send_before: self.environment().now().plus(TO_PAY),
            cancellation: Cancellation::AtProvider,
        }
    }

    /// Places an order that must be placed.
    pub async fn place(&self, order: &NewOrder) {
        let placed = self.store().place_order(self.organization, order.clone()).await.unwrap();
        assert!(matches!(placed, Ok(Created::Fresh(()))), "{placed:?}");
    }

    /// Places an order that must be refused.
    pub async fn refused(&self, order: &NewOrder) -> Refusal {
        self.store().place_order(self.organization, order.clone()).await.unwrap().unwrap_err()
    }

    /// A placed order of some places, with its attempt.
    pub async fn ordered(&self, places: &[u32]) -> (OrderId, PaymentId) {
        let order = self.an_order(places);
        self.place(&order).await;
        (order.id, order.attempt.unwrap().id)
    }

    /// A paid order of some places, with its attempt and tickets.
    pub async fn paid(&self, places: &[u32]) -> (OrderId, PaymentId, Vec<Ticket>) {
        let (order, payment) = self.ordered(places).await;
        let total = PAID * i64::try_from(places.len()).unwrap();
        assert_eq!(self.captured(payment, total).await, Decision::Issue);
        (order, payment, self.detail(order).await.tickets)
    }

    /// Something that is learned about an attempt now.
    pub fn learned(&self, payment: PaymentId, observation: Observation) -> Learned {
        let job = NewJob {
            id: fresh(self.environment()),
            organization: Some(self.organization),
            kind: "test.late",
            queue: Queue::Payments,
            payload: serde_json::json!({ "payment": payment }),
            run_at: self.environment().now(),
            unique_key: Some(format!("late:{payment}")),
            max_attempts: 3,
        };
        Learned { payment, observation, at: self.environment().now(), late_capture_job: Some(job) }
    }

    /// Learns something that must not be a fault.
    pub async fn learn(&self, payment: PaymentId, observation: Observation) -> Decision {
        self.store().learn(self.organization, self.learned(payment, observation)).await.unwrap()
    }

    /// Learns that the provider took an amount.
    pub async fn captured(&self, payment: PaymentId, amount: i64) -> Decision {
        self.learn(payment, Observation::Captured { amount: zar(amount), provider_ref: "ref 1".into() }).await
    }

    /// An order as it stands.
    pub async fn detail(&self, order: OrderId) -> OrderDetail {
        self.store().read_order(self.organization, order).await.unwrap().unwrap()
    }

    /// Where an order and its attempts stand.
    pub async fn states(&self, order: OrderId) -> (OrderState, Vec<AttemptState>) {
        let detail = self.detail(order).await;
        (detail.order.state, detail.attempts.iter().map(|attempt| attempt.state).collect())
    }

    /// A refund that is not yet written.
    pub fn a_refund(
        &self,
        order: OrderId,
        payment: impl Into<Option<PaymentId>>,
        amount: i64,
        tickets: &[Ticket],
    ) -> NewRefund {
        let id = fresh(self.environment());
        let job = NewJob {
            id: fresh(self.environment()),
            organization: Some(self.organization),
            kind: "test.refund",
            queue: Queue::Payments,
            payload: serde_json::Value::Null,
            run_at: self.environment().now(),
            unique_key: None,
            max_attempts: 3,
        };
        let ids: Vec<_> = tickets.iter().map(|ticket| ticket.id).collect();
        let wish = if ids.is_empty() { RefundRequest::Amount(zar(amount)) } else { RefundRequest::Tickets(ids) };
        NewRefund {
            wish,
            // An amount alone takes no ticket back here.
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

    /// Some places: state and version, in text.
    pub async fn places(&self, places: &[u32]) -> String {
        let numbers: Vec<PlaceNumber> = places.iter().map(|place| PlaceNumber(*place)).collect();
        let effects = self.store().read_places(self.organization, self.event, &numbers).await.unwrap();
        let texts = effects.iter().map(|effect| {
            assert_eq!(effect.owner.is_none(), effect.state == PlaceState::Free, "{effect:?}");
            format!("{}:{}.{}", effect.place.0, effect.state, effect.version.0)
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    /// All facts that were not yet taken, and takes them.
    pub async fn facts(&self) -> Vec<OutboxEvent> {
        let (now, lease) = (self.environment().now(), Duration::from_secs(30));
        let mut facts = Vec::new();
        loop {
            let rows = self.store().take(500, now, lease).await.unwrap().rows;
            if rows.is_empty() {
                return facts;
            }
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            assert!(rows.iter().all(|row| row.organization == self.organization));
            self.store().delivered(&ids, now).await.unwrap();
            facts.extend(rows.into_iter().map(|row| row.fact));
        }
    }

    /// The balances that are not zero, and that the journal is sound.
    pub async fn balances(&self) -> BTreeMap<String, i64> {
        assert_eq!(self.store().unbalanced().await.unwrap(), [], "every entry sums to zero");
        let balances = self.store().balances(self.organization).await.unwrap();
        assert_eq!(balances.iter().map(|balance| balance.amount).sum::<i64>(), 0, "and so does the journal");
        let moved = balances.into_iter().filter(|balance| balance.amount != 0);
        moved.map(|balance| (balance.account, balance.amount)).collect()
    }
}

/// That a refusal has a code.
pub fn assert_code<T: std::fmt::Debug>(refused: Result<T, Refusal>, code: Code) {
    assert_eq!(refused.unwrap_err().code, code);
}
