//! The planted bugs are asked about, explained, and kept out of what ships: one list, one page, one crate that turns them on.

use voelgoed_planted::{ALL, Planted};

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

const PAGE: &str = "docs/planted-bugs.md";
const LIST: &str = "crates/planted/src/list.rs";
const FEATURE: &str = "planted-bugs";
/// The manifests that may name the feature: who has it, and who turns it on.
const MAY_NAME_IT: &[&str] = &["crates/planted/Cargo.toml", "xtask/Cargo.toml"];

pub struct PlantedBugs;

impl Rule for PlantedBugs {
    fn name(&self) -> &'static str {
        "planted-bugs"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let mut findings = Vec::new();
        for manifest in workspace.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
            if manifest.text.contains(FEATURE) && !MAY_NAME_IT.contains(&manifest.path.as_str()) {
                let line = manifest.line_of(FEATURE);
                let fix = "xtask alone turns it on, so that no build of what ships can have it";
                findings.push(Finding::new(&manifest.path, line, "planted bugs are turned on", fix));
            }
            if manifest.path == MAY_NAME_IT[0] && manifest.text.lines().any(|line| line.starts_with("default")) {
                findings.push(Finding::new(&manifest.path, 1, "planted bugs by default", "have no default feature"));
            }
        }
        for planted in ALL {
            if !workspace.rust_below("crates/").any(|file| asks(file, planted)) {
                let message = format!("nobody asks about `{}`", planted.name);
                findings.push(Finding::new(LIST, 1, message, "plant it where it breaks something, or delete its line"));
            }
        }
        findings.extend(page(workspace));
        findings
    }
}

/// Whether the file asks about the bug, outside of tests.
fn asks(file: &SourceFile, planted: &Planted) -> bool {
    let name = format!("{:?}", planted.bug);
    let tokens = file.tokens();
    let here = ["Bug", ":", ":", &name];
    file.path != LIST && !file.is_test() && tokens.find(&here).any(|index| !tokens.0[index].is_test)
}

/// A bug's row of the page.
fn row(planted: &Planted) -> String {
    let Planted { name, promise, breaks, caught_by, .. } = planted;
    let tests = if caught_by.tests.is_empty() { "all" } else { caught_by.tests };
    format!("| `{name}` | {promise} | {breaks} | `{}` {}: `{tests}` |", caught_by.package, caught_by.target)
}

fn page(workspace: &Workspace) -> Vec<Finding> {
    let rows: Vec<String> = ALL.iter().map(row).collect();
    let text = workspace.file(PAGE).map(|page| page.text.as_str()).unwrap_or_default();
    let has: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let missing = rows.iter().filter(|row| !has.contains(&row.as_str())).map(|row| {
        Finding::new(PAGE, 1, "a planted bug is not explained as the list has it", format!("write this row: {row}"))
    });
    let gone = has.iter().filter(|row| !rows.iter().any(|own| own == *row)).map(|row| {
        let line = text.lines().position(|line| line == *row).map_or(1, |index| index + 1);
        Finding::new(PAGE, line, "the list has no such bug", "delete or correct the row")
    });
    missing.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Vec<(String, String)> {
        let asked: String =
            ALL.iter().map(|planted| format!("fn f() {{ planted(Bug::{:?}) }}\n", planted.bug)).collect();
        let page: String = ALL.iter().map(|planted| row(planted) + "\n").collect();
        [("crates/a/src/lib.rs", asked), (PAGE, page), ("xtask/Cargo.toml", FEATURE.to_owned())]
            .map(|(path, text)| (path.to_owned(), text))
            .to_vec()
    }

    fn check(change: impl FnOnce(&mut Vec<(String, String)>)) -> Vec<String> {
        let mut files = sound();
        change(&mut files);
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        PlantedBugs.check(&Workspace::of(&files)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn what_is_asked_and_explained_is_lawful() {
        assert!(check(|_| ()).is_empty());
    }

    #[test]
    fn a_bug_that_nobody_asks_about_is_found() {
        let last = format!("Bug::{:?})", ALL[0].bug);
        let found = check(|files| files[0].1 = files[0].1.replacen(&last, "Bug::None)", 1));
        assert_eq!(found, [format!("nobody asks about `{}`", ALL[0].name)]);
    }

    #[test]
    fn the_page_says_what_the_list_says() {
        assert_eq!(check(|files| files[1].1 = files[1].1.replacen("| P", "| Q", 1)).len(), 2);
    }

    #[test]
    fn nobody_else_turns_them_on() {
        let turned_on = ("crates/voelgoed/Cargo.toml".to_owned(), format!("features = [\"{FEATURE}\"]"));
        assert_eq!(check(|files| files.push(turned_on)), ["planted bugs are turned on"]);
        let default = ("crates/planted/Cargo.toml".to_owned(), "[features]\ndefault = []".to_owned());
        assert_eq!(check(|files| files.push(default)), ["planted bugs by default"]);
    }
}
