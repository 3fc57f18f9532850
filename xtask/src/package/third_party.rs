//! Collects names, versions, licenses and license texts of the libraries in the binary, because most licenses ask for their notice in copies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::target;
use crate::child_process::{capture, cargo};

/// Beginnings of the names of files with a license or a notice.
const NAMES: &[&str] = &["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// A list of the libraries, then each distinct text once with the libraries that it belongs to.
pub fn licenses(root: &Path) -> anyhow::Result<String> {
    let platform = format!("--filter-platform={}", target());
    let metadata = capture(cargo(root).args(["metadata", "--format-version=1", "--locked", &platform]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is JSON")?;
    let linked = linked(&metadata);
    let mut list = String::from("Libraries in the program voelgoed, with their licenses.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in list_of(&metadata["packages"]) {
        // Crates of the workspace are under LICENSE.
        if package["source"].is_null() || !linked.contains(text(&package["id"])) {
            continue;
        }
        let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
        writeln!(list, "{name}: {}", text(&package["license"]))?;
        let folder = Path::new(text(&package["manifest_path"])).parent().context("a manifest lies in a folder")?;
        for license in license_files(folder)? {
            texts.entry(license).or_default().push(name.clone());
        }
    }
    for (license, names) in texts {
        write!(list, "\n{}\n{}:\n\n{}\n", "-".repeat(80), names.join(", "), license.trim_end())?;
    }
    Ok(list)
}

/// Identifiers of the packages that the binary reaches over normal dependencies.
fn linked(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> =
        list_of(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let binary = list_of(&metadata["packages"]).find(|package| package["name"] == "voelgoed");
    let mut pending: VecDeque<&str> = binary.map(|package| text(&package["id"])).into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(id) = pending.pop_front() {
        if !found.insert(id.to_owned()) {
            continue;
        }
        let dependencies = nodes.get(id).map(|node| &node["deps"]);
        for dependency in dependencies.into_iter().flat_map(list_of) {
            if list_of(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()) {
                pending.push_back(text(&dependency["pkg"]));
            }
        }
    }
    found
}

/// The texts of the license files of a package, in the order of their names.
fn license_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|beginning| name.starts_with(beginning)) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let texts = paths.iter().map(|path| Ok(String::from_utf8_lossy(&std::fs::read(path)?).replace('\r', "")));
    texts.collect()
}

fn list_of(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_libraries_that_the_binary_links_are_listed() {
        let dependency = |package: &str, kind: Value| json!({"pkg": package, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [{"name": "voelgoed", "id": "v"}, {"name": "a", "id": "a"}],
            "resolve": {"nodes": [
                {"id": "v", "deps": [dependency("a", Value::Null), dependency("test", json!("dev"))]},
                {"id": "a", "deps": [dependency("b", Value::Null), dependency("cc", json!("build"))]},
                {"id": "b", "deps": [dependency("a", Value::Null)]},
                {"id": "other", "deps": []},
            ]},
        });
        assert_eq!(linked(&metadata).into_iter().collect::<Vec<_>>(), ["a", "b", "v"]);
    }
}
