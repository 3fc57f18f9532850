//! The context of one xtask invocation: repository root, suite length, and the release binary, built at its first use.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::child_process;

/// Passed to every suite and benchmark.
pub struct TaskContext {
    /// The repository's root.
    pub root: PathBuf,
    /// Runs long suites at full length instead of as a smoke test.
    pub long: bool,
    release: OnceCell<PathBuf>,
}

impl TaskContext {
    /// The context of the repository that this program was compiled from.
    pub fn new(long: bool) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask is a folder of the repository")?
            .to_path_buf();
        Ok(Self { root, long, release: OnceCell::new() })
    }

    /// Path of the release build of `voelgoed`, built at the first call.
    pub fn release_binary(&self) -> anyhow::Result<&Path> {
        if self.release.get().is_none() {
            child_process::run_checked(child_process::cargo(&self.root).args([
                "build",
                "--release",
                "--package",
                "voelgoed",
            ]))?;
        }
        Ok(self.release.get_or_init(|| self.target().join("release").join("voelgoed")))
    }

    /// Builds a program of `testing/` and returns its command.
    ///
    /// `--test edges` selects the feature set of `cargo test --workspace`, so that no library is compiled a second time.
    pub fn program(&self, name: &str) -> anyhow::Result<Command> {
        child_process::run_checked(child_process::cargo(&self.root).args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            name,
            "--test",
            "edges",
        ]))?;
        let mut command = Command::new(self.target().join("debug").join(name));
        command.current_dir(&self.root);
        Ok(command)
    }

    /// Cargo's target directory.
    pub fn target(&self) -> PathBuf {
        #[expect(
            clippy::disallowed_methods,
            reason = "cargo's own variable; configuration of the product is not read here"
        )]
        let target_dir = std::env::var_os("CARGO_TARGET_DIR");
        target_dir.map_or_else(|| self.root.join("target"), |directory| self.root.join(directory))
    }
}
