//! Reads `use` declarations from tokens: nested groups, globs, renames.

use super::super::tokens::{SourceTokens, SyntaxKind};

/// One name that a `use` brings into scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedPath {
    /// The path's segments, without a trailing `self` or `*`.
    pub path: Vec<String>,
    /// The name in scope; `*` for a glob.
    pub name: String,
    /// Counted from 1.
    pub line: usize,
}

/// Every name of the `use` whose tree begins at `index`.
pub fn read(tokens: &SourceTokens, index: usize) -> Vec<UsedPath> {
    let mut found = Vec::new();
    tree(tokens, index, &[], &mut found);
    found
}

/// Reads one tree below `prefix`; returns the index behind it.
fn tree(tokens: &SourceTokens, mut index: usize, prefix: &[String], found: &mut Vec<UsedPath>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.0.get(index) {
        match (token.kind, token.text.as_str()) {
            (SyntaxKind::Open, _) => {
                let mut inner = index + 1;
                while inner < token.partner {
                    inner = tree(tokens, inner, &path, found);
                    // Skips the comma, and anything that is no use tree.
                    inner += 1;
                }
                return token.partner + 1;
            }
            (SyntaxKind::Punct, ":") => index += 1,
            (SyntaxKind::Punct, "*") => {
                found.push(UsedPath { path, name: "*".to_owned(), line: token.line });
                return index + 1;
            }
            (SyntaxKind::Ident, segment) => {
                if segment != "self" || path.is_empty() {
                    path.push(segment.to_owned());
                }
                index += 1;
                if tokens.matches(index, &[":", ":"]) {
                    continue;
                }
                let mut name = path.last().cloned().unwrap_or_default();
                if tokens.matches(index, &["as"]) {
                    name = tokens.0.get(index + 1).map(|token| token.text.clone()).unwrap_or_default();
                    index += 2;
                }
                found.push(UsedPath { path, name, line: token.line });
                return index;
            }
            _ => return index,
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_globs_renames_and_self_are_read() {
        let tokens = SourceTokens::of("use crate::{a::{self, B as C}, d::*,\n super::e,}; fn f() {}");
        let found: Vec<_> =
            read(&tokens, 1).into_iter().map(|used| (used.path.join("::"), used.name, used.line)).collect();
        let expected =
            [("crate::a", "a", 1), ("crate::a::B", "C", 1), ("crate::d", "*", 1), ("crate::super::e", "e", 2)];
        assert_eq!(found, expected.map(|(path, name, line)| (path.to_owned(), name.to_owned(), line)));
    }
}
