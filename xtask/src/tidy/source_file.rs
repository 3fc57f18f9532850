//! Holds one text file of the repository with its tokens, read at their first use.

use std::cell::OnceCell;
use std::path::Path;

use super::tokens::SourceTokens;

/// One text file.
pub struct SourceFile {
    /// Relative to the root, with slashes.
    pub path: String,
    /// The file's content.
    pub text: String,
    tokens: OnceCell<SourceTokens>,
    is_test: bool,
}

impl SourceFile {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), tokens: OnceCell::new(), is_test: false }
    }

    /// The tokens of a Rust file; empty for others.
    pub fn tokens(&self) -> &SourceTokens {
        self.tokens.get_or_init(|| SourceTokens::of(&self.text))
    }

    /// True if the name ends with `.extension`.
    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }

    /// True if the whole file is test code: by its path (`tests/…`, `benches/…`, `tests.rs`), or because only tests include it.
    pub fn is_test(&self) -> bool {
        if self.is_test {
            return true;
        }
        let mut parts = self.path.split('/');
        parts.any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
    }

    /// Marks the file as test code or not.
    pub const fn set_test(&mut self, is_test: bool) {
        self.is_test = is_test;
    }

    /// The line of the first occurrence of `needle`, or 1.
    pub fn line_of(&self, needle: &str) -> usize {
        self.text.lines().position(|line| line.contains(needle)).map_or(1, |index| index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_below_tests_or_benches_is_test_code() {
        for (path, expected) in [
            ("crates/a/tests/x.rs", true),
            ("crates/a/src/b/tests.rs", true),
            ("crates/a/src/tests/c.rs", true),
            ("crates/a/src/contests.rs", false),
        ] {
            assert_eq!(SourceFile::new(path, "").is_test(), expected, "{path}");
        }
    }
}
