//! Checks in the sandbox that `voelgoed-admin` runs commands with the user, the settings and the secrets of the services.

use anyhow::ensure;

use super::sandbox::Sandbox;
use super::unit::Unit;

/// Lines of `secrets.env` and the value that systemd reads from them.
const READ: &[(&str, &str)] = &[
    ("{}=http://a.example", "http://a.example"),
    ("  {} = http://a.example/$HOME`id`&b;c#d  ", "http://a.example/$HOME`id`&b;c#d"),
    ("# {}=http://b.example\n{}='http://a.example/ \\ b'", "http://a.example/ \\\\ b"),
    ("; x\n\n{}=\"http://a.example/'$b' c\"", "http://a.example/'$b' c"),
    ("{}=http://b.example\n{}=''", ""),
];
/// Lines that are refused, because systemd could read something else than is seen.
const REFUSED: &[&str] = &["{}=a\\b", "{}=a\\", "{}=\"a", "{}='a'b'", "{}=\"a\\\\b\"", "export {}=a", "a-b=c", "{}"];
/// A setting that is printed in clear.
const NAME: &str = "VOELGOED__SERVER__PUBLIC_URL";

/// Reads each line by itself.
pub fn read_secrets(sandbox: &Sandbox) -> anyhow::Result<()> {
    for (lines, expected) in READ {
        write_secrets(sandbox, lines)?;
        let printed = sandbox.run("voelgoed-admin settings | grep '^public_url ='")?;
        ensure!(printed == format!("public_url = \"{expected}\"\n"), "`{lines}` is read as {printed}");
    }
    for line in REFUSED {
        write_secrets(sandbox, line)?;
        let printed = sandbox.run("! voelgoed-admin settings 2>&1")?;
        ensure!(printed.ends_with("; nothing was run\n") && printed.lines().count() == 1, "`{line}`: {printed}");
    }
    sandbox.run("rm /etc/voelgoed/secrets.env").map(drop)
}

fn write_secrets(sandbox: &Sandbox, lines: &str) -> anyhow::Result<()> {
    let text = lines.replace("{}", NAME);
    let script = "install --mode=0600 /dev/stdin /etc/voelgoed/secrets.env";
    sandbox.run(&format!("{script} <<'END OF SECRETS'\n{text}\nEND OF SECRETS\n")).map(drop)
}

/// Moves the master key into `secrets.env`, without which no command opens the database; starts the service with it, and moves it back.
pub fn use_secret(sandbox: &Sandbox, unit: &Unit) -> anyhow::Result<()> {
    unit.stop(sandbox)?;
    sandbox.run(
        "cd /var/lib/voelgoed
         (umask 077; echo \"VOELGOED__SECRETS__MASTER=$(cat master.key)\" >/etc/voelgoed/secrets.env)
         mv master.key /root/",
    )?;
    unit.start(sandbox)?;
    let listed = sandbox.run("voelgoed-admin list organizations")?;
    ensure!(listed.contains("my-hall"), "the organization is not listed: {listed}");
    let without = "! runuser -u voelgoed -- voelgoed --config /etc/voelgoed/single-node.toml list organizations 2>&1";
    let refused = sandbox.run(without)?;
    ensure!(refused.contains("master.key is missing"), "the secret does not matter: {refused}");
    let owners = sandbox.run("find /var/lib/voelgoed ! -user voelgoed")?;
    ensure!(owners.is_empty(), "files of another user: {owners}");
    unit.stop(sandbox)?;
    sandbox.run("mv /root/master.key /var/lib/voelgoed/; rm /etc/voelgoed/secrets.env")?;
    unit.start(sandbox)
}
