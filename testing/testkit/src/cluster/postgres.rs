//! Postgres with a role that is no superuser, and where wanted a streaming replica. Its files outlive it: a later start finds them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

use super::daemon::{Daemon, output, unprivileged};
use crate::port::free_port;
use crate::until::until;

/// A server does what it is told within this.
const SOON: Duration = Duration::from_secs(60);

/// The cold tier's servers.
#[derive(Debug)]
pub struct Postgres {
    /// Where sales are decided.
    pub primary: Daemon,
    /// A streaming replica.
    pub replica: Option<Daemon>,
}

impl Postgres {
    /// Starts it; makes role, database and replica where they are not there.
    ///
    /// # Errors
    /// Where a server does not come up.
    pub async fn start(directory: &Path, replica: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let home = directory.join("primary");
        let is_new = !home.exists();
        if is_new {
            let mut init = tool("initdb", directory)?;
            init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
                .arg(&home);
            output(init).await?;
        }
        let primary = server("postgres", directory, &home).await?;
        if is_new {
            sql(&primary, "create role voelgoed login").await?;
            sql(&primary, "create database voelgoed owner voelgoed").await?;
        }
        let replica = if replica { Some(follow(directory, &primary).await?) } else { None };
        Ok(Self { primary, replica })
    }

    /// What nodes are told.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.primary)
    }

    /// Commits wait for the replica from now on.
    ///
    /// # Errors
    /// Where there is none, or it does not become the synchronous one.
    pub async fn make_synchronous(&self) -> anyhow::Result<()> {
        // The one that follows calls itself by Postgres' default name.
        sql(&self.primary, "alter system set synchronous_standby_names = 'FIRST 1 (walreceiver)'").await?;
        sql(&self.primary, "select pg_reload_conf()").await?;
        until("the replica is the synchronous standby", SOON, || async {
            let state = sql(&self.primary, "select sync_state from pg_stat_replication").await?;
            Ok((state.trim() == "sync").then_some(()))
        })
        .await
    }

    /// The replica becomes the primary; where to reach it.
    ///
    /// # Errors
    /// Where there is none, or it does not.
    pub async fn promote(&mut self) -> anyhow::Result<String> {
        let replica = self.replica.take().context("there is no replica")?;
        sql(&replica, "select pg_promote(wait => true)").await?;
        self.primary = replica;
        Ok(self.url())
    }

    /// Lets nodes see whether their standby is there.
    ///
    /// # Errors
    /// Where the primary refuses.
    pub async fn grant_monitor(&self) -> anyhow::Result<()> {
        sql(&self.primary, "grant pg_monitor to voelgoed").await.map(drop)
    }

    /// What nodes are told of the replica.
    #[must_use]
    pub fn replica_url(&self) -> Option<String> {
        self.replica.as_ref().map(url)
    }

    /// Asks the platform's database; what it answers.
    ///
    /// # Errors
    /// Where it refuses.
    pub async fn ask(&self, text: &str) -> anyhow::Result<String> {
        let mut command = Command::new(program("psql")?);
        command.args(["-h", "127.0.0.1", "-p", port(&self.primary), "-U", "postgres", "-d", "voelgoed", "-qAtc", text]);
        output(command).await
    }

    /// Every server.
    pub fn servers(&self) -> impl Iterator<Item = &Daemon> {
        [&self.primary].into_iter().chain(&self.replica)
    }

    /// Stops the replica, then the primary; what was answered is on the disk.
    ///
    /// # Errors
    /// Where one does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(replica) = &mut self.replica {
            replica.stop("-INT").await?;
        }
        self.primary.stop("-INT").await?;
        Ok(())
    }
}

fn url(server: &Daemon) -> String {
    format!("postgres://voelgoed@{}/voelgoed", server.address)
}

async fn follow(directory: &Path, primary: &Daemon) -> anyhow::Result<Daemon> {
    let home = directory.join("replica");
    // Always anew: quicker than to find out what it missed.
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let mut copy = tool("pg_basebackup", directory)?;
    copy.args(["-U", "postgres", "-h", "127.0.0.1", "-p", port(primary), "-R", "-X", "stream", "-c", "fast", "-D"])
        .arg(&home);
    output(copy).await?;
    server("postgres-replica", directory, &home).await
}

async fn server(name: &str, directory: &Path, home: &Path) -> anyhow::Result<Daemon> {
    let port = free_port()?;
    let lock = home.join("postmaster.pid");
    // Left by a killed server, whose process number may be somebody else's by now.
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
    let mut server = Daemon::start(name, &format!("127.0.0.1:{port}"), command, directory)?;
    server.listens().await?;
    until(&format!("{name} answers"), SOON, || async { Ok(sql(&server, "select 1").await.is_ok().then_some(())) })
        .await?;
    Ok(server)
}

fn port(server: &Daemon) -> &str {
    server.address.rsplit(':').next().unwrap_or_default()
}

async fn sql(server: &Daemon, text: &str) -> anyhow::Result<String> {
    let mut command = Command::new(program("psql")?);
    command.args(["-h", "127.0.0.1", "-p", port(server), "-U", "postgres", "-d", "postgres", "-qAtc", text]);
    output(command).await
}

fn tool(name: &str, directory: &Path) -> anyhow::Result<Command> {
    let mut command = unprivileged(&program(name)?, directory)?;
    command.current_dir(directory);
    Ok(command)
}

/// Debian keeps each major version in a folder of its own, and only some programs on the path.
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
