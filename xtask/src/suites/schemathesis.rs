//! Runs schemathesis, which generates requests from the OpenAPI document and checks every response against it.
//!
//! Never: streams (endless; the suite `viewers` reads them), operator calls (another listener; the suite `edges` makes them), an unpinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::demo_server::DemoServer;
use crate::system_packages::{PYTHON, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// Responses fail on a server error, or on a status, type, header or body that the document does not describe.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";
/// Generated requests per operation, in addition to the edge cases of every field.
const EXAMPLES: &str = "15";
/// [`EXAMPLES`] at full length.
const LONG_EXAMPLES: &str = "300";
/// Fixed, so that short runs repeat; full-length runs use a random seed.
const SEED: &str = "20261122";
const OPERATOR: &str = "operator-of-the-suite-0123456789abcdef";

/// schemathesis with `/api/v1/openapi.json`.
pub struct SchemathesisSuite;

impl Suite for SchemathesisSuite {
    fn name(&self) -> &'static str {
        "schemathesis"
    }

    fn about(&self) -> &'static str {
        "generated requests: no server error, no response that the OpenAPI document does not describe"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[PYTHON]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let program = install(context)?;
        let data = context.target().join("suite-schemathesis");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        // Other suites test limits; here a 429 would hide every other response.
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
        let server = DemoServer::start_with(context.release_binary()?, &data, &settings)?;
        let url = server.startup_info["url"].as_str().context("the startup line has a `url`")?;
        let mut command = Command::new(program);
        // schemathesis writes files into its working directory.
        command.current_dir(&data).env("PYTHONPATH", context.root.join("testing/api/schemathesis"));
        command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("VOELGOED_CARD", server.startup_info.to_string()).env("VOELGOED__SECRETS__OPERATOR", OPERATOR);
        command.args([
            "run",
            &format!("{url}/api/v1/openapi.json"),
            "--exclude-path-regex",
            "/stream$|/organizations$",
        ]);
        command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--warnings", "off"]);
        command.args(["--continue-on-failure", "--request-timeout", "20", "--output-sanitize", "false"]);
        match context.long {
            true => command.args(["--max-examples", LONG_EXAMPLES]),
            false => command.args(["--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"]),
        };
        let test_run = child_process::run_tests(&mut command, PROGRAM_TIMEOUT)?;
        let tested = test_run.lines.iter().find_map(|line| line.trim().strip_prefix("Tested: ")?.parse::<u64>().ok());
        if test_run.counts.failed > 0 {
            return Ok(test_run);
        }
        let operations =
            tested.filter(|tested| *tested > 0).context("schemathesis prints how many operations it tested")?;
        Ok(TestCounts { passed: operations, ..TestCounts::default() }.into())
    }
}

/// Installs the pinned versions into a virtual environment; a changed requirements.txt recreates it.
fn install(context: &TaskContext) -> anyhow::Result<PathBuf> {
    let pinned = context.root.join("testing/api/schemathesis/requirements.txt");
    let home = context.target().join("schemathesis");
    let program = home.join("bin/schemathesis");
    let installed = home.join("requirements.txt");
    if program.exists() && std::fs::read(&installed).ok() == Some(std::fs::read(&pinned)?) {
        return Ok(program);
    }
    child_process::run_checked(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let pip = |home: &Path| Command::new(home.join("bin/pip"));
    child_process::run_checked(
        pip(&home)
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .arg(&pinned),
    )?;
    std::fs::copy(&pinned, &installed)?;
    Ok(program)
}
