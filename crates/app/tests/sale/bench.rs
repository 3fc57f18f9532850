//! A shop with one event on sale, and everything that commands need.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use voelgoed_app::accounts::passwords::PasswordHasher;
use voelgoed_app::analytics::counters::Counters;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::checkout::place_order::{PaymentChoice, PlaceOrder, place_order};
use voelgoed_app::checkout::placed_order_keys::PlacedOrderKeys;
use voelgoed_app::checkout::ports::{Buyer, OrderDetail};
use voelgoed_app::checkout::watch::OrderWatch;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::error::Result;
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent};
use voelgoed_app::payments::dispatch::Dispatch;
use voelgoed_app::payments::ports::{
    Callback, CallbackRejected, Charge, PaymentGateway, ProviderKey, RefundCharge, RefundObservation,
};
use voelgoed_app::platform::{Platform, SaleTimes};
use voelgoed_app::scanning::gate_filter_sync::PendingFilterUpdates;
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::hold::{HoldCommand, hold};
use voelgoed_app::ticketing::picks::Item;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::rebuild::Rebuilds;
use voelgoed_app::ticketing::seat_view::{Occupancy, SeatView};
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::catalogue::{a_ticket_type, event, made, organization};
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_domain::catalog::event::EventState;
use voelgoed_domain::catalog::ticket_type::{TicketType, TicketTypeLimits};
use voelgoed_domain::ids::{HoldId, RefundId, SessionId, TicketTypeId};
use voelgoed_domain::payments::decide::{Cancellation, Observation};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, Position};
use voelgoed_domain::time::Timestamp;
use voelgoed_hot::credentials::CachedCredentials;
use voelgoed_hot::listings::CachedListings;
use voelgoed_hot::orders::CachedOrders;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::memory::MemoryInventory;

/// So much of a kind of work is under way at once.
pub const RUNNING: usize = 16;

/// A shop that sells.
pub struct Bench {
    pub platform: Arc<Platform>,
    pub environment: Arc<TestEnvironment>,
    pub provider: Arc<Provider>,
    pub scope: EventScope,
    pub ticket_type: TicketTypeId,
    warm: Arc<MemoryInventory>,
    directory: Directory,
}

impl Bench {
    /// Opens a shop with an event of four seats and a field of ten, not yet loaded into warm.
    pub async fn open() -> Self {
        let directory = Directory::new("sale");
        let environment = Arc::new(TestEnvironment::default());
        let cold = Arc::new(Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap());
        let subject = Subject { store: cold.clone(), environment: environment.clone(), keep: Box::new(()) };
        let organization = organization(&subject).await;
        let event = event(&subject, organization).await;
        let now = environment.now();
        cold.move_event(organization, event.id, &[EventState::Draft], EventState::Published, now)
            .await
            .unwrap()
            .unwrap();
        let ticket_type = TicketType {
            areas: vec![],
            categories: vec![],
            prices: vec![],
            limits: TicketTypeLimits { min_per_hold: 1, max_per_hold: 6, max_per_buyer: None },
            ..a_ticket_type(&environment, event.id)
        };
        made(cold.create_ticket_type(organization, ticket_type.clone(), now, None).await.unwrap());
        let provider = Arc::new(Provider::default());
        let warm = Arc::new(MemoryInventory::new(environment.clone()));
        let platform = Arc::new(platform(&cold, &warm, &environment, &provider));
        let scope = EventScope { organization, event: event.id };
        Self { platform, environment, provider, scope, ticket_type: ticket_type.id, warm, directory }
    }

    /// Holds a seat, for a session of its own.
    pub async fn held(&self, place: u32) -> HoldId {
        self.asked(place, fresh(&*self.environment), None).await.unwrap()
    }

    /// Asks for a seat, with a key where it can be repeated.
    pub async fn asked(&self, place: u32, session: SessionId, key: Option<&str>) -> Result<HoldId> {
        let command = HoldCommand {
            address: None,
            scope: self.scope,
            session,
            items: vec![Item::Place { place: PlaceNumber(place), ticket_type: self.ticket_type, accessible: true }],
            best_available: false,
            code: None,
            repeatable: key.map(|key| (key.to_owned(), [7; 32])),
        };
        Ok(hold(&self.platform, command).await?.id)
    }

