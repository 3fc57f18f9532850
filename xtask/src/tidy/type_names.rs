//! Requires that every public type name of the workspace is defined once, test code included.
//!
//! Counted are `pub struct`, `enum`, `trait`, `type` and `union`; not `pub(crate)`, re-exports, or types whose name a macro builds.

use std::collections::BTreeMap;

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

const KEYWORDS: &[&str] = &["struct", "enum", "trait", "type", "union"];

pub struct TypeNamesRule;

impl Rule for TypeNamesRule {
    fn name(&self) -> &'static str {
        "type-names"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let mut definitions: BTreeMap<&str, Vec<(&SourceFile, usize)>> = BTreeMap::new();
        for file in workspace.rust() {
            for (name, line) in public_types(file) {
                definitions.entry(name).or_default().push((file, line));
            }
        }
        let repeated = definitions.into_iter().filter(|(_, places)| places.len() > 1);
        repeated.flat_map(|(name, places)| findings(name, &places)).collect()
    }
}

/// A finding at each definition, which lists the others.
fn findings(name: &str, places: &[(&SourceFile, usize)]) -> Vec<Finding> {
    let place = |(file, line): &(&SourceFile, usize)| format!("{}:{line}", file.path);
    let finding = |(index, (file, line)): (usize, &(&SourceFile, usize))| {
        let others = places.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| place(other));
        let others = others.collect::<Vec<_>>().join(", ");
        let message = format!("the type name `{name}` has {} definitions, also {others}", places.len());
        Finding::new(&file.path, *line, message, "rename it to a specific noun")
    };
    places.iter().enumerate().map(finding).collect()
}

/// Names and lines of the public types that `file` defines.
fn public_types(file: &SourceFile) -> Vec<(&str, usize)> {
    let tokens = &file.tokens().0;
    let types = tokens.windows(3).filter(|window| {
        window[0].text == "pub" && KEYWORDS.contains(&window[1].text.as_str()) && window[2].kind == SyntaxKind::Ident
    });
    types.map(|window| (window[2].text.as_str(), window[2].line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_definition_of_a_public_type_is_found_at_both_places() {
        for (first, second, violations) in [
            ("pub struct Answer;", "pub enum Answer {}", 2),
            ("pub struct Answer;", "#[cfg(test)] mod tests { pub type Answer = u8; }", 2),
            ("pub trait Answer {}", "pub(crate) struct Answer;", 0),
            ("pub struct Answer;", "struct Answer; pub use a::Answer; // pub struct Answer", 0),
            ("pub struct Answer;", "pub struct Reply; pub fn answer() {}", 0),
        ] {
            let workspace =
                Workspace::of(&[("crates/a/src/lib.rs", first), ("testing/b/tests/c.rs", &format!("\n{second}"))]);
            let findings = TypeNamesRule.check(&workspace);
            assert_eq!(findings.len(), violations, "{first} {second}");
            assert!(findings.is_empty() || findings[0].message.ends_with("also testing/b/tests/c.rs:2"));
        }
    }

    #[test]
    fn same_name_twice_in_one_file_is_found() {
        let source = "mod a { pub struct Row; } mod b { pub struct Row; }";
        assert_eq!(TypeNamesRule.check(&Workspace::of(&[("crates/a/src/lib.rs", source)])).len(), 2);
    }
}
