//! Test fixture: one node with its clock and an event of its own on a Redis server.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::new_id;
use voelgoed_app::ticketing::ports::{
    AreaSpan, EventScope, Install, InventoryError, InventoryResult, InventoryStore, RebuildLease,
};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::until::until;
use voelgoed_warm::redis::{ClockSource, RedisSettings, RedisWarm};

/// The time within which a store must serve again.
pub const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// A node of an installation.
pub struct StoreNode {
    pub store: RedisWarm,
    pub environment: Arc<TestEnvironment>,
    pub scope: EventScope,
    pub settings: RedisSettings,
}

impl StoreNode {
    pub fn new(url: &str) -> Self {
        let environment = Arc::new(TestEnvironment::default());
        let scope = EventScope { organization: new_id(&*environment), event: new_id(&*environment) };
        let settings = RedisSettings {
            clock: ClockSource::Environment,
            reply_timeout: Duration::from_secs(1),
            ..crate::shared_servers::settings(url)
        };
        Self::with(settings, environment, scope)
    }

    pub fn with(settings: RedisSettings, environment: Arc<TestEnvironment>, scope: EventScope) -> Self {
        Self { store: RedisWarm::open(settings.clone(), Arc::clone(&environment) as _), environment, scope, settings }
    }

    /// Another node of the same installation that has seen no position yet.
    pub fn neighbour(&self) -> Self {
        Self::with(self.settings.clone(), Arc::clone(&self.environment), self.scope)
    }

    /// A node of the same installation that reaches its server by another address.
    pub fn at(&self, address: &str) -> Self {
        let settings = RedisSettings { addresses: vec![address.to_owned()], ..self.settings.clone() };
        Self::with(settings, Arc::clone(&self.environment), self.scope)
    }

    pub async fn load(&self, epoch: u64) {
        let lease = Uuid::from_u128(1);
        assert_eq!(self.store.lease_rebuild(self.scope, lease, RECOVERY_TIMEOUT).await.unwrap(), RebuildLease::Granted);
        let area = AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(1)), places: 0..100, seated: true };
        let install =
            Install { epoch: Epoch(epoch), areas: vec![area], places: vec![], revoked: vec![], admitted: vec![] };
        self.store.install(self.scope, lease, install).await.unwrap();
    }

    pub async fn hold(&self, place: u32) -> InventoryResult<HoldRecord> {
        let request = HoldRequest {
            expected_version: 1,
            address: None,
            places_per_address: u32::MAX,
            hold: new_id(&*self.environment),
            session: new_id(&*self.environment),
            picks: vec![Pick::Place(PlaceNumber(place))],
            terms: String::new(),
            lasts_millis: 600_000,
            places_per_session: 10,
        };
        self.store.hold(self.scope, request).await
    }

    /// The full name of a key of the event.
    pub fn key(&self, name: &str) -> String {
        let EventScope { organization, event } = self.scope;
        format!("{}:{{{}:{}}}:{name}", self.settings.prefix, organization.uuid().simple(), event.uuid().simple())
    }

    /// The key of a list of active events.
    pub fn list(&self, name: &str) -> String {
        format!("{}:active:{name}", self.settings.prefix)
    }

    pub async fn is_unloaded(&self) -> bool {
        matches!(self.store.snapshot(self.scope).await, Err(InventoryError::Unloaded))
    }

    /// The code of the refusal to read a hold; none if the hold exists.
    pub async fn refusal_of(&self, record: &HoldRecord) -> Option<Code> {
        match self.store.read_hold(self.scope, record.hold).await {
            Ok(_) => None,
            Err(InventoryError::Refused(refusal)) => Some(refusal.code),
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until the store replies.
    pub async fn wait_until_reachable(&self) {
        until("the store replies", RECOVERY_TIMEOUT, || async {
            Ok(match self.store.snapshot(self.scope).await {
                Err(InventoryError::Fault(_)) => None,
                _ => Some(()),
            })
        })
        .await
        .unwrap();
    }
}
