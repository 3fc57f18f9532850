//! Reads Rust source into a flat list of tokens with line numbers and test marks, so that rules ignore comments and strings.
//!
//! Tokens inside macros are included.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxKind {
    /// A name or keyword.
    Ident,
    /// One character of punctuation.
    Punct,
    /// A literal as written, quotes included.
    Literal,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
}

/// One token.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    pub kind: SyntaxKind,
    /// For a bracket the index of its counterpart; else the token's own index.
    pub partner: usize,
    /// Inside `#[cfg(test)]` or `#[test]` code.
    pub is_test: bool,
}

/// A file's tokens.
#[derive(Debug, Default)]
pub struct SourceTokens(pub Vec<Token>);

impl SourceTokens {
    /// Reads Rust source; empty if it does not parse, which the compiler reports.
    pub fn of(source: &str) -> Self {
        let mut tokens = Self::default();
        if let Ok(stream) = source.parse::<TokenStream>() {
            tokens.flatten(stream);
            tokens.mark_tests();
        }
        tokens
    }

    fn push(&mut self, text: String, line: usize, kind: SyntaxKind) -> usize {
        let partner = self.0.len();
        self.0.push(Token { text, line, kind, partner, is_test: false });
        partner
    }

    fn flatten(&mut self, stream: TokenStream) {
        for tree in stream {
            let line = tree.span().start().line;
            match tree {
                TokenTree::Ident(ident) => self.push(ident.to_string(), line, SyntaxKind::Ident),
                TokenTree::Punct(punct) => self.push(punct.as_char().to_string(), line, SyntaxKind::Punct),
                TokenTree::Literal(literal) => self.push(literal.to_string(), line, SyntaxKind::Literal),
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => {
                            self.flatten(group.stream());
                            continue;
                        }
                    };
                    let opening = self.push(open.into(), line, SyntaxKind::Open);
                    self.flatten(group.stream());
                    let closing = self.push(close.into(), group.span_close().start().line, SyntaxKind::Close);
                    self.0[opening].partner = closing;
                    self.0[closing].partner = opening;
                    closing
                }
            };
        }
    }

    /// Marks the tokens from a test attribute to the end of its item.
    fn mark_tests(&mut self) {
        for start in 0..self.0.len() {
            let is_test = self.matches(start, &["#", "[", "cfg", "(", "test", ")"])
                || self.matches(start, &["#", "[", "test", "]"])
                || self.matches(start, &["#", "[", "tokio", ":", ":", "test"]);
            if !is_test {
                continue;
            }
            let end = self.item_end(self.0[start + 1].partner + 1);
            for token in &mut self.0[start..end] {
                token.is_test = true;
            }
        }
    }

    /// The index after the item that starts at `index`: after its body or semicolon.
    pub fn item_end(&self, mut index: usize) -> usize {
        while let Some(token) = self.0.get(index) {
            match (token.kind, token.text.as_str()) {
                (SyntaxKind::Open, "{") => return token.partner + 1,
                (SyntaxKind::Open, _) => index = token.partner + 1,
                (SyntaxKind::Punct, ";") | (SyntaxKind::Close, _) => return index + 1,
                _ => index += 1,
            }
        }
        self.0.len()
    }

    /// True if the tokens from `index` on have these texts.
    pub fn matches(&self, index: usize, texts: &[&str]) -> bool {
        let here = self.0.get(index..index + texts.len());
        here.is_some_and(|tokens| tokens.iter().zip(texts).all(|(token, text)| token.text == *text))
    }

    /// Every index at which [`SourceTokens::matches`] holds.
    pub fn find<'a>(&'a self, texts: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.0.len()).filter(|index| self.matches(*index, texts))
    }

    /// The text of a plain or raw string literal at `index`.
    pub fn string(&self, index: usize) -> Option<String> {
        let token = self.0.get(index).filter(|token| token.kind == SyntaxKind::Literal)?;
        unquoted(&token.text)
    }

    /// Every string literal with its line.
    pub fn strings(&self) -> impl Iterator<Item = (String, usize)> + '_ {
        self.0.iter().enumerate().filter_map(|(index, token)| Some((self.string(index)?, token.line)))
    }
}

/// The content of a string literal; of its escapes only those of quotes and backslashes are decoded.
fn unquoted(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let raw = raw.trim_matches('#');
        return Some(raw.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    Some(inside.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_lines_and_partners() {
        let tokens = SourceTokens::of("fn a() {\n  b(1);\n}\n");
        let close = tokens.0.last().map(|token| (token.text.as_str(), token.line, token.partner));
        assert_eq!(close, Some(("}", 3, 4)));
    }

    #[test]
    fn test_code_is_marked_and_other_code_is_not() {
        let tokens = SourceTokens::of(
            "fn ships() {}\n#[cfg(test)]\nmod tests { fn x() {} }\n#[tokio::test] async fn y() {}\nfn z() {}",
        );
        let is_test = |name| tokens.0.iter().find(|token| token.text == name).map(|token| token.is_test);
        for (name, expected) in [("ships", false), ("x", true), ("y", true), ("z", false)] {
            assert_eq!(is_test(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn strings_are_read_in_both_spellings_and_comments_are_not() {
        let tokens = SourceTokens::of(r##"let a = "x\"y"; let b = r#"z"#; /* "no" */ let c = b"bytes"; let d = 'c';"##);
        let strings: Vec<_> = tokens.strings().map(|(text, _)| text).collect();
        assert_eq!(strings, ["x\"y", "z"]);
    }
}