    /// Makes an order of a hold.
    pub async fn order(&self, hold: HoldId) -> Result<Created<OrderDetail>> {
        self.order_with(hold, "once").await
    }

    /// The same under another key.
    pub async fn order_with(&self, hold: HoldId, key: &str) -> Result<Created<OrderDetail>> {
        self.order_of(hold, key, "ann@example.org", Some("ok")).await
    }

    /// Makes an order for somebody, who pays by a method or says not how.
    pub async fn order_of(
        &self,
        hold: HoldId,
        key: &str,
        email: &str,
        method: Option<&str>,
    ) -> Result<Created<OrderDetail>> {
        let key = IdempotencyKey { scope: format!("hold:{hold}"), key: key.into(), request: [7; 32] };
        let buyer = Buyer { name: "Ann".into(), email: email.into() };
        let payment = method.map(|method| PaymentChoice { provider: "puppet".into(), method: method.into() });
        let idempotent = Idempotent { key, render: &|_| Bytes::from_static(b"an order") };
        place_order(&self.platform, PlaceOrder { scope: self.scope, hold, buyer, address: None, payment, idempotent })
            .await
    }

    /// Tells warm what cold decided about the places of a hold that became an order, as the relay does.
    pub async fn relayed(&self, hold: HoldId) {
        let organization = self.scope.organization;
        let order = self.platform.orders.order_of_hold(organization, hold).await.unwrap().unwrap();
        let detail = self.platform.orders.read_order(organization, order).await.unwrap().unwrap();
        let places: Vec<PlaceNumber> = detail.lines.iter().map(|line| line.place).collect();
        let effects = self.platform.places.read_places(organization, self.scope.event, &places).await.unwrap();
        self.platform.inventory.apply(self.scope, Some((hold, order)), &effects).await.unwrap();
    }

    /// Everything that both stores hold, but for the positions of warm's log: a pin that was taken back has moved them.
    pub fn dump(&self) -> String {
        let snapshot = self.platform.inventory.snapshot(self.scope).now_or_never();
        let snapshot = snapshot.and_then(std::result::Result::ok).map(|snapshot| (snapshot.places, snapshot.counts));
        let warm = format!("{:?} {snapshot:?}", self.warm);
        let mut kept = String::with_capacity(warm.len());
        // A bitmap shows where it lies; what it says is in the snapshot.
        for part in warm.split("data: 0x") {
            kept.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
        }
        let warm = std::mem::take(&mut kept);
        for part in warm.split("seq: ") {
            kept.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        let epochs = (1..9).map(|epoch| {
            let position = format!("Position {{ epoch: Epoch({epoch}),  }}");
            format!("InventoryChange {{ position: {position}, places: [] }}")
        });
        for unseen in epochs {
            kept = kept.replace(&format!(", {unseen}"), "").replace(&unseen, "");
        }
        let mut files: Vec<_> =
            std::fs::read_dir(self.directory.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.is_file() && !file.to_string_lossy().ends_with("-shm"));
        files.sort();
        for file in files {
            let digest = voelgoed_app::token::fingerprint(&String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
            kept.push_str(&format!("\n{}: {digest:?}", file.display()));
        }
        kept
    }

    /// An order that was made now.
    pub async fn ordered(&self, place: u32) -> OrderDetail {
        let hold = self.held(place).await;
        match self.order(hold).await.unwrap() {
            Created::Fresh(detail) => detail,
            Created::Replayed(_) => panic!("a replay"),
        }
    }
}

fn platform(
    cold: &Arc<Cold>,
    warm: &Arc<MemoryInventory>,
    environment: &Arc<TestEnvironment>,
    provider: &Arc<Provider>,
) -> Platform {
    let clock: Arc<dyn Environment> = environment.clone();
    let master = MasterKey::new([7; 32]);
    Platform {
        capabilities: Capabilities::new(),
        shares: TenantBulkheads::new(RUNNING, 16),
        inventory: warm.clone(),
        rebuilds: Rebuilds::default(),
        seat_view: Arc::new(NothingTaken),
        places: cold.clone(),
        catalog: cold.clone(),
        listings: Arc::new(CachedListings::new(cold.clone(), &clock)),
        accounts: cold.clone(),
        credentials: Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &clock)),
        passwords: Arc::new(PlainPasswords),
        orders: cold.clone(),
        order_views: Arc::new(CachedOrders::new(cold.clone(), &clock)),
        order_watch: OrderWatch::default(),
        taken_orders: PlacedOrderKeys::default(),
        idempotency: cold.clone(),
        payments: cold.clone(),
        dispatch: Dispatch::default(),
        gateways: vec![provider.clone()],
        scans: cold.clone(),
        kept_scans: warm.clone(),
        untold: PendingFilterUpdates::default(),
        counters: Counters::default(),
        count_stream: warm.clone(),
        analytics: cold.clone(),
        ledger: cold.clone(),
        jobs: cold.clone(),
        outbox: cold.clone(),
        tokens: Tokens::new(&master),
        master,
        times: SaleTimes::default(),
        places_per_address: PlacesPerAddress::UNLIMITED,
        environment: clock,
    }
}

