//! Requires that names of limits end with their qualifier: `orders_max`, `REFRESH_INTERVAL`, `call_timeout`.
//!
//! Checked are definitions of constants, statics and struct fields. Names that a file format or another API fixes are in [`EXCEPTIONS`].

use super::tokens::{SourceTokens, SyntaxKind};
use super::workspace::Workspace;
use super::{Finding, Rule};

/// A first word that a limit must not have, and the name to use.
const PREFIXES: &[(&str, &str)] = &[
    ("MOST", "end the name in _MAX"),
    ("MAX", "end the name in _MAX"),
    ("LARGEST", "end the name in _MAX, with the unit, such as _BYTES_MAX"),
    ("LONGEST", "end the name in _TIMEOUT, _TTL or _LENGTH_MAX"),
    ("LEAST", "end the name in _MIN"),
    ("MIN", "end the name in _MIN"),
    ("SMALLEST", "end the name in _MIN, with the unit"),
    ("SHORTEST", "end the name in _MIN, with the unit"),
    ("EVERY", "end the name in _INTERVAL"),
];
/// A last word that a limit must not have, and the name to use.
const SUFFIXES: &[(&str, &str)] = &[
    ("WITHIN", "end the name in _TIMEOUT"),
    ("EVERY", "end the name in _INTERVAL"),
    ("MOST", "end the name in _MAX"),
    ("LONGEST", "end the name in _TIMEOUT, _TTL or _LENGTH_MAX"),
];
/// Constants that are refused as a whole.
const CONSTANTS: &[(&str, &str)] = &[("AGAIN", "name the delay, such as RETRY_DELAY")];

/// Names that are the same in JSON, in SQL and in Rust, as (name, reason); valid in every file.
const API_NAMES: &[(&str, &str)] = &[
    ("max_attempts", "a column of the job table"),
    ("max_per_buyer", "a field of a ticket type in the API and its column"),
    ("max_per_hold", "a field of a ticket type in the API and its column"),
    ("min_per_hold", "a field of a ticket type in the API and its column"),
];
/// Names that stay in one file, as (file, name, reason).
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("crates/domain/src/refusal.rs", "most", "the evidence of a refusal names it so in JSON"),
    ("crates/web/src/problem.rs", "most", "a field of a problem document in JSON"),
    ("crates/voelgoed/src/settings/server.rs", "most_connections", "the setting's name"),
    ("crates/voelgoed/src/settings/server.rs", "most_in_flight", "the setting's name"),
    ("crates/voelgoed/src/settings/sale.rs", "poll_every", "the setting's name"),
];

pub struct LimitNamesRule;

impl Rule for LimitNamesRule {
    fn name(&self) -> &'static str {
        "limit-names"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        check_with(EXCEPTIONS, workspace)
    }
}

fn check_with(exceptions: &[(&str, &str, &str)], workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    for file in workspace.rust() {
        for (name, line) in definitions(file.tokens()) {
            let Some(fix) = fix(name).filter(|_| !API_NAMES.iter().any(|(excepted, _)| name == *excepted)) else {
                continue;
            };
            match exceptions.iter().position(|(path, excepted, _)| file.path == *path && name == *excepted) {
                Some(exception) => used.push(exception),
                None => {
                    findings.push(Finding::new(&file.path, line, format!("the limit `{name}` is misnamed"), fix));
                }
            }
        }
    }
    let unused = exceptions.iter().enumerate().filter(|(index, _)| !used.contains(index));
    findings.extend(unused.map(|(_, (path, name, _))| {
        let message = format!("the exception of limit-names for `{name}` in {path} is not used");
        Finding::new("xtask/src/tidy/limit_names.rs", 1, message, "delete it")
    }));
    findings
}

/// How to rename a limit; `None` for a good name.
fn fix(name: &str) -> Option<&'static str> {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split('_').filter(|word| !word.is_empty()).collect();
    let (first, last) = (words.first()?, words.last()?);
    let of = |table: &[(&'static str, &'static str)], word: &str| {
        table.iter().find(|(banned, _)| *banned == word).map(|(_, fix)| *fix)
    };
    // A constant called `MIN` or `MAX` has its qualifier last: the type or module is the rest of its name.
    let prefix = if words.len() > 1 || !matches!(*first, "MIN" | "MAX") { of(PREFIXES, first) } else { None };
    prefix.or_else(|| of(SUFFIXES, last)).or_else(|| of(CONSTANTS, name))
}

