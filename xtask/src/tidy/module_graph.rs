//! Follows `mod` and `include!` from the roots of every package to find compiled files, and which of them only tests use.

use std::collections::BTreeMap;

use super::source_file::SourceFile;
use super::workspace::Workspace;

/// Every compiled Rust file, and whether only tests include it.
pub fn reached(workspace: &Workspace) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    for root in workspace.packages.iter().flat_map(|package| &package.roots) {
        let from = Inclusion { is_root: true, is_test: workspace.file(root).is_some_and(SourceFile::is_test) };
        reach(workspace, root, from, &mut reached);
    }
    reached
}

/// The context in which a file is included.
#[derive(Clone, Copy)]
struct Inclusion {
    /// Its modules are in the same folder, as those of `lib.rs` are.
    is_root: bool,
    /// Only tests include the file.
    is_test: bool,
}

/// A `mod name;`.
struct ModuleDeclaration {
    /// Relative to the module folder of the declaring file, with inline modules as folders.
    path: String,
    /// The value of `#[path]`.
    own_path: Option<String>,
    is_test: bool,
}

/// Marks `path` and every file that it includes.
fn reach(workspace: &Workspace, path: &str, inclusion: Inclusion, reached: &mut BTreeMap<String, bool>) {
    let Some(file) = workspace.file(path) else { return };
    // A file is visited a second time only if shipped code includes a file that was marked as test code.
    if reached.get(path).is_some_and(|only_tests| !only_tests || inclusion.is_test) {
        return;
    }
    reached.insert(path.to_owned(), inclusion.is_test);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let home = module_folder(path, inclusion.is_root);
    for module in modules(file) {
        let next = |is_root| Inclusion { is_root, is_test: inclusion.is_test || module.is_test };
        match &module.own_path {
            Some(own) => reach(workspace, &resolved(folder, own), next(true), reached),
            None => {
                reach(workspace, &format!("{home}/{}.rs", module.path), next(false), reached);
                reach(workspace, &format!("{home}/{}/mod.rs", module.path), next(false), reached);
            }
        }
    }
    let tokens = file.tokens();
    for index in tokens.find(&["include", "!", "("]) {
        if let Some(included) = tokens.string(index + 3) {
            let next = Inclusion { is_root: true, is_test: inclusion.is_test || tokens.0[index].is_test };
            reach(workspace, &resolved(folder, &included), next, reached);
        }
    }
}

/// The folder that contains the modules of the file at `path`.
pub fn module_folder(path: &str, is_root: bool) -> String {
    match path.rsplit_once('/').unwrap_or(("", path)) {
        (folder, _) if is_root => folder.to_owned(),
        (folder, "mod.rs") => folder.to_owned(),
        (folder, name) => format!("{folder}/{}", name.trim_end_matches(".rs")),
    }
}

/// The modules that `file` declares without a body.
fn modules(file: &SourceFile) -> Vec<ModuleDeclaration> {
    let tokens = file.tokens();
    let mut found = Vec::new();
    // The inline modules around the current index: (name, index of the closing brace).
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (index, token) in tokens.0.iter().enumerate() {
        open.retain(|(_, end)| index < *end);
        if token.text != "mod" {
            continue;
        }
        let (Some(name), Some(after)) = (tokens.0.get(index + 1), tokens.0.get(index + 2)) else { continue };
        if after.text == "{" {
            open.push((&name.text, after.partner));
        } else if after.text == ";" {
            let mut path: Vec<&str> = open.iter().map(|(name, _)| *name).collect();
            path.push(name.text.trim_start_matches("r#"));
            let is_test = token.is_test || name.text == "tests";
            found.push(ModuleDeclaration { path: path.join("/"), own_path: path_attribute(file, index), is_test });
        }
    }
    found
}

/// The value of `#[path = "…"]` of the module whose keyword is at `module`.
pub fn path_attribute(file: &SourceFile, module: usize) -> Option<String> {
    let tokens = file.tokens();
    let item_start = tokens.0[..module]
        .iter()
        .rposition(|token| matches!(token.text.as_str(), ";" | "}" | "{"))
        .map_or(0, |at| at + 1);
    let at = (item_start..module).find(|index| tokens.matches(*index, &["[", "path", "="]))?;
    tokens.string(at + 3)
}

/// `folder` joined with `relative`, without `.` and `..`.
pub fn resolved(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::workspace::WorkspacePackage;
    use super::*;

    #[test]
    fn files_that_only_tests_include_are_marked() {
        let mut workspace = Workspace::of(&[
            ("c/src/lib.rs", "mod a; #[cfg(test)] mod support; #[cfg(test)] mod shared; mod b;"),
            ("c/src/a.rs", "#[cfg(test)] mod faults;"),
            ("c/src/a/faults.rs", ""),
            ("c/src/support.rs", "mod deep;"),
            ("c/src/support/deep.rs", ""),
            ("c/src/b.rs", "#[path = \"shared.rs\"] mod shared;"),
            ("c/src/shared.rs", ""),
        ]);
        workspace.packages =
            vec![WorkspacePackage { roots: vec!["c/src/lib.rs".into()], ..WorkspacePackage::default() }];
        let reached = reached(&workspace);
        let only_tests: Vec<_> =
            reached.iter().filter(|(_, is_test)| **is_test).map(|(path, _)| path.as_str()).collect();
        assert_eq!(only_tests, ["c/src/a/faults.rs", "c/src/support.rs", "c/src/support/deep.rs"]);
        assert_eq!(reached.len(), 7);
    }

    #[test]
    fn paths_are_joined_without_dots() {
        for (relative, expected) in [("x.sql", "a/b/x.sql"), ("../x.sql", "a/x.sql"), ("./c/x.sql", "a/b/c/x.sql")] {
            assert_eq!(resolved("a/b", relative), expected);
        }
    }
}
