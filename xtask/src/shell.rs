//! Starting other programs: always with a deadline, always with their output shown as it comes.
//!
//! Never: a child that outlives its deadline (its descendants are ended with it, by their ids).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::report::Tally;

/// `cargo` of the pinned toolchain, at `root`.
pub fn cargo(root: &Path) -> Command {
    // Cargo tells its subcommands where it is; without it (a bare start of this binary) the name will do.
    let mut command = Command::new(option_env!("CARGO").filter(|path| Path::new(path).exists()).unwrap_or("cargo"));
    command.current_dir(root);
    command
}

/// The command as a person would type it.
pub fn spelled(command: &Command) -> String {
    let mut words =
        vec![Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs it with its output shown; an error where it fails.
pub fn must(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {}", spelled(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", spelled(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", spelled(command));
    }
    Ok(())
}

/// Runs it without a word on standard output; an error where it fails.
pub fn quietly(command: &mut Command) -> anyhow::Result<()> {
    let status =
        command.stdout(Stdio::null()).status().with_context(|| format!("cannot start `{}`", spelled(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", spelled(command));
    }
    Ok(())
}

/// Runs it and returns what it printed on stdout; an error with its stderr where it fails.
pub fn capture(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start `{}`", spelled(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            spelled(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", spelled(command)))
}

/// What a test program said and how it ended.
#[derive(Default)]
pub struct Outcome {
    /// The sum of all its count lines.
    pub tally: Tally,
    /// Every line of stdout.
    pub lines: Vec<String>,
}

impl Outcome {
    /// Adds what another program of the same suite said.
    pub fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.lines.extend(other.lines);
    }

    /// The lines that name a test that failed, in libtest's words or our own.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).filter(|line| line.starts_with("test ") && line.contains(" ... FAILED"))
    }
}

impl From<Tally> for Outcome {
    fn from(tally: Tally) -> Self {
        Self { tally, lines: Vec::new() }
    }
}

/// Runs a test program for at most `limit`, shows its output as it comes, and sums its count lines.
///
/// A program that ends badly without having counted a failure (it does not compile, it was ended) counts as one failure.
pub fn tally(command: &mut Command, limit: Duration) -> anyhow::Result<Outcome> {
    println!("$ {}", spelled(command));
    // Not straight to standard output: what our own tests make this print must not be counted by the run that runs them.
    counted(command, limit, |line| println!("{line}"))
}

/// The same without a word of what it prints.
pub fn hushed(command: &mut Command, limit: Duration) -> anyhow::Result<Outcome> {
    counted(command, limit, |_| ())
}

fn counted(command: &mut Command, limit: Duration, show: impl Fn(&str)) -> anyhow::Result<Outcome> {
    let name = spelled(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let (finished, deadline) = mpsc::channel::<()>();
    let id = child.id();
    let watchdog = std::thread::spawn(move || {
        let late = deadline.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            end_family(id);
        }
        late
    });
    let mut outcome = Outcome::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        show(&line);
        if let Some(counts) = Tally::of_line(&line) {
            outcome.tally.add(counts);
        }
        outcome.lines.push(line);
    }
    let status = child.wait()?;
    drop(finished);
    if watchdog.join().unwrap_or(false) {
        show(&format!("`{name}` was ended: it ran longer than {} s", limit.as_secs()));
    }
    if !status.success() && outcome.tally.failed == 0 {
        show(&format!("`{name}` ended with {status}"));
        outcome.tally.failed = 1;
    }
    Ok(outcome)
}

/// Ends `id` and all that it started, by their ids.
fn end_family(id: u32) {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // "pid (name) state parent …": the name may hold anything, so read behind its last bracket.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut family = vec![id];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        family.extend(children.get(member).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    let ids = family.iter().map(u32::to_string);
    // A member that is gone already is no fault.
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

    const AMPLE: Duration = Duration::from_secs(30);

    #[test]
    fn count_lines_are_summed() -> anyhow::Result<()> {
        let outcome =
            tally(&mut sh("echo '2 passed, 0 failed'; echo hello; echo '1 passed, 0 failed, 1 skipped'"), AMPLE)?;
        assert_eq!(outcome.tally, Tally { passed: 3, failed: 0, skipped: 1 });
        assert_eq!(outcome.lines.len(), 3);
        Ok(())
    }

    #[test]
    fn a_bad_end_without_a_counted_failure_is_one_failure() -> anyhow::Result<()> {
        assert_eq!(tally(&mut sh("exit 3"), AMPLE)?.tally, Tally::one(false));
        assert_eq!(tally(&mut sh("echo '1 passed, 2 failed'; exit 1"), AMPLE)?.tally.failed, 2);
        Ok(())
    }

    #[test]
    fn failed_tests_are_known_by_name() -> anyhow::Result<()> {
        let script = "echo 'test a ... ok'; echo 'test b ... FAILED: why'; echo '1 passed, 1 failed'; exit 1";
        let outcome = tally(&mut sh(script), AMPLE)?;
        assert_eq!(outcome.failures().collect::<Vec<_>>(), ["test b ... FAILED: why"]);
        Ok(())
    }

    #[test]
    fn a_program_that_runs_too_long_is_ended_with_its_children() -> anyhow::Result<()> {
        let outcome = tally(&mut sh("sleep 600 & sleep 600; echo '1 passed, 0 failed'"), Duration::from_millis(200))?;
        assert_eq!(outcome.tally, Tally::one(false));
        Ok(())
    }
}
