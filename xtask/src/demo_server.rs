//! Starts the release binary's demo (one process or a cluster) on loopback for suites and benchmarks, and kills it on drop.
//!
//! Never: a server that outlives its value; a wait without a timeout.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::step_timer::{StepTimer, pause};
use crate::task_context::TaskContext;

/// Includes seeding three events.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Includes draining open requests.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Lines of standard error that are kept for the error message.
const STDERR_LINES_MAX: usize = 6;

/// A running demo server.
pub struct DemoServer {
    child: Child,
    /// The JSON line that the demo prints when it is ready: `url`, `organization`, `api_key`, `events`, ….
    pub startup_info: Value,
    address: String,
}

impl DemoServer {
    /// Starts `binary demo` with its data in `data` and waits until it serves.
    pub fn start(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        Self::start_with(binary, data, &[])
    }

    /// Like [`DemoServer::start`], with settings as environment variables (`VOELGOED__…`).
    pub fn start_with(binary: &Path, data: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data).envs(settings.iter().copied());
        Self::spawn(command)
    }

    /// Starts the cluster of `cargo xtask dev --cluster` with its data in `root`.
    pub fn start_cluster(context: &TaskContext, root: &Path) -> anyhow::Result<Self> {
        let mut command = context.program("voelgoed-nodes")?;
        command.args(["dev", "--json", "--exit-with-parent", "--binary"]).arg(context.release_binary()?);
        command.arg("--root").arg(root).stdin(Stdio::piped());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let stderr = relay_stderr(child.stderr.take().context("stderr is piped")?);
        let mut server = Self { child, startup_info: Value::Null, address: String::new() };
        let (sender, first) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            // The receiver is gone after a start timeout. Later lines are drained so that the server never blocks on a full pipe.
            let _ = lines.next().map(|line| sender.send(line));
            lines.map_while(Result::ok).for_each(drop);
        });
        let line = match first.recv_timeout(START_TIMEOUT) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => bail!("the demo printed no line within {} s", START_TIMEOUT.as_secs()),
            Err(RecvTimeoutError::Disconnected) => {
                let status = server.child.wait()?;
                // A child of the demo may keep standard error open after the demo has exited.
                let last = stderr.recv_timeout(REQUEST_TIMEOUT).unwrap_or_default();
                bail!("the demo did not start ({status}): {last}");
            }
        };
        server.startup_info =
            serde_json::from_str(&line).with_context(|| format!("the demo's first line is JSON: {line}"))?;
        let url = server.startup_info["url"].as_str().context("the startup line has a `url`")?;
        url.trim_start_matches("http://").clone_into(&mut server.address);
        Ok(server)
    }

    /// Sends `GET path` to the public listener; returns status and body.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        get(&self.address, path)
    }

    /// Sends `GET path` to the internal listener; returns status and body.
    pub fn get_internal(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = self.startup_info["internal_url"].as_str().context("the startup line has an `internal_url`")?;
        get(url.trim_start_matches("http://"), path)
    }

    /// Sends SIGTERM and waits until the server has drained and exited.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let timer = StepTimer::start();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if timer.elapsed() > STOP_TIMEOUT {
                bail!("the server did not stop within {} s", STOP_TIMEOUT.as_secs());
            }
            pause(Duration::from_millis(20));
        }
    }
}

fn get(address: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").context("a response has a head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a response has a status")?;
    Ok((status, body.to_owned()))
}

/// Copies standard error to ours; when the process ends, sends its error message or else its last lines.
fn relay_stderr(stderr: ChildStderr) -> Receiver<String> {
    let (ended, last) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let is_error = |line: &String| line.to_lowercase().starts_with("error:");
        let mut kept: Vec<String> = Vec::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            eprintln!("{line}");
            if is_error(&line) {
                kept.clear();
            } else if kept.len() == STDERR_LINES_MAX {
                // The first lines of an error say what failed, later ones are its backtrace.
                if kept.first().is_some_and(is_error) {
                    continue;
                }
                kept.remove(0);
            }
            kept.push(line);
        }
        // The receiver is dropped once the server has started.
        let _ = ended.send(kept.join("\n"));
    });
    last
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        // Fails if the server has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
