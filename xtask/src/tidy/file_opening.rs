//! Every Rust file opens with `//!`: what it is, what it must never do, the promise it keeps, how to add the next one.

use super::house::House;
use super::{Finding, Law};

/// The law.
pub struct FileOpening;

impl Law for FileOpening {
    fn name(&self) -> &'static str {
        "file-opening"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house
            .rust()
            .filter(|file| file.text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_none_or(is_empty))
            .map(|file| {
                let cure = "begin with `//! ` and a sentence that says what this is and what it must never do";
                Finding::new(&file.path, 1, "the file does not say what it is", cure)
            })
            .collect()
    }
}

/// A sentence has at least two words.
fn is_empty(opening: &str) -> bool {
    opening.split_whitespace().count() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sentence_on_the_first_line_counts() {
        for (text, breaches) in [
            ("//! What this is.\n", 0),
            ("// What this is.\n", 1),
            ("use std;\n//! What this is.\n", 1),
            ("//!\n//! What this is.\n", 1),
            ("//! voelgoed-cold\n", 1),
            ("", 1),
        ] {
            assert_eq!(FileOpening.check(&House::of(&[("a.rs", text)])).len(), breaches, "{text}");
        }
    }
}
