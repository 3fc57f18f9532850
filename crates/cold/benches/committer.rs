//! Orders at the committer's port: shared transactions against one commit each, by the same statements; and what a lone order pays for it.
//!
//! `cargo bench -p voelgoed-cold [-- --orders N]`; prints a table, and where the time of the shared transactions goes, statement by statement.
//! Each order has two places, an attempt, a record and two facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use voelgoed_app::checkout::ports::{NewOrder, OrderStore};
use voelgoed_cold::{Cold, ColdConfig, CommitMode};
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::selling::Shop;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_telemetry::Stopwatch;

/// Orders per figure, unless the command line says otherwise.
const ORDERS: u32 = 4_000;
/// The same for a single task, which is slower.
const LONE_SHARE: u32 = 4;

async fn shop(mode: CommitMode) -> Arc<Shop<Cold>> {
    let directory = Directory::new("bench");
    let environment = Arc::new(TestEnvironment::default());
    let config = ColdConfig { commits: mode, ..ColdConfig::embedded(directory.path()) };
    let store = Arc::new(Cold::open(config, environment.clone()).await.expect("a fresh directory opens"));
    Arc::new(Shop::open(Subject { store, environment, keep: Box::new(directory) }).await)
}

/// Orders per second, and the latencies in microseconds, sorted.
async fn run(mode: CommitMode, tasks: u32, orders: u32) -> (f64, Vec<u64>) {
    let shop = shop(mode).await;
    let mut work: Vec<Vec<NewOrder>> = vec![Vec::new(); tasks as usize];
    for number in 0..orders {
        work[(number % tasks) as usize].push(shop.an_order(&[2 * number, 2 * number + 1]));
    }
    let whole = Stopwatch::start();
    let mut running = tokio::task::JoinSet::new();
    for mine in work {
        let shop = shop.clone();
        running.spawn(async move {
            let mut latencies = Vec::with_capacity(mine.len());
            for order in mine {
                let watch = Stopwatch::start();
                shop.store().place_order(shop.organization, order).await.expect("no fault").expect("no refusal");
                latencies.push(u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            latencies
        });
    }
    let mut latencies: Vec<u64> = running.join_all().await.into_iter().flatten().collect();
    let per_second = f64::from(orders) / whole.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (per_second, latencies)
}

/// Milliseconds and uses of each statement so far, by name.
fn statements(exporter: &voelgoed_telemetry::Exporter) -> BTreeMap<String, (f64, f64)> {
    let mut found = BTreeMap::<String, (f64, f64)>::new();
    for line in exporter.render().lines() {
        let Some(rest) = line.strip_prefix("voelgoed_sql_seconds_") else { continue };
        let name = rest.split("statement=\"").nth(1).and_then(|rest| rest.split('"').next());
        let value = line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok());
        let (Some(name), Some(value)) = (name, value) else { continue };
        let entry = found.entry(name.to_owned()).or_default();
        match rest.split('{').next() {
            Some("sum") => entry.0 = value * 1_000.0,
            Some("count") => entry.1 = value,
            _ => {}
        }
    }
    found
}

#[tokio::main]
async fn main() {
    let exporter = voelgoed_telemetry::install("bench");
    let mut arguments = std::env::args().skip_while(|argument| argument != "--orders").skip(1);
    let orders = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(ORDERS);
    println!("tasks  commits       orders/s   p50 µs   p99 µs");
    for tasks in [1, 8, 32, 128] {
        for (mode, name) in [(CommitMode::OneByOne, "one by one"), (CommitMode::Shared, "shared")] {
            let orders = if tasks == 1 { orders / LONE_SHARE } else { orders };
            let (per_second, latencies) = run(mode, tasks, orders).await;
            let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
            println!("{tasks:>5}  {name:<12} {per_second:>9.0} {:>8} {:>8}", at(50), at(99));
        }
    }
    let before = statements(exporter);
    run(CommitMode::Shared, 32, orders).await;
    let spent = statements(exporter).into_iter().map(|(name, (millis, uses))| {
        let (was_millis, was_uses) = before.get(&name).copied().unwrap_or_default();
        (millis - was_millis, uses - was_uses, name)
    });
    let mut spent: Vec<_> = spent.filter(|(_, uses, _)| *uses > 0.5).collect();
    spent.sort_by(|one, other| other.0.total_cmp(&one.0));
    println!("\n32 tasks, shared: µs per order   uses  statement");
    for (millis, uses, name) in spent {
        println!("{:>32.1} {uses:>6.0}  {name}", millis * 1_000.0 / f64::from(orders));
    }
}
