//! Copies the source tree to `target/mutants/tree` and applies every patch there.
//!
//! A file whose content is unchanged is not written, so that a second build compiles only what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{PATCHES, parse};

/// Folders that a build and a run make; they are not source.
const NOT_SOURCE: &[&str] = &["target", ".git", "node_modules", "voelgoed-data"];
/// The dependency that the patched crates need.
const DEPENDENCY: &str = "voelgoed-mutants.workspace = true\n";
/// The start of the version of all crates in the manifest of the workspace.
const VERSION: &str = "[workspace.package]\nversion = \"";

/// Writes the mutated tree and returns its folder.
pub fn create(root: &Path) -> anyhow::Result<PathBuf> {
    let tree = root.join("target/mutants/tree");
    let mut files = BTreeMap::new();
    read(root, Path::new(""), &mut files)?;
    patch(&mut files)?;
    set_version(&mut files)?;
    let mut old = BTreeMap::new();
    if tree.is_dir() {
        read(&tree, Path::new(""), &mut old)?;
    }
    for path in old.keys().filter(|path| !files.contains_key(*path)) {
        std::fs::remove_file(tree.join(path))?;
    }
    for (path, content) in files.iter().filter(|(path, content)| old.get(*path) != Some(content)) {
        let path = tree.join(path);
        std::fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        std::fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(tree)
}

/// Gives the crates of the tree a version of their own. Both trees share a target directory, and cargo would take an artifact of one for the other's.
fn set_version(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    let manifest = files.get_mut(Path::new("Cargo.toml")).context("the workspace has a manifest")?;
    let text = std::str::from_utf8(manifest)?;
    let (before, after) = text.split_once(VERSION).context("the workspace has a version")?;
    let (version, after) = after.split_once('"').context("the version is quoted")?;
    *manifest = format!("{before}{VERSION}{version}+mutants\"{after}").into_bytes();
    Ok(())
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && !NOT_SOURCE.iter().any(|name| entry.file_name() == *name) {
            read(root, &path, files)?;
        } else if kind.is_file() {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn patch(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    let patches: Vec<_> =
        files.iter().filter(|(path, _)| path.starts_with(PATCHES)).map(|(_, text)| text.clone()).collect();
    let mut manifests = BTreeSet::new();
    for text in patches {
        for patch in parse(std::str::from_utf8(&text)?)? {
            let path = PathBuf::from(&patch.path);
            let file = files.get_mut(&path).with_context(|| format!("{} is not there", patch.path))?;
            *file = patch.apply(std::str::from_utf8(file)?)?.into_bytes();
            manifests.insert(path.iter().take(2).collect::<PathBuf>().join("Cargo.toml"));
        }
    }
    for path in manifests {
        let manifest = files.get_mut(&path).with_context(|| format!("{} is not there", path.display()))?;
        let text = std::str::from_utf8(manifest)?;
        *manifest = text.replacen("[dependencies]\n", &format!("[dependencies]\n{DEPENDENCY}"), 1).into_bytes();
    }
    Ok(())
}
