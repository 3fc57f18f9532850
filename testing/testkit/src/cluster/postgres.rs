//! Runs a Postgres primary with an unprivileged role and, on request, a streaming replica; the primary's files stay for a later start.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::free_port::free_port;
use crate::process::{Process, run_to_end, unprivileged};
use crate::until::until;

const SERVER_TIMEOUT: Duration = Duration::from_secs(60);

/// The cold tier's servers.
#[derive(Debug)]
pub struct PostgresPair {
    /// Takes all writes.
    pub primary: Process,
    /// A streaming replica.
    pub replica: Option<Process>,
}

impl PostgresPair {
    /// Starts the servers; makes role, database and replica where they are absent.
    ///
    /// # Errors
    /// A server does not come up.
    pub async fn start(directory: &Path, replica: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let home = directory.join("primary");
        let is_new = !home.exists();
        if is_new {
            let mut init = tool("initdb", directory)?;
            init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
                .arg(&home);
            run_to_end(init).await?;
        }
        let primary = server("postgres", directory, &home).await?;
        if is_new {
            run_sql(&primary, "create role voelgoed login").await?;
            run_sql(&primary, "create database voelgoed owner voelgoed").await?;
        }
        let replica = if replica { Some(new_replica(directory, &primary).await?) } else { None };
        Ok(Self { primary, replica })
    }

    /// The URL of the database at the primary.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.primary)
    }

    /// Makes commits wait for the replica.
    ///
    /// # Errors
    /// There is no replica, or it does not become the synchronous standby.
    pub async fn make_synchronous(&self) -> anyhow::Result<()> {
        // A replica has Postgres' default application name.
        run_sql(&self.primary, "alter system set synchronous_standby_names = 'FIRST 1 (walreceiver)'").await?;
        run_sql(&self.primary, "select pg_reload_conf()").await?;
        until("the replica is the synchronous standby", SERVER_TIMEOUT, || async {
            let state = run_sql(&self.primary, "select sync_state from pg_stat_replication").await?;
            Ok((state.trim() == "sync").then_some(()))
        })
        .await
    }

    /// Promotes the replica to primary, and returns its URL.
    ///
    /// # Errors
    /// There is no replica, or it refuses.
    pub async fn promote(&mut self) -> anyhow::Result<String> {
        let replica = self.replica.take().context("there is no replica")?;
        run_sql(&replica, "select pg_promote(wait => true)").await?;
        self.primary = replica;
        Ok(self.url())
    }

    /// Lets the nodes' role read the state of the standby.
    ///
    /// # Errors
    /// The primary refuses.
    pub async fn grant_monitor(&self) -> anyhow::Result<()> {
        run_sql(&self.primary, "grant pg_monitor to voelgoed").await.map(drop)
    }

    /// The URL of the database at the replica.
    #[must_use]
    pub fn replica_url(&self) -> Option<String> {
        self.replica.as_ref().map(url)
    }

    /// Runs SQL in the platform's database, and returns its rows.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn sql(&self, text: &str) -> anyhow::Result<String> {
        let mut command = Command::new(program("psql")?);
        command.args(["-h", "127.0.0.1", "-p", port(&self.primary), "-U", "postgres", "-d", "voelgoed", "-qAtc", text]);
        run_to_end(command).await
    }

    /// The primary and the replica.
    pub fn servers(&self) -> impl Iterator<Item = &Process> {
        [&self.primary].into_iter().chain(&self.replica)
    }

    /// Stops the replica, then the primary.
    ///
    /// # Errors
    /// A server does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(replica) = &mut self.replica {
            replica.stop("-INT").await?;
        }
        self.primary.stop("-INT").await?;
        Ok(())
    }
}

fn url(server: &Process) -> String {
    format!("postgres://voelgoed@{}/voelgoed", server.address)
}

async fn new_replica(directory: &Path, primary: &Process) -> anyhow::Result<Process> {
    let home = directory.join("replica");
    // A fresh copy is quicker than catching up.
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let mut copy = tool("pg_basebackup", directory)?;
    copy.args(["-U", "postgres", "-h", "127.0.0.1", "-p", port(primary), "-R", "-X", "stream", "-c", "fast", "-D"])
        .arg(&home);
    run_to_end(copy).await?;
    server("postgres-replica", directory, &home).await
}

async fn server(name: &str, directory: &Path, home: &Path) -> anyhow::Result<Process> {
    let port = free_port()?;
    let lock = home.join("postmaster.pid");
    // A killed server leaves its lock, whose process id may belong to another process by now.
    if lock.exists() {
        std::fs::remove_file(lock)?;
    }
    let mut command = tool("postgres", directory)?;
    command.arg("-D").arg(home).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "shared_buffers=64MB",
        "max_wal_size=256MB",
    ] {
        command.args(["-c", setting]);
    }
    let mut server = Process::spawn(name, &format!("127.0.0.1:{port}"), &command, directory)?;
    server.accepts_connections().await?;
    until(&format!("{name} answers queries"), SERVER_TIMEOUT, || async {
        Ok(run_sql(&server, "select 1").await.is_ok().then_some(()))
    })
    .await?;
    Ok(server)
}

fn port(server: &Process) -> &str {
    server.address.rsplit(':').next().unwrap_or_default()
}

async fn run_sql(server: &Process, text: &str) -> anyhow::Result<String> {
    let mut command = Command::new(program("psql")?);
    command.args(["-h", "127.0.0.1", "-p", port(server), "-U", "postgres", "-d", "postgres", "-qAtc", text]);
    run_to_end(command).await
}

fn tool(name: &str, directory: &Path) -> anyhow::Result<Command> {
    let mut command = unprivileged(&program(name)?, directory)?;
    command.current_dir(directory);
    Ok(command)
}

/// Debian installs each major version into a folder of its own, and puts only some programs on the path.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("Postgres is not installed")?;
    let mut found: Vec<PathBuf> =
        versions.flatten().map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    match found.pop() {
        Some(path) => Ok(path),
        None => bail!("Postgres has no {name} here"),
    }
}
