//! Builds the platform in one process for tests of commands: warm in memory, cold on SQLite, a clock that the test moves, a scripted payment provider.
//!
//! Never: a server, the machine's clock.

mod dump;
mod fakes;
mod offer;
mod provider;

use std::sync::Arc;

use voelgoed_app::adapters::{Adapters, NodeParts};
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::context::{Context, SaleTimes};
use voelgoed_app::environment::Environment;
use voelgoed_app::slices::Slices;
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_app::ticketing::load_event::EventLoader;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::SeatView;
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::catalog::ticket_type::TicketType;
use voelgoed_domain::ids::TicketTypeId;
use voelgoed_hot::credentials::CachedCredentials;
use voelgoed_hot::listings::CachedListings;
use voelgoed_hot::orders::CachedOrders;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::memory::MemoryInventory;

use offer::OfferChanges;

pub use fakes::{EmptySeatView, PlainPasswords, ScriptedSeatView};
pub use provider::{ProviderCall, ScriptedProvider};

/// The secret from which every key of a test platform is derived.
pub const MASTER_SECRET: [u8; 32] = [7; 32];

/// The platform with one organization that sells one event.
pub struct TestPlatform {
    /// The slices with their operations.
    pub slices: Slices,
    /// The clock, the identifiers and the random bytes.
    pub environment: Arc<TestEnvironment>,
    /// The payment provider.
    pub provider: Arc<ScriptedProvider>,
    /// The cold tier.
    pub cold: Arc<Cold>,
    /// The warm tier.
    pub warm: Arc<MemoryInventory>,
    /// The event that is on sale.
    pub scope: EventScope,
    /// What is sold for its places.
    pub ticket_type: TicketTypeId,
    /// The files of the cold tier.
    pub directory: TestDirectory,
}

/// Chooses what differs from a platform with defaults.
pub struct TestPlatformBuilder {
    running: usize,
    waiting: usize,
    times: SaleTimes,
    places_per_address: PlacesPerAddress,
    seat_view: Arc<dyn SeatView>,
    changes: OfferChanges,
}

impl TestPlatform {
    /// A platform whose limits are those of production, but for the places per address, which are not limited.
    #[must_use]
    pub fn builder() -> TestPlatformBuilder {
        TestPlatformBuilder {
            running: 16,
            waiting: 16,
            times: SaleTimes::default(),
            places_per_address: PlacesPerAddress::UNLIMITED,
            seat_view: Arc::new(EmptySeatView),
            changes: OfferChanges::default(),
        }
    }

    /// A platform with defaults.
    pub async fn open() -> Self {
        Self::builder().open().await
    }
}

impl TestPlatformBuilder {
    /// Limits the work of one organization: `running` pieces of each class in progress, `waiting` more.
    #[must_use]
    pub fn bulkheads(self, running: usize, waiting: usize) -> Self {
        Self { running, waiting, ..self }
    }

    /// Sets how long the parts of a sale last.
    #[must_use]
    pub fn times(self, times: SaleTimes) -> Self {
        Self { times, ..self }
    }

    /// Limits the places of one client address.
    #[must_use]
    pub fn places_per_address(self, places_per_address: PlacesPerAddress) -> Self {
        Self { places_per_address, ..self }
    }

    /// Sets the view on which best-available seats are chosen; the default shows every place as free.
    #[must_use]
    pub fn seat_view(self, seat_view: Arc<dyn SeatView>) -> Self {
        Self { seat_view, ..self }
    }

    /// Sets the areas of the event; the default is a row of four seats and a field of ten.
    #[must_use]
    pub fn areas(mut self, areas: Vec<AreaDraft>) -> Self {
        self.changes.areas = Some(areas);
        self
    }

    /// Changes the event before it is stored.
    #[must_use]
    pub fn event(mut self, change: impl FnOnce(&mut Event) + Send + 'static) -> Self {
        self.changes.event = Some(Box::new(change));
        self
    }

    /// Changes the ticket type before it is stored.
    #[must_use]
    pub fn ticket_type(mut self, change: impl FnOnce(&mut TicketType) + Send + 'static) -> Self {
        self.changes.ticket_type = Some(Box::new(change));
        self
    }

    /// Opens the stores and puts one event on sale: a row of four seats and a field of ten, not yet loaded into warm.
    pub async fn open(mut self) -> TestPlatform {
        let directory = TestDirectory::new("platform");
        let environment = Arc::new(TestEnvironment::default());
        let cold = Arc::new(Cold::open(ColdConfig::embedded(directory.path()), environment.clone()).await.unwrap());
        let changes = std::mem::take(&mut self.changes);
        let (scope, ticket_type) = offer::put_on_sale(&cold, &environment, changes).await;
        let provider = Arc::new(ScriptedProvider::default());
        let warm = Arc::new(MemoryInventory::new(environment.clone()));
        let slices = self.slices(&cold, &warm, &environment, &provider);
        TestPlatform { slices, environment, provider, cold, warm, scope, ticket_type, directory }
    }

    fn slices(
        self,
        cold: &Arc<Cold>,
        warm: &Arc<MemoryInventory>,
        environment: &Arc<TestEnvironment>,
        provider: &Arc<ScriptedProvider>,
    ) -> Slices {
        let environment: Arc<dyn Environment> = environment.clone();
        let master = MasterKey::new(MASTER_SECRET);
        let credentials = Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &environment));
        let order_views = Arc::new(CachedOrders::new(cold.clone(), &environment));
        let listings: Arc<dyn Listings> = Arc::new(CachedListings::new(cold.clone(), &environment));
        let loader = EventLoader::new(Arc::clone(&environment), warm.clone(), cold.clone(), Arc::clone(&listings));
        let context = Context {
            environment,
            capabilities: Capabilities::new(),
            bulkheads: Arc::new(TenantBulkheads::new(self.running, self.waiting)),
            tokens: Tokens::new(&master),
            master,
            times: self.times,
        };
        let node = NodeParts {
            context,
            credentials: credentials.clone(),
            gate_directory: credentials,
            passwords: Arc::new(PlainPasswords),
            listings,
            order_views: order_views.clone(),
            order_updates: order_views,
            gateways: vec![provider.clone()],
            loader: Arc::new(loader),
            seat_view: self.seat_view,
            places_per_address: self.places_per_address,
        };
        Slices::new(&Adapters { cold: cold.clone(), warm: warm.clone(), node })
    }
}
