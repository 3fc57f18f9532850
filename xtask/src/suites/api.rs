//! The suites of `testing/api`: one test file each, against the release binary over real HTTP.
//!
//! To add one: its constant here, its line in `SUITES`, its file in `testing/api/tests`.

use super::{LONGEST, Suite};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// The package that holds them.
const PACKAGE: &str = "voelgoed-api-tests";

/// One test file of the package.
pub struct Api {
    name: &'static str,
    about: &'static str,
}

/// Every route with a foreign organization's ids, wrong keys, and missing scopes.
pub const TENANTS: Api = Api { name: "tenants", about: "foreign ids, wrong keys and missing scopes on every route" };
/// Tampered ticket codes.
pub const CODES: Api =
    Api { name: "codes", about: "tampered ticket codes, half of them well-formed: none is accepted" };
/// Viewers that are cut off.
pub const VIEWERS: Api =
    Api { name: "viewers", about: "a viewer that is cut off at random sees what one sees that never was" };
/// Limits, headers, repeats, logins, draining.
pub const EDGES: Api = Api { name: "edges", about: "every limit at its edge, repeats, logins, headers, and draining" };

impl Suite for Api {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn owns(&self) -> &'static [&'static str] {
        &[PACKAGE]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = shell::cargo(&run.root);
        // Of the whole workspace, so that no library is compiled a second time with other features.
        command.args(["test", "--workspace", "--test", self.name, "--", "--nocapture"]);
        command.env("VOELGOED_BIN", run.release_binary()?);
        if run.long {
            command.env("VOELGOED_LONG", "1");
        }
        shell::tally(&mut command, LONGEST)
    }
}
