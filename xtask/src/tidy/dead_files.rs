//! Requires that every Rust file is included from a root of its package by `mod` or `include!`.

use super::module_graph::reached;
use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct DeadFilesRule;

impl Rule for DeadFilesRule {
    fn name(&self) -> &'static str {
        "dead-files"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let reached = reached(workspace);
        workspace
            .rust()
            .filter(|file| !reached.contains_key(&file.path))
            .map(|file| {
                let fix = "declare it in its parent module, or delete it";
                Finding::new(&file.path, 1, "no `mod` includes this file", fix)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::workspace::WorkspacePackage;
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let mut workspace = Workspace::of(files);
        workspace.packages = vec![WorkspacePackage {
            roots: vec!["c/src/lib.rs".into(), "c/tests/api.rs".into()],
            ..WorkspacePackage::default()
        }];
        DeadFilesRule.check(&workspace).into_iter().map(|finding| finding.file).collect()
    }

    #[test]
    fn files_included_by_any_form_of_mod_are_valid() {
        let files = [
            ("c/src/lib.rs", "pub mod a; mod b; #[path = \"odd/name.rs\"] mod c; mod inline { mod deep; }"),
            ("c/src/a.rs", "mod child;"),
            ("c/src/a/child.rs", ""),
            ("c/src/b/mod.rs", "#[cfg(test)] mod tests;"),
            ("c/src/b/tests.rs", "include!(\"../generated.rs\");"),
            ("c/src/generated.rs", ""),
            ("c/src/odd/name.rs", ""),
            ("c/src/inline/deep.rs", ""),
            ("c/tests/api.rs", "mod support;"),
            ("c/tests/support/mod.rs", ""),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }

    #[test]
    fn file_that_no_module_declares_is_found() {
        let files =
            [("c/src/lib.rs", "// mod old;\nmod a;"), ("c/src/a.rs", ""), ("c/src/old.rs", ""), ("c/src/a/b.rs", "")];
        assert_eq!(dead(&files), ["c/src/old.rs", "c/src/a/b.rs"]);
    }
}
