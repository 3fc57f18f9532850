//! The OpenAPI document against the running server: requests generated from it, by a program that knows nothing of how it is built.
//!
//! Never: streams (they do not end; `viewers` reads them), the operator's calls (another listener; `edges` makes them), a version that moves by itself (testing/api/schemathesis/requirements.txt names each).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{LONGEST, Suite};
use crate::machine::{Need, PYTHON};
use crate::report::Tally;
use crate::run::Run;
use crate::shell::{self, Outcome};
use crate::shop::Shop;

/// What an answer must not be: a fault, a status, type, header or body that the document does not promise.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";
/// Generated requests per operation, beside those that try every edge of every field.
const EXAMPLES: &str = "15";
/// The same at full length.
const LONG_EXAMPLES: &str = "300";
/// The same requests every time; at full length, others every time.
const SEED: &str = "20261122";
/// The operator's key of this run.
const OPERATOR: &str = "operator-of-the-suite-0123456789abcdef";

/// schemathesis against `/api/v1/openapi.json`.
pub struct Schemathesis;

impl Suite for Schemathesis {
    fn name(&self) -> &'static str {
        "schemathesis"
    }

    fn about(&self) -> &'static str {
        "generated requests: no fault, no answer that the OpenAPI document does not promise"
    }

    fn needs(&self) -> &'static [Need] {
        &[PYTHON]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let program = installed(run)?;
        let data = run.target().join("suite-schemathesis");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        // Limits are shown by another suite; here they would hide everything behind them.
        let settings = [
            ("VOELGOED__SECRETS__OPERATOR", OPERATOR),
            ("VOELGOED__LIMITS__SESSION_BURST", "10000000"),
            ("VOELGOED__LIMITS__ADDRESS_BURST", "10000000"),
            ("VOELGOED__LIMITS__GUESS_BURST", "10000000"),
            ("VOELGOED__LIMITS__HOLD_BURST", "10000000"),
            ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "10000000"),
            ("VOELGOED__LIMITS__READ_BURST", "10000000"),
            ("VOELGOED__LIMITS__LOGIN_BURST", "10000000"),
        ];
        let shop = Shop::open_with(run.release_binary()?, &data, &settings)?;
        let url = shop.card["url"].as_str().context("the demo says where it is")?;
        let mut command = Command::new(program);
        // It leaves notes where it stands.
        command.current_dir(&data).env("PYTHONPATH", run.root.join("testing/api/schemathesis"));
        command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("VOELGOED_CARD", shop.card.to_string()).env("VOELGOED__SECRETS__OPERATOR", OPERATOR);
        command.args([
            "run",
            &format!("{url}/api/v1/openapi.json"),
            "--exclude-path-regex",
            "/stream$|/organizations$",
        ]);
        command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--warnings", "off"]);
        command.args(["--continue-on-failure", "--request-timeout", "20", "--output-sanitize", "false"]);
        match run.long {
            true => command.args(["--max-examples", LONG_EXAMPLES]),
            false => command.args(["--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"]),
        };
        let outcome = shell::tally(&mut command, LONGEST)?;
        let tested = outcome.lines.iter().find_map(|line| line.trim().strip_prefix("Tested: ")?.parse::<u64>().ok());
        if outcome.tally.failed > 0 {
            return Ok(outcome);
        }
        let operations =
            tested.filter(|tested| *tested > 0).context("schemathesis says how many operations it tested")?;
        Ok(Tally { passed: operations, ..Tally::default() }.into())
    }
}

/// The program, in an environment of its own that is made anew where the wanted versions changed.
fn installed(run: &Run) -> anyhow::Result<PathBuf> {
    let wanted = run.root.join("testing/api/schemathesis/requirements.txt");
    let home = run.target().join("schemathesis");
    let program = home.join("bin/schemathesis");
    let there = home.join("requirements.txt");
    if program.exists() && std::fs::read(&there).ok() == Some(std::fs::read(&wanted)?) {
        return Ok(program);
    }
    shell::must(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let pip = |home: &Path| Command::new(home.join("bin/pip"));
    shell::must(
        pip(&home)
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .arg(&wanted),
    )?;
    std::fs::copy(&wanted, &there)?;
    Ok(program)
}
