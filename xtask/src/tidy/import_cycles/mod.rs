//! Refuses import cycles between the files of one crate, so that each file can be read and moved without the others.
//!
//! | code outside of tests | an import? |
//! |---|---|
//! | a path that begins with `crate::`, `super::` or `self::`, in a `use` or elsewhere | of the file that defines the path's item, found through re-exports and globs |
//! | such a path whose item no file visibly defines (a macro makes it) | of the file of the last module in the path |
//! | such a path that names a module itself | of that module's file |
//! | a path from a module to its own descendants, `mod name;`, a re-export of a descendant | no: a parent is made of its children |
//!
//! So a child may import an item that its parent defines; the import is part of a cycle only if the parent's file imports, by way of others,
//! the child's file.

mod cycle;
mod module_tree;
mod use_tree;

use self::module_tree::ModuleTree;
use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct ImportCyclesRule;

impl Rule for ImportCyclesRule {
    fn name(&self) -> &'static str {
        "import-cycles"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let is_shipped = |root: &&String| workspace.file(root).is_some_and(|file: &SourceFile| !file.is_test());
        let roots = workspace.packages.iter().flat_map(|package| &package.roots).filter(is_shipped);
        let mut findings: Vec<_> = roots.flat_map(|root| in_crate(workspace, root)).collect();
        findings.sort_by(|a, b| (&a.file, a.line, &a.message).cmp(&(&b.file, b.line, &b.message)));
        findings.dedup();
        findings
    }
}

/// One finding for each set of files that import each other, with the shortest cycle among them.
fn in_crate(workspace: &Workspace, root: &str) -> Vec<Finding> {
    let imports = ModuleTree::read(workspace, root).imports();
    let cycles = cycle::find(&imports);
    let finding = |cycle: cycle::ImportCycle| {
        let first = cycle.steps.first()?;
        let steps: Vec<_> = cycle.steps.iter().map(|step| format!("{}:{}", step.file, step.line)).collect();
        let message = format!("import cycle among {} files: {} → {}", cycle.files, steps.join(" → "), first.file);
        let fix = "move the shared item into a file that imports neither";
        Some(Finding::new(&first.file, first.line, message, fix))
    };
    cycles.into_iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::workspace::WorkspacePackage;
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let mut workspace = Workspace::of(files);
        workspace.packages =
            vec![WorkspacePackage { roots: vec!["c/src/lib.rs".into()], ..WorkspacePackage::default() }];
        ImportCyclesRule.check(&workspace).into_iter().map(|finding| finding.message).collect()
    }

    const ROOT: (&str, &str) = ("c/src/lib.rs", "mod a; mod b; mod d;");

    #[test]
    fn two_files_that_import_each_other_are_found() {
        for b in [
            "use crate::a::A; pub struct B;",
            "use super::a::A; pub struct B;",
            "use super::{a::{A as Other}}; pub struct B;",
            "use crate::a; pub struct B;",
            "pub struct B; fn f() { let x = crate::a::A; }",
            "pub struct B; impl From<super::a::A> for B {}",
            "pub struct B; mod inline { use super::super::a::*; }",
        ] {
            let found = messages(&[
                ROOT,
                ("c/src/a.rs", "\nuse crate::b::B; pub struct A;"),
                ("c/src/b.rs", b),
                ("c/src/d.rs", ""),
            ]);
            assert_eq!(found, ["import cycle among 2 files: c/src/a.rs:2 → c/src/b.rs:1 → c/src/a.rs"], "{b}");
        }
    }

    #[test]
    fn imports_in_one_direction_and_imports_of_tests_are_valid() {
        for b in [
            "pub struct B; // use crate::a::A;",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            "pub struct B; #[cfg(test)] use crate::a::A;",
            "pub struct B; use std::fmt; use other::a::A; pub(in crate::a) fn f() {}",
            "pub struct B; macro_rules! m { () => { $crate::a::A } }",
        ] {
            let found = messages(&[
                ROOT,
                ("c/src/a.rs", "use crate::b::B; pub struct A;"),
                ("c/src/b.rs", b),
                ("c/src/d.rs", ""),
            ]);
            assert_eq!(found, Vec::<String>::new(), "{b}");
        }
    }

    #[test]
    fn longer_cycle_is_shown_whole_and_the_shortest_of_several_is_chosen() {
        let a = ("c/src/a.rs", "use crate::b::B;");
        let b = ("c/src/b.rs", "use crate::d::D; pub struct B;");
        let d = ("c/src/d.rs", "use crate::a; pub struct D;");
        let whole = "import cycle among 3 files: c/src/a.rs:1 → c/src/b.rs:1 → c/src/d.rs:1 → c/src/a.rs";
        assert_eq!(messages(&[ROOT, a, b, d]), [whole]);
        let d = ("c/src/d.rs", "use crate::a;\nuse crate::b::B; pub struct D;");
        assert_eq!(
            messages(&[ROOT, a, b, d]),
            ["import cycle among 3 files: c/src/b.rs:1 → c/src/d.rs:2 → c/src/b.rs"]
        );
    }

    #[test]
    fn re_exports_lead_to_the_file_that_defines_the_item() {
        let root = ("c/src/lib.rs", "mod a; mod b; mod d; pub use a::*; pub use b::B;");
        let a = ("c/src/a.rs", "use crate::B; pub struct A;");
        let b = ("c/src/b.rs", "use crate::A; pub struct B;");
        assert_eq!(messages(&[root, a, b, ("c/src/d.rs", "")]).len(), 1);
    }

    #[test]
    fn parent_and_child_may_use_each_other() {
        let root = ("c/src/lib.rs", "mod a;");
        let parent =
            ("c/src/a/mod.rs", "mod x; pub use x::X; pub struct A; fn f() { x::g(); self::x::g(); crate::a::x::g() }");
        let child = ("c/src/a/x.rs", "use super::A; pub struct X;");
        assert_eq!(messages(&[root, parent, child]), Vec::<String>::new());
    }

    #[test]
    fn import_of_a_parents_own_item_can_close_a_cycle_and_of_its_re_export_cannot() {
        let root = ("c/src/lib.rs", "mod a; mod b;");
        let child = ("c/src/a/x.rs", "use super::A; pub struct X;");
        let other = ("c/src/b.rs", "use crate::a::x::X; pub struct B;");
        let defines = ("c/src/a/mod.rs", "pub mod x; use crate::b::B; pub struct A;");
        let cycle = "import cycle among 3 files: c/src/a/mod.rs:1 → c/src/b.rs:1 → c/src/a/x.rs:1 → c/src/a/mod.rs";
        assert_eq!(messages(&[root, defines, child, other]), [cycle]);
        let re_exports = ("c/src/a/mod.rs", "pub mod x; mod y; pub use y::A;");
        let defined = ("c/src/a/y.rs", "pub struct A;");
        assert_eq!(messages(&[root, re_exports, defined, child, other]), Vec::<String>::new());
    }
}
