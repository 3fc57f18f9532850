//! What the suites need of the machine, and how Debian provides it.
//!
//! Never: a suite that is silently left out because a program is missing. Whatever is missing is installed (as root) or named.
//! To add a need: one constant here, and name it in the suite's `needs`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::shell;

/// Something that must be installed.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Need {
    /// The Debian package that provides it.
    pub package: &'static str,
    /// A command that succeeds where it is there.
    probe: &'static [&'static str],
}

impl Need {
    fn is_met(&self) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else { return false };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// A browser without a screen.
pub const CHROMIUM: Need = Need { package: "chromium", probe: &["chromium", "--version"] };
/// What steers it.
pub const CHROMEDRIVER: Need = Need { package: "chromium-driver", probe: &["chromedriver", "--version"] };
/// The balancer in front of several nodes.
pub const HAPROXY: Need = Need { package: "haproxy", probe: &["haproxy", "-v"] };
/// Letters for its screenshots.
pub const FONTS: Need =
    Need { package: "fonts-dejavu-core", probe: &["test", "-d", "/usr/share/fonts/truetype/dejavu"] };
/// Installs the rules that pages are checked by.
pub const NPM: Need = Need { package: "npm", probe: &["npm", "--version"] };
/// Python that can make environments of its own.
pub const PYTHON: Need = Need { package: "python3-venv", probe: &["/usr/bin/python3", "-c", "import venv, ensurepip"] };

/// What README's blocks call the shop with.
pub const CURL: Need = Need { package: "curl", probe: &["curl", "--version"] };
/// What README's blocks read answers with.
pub const JQ: Need = Need { package: "jq", probe: &["jq", "--version"] };
/// The warm tier of a cluster, and of its tests.
pub const REDIS: Need = Need { package: "redis-server", probe: &["redis-server", "--version"] };
/// The cold tier of a cluster, and of its tests; Debian keeps its programs out of the path.
pub const POSTGRES: Need =
    Need { package: "postgresql", probe: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb || which initdb"] };
/// Makes sure that every need is met: installs what is missing, or says exactly what to install.
pub fn prepare(needs: &[Need]) -> anyhow::Result<()> {
    let missing: Vec<&str> = needs.iter().filter(|need| !need.is_met()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine lacks {wanted} (names of Debian packages); install them and start again");
    }
    if !is_root()? {
        bail!(
            "this machine lacks {wanted}; install them and start again:\n    sudo apt-get update && sudo apt-get install --yes {wanted}"
        );
    }
    println!("installing {wanted}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    shell::must(apt().args(["update", "--quiet"]))?;
    shell::must(apt().args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(&missing))?;
    match needs.iter().find(|need| !need.is_met()) {
        None => Ok(()),
        Some(need) => bail!("{} was installed, yet `{}` does not work", need.package, need.probe.join(" ")),
    }
}

fn is_root() -> anyhow::Result<bool> {
    Ok(shell::capture(Command::new("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_tells_present_from_absent() {
        let need = |probe| Need { package: "any", probe };
        assert!(need(&["true"]).is_met());
        assert!(!need(&["false"]).is_met());
        assert!(!need(&["no-such-program-anywhere"]).is_met());
        assert!(!need(&[]).is_met());
    }
}
