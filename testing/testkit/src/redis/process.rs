//! Runs one `redis-server` that never evicts and writes a snapshot only on request.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};

use super::wire;
use crate::free_port::free_port;
use crate::until::until;

const START_TIMEOUT: Duration = Duration::from_secs(20);
/// A replica reports its offset once a second.
const REPLICATION_TIMEOUT: Duration = Duration::from_secs(20);

/// A server that can be killed, paused, emptied and demoted. A restart loads what [`RedisServer::save`] wrote last.
#[derive(Debug)]
pub struct RedisServer {
    directory: PathBuf,
    port: u16,
    arguments: Vec<String>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    server: Child,
    /// Kills the server when this process ends in any way, which closes the watcher's input.
    watcher: Child,
}

impl RedisServer {
    /// Starts a server on a free port, with its files in a new directory below `root`.
    ///
    /// # Errors
    /// `redis-server` is not installed or does not come up.
    pub async fn start(root: &Path) -> anyhow::Result<Self> {
        Self::start_with(root, &[]).await
    }

    /// Starts a server with further arguments.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(root: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let directory = crate::server::empty_directory(root, &format!("redis-{port}"))?;
        std::fs::create_dir_all(&directory)?;
        let server = Self { directory, port, arguments: arguments.to_vec(), running: Mutex::default() };
        server.restart().await?;
        Ok(server)
    }

    /// Starts the server (again) at its port with its last snapshot, and waits until it replies.
    ///
    /// # Errors
    /// It runs already or does not come up.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.spawn()?;
        until("redis replies", START_TIMEOUT, || async {
            Ok(wire::execute(self.port, &["PING"]).await.is_ok_and(|answer| answer == "PONG").then_some(()))
        })
        .await
        .with_context(|| format!("see {}", self.directory.join("log").display()))
    }

    fn spawn(&self) -> anyhow::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            bail!("the server runs already");
        }
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"]);
        command.args(["--maxmemory-policy", "noeviction", "--loglevel", "notice", "--logfile", "log", "--dir"]);
        command.arg(&self.directory).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().context("cannot start redis-server; is it installed?")?;
        let mut watcher = Command::new("sh");
        watcher.args(["-c", &format!("cat >/dev/null; kill -9 {}", server.id())]).stdin(Stdio::piped());
        let watcher = watcher.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start sh")?;
        *running = Some(Running { server, watcher });
        Ok(())
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `redis://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Sends a command on a new connection; a list becomes lines.
    ///
    /// # Errors
    /// The server refuses, or does not reply.
    pub async fn execute(&self, command: &[&str]) -> anyhow::Result<String> {
        wire::execute(self.port, command).await
    }

    /// A field in the reply to `command` (`INFO` or `CLUSTER INFO`).
    pub(super) async fn field(&self, command: &[&str], name: &str) -> anyhow::Result<String> {
        let info = self.execute(command).await?;
        let mut fields = info.lines().filter_map(|line| line.trim_end().split_once(':'));
        Ok(fields.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap_or_default())
    }

    /// Waits until the replica has everything that was written to this server before. (`WAIT` covers only what its own connection wrote.)
    ///
    /// # Errors
    /// There is no replica, or it does not catch up in time.
    pub async fn replica_caught_up(&self) -> anyhow::Result<()> {
        let info = ["INFO", "replication"];
        let written: u64 = self.field(&info, "master_repl_offset").await?.parse()?;
        until("the replica catches up", REPLICATION_TIMEOUT, || async {
            let replica = self.field(&info, "slave0").await?;
            let offset = replica.split(',').find_map(|part| part.strip_prefix("offset=")?.parse::<u64>().ok());
            Ok(offset.filter(|offset| *offset >= written).map(drop))
        })
        .await
    }

    /// Makes the server a replica of `master`, and discards its own data.
    ///
    /// # Errors
    /// The server does not reply.
    pub async fn follow(&self, master: &Self) -> anyhow::Result<()> {
        self.execute(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]).await.map(drop)
    }

    /// Makes the server a master, with the data that it has.
    ///
    /// # Errors
    /// The server does not reply.
    pub async fn promote(&self) -> anyhow::Result<()> {
        self.execute(&["REPLICAOF", "NO", "ONE"]).await.map(drop)
    }

    /// Deletes all data.
    ///
    /// # Errors
    /// The server does not reply.
    pub async fn flush_all(&self) -> anyhow::Result<()> {
        self.execute(&["FLUSHALL"]).await.map(drop)
    }

    /// Writes a snapshot, which the next start loads.
    ///
    /// # Errors
    /// The server does not reply.
    pub async fn save(&self) -> anyhow::Result<()> {
        self.execute(&["SAVE"]).await.map(drop)
    }

    /// The file of the snapshot.
    #[must_use]
    pub fn snapshot_file(&self) -> PathBuf {
        self.directory.join("dump.rdb")
    }

    /// Kills the server without warning (SIGKILL).
    ///
    /// # Errors
    /// It is down.
    pub fn kill(&self) -> anyhow::Result<()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        running.context("the server is down already")?.end();
        Ok(())
    }

    /// Stops the server with SIGSTOP: it keeps its connections and does not reply.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// Continues after [`Self::pause`] (SIGCONT).
    ///
    /// # Errors
    /// It is down.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = running.as_ref().context("the server is down")?.server.id();
        let status = Command::new("kill").arg(name).arg(pid.to_string()).status()?;
        if !status.success() {
            bail!("kill {name} {pid}: {status}");
        }
        Ok(())
    }
}

impl Running {
    fn end(mut self) {
        // The watcher ends first, so that it never kills an id that belongs to another process by then.
        for child in [&mut self.watcher, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
