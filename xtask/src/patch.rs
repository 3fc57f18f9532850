//! Reads unified diffs and applies them by content, so that a patch survives lines that move.
//!
//! Line numbers are ignored: the removed lines with their context must occur exactly once in the file. A dependency for this would be compiled before every
//! other command of xtask, so these few lines are our own.

use anyhow::{Context, bail, ensure};

/// The old side of a file that a patch adds.
const NO_FILE: &str = "--- /dev/null";
/// Lines that git writes above the changes of a file.
const GIT_HEADERS: &[&str] = &["diff --git ", "index ", "new file mode "];

/// The changes of one file.
#[derive(Debug, PartialEq, Eq)]
pub struct FilePatch {
    /// Relative to the root of the repository.
    pub path: String,
    /// True for a file that the patch adds.
    pub is_new: bool,
    hunks: Vec<Hunk>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Hunk {
    before: String,
    after: String,
    marks: String,
}

/// The changed files of a unified diff.
pub fn parse(text: &str) -> anyhow::Result<Vec<FilePatch>> {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut is_new = false;
    for line in text.lines() {
        if line == NO_FILE || line.starts_with("--- a/") {
            is_new = line == NO_FILE;
            continue;
        }
        if let Some(path) = line.strip_prefix("+++ b/") {
            files.push(FilePatch { path: path.to_owned(), is_new, hunks: Vec::new() });
            continue;
        }
        if GIT_HEADERS.iter().any(|header| line.starts_with(header)) {
            continue;
        }
        let file = files.last_mut().context("a patch starts with its file")?;
        if line.starts_with("@@") {
            file.hunks.push(Hunk::default());
            continue;
        }
        let hunk = file.hunks.last_mut().context("a change stands before the first `@@`")?;
        let (mark, content) = line.split_at_checked(1).unwrap_or((" ", ""));
        hunk.marks.push_str(mark);
        match mark {
            " " => {
                hunk.before.extend([content, "\n"]);
                hunk.after.extend([content, "\n"]);
            }
            "-" => hunk.before.extend([content, "\n"]),
            "+" => hunk.after.extend([content, "\n"]),
            _ => bail!("not a line of a unified diff: {line}"),
        }
    }
    Ok(files)
}

impl FilePatch {
    /// The numbers of added and removed lines.
    pub fn line_counts(&self) -> (usize, usize) {
        let lines = |mark| self.hunks.iter().map(|hunk| hunk.marks.matches(mark).count()).sum();
        (lines('+'), lines('-'))
    }

    /// The file's text with the changes.
    pub fn apply(&self, text: &str) -> anyhow::Result<String> {
        let mut text = text.to_owned();
        for Hunk { before, after, .. } in &self.hunks {
            let found = text.matches(before.as_str()).count();
            ensure!(found == 1, "{}: these lines occur {found} times instead of once:\n{before}", self.path);
            text = text.replacen(before.as_str(), after, 1);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "--- a/x.rs\n+++ b/x.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+three\n+four\n five\n";

    #[test]
    fn patch_is_applied_where_its_lines_have_moved() {
        let files = parse(PATCH).unwrap();
        assert_eq!(files[0].path, "x.rs");
        assert_eq!(files[0].apply("zero\none\ntwo\nfive\n").unwrap(), "zero\none\nthree\nfour\nfive\n");
    }

    #[test]
    fn patch_whose_lines_are_gone_or_ambiguous_is_refused() {
        let files = parse(PATCH).unwrap();
        assert!(files[0].apply("one\nthree\nfive\n").unwrap_err().to_string().contains("occur 0 times"));
        assert!(files[0].apply("one\ntwo\nfive\none\ntwo\nfive\n").unwrap_err().to_string().contains("occur 2 times"));
    }

    #[test]
    fn file_of_a_git_patch_is_added_with_its_lines() {
        let patch = "diff --git a/y.rs b/y.rs\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/y.rs\n@@ -0,0 +1,2 @@\n+one\n+\n";
        let files = parse(patch).unwrap();
        assert!(files[0].is_new && files[0].line_counts() == (2, 0));
        assert_eq!(files[0].apply("").unwrap(), "one\n\n");
        assert!(files[0].apply("an older file\n").is_err());
        assert!(!parse(PATCH).unwrap()[0].is_new && parse(PATCH).unwrap()[0].line_counts() == (2, 1));
    }

    #[test]
    fn removed_line_that_begins_with_dashes_is_a_line() {
        let files = parse("--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1 @@\n one\n--- a comment\n").unwrap();
        assert_eq!(files[0].apply("one\n-- a comment\n").unwrap(), "one\n");
    }

    #[test]
    fn text_that_is_no_diff_is_refused() {
        assert!(parse("hello\n").is_err());
        assert!(parse("+++ b/x.rs\nhello\n").is_err());
    }
}
