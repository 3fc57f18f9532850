//! The test programs of the workspace, built as `cargo test --workspace` builds them and started one by one with a bug switched on.

use std::collections::{BTreeMap, BTreeSet};
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

/// Package folder and target of each, with where it is.
pub struct Programs {
    root: PathBuf,
    by_target: BTreeMap<(String, String), PathBuf>,
    /// The server that tests over HTTP start: with the switch, unlike the one that ships.
    server: PathBuf,
    limit: Duration,
}

impl Programs {
    /// Builds all of them.
    pub fn build(run: &Run) -> anyhow::Result<Self> {
        let server = PathBuf::from(run.program("voelgoed")?.get_program());
        let mut command = shell::cargo(&run.root);
        command.args(["test", "--workspace", "--no-run", "--quiet", "--message-format=json-render-diagnostics"]);
        let said = shell::capture(&mut command)?;
        let by_target = said.lines().filter_map(|line| program(&run.root, &serde_json::from_str(line).ok()?)).collect();
        let limit = if run.long { LONGEST } else { SHORT };
        Ok(Self { root: run.root.clone(), by_target, server, limit })
    }

    /// Every test of the packages of `expected`; those that need a server of their own stay as they are.
    pub fn everything(&self, expected: &BTreeSet<Catcher>) -> BTreeSet<Catcher> {
        let (served, whole): (Vec<_>, Vec<_>) = expected.iter().partition(|catcher| catcher.package == "testing/api");
        let programs = whole.into_iter().map(|catcher: &Catcher| Catcher { tests: "", ..*catcher });
        programs.chain(served.into_iter().copied()).collect()
    }

    /// Runs the tests of a catcher, with a bug or without, and says nothing of what they print.
    pub fn run(&self, catcher: &Catcher, planted: Option<&Planted>) -> anyhow::Result<Outcome> {
        let target = (catcher.package.to_owned(), catcher.target.to_owned());
        let program = self.by_target.get(&target).with_context(|| format!("there are no tests {target:?}"))?;
        let mut command = Command::new(program);
        command.arg(catcher.tests).current_dir(self.root.join(catcher.package)).stderr(Stdio::null());
        command.env("VOELGOED_BIN", &self.server).env_remove(SWITCH);
        if let Some(planted) = planted {
            command.env(SWITCH, planted.name);
        }
        shell::hushed(&mut command, self.limit)
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
