//! Switches on each mutant (docs/mutants.md) in a build of the mutated tree, runs its tests, and fails if no named test fails.
//!
//! Never: a mutant counted as caught while its tests fail without it too; a shipped binary that knows the switch.
//! To add a mutant: `testing/mutants/src/list.rs`.

mod programs;

use std::collections::BTreeSet;
use std::path::Path;

use voelgoed_mutants::{ALL, MutantInfo, SWITCH};

use self::programs::{TestPrograms, TestSelection};
use super::Suite;
use crate::child_process::TestRun;
use crate::system_packages::{POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// Tests named in the line of a caught mutant.
const TESTS_SHOWN_MAX: usize = 2;

/// Every mutant, one at a time.
pub struct MutantsSuite;

impl Suite for MutantsSuite {
    fn name(&self) -> &'static str {
        "mutants"
    }

    fn about(&self) -> &'static str {
        "each mutant makes a named test fail; the release binary contains none"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[POSTGRES, REDIS]
    }

    /// Short runs start the tests that should catch each mutant; full-length runs start every test of their package.
    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut test_run = TestRun::default();
        record(
            &mut test_run,
            "the release binary does not contain the switch",
            find_switch(context.release_binary()?)?,
        );
        let programs = TestPrograms::build(context)?;
        let all: BTreeSet<TestSelection> = ALL.iter().flat_map(|mutant| programs.of(&mutant.caught_by)).collect();
        for tests in &all {
            let result = programs.run(tests, None)?;
            // A filter without matching tests could never catch a mutant; at full length programs without tests are allowed.
            let passes = result.counts.failed == 0 && (context.long || result.counts.passed > 0);
            let failed = result.failures().collect::<Vec<_>>().join("; ");
            record(
                &mut test_run,
                &format!("without a mutant: {tests}"),
                (!passes).then(|| format!("{} {failed}", result.counts)),
            );
        }
        for mutant in ALL {
            let mut caught = Vec::new();
            for tests in programs.of(&mutant.caught_by) {
                let result = programs.run(&tests, Some(mutant))?;
                caught.extend(result.failures().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned));
            }
            let (line, failure) = report_line(mutant, &caught);
            record(&mut test_run, &line, failure);
        }
        Ok(test_run)
    }
}

fn record(test_run: &mut TestRun, name: &str, failed: Option<String>) {
    test_run.counts.add(TestCounts::one(failed.is_none()));
    let line = match failed {
        None => format!("test {name} ... ok"),
        Some(reason) => format!("test {name} ... FAILED: {reason}"),
    };
    println!("{line}");
    test_run.lines.push(line);
}

/// The report line of a mutant, and the reason of failure if no test caught it.
fn report_line(mutant: &MutantInfo, caught: &[String]) -> (String, Option<String>) {
    let MutantInfo { name, promise, breaks, .. } = mutant;
    if caught.is_empty() {
        return (format!("{name} ({promise})"), Some(format!("it survived: {breaks}")));
    }
    let more = caught.len().saturating_sub(TESTS_SHOWN_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = caught.iter().take(TESTS_SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    (format!("{name} ({promise}) is caught by {named}{rest}"), None)
}

/// Finds the switch or a mutant's name in the program's bytes.
fn find_switch(program: &Path) -> anyhow::Result<Option<String>> {
    let bytes = std::fs::read(program)?;
    let text = String::from_utf8_lossy(&bytes);
    let names = std::iter::once(SWITCH).chain(ALL.iter().map(|mutant| mutant.name));
    Ok(names.filter(|name| text.contains(name)).map(|name| format!("{} contains `{name}`", program.display())).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_that_contains_the_switch_is_found() -> anyhow::Result<()> {
        // xtask itself has the list.
        assert!(find_switch(&std::env::current_exe()?)?.is_some());
        assert_eq!(find_switch(Path::new("/bin/true"))?, None);
        Ok(())
    }

    #[test]
    fn mutant_without_a_failing_test_is_reported_as_survived() {
        let mutant = &ALL[0];
        let (line, failure) = report_line(mutant, &[]);
        assert!(line.starts_with(mutant.name) && failure.is_some());
        let caught: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let (line, failure) = report_line(mutant, &caught);
        assert!(line.ends_with("is caught by a, b and 1 more") && failure.is_none(), "{line}");
    }

    #[test]
    fn test_target_of_each_mutant_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for MutantInfo { name, caught_by, .. } in ALL.iter().filter(|mutant| mutant.caught_by.target != "lib") {
            let tests = root.join(caught_by.package).join("tests");
            let exists = [format!("{}.rs", caught_by.target), format!("{}/main.rs", caught_by.target)]
                .iter()
                .any(|file| tests.join(file).is_file());
            assert!(exists, "{name}: {} has no test target {}", caught_by.package, caught_by.target);
        }
    }

    #[test]
    fn names_of_mutants_are_distinct() {
        let names: BTreeSet<_> = ALL.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
