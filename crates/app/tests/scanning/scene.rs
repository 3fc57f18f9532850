//! An event with a paid ticket and two gates, at nodes that share a cold tier on a real file and a warm tier in memory. No relay runs: what the outbox
//! would tell, it has not told yet.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_app::accounts::credentials::{Credentials, KnownCredential, RevokedCredential};
use voelgoed_app::accounts::passwords::PasswordHasher;
use voelgoed_app::accounts::ports::{ApiKey, ConsoleSession};
use voelgoed_app::analytics::counters::Counters;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::checkout::placed_order_keys::PlacedOrderKeys;
use voelgoed_app::checkout::watch::OrderWatch;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::error::{Dependency, Error, Fault, Result};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::dispatch::Dispatch;
use voelgoed_app::payments::open_refund::{OpenRefund, open_refund};
use voelgoed_app::platform::{Platform, SaleTimes};
use voelgoed_app::scanning::codes::signer;
use voelgoed_app::scanning::decide::Scanned;
use voelgoed_app::scanning::gate_filter_sync::PendingFilterUpdates;
use voelgoed_app::scanning::ports::{Device, Gate};
use voelgoed_app::scanning::scan::{ScanCommand, scan};
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryStore};
use voelgoed_app::ticketing::rebuild::Rebuilds;
use voelgoed_app::ticketing::seat_view::{Occupancy, SeatView};
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::selling::Shop;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, ScanId, TicketId};
use voelgoed_domain::payments::refund_plan::RefundRequest;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::code::TicketClaims;
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::ticketing::place::{Epoch, Position};
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::orders::CachedOrders;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::memory::MemoryInventory;

use super::stores::Failing;

const DAY: Duration = Duration::from_secs(86_400);
const SECRET: [u8; 32] = [3; 32];

pub struct Scene {
    pub shop: Shop<Cold>,
    pub warm: Arc<MemoryInventory>,
    pub scope: EventScope,
    pub order: OrderId,
    pub ticket: TicketId,
    gates: Vec<Gate>,
}

/// A node, with ways of its own to the two stores.
pub struct Node {
    pub platform: Platform,
    pub cold: Arc<Failing<Cold>>,
    pub warm: Arc<Failing<MemoryInventory>>,
}

impl Scene {
    pub async fn open() -> Self {
        let directory = Directory::new("app");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        let subject = Subject { store, environment: environment.clone(), keep: Box::new(directory) };
        let shop = Shop::open(subject).await;
        let scope = EventScope { organization: shop.organization, event: shop.event };
        let (order, _, tickets) = shop.paid(&[1]).await;
        let warm = Arc::new(MemoryInventory::new(environment.clone()));
        let floor = AreaSpan { area: shop.area, places: 0..10, seated: false };
        let lease = environment.uuid();
        warm.lease_rebuild(scope, lease, Duration::from_secs(60)).await.unwrap();
        let install =
            Install { epoch: Epoch(1), areas: vec![floor], places: vec![], revoked: vec![], admitted: vec![] };
        warm.install(scope, lease, install).await.unwrap();
        let gate = |name: &str| {
            let id = fresh(&*environment);
            Gate { id, event: scope.event, name: name.to_owned(), areas: vec![] }
        };
        let gates = vec![gate("North"), gate("South")];
        Self { shop, warm, scope, order, ticket: tickets[0].id, gates }
    }

    pub fn node(&self) -> Node {
        let store = self.shop.store();
        let cold = Arc::new(Failing::new(Arc::clone(store), Dependency::Cold));
        let warm = Arc::new(Failing::new(Arc::clone(&self.warm), Dependency::Warm));
        let master = MasterKey::new(SECRET);
        let clock: Arc<dyn Environment> = self.shop.subject.environment.clone();
        let platform = Platform {
            capabilities: Capabilities::new(),
            shares: TenantBulkheads::new(16, 16),
            environment: self.shop.subject.environment.clone(),
            inventory: self.warm.clone(),
            rebuilds: Rebuilds::default(),
            seat_view: Arc::new(Elsewhere(vec![])),
            places: store.clone(),
            catalog: store.clone(),
            listings: Arc::new(Elsewhere(vec![])),
            accounts: store.clone(),
            credentials: Arc::new(Elsewhere(self.gates.clone())),
            passwords: Arc::new(Elsewhere(vec![])),
            orders: store.clone(),
            order_views: Arc::new(CachedOrders::new(store.clone(), &clock)),
            order_watch: OrderWatch::default(),
            taken_orders: PlacedOrderKeys::default(),
            idempotency: store.clone(),
            payments: store.clone(),
            dispatch: Dispatch::default(),
            gateways: vec![],
            scans: cold.clone(),
            kept_scans: warm.clone(),
            untold: PendingFilterUpdates::default(),
            counters: Counters::default(),
            count_stream: self.warm.clone(),
            analytics: store.clone(),
            ledger: store.clone(),
            jobs: store.clone(),
            outbox: store.clone(),
            tokens: Tokens::new(&master),
            master,
            times: SaleTimes::default(),
            places_per_address: PlacesPerAddress::UNLIMITED,
        };
        Node { platform, cold, warm }
    }