/// A view that refuses nothing early, so that the tiers decide.
struct NothingTaken;

impl Occupancy for NothingTaken {
    fn position(&self) -> Position {
        Position { epoch: Epoch(0), seq: 0 }
    }

    fn packed(&self) -> &[u8] {
        &[0; 4]
    }
}

#[async_trait]
impl SeatView for NothingTaken {
    async fn current(&self, _scope: EventScope) -> Result<Arc<dyn Occupancy>> {
        Ok(Arc::new(Self))
    }

    async fn newer_than(&self, _scope: EventScope, _position: Position) -> Result<Arc<dyn Occupancy>> {
        Ok(Arc::new(Self))
    }
}

/// Nobody logs in here.
/// Passwords as they are: hashing them has its own tests.
struct PlainPasswords;

#[async_trait]
impl PasswordHasher for PlainPasswords {
    async fn hash(&self, password: String) -> Result<String> {
        Ok(password)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        Ok(hash == Some(password))
    }
}

/// A provider that captures at once, and counts how often it was asked to.
#[derive(Default)]
pub struct Provider {
    charges: AtomicUsize,
    /// What it answers on being asked about a charge or to cancel it; nothing where absent.
    pub answer: Mutex<Option<Observation>>,
    /// What its next message says.
    pub message: Mutex<Option<Callback>>,
}

impl Provider {
    /// How often money was asked for.
    pub fn charges(&self) -> usize {
        self.charges.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PaymentGateway for Provider {
    fn name(&self) -> &'static str {
        "puppet"
    }

    fn has_method(&self, method: &str) -> bool {
        method == "ok"
    }

    fn cancellation(&self, _method: &str) -> Cancellation {
        Cancellation::AtProvider
    }

    async fn charge(&self, charge: &Charge) -> Observation {
        self.charges.fetch_add(1, Ordering::SeqCst);
        Observation::Captured { amount: charge.amount, provider_ref: charge.key.payment.to_string() }
    }

    async fn poll(&self, _key: ProviderKey) -> Observation {
        self.answer.lock().unwrap().clone().unwrap_or(Observation::NoAnswer)
    }

    async fn cancel(&self, key: ProviderKey) -> Observation {
        self.poll(key).await
    }

    async fn refund(&self, _refund: &RefundCharge) -> RefundObservation {
        RefundObservation::NoAnswer
    }

    async fn poll_refund(&self, _refund: RefundId) -> RefundObservation {
        RefundObservation::NoAnswer
    }

    fn verify_callback(
        &self,
        _headers: &[(String, String)],
        _body: &[u8],
        _now: Timestamp,
    ) -> std::result::Result<Callback, CallbackRejected> {
        self.message.lock().unwrap().take().ok_or(CallbackRejected::Forged)
    }
}
