//! What a hold costs at the warm tier's port in an event of 1,000 places and in one of 200,000, in memory and on Redis. It should not grow.
//!
//! One hold of one seat after the other, then all given back, untimed; time as it goes by, which for Redis includes the way there and back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryStore, Lease};
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber};
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::memory::MemoryInventory;
use voelgoed_warm::redis::{Clock, RedisSettings, RedisWarm};

const SMALL: u32 = 1_000;
const LARGE: u32 = 200_000;
/// Held at once, in either event.
const HOLDS: u32 = 500;
/// So often in a round.
const REPEATS: usize = 10;

async fn install(store: &dyn InventoryStore, environment: &TestEnvironment, places: u32) -> anyhow::Result<EventScope> {
    let scope = EventScope { organization: fresh(environment), event: fresh(environment) };
    let lease = environment.uuid();
    if store.lease_rebuild(scope, lease, Duration::from_secs(60)).await? != Lease::Given {
        bail!("somebody else installs the event");
    }
    let area = AreaSpan { area: fresh(environment), places: 0..places, seated: true };
    let install = Install { epoch: Epoch(1), areas: vec![area], places: vec![], revoked: vec![], admitted: vec![] };
    store.install(scope, lease, install).await?;
    Ok(scope)
}

/// Microseconds per hold.
async fn hold(
    store: &dyn InventoryStore,
    environment: &TestEnvironment,
    scope: EventScope,
    places: u32,
) -> anyhow::Result<f64> {
    let mut took = Duration::ZERO;
    for _ in 0..REPEATS {
        let stride = places / HOLDS;
        let requests: Vec<HoldRequest> = (0..HOLDS)
            .map(|at| HoldRequest {
                hold: fresh(environment),
                session: fresh(environment),
                picks: vec![Pick::Place(PlaceNumber(at * stride))],
                terms: "{}".repeat(100),
                lasts_millis: 600_000,
                places_per_session: 20,
                of_version: 0,
                address: None,
                places_per_address: u32::MAX,
            })
            .collect();
        let holds: Vec<_> = requests.iter().map(|request| request.hold).collect();
        let start = Instant::now();
        for request in requests {
            store.hold(scope, request).await?;
        }
        took += start.elapsed();
        for hold in holds {
            store.release(scope, hold).await?;
        }
    }
    Ok(took.as_secs_f64() * 1e6 / (REPEATS * HOLDS as usize) as f64)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.data)?;
    let server = RedisServer::start(&options.data).await?;
    let environment = Arc::new(TestEnvironment::default());
    let settings = RedisSettings::from_url(&server.url()).context("the server has an address")?;
    let memory = MemoryInventory::new(Arc::clone(&environment) as Arc<dyn Environment>);
    let redis = RedisWarm::open(RedisSettings { clock: Clock::Environment, ..settings }, Arc::clone(&environment) as _);
    let mut measures = Measures::default();
    for (name, store) in [("memory", &memory as &dyn InventoryStore), ("Redis", &redis)] {
        let (small, large) = (install(store, &environment, SMALL).await?, install(store, &environment, LARGE).await?);
        // The first round warms, and is not counted.
        for round in 0..=options.rounds {
            for (scope, places, size) in [(small, SMALL, "1,000"), (large, LARGE, "200,000")] {
                let micros = hold(store, &environment, scope, places).await?;
                if round > 0 {
                    measures.add(format!("{name}, {size} places"), "µs", micros);
                }
            }
        }
    }
    measures.print();
    Ok(())
}
