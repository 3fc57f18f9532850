//! Requires that each mutant has a patch that applies and a row in docs/mutants.md, that no shipped crate names the crate of mutants, and that the patches of
//! `testing/examples` apply.

use std::collections::BTreeMap;

use voelgoed_mutants::{ALL, MutantInfo, SCRIPT_MUTANTS};

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};
use crate::mutants::PATCHES;
use crate::patch::parse;
use crate::suites::EXAMPLES;

const PAGE: &str = "docs/mutants.md";
const LIST: &str = "testing/mutants/src/list.rs";
const CRATE: &str = "voelgoed-mutants";
const SCRIPTS: &str = "crates/warm/src/redis/lua/";

pub struct MutantsRule;

impl Rule for MutantsRule {
    fn name(&self) -> &'static str {
        "mutants"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let manifests = workspace.files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
        let shipped = manifests.filter(|file| file.path.starts_with("crates/") && file.text.contains(CRATE));
        let mut findings: Vec<_> = shipped
            .map(|file| {
                let fix = "delete the dependency; the suite adds it to a copy of the tree";
                Finding::new(&file.path, file.line_of(CRATE), "a shipped crate depends on the mutants", fix)
            })
            .collect();
        findings.extend(mutant_patches(workspace));
        findings.extend(example_patches(workspace));
        findings.extend(ALL.iter().filter(|mutant| !has_code(workspace, mutant)).map(|mutant| {
            let fix = format!("write {PATCHES}{}.patch, or delete the line", mutant.name);
            Finding::new(LIST, 1, format!("the mutant `{}` changes no code", mutant.name), fix)
        }));
        findings.extend(page(workspace));
        findings
    }
}

/// Patches of mutants that do not apply one after the other, since one build has all of them.
fn mutant_patches(workspace: &Workspace) -> Vec<Finding> {
    let mut patched = BTreeMap::new();
    let files = workspace.files.iter().filter(|file| file.path.starts_with(PATCHES));
    files.filter_map(|file| does_not_apply(workspace, file, &mut patched)).collect()
}

/// Examples that do not apply, each to the code as it is.
fn example_patches(workspace: &Workspace) -> Vec<Finding> {
    let files = workspace.files.iter().filter(|file| file.path.starts_with(EXAMPLES));
    files.filter_map(|file| does_not_apply(workspace, file, &mut BTreeMap::new())).collect()
}

/// A finding if the patch cannot be read or does not apply; `patched` has the files that earlier patches changed.
fn does_not_apply(workspace: &Workspace, file: &SourceFile, patched: &mut BTreeMap<String, String>) -> Option<Finding> {
    let mut apply = || {
        for patch in parse(&file.text)? {
            let source = workspace.file(&patch.path).map_or("", |source| source.text.as_str());
            let text = patched.entry(patch.path.clone()).or_insert_with(|| source.to_owned());
            *text = patch.apply(text)?;
        }
        anyhow::Ok(())
    };
    let error = apply().err()?;
    let fix = "write the patch against the present code";
    Some(Finding::new(&file.path, 1, format!("the patch does not apply: {error}"), fix))
}

/// Whether a patch or a change of a script activates by the mutant.
fn has_code(workspace: &Workspace, mutant: &MutantInfo) -> bool {
    if let Some((_, from, _)) = SCRIPT_MUTANTS.iter().find(|(own, ..)| *own == mutant.mutant) {
        let mut scripts = workspace.files.iter().filter(|file| file.path.starts_with(SCRIPTS));
        return scripts.any(|script| without_line_breaks(&script.text).contains(&without_line_breaks(from)));
    }
    let name = format!("Mutant::{:?}", mutant.mutant);
    let is_named = |text: &str| {
        text.match_indices(&name).any(|(at, _)| !text[at + name.len()..].starts_with(char::is_alphanumeric))
    };
    workspace.files.iter().any(|file| file.path.starts_with(PATCHES) && is_named(&file.text))
}

fn without_line_breaks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A mutant's row of the page.
fn row(mutant: &MutantInfo) -> String {
    let MutantInfo { name, promise, breaks, caught_by, .. } = mutant;
    let tests = if caught_by.tests.is_empty() { "all" } else { caught_by.tests };
    format!("| `{name}` | {promise} | {breaks} | `{}` {}: `{tests}` |", caught_by.package, caught_by.target)
}

