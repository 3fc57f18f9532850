//! Orders at the committer's port on a Postgres that flushes, beside `pgbench` with the very statements of one order, one transaction each; and beside its
//! best `commit_delay`, which is Postgres' own way to share a flush.
//!
//! The statements are those that Postgres logged of a lone order. Rounds in turn, each on orders and places of its own; before them both sides run once
//! uncounted, on a server that has just started.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use tokio::task::JoinSet;
use voelgoed_app::checkout::ports::{NewOrder, OrderStore};
use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::selling::Shop;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::pgbench;
use voelgoed_testkit::postgres::{Postgres, ROLE};

const ORDERS: usize = 8_000;
const TASKS: usize = 32;
/// Transactions of each of as many clients, in a run of `pgbench`.
const EACH: usize = 60;
/// What is tried, in microseconds.
const DELAYS: [u32; 4] = [100, 500, 2_000, 5_000];
/// Places that no order of a measurement has, and whose numbers are nothing else.
const MARKED: [u32; 2] = [777_701, 777_702];
const DATABASE: &str = "port";

async fn open(postgres: &Postgres, environment: &Arc<TestEnvironment>) -> anyhow::Result<Arc<Cold>> {
    let settings = PostgresSettings::new(postgres.url(DATABASE));
    Ok(Arc::new(Cold::open_postgres(&settings, Arc::clone(environment) as _).await?))
}

/// Orders a second through the port.
async fn place(shop: &Arc<Shop<Cold>>, first: u32, orders: usize) -> anyhow::Result<f64> {
    let mut work: Vec<Vec<NewOrder>> = vec![Vec::new(); TASKS];
    for number in 0..orders {
        let place = first + 2 * u32::try_from(number)?;
        work[number % TASKS].push(shop.an_order(&[place, place + 1]));
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for mine in work {
        let shop = Arc::clone(shop);
        running.spawn(async move {
            for order in mine {
                let placed = shop.store().place_order(shop.organization, order).await;
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

/// The script of one order, by what Postgres logs of two.
async fn script(postgres: &Postgres, shop: &Shop<Cold>, environment: &Arc<TestEnvironment>) -> anyhow::Result<String> {
    postgres.sql("postgres", &format!("alter role {ROLE} set log_statement = 'all'"))?;
    let logged = open(postgres, environment).await?;
    for places in [MARKED, [888_801, 888_802]] {
        let placed = logged.place_order(shop.organization, shop.an_order(&places)).await;
        ensure!(matches!(placed, Ok(Ok(_))), "an order was not placed: {placed:?}");
    }
    logged.close().await;
    postgres.sql("postgres", &format!("alter role {ROLE} reset log_statement"))?;
    let transactions = pgbench::transactions(&postgres.log()?);
    let mut long = transactions.into_iter().filter(|ran| ran.len() > 4);
    let (one, another) = long.next().zip(long.next()).context("two orders were logged")?;
    pgbench::script(&one, &another, MARKED)
}

/// Transactions a second, each of one order. `offset` keeps the numbers of one run apart from those of another.
fn benchmark(postgres: &Postgres, script: &str, options: &Options, offset: usize) -> anyhow::Result<f64> {
    let path = options.data.join("order.sql");
    std::fs::write(&path, script)?;
    let mut command = Command::new("pgbench");
    let each = options.scaled(EACH).to_string();
    command.args(["-n", "-M", "prepared", "-c", &TASKS.to_string(), "-j", "2", "-t", &each]);
    command.args(["-D", &format!("i={offset}"), "-f"]).arg(&path).arg(postgres.url(DATABASE));
    let done = command.output().context("is pgbench installed?")?;
    let text = String::from_utf8_lossy(&done.stdout);
    if !done.status.success() {
        bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&done.stderr));
    }
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("pgbench says how many: {text}"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.data)?;
    let postgres = Postgres::start_flushing().await?;
    postgres.create_database(DATABASE, "template0")?;
    migrate_postgres(&PostgresSettings::new(postgres.url(DATABASE))).await?;
    let environment = Arc::new(TestEnvironment::default());
    let store = open(&postgres, &environment).await?;
    let subject = Subject { store, environment: Arc::clone(&environment), keep: Box::new(()) };
    let shop = Arc::new(Shop::open(subject).await);
    let script = script(&postgres, &shop, &environment).await?;
    let (orders, each) = (options.scaled(ORDERS), options.scaled(EACH));
    let mut measures = Measures::default();
    let (mut first, mut offset) = (1_000_000, 0);
    for round in 0..=options.rounds {
        let shared = place(&shop, first, orders).await?;
        first += 2 * u32::try_from(orders)?;
        // As a worker does every two seconds.
        shop.store().look_at_sizes().await.map_err(anyhow::Error::msg)?;
        let (mut alone, mut best) = (0.0, 0.0_f64);
        for delay in [0].into_iter().chain(DELAYS) {
            postgres.sql("postgres", &format!("alter system set commit_delay = {delay}"))?;
            postgres.sql("postgres", "select pg_reload_conf()")?;
            let rate = benchmark(&postgres, &script, &options, offset)?;
            offset += each;
            if delay == 0 {
                alone = rate;
            }
            best = best.max(rate);
        }
        if round > 0 {
            measures.add("32 tasks, shared", "orders/s", shared);
            measures.add("pgbench, one transaction each", "orders/s", alone);
            measures.add("pgbench, best commit_delay", "orders/s", best);
        }
        postgres.sql("postgres", "alter system reset commit_delay")?;
        postgres.sql("postgres", "select pg_reload_conf()")?;
    }
    shop.store().close().await;
    measures.print();
    Ok(())
}
