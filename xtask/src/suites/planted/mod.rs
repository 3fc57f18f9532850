//! Bugs that are planted on purpose are caught by the suites (docs/planted-bugs.md), and what ships cannot have them.
//!
//! Never: a bug counted as caught without the name of a test that failed by it, or while its tests fail without it.
//! To add a bug: `crates/planted/src/list.rs`.

mod programs;

use std::collections::BTreeSet;
use std::path::Path;

use voelgoed_planted::{ALL, Planted, SWITCH};

use self::programs::{Programs, Tests};
use super::Suite;
use crate::machine::{Need, POSTGRES, REDIS};
use crate::report::Tally;
use crate::run::Run;
use crate::shell::Outcome;

/// Tests that caught one bug and are named in its line.
const MOST_NAMED: usize = 2;

/// Every planted bug, one at a time.
pub struct PlantedBugs;

impl Suite for PlantedBugs {
    fn name(&self) -> &'static str {
        "planted"
    }

    fn about(&self) -> &'static str {
        "bugs planted one at a time are caught, each by a test with a name; what ships cannot have them"
    }

    fn needs(&self) -> &'static [Need] {
        &[POSTGRES, REDIS]
    }

    /// In short the tests that are expected to catch each bug; at full length every test of their package, to the end.
    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut said = Outcome::default();
        note(&mut said, "what ships does not know the switch", unknown_to(run.release_binary()?)?);
        let programs = Programs::build(run)?;
        let all: BTreeSet<Tests> = ALL.iter().flat_map(|planted| programs.of(&planted.caught_by)).collect();
        for tests in &all {
            let outcome = programs.run(tests, None)?;
            // A filter that finds nothing would catch nothing; a program without tests is none.
            let sound = outcome.tally.failed == 0 && (run.long || outcome.tally.passed > 0);
            let failed = outcome.failures().collect::<Vec<_>>().join("; ");
            note(
                &mut said,
                &format!("without a bug: {tests}"),
                (!sound).then(|| format!("{} {failed}", outcome.tally)),
            );
        }
        for planted in ALL {
            let mut caught = Vec::new();
            for tests in programs.of(&planted.caught_by) {
                let outcome = programs.run(&tests, Some(planted))?;
                caught.extend(outcome.failures().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned));
            }
            let (line, survives) = verdict(planted, &caught);
            note(&mut said, &line, survives);
        }
        Ok(said)
    }
}

fn note(said: &mut Outcome, what: &str, failed: Option<String>) {
    said.tally.add(Tally::one(failed.is_none()));
    let line = match failed {
        None => format!("test {what} ... ok"),
        Some(why) => format!("test {what} ... FAILED: {why}"),
    };
    println!("{line}");
    said.lines.push(line);
}

/// The line of a bug; with why it is none of success where nobody caught it.
fn verdict(planted: &Planted, caught: &[String]) -> (String, Option<String>) {
    let Planted { name, promise, breaks, .. } = planted;
    if caught.is_empty() {
        return (format!("{name} ({promise})"), Some(format!("it survived: {breaks}")));
    }
    let more = caught.len().saturating_sub(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = caught.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    (format!("{name} ({promise}) is caught by {named}{rest}"), None)
}

/// Nothing of the switch and of the list is in the program; else what is.
fn unknown_to(program: &Path) -> anyhow::Result<Option<String>> {
    let bytes = std::fs::read(program)?;
    let says = String::from_utf8_lossy(&bytes);
    let texts = std::iter::once(SWITCH).chain(ALL.iter().map(|planted| planted.name));
    Ok(texts.filter(|text| says.contains(text)).map(|text| format!("{} contains `{text}`", program.display())).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_the_switch_is_noticed() -> anyhow::Result<()> {
        // This one has it: the feature is on here.
        assert!(unknown_to(&std::env::current_exe()?)?.is_some());
        assert_eq!(unknown_to(Path::new("/bin/true"))?, None);
        Ok(())
    }

    #[test]
    fn a_bug_that_nobody_caught_has_survived() {
        let planted = &ALL[0];
        let (line, survives) = verdict(planted, &[]);
        assert!(line.starts_with(planted.name) && survives.is_some());
        let caught: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let (line, survives) = verdict(planted, &caught);
        assert!(line.ends_with("is caught by a, b and 1 more") && survives.is_none(), "{line}");
    }

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<_> = ALL.iter().map(|planted| planted.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
