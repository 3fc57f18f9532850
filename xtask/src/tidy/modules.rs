//! Which file leads to which by `mod` and `include!`, and which files are compiled for tests only.

use std::collections::BTreeMap;

use super::house::{File, House};

/// Every Rust file that is compiled, with whether that happens for tests only.
pub fn reached(house: &House) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    for root in house.packages.iter().flat_map(|package| &package.roots) {
        let from = Step { is_root: true, is_test: house.file(root).is_some_and(File::is_test) };
        reach(house, root, from, &mut reached);
    }
    reached
}

/// How a file was come to.
#[derive(Clone, Copy)]
struct Step {
    /// Its modules lie beside it, as those of `lib.rs` do.
    is_root: bool,
    /// Only tests lead here.
    is_test: bool,
}

/// A `mod name;`.
struct Module {
    /// Below the home of the file that declares it.
    path: String,
    /// The value of its `#[path]`.
    own_path: Option<String>,
    is_test: bool,
}

/// Marks `path` and everything that its modules lead to.
fn reach(house: &House, path: &str, step: Step, reached: &mut BTreeMap<String, bool>) {
    let Some(file) = house.file(path) else { return };
    // Looked at again only where a way that ships leads to what was known from tests.
    if reached.get(path).is_some_and(|only_tests| !only_tests || step.is_test) {
        return;
    }
    reached.insert(path.to_owned(), step.is_test);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let home = match name {
        _ if step.is_root => folder.to_owned(),
        "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    for module in modules(file) {
        let next = |is_root| Step { is_root, is_test: step.is_test || module.is_test };
        match &module.own_path {
            Some(own) => reach(house, &resolved(folder, own), next(true), reached),
            None => {
                reach(house, &format!("{home}/{}.rs", module.path), next(false), reached);
                reach(house, &format!("{home}/{}/mod.rs", module.path), next(false), reached);
            }
        }
    }
    let tokens = file.tokens();
    for index in tokens.find(&["include", "!", "("]) {
        if let Some(included) = tokens.string(index + 3) {
            let next = Step { is_root: true, is_test: step.is_test || tokens.0[index].is_test };
            reach(house, &resolved(folder, &included), next, reached);
        }
    }
}

/// The modules that `file` declares without a body.
fn modules(file: &File) -> Vec<Module> {
    let tokens = file.tokens();
    let mut found = Vec::new();
    // Inline modules that are open at the current index: (name, index of the closing brace).
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
            found.push(Module { path: path.join("/"), own_path: path_attribute(file, index), is_test });
        }
    }
    found
}

/// The value of `#[path = "…"]` directly before `mod` (a `pub` or another attribute may stand between).
fn path_attribute(file: &File, module: usize) -> Option<String> {
    let tokens = file.tokens();
    let item_start = tokens.0[..module]
        .iter()
        .rposition(|token| matches!(token.text.as_str(), ";" | "}" | "{"))
        .map_or(0, |at| at + 1);
    let at = (item_start..module).find(|index| tokens.matches(*index, &["[", "path", "="]))?;
    tokens.string(at + 3)
}

/// `relative` as seen from `folder`, with `..` undone.
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
    use super::super::house::Package;
    use super::*;

    #[test]
    fn files_that_only_tests_lead_to_are_told_apart() {
        let mut house = House::of(&[
            ("c/src/lib.rs", "mod a; #[cfg(test)] mod support; #[cfg(test)] mod shared; mod b;"),
            ("c/src/a.rs", "#[cfg(test)] mod faults;"),
            ("c/src/a/faults.rs", ""),
            ("c/src/support.rs", "mod deep;"),
            ("c/src/support/deep.rs", ""),
            ("c/src/b.rs", "#[path = \"shared.rs\"] mod shared;"),
            ("c/src/shared.rs", ""),
        ]);
        house.packages = vec![Package { roots: vec!["c/src/lib.rs".into()], ..Package::default() }];
        let reached = reached(&house);
        let only_tests: Vec<_> =
            reached.iter().filter(|(_, is_test)| **is_test).map(|(path, _)| path.as_str()).collect();
        assert_eq!(only_tests, ["c/src/a/faults.rs", "c/src/support.rs", "c/src/support/deep.rs"]);
        assert_eq!(reached.len(), 7);
    }

    #[test]
    fn paths_are_resolved() {
        for (relative, expected) in [("x.sql", "a/b/x.sql"), ("../x.sql", "a/x.sql"), ("./c/x.sql", "a/b/c/x.sql")] {
            assert_eq!(resolved("a/b", relative), expected);
        }
    }
}
