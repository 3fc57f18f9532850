//! Installs, runs, upgrades and purges the Debian package of the release binary in a sandbox, and sells a ticket as docs/how-to/install-a-package.md says.

mod sandbox;
mod unit;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use self::sandbox::Sandbox;
use self::unit::Unit;
use super::{Suite, readme, step};
use crate::child_process::TestRun;
use crate::package::{Compression, DebOptions, Payload, build_deb};
use crate::step_timer::{HumanDuration, StepTimer};
use crate::system_packages::{ADDUSER, CURL, DPKG_DEV, GROFF, HELP2MAN, IPROUTE, JQ, SystemPackage};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

const GUIDE: &str = "docs/how-to/install-a-package.md";
/// Appended to the guide's sale: its order as one line of JSON.
const PRINT_ORDER: &str = "\njq -c --arg token \"$(jq -r .token order.json)\" '. + {token: $token}' paid.json\n";
/// Images of containers leave out manuals and documents.
const INSTALL: &str = "dpkg --path-include='/usr/share/*' --force-confold --install";
/// What may remain after a purge: as the guide says, and what dpkg, adduser and ldconfig write for every package.
const REMAINS: &[&str] = &[
    "/var/lib/voelgoed",
    "/var/backups/voelgoed",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/.pwd.lock",
    "/var/lib/dpkg/",
    "/var/log/",
    "/var/cache/man",
];

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
        let sandbox = match Sandbox::start(&mounts, &directory) {
            Ok(sandbox) => sandbox,
            Err(error) => {
                println!("skipped: this machine permits no sandbox: {error:#}");
                return Ok(TestCounts::skipped().into());
            }
        };
        let payload = Payload::build(context, context.release_binary()?, &directory.join("payload"))?;
        let packages = Packages::build(context, &payload, &directory)?;
        let mut test_run = TestRun::default();
        step(&mut test_run, "two packages of one binary are the same bytes", packages.are_reproducible());
        steps(context, &sandbox, &packages, &mut test_run)?;
        Ok(test_run)
    }
}

/// Packages of one payload.
struct Packages {
    first: PathBuf,
    /// The first one, built again.
    again: PathBuf,
    /// A higher version with another default configuration.
    second: PathBuf,
}

impl Packages {
    fn build(context: &TaskContext, payload: &Payload, directory: &Path) -> anyhow::Result<Self> {
        let build = |revision: &str, configuration_suffix, folder: &str| {
            let version = format!("{}-{revision}", payload.version);
            let directory = directory.join(folder);
            let options = DebOptions { version, compression: Compression::Fast, configuration_suffix };
            build_deb(context, payload, &options, &directory)
        };
        Ok(Self {
            first: build("1", "", "first")?,
            again: build("1", "", "again")?,
            second: build("2", "# A later default.\n", "second")?,
        })
    }

    fn are_reproducible(&self) -> anyhow::Result<()> {
        let compared = Command::new("cmp").arg(&self.first).arg(&self.again).status()?;
        ensure!(compared.success(), "{} differs from {}", self.first.display(), self.again.display());
        Ok(())
    }
}

/// A package's path inside of the sandbox.
fn inside(package: &Path) -> anyhow::Result<String> {
    let file = package.file_name().context("a package has a name")?.to_string_lossy();
    let folder = package.parent().and_then(Path::file_name).context("a package lies in a folder")?.to_string_lossy();
    Ok(format!("/run/packages/{folder}/{file}"))
}

