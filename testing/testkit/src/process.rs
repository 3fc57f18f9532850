//! Starts a program as a child process that logs to a file, can be signalled and started again, and dies with its value or with the thread that started it.
//!
//! Never: a process that outlives its value, or a signal to a process that was not started here.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Lists the process ids of a cluster below its root, so that a later start can end what a killed one left behind.
pub const PIDS_FILE: &str = "pids.json";
/// For a start or an end, also on a busy machine.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Makes the kernel kill the child when the thread that started it ends.
const PARENT_DEATH_KILL: &str = "--pdeathsig=KILL";

/// A program that is started, killed, stopped and started again with the same arguments.
#[derive(Debug)]
pub struct Process {
    /// Names the process in messages.
    pub name: String,
    /// `host:port` that accepts connections once the program is up.
    pub address: String,
    /// Receives standard error, and standard output where [`Self::start_and_read_line`] does not read it.
    pub log: PathBuf,
    command: Command,
    log_writer: LogWriter,
    child: Option<Child>,
}

/// Which process writes the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogWriter {
    /// The program itself.
    Program,
    /// A `cat` behind a pipe, so that the log goes on where the program's file writes are refused (`prlimit --fsize=0`).
    Pipe,
}

impl Process {
    /// A process that is not started yet. The kernel kills it together with the thread that starts it, so start it from a thread that stays.
    #[must_use]
    pub fn new(name: &str, address: &str, command: &Command, log: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            log,
            command: tied_to_thread(command),
            log_writer: LogWriter::Program,
            child: None,
        }
    }

    /// Starts `command` with its log in `<directory>/<name>.log`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(name: &str, address: &str, command: &Command, directory: &Path) -> anyhow::Result<Self> {
        let mut process = Self::new(name, address, command, directory.join(format!("{name}.log")));
        process.start()?;
        Ok(process)
    }

    /// Chooses which process writes the log file from the next start on.
    #[must_use]
    pub fn with_log_writer(mut self, log_writer: LogWriter) -> Self {
        self.log_writer = log_writer;
        self
    }

    /// Runs another program from the next start on.
    pub fn set_command(&mut self, command: &Command) {
        self.command = tied_to_thread(command);
    }

    /// Starts the program without waiting for it.
    ///
    /// # Errors
    /// It runs already, or cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.launch(false)
    }

    /// Starts the program and waits for its first line on standard output; later lines are discarded.
    ///
    /// # Errors
    /// It runs already, cannot be started, or prints no line within `timeout`.
    pub async fn start_and_read_line(&mut self, timeout: Duration) -> anyhow::Result<String> {
        self.launch(true)?;
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take()).context("stdout is piped")?;
        let (sender, first) = oneshot::channel();
        // Later lines are read too, so that a full pipe never stops the program.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(line) = lines.next() {
                let _ = sender.send(line);
            }
            lines.for_each(drop);
        });
        match tokio::time::timeout(timeout, first).await {
            Ok(Ok(line)) => Ok(line),
            _ => bail!("{} does not start; see {}: {}", self.name, self.log.display(), last_line(&self.log)),
        }
    }

    fn launch(&mut self, pipes_stdout: bool) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let stderr = match self.log_writer {
            LogWriter::Program => log.try_clone()?.into(),
            LogWriter::Pipe => {
                let (reader, writer) = std::io::pipe()?;
                // Ends by itself once the program has closed the pipe.
                let mut cat = Command::new("cat").stdin(reader).stdout(log.try_clone()?).spawn().context("cat")?;
                std::thread::spawn(move || cat.wait());
                Stdio::from(writer)
            }
        };
        self.command.stdin(Stdio::null()).stderr(stderr).process_group(0);
        self.command.stdout(if pipes_stdout { Stdio::piped() } else { Stdio::from(log) });
        let child = self.command.spawn().with_context(|| format!("cannot start {}", self.name))?;
        // The command keeps its descriptors otherwise, and the log's pipe would never end.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(child);
        Ok(())
    }

    /// Starts the program where it is down, as a supervisor does; true where it had ended by itself.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn restart_if_ended(&mut self) -> anyhow::Result<bool> {
        let had_ended = match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => false,
        };
        if had_ended {
            self.child = None;
        }
        if self.child.is_none() {
            self.start()?;
        }
        Ok(had_ended)
    }

    /// The process id, until the end was waited for.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Waits until the program accepts connections at its address.
    ///
    /// # Errors
    /// It does not in time, or ends; with the last line of its log.
    pub async fn accepts_connections(&mut self) -> anyhow::Result<()> {
        let Self { name, address, log, child, .. } = self;
        let child = child.as_mut().with_context(|| format!("{name} is down"))?;
        let polling = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    bail!("{name} ended ({status}): {}", last_line(log));
                }
                if TcpStream::connect(&*address).await.is_ok() {
                    return Ok(());
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let accepts = tokio::time::timeout(START_STOP_TIMEOUT, polling).await;
        accepts.with_context(|| format!("{name} does not accept connections; see {}", log.display()))?
    }

    /// Sends a signal, e.g. `-STOP`.
    ///
    /// # Errors
    /// The program is down.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid().with_context(|| format!("{} is down", self.name))?;
        send_signal(name, pid)
    }

    /// Sends a signal where the program runs; false where it is down or has ended.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn signal_if_running(&mut self, name: &str) -> anyhow::Result<bool> {
        let Some(child) = &mut self.child else { return Ok(false) };
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        self.signal(name).map(|()| true)
    }

    /// Kills the program without warning (SIGKILL).
    ///
    /// # Errors
    /// The program is down.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_some(), "{} is down already", self.name);
        self.kill_if_running();
        Ok(())
    }

    /// Kills the program (SIGKILL); nothing where it is down.
    pub fn kill_if_running(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error says that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal that ends the program, and waits for its end; success where it is down already.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn stop(&mut self, signal: &str) -> anyhow::Result<ExitStatus> {
        if self.child.is_some() {
            self.signal(signal)?;
        }
        self.wait().await
    }

    /// Waits for the end of the program; success where it is down already.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let Some(child) = &mut self.child else { return Ok(ExitStatus::default()) };
        let polling = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    return anyhow::Ok(status);
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let ended = tokio::time::timeout(START_STOP_TIMEOUT, polling).await;
        let status = ended.with_context(|| format!("{} does not end within {START_STOP_TIMEOUT:?}", self.name))??;
        self.child = None;
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_if_running();
    }
}

