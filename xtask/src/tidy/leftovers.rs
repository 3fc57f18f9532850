//! Nothing unfinished is left: no `todo!`, `dbg!`, `unimplemented!`, no note to mend something later.

use super::house::{File, House};
use super::{Finding, Law};

/// Macros of unfinished work.
const MACROS: &[&str] = &["dbg", "todo", "unimplemented"];
/// Marks of unfinished work, spelled so that this file does not break its own law.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X:"), concat!("TO", "DO")];

/// The law.
pub struct Leftovers;

impl Law for Leftovers {
    fn name(&self) -> &'static str {
        "leftovers"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.files.iter().flat_map(|file| marks(file).into_iter().chain(macros(file))).collect()
    }
}

fn marks(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        findings.extend(MARKS.iter().filter(|mark| line.contains(**mark)).map(|mark| {
            Finding::new(&file.path, index + 1, format!("{mark} is left"), "do it now, or delete the note")
        }));
    }
    findings
}

fn macros(file: &File) -> Vec<Finding> {
    if !file.is("rs") {
        return Vec::new();
    }
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for name in MACROS {
        findings.extend(tokens.find(&[name, "!", "("]).map(|index| {
            Finding::new(&file.path, tokens.0[index].line, format!("{name}! is left"), "write what is missing")
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_is_found_and_what_only_speaks_of_it_is_not() {
        let mark = format!("// {}: later\n", MARKS[0]);
        for (path, text, breaches) in [
            ("a.rs", mark.as_str(), 1),
            ("a.js", mark.as_str(), 1),
            ("a.rs", "fn a() { todo!() }", 1),
            ("a.rs", "fn a() { b(dbg!(c)) }", 1),
            ("a.rs", "// never todo!()\nconst A: &str = \"dbg!(x)\";", 0),
        ] {
            assert_eq!(Leftovers.check(&House::of(&[(path, text)])).len(), breaches, "{text}");
        }
    }
}