/// A step that fails ends the list, since each depends on the ones before.
fn steps(context: &TaskContext, sandbox: &Sandbox, packages: &Packages, test_run: &mut TestRun) -> anyhow::Result<()> {
    let timer = StepTimer::start();
    let installed = install(sandbox, &packages.first);
    let Some(unit) = step(test_run, "the package installs with its user, data directory and modes", installed) else {
        return Ok(());
    };
    let sold = sell(context, sandbox, &unit);
    let took = timer.elapsed();
    let Some(order) = step(test_run, "the service sells a ticket as the guide says", sold) else { return Ok(()) };
    println!("from dpkg --install to the first ticket: {}", HumanDuration(took));
    step(test_run, "bash completes commands, and every man page renders without a warning", shell_files(sandbox));
    match verify_units(sandbox) {
        Ok(false) => {
            println!("skipped: systemd-analyze is not installed");
            test_run.counts.add(TestCounts::skipped());
        }
        verified => {
            step(test_run, "systemd accepts the units", verified);
        }
    }
    step(test_run, "the guide's backup is written while the service runs", back_up(context, sandbox));
    let upgraded = upgrade(sandbox, &unit, &packages.second, &order);
    step(test_run, "an upgrade keeps the order and a changed configuration", upgraded);
    step(test_run, "a removed package leaves configuration and data", remove(sandbox));
    step(test_run, "a purged package leaves only what the guide says", purge(sandbox));
    step(
        test_run,
        "data that a purge left are served after another installation",
        install_again(sandbox, packages, &order),
    );
    Ok(())
}

fn install(sandbox: &Sandbox, package: &Path) -> anyhow::Result<Unit> {
    // The machine itself may have the package.
    sandbox.run("dpkg --purge voelgoed >/dev/null 2>&1; rm -rf /var/lib/voelgoed /etc/voelgoed")?;
    sandbox.run(&format!("{INSTALL} {}", inside(package)?))?;
    let differing = sandbox.run("dpkg --verify voelgoed")?;
    ensure!(differing.is_empty(), "installed files differ from the package:\n{differing}");
    for (path, expected) in [
        ("/usr/bin/voelgoed", "root root 755"),
        ("/etc/voelgoed/voelgoed.toml", "root root 644"),
        ("/usr/lib/systemd/system/voelgoed.service", "root root 644"),
        ("/usr/share/doc/voelgoed/copyright", "root root 644"),
        ("/var/lib/voelgoed", "voelgoed voelgoed 700"),
    ] {
        let found = sandbox.run(&format!("stat --format='%U %G %a' {path}"))?;
        ensure!(found.trim() == expected, "{path} is {found}, not {expected}");
    }
    let user = sandbox.run("getent passwd voelgoed")?;
    ensure!(user.trim_end().ends_with(":/var/lib/voelgoed:/usr/sbin/nologin"), "the user is {user}");
    let enabled = sandbox.run("readlink /etc/systemd/system/multi-user.target.wants/voelgoed.service")?;
    ensure!(enabled.trim().ends_with("/lib/systemd/system/voelgoed.service"), "the service is not enabled: {enabled}");
    Unit::read(sandbox, "voelgoed.service")
}

/// Runs the guide's sale; returns its order.
fn sell(context: &TaskContext, sandbox: &Sandbox, unit: &Unit) -> anyhow::Result<Value> {
    unit.start(sandbox)?;
    let printed = sandbox.run(&(guide_block(context, 0)? + PRINT_ORDER))?;
    let order: Value = serde_json::from_str(printed.lines().last().unwrap_or_default()).context("the order is JSON")?;
    ensure!(printed.contains("vgk_"), "no API key was printed:\n{printed}");
    ensure!(order["tickets"][0]["code"].is_string(), "the order has no ticket: {order}");
    Ok(order)
}

fn guide_block(context: &TaskContext, index: usize) -> anyhow::Result<String> {
    let blocks = readme::blocks(&std::fs::read_to_string(context.root.join(GUIDE))?);
    blocks.into_iter().nth(index).with_context(|| format!("{GUIDE} has no block {index}"))
}

fn shell_files(sandbox: &Sandbox) -> anyhow::Result<()> {
    let completed = sandbox.run(
        ". /usr/share/bash-completion/completions/voelgoed
         COMP_WORDS=(voelgoed se); COMP_CWORD=1; _voelgoed voelgoed se voelgoed; echo \"${COMPREPLY[@]}\"",
    )?;
    ensure!(completed.trim() == "serve settings", "`voelgoed se` is completed to {completed}");
    let warnings = sandbox.run(
        "for page in /usr/share/man/man1/voelgoed*.1.gz; do zcat \"$page\" | groff -K utf8 -T utf8 -man -ww -z; done 2>&1",
    )?;
    ensure!(warnings.is_empty(), "groff warns: {warnings}");
    let page = sandbox.run("zcat /usr/share/man/man1/voelgoed-serve.1.gz | groff -K utf8 -T ascii -man -P -cbou")?;
    for part in ["VOELGOED-SERVE(1)", "voelgoed-serve - ", "--internal-listen <INTERNAL_LISTEN>"] {
        ensure!(page.contains(part), "the page of `serve` has no `{part}`:\n{page}");
    }
    Ok(())
}

