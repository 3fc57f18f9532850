//! Requires that every crate depends only on crates which the dependency table of ARCHITECTURE.md allows.
//!
//! The table has a row per crate: allowed crates, crates allowed in tests only, refused external crates.

use super::workspace::{Workspace, WorkspacePackage};
use super::{Finding, Rule};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const HEADER: &str = "| crate | may use | tests also | never |";

pub struct CrateEdgesRule;

/// A row of the table.
struct Row {
    folder: String,
    uses: Vec<String>,
    in_tests: Vec<String>,
    never: Vec<String>,
    line: usize,
}

impl Rule for CrateEdgesRule {
    fn name(&self) -> &'static str {
        "crate-edges"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let rows = workspace.file(ARCHITECTURE).map(|page| rows(&page.text)).unwrap_or_default();
        if rows.is_empty() {
            let fix = format!("add a table that begins with `{HEADER}`");
            return vec![Finding::new(ARCHITECTURE, 1, "there is no dependency table", fix)];
        }
        let mut findings = Vec::new();
        for package in &workspace.packages {
            match rows.iter().find(|row| row.folder == package.folder) {
                Some(row) => findings.extend(edges(workspace, package, row)),
                None => {
                    let message = format!("{} is not in the dependency table of {ARCHITECTURE}", package.folder);
                    findings.push(Finding::new(
                        &manifest(package),
                        1,
                        message,
                        "add a row with its allowed dependencies",
                    ));
                }
            }
        }
        let gone = rows.iter().filter(|row| !workspace.packages.iter().any(|package| package.folder == row.folder));
        findings.extend(gone.map(|row| {
            Finding::new(ARCHITECTURE, row.line, format!("there is no crate {}", row.folder), "delete its row")
        }));
        findings
    }
}

fn manifest(package: &WorkspacePackage) -> String {
    format!("{}/Cargo.toml", package.folder)
}

fn edges(workspace: &Workspace, package: &WorkspacePackage, row: &Row) -> Vec<Finding> {
    let path = manifest(package);
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let line = workspace.file(&path).map_or(1, |file| file.line_of(&dependency.name));
        let own = workspace.packages.iter().find(|own| own.name == dependency.name);
        let is_allowed = match own {
            Some(own) => row.uses.contains(&own.folder) || (dependency.is_dev && row.in_tests.contains(&own.folder)),
            None => dependency.is_dev || !row.never.contains(&dependency.name),
        };
        if !is_allowed {
            let message = format!("{} must not use {}", package.folder, dependency.name);
            let fix = format!("go through a port of `app`, or allow the dependency in {ARCHITECTURE}:{}", row.line);
            findings.push(Finding::new(&path, line, message, fix));
        }
    }
    findings
}

/// The rows below the table's header.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| without_extra_spaces(line) != HEADER);
    lines.by_ref().take(2).for_each(drop);
    lines
        .map_while(|(index, line)| {
            let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
            let [folder, uses, in_tests, never] = cells.as_slice() else { return None };
            let folder = names(folder).pop()?;
            Some(Row { folder, uses: names(uses), in_tests: names(in_tests), never: names(never), line: index + 1 })
        })
        .collect()
}

fn without_extra_spaces(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names in back-ticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::workspace::PackageDependency;
    use super::*;

    const TABLE: &str = "# A\n\n| crate | may use | tests also | never |\n|---|---|---|---|\n| `crates/app` | `crates/domain` | `testing/kit` | `sqlx` |\n| `crates/domain` | – | – | `tokio`, `sqlx` |\n| `testing/kit` | `crates/app` | – | – |\n\nText.\n";

    fn package(folder: &str, dependencies: &[(&str, bool)]) -> WorkspacePackage {
        let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
        let dependencies = dependencies
            .iter()
            .map(|(name, is_dev)| PackageDependency { name: (*name).into(), is_dev: *is_dev })
            .collect();
        WorkspacePackage { name, folder: folder.into(), dependencies, roots: Vec::new() }
    }

    fn check(app: &[(&str, bool)], domain: &[(&str, bool)]) -> Vec<String> {
        let mut workspace = Workspace::of(&[(ARCHITECTURE, TABLE)]);
        workspace.packages = vec![
            package("crates/app", app),
            package("crates/domain", domain),
            package("testing/kit", &[("app", false)]),
        ];
        CrateEdgesRule.check(&workspace).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn dependencies_in_the_table_are_valid() {
        assert!(
            check(&[("domain", false), ("kit", true), ("tokio", false)], &[("serde", false), ("tokio", true)])
                .is_empty()
        );
    }

    #[test]
    fn dependency_outside_of_the_table_is_found() {
        assert_eq!(check(&[], &[("app", false)]), ["crates/domain must not use app"]);
        assert_eq!(check(&[("kit", false)], &[]), ["crates/app must not use kit"]);
        assert_eq!(check(&[("sqlx", false)], &[]), ["crates/app must not use sqlx"]);
    }

    #[test]
    fn crate_without_a_row_and_row_without_a_crate_are_found() {
        let mut workspace = Workspace::of(&[(ARCHITECTURE, TABLE)]);
        workspace.packages =
            vec![package("crates/app", &[]), package("crates/domain", &[]), package("crates/new", &[])];
        let messages: Vec<_> = CrateEdgesRule.check(&workspace).into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            ["crates/new is not in the dependency table of ARCHITECTURE.md", "there is no crate testing/kit"]
        );
    }

    #[test]
    fn missing_table_is_found() {
        assert_eq!(CrateEdgesRule.check(&Workspace::of(&[])).len(), 1);
    }
}
