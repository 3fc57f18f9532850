//! Runs child processes, prints their output line by line, sums the test counts in it, and kills the process tree at a timeout.
//!
//! Never: a child process that outlives its timeout; its descendants are killed with it, by their ids.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::test_counts::TestCounts;

/// `cargo` of the pinned toolchain, at `root`.
pub fn cargo(root: &Path) -> Command {
    // Cargo sets CARGO while it compiles this crate; a moved toolchain falls back to the one on PATH.
    let mut command = Command::new(option_env!("CARGO").filter(|path| Path::new(path).exists()).unwrap_or("cargo"));
    command.current_dir(root);
    command
}

/// The command as typed in a shell, without quoting.
pub fn command_line(command: &Command) -> String {
    let mut words =
        vec![Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs the command with inherited output.
///
/// # Errors
/// The command cannot start, or exits with a failure.
pub fn run_checked(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {}", command_line(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", command_line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", command_line(command));
    }
    Ok(())
}

/// Like [`run_checked`], with standard output discarded.
pub fn run_checked_quietly(command: &mut Command) -> anyhow::Result<()> {
    let status =
        command.stdout(Stdio::null()).status().with_context(|| format!("cannot start `{}`", command_line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", command_line(command));
    }
    Ok(())
}

/// Runs the command and returns its standard output; an error carries its standard error.
pub fn capture(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start `{}`", command_line(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            command_line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", command_line(command)))
}

/// The output of one test program and the counts in it.
#[derive(Default)]
pub struct TestRun {
    /// The sum of all count lines.
    pub counts: TestCounts,
    /// Every line of standard output.
    pub lines: Vec<String>,
}

impl TestRun {
    /// Appends another program of the same suite.
    pub fn add(&mut self, other: Self) {
        self.counts.add(other.counts);
        self.lines.extend(other.lines);
    }

    /// The lines that name a failed test, as libtest and our own programs print them.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).filter(|line| line.starts_with("test ") && line.contains(" ... FAILED"))
    }
}

impl From<TestCounts> for TestRun {
    fn from(counts: TestCounts) -> Self {
        Self { counts, lines: Vec::new() }
    }
}

/// Runs a test program, prints its output line by line, sums its count lines, and kills its process tree at `timeout`.
///
/// A failed exit without a counted failure (a compile error, a kill) counts as one failure.
pub fn run_tests(command: &mut Command, timeout: Duration) -> anyhow::Result<TestRun> {
    println!("$ {}", command_line(command));
    // println! is captured by libtest, so count lines printed by this crate's own tests are not counted by the outer run.
    run_and_count(command, timeout, |line| println!("{line}"))
}

/// Like [`run_tests`], without printing.
pub fn run_tests_quietly(command: &mut Command, timeout: Duration) -> anyhow::Result<TestRun> {
    run_and_count(command, timeout, |_| ())
}

fn run_and_count(command: &mut Command, timeout: Duration, show: impl Fn(&str)) -> anyhow::Result<TestRun> {
    let name = command_line(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let (finished, deadline) = mpsc::channel::<()>();
    let id = child.id();
    let watchdog = std::thread::spawn(move || {
        let late = deadline.recv_timeout(timeout) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            kill_process_tree(id);
        }
        late
    });
    let mut test_run = TestRun::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        show(&line);
        if let Some(counts) = TestCounts::of_line(&line) {
            test_run.counts.add(counts);
        }
        test_run.lines.push(line);
    }
    let status = child.wait()?;
    drop(finished);
    if watchdog.join().unwrap_or(false) {
        show(&format!("`{name}` was killed: it ran longer than {} s", timeout.as_secs()));
    }
    if !status.success() && test_run.counts.failed == 0 {
        show(&format!("`{name}` ended with {status}"));
        test_run.counts.failed = 1;
    }
    Ok(test_run)
}

/// Sends SIGKILL to `id` and every descendant, by process id.
fn kill_process_tree(id: u32) {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // "pid (name) state parent …": the name may contain brackets and spaces, so fields are read after the last bracket.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut tree = vec![id];
    let mut next = 0;
    while let Some(process) = tree.get(next) {
        tree.extend(children.get(process).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    let ids = tree.iter().map(u32::to_string);
    // A process that has already exited makes kill fail; that is the wanted state.
    let _ = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn count_lines_are_summed() -> anyhow::Result<()> {
        let test_run =
            run_tests(&mut sh("echo '2 passed, 0 failed'; echo hello; echo '1 passed, 0 failed, 1 skipped'"), TIMEOUT)?;
        assert_eq!(test_run.counts, TestCounts { passed: 3, failed: 0, skipped: 1 });
        assert_eq!(test_run.lines.len(), 3);
        Ok(())
    }

    #[test]
    fn failed_exit_without_a_counted_failure_counts_as_one_failure() -> anyhow::Result<()> {
        assert_eq!(run_tests(&mut sh("exit 3"), TIMEOUT)?.counts, TestCounts::one(false));
        assert_eq!(run_tests(&mut sh("echo '1 passed, 2 failed'; exit 1"), TIMEOUT)?.counts.failed, 2);
        Ok(())
    }

    #[test]
    fn failures_are_the_lines_that_name_a_failed_test() -> anyhow::Result<()> {
        let script = "echo 'test a ... ok'; echo 'test b ... FAILED: why'; echo '1 passed, 1 failed'; exit 1";
        let test_run = run_tests(&mut sh(script), TIMEOUT)?;
        assert_eq!(test_run.failures().collect::<Vec<_>>(), ["test b ... FAILED: why"]);
        Ok(())
    }

    #[test]
    fn program_past_its_timeout_is_killed_with_its_children_and_counts_as_failed() -> anyhow::Result<()> {
        let test_run =
            run_tests(&mut sh("sleep 600 & sleep 600; echo '1 passed, 0 failed'"), Duration::from_millis(200))?;
        assert_eq!(test_run.counts, TestCounts::one(false));
        Ok(())
    }
}