/// False if systemd-analyze is not installed.
fn verify_units(sandbox: &Sandbox) -> anyhow::Result<bool> {
    if sandbox.run("command -v systemd-analyze").is_err() {
        return Ok(false);
    }
    let units = "/usr/lib/systemd/system/voelgoed{.service,-web@8081.service,-worker@18091.service}";
    let printed = sandbox.run(&format!("systemd-analyze verify --man=no {units} 2>&1"))?;
    ensure!(!printed.contains("voelgoed"), "systemd-analyze: {printed}");
    Ok(true)
}

fn back_up(context: &TaskContext, sandbox: &Sandbox) -> anyhow::Result<()> {
    let printed = sandbox.run(&guide_block(context, 1)?)?;
    ensure!(printed.contains("master.key"), "the backup holds no master key:\n{printed}");
    Ok(())
}

fn upgrade(sandbox: &Sandbox, unit: &Unit, package: &Path, order: &Value) -> anyhow::Result<()> {
    sandbox.run("sed -i 's/127.0.0.1:8080/127.0.0.1:8090/' /etc/voelgoed/voelgoed.toml")?;
    unit.stop(sandbox)?;
    sandbox.run(&format!("{INSTALL} {}", inside(package)?))?;
    let later = sandbox.run("grep -c 'A later default' /etc/voelgoed/voelgoed.toml.dpkg-dist")?;
    ensure!(later.trim() == "1", "the new default is not beside the configuration that was kept");
    unit.start(sandbox)?;
    is_served(sandbox, "127.0.0.1:8090", order)?;
    unit.stop(sandbox)
}

/// Fails if the order and its ticket are not served as they were.
fn is_served(sandbox: &Sandbox, address: &str, order: &Value) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, token) = (text(&order["id"]), text(&order["token"]));
    let printed =
        sandbox.run(&format!("curl --silent --fail http://{address}/api/v1/orders/{id} -H 'X-Token: {token}'"))?;
    let found: Value = serde_json::from_str(&printed).context("the order is JSON")?;
    ensure!(found["state"] == "paid" && found["tickets"] == order["tickets"], "the order was {order}, and is {found}");
    Ok(())
}

fn remove(sandbox: &Sandbox) -> anyhow::Result<()> {
    sandbox.run("dpkg --remove voelgoed")?;
    let present = sandbox.run(
        "ls -d /usr/bin/voelgoed /usr/lib/systemd/system/voelgoed* /etc/voelgoed/voelgoed.toml /var/lib/voelgoed/voelgoed.sqlite 2>/dev/null || true",
    )?;
    let expected = "/etc/voelgoed/voelgoed.toml\n/var/lib/voelgoed/voelgoed.sqlite\n";
    ensure!(present == expected, "after the removal there are:\n{present}");
    Ok(())
}

fn purge(sandbox: &Sandbox) -> anyhow::Result<()> {
    let printed = sandbox.run("dpkg --purge voelgoed")?;
    ensure!(printed.contains("stay in /var/lib/voelgoed"), "the purge does not mention the data:\n{printed}");
    let remains = sandbox.changes()?;
    let unexpected: Vec<_> =
        remains.iter().filter(|path| !REMAINS.iter().any(|beginning| path.starts_with(beginning))).collect();
    ensure!(unexpected.is_empty(), "the purge leaves {unexpected:?}");
    ensure!(remains.iter().any(|path| path.starts_with("/var/lib/voelgoed/")), "the purge deleted the data");
    Ok(())
}

fn install_again(sandbox: &Sandbox, packages: &Packages, order: &Value) -> anyhow::Result<()> {
    sandbox.run(&format!("{INSTALL} {}", inside(&packages.second)?))?;
    let unit = Unit::read(sandbox, "voelgoed.service")?;
    unit.start(sandbox)?;
    is_served(sandbox, "127.0.0.1:8080", order)?;
    unit.stop(sandbox)
}