/// Names and lines of constants, statics and struct fields.
fn definitions(tokens: &SourceTokens) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    for (index, token) in tokens.0.iter().enumerate() {
        match token.text.as_str() {
            "const" | "static" => {
                let name = (index + 1..).filter_map(|at| tokens.0.get(at)).find(|token| token.text != "mut");
                found.extend(name.filter(|name| name.kind == SyntaxKind::Ident && name.text != "fn"));
            }
            "struct" => found.extend(fields(tokens, index)),
            _ => {}
        }
    }
    found.into_iter().map(|token| (token.text.as_str(), token.line)).collect()
}

/// The field names of the struct whose keyword is at `index`.
fn fields(tokens: &SourceTokens, index: usize) -> Vec<&super::tokens::Token> {
    let end = tokens.item_end(index + 1);
    let Some(close) = end.checked_sub(1).filter(|close| tokens.0.get(*close).is_some_and(|token| token.text == "}"))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = tokens.0[close].partner + 1;
    while at < close {
        let token = &tokens.0[at];
        let is_name =
            token.kind == SyntaxKind::Ident && tokens.matches(at + 1, &[":"]) && !tokens.matches(at + 2, &[":"]);
        // A path inside a field's type has a colon before its name.
        if is_name && !tokens.matches(at - 1, &[":"]) {
            found.push(token);
        }
        at = token.partner.max(at) + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let workspace = Workspace::of(&[("crates/a/src/lib.rs", source)]);
        check_with(&[], &workspace).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn constants_with_the_qualifier_first_are_found() {
        for name in [
            "MOST_ORDERS",
            "LEAST_AGE",
            "LONGEST",
            "LONGEST_CALL",
            "SHORTEST_NAME",
            "LARGEST_BODY",
            "SMALLEST_BATCH",
            "EVERY",
            "EVERY_ROUND",
            "ROUND_EVERY",
            "MAX_ORDERS",
            "MIN_AGE",
            "HEARS_WITHIN",
            "WITHIN",
            "MOST",
            "AGAIN",
        ] {
            for keyword in ["const", "pub const", "static", "static mut"] {
                let source = format!("{keyword} {name}: u8 = 1;");
                assert_eq!(names(&source), [format!("the limit `{name}` is misnamed")], "{source}");
            }
        }
    }

    #[test]
    fn fields_with_the_qualifier_first_are_found() {
        let source = "pub struct Limits<T: Clone> {\n    pub max_orders: std::num::NonZero<u8>,\n    #[serde(default)]\n    most: T,\n}";
        assert_eq!(names(source), ["the limit `max_orders` is misnamed", "the limit `most` is misnamed"]);
    }

    #[test]
    fn names_with_the_qualifier_last_and_uses_of_other_names_are_valid() {
        for source in [
            "const ORDERS_MAX: u8 = u8::MAX;",
            "const MAX: u8 = 1; const MIN: u8 = 0;",
            "struct Limits { orders_max: u8, minutes: u8, maximum: u8 }",
            "fn f(max_size: usize) { let most = g(max_size).max_connections(most); }",
            "const fn max_of(a: u8) -> u8 { a } struct Pair(u8, u8);",
            "// const MAX_ORDERS: u8\nconst TEXT: &str = \"MAX_ORDERS\";",
            "struct Order { again: bool, max_per_hold: u8 }",
        ] {
            assert_eq!(names(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn exception_covers_one_name_in_one_file_and_must_be_used() {
        let workspace = Workspace::of(&[("a.rs", "const MAX_ORDERS: u8 = 1;"), ("b.rs", "const MAX_ORDERS: u8 = 1;")]);
        let found = check_with(&[("a.rs", "MAX_ORDERS", "a setting"), ("a.rs", "GONE", "a setting")], &workspace);
        let files: Vec<_> = found.iter().map(|finding| finding.file.as_str()).collect();
        assert_eq!(files, ["b.rs", "xtask/src/tidy/limit_names.rs"]);
    }

    #[test]
    fn every_exception_has_a_reason() {
        assert!(EXCEPTIONS.iter().all(|(_, _, reason)| reason.len() > 10));
        assert!(API_NAMES.iter().all(|(_, reason)| reason.len() > 10));
    }
}
