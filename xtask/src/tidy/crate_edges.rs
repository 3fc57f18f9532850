//! A crate uses only what the dependency table of ARCHITECTURE.md allows it.
//!
//! The table has one row per crate: what it may use, what its tests may use as well, and which outside crates it must never use.

use super::house::{House, Package};
use super::{Finding, Law};

const BOOK: &str = "ARCHITECTURE.md";
const HEAD: &str = "| crate | may use | tests also | never |";

/// The law.
pub struct CrateEdges;

/// A row of the table.
struct Row {
    folder: String,
    uses: Vec<String>,
    in_tests: Vec<String>,
    never: Vec<String>,
    line: usize,
}

impl Law for CrateEdges {
    fn name(&self) -> &'static str {
        "crate-edges"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let rows = house.file(BOOK).map(|book| rows(&book.text)).unwrap_or_default();
        if rows.is_empty() {
            let cure = format!("add a table that begins with `{HEAD}`");
            return vec![Finding::new(BOOK, 1, "there is no dependency table", cure)];
        }
        let mut findings = Vec::new();
        for package in &house.packages {
            match rows.iter().find(|row| row.folder == package.folder) {
                Some(row) => findings.extend(edges(house, package, row)),
                None => {
                    let message = format!("{} is not in the dependency table of {BOOK}", package.folder);
                    findings.push(Finding::new(
                        &manifest(package),
                        1,
                        message,
                        "add its row, and think about its edges",
                    ));
                }
            }
        }
        let gone = rows.iter().filter(|row| !house.packages.iter().any(|package| package.folder == row.folder));
        findings.extend(
            gone.map(|row| Finding::new(BOOK, row.line, format!("there is no crate {}", row.folder), "delete its row")),
        );
        findings
    }
}

fn manifest(package: &Package) -> String {
    format!("{}/Cargo.toml", package.folder)
}

fn edges(house: &House, package: &Package, row: &Row) -> Vec<Finding> {
    let path = manifest(package);
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let line = house.file(&path).map_or(1, |file| file.line_of(&dependency.name));
        let own = house.packages.iter().find(|own| own.name == dependency.name);
        let is_lawful = match own {
            Some(own) => row.uses.contains(&own.folder) || (dependency.is_dev && row.in_tests.contains(&own.folder)),
            None => dependency.is_dev || !row.never.contains(&dependency.name),
        };
        if !is_lawful {
            let message = format!("{} must not use {}", package.folder, dependency.name);
            let cure = format!("go through a port of `app`, or argue for the edge in {BOOK}:{}", row.line);
            findings.push(Finding::new(&path, line, message, cure));
        }
    }
    findings
}

/// The rows below the table's head, until the first line that is no row.
fn rows(book: &str) -> Vec<Row> {
    let mut lines = book.lines().enumerate().skip_while(|(_, line)| squeezed(line) != HEAD);
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

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names in back-ticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::house::Dependency;
    use super::*;

    const TABLE: &str = "# A\n\n| crate | may use | tests also | never |\n|---|---|---|---|\n| `crates/app` | `crates/domain` | `testing/kit` | `sqlx` |\n| `crates/domain` | – | – | `tokio`, `sqlx` |\n| `testing/kit` | `crates/app` | – | – |\n\nText.\n";

    fn package(folder: &str, dependencies: &[(&str, bool)]) -> Package {
        let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
        let dependencies =
            dependencies.iter().map(|(name, is_dev)| Dependency { name: (*name).into(), is_dev: *is_dev }).collect();
        Package { name, folder: folder.into(), dependencies, roots: Vec::new() }
    }

    fn check(app: &[(&str, bool)], domain: &[(&str, bool)]) -> Vec<String> {
        let mut house = House::of(&[(BOOK, TABLE)]);
        house.packages = vec![
            package("crates/app", app),
            package("crates/domain", domain),
            package("testing/kit", &[("app", false)]),
        ];
        CrateEdges.check(&house).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn edges_of_the_table_are_lawful() {
        assert!(
            check(&[("domain", false), ("kit", true), ("tokio", false)], &[("serde", false), ("tokio", true)])
                .is_empty()
        );
    }

    #[test]
    fn any_other_edge_is_found() {
        assert_eq!(check(&[], &[("app", false)]), ["crates/domain must not use app"]);
        assert_eq!(check(&[("kit", false)], &[]), ["crates/app must not use kit"]);
        assert_eq!(check(&[("sqlx", false)], &[]), ["crates/app must not use sqlx"]);
    }

    #[test]
    fn crates_and_rows_correspond() {
        let mut house = House::of(&[(BOOK, TABLE)]);
        house.packages = vec![package("crates/app", &[]), package("crates/domain", &[]), package("crates/new", &[])];
        let messages: Vec<_> = CrateEdges.check(&house).into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            ["crates/new is not in the dependency table of ARCHITECTURE.md", "there is no crate testing/kit"]
        );
    }

    #[test]
    fn a_missing_table_is_found() {
        assert_eq!(CrateEdges.check(&House::of(&[])).len(), 1);
    }
}
