//! Measures the cost of a hold at the warm tier's port in an event of 1,000 places and in one of 200,000, in memory and on Redis: it should not grow.
//!
//! Holds of one seat follow one another, then all are released untimed. Times are elapsed times, which include the network for Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryStore, RebuildLease};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::memory::MemoryInventory;
use voelgoed_warm::redis::{ClockSource, RedisSettings, RedisWarm};

const SMALL: u32 = 1_000;
const LARGE: u32 = 200_000;
/// Concurrent holds in either event.
const HOLDS: u32 = 500;
const REPEATS_PER_ROUND: usize = 10;

async fn install(store: &dyn InventoryStore, environment: &TestEnvironment, places: u32) -> anyhow::Result<EventScope> {
    let scope = EventScope { organization: new_id(environment), event: new_id(environment) };
    let lease = environment.uuid();
    if store.lease_rebuild(scope, lease, Duration::from_secs(60)).await? != RebuildLease::Granted {
        bail!("another node installs the event");
    }
    let area = AreaSpan { area: new_id(environment), places: 0..places, seated: true };
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
    for _ in 0..REPEATS_PER_ROUND {
        let stride = places / HOLDS;
        let requests: Vec<HoldRequest> = (0..HOLDS)
            .map(|at| HoldRequest {
                hold: new_id(environment),
                session: new_id(environment),
                picks: vec![Pick::Place(PlaceNumber(at * stride))],
                terms: "{}".repeat(100),
                lasts_millis: 600_000,
                places_per_session: 20,
                expected_version: 0,
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
    Ok(took.as_secs_f64() * 1e6 / (REPEATS_PER_ROUND * HOLDS as usize) as f64)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    std::fs::create_dir_all(&options.data)?;
    let server = RedisServer::start(&options.data).await?;
    let environment = Arc::new(TestEnvironment::default());
    let settings = RedisSettings::from_url(&server.url()).context("the server has an address")?;
    let memory = MemoryInventory::new(Arc::clone(&environment) as Arc<dyn Environment>);
    let redis =
        RedisWarm::open(RedisSettings { clock: ClockSource::Environment, ..settings }, Arc::clone(&environment) as _);
    let mut measures = Measures::default();
    for (name, store) in [("memory", &memory as &dyn InventoryStore), ("Redis", &redis)] {
        let (small, large) = (install(store, &environment, SMALL).await?, install(store, &environment, LARGE).await?);
        // The first round warms caches, and is not counted.
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
