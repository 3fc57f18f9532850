//! The test programs of the workspace, built as `cargo test --workspace` builds them and started one by one with a bug switched on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use voelgoed_planted::{Catcher, Planted, SWITCH};

use crate::run::Run;
use crate::shell::{self, Outcome};
use crate::suites::LONGEST;

/// One test program may take so long in the short run.
const SHORT: Duration = Duration::from_secs(120);

/// Some tests of one program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tests {
    package: String,
    target: String,
    /// What their names contain; all where it is empty.
    names: String,
}

impl std::fmt::Display for Tests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { package, target, names } = self;
        write!(f, "{package} {target} {names}")
    }
}

/// Package folder and target of each, with where it is.
pub struct Programs {
    root: PathBuf,
    by_target: BTreeMap<(String, String), PathBuf>,
    /// The server that tests over HTTP start: with the switch, unlike the one that ships.
    server: PathBuf,
    long: bool,
}

impl Programs {
    /// Builds all of them.
    pub fn build(run: &Run) -> anyhow::Result<Self> {
        let server = PathBuf::from(run.program("voelgoed")?.get_program());
        let mut command = shell::cargo(&run.root);
        command.args(["test", "--workspace", "--no-run", "--quiet", "--message-format=json-render-diagnostics"]);
        let said = shell::capture(&mut command)?;
        let by_target = said.lines().filter_map(|line| program(&run.root, &serde_json::from_str(line).ok()?)).collect();
        Ok(Self { root: run.root.clone(), by_target, server, long: run.long })
    }

    /// The tests that look for a bug: in short those that are expected to catch it, else all of their package. What starts servers of its own stays
    /// as it is.
    pub fn of(&self, catcher: &Catcher) -> Vec<Tests> {
        let tests = |target: &str, names: &str| Tests {
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

    /// Runs tests, with a bug or without, and says nothing of what they print.
    pub fn run(&self, tests: &Tests, planted: Option<&Planted>) -> anyhow::Result<Outcome> {
        let target = (tests.package.clone(), tests.target.clone());
        let program = self.by_target.get(&target).with_context(|| format!("there are no tests {target:?}"))?;
        let mut command = Command::new(program);
        command.arg(&tests.names).current_dir(self.root.join(&tests.package)).stderr(Stdio::null());
        command.env("VOELGOED_BIN", &self.server).env_remove(SWITCH);
        if let Some(planted) = planted {
            command.env(SWITCH, planted.name);
        }
        shell::hushed(&mut command, if self.long { LONGEST } else { SHORT })
    }
}

/// The test program that a line of cargo tells of.
fn program(root: &Path, told: &Value) -> Option<((String, String), PathBuf)> {
    if told["reason"] != "compiler-artifact" || told["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(told["manifest_path"].as_str()?).parent()?.strip_prefix(root).ok()?;
    let target = match told["target"]["kind"][0].as_str()? {
        "lib" => "lib",
        "test" => told["target"]["name"].as_str()?,
        _ => return None,
    };
    let key = (folder.to_string_lossy().into_owned(), target.to_owned());
    Some((key, PathBuf::from(told["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unit_tests_and_test_files_are_found_and_nothing_else() {
        let told = |kind: &str, test: bool| {
            json!({"reason": "compiler-artifact", "manifest_path": "/r/crates/warm/Cargo.toml", "executable": "/t/x",
                "target": {"kind": [kind], "name": "sweeps"}, "profile": {"test": test}})
        };
        let found = |told| program(Path::new("/r"), &told).map(|((folder, target), _)| format!("{folder} {target}"));
        assert_eq!(found(told("lib", true)).as_deref(), Some("crates/warm lib"));
        assert_eq!(found(told("test", true)).as_deref(), Some("crates/warm sweeps"));
        assert_eq!(found(told("bin", true)), None);
        assert_eq!(found(told("lib", false)), None);
        assert_eq!(found(json!({"reason": "build-finished"})), None);
    }
}
