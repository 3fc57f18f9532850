//! Splits source files into comments and code, so that rules on prose see comments with their lines.
//!
//! Covers line and nested block comments of Rust; `--` of Lua; `//` and block comments of JS and CSS. String literals hide comment marks.

/// A line of source with its code and its comment apart; string literals are in neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Counted from 1.
    pub number: usize,
    /// The line's code.
    pub code: String,
    /// The line's comment.
    pub comment: String,
}

/// How a language writes comments and strings.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    line_comment: Option<&'static str>,
    block_comments: bool,
    quotes: &'static str,
    /// Quotes of strings that may span lines; others end with their line, so that a quote in a regular expression hides one line at most.
    multiline_quotes: &'static str,
}

/// Rust. A single quote starts a lifetime or a character, so it is handled apart.
pub const RUST: Syntax =
    Syntax { line_comment: Some("//"), block_comments: true, quotes: "\"", multiline_quotes: "\"" };
/// Lua.
pub const LUA: Syntax = Syntax { line_comment: Some("--"), block_comments: false, quotes: "\"'", multiline_quotes: "" };
/// JavaScript.
pub const JAVASCRIPT: Syntax =
    Syntax { line_comment: Some("//"), block_comments: true, quotes: "\"'`", multiline_quotes: "`" };
/// CSS.
pub const CSS: Syntax = Syntax { line_comment: None, block_comments: true, quotes: "\"'", multiline_quotes: "" };

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { quote: char },
    RawText { hashes: usize },
}

/// Splits `source` into lines with their code and comments apart.
pub fn split(source: &str, syntax: Syntax) -> Vec<SourceLine> {
    let mut lines = Vec::new();
    let mut state = State::Code;
    for (index, text) in source.lines().enumerate() {
        let mut line = SourceLine { number: index + 1, code: String::new(), comment: String::new() };
        state = match state {
            State::LineComment => State::Code,
            State::Text { quote } if !syntax.multiline_quotes.contains(quote) => State::Code,
            state => state,
        };
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let (next, used) = step(state, rest, letter, syntax, &line.code);
            match (state, next) {
                (State::Code, State::Code) => line.code.push_str(&rest[..used]),
                (State::LineComment | State::BlockComment { .. }, _) => line.comment.push_str(&rest[..used]),
                // A space keeps the words on both sides of a literal or comment apart.
                _ => line.code.push(' '),
            }
            state = next;
            rest = &rest[used..];
        }
        lines.push(line);
    }
    lines
}

/// The state behind the next characters, and how many bytes they take.
fn step(state: State, rest: &str, letter: char, syntax: Syntax, code: &str) -> (State, usize) {
    let one = letter.len_utf8();
    match state {
        State::Code => step_in_code(rest, letter, syntax, code),
        State::LineComment => (state, one),
        State::BlockComment { depth } if rest.starts_with("*/") => match depth {
            1 => (State::Code, 2),
            depth => (State::BlockComment { depth: depth - 1 }, 2),
        },
        State::BlockComment { depth } if rest.starts_with("/*") => (State::BlockComment { depth: depth + 1 }, 2),
        State::BlockComment { .. } => (state, one),
        State::Text { .. } if letter == '\\' => (state, one + rest[one..].chars().next().map_or(0, char::len_utf8)),
        State::Text { quote } if letter == quote => (State::Code, one),
        State::RawText { hashes } if rest.starts_with(&format!("\"{}", "#".repeat(hashes))) => {
            (State::Code, 1 + hashes)
        }
        State::Text { .. } | State::RawText { .. } => (state, one),
    }
}

fn step_in_code(rest: &str, letter: char, syntax: Syntax, code: &str) -> (State, usize) {
    let one = letter.len_utf8();
    if let Some(mark) = syntax.line_comment.filter(|mark| rest.starts_with(mark)) {
        return (State::LineComment, mark.len());
    }
    if syntax.block_comments && rest.starts_with("/*") {
        return (State::BlockComment { depth: 1 }, 2);
    }
    let is_rust = !syntax.quotes.contains('\'');
    if is_rust && letter == 'r' && !code.ends_with(|before: char| before.is_alphanumeric() && before != 'b') {
        let hashes = rest[1..].chars().take_while(|next| *next == '#').count();
        if rest[1 + hashes..].starts_with('"') {
            return (State::RawText { hashes }, 2 + hashes);
        }
    }
    if is_rust && letter == '\'' {
        return (State::Code, character(rest));
    }
    if syntax.quotes.contains(letter) { (State::Text { quote: letter }, one) } else { (State::Code, one) }
}

/// The length of a character literal such as `'"'`; 1 for the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            rest[2..].char_indices().skip(1).find(|(_, next)| *next == '\'').map_or(1, |(at, _)| 2 + at + 1)
        }
        Some(_) => letters.next().filter(|(_, next)| *next == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comments(source: &str, syntax: Syntax) -> Vec<(usize, String)> {
        let lines = split(source, syntax).into_iter().filter(|line| !line.comment.trim().is_empty());
        lines.map(|line| (line.number, line.comment.trim().to_owned())).collect()
    }

    fn code(source: &str, syntax: Syntax) -> String {
        let lines: Vec<_> = split(source, syntax).iter().map(|line| line.code.clone()).collect();
        lines.join("\n").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rust_comments_are_found_and_marks_inside_literals_are_not() {
        for (source, expected) in [
            ("a(); // one\n/// two", vec![(1, "one"), (2, "/ two")]),
            ("/* one\ntwo /* three */ four */ b()", vec![(1, "one"), (2, "two /* three */ four */")]),
            ("let a = \"// no \\\" // no\"; // yes", vec![(1, "yes")]),
            ("let a = r#\"// no \" // no\"#; // yes", vec![(1, "yes")]),
            ("let a = \"one\n// no\n\"; // yes", vec![(3, "yes")]),
            ("fn f<'a>(x: &'a str) { g('\"', '\\'', '\\u{22}') } // yes", vec![(1, "yes")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(comments(source, RUST), expected, "{source}");
        }
    }

    #[test]
    fn comments_and_strings_are_removed_from_code() {
        assert_eq!(code("let a = \"text\"; // b\nc /* d */ e", RUST), "let a = ; c e");
        assert_eq!(code("fn f(x: &'static str) {}", RUST), "fn f(x: &'static str) {}");
        assert_eq!(code("bar(\"x\")", RUST), "bar( )");
    }

    #[test]
    fn other_languages_have_their_own_marks() {
        assert_eq!(comments("local a = '-- no' -- yes", LUA), [(1, "yes".to_owned())]);
        assert_eq!(comments("let a = `// no`; // yes", JAVASCRIPT), [(1, "yes".to_owned())]);
        assert_eq!(comments("let a = /['x]/;\nb(); // yes", JAVASCRIPT), [(2, "yes".to_owned())]);
        assert_eq!(comments("a { b: url(//no) } /* yes */", CSS), [(1, "yes */".to_owned())]);
    }
}
