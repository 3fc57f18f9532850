//! Measures the server's processor time per frame and viewer for ten thousand viewers, and that of a bare loop that sends the same bytes as often to as
//! many sockets. The server chooses when to send frames (it lengthens its tick for many viewers); the bare loop repeats their number and size.
//!
//! Viewers and the bare loop are child processes of this program, so that no process exceeds its limit of open files.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::{Value, json};
use voelgoed_stress::bench_server::start_bench_server;
use voelgoed_stress::closed_loop::ClosedLoop;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::{cpu_seconds, server_cpu_seconds};
use voelgoed_stress::raw_client::RawConnection;
use voelgoed_stress::sale::{HeldSeats, STADIUM, SaleEvent};

mod viewers;

const VIEWERS: usize = 10_000;
const ROUND_DURATION: Duration = Duration::from_secs(8);
/// Well below the server's tick, so that every tick has a change.
const CHANGE_INTERVAL: Duration = Duration::from_millis(25);

/// This program as a child that replies to each line with a line of JSON.
struct ChildProgram(Child);

impl ChildProgram {
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(Self(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?))
    }

    fn read_line(&mut self) -> anyhow::Result<Value> {
        // One byte at a time, so that nothing of the next line is lost in the buffer.
        let stdout = self.0.stdout.as_mut().context("stdout is piped")?;
        let mut line = String::new();
        BufReader::with_capacity(1, stdout).read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("a child replies in JSON: {line}"))
    }

    fn request(&mut self, line: &str) -> anyhow::Result<Value> {
        writeln!(self.0.stdin.as_mut().context("stdin is piped")?, "{line}")?;
        self.read_line()
    }
}

impl Drop for ChildProgram {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Frames and bytes that all viewers have received so far.
fn received(viewers: &mut ChildProgram) -> anyhow::Result<(f64, f64)> {
    let counts = viewers.request("count")?;
    Ok((counts["frames"].as_f64().unwrap_or(0.0), counts["bytes"].as_f64().unwrap_or(0.0)))
}

/// Waits until no frames arrive any more, so that a round counts exactly its own frames.
async fn wait_until_quiet(viewers: &mut ChildProgram) -> anyhow::Result<(f64, f64)> {
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

/// Holds and releases seats for one round.
async fn change_seats(event: &SaleEvent, address: &str, session: &str) -> anyhow::Result<()> {
    // A new connection each time: the server closes those that are idle between rounds.
    let mut connection = RawConnection::open(address).await?;
    let end = tokio::time::Instant::now() + ROUND_DURATION;
    let mut seats = event.seats.iter().step_by(7).cycle();
    while tokio::time::Instant::now() < end {
        let seat = seats.next().context("a stadium has seats")?;
        let held = HeldSeats::read(&connection.send(&event.hold(&[*seat], session)).await?.expect(201)?)?;
        tokio::time::sleep(CHANGE_INTERVAL).await;
        connection.send(&held.release()).await?.expect(204)?;
        tokio::time::sleep(CHANGE_INTERVAL).await;
    }
    Ok(())
}

/// The bare loop: accepts `count` viewers, then sends frames as each input line says.
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
        let [frames, bytes, millis] = numbers[..] else { anyhow::bail!("a line has frames, bytes and milliseconds") };
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

async fn measure(options: &BenchOptions) -> anyhow::Result<()> {
    let count = options.scaled(VIEWERS);
    let server = start_bench_server(options, "fanout").await?;
    let event = SaleEvent::of(&server, STADIUM).await?;
    let mut clients = ClosedLoop::open(&server.address, 1).await?;
    let sessions = event.sessions(&mut clients, 1).await?;
    let path = format!("/api/v1/events/{}/stream", event.event);
    let mut bare = ChildProgram::start(&["bare", &count.to_string()])?;
    let address = bare.read_line()?["address"].as_str().context("the bare loop listens")?.to_owned();
    let mut bare_viewers = ChildProgram::start(&["viewers", &address, "/", &count.to_string()])?;
    bare_viewers.read_line()?;
    bare.read_line()?;
    let mut viewers = ChildProgram::start(&["viewers", &server.address, &path, &count.to_string()])?;
    viewers.read_line()?;
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let before = wait_until_quiet(&mut viewers).await?;
        let cpu = server_cpu_seconds(&server)?;
        change_seats(&event, &server.address, &sessions[0]).await?;
        let after = wait_until_quiet(&mut viewers).await?;
        let cpu = server_cpu_seconds(&server)? - cpu;
        let (frames, bytes) = (after.0 - before.0, after.1 - before.1);
        ensure!(frames > 0.0, "the viewers received nothing");
        let (per_viewer, size) = ((frames / count as f64).round(), (bytes / frames).round());
        let interval = (ROUND_DURATION.as_millis() as f64 / per_viewer).round();
        let bare_round = bare.request(&format!("{per_viewer} {size} {interval}"))?;
        ensure!(bare_round["missed"] == 0, "the bare loop could not send everything: {bare_round}");
        wait_until_quiet(&mut bare_viewers).await?;
        measures.add("server, CPU per frame and viewer", "µs", cpu * 1e6 / frames);
        let sent = per_viewer * count as f64;
        measures.add(
            "bare loop, CPU per frame and viewer",
            "µs",
            bare_round["cpu"].as_f64().unwrap_or(f64::NAN) * 1e6 / sent,
        );
        measures.add("bytes of a frame", "B", size);
        measures.add("between two frames", "ms", interval);
    }
    measures.print();
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    let child: Vec<&str> = options.child.iter().map(String::as_str).collect();
    match child[..] {
        ["bare", count] => bare_loop(count.parse()?),
        ["viewers", address, path, count] => viewers::watch(address, path, count.parse()?).await,
        _ => measure(&options).await,
    }
}
