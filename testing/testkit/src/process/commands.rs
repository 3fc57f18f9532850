//! Builds commands that die with their thread or run without root, and runs a command to its end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

const RUN_TIMEOUT: Duration = Duration::from_secs(120);
/// Makes the kernel kill the child when the thread that started it ends.
const PARENT_DEATH_KILL: &str = "--pdeathsig=KILL";

/// The same command, killed by the kernel together with the thread that spawns it.
pub(super) fn tied_to_thread(command: &Command) -> Command {
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
    let output = tokio::time::timeout(RUN_TIMEOUT, command.output()).await;
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
