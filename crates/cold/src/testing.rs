//! Fixtures of this crate's unit tests: a temporary directory, a deterministic environment, an order to place.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use uuid::Uuid;
use voelgoed_app::checkout::order_limits::CountedFor;
use voelgoed_app::checkout::ports::{Buyer, NewOrder, OrderLine};
use voelgoed_app::environment::Environment;
use voelgoed_app::idempotency::{IdempotencyKey, IdempotencyRecord};
use voelgoed_app::payments::ports::NewAttempt;
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::ids::{AreaId, EventId, HoldId, OrderId, PaymentId, SessionId, TicketTypeId};
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::decide::Cancellation;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

/// A directory that is deleted when it is dropped.
pub(crate) struct TempDir(TestDirectory);

impl TempDir {
    pub(crate) fn new() -> Self {
        Self(TestDirectory::new("cold"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The time of the test clock.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

/// An environment with a fixed clock and sequential identifiers.
#[derive(Default)]
pub(crate) struct CountingEnvironment(AtomicU64);

impl Environment for CountingEnvironment {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_u128(1 << 100 | u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }

    fn random(&self) -> [u8; 32] {
        [self.0.fetch_add(1, Ordering::SeqCst) as u8; 32]
    }
}

/// An unpaid order for places of event 1 at 10 EUR each; its identifier, hold, key and attempt have the number `number`.
pub(crate) fn new_order(number: u128, places: &[u32]) -> NewOrder {
    let eur = |cents| Money::new(cents, Currency::EUR);
    let total = eur(1_000 * i64::try_from(places.len()).unwrap());
    let line = |place: &u32| OrderLine {
        place: PlaceNumber(*place),
        area: AreaId::from_uuid(Uuid::from_u128(1)),
        label: format!("Place {place}"),
        ticket_type: TicketTypeId::from_uuid(Uuid::from_u128(1)),
        ticket_type_name: "Full".to_owned(),
        price: 1_000,
        fee: 0,
        tax: 0,
    };
    NewOrder {
        id: OrderId::from_uuid(Uuid::from_u128(number)),
        event: EventId::from_uuid(Uuid::from_u128(1)),
        hold: HoldId::from_uuid(Uuid::from_u128(number)),
        session: SessionId::from_uuid(Uuid::from_u128(number)),
        buyer: Buyer { name: "Nandi".to_owned(), email: "nandi@example.org".to_owned() },
        lines: places.iter().map(line).collect(),
        fees: eur(0),
        tax: eur(0),
        total,
        pay_by: NOW.plus(std::time::Duration::from_secs(600)),
        at: NOW,
        attempt: Some(NewAttempt {
            id: PaymentId::from_uuid(Uuid::from_u128(number)),
            provider: "sandbox".to_owned(),
            method: "ok".to_owned(),
            amount: total,
            send_before: NOW.plus(std::time::Duration::from_secs(600)),
            cancellation: Cancellation::AtProvider,
        }),
        tickets: Vec::new(),
        counted: CountedFor::default(),
        limits: Vec::new(),
        unpaid_limit: None,
        idempotency: IdempotencyRecord {
            key: IdempotencyKey { caller: format!("hold_{number}"), key: format!("key {number}"), request: [1; 32] },
            answer: Bytes::from(format!("order {number}")),
            at: NOW,
        },
    }
}