fn page(workspace: &Workspace) -> Vec<Finding> {
    let rows: Vec<String> = ALL.iter().map(row).collect();
    let text = workspace.file(PAGE).map(|page| page.text.as_str()).unwrap_or_default();
    let has: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let missing = rows
        .iter()
        .filter(|row| !has.contains(&row.as_str()))
        .map(|row| Finding::new(PAGE, 1, "a mutant has no row that equals the list", format!("write this row: {row}")));
    let gone = has.iter().filter(|row| !rows.iter().any(|own| own == *row)).map(|row| {
        let line = text.lines().position(|line| line == *row).map_or(1, |index| index + 1);
        Finding::new(PAGE, line, "the list has no such mutant", "delete or correct the row")
    });
    missing.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "crates/a/src/lib.rs";

    /// A workspace in which every mutant has its code, its patch and its row.
    fn valid() -> Vec<(String, String)> {
        let lines: String = ALL.iter().map(|mutant| format!("+    // Mutant::{:?}\n", mutant.mutant)).collect();
        let patch = format!("--- a/{SOURCE}\n+++ b/{SOURCE}\n@@ -1,2 +1,2 @@\n fn f() {{\n{lines} }}\n");
        let page: String = ALL.iter().map(|mutant| row(mutant) + "\n").collect();
        let scripts: String = SCRIPT_MUTANTS.iter().map(|(_, from, _)| format!("{from}\n")).collect();
        [
            (SOURCE, "fn f() {\n}\n".to_owned()),
            (PAGE, page),
            ("testing/mutants/patches/all.patch", patch),
            ("crates/warm/src/redis/lua/hold.lua", scripts),
            ("xtask/Cargo.toml", CRATE.to_owned()),
        ]
        .map(|(path, text)| (path.to_owned(), text))
        .to_vec()
    }

    fn check(change: impl FnOnce(&mut Vec<(String, String)>)) -> Vec<String> {
        let mut files = valid();
        change(&mut files);
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        MutantsRule.check(&Workspace::of(&files)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn mutants_with_patches_and_rows_are_valid() {
        assert_eq!(check(|_| ()), [""; 0]);
    }

    #[test]
    fn patch_that_does_not_apply_is_found() {
        let found = check(|files| files[0].1 = "fn g() {\n}\n".to_owned());
        assert!(found.len() == 1 && found[0].starts_with("the patch does not apply"), "{found:?}");
    }

    #[test]
    fn example_that_does_not_apply_or_adds_a_file_that_exists_is_found() {
        let example = |text: &str| ("testing/examples/add-a-slice.patch".to_owned(), text.to_owned());
        let added = "--- /dev/null\n+++ b/crates/b/src/lib.rs\n@@ -0,0 +1 @@\n+fn g() {}\n";
        assert_eq!(check(|files| files.push(example(added))), [""; 0]);
        let exists = added.replace("crates/b", "crates/a");
        assert_eq!(check(|files| files.push(example(&exists))).len(), 1);
        assert_eq!(check(|files| files.push(example(&exists.replace("/dev/null", "a/crates/a/src/lib.rs")))).len(), 1);
    }

    #[test]
    fn mutant_without_a_patch_is_found() {
        let first = format!("Mutant::{:?}\n", ALL[0].mutant);
        let found = check(|files| files[2].1 = files[2].1.replacen(&first, "none\n", 1));
        assert_eq!(found, [format!("the mutant `{}` changes no code", ALL[0].name)]);
    }

    #[test]
    fn script_mutant_whose_code_is_gone_is_found() {
        assert_eq!(check(|files| files[3].1.clear()).len(), SCRIPT_MUTANTS.len());
    }

    #[test]
    fn row_that_differs_from_the_list_is_found() {
        assert_eq!(check(|files| files[1].1 = files[1].1.replacen("| P", "| Q", 1)).len(), 2);
    }

    #[test]
    fn shipped_crate_that_names_the_mutants_is_found() {
        let dependency = ("crates/voelgoed/Cargo.toml".to_owned(), format!("{CRATE}.workspace = true"));
        assert_eq!(check(|files| files.push(dependency)), ["a shipped crate depends on the mutants"]);
    }
}
