//! Requires that docs/errors.md has a row for every stable error code of `domain`, and no other rows.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

const LIST: &str = "crates/domain/src/refusal.rs";
const PAGE: &str = "docs/errors.md";

pub struct ErrorCodesRule;

impl Rule for ErrorCodesRule {
    fn name(&self) -> &'static str {
        "error-codes"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let Some(list) = workspace.file(LIST) else { return Vec::new() };
        let codes = codes(list);
        let Some(page) = workspace.file(PAGE) else {
            return vec![Finding::new(
                PAGE,
                1,
                "the page of error codes is missing",
                "write a table row for each code",
            )];
        };
        let rows = rows(page);
        let missing = codes.iter().filter(|(code, _)| !rows.iter().any(|(row, _)| row == code)).map(|(code, line)| {
            let message = format!("the code `{code}` has no row in {PAGE}");
            Finding::new(LIST, *line, message, "add its row: when it occurs and what a client does")
        });
        let gone = rows.iter().filter(|(row, _)| !codes.iter().any(|(code, _)| row == code)).map(|(row, line)| {
            Finding::new(PAGE, *line, format!("there is no code `{row}`"), "delete the row, or correct it")
        });
        missing.chain(gone).collect()
    }
}

/// The texts in `codes! { Name = "text", RefusalKind; … }`, with their lines.
fn codes(list: &SourceFile) -> Vec<(String, usize)> {
    let tokens = list.tokens();
    let Some(start) = tokens.find(&["codes", "!", "{"]).next() else { return Vec::new() };
    (start + 3..tokens.0[start + 2].partner)
        .filter(|index| tokens.matches(index - 1, &["="]) && !tokens.matches(index - 2, &["doc"]))
        .filter_map(|index| Some((tokens.string(index)?, tokens.0[index].line)))
        .collect()
}

/// The codes in the first cells of table rows: ``| `code` | …``.
fn rows(page: &SourceFile) -> Vec<(String, usize)> {
    let rows = page.text.lines().enumerate();
    rows.filter_map(|(index, line)| {
        let (code, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some((code.to_owned(), index + 1))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: &str = "macro_rules! codes { ($x:tt) => {}; }\ncodes! {\n    /// Gone.\n    SoldOut = \"sold_out\", Conflict;\n    NotFound = \"not_found\", Absent;\n}\n";

    fn check(page: &str) -> Vec<(String, usize)> {
        let workspace = Workspace::of(&[(LIST, CODES), (PAGE, page)]);
        ErrorCodesRule.check(&workspace).into_iter().map(|finding| (finding.file, finding.line)).collect()
    }

    #[test]
    fn page_with_every_code_is_valid() {
        assert!(check("| code | when |\n|---|---|\n| `sold_out` | no place |\n| `not_found` | nothing |\n").is_empty());
    }

    #[test]
    fn missing_and_unknown_codes_are_found_with_their_lines() {
        let findings = check("| `sold_out` | no place |\n| `not_here` | ? |\n");
        assert_eq!(findings, [(LIST.into(), 5), (PAGE.into(), 2)]);
    }

    #[test]
    fn missing_page_is_found() {
        assert_eq!(ErrorCodesRule.check(&Workspace::of(&[(LIST, CODES)])).len(), 1);
    }
}
