//! Collects counts while cold is unavailable, with analytics alone on fakes of its two ports: no store of another slice is built.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use voelgoed_app::analytics::Analytics;
use voelgoed_app::analytics::ports::{AnalyticsStore, CountStream, FunnelMinute, StepCountEntry, StepCounts};
use voelgoed_app::context::{Context, SaleTimes};
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::Capabilities;

/// One event with one entry in its stream; cold answers no write.
struct ColdIsDown {
    scope: EventScope,
    at: Timestamp,
    finished: Mutex<Vec<String>>,
}

#[async_trait]
impl CountStream for ColdIsDown {
    async fn append_counts(&self, _: EventScope, _: Timestamp, _: StepCounts) -> StoreResult<()> {
        Ok(())
    }

    async fn take(&self, _: EventScope, _: Uuid, _: usize, _: Duration) -> StoreResult<Vec<StepCountEntry>> {
        let counts = StepCounts { viewed: 1, ..StepCounts::default() };
        Ok(vec![StepCountEntry { id: "1-0".to_owned(), minute: self.at, counts }])
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(vec![self.scope])
    }

    async fn finish(&self, _: EventScope, ids: &[String]) -> StoreResult<u64> {
        self.finished.lock().unwrap().extend_from_slice(ids);
        Ok(0)
    }
}

#[async_trait]
impl AnalyticsStore for ColdIsDown {
    async fn add_counts(&self, _: EventScope, _: &[StepCountEntry]) -> StoreResult<()> {
        Err(Fault::unavailable(Dependency::Cold, "no connection"))
    }

    async fn funnel(
        &self,
        _: OrganizationId,
        _: EventId,
        _: Timestamp,
        _: Timestamp,
    ) -> StoreResult<Vec<FunnelMinute>> {
        Ok(vec![])
    }
}

#[tokio::test]
async fn entry_stays_in_its_stream_while_cold_is_unavailable() {
    let environment = Arc::new(TestEnvironment::default());
    let scope = EventScope { organization: new_id(&*environment), event: new_id(&*environment) };
    let stores = Arc::new(ColdIsDown { scope, at: environment.now(), finished: Mutex::default() });
    let master = MasterKey::new([7; 32]);
    let context = Context {
        environment,
        capabilities: Capabilities::new(),
        bulkheads: Arc::new(TenantBulkheads::new(1, 0)),
        tokens: Tokens::new(&master),
        master,
        times: SaleTimes::default(),
    };
    let analytics = Analytics { context, counters: Arc::default(), stream: stores.clone(), store: stores.clone() };
    assert!(analytics.collect_counts(Uuid::nil()).await.is_err());
    assert_eq!(*stores.finished.lock().unwrap(), [""; 0]);
}
