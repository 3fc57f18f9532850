//! Installs, runs, upgrades and purges the Debian package of the release binary in a sandbox, and sells a ticket as docs/how-to/install-a-package.md says.

mod administration;
mod maintainer_scripts;
mod sandbox;
mod steps;
mod unit;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use self::sandbox::{Sandbox, missing_permission};
use super::{Suite, step};
use crate::child_process::TestRun;
use crate::package::{Compression, DebOptions, Payload, build_deb, build_tarball};
use crate::step_timer::{HumanDuration, StepTimer};
use crate::system_packages::{ADDUSER, CURL, DPKG_DEV, GROFF, HELP2MAN, IPROUTE, JQ, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// The Debian package.
pub struct PackageSuite;

impl Suite for PackageSuite {
    fn name(&self) -> &'static str {
        "package"
    }

    fn about(&self) -> &'static str {
        "the Debian package installs, sells, upgrades and is purged in a sandbox (as root, with namespaces and overlayfs)"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[ADDUSER, CURL, DPKG_DEV, GROFF, HELP2MAN, IPROUTE, JQ]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let directory = context.target().join("suite-package");
        if directory.exists() {
            std::fs::remove_dir_all(&directory)?;
        }
        let mounts = directory.join("mounts");
        std::fs::create_dir_all(&mounts)?;
        let mut test_run = TestRun::default();
        let packages = Packages::build(context, &directory, &mut test_run)?;
        if let Some(refusal) = missing_permission(&mounts)? {
            println!("skipped: packages are made, not installed: this machine permits no sandbox: {refusal}");
            test_run.counts.add(TestCounts::skipped());
            return Ok(test_run);
        }
        let start = || Sandbox::start(&mounts, &directory).context("the sandbox does not start");
        run_steps(context, &start()?, &packages, &mut test_run);
        // Its program in the place of systemctl stays out of the first sandbox, whose changed files are compared.
        maintainer_scripts::run_steps(&start()?, &packages, &mut test_run);
        Ok(test_run)
    }
}

/// Packages of one payload, by their paths inside of the sandbox.
struct Packages {
    first: String,
    /// A higher version with another default configuration.
    second: String,
    tarball: String,
}

impl Packages {
    fn build(context: &TaskContext, directory: &Path, run: &mut TestRun) -> anyhow::Result<Self> {
        let build_payload = |folder: &str| {
            let folder = directory.join(folder).join("payload");
            Payload::build(context, context.release_binary()?, &folder)
        };
        let build = |payload: &Payload, revision: &str, configuration_suffix, folder: &str| {
            let version = format!("{}-{revision}", payload.version);
            let options = DebOptions { version, compression: Compression::Fast, configuration_suffix };
            build_deb(context, payload, &options, &directory.join(folder))
        };
        let pack = |payload: &Payload, folder: &str| {
            build_tarball(context, payload, "any", Compression::Fast, &directory.join(folder))
        };
        let (payload, again) = (build_payload("first")?, build_payload("again")?);
        let (first, tarball) = (build(&payload, "1", "", "first")?, pack(&payload, "first")?);
        let compared = same_bytes(&first, &build(&again, "1", "", "again")?)
            .and_then(|()| same_bytes(&tarball, &pack(&again, "again")?));
        step(run, "two packages and two tarballs of one binary are the same bytes", compared);
        Ok(Self {
            first: inside(&first, directory)?,
            second: inside(&build(&payload, "2", "# A later default.\n", "second")?, directory)?,
            tarball: inside(&tarball, directory)?,
        })
    }
}

fn same_bytes(first: &Path, again: &Path) -> anyhow::Result<()> {
    let compared = Command::new("cmp").arg(first).arg(again).status()?;
    ensure!(compared.success(), "{} differs from {}", first.display(), again.display());
    Ok(())
}

/// A file's path inside of the sandbox.
fn inside(package: &Path, directory: &Path) -> anyhow::Result<String> {
    Ok(format!("/run/packages/{}", package.strip_prefix(directory)?.display()))
}

/// Runs the steps in order; the first two end the list if they fail, since the others build on them.
fn run_steps(context: &TaskContext, sandbox: &Sandbox, packages: &Packages, run: &mut TestRun) {
    let timer = StepTimer::start();
    let installed = steps::install(sandbox, &packages.first);
    let Some(unit) = step(run, "the package installs with its user, data directory and modes", installed) else {
        return;
    };
    let sold = steps::sell(context, sandbox, &unit);
    let took = timer.elapsed();
    let Some(order) = step(run, "the service sells a ticket as the guide says", sold) else { return };
    println!("from dpkg --install to the first ticket: {}", HumanDuration(took));
    let shell_files = steps::shell_files(sandbox);
    step(run, "bash completes commands, and every man page renders without a warning", shell_files);
    match steps::verify_units(sandbox) {
        Ok(false) => {
            println!("skipped: systemd-analyze is not installed");
            run.counts.add(TestCounts::skipped());
        }
        verified => {
            step(run, "systemd accepts the units", verified);
        }
    }
    step(run, "the guide's backup is written while the service runs", steps::back_up(context, sandbox));
    let read = administration::read_secrets(sandbox);
    step(run, "voelgoed-admin reads secrets as systemd does, or refuses", read);
    let administered = administration::use_secret(sandbox, &unit);
    step(run, "voelgoed-admin uses a master key that only secrets.env has", administered);
    let upgraded = steps::upgrade(sandbox, &unit, &packages.second, &order);
    step(run, "an upgrade keeps the order and a changed configuration", upgraded);
    step(run, "a removed package leaves configuration and data", steps::remove(sandbox));
    step(run, "a purged package leaves only what the guide says", steps::purge(sandbox));
    let served = steps::install_tarball(context, sandbox, &packages.tarball, &order);
    step(run, "the tarball's program serves the data that a purge left", served);
    let changed = steps::change_from_tarball(context, sandbox, &packages.second);
    step(run, "the package warns of the tarball's files until the guide's commands delete them", changed);
}
