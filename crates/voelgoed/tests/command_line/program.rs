//! Runs the program on a data directory of its own, which goes when the value is dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer};

/// A data directory, not yet created, and commands on it.
pub struct Program {
    root: PathBuf,
    data: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Program {
    /// Commands on a fresh directory; `name` is unique among the tests.
    pub fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("voelgoed-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Self { data: root.join("data"), root }
    }

    /// A directory for files of the test.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A command that is yet to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_voelgoed"));
        command.args(arguments).arg("--data").arg(&self.data).env("VOELGOED__LOG__FILTER", "error");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Starts a demo on the data directory, and waits until it is ready.
    pub async fn start_demo(&self) -> TestServer {
        let binary = Path::new(env!("CARGO_BIN_EXE_voelgoed"));
        let options = ServerOptions::new(binary, ServerCommand::Demo, &self.data);
        TestServer::started(options.with_environment([("VOELGOED__LOG__FILTER", "error")])).await.unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        ended.stdout.trim().to_owned()
    }

    /// Runs a command that must be refused; its standard error.
    pub fn refuse(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(matches!(ended.code, Some(1 | 2)), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(!ended.stderr.contains("panicked"), "{arguments:?}: {}", ended.stderr);
        ended.stderr
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.root).ok();
    }
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
