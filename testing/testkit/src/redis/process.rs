//! One `redis-server` as a process of its own: without a snapshot unless asked for one, never evicting.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};

use super::wire;
use crate::port::free_port;
use crate::until::until;

/// A start takes at most this.
const START: Duration = Duration::from_secs(20);
/// A replica follows its master within this; it says so once a second.
const FOLLOWS: Duration = Duration::from_secs(20);

/// A server that can be broken in every way. What it keeps over a restart is what [`RedisServer::save`] wrote last.
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
    /// Kills the server when this process ends, however that comes about: its input is then at an end.
    watcher: Child,
}

impl RedisServer {
    /// Starts a server on a free port, with its files in a directory of its own below `root`.
    ///
    /// # Errors
    /// Where `redis-server` is not installed or does not come up.
    pub async fn start(root: &Path) -> anyhow::Result<Self> {
        Self::start_with(root, &[]).await
    }

    /// The same, with further arguments.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(root: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let directory = crate::server::fresh_directory(root, &format!("redis-{port}"))?;
        std::fs::create_dir_all(&directory)?;
        let server = Self { directory, port, arguments: arguments.to_vec(), running: Mutex::default() };
        server.rise().await?;
        Ok(server)
    }

    /// Starts it again at the same port, with what it saved last, and waits until it answers.
    ///
    /// # Errors
    /// Where it runs already or does not come up.
    pub async fn rise(&self) -> anyhow::Result<()> {
        self.spawn()?;
        until("redis answers", START, || async {
            Ok(wire::ask(self.port, &["PING"]).await.is_ok_and(|answer| answer == "PONG").then_some(()))
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

    /// Sends a command on a connection of its own; lists come as lines.
    ///
    /// # Errors
    /// Where the server refuses, or does not answer.
    pub async fn ask(&self, command: &[&str]) -> anyhow::Result<String> {
        wire::ask(self.port, command).await
    }

    /// A field of `INFO` or `CLUSTER INFO`, as given by `command`.
    pub(super) async fn field(&self, command: &[&str], name: &str) -> anyhow::Result<String> {
        let info = self.ask(command).await?;
        let mut fields = info.lines().filter_map(|line| line.trim_end().split_once(':'));
        Ok(fields.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap_or_default())
    }

    /// Waits until its replica has everything that was written here before.
    ///
    /// `WAIT` would not do: it knows only what its own connection wrote.
    ///
    /// # Errors
    /// Where there is no replica, or it does not follow in time.
    pub async fn replicated(&self) -> anyhow::Result<()> {
        let info = ["INFO", "replication"];
        let written: u64 = self.field(&info, "master_repl_offset").await?.parse()?;
        until("the replica has it", FOLLOWS, || async {
            let replica = self.field(&info, "slave0").await?;
            let offset = replica.split(',').find_map(|part| part.strip_prefix("offset=")?.parse::<u64>().ok());
            Ok(offset.filter(|offset| *offset >= written).map(drop))
        })
        .await
    }

    /// Follows `master` from now on, as far as it gets; what it had itself is gone.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn follow(&self, master: &Self) -> anyhow::Result<()> {
        self.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]).await.map(drop)
    }

    /// Follows nobody any more: it is a master, with what it has.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn promote(&self) -> anyhow::Result<()> {
        self.ask(&["REPLICAOF", "NO", "ONE"]).await.map(drop)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn flush_all(&self) -> anyhow::Result<()> {
        self.ask(&["FLUSHALL"]).await.map(drop)
    }

    /// Writes a copy, which the next start begins with.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn save(&self) -> anyhow::Result<()> {
        self.ask(&["SAVE"]).await.map(drop)
    }

    /// Where [`Self::save`] writes to, and a start looks.
    #[must_use]
    pub fn saved(&self) -> PathBuf {
        self.directory.join("dump.rdb")
    }

    /// kill -9.
    ///
    /// # Errors
    /// Where it was not running.
    pub fn kill(&self) -> anyhow::Result<()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        running.context("the server is down already")?.end();
        Ok(())
    }

    /// SIGSTOP: it is there and answers nothing.
    ///
    /// # Errors
    /// Where it is not running.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// Where it is not running.
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
        // The watcher goes first, so that it never kills an id that is somebody else's by then.
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
