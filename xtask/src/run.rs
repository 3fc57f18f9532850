//! One visit through the door: where the house stands, how thorough to be, and the release binary, built once.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::shell;

/// What every suite and benchmark is given.
pub struct Run {
    /// The repository's root.
    pub root: PathBuf,
    /// Full length for the long suites, instead of a smoke.
    pub long: bool,
    release: OnceCell<PathBuf>,
}

impl Run {
    /// A run in the repository that this program was compiled from.
    pub fn here(long: bool) -> anyhow::Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?.to_path_buf();
        Ok(Self { root, long, release: OnceCell::new() })
    }

    /// The `voelgoed` binary as it ships, built at its first use.
    pub fn release_binary(&self) -> anyhow::Result<&Path> {
        if self.release.get().is_none() {
            shell::must(shell::cargo(&self.root).args(["build", "--release", "--package", "voelgoed"]))?;
        }
        Ok(self.release.get_or_init(|| self.target().join("release").join("voelgoed")))
    }

    /// A program of `testing/`, built as `cargo test --workspace` builds its libraries: the named test brings its features in,
    /// so that no library is compiled a second time with others.
    pub fn program(&self, name: &str) -> anyhow::Result<Command> {
        shell::must(shell::cargo(&self.root).args([
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
        let moved = std::env::var_os("CARGO_TARGET_DIR");
        moved.map_or_else(|| self.root.join("target"), |directory| self.root.join(directory))
    }
}
