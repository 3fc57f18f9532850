//! Runs the test files of `testing/api` over HTTP against the release binary, each file as one suite.
//!
//! To add one: a constant here, a line in `SUITES`, a file in `testing/api/tests`.

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

const PACKAGE: &str = "voelgoed-api-tests";

/// One test file of [`PACKAGE`].
pub struct ApiSuite {
    name: &'static str,
    about: &'static str,
}

/// Isolation of tenants.
pub const TENANTS: ApiSuite =
    ApiSuite { name: "tenants", about: "foreign ids, wrong keys and missing scopes on every route" };
/// Forged ticket codes.
pub const CODES: ApiSuite =
    ApiSuite { name: "codes", about: "tampered ticket codes, half of them well-formed: none is accepted" };
/// Reconnecting viewers.
pub const VIEWERS: ApiSuite = ApiSuite {
    name: "viewers",
    about: "a viewer that reconnects at random ends with the same map as one that stays connected",
};
/// Limits, headers, idempotent repeats, logins, draining.
pub const EDGES: ApiSuite =
    ApiSuite { name: "edges", about: "every limit at its edge, repeats, logins, headers, and draining" };

impl Suite for ApiSuite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn owns(&self) -> &'static [&'static str] {
        &[PACKAGE]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = child_process::cargo(&context.root);
        // `--workspace` keeps the feature set, so that no library is compiled a second time.
        command.args(["test", "--workspace", "--test", self.name, "--", "--nocapture"]);
        command.env("VOELGOED_BIN", context.release_binary()?);
        if context.long {
            command.env("VOELGOED_LONG", "1");
        }
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
