//! Sells a ticket, and opens nodes that scan or refund it, each with its own faulty path to the two stores.
//!
//! A node is the two slices under test with fakes for everything else; the stores of the other slices are not needed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::context::{Context, SaleTimes};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::error::{CommandError, CommandResult, Dependency, StoreResult};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::Payments;
use voelgoed_app::payments::open_refund::OpenRefund;
use voelgoed_app::payments::order_ports::OrderUpdates;
use voelgoed_app::payments::ports::SoldPlaces;
use voelgoed_app::replays::Replays;
use voelgoed_app::scanning::Scanning;
use voelgoed_app::scanning::decide_scan::ScanOutcome;
use voelgoed_app::scanning::gate_signals::GateWatch;
use voelgoed_app::scanning::ports::{Device, Gate, GateDirectory, GateTickets};
use voelgoed_app::scanning::scan::ScanCommand;
use voelgoed_app::scanning::ticket_codes::signer;
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::load_event::LoadEvent;
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryStore};
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, ScanId, TicketId};
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::code::TicketClaims;
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::memory::MemoryInventory;

use super::faulty_store::FaultyStore;

const DAY: Duration = Duration::from_secs(86_400);
const SECRET: [u8; 32] = [3; 32];

pub struct SoldTicket {
    pub shop: SalesFixture<Cold>,
    pub warm: Arc<MemoryInventory>,
    pub scope: EventScope,
    pub order: OrderId,
    pub ticket: TicketId,
    gates: Vec<Gate>,
}

/// A node with its own paths to the two stores.
pub struct Node {
    pub scanning: Scanning,
    pub payments: Payments,
    pub capabilities: Capabilities,
    pub cold: Arc<FaultyStore<Cold>>,
    pub warm: Arc<FaultyStore<MemoryInventory>>,
}

impl SoldTicket {
    pub async fn sell() -> Self {
        let directory = TestDirectory::new("app");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        let sut = Sut { store, environment: environment.clone(), keep: Box::new(directory) };
        let shop = SalesFixture::open(sut).await;
        let scope = EventScope { organization: shop.organization, event: shop.event };
        let (order, _, tickets) = shop.paid_order(&[1]).await;
        let warm = Arc::new(MemoryInventory::new(environment.clone()));
        let floor = AreaSpan { area: shop.area, places: 0..10, seated: false };
        let lease = environment.uuid();
        warm.lease_rebuild(scope, lease, Duration::from_secs(60)).await.unwrap();
        let install =
            Install { epoch: Epoch(1), areas: vec![floor], places: vec![], revoked: vec![], admitted: vec![] };
        warm.install(scope, lease, install).await.unwrap();
        let gate = |name: &str| {
            let id = new_id(&*environment);
            Gate { id, event: scope.event, name: name.to_owned(), areas: vec![] }
        };
        let gates = vec![gate("North"), gate("South")];
        Self { shop, warm, scope, order, ticket: tickets[0].id, gates }
    }

    pub fn node(&self) -> Node {
        let store = self.shop.store();
        let cold = Arc::new(FaultyStore::new(Arc::clone(store), Dependency::Cold));
        let warm = Arc::new(FaultyStore::new(Arc::clone(&self.warm), Dependency::Warm));
        let master = MasterKey::new(SECRET);
        let capabilities = Capabilities::new();
        let context = Context {
            environment: self.shop.sut.environment.clone(),
            capabilities: capabilities.clone(),
            bulkheads: Arc::new(TenantBulkheads::new(16, 16)),
            tokens: Tokens::new(&master),
            master,
            times: SaleTimes::default(),
        };
        let unused = Arc::new(Unused(self.gates.clone()));
        let scanning = Scanning {
            context: context.clone(),
            store: cold.clone(),
            journal: warm.clone(),
            pending: Arc::default(),
            loader: unused.clone(),
            tickets: unused.clone(),
            directory: unused.clone(),
            listings: unused.clone(),
            gate_watch: GateWatch::default(),
        };
        let payments = Payments {
            context: context.clone(),
            store: store.clone(),
            gateways: vec![],
            send_queue: Arc::default(),
            orders: store.clone(),
            updates: unused.clone(),
            listings: unused.clone(),
            places: unused,
            gate_filter: Arc::new(scanning.clone()),
            replays: Replays { context, store: store.clone() },
        };
        Node { scanning, payments, capabilities, cold, warm }
    }

