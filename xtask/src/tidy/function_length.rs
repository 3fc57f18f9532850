//! A function has at most 70 lines, signature and closing brace included.

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

const MOST: usize = 70;

/// The law.
pub struct FunctionLength;

impl Law for FunctionLength {
    fn name(&self) -> &'static str {
        "function-length"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for index in tokens.find(&["fn"]) {
        let Some(name) = tokens.0.get(index + 1).filter(|token| token.kind == Kind::Ident) else { continue };
        let first = tokens.0[index].line;
        let end = tokens.item_end(index + 2);
        let lines = tokens.0.get(end - 1).map_or(0, |last| last.line + 1 - first);
        if lines > MOST {
            let message = format!("`{}` has {lines} lines", name.text);
            findings.push(Finding::new(&file.path, first, message, format!("split it by step (at most {MOST} lines)")));
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
    fn the_edge_is_exact() {
        for (lines, breaches) in [(3, 0), (MOST, 0), (MOST + 1, 1)] {
            let source = format!("fn short() {{}}\n\n{}\ntrait T {{ fn none(); }}", function(lines));
            let findings = FunctionLength.check(&House::of(&[("a.rs", &source)]));
            assert_eq!(findings.len(), breaches, "{lines}");
            assert!(findings.iter().all(|finding| finding.line == 3 && finding.message.contains("`long`")));
        }
    }

    #[test]
    fn a_function_pointer_is_no_function() {
        let source = format!("const F: fn(u8) = g;\nmod m {{\n{}}}\n", "const A: u8 = 1;\n".repeat(MOST));
        assert!(FunctionLength.check(&House::of(&[("a.rs", &source)])).is_empty());
    }
}
