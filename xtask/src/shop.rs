//! A running shop for suites and benchmarks: `voelgoed demo` or a platform of many processes, by the release binary, in a directory of its own,
//! loopback only.
//!
//! Never: a shop that outlives its value (it is ended on drop, by its id), a wait without a deadline.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::clock::{Stopwatch, pause};
use crate::run::Run;

/// Seeding three events and starting takes at most this.
const START: Duration = Duration::from_secs(120);
/// A stop drains what runs; longer than this is a fault.
const STOP: Duration = Duration::from_secs(40);
/// One request.
const ANSWER: Duration = Duration::from_secs(10);

/// Lines of a complaint that are told.
const KEPT: usize = 6;

/// A shop that serves.
pub struct Shop {
    child: Child,
    /// What the demo says about itself: `url`, `organization`, `api_key`, `events`, ….
    pub card: Value,
    address: String,
}

impl Shop {
    /// Starts `binary demo` on `data` and waits until it serves.
    pub fn open(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        Self::open_with(binary, data, &[])
    }

    /// The same with settings (`VOELGOED__…`) of its own.
    pub fn open_with(binary: &Path, data: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data).envs(settings.iter().copied());
        Self::start(command)
    }

    /// The same shop as `cargo xtask dev --cluster`: nodes, workers, HAProxy, Redis Cluster and Postgres with a replica, at `root`.
    pub fn open_platform(run: &Run, root: &Path) -> anyhow::Result<Self> {
        let mut command = run.program("voelgoed-nodes")?;
        command.args(["dev", "--json", "--exit-with-parent", "--binary"]).arg(run.release_binary()?);
        command.arg("--root").arg(root).stdin(Stdio::piped());
        Self::start(command)
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let complaints = complaints(child.stderr.take().context("stderr is piped")?);
        let mut shop = Self { child, card: Value::Null, address: String::new() };
        let (said, first) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            // Nobody listens any more where the start took too long; the rest is read so that the shop is never blocked.
            let _ = lines.next().map(|line| said.send(line));
            lines.map_while(Result::ok).for_each(drop);
        });
        let line = match first.recv_timeout(START) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => bail!("the demo said nothing within {} s", START.as_secs()),
            Err(RecvTimeoutError::Disconnected) => {
                let status = shop.child.wait()?;
                // What it started itself may hold its end of the line a little longer.
                let last = complaints.recv_timeout(ANSWER).unwrap_or_default();
                bail!("the demo did not start ({status}): {last}");
            }
        };
        shop.card = serde_json::from_str(&line).with_context(|| format!("the demo's first line is JSON: {line}"))?;
        let url = shop.card["url"].as_str().context("the demo has a url")?;
        url.trim_start_matches("http://").clone_into(&mut shop.address);
        Ok(shop)
    }

    /// The status and body of `GET path`.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        get(&self.address, path)
    }

    /// The same of the internal listener.
    pub fn get_internal(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = self.card["internal_url"].as_str().context("the demo has an internal url")?;
        get(url.trim_start_matches("http://"), path)
    }

    /// Asks it to stop, and waits until it has drained.
    pub fn close(mut self) -> anyhow::Result<ExitStatus> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let stopwatch = Stopwatch::start();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if stopwatch.elapsed() > STOP {
                bail!("the shop did not stop within {} s", STOP.as_secs());
            }
            pause(Duration::from_millis(20));
        }
    }
}

fn get(address: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("nobody listens on {address}"))?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer has a status")?;
    Ok((status, body.to_owned()))
}

/// Passes on what a process complains about; once it has ended, its error, or what it said last.
fn complaints(stderr: ChildStderr) -> Receiver<String> {
    let (ended, last) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let is_error = |line: &String| line.to_lowercase().starts_with("error:");
        let mut kept: Vec<String> = Vec::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            eprintln!("{line}");
            if is_error(&line) {
                kept.clear();
            } else if kept.len() == KEPT {
                // An error's first lines say what it is, the others where it was made.
                if kept.first().is_some_and(is_error) {
                    continue;
                }
                kept.remove(0);
            }
            kept.push(line);
        }
        // Nobody asks where the shop has started.
        let _ = ended.send(kept.join("\n"));
    });
    last
}

impl Drop for Shop {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
