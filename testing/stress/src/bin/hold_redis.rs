//! Holds over HTTP on a warm tier of Redis, beside an empty route and beside `redis-benchmark` with the same call; and what each of them costs the node
//! and Redis in processor time.
//!
//! A hold takes any place of an area of general admission. Before each measurement the server is emptied and the event loaded anew, untimed.

use anyhow::{Context, ensure};
use clap::Parser;
use voelgoed_stress::client::get;
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::{cpu_seconds, give_way};
use voelgoed_stress::redis_benchmark::Monitor;
use voelgoed_stress::sale::{FESTIVAL, Show};
use voelgoed_stress::shop::Shop;
use voelgoed_testkit::redis::RedisServer;

const CONNECTIONS: usize = 32;
/// The festival's largest area, its second, of 14,000 places.
const FIELD: usize = 1;
const REQUESTS: usize = 5_000;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;

/// The id of the server's process.
async fn process(redis: &RedisServer) -> anyhow::Result<String> {
    let info = redis.ask(&["INFO", "server"]).await?;
    let found = info.lines().find_map(|line| line.trim().strip_prefix("process_id:").map(str::to_owned));
    found.context("a server has a process")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    give_way()?;
    std::fs::create_dir_all(&options.data)?;
    let redis = RedisServer::start(&options.data).await?;
    let shop = Shop::open_with(&options, "hold-redis", &[("VOELGOED__WARM__URL", redis.url())])?;
    let show = Show::of(&shop, FESTIVAL).await?;
    let count = options.scaled(REQUESTS);
    let mut crowd = Crowd::open(&shop.address, CONNECTIONS).await?;
    let sessions = show.sessions(&mut crowd, count.div_ceil(HOLDS_PER_SESSION)).await?;
    let holds: Vec<_> = (0..count).map(|at| show.hold_any(FIELD, &sessions[at % sessions.len()])).collect();
    let empty = vec![get("/livez"); count];
    let pid = process(&redis).await?;
    let mut measures = Measures::default();
    // The first round warms caches and connections, and is not counted.
    for round in 0..=options.rounds {
        redis.flush_all().await?;
        crowd.send(&holds[..1], 201).await?;
        let per_request = 1e6 / count as f64;
        let before = shop.cpu_seconds()?;
        let floor = crowd.send(&empty, 200).await?;
        let floor_cpu = (shop.cpu_seconds()? - before) * per_request;
        let (before, redis_before) = (shop.cpu_seconds()?, cpu_seconds(&pid)?);
        let held = crowd.send(&holds[1..], 201).await?;
        let (held_cpu, redis_cpu) =
            ((shop.cpu_seconds()? - before) * per_request, (cpu_seconds(&pid)? - redis_before) * per_request);
        redis.flush_all().await?;
        let monitor = Monitor::start(&redis).await?;
        crowd.send(&holds[..1], 201).await?;
        let call = monitor.call_of("_hold").await?;
        let redis_before = cpu_seconds(&pid)?;
        let alone = call.rate(&redis, CONNECTIONS, count - 1).await?;
        let alone_cpu = (cpu_seconds(&pid)? - redis_before) * per_request;
        let granted: usize = redis.ask(&["ZCARD", &format!("{}holds", call.key()?)]).await?.parse()?;
        // Of so many drawn, one may have been drawn twice.
        ensure!(granted + 2 > count, "{granted} of {count} holds were granted");
        if round > 0 {
            measures.add("redis-benchmark, the same call", "1/s", alone);
            measures.add("redis-benchmark, Redis CPU", "µs", alone_cpu);
            measures.add("empty route", "1/s", floor.per_second());
            measures.add("hold over Redis", "1/s", held.per_second());
            measures.add("empty route, server CPU", "µs", floor_cpu);
            measures.add("hold over Redis, server CPU", "µs", held_cpu);
            measures.add("hold over Redis, Redis CPU", "µs", redis_cpu);
        }
    }
    measures.print();
    Ok(())
}
