//! Runs the steps of a package's life in the sandbox and checks the result of each: install, sell, back up, upgrade, remove, purge; and the tarball.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::sandbox::Sandbox;
use super::unit::Unit;
use crate::suites::readme;
use crate::task_context::TaskContext;

/// The guide whose commands the steps run.
const GUIDE: &str = "docs/how-to/install-a-package.md";
/// Appended to the guide's commands of a sale; prints the paid order with its token as one line of JSON.
const PRINT_ORDER: &str = "\njq -c --arg token \"$(jq -r .token order.json)\" '. + {token: $token}' paid.json\n";
/// Installs a package with its manuals and documents, which dpkg leaves out in container images.
pub const INSTALL: &str = "dpkg --path-include='/usr/share/*' --install";
/// Paths that may remain after a purge: the data that the guide names, and the files that dpkg, adduser and ldconfig write for every package.
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

pub fn install(sandbox: &Sandbox, package: &str) -> anyhow::Result<Unit> {
    // The sandbox starts as a copy of the machine, on which the package may be installed.
    sandbox.run("dpkg --purge voelgoed >/dev/null 2>&1; rm -rf /var/lib/voelgoed /etc/voelgoed")?;
    sandbox.run(&format!("{INSTALL} {package}"))?;
    let differing = sandbox.run("dpkg --verify voelgoed")?;
    ensure!(differing.is_empty(), "installed files differ from the package:\n{differing}");
    for (path, expected) in [
        ("/usr/bin/voelgoed", "root root 755"),
        ("/usr/sbin/voelgoed-admin", "root root 755"),
        ("/etc/voelgoed/single-node.toml", "root root 644"),
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
    Unit::read(sandbox, "/usr/lib/systemd/system/voelgoed.service")
}

/// Runs the guide's commands of a sale, and returns the paid order.
pub fn sell(context: &TaskContext, sandbox: &Sandbox, unit: &Unit) -> anyhow::Result<Value> {
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

pub fn shell_files(sandbox: &Sandbox) -> anyhow::Result<()> {
    let completed = sandbox.run(
        ". /usr/share/bash-completion/completions/voelgoed
         COMP_WORDS=(voelgoed se); COMP_CWORD=1; _voelgoed voelgoed se voelgoed; echo \"${COMPREPLY[@]}\"",
    )?;
    ensure!(completed.trim() == "serve settings", "`voelgoed se` is completed to {completed}");
    let warnings = sandbox.run(
        "for page in /usr/share/man/man*/voelgoed*.gz; do zcat \"$page\" | groff -K utf8 -T utf8 -man -ww -z; done 2>&1",
    )?;
    ensure!(warnings.is_empty(), "groff warns: {warnings}");
    let page = sandbox.run("zcat /usr/share/man/man1/voelgoed-serve.1.gz | groff -K utf8 -T ascii -man -P -cbou")?;
    for part in ["VOELGOED-SERVE(1)", "voelgoed-serve - ", "--internal-listen <INTERNAL_LISTEN>"] {
        ensure!(page.contains(part), "the page of `serve` has no `{part}`:\n{page}");
    }
    Ok(())
}

/// False if systemd-analyze is not installed.
pub fn verify_units(sandbox: &Sandbox) -> anyhow::Result<bool> {
    if sandbox.run("command -v systemd-analyze").is_err() {
        return Ok(false);
    }
    let units = "/usr/lib/systemd/system/voelgoed{.service,-web@8081.service,-worker@18091.service}";
    let printed = sandbox.run(&format!("systemd-analyze verify --man=no {units} 2>&1"))?;
    ensure!(!printed.contains("voelgoed"), "systemd-analyze: {printed}");
    let condition =
        "systemd-analyze condition \"$(grep ^ConditionPathExists= /usr/lib/systemd/system/voelgoed.service)\"";
    sandbox.run(condition).context("the single node does not start on its own host")?;
    sandbox.run("touch /etc/voelgoed/voelgoed.toml")?;
    let started = sandbox.run(condition);
    sandbox.run("rm /etc/voelgoed/voelgoed.toml")?;
    ensure!(started.is_err(), "the single node starts beside the settings of several nodes");
    Ok(true)
}

pub fn back_up(context: &TaskContext, sandbox: &Sandbox) -> anyhow::Result<()> {
    let printed = sandbox.run(&guide_block(context, 1)?)?;
    ensure!(printed.contains("master.key"), "the backup holds no master key:\n{printed}");
    Ok(())
}

pub fn upgrade(sandbox: &Sandbox, unit: &Unit, package: &str, order: &Value) -> anyhow::Result<()> {
    sandbox.run("sed -i 's/127.0.0.1:8080/127.0.0.1:8090/' /etc/voelgoed/single-node.toml")?;
    unit.stop(sandbox)?;
    sandbox.run(&format!("{INSTALL} --force-confold {package}"))?;
    let later = sandbox.run("grep -c 'A later default' /etc/voelgoed/single-node.toml.dpkg-dist")?;
    ensure!(
        later.trim() == "1",
        "the changed configuration was kept, but the new defaults are not beside it as single-node.toml.dpkg-dist"
    );
    unit.start(sandbox)?;
    is_served(sandbox, "127.0.0.1:8090", order)?;
    unit.stop(sandbox)
}

/// Fails if the server at `address` does not return the paid order with the tickets that it had before.
fn is_served(sandbox: &Sandbox, address: &str, order: &Value) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, token) = (text(&order["id"]), text(&order["token"]));
    let printed =
        sandbox.run(&format!("curl --silent --fail http://{address}/api/v1/orders/{id} -H 'X-Token: {token}'"))?;
    let found: Value = serde_json::from_str(&printed).context("the order is JSON")?;
    ensure!(found["state"] == "paid" && found["tickets"] == order["tickets"], "the order was {order}, and is {found}");
    Ok(())
}

