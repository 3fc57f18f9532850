//! One change told to ten thousand viewers: the server's processor time per frame and viewer, beside a bare loop that sends the same bytes as often to as
//! many sockets. Frames go out as the server sees fit (it stretches its tick for many viewers); the bare loop repeats their number and size.
//!
//! Viewers are this program again as a child, so that no process needs more files than it may open; so is the bare loop.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::{Value, json};
use voelgoed_stress::client::Connection;
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::cpu_seconds;
use voelgoed_stress::sale::{Held, STADIUM, Show};
use voelgoed_stress::shop::Shop;

mod viewers;

const VIEWERS: usize = 10_000;
/// One round of the server.
const ROUND: Duration = Duration::from_secs(8);
/// Between two changes; well below the server's tick, so that every tick has something to tell.
const CHANGE_EVERY: Duration = Duration::from_millis(25);

/// This program as a child that answers each line with a line of JSON.
struct Helper(Child);

impl Helper {
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(Self(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?))
    }

    fn hear(&mut self) -> anyhow::Result<Value> {
        // One byte at a time, so that nothing of the next line is taken away with this one.
        let stdout = self.0.stdout.as_mut().context("stdout is piped")?;
        let mut line = String::new();
        BufReader::with_capacity(1, stdout).read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("a helper answers JSON: {line}"))
    }

    fn ask(&mut self, line: &str) -> anyhow::Result<Value> {
        writeln!(self.0.stdin.as_mut().context("stdin is piped")?, "{line}")?;
        self.hear()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Frames and bytes that all viewers have received so far.
fn received(viewers: &mut Helper) -> anyhow::Result<(f64, f64)> {
    let counts = viewers.ask("count")?;
    Ok((counts["frames"].as_f64().unwrap_or(0.0), counts["bytes"].as_f64().unwrap_or(0.0)))
}

/// Waits until nothing arrives any more, so that a round owns what it caused.
async fn quiet(viewers: &mut Helper) -> anyhow::Result<(f64, f64)> {
    let mut before = received(viewers)?;
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = received(viewers)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// Holds a seat and gives it back, again and again, for one round.
async fn changes(show: &Show, address: &str, session: &str) -> anyhow::Result<()> {
    // A new connection each time: the server lets go of those that rested between rounds.
    let mut connection = Connection::open(address).await?;
    let end = tokio::time::Instant::now() + ROUND;
    let mut seats = show.seats.iter().step_by(7).cycle();
    while tokio::time::Instant::now() < end {
        let seat = seats.next().context("a stadium has seats")?;
        let held = Held::of(&connection.send(&show.hold(&[*seat], session)).await?.expect(201)?)?;
        tokio::time::sleep(CHANGE_EVERY).await;
        connection.send(&held.release()).await?.expect(204)?;
        tokio::time::sleep(CHANGE_EVERY).await;
    }
    Ok(())
}

/// The bare loop: accepts so many viewers, then sends what it is asked to.
fn bare_loop(count: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", json!({ "address": listener.local_addr()?.to_string() }));
    let mut sockets: Vec<TcpStream> = Vec::with_capacity(count);
    for _ in 0..count {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        sockets.push(socket);
    }
    println!("{}", json!({ "viewers": sockets.len() }));
    for line in std::io::stdin().lines() {
        let numbers: Vec<u64> = line?.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [frames, bytes, millis] = numbers[..] else {
            anyhow::bail!("frames, bytes and milliseconds are asked for")
        };
        let mut frame = vec![b'x'; usize::try_from(bytes)?];
        let end = frame.len().saturating_sub(4);
        frame[end..].copy_from_slice(b"\n\n\r\n");
        let before = cpu_seconds("self")?;
        let mut missed = 0;
        for _ in 0..frames {
            for socket in &mut sockets {
                missed += u64::from(!socket.write(&frame).is_ok_and(|sent| sent == frame.len()));
            }
            std::thread::sleep(Duration::from_millis(millis));
        }
        println!("{}", json!({ "cpu": cpu_seconds("self")? - before, "missed": missed }));
    }
    Ok(())
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let count = options.scaled(VIEWERS);
    let shop = Shop::open(options, "fanout")?;
    let show = Show::of(&shop, STADIUM).await?;
    let mut crowd = Crowd::open(&shop.address, 1).await?;
    let sessions = show.sessions(&mut crowd, 1).await?;
    let path = format!("/api/v1/events/{}/stream", show.event);
    let mut bare = Helper::start(&["bare", &count.to_string()])?;
    let address = bare.hear()?["address"].as_str().context("the bare loop listens")?.to_owned();
    let mut theirs = Helper::start(&["viewers", &address, "/", &count.to_string()])?;
    theirs.hear()?;
    bare.hear()?;
    let mut ours = Helper::start(&["viewers", &shop.address, &path, &count.to_string()])?;
    ours.hear()?;
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let before = quiet(&mut ours).await?;
        let cpu = shop.cpu_seconds()?;
        changes(&show, &shop.address, &sessions[0]).await?;
        let after = quiet(&mut ours).await?;
        let cpu = shop.cpu_seconds()? - cpu;
        let (frames, bytes) = (after.0 - before.0, after.1 - before.1);
        ensure!(frames > 0.0, "the viewers saw nothing");
        let (per_viewer, size) = ((frames / count as f64).round(), (bytes / frames).round());
        let every = (ROUND.as_millis() as f64 / per_viewer).round();
        let floor = bare.ask(&format!("{per_viewer} {size} {every}"))?;
        ensure!(floor["missed"] == 0, "the bare loop could not send everything: {floor}");
        quiet(&mut theirs).await?;
        measures.add("server, CPU per frame and viewer", "µs", cpu * 1e6 / frames);
        let sent = per_viewer * count as f64;
        measures.add(
            "bare loop, CPU per frame and viewer",
            "µs",
            floor["cpu"].as_f64().unwrap_or(f64::NAN) * 1e6 / sent,
        );
        measures.add("bytes of a frame", "B", size);
        measures.add("between two frames", "ms", every);
    }
    measures.print();
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let child: Vec<&str> = options.child.iter().map(String::as_str).collect();
    match child[..] {
        ["bare", count] => bare_loop(count.parse()?),
        ["viewers", address, path, count] => viewers::watch(address, path, count.parse()?).await,
        _ => measure(&options).await,
    }
}
