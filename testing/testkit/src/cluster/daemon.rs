//! A process that goes on until it is stopped: its output in a file, its end with its value.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::until::until;

/// The names of what was started, below the root.
pub const PIDS: &str = "pids.json";
/// A start or an end takes at most this, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process.
#[derive(Debug)]
pub struct Daemon {
    /// What it is called.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// Where its output goes.
    pub log: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Starts `command`, its output in `<directory>/<name>.log`, away from the terminal's signals. The kernel ends it with the thread that
    /// calls this, so that nothing is left where we are killed: call it from one that stays.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(name: &str, address: &str, command: Command, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = tied(&command);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), address: address.to_owned(), log, child: Some(child) })
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Waits until it takes connections.
    ///
    /// # Errors
    /// Where it does not in time, or ends.
    pub async fn listens(&mut self) -> anyhow::Result<()> {
        let Self { name, address, log, child } = self;
        let child = child.as_mut().with_context(|| format!("{name} is down"))?;
        let what = format!("{name} listens (see {})", log.display());
        let look = || async { Ok(TcpStream::connect(&*address).await.is_ok().then_some(())) };
        tokio::select! {
            biased;
            ended = child.wait() => {
                let said = std::fs::read(log)?;
                let said = String::from_utf8_lossy(&said);
                bail!("{name} ended ({}): {}", ended?, said.lines().last().unwrap_or_default())
            }
            listens = until(&what, PATIENCE, look) => listens,
        }
    }

    /// Sends a signal, e.g. `-STOP`.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid().with_context(|| format!("{} is down", self.name))?;
        let status = Command::new("kill").arg(name).arg(pid.to_string()).status().await?;
        if !status.success() {
            bail!("kill {name} {}: {status}", self.name);
        }
        Ok(())
    }

    /// Sends a signal that ends it, and waits for its end; true where that was in order.
    ///
    /// # Errors
    /// Where it does not end in time.
    pub async fn stop(&mut self, signal: &str) -> anyhow::Result<bool> {
        if self.pid().is_none() {
            return Ok(true);
        }
        self.signal(signal).await?;
        self.ended().await
    }

    /// Waits for its end; true where that was in order.
    ///
    /// # Errors
    /// Where it does not end in time.
    pub async fn ended(&mut self) -> anyhow::Result<bool> {
        let Some(mut child) = self.child.take() else { return Ok(true) };
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        let status = ended.with_context(|| format!("{} does not end", self.name))??;
        Ok(status.success())
    }
}

/// What asks the kernel for that.
const TIE: &str = "--pdeathsig=KILL";

/// The same command, tied to us.
fn tied(command: &Command) -> Command {
    let command = command.as_std();
    let mut tied = Command::new("setpriv");
    tied.arg(TIE).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(name, value),
            None => tied.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        tied.current_dir(directory);
    }
    tied
}

/// Ends what an earlier start below `root` left behind: processes that are written down there and whose command line or directory is there.
///
/// # Errors
/// Where the list cannot be read.
pub fn end_leftovers(root: &Path) -> anyhow::Result<()> {
    let file = root.join(PIDS);
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(()) };
    let pids: Vec<u32> = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let place = root.to_str().context("the directory's name is not UTF-8")?;
    let is_ours = |pid: &u32| {
        let directory = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        directory.starts_with(root) || String::from_utf8_lossy(&line).contains(place)
    };
    let ours: Vec<String> = pids.into_iter().filter(is_ours).map(|pid| pid.to_string()).collect();
    if !ours.is_empty() {
        std::process::Command::new("kill").arg("-KILL").args(&ours).status()?;
    }
    std::fs::remove_file(file)?;
    Ok(())
}

/// Runs a command to its end; what it printed, or what it complained about.
///
/// # Errors
/// Where it fails or takes too long.
pub async fn output(mut command: Command) -> anyhow::Result<String> {
    let spelled = format!("{:?}", command.as_std().get_program());
    let arguments: Vec<_> =
        command.as_std().get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await;
    let output = output.with_context(|| format!("{spelled} takes too long"))?.with_context(|| spelled.clone())?;
    if !output.status.success() {
        bail!("{spelled} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// `program` as somebody who is not root, where we are root: some insist.
///
/// # Errors
/// Where nobody knows who we are.
pub fn unprivileged(program: &Path, directory: &Path) -> anyhow::Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let owner = std::process::Command::new("chown").arg("-R").arg("postgres").arg(directory).status()?;
    if !owner.success() {
        bail!("{} cannot be given to the user postgres", directory.display());
    }
    let mut command = Command::new("setpriv");
    // A change of user unties it, so it is tied anew.
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", TIE]).arg(program);
    Ok(command)
}

fn is_root() -> anyhow::Result<bool> {
    let id = std::process::Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&id.stdout).trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the kernel knows a process of this number that is no corpse.
    fn lives(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    #[test]
    fn a_process_ends_with_the_thread_that_started_it_without_being_told() {
        let directory = std::env::temp_dir().join(format!("voelgoed-tied-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let home = directory.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (started, pid) = std::sync::mpsc::channel();
        let (go, may_end) = std::sync::mpsc::channel();
        let starter = std::thread::spawn(move || {
            let _runtime = handle.enter();
            let mut command = Command::new("sleep");
            command.arg("600");
            let daemon = Daemon::start("sleeper", "nowhere", command, &home).unwrap();
            started.send(daemon.pid().unwrap()).unwrap();
            may_end.recv().unwrap();
            daemon
        });
        let pid = pid.recv().unwrap();
        // Tied before it becomes the program: a thread that ends earlier leaves nothing to be told by.
        let comm = || std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let tied = until("its start", PATIENCE, || async { Ok((comm().trim() == "sleep").then_some(())) });
        runtime.block_on(tied).unwrap();
        go.send(()).unwrap();
        // Its value lives on: what ends it is the end of the thread.
        let daemon = starter.join().unwrap();
        let gone = runtime.block_on(until("its end", PATIENCE, || async { Ok((!lives(pid)).then_some(())) }));
        drop(daemon);
        std::fs::remove_dir_all(directory).unwrap();
        gone.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_while_it_is_waited_for_says_why() {
        let directory = std::env::temp_dir().join(format!("voelgoed-ended-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such port >&2; exit 3"]);
        let mut daemon = Daemon::start("doomed", "127.0.0.1:1", command, &directory).unwrap();
        let told = daemon.listens().await.unwrap_err().to_string();
        std::fs::remove_dir_all(directory).unwrap();
        assert_eq!(told, "doomed ended (exit status: 3): no such port");
    }
}