pub fn remove(sandbox: &Sandbox) -> anyhow::Result<()> {
    sandbox.run("dpkg --remove voelgoed")?;
    let present = sandbox.run(
        "ls -d /usr/bin/voelgoed /usr/sbin/voelgoed-admin /usr/lib/systemd/system/voelgoed* /etc/voelgoed/single-node.toml \
         /var/lib/voelgoed/voelgoed.sqlite 2>/dev/null || true",
    )?;
    let expected = "/etc/voelgoed/single-node.toml\n/var/lib/voelgoed/voelgoed.sqlite\n";
    ensure!(present == expected, "after the removal there are:\n{present}");
    Ok(())
}

pub fn purge(sandbox: &Sandbox) -> anyhow::Result<()> {
    let printed = sandbox.run("dpkg --purge voelgoed")?;
    ensure!(printed.contains("stay in /var/lib/voelgoed"), "the purge does not mention the data:\n{printed}");
    let remains = sandbox.changes()?;
    let unexpected: Vec<_> =
        remains.iter().filter(|path| !REMAINS.iter().any(|beginning| path.starts_with(beginning))).collect();
    ensure!(unexpected.is_empty(), "the purge leaves {unexpected:?}");
    ensure!(remains.iter().any(|path| path.starts_with("/var/lib/voelgoed/")), "the purge deleted the data");
    Ok(())
}

/// Installs the tarball as its own instructions say; no systemd runs in the sandbox, so the commands for it are left out.
pub fn install_tarball(context: &TaskContext, sandbox: &Sandbox, tarball: &str, order: &Value) -> anyhow::Result<()> {
    let instructions = std::fs::read_to_string(context.root.join("deploy/INSTALL.md"))?;
    let mut blocks = readme::blocks(&instructions).into_iter();
    let (install, back_up) = blocks.next().zip(blocks.next()).context("INSTALL.md has two blocks")?;
    sandbox.run(&format!(
        "cd $(mktemp -d); tar --extract --file {tarball}; cd voelgoed-*; systemctl() {{ :; }}\n{install}"
    ))?;
    let unit = Unit::read(sandbox, "/etc/systemd/system/voelgoed.service")?;
    ensure!(unit.program() == "/usr/local/bin/voelgoed", "the tarball's unit starts {}", unit.program());
    unit.start(sandbox)?;
    is_served(sandbox, "127.0.0.1:8080", order)?;
    let printed = sandbox.run(&format!("rm -r /var/backups/voelgoed\n{back_up}"))?;
    ensure!(printed.contains("master.key"), "the backup holds no master key:\n{printed}");
    unit.stop(sandbox)
}

/// Installs the package beside the tarball, and again after the guide's removal of the tarball's files.
pub fn change_from_tarball(context: &TaskContext, sandbox: &Sandbox, package: &str) -> anyhow::Result<()> {
    let install = format!("{INSTALL} --force-confold {package} 2>&1");
    let printed = sandbox.run(&install)?;
    for file in ["/usr/local/bin/voelgoed", "/usr/local/sbin/voelgoed-admin", "/etc/systemd/system/voelgoed.service"] {
        ensure!(printed.contains(file), "the package does not warn of {file}:\n{printed}");
    }
    sandbox.run(&format!("systemctl() {{ :; }}\n{}", guide_block(context, 2)?))?;
    let remains = sandbox.run("find /usr/local /etc/systemd/system -type f -name '*voelgoed*'")?;
    ensure!(remains.is_empty(), "the guide leaves files of the tarball:\n{remains}");
    let printed = sandbox.run(&install)?;
    ensure!(!printed.contains("warning"), "the package warns after the tarball's files are gone:\n{printed}");
    let program = sandbox.run("command -v voelgoed voelgoed-admin")?;
    ensure!(program == "/usr/bin/voelgoed\n/usr/sbin/voelgoed-admin\n", "the shell uses {program}");
    Ok(())
}
