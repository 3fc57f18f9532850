//! Checks which calls of systemctl the maintainer scripts make, with a program in its place that records them.

use anyhow::ensure;

use super::sandbox::Sandbox;
use super::steps::INSTALL;
use super::{Packages, step};
use crate::child_process::TestRun;

/// Records its arguments; enables and starts by files, from which it answers `is-enabled` and `is-active`.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >>/run/systemctl.calls
wanted=/etc/systemd/system/multi-user.target.wants/voelgoed.service
masked() { [ "$(readlink /etc/systemd/system/voelgoed.service)" = /dev/null ]; }
case " $* " in
*' preset '*)
    if masked; then exit 1; fi
    mkdir -p "${wanted%/*}"; ln -sf /lib/systemd/system/voelgoed.service $wanted ;;
*' is-enabled '*)
    if masked; then echo masked; exit 1; fi
    if [ -L $wanted ]; then echo enabled; else echo disabled; exit 1; fi ;;
*' is-active '*) test -e /run/voelgoed.active ;;
*' start '* | *' restart '*) touch /run/voelgoed.active ;;
*' stop '*) rm -f /run/voelgoed.active ;;
esac
"#;
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/voelgoed.service";
const RELOAD: &str = "daemon-reload";
const STOP: &str = "stop voelgoed.service voelgoed-web@*.service voelgoed-worker@*.service";

/// Runs the steps in a sandbox of their own, in which systemd seems to run.
pub fn run_steps(sandbox: &Sandbox, packages: &Packages, run: &mut TestRun) {
    let prepared = sandbox.run(&format!(
        "mkdir -p /run/systemd/system
         # Containers have one that forbids every start.
         rm -f /usr/bin/systemctl /usr/sbin/policy-rc.d
         install --mode=0755 /dev/stdin /usr/bin/systemctl <<'END OF PROGRAM'\n{SYSTEMCTL}END OF PROGRAM
         dpkg --purge voelgoed >/dev/null 2>&1; rm -rf /var/lib/voelgoed /etc/voelgoed"
    ));
    if step(run, "a sandbox records calls of systemctl", prepared).is_none() {
        return;
    }
    step(run, "an install starts the single node", install(sandbox, packages));
    step(run, "an upgrade restarts the single node", upgrade(sandbox, packages));
    step(run, "an upgrade starts no disabled unit", upgrade_disabled(sandbox, packages));
    step(run, "a removal stops every unit", remove(sandbox));
    step(run, "an install starts no masked unit", install_masked(sandbox, packages));
    step(run, "a host of several nodes starts nothing and meets no question of dpkg", several_nodes(sandbox, packages));
}

/// What dpkg printed, and the calls for the manager and its running units, without their options.
struct Recorded {
    printed: String,
    calls: Vec<String>,
}

impl Recorded {
    fn of(sandbox: &Sandbox, script: &str) -> anyhow::Result<Self> {
        let printed = sandbox.run(&format!(": >/run/systemctl.calls; {script} 2>&1"))?;
        let recorded = sandbox.run("cat /run/systemctl.calls")?;
        let calls = recorded.lines().map(|line| {
            let words: Vec<_> = line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
            words.join(" ")
        });
        // deb-systemd-helper and deb-systemd-invoke ask, and the former may enable by `preset`.
        let calls = calls.filter(|call| !call.starts_with("is-") && !call.starts_with("preset "));
        Ok(Self { printed, calls: calls.collect() })
    }

    fn expect(&self, calls: &[&str]) -> anyhow::Result<()> {
        ensure!(self.calls == calls, "the calls are {:?}, not {calls:?}; dpkg printed:\n{}", self.calls, self.printed);
        Ok(())
    }
}

fn install(sandbox: &Sandbox, packages: &Packages) -> anyhow::Result<()> {
    Recorded::of(sandbox, &format!("{INSTALL} {}", packages.first))?.expect(&[RELOAD, "start voelgoed.service"])
}

/// The default configuration changes and was not edited, so dpkg replaces it.
fn upgrade(sandbox: &Sandbox, packages: &Packages) -> anyhow::Result<()> {
    Recorded::of(sandbox, &format!("{INSTALL} {}", packages.second))?.expect(&[RELOAD, "restart voelgoed.service"])?;
    sandbox.run("grep 'A later default' /etc/voelgoed/single-node.toml").map(drop)
}

fn upgrade_disabled(sandbox: &Sandbox, packages: &Packages) -> anyhow::Result<()> {
    // As `systemctl disable --now` does.
    sandbox.run(&format!("rm {WANTED} /run/voelgoed.active"))?;
    Recorded::of(sandbox, &format!("{INSTALL} {}", packages.second))?.expect(&[RELOAD])?;
    sandbox.run(&format!("test ! -L {WANTED}")).map(drop)
}

fn remove(sandbox: &Sandbox) -> anyhow::Result<()> {
    Recorded::of(sandbox, "dpkg --remove voelgoed")?.expect(&[STOP, RELOAD])
}

fn install_masked(sandbox: &Sandbox, packages: &Packages) -> anyhow::Result<()> {
    let unit = "/etc/systemd/system/voelgoed.service";
    // As `systemctl mask` does.
    sandbox.run(&format!("dpkg --purge voelgoed 2>&1; ln -s /dev/null {unit}"))?;
    let installed = Recorded::of(sandbox, &format!("{INSTALL} {}", packages.first))?;
    installed.expect(&[RELOAD])?;
    ensure!(!installed.printed.contains("warning"), "a mask is taken for the tarball's unit:\n{}", installed.printed);
    sandbox.run(&format!("test $(readlink {unit}) = /dev/null; rm {unit}; dpkg --purge voelgoed")).map(drop)
}

/// Writes the example's settings, then installs and upgrades to a package with other defaults; dpkg cannot ask, since its input is closed.
fn several_nodes(sandbox: &Sandbox, packages: &Packages) -> anyhow::Result<()> {
    sandbox.run("mkdir -p /etc/voelgoed; echo '[log]' >/etc/voelgoed/voelgoed.toml")?;
    for package in [&packages.first, &packages.second] {
        let installed = Recorded::of(sandbox, &format!("{INSTALL} {package}"))?;
        installed.expect(&[RELOAD])?;
        let said = installed.printed.contains("voelgoed.service does not start here");
        ensure!(said, "the package does not say that the single node does not start:\n{}", installed.printed);
    }
    let settings = sandbox.run("ls /etc/voelgoed; cat /etc/voelgoed/voelgoed.toml; voelgoed-admin settings")?;
    ensure!(settings.starts_with("single-node.toml\nvoelgoed.toml\n[log]\n"), "the settings are {settings}");
    ensure!(settings.contains("directory = \"/var/lib/voelgoed\""), "voelgoed-admin uses another data directory");
    sandbox
        .run("grep -Fx 'ConditionPathExists=!/etc/voelgoed/voelgoed.toml' /usr/lib/systemd/system/voelgoed.service")?;
    sandbox.run("dpkg --purge voelgoed; test -e /etc/voelgoed/voelgoed.toml").map(drop)
}
