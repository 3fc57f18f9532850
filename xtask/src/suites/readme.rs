//! Runs the shell blocks of README.md exactly as they stand: in an empty environment, with no `voelgoed` on the path and port 8080 taken.
//!
//! The second command of the first block is this very run and is left out.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::run::Run;

/// The longest silence of a block: the seeding of the demo's events.
const SILENCE_MAX: Duration = Duration::from_secs(180);

/// The `sh` blocks of a Markdown text, in order.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        match (&mut current, line) {
            (None, "```sh") => current = Some(String::new()),
            (Some(_), "```") => found.extend(current.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// A shell that runs a script in a group of processes of its own, which ends with this value.
struct Shell {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Shell {
    fn run(run: &Run, script: &str, data: &Path) -> anyhow::Result<Self> {
        let cargo = Path::new(option_env!("CARGO").unwrap_or("/usr/bin/cargo"));
        let path = format!("{}:/usr/bin:/bin", cargo.parent().context("cargo lies in a directory")?.display());
        let mut child = Command::new("bash")
            .args(["-eu", "-o", "pipefail", "-c", script])
            .current_dir(&run.root)
            .env_clear()
            .env("PATH", path)
            .env("HOME", data)
            .envs(kept_variables())
            .env("VOELGOED__DATA__DIRECTORY", data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("cannot start bash")?;
        let (sender, lines) = mpsc::channel();
        read(child.stdout.take().context("stdout is piped")?, sender.clone());
        read(child.stderr.take().context("stderr is piped")?, sender);
        Ok(Self { child, lines, said: Vec::new() })
    }

    /// Waits for a line that contains `part`; returns that line.
    fn until(&mut self, part: &str) -> anyhow::Result<String> {
        loop {
            match self.lines.recv_timeout(SILENCE_MAX) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(part) {
                        return Ok(line);
                    }
                }
                Err(_) => bail!("`{part}` was not printed; the block printed:\n{}", self.said.join("\n")),
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        Command::new("kill").args(["-TERM", "--", &group]).status().ok();
        self.child.wait().ok();
        Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status().ok();
    }
}

/// Where the toolchain and its packages are; everything else of the environment is left out.
fn kept_variables() -> Vec<(&'static str, std::ffi::OsString)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo's own variables; configuration of the product is not read here"
    )]
    let kept = |name| std::env::var_os(name).map(|value| (name, value));
    let home = kept("HOME").map(|(_, home)| home);
    let below_home = |directory: &str| home.as_ref().map(|home| Path::new(home).join(directory).into_os_string());
    let cargo_home = kept("CARGO_HOME").map(|(_, value)| value).or_else(|| below_home(".cargo"));
    let rustup_home = kept("RUSTUP_HOME").map(|(_, value)| value).or_else(|| below_home(".rustup"));
    let homes = [("CARGO_HOME", cargo_home), ("RUSTUP_HOME", rustup_home)];
    let homes = homes.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    homes.chain(kept("CARGO_TARGET_DIR")).collect()
}

fn read(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // The reader ends with its shell.
            to.send(line).ok();
        }
    });
}

/// The first command opens a shop, on another port where 8080 is taken.
pub fn first_command(run: &Run, scratch: &Path) -> anyhow::Result<()> {
    // Taken by this process, or by another one already.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let blocks = blocks(&std::fs::read_to_string(run.root.join("README.md"))?);
    let command = blocks.first().and_then(|block| block.lines().next()).context("README has a first command")?;
    let mut shell = Shell::run(run, command, &scratch.join("first"))?;
    let line = shell.until("The shop is open at ")?;
    let url = line.rsplit(' ').next().context("the line ends with the address")?;
    ensure!(!url.ends_with(":8080"), "port 8080 is taken, and yet the demo says {url}");
    let status = Command::new("curl").args(["--silent", "--fail", "--output", "/dev/null", url]).status()?;
    ensure!(status.success(), "{url} does not answer: {status}");
    Ok(())
}

/// The other blocks sell, pay, admit, and open a shop of one's own, in one shell.
pub fn other_blocks(run: &Run, scratch: &Path) -> anyhow::Result<()> {
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let blocks = blocks(&std::fs::read_to_string(run.root.join("README.md"))?);
    ensure!(blocks.len() == 3, "README has {} shell blocks; this suite knows what three of them print", blocks.len());
    let mut shell = Shell::run(run, &blocks[1..].concat(), &scratch.join("others"))?;
    for printed in ["\"paid\"", "\"admitted\"", "vgk_", "pairing code", "Opening night", "serves at"] {
        shell.until(printed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn only_shell_blocks_are_taken_each_as_it_stands() {
        let text = "a\n```sh\none   # two\n```\n```mermaid\nx\n```\n```sh\n  three\n\nfour\n```\n";
        assert_eq!(blocks(text), ["one   # two\n", "  three\n\nfour\n"]);
    }
}
