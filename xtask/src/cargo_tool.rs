//! Finds a pinned cargo tool in `target/tools` or on PATH, and builds it from crates.io where it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::ensure;

use crate::child_process;
use crate::task_context::TaskContext;

/// A program of crates.io at a pinned version.
pub struct CargoTool {
    /// Name of the crate and of its program.
    pub name: &'static str,
    /// The version that a long run builds; a short run takes any version on PATH.
    pub version: &'static str,
}

impl CargoTool {
    /// The pinned version in `target/tools`, otherwise the program on PATH; none where neither answers.
    pub fn find(&self, context: &TaskContext) -> Option<PathBuf> {
        let pinned = self.pinned_path(context);
        if self.is_pinned_version(&pinned) {
            return Some(pinned);
        }
        let on_path = PathBuf::from(self.name);
        printed_version(&on_path).map(|version| {
            println!("{} on PATH is {version}", self.name);
            on_path
        })
    }

    /// The pinned version in `target/tools`, built there unless it exists.
    ///
    /// # Errors
    /// The build fails, or builds a program that prints another version.
    pub fn install(&self, context: &TaskContext) -> anyhow::Result<PathBuf> {
        let pinned = self.pinned_path(context);
        if self.is_pinned_version(&pinned) {
            return Ok(pinned);
        }
        let mut command = child_process::cargo(&context.root);
        // Without optimization: the build takes minutes, a run seconds.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        command.args(["install", "--debug", "--quiet", "--locked", "--force", "--version", self.version, "--root"]);
        command.arg(tools_directory(context)).arg(self.name);
        child_process::run_checked(&mut command)?;
        ensure!(self.is_pinned_version(&pinned), "{} does not print version {}", pinned.display(), self.version);
        Ok(pinned)
    }

    fn pinned_path(&self, context: &TaskContext) -> PathBuf {
        tools_directory(context).join("bin").join(self.name)
    }

    fn is_pinned_version(&self, program: &Path) -> bool {
        printed_version(program).is_some_and(|version| version == self.version)
    }
}

fn tools_directory(context: &TaskContext) -> PathBuf {
    context.target().join("tools")
}

/// The last word of `program --version`: `cargo-deny 0.20.2` or only `0.20.2`.
fn printed_version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.split_whitespace().last().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn version_is_the_last_word_that_a_program_prints_and_a_failing_program_has_none() -> anyhow::Result<()> {
        let directory = std::env::temp_dir().join(format!("voelgoed-cargo-tool-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        for (name, script, expected) in [
            ("long", "echo cargo-deny 0.20.2", Some("0.20.2")),
            ("short", "echo 0.9.2", Some("0.9.2")),
            ("failing", "echo 0.9.2; exit 1", None),
            ("silent", "true", None),
        ] {
            let program = directory.join(name);
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n"))?;
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
            assert_eq!(printed_version(&program).as_deref(), expected, "{name}");
        }
        assert_eq!(printed_version(&directory.join("missing")), None);
        std::fs::remove_dir_all(&directory)?;
        Ok(())
    }
}
