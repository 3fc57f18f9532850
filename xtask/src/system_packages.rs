//! Checks that the Debian packages a suite needs are installed, and installs missing ones as root.
//!
//! Never: a suite that is skipped silently because a program is missing.
//! To add a package: one constant here, and its name in the suite's `needs`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::child_process;

/// A Debian package that a suite needs.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct SystemPackage {
    /// The package's name for apt.
    pub name: &'static str,
    /// A command that succeeds if the package is installed.
    probe: &'static [&'static str],
}

impl SystemPackage {
    fn is_installed(&self) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else { return false };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// Headless browser.
pub const CHROMIUM: SystemPackage = SystemPackage { name: "chromium", probe: &["chromium", "--version"] };
/// WebDriver server for [`CHROMIUM`].
pub const CHROMEDRIVER: SystemPackage =
    SystemPackage { name: "chromium-driver", probe: &["chromedriver", "--version"] };
/// Load balancer in front of several nodes.
pub const HAPROXY: SystemPackage = SystemPackage { name: "haproxy", probe: &["haproxy", "-v"] };
/// Fonts for screenshots.
pub const FONTS: SystemPackage =
    SystemPackage { name: "fonts-dejavu-core", probe: &["test", "-d", "/usr/share/fonts/truetype/dejavu"] };
/// Installs axe-core, which checks the accessibility of pages.
pub const NPM: SystemPackage = SystemPackage { name: "npm", probe: &["npm", "--version"] };
/// Python with `venv`.
pub const PYTHON: SystemPackage =
    SystemPackage { name: "python3-venv", probe: &["/usr/bin/python3", "-c", "import venv, ensurepip"] };
/// Used by the shell blocks of README.
pub const CURL: SystemPackage = SystemPackage { name: "curl", probe: &["curl", "--version"] };
/// Used by the shell blocks of README.
pub const JQ: SystemPackage = SystemPackage { name: "jq", probe: &["jq", "--version"] };
/// The warm tier of a cluster.
pub const REDIS: SystemPackage = SystemPackage { name: "redis-server", probe: &["redis-server", "--version"] };
/// The cold tier of a cluster; Debian installs its programs outside of PATH.
pub const POSTGRES: SystemPackage =
    SystemPackage { name: "postgresql", probe: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb || which initdb"] };
/// Computes the dependencies of a Debian package, and brings `strip`.
pub const DPKG_DEV: SystemPackage = SystemPackage { name: "dpkg-dev", probe: &["dpkg-shlibdeps", "--version"] };
/// Makes man pages of help texts.
pub const HELP2MAN: SystemPackage = SystemPackage { name: "help2man", probe: &["help2man", "--version"] };
/// Renders man pages.
pub const GROFF: SystemPackage = SystemPackage { name: "groff-base", probe: &["groff", "--version"] };
/// Brings up the loopback interface of a network namespace.
pub const IPROUTE: SystemPackage = SystemPackage { name: "iproute2", probe: &["ip", "-V"] };
/// Creates the user of a package.
pub const ADDUSER: SystemPackage = SystemPackage { name: "adduser", probe: &["adduser", "--version"] };

/// Installs missing packages; without root or apt the error names the packages to install.
pub fn install_missing(needs: &[SystemPackage]) -> anyhow::Result<()> {
    let missing: Vec<&str> = needs.iter().filter(|need| !need.is_installed()).map(|need| need.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine lacks {names} (names of Debian packages); install them and start again");
    }
    if !is_root()? {
        bail!(
            "this machine lacks {names}; install them and start again:\n    sudo apt-get update && sudo apt-get install --yes {names}"
        );
    }
    println!("installing {names}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    child_process::run_checked(apt().args(["update", "--quiet"]))?;
    child_process::run_checked(apt().args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(&missing))?;
    match needs.iter().find(|need| !need.is_installed()) {
        None => Ok(()),
        Some(need) => bail!("{} is installed, but `{}` fails", need.name, need.probe.join(" ")),
    }
}

fn is_root() -> anyhow::Result<bool> {
    Ok(child_process::capture(Command::new("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_installed_if_its_probe_succeeds() {
        let need = |probe| SystemPackage { name: "any", probe };
        assert!(need(&["true"]).is_installed());
        assert!(!need(&["false"]).is_installed());
        assert!(!need(&["no-such-program-anywhere"]).is_installed());
        assert!(!need(&[]).is_installed());
    }
}
