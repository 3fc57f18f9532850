//! Builds the test programs of the mutated tree and starts them one by one with a mutant switched on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use voelgoed_mutants::{Catcher, MutantInfo, SWITCH};

use crate::child_process::{self, TestRun};
use crate::suites::PROGRAM_TIMEOUT;
use crate::task_context::TaskContext;

/// Limit for one test program in a short run.
const SHORT_RUN_TIMEOUT: Duration = Duration::from_secs(120);

/// A selection of the tests of one test program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestSelection {
    package: String,
    target: String,
    /// A part of the tests' names; empty selects all tests.
    names: String,
}

impl std::fmt::Display for TestSelection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { package, target, names } = self;
        write!(f, "{package} {target} {names}")
    }
}

/// The built test programs.
pub struct TestPrograms {
    root: PathBuf,
    /// Path by package folder and target name.
    by_target: BTreeMap<(String, String), PathBuf>,
    /// The mutated server, for tests that start one.
    server: PathBuf,
    long: bool,
}

impl TestPrograms {
    /// Builds every test program of the mutated tree, and the server among them. External crates are shared with the other builds in `target`.
    pub fn build(context: &TaskContext) -> anyhow::Result<Self> {
        let root = crate::mutants::create(&context.root)?;
        let target = context.root.join("target");
        let mut command = child_process::cargo(&root);
        command.args(["test", "--workspace", "--exclude", "xtask", "--no-run", "--quiet"]);
        command.arg("--message-format=json-render-diagnostics").env("CARGO_TARGET_DIR", &target);
        let messages = child_process::capture(&mut command)?;
        let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let by_target = messages.iter().filter_map(|message| program(&root, message)).collect();
        // The next build of the workspace replaces `target/debug/voelgoed` by the real one.
        let server = target.join("mutants/voelgoed");
        std::fs::copy(target.join("debug/voelgoed"), &server).context("the mutated server")?;
        context.program("voelgoed")?;
        Ok(Self { root, by_target, server, long: context.long })
    }

    /// The tests to run against a mutant: those expected to catch it, or at full length all tests of their package.
    ///
    /// `testing/api` starts servers of its own and is too slow to run whole.
    pub fn of(&self, catcher: &Catcher) -> Vec<TestSelection> {
        let tests = |target: &str, names: &str| TestSelection {
            package: catcher.package.to_owned(),
            target: target.to_owned(),
            names: names.to_owned(),
        };
        if !self.long || catcher.package == "testing/api" {
            return vec![tests(catcher.target, catcher.tests)];
        }
        let own = self.by_target.keys().filter(|(package, _)| package == catcher.package);
        own.map(|(_, target)| tests(target, "")).collect()
    }

    /// Runs the selected tests without printing, with `mutant` switched on if given.
    pub fn run(&self, tests: &TestSelection, mutant: Option<&MutantInfo>) -> anyhow::Result<TestRun> {
        let target = (tests.package.clone(), tests.target.clone());
        let program =
            self.by_target.get(&target).with_context(|| format!("no test program was built for {target:?}"))?;
        let mut command = Command::new(program);
        command.arg(&tests.names).current_dir(self.root.join(&tests.package)).stderr(Stdio::null());
        command.env("VOELGOED_BIN", &self.server).env_remove(SWITCH);
        if let Some(mutant) = mutant {
            command.env(SWITCH, mutant.name);
        }
        child_process::run_tests_quietly(&mut command, if self.long { PROGRAM_TIMEOUT } else { SHORT_RUN_TIMEOUT })
    }
}

/// Package folder, target and path of the test program that a JSON message of cargo names.
fn program(root: &Path, message: &Value) -> Option<((String, String), PathBuf)> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.strip_prefix(root).ok()?;
    let target = match message["target"]["kind"][0].as_str()? {
        "lib" => "lib",
        "test" => message["target"]["name"].as_str()?,
        _ => return None,
    };
    let key = (folder.to_string_lossy().into_owned(), target.to_owned());
    Some((key, PathBuf::from(message["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unit_tests_and_test_files_are_test_programs_and_other_artifacts_are_not() {
        let message = |kind: &str, test: bool| {
            json!({"reason": "compiler-artifact", "manifest_path": "/r/crates/warm/Cargo.toml", "executable": "/t/x",
                "target": {"kind": [kind], "name": "sweeps"}, "profile": {"test": test}})
        };
        let found =
            |message| program(Path::new("/r"), &message).map(|((folder, target), _)| format!("{folder} {target}"));
        assert_eq!(found(message("lib", true)).as_deref(), Some("crates/warm lib"));
        assert_eq!(found(message("test", true)).as_deref(), Some("crates/warm sweeps"));
        assert_eq!(found(message("bin", true)), None);
        assert_eq!(found(message("lib", false)), None);
        assert_eq!(found(json!({"reason": "build-finished"})), None);
    }
}
