//! Starts a program as a child process that logs to a file, can be signalled and started again, and dies with its value or with the thread that started it.
//!
//! Never: a process that outlives its value, or a signal to a process that was not started here.

mod commands;
mod end;
mod pids;
mod startup;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use commands::tied_to_thread;
pub use commands::{run_to_end, unprivileged};
pub use pids::{PIDS_FILE, is_alive, kill_leftovers, send_signal};

/// For a start or an end, also on a busy machine.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

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
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_if_running();
    }
}
