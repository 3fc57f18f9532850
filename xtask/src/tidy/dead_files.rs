//! Every Rust file is reached from a root of its package by `mod` or `include!`.

use super::house::House;
use super::modules::reached;
use super::{Finding, Law};

/// The law.
pub struct DeadFiles;

impl Law for DeadFiles {
    fn name(&self) -> &'static str {
        "dead-files"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let reached = reached(house);
        house
            .rust()
            .filter(|file| !reached.contains_key(&file.path))
            .map(|file| {
                let cure = "declare it where it belongs, or delete it";
                Finding::new(&file.path, 1, "no `mod` leads to this file", cure)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::house::Package;
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let mut house = House::of(files);
        house.packages =
            vec![Package { roots: vec!["c/src/lib.rs".into(), "c/tests/api.rs".into()], ..Package::default() }];
        DeadFiles.check(&house).into_iter().map(|finding| finding.file).collect()
    }

    #[test]
    fn modules_of_every_shape_are_followed() {
        let files = [
            ("c/src/lib.rs", "pub mod a; mod b; #[path = \"odd/name.rs\"] mod c; mod inline { mod deep; }"),
            ("c/src/a.rs", "mod child;"),
            ("c/src/a/child.rs", ""),
            ("c/src/b/mod.rs", "#[cfg(test)] mod tests;"),
            ("c/src/b/tests.rs", "include!(\"../generated.rs\");"),
            ("c/src/generated.rs", ""),
            ("c/src/odd/name.rs", ""),
            ("c/src/inline/deep.rs", ""),
            ("c/tests/api.rs", "mod support;"),
            ("c/tests/support/mod.rs", ""),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_nothing_declares_is_found() {
        let files =
            [("c/src/lib.rs", "// mod old;\nmod a;"), ("c/src/a.rs", ""), ("c/src/old.rs", ""), ("c/src/a/b.rs", "")];
        assert_eq!(dead(&files), ["c/src/old.rs", "c/src/a/b.rs"]);
    }
}
