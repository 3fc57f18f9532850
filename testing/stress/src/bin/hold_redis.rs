//! Compares holds over HTTP on a Redis warm tier with an empty route and with `redis-benchmark` making the same call, also in processor time of the node and
//! of Redis.
//!
//! A hold takes any place of a general-admission area. Before each measurement Redis is emptied and the event loaded again, untimed.

use anyhow::{Context, ensure};
use clap::Parser;
use voelgoed_stress::bench_server::bench_server_options;
use voelgoed_stress::closed_loop::ClosedLoop;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::{cpu_seconds, server_cpu_seconds, use_batch_scheduling};
use voelgoed_stress::raw_client::get;
use voelgoed_stress::redis_benchmark::RedisMonitor;
use voelgoed_stress::sale::{FESTIVAL, SaleEvent};
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::server::TestServer;

const CONNECTIONS: usize = 32;
/// The festival's second area, which is its largest with 14,000 places.
const FIELD: usize = 1;
const REQUESTS: usize = 5_000;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;

/// The process id of Redis.
async fn redis_pid(redis: &RedisServer) -> anyhow::Result<String> {
    let info = redis.execute(&["INFO", "server"]).await?;
    let found = info.lines().find_map(|line| line.trim().strip_prefix("process_id:").map(str::to_owned));
    found.context("a server has a process id")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    use_batch_scheduling()?;
    std::fs::create_dir_all(&options.data)?;
    let redis = RedisServer::start(&options.data).await?;
    let settings = [("VOELGOED__WARM__URL", redis.url())];
    let server = TestServer::started(bench_server_options(&options, "hold-redis", &settings)?).await?;
    let event = SaleEvent::of(&server, FESTIVAL).await?;
    let count = options.scaled(REQUESTS);
    let mut clients = ClosedLoop::open(&server.address, CONNECTIONS).await?;
    let sessions = event.sessions(&mut clients, count.div_ceil(HOLDS_PER_SESSION)).await?;
    let holds: Vec<_> = (0..count).map(|at| event.hold_any(FIELD, &sessions[at % sessions.len()])).collect();
    let empty = vec![get("/livez"); count];
    let pid = redis_pid(&redis).await?;
    let mut measures = Measures::default();
    // The first round warms caches and connections, and is not counted.
    for round in 0..=options.rounds {
        redis.flush_all().await?;
        clients.send(&holds[..1], 201).await?;
        let per_request = 1e6 / count as f64;
        let before = server_cpu_seconds(&server)?;
        let empty_round = clients.send(&empty, 200).await?;
        let empty_cpu = (server_cpu_seconds(&server)? - before) * per_request;
        let (before, redis_before) = (server_cpu_seconds(&server)?, cpu_seconds(&pid)?);
        let held = clients.send(&holds[1..], 201).await?;
        let (held_cpu, redis_cpu) =
            ((server_cpu_seconds(&server)? - before) * per_request, (cpu_seconds(&pid)? - redis_before) * per_request);
        redis.flush_all().await?;
        let monitor = RedisMonitor::start(&redis).await?;
        clients.send(&holds[..1], 201).await?;
        let call = monitor.call_of("_hold").await?;
        let redis_before = cpu_seconds(&pid)?;
        let bare = call.rate(&redis, CONNECTIONS, count - 1).await?;
        let bare_cpu = (cpu_seconds(&pid)? - redis_before) * per_request;
        let granted: usize = redis.execute(&["ZCARD", &format!("{}holds", call.key()?)]).await?.parse()?;
        // A random identifier may have come twice.
        ensure!(granted + 2 > count, "{granted} of {count} holds were granted");
        if round > 0 {
            measures.add("redis-benchmark, the same call", "1/s", bare);
            measures.add("redis-benchmark, Redis CPU", "µs", bare_cpu);
            measures.add("empty route", "1/s", empty_round.per_second());
            measures.add("hold over Redis", "1/s", held.per_second());
            measures.add("empty route, server CPU", "µs", empty_cpu);
            measures.add("hold over Redis, server CPU", "µs", held_cpu);
            measures.add("hold over Redis, Redis CPU", "µs", redis_cpu);
        }
    }
    measures.print();
    Ok(())
}
