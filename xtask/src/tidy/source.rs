//! A source file as a flat list of tokens with lines, each knowing whether it is test code.
//!
//! Comments are gone and strings are literals, so no law is fooled by either; what stands inside macros is seen too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
    /// As written.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// For an opening bracket the index of its closing one, and the other way round; else its own index.
    pub partner: usize,
    /// Inside `#[cfg(test)]` or `#[test]` code.
    pub is_test: bool,
}

/// A file's tokens.
#[derive(Debug, Default)]
pub struct Tokens(pub Vec<Token>);

impl Tokens {
    /// Reads Rust source; empty where it cannot be read (the compiler will say more).
    pub fn of(source: &str) -> Self {
        let mut tokens = Self::default();
        if let Ok(stream) = source.parse::<TokenStream>() {
            tokens.flatten(stream);
            tokens.mark_tests();
        }
        tokens
    }

    fn push(&mut self, text: String, line: usize, kind: Kind) -> usize {
        let partner = self.0.len();
        self.0.push(Token { text, line, kind, partner, is_test: false });
        partner
    }

    fn flatten(&mut self, stream: TokenStream) {
        for tree in stream {
            let line = tree.span().start().line;
            match tree {
                TokenTree::Ident(ident) => self.push(ident.to_string(), line, Kind::Ident),
                TokenTree::Punct(punct) => self.push(punct.as_char().to_string(), line, Kind::Punct),
                TokenTree::Literal(literal) => self.push(literal.to_string(), line, Kind::Literal),
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
                    let opening = self.push(open.into(), line, Kind::Open);
                    self.flatten(group.stream());
                    let closing = self.push(close.into(), group.span_close().start().line, Kind::Close);
                    self.0[opening].partner = closing;
                    self.0[closing].partner = opening;
                    closing
                }
            };
        }
    }

    /// An attribute that makes an item test code marks everything up to the end of that item's body.
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

    /// The index behind the item that starts at `index`: behind its body, or its semicolon.
    pub fn item_end(&self, mut index: usize) -> usize {
        while let Some(token) = self.0.get(index) {
            match (token.kind, token.text.as_str()) {
                (Kind::Open, "{") => return token.partner + 1,
                (Kind::Open, _) => index = token.partner + 1,
                (Kind::Punct, ";") | (Kind::Close, _) => return index + 1,
                _ => index += 1,
            }
        }
        self.0.len()
    }

    /// True where exactly these tokens stand at `index`.
    pub fn matches(&self, index: usize, texts: &[&str]) -> bool {
        let here = self.0.get(index..index + texts.len());
        here.is_some_and(|tokens| tokens.iter().zip(texts).all(|(token, text)| token.text == *text))
    }

    /// Every index at which exactly these tokens stand.
    pub fn find<'a>(&'a self, texts: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.0.len()).filter(|index| self.matches(*index, texts))
    }

    /// The text of a plain or raw string literal at `index`.
    pub fn string(&self, index: usize) -> Option<String> {
        let token = self.0.get(index).filter(|token| token.kind == Kind::Literal)?;
        unquoted(&token.text)
    }

    /// Every string literal with its line.
    pub fn strings(&self) -> impl Iterator<Item = (String, usize)> + '_ {
        self.0.iter().enumerate().filter_map(|(index, token)| Some((self.string(index)?, token.line)))
    }
}

/// The inside of a string literal; escapes of quotes and backslashes undone, others left as written.
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
    fn tokens_know_their_lines_and_partners() {
        let tokens = Tokens::of("fn a() {\n  b(1);\n}\n");
        let close = tokens.0.last().map(|token| (token.text.as_str(), token.line, token.partner));
        assert_eq!(close, Some(("}", 3, 4)));
    }

    #[test]
    fn test_code_is_marked_and_other_code_is_not() {
        let tokens = Tokens::of(
            "fn ships() {}\n#[cfg(test)]\nmod tests { fn x() {} }\n#[tokio::test] async fn y() {}\nfn z() {}",
        );
        let is_test = |name| tokens.0.iter().find(|token| token.text == name).map(|token| token.is_test);
        for (name, expected) in [("ships", false), ("x", true), ("y", true), ("z", false)] {
            assert_eq!(is_test(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn strings_are_read_in_both_spellings_and_comments_are_not() {
        let tokens = Tokens::of(r##"let a = "x\"y"; let b = r#"z"#; /* "no" */ let c = b"bytes"; let d = 'c';"##);
        let strings: Vec<_> = tokens.strings().map(|(text, _)| text).collect();
        assert_eq!(strings, ["x\"y", "z"]);
    }
}
