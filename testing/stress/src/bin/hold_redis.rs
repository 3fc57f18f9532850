//! Holds over HTTP on a warm tier of Redis, beside an empty route, and beside `redis-benchmark` that calls the same function with arguments of the same
//! shape: what is left between the two is HTTP, the rules before the call, and the client.
//!
//! A hold takes any place of an area of general admission. Between rounds the server is emptied and the event loaded anew, untimed.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Parser;
use voelgoed_domain::ids::EventId;
use voelgoed_stress::client::get;
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::cpu_seconds;
use voelgoed_stress::sale::{FESTIVAL, Show};
use voelgoed_stress::shop::Shop;
use voelgoed_testkit::redis::RedisServer;

const CONNECTIONS: usize = 32;
/// The festival's largest area, its second, and its places.
const FIELD: usize = 1;
const PLACES: [u32; 2] = [3_000, 17_000];
/// Twice as many, those of `redis-benchmark` included, fit into the field.
const REQUESTS: usize = 5_000;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;
/// What a hold of one ticket carries.
const TERMS: &str = r#"{"terms":{"v":1,"currency":"ZAR","tax_included":true,"lines":[{"ticket_type":"ticket_type_01jdr0000000000000000000","name":"Festival pass","price":65000,"fee":500,"tax":8543,"quantity":1}],"totals":{"tickets":65000,"fees":500,"tax":8543,"total":65500}},"request":null}"#;

/// The server as `redis-benchmark` and the kernel know it.
struct Seen {
    function: String,
    run: String,
    pid: String,
}

impl Seen {
    async fn of(redis: &RedisServer) -> anyhow::Result<Self> {
        let info = redis.ask(&["INFO", "server"]).await?;
        let field = |name: &str| info.lines().find_map(|line| line.trim().strip_prefix(name).map(str::to_owned));
        let list = redis.ask(&["FUNCTION", "LIST"]).await?;
        // `voelgoed_<digest>_hold`, and neither `…_change_hold` nor `…_read_hold`.
        let of_hold = |line: &&str| {
            line.strip_prefix("voelgoed_").and_then(|rest| rest.split_once('_')).is_some_and(|(_, name)| name == "hold")
        };
        Ok(Self {
            function: list.lines().find(of_hold).context("the node has loaded its library")?.to_owned(),
            run: field("run_id:").context("a server has a run id")?,
            pid: field("process_id:").context("a server has a process")?,
        })
    }

    fn cpu(&self) -> anyhow::Result<f64> {
        cpu_seconds(&self.pid)
    }
}

/// Calls the function `count` times and returns the seconds that took.
async fn benchmark(redis: &RedisServer, seen: &Seen, base: &str, count: usize) -> anyhow::Result<f64> {
    let before: usize = redis.ask(&["ZCARD", &format!("{base}holds")]).await?.parse()?;
    let (_, port) = redis
        .address()
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .context("an address")?;
    let count_text = count.to_string();
    let mut command = Command::new("redis-benchmark");
    // One connection for all, as a node has it; each random number is twelve digits.
    command.args(["-p", &port, "-n", &count_text, "-c", "1", "-P", "32", "-r", "1000000000", "-x", "-q"]);
    command.args(["FCALL", &seen.function, "1", base, &seen.run, "0", "0", ""]);
    command.args(["hold__rand_int__", "", "sess__rand_int__", TERMS, "600000", "20"]);
    let start = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("is redis-tools installed?")?;
    // One pick: any one of the field's places.
    let pick: Vec<u8> = [1, PLACES[0], PLACES[1], 1].into_iter().flat_map(u32::to_le_bytes).collect();
    child.stdin.take().context("stdin is piped")?.write_all(&pick)?;
    ensure!(child.wait()?.success(), "redis-benchmark failed");
    let took = start.elapsed().as_secs_f64();
    let after: usize = redis.ask(&["ZCARD", &format!("{base}holds")]).await?.parse()?;
    ensure!(after - before >= count * 99 / 100, "only {} of {count} calls were granted", after - before);
    Ok(took)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.data)?;
    let redis = RedisServer::start(&options.data).await?;
    let shop = Shop::open_with(&options, "hold-redis", &[("VOELGOED__WARM__URL", redis.url())])?;
    let show = Show::of(&shop, FESTIVAL).await?;
    let event: EventId = show.event.parse().ok().context("the event has an id")?;
    let count = options.scaled(REQUESTS);
    let mut crowd = Crowd::open(&shop.address, CONNECTIONS).await?;
    let sessions = show.sessions(&mut crowd, count.div_ceil(HOLDS_PER_SESSION)).await?;
    let holds: Vec<_> = (0..count).map(|at| show.hold_any(FIELD, &sessions[at % sessions.len()])).collect();
    let empty = vec![get("/livez"); count];
    let mut measures = Measures::default();
    // The first round warms caches and connections, and is not counted.
    for round in 0..=options.rounds {
        redis.flush_all().await?;
        crowd.send(&holds[..1], 201).await?;
        let seen = Seen::of(&redis).await?;
        let keys = redis.ask(&["KEYS", &format!("*{}*meta", event.uuid().simple())]).await?;
        let base = keys.strip_suffix("meta").context("the event is loaded")?.to_owned();
        let per_request = 1e6 / count as f64;
        let before = shop.cpu_seconds()?;
        let floor = crowd.send(&empty, 200).await?;
        let floor_cpu = (shop.cpu_seconds()? - before) * per_request;
        let (before, redis_before) = (shop.cpu_seconds()?, seen.cpu()?);
        let held = crowd.send(&holds[1..], 201).await?;
        let (held_cpu, redis_cpu) =
            ((shop.cpu_seconds()? - before) * per_request, (seen.cpu()? - redis_before) * per_request);
        let before = seen.cpu()?;
        let took = benchmark(&redis, &seen, &base, count * 9 / 10).await?;
        let called_cpu = (seen.cpu()? - before) * per_request / 0.9;
        if round > 0 {
            measures.add("empty route", "1/s", floor.per_second());
            measures.add("hold over Redis", "1/s", held.per_second());
            measures.add("redis-benchmark, same function", "1/s", count as f64 * 0.9 / took);
            measures.add("empty route, server CPU", "µs", floor_cpu);
            measures.add("hold over Redis, server CPU", "µs", held_cpu);
            measures.add("hold over Redis, Redis CPU", "µs", redis_cpu);
            measures.add("redis-benchmark, Redis CPU", "µs", called_cpu);
        }
    }
    measures.print();
    Ok(())
}
