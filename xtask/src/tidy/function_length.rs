//! Refuses functions of more than 70 lines, from signature to closing brace.

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

const LINES_MAX: usize = 70;

pub struct FunctionLengthRule;

impl Rule for FunctionLengthRule {
    fn name(&self) -> &'static str {
        "function-length"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for index in tokens.find(&["fn"]) {
        let Some(name) = tokens.0.get(index + 1).filter(|token| token.kind == SyntaxKind::Ident) else { continue };
        let first = tokens.0[index].line;
        let end = tokens.item_end(index + 2);
        let lines = tokens.0.get(end - 1).map_or(0, |last| last.line + 1 - first);
        if lines > LINES_MAX {
            let message = format!("`{}` has {lines} lines", name.text);
            findings.push(Finding::new(
                &file.path,
                first,
                message,
                format!("split it by step (at most {LINES_MAX} lines)"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long(\n) -> [u8; 2] {{\n{}}}\n", "    let x = { 1 };\n".repeat(lines - 3))
    }

    #[test]
    fn function_of_seventy_lines_is_valid_and_one_line_more_is_not() {
        for (lines, violations) in [(3, 0), (LINES_MAX, 0), (LINES_MAX + 1, 1)] {
            let source = format!("fn short() {{}}\n\n{}\ntrait T {{ fn none(); }}", function(lines));
            let findings = FunctionLengthRule.check(&Workspace::of(&[("a.rs", &source)]));
            assert_eq!(findings.len(), violations, "{lines}");
            assert!(findings.iter().all(|finding| finding.line == 3 && finding.message.contains("`long`")));
        }
    }

    #[test]
    fn function_pointer_type_is_not_a_function() {
        let source = format!("const F: fn(u8) = g;\nmod m {{\n{}}}\n", "const A: u8 = 1;\n".repeat(LINES_MAX));
        assert!(FunctionLengthRule.check(&Workspace::of(&[("a.rs", &source)])).is_empty());
    }
}