    /// A new scan of the ticket at the gate of this number.
    pub fn scan_at(&self, gate: usize) -> (Device, ScanCommand) {
        let environment = &*self.shop.sut.environment;
        let gate = &self.gates[gate];
        let device = Device {
            id: new_id(environment),
            organization: self.scope.organization,
            event: self.scope.event,
            name: gate.name.clone(),
            gates: vec![gate.id],
            paired_at: None,
            revoked_at: None,
        };
        let now = environment.now();
        let code = self.code(now.minus(DAY), now.plus(DAY));
        let (id, direction): (ScanId, _) = (new_id(environment), Direction::Entry);
        (device, ScanCommand { id, code, gate: gate.id, direction, scanned_at: Some(now), forced: false })
    }

    /// A code of the ticket that expired a day ago.
    pub fn expired_code(&self) -> String {
        let now = self.shop.sut.environment.now();
        self.code(now.minus(DAY * 2), now.minus(DAY))
    }

    fn code(&self, from: Timestamp, until: Timestamp) -> String {
        let claims = TicketClaims::new(self.scope.event, self.ticket, from, until);
        signer(&MasterKey::new(SECRET), self.scope.organization).sign(&claims)
    }

    /// Opens a refund of the ticket.
    pub async fn refund(&self, node: &Node) -> CommandResult<()> {
        let key = IdempotencyKey { caller: "test".into(), key: "once".into(), request: [1; 32] };
        let command = OpenRefund {
            order: self.order,
            selection: RefundSelection::Tickets(vec![self.ticket]),
            revoke: None,
            reason: "rain".into(),
            forced: false,
            actor: "mem_1".into(),
            idempotent: Idempotent { key, render: &|_| Bytes::from_static(b"an answer") },
        };
        let opened = node.payments.open_refund(self.scope.organization, command).await?;
        assert!(matches!(opened, Created::Fresh(_)));
        Ok(())
    }
}

impl Node {
    pub async fn scan(&self, scan: &(Device, ScanCommand)) -> CommandResult<ScanOutcome> {
        self.scanning.scan(&scan.0, scan.1.clone()).await
    }
}

/// The ports that a scan and a refund do not need; it knows the gates alone.
struct Unused(Vec<Gate>);

fn not_found<T>() -> CommandResult<T> {
    Err(CommandError::Refused(Refusal::not_found()))
}

#[async_trait]
impl Listings for Unused {
    async fn locate(&self, _event: EventId) -> CommandResult<EventScope> {
        not_found()
    }
    async fn listing(&self, _scope: EventScope) -> CommandResult<Arc<Listing>> {
        not_found()
    }
    async fn seating(&self, _scope: EventScope) -> CommandResult<Arc<SeatingPlans>> {
        not_found()
    }
    async fn venue(&self, _scope: EventScope) -> CommandResult<Arc<Venue>> {
        not_found()
    }
    fn read_at(&self, _scope: EventScope) -> Option<Timestamp> {
        None
    }
    fn revalidate(&self, _organization: OrganizationId, _event: EventId) {}
    fn revalidate_all(&self) {}
}

#[async_trait]
impl GateDirectory for Unused {
    async fn gates(&self, _scope: EventScope) -> CommandResult<Arc<Vec<Gate>>> {
        Ok(Arc::new(self.0.clone()))
    }
    fn invalidate_key(&self, _key: [u8; 32]) {}
}

#[async_trait]
impl GateTickets for Unused {
    async fn revoked_and_admitted(&self, _scope: EventScope) -> StoreResult<(Vec<TicketId>, Vec<TicketId>)> {
        Ok((vec![], vec![]))
    }
}

#[async_trait]
impl LoadEvent for Unused {
    async fn load(&self, _scope: EventScope) -> CommandResult<()> {
        not_found()
    }
}

#[async_trait]
impl SoldPlaces for Unused {
    async fn hold_again(&self, _scope: EventScope, _request: HoldRequest) -> CommandResult<()> {
        not_found()
    }
    async fn release(&self, _scope: EventScope, _hold: HoldId) -> CommandResult<()> {
        not_found()
    }
    async fn mark_revoked(&self, _scope: EventScope, _tickets: &[TicketId]) -> CommandResult<()> {
        not_found()
    }
}

impl OrderUpdates for Unused {
    fn order_changed(&self, _organization: OrganizationId, _order: OrderId) {}
}
