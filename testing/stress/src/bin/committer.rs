//! Measures orders at the committer's port in shared transactions and in one commit each, by the same statements, and the cost of a disk flush.
//!
//! Each order has two places, a payment attempt, an idempotency record and its outbox events. Rounds alternate, each on a new database on a real disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use tokio::task::JoinSet;
use voelgoed_app::checkout::ports::{NewOrder, OrderStore};
use voelgoed_cold::{Cold, ColdConfig, CommitMode};
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::cpu_seconds;

const ORDERS: usize = 4_000;
const LONE_ORDERS: usize = 1_000;
const TASKS: usize = 32;
const FLUSHES: usize = 1_000;
/// A page of the database's log with its header.
const FLUSHED_BYTES: usize = 4_120;

async fn fixture(directory: &Path, mode: CommitMode) -> anyhow::Result<Arc<SalesFixture<Cold>>> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)?;
    }
    std::fs::create_dir_all(directory)?;
    let environment = Arc::new(TestEnvironment::default());
    let config = ColdConfig { commits: mode, ..ColdConfig::embedded(directory) };
    let store = Arc::new(Cold::open(config, environment.clone()).await?);
    Ok(Arc::new(SalesFixture::open(Sut { store, environment, keep: Box::new(()) }).await))
}

/// Microseconds per order: elapsed, and of processor time.
async fn place(directory: &Path, mode: CommitMode, tasks: usize, orders: usize) -> anyhow::Result<(f64, f64)> {
    let fixture = fixture(directory, mode).await?;
    let mut work: Vec<Vec<NewOrder>> = vec![Vec::new(); tasks];
    for number in 0..orders {
        let first = u32::try_from(2 * number)?;
        work[number % tasks].push(fixture.new_order(&[first, first + 1]));
    }
    let (start, cpu) = (Instant::now(), cpu_seconds("self")?);
    let mut running = JoinSet::new();
    for mine in work {
        let fixture = Arc::clone(&fixture);
        running.spawn(async move {
            for order in mine {
                let placed = fixture.store().place_order(fixture.organization, order).await;
                anyhow::ensure!(matches!(placed, Ok(Ok(_))), "an order was not placed");
            }
            Ok(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let per_order = 1e6 / orders as f64;
    let figures = (start.elapsed().as_secs_f64() * per_order, (cpu_seconds("self")? - cpu) * per_order);
    fixture.store().close().await;
    Ok(figures)
}

/// Microseconds per flushed append of a page to a file beside the database.
fn flush(directory: &Path, count: usize) -> anyhow::Result<f64> {
    let mut file = File::create(directory.join("flushed"))?;
    let start = Instant::now();
    for _ in 0..count {
        file.write_all(&[7; FLUSHED_BYTES])?;
        file.sync_data()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / count as f64)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    let directory = options.data.join("committer");
    let (many, lone) = (options.scaled(ORDERS), options.scaled(LONE_ORDERS));
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        for (name, mode) in [("one by one", CommitMode::OneByOne), ("shared", CommitMode::Shared)] {
            let (took, cpu) = place(&directory, mode, TASKS, many).await?;
            measures.add(format!("32 tasks, {name}"), "orders/s", 1e6 / took);
            measures.add(format!("32 tasks, {name}, CPU"), "µs/order", cpu);
            let (took, _) = place(&directory, mode, 1, lone).await?;
            measures.add(format!("lone order, {name}"), "µs", took);
        }
        measures.add("bare flush of a page", "µs", flush(&directory, options.scaled(FLUSHES))?);
    }
    std::fs::remove_dir_all(&directory)?;
    measures.print();
    Ok(())
}
