//! A source file aims at 200 lines, is warned of above 400, and fails above 600.

use super::house::House;
use super::{Finding, Law};

/// From here on the file is warned of.
const WARNED: usize = 400;
/// From here on the law is broken.
const MOST: usize = 600;
/// What is source; a lock file or a data set is not.
const SOURCES: &[&str] = &["css", "html", "js", "lua", "rs", "sql"];

/// The law.
pub struct FileLength;

impl Law for FileLength {
    fn name(&self) -> &'static str {
        "file-length"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let sources = house.files.iter().filter(|file| SOURCES.iter().any(|extension| file.is(extension)));
        sources
            .filter_map(|file| {
                let lines = file.text.lines().count();
                let finding =
                    Finding::new(&file.path, lines, format!("{lines} lines"), "split it by operation (aim: 200 lines)");
                match lines {
                    lines if lines > MOST => Some(finding),
                    lines if lines > WARNED => Some(finding.warning()),
                    _ => None,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gravity;
    use super::*;

    #[test]
    fn the_edges_are_where_they_are_said_to_be() {
        for (lines, expected) in [
            (WARNED, None),
            (WARNED + 1, Some(Gravity::Warning)),
            (MOST, Some(Gravity::Warning)),
            (MOST + 1, Some(Gravity::Breach)),
        ] {
            let house = House::of(&[("a.rs", &"//\n".repeat(lines)), ("a.json", &"1\n".repeat(lines))]);
            let gravities: Vec<_> = FileLength.check(&house).iter().map(|finding| finding.gravity).collect();
            assert_eq!(gravities, expected.into_iter().collect::<Vec<_>>(), "{lines}");
        }
    }
}
