//! Runs real Postgres servers, a primary and streaming replicas, each on a free port and as an unprivileged user where the tests are root.
//!
//! Never: a server that outlives the tests (its keeper stops it and deletes its directory once the pipe from this process is closed), or a signal to
//! a process that was not started here. Commits are not flushed to disk except by [`Postgres::start_flushing`].

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::free_port::free_port;
use crate::until::until;

/// For a start, also after a crash.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Owns the schema and serves; not a superuser, so that row security applies.
pub const ROLE: &str = "voelgoed";
/// Runs the server, and ends it with the signal of the first input line; when the input is closed, the directory is deleted too.
const KEEPER: &str = r#"directory=$1; shift; "$@" </dev/null & server=$!
if read -r signal; then kill -"$signal" $server; wait
else kill -QUIT $server; wait; umount "$directory/data" 2>/dev/null; rm -rf "$directory"; fi"#;
const SMALL_DISK_SIZE: &str = "400m";
/// The file that fills a small disk.
const BALLAST: &str = "ballast";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    binaries: PathBuf,
    directory: PathBuf,
    port: u16,
    keeper: Option<Child>,
    /// Whether a commit is flushed to the disk.
    flushes: bool,
    has_disk: bool,
}

impl Postgres {
    /// Starts an empty primary with the role [`ROLE`], which may create databases.
    ///
    /// # Errors
    /// Postgres is not installed (`apt-get install postgresql`), or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::prepare()?.begin().await
    }

    /// Starts a primary that flushes every commit, as in production. For measurements.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_flushing() -> anyhow::Result<Self> {
        let mut server = Self::prepare()?;
        server.flushes = true;
        server.begin().await
    }

    /// Starts a primary on a small disk of its own, which can be [filled](Self::fill_disk).
    ///
    /// # Errors
    /// As [`Self::start`], or nothing can be mounted here.
    pub async fn start_on_small_disk() -> anyhow::Result<Self> {
        let mut server = Self::prepare()?;
        let data = server.data();
        fs::create_dir(&data)?;
        let owner = unprivileged()?.iter().find_map(|word| Some(word.strip_prefix("--reuid=")?.to_owned()));
        let options =
            format!("size={SMALL_DISK_SIZE},mode=0700{}", owner.map(|uid| format!(",uid={uid}")).unwrap_or_default());
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&data))?;
        server.has_disk = true;
        server.begin().await
    }

    async fn begin(mut self) -> anyhow::Result<Self> {
        let server = &mut self;
        let data = server.data();
        let mut made = server.command("initdb")?;
        made.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"]).arg(&data);
        run(&mut made)?;
        server.restart().await?;
        server.sql("postgres", &format!("create role {ROLE} login createdb"))?;
        Ok(self)
    }

    /// Fills the small disk: writes fail with `ENOSPC` until it is [emptied](Self::empty_disk).
    ///
    /// # Errors
    /// The server has no disk of its own.
    pub fn fill_disk(&self) -> anyhow::Result<()> {
        ensure!(self.has_disk, "the server has no disk of its own");
        let mut ballast = fs::File::create(self.data().join(BALLAST))?;
        let chunk = vec![0; 64 * 1024];
        // To the last byte: a short write is followed by a refused one.
        while ballast.write(&chunk).is_ok() {}
        Ok(())
    }

    /// Undoes [`Self::fill_disk`].
    ///
    /// # Errors
    /// The disk was not filled.
    pub fn empty_disk(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.data().join(BALLAST))?)
    }

    /// Starts a streaming replica of this server with the application name `name`.
    ///
    /// # Errors
    /// The copy fails, or the replica does not start.
    pub async fn replica(&self, name: &str) -> anyhow::Result<Self> {
        let mut replica = Self::prepare()?;
        let data = replica.data();
        let from = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        let mut copy = replica.command("pg_basebackup")?;
        copy.args([
            "--no-sync",
            "--write-recovery-conf",
            "--wal-method=stream",
            "--checkpoint=fast",
            "-d",
            &from,
            "-D",
        ]);
        run(copy.arg(&data))?;
        replica.restart().await?;
        Ok(replica)
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of `database` as [`ROLE`].
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of `database` as the superuser.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates a database as a copy of `template`, which must have no connections.
    ///
    /// # Errors
    /// The server refuses.
    pub fn create_database(&self, name: &str, template: &str) -> anyhow::Result<()> {
        self.sql("postgres", &format!("create database {name} owner {ROLE} template {template}")).map(drop)
    }

    /// Runs SQL as the superuser, and returns a line per row without headings.
    ///
    /// # Errors
    /// The server refuses.
    pub fn sql(&self, database: &str, text: &str) -> anyhow::Result<String> {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &self.superuser_url(database), "-c", text]);
        Ok(run(&mut psql)?.trim().to_owned())
    }

    /// The whole log.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.directory.join("log"))?).into_owned())
    }

    /// Kills the server and all its sessions without warning (SIGKILL).
    ///
    /// # Errors
    /// It is down.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal("KILL")?;
        self.end_keeper().await
    }

    /// Ends the keeper of a server that is gone, but not the directory.
    async fn end_keeper(&mut self) -> anyhow::Result<()> {
        let mut keeper = self.keeper.take().context("the server is down already")?;
        let _ = keeper.stdin.take().context("a pipe")?.write_all(b"KILL\n");
        until("the keeper ends", START_TIMEOUT, || {
            let ended = keeper.try_wait();
            async move { Ok(ended?.map(drop)) }
        })
        .await
    }

    /// Stops all processes of the server with SIGSTOP: they keep their connections and do not reply.
    ///
    /// # Errors
    /// It is down.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    /// Continues after [`Self::freeze`] (SIGCONT).
    ///
    /// # Errors
    /// It is down.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    /// Starts the server again where it has ended by itself; true where it had.
    ///
    /// # Errors
    /// It does not come up in time.
    pub async fn restart_if_ended(&mut self) -> anyhow::Result<bool> {
        // A process that has ended and was not waited for yet has no command line.
        let line = self.server_pid().and_then(|pid| Ok(fs::read(format!("/proc/{pid}/cmdline"))?));
        if line.is_ok_and(|line| !line.is_empty()) {
            return Ok(false);
        }
        self.end_keeper().await?;
        self.restart().await?;
        Ok(true)
    }

    /// Starts the server (again) at its port, and waits until it accepts connections.
    ///
    /// # Errors
    /// It does not come up in time.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log"))?;
        let mut server = Command::new("sh");
        server.args(["-c", KEEPER, "sh"]).arg(&self.directory).args(unprivileged()?);
        server.arg(self.binaries.join("postgres")).arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        for setting in [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=32MB",
            if self.flushes { "fsync=on" } else { "fsync=off" },
            if self.flushes { "full_page_writes=on" } else { "full_page_writes=off" },
            "hot_standby_feedback=on",
            "wal_receiver_status_interval=1",
            "max_wal_size=128MB",
        ] {
            server.args(["-c", setting]);
        }
        let child = server.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).spawn();
        self.keeper = Some(child.context("cannot start a shell")?);
        until("Postgres accepts connections", START_TIMEOUT, || async { Ok(self.sql("postgres", "select 1").ok()) })
            .await
            .with_context(|| fs::read_to_string(self.directory.join("log")).unwrap_or_default())
            .map(drop)
    }

    fn prepare() -> anyhow::Result<Self> {
        let port = free_port()?;
        let directory = std::env::temp_dir().join(format!("voelgoed-postgres-{}-{port}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let user = unprivileged()?;
        if let [_, uid, ..] = user.as_slice() {
            run(Command::new("chown").arg(uid.trim_start_matches("--reuid=")).arg(&directory))?;
        }
        Ok(Self { binaries: binaries()?, directory, port, keeper: None, flushes: false, has_disk: false })
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of Postgres, as the unprivileged user.
    fn command(&self, program: &str) -> anyhow::Result<Command> {
        let mut words = unprivileged()?.into_iter();
        let program = self.binaries.join(program);
        let Some(first) = words.next() else { return Ok(Command::new(program)) };
        let mut command = Command::new(first);
        command.args(words).arg(program);
        Ok(command)
    }

    fn server_pid(&self) -> anyhow::Result<String> {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).context("the server is down")?;
        Ok(pid.lines().next().context("a process id")?.to_owned())
    }

    /// Sends a signal to the server and to its sessions.
    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let server = self.server_pid()?;
        let sessions = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
        let mut kill = Command::new("kill");
        kill.arg(format!("-{name}")).arg(&server).args(sessions.split_whitespace());
        // A session may have ended meanwhile, but not the server itself.
        let sent = run(&mut kill);
        ensure!(sent.is_ok() || Path::new(&format!("/proc/{server}")).exists(), "the server is gone");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A frozen server handles no signal.
        let _ = self.thaw();
        match &mut self.keeper {
            Some(keeper) => {
                drop(keeper.stdin.take());
                let _ = keeper.wait();
            }
            None => {
                if self.has_disk {
                    let _ = run(Command::new("umount").arg(self.data()));
                }
                drop(fs::remove_dir_all(&self.directory));
            }
        }
    }
}

/// The words before a Postgres program where this process is root: Postgres refuses to run as root.
fn unprivileged() -> anyhow::Result<Vec<String>> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(Vec::new());
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids_of = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    };
    let (user, group) = ids_of("postgres").or_else(|| ids_of("nobody")).context("no unprivileged user")?;
    Ok(vec!["setpriv".to_owned(), format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()])
}

/// The folder of Postgres' programs: Debian's newest version, else that of the `postgres` on the path.
fn binaries() -> anyhow::Result<PathBuf> {
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = debian.filter(|bin| bin.join("postgres").exists()).collect();
    found.sort();
    found
        .pop()
        .or_else(|| std::env::split_paths(&path).find(|bin| bin.join("postgres").exists()))
        .context("Postgres is not installed: apt-get install postgresql")
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
