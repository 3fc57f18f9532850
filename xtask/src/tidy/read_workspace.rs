//! Reads the repository for the tidy rules: text files from disk, packages from `cargo metadata`, test marks from the module graph.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::module_graph::reached;
use super::source_file::SourceFile;
use super::workspace::{ExternalPackage, PackageDependency, Workspace, WorkspacePackage};
use crate::child_process;

/// Folders that are read, in addition to the files of the root.
const FOLDERS: &[&str] = &[".cargo", ".ci", "crates", "deploy", "docs", "testing", "xtask"];
/// Extensions of the files that are read.
const EXTENSIONS: &[&str] =
    &["css", "csv", "html", "js", "json", "lua", "md", "patch", "rs", "sh", "sql", "svg", "toml", "txt"];

/// Reads the repository at `root`.
pub fn read(root: &Path) -> anyhow::Result<Workspace> {
    let mut files = Vec::new();
    read_folder(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let metadata = child_process::capture(child_process::cargo(root).args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform=x86_64-unknown-linux-gnu",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is JSON")?;
    let (packages, externals) = packages(root, &metadata);
    let mut workspace = Workspace { files, packages, externals };
    let reached = reached(&workspace);
    for file in &mut workspace.files {
        file.set_test(reached.get(&file.path).copied().unwrap_or(false));
    }
    Ok(workspace)
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if entry.file_type()?.is_dir() {
            let is_read = folder != root || FOLDERS.contains(&relative.as_str());
            if is_read && entry.file_name() != "target" && entry.file_name() != "node_modules" {
                read_folder(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|read| extension == *read)) {
            // A running tool may delete its temporary file between listing and reading.
            if let Ok(text) = std::fs::read_to_string(&path) {
                files.push(SourceFile::new(relative, text));
            }
        }
    }
    Ok(())
}

fn packages(root: &Path, metadata: &Value) -> (Vec<WorkspacePackage>, Vec<ExternalPackage>) {
    let relative = |path: &Value| {
        let path = Path::new(text(path));
        path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
    };
    let mut own = Vec::new();
    let mut externals = Vec::new();
    let compiled: Vec<&str> = list(&metadata["resolve"]["nodes"]).map(|node| text(&node["id"])).collect();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]).to_owned();
        if package["source"].is_null() {
            let manifest = relative(&package["manifest_path"]);
            let dependencies = list(&package["dependencies"])
                .map(|dependency| PackageDependency {
                    name: text(&dependency["name"]).to_owned(),
                    is_dev: dependency["kind"] == "dev",
                })
                .collect();
            let roots = list(&package["targets"]).map(|target| relative(&target["src_path"])).collect();
            let folder = manifest.trim_end_matches("/Cargo.toml").to_owned();
            own.push(WorkspacePackage { name, folder, dependencies, roots });
        } else if compiled.contains(&text(&package["id"])) {
            externals.push(ExternalPackage {
                name,
                version: text(&package["version"]).to_owned(),
                licence: package["license"].as_str().map(str::to_owned),
                source: text(&package["source"]).to_owned(),
            });
        }
    }
    own.sort_by(|a, b| a.folder.cmp(&b.folder));
    (own, externals)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_can_be_read() -> anyhow::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is a folder of the repository")?;
        let workspace = read(root)?;
        assert!(workspace.file("xtask/src/tidy/workspace.rs").is_some());
        let own = workspace.packages.iter().find(|package| package.name == "xtask").context("xtask is a package")?;
        assert_eq!(own.folder, "xtask");
        assert_eq!(own.roots, ["xtask/src/main.rs"]);
        assert!(workspace.externals.iter().any(|external| external.name == "serde_json" && external.licence.is_some()));
        Ok(())
    }
}
