//! Puts an event of a new organization on sale in the cold tier, and holds and orders its places by the platform's own commands.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::checkout::place_order::PlaceOrder;
use voelgoed_app::checkout::ports::{Buyer, OrderDetail};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::outbox::consumer::OutboxConsumer as _;
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::payments::ports::PaymentChoice;
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::warm_effects::WarmEffects;
use voelgoed_cold::Cold;
use voelgoed_contracts::catalog_fixtures::{
    expect_created, new_event, new_layout, new_ticket_type, stored_organization, stored_venue,
};
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_domain::catalog::event::{Event, EventState};
use voelgoed_domain::catalog::layout::{AreaDraft, Layout};
use voelgoed_domain::catalog::ticket_type::{TicketType, TicketTypeLimits};
use voelgoed_domain::ids::{HoldId, SessionId, TicketTypeId};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::TestPlatform;

/// Changes a value before it is stored.
pub(super) type Change<T> = Box<dyn FnOnce(&mut T) + Send>;

/// What differs from the event that a test platform sells by default.
#[derive(Default)]
pub(super) struct OfferChanges {
    pub(super) areas: Option<Vec<AreaDraft>>,
    pub(super) event: Option<Change<Event>>,
    pub(super) ticket_type: Option<Change<TicketType>>,
}

/// Publishes an event of four seats and a field of ten, with one ticket type for all of them.
pub(super) async fn put_on_sale(
    cold: &Arc<Cold>,
    environment: &Arc<TestEnvironment>,
    changes: OfferChanges,
) -> (EventScope, TicketTypeId) {
    let sut = Sut { store: cold.clone(), environment: environment.clone(), keep: Box::new(()) };
    let organization = stored_organization(&sut).await;
    let now = environment.now();
    let mut layout = new_layout(environment, stored_venue(&sut, organization).await);
    if let Some(areas) = changes.areas {
        layout.layout = Arc::new(Layout::build(areas).unwrap());
    }
    expect_created(cold.create_layout(organization, layout.clone(), None).await.unwrap());
    let mut event = new_event(environment, organization, layout.id);
    if let Some(change) = changes.event {
        change(&mut event);
    }
    expect_created(cold.create_event(organization, event.clone(), now, None).await.unwrap());
    let (draft, published) = (EventState::Draft, EventState::Published);
    cold.transition_event(organization, event.id, &[draft], published, now).await.unwrap().unwrap();
    let mut ticket_type = TicketType {
        areas: vec![],
        categories: vec![],
        prices: vec![],
        limits: TicketTypeLimits { min_per_hold: 1, max_per_hold: 6, max_per_buyer: None },
        ..new_ticket_type(environment, event.id)
    };
    if let Some(change) = changes.ticket_type {
        change(&mut ticket_type);
    }
    expect_created(cold.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
    (EventScope { organization, event: event.id }, ticket_type.id)
}

impl TestPlatform {
    /// Holds a seat for a new session.
    pub async fn hold_seat(&self, place: u32) -> HoldId {
        self.try_hold_seat(place, new_id(&*self.environment), None).await.unwrap()
    }

    /// Holds a seat; `key` makes the request repeatable.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn try_hold_seat(&self, place: u32, session: SessionId, key: Option<&str>) -> CommandResult<HoldId> {
        let command = HoldCommand {
            address: None,
            scope: self.scope,
            session,
            items: vec![HoldItem::Place { place: PlaceNumber(place), ticket_type: self.ticket_type, accessible: true }],
            best_available: false,
            code: None,
            repeatable: key.map(|key| (key.to_owned(), [7; 32])),
        };
        Ok(self.slices.ticketing.hold(command).await?.id)
    }

    /// Orders a hold under the key `once`, paid by the provider's one method.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn order(&self, hold: HoldId) -> CommandResult<Created<OrderDetail>> {
        self.order_with_key(hold, "once").await
    }

    /// Orders a hold under a key.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn order_with_key(&self, hold: HoldId, key: &str) -> CommandResult<Created<OrderDetail>> {
        self.order_as(hold, key, "ann@example.org", Some("ok")).await
    }

    /// Orders a hold for a buyer, who pays by a method or names none.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn order_as(
        &self,
        hold: HoldId,
        key: &str,
        email: &str,
        method: Option<&str>,
    ) -> CommandResult<Created<OrderDetail>> {
        self.order_from(hold, key, email, method, None).await
    }

    /// Orders a hold from a client address, as limits count it.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn order_from(
        &self,
        hold: HoldId,
        key: &str,
        email: &str,
        method: Option<&str>,
        address: Option<IpAddr>,
    ) -> CommandResult<Created<OrderDetail>> {
        let key = IdempotencyKey { caller: format!("hold:{hold}"), key: key.into(), request: [7; 32] };
        let buyer = Buyer { name: "Ann".into(), email: email.into() };
        let payment = method.map(|method| PaymentChoice { provider: "puppet".into(), method: method.into() });
        let idempotent = Idempotent { key, render: &|_| Bytes::from_static(b"an order") };
        let command = PlaceOrder { scope: self.scope, hold, buyer, address, payment, idempotent };
        self.slices.checkout.place_order(command).await
    }

    /// Holds a seat and orders it.
    pub async fn order_seat(&self, place: u32) -> OrderDetail {
        let hold = self.hold_seat(place).await;
        match self.order(hold).await.unwrap() {
            Created::Fresh(detail) => detail,
            Created::Replayed(_) => panic!("a replay"),
        }
    }

    /// Orders a seat and settles its charge, so that the order is paid.
    pub async fn paid_order(&self, place: u32) -> OrderDetail {
        let order = self.order_seat(place).await;
        let organization = self.scope.organization;
        self.slices.payments.send_attempt(organization, order.attempts[0].id).await.unwrap();
        self.slices.checkout.read_order(organization, order.order.id).await.unwrap()
    }

    /// Delivers the outbox events that are due to warm, as the relay does.
    pub async fn relay(&self) {
        let ticketing = &self.slices.ticketing;
        let warm = WarmEffects { inventory: ticketing.inventory.clone(), loader: ticketing.loader.clone() };
        loop {
            let rows = self.outbox_rows().await;
            for row in &rows {
                warm.consume(row).await.unwrap();
            }
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            OutboxStore::delivered(&*self.cold, &ids, self.environment.now()).await.unwrap();
            if rows.is_empty() {
                return;
            }
        }
    }

    /// Takes the outbox events that are due, in the order of each aggregate.
    pub async fn outbox_rows(&self) -> Vec<OutboxRow> {
        let lease = Duration::from_secs(30);
        OutboxStore::take(&*self.cold, 500, self.environment.now(), lease).await.unwrap().rows
    }
}
