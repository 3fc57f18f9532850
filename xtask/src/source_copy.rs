//! Copies the source tree to a folder below `target`, with patches applied, so that changed code is built beside the repository's own.
//!
//! A file whose content is unchanged is not written, so that a second build compiles only what changed. The copies share a target directory with the
//! repository for the external crates; the crates of a copy need a version of their own, because cargo would take an artifact of one tree for another's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::patch::parse;

/// Folders that a build and a run make; they are not source.
const NOT_SOURCE: &[&str] = &["target", ".git", "node_modules", "voelgoed-data"];
/// The start of the version of all crates in the manifest of the workspace.
const VERSION: &str = "[workspace.package]\nversion = \"";

/// The source files by their path in the repository.
pub struct SourceCopy {
    /// Path and content.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl SourceCopy {
    /// Reads the files below `root`.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        read_folder(root, Path::new(""), &mut files)?;
        Ok(Self { files })
    }

    /// Changes a file.
    pub fn change(&mut self, path: &Path, change: impl FnOnce(&str) -> anyhow::Result<String>) -> anyhow::Result<()> {
        let file = self.files.get_mut(path).with_context(|| format!("{} is not there", path.display()))?;
        *file = change(std::str::from_utf8(file)?)?.into_bytes();
        Ok(())
    }

    /// Applies a patch and returns the paths of its files.
    pub fn apply(&mut self, patch: &str) -> anyhow::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for patch in parse(patch)? {
            let path = PathBuf::from(&patch.path);
            if patch.is_new {
                self.files.entry(path.clone()).or_default();
            }
            self.change(&path, |text| patch.apply(text))?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// Adds build metadata to the version of the workspace's crates: `1.2.3` becomes `1.2.3+metadata`.
    pub fn add_build_metadata(&mut self, metadata: &str) -> anyhow::Result<()> {
        self.change(Path::new("Cargo.toml"), |manifest| {
            let (before, after) = manifest.split_once(VERSION).context("the workspace has a version")?;
            let (version, after) = after.split_once('"').context("the version is quoted")?;
            Ok(format!("{before}{VERSION}{version}+{metadata}\"{after}"))
        })
    }

    /// Makes `folder` equal to these files.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let old = if folder.is_dir() { Self::read(folder)?.files } else { BTreeMap::new() };
        for path in old.keys().filter(|path| !self.files.contains_key(*path)) {
            std::fs::remove_file(folder.join(path))?;
        }
        for (path, content) in self.files.iter().filter(|(path, content)| old.get(*path) != Some(content)) {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            std::fs::write(&path, content).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && !NOT_SOURCE.iter().any(|name| entry.file_name() == *name) {
            read_folder(root, &path, files)?;
        } else if kind.is_file() {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_has_a_version_of_its_own() -> anyhow::Result<()> {
        let manifest =
            "[workspace]\n\n[workspace.package]\nversion = \"0.1.0\"\n[dependencies]\nx = { version = \"0.1.0\" }\n";
        let mut copy = SourceCopy { files: BTreeMap::from([("Cargo.toml".into(), manifest.into())]) };
        copy.add_build_metadata("mutants")?;
        let expected = manifest.replacen("0.1.0", "0.1.0+mutants", 1);
        assert_eq!(copy.files.get(Path::new("Cargo.toml")), Some(&expected.into_bytes()));
        copy.files.insert("Cargo.toml".into(), b"[workspace]\n".into());
        assert!(copy.add_build_metadata("mutants").is_err());
        Ok(())
    }
}