    /// A new reading of the ticket, at the gate of this number.
    pub fn reading(&self, gate: usize) -> (Device, ScanCommand) {
        let environment = &*self.shop.subject.environment;
        let gate = &self.gates[gate];
        let device = Device {
            id: fresh(environment),
            organization: self.scope.organization,
            event: self.scope.event,
            name: gate.name.clone(),
            gates: vec![gate.id],
            paired_at: None,
            revoked_at: None,
        };
        let now = environment.now();
        let code = self.code(now.minus(DAY), now.plus(DAY));
        let (id, direction): (ScanId, _) = (fresh(environment), Direction::Entry);
        (device, ScanCommand { id, code, gate: gate.id, direction, scanned_at: Some(now), forced: false })
    }

    /// The ticket's code, as it was good for a day and is no more.
    pub fn expired_code(&self) -> String {
        let now = self.shop.subject.environment.now();
        self.code(now.minus(DAY * 2), now.minus(DAY))
    }

    fn code(&self, from: Timestamp, until: Timestamp) -> String {
        let claims = TicketClaims::new(self.scope.event, self.ticket, from, until);
        signer(&MasterKey::new(SECRET), self.scope.organization).sign(&claims)
    }

    /// Asks for the ticket's money.
    pub async fn refund(&self, node: &Node) -> Result<()> {
        let key = IdempotencyKey { scope: "test".into(), key: "once".into(), request: [1; 32] };
        let command = OpenRefund {
            order: self.order,
            wish: RefundRequest::Tickets(vec![self.ticket]),
            revoke: None,
            reason: "rain".into(),
            forced: false,
            actor: "mem_1".into(),
            idempotent: Idempotent { key, render: &|_| Bytes::from_static(b"an answer") },
        };
        let opened = open_refund(&node.platform, self.scope.organization, command).await?;
        assert!(matches!(opened, Created::Fresh(_)));
        Ok(())
    }
}

impl Node {
    pub async fn scan(&self, reading: &(Device, ScanCommand)) -> Result<Scanned> {
        scan(&self.platform, &reading.0, reading.1.clone()).await
    }
}

/// What a gate does not need, at somebody else's; it knows the gates alone.
struct Elsewhere(Vec<Gate>);

fn nothing<T>() -> Result<T> {
    Err(Error::Refused(Refusal::not_found()))
}

#[async_trait]
impl Listings for Elsewhere {
    async fn locate(&self, _event: EventId) -> Result<EventScope> {
        nothing()
    }
    async fn listing(&self, _scope: EventScope) -> Result<Arc<Listing>> {
        nothing()
    }
    async fn seating(&self, _scope: EventScope) -> Result<Arc<SeatingPlans>> {
        nothing()
    }
    async fn venue(&self, _scope: EventScope) -> Result<Arc<Venue>> {
        nothing()
    }
    fn read_at(&self, _scope: EventScope) -> Option<Timestamp> {
        None
    }
    fn changed(&self, _organization: OrganizationId, _event: EventId) {}
    fn revalidate_all(&self) {}
}

#[async_trait]
impl Credentials for Elsewhere {
    async fn api_key(&self, _secret: [u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        Ok(None)
    }
    async fn device(&self, _key: [u8; 32]) -> Result<Option<Arc<Device>>> {
        Ok(None)
    }
    async fn login(&self, _token: [u8; 32]) -> Result<Option<Arc<ConsoleSession>>> {
        Ok(None)
    }
    async fn gates(&self, _scope: EventScope) -> Result<Arc<Vec<Gate>>> {
        Ok(Arc::new(self.0.clone()))
    }
    fn known(&self, _secret: [u8; 32]) -> Option<KnownCredential> {
        None
    }
    fn forget(&self, _secret: [u8; 32]) {}
    fn changed(&self, _organization: OrganizationId) {}
    fn revoked(&self, _organization: OrganizationId, _revoked: &RevokedCredential) {}
    fn login_ended(&self, _token: [u8; 32]) {}
    fn revalidate_all(&self) {}
}

#[async_trait]
impl PasswordHasher for Elsewhere {
    async fn hash(&self, _password: String) -> Result<String> {
        Err(Fault::internal("nobody logs in at a gate").into())
    }
    async fn verify(&self, _password: String, _hash: Option<String>) -> Result<bool> {
        Ok(false)
    }
}

#[async_trait]
impl SeatView for Elsewhere {
    async fn current(&self, _scope: EventScope) -> Result<Arc<dyn Occupancy>> {
        nothing()
    }
    async fn newer_than(&self, _scope: EventScope, _position: Position) -> Result<Arc<dyn Occupancy>> {
        nothing()
    }
}
