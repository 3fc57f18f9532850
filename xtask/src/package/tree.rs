//! Writes the files of a package into a staging directory with fixed modes, compressed where Debian expects it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::child_process::run_checked_quietly;

/// Mode of programs and maintainer scripts.
const PROGRAM: u32 = 0o755;
/// Mode of other files.
const FILE: u32 = 0o644;

/// A staging directory.
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty directory at `root`; what was there is deleted.
    pub fn create(root: PathBuf) -> anyhow::Result<Self> {
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        let tree = Self { root };
        tree.make_directory(&tree.root)?;
        Ok(tree)
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Copies a file.
    pub fn copy(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        self.write(to, std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?)
    }

    /// Copies a program.
    pub fn copy_program(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        self.copy(from, to)?;
        set_mode(&self.root.join(to), PROGRAM)
    }

    /// Writes a program.
    pub fn write_program(&self, to: &str, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
        self.write(to, content)?;
        set_mode(&self.root.join(to), PROGRAM)
    }

    /// Copies every file of a directory, without those below its directories.
    pub fn copy_files(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                self.copy(&entry.path(), &format!("{to}/{}", entry.file_name().to_string_lossy()))?;
            }
        }
        Ok(())
    }

    /// Writes a file and the directories above it.
    pub fn write(&self, to: &str, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let path = self.root.join(to);
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
        }
        std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        set_mode(&path, FILE)
    }

    /// Writes a file compressed with gzip, without name and time; `to` gets the suffix `.gz`.
    pub fn write_compressed(&self, to: &str, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
        self.write(to, content)?;
        run_checked_quietly(Command::new("gzip").args(["--best", "--no-name", "--force"]).arg(self.root.join(to)))
    }

    /// Makes a directory below the root, and those above it, with the same mode whatever the umask is.
    fn make_directory(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        for directory in path.ancestors().take_while(|directory| directory.starts_with(&self.root)) {
            set_mode(directory, PROGRAM)?;
        }
        Ok(())
    }
}

fn set_mode(path: &Path, mode: u32) -> anyhow::Result<()> {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).with_context(|| format!("cannot set the mode of {}", path.display()))
}