/// Sends a signal such as `-TERM` to a process.
///
/// # Errors
/// There is no such process.
pub fn send_signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").arg(name).arg(pid.to_string()).status()?;
    ensure!(status.success(), "kill {name} {pid}: {status}");
    Ok(())
}

/// False also for a process that has ended and was not waited for yet.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn last_line(log: &Path) -> String {
    let log = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().last().unwrap_or_default().to_owned()
}

/// The same command, killed by the kernel together with the thread that spawns it.
fn tied_to_thread(command: &Command) -> Command {
    let mut tied = Command::new("setpriv");
    tied.arg(PARENT_DEATH_KILL).arg(command.get_program()).args(command.get_args());
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

/// Kills what an earlier start below `root` left behind: listed processes whose command line or working directory is below `root`.
///
/// # Errors
/// The list cannot be read.
pub fn kill_leftovers(root: &Path) -> anyhow::Result<()> {
    let file = root.join(PIDS_FILE);
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
        Command::new("kill").arg("-KILL").args(&ours).status()?;
    }
    std::fs::remove_file(file)?;
    Ok(())
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
/// It fails, with its standard error, or takes too long.
pub async fn run_to_end(command: Command) -> anyhow::Result<String> {
    let mut command = tokio::process::Command::from(command);
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> =
        command.as_std().get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(START_STOP_TIMEOUT * 2, command.output()).await;
    let output = output.with_context(|| format!("{program} takes too long"))?.with_context(|| program.clone())?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// `program` as the user `postgres` where this process is root: some servers refuse to run as root.
///
/// # Errors
/// `directory` cannot be given to that user.
pub fn unprivileged(program: &Path, directory: &Path) -> anyhow::Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let owner = Command::new("chown").arg("-R").arg("postgres").arg(directory).status()?;
    ensure!(owner.success(), "{} cannot be given to the user postgres", directory.display());
    let mut command = Command::new("setpriv");
    // A change of user clears the parent-death signal, so it is set again.
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", PARENT_DEATH_KILL]).arg(program);
    Ok(command)
}

fn is_root() -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::until::until;

    #[test]
    fn process_is_killed_when_the_thread_that_started_it_ends() {
        let directory = std::env::temp_dir().join(format!("voelgoed-tied-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let home = directory.clone();
        let (started, pid) = std::sync::mpsc::channel();
        let (go, may_end) = std::sync::mpsc::channel();
        let starter = std::thread::spawn(move || {
            let mut command = Command::new("sleep");
            command.arg("600");
            let process = Process::spawn("sleeper", "nowhere", &command, &home).unwrap();
            started.send(process.pid().unwrap()).unwrap();
            may_end.recv().unwrap();
            process
        });
        let pid = pid.recv().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // `setpriv` ties the process before it becomes the program: a thread that ends earlier kills nothing.
        let comm = || std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let tied =
            until("the program starts", START_STOP_TIMEOUT, || async { Ok((comm().trim() == "sleep").then_some(())) });
        runtime.block_on(tied).unwrap();
        go.send(()).unwrap();
        // The value lives on: the end of the thread is what kills the process.
        let process = starter.join().unwrap();
        let gone = runtime
            .block_on(until("the process ends", START_STOP_TIMEOUT, || async { Ok((!is_alive(pid)).then_some(())) }));
        drop(process);
        std::fs::remove_dir_all(directory).unwrap();
        gone.unwrap();
    }

    #[tokio::test]
    async fn program_that_ends_before_it_accepts_connections_is_reported_with_its_last_log_line() {
        let directory = std::env::temp_dir().join(format!("voelgoed-ended-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such port >&2; exit 3"]);
        let mut process = Process::spawn("doomed", "127.0.0.1:1", &command, &directory).unwrap();
        let error = process.accepts_connections().await.unwrap_err().to_string();
        std::fs::remove_dir_all(directory).unwrap();
        assert_eq!(error, "doomed ended (exit status: 3): no such port");
    }

    #[tokio::test]
    async fn program_is_started_again_with_its_first_line_and_a_piped_log() {
        let directory = std::env::temp_dir().join(format!("voelgoed-again-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo logged >&2; echo ready; exec sleep 600"]);
        let log = directory.join("again.log");
        let mut process = Process::new("again", "nowhere", &command, log.clone()).with_log_writer(LogWriter::Pipe);
        for _ in 0..2 {
            assert_eq!(process.start_and_read_line(START_STOP_TIMEOUT).await.unwrap(), "ready");
            process.kill().unwrap();
        }
        let logged = until("both starts are logged", START_STOP_TIMEOUT, || async {
            Ok((std::fs::read_to_string(&log)? == "logged\nlogged\n").then_some(()))
        });
        let logged = logged.await;
        std::fs::remove_dir_all(directory).unwrap();
        logged.unwrap();
    }
}
