//! Requires that each path in backticks, in a Markdown file or a Rust comment, is a file or folder of the repository.
//!
//! A path may leave out its first folders (`slice.rs`, `tidy/mod.rs`). A file that an example of `testing/examples/` adds counts as present. Not checked:
//! paths below `target/`, and the changelog, which names files of earlier versions.

use std::collections::BTreeSet;

use super::comments::{self, RUST};
use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};
use crate::patch::parse;
use crate::suites::EXAMPLES;

/// Endings of the files whose paths are checked; the workspace contains every such file.
const ENDINGS: &[&str] = &[".lua", ".md", ".rs", ".sql"];
const CHANGELOG: &str = "CHANGELOG.md";

pub struct DeadPathsRule;

impl Rule for DeadPathsRule {
    fn name(&self) -> &'static str {
        "dead-paths"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let examples = workspace.files.iter().filter(|file| file.path.starts_with(EXAMPLES));
        let added = examples.filter_map(|file| parse(&file.text).ok()).flatten().map(|patch| patch.path);
        let paths = workspace.files.iter().map(|file| file.path.clone()).chain(added);
        let known: BTreeSet<String> = paths.flat_map(|path| names_of(&path)).collect();
        workspace.files.iter().flat_map(|file| in_file(file, &known)).collect()
    }
}

/// The names by which a text may refer to a file or to one of its folders: every end of its path, and of the paths of its folders.
fn names_of(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut names = Vec::new();
    for start in 0..parts.len() {
        names.push(parts[start..].join("/"));
        names.extend((start + 1..parts.len()).map(|end| parts[start..end].join("/") + "/"));
    }
    names
}

fn in_file(file: &SourceFile, known: &BTreeSet<String>) -> Vec<Finding> {
    let lines: Vec<(usize, String)> = if file.is("rs") {
        comments::split(&file.text, RUST).into_iter().map(|line| (line.number, line.comment)).collect()
    } else if file.is("md") && file.path != CHANGELOG {
        file.text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
    } else {
        Vec::new()
    };
    let mut findings = Vec::new();
    for (number, text) in lines {
        let quoted = text.split('`').skip(1).step_by(2);
        findings.extend(quoted.filter(|quoted| is_path(quoted) && !known.contains(*quoted)).map(|path| {
            let message = format!("`{path}` is no file or folder of the repository");
            Finding::new(&file.path, number, message, "write the present path")
        }));
    }
    findings
}

/// Whether a text in backticks is the path of a file with a checked ending, or of a folder with its parent.
fn is_path(text: &str) -> bool {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    let is_folder = text.strip_suffix('/').is_some_and(|folder| folder.contains('/'));
    let is_file = ENDINGS.iter().any(|ending| text.ends_with(ending));
    is_plain && (is_folder || is_file) && !text.starts_with("target/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let findings = DeadPathsRule.check(&Workspace::of(files));
        findings.into_iter().map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.message)).collect()
    }

    #[test]
    fn path_without_a_file_or_folder_is_found() {
        let files = [
            ("a/src/lib.rs", "//! See `slice.rs` and `a/src/gone.rs`.\nconst NAME: &str = \"`missing.rs`\";"),
            ("a/src/b/slice.rs", ""),
            ("docs/page.md", "`src/lib.rs`\n`old/consumers/`"),
        ];
        assert_eq!(
            dead(&files),
            [
                "a/src/lib.rs:1 `a/src/gone.rs` is no file or folder of the repository",
                "docs/page.md:2 `old/consumers/` is no file or folder of the repository"
            ]
        );
    }

    #[test]
    fn shortened_paths_folders_other_texts_and_files_of_examples_are_valid() {
        let example = "--- /dev/null\n+++ b/a/src/notes/mod.rs\n@@ -0,0 +1 @@\n+//! Notes.\n";
        let page = "`lib.rs`, `a/src/lib.rs`, `a/src/`, `notes/mod.rs`, `target/tree/x.rs`, `GET /api/`, `/mine/x/`, `serde_json/std`, `haproxy/`";
        let files = [
            ("a/src/lib.rs", ""),
            ("docs/page.md", page),
            ("CHANGELOG.md", "`former.rs`"),
            ("testing/examples/add.patch", example),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }
}
