//! Adds a slice to a copy of the tree by `testing/examples/add-a-slice.patch`, builds the copy, runs the tests of the slice, and lists what the slice cost.

use std::process::Command;

use anyhow::Context;

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::patch::{FilePatch, parse};
use crate::source_copy::SourceCopy;
use crate::system_packages::{POSTGRES, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// The name of the suite.
pub const EXAMPLE_SLICE: &str = "example-slice";
/// Where the patches of examples are.
pub const EXAMPLES: &str = "testing/examples/";
const PATCH: &str = "testing/examples/add-a-slice.patch";
/// The test programs that have cases of the slice.
const PROGRAMS: &[&str] = &["commands", "contracts", "postgres", "edges", "tenants"];
/// The cases of the slice, and those that are driven by the table of routes.
const CASES: &[&str] = &["notes", "audit::", "foreign", "route_is_opened"];

/// The example of docs/how-to/add-a-slice.md.
pub struct ExampleSliceSuite;

impl Suite for ExampleSliceSuite {
    fn name(&self) -> &'static str {
        EXAMPLE_SLICE
    }

    fn about(&self) -> &'static str {
        "a slice that a patch adds to a copy of the tree builds, and its tests pass"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[POSTGRES]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        if !context.long {
            println!("skipped: it builds a second tree; `cargo xtask example-slice` and `--long` run it");
            return Ok(TestCounts::skipped().into());
        }
        let tree = context.target().join("example-slice/tree");
        let patch = std::fs::read_to_string(context.root.join(PATCH)).context(PATCH)?;
        let mut copy = SourceCopy::read(&context.root)?;
        copy.apply(&patch)?;
        copy.add_build_metadata("example")?;
        copy.write(&tree)?;
        println!("{}", cost(&parse(&patch)?));
        let cargo = |task: &str| {
            let mut command = child_process::cargo(&tree);
            command.args([task, "--workspace", "--exclude", "xtask"]).env("CARGO_TARGET_DIR", context.target());
            command.args(PROGRAMS.iter().flat_map(|program| ["--test", program]));
            command
        };
        child_process::run_checked(cargo("build").args(["--quiet", "--bin", "voelgoed"]))?;
        // The next build of the repository replaces `debug/voelgoed` by its own.
        let server = context.target().join("example-slice/voelgoed");
        std::fs::copy(context.target().join("debug/voelgoed"), &server).context("the server with the slice")?;
        let mut tests: Command = cargo("test");
        tests.arg("--").args(CASES).env("VOELGOED_BIN", &server);
        child_process::run_tests(&mut tests, PROGRAM_TIMEOUT)
    }
}

/// A line per file, in the order of the patch, and the sums.
fn cost(files: &[FilePatch]) -> String {
    let line = |file: &FilePatch| {
        let (added, removed) = file.line_counts();
        match file.is_new {
            true => format!("added    {:<60} {added} lines", file.path),
            false => format!("changed  {:<60} +{added} -{removed}", file.path),
        }
    };
    let new = files.iter().filter(|file| file.is_new).count();
    let mut lines: Vec<String> = files.iter().map(line).collect();
    lines.push(format!("the slice costs {new} new files and lines in {} others", files.len() - new));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_has_a_line_per_file_and_the_sums() -> anyhow::Result<()> {
        let files =
            parse("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+one\n--- a/y\n+++ b/y\n@@ -1 +1,2 @@\n one\n+two\n")?;
        let cost = cost(&files);
        assert!(cost.starts_with("added    x") && cost.contains("1 lines\nchanged  y"), "{cost}");
        assert!(cost.ends_with("+1 -0\nthe slice costs 1 new files and lines in 1 others"), "{cost}");
        Ok(())
    }

    #[test]
    fn how_to_names_every_file_of_the_example() -> anyhow::Result<()> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = std::fs::read_to_string(root.join("docs/how-to/add-a-slice.md"))?;
        for file in parse(&std::fs::read_to_string(root.join(PATCH))?)? {
            assert!(page.contains(&format!("`{}`", file.path)), "{} is not in the page", file.path);
        }
        Ok(())
    }
}
