//! Runs the shell blocks of README.md unchanged, in an empty environment without `voelgoed` on PATH and with port 8080 taken.
//!
//! The second command of the first block is `cargo xtask test`, so it is left out.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::task_context::TaskContext;

/// Long enough for seeding the demo's events.
const LINE_TIMEOUT: Duration = Duration::from_secs(180);

/// The `sh` blocks of a Markdown text, in order.
pub fn blocks(text: &str) -> Vec<String> {
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

/// Runs a script with bash in its own process group, which is killed on drop.
struct Shell {
    child: Child,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Shell {
    fn run(context: &TaskContext, script: &str, data: &Path) -> anyhow::Result<Self> {
        let cargo = Path::new(option_env!("CARGO").unwrap_or("/usr/bin/cargo"));
        let path = format!("{}:/usr/bin:/bin", cargo.parent().context("cargo lies in a directory")?.display());
        let mut child = Command::new("bash")
            .args(["-eu", "-o", "pipefail", "-c", script])
            .current_dir(&context.root)
            .env_clear()
            .env("PATH", path)
            .env("HOME", data)
            .envs(toolchain_variables())
            .env("VOELGOED__DATA__DIRECTORY", data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("cannot start bash")?;
        let (sender, lines) = mpsc::channel();
        send_lines(child.stdout.take().context("stdout is piped")?, sender.clone());
        send_lines(child.stderr.take().context("stderr is piped")?, sender);
        Ok(Self { child, lines, printed: Vec::new() })
    }

    /// Waits for a line that contains `part`; returns that line.
    fn until(&mut self, part: &str) -> anyhow::Result<String> {
        loop {
            match self.lines.recv_timeout(LINE_TIMEOUT) {
                Ok(line) => {
                    self.printed.push(line.clone());
                    if line.contains(part) {
                        return Ok(line);
                    }
                }
                Err(_) => bail!("`{part}` was not printed; the block printed:\n{}", self.printed.join("\n")),
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

/// The variables that locate the toolchain; the script sees no others.
fn toolchain_variables() -> Vec<(&'static str, std::ffi::OsString)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo's own variables; configuration of the product is not read here"
    )]
    let variable = |name| std::env::var_os(name).map(|value| (name, value));
    let home = variable("HOME").map(|(_, home)| home);
    let below_home = |directory: &str| home.as_ref().map(|home| Path::new(home).join(directory).into_os_string());
    let cargo_home = variable("CARGO_HOME").map(|(_, value)| value).or_else(|| below_home(".cargo"));
    let rustup_home = variable("RUSTUP_HOME").map(|(_, value)| value).or_else(|| below_home(".rustup"));
    let homes = [("CARGO_HOME", cargo_home), ("RUSTUP_HOME", rustup_home)];
    let homes = homes.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    homes.chain(variable("CARGO_TARGET_DIR")).collect()
}

fn send_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // The receiver is dropped with its `Shell`.
            to.send(line).ok();
        }
    });
}

/// Runs the first command; the demo must choose another port because 8080 is taken.
pub fn first_command(context: &TaskContext, scratch: &Path) -> anyhow::Result<()> {
    // Fails if another process holds the port, which serves the same purpose.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let blocks = blocks(&std::fs::read_to_string(context.root.join("README.md"))?);
    let command = blocks.first().and_then(|block| block.lines().next()).context("README has a first command")?;
    let mut shell = Shell::run(context, command, &scratch.join("first"))?;
    let line = shell.until("The shop is open at ")?;
    let url = line.rsplit(' ').next().context("the line ends with the address")?;
    ensure!(!url.ends_with(":8080"), "port 8080 is taken, but the demo prints {url}");
    let status = Command::new("curl").args(["--silent", "--fail", "--output", "/dev/null", url]).status()?;
    ensure!(status.success(), "{url} does not answer: {status}");
    Ok(())
}

/// Runs the other blocks in one shell: sell, pay, admit, and set up a real organization.
pub fn other_blocks(context: &TaskContext, scratch: &Path) -> anyhow::Result<()> {
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let blocks = blocks(&std::fs::read_to_string(context.root.join("README.md"))?);
    ensure!(blocks.len() == 3, "README has {} shell blocks; this suite knows what three of them print", blocks.len());
    let mut shell = Shell::run(context, &blocks[1..].concat(), &scratch.join("others"))?;
    for printed in ["\"paid\"", "\"admitted\"", "vgk_", "pairing code", "Opening night", "serves at"] {
        shell.until(printed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn only_sh_blocks_are_extracted_unchanged() {
        let text = "a\n```sh\none   # two\n```\n```mermaid\nx\n```\n```sh\n  three\n\nfour\n```\n";
        assert_eq!(blocks(text), ["one   # two\n", "  three\n\nfour\n"]);
    }
}
