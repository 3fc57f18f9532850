//! Compares orders at the committer's port on a flushing Postgres with `pgbench` running the exact statements of one order in one transaction each, also
//! with its best `commit_delay` (Postgres' own way to share a flush).
//!
//! The statements are those that Postgres logs for a single order. Rounds alternate, each with new orders and places; a first round warms both sides and
//! is not counted.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use tokio::task::JoinSet;
use voelgoed_app::checkout::ports::{NewOrder, OrderStore};
use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::pgbench;
use voelgoed_testkit::postgres::{Postgres, ROLE};

const ORDERS: usize = 8_000;
const TASKS: usize = 32;
/// Transactions of each client in a run of `pgbench`.
const TRANSACTIONS_PER_CLIENT: usize = 60;
/// The values of `commit_delay` to try, in microseconds.
const COMMIT_DELAYS: [u32; 4] = [100, 500, 2_000, 5_000];
/// Places outside the measurements, whose numbers occur nowhere else.
const MARKED_PLACES: [u32; 2] = [777_701, 777_702];
const DATABASE: &str = "port";

async fn open(postgres: &Postgres, environment: &Arc<TestEnvironment>) -> anyhow::Result<Arc<Cold>> {
    let settings = PostgresSettings::new(postgres.url(DATABASE));
    Ok(Arc::new(Cold::open_postgres(&settings, Arc::clone(environment) as _).await?))
}

/// Orders per second at the port.
async fn place(fixture: &Arc<SalesFixture<Cold>>, first: u32, orders: usize) -> anyhow::Result<f64> {
    let mut work: Vec<Vec<NewOrder>> = vec![Vec::new(); TASKS];
    for number in 0..orders {
        let place = first + 2 * u32::try_from(number)?;
        work[number % TASKS].push(fixture.new_order(&[place, place + 1]));
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for mine in work {
        let fixture = Arc::clone(fixture);
        running.spawn(async move {
            for order in mine {
                let placed = fixture.store().place_order(fixture.organization, order).await;
                ensure!(matches!(placed, Ok(Ok(_))), "an order was not placed: {placed:?}");
            }
            Ok(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(orders as f64 / start.elapsed().as_secs_f64())
}

/// The script of one order, from the logged statements of two.
async fn script(
    postgres: &Postgres,
    fixture: &SalesFixture<Cold>,
    environment: &Arc<TestEnvironment>,
) -> anyhow::Result<String> {
    postgres.sql("postgres", &format!("alter role {ROLE} set log_statement = 'all'"))?;
    let store = open(postgres, environment).await?;
    for places in [MARKED_PLACES, [888_801, 888_802]] {
        let placed = store.place_order(fixture.organization, fixture.new_order(&places)).await;
        ensure!(matches!(placed, Ok(Ok(_))), "an order was not placed: {placed:?}");
    }
    store.close().await;
    postgres.sql("postgres", &format!("alter role {ROLE} reset log_statement"))?;
    let transactions = pgbench::transactions(&postgres.log()?);
    let mut long = transactions.into_iter().filter(|ran| ran.len() > 4);
    let (one, another) = long.next().zip(long.next()).context("two orders were logged")?;
    pgbench::script(&one, &another, MARKED_PLACES)
}

/// Transactions of one order each per second. `offset` separates the numbers of one run from those of another.
fn benchmark(postgres: &Postgres, script: &str, options: &BenchOptions, offset: usize) -> anyhow::Result<f64> {
    let path = options.data.join("order.sql");
    std::fs::write(&path, script)?;
    let mut command = Command::new("pgbench");
    let each = options.scaled(TRANSACTIONS_PER_CLIENT).to_string();
    command.args(["-n", "-M", "prepared", "-c", &TASKS.to_string(), "-j", "2", "-t", &each]);
    command.args(["-D", &format!("i={offset}"), "-f"]).arg(&path).arg(postgres.url(DATABASE));
    let done = command.output().context("is pgbench installed?")?;
    let text = String::from_utf8_lossy(&done.stdout);
    if !done.status.success() {
        bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&done.stderr));
    }
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("no rate in: {text}"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    std::fs::create_dir_all(&options.data)?;
    let postgres = Postgres::start_flushing().await?;
    postgres.create_database(DATABASE, "template0")?;
    migrate_postgres(&PostgresSettings::new(postgres.url(DATABASE))).await?;
    let environment = Arc::new(TestEnvironment::default());
    let store = open(&postgres, &environment).await?;
    let sut = Sut { store, environment: Arc::clone(&environment), keep: Box::new(()) };
    let fixture = Arc::new(SalesFixture::open(sut).await);
    let script = script(&postgres, &fixture, &environment).await?;
    let (orders, each) = (options.scaled(ORDERS), options.scaled(TRANSACTIONS_PER_CLIENT));
    let mut measures = Measures::default();
    let (mut first, mut offset) = (1_000_000, 0);
    for round in 0..=options.rounds {
        let shared = place(&fixture, first, orders).await?;
        first += 2 * u32::try_from(orders)?;
        // As a worker does every two seconds.
        fixture.store().analyze_grown_tables().await.map_err(anyhow::Error::msg)?;
        let (mut single, mut best) = (0.0, 0.0_f64);
        for delay in [0].into_iter().chain(COMMIT_DELAYS) {
            postgres.sql("postgres", &format!("alter system set commit_delay = {delay}"))?;
            postgres.sql("postgres", "select pg_reload_conf()")?;
            let rate = benchmark(&postgres, &script, &options, offset)?;
            offset += each;
            if delay == 0 {
                single = rate;
            }
            best = best.max(rate);
        }
        if round > 0 {
            measures.add("32 tasks, shared", "orders/s", shared);
            measures.add("pgbench, one transaction each", "orders/s", single);
            measures.add("pgbench, best commit_delay", "orders/s", best);
        }
        postgres.sql("postgres", "alter system reset commit_delay")?;
        postgres.sql("postgres", "select pg_reload_conf()")?;
    }
    fixture.store().close().await;
    measures.print();
    Ok(())
}
